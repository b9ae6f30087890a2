/* SPDX-License-Identifier: MIT */
/* What was sent, answered and reported, as far as whoever looks on can tell. */
#include <inttypes.h>

#include "lwp/sim/sim.h"
#include "lwp/wire/compress.h"

/* A value begins with the number of the record and that of its producer, in digits. */
enum { NUMBER_SIZE = 5, VALUE_HEAD = 8 };

static uint8_t filling(unsigned number, uint32_t place)
{
    return (uint8_t)('a' + (number + place * 7 + (place >> 8)) % 26);
}

/* 17 as 00017. */
static void write_digits(unsigned number, unsigned count, uint8_t *out)
{
    for (; count; number /= 10)
        out[--count] = (uint8_t)('0' + number % 10);
}

void sim_write_value(const struct sim_record *record, unsigned number, uint8_t *value)
{
    write_digits(number, NUMBER_SIZE, value);
    write_digits(record->producer, VALUE_HEAD - NUMBER_SIZE, value + NUMBER_SIZE);
    for (uint32_t i = VALUE_HEAD; i < record->size; i++)
        value[i] = filling(number, i);
}

static bool is_value_of(const struct sim_record *record, unsigned number, struct lwp_bytes value)
{
    uint8_t head[VALUE_HEAD];
    struct sim_record beginning = *record;
    beginning.size = VALUE_HEAD;
    sim_write_value(&beginning, number, head);
    if (record->size != value.size || memcmp(head, value.data, VALUE_HEAD) != 0)
        return false;
    for (uint32_t i = VALUE_HEAD; i < record->size; i++)
        if (value.data[i] != filling(number, i))
            return false;
    return true;
}

unsigned sim_number_of(const struct sim *sim, uint32_t topic_id, const struct lwp_record *record)
{
    const struct lwp_bytes value = record->value;
    if (record->type != LWP_TLV_RAW || value.size < VALUE_HEAD)
        sim_fail(sim, SIM_PRODUCED,
                 "expected   records of producers in topic %u\nseen       type %u, %zu bytes",
                 topic_id, record->type, value.size);
    unsigned number = 0;
    for (unsigned i = 0; i < NUMBER_SIZE; i++)
        number = number * 10 + (unsigned)(value.data[i] - '0');
    if (number >= sim->record_count || sim->records[number].topic_id != topic_id ||
        !is_value_of(&sim->records[number], number, value))
        sim_fail(sim, SIM_PRODUCED,
                 "expected   records of producers in topic %u\nseen       %zu bytes, number %u",
                 topic_id, value.size, number);
    return number;
}

static void judge_sending(const struct sim_actor *actor, uint64_t batch_id)
{
    const enum sim_fate fate = actor->fates[batch_id];
    if (fate == SIM_ACKED)
        sim_fail(actor->sim, SIM_REPEATS,
                 "expected   batch %" PRIu64
                 " of %s is left alone, for it is acknowledged\nseen       "
                 "it is sent again",
                 batch_id, actor->name);
    if (fate == SIM_SENT)
        sim_fail(actor->sim, SIM_REPEATS,
                 "expected   the answer to batch %" PRIu64
                 " of %s is awaited\nseen       it is sent "
                 "again on the same connection",
                 batch_id, actor->name);
}

/* The records of an ingest, decompressed into `room`, of SIM_PAYLOAD_SIZE bytes, if need be. */
static struct lwp_bytes records_of(const struct sim *sim, const struct lwp_frame *frame,
                                   uint8_t *room)
{
    struct lwp_writer out = lwp_writer_on(room, SIM_PAYLOAD_SIZE);
    if (!(frame->header.flags & LWP_FLAG_COMPRESSED))
        return frame->payload;
    if (lwp_lz4_decompress(sim->dialect->lz4_framing, frame->payload, SIM_PAYLOAD_SIZE, &out) !=
        LWP_OK)
        sim_fail(sim, SIM_PRODUCED, "expected   LZ4 of records\nseen       %zu other bytes",
                 frame->payload.size);
    return lwp_writer_bytes(&out);
}

static void note_ingest(struct sim_actor *actor, const struct lwp_frame *frame)
{
    struct sim *sim = actor->sim;
    const uint64_t batch_id = frame->header.batch_id;
    uint8_t room[SIM_PAYLOAD_SIZE];
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(records_of(sim, frame, room));
    struct lwp_record found;
    if (batch_id >= SIM_BATCHES)
        sim_fail(sim, SIM_SIMULATION, "expected   fewer than %d\nseen       %" PRIu64, SIM_BATCHES,
                 batch_id);
    judge_sending(actor, batch_id);
    actor->fates[batch_id] = SIM_SENT;
    if (actor->last_batch < batch_id)
        actor->last_batch = batch_id;
    while (lwp_tlv_next(&walk, &found) == LWP_OK) {
        struct sim_record *record =
            &sim->records[sim_number_of(sim, frame->header.topic_id, &found)];
        record->sendings++;
        record->batch_id = batch_id;
    }
}

static void note_ack(struct sim_actor *actor, uint64_t batch_id)
{
    if (batch_id > actor->last_batch)
        return;
    uint8_t *fate = &actor->fates[batch_id];
    if (*fate == SIM_SENT)
        *fate = SIM_ACKED;
    else if (*fate == SIM_EXCUSED)
        *fate = SIM_EXCUSED_ACKED;
}

/* An error names no batch. */
static void note_error(struct sim_actor *actor)
{
    for (uint64_t i = 1; i <= actor->last_batch; i++)
        if (actor->fates[i] == SIM_SENT)
            actor->fates[i] = SIM_EXCUSED;
}

static void note_received(struct sim_actor *actor, const struct lwp_frame *frame)
{
    switch (lwp_frame_kind(frame, actor->sim->dialect)) {
    case LWP_KIND_ACK:
        note_ack(actor, frame->header.batch_id);
        break;
    case LWP_KIND_CONTROL:
        if (lwp_frame_command(frame, actor->sim->dialect) == LWP_COMMAND_ERROR_RESPONSE)
            note_error(actor);
        break;
    case LWP_KIND_KEEPALIVE:
        actor->ka_owed += !actor->ka_asked;
        actor->ka_asked = false;
        break;
    case LWP_KIND_BACKPRESSURE:
    case LWP_KIND_INGEST:
    case LWP_KIND_UNKNOWN:
        break;
    }
}

void sim_saw_frame(void *user, enum lwp_trace_direction direction, const struct lwp_frame *frame)
{
    struct sim_actor *actor = user;
    const bool sent = direction == LWP_TRACE_SENT;
    sim_note_frame(actor->sim, actor->name, sent ? "->" : "<-", frame);
    if (!sent)
        note_received(actor, frame);
    else if (lwp_frame_kind(frame, actor->sim->dialect) == LWP_KIND_INGEST)
        note_ingest(actor, frame);
}

void sim_saw_keepalive(struct sim_actor *actor)
{
    sim_note(actor->sim, actor->name, "a Keepalive goes out");
    if (actor->ka_owed) {
        actor->ka_owed--;
        return;
    }
    if (actor->ka_asked)
        sim_fail(actor->sim, SIM_KEEPALIVES,
                 "expected   %s waits for the answer to its Keepalive\nseen       it sends another",
                 actor->name);
    actor->ka_asked = true;
}

void sim_saw_dial(struct sim_actor *actor)
{
    actor->dials++;
    actor->ka_asked = false;
    actor->ka_owed = 0;
    for (uint64_t i = 1; i <= actor->last_batch; i++)
        if (actor->fates[i] != SIM_ACKED && actor->fates[i] != SIM_UNSENT)
            actor->fates[i] = SIM_LOST;
}

static void judge_ack(const struct sim_actor *actor, const struct sim_record *record,
                      const struct lwp_delivery *delivery)
{
    const enum sim_fate fate =
        delivery->batch_id < SIM_BATCHES ? actor->fates[delivery->batch_id] : SIM_UNSENT;
    const bool acked = fate == SIM_ACKED || fate == SIM_EXCUSED_ACKED;
    if (record->batch_id != delivery->batch_id || !acked)
        sim_fail(actor->sim, SIM_TRUE_ACKS,
                 "expected   an ack for batch %" PRIu64
                 " of %s\nseen       a report for batch %" PRIu64 ", for which no ack came",
                 record->batch_id, actor->name, delivery->batch_id);
}

void sim_saw_report(void *user, const struct lwp_delivery *delivery)
{
    struct sim_actor *actor = user;
    struct sim *sim = actor->sim;
    const unsigned number = (unsigned)((uintptr_t)delivery->user - 1);
    struct sim_record *record = &sim->records[number];
    sim_note(sim, actor->name, "record %u: %s", number, lwp_status_text(delivery->status));
    if (++record->reports > 1 || record->producer != actor->number)
        sim_fail(
            sim, SIM_REPORTS,
            "expected   one report for record %u of producer %u\nseen       %u, the last to %u",
            number, record->producer, record->reports, actor->number);
    record->status = delivery->status;
    if (delivery->status == LWP_OK)
        judge_ack(actor, record, delivery);
}
