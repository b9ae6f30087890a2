/* SPDX-License-Identifier: MIT */
/* memory.h - how much of the heap a producer or a consumer takes. */
#ifndef LWP_BENCH_MEMORY_H
#define LWP_BENCH_MEMORY_H

#include "lwp/bench/course.h"

/* In bytes. */
struct memory {
    size_t before;  /* What was in use already. */
    size_t peak;    /* The most that came on top, looked at between calls of the library. */
    size_t allowed; /* What the options say, and 1 MiB. */
};

/** Uses a handle so that it takes as much as it ever does. False, with the reason on standard error,
 * if anything fails. */
typedef bool memory_fn(const struct course *course, struct memory *memory);

/* A producer that is never waited for: driven by the caller, with a thread, and with each record in a
 * batch of its own. */
memory_fn hoard_driven;
memory_fn hoard_threaded;
memory_fn hoard_singly;

/* A consumer with a read-ahead of four answers of 1 MiB. */
memory_fn read_driven;
memory_fn read_threaded;

#endif
