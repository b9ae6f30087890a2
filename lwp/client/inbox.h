/* SPDX-License-Identifier: MIT */
/* inbox.h - a consumer of one topic as a value: fetches go out, answers come in, whole records are
 * handed on. It has no socket, clock, callback or thread: whoever drives it hands it frames and time
 * (specification 5.9, 5.14, 8.5, 15, 17.8). */
#ifndef LWP_CLIENT_INBOX_H
#define LWP_CLIENT_INBOX_H

#include "lwp/client/backoff.h"
#include "lwp/client/request.h"

struct lwp_inbox_options {
    const struct lwp_dialect *dialect;
    uint32_t topic_id;
    uint64_t consumer_id;        /* Under which offsets are committed at the server. */
    uint32_t max_fetch_bytes;    /* Of one answer. 1 MiB. */
    unsigned read_ahead;         /* Answers kept, and fetches sent ahead while the log has plenty;
                                     at most LWP_INBOX_MAX_AHEAD. 1. */
    bool raw;                    /* The data is no records: it is handed on as it comes. */
    uint32_t max_decompressed;   /* Bytes that one compressed answer may become. 16 MiB. */
    uint64_t idle_ns;            /* Between fetches at the end of the log. 10 ms. */
    uint64_t request_timeout_ns; /* For one answer. 30 s. */
    uint64_t catch_up_ns;        /* Between fetches while the server catches up. 5 s. */
    unsigned catch_up_limit;     /* Answers without progress before that is an error. 3. */
    struct lwp_backoff_options backoff; /* After other refusals that may pass. */
};

enum { LWP_INBOX_MAX_AHEAD = 16 };

#define LWP_OFFSET_END                                                                             \
    UINT64_MAX /* To lwp_inbox_seek(): the end of the log, wherever it is then. */

/** Everything at its default, for the dialect and topic. */
struct lwp_inbox_options lwp_inbox_defaults(const struct lwp_dialect *dialect, uint32_t topic_id);

/* Records in a row. The bytes live until the inbox is asked or told anything else. */
struct lwp_batch {
    struct lwp_bytes data; /* Whole records, or raw bytes. */
    uint64_t record_count; /* 0 if raw. */
    uint64_t start_offset; /* In the log, in bytes. */
    uint64_t end_offset;   /* Behind the last byte; where a restart would go on. */
    bool end_of_log;       /* Nothing lay behind it when the server was last asked. */
};

struct lwp_inbox_statistics {
    uint64_t fetches;       /* Sent. */
    uint64_t empty_answers; /* At the end of the log. */
    uint64_t records;       /* Handed on. */
    uint64_t bytes;         /* Handed on. */
    uint64_t bytes_dropped; /* Fetched ahead for nothing, or before a seek. */
    uint64_t catch_ups;     /* Answers that the server is catching up. */
    uint64_t errors;        /* Other refusals. */
    uint64_t disconnects;
    size_t buffered_size; /* Bytes that wait. */
    size_t torn_size;     /* Of these, the beginning of a record whose rest is still to come. */
};

struct lwp_inbox;

/** An inbox without a connection, at offset 0. The dialect must outlive it; the seed is for the
 * jitter. LWP_OK, LWP_NO_MEMORY, or LWP_INVALID_ARGUMENT if an option is out of its range. */
enum lwp_status lwp_inbox_new(const struct lwp_inbox_options *options, uint64_t seed,
                              struct lwp_inbox **inbox);

/** Frees it; NULL is fine. */
void lwp_inbox_free(struct lwp_inbox *inbox);

/** Goes on from `offset`, which should be where a record begins, or from LWP_OFFSET_END. What was
 * fetched before is dropped. If the dialect has no way to ask for the end (D5), all up to it is
 * fetched and dropped. */
void lwp_inbox_seek(struct lwp_inbox *inbox, uint64_t offset);

/** A connection is ready: fetches may go out. */
void lwp_inbox_connected(struct lwp_inbox *inbox);

/** The connection is lost or to be dropped: what was asked will be asked again, but for a commit,
 * which has failed with `why`. */
void lwp_inbox_disconnected(struct lwp_inbox *inbox, enum lwp_status why);

/**
 * The next request to send.
 *
 * LWP_OK    `*message` is it, without views; when it is on its way, tell with lwp_inbox_sent().
 * LWP_MORE  nothing may be sent now; lwp_inbox_deadline() tells when that can change by itself.
 */
enum lwp_status lwp_inbox_next(struct lwp_inbox *inbox, uint64_t now_ns,
                               struct lwp_message *message);

/** Whether half of what is read ahead, or more, has come: time to ask for that much at once. */
bool lwp_inbox_is_low(const struct lwp_inbox *inbox);

/** The request that lwp_inbox_next() gave is queued or written. */
void lwp_inbox_sent(struct lwp_inbox *inbox, uint64_t now_ns);

/**
 * Takes a frame that came. LWP_OK, or why the connection must be dropped: as lwp_request_take(), and
 * LWP_INVALID_COMPRESSION, LWP_PAYLOAD_TOO_LARGE for data that would become too large, LWP_NO_MEMORY.
 */
enum lwp_status lwp_inbox_frame(struct lwp_inbox *inbox, const struct lwp_frame *frame,
                                uint64_t now_ns);

/**
 * The same without a copy: the data of an answer that is not compressed stays where it is, and must
 * live there until lwp_inbox_copy_lent() has been called. What lwp_inbox_take() hands on then points
 * there. To be called when nothing is lent.
 */
enum lwp_status lwp_inbox_lend(struct lwp_inbox *inbox, const struct lwp_frame *frame,
                               uint64_t now_ns);

/** Copies what is lent and was not handed on yet, and takes back what was. What there is no memory
 * for will be fetched again. */
void lwp_inbox_copy_lent(struct lwp_inbox *inbox);

/** Whether a server that is not the leader told who is: true once, with `*details` to follow. */
bool lwp_inbox_take_redirect(struct lwp_inbox *inbox, struct lwp_details *details);

/** LWP_OK, or LWP_TIMEOUT if an answer is overdue: drop the connection. */
enum lwp_status lwp_inbox_tick(const struct lwp_inbox *inbox, uint64_t now_ns);

/** When lwp_inbox_tick() or lwp_inbox_next() next has something to do, or LWP_NEVER. */
uint64_t lwp_inbox_deadline(const struct lwp_inbox *inbox);

/**
 * Hands on what has come: each byte of the log once, in order, records only whole.
 *
 * LWP_OK                `*batch` is not empty.
 * LWP_WOULD_BLOCK       nothing has come yet.
 * LWP_END               the same, and the log had nothing more when the server was last asked.
 * LWP_CATCHING_UP       the server does not get on; else a refusal that does not pass. `*details`
 *                       tells more. Each is told once; fetching goes on afterwards.
 * LWP_PAYLOAD_TOO_LARGE the log has a record that is larger than 16 MiB (8.7): it is damaged, or the
 *                       offset was not where a record begins. Only a seek helps.
 * LWP_NO_MEMORY         for a record of which the end is lent. Trying again is fine.
 */
enum lwp_status lwp_inbox_take(struct lwp_inbox *inbox, struct lwp_batch *batch,
                               struct lwp_details *details);

/** The offset behind the last record that was handed on: where a restart would go on.
 * LWP_OFFSET_END while the end is sought. */
uint64_t lwp_inbox_offset(const struct lwp_inbox *inbox);

/** Asks for the end of the log (D41): false if the dialect has no way to. */
bool lwp_inbox_ask_end(struct lwp_inbox *inbox);

/** What the last lwp_inbox_ask_end() found: true once, with LWP_OK and the end, or why not. */
bool lwp_inbox_take_end(struct lwp_inbox *inbox, struct lwp_details *details, uint64_t *end_offset);

/** Has the server keep `offset` for the consumer (5.14), as soon as may be. A commit that was not
 * sent yet is replaced. */
void lwp_inbox_commit(struct lwp_inbox *inbox, uint64_t offset);

/** How the last commit went: true once, with LWP_OK and the offset that the server told, or why not.
 */
bool lwp_inbox_take_commit(struct lwp_inbox *inbox, struct lwp_details *details, uint64_t *offset);

/** How many bytes wait to be handed on: no batch is larger. */
size_t lwp_inbox_size(const struct lwp_inbox *inbox);

/** How things stand. Walks over all that waits. */
struct lwp_inbox_statistics lwp_inbox_statistics(const struct lwp_inbox *inbox);

#endif
