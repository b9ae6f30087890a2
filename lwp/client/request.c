/* SPDX-License-Identifier: MIT */
#include "lwp/client/request.h"

#include "lwp/bug/bug.h"

struct lwp_request lwp_request_of(int command, const struct lwp_message *asked,
                                  uint64_t deadline_ns)
{
    struct lwp_request request = {.command = command, .deadline_ns = deadline_ns};
    if (command == LWP_REQUEST_PING)
        return request;
    request.asked = (struct lwp_message){
        .command = (uint8_t)command,
        .topic_id = asked->topic_id,
        .consumer_id = asked->consumer_id,
        .start_offset = asked->start_offset,
        .offset = asked->offset,
        .max_bytes = asked->max_bytes,
    };
    return request;
}

/* 5.13, D12 and the Python client's idea of a commit: these may be answered by an Ack. */
static bool takes_ack(const struct lwp_request *request, const struct lwp_frame *frame)
{
    const bool is_of_consumer = request->command == LWP_COMMAND_UNSUBSCRIBE ||
                                request->command == LWP_COMMAND_COMMIT_OFFSET ||
                                request->command == LWP_COMMAND_SUBSCRIBE;
    const uint64_t batch_id = frame->header.batch_id;
    if (is_of_consumer)
        return batch_id == request->asked.consumer_id || batch_id == 0 ||
               batch_id == (uint64_t)request->command;
    return request->command == LWP_COMMAND_SET_RETENTION;
}

/* The code of the control frame that says yes. */
static int answer_code(const struct lwp_request *request)
{
    const struct lwp_command *row = lwp_command_of((uint8_t)request->command);
    /* D13: the lance-py dialect answers even this one so. */
    if (request->command == LWP_COMMAND_UNSUBSCRIBE)
        return LWP_COMMAND_TOPIC_RESPONSE;
    return row && request->command > 0 ? row->answer : 0;
}

/* Where the data of a fetch lies in the log: from the offset asked for, without a gap. At the tail
 * sentinels (D5) there is none. */
static enum lwp_status judge_fetch(const struct lwp_message *asked, const struct lwp_message *told,
                                   bool compressed)
{
    if (told->bytes_returned > asked->max_bytes && !compressed)
        return LWP_INVALID_LENGTH;
    if (told->data.size == 0)
        return LWP_OK;
    if (asked->start_offset >= INT64_MAX || told->next_offset <= asked->start_offset)
        return LWP_INVALID_OFFSET;
    const bool fits = told->next_offset - asked->start_offset == told->data.size;
    return fits || compressed ? LWP_OK : LWP_INVALID_OFFSET;
}

/* Whether the answer agrees with the question (B-15, B-32). */
static enum lwp_status judge(const struct lwp_request *request, const struct lwp_frame *frame,
                             const struct lwp_message *told)
{
    const bool compressed = frame->header.flags & LWP_FLAG_COMPRESSED;
    if (request->command == LWP_COMMAND_FETCH)
        return judge_fetch(&request->asked, told, compressed);
    const bool names_consumer =
        request->command == LWP_COMMAND_SUBSCRIBE || request->command == LWP_COMMAND_COMMIT_OFFSET;
    if (names_consumer && told->consumer_id != request->asked.consumer_id)
        return LWP_UNEXPECTED_FRAME;
    return LWP_OK;
}

static enum lwp_status take_yes(const struct lwp_request *request, const struct lwp_frame *frame,
                                int command, struct lwp_answer *answer)
{
    struct lwp_bytes rest;
    struct lwp_fault fault;
    enum lwp_status status =
        lwp_message_decode((uint8_t)command, frame->payload, &answer->message, &rest, &fault);
    /* Only the words that go with a yes or no of Authenticate are text, and nothing hangs on them. */
    if (status != LWP_OK && status != LWP_INVALID_TEXT)
        return status;
    if (command == LWP_COMMAND_AUTHENTICATE_RESPONSE && !answer->message.ok) {
        answer->details = lwp_details_read(answer->message.text);
        answer->details.status = LWP_AUTH_FAILED;
    }
    return judge(request, frame, &answer->message);
}

static enum lwp_status take_control(const struct lwp_request *request,
                                    const struct lwp_frame *frame,
                                    const struct lwp_dialect *dialect, struct lwp_answer *answer)
{
    const int command = lwp_frame_command(frame, dialect);
    if (command < 0 || !lwp_command_of((uint8_t)command))
        return LWP_UNKNOWN_COMMAND;
    if (request->command <= 0)
        return LWP_UNEXPECTED_FRAME;
    if (command == LWP_COMMAND_ERROR_RESPONSE) {
        answer->details = lwp_details_read(frame->payload);
        return LWP_OK;
    }
    if (command == LWP_COMMAND_CATCHING_UP && request->command == LWP_COMMAND_FETCH) {
        answer->details = lwp_details_catching_up(frame->payload);
        return LWP_OK;
    }
    if (command != answer_code(request))
        return LWP_UNEXPECTED_FRAME;
    return take_yes(request, frame, command, answer);
}

/* D20: the specification has no compressed control frames, but a FetchResponse may be one. */
static enum lwp_kind kind_of(struct lwp_frame frame, const struct lwp_dialect *dialect)
{
    if (frame.header.flags == (LWP_FLAG_CONTROL | LWP_FLAG_COMPRESSED))
        return LWP_KIND_CONTROL;
    return lwp_frame_kind(&frame, dialect);
}

enum lwp_status lwp_request_take(struct lwp_request *request, const struct lwp_frame *frame,
                                 const struct lwp_dialect *dialect, struct lwp_answer *answer)
{
    struct lwp_answer found = {.details = lwp_details_of(LWP_OK)};
    enum lwp_status status = LWP_UNEXPECTED_FRAME;
    switch (kind_of(*frame, dialect)) {
    case LWP_KIND_KEEPALIVE:
    case LWP_KIND_BACKPRESSURE:
        return LWP_BUG(stumbles_over_keepalives) ? LWP_UNEXPECTED_FRAME : LWP_MORE;
    case LWP_KIND_CONTROL:
        status = take_control(request, frame, dialect, &found);
        break;
    case LWP_KIND_ACK:
        found.is_ack = true;
        status = takes_ack(request, frame) ? LWP_OK : LWP_UNEXPECTED_FRAME;
        break;
    case LWP_KIND_INGEST:
    case LWP_KIND_UNKNOWN:
        break;
    }
    if (status == LWP_OK)
        *answer = found;
    request->command = LWP_REQUEST_NONE;
    return status;
}
