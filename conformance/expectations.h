/* SPDX-License-Identifier: MIT */
/* expectations.h - what is known to go wrong, from a file: `xfail ID reason`, `flaky ID reason`,
 * `skip ID reason`, one a line; a line that begins with # is a comment. */
#ifndef LWP_CONFORM_EXPECTATIONS_H
#define LWP_CONFORM_EXPECTATIONS_H

#include "conformance/result.h"

enum expectation_kind { EXPECT_FAILURE, EXPECT_ANYTHING, EXPECT_SKIP };

struct expectation {
    enum expectation_kind kind;
    struct lwp_bytes id; /* Zero-terminated, as is the reason. */
    struct lwp_bytes reason;
    unsigned line;
};

struct expectations {
    struct script_arena arena;
    SCRIPT_LIST(struct expectation) list;
};

/** Reads the file and checks it against the cases: unknown words, missing reasons, ids that no case
 * has, and ids given twice are told on stderr, all of them, and make it false. */
bool expectations_read(struct expectations *expectations, const char *path,
                       const struct script *cases);

/** What is expected of a case, or NULL. */
const struct expectation *expectation_of(const struct expectations *expectations,
                                         struct lwp_bytes id);

/** Turns a failure that was expected into xfail, and a pass that was not into xpass. */
void expectation_apply(const struct expectation *expectation, struct result *result);

void expectations_done(struct expectations *expectations);

#endif
