/* SPDX-License-Identifier: MIT */
#include "lwp/client/outbox.h"

#include <stdlib.h>

#include "lwp/client/outbox_state.h"
#include "lwp/session/session.h"
#include "lwp/wire/tlv.h"

enum { OVERHEAD = 1024 }; /* No batch takes more than this besides its first record. */

_Static_assert(LWP_OUTBOX_PARTS == 3, "value_size() and write_record() name each part");

struct lwp_outbox_options lwp_outbox_defaults(const struct lwp_dialect *dialect)
{
    return (struct lwp_outbox_options){
        .dialect = dialect,
        .batch_size = 32768,
        .linger_ns = 5000000,
        .max_pending_acks = 64,
        .request_timeout_ns = 30000000000,
        .max_retries = 30,
        .buffer_limit = 33554432,
        .max_payload = LWP_MAX_PAYLOAD_DEFAULT,
        .backoff = lwp_backoff_defaults,
    };
}

enum lwp_status lwp_outbox_new(const struct lwp_outbox_options *options, uint64_t seed,
                               struct lwp_outbox **outbox)
{
    const unsigned pending = options->max_pending_acks;
    if (!options->dialect || pending == 0 || pending > LWP_OUTBOX_MAX_PENDING ||
        options->batch_size == 0 || options->batch_size > options->max_payload)
        return LWP_INVALID_ARGUMENT;
    struct lwp_outbox *result = calloc(1, sizeof(*result));
    enum lwp_status *errors = calloc(pending, sizeof(*errors));
    if (!result || !errors) {
        free(result);
        free(errors);
        return LWP_NO_MEMORY;
    }
    result->options = *options;
    result->errors = errors;
    result->backoff = lwp_backoff_of(&options->backoff, seed);
    *outbox = result;
    return LWP_OK;
}

static void free_topics(struct lwp_outbox *outbox)
{
    for (size_t i = 0; i < OUTBOX_BUCKETS; i++)
        while (outbox->buckets[i]) {
            struct outbox_topic *next = outbox->buckets[i]->next;
            free(outbox->buckets[i]);
            outbox->buckets[i] = next;
        }
}

void lwp_outbox_free(struct lwp_outbox *outbox)
{
    if (!outbox)
        return;
    outbox_free_list(outbox, &outbox->open);
    outbox_free_list(outbox, &outbox->queue);
    outbox_free_list(outbox, &outbox->settled);
    outbox_free_list(outbox, &outbox->spare);
    free_topics(outbox);
    free(outbox->errors);
    free(outbox->scratch);
    free(outbox);
}

static inline size_t value_size(const struct lwp_outgoing *record)
{
    return record->parts[0].size + record->parts[1].size + record->parts[2].size;
}

/* `whole` is the size with the head, if it has one. */
static bool fits(const struct lwp_outbox_options *options, size_t size, size_t whole)
{
    return size <= LWP_TLV_MAX_VALUE && whole <= options->max_payload &&
           whole + OVERHEAD <= options->buffer_limit;
}

static enum lwp_status judge(const struct lwp_outbox *outbox, size_t size, size_t whole)
{
    if (outbox->ended != LWP_OK)
        return outbox->ended;
    return fits(&outbox->options, size, whole) ? LWP_OK : LWP_PAYLOAD_TOO_LARGE;
}

static inline bool is_sound(const struct lwp_outgoing *record, size_t size)
{
    if (record->raw)
        return size > 0;
    return record->type != LWP_TLV_RESERVED && (record->type != LWP_TLV_NULL_RECORD || size == 0);
}

void outbox_close(struct lwp_outbox *outbox, struct outbox_batch *batch)
{
    struct outbox_batch *before = NULL;
    /* The one to close is the oldest, or full: then it is likely to be near the front. */
    for (struct outbox_batch *at = outbox->open.first; at != batch; at = at->next)
        before = at;
    outbox_remove(&outbox->open, before, batch);
    batch->topic->open = NULL;
    batch->batch_id = ++outbox->last_batch_id;
    outbox_append(&outbox->queue, batch);
    if (!outbox->cursor)
        outbox->cursor = batch;
}

void lwp_outbox_flush(struct lwp_outbox *outbox)
{
    while (outbox->open.first)
        outbox_close(outbox, outbox->open.first);
}

/* The batch that takes a record of `size` bytes, with room for it. */
static enum lwp_status find_batch(struct lwp_outbox *outbox, uint32_t topic_id, size_t size,
                                  uint64_t now_ns, struct outbox_batch **found)
{
    struct outbox_topic *topic = outbox_topic_of(outbox, topic_id);
    if (!topic)
        return LWP_NO_MEMORY;
    struct outbox_batch *batch = topic->open;
    if (batch && batch->size + size > outbox->options.batch_size) {
        outbox_close(outbox, batch);
        batch = NULL;
    }
    const bool is_new = !batch;
    enum lwp_status status = is_new ? outbox_batch_new(outbox, &batch) : LWP_OK;
    if (status != LWP_OK)
        return status;
    status = outbox_batch_grow(outbox, batch, size);
    if (is_new && status != LWP_OK)
        outbox_batch_recycle(outbox, batch);
    if (is_new && status == LWP_OK) {
        batch->topic = topic;
        batch->first_sequence = outbox->last_sequence + 1;
        batch->opened_ns = now_ns;
        topic->open = batch;
        outbox_append(&outbox->open, batch);
    }
    *found = batch;
    return status;
}

/* The batch of the record before this one, if this one fits it without further ado; else NULL. */
static inline struct outbox_batch *same_batch(const struct lwp_outbox *outbox, uint32_t topic_id,
                                              size_t size)
{
    const struct outbox_topic *topic = outbox->last_topic;
    if (!topic || topic->topic_id != topic_id || !topic->open)
        return NULL;
    return size <= topic->open->room ? topic->open : NULL;
}

static inline uint8_t *write_part(uint8_t *at, struct lwp_bytes part)
{
    if (part.size)
        memcpy(at, part.data, part.size);
    return at + part.size;
}

static inline void write_record(struct outbox_batch *batch, const struct lwp_outgoing *record,
                                size_t size)
{
    uint8_t *at = batch->data + batch->size;
    if (!record->raw) {
        /* Two stores: the compiler would put the five bytes together one by one. */
        const uint64_t head = record->type | (uint64_t)size << 8;
        lwp_put32(at, (uint32_t)head);
        at[4] = (uint8_t)(head >> 32);
        at += LWP_TLV_HEAD_SIZE;
    }
    at = write_part(at, record->parts[0]);
    at = write_part(at, record->parts[1]);
    at = write_part(at, record->parts[2]);
    batch->size = (size_t)(at - batch->data);
}

enum lwp_status lwp_outbox_put(struct lwp_outbox *outbox, const struct lwp_outgoing *record,
                               uint64_t now_ns, uint64_t *sequence)
{
    const size_t size = value_size(record);
    const size_t whole = size + (record->raw ? 0 : LWP_TLV_HEAD_SIZE);
    struct outbox_batch *batch = same_batch(outbox, record->topic_id, whole);
    enum lwp_status status = batch ? LWP_OK : judge(outbox, size, whole);
    if (status == LWP_OK && !is_sound(record, size))
        status = LWP_INVALID_ARGUMENT;
    if (status == LWP_OK && !batch)
        status = find_batch(outbox, record->topic_id, whole, now_ns, &batch);
    if (status != LWP_OK)
        return status;
    write_record(batch, record, size);
    outbox->last_sequence++;
    if (batch->records)
        batch->records[batch->record_count] =
            (struct outbox_record){outbox->last_sequence, record->user};
    batch->record_count++;
    batch->room -= whole < batch->room ? whole : batch->room;
    if (batch->records && batch->record_count == batch->record_capacity)
        batch->room = 0;
    if (sequence)
        *sequence = outbox->last_sequence;
    if (batch->size >= outbox->options.batch_size)
        outbox_close(outbox, batch);
    return LWP_OK;
}

void lwp_outbox_connected(struct lwp_outbox *outbox)
{
    outbox->connected = true;
}

/* Whether the state of things, time apart, lets a frame go out. */
static bool may_send(const struct lwp_outbox *outbox)
{
    return outbox->connected && outbox->cursor && outbox->error_count == 0 &&
           !outbox->has_redirect && outbox->in_flight < outbox->options.max_pending_acks;
}

static uint64_t send_due(const struct lwp_outbox *outbox)
{
    const uint64_t pace_ns = lwp_throttle_due(&outbox->throttle);
    return pace_ns > outbox->pause_until_ns ? pace_ns : outbox->pause_until_ns;
}

enum lwp_status lwp_outbox_next(struct lwp_outbox *outbox, uint64_t now_ns, uint64_t timestamp_ns,
                                struct lwp_frame *frame)
{
    struct outbox_batch *batch = outbox->cursor;
    if (!may_send(outbox) || now_ns < send_due(outbox))
        return LWP_MORE;
    if (outbox->options.compression && !batch->prepared)
        outbox_batch_compress(outbox, batch);
    batch->prepared = true;
    if (batch->attempts == 0)
        batch->timestamp_ns = timestamp_ns;
    const uint8_t flags = batch->compressed ? LWP_FLAG_BATCH | LWP_FLAG_COMPRESSED : LWP_FLAG_BATCH;
    *frame = (struct lwp_frame){
        .header = {.flags = flags,
                   .batch_id = batch->batch_id,
                   .timestamp_ns = batch->timestamp_ns,
                   .record_count = batch->record_count,
                   .topic_id = batch->topic->topic_id},
        .payload = {batch->data, batch->size},
    };
    return LWP_OK;
}

void lwp_outbox_sent(struct lwp_outbox *outbox, uint64_t now_ns)
{
    struct outbox_batch *batch = outbox->cursor;
    outbox->statistics.batches_sent++;
    outbox->statistics.batches_resent += batch->attempts > 0;
    outbox->statistics.bytes_sent += batch->size;
    batch->attempts++;
    batch->sending = ++outbox->sendings;
    batch->deadline_ns = lwp_deadline_after(now_ns, outbox->options.request_timeout_ns);
    if (batch->batch_id > outbox->highest_sent_id)
        outbox->highest_sent_id = batch->batch_id;
    lwp_throttle_sent(&outbox->throttle, batch->size, now_ns);
    outbox->in_flight++;
    outbox->cursor = batch->next;
}

enum lwp_status lwp_outbox_tick(struct lwp_outbox *outbox, uint64_t now_ns)
{
    const uint64_t linger_ns = outbox->options.linger_ns;
    while (outbox->open.first &&
           now_ns >= lwp_deadline_after(outbox->open.first->opened_ns, linger_ns))
        outbox_close(outbox, outbox->open.first);
    const bool overdue = outbox->in_flight && now_ns >= outbox->queue.first->deadline_ns;
    return overdue ? LWP_TIMEOUT : LWP_OK;
}

uint64_t lwp_outbox_deadline(const struct lwp_outbox *outbox)
{
    uint64_t deadline_ns = LWP_NEVER;
    if (outbox->open.first)
        deadline_ns = lwp_deadline_after(outbox->open.first->opened_ns, outbox->options.linger_ns);
    if (outbox->in_flight && outbox->queue.first->deadline_ns < deadline_ns)
        deadline_ns = outbox->queue.first->deadline_ns;
    if (may_send(outbox) && send_due(outbox) < deadline_ns)
        deadline_ns = send_due(outbox);
    return deadline_ns;
}

bool lwp_outbox_compresses_for_good(const struct lwp_outbox *outbox)
{
    return outbox->options.compression && !outbox->options.dialect->decompresses_ingest;
}
