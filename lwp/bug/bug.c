/* SPDX-License-Identifier: MIT */
#include "lwp/bug/bug.h"

const struct lwp_bug_row lwp_bug_rows[LWP_BUG_COUNT] = {
    [LWP_BUG_NONE] = {"", "", "", "", ""},
#define LWP_BUG_ROW(name, part, requirement, killer, suffering)                                    \
    [LWP_BUG_##name] = {#name, #part, requirement, killer, suffering},
#include "lwp/bug/bugs.def"
#undef LWP_BUG_ROW
};

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
