/* SPDX-License-Identifier: MIT */
/* laps.h - the clients that run in races. */
#ifndef LWP_BENCH_LAPS_H
#define LWP_BENCH_LAPS_H

#include "lwp/bench/race.h"

enum {
    FETCH_SIZE = 65536, /* What a fetch asks for. */
    FETCH_MOST =
        COURSE_LOG_SIZE - 1048576 /* So much of the log is read, so none comes to its end. */
};

/* Producers of records of 100 bytes, 64 of whose batches may be unanswered; one is a record. Ours in
 * batches of 32 KiB, driven by the caller or with a thread of its own, and with each record in a batch
 * of its own; and prebuilt batches of 32 KiB, one write each. */
lap_fn produce_driven;
lap_fn produce_threaded;
lap_fn produce_singly;
lap_fn produce_bare;

/* The published clients, which are programs of their own: the environment's LWP_BENCH_PYTHON and
 * LWP_BENCH_RUST are the commands. Each record by the send_async() of theirs; Python's has no
 * batches, Rust's have 32 KiB. */
lap_fn produce_python;
lap_fn produce_rust;

/** Whether the client can run: false for a published one whose command nobody has named. */
bool laps_have(lap_fn *client);

/* Round trips, of which the median counts. Ours: a record is sent and acknowledged; and prebuilt
 * frames on a blocking socket: the same, and a Keepalive, which is a header there and a header back,
 * by the mock or by a process that can do nothing else. */
lap_fn send_ours;
lap_fn send_bare;
lap_fn ping_bare;
lap_fn ping_echo;

/* Consumers of FETCH_SIZE bytes at a time, which are one. Ours, with one fetch on its way or with
 * four; and a loop that asks, waits, and checks what has come, with as many on their way. */
lap_fn fetch_by_one;
lap_fn fetch_ahead;
lap_fn fetch_bare;
lap_fn fetch_bare_ahead;

/* What LZ4 alone needs for the same as produce_driven() and fetch_ahead(). */
lap_fn pack_bare;
lap_fn unpack_bare;

#endif
