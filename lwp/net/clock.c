/* SPDX-License-Identifier: MIT */
#include "lwp/net/clock.h"

#include <time.h>

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now = {0, 0};
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * LWP_SECOND_NS + (uint64_t)now.tv_nsec;
}

uint64_t lwp_clock_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t lwp_clock_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

int lwp_clock_poll_ms(uint64_t now_ns, uint64_t deadline_ns)
{
    const uint64_t hour_ms = 3600000;
    if (deadline_ns <= now_ns)
        return 0;
    const uint64_t left = (deadline_ns - now_ns - 1) / LWP_MILLISECOND_NS + 1;
    return (int)(left < hour_ms ? left : hour_ms);
}
