/* SPDX-License-Identifier: MIT */
/* server.h - what acks ingests: the mock, and a bare loop that does the same and nothing else. */
#ifndef LWP_BENCH_SERVER_H
#define LWP_BENCH_SERVER_H

#include <stdbool.h>
#include <stdint.h>

enum server_kind {
    SERVER_MOCK,
    SERVER_MOCK_WITH_RULES,  /* The same with a script whose rules never match. */
    SERVER_MOCK_WITH_SCRIPT, /* The same with a script that has a hand in each answer. */
    SERVER_LOOP,             /* Checks, appends the payload to a log that grows, acks. */
    SERVER_LOOP_FORGETS      /* Checks and acks. */
};

/* One of them in a thread of its own, on a free port of 127.0.0.1. */
struct server;

/** Starts one on a processor. What it stores is its own and goes with it. NULL, with the reason on
 * standard error, if it can not be had. */
struct server *server_start(enum server_kind kind, int cpu);

uint16_t server_port(const struct server *server);

/** The processor time that its thread has had. */
double server_cpu_ns(const struct server *server);

/** Ends it; it has no connections any more. NULL is fine. */
void server_stop(struct server *server);

#endif
