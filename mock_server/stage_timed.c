/* SPDX-License-Identifier: MIT */
/* Rules at a time. */
#include "lwp/net/clock.h"
#include "lwp/session/session.h"
#include "mock_server/stage_state.h"

/* The one that comes next, whenever that is; NULL: there is none, or the clock has not begun. */
static struct stage_rule *next_timed(const struct lwp_stage *stage)
{
    struct stage_rule *next = NULL;
    for (struct stage_play *play = stage->begun ? stage->plays : NULL; play; play = play->next)
        for (size_t i = 0; play->is_timed && i < play->rule_count; i++) {
            struct stage_rule *rule = &play->rules[i];
            const bool waits = rule->rule->is_timed && rule->armed && !rule->fired;
            if (waits && (!next || rule->rule->at_ns < next->rule->at_ns))
                next = rule;
        }
    return next;
}

uint64_t stage_deadline(const struct lwp_stage *stage)
{
    const struct stage_rule *next = next_timed(stage);
    return next ? lwp_clock_later(stage->begin_ns, next->rule->at_ns) : LWP_NEVER;
}

const struct script_rule *stage_due(struct lwp_stage *stage, uint64_t now_ns)
{
    struct stage_rule *next = next_timed(stage);
    if (!next || now_ns < lwp_clock_later(stage->begin_ns, next->rule->at_ns))
        return NULL;
    stage_fired(stage, next, now_ns);
    return next->rule;
}
