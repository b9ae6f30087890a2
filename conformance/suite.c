/* SPDX-License-Identifier: MIT */
#include "conformance/suite.h"

#include <fnmatch.h>
#include <stdio.h>

#include "conformance/features.h"

/* A suite under way. */
struct walk {
    const struct suite *suite;
    struct suite_target *target;
    bool down; /* The target does not answer any more. */
    enum lwp_status down_status;
    size_t ran;
    size_t left; /* Cases that are still to be run. */
};

bool suite_wants(const struct suite *suite, const struct script_case *of)
{
    if (of->role != SCRIPT_SERVER)
        return false;
    for (size_t i = 0; i < suite->filter_count; i++)
        if (fnmatch(suite->filters[i], (const char *)of->id.data, 0) == 0)
            return true;
    return suite->filter_count == 0;
}

enum suite_exit suite_worse(enum suite_exit a, enum suite_exit b)
{
    static const enum suite_exit order[] = {SUITE_USAGE, SUITE_FAILED, SUITE_NOT_RUN, SUITE_STALE,
                                            SUITE_TOO_FEW};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return SUITE_AS_EXPECTED;
}

/* Whether the target has what the case needs; otherwise `reason` says what it lacks. */
static bool is_met(const struct walk *walk, const struct script_case *of, char *reason)
{
    return profile_allows(walk->target->profile, walk->target->features, of, reason);
}

/* Whether nothing speaks against running it. */
static bool will_run(const struct walk *walk, const struct script_case *of)
{
    const struct expectation *expectation = expectation_of(walk->suite->expectations, of->id);
    char reason[RESULT_TEXT_SIZE];
    return is_met(walk, of, reason) && !(expectation && expectation->kind == EXPECT_SKIP);
}

static bool has_topics(const struct suite_target *target)
{
    return target->features & feature_bit(feature_named(lwp_bytes_text("topics")));
}

static void say_down(const struct walk *walk, struct result *result)
{
    result->verdict = VERDICT_ERROR;
    (void)snprintf(result->reason, sizeof(result->reason), "the sanity exchange failed: %s%s",
                   lwp_status_text(walk->down_status),
                   walk->down_status == LWP_CLOSED && walk->ran == 0
                       ? " (does it speak this dialect's checksum? try another --dialect)"
                       : "");
}

/* After anything but a pass: is the target still there? */
static void check_liveness(struct walk *walk, struct result *result)
{
    const enum lwp_status status = run_sanity(&walk->target->run);
    if (status == LWP_OK)
        return;
    walk->down = true;
    walk->down_status = status;
    result->verdict = VERDICT_CRASH;
    char before[RESULT_TEXT_SIZE];
    (void)snprintf(before, sizeof(before), "%s", result->reason);
    (void)snprintf(result->reason, sizeof(result->reason),
                   "afterwards the target did not answer: %s (%.300s)", lwp_status_text(status),
                   before);
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

static bool is_pass(enum verdict verdict)
{
    return verdict == VERDICT_PASS || verdict == VERDICT_LENIENT;
}

static void run_one(struct walk *walk, const struct script_case *of, unsigned ordinal)
{
    struct script_arena arena = {NULL, 0, false};
    struct result result = {.of = of, .offset = -1};
    const struct expectation *expectation = expectation_of(walk->suite->expectations, of->id);
    if (!is_met(walk, of, result.reason)) {
        result.verdict = VERDICT_SKIP;
    } else if (expectation && expectation->kind == EXPECT_SKIP) {
        result.verdict = VERDICT_SKIP;
        (void)snprintf(result.reason, sizeof(result.reason), "%s",
                       (const char *)expectation->reason.data);
    } else if (walk->target->prepare && !walk->target->prepare(walk->target, of)) {
        result.verdict = VERDICT_ERROR;
        (void)snprintf(result.reason, sizeof(result.reason), "the target could not be made ready");
    } else if (walk->down) {
        say_down(walk, &result);
    } else {
        run_case(&walk->target->run, of, ordinal, &arena, &result);
        walk->ran++;
        walk->left--;
        /* The last sanity exchange belongs to the last case. */
        if (!is_pass(result.verdict) || peer_ended(&result) || walk->left == 0)
            check_liveness(walk, &result);
        expectation_apply(walk->suite->expectations, &result);
    }
    baseline_apply(walk->suite->baseline, &result);
    report_case(walk->suite->report, &result);
    script_arena_done(&result.wires);
    script_arena_done(&arena);
}

/* Cases with this verdict that did not have it in the baseline. */
static size_t count_new(const struct walk *walk, enum verdict verdict)
{
    return walk->suite->report->counts.of[verdict] - walk->suite->baseline->known[verdict];
}

static enum suite_exit exit_of(const struct walk *walk)
{
    enum suite_exit status = SUITE_AS_EXPECTED;
    if (count_new(walk, VERDICT_FAIL) + count_new(walk, VERDICT_TIMEOUT) +
        count_new(walk, VERDICT_CRASH))
        status = suite_worse(status, SUITE_FAILED);
    if (count_new(walk, VERDICT_ERROR))
        status = suite_worse(status, SUITE_NOT_RUN);
    if (count_new(walk, VERDICT_XPASS))
        status = suite_worse(status, SUITE_STALE);
    if (walk->ran < walk->suite->min_cases)
        status = suite_worse(status, SUITE_TOO_FEW);
    return status;
}

/* The first sanity exchange, and the topic that keeps the server's registry from becoming empty:
 * its id, or 0. */
static uint64_t begin(struct walk *walk)
{
    walk->down_status = run_sanity(&walk->target->run);
    walk->down = walk->down_status != LWP_OK;
    if (walk->down || !has_topics(walk->target))
        return 0;
    const uint64_t keeper = run_make_keeper(&walk->target->run);
    if (keeper == 0)
        (void)fprintf(stderr, "lwp-conform: no topic could be made to keep the registry from "
                              "becoming empty\n");
    return keeper;
}

enum suite_exit suite_run(const struct suite *suite, struct suite_target *target)
{
    struct walk walk = {.suite = suite, .target = target};
    const struct script_case *cases = suite->cases->cases.items;
    for (size_t i = 0; i < suite->cases->cases.count; i++)
        walk.left += suite_wants(suite, &cases[i]) && will_run(&walk, &cases[i]);
    const uint64_t keeper = target->prepare ? 0 : begin(&walk);
    for (unsigned i = 0; i < suite->cases->cases.count; i++)
        if (suite_wants(suite, &cases[i]))
            run_one(&walk, &cases[i], i + 1);
    if (keeper && !walk.down)
        run_delete_keeper(&target->run, keeper);
    report_end_run(suite->report);
    return exit_of(&walk);
}
