/* SPDX-License-Identifier: MIT */
/* bug.h - named bugs, for the proof that the suite can fail. */
#ifndef LWP_BUG_BUG_H
#define LWP_BUG_BUG_H

#include <stdbool.h>

enum lwp_bug {
    LWP_BUG_NONE,
#define LWP_BUG_ROW(name, part, requirement, killer, suffering) LWP_BUG_##name,
#include "lwp/bug/bugs.def"
#undef LWP_BUG_ROW
    LWP_BUG_COUNT
};

/* One row of bugs.def. */
struct lwp_bug_row {
    const char *name;
    const char *part;        /* Where it sits: "mock" or "client". */
    const char *requirement; /* The row of conformance/requirements.def that it breaks. */
    const char *killer;      /* The id of the case that must fail. */
    const char *suffering;   /* What a user would suffer. */
};

/** The rows, index 1 to LWP_BUG_COUNT - 1. */
extern const struct lwp_bug_row lwp_bug_rows[LWP_BUG_COUNT];

/** Whether this build has the bugs compiled in (the preset "mutants"). */
bool lwp_bugs_compiled_in(void);

/** Chooses the one bug that is active from now on, or LWP_BUG_NONE. Without effect where they are
 * not compiled in. Not thread-safe: choose before anything runs. */
void lwp_bug_choose(enum lwp_bug bug);

#ifdef LWP_MUTANTS
/** Whether this bug is the one that was chosen. */
bool lwp_bug_is(enum lwp_bug bug);
#define LWP_BUG(name) lwp_bug_is(LWP_BUG_##name)
#else
#define LWP_BUG(name) false
#endif

#endif
