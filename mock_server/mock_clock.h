/* SPDX-License-Identifier: MIT */
/* mock_clock.h - the mock's own time: the caller's, moved forward or held. All timers of the mock
 * are on it, and this is the one place that translates. */
#ifndef LWP_MOCK_MOCK_CLOCK_H
#define LWP_MOCK_MOCK_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* When the caller's clock showed `outer_ns`, ours showed `inner_ns`. All zeros: the caller's own. */
struct mock_clock {
    uint64_t outer_ns;
    uint64_t inner_ns;
    bool frozen;
};

/** What our clock shows when the caller's shows `outer_ns`. It never goes backwards as long as the
 * caller's does not, and stops just before LWP_NEVER. */
uint64_t mock_clock_at(const struct mock_clock *clock, uint64_t outer_ns);

/** When, on the caller's clock, ours will show `inner_ns`: LWP_NEVER if it stands still before
 * that; a time that has passed if it has shown it already. */
uint64_t mock_clock_when(const struct mock_clock *clock, uint64_t inner_ns);

/** Moves our clock forward at once, frozen or not. */
void mock_clock_advance(struct mock_clock *clock, uint64_t duration_ns);

/** Holds our clock, or lets it go on from where it stands. */
void mock_clock_freeze(struct mock_clock *clock, uint64_t outer_ns);
void mock_clock_thaw(struct mock_clock *clock, uint64_t outer_ns);

#endif
