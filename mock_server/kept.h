/* SPDX-License-Identifier: MIT */
/* kept.h - the newest lines of a log, in a ring that grows up to a limit. */
#ifndef LWP_MOCK_KEPT_H
#define LWP_MOCK_KEPT_H

#include "lwp/wire/status.h"

/* Lines with their ends. Made of zeros but for `limit`. */
struct lwp_kept {
    size_t limit; /* Bytes of lines that are kept at most. */
    uint8_t *ring;
    size_t capacity;
    size_t first; /* Where the oldest line begins. */
    size_t size;
    uint64_t dropped_count; /* Lines that there was no room for any more. */
    uint64_t dropped_size;  /* Their bytes. */
};

/** Keeps a line, given without its end and with no other in it, and drops as many of the oldest as
 * that takes; one that is larger than the limit drops all, itself included. LWP_OK, or LWP_NO_MEMORY
 * with the line counted as dropped. */
enum lwp_status lwp_kept_add(struct lwp_kept *kept, struct lwp_bytes line);

/** The lines, oldest first, as two views, of which the second may be empty; until the next line. */
void lwp_kept_lines(const struct lwp_kept *kept, struct lwp_bytes parts[2]);

/** Frees the memory. */
void lwp_kept_done(struct lwp_kept *kept);

#endif
