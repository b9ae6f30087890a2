/* SPDX-License-Identifier: MIT */
/* packet.h - the TCP segment in a captured packet. */
#ifndef LWP_TOOLS_PACKET_H
#define LWP_TOOLS_PACKET_H

#include "lwp/wire/bytes.h"

/* One end of a connection. */
struct lwp_endpoint {
    uint8_t address[16]; /* Of IPv4 the first four; the rest is zero. */
    uint16_t port;
};

/* A direction of a connection. */
struct lwp_flow {
    bool ipv6;
    struct lwp_endpoint source;
    struct lwp_endpoint destination;
};

enum lwp_packet {
    LWP_PACKET_TCP,
    LWP_PACKET_OTHER,    /* Not TCP over IP. */
    LWP_PACKET_FRAGMENT, /* A part of an IP packet. */
    LWP_PACKET_DAMAGED,  /* Headers that are cut off or contradict themselves. */
    LWP_PACKET_LINK      /* This link type is not known. */
};

enum { LWP_TCP_FIN = 1, LWP_TCP_SYN = 2, LWP_TCP_RST = 4 };

struct lwp_segment {
    struct lwp_flow flow;
    uint32_t sequence;
    uint8_t flags;
    uint32_t size;         /* What was sent. */
    struct lwp_bytes data; /* What of it was captured: a view into the packet. */
};

/**
 * Finds the TCP segment in a packet. `link` is libpcap's DLT_: Ethernet (with up to four VLAN
 * tags), Linux cooked v1 and v2, loopback, null, raw IP. IPv6 extension headers are walked over.
 * The IP header's length cuts off what Ethernet pads; where it is zero (segmentation was left to
 * the network card) the packet's own size counts.
 *
 * `*segment` is set for LWP_PACKET_TCP only.
 */
enum lwp_packet lwp_packet_read(int link, struct lwp_bytes packet, struct lwp_segment *segment);

/** Whether a DLT_ is one that lwp_packet_read() knows. */
bool lwp_packet_link_known(int link);

/** Whether both are the same direction of the same connection. */
bool lwp_flow_equal(const struct lwp_flow *a, const struct lwp_flow *b);

/** The other direction of the connection. */
struct lwp_flow lwp_flow_reverse(const struct lwp_flow *flow);

enum { LWP_FLOW_SIZE = 112 }; /* Characters that any flow fits into. */

/** Writes "A:port > B:port", IPv6 addresses in brackets; `out` has LWP_FLOW_SIZE characters. */
void lwp_flow_print(const struct lwp_flow *flow, char *out);

#endif
