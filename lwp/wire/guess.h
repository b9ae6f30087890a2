/* SPDX-License-Identifier: MIT */
/* guess.h - which dialect captured bytes are in, as far as they show it. */
#ifndef LWP_WIRE_GUESS_H
#define LWP_WIRE_GUESS_H

#include "lwp/wire/frame.h"

/* What was found. */
struct lwp_guess {
    const struct lwp_dialect *dialect; /* NULL if there is no sound header. */
    size_t offset;                     /* Of the first sound header. */
    bool by_errors;                    /* An ErrorResponse has shown more than the polynomial. */
};

/**
 * Looks for the first sound header, at any offset, and goes on from there as long as frames are
 * sound. The header checksum shows the polynomial: CRC-32C is `spec`, CRC-32 is `lance`. With
 * CRC-32, an ErrorResponse that is a JSON object makes it `lance-py`.
 */
struct lwp_guess lwp_dialect_guess(struct lwp_bytes captured);

/**
 * Finds the next header that is sound by either polynomial, from `at` on: its offset, or
 * `captured.size` if there is none. `*polynomial` is set if there is one.
 */
size_t lwp_header_find(struct lwp_bytes captured, size_t at, enum lwp_polynomial *polynomial);

#endif
