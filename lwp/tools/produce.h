/* SPDX-License-Identifier: MIT */
/* produce.h - lines into a topic, at a rate, with an eye on the signals; for produce*.c only. */
#ifndef LWP_TOOLS_PRODUCE_H
#define LWP_TOOLS_PRODUCE_H

#include "lwp/tools/lines.h"
#include "lwp/tools/server.h"

enum { PRODUCE_HEAD_SIZE = 10 }; /* Of a KeyTimestamped value: the time and the key's size (8.4). */

struct produce_arguments {
    struct server server; /* First, so that the rows of its options find it. */
    int type;             /* Of the records; -1: raw, or kv if there is a key. */
    const char *key;
    uint64_t rate; /* Records a second; 0: as fast as it goes. */
    bool compress;
    bool whole; /* Each file is a record, not each line. */
    bool quiet;
};

/* Where it has come to. */
struct producing {
    const struct produce_arguments *arguments;
    struct lwp_producer *producer;
    uint32_t topic_id;
    int interrupt;
    bool interrupted;
    bool is_terminal; /* Somebody watches standard error. */
    uint64_t began_ns;
    uint64_t shown_ns;
    uint64_t put; /* Records that were taken in. */
    uint64_t acknowledged;
    uint64_t failed;
    enum lwp_status first_failure;
};

/** For `delivered` of the producer's options, with the struct producing. */
void produce_delivered(void *user, const struct lwp_delivery *delivery);

/**
 * Puts all that comes from the lines into the topic.
 *
 * LWP_OK at their end; LWP_CLOSED_BY_CALLER after a signal; else why a record is not taken in, or why
 * nothing can be read: lines_read(), lines_next().
 */
enum lwp_status produce_lines(struct producing *producing, struct lines *lines);

/** Waits until nothing is pending, up to the request's time-out; a signal does not end that unless
 * it is the second one. */
void produce_settle(struct producing *producing);

/** Shows how far it is, if somebody watches; `last` ends the line. */
void produce_show(struct producing *producing, bool last);

#endif
