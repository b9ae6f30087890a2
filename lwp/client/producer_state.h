/* SPDX-License-Identifier: MIT */
/* producer_state.h - what a producer knows; for producer*.c only. */
#ifndef LWP_CLIENT_PRODUCER_STATE_H
#define LWP_CLIENT_PRODUCER_STATE_H

#include "lwp/client/producer.h"
#include "lwp/client/runner.h"

/* A thread that waits for the report of one record. */
struct producer_waiter {
    struct producer_waiter *next;
    uint64_t sequence;
    bool done;
    enum lwp_status status;
};

struct lwp_producer {
    struct lwp_producer_options options;
    struct lwp_connection connection;
    struct lwp_runner runner;
    struct lwp_outbox *outbox;
    struct lwp_details why;
    struct producer_waiter *waiters;
    uint64_t now_ns;          /* When it was processed last. */
    uint64_t sleeps_until_ns; /* When the thread will look by itself. */
};

/** Where the caller drives: sends what may be sent, without a look at what has come. */
void producer_send_ready(struct lwp_producer *producer);

#endif
