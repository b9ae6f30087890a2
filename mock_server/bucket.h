/* SPDX-License-Identifier: MIT */
/* bucket.h - a token bucket as the deployed server has one for fetches: filled at a rate, one second
 * deep, emptied but never in debt. */
#ifndef LWP_MOCK_BUCKET_H
#define LWP_MOCK_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
    uint64_t rate; /* Tokens per second, and the most that it holds; 0: it never runs dry. */
    uint64_t tokens;
    uint64_t filled_ns; /* Up to when the tokens are counted. */
};

/** A full bucket. Rates above 10 000 000 000 are taken for that. */
struct bucket bucket_of(uint64_t rate, uint64_t now_ns);

/** Takes `amount`, or what there is. False, with nothing taken, if it is empty. */
bool bucket_take(struct bucket *bucket, uint64_t amount, uint64_t now_ns);

/** The time until an empty bucket has a token again, in milliseconds, at least 1. */
uint64_t bucket_retry_ms(const struct bucket *bucket, uint64_t now_ns);

#endif
