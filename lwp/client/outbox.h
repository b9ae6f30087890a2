/* SPDX-License-Identifier: MIT */
/* outbox.h - a producer as a value: records become batches, batches become frames, acks and errors
 * become delivery reports. It has no socket, clock, callback or thread: whoever drives it hands it
 * events and time (specification 4.1, 4.2, 4.4, 10, 17.7). */
#ifndef LWP_CLIENT_OUTBOX_H
#define LWP_CLIENT_OUTBOX_H

#include "lwp/client/backoff.h"
#include "lwp/client/details.h"

/* What is reported when a record is acknowledged or has failed. */
enum lwp_reports {
    LWP_REPORT_RECORDS, /* Each record, with its user data. */
    LWP_REPORT_BATCHES, /* Each batch at once: cheaper. */
    LWP_REPORT_NOTHING  /* The statistics are enough. */
};

struct lwp_outbox_options {
    const struct lwp_dialect *dialect;
    size_t batch_size;           /* Bytes of payload at which a batch is sent. 32768. */
    uint64_t linger_ns;          /* How long a batch waits for more records. 5 ms. */
    unsigned max_pending_acks;   /* Batches that are sent and not acknowledged. 64, at most
                                    LWP_OUTBOX_MAX_PENDING. */
    bool compression;            /* LZ4 in the dialect's framing, where it makes a batch smaller. */
    uint64_t request_timeout_ns; /* For the ack of a batch, from its sending on. 30 s. */
    unsigned max_retries;        /* How often a batch is sent again after a refusal that may pass, a
                             time-out or a lost connection. 30. */
    bool allow_reorder;  /* Retry what was refused even if later batches of its topic are in the log
                           already. */
    size_t buffer_limit; /* Bytes of memory for all that is not settled. 32 MiB. */
    uint32_t max_payload; /* Bytes of a frame's payload. 16 MiB. */
    enum lwp_reports reports;
    struct lwp_backoff_options backoff; /* Between a refusal that may pass and the next attempt. */
};

enum { LWP_OUTBOX_MAX_PENDING = 4096, LWP_OUTBOX_PARTS = 3 };

/** Everything at its default, for the dialect. */
struct lwp_outbox_options lwp_outbox_defaults(const struct lwp_dialect *dialect);

/* A record on its way in. Its bytes are copied. */
struct lwp_outgoing {
    uint32_t topic_id;
    bool raw;     /* The value is no record: it is written as it stands, without type and length. */
    uint8_t type; /* Of the record (8.2), unless it is raw. */
    struct lwp_bytes parts[LWP_OUTBOX_PARTS]; /* The value is these, one behind the other. */
    void *user;                               /* Comes back with the report of the record. */
};

/* What became of a record, or of all records of a batch. */
struct lwp_delivery {
    enum lwp_status status; /* LWP_OK: acknowledged. Else it failed and is not tried any more. */
    uint64_t sequence;      /* What lwp_outbox_put() returned. Of a batch: that of its first record;
                               those of the others need not follow it, if there are several topics. */
    uint64_t batch_id;      /* 0 if the record never was in a batch that was sent. */
    uint32_t topic_id;
    uint32_t index;        /* Of the record in its batch; 0 for a batch. */
    uint32_t record_count; /* How many records this is about: 1, or all of the batch. */
    void *user;            /* The record's; NULL for a batch. */
};

/* Counts since the beginning, and how things stand. */
struct lwp_outbox_statistics {
    uint64_t records;       /* Taken in. */
    uint64_t records_acked; /* Acknowledged. */
    uint64_t records_failed;
    uint64_t batches_sent;   /* Frames, those sent again included. */
    uint64_t batches_resent; /* Sent before. */
    uint64_t batches_acked;
    uint64_t bytes_sent;        /* Of payload, compressed if it was. */
    uint64_t bytes_before_lz4;  /* Of what was compressed: before … */
    uint64_t bytes_after_lz4;   /* … and after. */
    uint64_t errors;            /* Error answers. */
    uint64_t backpressures;     /* Backpressure frames, and errors that ask for the same. */
    uint64_t duplicate_acks;    /* For what was settled already. */
    uint64_t disconnects;       /* Connections lost or dropped. */
    uint64_t records_pending;   /* Taken in and not settled. */
    uint64_t batches_in_flight; /* Sent and not settled. */
    size_t buffered_size;       /* Bytes of memory in use, at most buffer_limit. */
    bool slowed;                /* By backpressure, at the moment. */
};

struct lwp_outbox;

/** An empty outbox without a connection. The dialect must outlive it; the seed is for the jitter.
 * LWP_OK, LWP_NO_MEMORY, or LWP_INVALID_ARGUMENT if an option is out of its range. */
enum lwp_status lwp_outbox_new(const struct lwp_outbox_options *options, uint64_t seed,
                               struct lwp_outbox **outbox);

/** Frees it with all that it holds; nothing is reported. NULL is fine. */
void lwp_outbox_free(struct lwp_outbox *outbox);

/**
 * Takes a record in; `*sequence`, if not NULL, is its number: 1, 2, 3 … From LWP_OK on the record is
 * pending until exactly one report tells that it is acknowledged or has failed.
 *
 * LWP_FULL               the buffer's limit is reached: try again after acks.
 * LWP_PAYLOAD_TOO_LARGE  it does not fit a frame or the buffer, or a value exceeds 16 MiB (8.7).
 * LWP_INVALID_ARGUMENT   type 00 (8.2), a Null with a value, or nothing at all: an ingest without a
 *                        payload is never answered (D24).
 * LWP_NO_MEMORY
 * else                   the status with which lwp_outbox_end() ended it.
 */
enum lwp_status lwp_outbox_put(struct lwp_outbox *outbox, const struct lwp_outgoing *record,
                               uint64_t now_ns, uint64_t *sequence);

/** Sends what waits for more records without waiting any longer. */
void lwp_outbox_flush(struct lwp_outbox *outbox);

/** A connection is ready: from now on lwp_outbox_next() has frames, the unacknowledged ones first,
 * in their order and with the batch ids that they had. */
void lwp_outbox_connected(struct lwp_outbox *outbox);

/**
 * The connection is lost, or is to be dropped. What was sent and not acknowledged will be sent
 * again; it fails with `why` if it was tried too often, or if a later batch of its topic was
 * acknowledged already, so that it would come too late (unless reordering is allowed).
 */
void lwp_outbox_disconnected(struct lwp_outbox *outbox, enum lwp_status why);

/**
 * The next frame to send.
 *
 * LWP_OK    `*frame` is an ingest, not sealed; its payload lives until an ack, an error or a
 *           disconnection is told. When it is on its way, tell with lwp_outbox_sent(). `timestamp_ns`, since the Unix
 *           epoch, goes into a batch that was never sent before.
 * LWP_MORE  nothing may be sent now; lwp_outbox_deadline() tells when that can change by itself.
 */
enum lwp_status lwp_outbox_next(struct lwp_outbox *outbox, uint64_t now_ns, uint64_t timestamp_ns,
                                struct lwp_frame *frame);

/** The frame that lwp_outbox_next() gave is queued or written. */
void lwp_outbox_sent(struct lwp_outbox *outbox, uint64_t now_ns);

/**
 * An Ack has come. Acks are matched by batch id, in any order.
 *
 * LWP_OK, also for one that is settled already; LWP_UNEXPECTED_FRAME for a batch that was not sent
 * on this connection: drop the connection.
 */
enum lwp_status lwp_outbox_ack(struct lwp_outbox *outbox, uint64_t batch_id, uint64_t now_ns);

/**
 * An error answer has come. It names no batch and may have overtaken acks, so nothing new is sent
 * until it is known whose it is: after k errors, when exactly k batches are unacknowledged, those
 * are refused, in order. A refusal that may pass is tried again after a wait, unless later batches
 * of the topic were accepted. If that never becomes clear, lwp_outbox_tick() ends it.
 *
 * LWP_OK, or LWP_UNEXPECTED_FRAME if there are more errors than batches: drop the connection.
 */
enum lwp_status lwp_outbox_error(struct lwp_outbox *outbox, const struct lwp_details *details,
                                 uint64_t now_ns);

/** A Backpressure frame has come: at most half the rate until what is sent from now on is
 * acknowledged. */
void lwp_outbox_backpressure(struct lwp_outbox *outbox, uint64_t now_ns);

/** Whether a server that is not the leader told who is, and all that it refused waits to go there:
 * true once, with `*details` to follow. Ask after each ack and error. */
bool lwp_outbox_take_redirect(struct lwp_outbox *outbox, struct lwp_details *details);

/** Lets time pass: batches that have waited long enough become ready. LWP_OK, or LWP_TIMEOUT if an
 * ack is overdue: drop the connection. */
enum lwp_status lwp_outbox_tick(struct lwp_outbox *outbox, uint64_t now_ns);

/** When lwp_outbox_tick() or lwp_outbox_next() next has something to do, or LWP_NEVER. */
uint64_t lwp_outbox_deadline(const struct lwp_outbox *outbox);

/** Fails all that is pending with this status and takes nothing in any more. */
void lwp_outbox_end(struct lwp_outbox *outbox, enum lwp_status status);

/** The next report, in the order in which things were settled; false if there is none. Reports that
 * nobody fetches take room in the buffer. */
bool lwp_outbox_report(struct lwp_outbox *outbox, struct lwp_delivery *delivery);

/** How things stand. */
struct lwp_outbox_statistics lwp_outbox_statistics(const struct lwp_outbox *outbox);

/** Whether consumers get the compressed bytes as they are: the server neither decompresses what it
 * stores nor tells that it is compressed (D20, D40). */
bool lwp_outbox_compresses_for_good(const struct lwp_outbox *outbox);

#endif
