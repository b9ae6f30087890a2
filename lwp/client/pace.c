/* SPDX-License-Identifier: MIT */
#include "lwp/client/pace.h"

#define WINDOW_NS (LWP_PACE_SLOTS * LWP_PACE_SLOT_NS)
#define LONGEST_NS UINT64_C(1000000000)

enum { MAX_FACTOR = 1024 };

/* Empties the slots that time has passed over. */
static void turn_to(struct lwp_pace *pace, uint64_t now_ns)
{
    const uint64_t slot = now_ns / LWP_PACE_SLOT_NS;
    for (int i = 0; i < LWP_PACE_SLOTS && pace->slot < slot; i++) {
        pace->slot =
            slot - pace->slot > LWP_PACE_SLOTS ? slot - LWP_PACE_SLOTS + 1 : pace->slot + 1;
        pace->frames[pace->slot % LWP_PACE_SLOTS] = 0;
        pace->bytes[pace->slot % LWP_PACE_SLOTS] = 0;
    }
}

static uint64_t sum(const uint64_t slots[LWP_PACE_SLOTS])
{
    uint64_t total = 0;
    for (int i = 0; i < LWP_PACE_SLOTS; i++)
        total += slots[i];
    return total;
}

/* The time that `amount` takes at the rate of before, slowed down. */
static uint64_t time_of(const struct lwp_pace *pace, uint64_t amount, uint64_t amount_before)
{
    /* Larger frames than these are none that a server takes; so nothing overflows below. */
    const uint64_t most = UINT64_C(1) << 26;
    if (amount > most)
        amount = most;
    if (amount_before == 0)
        amount_before = amount;
    const uint64_t time_ns = amount * WINDOW_NS * pace->factor / amount_before;
    return time_ns < LONGEST_NS ? time_ns : LONGEST_NS;
}

static void set_due(struct lwp_pace *pace, size_t size, uint64_t now_ns)
{
    const uint64_t by_frames = time_of(pace, 1, pace->frames_before);
    const uint64_t by_bytes = size ? time_of(pace, size, pace->bytes_before) : 0;
    pace->due_ns = now_ns + (by_frames > by_bytes ? by_frames : by_bytes);
}

void lwp_pace_sent(struct lwp_pace *pace, size_t size, uint64_t now_ns)
{
    turn_to(pace, now_ns);
    pace->frames[pace->slot % LWP_PACE_SLOTS]++;
    pace->bytes[pace->slot % LWP_PACE_SLOTS] += size;
    if (pace->factor)
        set_due(pace, size, now_ns);
}

void lwp_pace_slow(struct lwp_pace *pace, uint64_t now_ns)
{
    turn_to(pace, now_ns);
    if (pace->factor == 0) {
        pace->factor = 1;
        pace->frames_before = sum(pace->frames);
        pace->bytes_before = sum(pace->bytes);
    }
    if (pace->factor < MAX_FACTOR)
        pace->factor *= 2;
    set_due(pace, 0, now_ns);
}

void lwp_pace_free(struct lwp_pace *pace)
{
    pace->factor = 0;
}
