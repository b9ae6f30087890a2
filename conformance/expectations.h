/* SPDX-License-Identifier: MIT */
/* expectations.h - what is known to go wrong, from a file that can not rot: docs/ci.md. */
#ifndef LWP_CONFORM_EXPECTATIONS_H
#define LWP_CONFORM_EXPECTATIONS_H

#include "conformance/failure.h"

enum { EXPECTATION_MAX_MATCHES = 20 }; /* Cases that one line may fit. */

enum expectation_kind { EXPECT_FAILURE, EXPECT_ANYTHING, EXPECT_SKIP };

/* One line: KIND ID [class=CLASS] REASON. */
struct expectation {
    enum expectation_kind kind;
    struct lwp_bytes id;           /* Or a glob. Zero-terminated, as are the others. */
    struct lwp_bytes pinned_class; /* The only one that is expected; empty for any. */
    struct lwp_bytes reason;
    unsigned line;
};

/* What came of a case, before the expectation was looked at. */
struct expectation_outcome {
    const struct script_case *of;
    bool passed;
    char class[FAILURE_CLASS_SIZE]; /* Of a failure that a line can excuse; empty otherwise. */
    struct lwp_bytes reason;        /* The failure's. */
};

struct expectations {
    struct script_arena arena;
    const char *path;      /* NULL if there is no file. */
    struct lwp_bytes text; /* The file's, zero-terminated. */
    bool updating;         /* It will be rewritten: stale lines are no errors. */
    const struct script *cases;
    SCRIPT_LIST(struct expectation) list;
    SCRIPT_LIST(struct expectation_outcome) outcomes; /* Kept if it will be rewritten. */
};

/**
 * Reads the file and checks it against the cases. Unknown words, missing reasons, reasons that a
 * rewriting has left to be given, lines that fit no case, more than EXPECTATION_MAX_MATCHES or one
 * that an earlier line fits: all are told on stderr and make it false. If it is `updating`, lines
 * that fit nothing and reasons that are still to be given are fine, and so is a file that is not
 * there.
 */
bool expectations_read(struct expectations *expectations, const char *path,
                       const struct script *cases, bool updating);

/** What is expected of a case, or NULL. */
const struct expectation *expectation_of(const struct expectations *expectations,
                                         struct lwp_bytes id);

/**
 * Judges what came of a case: a failure that was expected becomes xfail; one of another class than
 * the pinned one stays what it is, and says so; a pass that was not expected becomes xpass. Remembers
 * the outcome if the file will be rewritten.
 */
void expectation_apply(struct expectations *expectations, struct result *result);

/**
 * Rewrites the file by what came of the cases that ran, whole or not at all. Comments, order and
 * reasons stay; lines that are stale go; a glob that fits a case which passed becomes the lines of
 * those that failed; a pinned class that is another now is changed; and failures that no line expects
 * are added with a reason that begins with "new: " and is to be replaced by somebody who knows it.
 * Crashes are never added. What was done is told on stderr. False, told as well, if the file could
 * not be written.
 */
bool expectations_rewrite(const struct expectations *expectations);

void expectations_done(struct expectations *expectations);

#endif
