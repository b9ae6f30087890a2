/* SPDX-License-Identifier: MIT */
/* link.h - a session on a transport: owns both and the queues' memory, and is the one pump that
 * moves bytes between them. */
#ifndef LWP_NET_LINK_H
#define LWP_NET_LINK_H

#include "lwp/net/transport.h"
#include "lwp/session/session.h"

struct lwp_link {
    struct lwp_session session;
    struct lwp_transport *transport; /* NULL once the link is done with. */
    enum lwp_status
        read_status; /* LWP_OK, or how the peer ended it: LWP_CLOSED, LWP_RESET, LWP_IO; LWP_NO_MEMORY. */
    bool closing; /* Nothing is read or sent any more; close when all is written. */
    bool halving; /* Nothing is sent any more; half-close when all is written. */
};

/** Takes over the transport. The output queue holds at most `out_limit` bytes. Allocates nothing
 * yet. */
void lwp_link_init(struct lwp_link *link, const struct lwp_session_options *options,
                   struct lwp_transport *transport, size_t out_limit, uint64_t now_ns);

/** Closes, frees the transport and the memory. Harmless on a link that is all zeros or done with.
 */
void lwp_link_done(struct lwp_link *link);

/**
 * Seals and queues a frame as lwp_session_send() does, growing the queue within its limit. LWP_OK,
 * LWP_FULL or LWP_NO_MEMORY, with nothing queued.
 */
enum lwp_status lwp_link_send(struct lwp_link *link, const struct lwp_frame *frame, uint32_t keep,
                              uint64_t now_ns);

/** Queues bytes as they are: LWP_OK, LWP_FULL or LWP_NO_MEMORY. */
enum lwp_status lwp_link_push(struct lwp_link *link, struct lwp_bytes bytes, uint64_t now_ns);

/** As lwp_session_receive() and lwp_session_tick(), with room for the Keepalive that they may
 * queue; LWP_NO_MEMORY besides. */
enum lwp_status lwp_link_receive(struct lwp_link *link, struct lwp_frame *frame, uint64_t now_ns);
enum lwp_status lwp_link_tick(struct lwp_link *link, uint64_t now_ns);

/**
 * Reads what is there, 256 KiB at most, growing the input queue as bytes arrive.
 *
 * LWP_OK           bytes came: call lwp_session_receive() until it wants more.
 * LWP_WOULD_BLOCK  nothing came.
 * else             the end: also in `read_status`, for this and all later calls.
 */
enum lwp_status lwp_link_read(struct lwp_link *link, uint64_t now_ns);

/** Gives back the memory of queues that are empty and large. Call it between batches: it ends the
 * life of the last frame's payload. */
void lwp_link_trim(struct lwp_link *link);

/** Writes what the transport takes. LWP_OK when all is written, LWP_WOULD_BLOCK when not, LWP_RESET
 * or LWP_IO when the peer is gone; what was queued is lost then. Finishes a close that was asked
 * for. */
enum lwp_status lwp_link_write(struct lwp_link *link);

/**
 * As lwp_link_write(), of what is queued and behind it of these views, fewer than LWP_GATHER_MOST. A
 * transport that gathers gets them with one call and without a copy; what it does not take is queued,
 * so the views need not outlive the call. LWP_FULL or LWP_NO_MEMORY if that fails: the stream is torn
 * then, close it.
 */
enum lwp_status lwp_link_write_with(struct lwp_link *link, const struct lwp_bytes *parts,
                                    size_t part_count);

/** Closes as soon as all that is queued is written; LWP_CLOSE_RST at once. The link stays readable
 * only after LWP_CLOSE_HALF. */
void lwp_link_close(struct lwp_link *link, enum lwp_close how);

#endif
