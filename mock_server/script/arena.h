/* SPDX-License-Identifier: MIT */
/* arena.h - memory that is freed all at once. */
#ifndef LWP_SCRIPT_ARENA_H
#define LWP_SCRIPT_ARENA_H

#include "lwp/wire/bytes.h"

struct script_chunk;

/* All zeros is an empty arena with the default limit. */
struct script_arena {
    struct script_chunk *chunks;
    size_t used; /* Bytes handed out. */
    bool failed; /* Sticky: something could not be had. */
};

/** `size` zeroed bytes, aligned for anything, until script_arena_done(); NULL without memory or
 * past 64 MiB in all. */
void *script_arena_take(struct script_arena *arena, size_t size);

/** A copy of the bytes, with a zero behind it that does not count. */
struct lwp_bytes script_arena_copy(struct script_arena *arena, struct lwp_bytes bytes);

/** Frees all that was taken; the arena is empty again. */
void script_arena_done(struct script_arena *arena);

/* A list of equal items that grows in an arena. */
#define SCRIPT_LIST(type)                                                                          \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count;                                                                              \
    }

/** Room for one more item of `size` bytes behind `count` of them at `*items`, zeroed; NULL without
 * memory. */
void *script_list_add(struct script_arena *arena, void *items, size_t *count, size_t size);

#define SCRIPT_ADD(arena, list)                                                                    \
    script_list_add(arena, &(list)->items, &(list)->count, sizeof((list)->items[0]))

#endif
