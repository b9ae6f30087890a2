/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "mock_server/mock_state.h"

enum {
    OWN_FDS = 2, /* The stop descriptor and the listener come first. */
    ACCEPTED_AT_ONCE = 64
};

#define ACCEPT_PAUSE_NS (50 * LWP_MILLISECOND_NS) /* After running out of descriptors. */

struct service {
    struct lwp_mock *mock;
    int listener;
    int stop_fd;
    uint64_t accept_from_ns; /* Not before this time. */
    struct pollfd *fds;
    size_t fd_capacity;
};

static short wanted_events(const struct connection *connection)
{
    const int in = connection_wants_bytes(connection) ? POLLIN : 0;
    return (short)(in | (connection_wants_room(connection) ? POLLOUT : 0));
}

/* Fills in what to wait for, connections in list order. Returns how many, or 0 without memory. */
static size_t list_fds(struct service *service, uint64_t now_ns)
{
    const size_t count = OWN_FDS + service->mock->connection_count;
    if (count > service->fd_capacity) {
        struct pollfd *fds = realloc(service->fds, 2 * count * sizeof(*fds));
        if (!fds)
            return 0;
        service->fds = fds;
        service->fd_capacity = 2 * count;
    }
    if (!service->fds)
        return 0;
    const bool accepts = now_ns >= service->accept_from_ns;
    service->fds[0] = (struct pollfd){.fd = service->stop_fd, .events = POLLIN};
    service->fds[1] = (struct pollfd){.fd = accepts ? service->listener : -1, .events = POLLIN};
    size_t at = OWN_FDS;
    for (const struct connection *c = service->mock->connections; c; c = c->next)
        service->fds[at++] =
            (struct pollfd){.fd = lwp_transport_fd(c->link.transport), .events = wanted_events(c)};
    return count;
}

static void accept_some(struct service *service, uint64_t now_ns)
{
    for (int i = 0; i < ACCEPTED_AT_ONCE; i++) {
        struct lwp_transport *transport = NULL;
        const enum lwp_status status = lwp_tcp_accept(service->listener, &transport);
        if (status == LWP_OK)
            (void)lwp_mock_accept(service->mock, transport, now_ns);
        else if (status != LWP_WOULD_BLOCK)
            service->accept_from_ns = now_ns + ACCEPT_PAUSE_NS;
        if (status != LWP_OK)
            return;
    }
}

/* Steps the connections that have something to do. New ones are put in front of the list, so this
 * comes before accepting. */
static void step_ready(struct service *service, uint64_t now_ns)
{
    struct connection **place = &service->mock->connections;
    for (size_t at = OWN_FDS; *place; at++) {
        struct connection *connection = *place;
        /* The peer is gone: where nothing is to be read, nobody else would notice. */
        if (service->fds[at].revents & (POLLERR | POLLNVAL | POLLHUP) &&
            !connection_wants_bytes(connection))
            connection_reset(connection, now_ns);
        if (service->fds[at].revents || now_ns >= connection_deadline(connection))
            (void)mock_step_one(service->mock, place, now_ns);
        if (*place == connection)
            place = &connection->next;
    }
}

static uint64_t next_deadline(const struct service *service, uint64_t now_ns)
{
    const uint64_t deadline = lwp_mock_deadline(service->mock);
    if (service->accept_from_ns > now_ns && service->accept_from_ns < deadline)
        return service->accept_from_ns;
    return deadline;
}

enum lwp_status lwp_mock_serve(struct lwp_mock *mock, int listener, int stop_fd)
{
    struct service service = {.mock = mock, .listener = listener, .stop_fd = stop_fd};
    enum lwp_status status = LWP_OK;
    for (;;) {
        uint64_t now_ns = lwp_clock_now();
        const size_t count = list_fds(&service, now_ns);
        if (count == 0) {
            status = LWP_NO_MEMORY;
            break;
        }
        const int timeout = lwp_clock_poll_ms(now_ns, next_deadline(&service, now_ns));
        if (poll(service.fds, count, timeout) < 0 && errno != EINTR) {
            status = LWP_IO;
            break;
        }
        if (service.fds[0].revents)
            break;
        now_ns = lwp_clock_now();
        step_ready(&service, now_ns);
        if (service.fds[1].revents)
            accept_some(&service, now_ns);
    }
    free(service.fds);
    mock_end_all(mock);
    return status;
}
