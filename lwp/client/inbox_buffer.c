/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "lwp/bug/bug.h"
#include "lwp/client/inbox_state.h"
#include "lwp/wire/compress.h"
#include "lwp/wire/tlv.h"

enum {
    FIRST_GUESS = 4, /* Compressed data is seldom smaller than a fourth. */
    TORN_ROOM = 16384
};

/* What waits to be handed on next: in the queue, or if there is nothing in it where it is lent. */
static struct lwp_bytes waiting(const struct lwp_inbox *inbox)
{
    const struct lwp_bytes kept = lwp_queue_bytes(&inbox->queue);
    if (kept.size > inbox->handed)
        return lwp_bytes_from(kept, inbox->handed);
    return lwp_bytes_from(inbox->lent, inbox->handed - kept.size);
}

size_t lwp_inbox_size(const struct lwp_inbox *inbox)
{
    return inbox->queue.size + inbox->lent.size - inbox->handed;
}

/* LWP_OK if the first record that waits is whole; else as lwp_tlv_next(). */
static enum lwp_status judge_first(const struct lwp_inbox *inbox)
{
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(waiting(inbox));
    struct lwp_record record;
    if (inbox->options.raw)
        return walk.in.size ? LWP_OK : LWP_END;
    return lwp_tlv_next(&walk, &record);
}

/* What waits and is on its way when all is as it should be: the answers that are read ahead, behind a
 * torn record of less than another. */
static size_t usual_size(const struct lwp_inbox *inbox)
{
    const size_t one = inbox->options.max_fetch_bytes;
    return inbox->options.read_ahead * one + (one < TORN_ROOM ? one : TORN_ROOM) - 1;
}

bool inbox_has_room(const struct lwp_inbox *inbox, unsigned flights)
{
    const size_t coming = ((size_t)flights + 1) * inbox->options.max_fetch_bytes;
    const enum lwp_status first = judge_first(inbox);
    if (inbox->piece_count + flights + 1 > INBOX_PIECES || first == LWP_PAYLOAD_TOO_LARGE)
        return false;
    if (lwp_inbox_size(inbox) + coming <= usual_size(inbox))
        return true;
    /* A record that is larger than all that: nothing else can be done with what waits. */
    return flights == 0 && first != LWP_OK;
}

static enum lwp_status make_room(struct lwp_inbox *inbox, size_t size)
{
    struct lwp_queue *queue = &inbox->queue;
    size_t room = 0;
    (void)lwp_queue_room(queue, &room);
    if (size <= room)
        return LWP_OK;
    if (size > queue->limit - queue->size)
        return LWP_FULL;
    /* Doubled as far as what is usual: more is seldom needed, and this can be a consumer's largest. */
    const size_t needed = queue->size + size;
    const size_t twice = 2 * queue->capacity;
    const size_t usual = twice < usual_size(inbox) ? twice : usual_size(inbox);
    const size_t capacity = needed > usual ? needed : usual;
    uint8_t *memory = malloc(capacity);
    if (!memory)
        return LWP_NO_MEMORY;
    free(lwp_queue_move(queue, memory, capacity));
    return LWP_OK;
}

static enum lwp_status keep_plain(struct lwp_inbox *inbox, struct lwp_bytes data)
{
    const enum lwp_status status = make_room(inbox, data.size);
    return status == LWP_OK ? lwp_queue_push(&inbox->queue, data) : status;
}

/* Decompresses into room for at least `guess` bytes. */
static enum lwp_status decompress(struct lwp_inbox *inbox, struct lwp_bytes data, size_t guess,
                                  size_t *size)
{
    const enum lwp_status made = make_room(inbox, guess);
    if (made != LWP_OK)
        return made == LWP_FULL ? LWP_PAYLOAD_TOO_LARGE : made;
    size_t room = 0;
    uint8_t *at = lwp_queue_room(&inbox->queue, &room);
    struct lwp_writer out = lwp_writer_on(at, room);
    const enum lwp_status status = lwp_lz4_decompress(inbox->options.dialect->lz4_framing, data,
                                                      inbox->options.max_decompressed, &out);
    if (status != LWP_OK)
        return status;
    lwp_queue_fill(&inbox->queue, out.size);
    *size = out.size;
    return LWP_OK;
}

/* Grows until the data fits, up to the limit: its size may not be told, or be a lie (B-40). */
static enum lwp_status keep_compressed(struct lwp_inbox *inbox, struct lwp_bytes data, size_t *size)
{
    const size_t limit = inbox->options.max_decompressed;
    size_t guess = data.size < limit / FIRST_GUESS ? data.size * FIRST_GUESS : limit;
    enum lwp_status status = decompress(inbox, data, guess, size);
    while (status == LWP_FULL && guess < limit) {
        guess = guess < limit / 2 ? 2 * guess : limit;
        status = decompress(inbox, data, guess, size);
    }
    return status == LWP_FULL ? LWP_INVALID_COMPRESSION : status;
}

enum lwp_status inbox_keep(struct lwp_inbox *inbox, const struct inbox_piece *piece,
                           struct lwp_bytes data)
{
    size_t size = data.size;
    enum lwp_status status = LWP_OK;
    if (piece->compressed)
        status = keep_compressed(inbox, data, &size);
    else if (inbox->lends)
        inbox->lent = data;
    else
        status = keep_plain(inbox, data);
    if (status != LWP_OK)
        return status;
    struct inbox_piece *last = inbox->piece_count ? &inbox->pieces[inbox->piece_count - 1] : NULL;
    if (last && !last->compressed && !piece->compressed) {
        last->size += size;
        last->end_offset = piece->end_offset;
        return LWP_OK;
    }
    inbox->pieces[inbox->piece_count] = *piece;
    inbox->pieces[inbox->piece_count++].size = size;
    return LWP_OK;
}

void inbox_drop(struct lwp_inbox *inbox)
{
    inbox->statistics.bytes_dropped += lwp_inbox_size(inbox);
    lwp_queue_drop(&inbox->queue, inbox->queue.size);
    inbox->lent = (struct lwp_bytes){NULL, 0};
    inbox->handed = 0;
    inbox->piece_count = 0;
}

void inbox_release(struct lwp_inbox *inbox)
{
    const bool drops_all = LWP_BUG(drops_torn_record) && inbox->handed;
    size_t left = drops_all ? inbox->queue.size + inbox->lent.size : inbox->handed;
    unsigned gone = 0;
    const size_t kept = left < inbox->queue.size ? left : inbox->queue.size;
    lwp_queue_drop(&inbox->queue, kept);
    inbox->lent = lwp_bytes_from(inbox->lent, left - kept);
    inbox->handed = 0;
    if (inbox->queue.size == 0 && inbox->queue.capacity > usual_size(inbox))
        free(lwp_queue_move(&inbox->queue, NULL, 0));
    while (gone < inbox->piece_count && inbox->pieces[gone].size <= left)
        left -= inbox->pieces[gone++].size;
    inbox->piece_count -= gone;
    memmove(inbox->pieces, inbox->pieces + gone, inbox->piece_count * sizeof(inbox->pieces[0]));
    if (inbox->piece_count == 0)
        return;
    inbox->pieces[0].size -= left;
    if (!inbox->pieces[0].compressed)
        inbox->pieces[0].start_offset += left;
}

/* What was lent and is lost is to be fetched again: nothing that came behind it was taken. */
static void ask_again(struct lwp_inbox *inbox, size_t size)
{
    struct inbox_piece *last = &inbox->pieces[inbox->piece_count - 1];
    inbox_make_stale(inbox);
    inbox->statistics.bytes_dropped += size;
    inbox->position -= size;
    last->size -= size;
    last->end_offset -= size;
    inbox->piece_count -= last->size == 0;
}

void lwp_inbox_copy_lent(struct lwp_inbox *inbox)
{
    if (inbox->lent.size == 0)
        return;
    inbox_release(inbox);
    const struct lwp_bytes rest = inbox->lent;
    inbox->lent = (struct lwp_bytes){NULL, 0};
    if (keep_plain(inbox, rest) != LWP_OK)
        ask_again(inbox, rest.size);
}

/* How much of what is lent completes the record that the queue has the beginning of, as far as is
 * known. */
static size_t missing_size(const struct lwp_inbox *inbox)
{
    const struct lwp_bytes torn = lwp_queue_bytes(&inbox->queue);
    size_t whole = LWP_TLV_HEAD_SIZE;
    if (torn.size >= LWP_TLV_HEAD_SIZE)
        whole += lwp_get32(torn.data + 1);
    return whole - torn.size < inbox->lent.size ? whole - torn.size : inbox->lent.size;
}

/* Completes a record that two answers share. */
static enum lwp_status complete_first(struct lwp_inbox *inbox)
{
    enum lwp_status status = LWP_OK;
    while (status == LWP_OK && inbox->queue.size && inbox->lent.size &&
           judge_first(inbox) == LWP_TRUNCATED_RECORD) {
        const struct lwp_bytes part = {inbox->lent.data, missing_size(inbox)};
        status = keep_plain(inbox, part);
        if (status == LWP_OK)
            inbox->lent = lwp_bytes_from(inbox->lent, part.size);
    }
    return status;
}

/* The place in the log behind the first `size` waiting bytes. In compressed data only the end of
 * the whole has one: before that, a restart goes back to its beginning. */
static uint64_t offset_behind(const struct lwp_inbox *inbox, size_t size)
{
    for (unsigned i = 0; i < inbox->piece_count; i++) {
        const struct inbox_piece *piece = &inbox->pieces[i];
        if (size < piece->size)
            return piece->start_offset + (piece->compressed ? 0 : size);
        size -= piece->size;
        if (size == 0)
            return piece->end_offset;
    }
    return inbox->offset;
}

/* Walks over the whole records; `*status` is why it stopped. */
static size_t whole_size(const struct lwp_inbox *inbox, uint64_t *count, enum lwp_status *status)
{
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(waiting(inbox));
    struct lwp_record record;
    *status = LWP_END;
    if (inbox->options.raw)
        return walk.in.size;
    while ((*status = lwp_tlv_next(&walk, &record)) == LWP_OK)
        (*count)++;
    return LWP_BUG(hands_on_torn_records) ? walk.in.size : walk.offset;
}

static enum lwp_status tell_failure(struct lwp_inbox *inbox, struct lwp_details *details)
{
    inbox->has_failed = false;
    *details = inbox->failure;
    return inbox->failure.status;
}

enum lwp_status lwp_inbox_take(struct lwp_inbox *inbox, struct lwp_batch *batch,
                               struct lwp_details *details)
{
    enum lwp_status stopped = LWP_END;
    uint64_t count = 0;
    inbox_release(inbox);
    const enum lwp_status completed = complete_first(inbox);
    if (completed != LWP_OK) {
        *details = lwp_details_of(completed);
        return completed;
    }
    const size_t size = whole_size(inbox, &count, &stopped);
    if (size == 0 && stopped == LWP_PAYLOAD_TOO_LARGE) {
        *details = lwp_details_of(stopped);
        return stopped;
    }
    if (size == 0 && inbox->has_failed)
        return tell_failure(inbox, details);
    if (size == 0)
        return inbox->at_end && !inbox->seeks_end ? LWP_END : LWP_WOULD_BLOCK;
    *batch = (struct lwp_batch){
        .data = {waiting(inbox).data, size},
        .record_count = count,
        .start_offset = inbox->offset,
        .end_offset = offset_behind(inbox, size),
        .end_of_log = inbox->at_end && size == lwp_inbox_size(inbox),
    };
    inbox->handed = size;
    inbox->offset = batch->end_offset;
    inbox->statistics.records += count;
    inbox->statistics.bytes += size;
    return LWP_OK;
}

struct lwp_inbox_statistics lwp_inbox_statistics(const struct lwp_inbox *inbox)
{
    struct lwp_inbox_statistics statistics = inbox->statistics;
    enum lwp_status stopped = LWP_END;
    uint64_t count = 0;
    statistics.buffered_size = lwp_inbox_size(inbox);
    statistics.torn_size = waiting(inbox).size - whole_size(inbox, &count, &stopped);
    return statistics;
}
