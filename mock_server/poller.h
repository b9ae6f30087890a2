/* SPDX-License-Identifier: MIT */
/* poller.h - waiting for many descriptors at a price that depends only on those that are ready. */
#ifndef LWP_MOCK_POLLER_H
#define LWP_MOCK_POLLER_H

#include <sys/epoll.h>

#include "lwp/wire/status.h"

struct watch;

/* Called for what is ready, with the context of poller_dispatch(). */
typedef void watch_ready(void *context, struct watch *watch, uint32_t events);

/* A descriptor that is waited for; embedded in what it belongs to. Begins with `ready` and `owner`,
 * and all else zero. */
struct watch {
    watch_ready *ready;
    void *owner;
    uint32_t events; /* What is waited for. */
    bool known;      /* To the poller, in this slot. */
    uint32_t slot;
};

/* What the kernel is told of a watch is a slot and how often that was given away: a process that was
 * forked keeps descriptors open that we have closed, and events come for watches that are gone. */
struct poller_slot {
    struct watch *watch; /* NULL: free. */
    int fd;
    uint32_t generation;
    uint32_t next_free;
};

struct poller {
    int fd;
    struct epoll_event found[256];
    int found_count;
    struct poller_slot *slots;
    uint32_t slot_count;
    uint32_t first_free; /* slot_count: there is none. */
    bool haunted;        /* An event came for a watch that is gone, and will again. */
};

/** LWP_OK, or LWP_IO with errno set. */
enum lwp_status poller_init(struct poller *poller);

/** Ends all waiting. */
void poller_done(struct poller *poller);

/** Waits for these events (EPOLLIN, EPOLLOUT; errors are always told) on the watch's descriptor
 * from now on, level-triggered. Costs nothing if that is so already. LWP_OK, LWP_IO or
 * LWP_NO_MEMORY. */
enum lwp_status poller_set(struct poller *poller, struct watch *watch, int fd, uint32_t events);

/** Waits for it no more; does nothing if it is not known. To be called before its descriptor is closed, or
 * soon after, with -1: before another one can have its number. */
void poller_forget(struct poller *poller, struct watch *watch, int fd);

/** Waits until something is ready, at most `timeout_ms`. LWP_OK, or LWP_IO with errno set. What is
 * found is kept for poller_dispatch(). */
enum lwp_status poller_wait(struct poller *poller, int timeout_ms);

/** Calls `ready` of all that was found, but for what has been forgotten since. */
void poller_dispatch(struct poller *poller, void *context);

#endif
