/* SPDX-License-Identifier: MIT */
/* pace.h - how fast a producer may send: freely, or at half the rate of before while the server
 * asks for it (specification 4.4). A value without a clock. */
#ifndef LWP_CLIENT_PACE_H
#define LWP_CLIENT_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LWP_PACE_SLOTS = 10 };

#define LWP_PACE_SLOT_NS UINT64_C(10000000) /* The window has ten of these: 100 ms. */

/* All zeros: free, and nothing sent yet. */
struct lwp_pace {
    uint64_t slot; /* The number of the newest slot. */
    uint64_t frames[LWP_PACE_SLOTS];
    uint64_t bytes[LWP_PACE_SLOTS];
    unsigned factor;        /* 0: free; else how many times slower than before. */
    uint64_t frames_before; /* In the 100 ms before the server asked. */
    uint64_t bytes_before;
    uint64_t due_ns; /* While slow: no frame before this. */
};

/** Counts a frame of `size` bytes that goes out at `now_ns`. */
void lwp_pace_sent(struct lwp_pace *pace, size_t size, uint64_t now_ns);

/**
 * The server asks to slow down: from now on at most half the frames and half the bytes per time of
 * the last 100 ms, and half of that again with each further call; never less than one frame a
 * second.
 */
void lwp_pace_slow(struct lwp_pace *pace, uint64_t now_ns);

/** The server keeps up again. */
void lwp_pace_free(struct lwp_pace *pace);

/** The earliest time for the next frame; 0 if any time will do. */
static inline uint64_t lwp_pace_due(const struct lwp_pace *pace)
{
    return pace->factor ? pace->due_ns : 0;
}

#endif
