/* SPDX-License-Identifier: MIT */
/* consume.h - how records are printed; for consume*.c only. */
#ifndef LWP_TOOLS_CONSUME_H
#define LWP_TOOLS_CONSUME_H

#include <stdio.h>

#include "lwp/lwp.h"

enum consume_format { CONSUME_RAW, CONSUME_JSON, CONSUME_HEX };

/* How to print. */
struct consume_style {
    enum consume_format format;
    bool is_terminal; /* Standard output is one: a peer's bytes are escaped. */
};

/**
 * Prints a record of the log, one line:
 *
 * CONSUME_RAW   its value as it is, without the key and time that its type has in front.
 * CONSUME_JSON  an object: offset, type, word, size, what there is of timestamp_ns and key, value.
 * CONSUME_HEX   offset, type, size and the whole value in hex.
 */
void consume_print(const struct consume_style *style, uint64_t offset,
                   const struct lwp_record *record);

/** Prints bytes that are no records: as they are, or escaped on a terminal; or in hex, a line; or a
 * JSON object with offset and data. */
void consume_print_bytes(const struct consume_style *style, uint64_t offset,
                         struct lwp_bytes bytes);

#endif
