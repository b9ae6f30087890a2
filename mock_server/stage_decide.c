/* SPDX-License-Identifier: MIT */
/* From rules that fire to what is done: one decision a frame, before any effect. */
#include "mock_server/stage_state.h"

void stage_fate_init(struct stage_fate *fate)
{
    memset(fate, 0, offsetof(struct stage_fate, damage));
    fate->damage_count = 0;
}

/* A decision in the making. */
struct deciding {
    struct lwp_stage *stage;
    struct stage_peer *peer;
    struct stage_decision *decision;
    struct stage_rule *best; /* The narrowest live rule that says what becomes of the answer. */
    bool best_has_fired;
    uint64_t now_ns;
};

/* Whether the action says what becomes of the answer: then only one rule has its way. release is an
 * effect by its group, but it is about other answers than this one. */
static bool is_decisive(const struct script_action *action)
{
    const enum script_action_group group = script_action_rows[action->kind].group;
    return group == SCRIPT_ANSWER ||
           (group == SCRIPT_EFFECT && action->kind != SCRIPT_ACTION_RELEASE);
}

/* What is left out must not look as if it had been done. */
static void leave_out(const struct stage_rule *rule)
{
    stage_fail(rule->play, lwp_bytes_text("more than 64 actions on one frame, by several rules"));
}

static void put_off(struct deciding *deciding, const struct stage_rule *rule,
                    const struct script_action *action)
{
    struct stage_decision *decision = deciding->decision;
    if (decision->action_count == STAGE_MAX_ACTIONS) {
        leave_out(rule);
        return;
    }
    decision->rules[decision->action_count] = rule->rule;
    decision->actions[decision->action_count++] = action;
}

/* A time within the action's range, by the rule's dice. */
static uint64_t draw(struct deciding *deciding, const struct stage_rule *rule,
                     const struct script_action *action)
{
    const uint64_t span = action->most_ns - action->least_ns;
    if (span == 0)
        return action->least_ns;
    return action->least_ns +
           stage_throw(deciding->stage, deciding->peer, rule->stream) % (span + 1);
}

static void add_delay(struct deciding *deciding, const struct stage_rule *rule,
                      const struct script_action *action)
{
    struct stage_fate *fate = &deciding->decision->fate;
    const uint64_t wait_ns = draw(deciding, rule, action);
    if (action->in_order)
        fate->in_order_ns += wait_ns;
    else
        fate->late_ns += wait_ns;
}

/* What a variable stands for is taken now: the rule may match again before the frame goes out. */
static void add_damage(struct stage_fate *fate, const struct stage_rule *rule,
                       const struct script_action *action)
{
    if (fate->damage_count == STAGE_MAX_DAMAGE) {
        leave_out(rule);
        return;
    }
    struct stage_damage *damage = &fate->damage[fate->damage_count++];
    *damage = (struct stage_damage){.action = action};
    if (action->kind == SCRIPT_ACTION_SET)
        damage->value =
            script_number_of(&action->frame.fields.items[0].value, &rule->names.variables, 0);
}

static void add_transport(struct deciding *deciding, const struct stage_rule *rule,
                          const struct script_action *action)
{
    struct stage_decision *decision = deciding->decision;
    if (action->kind == SCRIPT_ACTION_CHOP)
        decision->fate.chop = action;
    else if (action->kind == SCRIPT_ACTION_DELAY)
        add_delay(deciding, rule, action);
    else if (action->kind == SCRIPT_ACTION_CLOSE && action->has_number)
        decision->fate.close = action;
    else if (action->kind == SCRIPT_ACTION_CLOSE)
        decision->close = action;
    else
        put_off(deciding, rule, action);
}

/* What a live rule adds, whoever decides. */
static void add_extra(struct deciding *deciding, const struct stage_rule *rule,
                      const struct script_action *action)
{
    struct stage_fate *fate = &deciding->decision->fate;
    const enum script_action_group group = script_action_rows[action->kind].group;
    if (group == SCRIPT_DAMAGE) {
        add_damage(fate, rule, action);
    } else if (group == SCRIPT_TRANSPORT) {
        add_transport(deciding, rule, action);
    } else if (action->kind == SCRIPT_ACTION_AWAIT) {
        fate->await = action->word;
    } else {
        put_off(deciding, rule, action);
    }
    fate->rule = rule->rule;
    fate->set = true;
}

static void add_effect(struct deciding *deciding, const struct stage_rule *rule,
                       const struct script_action *action)
{
    struct stage_fate *fate = &deciding->decision->fate;
    if (action->kind == SCRIPT_ACTION_DROP_REPLY)
        fate->drops = true;
    else if (action->kind == SCRIPT_ACTION_HOLD)
        fate->holds = true;
    else if (action->kind == SCRIPT_ACTION_DUP_REPLY)
        fate->extra_copies++;
    else if (action->kind == SCRIPT_ACTION_LATE_REPLY)
        fate->late_ns += draw(deciding, rule, action);
    else if (action->kind == SCRIPT_ACTION_REORDER)
        fate->reorder = action;
}

bool stage_is_interim(enum script_action_kind kind)
{
    return kind == SCRIPT_ACTION_BACKPRESSURE || kind == SCRIPT_ACTION_KEEPALIVE;
}

/* What the deciding rule says about effect and answer. */
struct say {
    bool interim;
    bool final;
    bool acks;
    bool effect;
    bool applies;
    bool refuses;
};

/* Whether the effect is on an answer that must then be there. */
static bool is_on_normal_answer(enum script_action_kind kind)
{
    return kind != SCRIPT_ACTION_APPLY && kind != SCRIPT_ACTION_NO_APPLY &&
           kind != SCRIPT_ACTION_RELEASE;
}

static struct say hear(const struct script_rule *rule)
{
    struct say say = {false, false, false, false, false, false};
    for (size_t i = 0; i < rule->actions.count; i++) {
        const enum script_action_kind kind = rule->actions.items[i].kind;
        const enum script_action_group group = script_action_rows[kind].group;
        say.acks |= kind == SCRIPT_ACTION_ACK;
        say.applies |= kind == SCRIPT_ACTION_APPLY;
        say.refuses |= kind == SCRIPT_ACTION_NO_APPLY;
        say.interim |= stage_is_interim(kind);
        say.final |= group == SCRIPT_ANSWER && !stage_is_interim(kind);
        say.effect |= group == SCRIPT_EFFECT && is_on_normal_answer(kind);
    }
    return say;
}

/* An answer takes the place of the normal one, and what it answers is not done. But an ack says that
 * it is done, and so do effects on the normal answer; apply and no-apply have the last word. */
static bool is_done(const struct say *say)
{
    const bool usual = say->final ? say->acks : !say->interim || say->effect;
    return (usual || say->applies) && !say->refuses;
}

static void settle_answer(struct deciding *deciding)
{
    struct stage_decision *decision = deciding->decision;
    const struct stage_rule *best = deciding->best;
    const struct say say = hear(best->rule);
    const bool answers = say.interim || say.final;
    decision->handles = is_done(&say);
    decision->replies = decision->handles && !say.final;
    decision->answering = answers ? best->rule : NULL;
    for (size_t i = 0; i < best->rule->actions.count; i++)
        add_effect(deciding, best, &best->rule->actions.items[i]);
    decision->fate.rule = best->rule;
    decision->fate.set = true;
    /* A close at once: before anything is done, unless the rule says that it is, or has an answer. */
    if (decision->close && !answers)
        decision->replies = false;
}

static void settle(struct deciding *deciding)
{
    struct stage_decision *decision = deciding->decision;
    if (deciding->best)
        settle_answer(deciding);
    else if (decision->close)
        decision->handles = decision->replies = false;
}

static void fire(struct deciding *deciding, struct stage_rule *rule)
{
    struct stage_decision *decision = deciding->decision;
    stage_fired(deciding->stage, rule, deciding->now_ns);
    if (decision->fired_count < STAGE_MAX_ACTIONS)
        decision->fired[decision->fired_count++] = rule->rule;
}

static void consider(struct deciding *deciding, struct stage_rule *rule)
{
    bool decides = false;
    bool adds = false;
    const uint64_t turn = rule->fired;
    for (size_t i = 0; i < rule->rule->actions.count; i++) {
        const struct script_action *action = &rule->rule->actions.items[i];
        decides = decides || is_decisive(action);
        adds = adds || !is_decisive(action);
        if (!is_decisive(action))
            add_extra(deciding, rule, action);
    }
    if (adds)
        fire(deciding, rule);
    if (!decides || (deciding->best && deciding->best->rule->scope <= rule->rule->scope))
        return;
    deciding->best = rule;
    deciding->best_has_fired = adds;
    deciding->decision->turn = turn;
}

/* The first rule that fires finds the decision as if there were none. */
static void begin(struct stage_decision *decision)
{
    decision->handles = true;
    decision->replies = true;
    decision->answering = NULL;
    decision->turn = 0;
    decision->close = NULL;
    decision->action_count = 0;
    decision->fired_count = 0;
    stage_fate_init(&decision->fate);
}

static bool decide(struct lwp_stage *stage, struct stage_peer *peer,
                   const struct stage_sight *sight, struct stage_decision *decision)
{
    struct deciding deciding = {stage, peer, decision, NULL, false, sight->now_ns};
    bool any = false;
    stage->sights++;
    for (struct stage_play *play = stage->plays; play; play = play->next)
        for (size_t i = 0; i < play->rule_count; i++) {
            struct stage_rule *rule = &play->rules[i];
            if (!stage_passes(&play->sieves[i], sight) ||
                !stage_matches(&rule->rule->match, sight, &rule->names) ||
                !stage_is_live(stage, rule, peer, sight->now_ns))
                continue;
            if (!any)
                begin(decision);
            any = true;
            consider(&deciding, rule);
        }
    if (any)
        settle(&deciding);
    if (deciding.best && !deciding.best_has_fired)
        fire(&deciding, deciding.best);
    stage_watch_all(stage, sight);
    return any;
}

static struct stage_sight sight_of(const struct stage_peer *peer, const struct lwp_frame *frame,
                                   uint64_t now_ns)
{
    return (struct stage_sight){
        .peer = peer,
        .happening = SCRIPT_ON_FRAME,
        .frame = frame,
        .kind = lwp_frame_kind(frame, peer->dialect),
        .command = lwp_frame_command(frame, peer->dialect),
        .now_ns = now_ns,
    };
}

bool stage_frame_in(struct lwp_stage *stage, struct stage_peer *peer, const struct lwp_frame *frame,
                    uint64_t now_ns, struct stage_decision *decision)
{
    struct stage_sight sight = sight_of(peer, frame, now_ns);
    sight.direction = SCRIPT_IN;
    return decide(stage, peer, &sight, decision);
}

bool stage_frame_out(struct lwp_stage *stage, struct stage_peer *peer,
                     const struct lwp_frame *frame, uint64_t now_ns,
                     struct stage_decision *decision)
{
    struct stage_sight sight = sight_of(peer, frame, now_ns);
    sight.direction = SCRIPT_OUT;
    return decide(stage, peer, &sight, decision);
}

void stage_begin(struct lwp_stage *stage, uint64_t now_ns)
{
    if (!stage->begun)
        stage->begin_ns = now_ns;
    stage->begun = true;
}

bool stage_connected(struct lwp_stage *stage, struct stage_peer *peer, uint64_t now_ns,
                     struct stage_decision *decision)
{
    const struct stage_sight sight = {
        .peer = peer, .happening = SCRIPT_ON_CONNECT, .now_ns = now_ns};
    stage_begin(stage, now_ns);
    return decide(stage, peer, &sight, decision);
}

void stage_closed(struct lwp_stage *stage, struct stage_peer *peer, enum script_direction by,
                  enum lwp_close how, uint64_t now_ns)
{
    const struct stage_sight sight = {
        .peer = peer, .happening = SCRIPT_ON_CLOSE, .direction = by, .how = how, .now_ns = now_ns};
    stage->sights++;
    stage_watch_all(stage, &sight);
}

static bool is_of(const struct script_rule *rule, const struct script_action *action)
{
    return action >= rule->actions.items && action < rule->actions.items + rule->actions.count;
}

struct lwp_bytes stage_rule_id(const struct lwp_stage *stage, const struct script_action *action)
{
    for (const struct stage_play *play = stage->plays; play; play = play->next)
        for (size_t i = 0; i < play->rule_count; i++)
            if (is_of(play->rules[i].rule, action))
                return play->rules[i].rule->id;
    return (struct lwp_bytes){NULL, 0};
}
