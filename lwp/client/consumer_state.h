/* SPDX-License-Identifier: MIT */
/* consumer_state.h - what a consumer knows; for consumer*.c only. */
#ifndef LWP_CLIENT_CONSUMER_STATE_H
#define LWP_CLIENT_CONSUMER_STATE_H

#include "lwp/client/consumer.h"
#include "lwp/client/runner.h"

struct lwp_consumer {
    struct lwp_consumer_options options;
    struct lwp_connection connection;
    struct lwp_runner runner;
    struct lwp_inbox *inbox;
    struct lwp_offset_store *own_store; /* Made from `folder`. */
    struct lwp_details why;
    bool polls;         /* A caller who drives is inside of a poll, and hears frames one by one. */
    uint64_t now_ns;    /* When it was processed last. */
    uint64_t committed; /* The place that is kept; LWP_OFFSET_END: none. */
    uint64_t commit_at_ns; /* When to keep the place again. */
    bool end_is_known;     /* The question for the end was answered so: */
    struct lwp_details end_details;
    uint64_t end_offset;
    bool commit_is_known; /* The commit at the server was answered so: */
    struct lwp_details commit_details;
    uint8_t *copy; /* What was handed on, where a thread goes on meanwhile. */
    size_t copy_size;
};

/* consumer_place.c: where it was, where it is, where the log ends. */

/** Finds the place to begin at. */
enum lwp_status consumer_begin(struct lwp_consumer *consumer);

/** Keeps the place if it is time to. Needs the lock. */
enum lwp_status consumer_auto_commit(struct lwp_consumer *consumer);

/** Keeps the place, waiting for the server until the deadline. Needs the lock. */
enum lwp_status consumer_commit(struct lwp_consumer *consumer, uint64_t deadline_ns);

#endif
