/* SPDX-License-Identifier: MIT */
/* fuzz.h - what every fuzz target needs: the entry, the assertion, the input in a safe place. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "lwp/wire/dialect.h"

enum { FUZZ_MAX_INPUT = 1 << 25 }; /* Bytes that fuzz_flush() takes. */

/** The entry that libFuzzer, AFL++ and replay.c call; 0, or it does not return. */
/* NOLINTNEXTLINE(readability-identifier-naming): the engines call it so. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process if the property does not hold, in every build. */
#define FUZZ_ASSERT(property)                                                                      \
    ((property) ? (void)0 : fuzz_fail(__FILE__, __LINE__, __func__, #property))

_Noreturn void fuzz_fail(const char *file, int line, const char *function, const char *property);

/** One of the dialects. */
const struct lwp_dialect *fuzz_dialect(uint8_t choice);

/**
 * A copy of the bytes that ends where readable memory ends: reading past them is a crash, also in
 * libraries that no sanitizer sees. Valid until the next call.
 */
struct lwp_bytes fuzz_flush(const uint8_t *data, size_t size);

/** Room of `size` bytes that ends where memory does: writing past it is a crash. Valid until the next
 * call. */
uint8_t *fuzz_flush_room(size_t size);

/**
 * Adds to the verdict on the present input: statuses, decoded fields, what was answered. A crash is not all
 * that can go wrong, and replay.c compares verdicts with those that are kept.
 */
void fuzz_note(uint64_t value);
void fuzz_note_bytes(struct lwp_bytes bytes);

/** The verdict on the present input, of which a new one begins. */
uint64_t fuzz_verdict(void);

/** A buffer of exactly `size` bytes; ends with free(). */
uint8_t *fuzz_room(size_t size);

#endif
