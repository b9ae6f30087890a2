/* SPDX-License-Identifier: MIT */
/* The half of the parser that reads statements: one row and one function a statement. */
#include "mock_server/script/reader.h"

static void insist_on_line_end(struct reader *reader)
{
    const struct token *token = reader->token;
    if (token->kind != TOKEN_LINE_END && token->kind != TOKEN_FILE_END && !reader_is(reader, ";"))
        reader_error(reader, token, "the end of the line or ;");
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

static void read_role(struct reader *reader, struct script_case *made)
{
    made->role = reader_take(reader, "client") ? SCRIPT_CLIENT : SCRIPT_SERVER;
    if (made->role == SCRIPT_SERVER && !reader_take(reader, "server"))
        reader_error(reader, reader->token, "server or client");
    reader->play = made->role == SCRIPT_CLIENT ? &made->play : NULL;
}

static void read_case(struct reader *reader, const struct token *at)
{
    struct script_case *made = SCRIPT_ADD(&reader->script->arena, &reader->script->cases);
    const struct token *id = reader_next(reader);
    reader->in_scenario = NULL;
    reader->in_case = made;
    if (!made)
        return;
    made->place = at->place;
    made->id = reader_text(reader, id);
    if (id->kind != TOKEN_WORD || !is_id(id->text))
        reader_error(reader, id, "an id, for example LWP-5.9/fetch-from-an-offset");
    if (reader->script->cases.count > READER_MAX_CASES)
        reader_error(reader, id, "at most 8192 cases");
    for (size_t i = 0; !reader->failed && i + 1 < reader->script->cases.count; i++)
        if (lwp_bytes_equal(made->id, reader->script->cases.items[i].id))
            reader_error(reader, id, "an id that no other case has");
    const struct token *level = reader_next(reader);
    for (int i = 0; i < 3; i++) {
        if (lwp_bytes_equal(level->text, lwp_bytes_text(level_words[i]))) {
            made->level = (enum script_level)i;
            read_role(reader, made);
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
    if (reader->in_scenario) {
        read_words(reader, &reader->in_scenario->needs.items, &reader->in_scenario->needs.count);
        return;
    }
    read_words(reader, &reader->in_case->needs.items, &reader->in_case->needs.count);
    /* Who needs authentication may use the token. */
    for (size_t i = 0; i < reader->in_case->needs.count; i++)
        if (lwp_bytes_equal(reader->in_case->needs.items[i], lwp_bytes_text("auth")))
            reader_bind(reader, lwp_bytes_text("token"));
}

/* source golden ID, … | source server "SECTION", … */
static void read_source(struct reader *reader, const struct token *at)
{
    struct script_case *made = reader->in_case;
    (void)at;
    if (reader_take(reader, "golden"))
        read_words(reader, &made->recorded.items, &made->recorded.count);
    else if (reader_take(reader, "server"))
        read_words(reader, &made->sections.items, &made->sections.count);
    else
        reader_error(reader, reader->token,
                     "golden with recorded exchanges, or server with sections");
}

/* Where a statement may stand. */
enum {
    IN_NOTHING =
        1, /* Before the first case or scenario: there it begins a scenario without an id. */
    IN_SCENARIO = 2,
    IN_SERVER_CASE = 4,
    IN_CLIENT_CASE = 8,
    IN_CASE = IN_SERVER_CASE | IN_CLIENT_CASE,
    IN_STAGE = IN_NOTHING | IN_SCENARIO,
    IN_PLAY = IN_STAGE | IN_CLIENT_CASE,
    ANYWHERE = IN_PLAY | IN_SERVER_CASE
};

/* expect: what comes next on a connection of ours, or what the mock has seen. */
static void read_expect(struct reader *reader, const struct token *at)
{
    if (reader->play)
        reader_expect_seen(reader, at);
    else
        reader_expect(reader, at);
}

struct statement {
    const char *word;
    void (*read)(struct reader *reader, const struct token *at);
    unsigned where;
};

static const struct statement statements[] = {
    {"case", read_case, ANYWHERE},
    {"scenario", reader_scenario, ANYWHERE},
    {"text", read_text, IN_CASE},
    {"req", read_requirements, IN_CASE},
    {"source", read_source, IN_SERVER_CASE},
    {"needs", read_needs, ANYWHERE},
    {"given", reader_given, IN_CASE},
    {"connect", reader_connect, IN_SERVER_CASE},
    {"send", reader_send, IN_SERVER_CASE},
    {"send-raw", reader_send_raw, IN_SERVER_CASE},
    {"expect", read_expect, ANYWHERE},
    {"any-order", reader_any_order, IN_SERVER_CASE},
    {"fence", reader_fence, IN_SERVER_CASE},
    {"silent", reader_silent, IN_SERVER_CASE},
    {"close", reader_close, IN_SERVER_CASE},
    {"run", reader_run, IN_CLIENT_CASE},
    {"seed", reader_seed, IN_STAGE},
    {"dialect", reader_dialect, IN_STAGE},
    {"node", reader_node, IN_STAGE},
    {"topic", reader_topic, IN_STAGE},
    {"state", reader_state, IN_PLAY},
    {"on", reader_on, IN_PLAY},
    {"at", reader_at, IN_PLAY},
    {"never", reader_never, IN_PLAY},
    {"rate", reader_rate, IN_PLAY},
};

enum { STATEMENT_COUNT = sizeof(statements) / sizeof(statements[0]) };

static unsigned place_of(const struct reader *reader)
{
    if (reader->in_scenario)
        return IN_SCENARIO;
    if (!reader->in_case)
        return IN_NOTHING;
    return reader->in_case->role == SCRIPT_CLIENT ? IN_CLIENT_CASE : IN_SERVER_CASE;
}

/* What stands where the statement may not, or NULL. */
static const char *misplaced(const struct reader *reader, const struct statement *statement)
{
    const unsigned place = place_of(reader);
    if (statement->where & place)
        return NULL;
    if (place == IN_NOTHING)
        return "case before this";
    if (statement->where == IN_SERVER_CASE)
        return "a case for servers around this: it is the other side that sends here";
    if (statement->where == IN_CLIENT_CASE)
        return "a case for clients around this";
    if (statement->where == IN_CASE)
        return "a case around this";
    return statement->where == IN_PLAY ? "a scenario or a case for clients around this"
                                       : "a scenario around this";
}

/* The end of a case or scenario, and the begin of the next. */
static void end_block(struct reader *reader)
{
    reader_check_block(reader);
    reader->in_case = NULL;
    reader->in_scenario = NULL;
    reader->play = NULL;
    reader->state = (struct lwp_bytes){NULL, 0};
    reader->references.count = 0;
    reader->barriers.count = 0;
    reader->has_hold = false;
    reader->variables.count = 0;
    reader->connections = 1;
}

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

static const struct statement *find_statement(const struct reader *reader)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        if (reader->token->kind == TOKEN_WORD && reader_is(reader, statements[i].word))
            return &statements[i];
    return NULL;
}

static void unknown_statement(struct reader *reader, const struct token *word)
{
    struct hint hint = reader_hint(reader, word);
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        hint_offer(&hint, statements[i].word);
    reader_unknown(reader, word, "a statement, for example case, scenario, on, send or expect",
                   &hint);
}

static void read_found(struct reader *reader, const struct statement *found)
{
    const struct token *word = reader_next(reader);
    if (found->read == read_case || found->read == reader_scenario)
        end_block(reader);
    else if (place_of(reader) == IN_NOTHING)
        reader_bare_scenario(reader, word);
    if (reader->script->arena.failed)
        return;
    const size_t references = reader->references.count;
    found->read(reader, word);
    insist_on_line_end(reader);
    if (reader->failed) /* What a broken statement names is not looked for as well. */
        reader->references.count = references;
}

static void read_statement(struct reader *reader)
{
    const struct token *word = reader->token;
    const struct statement *found = find_statement(reader);
    reader->failed = false;
    reader->in_pattern = false;
    check_fence(reader, word);
    if (!found) {
        unknown_statement(reader, word);
        return;
    }
    if (misplaced(reader, found))
        reader_error(reader, word, misplaced(reader, found));
    if (!reader->failed)
        read_found(reader, found);
}

static bool is_at_line_end(const struct reader *reader)
{
    return reader->token->kind == TOKEN_LINE_END || reader->token->kind == TOKEN_FILE_END;
}

/* The rest of a broken statement; a ; between braces does not end it. */
static void skip_statement(struct reader *reader, const struct token *begin)
{
    const struct token *at = reader->token;
    int depth = 0;
    for (reader->token = begin; !is_at_line_end(reader); reader->token++) {
        depth += reader_is(reader, "{") - reader_is(reader, "}");
        if (reader->token >= at && depth <= 0 && reader_is(reader, ";"))
            return;
    }
}

/* One line, whatever is on it: statements, with a ; between them. */
static void read_line(struct reader *reader)
{
    while (!is_at_line_end(reader)) {
        const struct token *begin = reader->token;
        read_statement(reader);
        skip_statement(reader, begin);
        if (reader_take(reader, ";"))
            reader->failed = false;
    }
    if (reader->token->kind == TOKEN_LINE_END)
        reader->token++;
}

bool script_step_judges(const struct script_step *step)
{
    return (step->kind >= SCRIPT_EXPECT && step->kind <= SCRIPT_SILENT) ||
           step->kind == SCRIPT_EXPECT_REPORT;
}

/* What every case must have. */
static void check_case(struct reader *reader, const struct script_case *made)
{
    const struct token at = {.kind = TOKEN_WORD, .text = made->id, .place = made->place};
    bool judges = made->play.expectations.count > 0;
    for (size_t i = 0; i < made->steps.count; i++)
        judges = judges || script_step_judges(&made->steps.items[i]);
    reader->failed = false;
    if (made->texts.count == 0)
        reader_error(reader, &at, "a text that says what is required");
    else if (made->requirements.count == 0)
        reader_error(reader, &at, "a req that names rows of the requirement table");
    else if (!judges)
        reader_error(reader, &at,
                     "an expect, any-order, fence, silent, never or rate: a case that can fail");
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
    struct reader reader = {.script = script, .token = tokens.items, .connections = 1};
    while (reader.token->kind != TOKEN_FILE_END && !script->arena.failed)
        read_line(&reader);
    check_fence(&reader, reader.token);
    end_block(&reader);
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
