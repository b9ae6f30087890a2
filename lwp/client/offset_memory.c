/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdlib.h>

#include "lwp/client/offset_store_state.h"

enum { MAX_OFFSETS = 4096 };

struct entry {
    struct entry *next;
    uint64_t offset;
    uint32_t topic_id;
    char consumer[]; /* The topic's name plays no part: the id is enough where nothing lasts. */
};

struct memory {
    pthread_mutex_t lock;
    struct entry *first;
    size_t count;
};

/* The place of the pointer to the entry, or of the last, NULL. */
static struct entry **find(struct memory *memory, const struct lwp_offset_key *key)
{
    struct entry **place = &memory->first;
    while (*place &&
           ((*place)->topic_id != key->topic_id || strcmp((*place)->consumer, key->consumer) != 0))
        place = &(*place)->next;
    return place;
}

static enum lwp_status load(void *user, const struct lwp_offset_key *key, uint64_t *offset)
{
    struct memory *memory = user;
    (void)pthread_mutex_lock(&memory->lock);
    const struct entry *entry = *find(memory, key);
    if (entry)
        *offset = entry->offset;
    (void)pthread_mutex_unlock(&memory->lock);
    return entry ? LWP_OK : LWP_STORE_EMPTY;
}

static enum lwp_status save_locked(struct memory *memory, const struct lwp_offset_key *key,
                                   uint64_t offset)
{
    struct entry **place = find(memory, key);
    if (!*place) {
        const size_t size = strlen(key->consumer) + 1;
        if (memory->count == MAX_OFFSETS)
            return LWP_FULL;
        struct entry *entry = calloc(1, sizeof(*entry) + size);
        if (!entry)
            return LWP_NO_MEMORY;
        memcpy(entry->consumer, key->consumer, size);
        entry->topic_id = key->topic_id;
        memory->count++;
        *place = entry;
    }
    (*place)->offset = offset;
    return LWP_OK;
}

static enum lwp_status save(void *user, const struct lwp_offset_key *key, uint64_t offset)
{
    struct memory *memory = user;
    (void)pthread_mutex_lock(&memory->lock);
    const enum lwp_status status = save_locked(memory, key, offset);
    (void)pthread_mutex_unlock(&memory->lock);
    return status;
}

static enum lwp_status forget(void *user, const struct lwp_offset_key *key)
{
    struct memory *memory = user;
    (void)pthread_mutex_lock(&memory->lock);
    struct entry **place = find(memory, key);
    struct entry *entry = *place;
    if (entry) {
        *place = entry->next;
        memory->count--;
    }
    (void)pthread_mutex_unlock(&memory->lock);
    free(entry);
    return LWP_OK;
}

static void release(void *user)
{
    struct memory *memory = user;
    while (memory->first) {
        struct entry *next = memory->first->next;
        free(memory->first);
        memory->first = next;
    }
    (void)pthread_mutex_destroy(&memory->lock);
    free(memory);
}

enum lwp_status lwp_offset_store_memory(struct lwp_offset_store **store)
{
    static const struct lwp_offset_store_calls calls = {load, save, forget, release};
    struct memory *memory = calloc(1, sizeof(*memory));
    if (!memory || pthread_mutex_init(&memory->lock, NULL)) {
        free(memory);
        return LWP_NO_MEMORY;
    }
    const enum lwp_status status = lwp_offset_store_custom(&calls, memory, store);
    if (status != LWP_OK)
        release(memory);
    return status;
}
