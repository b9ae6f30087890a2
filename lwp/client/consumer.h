/* SPDX-License-Identifier: MIT */
/* consumer.h - records out of a topic: fetched ahead, handed on whole, with a place that outlives the
 * process (specification 5.9, 5.14, 15, 17.8). */
#ifndef LWP_CLIENT_CONSUMER_H
#define LWP_CLIENT_CONSUMER_H

#include "lwp/client/inbox.h"
#include "lwp/client/offset_store.h"
#include "lwp/client/options.h"

/* Where a consumer begins that has no place yet, or seeks to. */
enum lwp_place { LWP_PLACE_BEGINNING, LWP_PLACE_END, LWP_PLACE_OFFSET };

/* Begin with lwp_consumer_defaults(). Pointers must live until the consumer is closed. */
struct lwp_consumer_options {
    struct lwp_connect_options connect;
    const char *name; /* Whose place it is: of 1 to LWP_OFFSET_MAX_NAME bytes. */
    uint32_t topic_id;
    const char *topic_name;   /* For the file of the place only; NULL: it is named for the id. */
    uint32_t max_fetch_bytes; /* Of one answer. 1 MiB. */
    unsigned read_ahead;      /* Answers kept, and fetches sent ahead. 1. */
    bool raw;                 /* The data is no records. false. */
    enum lwp_place start;     /* Where no place is stored. LWP_PLACE_BEGINNING. */
    uint64_t start_offset;    /* With LWP_PLACE_OFFSET. */
    struct lwp_offset_store *store; /* Where the place is kept; NULL: nowhere, or in `folder`. */
    const char *folder;             /* A file store of the Python layout there. NULL. */
    unsigned auto_commit_ms;        /* How often the place is kept by itself. 5 s; 0: never. */
    bool commit_to_server;          /* Tell the server the place, too. true. */
    unsigned catch_up_ms;           /* Between fetches while the server catches up. 5 s. */
    unsigned catch_up_limit;        /* Answers without progress before that is an error. 3. */
};

/** Everything at its default. */
struct lwp_consumer_options lwp_consumer_defaults(const char *address, const char *name,
                                                  uint32_t topic_id);

/*
 * A consumer. Several threads may use it, unless the caller drives; but a batch lives only until the
 * next poll, of whatever thread.
 *
 * Each byte of the log is handed on once and in order, records only whole. After a restart it goes
 * on from the place that was committed: what was handed on behind it comes again.
 */
struct lwp_consumer;

/**
 * Finds the place and connects.
 *
 * LWP_OK with `*consumer` the caller's, for lwp_consumer_close(); LWP_STORE_DAMAGED,
 * LWP_STORE_FOREIGN, LWP_IO if the place can not be read: it never begins anew in silence;
 * LWP_INVALID_ARGUMENT; LWP_NO_MEMORY; or why there is no connection. `*why`, unless NULL, tells
 * more.
 */
enum lwp_status lwp_consumer_open(const struct lwp_consumer_options *options,
                                  struct lwp_consumer **consumer, struct lwp_details *why);

/** With auto-commit keeps the place of all that was handed on; closes and frees. Never waits for
 * the server longer than a second. LWP_OK, or why the place could not be kept. NULL is fine. */
enum lwp_status lwp_consumer_close(struct lwp_consumer *consumer);

/**
 * Hands on what has come, or waits for it up to `timeout_ms`. Everything that earlier polls handed
 * on counts as done with: that is what auto-commit keeps.
 *
 * LWP_OK           `*batch` lives until the next call of a function of the consumer. Polls of a
 *                  caller who drives hand on one answer after the other; with a thread it is 256 KiB
 *                  at most, or one record.
 * LWP_WOULD_BLOCK  nothing came in time.
 * LWP_END          the same, and the log has nothing more at the moment.
 * LWP_CATCHING_UP  the server has not got on for `catch_up_limit` answers.
 * else             a refusal of the server's, a damaged log (LWP_PAYLOAD_TOO_LARGE), what ended the
 *                  consumer, or why an auto-commit could not keep the place; lwp_consumer_why()
 *                  tells more. Polling again is fine.
 */
enum lwp_status lwp_consumer_poll(struct lwp_consumer *consumer, unsigned timeout_ms,
                                  struct lwp_batch *batch);

/** Keeps the place behind all that was handed on, and waits until it is kept: in the store, and at
 * the server if it is to know. LWP_OK, what lwp_offset_store_save() returns, LWP_TIMEOUT, a refusal,
 * or LWP_INVALID_ARGUMENT while the end is sought. */
enum lwp_status lwp_consumer_commit(struct lwp_consumer *consumer);

/** Goes on from there: `offset` is for LWP_PLACE_OFFSET and should be where a record begins. What was
 * fetched and not handed on is dropped. */
void lwp_consumer_seek(struct lwp_consumer *consumer, enum lwp_place place, uint64_t offset);

/** The offset behind what was handed on; LWP_OFFSET_END while the end is sought. */
uint64_t lwp_consumer_offset(struct lwp_consumer *consumer);

/** Asks the server for the end of the log and waits (D41). LWP_OK; LWP_UNKNOWN_COMMAND if the dialect
 * has no way to; LWP_TIMEOUT; or a refusal. */
enum lwp_status lwp_consumer_end(struct lwp_consumer *consumer, uint64_t *end_offset);

/** How many bytes of the log lie behind what was handed on, as lwp_consumer_end(). */
enum lwp_status lwp_consumer_lag(struct lwp_consumer *consumer, uint64_t *size);

/** How things stand. */
struct lwp_inbox_statistics lwp_consumer_statistics(struct lwp_consumer *consumer);

/** More about what went wrong last. */
void lwp_consumer_why(struct lwp_consumer *consumer, struct lwp_details *why);

/** For callers who drive: what to wait for, and until when, as for a client. Before you wait, poll until
 * there is nothing more: what has been read already makes no descriptor ready. */
int lwp_consumer_fd(struct lwp_consumer *consumer);
short lwp_consumer_events(struct lwp_consumer *consumer);
uint64_t lwp_consumer_deadline(struct lwp_consumer *consumer);

/** Does what can be done without waiting: fetches ahead. */
void lwp_consumer_process(struct lwp_consumer *consumer);

#endif
