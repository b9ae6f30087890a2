/* SPDX-License-Identifier: MIT */
/* suite_state.h - a suite under way; shared by the suite_*.c files and nobody else. */
#ifndef LWP_CONFORM_SUITE_STATE_H
#define LWP_CONFORM_SUITE_STATE_H

#include <pthread.h>

#include "conformance/suite.h"

/* A case that was picked, and what came of it. */
struct outcome {
    const struct script_case *of;
    unsigned ordinal;  /* Its number among all cases, from 1. */
    unsigned attempts; /* How often it was run. */
    bool runs;         /* It is not skipped. */
    bool done;
    struct script_arena arena; /* Of the result. */
    struct result result;
};

/* A case that runs. */
struct task {
    pthread_t thread;
    bool own_thread;
    struct trial trial;
    struct outcome *outcome;
    struct script_arena arena;
    struct result result;
    enum lwp_status status; /* Of the sanity exchange behind it. */
};

/* The capture, for cases that run side by side. */
struct guard {
    struct exchange_sink sink; /* First, so that one is the other. */
    struct exchange_sink *inner;
    pthread_mutex_t lock;
};

struct walk {
    const struct suite *suite;
    struct guard guard;
    struct suite_target *const *targets;
    size_t target_count;
    struct suite_host *host;
    struct chop_list chops;   /* At least one. */
    struct outcome *outcomes; /* In the order of the files. */
    size_t count;
    size_t *order; /* Places in `outcomes` of those that run, in the order in which they do. */
    size_t order_count;
    size_t at;       /* In `order`: those before it are over. */
    unsigned pass;   /* How often all of them are over. */
    unsigned passes; /* Once, or twice if they are shuffled. */
    size_t reported; /* Of the outcomes. */
    uint64_t keeper; /* The topic that keeps the registry from becoming empty, or 0. */
    uint64_t deadline_ns;
    bool over; /* Nothing is run any more, because of `why_over`. */
    bool down; /* The target is gone. */
    char why_over[RESULT_TEXT_SIZE];
    bool stuck;
    size_t ran;    /* Cases. */
    size_t failed; /* Cases that were run again and failed again. */
};

/* suite_pick.c: which cases are run, and in which order. */

/** Fills in the outcomes and the order; skipped ones are done. False without memory. */
bool pick_cases(struct walk *walk);

/** Makes the order of the second time. */
void pick_shuffle(struct walk *walk);

/** Whether other cases may run beside it: it neither looks at what they change, nor at the time. */
bool pick_is_sociable(const struct script_case *of);

/* suite_batch.c: a few cases side by side. */

/** Runs the next cases and takes in their results. */
void batch_run(struct walk *walk);

/* suite_recover.c: a target that has died. */

/** Begins to talk to the target: a sanity exchange, and the topic to keep. */
void recover_begin(struct walk *walk);

/** A case that ended before place `walk->at` has killed the target, or a few of them together;
 * `count` of them were the last batch. */
void recover(struct walk *walk, size_t count, enum lwp_status status);

/** How many outcomes before the last batch may still be changed. */
size_t recover_window(const struct walk *walk);

#endif
