/* SPDX-License-Identifier: MIT */
/* laps.h - the clients that run in races. */
#ifndef LWP_BENCH_LAPS_H
#define LWP_BENCH_LAPS_H

#include "lwp/bench/race.h"

/* Producers of records of 100 bytes in batches of 32 KiB, 64 of which may be unanswered. One record
 * is one. Ours, driven by the caller and with a thread of its own; and prebuilt frames, one write
 * each. */
lap_fn produce_driven;
lap_fn produce_threaded;
lap_fn produce_bare;

/* Consumers of LAP_FETCH_SIZE bytes at a time, which are one. Ours, with one fetch on its way or
 * with four; and a loop that asks, waits, and checks what has come. */
lap_fn fetch_by_one;
lap_fn fetch_ahead;
lap_fn fetch_bare;

#endif
