/* SPDX-License-Identifier: MIT */
/* The half of the parser that reads statements: one row and one function a statement. */
#include <stdlib.h>

#include "lwp/wire/dialect.h"
#include "lwp/wire/tlv.h"
#include "mock_server/script/reader.h"

bool reader_is(const struct reader *reader, const char *text)
{
    const struct token *token = reader->token;
    return (token->kind == TOKEN_WORD || token->kind == TOKEN_SIGN) &&
           lwp_bytes_equal(token->text, lwp_bytes_text(text));
}

const struct token *reader_next(struct reader *reader)
{
    const struct token *token = reader->token;
    if (token->kind != TOKEN_FILE_END && token->kind != TOKEN_LINE_END)
        reader->token++;
    return token;
}

bool reader_take(struct reader *reader, const char *text)
{
    if (!reader_is(reader, text))
        return false;
    (void)reader_next(reader);
    return true;
}

struct lwp_bytes reader_text(struct reader *reader, const struct token *token)
{
    return script_arena_copy(&reader->script->arena, token->text);
}

void reader_error(struct reader *reader, const struct token *found, const char *expected)
{
    if (reader->failed)
        return;
    reader->failed = true;
    struct script_error *error = SCRIPT_ADD(&reader->script->arena, &reader->script->errors);
    if (!error)
        return;
    error->place = found->place;
    error->expected = expected;
    error->found = found->kind == TOKEN_LINE_END || found->kind == TOKEN_FILE_END
                       ? lwp_bytes_text("the end of the line")
                       : reader_text(reader, found);
}

void reader_insist(struct reader *reader, const char *sign)
{
    if (!reader->failed && !reader_take(reader, sign))
        reader_error(reader, reader->token, sign);
}

bool reader_is_bound(const struct reader *reader, struct lwp_bytes name)
{
    for (size_t i = 0; i < reader->variables.count; i++)
        if (lwp_bytes_equal(name, reader->variables.items[i]))
            return true;
    return false;
}

void reader_bind(struct reader *reader, struct lwp_bytes name)
{
    struct lwp_bytes *added = SCRIPT_ADD(&reader->script->arena, &reader->variables);
    if (added)
        *added = name;
}

static void insist_on_line_end(struct reader *reader)
{
    const struct token *token = reader->token;
    if (token->kind != TOKEN_LINE_END && token->kind != TOKEN_FILE_END)
        reader_error(reader, token, "the end of the line");
}

static struct script_step *add_step(struct reader *reader, enum script_step_kind kind,
                                    const struct token *at)
{
    struct script_step *step = SCRIPT_ADD(&reader->script->arena, &reader->in_case->steps);
    if (step) {
        step->kind = kind;
        step->place = at->place;
    }
    return step;
}

/* case ID LEVEL ROLE */
static const char *const level_words[] = {"must", "should", "may"};

const char *script_level_word(enum script_level level)
{
    return level_words[level];
}

/* LWP-<section>/<slug> */
static bool is_id(struct lwp_bytes word)
{
    const uint8_t *slash = memchr(word.data, '/', word.size);
    return word.size > 5 && memcmp(word.data, "LWP-", 4) == 0 && slash &&
           (size_t)(slash - word.data) + 1 < word.size && word.data[4] >= '0' &&
           word.data[4] <= '9';
}

static void read_case(struct reader *reader, const struct token *at)
{
    struct script_case *made = SCRIPT_ADD(&reader->script->arena, &reader->script->cases);
    const struct token *id = reader_next(reader);
    if (!made)
        return;
    reader->in_case = made;
    reader->variables.count = 0;
    reader->connections = 1;
    made->place = at->place;
    made->id = reader_text(reader, id);
    if (id->kind != TOKEN_WORD || !is_id(id->text))
        reader_error(reader, id, "an id, for example LWP-5.9/fetch-from-an-offset");
    for (size_t i = 0; i + 1 < reader->script->cases.count; i++)
        if (lwp_bytes_equal(made->id, reader->script->cases.items[i].id))
            reader_error(reader, id, "an id that no other case has");
    const struct token *level = reader_next(reader);
    for (int i = 0; i < 3; i++) {
        if (lwp_bytes_equal(level->text, lwp_bytes_text(level_words[i]))) {
            made->level = (enum script_level)i;
            reader_insist(reader, "server");
            return;
        }
    }
    reader_error(reader, level, "must, should or may");
}

static void read_text(struct reader *reader, const struct token *at)
{
    const struct token *text = reader_next(reader);
    struct lwp_bytes *added = SCRIPT_ADD(&reader->script->arena, &reader->in_case->texts);
    (void)at;
    if (text->kind != TOKEN_STRING)
        reader_error(reader, text, "a string");
    else if (added)
        *added = script_arena_copy(&reader->script->arena, text->bytes);
}

/* A list of words, in a list of the case. Requirements begin with their section's number. */
static void read_words(struct reader *reader, struct lwp_bytes **items, size_t *count)
{
    do {
        const struct token *word = reader_next(reader);
        if (word->kind != TOKEN_WORD && word->kind != TOKEN_STRING)
            reader_error(reader, word, "a word, or an id in quotes");
        struct lwp_bytes *added =
            script_list_add(&reader->script->arena, items, count, sizeof(**items));
        if (added)
            *added = word->kind == TOKEN_STRING
                         ? script_arena_copy(&reader->script->arena, word->bytes)
                         : reader_text(reader, word);
    } while (!reader->failed && reader_take(reader, ","));
}

static void read_requirements(struct reader *reader, const struct token *at)
{
    (void)at;
    read_words(reader, &reader->in_case->requirements.items, &reader->in_case->requirements.count);
}

static void read_needs(struct reader *reader, const struct token *at)
{
    (void)at;
    read_words(reader, &reader->in_case->needs.items, &reader->in_case->needs.count);
    /* Who needs authentication may use the token. */
    for (size_t i = 0; i < reader->in_case->needs.count; i++)
        if (lwp_bytes_equal(reader->in_case->needs.items[i], lwp_bytes_text("auth")))
            reader_bind(reader, lwp_bytes_text("token"));
}

static struct lwp_bytes read_new_variable(struct reader *reader)
{
    const struct token *token = reader_next(reader);
    if (token->kind != TOKEN_WORD || token->text.data[0] != '$')
        reader_error(reader, token, "$name");
    const struct lwp_bytes name = lwp_bytes_from(reader_text(reader, token), 1);
    if (reader_is_bound(reader, name))
        reader_error(reader, token, "a variable that is not bound yet");
    reader_bind(reader, name);
    return name;
}

/* given topic $t [records=…] | given name $n */
static void read_given(struct reader *reader, const struct token *at)
{
    const bool is_topic = reader_take(reader, "topic");
    if (!is_topic)
        reader_insist(reader, "name");
    struct script_step *step =
        add_step(reader, is_topic ? SCRIPT_GIVEN_TOPIC : SCRIPT_GIVEN_NAME, at);
    const struct lwp_bytes name = read_new_variable(reader);
    if (!step || reader->failed)
        return;
    step->variable = name;
    if (!is_topic)
        return;
    /* $t.name as well. */
    const size_t size = name.size + sizeof(".name");
    uint8_t *of_name = script_arena_take(&reader->script->arena, size);
    if (of_name) {
        memcpy(of_name, name.data, name.size);
        memcpy(of_name + name.size, ".name", sizeof(".name"));
        reader_bind(reader, (struct lwp_bytes){of_name, size - 1});
    }
    if (!reader_is(reader, "records"))
        return;
    /* The records are those of an ingest that is sent before the case begins. */
    struct script_frame *frame = SCRIPT_ADD(&reader->script->arena, &step->frames);
    if (!frame)
        return;
    frame->kind = LWP_KIND_INGEST;
    frame->place = at->place;
    reader_assignments(reader, frame);
}

/* c1 to c16, from 0. False if the word is none of them. */
static bool connection_of(struct lwp_bytes word, unsigned *connection)
{
    if (word.size < 2 || word.size > 3 || word.data[0] != 'c')
        return false;
    const unsigned long number = strtoul((const char *)word.data + 1, NULL, 10);
    if (number < 1 || number > SCRIPT_MAX_CONNECTIONS)
        return false;
    *connection = (unsigned)number - 1;
    return true;
}

static void read_connect(struct reader *reader, const struct token *at)
{
    struct script_step *step = add_step(reader, SCRIPT_CONNECT, at);
    const struct token *word = reader_next(reader);
    unsigned connection = 0;
    const bool names_one =
        word->kind == TOKEN_WORD && connection_of(reader_text(reader, word), &connection);
    if (!step || !names_one || reader->connections & 1U << connection) {
        reader_error(reader, word, "c2 to c16, not yet connected");
        return;
    }
    reader->connections |= 1U << connection;
    step->connection = connection;
}

static unsigned dialect_bit(struct lwp_bytes word)
{
    for (unsigned i = 0; lwp_dialects[i]; i++)
        if (lwp_bytes_equal(word, lwp_bytes_text(lwp_dialects[i]->name)))
            return 1U << i;
    return 0;
}

/* [lance], [c2] or [spec,c2] behind a statement's word. */
static void read_tags(struct reader *reader, struct script_step *step)
{
    if (!reader_take(reader, "["))
        return;
    do {
        const struct token *word = reader_next(reader);
        unsigned connection = 0;
        const unsigned bit = dialect_bit(word->text);
        if (bit)
            step->dialects |= bit;
        else if (word->kind == TOKEN_WORD &&
                 connection_of(reader_text(reader, word), &connection) &&
                 reader->connections & 1U << connection)
            step->connection = connection;
        else
            reader_error(reader, word, "a dialect or a connection that is open");
    } while (!reader->failed && reader_take(reader, ","));
    reader_insist(reader, "]");
}

static void read_send(struct reader *reader, const struct token *at)
{
    struct script_step *step = add_step(reader, SCRIPT_SEND, at);
    if (!step)
        return;
    read_tags(reader, step);
    do {
        struct script_frame *frame = SCRIPT_ADD(&reader->script->arena, &step->frames);
        if (frame && !reader->failed)
            reader_frame(reader, frame);
    } while (!reader->failed && reader_take(reader, ","));
}

static void read_send_raw(struct reader *reader, const struct token *at)
{
    struct script_step *step = add_step(reader, SCRIPT_SEND_RAW, at);
    if (!step)
        return;
    read_tags(reader, step);
    if (!reader->failed)
        step->raw = reader_bytes(reader);
}

static void read_close_pattern(struct reader *reader, struct script_pattern *pattern)
{
    pattern->kind = SCRIPT_CLOSE;
    if (reader_take(reader, "fin"))
        pattern->kind = SCRIPT_CLOSE_FIN;
    else if (reader_take(reader, "rst"))
        pattern->kind = SCRIPT_CLOSE_RST;
}

static void read_pattern(struct reader *reader, struct script_step *step)
{
    struct script_pattern *pattern = SCRIPT_ADD(&reader->script->arena, &step->patterns);
    if (!pattern)
        return;
    pattern->lenient = reader_take(reader, "lenient");
    if (reader_take(reader, "close")) {
        read_close_pattern(reader, pattern);
        return;
    }
    if (reader_is(reader, "nothing")) {
        reader->owed_at = reader_next(reader)->place;
        reader->fence_owed = true;
        pattern->kind = SCRIPT_NOTHING;
        return;
    }
    pattern->exactly = reader_take(reader, "exactly");
    reader->in_pattern = true;
    reader_frame(reader, &pattern->frame);
    reader->in_pattern = false;
}

/* DURATION, or DURATION~DURATION */
static void read_range(struct reader *reader, struct script_step *step)
{
    const struct token *first = reader_next(reader);
    step->most_ns = first->number;
    if (first->kind == TOKEN_DURATION && reader_take(reader, "~")) {
        const struct token *second = reader_next(reader);
        step->least_ns = first->number;
        step->most_ns = second->number;
        if (second->kind != TOKEN_DURATION || second->number < first->number)
            reader_error(reader, second, "a duration that is not shorter");
    }
    if (first->kind != TOKEN_DURATION || first->number > 600 * UINT64_C(1000000000))
        reader_error(reader, first, "a duration of 10 minutes at most, for example 300ms");
}

/* `expect` alone behind expects with a dialect is for all other dialects. */
static void judge_else(struct reader *reader, struct script_step *step)
{
    unsigned covered = 0;
    const struct script_case *in_case = reader->in_case;
    for (size_t i = in_case->steps.count - 1; i > 0; i--) {
        const struct script_step *before = &in_case->steps.items[i - 1];
        if (before->kind != SCRIPT_EXPECT || !before->dialects ||
            before->connection != step->connection)
            break;
        covered |= before->dialects;
    }
    step->is_else = !step->dialects && covered;
    step->covered = covered;
}

static void read_expect(struct reader *reader, const struct token *at)
{
    struct script_step *step = add_step(reader, SCRIPT_EXPECT, at);
    if (!step)
        return;
    read_tags(reader, step);
    do
        read_pattern(reader, step);
    while (!reader->failed && reader_take(reader, "|"));
    if (!reader->failed && reader_take(reader, "within"))
        read_range(reader, step);
    judge_else(reader, step);
}

static void read_any_order(struct reader *reader, const struct token *at)
{
    struct script_step *step = add_step(reader, SCRIPT_ANY_ORDER, at);
    if (!step)
        return;
    read_tags(reader, step);
    reader_insist(reader, "{");
    do
        read_pattern(reader, step);
    while (!reader->failed && reader_take(reader, ";"));
    reader_insist(reader, "}");
    for (size_t i = 0; i < step->patterns.count; i++)
        if (step->patterns.items[i].kind != SCRIPT_FRAME)
            reader_error(reader, at, "frames only in any-order");
}

/* fence keepalive | list | ack topic=$t: a frame, and its answer. */
static void read_fence(struct reader *reader, const struct token *at)
{
    struct script_step *step = add_step(reader, SCRIPT_FENCE, at);
    if (!step)
        return;
    read_tags(reader, step);
    struct script_frame *frame = SCRIPT_ADD(&reader->script->arena, &step->frames);
    if (!frame || reader->failed)
        return;
    frame->place = reader->token->place;
    if (reader_take(reader, "keepalive")) {
        frame->kind = LWP_KIND_KEEPALIVE;
    } else if (reader_take(reader, "list")) {
        frame->kind = LWP_KIND_CONTROL;
        frame->command = lwp_command_of(LWP_COMMAND_LIST_TOPICS);
    } else if (reader_take(reader, "ack")) {
        static const uint8_t record[] = {LWP_TLV_RAW, 5, 0, 0, 0, 'f', 'e', 'n', 'c', 'e'};
        frame->kind = LWP_KIND_INGEST;
        frame->body = SCRIPT_BODY_RECORDS;
        frame->bytes = (struct lwp_bytes){record, sizeof(record)};
        frame->record_count = 1;
        reader_assignments(reader, frame);
    } else {
        reader_error(reader, reader->token, "keepalive, list, or ack topic_id=$t");
    }
    reader->fence_owed = false;
}

static void read_silent(struct reader *reader, const struct token *at)
{
    struct script_step *step = add_step(reader, SCRIPT_SILENT, at);
    if (!step)
        return;
    read_tags(reader, step);
    read_range(reader, step);
}

static void read_close(struct reader *reader, const struct token *at)
{
    struct script_step *step = add_step(reader, SCRIPT_END_CONNECTION, at);
    if (!step)
        return;
    read_tags(reader, step);
    if (reader_take(reader, "rst"))
        step->end = SCRIPT_END_RST;
    else if (reader_take(reader, "half"))
        step->end = SCRIPT_END_HALF;
    else
        (void)reader_take(reader, "fin");
    if (step->end != SCRIPT_END_HALF)
        reader->connections &= ~(1U << step->connection);
}

struct statement {
    const char *word;
    void (*read)(struct reader *reader, const struct token *at);
    bool outside; /* Stands outside of a case. */
};

static const struct statement statements[] = {
    {"case", read_case, true},         {"text", read_text, false},
    {"req", read_requirements, false}, {"needs", read_needs, false},
    {"given", read_given, false},      {"connect", read_connect, false},
    {"send", read_send, false},        {"send-raw", read_send_raw, false},
    {"expect", read_expect, false},    {"any-order", read_any_order, false},
    {"fence", read_fence, false},      {"silent", read_silent, false},
    {"close", read_close, false},
};

/* `nothing` is found out by the fence behind it. */
static void check_fence(struct reader *reader, const struct token *at)
{
    if (!reader->fence_owed || reader_is(reader, "fence") || reader_is(reader, "expect"))
        return;
    struct token owed = *at;
    owed.place = reader->owed_at;
    reader->fence_owed = false;
    reader_error(reader, &owed, "a fence as the next step after an expect with nothing");
}

static void read_statement(struct reader *reader)
{
    const struct token *word = reader->token;
    const struct statement *found = NULL;
    reader->failed = false;
    reader->in_pattern = false;
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
        if (reader_is(reader, statements[i].word))
            found = &statements[i];
    check_fence(reader, word);
    if (!found || word->kind != TOKEN_WORD)
        reader_error(reader, word,
                     "a statement: case, text, req, needs, given, connect, send, "
                     "send-raw, expect, any-order, fence, silent or close");
    else if (!found->outside && !reader->in_case)
        reader_error(reader, word, "case before this");
    if (reader->failed)
        return;
    (void)reader_next(reader);
    found->read(reader, word);
    insist_on_line_end(reader);
}

/* One line, whatever is on it. */
static void read_line(struct reader *reader)
{
    if (reader->token->kind != TOKEN_LINE_END)
        read_statement(reader);
    while (reader->token->kind != TOKEN_LINE_END && reader->token->kind != TOKEN_FILE_END)
        reader->token++;
    if (reader->token->kind == TOKEN_LINE_END)
        reader->token++;
}

/* What every case must have. */
static void check_case(struct reader *reader, const struct script_case *made)
{
    const struct token at = {.kind = TOKEN_WORD, .text = made->id, .place = made->place};
    bool judges = false;
    for (size_t i = 0; i < made->steps.count; i++)
        judges = judges || (made->steps.items[i].kind >= SCRIPT_EXPECT &&
                            made->steps.items[i].kind <= SCRIPT_SILENT);
    reader->failed = false;
    if (made->texts.count == 0)
        reader_error(reader, &at, "a text that says what is required");
    else if (made->requirements.count == 0)
        reader_error(reader, &at, "a req that names rows of the requirement table");
    else if (!judges)
        reader_error(reader, &at, "an expect, any-order, fence or silent: a case that can fail");
}

enum lwp_status script_read(struct script *script, const char *file, struct lwp_bytes text)
{
    if (text.size > SCRIPT_MAX_FILE_SIZE)
        return LWP_PAYLOAD_TOO_LARGE;
    token_list tokens = {NULL, 0};
    const size_t cases_before = script->cases.count;
    const size_t errors_before = script->errors.count;
    if (!script_tokens(&script->arena, file, text, &tokens))
        return LWP_NO_MEMORY;
    struct reader reader = {.script = script, .token = tokens.items};
    while (reader.token->kind != TOKEN_FILE_END)
        read_line(&reader);
    check_fence(&reader, reader.token);
    for (size_t i = cases_before; i < script->cases.count; i++)
        check_case(&reader, &script->cases.items[i]);
    if (script->arena.failed)
        return LWP_NO_MEMORY;
    if (script->errors.count == errors_before)
        return LWP_OK;
    script->cases.count = cases_before;
    return LWP_INVALID_PAYLOAD;
}

void script_done(struct script *script)
{
    script_arena_done(&script->arena);
    *script = (struct script){.arena = {NULL, 0, false}};
}
