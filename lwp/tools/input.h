/* SPDX-License-Identifier: MIT */
/* input.h - a file or standard input as bytes in memory, and what they seem to be. */
#ifndef LWP_TOOLS_INPUT_H
#define LWP_TOOLS_INPUT_H

#include "lwp/wire/bytes.h"

enum { LWP_INPUT_MAX_SIZE = 1 << 30 }; /* 1 GiB. */

/* The bytes of a file; ended by lwp_input_close(). */
struct lwp_input {
    struct lwp_bytes bytes;
    void *held; /* What is freed or unmapped at the end. */
    bool mapped;
};

/**
 * Reads the whole file, or standard input for "-". A regular file is mapped into memory, read only;
 * anything else is read in pieces, into memory that grows with what has come.
 *
 * Returns NULL, or what went wrong; then there is nothing to close.
 */
const char *lwp_input_open(const char *name, struct lwp_input *input);

/** Gives back what lwp_input_open() took. */
void lwp_input_close(struct lwp_input *input);

#endif
