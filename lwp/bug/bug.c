/* SPDX-License-Identifier: MIT */
#include "lwp/bug/bug.h"

#include <string.h>

const struct lwp_bug_row lwp_bug_rows[LWP_BUG_COUNT] = {
    [LWP_BUG_NONE] = {"", "", "", "", ""},
#define LWP_BUG_ROW(name, part, requirement, killer, suffering)                                    \
    [LWP_BUG_##name] = {#name, #part, requirement, killer, suffering},
#include "lwp/bug/bugs.def"
};

const struct lwp_quirk_row lwp_quirk_rows[LWP_QUIRK_COUNT] = {
#define LWP_QUIRK_ROW(number, word, suffering) [LWP_QUIRK_##number] = {#number, word, suffering},
#include "lwp/bug/bugs.def"
};

bool lwp_quirk_named(const char *name, enum lwp_quirk *quirk)
{
    for (unsigned i = 0; i < LWP_QUIRK_COUNT; i++) {
        const struct lwp_quirk_row *row = &lwp_quirk_rows[i];
        if (strcmp(name, row->number) != 0 && strcmp(name, row->word) != 0)
            continue;
        *quirk = (enum lwp_quirk)i;
        return true;
    }
    return false;
}

bool lwp_bug_is_simulated(enum lwp_bug bug)
{
    return strcmp(lwp_bug_rows[bug].killer, "lwp-sim") == 0;
}

#ifdef LWP_MUTANTS

static enum lwp_bug chosen; /* The one mutable global, in this build only. */

bool lwp_bugs_compiled_in(void)
{
    return true;
}

void lwp_bug_choose(enum lwp_bug bug)
{
    chosen = bug;
}

bool lwp_bug_is(enum lwp_bug bug)
{
    return bug == chosen;
}

#else

bool lwp_bugs_compiled_in(void)
{
    return false;
}

void lwp_bug_choose(enum lwp_bug bug)
{
    (void)bug;
}

#endif
