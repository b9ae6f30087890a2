/* SPDX-License-Identifier: MIT */
/* security.h - TLS for clients, producers and consumers (specification 7). */
#ifndef LWP_CLIENT_SECURITY_H
#define LWP_CLIENT_SECURITY_H

#include "lwp/client/connection.h"
#include "lwp/net/tls.h"

/**
 * What `security` of lwp_connect_options takes: TLS by the context of lwp_tls_client_new(), which must
 * outlive all handles that use it. The server's certificate must be for the host of the address; a
 * leader's, for the host to which the redirect leads.
 */
struct lwp_security lwp_security_of(const struct lwp_tls_context *context);

#endif
