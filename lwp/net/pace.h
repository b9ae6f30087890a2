/* SPDX-License-Identifier: MIT */
/* pace.h - how fast bytes may go out: a bucket of one piece, on a clock that is handed in. */
#ifndef LWP_NET_PACE_H
#define LWP_NET_PACE_H

#include <stddef.h>
#include <stdint.h>

#define LWP_PACE_MAX UINT64_C(10000000000) /* Bytes per second. */

/* All zeros is no limit. */
struct lwp_pace {
    uint64_t rate; /* Bytes per second, 0 for no limit. */
    uint64_t next_ns;
    uint64_t rest; /* What division has left over, so that nothing is lost over time. */
};

/** Begins anew with this rate, at most LWP_PACE_MAX, 0 for no limit: the next piece may go at once.
 */
void lwp_pace_set(struct lwp_pace *pace, uint64_t rate);

/** When a piece may go out that is ready at `ready_ns`: then, or when those before it are paid. */
uint64_t lwp_pace_due(const struct lwp_pace *pace, uint64_t ready_ns);

/**
 * Pays for a piece of `size` bytes that was due at `due_ns`: the next one has to wait as long as
 * this one takes at the rate. Waiting counts from when it was due, not from when it went, so that a
 * caller who is late catches up and the rate is exact.
 */
void lwp_pace_pay(struct lwp_pace *pace, size_t size, uint64_t due_ns);

/** The most bytes of a stream without places to cut it at that should go out as one piece: what the
 * rate gives in 10 ms, at least 1; SIZE_MAX without a limit. */
size_t lwp_pace_slice(const struct lwp_pace *pace);

#endif
