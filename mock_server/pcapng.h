/* SPDX-License-Identifier: MIT */
/* pcapng.h - a capture file of IP packets with comments; no privileges and no libpcap, which can not
 * write comments. */
#ifndef LWP_MOCK_PCAPNG_H
#define LWP_MOCK_PCAPNG_H

#include <stdio.h>

#include "lwp/wire/bytes.h"

enum {
    LWP_PCAPNG_SNAP_SIZE = 262144, /* Bytes: no packet is larger. */
    LWP_PCAPNG_MAX_PARTS = 3,
    LWP_PCAPNG_MAX_COMMENT = 4096 /* Bytes; what is longer is cut. */
};

/* A capture that is being written. The file is the caller's. */
struct lwp_pcapng {
    FILE *out;
    int error; /* The errno of the first write that failed; nothing is written after it. */
};

/* A packet: its parts, one behind the other, begin with an IP header. */
struct lwp_pcapng_packet {
    uint64_t time_ns; /* Since the Unix epoch. */
    struct lwp_bytes parts[LWP_PCAPNG_MAX_PARTS];
    struct lwp_bytes comment; /* UTF-8; empty: none. */
};

/** Begins a capture: one section and one interface, whose packets are raw IP and have times in
 * nanoseconds. `program` is who writes it, and what the interface is called. The bytes are little-endian on every machine. */
struct lwp_pcapng lwp_pcapng_begin(FILE *out, const char *program);

/** Writes a packet of at most LWP_PCAPNG_SNAP_SIZE bytes. */
void lwp_pcapng_write(struct lwp_pcapng *pcapng, const struct lwp_pcapng_packet *packet);

#endif
