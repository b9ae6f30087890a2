/* SPDX-License-Identifier: MIT */
#include "lwp/tools/stream.h"

#include <stdlib.h>

enum { FIRST_PARTS = 8, FIRST_STORE = 4096, NEAR = 1 << 20 };

/* So far from 0 that what is older than the first segment has a place, too. */
#define ORIGIN (1ULL << 32)

/* The place of a sequence number: the one nearest to the newest place. */
static uint64_t place_of(const struct lwp_stream *stream, uint32_t sequence)
{
    if (!stream->begun)
        return ORIGIN + sequence;
    const uint32_t ahead = sequence - (uint32_t)stream->newest;
    if (ahead < 1U << 31)
        return stream->newest + ahead;
    return stream->newest - (uint32_t)-ahead;
}

bool lwp_stream_is_reused(const struct lwp_stream *stream, const struct lwp_segment *segment)
{
    if (!(segment->flags & LWP_TCP_SYN) || !stream->begun)
        return false;
    const uint64_t first = place_of(stream, segment->sequence) + 1;
    if (stream->started)
        return !stream->syn || first != stream->first;
    /* A SYN that was overtaken by its data is close in front of it. */
    return first > stream->newest || stream->newest - first > NEAR;
}

static enum lwp_status make_part_room(struct lwp_stream *stream)
{
    if (stream->part_count < stream->part_room)
        return LWP_OK;
    const size_t room = stream->part_room ? 2 * stream->part_room : FIRST_PARTS;
    void *parts = realloc(stream->parts, room * sizeof(*stream->parts));
    if (!parts)
        return LWP_NO_MEMORY;
    stream->parts = parts;
    stream->part_room = room;
    return LWP_OK;
}

static enum lwp_status make_store_room(struct lwp_stream *stream, size_t size)
{
    if (stream->store && size <= stream->store_room - stream->store_size)
        return LWP_OK;
    size_t room = stream->store_room ? stream->store_room : FIRST_STORE;
    while (room - stream->store_size < size)
        room *= 2;
    void *store = realloc(stream->store, room);
    if (!store)
        return LWP_NO_MEMORY;
    stream->store = store;
    stream->store_room = room;
    return LWP_OK;
}

/* Room for one part and its bytes. */
static enum lwp_status make_room(struct lwp_stream *stream, size_t size)
{
    const size_t held = stream->store_size + (stream->part_count + 1) * sizeof(*stream->parts);
    if (held > stream->limit || size > stream->limit - held)
        return LWP_FULL;
    const enum lwp_status status = make_part_room(stream);
    return status == LWP_OK ? make_store_room(stream, size) : status;
}

/* Remembers how far the sequence has come. */
static void note_place(struct lwp_stream *stream, uint64_t at, const struct lwp_segment *segment)
{
    if (segment->flags & LWP_TCP_SYN && !stream->started) {
        stream->syn = stream->started = true;
        stream->first = stream->next = at;
    }
    if (!stream->begun || at > stream->newest)
        stream->newest = at;
    /* A FIN takes a number, too: what follows it is one further on. */
    const bool tells_end = segment->size || segment->flags & LWP_TCP_FIN;
    if (tells_end && at + segment->size > stream->end)
        stream->end = at + segment->size;
    stream->begun = true;
}

enum lwp_status lwp_stream_add(struct lwp_stream *stream, const struct lwp_segment *segment)
{
    /* A SYN takes a number of its own. */
    const uint64_t at =
        place_of(stream, segment->sequence) + (segment->flags & LWP_TCP_SYN ? 1 : 0);
    const struct lwp_bytes data = segment->data;
    const bool old = stream->started && at + data.size <= stream->next;
    if (data.size && !old) {
        const enum lwp_status status = make_room(stream, data.size);
        if (status != LWP_OK)
            return status;
        memcpy(stream->store + stream->store_size, data.data, data.size);
        stream->parts[stream->part_count++] =
            (struct lwp_stream_part){at, stream->store_size, (uint32_t)data.size};
        stream->store_size += data.size;
    }
    note_place(stream, at, segment);
    return LWP_OK;
}

/* By place; of two at the same place, what came first is first. */
static int compare_parts(const void *left, const void *right)
{
    const struct lwp_stream_part *a = left;
    const struct lwp_stream_part *b = right;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

struct lwp_stream_walk lwp_stream_order(struct lwp_stream *stream)
{
    if (stream->part_count)
        qsort(stream->parts, stream->part_count, sizeof(*stream->parts), compare_parts);
    if (!stream->started && stream->part_count) {
        stream->started = true;
        stream->first = stream->next = stream->parts[0].at;
    }
    return (struct lwp_stream_walk){0, stream->next, 0};
}

/* Appends what the part has behind the run, and compares what it repeats. */
static void append_part(struct lwp_stream *stream, const struct lwp_stream_part *part,
                        uint8_t *buffer, struct lwp_stream_run *run)
{
    const uint8_t *from = stream->store + part->place;
    const uint64_t run_end = run->at + run->bytes.size;
    uint64_t at = part->at;
    size_t left = part->size;
    if (at < run->at) {
        const uint64_t before = run->at - at;
        if (before >= left)
            return;
        from += before;
        left -= (size_t)before;
        at = run->at;
    }
    const size_t twice = run_end - at < left ? (size_t)(run_end - at) : left;
    if (twice && memcmp(buffer + (at - run->at), from, twice) != 0)
        stream->conflict = true;
    if (left > twice)
        memcpy(buffer + run->bytes.size, from + twice, left - twice);
    run->bytes.size += left - twice;
}

bool lwp_stream_next_run(struct lwp_stream *stream, struct lwp_stream_walk *walk, uint8_t *buffer,
                         struct lwp_stream_run *run)
{
    const struct lwp_stream_part *parts = stream->parts;
    while (walk->part < stream->part_count &&
           parts[walk->part].at + parts[walk->part].size <= walk->next)
        walk->passed += parts[walk->part++].size;
    if (walk->part == stream->part_count)
        return false;
    const uint64_t first = parts[walk->part].at;
    *run = (struct lwp_stream_run){first > walk->next ? first : walk->next, {buffer, 0}, 0};
    while (walk->part < stream->part_count && parts[walk->part].at <= run->at + run->bytes.size) {
        append_part(stream, &parts[walk->part], buffer, run);
        walk->passed += parts[walk->part++].size;
    }
    run->behind = stream->store_size - walk->passed;
    walk->next = run->at + run->bytes.size;
    return true;
}

enum lwp_status lwp_stream_forget(struct lwp_stream *stream, uint64_t at)
{
    struct lwp_stream kept = {.limit = stream->limit};
    enum lwp_status status = LWP_OK;
    for (size_t i = 0; i < stream->part_count && status == LWP_OK; i++) {
        struct lwp_stream_part part = stream->parts[i];
        if (part.size == 0 || part.at + part.size <= at)
            continue;
        const uint32_t before = part.at < at ? (uint32_t)(at - part.at) : 0;
        part.at += before;
        part.place += before;
        part.size -= before;
        status = make_room(&kept, part.size);
        if (status != LWP_OK)
            break;
        memcpy(kept.store + kept.store_size, stream->store + part.place, part.size);
        part.place = kept.store_size;
        kept.parts[kept.part_count++] = part;
        kept.store_size += part.size;
    }
    if (status != LWP_OK) {
        lwp_stream_done(&kept);
        return LWP_NO_MEMORY;
    }
    lwp_stream_done(stream);
    stream->parts = kept.parts;
    stream->part_count = kept.part_count;
    stream->part_room = kept.part_room;
    stream->store = kept.store;
    stream->store_size = kept.store_size;
    stream->store_room = kept.store_room;
    stream->next = at;
    return LWP_OK;
}

void lwp_stream_done(struct lwp_stream *stream)
{
    free(stream->parts);
    free(stream->store);
    stream->parts = NULL;
    stream->store = NULL;
    stream->part_count = stream->part_room = 0;
    stream->store_size = stream->store_room = 0;
}
