/* SPDX-License-Identifier: MIT */
/* The half of the parser that reads frames: kinds, fields, bodies. */
#include "lwp/json/json.h"
#include "lwp/wire/errors.h"
#include "mock_server/script/reader.h"

static void read_fill(struct reader *reader, struct script_frame *frame)
{
    frame->body = SCRIPT_BODY_FILL;
    frame->fill_size = reader_number(reader, READER_MAX_BODY_SIZE, "a size of 32 MiB at most");
    if (reader_take(reader, ":"))
        frame->fill_seed = reader_number(reader, UINT64_MAX, "a seed");
}

static void read_payload(struct reader *reader, struct script_frame *frame)
{
    frame->body = SCRIPT_BODY_BYTES;
    frame->bytes = reader_bytes(reader);
}

struct body_row {
    const char *word;
    void (*read)(struct reader *reader, struct script_frame *frame);
};

static const struct body_row bodies[] = {
    {"payload", read_payload},
    {"records", reader_records},
    {"fill", read_fill},
};

static const char size_word[] = "size";

/* What the word names in this frame. False if it names nothing. */
static bool find_subject(const struct reader *reader, const struct script_frame *frame,
                         struct lwp_bytes word, struct script_field *field)
{
    static const char json[] = "json.";
    const size_t prefix = sizeof(json) - 1;
    if (frame->command) {
        field->subject = SCRIPT_PAYLOAD;
        field->field = lwp_command_field(frame->command, word);
        if (field->field)
            return true;
    }
    if (reader->in_pattern && word.size > prefix && memcmp(word.data, json, prefix) == 0) {
        field->subject = SCRIPT_JSON;
        field->path = lwp_bytes_from(word, prefix);
        return word.size < LWP_JSON_MAX_PATH;
    }
    if (reader->in_pattern && lwp_bytes_equal(word, lwp_bytes_text("code"))) {
        field->subject = SCRIPT_CODE;
        return true;
    }
    field->subject = SCRIPT_HEADER;
    for (int i = 0; i < LWP_HEADER_FIELD_COUNT; i++)
        if (lwp_bytes_equal(word, lwp_bytes_text(lwp_header_fields[i].name))) {
            field->header = (enum lwp_header_index)i;
            return true;
        }
    return false;
}

/* What ends a frame's fields: the words that follow one in statements. No field is named so. */
static const char *const behind_frames[] = {"within", "nth", "every", "skip", "times",
                                            "after",  "p",   "as",    "in",   "optional"};

enum { BEHIND_COUNT = sizeof(behind_frames) / sizeof(behind_frames[0]) };

static bool is_behind_frame(const struct reader *reader)
{
    for (size_t i = 0; i < BEHIND_COUNT; i++)
        if (reader_is(reader, behind_frames[i]))
            return true;
    return false;
}

static void offer_fields(struct hint *hint, const struct script_frame *frame)
{
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        hint_offer(hint, bodies[i].word);
    hint_offer(hint, size_word);
    for (int i = 0; i < LWP_HEADER_FIELD_COUNT; i++)
        hint_offer(hint, lwp_header_fields[i].name);
    for (const struct lwp_field *field = frame->command ? frame->command->fields : NULL;
         field && field->type != LWP_FIELD_NONE; field++)
        hint_offer(hint, field->name);
}

static void unknown_field(struct reader *reader, const struct script_frame *frame,
                          const struct token *word)
{
    struct hint hint = reader_hint(reader, word);
    const bool has_value = reader->token->kind == TOKEN_SIGN && !reader_is(reader, "->");
    const bool may_end = reader->in_pattern && !has_value;
    for (size_t i = 0; may_end && i < BEHIND_COUNT; i++)
        hint_offer(&hint, behind_frames[i]);
    offer_fields(&hint, frame);
    reader_unknown(reader, word,
                   may_end ? "a field of this frame, or a word that may follow a frame"
                           : "a field of this frame, payload, records or fill",
                   &hint);
}

static void read_code(struct reader *reader, struct script_field *field)
{
    const struct token *token = reader_next(reader);
    const bool is_code = token->kind == TOKEN_NUMBER && token->number <= UINT8_MAX;
    const int code = is_code ? (int)token->number : lwp_error_named(token->text);
    if (code < 0)
        reader_error(reader, token, "an error's word, for example topic-not-found");
    field->value = (struct script_value){.kind = SCRIPT_NUMBER, .number = (uint64_t)code};
}

static bool is_checksum(const struct script_field *field)
{
    return field->subject == SCRIPT_HEADER &&
           (field->header == LWP_HEADER_header_crc || field->header == LWP_HEADER_payload_crc);
}

/* Values that only some fields can have: what is expected in their place, or NULL. */
static const char *misplaced(const struct script_field *field)
{
    const enum script_value_kind kind = field->value.kind;
    if (kind == SCRIPT_NONE)
        return "json.PATH with this value";
    if (kind == SCRIPT_OTHER_POLYNOMIAL && !is_checksum(field))
        return "header_crc or payload_crc with this value";
    if (kind == SCRIPT_WRONG && field->subject != SCRIPT_HEADER)
        return "a header field with this value";
    return NULL;
}

/* Bytes are equal or not; only numbers have an order. */
static void check_order(struct reader *reader, const struct script_field *field, bool is_bytes,
                        const struct token *at)
{
    const bool is_order = field->relation != SCRIPT_EQUAL && field->relation != SCRIPT_NOT_EQUAL;
    if (is_order && (is_bytes || field->upper.kind == SCRIPT_BYTES))
        reader_error(reader, at, "numbers, or = or != before this");
}

/* Integers take numbers, texts take bytes; both take variables. */
static void check_type(struct reader *reader, const struct script_field *field,
                       const struct token *at)
{
    const enum script_value_kind kind = field->value.kind;
    const bool is_bytes = kind == SCRIPT_BYTES || kind == SCRIPT_JOINED;
    const bool wants_bytes =
        field->subject == SCRIPT_PAYLOAD && !lwp_field_is_integer(field->field);
    check_order(reader, field, is_bytes || wants_bytes, at);
    if (field->subject == SCRIPT_JSON || kind == SCRIPT_VARIABLE)
        return;
    if (wants_bytes != is_bytes)
        reader_error(reader, at, wants_bytes ? "a string or hex(…)" : "a number");
    else if (misplaced(field))
        reader_error(reader, at, misplaced(field));
}

void reader_field(struct reader *reader, struct script_frame *frame, const struct token *word)
{
    struct script_field field = {.place = word->place};
    if (!find_subject(reader, frame, reader_text(reader, word), &field)) {
        unknown_field(reader, frame, word);
        return;
    }
    field.relation = reader_relation(reader);
    const struct token *at = reader->token;
    if (reader->failed)
        return;
    if (field.subject == SCRIPT_CODE) {
        read_code(reader, &field);
    } else if (field.relation == SCRIPT_WITHIN) {
        reader_insist(reader, "[");
        field.value = reader_value(reader);
        reader_insist(reader, ",");
        field.upper = reader_value(reader);
        reader_insist(reader, "]");
    } else {
        field.value = reader_value(reader);
    }
    check_type(reader, &field, at);
    struct script_field *added = SCRIPT_ADD(&reader->script->arena, &frame->fields);
    if (added)
        *added = field;
}

/* What is wrong with this body for this frame, or NULL. */
static const char *misplaced_body(const struct reader *reader, const struct script_frame *frame,
                                  const struct body_row *row)
{
    const bool has_data = !frame->command || frame->command->code == LWP_COMMAND_FETCH_RESPONSE;
    if (frame->body != SCRIPT_BODY_NONE)
        return "one of payload, records and fill only";
    if (row->read == reader_records && !has_data)
        return "a frame that holds records";
    if (row->read == read_fill && reader->in_pattern)
        return "payload or records: fill is only sent";
    return NULL;
}

static void read_body(struct reader *reader, struct script_frame *frame, const struct body_row *row,
                      const struct token *word)
{
    const char *problem = misplaced_body(reader, frame, row);
    if (problem)
        reader_error(reader, word, problem);
    reader_insist(reader, "=");
    if (!reader->failed)
        row->read(reader, frame);
}

static void read_size(struct reader *reader, struct script_frame *frame, const struct token *word)
{
    if (reader->in_pattern || frame->is_sized)
        reader_error(reader, word, "one size of a frame that is sent");
    reader_insist(reader, "=");
    frame->is_sized = true;
    frame->cut_size = reader_number(reader, READER_MAX_BODY_SIZE, "a size of 32 MiB at most");
}

/* payload=…, records=…, fill=…, size=… or a field. */
static void read_assignment(struct reader *reader, struct script_frame *frame)
{
    const struct token *word = reader_next(reader);
    if (lwp_bytes_equal(word->text, lwp_bytes_text(size_word))) {
        read_size(reader, frame, word);
        return;
    }
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        if (lwp_bytes_equal(word->text, lwp_bytes_text(bodies[i].word))) {
            read_body(reader, frame, &bodies[i], word);
            return;
        }
    reader_field(reader, frame, word);
}

static bool find_kind(struct lwp_bytes word, struct script_frame *frame)
{
    frame->command = lwp_command_named(word);
    frame->kind = frame->command ? LWP_KIND_CONTROL : LWP_KIND_UNKNOWN;
    if (frame->command || lwp_bytes_equal(word, lwp_bytes_text("frame")))
        return true;
    for (enum lwp_kind kind = LWP_KIND_INGEST; kind < LWP_KIND_CONTROL; kind++)
        if (lwp_bytes_equal(word, lwp_bytes_text(lwp_kind_word(kind)))) {
            frame->kind = kind;
            return true;
        }
    return false;
}

void reader_assignments(struct reader *reader, struct script_frame *frame)
{
    while (!reader->failed && reader->token->kind == TOKEN_WORD && !is_behind_frame(reader))
        read_assignment(reader, frame);
}

static void unknown_kind(struct reader *reader, const struct token *word)
{
    struct hint hint = reader_hint(reader, word);
    for (enum lwp_kind kind = LWP_KIND_INGEST; kind < LWP_KIND_CONTROL; kind++)
        hint_offer(&hint, lwp_kind_word(kind));
    for (size_t i = 0; lwp_command_at(i); i++)
        hint_offer(&hint, lwp_command_at(i)->word);
    reader_unknown(reader, word, "keepalive, ack, backpressure, ingest, frame or a command", &hint);
}

void reader_frame(struct reader *reader, struct script_frame *frame)
{
    const struct token *word = reader_next(reader);
    frame->place = word->place;
    if (word->kind != TOKEN_WORD || !find_kind(word->text, frame)) {
        unknown_kind(reader, word);
        return;
    }
    reader_assignments(reader, frame);
}
