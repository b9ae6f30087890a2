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

enum lwp_status lwp_transport_gather(struct lwp_transport *transport, const struct lwp_bytes *parts,
                                     size_t part_count, size_t *count)
{
    return transport->ops->gather(transport, parts, part_count, count);
}

bool lwp_transport_gathers(const struct lwp_transport *transport)
{
    return transport->ops->gather;
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
