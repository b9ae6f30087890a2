/* SPDX-License-Identifier: MIT */
#include "lwp/client/backoff.h"

#include "lwp/wire/dice.h"

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
    const uint64_t jitter = most ? lwp_dice_between(&backoff->random, 0, most) : 0;
    *wait_ns = jitter < options->cap_ns - wait ? wait + jitter : options->cap_ns;
    return true;
}

void lwp_backoff_reset(struct lwp_backoff *backoff)
{
    backoff->failures = 0;
}
