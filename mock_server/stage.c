/* SPDX-License-Identifier: MIT */
#include "mock_server/stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lwp/session/session.h"
#include "mock_server/script/file.h"
#include "mock_server/stage_state.h"

enum { MAX_PLAYS = 64 };

enum lwp_status stage_new(uint64_t seed, struct lwp_stage **stage)
{
    struct lwp_stage *made = calloc(1, sizeof(*made));
    if (!made)
        return LWP_NO_MEMORY;
    made->seed = seed;
    *stage = made;
    return LWP_OK;
}

static void play_free(struct stage_play *play)
{
    for (size_t i = 0; i < play->watch_count; i++) {
        script_arena_done(&play->watches[i].names.memory);
        free(play->watches[i].times_ns);
    }
    for (size_t i = 0; i < play->rule_count; i++)
        script_arena_done(&play->rules[i].names.memory);
    free(play->watches);
    free(play->rules);
    free(play->sieves);
    script_arena_done(&play->memory);
    script_done(&play->script);
    free(play->name);
    free(play);
}

void stage_reset(struct lwp_stage *stage)
{
    while (stage->plays) {
        struct stage_play *next = stage->plays->next;
        play_free(stage->plays);
        stage->plays = next;
    }
    free(stage->streams);
    /* Whoever compares progress must not take the new scripts' for the old. */
    *stage = (struct lwp_stage){.seed = stage->seed, .progress = stage->progress + 1};
}

void stage_free(struct lwp_stage *stage)
{
    if (!stage)
        return;
    stage_reset(stage);
    free(stage);
}

bool stage_is_set(const struct lwp_stage *stage)
{
    return stage && stage->plays;
}

/* Loading. */

static void write_problems(const struct script *script, struct lwp_writer *out)
{
    for (size_t i = 0; i < script->errors.count; i++) {
        const struct script_error *error = &script->errors.items[i];
        script_write_problem(out, &error->place, (const char *)error->found.data, error->expected);
    }
}

/* The scenario that is meant; NULL, with the problem written, if none or several could be. */
static const struct script_scenario *choose(const struct stage_play *play, const char *wanted,
                                            struct lwp_writer *problems)
{
    const struct script_place place = {play->name, 1, 1};
    const size_t count = play->script.scenarios.count;
    for (size_t i = 0; i < count; i++) {
        const struct script_scenario *scenario = &play->script.scenarios.items[i];
        if (wanted ? lwp_bytes_equal(scenario->id, lwp_bytes_text(wanted)) : count == 1)
            return scenario;
    }
    if (wanted)
        script_write_problem(problems, &place, "no scenario of that name", wanted);
    else
        script_write_problem(problems, &place, count ? "several scenarios" : "no scenario",
                             count ? "the name of one of them" : "rules");
    return NULL;
}

/* The stream of a rule's dice: its own, or that of all rules which name it alike. */
static size_t stream_of(struct lwp_stage *stage, const struct stage_rule *rule, uint64_t number)
{
    const struct lwp_bytes name = rule->rule->trigger.stream;
    for (size_t i = 0; name.size && i < stage->stream_count; i++)
        if (stage->streams[i].play == rule->play && lwp_bytes_equal(stage->streams[i].name, name))
            return i;
    uint64_t key = number;
    for (size_t i = 0; i < name.size; i++)
        key = (key ^ name.data[i]) * UINT64_C(0x100000001b3);
    stage->streams[stage->stream_count] = (struct stage_stream){
        .key = name.size ? key ^ UINT64_C(1) << 63 : key, .name = name, .play = rule->play};
    return stage->stream_count++;
}

static enum lwp_status make_rules(struct lwp_stage *stage, struct stage_play *play)
{
    const struct script_play *read = &play->scenario->play;
    const size_t streams = stage->stream_count + read->rules.count;
    struct stage_stream *grown = realloc(stage->streams, (streams + 1) * sizeof(*grown));
    if (!grown)
        return LWP_NO_MEMORY;
    stage->streams = grown;
    play->rules = calloc(read->rules.count + 1, sizeof(*play->rules));
    play->watches = calloc(read->expectations.count + 1, sizeof(*play->watches));
    play->sieves = calloc(read->rules.count + read->expectations.count + 1, sizeof(*play->sieves));
    if (!play->rules || !play->watches || !play->sieves)
        return LWP_NO_MEMORY;
    for (; play->rule_count < read->rules.count; play->rule_count++) {
        struct stage_rule *rule = &play->rules[play->rule_count];
        *rule = (struct stage_rule){
            .rule = &read->rules.items[play->rule_count], .play = play, .armed = true};
        rule->stream = stream_of(stage, rule, play->rule_count);
        play->is_timed = play->is_timed || rule->rule->is_timed;
        if (!rule->rule->is_timed)
            play->sieves[play->rule_count] = stage_sieve_of(&rule->rule->match);
    }
    for (; play->watch_count < read->expectations.count; play->watch_count++) {
        const struct script_expectation *expectation = &read->expectations.items[play->watch_count];
        play->watches[play->watch_count].expectation = expectation;
        play->sieves[play->rule_count + play->watch_count] = stage_sieve_of(&expectation->match);
    }
    return LWP_OK;
}

static void append(struct lwp_stage *stage, struct stage_play *play)
{
    struct stage_play **place = &stage->plays;
    while (*place)
        place = &(*place)->next;
    *place = play;
    stage->play_count++;
}

static enum lwp_status read_play(struct stage_play *play, const struct stage_load *load,
                                 struct lwp_writer *problems)
{
    const struct script_place start = {play->name, 1, 1};
    enum lwp_status status = script_read(&play->script, play->name, load->text);
    if (status == LWP_OK && load->dialect)
        status = script_check_dialect(&play->script, load->dialect);
    write_problems(&play->script, problems);
    if (status == LWP_OK && play->script.cases.count)
        script_write_problem(problems, &start, "cases", "scenarios or rules only");
    if (status == LWP_OK && play->script.cases.count)
        return LWP_INVALID_PAYLOAD;
    if (status != LWP_OK)
        return status;
    play->scenario = choose(play, load->scenario, problems);
    return play->scenario ? LWP_OK : LWP_INVALID_PAYLOAD;
}

enum lwp_status stage_load(struct lwp_stage *stage, const struct stage_load *load,
                           struct lwp_writer *problems, const struct script_scenario **scenario)
{
    if (stage->play_count >= MAX_PLAYS)
        return LWP_FULL;
    struct stage_play *play = calloc(1, sizeof(*play));
    if (!play)
        return LWP_NO_MEMORY;
    play->name = strdup(load->name);
    enum lwp_status status = play->name ? read_play(play, load, problems) : LWP_NO_MEMORY;
    if (status == LWP_OK)
        status = make_rules(stage, play);
    if (status != LWP_OK) {
        play_free(play);
        return status;
    }
    if (play->scenario->play.states.count)
        play->state = play->scenario->play.states.items[0];
    play->seed = play->scenario->has_seed ? play->scenario->seed : stage->seed;
    append(stage, play);
    *scenario = play->scenario;
    return LWP_OK;
}

void stage_unload_last(struct lwp_stage *stage)
{
    struct stage_play **place = &stage->plays;
    while (*place && (*place)->next)
        place = &(*place)->next;
    struct stage_play *last = *place;
    if (!last)
        return;
    while (stage->stream_count && stage->streams[stage->stream_count - 1].play == last)
        stage->stream_count--;
    *place = NULL;
    stage->play_count--;
    play_free(last);
}

/* Arming. */

enum lwp_status stage_arm(struct lwp_stage *stage, struct lwp_bytes name, bool armed)
{
    bool found = false;
    for (struct stage_play *play = stage->plays; play; play = play->next) {
        const bool whole = lwp_bytes_equal(play->scenario->id, name) ||
                           lwp_bytes_equal(lwp_bytes_text(play->name), name);
        for (size_t i = 0; i < play->rule_count; i++) {
            if (!whole && !lwp_bytes_equal(play->rules[i].rule->id, name))
                continue;
            play->rules[i].armed = armed;
            found = true;
        }
    }
    return found ? LWP_OK : LWP_INVALID_ARGUMENT;
}

void stage_list(const struct lwp_stage *stage, struct lwp_writer *out)
{
    for (const struct stage_play *play = stage->plays; play; play = play->next)
        for (size_t i = 0; i < play->rule_count; i++) {
            const struct stage_rule *rule = &play->rules[i];
            char line[512];
            (void)snprintf(line, sizeof(line),
                           "%.200s %.200s:%u %s matched %" PRIu64 " fired %" PRIu64 "\n",
                           (const char *)rule->rule->id.data, play->name, rule->rule->place.line,
                           rule->armed ? "armed" : "disarmed", rule->matched, rule->fired);
            lwp_write(out, lwp_bytes_text(line));
        }
}

/* Barriers, states, failures. */

static bool is_listed(const struct lwp_bytes *items, size_t count, struct lwp_bytes name)
{
    for (size_t i = 0; i < count; i++)
        if (lwp_bytes_equal(items[i], name))
            return true;
    return false;
}

bool stage_reached(const struct lwp_stage *stage, struct lwp_bytes name)
{
    for (const struct stage_play *play = stage->plays; play; play = play->next) {
        const struct stage_rule *rule = stage_rule_named(play, name);
        if ((rule && rule->fired) || is_listed(play->barriers.items, play->barriers.count, name))
            return true;
    }
    return false;
}

static bool names_barrier(const struct script_rule *rule, struct lwp_bytes name)
{
    for (size_t i = 0; i < rule->actions.count; i++) {
        const struct script_action *action = &rule->actions.items[i];
        if ((action->kind == SCRIPT_ACTION_BARRIER || action->kind == SCRIPT_ACTION_AWAIT) &&
            lwp_bytes_equal(action->word, name))
            return true;
    }
    return false;
}

bool stage_knows(const struct lwp_stage *stage, struct lwp_bytes name)
{
    for (const struct stage_play *play = stage->plays; play; play = play->next)
        for (size_t i = 0; i < play->rule_count; i++)
            if (lwp_bytes_equal(play->rules[i].rule->id, name) ||
                names_barrier(play->rules[i].rule, name))
                return true;
    return false;
}

uint64_t stage_progress(const struct lwp_stage *stage)
{
    return stage->progress;
}

static void reach(struct lwp_stage *stage, struct stage_play *play, struct lwp_bytes name)
{
    if (is_listed(play->barriers.items, play->barriers.count, name))
        return;
    stage->progress++;
    struct lwp_bytes *added = SCRIPT_ADD(&play->memory, &play->barriers);
    if (added)
        *added = script_arena_copy(&play->memory, name);
}

void stage_reach(struct lwp_stage *stage, struct lwp_bytes name)
{
    for (struct stage_play *play = stage->plays; play; play = play->next)
        reach(stage, play, name);
}

static struct stage_play *play_of(const struct lwp_stage *stage, const struct script_rule *rule)
{
    for (struct stage_play *play = stage->plays; play; play = play->next) {
        const struct script_rule *first = play->scenario->play.rules.items;
        if (first && rule >= first && rule < first + play->rule_count)
            return play;
    }
    return NULL;
}

struct script_variables *stage_variables(struct lwp_stage *stage, const struct script_rule *rule)
{
    struct stage_play *play = play_of(stage, rule);
    if (!play)
        return NULL;
    struct stage_names *names = &play->rules[rule - play->scenario->play.rules.items].names;
    names->variables.arena = &names->memory;
    return &names->variables;
}

struct lwp_bytes stage_scenario_id(const struct lwp_stage *stage, const struct script_rule *rule)
{
    const struct stage_play *play = rule ? play_of(stage, rule) : NULL;
    return play ? play->scenario->id : (struct lwp_bytes){NULL, 0};
}

/* A script that fails at every frame must not fill the memory: the first will do. */
void stage_fail(struct stage_play *play, struct lwp_bytes text)
{
    enum { MAX_FAILURES = 100 };
    if (play->failures.count >= MAX_FAILURES)
        return;
    struct lwp_bytes *added = SCRIPT_ADD(&play->memory, &play->failures);
    if (added)
        *added = text;
}

void stage_perform(struct lwp_stage *stage, const struct script_rule *rule,
                   const struct script_action *action)
{
    struct stage_play *play = play_of(stage, rule);
    if (!play)
        return;
    if (action->kind == SCRIPT_ACTION_GOTO)
        play->state = action->word;
    else if (action->kind == SCRIPT_ACTION_BARRIER)
        reach(stage, play, action->word);
    else if (action->kind == SCRIPT_ACTION_FAIL)
        stage_fail(play, action->bytes);
    else if (action->kind == SCRIPT_ACTION_PASS)
        play->passed = true;
}

bool stage_has_failed(const struct lwp_stage *stage)
{
    for (const struct stage_play *play = stage->plays; play; play = play->next) {
        if (play->failures.count)
            return true;
        for (size_t i = 0; i < play->watch_count; i++)
            if (play->watches[i].expectation->kind == SCRIPT_NEVER && play->watches[i].count)
                return true;
    }
    return false;
}

bool stage_has_passed(const struct lwp_stage *stage)
{
    for (const struct stage_play *play = stage->plays; play; play = play->next)
        if (play->passed)
            return true;
    return false;
}

bool stage_verdict(const struct lwp_stage *stage, struct lwp_writer *out)
{
    bool sound = true;
    for (const struct stage_play *play = stage->plays; play; play = play->next)
        sound = stage_judge(stage, play, out) && sound;
    return sound;
}
