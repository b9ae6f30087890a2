/* SPDX-License-Identifier: MIT */
#include "lwp/net/grow.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 4096 }; /* What a queue begins with. */

enum lwp_status lwp_queue_grow(struct lwp_queue *queue, size_t wanted)
{
    size_t capacity = lwp_queue_next_capacity(queue, wanted);
    if (wanted == 0)
        return LWP_OK;
    if (capacity == 0)
        return LWP_FULL;
    if (capacity == queue->capacity)
        return LWP_OK;
    if (capacity < FIRST_CAPACITY && queue->limit >= FIRST_CAPACITY)
        capacity = FIRST_CAPACITY;
    uint8_t *memory = malloc(capacity);
    if (!memory)
        return LWP_NO_MEMORY;
    free(lwp_queue_move(queue, memory, capacity));
    return LWP_OK;
}
