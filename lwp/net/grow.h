/* SPDX-License-Identifier: MIT */
/* grow.h - heap memory for queues, within their limits. */
#ifndef LWP_NET_GROW_H
#define LWP_NET_GROW_H

#include "lwp/session/queue.h"

/** Makes room for `wanted` more bytes; 0 asks for nothing. LWP_OK, LWP_FULL if the queue's limit
 * forbids it, LWP_NO_MEMORY. The memory is from malloc() and the owner's to free. */
enum lwp_status lwp_queue_grow(struct lwp_queue *queue, size_t wanted);

#endif
