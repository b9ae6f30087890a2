/* SPDX-License-Identifier: MIT */
/* mutator.h - changes inputs that are streams of frames (stream.h) so that they stay worth reading: by
 * frame and by field, with lengths and checksums put right again - mostly. mutator.c has the entries of
 * libFuzzer and of AFL++ as well. */
#ifndef FUZZ_MUTATOR_H
#define FUZZ_MUTATOR_H

#include "lwp/wire/bytes.h"

/* Changes some bytes and returns their new size, from 1 to `max_size`: LLVMFuzzerMutate() or ours. */
typedef size_t mutate_bytes(uint8_t *data, size_t size, size_t max_size);

struct mutation {
    uint64_t seed;
    size_t head_size; /* Bytes in front of the stream, which say how the target is set up. */
    mutate_bytes *change_bytes; /* NULL: our own, from the seed. */
    bool is_raw;                /* Out: changed as bytes, and nothing was put right. */
};

/**
 * Changes the input in `data` and returns its new size, at most `max_size`. The same input, seed and
 * `change_bytes` give the same result.
 *
 * One time in eight it is changed as bytes. Else one to four changes are made (frames inserted, removed,
 * doubled, swapped, cut, joined; header fields, payload fields, records, LZ4, what stands between frames),
 * and then each frame gets its count of records, sizes, payload and header checksum in this order; each of these
 * is left out one time in sixteen, and a field that was changed on purpose stays as it is.
 */
size_t mutate(struct mutation *mutation, uint8_t *data, size_t size, size_t max_size);

/** The front of one input and the back of another, cut between frames, in `out`; returns the size, at
 * most `max_size`. */
size_t mutate_cross(const struct mutation *mutation, struct lwp_bytes a, struct lwp_bytes b,
                    uint8_t *out, size_t max_size);

#endif
