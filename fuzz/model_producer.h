/* SPDX-License-Identifier: MIT */
/* model_producer.h - what a producer may do and must not, whoever its server is. */
#ifndef FUZZ_MODEL_PRODUCER_H
#define FUZZ_MODEL_PRODUCER_H

#include "fuzz/peer.h"
#include "lwp/client/producer.h"

enum { MODEL_MAX_RECORDS = 512, MODEL_MAX_BATCHES = 1024 };

/* What is known of a batch. */
struct model_batch {
    uint64_t id;
    bool sent;  /* On the present connection. */
    bool acked; /* By an ack that came after it was sent. */
};

struct model_producer {
    struct peer *peer;
    uint64_t taken;                  /* Records. */
    bool settled[MODEL_MAX_RECORDS]; /* By sequence - 1. */
    struct model_batch batches[MODEL_MAX_BATCHES];
    size_t batch_count;
};

/** What the model wants to know of the peer. */
struct peer_watch model_producer_watch(struct model_producer *model);

/** The `delivered` of the producer: each record is reported once, and as acknowledged only if an ack of its
 * batch came after that was sent. */
void model_producer_report(void *model, const struct lwp_delivery *delivery);

/** Puts records or flushes, as the argument of FUZZ_OP_CALL picks. */
void model_producer_call(struct model_producer *model, struct lwp_producer *producer,
                         uint32_t argument);

/** Asserts, after the close, that every record was reported. */
void model_producer_end(const struct model_producer *model);

#endif
