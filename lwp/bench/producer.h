/* SPDX-License-Identifier: MIT */
/* producer.h - the other side of a server: sends prebuilt frames, or asks once on many connections. */
#ifndef LWP_BENCH_PRODUCER_H
#define LWP_BENCH_PRODUCER_H

#include "lwp/bench/load.h"

/** Connects to the port of 127.0.0.1: the socket, which blocks, but no longer than some seconds. -1,
 * with errno set. */
int producer_connect(uint16_t port);

/** Sends the load's frame `count` times, with one write each and at most 64 of them unanswered, and
 * takes the acks, which come in order. False if anything else comes, or nothing. */
bool producer_send(int fd, const struct load *load, size_t count);

/** Connects, asks for a sign of life, hears it and closes, `count` times. How often that went without
 * an error. */
size_t producer_visit(uint16_t port, size_t count);

#endif
