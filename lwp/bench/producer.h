/* SPDX-License-Identifier: MIT */
/* producer.h - the other side of a server: sends prebuilt frames, or asks once on many connections. */
#ifndef LWP_BENCH_PRODUCER_H
#define LWP_BENCH_PRODUCER_H

#include <openssl/ssl.h>

#include "lwp/bench/load.h"

/** Connects to the port of 127.0.0.1: the socket, which blocks, but no longer than some seconds. -1,
 * with errno set. */
int producer_connect(uint16_t port);

/* A connection on which frames go out. */
struct producer_stream {
    int fd;
    SSL *tls; /* Around the socket; NULL: none. */
    const struct load *load;
    uint32_t topic_id; /* 0: the default topic, which is always there. */
    size_t sent;       /* So far. */
    size_t acked;
};

/** Sends the load's frame `count` times more, with one write each. At most 64 of them are unanswered,
 * so acks are taken meanwhile; they come in order. False if anything else comes, or nothing. */
bool producer_send(struct producer_stream *stream, size_t count);

/** Takes the acks that are still to come. False as above. */
bool producer_settle(struct producer_stream *stream);

/** Connects, asks for a sign of life, hears it and closes, `count` times. How often that went without
 * an error. */
size_t producer_visit(uint16_t port, size_t count);

#endif
