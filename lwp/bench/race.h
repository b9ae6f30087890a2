/* SPDX-License-Identifier: MIT */
/* race.h - two clients in turn, the same lwp-mock before both. */
#ifndef LWP_BENCH_RACE_H
#define LWP_BENCH_RACE_H

#include "lwp/bench/course.h"
#include "lwp/bench/report.h"

enum {
    LAP_NS = 150000000,      /* For so long a lap is measured, */
    LAP_MOST_BATCHES = 20000 /* or for so many batches: more does not fit the mock. */
};

/* What came of one turn of a client. */
struct lap {
    uint64_t start_ns; /* By the clock on the wall, and by what this process needs. */
    uint64_t start_cpu_ns;
    unsigned drag;    /* So many times as long as the client works it is held up. 0: not at all. */
    uint64_t free_ns; /* Since when it has not been. */
    double wall_ns;   /* For one of whatever the race is about. */
    double cpu_ns;
};

/** A client: connects, gets warm, does as much as it can in LAP_NS, closes. False if anything
 * goes wrong. */
typedef bool lap_fn(const struct course *course, struct lap *lap);

/** Here what is measured begins and ends; it was so many. */
void lap_begin(struct lap *lap);
void lap_end(struct lap *lap, uint64_t count);

/** Whether it is time to end it. Here a client is held up that is to be. */
bool lap_is_over(struct lap *lap);

/* A row of the list of races: who against whom, and what for. */
struct race {
    enum course_kind course;
    lap_fn *ours;
    lap_fn *reference;
    struct gate wall; /* By the clock on the wall; number 0: is not of interest. */
    struct gate cpu;  /* By what the client needs; the same. */
};

/** Lets both run laps in turn, ours with this drag. False if anything failed. */
bool race(const struct race *row, unsigned drag, struct outcome *outcome);

#endif
