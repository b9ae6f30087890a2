/* SPDX-License-Identifier: MIT */
/* race.h - two clients in turn, the same lwp-mock before both. */
#ifndef LWP_BENCH_RACE_H
#define LWP_BENCH_RACE_H

#include "lwp/bench/load.h"
#include "lwp/bench/measure.h"
#include "lwp/bench/report.h"
#include "lwp/client/connection.h"

enum {
    LAP_NS = 150000000,       /* For so long a lap is measured, */
    LAP_MOST_BATCHES = 20000, /* or for so many batches of 32 KiB: more does not fit the mock. */
    LAP_FETCH_SIZE = 65536,   /* What a fetch asks for. */
    LAP_LOG_SIZE = 536870912, /* What there is to fetch, */
    LAP_LOG_REST = 1048576,   /* but for the last bytes, so that no fetch comes to the end. */
    LAP_PATIENCE_MS = 10000   /* Nothing takes longer. */
};

/* Where a lap is run. */
struct course {
    const char *address; /* The mock's, HOST:PORT, */
    uint16_t port;       /* and on 127.0.0.1. */
    uint32_t topic_id;   /* Empty, but for fetches. */
    bool cubic;          /* Clients choose cubic; otherwise they keep what the system has. */
    struct load *load;   /* A frame of some 32 KiB, and the values of its records. */
};

/* What came of it. */
struct lap {
    uint64_t start_ns; /* By the clock on the wall and by what this process needs. */
    uint64_t start_cpu_ns;
    double wall_ns; /* For one of whatever the race is about. */
    double cpu_ns;
};

/** A client: connects, gets warm, does as much as it can in LAP_NS, closes. False, with the reason on
 * standard error, if anything goes wrong. */
typedef bool lap_fn(const struct course *course, struct lap *lap);

/** Here what is measured begins and ends; it was so many. */
void lap_begin(struct lap *lap);
void lap_end(struct lap *lap, uint64_t count);

/** Whether it is time to end it. */
bool lap_is_over(const struct lap *lap);

/** Gives the socket of a client what the course says. */
void course_tune(const struct course *course, int fd);

enum course_kind {
    COURSE_EMPTY, /* A new topic for each lap. */
    COURSE_FULL   /* One topic with LAP_LOG_SIZE bytes. */
};

/* A row of the list of races: who against whom, and what for. */
struct race {
    enum course_kind course;
    lap_fn *ours;
    lap_fn *reference;
    struct gate wall;
    struct gate cpu; /* Number 0: is not of interest. */
};

/** Lets both run laps in turn. Client and mock have a processor each, if there are two. False if
 * one of them failed. */
bool race(const struct race *row, struct outcome *outcome);

#endif
