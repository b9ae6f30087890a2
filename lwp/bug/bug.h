/* SPDX-License-Identifier: MIT */
/* bug.h - named bugs: mutants, for the proof that the suite can fail, and quirks, the deployed
 * server's own bugs that the mock has when it is asked to. */
#ifndef LWP_BUG_BUG_H
#define LWP_BUG_BUG_H

#include <stdbool.h>
#include <stdint.h>

enum lwp_bug {
    LWP_BUG_NONE,
#define LWP_BUG_ROW(name, part, requirement, killer, suffering) LWP_BUG_##name,
#include "lwp/bug/bugs.def"
    LWP_BUG_COUNT
};

enum lwp_quirk {
#define LWP_QUIRK_ROW(number, word, suffering) LWP_QUIRK_##number,
#include "lwp/bug/bugs.def"
    LWP_QUIRK_COUNT
};

/* One mutant of bugs.def. */
struct lwp_bug_row {
    const char *name;
    const char *part;        /* Where it sits: "mock" or "client". */
    const char *requirement; /* The row of conformance/requirements.def that it breaks. */
    const char *killer;      /* The id of the case that must fail, or "lwp-sim". */
    const char *suffering;   /* What a user would suffer. */
};

/** The rows, index 1 to LWP_BUG_COUNT - 1. */
extern const struct lwp_bug_row lwp_bug_rows[LWP_BUG_COUNT];

/* One quirk of bugs.def. */
struct lwp_quirk_row {
    const char *number;    /* For example "B1". */
    const char *word;      /* For example "reuses-ids". */
    const char *suffering; /* What a user suffers. */
};

/** The rows, by enum lwp_quirk. */
extern const struct lwp_quirk_row lwp_quirk_rows[LWP_QUIRK_COUNT];

/** Finds a quirk by its number or its word; false, with nothing set, if there is none. */
bool lwp_quirk_named(const char *name, enum lwp_quirk *quirk);

/** The quirk as one bit of a set. */
static inline uint32_t lwp_quirk_bit(enum lwp_quirk quirk)
{
    return UINT32_C(1) << quirk;
}

/** Whether this build has the mutants compiled in (the preset "mutants"). */
bool lwp_bugs_compiled_in(void);

/** Chooses the one bug that is active from now on, or LWP_BUG_NONE. Without effect where they are
 * not compiled in. Not thread-safe: choose before anything runs. */
void lwp_bug_choose(enum lwp_bug bug);

/** Whether it is for the simulation to find, and not for a case. */
bool lwp_bug_is_simulated(enum lwp_bug bug);

#ifdef LWP_MUTANTS
/** Whether this bug is the one that was chosen. */
bool lwp_bug_is(enum lwp_bug bug);
#define LWP_BUG(name) lwp_bug_is(LWP_BUG_##name)
#else
#define LWP_BUG(name) false
#endif

#endif
