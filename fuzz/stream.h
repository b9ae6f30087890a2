/* SPDX-License-Identifier: MIT */
/* stream.h - an input as frames and what stands between them: how the targets that hold a session read
 * it, and the mutator changes it. Each input is such a stream, and none has lengths that must fit. */
#ifndef FUZZ_STREAM_H
#define FUZZ_STREAM_H

#include "lwp/wire/frame.h"

enum fuzz_op {
    FUZZ_OP_NONE,
#define FUZZ_OP(code, name, argument_size, text) FUZZ_OP_##name = (code),
#include "fuzz/ops.def"
#undef FUZZ_OP
    FUZZ_OP_COUNT
};

/* A piece of an input; the bytes are the input's. */
struct fuzz_piece {
    bool is_frame;   /* `bytes` begin with LANC and have at least a header. */
    enum fuzz_op op; /* Of a piece that is no frame; FUZZ_OP_NONE for a byte that says nothing. */
    struct lwp_bytes bytes; /* All of it. */
    uint32_t argument;      /* Of an op, little-endian; 0 where the input ends early. */
    struct lwp_bytes raw;   /* What FUZZ_OP_RAW sends. */
};

/** The piece at the front of `in`, which must not be empty. A frame goes as far as its payload_length
 * says, or to the end of the input. */
struct fuzz_piece fuzz_piece_at(struct lwp_bytes in);

/** How many bytes of argument the op has. */
size_t fuzz_op_argument_size(enum fuzz_op op);

#endif
