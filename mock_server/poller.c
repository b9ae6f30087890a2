/* SPDX-License-Identifier: MIT */
#include "mock_server/poller.h"

#include <errno.h>
#include <unistd.h>

enum lwp_status poller_init(struct poller *poller)
{
    poller->found_count = 0;
    poller->fd = epoll_create1(EPOLL_CLOEXEC);
    return poller->fd < 0 ? LWP_IO : LWP_OK;
}

void poller_done(struct poller *poller)
{
    if (poller->fd >= 0)
        (void)close(poller->fd);
    poller->fd = -1;
}

enum lwp_status poller_set(struct poller *poller, struct watch *watch, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data = {.ptr = watch}};
    if (watch->known && watch->events == events)
        return LWP_OK;
    if (epoll_ctl(poller->fd, watch->known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event))
        return LWP_IO;
    watch->known = true;
    watch->events = events;
    return LWP_OK;
}

enum lwp_status poller_wait(struct poller *poller, int timeout_ms)
{
    const int most = (int)(sizeof(poller->found) / sizeof(poller->found[0]));
    const int count = epoll_wait(poller->fd, poller->found, most, timeout_ms);
    poller->found_count = count > 0 ? count : 0;
    return count < 0 && errno != EINTR ? LWP_IO : LWP_OK;
}

void poller_dispatch(struct poller *poller, void *context)
{
    for (int i = 0; i < poller->found_count; i++) {
        struct watch *watch = poller->found[i].data.ptr;
        watch->ready(context, watch, poller->found[i].events);
    }
    poller->found_count = 0;
}
