/* SPDX-License-Identifier: MIT */
#include "fuzz/model_mock.h"

#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "fuzz/plain.h"
#include "lwp/session/session.h"
#include "lwp/wire/message.h"
#include "mock_server/mock_state.h"

enum { PIPE_ROOM = 1 << 16, MAX_PAYLOAD = 4096, MAX_STEPS = 100000 };

static struct lwp_frame_rules rules_of(const struct model_mock *model)
{
    return (struct lwp_frame_rules){model->options.dialect->polynomial, MAX_PAYLOAD};
}

void model_mock_init(struct model_mock *model, const uint8_t head[4])
{
    *model = (struct model_mock){.now_ns = 1};
    model->options = (struct lwp_mock_options){
        .dialect = fuzz_dialect(head[0]),
        .max_payload = MAX_PAYLOAD,
        .auth_token = head[1] & 1 ? "sekret" : NULL,
        .epoch_ns = UINT64_C(1700000000000000000),
    };
    model->chosen = model->connections;
    FUZZ_ASSERT(lwp_mock_new(&model->options, &model->mock) == LWP_OK);
}

static void forget(struct model_connection *connection)
{
    lwp_transport_free(connection->transport);
    free(connection->sent);
    free(connection->received);
    *connection = (struct model_connection){.transport = NULL};
}

/* Goes on over what was sent, in the plainest way: where do its frames end? */
static void judge_sent(struct model_mock *model, struct model_connection *connection)
{
    const struct lwp_frame_rules rules = rules_of(model);
    while (!connection->doomed) {
        const struct lwp_bytes rest = {connection->sent + connection->judged,
                                       connection->sent_size - connection->judged};
        const struct lwp_fault verdict = plain_verdict(&rules, rest);
        if (verdict.status == LWP_MORE)
            return;
        connection->doomed = verdict.status != LWP_OK;
        if (verdict.status == LWP_OK)
            connection->judged += LWP_HEADER_SIZE + plain_integer(rest, 32, 4);
    }
}

/* An ack of an unsubscription names the consumer (D13). */
static bool is_acked_as(struct lwp_bytes frame, uint64_t batch_id)
{
    const bool is_control = frame.data[5] & LWP_FLAG_CONTROL;
    if (!is_control)
        return plain_integer(frame, 12, 8) == batch_id;
    return frame.data[12] == LWP_COMMAND_UNSUBSCRIBE && frame.size >= LWP_HEADER_SIZE + 12 &&
           plain_integer(frame, LWP_HEADER_SIZE + 4, 8) == batch_id;
}

static bool has_sent_batch(const struct model_connection *connection, uint64_t batch_id)
{
    struct lwp_bytes in = {connection->sent, connection->judged};
    while (in.size >= LWP_HEADER_SIZE) {
        const size_t size = LWP_HEADER_SIZE + plain_integer(in, 32, 4);
        if (is_acked_as((struct lwp_bytes){in.data, size}, batch_id))
            return true;
        in = lwp_bytes_from(in, size);
    }
    return false;
}

static void judge_answer(const struct model_mock *model, const struct model_connection *connection,
                         const struct lwp_frame *frame)
{
    struct lwp_fault fault;
    FUZZ_ASSERT(lwp_frame_check(frame, &fault) == LWP_OK);
    fuzz_note(frame->header.flags);
    fuzz_note(frame->header.batch_id);
    fuzz_note_bytes(frame->payload);
    const enum lwp_kind kind = lwp_frame_kind(frame, model->options.dialect);
    FUZZ_ASSERT(kind != LWP_KIND_UNKNOWN && kind != LWP_KIND_INGEST);
    if (kind == LWP_KIND_ACK)
        FUZZ_ASSERT(connection->over || has_sent_batch(connection, frame->header.batch_id));
    if (kind != LWP_KIND_CONTROL)
        return;
    const struct lwp_command *row = lwp_command_of((uint8_t)frame->header.batch_id);
    struct lwp_message message;
    struct lwp_bytes rest;
    FUZZ_ASSERT(row && !row->from_client);
    FUZZ_ASSERT(lwp_message_decode(row->code, frame->payload, &message, &rest, &fault) == LWP_OK);
    FUZZ_ASSERT(rest.size == 0);
}

/* Reads what came; false once the connection has ended. */
static bool read_answers(struct model_mock *model, struct model_connection *connection)
{
    const struct lwp_frame_rules rules = {rules_of(model).polynomial, LWP_MAX_PAYLOAD_DEFAULT};
    for (;;) {
        size_t count = 0;
        const enum lwp_status status = lwp_transport_read(
            connection->transport, connection->received + connection->received_size,
            MODEL_READ_ROOM - connection->received_size, &count);
        if (status != LWP_OK)
            return status == LWP_WOULD_BLOCK;
        struct lwp_frame frame;
        struct lwp_fault fault;
        struct lwp_bytes in = {connection->received, connection->received_size + count};
        enum lwp_status split = LWP_OK;
        while ((split = lwp_frame_split(&rules, in, &frame, &fault)) == LWP_OK) {
            judge_answer(model, connection, &frame);
            in = lwp_bytes_from(in, lwp_frame_size(&frame));
        }
        FUZZ_ASSERT(split == LWP_MORE && in.size < MODEL_READ_ROOM);
        if (in.size)
            memmove(connection->received, in.data, in.size);
        connection->received_size = in.size;
    }
}

/* Lets the mock work until nothing happens. */
static void settle(struct model_mock *model)
{
    for (unsigned step = 0; lwp_mock_step(model->mock, model->now_ns); step++) {
        FUZZ_ASSERT(step < MAX_STEPS);
        for (size_t i = 0; i < MODEL_CLIENTS; i++)
            if (model->connections[i].transport && !read_answers(model, &model->connections[i]))
                forget(&model->connections[i]);
    }
    for (size_t i = 0; i < MODEL_CLIENTS; i++)
        if (model->connections[i].transport && !read_answers(model, &model->connections[i]))
            forget(&model->connections[i]);
    FUZZ_ASSERT(lwp_mock_deadline(model->mock) > model->now_ns);
}

void model_mock_choose(struct model_mock *model, uint32_t number)
{
    model->chosen = &model->connections[number % MODEL_CLIENTS];
}

static void connect_chosen(struct model_mock *model)
{
    struct lwp_transport *ends[2];
    FUZZ_ASSERT(lwp_pipe_new(PIPE_ROOM, ends) == LWP_OK);
    FUZZ_ASSERT(lwp_mock_accept(model->mock, ends[1], model->now_ns) == LWP_OK);
    *model->chosen = (struct model_connection){
        .transport = ends[0],
        .sent = fuzz_room(MODEL_MAX_SENT),
        .received = fuzz_room(MODEL_READ_ROOM),
    };
}

static void note_sent(struct model_mock *model, struct lwp_bytes bytes)
{
    struct model_connection *connection = model->chosen;
    const size_t room = MODEL_MAX_SENT - connection->sent_size;
    connection->over = connection->over || bytes.size > room;
    const size_t size = bytes.size < room ? bytes.size : room;
    memcpy(connection->sent + connection->sent_size, bytes.data, size);
    connection->sent_size += size;
    if (!connection->over)
        judge_sent(model, connection);
}

void model_mock_send(struct model_mock *model, struct lwp_bytes bytes)
{
    if (!model->chosen->transport)
        connect_chosen(model);
    while (bytes.size && model->chosen->transport) {
        struct lwp_bytes piece = bytes;
        size_t count = 0;
        if (model->cut && model->cut < piece.size)
            piece.size = model->cut;
        if (lwp_transport_write(model->chosen->transport, piece, &count) != LWP_OK)
            break;
        note_sent(model, (struct lwp_bytes){piece.data, count});
        bytes = lwp_bytes_from(bytes, count);
        settle(model);
    }
    FUZZ_ASSERT(!model->chosen->transport || model->chosen->over || !model->chosen->doomed ||
                model->options.dialect->late_size_check);
}

void model_mock_hang_up(struct model_mock *model, enum lwp_close how)
{
    if (!model->chosen->transport)
        return;
    lwp_transport_close(model->chosen->transport, how);
    forget(model->chosen);
    settle(model);
}

void model_mock_pass(struct model_mock *model, uint64_t by_ns)
{
    model->now_ns += by_ns;
    settle(model);
}

void model_mock_done(struct model_mock *model)
{
    for (size_t i = 0; i < MODEL_CLIENTS; i++) {
        model->chosen = &model->connections[i];
        model_mock_hang_up(model, LWP_CLOSE_RST);
    }
    settle(model);
    FUZZ_ASSERT(!model->mock->first);
    lwp_mock_free(model->mock);
}
