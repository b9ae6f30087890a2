/* SPDX-License-Identifier: MIT */
/* stream.h - one direction of a TCP connection, put together from its segments. */
#ifndef LWP_TOOLS_STREAM_H
#define LWP_TOOLS_STREAM_H

#include "lwp/tools/packet.h"
#include "lwp/wire/status.h"

enum { LWP_STREAM_LIMIT = 67108864 }; /* 64 MiB: the default of what a stream may hold. */

/* A segment that is held. */
struct lwp_stream_part {
    uint64_t at;  /* Its place in the sequence, counted on past 2^32. */
    size_t place; /* Of its bytes in the store. */
    uint32_t size;
};

/**
 * What is held of a stream: segments in the order in which they came, and their bytes. Memory grows
 * with what was captured; `limit` bounds it. Made of zeros but for `flow` and `limit`.
 */
struct lwp_stream {
    struct lwp_flow flow;
    size_t limit;
    struct lwp_stream_part *parts;
    size_t part_count;
    size_t part_room;
    uint8_t *store;
    size_t store_size;
    size_t store_room;
    bool begun;      /* A segment was seen: `newest` counts. */
    bool syn;        /* The first byte is known: the one behind the SYN. */
    bool started;    /* `first` and `next` count: from the SYN on, or since the first run. */
    bool conflict;   /* Bytes came twice and differed. */
    uint64_t newest; /* The highest place seen, to count sequence numbers on. */
    uint64_t first;  /* The place of the stream's first byte. */
    uint64_t next;   /* What lies before is done with. */
    uint64_t end;    /* Behind the last byte that was sent, captured or not. */
};

/* Bytes of a stream without a gap. */
struct lwp_stream_run {
    uint64_t at;            /* Their place in the sequence. */
    struct lwp_bytes bytes; /* In the buffer of lwp_stream_run(). */
    size_t behind;          /* How many more bytes are held behind them, behind a gap. */
};

/* A walk over the runs: a value, made by lwp_stream_order(). */
struct lwp_stream_walk {
    size_t part;
    uint64_t next;
    size_t passed; /* Bytes of the segments that are behind the walk. */
};

/** Whether a segment with a SYN belongs to a new connection between the same ends. */
bool lwp_stream_is_reused(const struct lwp_stream *stream, const struct lwp_segment *segment);

/**
 * Keeps the segment's bytes. LWP_OK; LWP_FULL if more would be held than `limit`: then it was not
 * taken, and lwp_stream_forget() makes room; LWP_NO_MEMORY.
 */
enum lwp_status lwp_stream_add(struct lwp_stream *stream, const struct lwp_segment *segment);

/** Brings the segments into the order of the sequence, and decides where the stream starts if it is
 * not known yet. To be called before a walk. */
struct lwp_stream_walk lwp_stream_order(struct lwp_stream *stream);

/**
 * The next run. Where segments overlap, the bytes of the one that begins first count; if others
 * differ, `conflict` is set. `buffer` has room for `store_size` bytes.
 *
 * Returns false if there is none.
 */
bool lwp_stream_next_run(struct lwp_stream *stream, struct lwp_stream_walk *walk, uint8_t *buffer,
                         struct lwp_stream_run *run);

/** Lets go of all that lies before `at`. LWP_OK or LWP_NO_MEMORY. */
enum lwp_status lwp_stream_forget(struct lwp_stream *stream, uint64_t at);

/** Frees what the stream holds. */
void lwp_stream_done(struct lwp_stream *stream);

#endif
