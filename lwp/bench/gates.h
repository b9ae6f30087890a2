/* SPDX-License-Identifier: MIT */
/* gates.h - all that is measured, and what must come out of it. docs/performance.md explains it. */
#ifndef LWP_BENCH_GATES_H
#define LWP_BENCH_GATES_H

#include "lwp/bench/duel.h"
#include "lwp/bench/memory.h"
#include "lwp/bench/race.h"

/* A gate of the codec. */
struct codec_gate {
    struct gate gate;
    work_fn *ours;
    work_fn *reference; /* NULL if this build does not have it. */
    struct shape shape;
};

/* Gates of the mock: who against whom, by the clock on the wall and by what its thread needs. */
struct duel_gate {
    enum server_kind ours;
    enum server_kind reference;
    struct gate wall;
    struct gate cpu;
};

/* A gate of what the heap holds. */
struct memory_gate {
    enum course_kind course;
    memory_fn *use;
    struct gate gate;
};

enum { VISIT_COUNT = 10000 };

/* Lists that end with a row without a number. */
extern const struct codec_gate codec_gates[];
extern const struct duel_gate duel_gates[];
extern const struct race race_gates[];
extern const struct memory_gate memory_gates[];
extern const struct gate visit_gate;

#endif
