/* SPDX-License-Identifier: MIT */
/* backoff.h - how long to wait before the next attempt (specification 17.6). */
#ifndef LWP_CLIENT_BACKOFF_H
#define LWP_CLIENT_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct lwp_backoff_options {
    uint64_t first_ns; /* Before the second attempt; it doubles from then on. */
    uint64_t cap_ns;   /* No wait is longer, jitter included. */
    unsigned
        jitter_percent; /* A wait is longer by up to this, so that clients do not come in step. */
    unsigned max_attempts; /* How many may fail in a row; 0: any number. */
};

/* 100 ms, doubling, 30 s, 10 %, unlimited. */
extern const struct lwp_backoff_options lwp_backoff_defaults;

/* A row of failures, and the dice. */
struct lwp_backoff {
    struct lwp_backoff_options options;
    unsigned failures; /* In a row. */
    uint64_t random;   /* The state of the dice. */
};

/** No failures yet; the same seed gives the same waits. */
struct lwp_backoff lwp_backoff_of(const struct lwp_backoff_options *options, uint64_t seed);

/** Counts a failure. True with `*wait_ns` set to the wait before the next attempt; false if there
 * is none left. */
bool lwp_backoff_fail(struct lwp_backoff *backoff, uint64_t *wait_ns);

/** Forgets the failures: something has worked. */
void lwp_backoff_reset(struct lwp_backoff *backoff);

#endif
