/* SPDX-License-Identifier: MIT */
/* resolver.h - addresses of a name, without blocking. */
#ifndef LWP_CLIENT_RESOLVER_H
#define LWP_CLIENT_RESOLVER_H

#include <netdb.h>

#include "lwp/net/transport.h"

struct lwp_resolver;

/** Begins to look up; a numeric address is there at once, anything else is a thread's work. LWP_OK,
 * LWP_NO_MEMORY or LWP_IO (no descriptor or thread left; errno is set). */
enum lwp_status lwp_resolver_new(const struct lwp_address *address, struct lwp_resolver **resolver);

/** LWP_OK with `*found` valid until the resolver is freed, LWP_UNRESOLVED, or LWP_WOULD_BLOCK:
 * lwp_resolver_fd() becomes readable. */
enum lwp_status lwp_resolver_step(struct lwp_resolver *resolver, const struct addrinfo **found);

/** The descriptor to wait for. */
int lwp_resolver_fd(const struct lwp_resolver *resolver);

/** Gives it up; never blocks: a thread that is still at work frees what is left. NULL is fine. */
void lwp_resolver_free(struct lwp_resolver *resolver);

#endif
