/* SPDX-License-Identifier: MIT */
#include <poll.h>

#include "lwp/net/fault.h"
#include "lwp/net/tls.h"
#include "mock_server/connection.h"

short connection_events(const struct connection *connection, bool reads)
{
    const bool writes = connection->faults ? lwp_fault_blocked(connection->faults)
                                           : connection->link.session.out.size > 0;
    const unsigned wanted = (reads ? (unsigned)POLLIN : 0) | (writes ? (unsigned)POLLOUT : 0);
    const short events = (short)wanted;
    if (connection->tls)
        return lwp_tls_events(connection->tls, events);
    return events;
}

size_t connection_memory(const struct connection *connection)
{
    const struct lwp_session *session = &connection->link.session;
    return session->in.capacity + session->out.capacity + connection_waiting_memory(connection) +
           connection->announced.memory + connection->owed_memory +
           (connection->faults ? lwp_fault_memory(connection->faults) : 0);
}
