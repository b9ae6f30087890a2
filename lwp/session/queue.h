/* SPDX-License-Identifier: MIT */
/* queue.h - bytes that wait: in at the back, out at the front, in memory that the owner lends. */
#ifndef LWP_SESSION_QUEUE_H
#define LWP_SESSION_QUEUE_H

#include "lwp/wire/status.h"

/* Allocates nothing: the owner gives it more memory, up to `limit`, with lwp_queue_move(). */
struct lwp_queue {
    uint8_t *data;
    size_t capacity; /* Bytes of memory. */
    size_t limit;    /* The most bytes that it may ever be given. */
    size_t start;    /* Where the waiting bytes begin. */
    size_t size;     /* How many there are. */
};

/** The waiting bytes; valid until the queue is changed. */
static inline struct lwp_bytes lwp_queue_bytes(const struct lwp_queue *queue)
{
    if (!queue->data)
        return (struct lwp_bytes){NULL, 0};
    return (struct lwp_bytes){queue->data + queue->start, queue->size};
}

/**
 * Where to write next: moves the waiting bytes to the front if there is little room behind them,
 * and sets
 * `*room` to the bytes that fit at the place returned. 0 means full: give it more memory.
 */
uint8_t *lwp_queue_room(struct lwp_queue *queue, size_t *room);

/** Tells that `size` bytes were written where lwp_queue_room() said; at most the room. */
void lwp_queue_fill(struct lwp_queue *queue, size_t size);

/** Appends the bytes, or nothing and LWP_FULL. */
enum lwp_status lwp_queue_push(struct lwp_queue *queue, struct lwp_bytes bytes);

/** Drops the first `size` bytes; at most all. */
void lwp_queue_drop(struct lwp_queue *queue, size_t size);

/** The capacity that the owner should give for `wanted` more bytes: at least double, and the limit
 * rather than more than half of it; 0 if the limit forbids it. The present capacity if there is room already. */
size_t lwp_queue_next_capacity(const struct lwp_queue *queue, size_t wanted);

/** Copies the waiting bytes into the new memory, which must hold them, and uses it from now on.
 * Returns the old memory, which is the owner's again. */
uint8_t *lwp_queue_move(struct lwp_queue *queue, uint8_t *memory, size_t capacity);

#endif
