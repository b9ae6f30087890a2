/* SPDX-License-Identifier: MIT */
/* The broker's error answers, in the dialect's form (5.7, 12.1). */
#include "mock_server/broker_state.h"
#include "mock_server/mutants.h"

/* The size of the piece at the front that is written as it is, 0 if it is rubbish of `*skipped` bytes.
 * Names are mostly ASCII, of which a whole run is a piece. */
static size_t sound_piece(struct lwp_bytes text, size_t *skipped)
{
    size_t size = 0;
    bool valid = true;
    while (size < text.size && text.data[size] < 0x80)
        size++;
    *skipped = size ? size : lwp_utf8_step(text, &valid);
    return valid ? *skipped : 0;
}

/* Writes the text as Rust prints bytes that are not UTF-8: U+FFFD for each piece of rubbish.
 * Returns the size, also of what did not fit; past `limit` it stops to count. */
static size_t write_lossy(struct lwp_bytes text, size_t limit, struct lwp_writer *out)
{
    static const uint8_t replacement[] = {0xef, 0xbf, 0xbd};
    size_t total = 0;
    while (text.size && total < limit) {
        size_t skipped = 0;
        const size_t size = sound_piece(text, &skipped);
        struct lwp_bytes piece = {replacement, sizeof(replacement)};
        if (size)
            piece = (struct lwp_bytes){text.data, size < limit - total ? size : limit - total};
        lwp_write(out, piece);
        total += piece.size;
        text = lwp_bytes_from(text, skipped);
    }
    return total;
}

/* The error as a document (12.1). `out` has the message and room behind it. */
static enum lwp_status wrap_in_document(const struct broker_refusal *refusal,
                                        struct lwp_bytes quoted, struct lwp_writer *out,
                                        struct lwp_reply *reply)
{
    struct lwp_error_document document = refusal->details;
    document.code = lwp_text_code(refusal->text);
    document.message = reply->payload;
    if (refusal->text == LWP_TEXT_REDIRECT)
        document.leader_addr = quoted;
    struct lwp_writer json = lwp_writer_on(out->data + out->size, out->capacity - out->size);
    const enum lwp_status status = lwp_json_write_error(&document, &json);
    reply->payload = lwp_writer_bytes(&json);
    return status;
}

/* The most bytes that are quoted: a client that takes the largest frame can read the answer. */
static size_t quoted_limit(const struct lwp_broker *broker)
{
    const uint32_t configured = broker->options.limits.max_payload;
    return configured > LWP_MAX_PAYLOAD_DEFAULT ? configured : LWP_MAX_PAYLOAD_DEFAULT;
}

enum lwp_status broker_refuse(struct lwp_broker *broker, const struct lwp_dialect *dialect,
                              const struct broker_refusal *refusal, struct lwp_reply *reply)
{
    enum { TEXT_SIZE = 512, QUOTED_SIZE = 1024, JSON_GROWTH = 12 };
    const bool as_json = dialect->error_form == LWP_ERRORS_AS_JSON;
    const size_t limit = quoted_limit(broker);
    struct lwp_bytes argument = refusal->argument;
    if (as_json && argument.size > QUOTED_SIZE)
        argument.size = QUOTED_SIZE;
    struct lwp_writer nowhere = {.full = true};
    const size_t lossy_size = write_lossy(argument, limit, &nowhere);
    const size_t quoted_size = lossy_size < limit ? lossy_size : limit;
    const size_t message_size = TEXT_SIZE + quoted_size;
    const size_t json_size = as_json ? JSON_GROWTH * message_size : 0;
    struct lwp_writer out;
    if (broker_scratch(broker, quoted_size + message_size + json_size, &out) != LWP_OK)
        return LWP_NO_MEMORY;
    struct lwp_writer quoted = lwp_writer_on(out.data, quoted_size);
    (void)write_lossy(argument, quoted_size, &quoted);
    out.size = quoted.size;
    lwp_text_write(refusal->text, as_json, lwp_writer_bytes(&quoted), &out);
    *reply = (struct lwp_reply){
        .command = LWP_COMMAND_ERROR_RESPONSE,
        .payload = lwp_bytes_from(lwp_writer_bytes(&out), quoted.size),
    };
    if (reply->payload.size > limit)
        reply->payload.size = limit;
    return as_json ? wrap_in_document(refusal, lwp_writer_bytes(&quoted), &out, reply) : LWP_OK;
}

enum lwp_status lwp_broker_error(struct lwp_broker *broker, const struct lwp_dialect *dialect,
                                 enum lwp_text text, struct lwp_bytes argument,
                                 struct lwp_reply *reply)
{
    const struct broker_refusal refusal = {.text = mutants_misjudge(text), .argument = argument};
    return broker_refuse(broker, dialect, &refusal, reply);
}

enum lwp_status lwp_broker_catching_up(struct lwp_broker *broker, const struct lwp_dialect *dialect,
                                       uint64_t end_offset, struct lwp_reply *reply)
{
    enum { FRAME_SIZE = 64 };
    const struct lwp_message frame = {.command = LWP_COMMAND_CATCHING_UP,
                                      .server_offset = end_offset};
    const struct broker_refusal refusal = {
        .text = LWP_TEXT_CATCHING_UP,
        .details = {.has_server_offset = true, .server_offset = end_offset},
    };
    struct lwp_writer out;
    if (dialect->beyond_end != LWP_BEYOND_CATCHING_UP)
        return broker_refuse(broker, dialect, &refusal, reply);
    if (broker_scratch(broker, FRAME_SIZE, &out) != LWP_OK)
        return LWP_NO_MEMORY;
    (void)lwp_message_encode(&frame, &out);
    *reply = (struct lwp_reply){.command = frame.command, .payload = lwp_writer_bytes(&out)};
    return LWP_OK;
}
