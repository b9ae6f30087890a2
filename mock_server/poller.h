/* SPDX-License-Identifier: MIT */
/* poller.h - waiting for many descriptors at a price that depends only on those that are ready. */
#ifndef LWP_MOCK_POLLER_H
#define LWP_MOCK_POLLER_H

#include <sys/epoll.h>

#include "lwp/wire/status.h"

struct watch;

/* Called for what is ready, with the context of poller_dispatch(). */
typedef void watch_ready(void *context, struct watch *watch, uint32_t events);

/* A descriptor that is waited for; embedded in what it belongs to. Closing the descriptor ends the
 * waiting. Begins with `ready` and `owner`, and all else zero. */
struct watch {
    watch_ready *ready;
    void *owner;
    uint32_t events; /* What is waited for. */
    bool known;      /* To the kernel. */
};

struct poller {
    int fd;
    struct epoll_event found[256];
    int found_count;
};

/** LWP_OK, or LWP_IO with errno set. */
enum lwp_status poller_init(struct poller *poller);

/** Ends all waiting. */
void poller_done(struct poller *poller);

/** Waits for these events (EPOLLIN, EPOLLOUT; errors are always told) on the watch's descriptor
 * from now on, level-triggered. Costs nothing if that is so already. LWP_OK, or LWP_IO. */
enum lwp_status poller_set(struct poller *poller, struct watch *watch, int fd, uint32_t events);

/** Waits until something is ready, at most `timeout_ms`. LWP_OK, or LWP_IO with errno set. What is
 * found is kept for poller_dispatch(). */
enum lwp_status poller_wait(struct poller *poller, int timeout_ms);

/** Calls `ready` of all that was found. None of it may have been freed since; while this runs, a
 * watch may only be freed by its own call. */
void poller_dispatch(struct poller *poller, void *context);

#endif
