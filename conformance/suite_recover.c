/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <time.h>

#include "conformance/features.h"
#include "conformance/suite_state.h"

enum { WINDOW = 8 }; /* Cases that may have killed the target before it was seen. */

size_t recover_window(const struct walk *walk)
{
    return walk->suite->isolates ? WINDOW : 0;
}

static void say_down(struct walk *walk, enum lwp_status status)
{
    walk->over = true;
    walk->down = true;
    (void)snprintf(walk->why_over, sizeof(walk->why_over), "the sanity exchange failed: %s%s",
                   lwp_status_text(status),
                   status == LWP_CLOSED && walk->ran == 0
                       ? " (does it speak this dialect's checksum? try another --dialect)"
                       : "");
}

static bool makes_topics(const struct walk *walk)
{
    return !walk->suite->read_only &&
           walk->targets[0]->features & feature_bit(feature_named(lwp_bytes_text("topics")));
}

void recover_begin(struct walk *walk)
{
    walk->keeper = 0;
    const enum lwp_status status = run_sanity(&walk->targets[0]->run);
    if (status != LWP_OK) {
        say_down(walk, status);
        return;
    }
    if (makes_topics(walk)) {
        walk->keeper = run_make_keeper(&walk->targets[0]->run);
        if (walk->keeper == 0)
            (void)fprintf(stderr, "lwp-conform: no topic could be made to keep the registry from "
                                  "becoming empty\n");
    }
    if (walk->host && walk->host->begin)
        walk->host->begin(walk->host);
}

/* A fresh target. False, and the run is over, if there is none to be had. */
static bool restart(struct walk *walk, enum lwp_status status)
{
    if (!walk->host || !walk->host->restart) {
        say_down(walk, status);
        return false;
    }
    if (!walk->host->restart(walk->host)) {
        walk->over = true;
        walk->down = true;
        (void)snprintf(walk->why_over, sizeof(walk->why_over),
                       "the target is gone and could not be started again");
        return false;
    }
    recover_begin(walk);
    return !walk->over;
}

/* Some need a moment to die. */
static enum lwp_status check_later(const struct walk *walk)
{
    const struct run_options *run = &walk->targets[0]->run;
    const struct timespec moment = {.tv_nsec = 250000000};
    for (unsigned i = 0; i < run->time_factor; i++)
        (void)nanosleep(&moment, NULL);
    return run_sanity(run);
}

/* Runs a case alone on a fresh target. Whether it kills it; the result is the case's if it does, or
 * if the one that it has is worth nothing. */
static bool kills_alone(struct walk *walk, struct outcome *outcome, bool replaces)
{
    struct task task = {.trial = {
                            .target = walk->targets[0],
                            .of = outcome->of,
                            .ordinal = outcome->ordinal,
                            .attempt = outcome->attempts,
                            .chops = &walk->chops,
                            .repeat = 1,
                            .checks_alive = true,
                        }};
    task.status = trial_run(&task.trial, &task.arena, &task.result);
    if (task.status == LWP_OK)
        task.status = check_later(walk);
    outcome->attempts = task.trial.attempt;
    const bool kills = task.status != LWP_OK;
    if (kills || replaces)
        trial_keep(&outcome->arena, &outcome->result, &task.result);
    if (kills)
        outcome->result.verdict = VERDICT_CRASH;
    if (kills)
        (void)snprintf(outcome->result.reason, RESULT_TEXT_SIZE,
                       "alone on a fresh target it kills it: %.400s", task.result.reason);
    script_arena_done(&task.arena);
    return kills;
}

/* Tries the cases of the last batch and then those before it, until one is found. */
static void isolate(struct walk *walk, size_t count, enum lwp_status status)
{
    size_t killers = 0;
    size_t tried = 0;
    for (; tried < walk->at && tried < count + WINDOW; tried++) {
        struct outcome *outcome = &walk->outcomes[walk->order[walk->at - 1 - tried]];
        const bool in_batch = tried < count;
        if (!in_batch && killers)
            return;
        if (tried && !restart(walk, status))
            return;
        killers += kills_alone(walk, outcome, in_batch);
    }
    if (killers || tried == 0)
        return;
    struct result *last = &walk->outcomes[walk->order[walk->at - 1]].result;
    last->verdict = VERDICT_CRASH;
    (void)snprintf(
        last->reason, RESULT_TEXT_SIZE,
        "the target was dead afterwards, but neither this case nor one of the %zu before "
        "it kills it alone",
        tried - 1);
}

void recover(struct walk *walk, size_t count, enum lwp_status status)
{
    if (!restart(walk, status) || !walk->suite->isolates)
        return;
    isolate(walk, count, status);
    if (!walk->over && run_sanity(&walk->targets[0]->run) != LWP_OK)
        (void)restart(walk, status);
}
