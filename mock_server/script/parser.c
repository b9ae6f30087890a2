/* SPDX-License-Identifier: MIT */
/* The half of the parser that reads statements: one row and one function a statement. */
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

/* It is printed in every report. */
static bool is_printable(struct lwp_bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < 0x20 || text.data[i] == 0x7f)
            return false;
    return lwp_utf8_valid(text);
}

static void read_text(struct reader *reader, const struct token *at)
{
    const struct token *text = reader_next(reader);
    struct lwp_bytes *added = SCRIPT_ADD(&reader->script->arena, &reader->in_case->texts);
    (void)at;
    if (text->kind != TOKEN_STRING || !is_printable(text->bytes))
        reader_error(reader, text, "a string of printable UTF-8");
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

struct statement {
    const char *word;
    void (*read)(struct reader *reader, const struct token *at);
    bool outside; /* Stands outside of a case. */
};

static const struct statement statements[] = {
    {"case", read_case, true},         {"text", read_text, false},
    {"req", read_requirements, false}, {"needs", read_needs, false},
    {"given", reader_given, false},    {"connect", reader_connect, false},
    {"send", reader_send, false},      {"send-raw", reader_send_raw, false},
    {"expect", reader_expect, false},  {"any-order", reader_any_order, false},
    {"fence", reader_fence, false},    {"silent", reader_silent, false},
    {"close", reader_close, false},
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
    return script->errors.count == errors_before ? LWP_OK : LWP_INVALID_PAYLOAD;
}

void script_done(struct script *script)
{
    script_arena_done(&script->arena);
    *script = (struct script){.arena = {NULL, 0, false}};
}
