/* SPDX-License-Identifier: MIT */
/* measure.h - two candidates in turn, in slices of CPU time; medians. */
#ifndef LWP_BENCH_MEASURE_H
#define LWP_BENCH_MEASURE_H

#include "lwp/bench/work.h"

enum {
    SLICE_COUNT = 41, /* Of each candidate. Odd: then the median is one of them. */
    MOST_PAIRS = 81,
    SLICE_NS = 4000000
};

struct measurement {
    double ours_ns;      /* Medians, for one round. */
    double reference_ns; /* 0 if there is none. */
    double time_ratio;   /* Ours by the reference's: the median over the pairs of slices. */
};

/* The same by two clocks. */
struct outcome {
    struct measurement wall; /* From the first byte to the last answer. */
    struct measurement cpu;  /* What the side that is measured needed. */
};

/** The median of an odd number of values, which it sorts. */
double median(double *values, size_t count);

/** What came of the pairs of slices, at most MOST_PAIRS, whose times for one round are in `ours` and
 * `reference`; sorts both.
 *
 * The median of the ratios rather than the ratio of the medians: the two slices of a pair lie next
 * to each other, so what the clock rate and the neighbours on the machine do lasts through both
 * and falls out. Who is first is to change from pair to pair. */
struct measurement measurement_of(double *ours, double *reference, size_t count);

/** Measures both. False if they came to different checksums: then there is nothing to compare. */
bool measure(const struct load *load, work_fn *ours, work_fn *reference, struct measurement *found);

#endif
