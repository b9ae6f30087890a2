/* SPDX-License-Identifier: MIT */
/* world.h - where a program's connections lead and what time it is there: the network and the
 * machine's clock, or a server in the same process and a clock that is moved by hand. */
#ifndef LWP_NET_WORLD_H
#define LWP_NET_WORLD_H

#include "lwp/net/transport.h"

struct lwp_world;

struct lwp_world_ops {
    uint64_t (*now)(const struct lwp_world *world);
    enum lwp_status (*connect)(struct lwp_world *world, uint64_t deadline_ns,
                               struct lwp_transport **transport);
    void (*wait)(struct lwp_world *world, struct lwp_transport *const *transports, size_t count,
                 uint64_t deadline_ns);
};

struct lwp_world {
    const struct lwp_world_ops *ops;
};

/** The world's time, in nanoseconds. */
uint64_t lwp_world_now(const struct lwp_world *world);

/** Connects to the server of this world; statuses as lwp_tcp_connect(). */
enum lwp_status lwp_world_connect(struct lwp_world *world, uint64_t deadline_ns,
                                  struct lwp_transport **transport);

/** Returns when one of the transports may be readable, at the deadline, or earlier for no reason:
 * look, and wait again. NULL entries are passed over. */
void lwp_world_wait(struct lwp_world *world, struct lwp_transport *const *transports, size_t count,
                    uint64_t deadline_ns);

/* The network, with one server in it. */
struct lwp_tcp_world {
    struct lwp_world world; /* First, so that one is the other. */
    struct lwp_address address;
    int error; /* The errno of the last connect that failed, or 0. */
};

/** Makes the world in which lwp_world_connect() leads to this address. */
void lwp_tcp_world_init(struct lwp_tcp_world *world, const struct lwp_address *address);

#endif
