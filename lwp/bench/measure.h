/* SPDX-License-Identifier: MIT */
/* measure.h - two candidates in turn, in slices of CPU time. */
#ifndef LWP_BENCH_MEASURE_H
#define LWP_BENCH_MEASURE_H

#include "lwp/bench/work.h"

enum {
    SLICE_COUNT = 41, /* Of each candidate. Odd: then the median is one of them. */
    SLICE_NS = 4000000
};

struct measurement {
    double ours_ns; /* Medians, for one round. */
    double reference_ns;
    double time_ratio; /* Ours by the reference's: the median over the pairs of slices. */
};

/** Measures both. False if they came to different checksums: then there is nothing to compare. */
bool measure(const struct load *load, work_fn *ours, work_fn *reference, struct measurement *found);

#endif
