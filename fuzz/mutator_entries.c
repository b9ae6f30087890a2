/* SPDX-License-Identifier: MIT */
/* mutator_entries.c - where libFuzzer and AFL++ call the mutator. FUZZ_HEAD_SIZE is the target's. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/mutator.h"

#ifndef FUZZ_HEAD_SIZE
#define FUZZ_HEAD_SIZE 0
#endif

/* NOLINTBEGIN(readability-identifier-naming,readability-function-size): the engines want them so. */

/* Only there under libFuzzer. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size) __attribute__((weak));

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max_size, unsigned seed);
void *afl_custom_init(void *afl, unsigned seed);
size_t afl_custom_fuzz(void *user, uint8_t *data, size_t size, uint8_t **out, const uint8_t *other,
                       size_t other_size, size_t max_size);
void afl_custom_deinit(void *user);

static struct mutation mutation_of(uint64_t seed)
{
    return (struct mutation){
        .seed = seed, .head_size = FUZZ_HEAD_SIZE, .change_bytes = LLVMFuzzerMutate};
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    struct mutation mutation = mutation_of(seed);
    return mutate(&mutation, data, size, max_size);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max_size, unsigned seed)
{
    struct mutation mutation = mutation_of(seed);
    return mutate_cross(&mutation, (struct lwp_bytes){a, a_size}, (struct lwp_bytes){b, b_size},
                        out, max_size);
}

/* What AFL++ gets back from afl_custom_init(). */
struct afl_state {
    uint64_t seed;
    uint8_t *room;
    size_t room_size;
};

void *afl_custom_init(void *afl, unsigned seed)
{
    (void)afl;
    struct afl_state *state = calloc(1, sizeof(*state));
    if (state)
        state->seed = (uint64_t)seed << 32;
    return state;
}

/* The input is changed, or every fourth time joined with the other one that AFL++ offers. 0 makes it
 * skip this round. */
size_t afl_custom_fuzz(void *user, uint8_t *data, size_t size, uint8_t **out, const uint8_t *other,
                       size_t other_size, size_t max_size)
{
    struct afl_state *state = user;
    if (state->room_size < max_size) {
        free(state->room);
        state->room = malloc(max_size);
        state->room_size = state->room ? max_size : 0;
    }
    *out = state->room;
    if (!state->room || size > max_size)
        return 0;
    struct mutation mutation = mutation_of(state->seed++);
    if (other && state->seed % 4 == 0)
        return mutate_cross(&mutation, (struct lwp_bytes){data, size},
                            (struct lwp_bytes){other, other_size}, state->room, max_size);
    if (size)
        memcpy(state->room, data, size);
    return mutate(&mutation, state->room, size, max_size);
}

void afl_custom_deinit(void *user)
{
    struct afl_state *state = user;
    free(state->room);
    free(state);
}

/* NOLINTEND(readability-identifier-naming,readability-function-size) */
