/* SPDX-License-Identifier: MIT */
#include <poll.h>

#include "lwp/client/connection.h"

void lwp_connection_wait(const struct lwp_connection *connection, int *fd, short *events)
{
    const struct lwp_security *security = connection->options.security;
    const struct lwp_transport *transport = connection->link.transport;
    *fd = -1;
    *events = 0;
    if (connection->dial) {
        lwp_dial_wait(connection->dial, fd, events);
        return;
    }
    if (!transport)
        return;
    const bool writes = connection->link.session.out.size && !connection->write_failed;
    if (connection->holds && !writes)
        return;
    *fd = lwp_transport_fd(transport);
    *events = (short)((writes ? POLLOUT : 0) | (connection->holds ? 0 : POLLIN));
    if (security && security->events)
        *events = security->events(transport, *events);
}

static uint64_t link_deadline(const struct lwp_connection *connection)
{
    const struct lwp_security *security = connection->options.security;
    const struct lwp_link *link = &connection->link;
    if (!link->transport)
        return LWP_NEVER;
    const bool is_ready = security && security->is_ready && security->is_ready(link->transport);
    if (!connection->holds && (is_ready || connection->write_failed || link->read_status != LWP_OK))
        return 0;
    return lwp_session_deadline(&link->session);
}

uint64_t lwp_connection_deadline(const struct lwp_connection *connection)
{
    const struct lwp_life *life = &connection->life;
    if (life->state == LWP_LIFE_IDLE || connection->attempt != life->attempt)
        return 0;
    const uint64_t dial_ns = connection->dial ? lwp_dial_deadline(connection->dial) : LWP_NEVER;
    return lwp_deadline_earlier(lwp_deadline_earlier(life->deadline_ns, dial_ns),
                                link_deadline(connection));
}
