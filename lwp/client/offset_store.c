/* SPDX-License-Identifier: MIT */
#include "lwp/client/offset_store.h"

#include <stdlib.h>

struct lwp_offset_store {
    struct lwp_offset_store_calls calls;
    void *user;
};

enum lwp_status lwp_offset_store_custom(const struct lwp_offset_store_calls *calls, void *user,
                                        struct lwp_offset_store **store)
{
    struct lwp_offset_store *result = malloc(sizeof(*result));
    if (!result)
        return LWP_NO_MEMORY;
    *result = (struct lwp_offset_store){*calls, user};
    *store = result;
    return LWP_OK;
}

void lwp_offset_store_free(struct lwp_offset_store *store)
{
    if (store && store->calls.release)
        store->calls.release(store->user);
    free(store);
}

static bool is_name(const char *name)
{
    const struct lwp_bytes bytes = lwp_bytes_text(name);
    return bytes.size > 0 && bytes.size <= LWP_OFFSET_MAX_NAME && lwp_utf8_valid(bytes);
}

static bool is_key(const struct lwp_offset_key *key)
{
    const bool unnamed = !key->topic_name || !key->topic_name[0];
    return is_name(key->consumer) && (unnamed || is_name(key->topic_name));
}

enum lwp_status lwp_offset_store_load(struct lwp_offset_store *store,
                                      const struct lwp_offset_key *key, uint64_t *offset)
{
    uint64_t found = 0;
    if (!is_key(key))
        return LWP_INVALID_ARGUMENT;
    const enum lwp_status status = store->calls.load(store->user, key, &found);
    if (status != LWP_OK)
        return status;
    /* The Rust client leaves its tail sentinel behind, which would skip all that came since. */
    if (found == UINT64_MAX)
        return LWP_STORE_DAMAGED;
    *offset = found;
    return LWP_OK;
}

enum lwp_status lwp_offset_store_save(struct lwp_offset_store *store,
                                      const struct lwp_offset_key *key, uint64_t offset)
{
    if (!is_key(key) || offset == UINT64_MAX)
        return LWP_INVALID_ARGUMENT;
    return store->calls.save(store->user, key, offset);
}

enum lwp_status lwp_offset_store_forget(struct lwp_offset_store *store,
                                        const struct lwp_offset_key *key)
{
    return is_key(key) ? store->calls.forget(store->user, key) : LWP_INVALID_ARGUMENT;
}
