/* SPDX-License-Identifier: MIT */
#include "lwp/client/throttle.h"

#define WINDOW_NS (LWP_THROTTLE_SLOTS * LWP_THROTTLE_SLOT_NS)
#define LONGEST_NS UINT64_C(1000000000)

enum { MAX_FACTOR = 1024 };

/* Empties the slots that time has passed over. */
static void turn_to(struct lwp_throttle *throttle, uint64_t now_ns)
{
    const uint64_t slot = now_ns / LWP_THROTTLE_SLOT_NS;
    for (int i = 0; i < LWP_THROTTLE_SLOTS && throttle->slot < slot; i++) {
        throttle->slot = slot - throttle->slot > LWP_THROTTLE_SLOTS ? slot - LWP_THROTTLE_SLOTS + 1
                                                                    : throttle->slot + 1;
        throttle->frames[throttle->slot % LWP_THROTTLE_SLOTS] = 0;
        throttle->bytes[throttle->slot % LWP_THROTTLE_SLOTS] = 0;
    }
}

static uint64_t sum(const uint64_t slots[LWP_THROTTLE_SLOTS])
{
    uint64_t total = 0;
    for (int i = 0; i < LWP_THROTTLE_SLOTS; i++)
        total += slots[i];
    return total;
}

/* The time that `amount` takes at the rate of before, slowed down. */
static uint64_t time_of(const struct lwp_throttle *throttle, uint64_t amount,
                        uint64_t amount_before)
{
    /* Larger frames than these are none that a server takes; so nothing overflows below. */
    const uint64_t most = UINT64_C(1) << 26;
    if (amount > most)
        amount = most;
    if (amount_before == 0)
        amount_before = amount;
    const uint64_t time_ns = amount * WINDOW_NS * throttle->factor / amount_before;
    return time_ns < LONGEST_NS ? time_ns : LONGEST_NS;
}

static void set_due(struct lwp_throttle *throttle, size_t size, uint64_t now_ns)
{
    const uint64_t by_frames = time_of(throttle, 1, throttle->frames_before);
    const uint64_t by_bytes = size ? time_of(throttle, size, throttle->bytes_before) : 0;
    throttle->due_ns = now_ns + (by_frames > by_bytes ? by_frames : by_bytes);
}

void lwp_throttle_sent(struct lwp_throttle *throttle, size_t size, uint64_t now_ns)
{
    turn_to(throttle, now_ns);
    throttle->frames[throttle->slot % LWP_THROTTLE_SLOTS]++;
    throttle->bytes[throttle->slot % LWP_THROTTLE_SLOTS] += size;
    if (throttle->factor)
        set_due(throttle, size, now_ns);
}

void lwp_throttle_slow(struct lwp_throttle *throttle, uint64_t now_ns)
{
    turn_to(throttle, now_ns);
    if (throttle->factor == 0) {
        throttle->factor = 1;
        throttle->frames_before = sum(throttle->frames);
        throttle->bytes_before = sum(throttle->bytes);
    }
    if (throttle->factor < MAX_FACTOR)
        throttle->factor *= 2;
    set_due(throttle, 0, now_ns);
}

void lwp_throttle_free(struct lwp_throttle *throttle)
{
    throttle->factor = 0;
}
