/* SPDX-License-Identifier: MIT */
#include "lwp/net/pace.h"

#include "lwp/net/clock.h"

enum { SLICES_PER_SECOND = 100 };

void lwp_pace_set(struct lwp_pace *pace, uint64_t rate)
{
    *pace = (struct lwp_pace){.rate = rate < LWP_PACE_MAX ? rate : LWP_PACE_MAX};
}

uint64_t lwp_pace_due(const struct lwp_pace *pace, uint64_t ready_ns)
{
    return ready_ns > pace->next_ns ? ready_ns : pace->next_ns;
}

void lwp_pace_pay(struct lwp_pace *pace, size_t size, uint64_t due_ns)
{
    if (pace->rate == 0)
        return;
    if (due_ns > pace->next_ns)
        pace->rest = 0;
    /* Less than 10^10 × 10^9, so neither product nor sum overflows. */
    const uint64_t part = size % pace->rate * LWP_SECOND_NS + pace->rest;
    const uint64_t seconds = size / pace->rate;
    pace->rest = part % pace->rate;
    pace->next_ns = lwp_clock_later(due_ns, part / pace->rate);
    if (seconds)
        pace->next_ns = seconds < UINT64_MAX / LWP_SECOND_NS
                            ? lwp_clock_later(pace->next_ns, seconds * LWP_SECOND_NS)
                            : UINT64_MAX;
}

size_t lwp_pace_slice(const struct lwp_pace *pace)
{
    if (pace->rate == 0)
        return SIZE_MAX;
    return pace->rate < SLICES_PER_SECOND ? 1 : (size_t)(pace->rate / SLICES_PER_SECOND);
}
