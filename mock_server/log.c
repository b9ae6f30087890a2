/* SPDX-License-Identifier: MIT */
#include "mock_server/log.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lwp/net/clock.h"
#include "lwp/wire/tlv.h"

enum { FIRST_CAPACITY = 4096, FIRST_SEGMENTS = 8, LARGE_CAPACITY = 8388608 };

/* In small pages, an ingest of 32 KiB spends more time on getting eight of them from the kernel than
 * on all else. The advice is for whole pages, also those that the allocator shares with us: a part
 * with other advice would be a mapping of its own, and realloc() could not move, but only copy. */
static void ask_for_large_pages(uint8_t *data, size_t capacity)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t before = (uintptr_t)data % page;
    if (capacity >= LARGE_CAPACITY)
        (void)madvise(data - before, (before + capacity + page - 1) / page * page, MADV_HUGEPAGE);
}

/* Room for `size` more bytes. */
static enum lwp_status reserve(struct lwp_log *log, size_t size)
{
    if (size <= log->capacity - log->size)
        return LWP_OK;
    size_t capacity = log->capacity ? 2 * log->capacity : FIRST_CAPACITY;
    if (capacity < log->size + size)
        capacity = log->size + size;
    uint8_t *data = realloc(log->data, capacity);
    if (!data)
        return LWP_NO_MEMORY;
    log->data = data;
    log->capacity = capacity;
    ask_for_large_pages(data, capacity);
    return LWP_OK;
}

/* Room for one more closed segment. */
static enum lwp_status reserve_segment(struct lwp_log *log)
{
    if (log->closed_count < log->closed_capacity)
        return LWP_OK;
    const size_t capacity = log->closed_capacity ? 2 * log->closed_capacity : FIRST_SEGMENTS;
    struct lwp_segment *closed = realloc(log->closed, capacity * sizeof(*closed));
    if (!closed)
        return LWP_NO_MEMORY;
    log->closed = closed;
    log->closed_capacity = capacity;
    return LWP_OK;
}

enum lwp_status lwp_log_close(struct lwp_log *log)
{
    if (log->active.size == 0)
        return LWP_OK;
    if (reserve_segment(log) != LWP_OK)
        return LWP_NO_MEMORY;
    log->closed[log->closed_count++] = log->active;
    log->active = (struct lwp_segment){.size = 0};
    return LWP_OK;
}

enum lwp_status lwp_log_append(struct lwp_log *log, struct lwp_bytes bytes, uint64_t now_ns,
                               size_t segment_size)
{
    if (reserve(log, bytes.size) != LWP_OK || reserve_segment(log) != LWP_OK)
        return LWP_NO_MEMORY;
    if (bytes.size)
        memcpy(log->data + log->size, bytes.data, bytes.size);
    log->size += bytes.size;
    log->active.size += bytes.size;
    log->active.written_ns = now_ns;
    return log->active.size >= segment_size ? lwp_log_close(log) : LWP_OK;
}

enum lwp_status lwp_log_insert(struct lwp_log *log, size_t at, struct lwp_bytes bytes,
                               uint64_t now_ns)
{
    if (reserve(log, bytes.size) != LWP_OK)
        return LWP_NO_MEMORY;
    memmove(log->data + at + bytes.size, log->data + at, log->size - at);
    if (bytes.size)
        memcpy(log->data + at, bytes.data, bytes.size);
    if (at < log->visible)
        log->visible += bytes.size;
    log->size += bytes.size;
    log->active.size += bytes.size;
    log->active.written_ns = now_ns;
    return LWP_OK;
}

void lwp_log_flush(struct lwp_log *log)
{
    log->visible = log->size;
}

uint64_t lwp_log_end(const struct lwp_log *log)
{
    return log->first_offset + log->visible;
}

struct lwp_bytes lwp_log_read(const struct lwp_log *log, uint64_t offset, size_t max_bytes)
{
    if (offset < log->first_offset || offset >= lwp_log_end(log))
        return (struct lwp_bytes){NULL, 0};
    const size_t at = (size_t)(offset - log->first_offset);
    const size_t left = log->visible - at;
    return (struct lwp_bytes){log->data + at, left < max_bytes ? left : max_bytes};
}

static bool is_expired(const struct lwp_segment *segment, size_t log_size,
                       const struct lwp_retention *retention)
{
    const uint64_t now = retention->now_ns;
    const uint64_t age = now > segment->written_ns ? now - segment->written_ns : 0;
    return (retention->by_age && age / LWP_SECOND_NS >= retention->max_age_secs) ||
           (retention->by_size && log_size > retention->max_bytes);
}

/* Takes bytes away in front. Memory that is then mostly unused is given back, so that the limit on
 * all logs together stays one. */
static void drop_front(struct lwp_log *log, size_t size)
{
    if (size == 0)
        return;
    memmove(log->data, log->data + size, log->size - size);
    log->size -= size;
    log->visible -= size;
    const size_t wanted = log->size > FIRST_CAPACITY ? log->size : FIRST_CAPACITY;
    if (wanted >= log->capacity / 4)
        return;
    uint8_t *smaller = realloc(log->data, wanted);
    if (!smaller)
        return;
    log->data = smaller;
    log->capacity = wanted;
}

size_t lwp_log_expire(struct lwp_log *log, const struct lwp_retention *retention)
{
    size_t count = 0;
    size_t dropped = 0;
    while (count < log->closed_count && dropped + log->closed[count].size <= log->visible &&
           is_expired(&log->closed[count], log->size - dropped, retention))
        dropped += log->closed[count++].size;
    log->closed_count -= count;
    if (count)
        memmove(log->closed, log->closed + count, log->closed_count * sizeof(*log->closed));
    drop_front(log, dropped);
    if (!retention->shifts)
        log->first_offset += dropped;
    return dropped;
}

/* The size of the record at the front, with the head that the deployed server's core gives it; 0 if
 * there is no whole one. */
static size_t sound_size(struct lwp_bytes in)
{
    enum { EXTENDED = 0xff, EXTENDED_TYPE_SIZE = 2 };
    if (in.size == 0)
        return 0;
    const size_t skipped = in.data[0] == EXTENDED ? EXTENDED_TYPE_SIZE : 0;
    const size_t head_size = LWP_TLV_HEAD_SIZE + skipped;
    if (in.size < head_size)
        return 0;
    const uint32_t value_size = lwp_get32(in.data + 1 + skipped);
    return value_size <= in.size - head_size ? head_size + value_size : 0;
}

size_t lwp_log_cut_unsound(struct lwp_log *log)
{
    size_t sound = log->size - log->active.size;
    size_t step;
    if (!log->data) /* Nothing was ever appended. */
        return 0;
    while ((step = sound_size((struct lwp_bytes){log->data + sound, log->size - sound})) != 0)
        sound += step;
    const size_t cut = log->size - sound;
    log->size = sound;
    log->active.size -= cut;
    if (log->visible > log->size)
        log->visible = log->size;
    return cut;
}

void lwp_log_done(struct lwp_log *log)
{
    free(log->data);
    free(log->closed);
    *log = (struct lwp_log){.data = NULL};
}
