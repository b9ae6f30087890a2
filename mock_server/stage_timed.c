/* SPDX-License-Identifier: MIT */
/* Rules at a time. */
#include "lwp/session/session.h"
#include "mock_server/stage_state.h"

uint64_t stage_deadline(const struct lwp_stage *stage)
{
    uint64_t deadline = LWP_NEVER;
    for (const struct stage_play *play = stage->begun ? stage->plays : NULL; play;
         play = play->next)
        for (size_t i = 0; play->is_timed && i < play->rule_count; i++) {
            const struct stage_rule *rule = &play->rules[i];
            if (rule->rule->is_timed && rule->armed && !rule->fired &&
                stage->begin_ns + rule->rule->at_ns < deadline)
                deadline = stage->begin_ns + rule->rule->at_ns;
        }
    return deadline;
}

const struct script_rule *stage_due(struct lwp_stage *stage, uint64_t now_ns)
{
    struct stage_rule *next = NULL;
    for (struct stage_play *play = stage->begun ? stage->plays : NULL; play; play = play->next)
        for (size_t i = 0; play->is_timed && i < play->rule_count; i++) {
            struct stage_rule *rule = &play->rules[i];
            const bool due = rule->rule->is_timed && rule->armed && !rule->fired &&
                             now_ns >= stage->begin_ns + rule->rule->at_ns;
            if (due && (!next || rule->rule->at_ns < next->rule->at_ns))
                next = rule;
        }
    if (!next)
        return NULL;
    stage_fired(stage, next, now_ns);
    return next->rule;
}
