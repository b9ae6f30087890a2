/* SPDX-License-Identifier: MIT */
#include "lwp/bench/race.h"

#include <time.h>

#include "lwp/net/clock.h"

enum {
    LAP_PAIRS = 9, /* Of a race. Odd: then the median is one of them. */
    LAP_COUNT = 2 * (1 + LAP_PAIRS)
};

static uint64_t cpu_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * LWP_SECOND_NS + (uint64_t)now.tv_nsec;
}

void lap_begin(struct lap *lap)
{
    lap->start_cpu_ns = cpu_now();
    lap->start_ns = lwp_clock_now();
    lap->free_ns = lap->start_ns;
}

void lap_end(struct lap *lap, uint64_t count)
{
    lap->wall_ns = (double)(lwp_clock_now() - lap->start_ns) / (double)count;
    lap->cpu_ns = (double)(cpu_now() - lap->start_cpu_ns) / (double)count;
}

bool lap_is_over(struct lap *lap)
{
    const uint64_t now_ns = lwp_clock_now();
    const uint64_t until_ns = now_ns + lap->drag * (now_ns - lap->free_ns);
    lap->free_ns = now_ns;
    while (lap->free_ns < until_ns)
        lap->free_ns = lwp_clock_now();
    return lap->free_ns - lap->start_ns >= LAP_NS;
}

/* Who is first changes from pair to pair. The pair before the first one is not counted: with it the
 * mock gets its memory. */
static bool run_laps(struct course *course, const struct race *row, unsigned drag,
                     struct lap laps[2][LAP_PAIRS])
{
    lap_fn *const clients[2] = {row->ours, row->reference};
    for (size_t i = 0; i < LAP_COUNT; i++) {
        const size_t pair = i / 2;
        const size_t side = (i + pair) % 2;
        struct lap *lap = &laps[side][pair ? pair - 1 : 0];
        *lap = (struct lap){.drag = side == 0 ? drag : 0};
        if (!course_clear(course) || !clients[side](course, lap))
            return false;
    }
    return true;
}

static struct measurement compare(struct lap laps[2][LAP_PAIRS], bool by_cpu)
{
    double times[2][LAP_PAIRS];
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < LAP_PAIRS; i++)
            times[side][i] = by_cpu ? laps[side][i].cpu_ns : laps[side][i].wall_ns;
    return measurement_of(times[0], times[1], LAP_PAIRS);
}

bool race(const struct race *row, unsigned drag, struct outcome *outcome)
{
    struct lap laps[2][LAP_PAIRS];
    struct course course;
    const bool ok = course_open(row->course, &course) && run_laps(&course, row, drag, laps);
    course_close(&course);
    if (ok)
        *outcome = (struct outcome){compare(laps, false), compare(laps, true)};
    return ok;
}
