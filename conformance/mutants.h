/* SPDX-License-Identifier: MIT */
/* mutants.h - the proof that the suite can fail: its cases against mocks that have a named bug. */
#ifndef LWP_CONFORM_MUTANTS_H
#define LWP_CONFORM_MUTANTS_H

#include <stdio.h>

#include "conformance/suite.h"
#include "lwp/bug/bug.h"

/* A bug, and what is said of it; a table of one's own for tests. */
struct mutant {
    enum lwp_bug bug;
    const struct lwp_bug_row *row;
};

/* Cases that may kill none: a glob, and why they are there. */
struct kept {
    const char *glob;
    const char *why;
};

/** The rows of kept.def, ended by one without a glob. */
extern const struct kept mutants_kept[];

struct mutants {
    const struct script *cases;
    const struct mutant *items;
    size_t count;
    bool whole;              /* These are all there are: then every requirement must have one. */
    const struct kept *kept; /* For the matrix. */
    const char *prefix;
    FILE *text;
    FILE *jsonl; /* A line a mutant; or NULL. */
};

/** The rows of these names, or all rows of the mock if there are no names, into `chosen`, which has
 * room for LWP_BUG_COUNT. Returns NULL, or the name that no mutant of the mock has. */
const char *mutants_choose(const char *const *names, size_t name_count, struct mutant *chosen,
                           size_t *count);

/**
 * Whether the table holds together: each mutant breaks a requirement of the table, and the case that
 * kills it exists, is for servers and names this requirement; and, of the whole table, each MUST and
 * SHOULD that binds servers and that a case names has a mutant. What does not is said in the text.
 */
bool mutants_check(const struct mutants *mutants);

/**
 * Checks the table and runs each mutant against the case that is to kill it, in every dialect: the
 * case must fail, time out or crash with the mutant in at least one, and pass with the sound mock. If
 * these are the whole table, all cases must pass with the sound mock. A line a mutant, and the sum.
 *
 * With `matrix` each mutant is run against all cases: which of them killed it, how many mutants each
 * case killed, and which cases killed none: these must be among the kept, and each row of these must
 * fit one.
 *
 * SUITE_AS_EXPECTED; SUITE_FAILED; SUITE_NOT_RUN without memory or processes.
 */
enum suite_exit mutants_run(const struct mutants *mutants, bool matrix);

#endif
