/* SPDX-License-Identifier: MIT */
#include "mock_server/mock_clock.h"

#include "lwp/session/session.h"

/* Where our clock stops: what is due at LWP_NEVER must never be due. */
#define LAST_NS (LWP_NEVER - 1)

static uint64_t sum(uint64_t a, uint64_t b, uint64_t most)
{
    return a < most && b < most - a ? a + b : most;
}

uint64_t mock_clock_at(const struct mock_clock *clock, uint64_t outer_ns)
{
    if (clock->frozen || outer_ns <= clock->outer_ns)
        return clock->inner_ns;
    return sum(clock->inner_ns, outer_ns - clock->outer_ns, LAST_NS);
}

uint64_t mock_clock_when(const struct mock_clock *clock, uint64_t inner_ns)
{
    if (inner_ns <= clock->inner_ns)
        return clock->outer_ns;
    if (clock->frozen || inner_ns == LWP_NEVER)
        return LWP_NEVER;
    return sum(clock->outer_ns, inner_ns - clock->inner_ns, LWP_NEVER);
}

void mock_clock_advance(struct mock_clock *clock, uint64_t duration_ns)
{
    clock->inner_ns = sum(clock->inner_ns, duration_ns, LAST_NS);
}

static void turn(struct mock_clock *clock, uint64_t outer_ns, bool frozen)
{
    *clock = (struct mock_clock){outer_ns, mock_clock_at(clock, outer_ns), frozen};
}

void mock_clock_freeze(struct mock_clock *clock, uint64_t outer_ns)
{
    turn(clock, outer_ns, true);
}

void mock_clock_thaw(struct mock_clock *clock, uint64_t outer_ns)
{
    turn(clock, outer_ns, false);
}
