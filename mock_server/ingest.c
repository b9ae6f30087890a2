/* SPDX-License-Identifier: MIT */
/* What the mock does with each frame, as if there were no scripts. */
#include <stdlib.h>

#include "lwp/wire/compress.h"
#include "lwp/wire/tlv.h"
#include "mock_server/connection.h"
#include "mock_server/mutants.h"

static void send_reply(struct connection *connection, enum lwp_status status,
                       const struct lwp_reply *reply, uint64_t now_ns)
{
    struct lwp_frame frame = {.header = {.flags = LWP_FLAG_ACK, .batch_id = reply->batch_id}};
    if (status != LWP_OK) {
        connection_hang_up(connection, now_ns);
        return;
    }
    if (!reply->is_ack)
        frame = lwp_message_frame(reply->command, reply->payload);
    mutants_misanswer(&frame);
    connection_send(connection, &frame, connection->fate, now_ns);
    if (reply->hangs_up ||
        (LWP_BUG(hangs_up_after_errors) && reply->command == LWP_COMMAND_ERROR_RESPONSE))
        connection_hang_up(connection, now_ns);
}

static void refuse(struct connection *connection, enum lwp_text text, const char *argument,
                   uint64_t now_ns)
{
    struct lwp_reply reply;
    const enum lwp_status status =
        lwp_broker_error(connection->host->broker, connection->asker.dialect, text,
                         lwp_bytes_text(argument), &reply);
    send_reply(connection, status, &reply, now_ns);
}

/* Owes the ack, with the fate of this answer. */
static void owe_ack(struct connection *connection, uint64_t batch_id, uint64_t now_ns)
{
    struct owed owed = {.batch_id = LWP_BUG(acks_wrong_batch) ? batch_id + 1 : batch_id};
    if (connection->muted)
        return;
    if (connection->fate) {
        owed.fate = malloc(sizeof(*owed.fate));
        if (!owed.fate) {
            connection_hang_up(connection, now_ns);
            return;
        }
        *owed.fate = *connection->fate;
    }
    connection_owe(connection, &owed, now_ns);
}

/* D23: whether this id was among the last ones. */
static bool is_duplicate(const struct connection *connection, uint64_t batch_id)
{
    const size_t known = connection->recent_count < CONNECTION_RECENT_IDS ? connection->recent_count
                                                                          : CONNECTION_RECENT_IDS;
    for (size_t i = 0; i < known; i++)
        if (connection->recent_ids[i] == batch_id)
            return true;
    return false;
}

/* What is left when no further record is found. */
static enum lwp_status judge_end(enum lwp_status status, uint64_t count, uint32_t record_count)
{
    if (LWP_BUG(takes_cut_records) && status == LWP_TRUNCATED_RECORD)
        return LWP_OK;
    if (LWP_BUG(takes_bytes_behind_records) && count == record_count)
        return LWP_OK;
    if (status != LWP_END)
        return status;
    return count == record_count || LWP_BUG(believes_record_count) ? LWP_OK : LWP_INVALID_RECORD;
}

/* 4.1, 8: the payload is exactly record_count records of known form. */
static enum lwp_status check_records(struct lwp_bytes payload, uint32_t record_count)
{
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(payload);
    struct lwp_record record;
    uint64_t count = 0;
    enum lwp_status status;
    while ((status = lwp_tlv_next(&walk, &record)) == LWP_OK) {
        if (lwp_record_check(&record) != LWP_OK &&
            !(LWP_BUG(takes_type_00) && record.type == LWP_TLV_RESERVED))
            return LWP_INVALID_RECORD;
        count++;
        while (LWP_BUG(never_gets_past_nothing) && record.value.size == 0)
            continue;
    }
    return judge_end(status, count, record_count);
}

static void store(struct connection *connection, const struct lwp_frame *frame,
                  struct lwp_bytes payload, uint64_t now_ns)
{
    const struct lwp_dialect *dialect = connection->asker.dialect;
    if (dialect->refuses_unsound && is_duplicate(connection, frame->header.batch_id)) {
        refuse(connection, LWP_TEXT_INVALID_FRAME, "batch_id", now_ns);
        return;
    }
    const enum lwp_status status =
        dialect->refuses_unsound ? check_records(payload, frame->header.record_count) : LWP_OK;
    if (status != LWP_OK) {
        const bool too_large = status == LWP_PAYLOAD_TOO_LARGE; /* 8.7. */
        refuse(connection, too_large ? LWP_TEXT_RECORD_LARGE : LWP_TEXT_INVALID_FRAME, "records",
               now_ns);
        return;
    }
    connection->recent_ids[connection->recent_count++ % CONNECTION_RECENT_IDS] =
        frame->header.batch_id;
    if (lwp_broker_ingest(connection->host->broker, frame->header.topic_id, payload) != LWP_OK)
        connection_hang_up(connection, now_ns);
    else
        owe_ack(connection, frame->header.batch_id, now_ns);
}

/* Decompresses into memory that grows as the data needs it, never as it claims; the caller frees
 * `out->data`. */
static enum lwp_status decompress(const struct connection *connection, struct lwp_bytes in,
                                  struct lwp_writer *out)
{
    const struct lwp_session_options *options = &connection->link.session.options;
    size_t capacity = 4 * in.size < options->max_payload ? 4 * in.size : options->max_payload;
    for (;;) {
        uint8_t *memory = realloc(out->data, capacity);
        if (!memory)
            return LWP_NO_MEMORY;
        *out = lwp_writer_on(memory, capacity);
        const enum lwp_status status =
            lwp_lz4_decompress(options->dialect->lz4_framing, in, options->max_payload, out);
        if (status != LWP_FULL || capacity == options->max_payload)
            return status;
        capacity = capacity < options->max_payload / 2 ? 2 * capacity : options->max_payload;
    }
}

/* D40. */
static void store_decompressed(struct connection *connection, const struct lwp_frame *frame,
                               uint64_t now_ns)
{
    struct lwp_writer out = {.data = NULL};
    if (decompress(connection, frame->payload, &out) == LWP_OK)
        store(connection, frame, lwp_writer_bytes(&out), now_ns);
    else
        refuse(connection, LWP_TEXT_INVALID_FRAME, "compressed payload", now_ns);
    free(out.data);
}

static void handle_ingest(struct connection *connection, const struct lwp_frame *frame,
                          uint64_t now_ns)
{
    const struct lwp_dialect *dialect = connection->asker.dialect;
    const bool compressed = frame->header.flags & LWP_FLAG_COMPRESSED;
    struct lwp_reply refusal;
    bool admitted = false;
    const enum lwp_status status = lwp_broker_admit(connection->host->broker, &connection->asker,
                                                    frame->header.topic_id, &admitted, &refusal);
    if (LWP_BUG(stores_what_it_refuses) && !connection->asker.authenticated)
        store(connection, frame, frame->payload, now_ns);
    if (!admitted)
        send_reply(connection, status, &refusal, now_ns);
    else if (frame->payload.size == 0)
        return; /* D24. */
    else if (compressed && dialect->decompresses_ingest && !LWP_BUG(stores_compressed))
        store_decompressed(connection, frame, now_ns);
    else
        store(connection, frame, frame->payload, now_ns);
}

static void handle_control(struct connection *connection, const struct lwp_frame *frame,
                           uint64_t now_ns)
{
    struct lwp_reply reply;
    const int command = lwp_frame_command(frame, connection->asker.dialect);
    const enum lwp_status status = lwp_broker_control(connection->host->broker, &connection->asker,
                                                      command, frame->payload, &reply);
    send_reply(connection, status, &reply, now_ns);
}

static void handle_keepalive(struct connection *connection, const struct lwp_frame *frame,
                             uint64_t now_ns)
{
    struct lwp_frame answer = {.header = {.flags = LWP_FLAG_KEEPALIVE}};
    if (LWP_BUG(ignores_keepalive))
        return;
    if (LWP_BUG(echoes_keepalive_fields))
        answer.header.batch_id = frame->header.batch_id;
    if (LWP_BUG(echoes_keepalive_payload))
        answer.payload = frame->payload;
    connection_send(connection, &answer, connection->fate, now_ns);
    if (LWP_BUG(answers_keepalive_twice))
        connection_send(connection, &answer, connection->fate, now_ns);
}

void connection_handle_here(struct connection *connection, const struct lwp_frame *frame,
                            uint64_t now_ns)
{
    const struct lwp_dialect *dialect = connection->asker.dialect;
    struct lwp_fault fault;
    if (dialect->refuses_unsound && lwp_frame_check(frame, &fault) != LWP_OK) {
        refuse(connection, LWP_TEXT_INVALID_FRAME, fault.field, now_ns);
        return;
    }
    switch (lwp_frame_kind(frame, dialect)) {
    case LWP_KIND_CONTROL:
        handle_control(connection, frame, now_ns);
        break;
    case LWP_KIND_KEEPALIVE:
        handle_keepalive(connection, frame, now_ns);
        break;
    case LWP_KIND_INGEST:
        handle_ingest(connection, frame, now_ns);
        break;
    case LWP_KIND_ACK:
    case LWP_KIND_BACKPRESSURE:
    case LWP_KIND_UNKNOWN:
        break; /* A server has no use for them. */
    }
}

void connection_handle(struct connection *connection, const struct lwp_frame *frame,
                       uint64_t now_ns)
{
    const enum lwp_kind kind = lwp_frame_kind(frame, connection->asker.dialect);
    const bool is_asking = kind == LWP_KIND_CONTROL || kind == LWP_KIND_INGEST;
    if (connection->host->cluster && is_asking)
        connection_route(connection, frame, now_ns);
    else
        connection_handle_here(connection, frame, now_ns);
}
