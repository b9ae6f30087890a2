/* SPDX-License-Identifier: MIT */
/* producer.h - records into topics: batched, sent ahead, acknowledged, reported (specification 4, 10,
 * 17.7). */
#ifndef LWP_CLIENT_PRODUCER_H
#define LWP_CLIENT_PRODUCER_H

#include "lwp/client/options.h"
#include "lwp/client/outbox.h"

/* Begin with lwp_producer_defaults(). */
struct lwp_producer_options {
    struct lwp_connect_options connect; /* `request_timeout_ms` is for the ack of a batch. */
    size_t batch_size;                  /* Bytes of payload at which a batch is sent. 32768. */
    unsigned linger_ms;                 /* How long a batch waits for more records. 5 ms. */
    unsigned max_pending_acks;          /* Batches that are sent and not acknowledged. 64. */
    bool compression; /* LZ4, where it makes a batch smaller. See lwp_producer_warns(). false. */
    unsigned max_retries;     /* How often a batch is sent again. 30. */
    bool allow_reorder;       /* Retry what was refused although its topic went on. false. */
    size_t buffer_limit;      /* Bytes of memory for all that is pending. 32 MiB. */
    enum lwp_reports reports; /* Each record, each batch, or nothing. LWP_REPORT_RECORDS. */
    /** Called once for each record, or batch, that is acknowledged or has failed: by the producer's
     * thread, or inside of the call that drives. It may put records, but not wait or close.
     * NULL. */
    void (*delivered)(void *user, const struct lwp_delivery *delivery);
    void *user; /* The first argument. */
};

/** Everything at its default. */
struct lwp_producer_options lwp_producer_defaults(const char *address);

/*
 * A producer. Several threads may use it, unless the caller drives.
 *
 * A record that was taken in is acknowledged, has failed, or is pending: never lost in silence. What
 * is pending when the connection is lost is sent again, in order; so a record can be in the log
 * twice, if its ack was lost. Records of one topic stay in their order. An error answer of the
 * server fails the batch that it is about, or, if it may pass, lets it be tried again.
 */
struct lwp_producer;

/** Connects. LWP_OK with `*producer` the caller's, for lwp_producer_close(); or why not, and `*why`,
 * unless NULL, tells more. Does not retry: that is done for connections that were there once. */
enum lwp_status lwp_producer_open(const struct lwp_producer_options *options,
                                  struct lwp_producer **producer, struct lwp_details *why);

/**
 * Waits up to `timeout_ms` until nothing is pending, then fails the rest with LWP_CLOSED_BY_CALLER,
 * calls back for all of it, closes and frees. LWP_OK, or LWP_TIMEOUT if something had to fail. Nobody
 * may use the producer afterwards. NULL is fine.
 */
enum lwp_status lwp_producer_close(struct lwp_producer *producer, unsigned timeout_ms);

/**
 * Takes a record in, to be sent with others; returns at once. Its bytes are copied. `*sequence`,
 * unless NULL, is its number: 1, 2, 3 … Statuses as lwp_outbox_put(): LWP_FULL when `buffer_limit` is
 * reached, LWP_PAYLOAD_TOO_LARGE, LWP_INVALID_ARGUMENT, LWP_NO_MEMORY, or what ended the producer.
 */
enum lwp_status lwp_producer_put(struct lwp_producer *producer, const struct lwp_outgoing *record,
                                 uint64_t *sequence);

/** Takes many records in, under one lock: those up to the first that is not LWP_OK, whose status is
 * returned. `*taken` is how many. */
enum lwp_status lwp_producer_put_many(struct lwp_producer *producer,
                                      const struct lwp_outgoing *records, size_t count,
                                      size_t *taken);

/** As lwp_producer_put(), but waits while the buffer is full, up to `timeout_ms`: then LWP_FULL. */
enum lwp_status lwp_producer_put_wait(struct lwp_producer *producer,
                                      const struct lwp_outgoing *record, unsigned timeout_ms,
                                      uint64_t *sequence);

/**
 * Sends a record at once and waits for what becomes of it, up to the request's time-out.
 *
 * LWP_OK       it is acknowledged.
 * LWP_TIMEOUT  it is still pending, and may be acknowledged yet: the report will tell.
 * else         it was not taken in, as lwp_producer_put(), or has failed.
 *
 * LWP_INVALID_ARGUMENT unless `reports` is LWP_REPORT_RECORDS.
 */
enum lwp_status lwp_producer_send(struct lwp_producer *producer, const struct lwp_outgoing *record);

/** Sends what waits for more records, and waits up to `timeout_ms` until nothing is pending: LWP_OK,
 * LWP_TIMEOUT, or what ended the producer. Reports tell what became of each. */
enum lwp_status lwp_producer_flush(struct lwp_producer *producer, unsigned timeout_ms);

/** How things stand. */
struct lwp_outbox_statistics lwp_producer_statistics(struct lwp_producer *producer);

/** Why the connection was lost or could not be made last, or the last error answer. */
void lwp_producer_why(struct lwp_producer *producer, struct lwp_details *why);

/** Whether consumers will get compressed bytes as they are, because servers of this dialect store
 * what comes and do not tell that it is compressed (D20, D40). */
bool lwp_producer_warns(const struct lwp_producer *producer);

/** For callers who drive: what to wait for, and until when, as for a client. */
int lwp_producer_fd(struct lwp_producer *producer);
short lwp_producer_events(struct lwp_producer *producer);
uint64_t lwp_producer_deadline(struct lwp_producer *producer);

/** Does what can be done without waiting: sends, hears acks, calls back. */
void lwp_producer_process(struct lwp_producer *producer);

#endif
