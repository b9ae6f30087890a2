/* SPDX-License-Identifier: MIT */
/* capture.h - the LWP streams in a capture, pcap or pcapng. */
#ifndef LWP_TOOLS_CAPTURE_H
#define LWP_TOOLS_CAPTURE_H

#include "lwp/tools/dump.h"

enum { LWP_CAPTURE_MAX_STREAMS = 4096 };

/* All members may be 0. */
struct lwp_capture_options {
    const struct lwp_dialect *dialect; /* NULL: guess, for each stream. */
    uint16_t port;                     /* Dump the streams of this port; 0: those that are LWP. */
    size_t stream_limit;               /* Bytes held of a stream; 0: LWP_STREAM_LIMIT. */
    size_t max_streams;                /* 0: LWP_CAPTURE_MAX_STREAMS, which is the most. */
};

/** Whether the bytes begin as a pcap or pcapng file does. */
bool lwp_capture_recognise(struct lwp_bytes file);

/** Whether they begin as a pcapng file does. */
bool lwp_capture_is_pcapng(struct lwp_bytes file);

/**
 * Reports the streams of a capture, each direction of a TCP connection by itself, in the order in
 * which they first appear, and what else there was. The file is read through libpcap, which refuses
 * blocks of more than 16 MiB or so; what it says of a file that it can not read, or only in part,
 * is reported as the fault CAPTURE.
 *
 * A stream is put together from what is held of it, at the end of the capture. One that comes to
 * hold more than `stream_limit` bytes is dumped as far as it goes and let go of; a gap is waited
 * for until half of the limit has come behind it. Bytes that are not LWP are let go of in the same
 * way.
 *
 * In a guess, the dialect that the other direction shows counts as well: errors, which tell `lance`
 * from `lance-py`, come from the server only.
 *
 * LWP_OK or LWP_NO_MEMORY; then the report ends where memory did.
 */
enum lwp_status lwp_capture_dump(const struct lwp_capture_options *options,
                                 struct lwp_report *report, struct lwp_bytes file);

#endif
