/* SPDX-License-Identifier: MIT */
#include "lwp/net/transport.h"

enum lwp_status lwp_transport_read(struct lwp_transport *transport, uint8_t *out, size_t size,
                                   size_t *count)
{
    return transport->ops->read(transport, out, size, count);
}

enum lwp_status lwp_transport_write(struct lwp_transport *transport, struct lwp_bytes bytes,
                                    size_t *count)
{
    return transport->ops->write(transport, bytes, count);
}

void lwp_transport_close(struct lwp_transport *transport, enum lwp_close how)
{
    transport->ops->close(transport, how);
}

int lwp_transport_fd(const struct lwp_transport *transport)
{
    return transport->ops->fd(transport);
}

void lwp_transport_free(struct lwp_transport *transport)
{
    if (transport)
        transport->ops->free(transport);
}
