/* SPDX-License-Identifier: MIT */
/* What a rule is about, and when it is live. */
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "lwp/wire/dice.h"
#include "mock_server/stage_state.h"

struct stage_rule *stage_rule_named(const struct stage_play *play, struct lwp_bytes name)
{
    for (size_t i = 0; i < play->rule_count; i++)
        if (lwp_bytes_equal(play->rules[i].rule->id, name))
            return &play->rules[i];
    return NULL;
}

static uint32_t bit_of(enum script_direction direction, enum lwp_kind kind)
{
    enum { KIND_COUNT = LWP_KIND_CONTROL + 1 };
    return UINT32_C(1) << (direction == SCRIPT_OUT ? KIND_COUNT + kind : (unsigned)kind);
}

/* Behind those of the frames. */
static uint32_t bit_of_connection(enum script_happening happening)
{
    return UINT32_C(1) << 31 >> happening;
}

static uint32_t sights_of(const struct script_match *match)
{
    const enum lwp_kind wanted = match->pattern.frame.kind;
    uint32_t sights = 0;
    if (match->happening != SCRIPT_ON_FRAME)
        return bit_of_connection(match->happening);
    for (enum lwp_kind kind = LWP_KIND_UNKNOWN; kind <= LWP_KIND_CONTROL; kind++) {
        if (wanted != LWP_KIND_UNKNOWN && wanted != kind)
            continue;
        sights |= match->direction & SCRIPT_IN ? bit_of(SCRIPT_IN, kind) : 0;
        sights |= match->direction & SCRIPT_OUT ? bit_of(SCRIPT_OUT, kind) : 0;
    }
    return sights;
}

struct stage_sieve stage_sieve_of(const struct script_match *match)
{
    const struct script_frame *wanted = &match->pattern.frame;
    struct stage_sieve sieve = {.sights = sights_of(match)};
    for (size_t i = 0; i < wanted->fields.count && !sieve.has_condition; i++)
        sieve.has_condition = script_condition_of(&wanted->fields.items[i], &sieve.condition);
    return sieve;
}

bool stage_passes(const struct stage_sieve *sieve, const struct stage_sight *sight)
{
    if (sight->happening != SCRIPT_ON_FRAME)
        return sieve->sights & bit_of_connection(sight->happening);
    return sieve->sights & bit_of(sight->direction, sight->kind) &&
           (!sieve->has_condition ||
            script_condition_holds(&sieve->condition, &sight->frame->header));
}

static bool names_peer(const struct script_match *match, const struct stage_peer *peer)
{
    if (match->connection && match->connection != peer->number)
        return false;
    if (match->label.size && !lwp_bytes_equal(match->label, peer->label))
        return false;
    return match->node.size == 0 || lwp_bytes_equal(match->node, peer->node);
}

bool stage_concerns(const struct script_rule *rule, const struct stage_peer *peer)
{
    return names_peer(&rule->match, peer);
}

/* Each frame binds anew. What was bound before is given back before that becomes much. */
static void forget_names(struct stage_names *names)
{
    enum { MUCH = 32768 };
    if (names->memory.used > MUCH)
        script_arena_done(&names->memory);
    names->variables.arena = &names->memory;
    names->variables.list.items = NULL;
    names->variables.list.count = 0;
}

static bool is_close(const struct script_match *match, const struct stage_sight *sight)
{
    if (match->pattern.kind == SCRIPT_CLOSE_FIN)
        return sight->how != LWP_CLOSE_RST;
    return match->pattern.kind != SCRIPT_CLOSE_RST || sight->how == LWP_CLOSE_RST;
}

bool stage_matches(const struct script_match *match, const struct stage_sight *sight,
                   struct stage_names *names)
{
    if (match->happening != sight->happening || !names_peer(match, sight->peer))
        return false;
    if (sight->happening == SCRIPT_ON_CONNECT)
        return true;
    if (!(match->direction & sight->direction))
        return false;
    if (sight->happening == SCRIPT_ON_CLOSE)
        return is_close(match, sight);
    const struct script_seen seen = {sight->frame, sight->kind, sight->command,
                                     sight->peer->dialect};
    if (!script_may_match(&match->pattern, &seen))
        return false;
    forget_names(names);
    return script_match_seen(&match->pattern, &seen, &names->variables);
}

/* The dice are counted for each connection apart, so that what one does changes nothing for another. */
uint64_t stage_throw(const struct lwp_stage *stage, struct stage_peer *peer, size_t stream)
{
    if (stream >= peer->dice_count) {
        uint64_t *grown = realloc(peer->drawn, stage->stream_count * sizeof(*grown));
        if (!grown)
            return 0;
        memset(grown + peer->dice_count, 0,
               (stage->stream_count - peer->dice_count) * sizeof(*grown));
        peer->drawn = grown;
        peer->dice_count = stage->stream_count;
    }
    const struct stage_stream *dice = &stage->streams[stream];
    /* Over seed, connection, stream and turn. */
    const uint64_t turn = dice->play->seed + LWP_DICE_STEP * ++peer->drawn[stream];
    return lwp_dice_mix(turn ^ peer->number * UINT64_C(0xd1342543de82ef95) ^
                        dice->key * UINT64_C(0xaf251af3b0f025b5));
}

static bool in_state(const struct stage_rule *rule)
{
    return rule->rule->state.size == 0 || lwp_bytes_equal(rule->rule->state, rule->play->state);
}

bool stage_fired_before(const struct lwp_stage *stage, const struct stage_rule *rule)
{
    return rule->fired && rule->first_sight < stage->sights;
}

static bool is_after(const struct lwp_stage *stage, const struct stage_rule *rule)
{
    const struct lwp_bytes name = rule->rule->trigger.after;
    const struct stage_rule *before = name.size ? stage_rule_named(rule->play, name) : NULL;
    return name.size == 0 || (before && stage_fired_before(stage, before));
}

/* Whether the match of this number, from 1, is one that counts. All triggers count alike. */
static bool is_its_turn(const struct script_trigger *trigger, uint64_t number)
{
    if (number <= trigger->skip)
        return false;
    if (trigger->nth)
        return trigger->times ? number >= trigger->nth : number == trigger->nth;
    return trigger->every == 0 || number % trigger->every == 0;
}

/* backpressure N or a time: goes on without looking at the trigger. */
static bool is_in_span(struct stage_rule *rule, uint64_t now_ns)
{
    if (now_ns < rule->span_until_ns)
        return true;
    if (rule->span_left == 0)
        return false;
    rule->span_left--;
    return true;
}

bool stage_is_live(struct lwp_stage *stage, struct stage_rule *rule, struct stage_peer *peer,
                   uint64_t now_ns)
{
    const struct script_trigger *trigger = &rule->rule->trigger;
    if (!rule->armed || !in_state(rule) || !is_after(stage, rule))
        return false;
    rule->matched++;
    rule->in_span = is_in_span(rule, now_ns);
    if (rule->in_span)
        return true;
    if (!is_its_turn(trigger, rule->matched) || (trigger->times && rule->fired >= trigger->times))
        return false;
    return !trigger->has_chance ||
           (uint32_t)(stage_throw(stage, peer, rule->stream) >> 32) < trigger->chance;
}

static void begin_span(struct stage_rule *rule, uint64_t now_ns)
{
    for (size_t i = 0; i < rule->rule->actions.count; i++) {
        const struct script_action *action = &rule->rule->actions.items[i];
        if (action->kind != SCRIPT_ACTION_BACKPRESSURE)
            continue;
        if (action->has_number && action->number)
            rule->span_left = action->number - 1;
        if (action->has_duration)
            rule->span_until_ns = lwp_clock_later(now_ns, action->least_ns);
    }
}

void stage_fired(struct lwp_stage *stage, struct stage_rule *rule, uint64_t now_ns)
{
    if (rule->in_span)
        return; /* It goes on with what it once began. */
    if (rule->fired++ == 0) {
        stage->progress++;
        rule->first_fired_ns = now_ns;
        rule->first_sight = stage->sights;
    }
    begin_span(rule, now_ns);
}
