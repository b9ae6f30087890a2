/* SPDX-License-Identifier: MIT */
#include "mock_server/kept.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 4096 };

void lwp_kept_lines(const struct lwp_kept *kept, struct lwp_bytes parts[2])
{
    parts[0] = parts[1] = (struct lwp_bytes){NULL, 0};
    if (!kept->ring)
        return;
    const size_t to_end = kept->capacity - kept->first;
    const size_t front = kept->size < to_end ? kept->size : to_end;
    parts[0] = (struct lwp_bytes){kept->ring + kept->first, front};
    parts[1] = (struct lwp_bytes){kept->ring, kept->size - front};
}

/* The size of the oldest line. */
static size_t first_size(const struct lwp_kept *kept)
{
    struct lwp_bytes parts[2];
    lwp_kept_lines(kept, parts);
    for (size_t i = 0; i < 2; i++) {
        const uint8_t *end = parts[i].size ? memchr(parts[i].data, '\n', parts[i].size) : NULL;
        if (end)
            return (size_t)(end - parts[i].data) + 1 + (i ? parts[0].size : 0);
    }
    return kept->size;
}

static void drop(struct lwp_kept *kept, size_t size)
{
    kept->dropped_count++;
    kept->dropped_size += size;
}

static void drop_first(struct lwp_kept *kept)
{
    const size_t size = first_size(kept);
    kept->first = (kept->first + size) % kept->capacity;
    kept->size -= size;
    drop(kept, size);
}

/* Makes the ring hold `size` bytes, its lines at the front. */
static enum lwp_status grow(struct lwp_kept *kept, size_t size)
{
    size_t capacity = kept->capacity ? kept->capacity : FIRST_CAPACITY;
    while (capacity < size)
        capacity = capacity < kept->limit / 2 ? 2 * capacity : kept->limit;
    uint8_t *ring = malloc(capacity);
    if (!ring)
        return LWP_NO_MEMORY;
    struct lwp_bytes parts[2];
    struct lwp_writer out = lwp_writer_on(ring, capacity);
    lwp_kept_lines(kept, parts);
    lwp_write(&out, parts[0]);
    lwp_write(&out, parts[1]);
    free(kept->ring);
    kept->ring = ring;
    kept->capacity = capacity;
    kept->first = 0;
    return LWP_OK;
}

static void put(struct lwp_kept *kept, struct lwp_bytes bytes)
{
    const size_t at = (kept->first + kept->size) % kept->capacity;
    const size_t to_end = kept->capacity - at;
    const size_t front = bytes.size < to_end ? bytes.size : to_end;
    memcpy(kept->ring + at, bytes.data, front);
    memcpy(kept->ring, bytes.data + front, bytes.size - front);
    kept->size += bytes.size;
}

enum lwp_status lwp_kept_add(struct lwp_kept *kept, struct lwp_bytes line)
{
    const size_t size = line.size + 1;
    while (kept->size && kept->size + size > kept->limit)
        drop_first(kept);
    const bool fits = size <= kept->limit;
    if (!fits || (kept->size + size > kept->capacity && grow(kept, kept->size + size) != LWP_OK)) {
        drop(kept, size);
        return fits ? LWP_NO_MEMORY : LWP_OK;
    }
    put(kept, line);
    put(kept, lwp_bytes_text("\n"));
    return LWP_OK;
}

void lwp_kept_done(struct lwp_kept *kept)
{
    free(kept->ring);
    *kept = (struct lwp_kept){.limit = kept->limit};
}
