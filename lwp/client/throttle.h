/* SPDX-License-Identifier: MIT */
/* throttle.h - how fast a producer may send: freely, or at half the rate of before while the server
 * asks for it (specification 4.4). A value without a clock. */
#ifndef LWP_CLIENT_THROTTLE_H
#define LWP_CLIENT_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LWP_THROTTLE_SLOTS = 10 };

#define LWP_THROTTLE_SLOT_NS UINT64_C(10000000) /* The window has ten of these: 100 ms. */

/* All zeros: free, and nothing sent yet. */
struct lwp_throttle {
    uint64_t slot; /* The number of the newest slot. */
    uint64_t frames[LWP_THROTTLE_SLOTS];
    uint64_t bytes[LWP_THROTTLE_SLOTS];
    unsigned factor;        /* 0: free; else how many times slower than before. */
    uint64_t frames_before; /* In the 100 ms before the server asked. */
    uint64_t bytes_before;
    uint64_t due_ns; /* While slow: no frame before this. */
};

/** Counts a frame of `size` bytes that goes out at `now_ns`. */
void lwp_throttle_sent(struct lwp_throttle *throttle, size_t size, uint64_t now_ns);

/**
 * The server asks to slow down: from now on at most half the frames and half the bytes per time of
 * the last 100 ms, and half of that again with each further call; never less than one frame a
 * second.
 */
void lwp_throttle_slow(struct lwp_throttle *throttle, uint64_t now_ns);

/** The server keeps up again. */
void lwp_throttle_free(struct lwp_throttle *throttle);

/** The earliest time for the next frame; 0 if any time will do. */
static inline uint64_t lwp_throttle_due(const struct lwp_throttle *throttle)
{
    return throttle->factor ? throttle->due_ns : 0;
}

#endif
