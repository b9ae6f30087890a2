/* SPDX-License-Identifier: MIT */
/* The half of the parser that reads frames: kinds, fields, values, records. */
#include "lwp/json/json.h"
#include "lwp/wire/errors.h"
#include "mock_server/script/reader.h"

enum { MAX_REPEAT = 65536 /* Of a string. */, MAX_VARIABLES = 256 };

/* What stands between the parentheses of hex(…). Its digits are lexed as words and numbers; only
 * their characters count here. */
static bool is_hex_token(const struct token *token)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    for (size_t i = 0; i < token->text.size; i++)
        if (!memchr(digits, token->text.data[i], sizeof(digits) - 1))
            return false;
    return token->text.size > 0 && token->kind != TOKEN_FILE_END;
}

static uint8_t hex_value(uint8_t digit)
{
    return (uint8_t)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
}

static struct lwp_bytes read_hex(struct reader *reader)
{
    const struct token *first = reader->token;
    size_t digits = 0;
    while (is_hex_token(reader->token))
        digits += reader_next(reader)->text.size;
    const struct token *end = reader->token;
    uint8_t *bytes = script_arena_take(&reader->script->arena, digits / 2 + 1);
    size_t at = 0;
    for (const struct token *token = first; bytes && token < end; token++)
        for (size_t i = 0; i < token->text.size; i++, at++)
            bytes[at / 2] = (uint8_t)(bytes[at / 2] << 4 | hex_value(token->text.data[i]));
    if (!reader_is(reader, ")"))
        reader_error(reader, end, "pairs of hexadecimal digits and )");
    else if (digits % 2)
        reader_error(reader, first, "an even number of hexadecimal digits");
    reader_insist(reader, ")");
    return (struct lwp_bytes){bytes, digits / 2};
}

/* "text" or hex(…) */
struct lwp_bytes reader_bytes(struct reader *reader)
{
    if (reader_take(reader, "hex")) {
        reader_insist(reader, "(");
        return reader->failed ? (struct lwp_bytes){NULL, 0} : read_hex(reader);
    }
    const struct token *token = reader_next(reader);
    if (token->kind != TOKEN_STRING)
        reader_error(reader, token, "a string or hex(…)");
    return token->bytes;
}

uint64_t reader_number(struct reader *reader, uint64_t most, const char *expected)
{
    const struct token *token = reader_next(reader);
    if (token->kind != TOKEN_NUMBER || token->number > most)
        reader_error(reader, token, expected);
    return token->number;
}

static struct script_value read_variable(struct reader *reader, const struct token *token)
{
    const struct lwp_bytes name = lwp_bytes_from(reader_text(reader, token), 1);
    if (name.size && reader_is_bound(reader, name))
        return (struct script_value){.kind = SCRIPT_VARIABLE, .bytes = name};
    if (!reader->in_pattern || name.size == 0)
        reader_error(reader, token, "a variable that has been bound before");
    if (reader->variables.count == MAX_VARIABLES)
        reader_error(reader, token, "at most 256 variables");
    if (reader->failed)
        return (struct script_value){.kind = SCRIPT_ZERO};
    reader_bind(reader, name);
    reader->bound_now = true;
    return (struct script_value){.kind = SCRIPT_VARIABLE, .bytes = name};
}

struct value_word {
    const char *word;
    enum script_value_kind kind;
    bool in_patterns;
};

static const struct value_word value_words[] = {
    {"max", SCRIPT_MAX, true},      {"zero", SCRIPT_ZERO, true},
    {"wrong", SCRIPT_WRONG, false}, {"other-polynomial", SCRIPT_OTHER_POLYNOMIAL, false},
    {"none", SCRIPT_NONE, true},
};

static struct script_value read_word(struct reader *reader, const struct token *token)
{
    for (size_t i = 0; i < sizeof(value_words) / sizeof(value_words[0]); i++)
        if (lwp_bytes_equal(token->text, lwp_bytes_text(value_words[i].word)) &&
            (value_words[i].in_patterns || !reader->in_pattern))
            return (struct script_value){.kind = value_words[i].kind};
    reader_error(reader, token, reader->in_pattern ? "a value" : "a value that can be sent");
    return (struct script_value){.kind = SCRIPT_ZERO};
}

/* "text"*COUNT */
static struct lwp_bytes read_repeated(struct reader *reader)
{
    const struct lwp_bytes once = reader_bytes(reader);
    if (reader->failed || !reader_take(reader, "*"))
        return once;
    const size_t times = (size_t)reader_number(reader, MAX_REPEAT, "how many times, at most 65536");
    uint8_t *all = script_arena_take(&reader->script->arena, once.size * times + 1);
    for (size_t i = 0; all && !reader->failed && i < times; i++)
        memcpy(all + i * once.size, once.data, once.size);
    return (struct lwp_bytes){all, all ? once.size * times : 0};
}

static bool is_at_bytes(const struct reader *reader)
{
    return reader->token->kind == TOKEN_STRING || reader_is(reader, "hex");
}

/* The first part is in `*value`; the others follow, each behind a +. */
static void read_parts_behind(struct reader *reader, struct script_value *value)
{
    struct script_part part = {value->kind == SCRIPT_VARIABLE, value->bytes};
    for (;;) {
        struct script_part *added = SCRIPT_ADD(&reader->script->arena, &value->parts);
        if (added)
            *added = part;
        if (reader->failed || !reader_take(reader, "+"))
            break;
        part.is_variable = !is_at_bytes(reader);
        if (!part.is_variable) {
            part.bytes = read_repeated(reader);
            continue;
        }
        const struct token *token = reader_next(reader);
        part.bytes = lwp_bytes_from(reader_text(reader, token), 1);
        if (token->kind != TOKEN_WORD || !reader_is_bound(reader, part.bytes))
            reader_error(reader, token, "a string, or a variable that has been bound before");
    }
    value->kind = SCRIPT_JOINED;
}

static struct script_value read_one(struct reader *reader);

struct script_value reader_value(struct reader *reader)
{
    const struct token *first = reader->token;
    struct script_value value = read_one(reader);
    const bool can_join = value.kind == SCRIPT_BYTES || value.kind == SCRIPT_VARIABLE;
    if (reader->failed || !can_join || !reader_is(reader, "+"))
        return value;
    if (value.kind == SCRIPT_VARIABLE && reader->bound_now)
        reader_error(reader, first, "a variable that has been bound before");
    read_parts_behind(reader, &value);
    return value;
}

static struct script_value read_one(struct reader *reader)
{
    const struct token *token = reader->token;
    reader->bound_now = false;
    if (is_at_bytes(reader))
        return (struct script_value){.kind = SCRIPT_BYTES, .bytes = read_repeated(reader)};
    (void)reader_next(reader);
    if (token->kind == TOKEN_NUMBER)
        return (struct script_value){.kind = SCRIPT_NUMBER, .number = token->number};
    if (token->kind == TOKEN_WORD && token->text.data[0] == '$')
        return read_variable(reader, token);
    if (token->kind == TOKEN_WORD)
        return read_word(reader, token);
    reader_error(reader, token, "a number, a string, hex(…), $name, max, zero or wrong");
    return (struct script_value){.kind = SCRIPT_ZERO};
}

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

struct relation_row {
    const char *sign;
    enum script_relation relation;
};

static const struct relation_row relations[] = {
    {"=", SCRIPT_EQUAL}, {"!=", SCRIPT_NOT_EQUAL}, {"<", SCRIPT_LESS},    {"<=", SCRIPT_AT_MOST},
    {">", SCRIPT_MORE},  {">=", SCRIPT_AT_LEAST},  {"in", SCRIPT_WITHIN},
};

enum script_relation reader_relation(struct reader *reader)
{
    if (!reader->in_pattern) {
        reader_insist(reader, "=");
        return SCRIPT_EQUAL;
    }
    for (size_t i = 0; i < sizeof(relations) / sizeof(relations[0]); i++)
        if (reader_take(reader, relations[i].sign))
            return relations[i].relation;
    reader_error(reader, reader->token, "= != < <= > >= or in [a,b]");
    return SCRIPT_EQUAL;
}

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

static void unknown_field(struct reader *reader, const struct script_frame *frame,
                          const struct token *word)
{
    struct hint hint = reader_hint(reader, word);
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        hint_offer(&hint, bodies[i].word);
    for (int i = 0; i < LWP_HEADER_FIELD_COUNT; i++)
        hint_offer(&hint, lwp_header_fields[i].name);
    for (const struct lwp_field *field = frame->command ? frame->command->fields : NULL;
         field && field->type != LWP_FIELD_NONE; field++)
        hint_offer(&hint, field->name);
    reader_unknown(reader, word, "a field of this frame, payload, records or fill", &hint);
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

/* payload=…, records=…, fill=… or a field. */
static void read_assignment(struct reader *reader, struct script_frame *frame)
{
    const struct token *word = reader_next(reader);
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

/* What ends a frame's fields: the words that follow one in statements. No field is named so. */
static bool is_behind_frame(const struct reader *reader)
{
    static const char *const words[] = {"within", "nth", "every", "skip", "times",
                                        "after",  "p",   "as",    "in",   "optional"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (reader_is(reader, words[i]))
            return true;
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
