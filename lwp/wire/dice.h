/* SPDX-License-Identifier: MIT */
/* dice.h - chance that can be had again: the same state gives the same throws (SplitMix64). Any state will
 * do, 0 included. Not for secrets. */
#ifndef LWP_WIRE_DICE_H
#define LWP_WIRE_DICE_H

#include <stdint.h>

#define LWP_DICE_STEP UINT64_C(0x9e3779b97f4a7c15) /* From one state to the next. */

/** Makes 64 bits of a state that look like nothing in particular. */
static inline uint64_t lwp_dice_mix(uint64_t state)
{
    state = (state ^ state >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    state = (state ^ state >> 27) * UINT64_C(0x94d049bb133111eb);
    return state ^ state >> 31;
}

/** The next 64 bits; the state goes on. */
static inline uint64_t lwp_dice_next(uint64_t *state)
{
    *state += LWP_DICE_STEP;
    return lwp_dice_mix(*state);
}

/** A number from `least` to `most`, both included, which are not all there are. */
static inline uint64_t lwp_dice_between(uint64_t *state, uint64_t least, uint64_t most)
{
    return least + lwp_dice_next(state) % (most - least + 1);
}

#endif
