/* SPDX-License-Identifier: MIT */
/* offset_store.h - where a consumer keeps its place between runs: in memory, in files, or wherever
 * the caller likes (specification 5.14, 17.8). */
#ifndef LWP_CLIENT_OFFSET_STORE_H
#define LWP_CLIENT_OFFSET_STORE_H

#include "lwp/wire/status.h"

/* Whose place in what. The texts are the caller's and need live only during the call. */
struct lwp_offset_key {
    const char *consumer;   /* UTF-8, 1 to LWP_OFFSET_MAX_NAME bytes. */
    uint32_t topic_id;      /* Two topics of one name are told apart by it. */
    const char *topic_name; /* NULL or "" if it is not known: the file is named for the id. */
};

enum { LWP_OFFSET_MAX_NAME = 200 };

/* How files are named and written. */
enum lwp_offset_layout {
    /* The Python client's, release 0.2.9: FOLDER/CONSUMER_TOPIC.offset, one JSON object. / and \ in
     * a consumer's name become _. TOPIC is the name if there is one, else the id. */
    LWP_OFFSETS_PYTHON,
    /* The Rust client's, release 0.2.8: FOLDER/CONSUMER/topic-ID-consumer-HASH.offset, a decimal
     * number and a line feed. HASH is the number that its StandaloneConsumer makes of the name. */
    LWP_OFFSETS_RUST
};

struct lwp_offset_store;

/* A store of the caller's own. Each function may be called from any thread that uses the store. */
struct lwp_offset_store_calls {
    /** LWP_OK with `*offset` set, LWP_STORE_EMPTY, or whatever went wrong. */
    enum lwp_status (*load)(void *user, const struct lwp_offset_key *key, uint64_t *offset);
    /** LWP_OK once the offset is kept, or whatever went wrong. */
    enum lwp_status (*save)(void *user, const struct lwp_offset_key *key, uint64_t offset);
    /** LWP_OK if nothing is stored any more, or whatever went wrong. */
    enum lwp_status (*forget)(void *user, const struct lwp_offset_key *key);
    /** Called once, by lwp_offset_store_free(); may be NULL. */
    void (*release)(void *user);
};

/** A store that lives as long as the process; several threads may use it. LWP_OK or LWP_NO_MEMORY;
 * free it with lwp_offset_store_free(). */
enum lwp_status lwp_offset_store_memory(struct lwp_offset_store **store);

/**
 * A store of one file for each consumer and topic in `folder`, which is made if it is not there.
 * Several threads and processes may use one folder: writers exclude each other by a lock file
 * beside the file, readers see the old offset or the new one, never a part.
 *
 * LWP_OK; LWP_IO with errno set; LWP_NO_MEMORY; LWP_INVALID_ARGUMENT for an empty folder.
 */
enum lwp_status lwp_offset_store_files(const char *folder, enum lwp_offset_layout layout,
                                       struct lwp_offset_store **store);

/** A store that calls back. `user` must live until `release`. LWP_OK or LWP_NO_MEMORY. */
enum lwp_status lwp_offset_store_custom(const struct lwp_offset_store_calls *calls, void *user,
                                        struct lwp_offset_store **store);

/** Frees the store; what files hold stays. NULL is fine. */
void lwp_offset_store_free(struct lwp_offset_store *store);

/**
 * Reads the offset from which the consumer goes on.
 *
 * LWP_OK                with `*offset` set; in all other cases it is left alone.
 * LWP_STORE_EMPTY       none was ever saved: this is the only answer after which it is right to
 *                       start anew.
 * LWP_STORE_DAMAGED     a file is there, but not in its form: cut off, edited, of another program,
 *                       or with an offset that means the end of the log and no place in it.
 * LWP_STORE_FOREIGN     the file tells another consumer or topic. In the Python layout "a/b" and
 *                       "a_b" have one file: it belongs to whoever came first.
 * LWP_INVALID_ARGUMENT  a name that can not be a file's: empty, too long, not UTF-8, a topic's with
 *                       a slash, or in the Rust layout a consumer's with a slash, "." or "..".
 * LWP_IO                with errno set; LWP_NO_MEMORY; or what the caller's own store returns.
 */
enum lwp_status lwp_offset_store_load(struct lwp_offset_store *store,
                                      const struct lwp_offset_key *key, uint64_t *offset);

/**
 * Keeps the offset. When this returns LWP_OK it outlives a power failure: file and folder were
 * synchronised. After LWP_IO the old offset is there or the new one, whole; after every other
 * status the old one.
 *
 * A damaged or foreign file is not overwritten: LWP_STORE_DAMAGED, LWP_STORE_FOREIGN.
 * LWP_INVALID_ARGUMENT also for 2^64-1, which is no place but the tail sentinel (D5). LWP_TIMEOUT
 * if another writer holds the lock for a second. LWP_FULL if the memory store holds 4096 offsets.
 * Else as lwp_offset_store_load().
 */
enum lwp_status lwp_offset_store_save(struct lwp_offset_store *store,
                                      const struct lwp_offset_key *key, uint64_t offset);

/** Forgets the offset: LWP_OK, also if there was none. A damaged file is removed, a foreign one
 * stays (LWP_STORE_FOREIGN). Else as lwp_offset_store_save(). */
enum lwp_status lwp_offset_store_forget(struct lwp_offset_store *store,
                                        const struct lwp_offset_key *key);

/** The number that the Rust client's StandaloneConsumer makes of a consumer's name: SipHash-1-3
 * without a key over the name and a byte FF. */
uint64_t lwp_offset_consumer_hash(struct lwp_bytes name);

#endif
