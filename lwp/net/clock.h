/* SPDX-License-Identifier: MIT */
/* clock.h - the only place that asks the machine for the time. */
#ifndef LWP_NET_CLOCK_H
#define LWP_NET_CLOCK_H

#include <stdint.h>

#define LWP_SECOND_NS UINT64_C(1000000000)
#define LWP_MILLISECOND_NS UINT64_C(1000000)

/** Nanoseconds on a clock that only goes forward, from an arbitrary beginning. */
uint64_t lwp_clock_now(void);

/** Nanoseconds since the Unix epoch. */
uint64_t lwp_clock_wall(void);

/** `by_ns` after `from_ns`; the end of time if that is earlier. */
static inline uint64_t lwp_clock_later(uint64_t from_ns, uint64_t by_ns)
{
    return by_ns < UINT64_MAX - from_ns ? from_ns + by_ns : UINT64_MAX;
}

/** The milliseconds to wait from `now_ns` until `deadline_ns` as poll() takes them: rounded up, at
 * most an hour. */
int lwp_clock_poll_ms(uint64_t now_ns, uint64_t deadline_ns);

#endif
