/* SPDX-License-Identifier: MIT */
#include "mock_server/script/arena.h"

#include <stdalign.h>
#include <stdlib.h>

enum { CHUNK_SIZE = 65536, MAX_SIZE = 67108864 };

struct script_chunk {
    struct script_chunk *next;
    size_t used;
    size_t capacity;
    alignas(max_align_t) uint8_t data[];
};

static struct script_chunk *add_chunk(struct script_arena *arena, size_t size)
{
    const size_t capacity = size > CHUNK_SIZE ? size : CHUNK_SIZE;
    struct script_chunk *chunk = calloc(1, sizeof(*chunk) + capacity);
    if (!chunk)
        return NULL;
    chunk->capacity = capacity;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk;
}

void *script_arena_take(struct script_arena *arena, size_t size)
{
    const size_t rounded =
        (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    struct script_chunk *chunk = arena->chunks;
    if (size > MAX_SIZE || rounded > MAX_SIZE - arena->used) {
        arena->failed = true;
        return NULL;
    }
    if (!chunk || chunk->capacity - chunk->used < rounded)
        chunk = add_chunk(arena, rounded);
    if (!chunk) {
        arena->failed = true;
        return NULL;
    }
    void *taken = chunk->data + chunk->used;
    chunk->used += rounded;
    arena->used += rounded;
    return taken;
}

struct lwp_bytes script_arena_copy(struct script_arena *arena, struct lwp_bytes bytes)
{
    uint8_t *copy = script_arena_take(arena, bytes.size + 1);
    if (!copy)
        return (struct lwp_bytes){NULL, 0};
    if (bytes.size)
        memcpy(copy, bytes.data, bytes.size);
    return (struct lwp_bytes){copy, bytes.size};
}

void script_arena_done(struct script_arena *arena)
{
    while (arena->chunks) {
        struct script_chunk *next = arena->chunks->next;
        free(arena->chunks);
        arena->chunks = next;
    }
    *arena = (struct script_arena){.chunks = NULL};
}

/* Grows when the count is a power of two, so that lists need not remember a capacity. */
void *script_list_add(struct script_arena *arena, void *items, size_t *count, size_t size)
{
    void *old = NULL;
    memcpy(&old, items, sizeof(old));
    if ((*count & (*count - 1)) == 0) {
        void *grown = script_arena_take(arena, (*count ? 2 * *count : 1) * size);
        if (!grown)
            return NULL;
        if (*count)
            memcpy(grown, old, *count * size);
        memcpy(items, &grown, sizeof(grown));
        old = grown;
    }
    return (uint8_t *)old + (*count)++ * size;
}
