/* SPDX-License-Identifier: MIT */
/* What stands behind an action's word: one function for each form in actions.def. */
#include "mock_server/script/arguments.h"
#include "lwp/wire/errors.h"

enum { MAX_TEXT_SIZE = 65535 };

/* A year: what the clock is moved by at most. */
#define MAX_ADVANCE_NS (UINT64_C(366) * 24 * 3600 * 1000000000)

/* as text, as json, as frame. What follows `as` otherwise is the rule's name. */
static void read_form(struct reader *reader, struct script_action *action)
{
    static const char *const words[] = {"text", "json", "frame"};
    const struct token *at = reader->token;
    if (reader->failed || !reader_is(reader, "as"))
        return;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!lwp_bytes_equal(at[1].text, lwp_bytes_text(words[i])))
            continue;
        reader->token += 2;
        action->form = (enum script_form)(SCRIPT_FORM_TEXT + i);
        if (action->form == SCRIPT_FORM_FRAME && action->kind != SCRIPT_ACTION_CATCHING_UP)
            reader_error(reader, at + 1, "text or json: only catching-up has a frame of its own");
    }
}

static void read_text(struct reader *reader, struct script_action *action)
{
    const struct token *text = reader_next(reader);
    if (text->kind != TOKEN_STRING || text->bytes.size > MAX_TEXT_SIZE)
        reader_error(reader, text, "a string of 65535 bytes at most");
    action->has_text = true;
    action->bytes = script_arena_copy(&reader->script->arena, text->bytes);
}

static void read_text_if_any(struct reader *reader, struct script_action *action)
{
    if (!reader->failed && reader->token->kind == TOKEN_STRING)
        read_text(reader, action);
}

static bool is_at_number(const struct reader *reader)
{
    return reader->token->kind == TOKEN_NUMBER;
}

static void read_none(struct reader *reader, struct script_action *action)
{
    (void)reader;
    (void)action;
}

/* CODE ["text"] [as …] */
static void read_error(struct reader *reader, struct script_action *action)
{
    const struct token *token = reader_next(reader);
    struct hint hint = reader_hint(reader, token);
    const bool is_number = token->kind == TOKEN_NUMBER && token->number <= UINT8_MAX;
    const int code = is_number                   ? (int)token->number
                     : token->kind == TOKEN_WORD ? lwp_error_named(token->text)
                                                 : -1;
    for (unsigned i = 0; code < 0 && i <= UINT8_MAX; i++)
        hint_offer(&hint, lwp_error_word(i));
    if (code < 0)
        reader_unknown(reader, token, "an error's word or a number from 0 to 255", &hint);
    action->number = (uint64_t)code;
    read_text_if_any(reader, action);
    read_form(reader, action);
}

/* NODE, for which `none` stands if `or_none` is set. */
static void read_node_name(struct reader *reader, struct script_action *action, bool or_none)
{
    const struct token *at = reader->token;
    if (or_none && reader_take(reader, "none"))
        return;
    action->word =
        reader_name(reader, or_none ? "the name of a node, or none" : "the name of a node");
    reader_refer(reader, REFERENCE_NODE, action->word, at);
}

/* NODE | "address" [as …] */
static void read_target(struct reader *reader, struct script_action *action)
{
    if (reader->token->kind == TOKEN_STRING)
        read_text(reader, action);
    else
        read_node_name(reader, action, false);
    read_form(reader, action);
}

static void read_duration_if_any(struct reader *reader, struct script_action *action)
{
    if (reader->token->kind != TOKEN_DURATION)
        return;
    action->has_duration = true;
    action->least_ns = reader_duration(reader);
    action->most_ns = action->least_ns;
}

/* [DURATION] [as …] */
static void read_retry(struct reader *reader, struct script_action *action)
{
    read_duration_if_any(reader, action);
    read_form(reader, action);
}

/* [N | DURATION] */
static void read_span(struct reader *reader, struct script_action *action)
{
    read_duration_if_any(reader, action);
    if (!is_at_number(reader) || action->has_duration)
        return;
    action->has_number = true;
    action->number = reader_number(reader, UINT32_MAX, "at most 4294967295 frames");
}

/* N [step N] [as …] */
static void read_offset(struct reader *reader, struct script_action *action)
{
    action->has_number = true;
    if (reader_take(reader, "max"))
        action->number = UINT64_MAX;
    else
        action->number = reader_number(reader, UINT64_MAX, "an offset");
    if (!reader->failed && reader_take(reader, "step"))
        action->step = reader_number(reader, UINT64_MAX, "what is added each time");
    read_form(reader, action);
}

/* id=N, name="…": a member of the document that the answer holds. False if it is none. */
static bool read_member(struct reader *reader, struct script_frame *frame)
{
    static const char *const members[] = {"id", "name", "created_at", "topic_epoch"};
    const struct token *word = reader->token;
    struct script_field field = {.subject = SCRIPT_JSON, .place = word->place};
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        if (reader_is(reader, members[i]))
            field.path = lwp_bytes_text(members[i]);
    if (!field.path.size)
        return false;
    (void)reader_next(reader);
    reader_insist(reader, "=");
    const bool is_text = lwp_bytes_equal(field.path, lwp_bytes_text("name"));
    const struct token *at = reader->token;
    if (!reader->failed)
        field.value = reader_value(reader);
    if (field.value.kind != (is_text ? SCRIPT_BYTES : SCRIPT_NUMBER))
        reader_error(reader, at, is_text ? "a string" : "a number");
    struct script_field *added = SCRIPT_ADD(&reader->script->arena, &frame->fields);
    if (added)
        *added = field;
    return true;
}

/* The fields of the answer's frame. */
static void read_fields(struct reader *reader, struct script_action *action)
{
    const bool is_fetch = action->kind == SCRIPT_ACTION_FETCH_REPLY;
    struct script_frame *frame = &action->frame;
    frame->kind = LWP_KIND_CONTROL;
    frame->command =
        lwp_command_of(is_fetch ? LWP_COMMAND_FETCH_RESPONSE : LWP_COMMAND_TOPIC_RESPONSE);
    frame->place = action->place;
    while (!is_fetch && !reader->failed && read_member(reader, frame))
        continue;
    const struct token *at = reader->token;
    const size_t members = frame->fields.count;
    if (!reader->failed)
        reader_assignments(reader, frame);
    if (!is_fetch && members && frame->fields.count + frame->body > members)
        reader_error(reader, at, "members of the document, or json= in their place");
}

/* ok|no ["text"] */
static void read_verdict(struct reader *reader, struct script_action *action)
{
    action->ok = reader_take(reader, "ok");
    if (!action->ok && !reader_take(reader, "no"))
        reader_error(reader, reader->token, "ok or no");
    read_text_if_any(reader, action);
}

static void read_frame(struct reader *reader, struct script_action *action)
{
    reader_frame(reader, &action->frame);
}

static void read_bytes(struct reader *reader, struct script_action *action)
{
    action->bytes = reader_bytes(reader);
}

/* TOPIC NODE|none */
static void read_leader(struct reader *reader, struct script_action *action)
{
    const struct token *at = reader->token;
    action->topic = reader_name(reader, "the name of a topic");
    reader_refer(reader, REFERENCE_TOPIC, action->topic, at);
    if (!reader->failed)
        read_node_name(reader, action, true);
}

static void read_node(struct reader *reader, struct script_action *action)
{
    read_node_name(reader, action, false);
}

static void read_node_count(struct reader *reader, struct script_action *action)
{
    read_node_name(reader, action, false);
    if (!reader->failed)
        arguments_count(reader, action);
}

static void read_state(struct reader *reader, struct script_action *action)
{
    const struct token *at = reader->token;
    action->word = reader_name(reader, "the name of a state");
    reader_refer(reader, REFERENCE_STATE, action->word, at);
}

static void add_barrier(struct reader *reader, struct lwp_bytes name, const struct token *at)
{
    if (reader_has(reader->barriers.items, reader->barriers.count, name))
        return;
    if (reader->barriers.count == READER_MAX_NAMES)
        reader_error(reader, at, "at most 256 barriers");
    struct lwp_bytes *added =
        reader->failed ? NULL : SCRIPT_ADD(&reader->script->arena, &reader->barriers);
    if (added)
        *added = name;
}

/* barrier NAME, await NAME */
static void read_barrier(struct reader *reader, struct script_action *action)
{
    const struct token *at = reader->token;
    action->word = reader_name(reader, "the name of a barrier");
    if (action->kind == SCRIPT_ACTION_BARRIER)
        add_barrier(reader, action->word, at);
    else
        reader_refer(reader, REFERENCE_BARRIER, action->word, at);
}

static void read_advance(struct reader *reader, struct script_action *action)
{
    const struct token *at = reader_next(reader);
    if (at->kind != TOKEN_DURATION || at->number == 0 || at->number > MAX_ADVANCE_NS)
        reader_error(reader, at, "a duration of 366 days at most, for example 30s");
    action->has_duration = true;
    action->least_ns = at->number;
    action->most_ns = at->number;
}

/* By the third column of actions.def. */
enum argument_form {
    FORM_NONE,
    FORM_ERROR,
    FORM_TARGET,
    FORM_FORM,
    FORM_RETRY,
    FORM_SPAN,
    FORM_OFFSET,
    FORM_FIELDS,
    FORM_VERDICT,
    FORM_FRAME,
    FORM_BYTES,
    FORM_COUNT,
    FORM_RANGE,
    FORM_DELAY,
    FORM_SET,
    FORM_AT_BYTES,
    FORM_AT_COUNT,
    FORM_SIZES,
    FORM_CLOSE,
    FORM_LEADER,
    FORM_NODE,
    FORM_NODE_COUNT,
    FORM_STATE,
    FORM_NAME,
    FORM_TEXT,
    FORM_DURATION
};

static void (*const readers[])(struct reader *reader, struct script_action *action) = {
    [FORM_NONE] = read_none,
    [FORM_ERROR] = read_error,
    [FORM_TARGET] = read_target,
    [FORM_FORM] = read_form,
    [FORM_RETRY] = read_retry,
    [FORM_SPAN] = read_span,
    [FORM_OFFSET] = read_offset,
    [FORM_FIELDS] = read_fields,
    [FORM_VERDICT] = read_verdict,
    [FORM_FRAME] = read_frame,
    [FORM_BYTES] = read_bytes,
    [FORM_COUNT] = arguments_count,
    [FORM_RANGE] = arguments_range,
    [FORM_DELAY] = arguments_delay,
    [FORM_SET] = arguments_set,
    [FORM_AT_BYTES] = arguments_at_bytes,
    [FORM_AT_COUNT] = arguments_at_count,
    [FORM_SIZES] = arguments_sizes,
    [FORM_CLOSE] = arguments_close,
    [FORM_LEADER] = read_leader,
    [FORM_NODE] = read_node,
    [FORM_NODE_COUNT] = read_node_count,
    [FORM_STATE] = read_state,
    [FORM_NAME] = read_barrier,
    [FORM_TEXT] = read_text,
    [FORM_DURATION] = read_advance,
};

static const enum argument_form forms[SCRIPT_ACTION_COUNT] = {
#define SCRIPT_ACTION(name, word, group, arguments, where) FORM_##arguments,
#include "mock_server/script/actions.def"
#undef SCRIPT_ACTION
};

void reader_arguments(struct reader *reader, struct script_action *action)
{
    readers[forms[action->kind]](reader, action);
}
