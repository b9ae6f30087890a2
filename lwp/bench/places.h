/* SPDX-License-Identifier: MIT */
/* places.h - which processor each side of a measurement has. */
#ifndef LWP_BENCH_PLACES_H
#define LWP_BENCH_PLACES_H

#include <sched.h>

/* The two ends of the list of processors that we may have; the same one if there is no other. */
struct places {
    int client;
    int server;
};

struct places places_here(void);

/** Puts this thread on the processor, and whatever it starts from now on. `before`, unless NULL, is
 * for places_leave(). */
void places_take(int cpu, cpu_set_t *before);

/** Undoes it. */
void places_leave(const cpu_set_t *before);

#endif
