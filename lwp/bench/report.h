/* SPDX-License-Identifier: MIT */
/* report.h - gates and what came out of them, as a table and as JSON. */
#ifndef LWP_BENCH_REPORT_H
#define LWP_BENCH_REPORT_H

#include <stdio.h>

#include "lwp/bench/measure.h"

/* Which ratio a gate means, and which side of the gate it has to be on. */
enum direction {
    SPEED_AT_LEAST, /* The reference's time by ours. */
    TIME_AT_MOST,   /* Our time by the reference's. */
    SIZE_AT_MOST,   /* Our size by what is allowed. */
    SHARE_AT_LEAST  /* What went well, of all that was tried. */
};

/* A row of the list of gates. */
struct gate {
    unsigned number;
    enum direction direction;
    double gate; /* 0: none, the ratio is only told. */
    double aim;  /* 0 if there is none. */
    const char *what;
    const char *against;
};

struct result {
    const struct gate *gate;
    bool measured;
    bool left_out;            /* It could not be measured, and need not be. */
    struct measurement found; /* Or sizes, for SIZE_AT_MOST. */
    double share;             /* For SHARE_AT_LEAST. */
};

/** The ratio that the gate is about; 0 if it was not measured. */
double result_ratio(const struct result *result);

/** Whether the gate holds. One that could not be measured does not, unless it was left out. */
bool result_ok(const struct result *result);

/* The processor's name: the gates were set on one kind of machine. */
struct machine {
    char name[64];
};

/** This machine; "unknown" where /proc/cpuinfo does not tell. */
struct machine machine_here(void);

void report_table_head(FILE *out, const struct machine *machine);
void report_table_row(FILE *out, const struct result *result);

/** Writes all results as one document to the file. False, with errno, if that fails. */
bool report_json(const char *path, const struct machine *machine, const struct result *results,
                 size_t count);

#endif
