/* SPDX-License-Identifier: MIT */
/* dial.h - a connection in the making, without blocking: names are resolved, all addresses of a host
 * are tried. */
#ifndef LWP_CLIENT_DIAL_H
#define LWP_CLIENT_DIAL_H

#include "lwp/net/transport.h"

struct lwp_dial;

/* Four functions make a way to connect. */
struct lwp_dial_ops {
    enum lwp_status (*step)(struct lwp_dial *dial, uint64_t now_ns,
                            struct lwp_transport **transport);
    void (*wait)(const struct lwp_dial *dial, int *fd, short *events);
    uint64_t (*deadline)(const struct lwp_dial *dial);
    void (*free)(struct lwp_dial *dial);
};

struct lwp_dial {
    const struct lwp_dial_ops *ops;
};

/* Where connections lead: the network, or something of the caller's own for tests. */
struct lwp_network {
    /** Begins to connect; LWP_OK with `*dial` the caller's, or how it failed. */
    enum lwp_status (*dial)(void *user, const struct lwp_address *address, uint64_t now_ns,
                            uint64_t deadline_ns, struct lwp_dial **dial);
    void *user;
};

/** The network. A name is resolved by a thread of its own, which is left behind if the dial is given
 * up before the resolver is done. */
extern const struct lwp_network lwp_network_tcp;

/**
 * Goes on.
 *
 * LWP_OK           with `*transport` the caller's.
 * LWP_WOULD_BLOCK  not yet: wait as lwp_dial_wait() and lwp_dial_deadline() say.
 * else             LWP_UNRESOLVED, LWP_REFUSED, LWP_RESET, LWP_TIMEOUT, LWP_IO with errno set,
 *                  LWP_NO_MEMORY: of the last address that was tried.
 *
 * In all cases the dial must still be freed.
 */
enum lwp_status lwp_dial_step(struct lwp_dial *dial, uint64_t now_ns,
                              struct lwp_transport **transport);

/** What to wait for at which descriptor, as for poll(); -1 if there is none. */
void lwp_dial_wait(const struct lwp_dial *dial, int *fd, short *events);

/** When lwp_dial_step() has something to do although nothing happens. */
uint64_t lwp_dial_deadline(const struct lwp_dial *dial);

/** Gives it up; never blocks. NULL is fine. */
void lwp_dial_free(struct lwp_dial *dial);

#endif
