/* SPDX-License-Identifier: MIT */
#include "fuzz/stream.h"

static const uint8_t argument_sizes[FUZZ_OP_COUNT] = {
#define FUZZ_OP(code, name, argument_size, text) [FUZZ_OP_##name] = (argument_size),
#include "fuzz/ops.def"
#undef FUZZ_OP
};

size_t fuzz_op_argument_size(enum fuzz_op op)
{
    return argument_sizes[op];
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static struct fuzz_piece op_at(struct lwp_bytes in)
{
    struct fuzz_piece piece = {.op = in.data[0] < FUZZ_OP_COUNT ? (enum fuzz_op)in.data[0]
                                                                : FUZZ_OP_NONE};
    size_t size = 1;
    for (size_t i = 0; i < argument_sizes[piece.op] && size < in.size; i++, size++)
        piece.argument |= (uint32_t)in.data[size] << (8 * i);
    if (piece.op == FUZZ_OP_RAW) {
        piece.raw = lwp_bytes_from(in, size);
        piece.raw.size = least(piece.raw.size, piece.argument);
        size += piece.raw.size;
    }
    piece.bytes = (struct lwp_bytes){in.data, size};
    return piece;
}

struct fuzz_piece fuzz_piece_at(struct lwp_bytes in)
{
    if (in.size < LWP_HEADER_SIZE || lwp_get32(in.data) != LWP_MAGIC)
        return op_at(in);
    const size_t payload_size =
        least(in.size - LWP_HEADER_SIZE,
              lwp_get32(in.data + lwp_header_fields[LWP_HEADER_payload_length].offset));
    return (struct fuzz_piece){.is_frame = true,
                               .bytes = {in.data, LWP_HEADER_SIZE + payload_size}};
}
