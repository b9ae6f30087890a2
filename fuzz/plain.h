/* SPDX-License-Identifier: MIT */
/* plain.h - the specification once more, in the plainest way: no tables, no tricks, all arithmetic
 * in 64 bits. What the library says is compared with it. It shares only types with the library. */
#ifndef FUZZ_PLAIN_H
#define FUZZ_PLAIN_H

#include "lwp/wire/compress.h"
#include "lwp/wire/frame.h"
#include "lwp/wire/tlv.h"

/** The little-endian integer of `size` bytes (at most 8) at `at`. */
uint64_t plain_integer(struct lwp_bytes in, size_t at, size_t size);

/** Continues a checksum bit by bit (specification 9). */
uint32_t plain_crc(enum lwp_polynomial polynomial, uint32_t crc, struct lwp_bytes bytes);

/** Whether status, offset and field are the same. */
bool plain_same_fault(const struct lwp_fault *a, const struct lwp_fault *b);

/** What lwp_frame_split() is to answer: LWP_OK, LWP_MORE or a fault with its place (3, 11). */
struct lwp_fault plain_verdict(const struct lwp_frame_rules *rules, struct lwp_bytes in);

/** What lwp_frame_check() is to answer about a whole frame (3, 4). */
struct lwp_fault plain_soundness(struct lwp_bytes frame);

/** What the whole frame is to a reader of the dialect (4, D26). */
enum lwp_kind plain_kind(struct lwp_bytes frame, const struct lwp_dialect *dialect);

/** What lwp_tlv_next() is to answer at `at`; `*size` is the whole record's if it is LWP_OK (8). */
enum lwp_status plain_record(struct lwp_bytes in, uint64_t at, uint64_t *size);

/** What lwp_record_parts() is to answer (8.3, 8.4). */
enum lwp_status plain_parts(uint8_t type, struct lwp_bytes value, struct lwp_record_parts *parts);

/** What lwp_record_check() is to answer (8.2 to 8.4). */
enum lwp_status plain_record_check(uint8_t type, struct lwp_bytes value);

/* What plain_lz4() finds. */
enum plain_block {
    PLAIN_DAMAGED, /* Or more than there is room for. */
    PLAIN_READ,
    PLAIN_VAGUE /* A match at distance 0: forbidden, but liblz4 takes it and the bytes are anything. */
};

/** Decompresses (8.9, D20; the block as LZ4 describes it): `*size` bytes in `out`. Blocks are read more
 * leniently than by liblz4, which has rules for their ends. */
enum plain_block plain_lz4(enum lwp_lz4_framing framing, struct lwp_bytes in, uint8_t *out,
                           size_t room, size_t *size);

/** Whether the text is UTF-8 (RFC 3629). */
bool plain_utf8(struct lwp_bytes text);

#endif
