/* SPDX-License-Identifier: MIT */
/* dice.h - the dice of the simulation. */
#ifndef LWP_SIM_DICE_H
#define LWP_SIM_DICE_H

#include <stdbool.h>
#include <stddef.h>

#include "lwp/wire/dice.h"

struct sim_dice {
    uint64_t state;
};

/** 64 bits. */
static inline uint64_t sim_roll(struct sim_dice *dice)
{
    return lwp_dice_next(&dice->state);
}

/** A number from `least` to `most`, both included. */
static inline uint64_t sim_between(struct sim_dice *dice, uint64_t least, uint64_t most)
{
    return lwp_dice_between(&dice->state, least, most);
}

/** True in one case of `count`. */
static inline bool sim_one_in(struct sim_dice *dice, unsigned count)
{
    return sim_roll(dice) % count == 0;
}

/** The same as sim_between(), but small numbers come more often: each size of number equally. */
static inline uint64_t sim_scaled(struct sim_dice *dice, uint64_t least, uint64_t most)
{
    while (most / 2 > least && sim_one_in(dice, 2))
        most /= 2;
    return sim_between(dice, least, most);
}

#endif
