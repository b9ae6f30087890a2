/* SPDX-License-Identifier: MIT */
/* duel.h - two servers in turn, the same producer before both. */
#ifndef LWP_BENCH_DUEL_H
#define LWP_BENCH_DUEL_H

#include "lwp/bench/measure.h"
#include "lwp/bench/server.h"

/** Lets both ack bursts of batches in turn, each burst by a new server with one connection; the times are for
 * one batch of 32 KiB. Server and producer have a processor each, if there are two. False if one of
 * them failed. */
bool duel(enum server_kind ours, enum server_kind reference, struct outcome *outcome);

/** How often of `count` visits to a server with a script all went well, and the time for one. False if
 * there is no server. */
bool visits(size_t count, size_t *good, double *ns);

#endif
