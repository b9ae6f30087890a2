/* SPDX-License-Identifier: MIT */
/* mutator_state.h - an input that is being changed; shared by the mutator's files. */
#ifndef FUZZ_MUTATOR_STATE_H
#define FUZZ_MUTATOR_STATE_H

#include "fuzz/made.h"
#include "fuzz/mutator.h"

enum { MAX_PIECES = 64 };
/* A frame, or what stands between two; the bytes are its payload, or all of it. */
struct piece {
    bool is_frame;
    uint32_t keep; /* Header fields that were changed on purpose: 1U << LWP_HEADER_… */
    struct lwp_header header;
    struct lwp_bytes bytes;
};

struct work {
    uint64_t dice;
    mutate_bytes *change_bytes;
    struct piece pieces[MAX_PIECES];
    size_t count;
    struct lwp_writer room; /* Where new bytes are written; never full for long. */
};

/* Where the bytes begin that are written next. */
struct mark {
    size_t at;
};

static inline struct mark mark_room(const struct work *work)
{
    return (struct mark){work->room.size};
}

/** What was written since then, unless the room was too small: then `otherwise`. */
struct lwp_bytes room_since(struct work *work, struct mark mark, struct lwp_bytes otherwise);

/** A copy of the bytes in the room; empty if that is too small. */
struct lwp_bytes room_copy(struct work *work, struct lwp_bytes bytes);

/** Gives the piece bytes of its own, to be changed in place; the same size, or none. */
uint8_t *room_own(struct work *work, struct piece *piece);

/** Changes the bytes as the engine does, or as we do. Returns the new size. */
size_t change_bytes(struct work *work, uint8_t *data, size_t size, size_t max_size);

/** Makes one change, of any kind, to the pieces. */
void change_pieces(struct work *work);

#endif
