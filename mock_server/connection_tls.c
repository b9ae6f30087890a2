/* SPDX-License-Identifier: MIT */
/* What a connection has of the TLS below it: a name, and lines in the log. */
#include <stdio.h>
#include <stdlib.h>

#include "lwp/net/tls.h"
#include "mock_server/connection.h"

/* Says in the log how TLS went: what was agreed on and with whom, or why not. */
static void tell_tls(const struct connection *connection, const char *text)
{
    struct lwp_event event = {.kind = LWP_EVENT_NOTE, .text = lwp_bytes_text(text)};
    connection_tell(connection, &event);
}

void connection_meet(struct connection *connection)
{
    if (!connection->tls || connection->client || !lwp_tls_is_established(connection->tls))
        return;
    char text[LWP_TLS_NAME_SIZE + 128];
    connection->client = malloc(LWP_TLS_NAME_SIZE);
    if (!connection->client) {
        connection_reset(connection, connection->now_ns);
        return;
    }
    const bool named = lwp_tls_peer_name(connection->tls, connection->client);
    connection->asker.client = lwp_bytes_text(connection->client);
    (void)snprintf(text, sizeof(text), "%s, %s, %s%s", lwp_tls_version(connection->tls),
                   lwp_tls_cipher(connection->tls), named ? "client " : "no client certificate",
                   connection->client);
    tell_tls(connection, text);
}

void connection_tell_tls_end(const struct connection *connection)
{
    if (connection->tls && lwp_tls_reason(connection->tls)[0])
        tell_tls(connection, lwp_tls_reason(connection->tls));
}
