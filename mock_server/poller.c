/* SPDX-License-Identifier: MIT */
#include "mock_server/poller.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum lwp_status poller_init(struct poller *poller)
{
    *poller = (struct poller){.fd = epoll_create1(EPOLL_CLOEXEC)};
    return poller->fd < 0 ? LWP_IO : LWP_OK;
}

void poller_done(struct poller *poller)
{
    if (poller->fd >= 0)
        (void)close(poller->fd);
    free(poller->slots);
    *poller = (struct poller){.fd = -1};
}

static bool grow(struct poller *poller)
{
    const uint32_t count = poller->slot_count ? 2 * poller->slot_count : 16;
    struct poller_slot *slots = realloc(poller->slots, count * sizeof(*slots));
    if (!slots)
        return false;
    for (uint32_t i = poller->slot_count; i < count; i++)
        slots[i] = (struct poller_slot){.fd = -1, .next_free = i + 1};
    poller->first_free = poller->slot_count;
    poller->slots = slots;
    poller->slot_count = count;
    return true;
}

static struct epoll_event event_of(const struct poller *poller, uint32_t slot)
{
    const struct poller_slot *at = &poller->slots[slot];
    return (struct epoll_event){.events = at->watch->events,
                                .data = {.u64 = (uint64_t)at->generation << 32 | slot}};
}

static enum lwp_status add(struct poller *poller, struct watch *watch, int fd)
{
    if (poller->first_free == poller->slot_count && !grow(poller))
        return LWP_NO_MEMORY;
    const uint32_t slot = poller->first_free;
    struct poller_slot *at = &poller->slots[slot];
    at->watch = watch;
    at->fd = fd;
    struct epoll_event event = event_of(poller, slot);
    if (epoll_ctl(poller->fd, EPOLL_CTL_ADD, fd, &event)) {
        at->watch = NULL;
        return LWP_IO;
    }
    poller->first_free = at->next_free;
    watch->slot = slot;
    watch->known = true;
    return LWP_OK;
}

enum lwp_status poller_set(struct poller *poller, struct watch *watch, int fd, uint32_t events)
{
    if (watch->known && watch->events == events)
        return LWP_OK;
    watch->events = events;
    if (!watch->known)
        return add(poller, watch, fd);
    struct epoll_event event = event_of(poller, watch->slot);
    return epoll_ctl(poller->fd, EPOLL_CTL_MOD, fd, &event) ? LWP_IO : LWP_OK;
}

void poller_forget(struct poller *poller, struct watch *watch, int fd)
{
    if (!watch->known)
        return;
    struct poller_slot *at = &poller->slots[watch->slot];
    if (fd >= 0)
        (void)epoll_ctl(poller->fd, EPOLL_CTL_DEL, fd, NULL);
    at->watch = NULL;
    at->fd = -1;
    at->generation++;
    at->next_free = poller->first_free;
    poller->first_free = watch->slot;
    watch->known = false;
}

/* A descriptor that is closed here and open elsewhere can not be taken out: begin a new set, without
 * it. */
static void begin_anew(struct poller *poller)
{
    const int fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0)
        return;
    (void)close(poller->fd);
    poller->fd = fd;
    poller->haunted = false;
    for (uint32_t i = 0; i < poller->slot_count; i++) {
        if (!poller->slots[i].watch)
            continue;
        struct epoll_event event = event_of(poller, i);
        (void)epoll_ctl(fd, EPOLL_CTL_ADD, poller->slots[i].fd, &event);
    }
}

enum lwp_status poller_wait(struct poller *poller, int timeout_ms)
{
    const int most = (int)(sizeof(poller->found) / sizeof(poller->found[0]));
    if (poller->haunted)
        begin_anew(poller);
    const int count = epoll_wait(poller->fd, poller->found, most, timeout_ms);
    poller->found_count = count > 0 ? count : 0;
    return count < 0 && errno != EINTR ? LWP_IO : LWP_OK;
}

void poller_dispatch(struct poller *poller, void *context)
{
    for (int i = 0; i < poller->found_count; i++) {
        const struct epoll_event *found = &poller->found[i];
        const struct poller_slot *at = &poller->slots[(uint32_t)found->data.u64];
        if (at->watch && at->generation == found->data.u64 >> 32)
            at->watch->ready(context, at->watch, found->events);
        else
            poller->haunted = true;
    }
    poller->found_count = 0;
}
