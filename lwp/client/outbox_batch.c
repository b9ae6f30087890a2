/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "lwp/client/outbox_state.h"
#include "lwp/wire/compress.h"
#include "lwp/wire/tlv.h"

enum {
    FIRST_CAPACITY = 1024,
    FIRST_RECORDS = 16,
    MAX_TOPICS = 65536,
    KEPT_SCRATCH = 1048576 /* More is given back at once. */
};

void outbox_append(struct outbox_list *list, struct outbox_batch *batch)
{
    batch->next = NULL;
    if (list->last)
        list->last->next = batch;
    else
        list->first = batch;
    list->last = batch;
}

void outbox_remove(struct outbox_list *list, struct outbox_batch *before,
                   struct outbox_batch *batch)
{
    if (before)
        before->next = batch->next;
    else
        list->first = batch->next;
    if (list->last == batch)
        list->last = before;
    batch->next = NULL;
}

struct outbox_batch *outbox_take(struct outbox_list *list)
{
    struct outbox_batch *first = list->first;
    if (first)
        outbox_remove(list, NULL, first);
    return first;
}

struct outbox_topic *outbox_topic_of(struct lwp_outbox *outbox, uint32_t topic_id)
{
    if (outbox->last_topic && outbox->last_topic->topic_id == topic_id)
        return outbox->last_topic;
    struct outbox_topic **place = &outbox->buckets[topic_id % OUTBOX_BUCKETS];
    while (*place && (*place)->topic_id != topic_id)
        place = &(*place)->next;
    if (!*place && outbox->topic_count < MAX_TOPICS) {
        *place = calloc(1, sizeof(**place));
        if (!*place)
            return NULL;
        (*place)->topic_id = topic_id;
        outbox->topic_count++;
    }
    outbox->last_topic = *place;
    return *place;
}

static void free_batch(struct lwp_outbox *outbox, struct outbox_batch *batch)
{
    outbox->used -=
        sizeof(*batch) + batch->capacity + batch->record_capacity * sizeof(struct outbox_record);
    free(batch->data);
    free(batch->records);
    free(batch);
}

void outbox_free_list(struct lwp_outbox *outbox, struct outbox_list *list)
{
    for (struct outbox_batch *batch = outbox_take(list); batch; batch = outbox_take(list))
        free_batch(outbox, batch);
}

/* Whether so much more memory is within the limit, if need be without the spare batches. */
static bool reserve(struct lwp_outbox *outbox, size_t size)
{
    if (size <= outbox->options.buffer_limit - outbox->used)
        return true;
    outbox_free_list(outbox, &outbox->spare);
    outbox->spare_count = 0;
    return size <= outbox->options.buffer_limit - outbox->used;
}

enum lwp_status outbox_batch_new(struct lwp_outbox *outbox, struct outbox_batch **batch)
{
    *batch = outbox_take(&outbox->spare);
    if (*batch) {
        outbox->spare_count--;
        return LWP_OK;
    }
    if (!reserve(outbox, sizeof(**batch)))
        return LWP_FULL;
    *batch = calloc(1, sizeof(**batch));
    if (!*batch)
        return LWP_NO_MEMORY;
    outbox->used += sizeof(**batch);
    return LWP_OK;
}

/* The capacity to grow to: the double, but no more than a full batch needs, and what is needed. */
static size_t next_capacity(size_t now, size_t first, size_t usual, size_t needed)
{
    size_t next = now ? 2 * now : first;
    if (next > usual)
        next = usual;
    return next > needed ? next : needed;
}

static enum lwp_status grow_data(struct lwp_outbox *outbox, struct outbox_batch *batch,
                                 size_t needed)
{
    const size_t capacity =
        next_capacity(batch->capacity, FIRST_CAPACITY, outbox->options.batch_size, needed);
    if (!reserve(outbox, capacity - batch->capacity))
        return LWP_FULL;
    uint8_t *data = realloc(batch->data, capacity);
    if (!data)
        return LWP_NO_MEMORY;
    outbox->used += capacity - batch->capacity;
    batch->data = data;
    batch->capacity = capacity;
    return LWP_OK;
}

static enum lwp_status grow_records(struct lwp_outbox *outbox, struct outbox_batch *batch)
{
    const size_t count = batch->record_capacity ? 2 * batch->record_capacity : FIRST_RECORDS;
    const size_t more = (count - batch->record_capacity) * sizeof(struct outbox_record);
    if (!reserve(outbox, more))
        return LWP_FULL;
    struct outbox_record *records = realloc(batch->records, count * sizeof(*records));
    if (!records)
        return LWP_NO_MEMORY;
    outbox->used += more;
    batch->records = records;
    batch->record_capacity = count;
    return LWP_OK;
}

/* Up to where nothing has to be looked at: the memory, a full batch, the largest value (8.7). */
static size_t room_of(const struct lwp_outbox *outbox, const struct outbox_batch *batch)
{
    const size_t full = outbox->options.batch_size;
    const size_t end = full < batch->capacity ? full : batch->capacity;
    const size_t room = end > batch->size ? end - batch->size : 0;
    return room < LWP_TLV_MAX_VALUE ? room : LWP_TLV_MAX_VALUE;
}

enum lwp_status outbox_batch_grow(struct lwp_outbox *outbox, struct outbox_batch *batch,
                                  size_t size)
{
    enum lwp_status status = LWP_OK;
    if (size > batch->capacity - batch->size)
        status = grow_data(outbox, batch, batch->size + size);
    const bool with_records = outbox->options.reports == LWP_REPORT_RECORDS;
    if (status == LWP_OK && with_records && batch->record_count == batch->record_capacity)
        status = grow_records(outbox, batch);
    if (status == LWP_OK)
        batch->room = room_of(outbox, batch);
    return status;
}

void outbox_batch_recycle(struct lwp_outbox *outbox, struct outbox_batch *batch)
{
    const bool is_usual = batch->capacity <= outbox->options.batch_size;
    if (!is_usual || outbox->spare_count > outbox->options.max_pending_acks) {
        free_batch(outbox, batch);
        return;
    }
    const struct outbox_batch empty = {
        .data = batch->data,
        .capacity = batch->capacity,
        .records = batch->records,
        .record_capacity = batch->record_capacity,
    };
    *batch = empty;
    outbox_append(&outbox->spare, batch);
    outbox->spare_count++;
}

static void drop_scratch(struct lwp_outbox *outbox)
{
    outbox->used -= outbox->scratch_size;
    free(outbox->scratch);
    outbox->scratch = NULL;
    outbox->scratch_size = 0;
}

/* Room for what compression of `size` bytes may need; false without memory. It counts, too. */
static bool make_scratch(struct lwp_outbox *outbox, size_t size)
{
    const size_t bound = lwp_lz4_bound(outbox->options.dialect->lz4_framing, size);
    if (bound <= outbox->scratch_size)
        return bound != 0;
    drop_scratch(outbox);
    if (!reserve(outbox, bound))
        return false;
    outbox->scratch = malloc(bound);
    outbox->scratch_size = outbox->scratch ? bound : 0;
    outbox->used += outbox->scratch_size;
    return outbox->scratch;
}

void outbox_batch_compress(struct lwp_outbox *outbox, struct outbox_batch *batch)
{
    const struct lwp_bytes in = {batch->data, batch->size};
    if (!make_scratch(outbox, batch->size))
        return;
    struct lwp_writer out = lwp_writer_on(outbox->scratch, outbox->scratch_size);
    const enum lwp_status status = lwp_lz4_compress(outbox->options.dialect->lz4_framing, in, &out);
    if (status == LWP_OK && out.size < batch->size) {
        outbox->statistics.bytes_before_lz4 += batch->size;
        outbox->statistics.bytes_after_lz4 += out.size;
        memcpy(batch->data, out.data, out.size);
        batch->size = out.size;
        batch->compressed = true;
    }
    if (outbox->scratch_size > KEPT_SCRATCH)
        drop_scratch(outbox);
}
