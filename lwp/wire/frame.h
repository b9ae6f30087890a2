/* SPDX-License-Identifier: MIT */
/* frame.h - a header and its payload: split off, seal, encode, check (specification 3, 4, 11). */
#ifndef LWP_WIRE_FRAME_H
#define LWP_WIRE_FRAME_H

#include "lwp/wire/dialect.h"
#include "lwp/wire/header.h"

#define LWP_MAX_PAYLOAD_DEFAULT                                                                    \
    16777216U /* 16 MiB: payload bytes, the header not counted (D30).                              \
               */

enum lwp_kind {
    LWP_KIND_UNKNOWN,
    LWP_KIND_INGEST,
    LWP_KIND_ACK,
    LWP_KIND_KEEPALIVE,
    LWP_KIND_BACKPRESSURE,
    LWP_KIND_CONTROL
};

/* The payload is a view; who made the frame says until when it lives. */
struct lwp_frame {
    struct lwp_header header;
    struct lwp_bytes payload;
};

/* What lwp_frame_split() insists on. */
struct lwp_frame_rules {
    enum lwp_polynomial polynomial;
    uint32_t max_payload; /* In bytes; UINT32_MAX for no limit but the field's own. */
};

/**
 * Takes the next frame off the front of `in`.
 *
 * LWP_OK    a whole, sound frame is in `*frame`; its payload points into `in`; it took
 *           lwp_frame_size() bytes.
 * LWP_MORE  `in` holds only the beginning of a frame.
 * else      the bytes can never become a sound frame and section 11 says to close; `*fault` has
 *           the place. In this order: LWP_INVALID_MAGIC, LWP_INVALID_VERSION, LWP_HEADER_CHECKSUM,
 *           LWP_PAYLOAD_TOO_LARGE, LWP_PAYLOAD_CHECKSUM.
 *
 * Nothing is judged before 44 bytes are there (D31), so how a stream is cut never changes what
 * comes out. `frame` and `fault` are left alone where they are not named above.
 */
enum lwp_status lwp_frame_split(const struct lwp_frame_rules *rules, struct lwp_bytes in,
                                struct lwp_frame *frame, struct lwp_fault *fault);

/** The bytes that a frame takes on the wire. */
static inline size_t lwp_frame_size(const struct lwp_frame *frame)
{
    return LWP_HEADER_SIZE + frame->payload.size;
}

/**
 * Judges what the specification demands of a sound frame without saying what follows if it is not
 * so (D23 to D26): reserved bytes, flag bit 7, flag combinations, a payload checksum without a
 * payload, Acks, Keepalives and Backpressures with a payload, ingests without batch id, records or
 * payload.
 *
 * LWP_OK, LWP_INVALID_RESERVED, LWP_INVALID_FLAGS or LWP_INVALID_PAYLOAD, with `*fault` naming the
 * field.
 */
enum lwp_status lwp_frame_check(const struct lwp_frame *frame, struct lwp_fault *fault);

/** What the frame is to a reader of the dialect (D26). LWP_KIND_UNKNOWN if it is none of the kinds.
 */
enum lwp_kind lwp_frame_kind(const struct lwp_frame *frame, const struct lwp_dialect *dialect);

/** The kind's name in scripts and traces, for example "keepalive"; "unknown" for the unknown kind.
 */
const char *lwp_kind_word(enum lwp_kind kind);

/** The flags that a frame of this kind carries (4, 5); 0 for the unknown kind. */
uint8_t lwp_kind_flags(enum lwp_kind kind);

/**
 * Makes the frame sound: magic, version, both checksums and the payload's length. Fields in `keep`
 * (bits 1U << LWP_HEADER_…) are left as they are. A payload of 4 GiB or more leaves its length cut
 * to 32 bits.
 */
void lwp_frame_seal(struct lwp_frame *frame, enum lwp_polynomial polynomial, uint32_t keep);

/** Writes header and payload, whatever they say. LWP_OK or LWP_FULL. */
enum lwp_status lwp_frame_encode(const struct lwp_frame *frame, struct lwp_writer *out);

#endif
