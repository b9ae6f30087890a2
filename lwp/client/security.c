/* SPDX-License-Identifier: MIT */
#include "lwp/client/security.h"

static enum lwp_status wrap(const void *context, struct lwp_transport *inner, const char *host,
                            struct lwp_transport **outer)
{
    return lwp_tls_wrap(context, inner, host, outer);
}

struct lwp_security lwp_security_of(const struct lwp_tls_context *context)
{
    return (struct lwp_security){
        .wrap = wrap,
        .handshake = lwp_tls_handshake,
        .events = lwp_tls_events,
        .is_ready = lwp_tls_is_ready,
        .reason = lwp_tls_reason,
        .context = context,
    };
}
