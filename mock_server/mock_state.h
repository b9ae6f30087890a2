/* SPDX-License-Identifier: MIT */
/* mock_state.h - the mock's insides, shared by mock.c and serve.c and nobody else. */
#ifndef LWP_MOCK_MOCK_STATE_H
#define LWP_MOCK_MOCK_STATE_H

#include "mock_server/connection.h"
#include "mock_server/mock.h"

struct lwp_mock {
    struct lwp_mock_options options;
    struct lwp_token token; /* The one of the options, if it is given there. */
    struct lwp_broker *broker;
    struct lwp_stage *stage;
    struct connection_host host;
    uint64_t now_ns;   /* Of the step under way. */
    uint64_t accepted; /* How many connections there were. */
    struct connection *connections;
    size_t connection_count;
    size_t queued;         /* Bytes of memory that the queues of all connections have. */
    uint64_t flush_due_ns; /* When data without an ack becomes visible, or LWP_NEVER. */
};

/** Ends all connections. */
void mock_end_all(struct lwp_mock *mock);

/** Steps the connection at `*place` and forgets it if it has ended: then `*place` is the next one.
 */
bool mock_step_one(struct lwp_mock *mock, struct connection **place, uint64_t now_ns);

#endif
