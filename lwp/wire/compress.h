/* SPDX-License-Identifier: MIT */
/* compress.h - LZ4 payloads in the framings that are in use (specification 8.9, D20). */
#ifndef LWP_WIRE_COMPRESS_H
#define LWP_WIRE_COMPRESS_H

#include "lwp/wire/dialect.h"
#include "lwp/wire/status.h"

enum {
    LWP_LZ4_MAX_OUTPUT = 16777216, /* 16 MiB: the usual limit on what comes out. */
    LWP_LZ4_LIBRARY_HEAD_SIZE = 9, /* u8 algorithm, u32 size, u32 size. */
    LWP_LZ4_LIBRARY_ALGORITHM = 1
};

/** The most bytes that lwp_lz4_compress() can write for `size` bytes of input; 0 if that is more
 * than LZ4 takes (2 113 929 216 bytes). */
size_t lwp_lz4_bound(enum lwp_lz4_framing framing, size_t size);

/** Compresses `in` behind what `out` holds. LWP_OK, LWP_FULL if it does not fit, or
 * LWP_INVALID_ARGUMENT if the input is larger than LZ4 takes. */
enum lwp_status lwp_lz4_compress(enum lwp_lz4_framing framing, struct lwp_bytes in,
                                 struct lwp_writer *out);

/**
 * Decompresses `in` behind what `out` holds, never more than `limit` bytes and never past the room
 * that `out` has.
 *
 * LWP_OK                  all of it is there.
 * LWP_FULL                `out` has less room than is needed; grow it, up to `limit`, and repeat.
 *                         What it held before is unchanged.
 * LWP_PAYLOAD_TOO_LARGE   it would be more than `limit` bytes.
 * LWP_INVALID_COMPRESSION damaged, or of another algorithm, or its sizes contradict each other.
 *
 * A raw block does not tell its size: as long as `out` has less room than `limit`, damage can look
 * like LWP_FULL.
 */
enum lwp_status lwp_lz4_decompress(enum lwp_lz4_framing framing, struct lwp_bytes in, size_t limit,
                                   struct lwp_writer *out);

#endif
