/* SPDX-License-Identifier: MIT */
/* offset_store_state.h - what the kinds of offset stores share. */
#ifndef LWP_CLIENT_OFFSET_STORE_STATE_H
#define LWP_CLIENT_OFFSET_STORE_STATE_H

#include "lwp/client/offset_store.h"

enum { OFFSET_FILE_ROOM = 8192 }; /* Bytes; a larger file is none of ours. */

/* How one layout names and writes its files. All names are relative to the store's folder. */
struct offset_layout {
    const char *new_suffix;  /* Behind the stem: what is written before it is renamed. */
    const char *lock_suffix; /* Behind the stem: who holds its lock may write. */
    /** Writes the file's name without ".offset"; false if the key can not have a file. */
    bool (*stem)(const struct lwp_offset_key *key, struct lwp_writer *out);
    /** Writes what the file holds: LWP_OK, LWP_FULL or LWP_NO_MEMORY. */
    enum lwp_status (*write)(const struct lwp_offset_key *key, uint64_t offset,
                             struct lwp_writer *out);
    /** Reads what a file holds: LWP_OK, LWP_STORE_DAMAGED, LWP_STORE_FOREIGN or LWP_NO_MEMORY. */
    enum lwp_status (*read)(const struct lwp_offset_key *key, struct lwp_bytes text,
                            uint64_t *offset);
};

/** The rules of a layout; static. */
const struct offset_layout *offset_layout_of(enum lwp_offset_layout layout);

#endif
