/* SPDX-License-Identifier: MIT */
/* The input is a framing, a limit, the room that there is, and bytes. As a block: nothing is written past room
 * or limit (the room ends where memory does), and what comes out is what plain.h makes of it. As plain bytes:
 * compressing fits the bound and not a byte less than it took, and decompressing gives them back. */
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "fuzz/plain.h"
#include "lwp/wire/compress.h"

enum { HEAD_SIZE = 5, PLAIN_ROOM = 1 << 16 };

/* What the block is, and whether the library may say so of it. */
static void agrees(enum lwp_lz4_framing framing, struct lwp_bytes in, enum lwp_status status,
                   const struct lwp_writer *out, size_t limit)
{
    static uint8_t expected[PLAIN_ROOM];
    size_t size = 0;
    const enum plain_block plain = plain_lz4(framing, in, expected, sizeof(expected), &size);
    if (status == LWP_OK) {
        FUZZ_ASSERT(plain != PLAIN_DAMAGED && size == out->size);
        FUZZ_ASSERT(plain == PLAIN_VAGUE || memcmp(expected, out->data, size) == 0);
    } else if (plain == PLAIN_READ && framing == LWP_LZ4_LIBRARY) {
        FUZZ_ASSERT(status != LWP_FULL || size > out->capacity);
        FUZZ_ASSERT(status != LWP_PAYLOAD_TOO_LARGE || size > limit);
    }
}

static void opens(enum lwp_lz4_framing framing, struct lwp_bytes in, size_t limit, size_t room)
{
    struct lwp_writer out = lwp_writer_on(fuzz_flush_room(room), room);
    const enum lwp_status status = lwp_lz4_decompress(framing, in, limit, &out);
    FUZZ_ASSERT(status == LWP_OK || status == LWP_FULL || status == LWP_PAYLOAD_TOO_LARGE ||
                status == LWP_INVALID_COMPRESSION);
    FUZZ_ASSERT(status == LWP_OK || out.size == 0);
    FUZZ_ASSERT(out.size <= limit && out.size <= room);
    fuzz_note(status);
    fuzz_note(out.size);
    agrees(framing, in, status, &out, limit);
}

static void comes_back(enum lwp_lz4_framing framing, struct lwp_bytes plain)
{
    const size_t bound = lwp_lz4_bound(framing, plain.size);
    struct lwp_writer packed = lwp_writer_on(fuzz_room(bound), bound);
    FUZZ_ASSERT(lwp_lz4_compress(framing, plain, &packed) == LWP_OK);
    struct lwp_writer out = lwp_writer_on(fuzz_room(plain.size), plain.size);
    FUZZ_ASSERT(lwp_lz4_decompress(framing, lwp_writer_bytes(&packed), plain.size, &out) == LWP_OK);
    FUZZ_ASSERT(lwp_bytes_equal(lwp_writer_bytes(&out), plain));
    if (plain.size) {
        out = lwp_writer_on(out.data, plain.size - 1);
        FUZZ_ASSERT(lwp_lz4_decompress(framing, lwp_writer_bytes(&packed), plain.size, &out) ==
                    LWP_FULL);
        FUZZ_ASSERT(lwp_lz4_decompress(framing, lwp_writer_bytes(&packed), plain.size - 1, &out) ==
                    LWP_PAYLOAD_TOO_LARGE);
    }
    free(out.data);
    free(packed.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD_SIZE)
        return 0;
    const enum lwp_lz4_framing framing = data[0] & 1 ? LWP_LZ4_LIBRARY : LWP_LZ4_BLOCK;
    const struct lwp_bytes in = fuzz_flush(data + HEAD_SIZE, size - HEAD_SIZE);
    opens(framing, in, lwp_get16(data + 1), lwp_get16(data + 3));
    comes_back(framing, in);
    return 0;
}
