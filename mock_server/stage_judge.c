/* SPDX-License-Identifier: MIT */
/* What must have been seen: expect, never, rate, and that every rule was used. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "mock_server/stage_state.h"

enum { MAX_TIMES = 1048576 };

/* The time from which `within` counts; false while it has not come. */
static bool anchor_of(const struct lwp_stage *stage, const struct stage_play *play,
                      const struct script_expectation *expectation, uint64_t *anchor_ns)
{
    if (expectation->after.size) {
        const struct stage_rule *rule = stage_rule_named(play, expectation->after);
        *anchor_ns = rule ? rule->first_fired_ns : 0;
        return rule && rule->fired;
    }
    const bool is_rate = expectation->kind == SCRIPT_RATE;
    *anchor_ns = is_rate ? stage->anchor_ns : stage->begin_ns;
    return is_rate ? stage->has_anchor : stage->begun;
}

/* Whether the rule has fired before. What it fires on does not count itself. */
static bool is_behind(const struct lwp_stage *stage, const struct stage_play *play,
                      struct lwp_bytes name)
{
    const struct stage_rule *rule = stage_rule_named(play, name);
    return rule && stage_fired_before(stage, rule);
}

static void keep_time(struct stage_watch *watch, uint64_t now_ns)
{
    if (watch->time_count == watch->time_capacity) {
        const size_t capacity = watch->time_capacity ? 2 * watch->time_capacity : 64;
        uint64_t *grown =
            capacity > MAX_TIMES ? NULL : realloc(watch->times_ns, capacity * sizeof(*grown));
        if (!grown) {
            watch->lost_times = true;
            return;
        }
        watch->times_ns = grown;
        watch->time_capacity = capacity;
    }
    watch->times_ns[watch->time_count++] = now_ns;
}

static void see(const struct lwp_stage *stage, const struct stage_play *play,
                struct stage_watch *watch, uint64_t now_ns)
{
    const struct script_expectation *expectation = watch->expectation;
    uint64_t anchor_ns = 0;
    if (expectation->kind == SCRIPT_RATE) {
        keep_time(watch, now_ns);
        return;
    }
    (void)anchor_of(stage, play, expectation, &anchor_ns);
    if (expectation->after.size && !is_behind(stage, play, expectation->after))
        return;
    if (expectation->has_range && (now_ns < lwp_clock_later(anchor_ns, expectation->least_ns) ||
                                   now_ns > lwp_clock_later(anchor_ns, expectation->most_ns)))
        return;
    if (watch->count++ == 0)
        watch->first_ns = now_ns;
}

void stage_watch_all(struct lwp_stage *stage, const struct stage_sight *sight)
{
    const bool is_anchor = sight->happening == SCRIPT_ON_FRAME && sight->direction == SCRIPT_OUT &&
                           sight->kind == LWP_KIND_BACKPRESSURE;
    if (is_anchor && !stage->has_anchor) {
        stage->has_anchor = true;
        stage->anchor_ns = sight->now_ns;
    }
    for (struct stage_play *play = stage->plays; play; play = play->next)
        for (size_t i = 0; i < play->watch_count; i++)
            if (stage_passes(&play->sieves[play->rule_count + i], sight) &&
                stage_matches(&play->watches[i].expectation->match, sight, &play->watches[i].names))
                see(stage, play, &play->watches[i], sight->now_ns);
}

static void complain(const struct stage_play *play, const struct script_place *place,
                     const char *text, struct lwp_writer *out)
{
    char line[512];
    (void)snprintf(line, sizeof(line), "%.200s:%u:%u: %s\n", play->name, place->line, place->column,
                   text);
    lwp_write(out, lwp_bytes_text(line));
}

static bool judge_count(const struct stage_play *play, const struct stage_watch *watch,
                        struct lwp_writer *out)
{
    const struct script_expectation *expectation = watch->expectation;
    char text[200];
    if (script_holds(expectation->relation, watch->count, expectation->number, expectation->upper))
        return true;
    if (expectation->relation == SCRIPT_WITHIN)
        (void)snprintf(text, sizeof(text),
                       "expected in [%" PRIu64 ",%" PRIu64 "] of these, saw %" PRIu64,
                       expectation->number, expectation->upper, watch->count);
    else
        (void)snprintf(text, sizeof(text), "expected %s %" PRIu64 " of these, saw %" PRIu64,
                       script_relation_signs[expectation->relation], expectation->number,
                       watch->count);
    complain(play, &expectation->place, text, out);
    return false;
}

/* How many of the times lie in (begin, end]. */
static uint64_t count_between(const struct stage_watch *watch, uint64_t begin_ns, uint64_t end_ns)
{
    uint64_t count = 0;
    for (size_t i = 0; i < watch->time_count; i++)
        count += watch->times_ns[i] > begin_ns && watch->times_ns[i] <= end_ns;
    return count;
}

static bool judge_rate(const struct lwp_stage *stage, const struct stage_play *play,
                       const struct stage_watch *watch, struct lwp_writer *out)
{
    const struct script_expectation *expectation = watch->expectation;
    const uint64_t window_ns = expectation->window_ns;
    uint64_t anchor_ns = 0;
    char text[200];
    if (!anchor_of(stage, play, expectation, &anchor_ns)) {
        complain(play, &expectation->place, "there was nothing to compare the rate before with",
                 out);
        return false;
    }
    if (watch->lost_times) {
        complain(play, &expectation->place, "there were too many to tell the rate", out);
        return false;
    }
    const uint64_t from_ns = anchor_ns > window_ns ? anchor_ns - window_ns : 0;
    const uint64_t before = count_between(watch, from_ns, anchor_ns);
    const uint64_t behind = count_between(watch, anchor_ns, lwp_clock_later(anchor_ns, window_ns));
    if (before &&
        script_holds(expectation->relation, 100 * behind, expectation->number * before, 0))
        return true;
    (void)snprintf(
        text, sizeof(text),
        "expected a rate %s %" PRIu64 "%%, saw %" PRIu64 " before and %" PRIu64 " behind",
        script_relation_signs[expectation->relation], expectation->number, before, behind);
    complain(play, &expectation->place, text, out);
    return false;
}

static bool judge_watch(const struct lwp_stage *stage, const struct stage_play *play,
                        const struct stage_watch *watch, struct lwp_writer *out)
{
    const struct script_expectation *expectation = watch->expectation;
    char text[200];
    switch (expectation->kind) {
    case SCRIPT_EXPECT_COUNT:
        return (expectation->optional && watch->count == 0) || judge_count(play, watch, out);
    case SCRIPT_NEVER:
        if (watch->count == 0)
            return true;
        (void)snprintf(text, sizeof(text), "expected none of these, saw %" PRIu64, watch->count);
        complain(play, &expectation->place, text, out);
        return false;
    case SCRIPT_RATE:
        return (expectation->optional && watch->time_count == 0) ||
               judge_rate(stage, play, watch, out);
    }
    return false;
}

bool stage_judge(const struct lwp_stage *stage, const struct stage_play *play,
                 struct lwp_writer *out)
{
    bool sound = play->failures.count == 0;
    char text[512];
    for (size_t i = 0; i < play->failures.count; i++) {
        (void)snprintf(text, sizeof(text), "%.200s: fail: %.250s\n", play->name,
                       (const char *)play->failures.items[i].data);
        lwp_write(out, lwp_bytes_text(text));
    }
    for (size_t i = 0; i < play->rule_count; i++) {
        const struct stage_rule *rule = &play->rules[i];
        if (rule->fired || rule->rule->optional)
            continue;
        (void)snprintf(text, sizeof(text),
                       "the rule %.200s never fired (it matched %" PRIu64 " times)",
                       (const char *)rule->rule->id.data, rule->matched);
        complain(play, &rule->rule->place, text, out);
        sound = false;
    }
    for (size_t i = 0; i < play->watch_count; i++)
        sound = judge_watch(stage, play, &play->watches[i], out) && sound;
    return sound;
}
