/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "conformance/suite_state.h"
#include "lwp/net/clock.h"
#include "lwp/session/session.h"
#include "lwp/tools/interrupt.h"

enum { MOST_FAILED = 16 }; /* From then on failures are no surprise, and nothing is run again. */

static void *run_task(void *context)
{
    struct task *task = context;
    task->status = trial_run(&task->trial, &task->arena, &task->result);
    return NULL;
}

/* How many of the next cases run side by side. */
static size_t batch_size(const struct walk *walk)
{
    size_t size = 0;
    while (size < walk->target_count && walk->at + size < walk->order_count &&
           pick_is_sociable(walk->outcomes[walk->order[walk->at + size]].of))
        size++;
    return size ? size : 1;
}

static void set_up_task(struct walk *walk, struct task *task, size_t index, bool is_last)
{
    const struct suite *suite = walk->suite;
    struct outcome *outcome = &walk->outcomes[walk->order[walk->at + index]];
    const bool is_expected = expectation_of(suite->expectations, outcome->of->id);
    *task = (struct task){
        .outcome = outcome,
        .trial =
            {
                .target = walk->targets[index],
                .of = outcome->of,
                .ordinal = outcome->ordinal,
                .attempt = outcome->attempts,
                .chops = &walk->chops,
                .repeat = suite->repeat,
                .reruns = is_expected || walk->failed >= MOST_FAILED ? 0 : suite->reruns,
                .checks_alive = suite->isolates || is_last,
            },
    };
}

/* Waits for the thread until the time of the whole run is up. */
static bool join(const struct walk *walk, pthread_t thread)
{
    const uint64_t now_ns = lwp_clock_now();
    if (walk->deadline_ns == LWP_NEVER)
        return pthread_join(thread, NULL) == 0;
    const uint64_t left_ns = walk->deadline_ns > now_ns ? walk->deadline_ns - now_ns : 0;
    const uint64_t until_ns = lwp_clock_wall() + left_ns;
    const struct timespec until = {.tv_sec = (time_t)(until_ns / LWP_SECOND_NS),
                                   .tv_nsec = (long)(until_ns % LWP_SECOND_NS)};
    return pthread_timedjoin_np(thread, NULL, &until) == 0;
}

/* Takes in what came of a case. */
static void take_in(struct walk *walk, struct task *task)
{
    static const char *const how[2] = {"in the order of the files", "shuffled"};
    struct outcome *outcome = task->outcome;
    const bool failed = task->trial.reruns && !trial_passed(task->result.verdict);
    const uint64_t before_ns = outcome->result.duration_ns;
    outcome->attempts = task->trial.attempt;
    walk->failed += failed;
    walk->ran += walk->pass == 0;
    if (walk->pass == 0 || task->result.verdict == VERDICT_CRASH)
        trial_keep(&outcome->arena, &outcome->result, &task->result);
    else
        (void)trial_differs(&outcome->arena, &outcome->result, &task->result, VERDICT_AXIS, how);
    if (walk->pass)
        outcome->result.duration_ns = before_ns + task->result.duration_ns;
    outcome->done = walk->pass + 1 == walk->passes;
    script_arena_done(&task->arena);
}

/* Why nothing more is run, if it is so. */
static bool is_over(struct walk *walk)
{
    if (walk->over)
        return true;
    if (interrupt_came(walk->suite->interrupt))
        (void)snprintf(walk->why_over, sizeof(walk->why_over), "the run was interrupted");
    else if (lwp_clock_now() >= walk->deadline_ns)
        (void)snprintf(walk->why_over, sizeof(walk->why_over),
                       "the watchdog ended the run: it took more than %llu ms",
                       (unsigned long long)(walk->suite->watchdog_ns / LWP_MILLISECOND_NS));
    walk->over = walk->why_over[0];
    return walk->over;
}

/* Starts the tasks and waits for them. False if one does not end: it goes on, with its memory. What
 * is in this process has a clock that waits for nobody, and is not worth a thread. */
static bool run_tasks(struct walk *walk, struct task *tasks, size_t count)
{
    const bool inside = count == 1 && walk->targets[0]->prepare;
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        tasks[i].own_thread =
            !inside && pthread_create(&tasks[i].thread, NULL, run_task, &tasks[i]) == 0;
        if (!tasks[i].own_thread)
            (void)run_task(&tasks[i]);
    }
    for (size_t i = 0; i < count; i++)
        all = (!tasks[i].own_thread || join(walk, tasks[i].thread)) && all;
    return all;
}

/* Takes in what came of the batch; LWP_OK, or the status of a sanity exchange that failed. */
static enum lwp_status settle(struct walk *walk, struct task *tasks, size_t count)
{
    enum lwp_status status = LWP_OK;
    for (size_t i = 0; i < count; i++) {
        take_in(walk, &tasks[i]);
        if (tasks[i].status != LWP_OK)
            status = tasks[i].status;
    }
    walk->at += count;
    if (walk->host && walk->host->look)
        walk->host->look(walk->host, (const char *)tasks[count - 1].outcome->of->id.data);
    return status;
}

void batch_run(struct walk *walk)
{
    const size_t count = batch_size(walk);
    const bool is_last = walk->at + count == walk->order_count && walk->pass + 1 == walk->passes;
    if (is_over(walk))
        return;
    struct task *tasks = calloc(count, sizeof(*tasks));
    if (!tasks) {
        walk->over = true;
        return;
    }
    for (size_t i = 0; i < count; i++)
        set_up_task(walk, &tasks[i], i, is_last);
    walk->stuck = !run_tasks(walk, tasks, count);
    /* Whatever the clocks say: nothing may run beside it. */
    if (walk->stuck) {
        if (!is_over(walk))
            (void)snprintf(walk->why_over, sizeof(walk->why_over), "a case does not end");
        walk->over = true;
        return;
    }
    const enum lwp_status status = settle(walk, tasks, count);
    free(tasks);
    if (status != LWP_OK)
        recover(walk, count, status);
}
