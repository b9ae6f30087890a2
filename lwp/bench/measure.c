/* SPDX-License-Identifier: MIT */
#include "lwp/bench/measure.h"

#include <stdlib.h>
#include <time.h>

/* A candidate with as many rounds as fill a slice. */
struct candidate {
    work_fn *work;
    size_t rounds;
    uint32_t answer;
    double ns[SLICE_COUNT]; /* For one round. */
};

/* The time that this thread was given; what the machine does for others is not in it. */
static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double run(struct candidate *candidate, const struct load *load)
{
    const double start = cpu_ns();
    candidate->answer = candidate->work(load, candidate->rounds);
    return cpu_ns() - start;
}

/* One round more than a multiple of LOAD_HEADER_COUNT: all candidates end at the same header. */
static struct candidate calibrated(work_fn *work, const struct load *load)
{
    struct candidate candidate = {.work = work, .rounds = 1};
    double taken = run(&candidate, load);
    while (taken < SLICE_NS / 4.0) {
        candidate.rounds = (candidate.rounds - 1) * 2 + LOAD_HEADER_COUNT + 1;
        taken = run(&candidate, load);
    }
    const size_t wanted = (size_t)((double)candidate.rounds * SLICE_NS / taken);
    candidate.rounds = wanted / LOAD_HEADER_COUNT * LOAD_HEADER_COUNT + 1;
    return candidate;
}

static void run_slice(struct candidate *candidate, const struct load *load, size_t slice)
{
    candidate->ns[slice] = run(candidate, load) / (double)candidate->rounds;
}

static int compare_doubles(const void *a, const void *b)
{
    const double left = *(const double *)a;
    const double right = *(const double *)b;
    return (left > right) - (left < right);
}

double median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare_doubles);
    return values[count / 2];
}

struct measurement measurement_of(double *ours, double *reference, size_t count)
{
    double ratios[MOST_PAIRS];
    for (size_t i = 0; i < count; i++)
        ratios[i] = ours[i] / reference[i];
    return (struct measurement){median(ours, count), median(reference, count),
                                median(ratios, count)};
}

bool measure(const struct load *load, work_fn *ours, work_fn *reference, struct measurement *found)
{
    struct candidate a = calibrated(ours, load);
    struct candidate b = calibrated(reference, load);
    for (size_t i = 0; i < SLICE_COUNT; i++) {
        run_slice(i % 2 ? &b : &a, load, i);
        run_slice(i % 2 ? &a : &b, load, i);
    }
    if (a.answer != b.answer)
        return false;
    *found = measurement_of(a.ns, b.ns, SLICE_COUNT);
    return true;
}
