/* SPDX-License-Identifier: MIT */
#include "lwp/wire/compress.h"

#include <limits.h>
#include <lz4.h>

static size_t head_size(enum lwp_lz4_framing framing)
{
    return framing == LWP_LZ4_LIBRARY ? LWP_LZ4_LIBRARY_HEAD_SIZE : 0;
}

size_t lwp_lz4_bound(enum lwp_lz4_framing framing, size_t size)
{
    if (size > LZ4_MAX_INPUT_SIZE)
        return 0;
    return head_size(framing) + (size_t)LZ4_compressBound((int)size);
}

static int as_int(size_t size)
{
    return size < INT_MAX ? (int)size : INT_MAX;
}

enum lwp_status lwp_lz4_compress(enum lwp_lz4_framing framing, struct lwp_bytes in,
                                 struct lwp_writer *out)
{
    if (in.size > LZ4_MAX_INPUT_SIZE)
        return LWP_INVALID_ARGUMENT;
    const size_t head = head_size(framing);
    if (out->full || out->capacity - out->size < head) {
        out->full = true;
        return LWP_FULL;
    }
    uint8_t *at = out->data + out->size;
    const size_t room = out->capacity - out->size - head;
    LZ4_stream_t state;
    const int size = LZ4_compress_fast_extState(&state, (const char *)in.data, (char *)at + head,
                                                as_int(in.size), as_int(room), 1);
    if (size <= 0) {
        out->full = true;
        return LWP_FULL;
    }
    if (head) {
        at[0] = LWP_LZ4_LIBRARY_ALGORITHM;
        lwp_put32(at + 1, (uint32_t)in.size);
        lwp_put32(at + 5, (uint32_t)in.size);
    }
    out->size += head + (size_t)size;
    return LWP_OK;
}

/* Takes the head off the library's form and tells the size that it claims. */
static enum lwp_status take_head(struct lwp_bytes *in, size_t limit, size_t *claimed)
{
    if (in->size < LWP_LZ4_LIBRARY_HEAD_SIZE || in->data[0] != LWP_LZ4_LIBRARY_ALGORITHM)
        return LWP_INVALID_COMPRESSION;
    const uint32_t outer = lwp_get32(in->data + 1);
    const uint32_t inner = lwp_get32(in->data + 5);
    if (outer != inner)
        return LWP_INVALID_COMPRESSION;
    *claimed = outer;
    *in = lwp_bytes_from(*in, LWP_LZ4_LIBRARY_HEAD_SIZE);
    return outer > limit ? LWP_PAYLOAD_TOO_LARGE : LWP_OK;
}

/* What a block that could not be decompressed into `room` bytes is: too large, or damaged. LZ4
 * itself does not tell. */
static enum lwp_status why_not(struct lwp_bytes in, size_t room, size_t limit, char *at)
{
    const int got = LZ4_decompress_safe_partial((const char *)in.data, at, as_int(in.size),
                                                as_int(room), as_int(room));
    if (got < 0 || (size_t)got < room)
        return LWP_INVALID_COMPRESSION;
    return room < limit ? LWP_FULL : LWP_PAYLOAD_TOO_LARGE;
}

/* One block, into at most `most` bytes of the room. `exact`: it must fill them. */
static enum lwp_status take_block(struct lwp_bytes in, size_t most, bool exact,
                                  struct lwp_writer *out)
{
    if (in.size == 0 || in.size > INT_MAX)
        return LWP_INVALID_COMPRESSION;
    const size_t left = out->capacity - out->size;
    const size_t room = left < most ? left : most;
    char nothing;
    char *at = room ? (char *)out->data + out->size : &nothing;
    const int size = LZ4_decompress_safe((const char *)in.data, at, as_int(in.size), as_int(room));
    if (size < 0 && !exact)
        return why_not(in, room, most, at);
    if (size < 0 || (exact && (size_t)size != most))
        return LWP_INVALID_COMPRESSION;
    out->size += (size_t)size;
    return LWP_OK;
}

enum lwp_status lwp_lz4_decompress(enum lwp_lz4_framing framing, struct lwp_bytes in, size_t limit,
                                   struct lwp_writer *out)
{
    size_t claimed = limit;
    if (out->full)
        return LWP_FULL;
    if (framing == LWP_LZ4_BLOCK)
        return take_block(in, limit, false, out);
    const enum lwp_status status = take_head(&in, limit, &claimed);
    if (status != LWP_OK)
        return status;
    if (out->capacity - out->size < claimed)
        return LWP_FULL;
    return take_block(in, claimed, true, out);
}
