/* SPDX-License-Identifier: MIT */
#include "lwp/tools/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHUNK = 65536 };

static enum lwp_status take(struct lines *lines, size_t end, size_t next, struct lwp_bytes *line)
{
    const size_t size = end - lines->begin;
    if (size > lines->limit)
        return LWP_PAYLOAD_TOO_LARGE;
    *line = (struct lwp_bytes){lines->data + lines->begin, size};
    lines->begin = lines->scanned = next;
    return LWP_OK;
}

enum lwp_status lines_next(struct lines *lines, struct lwp_bytes *line)
{
    const size_t left = lines->end - lines->scanned;
    const uint8_t *found =
        left && !lines->whole ? memchr(lines->data + lines->scanned, '\n', left) : NULL;
    if (found) {
        const size_t end = (size_t)(found - lines->data);
        return take(lines, end, end + 1, line);
    }
    lines->scanned = lines->end;
    if (lines->end - lines->begin > lines->limit)
        return LWP_PAYLOAD_TOO_LARGE;
    if (!lines->ended)
        return LWP_MORE;
    if (lines->begin == lines->end)
        return LWP_END;
    return take(lines, lines->end, lines->end, line);
}

/* Room for a chunk behind what is there, which moves to the front. */
static bool make_room(struct lines *lines)
{
    const size_t kept = lines->end - lines->begin;
    if (lines->begin && kept)
        memmove(lines->data, lines->data + lines->begin, kept);
    lines->scanned -= lines->begin;
    lines->begin = 0;
    lines->end = kept;
    if (lines->room - kept >= CHUNK)
        return true;
    const size_t room = 2 * (kept + CHUNK);
    uint8_t *data = realloc(lines->data, room);
    if (!data)
        return false;
    lines->data = data;
    lines->room = room;
    return true;
}

enum lwp_status lines_read(struct lines *lines)
{
    if (!make_room(lines))
        return LWP_NO_MEMORY;
    const ssize_t size = read(lines->fd, lines->data + lines->end, CHUNK);
    if (size < 0)
        return errno == EINTR || errno == EAGAIN ? LWP_OK : LWP_IO;
    lines->ended = size == 0;
    lines->end += (size_t)size;
    return LWP_OK;
}

void lines_done(struct lines *lines)
{
    free(lines->data);
    lines->data = NULL;
}
