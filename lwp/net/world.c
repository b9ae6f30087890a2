/* SPDX-License-Identifier: MIT */
#include "lwp/net/world.h"

#include <poll.h>

#include "lwp/net/clock.h"

uint64_t lwp_world_now(const struct lwp_world *world)
{
    return world->ops->now(world);
}

enum lwp_status lwp_world_connect(struct lwp_world *world, uint64_t deadline_ns,
                                  struct lwp_transport **transport)
{
    return world->ops->connect(world, deadline_ns, transport);
}

void lwp_world_wait(struct lwp_world *world, struct lwp_transport *const *transports, size_t count,
                    uint64_t deadline_ns)
{
    world->ops->wait(world, transports, count, deadline_ns);
}

static uint64_t tcp_now(const struct lwp_world *world)
{
    (void)world;
    return lwp_clock_now();
}

static enum lwp_status tcp_connect(struct lwp_world *world, uint64_t deadline_ns,
                                   struct lwp_transport **transport)
{
    struct lwp_tcp_world *tcp = (struct lwp_tcp_world *)(void *)world;
    return lwp_tcp_connect(&tcp->address, deadline_ns, transport, &tcp->error);
}

static void tcp_wait(struct lwp_world *world, struct lwp_transport *const *transports, size_t count,
                     uint64_t deadline_ns)
{
    enum { WATCHED = 64 };
    struct pollfd fds[WATCHED];
    nfds_t watched = 0;
    (void)world;
    for (size_t i = 0; i < count && watched < WATCHED; i++)
        if (transports[i] && lwp_transport_fd(transports[i]) >= 0)
            fds[watched++] =
                (struct pollfd){.fd = lwp_transport_fd(transports[i]), .events = POLLIN};
    (void)poll(fds, watched, lwp_clock_poll_ms(lwp_clock_now(), deadline_ns));
}

static const struct lwp_world_ops tcp_ops = {tcp_now, tcp_connect, tcp_wait};

void lwp_tcp_world_init(struct lwp_tcp_world *world, const struct lwp_address *address)
{
    *world = (struct lwp_tcp_world){{&tcp_ops}, *address, 0};
}
