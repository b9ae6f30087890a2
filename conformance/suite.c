/* SPDX-License-Identifier: MIT */
#include "conformance/suite.h"

#include <stdio.h>
#include <stdlib.h>

#include "conformance/suite_state.h"
#include "lwp/net/clock.h"
#include "lwp/session/session.h"

enum suite_exit suite_worse(enum suite_exit a, enum suite_exit b)
{
    static const enum suite_exit order[] = {SUITE_USAGE, SUITE_FAILED, SUITE_NOT_RUN, SUITE_STALE,
                                            SUITE_TOO_FEW};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return SUITE_AS_EXPECTED;
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
        count_new(walk, VERDICT_CRASH) + count_new(walk, VERDICT_FLAKY) +
        count_new(walk, VERDICT_AXIS))
        status = suite_worse(status, SUITE_FAILED);
    if (count_new(walk, VERDICT_ERROR))
        status = suite_worse(status, SUITE_NOT_RUN);
    if (count_new(walk, VERDICT_XPASS))
        status = suite_worse(status, SUITE_STALE);
    if (walk->ran < walk->suite->min_cases)
        status = suite_worse(status, SUITE_TOO_FEW);
    return status;
}

/* The outcomes from here on may still change. */
static size_t settled(const struct walk *walk)
{
    const size_t window = recover_window(walk);
    if (window == 0)
        return walk->count;
    return walk->at > window && walk->passes == 1 ? walk->order[walk->at - window] : 0;
}

/* Reports what is done, in the order of the files. */
static void report(struct walk *walk, size_t end)
{
    while (walk->reported < end && walk->outcomes[walk->reported].done) {
        struct outcome *outcome = &walk->outcomes[walk->reported++];
        expectation_apply(walk->suite->expectations, &outcome->result);
        baseline_apply(walk->suite->baseline, &outcome->result);
        report_case(walk->suite->report, &outcome->result);
        script_arena_done(&outcome->arena);
    }
}

/* What is not done will not be any more. */
static void give_up(struct walk *walk)
{
    for (size_t i = 0; i < walk->count; i++) {
        struct outcome *outcome = &walk->outcomes[i];
        /* Only one that is not known to fail: what came of it the first time stays. */
        const bool known = outcome->result.of && !trial_passed(outcome->result.verdict);
        if (outcome->done)
            continue;
        outcome->done = true;
        if (known)
            continue;
        script_arena_done(&outcome->arena);
        outcome->result =
            (struct result){.of = outcome->of, .verdict = VERDICT_ERROR, .offset = -1};
        (void)snprintf(outcome->result.reason, RESULT_TEXT_SIZE, "%s", walk->why_over);
    }
}

static void take_guarded(struct exchange_sink *sink, const struct exchange *exchange)
{
    struct guard *guard = (struct guard *)(void *)sink;
    (void)pthread_mutex_lock(&guard->lock);
    if (guard->inner)
        guard->inner->take(guard->inner, exchange);
    (void)pthread_mutex_unlock(&guard->lock);
}

static void run_all(struct walk *walk)
{
    for (walk->pass = 0; walk->pass < walk->passes; walk->pass++) {
        if (walk->pass)
            pick_shuffle(walk);
        for (walk->at = 0; walk->at < walk->order_count && !walk->over;) {
            batch_run(walk);
            report(walk, settled(walk));
        }
    }
}

static bool walk_init(struct walk *walk, struct suite_target *const *targets, size_t count)
{
    const struct suite *suite = walk->suite;
    walk->targets = targets;
    walk->target_count = count;
    walk->chops = suite->chops;
    walk->passes = suite->shuffles ? 2 : 1;
    walk->guard =
        (struct guard){{take_guarded}, report_sink(suite->report), PTHREAD_MUTEX_INITIALIZER};
    for (size_t i = 0; i < count; i++)
        targets[i]->run.sink = walk->guard.inner ? &walk->guard.sink : NULL;
    if (walk->chops.count == 0)
        (void)chop_add(&walk->chops, "none");
    walk->deadline_ns =
        suite->watchdog_ns ? lwp_clock_later(lwp_clock_now(), suite->watchdog_ns) : LWP_NEVER;
    return pick_cases(walk);
}

/* Frees what nobody uses any more: all, unless a case still runs. */
static void walk_done(struct walk *walk)
{
    if (walk->stuck) {
        (void)pthread_mutex_lock(&walk->guard.lock);
        walk->guard.inner = NULL;
        (void)pthread_mutex_unlock(&walk->guard.lock);
        return;
    }
    for (size_t i = 0; i < walk->target_count; i++)
        walk->targets[i]->run.sink = NULL;
    free(walk->outcomes);
    free(walk->order);
    free(walk);
}

enum suite_exit suite_run(const struct suite *suite, struct suite_target *const *targets,
                          size_t count, struct suite_host *host, bool *stuck)
{
    struct walk *walk = calloc(1, sizeof(*walk));
    if (!walk)
        return SUITE_NOT_RUN;
    walk->suite = suite;
    walk->host = host;
    if (!walk_init(walk, targets, count)) {
        walk_done(walk);
        return SUITE_NOT_RUN;
    }
    if (!targets[0]->prepare)
        recover_begin(walk);
    run_all(walk);
    give_up(walk);
    report(walk, walk->count);
    if (walk->keeper && !walk->down)
        run_delete_keeper(&targets[0]->run, walk->keeper);
    if (host && host->judge)
        host->judge(host, suite->report);
    report_end_run(suite->report);
    const enum suite_exit status = exit_of(walk);
    *stuck = walk->stuck;
    walk_done(walk);
    return status;
}
