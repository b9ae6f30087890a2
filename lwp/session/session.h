/* SPDX-License-Identifier: MIT */
/* session.h - one side of a connection as a value: bytes in, frames out; frames in, bytes out; time
 * in, deadline out. No socket, clock, callback, thread or allocation (specification 2, 3,
 * 11, 17.3). */
#ifndef LWP_SESSION_SESSION_H
#define LWP_SESSION_SESSION_H

#include "lwp/session/queue.h"
#include "lwp/wire/frame.h"

#define LWP_NEVER UINT64_MAX /* A deadline that does not come. */

/** The time `by_ns` after `now_ns`; LWP_NEVER if the clock does not go so far. */
static inline uint64_t lwp_deadline_after(uint64_t now_ns, uint64_t by_ns)
{
    return by_ns < LWP_NEVER - now_ns ? now_ns + by_ns : LWP_NEVER;
}

/** The earlier of two deadlines. */
static inline uint64_t lwp_deadline_earlier(uint64_t a_ns, uint64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

enum lwp_role { LWP_CLIENT, LWP_SERVER };

struct lwp_session_options {
    enum lwp_role role;
    const struct lwp_dialect *dialect;
    uint32_t max_payload;   /* Bytes; larger frames are a fault. */
    uint64_t keepalive_ns;  /* Silence of either side after which a Keepalive is sent, 2.3; 0: no
                           Keepalive is sent or answered here, the owner sees to it. */
    uint64_t dead_after_ns; /* Silence of the peer after which it is taken for dead; 0: never. */
};

/* Everything a session knows. Copy it, compare it, print it; its owner lends the queues' memory. */
struct lwp_session {
    struct lwp_session_options options;
    struct lwp_queue in;
    struct lwp_queue out;
    uint64_t position; /* The stream offset of the first byte in `in`. */
    size_t taken;      /* The size of the frame handed out last, dropped by the next receive. */
    bool fresh;        /* Bytes have come since the last look at the front (D30). */
    bool asked;        /* A Keepalive of ours is unanswered. */
    uint64_t answers_from_ns; /* Until then a client answers no Keepalive. */
    uint64_t heard_ns;        /* When the peer was last heard. */
    uint64_t said_ns;         /* When we last spoke. */
    struct lwp_fault fault; /* The first fatal fault, or LWP_OK. Sticky; the offset counts from the
                               first byte of the connection. */
};

/** Begins a session at time `now_ns`. The queues are the owner's to set up before or afterwards;
 * their contents are left alone. */
void lwp_session_init(struct lwp_session *session, const struct lwp_session_options *options,
                      uint64_t now_ns);

/** The most bytes that the input queue needs: the largest frame, and no less than 256 KiB. */
size_t lwp_session_in_limit(const struct lwp_session_options *options);

/** Tells that `size` bytes were written into the input queue's room at `now_ns`. */
void lwp_session_received(struct lwp_session *session, size_t size, uint64_t now_ns);

/**
 * The next frame of the peer.
 *
 * LWP_OK    `*frame` is sound; its payload is valid until the next call of a receive function or
 *           the next bytes.
 * LWP_MORE  no whole frame is there; lwp_session_wanted() tells how many bytes it still wants.
 * else      the session's fault, for this and all later calls.
 *
 * With keepalive_ns set, a Keepalive that answers ours is noted, any other is answered once (D37), by
 * a client no more often than once a second; both are handed out as well, never as a reply to
 * something else. LWP_FULL if the answer does not fit the output queue: make room, and receive
 * again.
 */
enum lwp_status lwp_session_receive(struct lwp_session *session, struct lwp_frame *frame,
                                    uint64_t now_ns);

/** Whether the next frame, sound or not, is there as a whole. */
bool lwp_session_has_frame(const struct lwp_session *session);

/** The bytes missing to the frame at the front, as far as is known; at least 1. A claim of the
 * peer: never allocate by it. */
uint64_t lwp_session_wanted(const struct lwp_session *session);

/**
 * Seals the frame, except for the fields in `keep` (lwp_frame_seal()), and queues it; `keep` of
 * UINT32_MAX sends it as it stands. LWP_OK or LWP_FULL, with nothing queued.
 */
enum lwp_status lwp_session_send(struct lwp_session *session, struct lwp_frame frame, uint32_t keep,
                                 uint64_t now_ns);

/** When lwp_session_tick() next has something to do, or LWP_NEVER. */
uint64_t lwp_session_deadline(const struct lwp_session *session);

/** Lets time pass: queues a Keepalive after silence, or finds the peer dead. LWP_OK, LWP_FULL, or
 * the session's fault (LWP_TIMEOUT). */
enum lwp_status lwp_session_tick(struct lwp_session *session, uint64_t now_ns);

#endif
