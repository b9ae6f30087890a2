/* SPDX-License-Identifier: MIT */
/* packets.h - connections drawn as the TCP packets that a capture would have shown: handshake, data
 * in sequence, FIN and RST, with checksums that are right. */
#ifndef LWP_MOCK_PACKETS_H
#define LWP_MOCK_PACKETS_H

#include <stdio.h>

#include "lwp/net/transport.h"

enum { LWP_PACKETS_MAX_DATA = 65472 }; /* Bytes in a packet; what is more takes several. */

/* The connections that are open. */
struct lwp_packets;

/* Where in a capture something belongs. */
struct lwp_packets_place {
    uint64_t time_ns;         /* Since the Unix epoch. */
    uint64_t connection;      /* A number that no other connection has. */
    bool outgoing;            /* From the mock to the peer. */
    struct lwp_bytes comment; /* UTF-8, of the first packet; empty: none. */
};

/** Begins a capture in `out`, which stays the caller's; `program` is who writes it. LWP_OK or
 * LWP_NO_MEMORY. */
enum lwp_status lwp_packets_new(FILE *out, const char *program, struct lwp_packets **packets);

/** Forgets the connections; NULL is fine. */
void lwp_packets_free(struct lwp_packets *packets);

/**
 * A connection from `peer` to `local`: texts as in 1.2.3.4:PORT or [::1]:PORT, whose addresses and
 * ports the packets carry. Instead of one that is not numeric (a pipe has none) they carry one of
 * their own: 198.18.0.1:1992 or [2001:2::1]:1992 for the mock, 198.19.0.0/16 or 2001:2::/48 for
 * peers. An IPv4 address that meets an IPv6 one is mapped to IPv6.
 */
void lwp_packets_connect(struct lwp_packets *packets, const struct lwp_packets_place *place,
                         struct lwp_bytes local, struct lwp_bytes peer);

/** Bytes, `head` and behind it `body`. On a connection that is not known it is a pipe's. */
void lwp_packets_send(struct lwp_packets *packets, const struct lwp_packets_place *place,
                      struct lwp_bytes head, struct lwp_bytes body);

/** The end in one direction, or with LWP_CLOSE_RST in both. A connection that has ended, or that
 * the mock has ended with LWP_CLOSE_FIN, is forgotten. Nothing on one that is not known. */
void lwp_packets_close(struct lwp_packets *packets, const struct lwp_packets_place *place,
                       enum lwp_close how);

/** How it went so far: LWP_OK; LWP_NO_MEMORY if a connection is missing; LWP_IO with `*error` the
 * errno. Bytes in the file's buffer are not judged. */
enum lwp_status lwp_packets_status(const struct lwp_packets *packets, int *error);

#endif
