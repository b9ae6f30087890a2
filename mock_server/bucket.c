/* SPDX-License-Identifier: MIT */
#include "mock_server/bucket.h"

#include "lwp/bug/bug.h"
#include "lwp/net/clock.h"

/* So that a second of tokens, counted in nanoseconds, stays below 2^64. */
#define MAX_RATE UINT64_C(10000000000)

struct bucket bucket_of(uint64_t rate, uint64_t now_ns)
{
    const uint64_t used = rate < MAX_RATE ? rate : MAX_RATE;
    return (struct bucket){.rate = used, .tokens = used, .filled_ns = now_ns};
}

/* How long `tokens` take to come, rounded up. */
static uint64_t time_of(const struct bucket *bucket, uint64_t tokens)
{
    return (tokens * LWP_SECOND_NS + bucket->rate - 1) / bucket->rate;
}

static void fill(struct bucket *bucket, uint64_t now_ns)
{
    if (now_ns <= bucket->filled_ns)
        return;
    const uint64_t passed = now_ns - bucket->filled_ns;
    const uint64_t come =
        passed >= LWP_SECOND_NS ? bucket->rate : passed * bucket->rate / LWP_SECOND_NS;
    if (come >= bucket->rate - bucket->tokens) {
        bucket->tokens = bucket->rate;
        bucket->filled_ns = now_ns;
        return;
    }
    /* What is left of the time counts for the next token. */
    bucket->tokens += come;
    bucket->filled_ns += time_of(bucket, come);
}

bool bucket_take(struct bucket *bucket, uint64_t amount, uint64_t now_ns)
{
    if (bucket->rate == 0)
        return true;
    fill(bucket, now_ns);
    if (bucket->tokens == 0)
        return LWP_BUG(limits_no_fetches);
    bucket->tokens -= amount < bucket->tokens ? amount : bucket->tokens;
    return true;
}

uint64_t bucket_retry_ms(const struct bucket *bucket, uint64_t now_ns)
{
    const uint64_t due = bucket->filled_ns + time_of(bucket, 1);
    const uint64_t left = due > now_ns ? due - now_ns : 0;
    return left ? (left + LWP_MILLISECOND_NS - 1) / LWP_MILLISECOND_NS : 1;
}
