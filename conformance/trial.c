/* SPDX-License-Identifier: MIT */
#include "conformance/trial.h"

#include <stdio.h>

#include "conformance/features.h"

enum {
    /* So that no two attempts of a run make topics of the same name. */
    ORDINALS = 10000
};

bool trial_passed(enum verdict verdict)
{
    return verdict == VERDICT_PASS || verdict == VERDICT_LENIENT;
}

void trial_keep(struct script_arena *arena, struct result *to, const struct result *from)
{
    struct transcript kept = {.size = from->transcript.size};
    script_arena_done(arena);
    for (size_t i = 0; i < from->transcript.events.count; i++) {
        struct event *event = SCRIPT_ADD(arena, &kept.events);
        if (!event)
            break;
        *event = from->transcript.events.items[i];
        event->bytes = script_arena_copy(arena, event->bytes);
    }
    *to = *from;
    to->transcript = kept;
    if (from->field)
        to->field = (const char *)script_arena_copy(arena, lwp_bytes_text(from->field)).data;
}

bool trial_differs(struct script_arena *arena, struct result *into, const struct result *other,
                   enum verdict as, const char *const how[2])
{
    char reason[RESULT_TEXT_SIZE];
    if (into->verdict == other->verdict)
        return false;
    (void)snprintf(reason, sizeof(reason), "%s: %s%s%.160s; %s: %s%s%.160s", how[0],
                   verdict_word(into->verdict), into->reason[0] ? ", " : "", into->reason, how[1],
                   verdict_word(other->verdict), other->reason[0] ? ", " : "", other->reason);
    if (trial_passed(into->verdict))
        trial_keep(arena, into, other);
    (void)snprintf(into->reason, sizeof(into->reason), "%s", reason);
    into->verdict = as;
    return true;
}

/* A server that hangs up as required may have died of it. */
static bool peer_ended(const struct result *result)
{
    for (size_t i = 0; i < result->transcript.events.count; i++) {
        const enum event_kind kind = result->transcript.events.items[i].kind;
        if (kind == EVENT_FIN || kind == EVENT_RESET)
            return true;
    }
    return false;
}

static enum lwp_status check_liveness(const struct trial *trial, struct result *result)
{
    const enum lwp_status status = run_sanity(&trial->target->run);
    char before[RESULT_TEXT_SIZE];
    if (status == LWP_OK)
        return status;
    result->verdict = VERDICT_CRASH;
    (void)snprintf(before, sizeof(before), "%s", result->reason);
    (void)snprintf(result->reason, sizeof(result->reason),
                   "afterwards the target did not answer: %s (%.300s)", lwp_status_text(status),
                   before);
    return status;
}

/* Runs the case once. */
static enum lwp_status run_once(struct trial *trial, struct script_arena *arena,
                                struct result *result)
{
    struct suite_target *target = trial->target;
    *result = (struct result){.of = trial->of, .verdict = VERDICT_ERROR, .offset = -1};
    if (target->prepare && !target->prepare(target, trial->of)) {
        (void)snprintf(result->reason, sizeof(result->reason),
                       "the target could not be made ready");
        return LWP_OK;
    }
    run_case(&target->run, trial->of, trial->ordinal + trial->attempt++ * ORDINALS, arena, result);
    if (!trial->checks_alive && trial_passed(result->verdict) && !peer_ended(result))
        return LWP_OK;
    return check_liveness(trial, result);
}

/* Runs the case under one way to cut, until its verdict can be trusted or is found not to stay. */
static enum lwp_status run_alike(struct trial *trial, unsigned reruns, struct script_arena *arena,
                                 struct result *result)
{
    static const char *const how[2] = {"first", "again"};
    enum lwp_status status = run_once(trial, arena, result);
    uint64_t duration_ns = result->duration_ns;
    const unsigned again = trial_passed(result->verdict) ? 0 : reruns;
    const unsigned most = trial->repeat < 1 + again ? 1 + again : trial->repeat;
    bool ended = result->verdict == VERDICT_CRASH;
    for (unsigned done = 1; done < most && !ended; done++) {
        struct script_arena own = {NULL, 0, false};
        struct result next;
        status = run_once(trial, &own, &next);
        duration_ns += next.duration_ns;
        ended = next.verdict == VERDICT_CRASH;
        if (ended)
            trial_keep(arena, result, &next);
        else
            ended = trial_differs(arena, result, &next, VERDICT_FLAKY, how);
        script_arena_done(&own);
    }
    result->duration_ns = duration_ns;
    return status;
}

static bool is_final(enum verdict verdict)
{
    return verdict == VERDICT_CRASH || verdict == VERDICT_FLAKY || verdict == VERDICT_AXIS;
}

enum lwp_status trial_run(struct trial *trial, struct script_arena *arena, struct result *result)
{
    static const struct chop_list whole = {.items = {{.name = "none"}}, .count = 1};
    const struct chop_list *chops = feature_needed(trial->of, "one-write") ? &whole : trial->chops;
    enum lwp_status status = LWP_OK;
    uint64_t duration_ns = 0;
    *result = (struct result){.of = NULL};
    for (size_t i = 0; i < chops->count && (i == 0 || !is_final(result->verdict)); i++) {
        const char *const how[2] = {chops->items[0].name, chops->items[i].name};
        /* What fails as it failed under the first one needs no more runs. */
        const unsigned reruns = i == 0 || trial_passed(result->verdict) ? trial->reruns : 0;
        struct script_arena own = {NULL, 0, false};
        struct result next;
        trial->target->run.chop = &chops->items[i];
        status = run_alike(trial, reruns, &own, &next);
        duration_ns += next.duration_ns;
        if (i == 0 || is_final(next.verdict))
            trial_keep(arena, result, &next);
        else
            (void)trial_differs(arena, result, &next, VERDICT_AXIS, how);
        script_arena_done(&own);
    }
    result->duration_ns = duration_ns;
    return status;
}
