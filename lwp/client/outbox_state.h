/* SPDX-License-Identifier: MIT */
/* outbox_state.h - what an outbox knows; for outbox*.c only. */
#ifndef LWP_CLIENT_OUTBOX_STATE_H
#define LWP_CLIENT_OUTBOX_STATE_H

#include "lwp/client/outbox.h"
#include "lwp/client/throttle.h"

enum { OUTBOX_BUCKETS = 256 };

/* One topic's share. Lives as long as the outbox. */
struct outbox_topic {
    struct outbox_topic *next; /* In its bucket. */
    struct outbox_batch *open; /* The batch that takes records, or NULL. */
    uint64_t accepted_id;      /* The highest batch id that was acknowledged. */
    uint32_t topic_id;
};

/* What a report tells of one record. Those of a batch need not follow one another: records of other
 * topics may have come between them. */
struct outbox_record {
    uint64_t sequence;
    void *user;
};

/* A batch is on exactly one list: open, queue, settled or spare. */
struct outbox_batch {
    struct outbox_batch *next;
    struct outbox_topic *topic;
    uint64_t batch_id; /* Given when it closes, so ids rise along the queue. */
    uint64_t first_sequence;
    uint64_t opened_ns;
    uint64_t timestamp_ns; /* Of the first sending; 0 before. */
    uint64_t deadline_ns;  /* For the ack. */
    uint64_t sending;      /* The number of its last sending. */
    unsigned attempts;     /* How often it was sent. */
    bool prepared;         /* Compressed, if that was worth while. */
    bool compressed;
    enum lwp_status status; /* Once it is settled. */
    uint32_t record_count;
    uint32_t reported; /* Records whose reports were fetched. */
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t room; /* A record of so many bytes can be written without further ado. */
    struct outbox_record *records; /* One for each record, if records are reported. */
    size_t record_capacity;
};

struct outbox_list {
    struct outbox_batch *first;
    struct outbox_batch *last;
};

struct lwp_outbox {
    struct lwp_outbox_options options;
    bool connected;
    enum lwp_status ended; /* LWP_OK, or what lwp_outbox_end() said. */
    struct outbox_topic *buckets[OUTBOX_BUCKETS];
    struct outbox_topic *last_topic; /* The one that the last record went to. */
    size_t topic_count;
    struct outbox_list open;    /* In the order of opening. */
    struct outbox_list queue;   /* Closed: first those in flight, then those to be sent. */
    struct outbox_list settled; /* To be reported. */
    struct outbox_list spare;   /* To be used again. */
    size_t spare_count;
    struct outbox_batch *cursor; /* The first of the queue that is not in flight. */
    unsigned in_flight;
    uint64_t last_sequence;
    uint64_t last_batch_id;
    uint64_t highest_sent_id;
    uint64_t sendings;       /* Frames sent so far. */
    uint64_t slowed_after;   /* Acks of sendings after this one let it go freely again. */
    enum lwp_status *errors; /* Those that are not given to batches yet. */
    unsigned error_count;
    bool has_redirect;
    struct lwp_details redirect;
    struct lwp_backoff backoff;
    uint64_t pause_until_ns;
    uint64_t retry_after_ns; /* The longest that an error asked for. */
    struct lwp_throttle throttle;
    size_t used; /* Bytes of memory, spare batches included. */
    uint8_t *scratch;
    size_t scratch_size;
    struct lwp_outbox_statistics statistics;
};

/* outbox_batch.c: memory and lists. */

/** Appends the batch to the list. */
void outbox_append(struct outbox_list *list, struct outbox_batch *batch);

/** Takes the first batch off the list, or NULL. */
struct outbox_batch *outbox_take(struct outbox_list *list);

/** Takes `batch` off the list; `before` is the one in front of it, or NULL. */
void outbox_remove(struct outbox_list *list, struct outbox_batch *before,
                   struct outbox_batch *batch);

/** The topic's share, made if it is not there; NULL without memory. */
struct outbox_topic *outbox_topic_of(struct lwp_outbox *outbox, uint32_t topic_id);

/** An empty batch, a spare one if there is one: LWP_OK, LWP_FULL or LWP_NO_MEMORY. */
enum lwp_status outbox_batch_new(struct lwp_outbox *outbox, struct outbox_batch **batch);

/** Makes room for one more record of `size` bytes: LWP_OK, LWP_FULL or LWP_NO_MEMORY. */
enum lwp_status outbox_batch_grow(struct lwp_outbox *outbox, struct outbox_batch *batch,
                                  size_t size);

/** Keeps the batch as a spare one, or frees it. */
void outbox_batch_recycle(struct lwp_outbox *outbox, struct outbox_batch *batch);

/** Frees the batches of the list. */
void outbox_free_list(struct lwp_outbox *outbox, struct outbox_list *list);

/** Compresses the batch if that makes it smaller; if it can not, it stays as it is. */
void outbox_batch_compress(struct lwp_outbox *outbox, struct outbox_batch *batch);

/* outbox.c */

/** Ends the batch's time of taking records; it is in the queue from now on. */
void outbox_close(struct lwp_outbox *outbox, struct outbox_batch *batch);

/* outbox_settle.c */

/** Settles a batch that is on no list: it is reported, or recycled at once. */
void outbox_settle(struct lwp_outbox *outbox, struct outbox_batch *batch, enum lwp_status status);

#endif
