/* SPDX-License-Identifier: MIT */
#include "mock_server/answers.h"

static bool is_document(const struct lwp_answering *to)
{
    if (to->form == SCRIPT_FORM_DIALECT)
        return to->dialect->error_form == LWP_ERRORS_AS_JSON;
    return to->form == SCRIPT_FORM_JSON;
}

size_t lwp_answer_bound(size_t size)
{
    /* A text stands in front of the document that quotes it, and a byte may take six there. */
    enum { FIXED_SIZE = 2048, GROWTH = 7 };
    return size > (SIZE_MAX - FIXED_SIZE) / GROWTH ? SIZE_MAX : FIXED_SIZE + GROWTH * size;
}

/* The control frame of what was written from `begin` on. */
static enum lwp_status give(const struct lwp_answering *to, uint8_t command, size_t begin,
                            struct lwp_frame *frame)
{
    if (to->out->full)
        return LWP_FULL;
    *frame = lwp_message_frame(command, lwp_bytes_from(lwp_writer_bytes(to->out), begin));
    return LWP_OK;
}

static enum lwp_status give_message(const struct lwp_answering *to,
                                    const struct lwp_message *message, struct lwp_frame *frame)
{
    const size_t begin = to->out->size;
    const enum lwp_status status = lwp_message_encode(message, to->out);
    return status == LWP_OK ? give(to, message->command, begin, frame) : status;
}

/* The error whose text was written from `begin` on. */
static enum lwp_status give_error(const struct lwp_answering *to, size_t begin,
                                  struct lwp_error_document document, struct lwp_frame *frame)
{
    if (to->out->full)
        return LWP_FULL;
    if (!is_document(to))
        return give(to, LWP_COMMAND_ERROR_RESPONSE, begin, frame);
    document.message = lwp_bytes_from(lwp_writer_bytes(to->out), begin);
    begin = to->out->size;
    const enum lwp_status status = lwp_json_write_error(&document, to->out);
    return status == LWP_OK ? give(to, LWP_COMMAND_ERROR_RESPONSE, begin, frame) : status;
}

/* The error of a row, with the details that the caller knows. */
static enum lwp_status give_row(const struct lwp_answering *to, enum lwp_text text,
                                struct lwp_bytes argument, struct lwp_error_document details,
                                struct lwp_frame *frame)
{
    const size_t begin = to->out->size;
    if (to->form == SCRIPT_FORM_FRAME)
        return LWP_INVALID_ARGUMENT;
    lwp_text_write(text, is_document(to), argument, to->out);
    details.code = lwp_text_code(text);
    return give_error(to, begin, details, frame);
}

enum lwp_status lwp_answer_backpressure(const struct lwp_answering *to, struct lwp_frame *frame)
{
    if (to->form == SCRIPT_FORM_TEXT || to->form == SCRIPT_FORM_JSON)
        return lwp_answer_error(to, LWP_ERROR_BACKPRESSURE, NULL, frame);
    *frame = (struct lwp_frame){.header = {.flags = lwp_kind_flags(LWP_KIND_BACKPRESSURE)}};
    return LWP_OK;
}

enum lwp_status lwp_answer_refusal(const struct lwp_answering *to, enum lwp_text text,
                                   struct lwp_bytes argument, struct lwp_frame *frame)
{
    struct lwp_error_document details = {.code = 0};
    if (lwp_text_code(text) == LWP_ERROR_NOT_LEADER)
        details.leader_addr = argument;
    return give_row(to, text, argument, details, frame);
}

enum lwp_status lwp_answer_redirect(const struct lwp_answering *to, struct lwp_bytes address,
                                    struct lwp_frame *frame)
{
    return lwp_answer_refusal(to, LWP_TEXT_REDIRECT, address, frame);
}

enum lwp_status lwp_answer_leader_unknown(const struct lwp_answering *to, struct lwp_frame *frame)
{
    return lwp_answer_refusal(to, LWP_TEXT_LEADER_UNKNOWN, (struct lwp_bytes){NULL, 0}, frame);
}

enum lwp_status lwp_answer_rate_limited(const struct lwp_answering *to, uint64_t retry_after_ms,
                                        struct lwp_frame *frame)
{
    const struct lwp_error_document details = {.retry_after_ms = retry_after_ms};
    return give_row(to, LWP_TEXT_RATE_LIMIT, (struct lwp_bytes){NULL, 0}, details, frame);
}

enum lwp_status lwp_answer_catching_up(const struct lwp_answering *to, uint64_t server_offset,
                                       struct lwp_frame *frame)
{
    const struct lwp_message message = {.command = LWP_COMMAND_CATCHING_UP,
                                        .server_offset = server_offset};
    const struct lwp_error_document details = {.has_server_offset = true,
                                               .server_offset = server_offset};
    const bool is_usual =
        to->form == SCRIPT_FORM_DIALECT && to->dialect->beyond_end == LWP_BEYOND_CATCHING_UP;
    if (is_usual || to->form == SCRIPT_FORM_FRAME)
        return give_message(to, &message, frame);
    return give_row(to, LWP_TEXT_CATCHING_UP, (struct lwp_bytes){NULL, 0}, details, frame);
}

/* The texts that go with codes. The first row of a code in texts.def is often one for a special
 * case, so it can not be searched for. */
static const struct {
    enum lwp_error code;
    enum lwp_text text;
    const char *argument;
} usual_texts[] = {
    {LWP_ERROR_PAYLOAD_TOO_LARGE, LWP_TEXT_RECORD_LARGE, NULL},
    {LWP_ERROR_INVALID_PAYLOAD, LWP_TEXT_INVALID_FRAME, "payload"},
    {LWP_ERROR_TOPIC_NOT_FOUND, LWP_TEXT_TOPIC_NOT_FOUND, NULL},
    {LWP_ERROR_TOPIC_ALREADY_EXISTS, LWP_TEXT_TOPIC_EXISTS, NULL},
    {LWP_ERROR_INVALID_TOPIC_NAME, LWP_TEXT_TOPIC_NAME_REQUIRED, NULL},
    {LWP_ERROR_SERVER_CATCHING_UP, LWP_TEXT_CATCHING_UP, NULL},
    {LWP_ERROR_NOT_LEADER, LWP_TEXT_REDIRECT, NULL},
    {LWP_ERROR_QUORUM_NOT_REACHED, LWP_TEXT_FORWARD_QUORUM, NULL},
    {LWP_ERROR_LEADER_UNKNOWN, LWP_TEXT_LEADER_UNKNOWN, NULL},
    {LWP_ERROR_CLUSTER_NOT_READY, LWP_TEXT_FORWARD_NOT_READY, NULL},
    {LWP_ERROR_RATE_LIMITED, LWP_TEXT_RATE_LIMIT, NULL},
    {LWP_ERROR_AUTHENTICATION_REQUIRED, LWP_TEXT_AUTH_REQUIRED, NULL},
    {LWP_ERROR_ACCESS_DENIED, LWP_TEXT_ACCESS_DENIED, NULL},
    {LWP_ERROR_STORAGE_ERROR, LWP_TEXT_STORAGE, NULL},
};

static void write_usual_text(unsigned code, bool as_message, struct lwp_writer *out)
{
    for (size_t i = 0; i < sizeof(usual_texts) / sizeof(usual_texts[0]); i++)
        if (usual_texts[i].code == code) {
            lwp_text_write(usual_texts[i].text, as_message, lwp_bytes_text(usual_texts[i].argument),
                           out);
            return;
        }
    lwp_write(out, lwp_bytes_text(lwp_error_word(code)));
}

enum lwp_status lwp_answer_error(const struct lwp_answering *to, unsigned code,
                                 const struct lwp_bytes *text, struct lwp_frame *frame)
{
    const size_t begin = to->out->size;
    if (to->form == SCRIPT_FORM_FRAME)
        return LWP_INVALID_ARGUMENT;
    if (text)
        lwp_write(to->out, *text);
    else
        write_usual_text(code, is_document(to), to->out);
    return give_error(to, begin, (struct lwp_error_document){.code = code}, frame);
}

enum lwp_status lwp_answer_auth(const struct lwp_answering *to, bool ok,
                                const struct lwp_bytes *text, struct lwp_frame *frame)
{
    const struct lwp_message message = {
        .command = LWP_COMMAND_AUTHENTICATE_RESPONSE,
        .ok = ok,
        .text = text ? *text : lwp_bytes_text(ok ? "Authenticated" : "Invalid token"),
    };
    return give_message(to, &message, frame);
}

enum lwp_status lwp_answer_topic(const struct lwp_answering *to, const struct lwp_topic *topic,
                                 struct lwp_frame *frame)
{
    const size_t begin = to->out->size;
    const enum lwp_status status = lwp_json_write_topic(to->dialect, topic, to->out);
    return status == LWP_OK ? give(to, LWP_COMMAND_TOPIC_RESPONSE, begin, frame) : status;
}

enum lwp_status lwp_answer_fetch(const struct lwp_answering *to, uint64_t next_offset,
                                 uint32_t record_count, struct lwp_bytes data,
                                 struct lwp_frame *frame)
{
    const struct lwp_message message = {
        .command = LWP_COMMAND_FETCH_RESPONSE,
        .next_offset = next_offset,
        .bytes_returned = data.size,
        .record_count = record_count,
        .data = data,
    };
    return give_message(to, &message, frame);
}
