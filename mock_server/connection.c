/* SPDX-License-Identifier: MIT */
#include "mock_server/connection.h"

#include <stdlib.h>

#include "lwp/bug/bug.h"
#include "lwp/net/clock.h"
#include "lwp/wire/compress.h"
#include "lwp/wire/tlv.h"
#include "mock_server/mutants.h"

enum {
    BUSY_OUT_SIZE = 4194304, /* With more than this unsent, nothing further is answered. */
    MAX_ACKS = 65536,        /* A read batch ends early at so many. */
    MAX_OUT_SIZE = 67108864
};

#define LINGER_NS (5 * LWP_SECOND_NS) /* How long a peer may take to read our last words. */

void connection_init(struct connection *connection, const struct lwp_session_options *options,
                     struct lwp_broker *broker, struct lwp_transport *transport, uint64_t now_ns)
{
    *connection = (struct connection){.broker = broker};
    struct lwp_session_options decided = *options;
    connection->undecided = !options->dialect;
    if (connection->undecided)
        decided.dialect = &lwp_dialect_lance;
    connection->asker = (struct lwp_asker){.dialect = decided.dialect,
                                           .authenticated = !lwp_broker_guarded(broker)};
    lwp_link_init(&connection->link, &decided, transport, MAX_OUT_SIZE, now_ns);
}

void connection_done(struct connection *connection)
{
    lwp_link_done(&connection->link);
    free(connection->acks);
}

/* The connection ends without a word (11): acks that are owed are lost, what is queued still goes
 * out. */
static void hang_up(struct connection *connection, uint64_t now_ns)
{
    lwp_broker_lose_acks(connection->broker, connection->ack_count);
    connection->ack_count = 0;
    connection->reset_by_ns = now_ns + LINGER_NS;
    lwp_link_close(&connection->link, LWP_CLOSE_FIN);
}

static void send_frame(struct connection *connection, const struct lwp_frame *frame,
                       uint64_t now_ns)
{
    if (lwp_link_send(&connection->link, frame, 0, now_ns) != LWP_OK)
        hang_up(connection, now_ns);
}

static void send_reply(struct connection *connection, enum lwp_status status,
                       const struct lwp_reply *reply, uint64_t now_ns)
{
    struct lwp_frame frame = {.header = {.flags = LWP_FLAG_ACK, .batch_id = reply->batch_id}};
    if (status != LWP_OK) {
        hang_up(connection, now_ns);
        return;
    }
    if (!reply->is_ack)
        frame = lwp_message_frame(reply->command, reply->payload);
    send_frame(connection, &frame, now_ns);
    if (reply->hangs_up)
        hang_up(connection, now_ns);
}

static void send_error(struct connection *connection, enum lwp_text text, const char *argument,
                       uint64_t now_ns)
{
    struct lwp_reply reply;
    const enum lwp_status status = lwp_broker_error(connection->broker, connection->asker.dialect,
                                                    text, lwp_bytes_text(argument), &reply);
    send_reply(connection, status, &reply, now_ns);
}

static void owe_ack(struct connection *connection, uint64_t batch_id, uint64_t now_ns)
{
    if (connection->ack_count == connection->ack_capacity) {
        const size_t capacity = connection->ack_capacity ? 2 * connection->ack_capacity : 64;
        uint64_t *acks = realloc(connection->acks, capacity * sizeof(*acks));
        if (!acks) {
            hang_up(connection, now_ns);
            return;
        }
        connection->acks = acks;
        connection->ack_capacity = capacity;
    }
    connection->acks[connection->ack_count++] = LWP_BUG(acks_wrong_batch) ? batch_id + 1 : batch_id;
}

static void send_ack(struct connection *connection, uint64_t batch_id, uint64_t now_ns)
{
    const struct lwp_frame ack = {.header = {.flags = LWP_FLAG_ACK, .batch_id = batch_id}};
    send_frame(connection, &ack, now_ns);
}

/* The end of a read batch: what was stored becomes visible, and then it is acknowledged, in order.
 */
static void pay_acks(struct connection *connection, uint64_t now_ns)
{
    if (connection->ack_count == 0)
        return;
    lwp_broker_flush(connection->broker);
    for (size_t i = 0; i < connection->ack_count; i++) {
        const size_t at = LWP_BUG(acks_in_reverse) ? connection->ack_count - 1 - i : i;
        send_ack(connection, connection->acks[at], now_ns);
    }
    connection->ack_count = 0;
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

/* 4.1, 8: the payload is exactly record_count records of known form. */
static enum lwp_status check_records(struct lwp_bytes payload, uint32_t record_count)
{
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(payload);
    struct lwp_record record;
    uint64_t count = 0;
    enum lwp_status status;
    while ((status = lwp_tlv_next(&walk, &record)) == LWP_OK) {
        if (lwp_record_check(&record) != LWP_OK)
            return LWP_INVALID_RECORD;
        count++;
    }
    if (status != LWP_END)
        return status;
    return count == record_count ? LWP_OK : LWP_INVALID_RECORD;
}

static void store(struct connection *connection, const struct lwp_frame *frame,
                  struct lwp_bytes payload, uint64_t now_ns)
{
    const struct lwp_dialect *dialect = connection->asker.dialect;
    if (dialect->refuses_unsound && is_duplicate(connection, frame->header.batch_id)) {
        send_error(connection, LWP_TEXT_INVALID_FRAME, "batch_id", now_ns);
        return;
    }
    const enum lwp_status status =
        dialect->refuses_unsound ? check_records(payload, frame->header.record_count) : LWP_OK;
    if (status != LWP_OK) {
        const bool too_large = status == LWP_PAYLOAD_TOO_LARGE; /* 8.7. */
        send_error(connection, too_large ? LWP_TEXT_RECORD_LARGE : LWP_TEXT_INVALID_FRAME,
                   "records", now_ns);
        return;
    }
    connection->recent_ids[connection->recent_count++ % CONNECTION_RECENT_IDS] =
        frame->header.batch_id;
    if (lwp_broker_ingest(connection->broker, frame->header.topic_id, payload) != LWP_OK)
        hang_up(connection, now_ns);
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
        send_error(connection, LWP_TEXT_INVALID_FRAME, "compressed payload", now_ns);
    free(out.data);
}

static void handle_ingest(struct connection *connection, const struct lwp_frame *frame,
                          uint64_t now_ns)
{
    const struct lwp_dialect *dialect = connection->asker.dialect;
    const bool compressed = frame->header.flags & LWP_FLAG_COMPRESSED;
    struct lwp_reply refusal;
    bool admitted = false;
    const enum lwp_status status = lwp_broker_admit(connection->broker, &connection->asker,
                                                    frame->header.topic_id, &admitted, &refusal);
    if (!admitted)
        send_reply(connection, status, &refusal, now_ns);
    else if (frame->payload.size == 0)
        return; /* D24. */
    else if (compressed && dialect->decompresses_ingest)
        store_decompressed(connection, frame, now_ns);
    else
        store(connection, frame, frame->payload, now_ns);
}

static void handle_control(struct connection *connection, const struct lwp_frame *frame,
                           uint64_t now_ns)
{
    struct lwp_reply reply;
    const int command = lwp_frame_command(frame, connection->asker.dialect);
    const enum lwp_status status =
        lwp_broker_control(connection->broker, &connection->asker, command, frame->payload, &reply);
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
    send_frame(connection, &answer, now_ns);
}

static void handle(struct connection *connection, const struct lwp_frame *frame, uint64_t now_ns)
{
    const struct lwp_dialect *dialect = connection->asker.dialect;
    struct lwp_fault fault;
    if (dialect->refuses_unsound && lwp_frame_check(frame, &fault) != LWP_OK) {
        send_error(connection, LWP_TEXT_INVALID_FRAME, fault.field, now_ns);
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

/* The polynomial of the first header tells the dialect, and with it the form of errors. */
static void decide_dialect(struct connection *connection)
{
    struct lwp_session *session = &connection->link.session;
    const struct lwp_bytes in = lwp_queue_bytes(&session->in);
    struct lwp_header header;
    if (in.size < LWP_HEADER_SIZE)
        return;
    lwp_header_decode(in.data, &header);
    if (lwp_header_check(&header, lwp_dialect_spec.polynomial) == LWP_OK)
        connection->asker.dialect = &lwp_dialect_spec;
    session->options.dialect = connection->asker.dialect;
    connection->undecided = false;
}

/* Answers the frames that have been read, until they are used up or the peer must read first. */
static void work_off(struct connection *connection, uint64_t now_ns)
{
    struct lwp_session *session = &connection->link.session;
    connection->stalled = false;
    if (connection->undecided)
        decide_dialect(connection);
    while (!connection->link.closing) {
        if (session->out.size >= BUSY_OUT_SIZE || connection->ack_count >= MAX_ACKS) {
            connection->stalled = true;
            break;
        }
        mutants_mend_front(session);
        struct lwp_frame frame;
        const enum lwp_status status = lwp_session_receive(session, &frame, now_ns);
        if (status == LWP_MORE)
            break;
        if (status == LWP_OK)
            handle(connection, &frame, now_ns);
        else
            hang_up(connection, now_ns);
        if (!session->options.dialect->defers_acks && connection->ack_delay_ns == 0)
            pay_acks(connection, now_ns);
    }
    if (connection->ack_count)
        connection->acks_due_ns = now_ns + connection->ack_delay_ns;
}

/* One read batch: all that is there now, then the acks (D27). Nothing is read while acks wait. */
static bool take_batch(struct connection *connection, uint64_t now_ns)
{
    if (connection->ack_count || connection->link.closing)
        return false;
    if (connection->stalled && connection->link.session.out.size >= BUSY_OUT_SIZE)
        return false;
    const bool resumed = connection->stalled;
    if (!resumed) {
        const enum lwp_status status = lwp_link_read(&connection->link, now_ns);
        if (status == LWP_CLOSED)
            hang_up(connection, now_ns);
        else if (status != LWP_OK && status != LWP_WOULD_BLOCK)
            connection->done = true;
        if (status != LWP_OK)
            return status != LWP_WOULD_BLOCK;
    }
    work_off(connection, now_ns);
    return true;
}

/* Whether the end has come: all is written, the peer is gone, or it did not read in time. */
static void judge_end(struct connection *connection, enum lwp_status written, uint64_t now_ns)
{
    const bool gone = written != LWP_OK && written != LWP_WOULD_BLOCK;
    if (gone || (connection->link.closing && written == LWP_OK))
        connection->done = true;
    if (!connection->done && connection->link.closing && now_ns >= connection->reset_by_ns) {
        lwp_link_close(&connection->link, LWP_CLOSE_RST);
        connection->done = true;
    }
}

bool connection_step(struct connection *connection, uint64_t now_ns)
{
    struct lwp_link *link = &connection->link;
    bool worked = take_batch(connection, now_ns);
    if (connection->ack_count && now_ns >= connection->acks_due_ns) {
        pay_acks(connection, now_ns);
        worked = true;
    }
    const size_t unsent = link->session.out.size;
    const enum lwp_status written = lwp_link_write(link);
    judge_end(connection, written, now_ns);
    if (!connection->stalled)
        lwp_link_trim(link);
    return worked || link->session.out.size != unsent;
}

uint64_t connection_deadline(const struct connection *connection)
{
    if (connection->link.closing)
        return connection->reset_by_ns;
    if (connection->ack_count)
        return connection->acks_due_ns;
    const bool can_go_on = connection->stalled && connection->link.session.out.size < BUSY_OUT_SIZE;
    return can_go_on ? 0 : LWP_NEVER;
}

bool connection_wants_bytes(const struct connection *connection)
{
    return !connection->ack_count && !connection->link.closing && !connection->stalled;
}

size_t connection_memory(const struct connection *connection)
{
    const struct lwp_session *session = &connection->link.session;
    return session->in.capacity + session->out.capacity;
}

void connection_reset(struct connection *connection, uint64_t now_ns)
{
    connection->ack_count = 0;
    connection->reset_by_ns = now_ns;
    connection->link.closing = true;
    lwp_link_close(&connection->link, LWP_CLOSE_RST);
    connection->done = true;
}
