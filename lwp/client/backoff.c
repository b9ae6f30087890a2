/* SPDX-License-Identifier: MIT */
#include "lwp/client/backoff.h"

const struct lwp_backoff_options lwp_backoff_defaults = {
    .first_ns = 100000000,
    .cap_ns = 30000000000,
    .jitter_percent = 10,
    .max_attempts = 0,
};

struct lwp_backoff lwp_backoff_of(const struct lwp_backoff_options *options, uint64_t seed)
{
    return (struct lwp_backoff){*options, 0, seed};
}

/* SplitMix64: any seed will do, 0 included. */
static uint64_t roll(struct lwp_backoff *backoff)
{
    backoff->random += 0x9e3779b97f4a7c15;
    uint64_t value = backoff->random;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
    value = (value ^ value >> 27) * 0x94d049bb133111eb;
    return value ^ value >> 31;
}

bool lwp_backoff_fail(struct lwp_backoff *backoff, uint64_t *wait_ns)
{
    const struct lwp_backoff_options *options = &backoff->options;
    const unsigned doublings = backoff->failures;
    backoff->failures += backoff->failures < UINT32_MAX;
    if (options->max_attempts && backoff->failures >= options->max_attempts)
        return false;
    uint64_t wait = options->first_ns < options->cap_ns ? options->first_ns : options->cap_ns;
    for (unsigned i = 0; i < doublings && wait < options->cap_ns; i++)
        wait = wait > options->cap_ns / 2 ? options->cap_ns : 2 * wait;
    const uint64_t most = wait / 100 * options->jitter_percent;
    const uint64_t jitter = most ? roll(backoff) % (most + 1) : 0;
    *wait_ns = jitter < options->cap_ns - wait ? wait + jitter : options->cap_ns;
    return true;
}

void lwp_backoff_reset(struct lwp_backoff *backoff)
{
    backoff->failures = 0;
}
