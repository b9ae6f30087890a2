/* SPDX-License-Identifier: MIT */
/* lines.h - a descriptor as lines, read as they come, so that whoever reads can wait for other things
 * meanwhile. */
#ifndef LWP_TOOLS_LINES_H
#define LWP_TOOLS_LINES_H

#include "lwp/wire/status.h"

/* Begin with the descriptor and the limit, all else 0. */
struct lines {
    int fd;
    size_t limit; /* Bytes of a line. */
    bool whole;   /* All that comes is one line. */
    bool ended;
    uint8_t *data;
    size_t room;
    size_t begin;   /* Of the next line; */
    size_t scanned; /* no line ends before this; */
    size_t end;     /* and this is how far it was read. */
};

/**
 * The next line, without its end. A last line that does not end is one, too; one of nothing is not.
 *
 * LWP_OK                 `*line` lives until the next call.
 * LWP_MORE               call lines_read() first.
 * LWP_END                there is none left.
 * LWP_PAYLOAD_TOO_LARGE  it has more than `limit` bytes; there is no way behind it.
 */
enum lwp_status lines_next(struct lines *lines, struct lwp_bytes *line);

/** Reads once, which waits only if there is nothing to read: LWP_OK, LWP_NO_MEMORY, or LWP_IO with errno
 * set. */
enum lwp_status lines_read(struct lines *lines);

/** Frees what it holds; the descriptor stays open. */
void lines_done(struct lines *lines);

#endif
