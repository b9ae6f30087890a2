/* SPDX-License-Identifier: MIT */
/* dice.h - chance that can be had again: the same seed gives the same throws. */
#ifndef LWP_SIM_DICE_H
#define LWP_SIM_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_dice {
    uint64_t state;
};

/** 64 bits (SplitMix64). */
static inline uint64_t sim_roll(struct sim_dice *dice)
{
    dice->state += 0x9e3779b97f4a7c15;
    uint64_t value = dice->state;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
    value = (value ^ value >> 27) * 0x94d049bb133111eb;
    return value ^ value >> 31;
}

/** A number from `least` to `most`, both included. */
static inline uint64_t sim_between(struct sim_dice *dice, uint64_t least, uint64_t most)
{
    return least + sim_roll(dice) % (most - least + 1);
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
