/* SPDX-License-Identifier: MIT */
/* fault.h - a transport around another that spoils what is written, to the byte and on time: frames
 * damaged, cut into pieces, held back, cut short; connections slowed, muted, closed.
 *
 * Bytes pass as they are until the caller announces a frame or asks for a standing fault; without
 * either, a write is one call further and nothing else. All faults but stop-read concern what is
 * written.
 *
 * Time is what lwp_fault_advance() has said. The owner of a connection with faults does this:
 *
 *     calls lwp_fault_advance() and lwp_fault_flush() whenever it looks at the connection;
 *     waits until lwp_fault_deadline() at the latest;
 *     waits for the descriptor to become writable only while lwp_fault_blocked();
 *     waits for the descriptor to become readable only while lwp_fault_reads();
 *     frees it in order once lwp_fault_pending() is 0 and lwp_fault_deadline() LWP_NEVER.
 *
 * A piece is one write to the inner transport; a piece that it takes in part goes on where it was
 * left. One call of lwp_transport_write() or lwp_fault_flush() sends as many frames as are due, one
 * piece each, up to the first one that is chopped; of a chopped frame it sends one piece, in a call
 * of its own, and the next piece is due at once if there is no gap. So a peer that reads after each
 * call, on a pipe large enough for a piece, reads exactly the pieces. For the same reason a reset
 * waits for the next call if something went out in this one. */
#ifndef LWP_NET_FAULT_H
#define LWP_NET_FAULT_H

#include "lwp/net/damage.h"
#include "lwp/net/transport.h"

/* What is to happen to one frame. All zeros is nothing. */
struct lwp_fault_plan {
    uint64_t id; /* Handed back with lwp_fault_sent; means nothing here. */
    struct lwp_damage_list damage;
    const size_t *pieces; /* Sizes, in order; 0 is all the rest. The last one repeats to the end. */
    size_t piece_count;   /* 0: not chopped. */
    uint64_t gap_ns;      /* Between one piece and the next. */
    uint64_t not_before_ns;
    bool closes;        /* After `close_after` bytes of the damaged frame; */
    enum lwp_close how; /* what comes behind them is dropped. */
    size_t close_after; /* More than the frame has: after all of it. */
};

enum lwp_fault_fate {
    LWP_FAULT_WHOLE,    /* All of it went out. */
    LWP_FAULT_CUT,      /* A close or an error of the inner transport cut it short. */
    LWP_FAULT_SWALLOWED /* Silence has taken some of it. */
};

/* What became of an announced frame. `bytes` is as damaged, as far as the frame was dealt with, and
 * valid during the call. */
struct lwp_fault_sent {
    uint64_t id;
    enum lwp_fault_fate fate;
    struct lwp_bytes bytes;
    size_t touched; /* As lwp_damage_apply() counts. */
};

/** Is told of each announced frame, in order, when it has gone out, or what was begun of it when a
 * close cut it short; frames that a close drops before they are begun are not told. Must not call
 * anything here on the same transport. */
typedef void (*lwp_fault_hook)(void *context, const struct lwp_fault_sent *sent);

/**
 * Wraps a transport and takes it over: freeing `*outer` frees it. At most `limit` bytes are held,
 * and plans that were announced take at most as much again.
 *
 * LWP_OK with `*outer` the caller's; LWP_NO_MEMORY with `inner` still the caller's.
 *
 * What the five functions of a transport do here:
 *
 * read   as the inner one; LWP_WOULD_BLOCK while reading is stopped; after a fault has closed both
 *        ways LWP_CLOSED or, by a reset, LWP_RESET.
 * write  takes what fits into the limit, LWP_WOULD_BLOCK if nothing does. An error of the inner
 *        transport comes back once it is known, from then on, and drops what is held. After a fault
 *        has closed: LWP_RESET, or after a half-close all is swallowed. LWP_NO_MEMORY besides.
 * close  in order: as soon as all that is held has gone out at its time; an announced frame that is
 *        not whole by then goes out as it is. A reset: at once, and drops what is held.
 * fd     the inner one's.
 * free   drops what is held and closes in order.
 */
enum lwp_status lwp_fault_new(struct lwp_transport *inner, size_t limit,
                              struct lwp_transport **outer);

/* In all functions below `outer` is one that lwp_fault_new() has made. */

/** Whom to tell of announced frames; NULL for nobody. */
void lwp_fault_watch(struct lwp_transport *outer, lwp_fault_hook hook, void *context);

/**
 * Says that the next `size` bytes to be written, behind those of frames announced before, are one
 * frame, and what is to happen to it. The plan and all it points to are copied. The frame is
 * collected until it is whole, in whatever pieces it is written.
 *
 * LWP_OK; LWP_INVALID_ARGUMENT if `size` is 0; LWP_FULL if the frame, with all inserts, is larger
 * than the limit or the plans are too much memory together; LWP_NO_MEMORY. Once closed, LWP_OK and
 * nothing happens.
 */
enum lwp_status lwp_fault_announce(struct lwp_transport *outer, size_t size,
                                   const struct lwp_fault_plan *plan);

/**
 * Lets out `rate` bytes per second, at most LWP_PACE_MAX; 0 takes the limit away. A piece goes at
 * once if nothing went for long enough, and the next one waits as long as it takes at the rate; so
 * in any time it is the rate and one piece. A frame that is neither chopped nor joined with others
 * goes in pieces of 10 ms.
 */
void lwp_fault_rate(struct lwp_transport *outer, uint64_t rate);

/**
 * Holds announced frames until `count` are whole, and then sends them in one write; chopped ones
 * keep their pieces, and a close ends the write. They go earlier if `within_ns` has passed since
 * the first was whole (LWP_NEVER: no such time), if the limit is reached or the caller closes. They
 * become due when the last of them is. 0 or 1 ends it and lets out what is held.
 */
void lwp_fault_coalesce(struct lwp_transport *outer, size_t count, uint64_t within_ns);

/** While silent, what would go out is swallowed and counted, at the time when it would; the
 * connection stays open. */
void lwp_fault_silence(struct lwp_transport *outer, bool silent);

/** Stops reading, or goes on. */
void lwp_fault_stop_reading(struct lwp_transport *outer, bool stopped);

/**
 * Closes once `offset` bytes in all have gone out since the transport was wrapped; at once if that
 * is so already (0 is always at once). What is held is dropped then. A later call replaces an
 * earlier one.
 */
void lwp_fault_close_after(struct lwp_transport *outer, enum lwp_close how, uint64_t offset);

/** Tells the time. It does not go back, and nothing is sent yet. */
void lwp_fault_advance(struct lwp_transport *outer, uint64_t now_ns);

/** Sends what is due, as described above. LWP_OK when nothing more can go out in this call;
 * LWP_WOULD_BLOCK when the inner transport is full; LWP_RESET or LWP_IO as it said. */
enum lwp_status lwp_fault_flush(struct lwp_transport *outer);

/** When lwp_fault_flush() next has something to do, not after now if there is more already;
 * LWP_NEVER if nothing is due, or it waits for the inner transport. */
uint64_t lwp_fault_deadline(const struct lwp_transport *outer);

/** Takes back all that stays: coalescing, rate, silence, stopped reading, a close to come. Frames that were
 * announced keep their plans. */
void lwp_fault_lift(struct lwp_transport *outer);

/** The bytes that are held. */
size_t lwp_fault_pending(const struct lwp_transport *outer);

/** The bytes of memory that they and the announced plans take. */
size_t lwp_fault_memory(const struct lwp_transport *outer);

/** Whether the inner transport was full the last time. */
bool lwp_fault_blocked(const struct lwp_transport *outer);

/** Whether reading goes on: not stopped, and not closed by a fault. */
bool lwp_fault_reads(const struct lwp_transport *outer);

/** Whether a fault has closed the connection, and then how. The caller's own do not count. */
bool lwp_fault_closed(const struct lwp_transport *outer, enum lwp_close *how);

/** The bytes that the inner transport has taken since it was wrapped. */
uint64_t lwp_fault_written(const struct lwp_transport *outer);

/** The bytes that were swallowed, by silence or after a half-close. */
uint64_t lwp_fault_swallowed(const struct lwp_transport *outer);

#endif
