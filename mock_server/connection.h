/* SPDX-License-Identifier: MIT */
/* connection.h - one connection of the mock: frames in, the broker's answers out, acks last. */
#ifndef LWP_MOCK_CONNECTION_H
#define LWP_MOCK_CONNECTION_H

#include "lwp/net/link.h"
#include "mock_server/broker.h"

enum {
    CONNECTION_RECENT_IDS = 1024 /* Batch ids that are remembered to find duplicates (D23). */
};

struct connection {
    struct lwp_link link;
    struct lwp_broker *broker;
    uint64_t ack_delay_ns;
    struct lwp_asker asker;
    bool undecided;       /* The dialect shows in the first header (auto). */
    bool stalled;         /* Frames are left because the peer does not read. */
    uint64_t reset_by_ns; /* When a close that does not get through becomes a reset. */
    bool done;            /* Nothing more will happen: forget it. */
    uint64_t *acks;       /* The batch ids to be acknowledged at the end of the read batch. */
    size_t ack_count;
    size_t ack_capacity;
    uint64_t acks_due_ns; /* When, if there are any. */
    uint64_t recent_ids[CONNECTION_RECENT_IDS];
    size_t recent_count;
};

/** Begins a connection on a transport, which it takes over. Without a dialect in the options it is
 * taken from the first header: CRC-32C is `spec`, all else `lance`. */
void connection_init(struct connection *connection, const struct lwp_session_options *options,
                     struct lwp_broker *broker, struct lwp_transport *transport, uint64_t now_ns);

/** Ends it and frees what it holds. */
void connection_done(struct connection *connection);

/** Reads, answers and writes as far as that goes; whether anything happened. */
bool connection_step(struct connection *connection, uint64_t now_ns);

/** The bytes of memory that its queues have. */
size_t connection_memory(const struct connection *connection);

/** Ends it at once, with a reset; its memory is freed when it is forgotten. */
void connection_reset(struct connection *connection, uint64_t now_ns);

/** Whether it makes sense to wait for bytes of the peer. */
bool connection_wants_bytes(const struct connection *connection);

/** When a delayed ack, the end of a close or the rest of a batch is due, or LWP_NEVER. */
uint64_t connection_deadline(const struct connection *connection);

#endif
