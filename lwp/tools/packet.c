/* SPDX-License-Identifier: MIT */
#include "lwp/tools/packet.h"

#include <arpa/inet.h>
#include <pcap/pcap.h>
#include <stdio.h>

enum { TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd, TYPE_VLAN = 0x8100, TYPE_QINQ = 0x88a8 };
enum { PROTOCOL_TCP = 6 };
enum { MAX_VLAN_TAGS = 4, VLAN_TAG_SIZE = 4, MAX_EXTENSIONS = 8 };
enum { IPV4_SIZE = 20, IPV6_SIZE = 40, TCP_SIZE = 20 };

static uint16_t big16(const uint8_t *in)
{
    return (uint16_t)(in[0] << 8 | in[1]);
}

static uint32_t big32(const uint8_t *in)
{
    return (uint32_t)big16(in) << 16 | big16(in + 2);
}

/* How a link type's header tells what it carries. */
struct link {
    int type; /* DLT_ */
    size_t size;
    int at; /* Where the EtherType stands; -1: there is none, it is IP. */
};

static const struct link links[] = {
    {DLT_EN10MB, 14, 12}, {DLT_LINUX_SLL, 16, 14}, {DLT_LINUX_SLL2, 20, 0}, {DLT_NULL, 4, -1},
    {DLT_LOOP, 4, -1},    {DLT_RAW, 0, -1},        {DLT_IPV4, 0, -1},       {DLT_IPV6, 0, -1},
};

static const struct link *link_of(int type)
{
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
        if (links[i].type == type)
            return &links[i];
    return NULL;
}

bool lwp_packet_link_known(int link)
{
    return link_of(link) != NULL;
}

/* A packet that is being unwrapped. */
struct wrapped {
    struct lwp_bytes in; /* What was captured, from the current header on. */
    size_t claimed;      /* What was sent of it. */
    struct lwp_segment *found;
};

/* Walks behind the header of `size` bytes. */
static void unwrap(struct wrapped *packet, size_t size)
{
    packet->in = lwp_bytes_from(packet->in, size);
    packet->claimed -= size;
}

static enum lwp_packet read_tcp(struct wrapped *packet)
{
    const uint8_t *at = packet->in.data;
    if (packet->in.size < TCP_SIZE)
        return LWP_PACKET_DAMAGED;
    const size_t size = (size_t)(at[12] >> 4) * 4;
    if (size < TCP_SIZE || size > packet->claimed)
        return LWP_PACKET_DAMAGED;
    struct lwp_segment *found = packet->found;
    found->flow.source.port = big16(at);
    found->flow.destination.port = big16(at + 2);
    found->sequence = big32(at + 4);
    found->flags = at[13];
    unwrap(packet, size);
    found->size = (uint32_t)packet->claimed;
    found->data = packet->in;
    return LWP_PACKET_TCP;
}

/* Cuts off what is not part of the IP packet of `size` bytes; 0 means all of it. */
static void cut(struct wrapped *packet, size_t size)
{
    packet->claimed = size ? size : packet->in.size;
    if (packet->in.size > packet->claimed)
        packet->in.size = packet->claimed;
}

static enum lwp_packet read_ipv4(struct wrapped *packet)
{
    const uint8_t *at = packet->in.data;
    if (packet->in.size < IPV4_SIZE)
        return LWP_PACKET_DAMAGED;
    const size_t size = (size_t)(at[0] & 15) * 4;
    const size_t whole = big16(at + 2);
    if (size < IPV4_SIZE || (whole && whole < size))
        return LWP_PACKET_DAMAGED;
    if (at[9] != PROTOCOL_TCP)
        return LWP_PACKET_OTHER;
    if (big16(at + 6) & 0x3fff)
        return LWP_PACKET_FRAGMENT;
    memcpy(packet->found->flow.source.address, at + 12, 4);
    memcpy(packet->found->flow.destination.address, at + 16, 4);
    cut(packet, whole);
    if (packet->claimed < size)
        return LWP_PACKET_DAMAGED;
    unwrap(packet, size);
    return read_tcp(packet);
}

/* Extension headers that only have to be walked over: hop by hop, routing, destination. */
static bool is_extension(uint8_t next)
{
    return next == 0 || next == 43 || next == 60;
}

static enum lwp_packet read_extensions(struct wrapped *packet, uint8_t next)
{
    for (int i = 0; i < MAX_EXTENSIONS && is_extension(next); i++) {
        if (packet->in.size < 8)
            return LWP_PACKET_DAMAGED;
        const size_t size = ((size_t)packet->in.data[1] + 1) * 8;
        if (size > packet->claimed)
            return LWP_PACKET_DAMAGED;
        next = packet->in.data[0];
        unwrap(packet, size);
    }
    if (next == 44)
        return LWP_PACKET_FRAGMENT;
    return next == PROTOCOL_TCP ? read_tcp(packet) : LWP_PACKET_OTHER;
}

static enum lwp_packet read_ipv6(struct wrapped *packet)
{
    const uint8_t *at = packet->in.data;
    if (packet->in.size < IPV6_SIZE)
        return LWP_PACKET_DAMAGED;
    const size_t whole = big16(at + 4);
    packet->found->flow.ipv6 = true;
    memcpy(packet->found->flow.source.address, at + 8, 16);
    memcpy(packet->found->flow.destination.address, at + 24, 16);
    cut(packet, whole ? IPV6_SIZE + whole : 0);
    unwrap(packet, IPV6_SIZE);
    return read_extensions(packet, at[6]);
}

static enum lwp_packet read_ip(struct wrapped *packet)
{
    if (packet->in.size == 0)
        return LWP_PACKET_DAMAGED;
    const uint8_t version = packet->in.data[0] >> 4;
    if (version == 4)
        return read_ipv4(packet);
    return version == 6 ? read_ipv6(packet) : LWP_PACKET_OTHER;
}

/* Walks behind VLAN tags; `type` is the EtherType. */
static enum lwp_packet read_tagged(struct wrapped *packet, uint16_t type)
{
    for (int i = 0; i < MAX_VLAN_TAGS && (type == TYPE_VLAN || type == TYPE_QINQ); i++) {
        if (packet->in.size < VLAN_TAG_SIZE)
            return LWP_PACKET_DAMAGED;
        type = big16(packet->in.data + 2);
        packet->in = lwp_bytes_from(packet->in, VLAN_TAG_SIZE);
    }
    return type == TYPE_IPV4 || type == TYPE_IPV6 ? read_ip(packet) : LWP_PACKET_OTHER;
}

enum lwp_packet lwp_packet_read(int link, struct lwp_bytes packet, struct lwp_segment *segment)
{
    const struct link *row = link_of(link);
    if (!row)
        return LWP_PACKET_LINK;
    if (packet.size < row->size)
        return LWP_PACKET_DAMAGED;
    struct lwp_segment found = {.sequence = 0};
    struct wrapped wrapped = {lwp_bytes_from(packet, row->size), 0, &found};
    const enum lwp_packet kind =
        row->at < 0 ? read_ip(&wrapped) : read_tagged(&wrapped, big16(packet.data + row->at));
    if (kind == LWP_PACKET_TCP)
        *segment = found;
    return kind;
}

static bool endpoint_equal(const struct lwp_endpoint *a, const struct lwp_endpoint *b)
{
    return a->port == b->port && memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

bool lwp_flow_equal(const struct lwp_flow *a, const struct lwp_flow *b)
{
    return a->ipv6 == b->ipv6 && endpoint_equal(&a->source, &b->source) &&
           endpoint_equal(&a->destination, &b->destination);
}

struct lwp_flow lwp_flow_reverse(const struct lwp_flow *flow)
{
    return (struct lwp_flow){flow->ipv6, flow->destination, flow->source};
}

void lwp_flow_print(const struct lwp_flow *flow, char *out)
{
    char source[INET6_ADDRSTRLEN] = "";
    char destination[INET6_ADDRSTRLEN] = "";
    const int family = flow->ipv6 ? AF_INET6 : AF_INET;
    (void)inet_ntop(family, flow->source.address, source, sizeof(source));
    (void)inet_ntop(family, flow->destination.address, destination, sizeof(destination));
    (void)snprintf(out, LWP_FLOW_SIZE, flow->ipv6 ? "[%s]:%u > [%s]:%u" : "%s:%u > %s:%u", source,
                   flow->source.port, destination, flow->destination.port);
}
