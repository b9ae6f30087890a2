/* SPDX-License-Identifier: MIT */
#include "lwp/session/queue.h"

uint8_t *lwp_queue_room(struct lwp_queue *queue, size_t *room)
{
    if (queue->size == 0)
        queue->start = 0;
    if (queue->start && queue->capacity - queue->start - queue->size < queue->capacity / 2) {
        memmove(queue->data, queue->data + queue->start, queue->size);
        queue->start = 0;
    }
    *room = queue->capacity - queue->start - queue->size;
    return *room ? queue->data + queue->start + queue->size : NULL;
}

void lwp_queue_fill(struct lwp_queue *queue, size_t size)
{
    queue->size += size;
}

enum lwp_status lwp_queue_push(struct lwp_queue *queue, struct lwp_bytes bytes)
{
    if (bytes.size == 0)
        return LWP_OK;
    if (bytes.size > queue->capacity - queue->size)
        return LWP_FULL;
    if (bytes.size > queue->capacity - queue->start - queue->size) {
        memmove(queue->data, queue->data + queue->start, queue->size);
        queue->start = 0;
    }
    memcpy(queue->data + queue->start + queue->size, bytes.data, bytes.size);
    queue->size += bytes.size;
    return LWP_OK;
}

void lwp_queue_drop(struct lwp_queue *queue, size_t size)
{
    queue->start += size;
    queue->size -= size;
}

size_t lwp_queue_next_capacity(const struct lwp_queue *queue, size_t wanted)
{
    if (wanted <= queue->capacity - queue->size)
        return queue->capacity;
    if (wanted > queue->limit - queue->size)
        return 0;
    if (queue->capacity > queue->limit / 2)
        return queue->limit;
    const size_t needed = queue->size + wanted;
    const size_t next = needed > 2 * queue->capacity ? needed : 2 * queue->capacity;
    /* No step that leaves only a small one to the limit, with which all would be there twice. */
    return next > queue->limit / 2 ? queue->limit : next;
}

uint8_t *lwp_queue_move(struct lwp_queue *queue, uint8_t *memory, size_t capacity)
{
    uint8_t *old = queue->data;
    if (queue->size)
        memcpy(memory, queue->data + queue->start, queue->size);
    queue->data = memory;
    queue->capacity = capacity;
    queue->start = 0;
    return old;
}
