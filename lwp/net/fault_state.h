/* SPDX-License-Identifier: MIT */
/* fault_state.h - what the parts of the fault transport share: fault.c is what its owner sees,
 * fault_take.c takes in, fault_send.c lets out. */
#ifndef LWP_NET_FAULT_STATE_H
#define LWP_NET_FAULT_STATE_H

#include "lwp/net/fault.h"
#include "lwp/net/pace.h"
#include "lwp/session/queue.h"

/* A stretch of the outgoing stream: an announced frame with its plan, or bytes that nobody
 * announced. The bytes themselves are in the queue, in the same order. */
struct stretch {
    struct stretch *next;
    struct lwp_fault_plan plan; /* Points into the memory behind this struct. */
    size_t cost;                /* All of that memory. */
    size_t wanted;              /* Bytes of the frame as it is written; 0 if it is none. */
    size_t room;                /* The most that it may become. */
    size_t size;                /* Bytes in the queue. */
    size_t sent;
    size_t touched;
    size_t next_piece;
    uint64_t due_ns; /* When the next piece is ready to go. */
    uint64_t group;  /* Frames that coalesced share a number; 0 for all others. */
    bool whole;
    bool held; /* Waits for others to coalesce with. */
    bool swallowed;
};

/* A close and whether it is to be. */
struct ending {
    bool set;
    enum lwp_close how;
};

struct fault {
    struct lwp_transport transport; /* First, so that one is the other. */
    struct lwp_transport *inner;
    uint64_t now_ns;
    enum lwp_status status; /* How writing failed, for good. */

    struct lwp_queue out;
    struct stretch *head;
    struct stretch *last;
    struct stretch *filling; /* The first frame that is not whole. */
    size_t plans_size;       /* What announced frames cost. */

    size_t piece; /* What the inner transport has not taken of the piece under way. */
    size_t piece_size;
    uint64_t piece_due_ns;
    bool blocked;
    bool stalled; /* The piece under way was blocked at some time. */

    struct lwp_pace pace;
    size_t coalesce_count;
    uint64_t coalesce_ns;
    size_t held_count;
    uint64_t release_ns;
    uint64_t group_count;
    bool silent;
    bool reading_stopped;

    struct ending limit; /* Asked for by lwp_fault_close_after(): */
    uint64_t limit_at;
    struct ending closing; /* By a fault, as soon as it may. */
    struct ending closed;  /* By a fault. */
    struct ending leaving; /* By the caller, when all is sent. */

    lwp_fault_hook hook;
    void *context;
    uint64_t written;
    uint64_t swallowed;
};

/** As lwp_fault_announce(), on a connection that is open. */
enum lwp_status fault_announce(struct fault *fault, size_t size, const struct lwp_fault_plan *plan);

/** Takes what fits into the limit: LWP_OK with `*count` at least 1; LWP_WOULD_BLOCK; LWP_NO_MEMORY,
 * and then nothing is held any more, for good. */
enum lwp_status fault_take(struct fault *fault, struct lwp_bytes bytes, size_t *count);

/** Frames that are announced and not whole will never be: what is there goes out as it is. */
void fault_give_up_filling(struct fault *fault);

/** Hands bytes to the inner transport and keeps account; statuses as lwp_transport_write(). */
enum lwp_status fault_put(struct fault *fault, struct lwp_bytes bytes, size_t *count);

/** Lets go what waits to coalesce. */
void fault_release(struct fault *fault);

/** Sends what one call may send; statuses as lwp_fault_flush(). */
enum lwp_status fault_work(struct fault *fault);

/** Forgets all that is held. */
void fault_drop(struct fault *fault);

/** Closes as a fault does: at once, with all that is held dropped. */
void fault_close(struct fault *fault, enum lwp_close how);

#endif
