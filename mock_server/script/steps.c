/* SPDX-License-Identifier: MIT */
/* The statements of a case that do something: one function each. */
#include <stdio.h>

#include "lwp/wire/dialect.h"
#include "lwp/wire/tlv.h"
#include "mock_server/script/reader.h"

struct script_step *reader_step(struct reader *reader, enum script_step_kind kind,
                                const struct token *at)
{
    struct script_step *step = SCRIPT_ADD(&reader->script->arena, &reader->in_case->steps);
    if (step) {
        step->kind = kind;
        step->place = at->place;
    }
    return step;
}

static struct lwp_bytes read_new_variable(struct reader *reader)
{
    const struct token *token = reader_next(reader);
    if (token->kind != TOKEN_WORD || token->text.data[0] != '$' || token->text.size < 2)
        reader_error(reader, token, "$name");
    const struct lwp_bytes name = lwp_bytes_from(reader_text(reader, token), 1);
    if (reader_is_bound(reader, name))
        reader_error(reader, token, "a variable that is not bound yet");
    reader_bind(reader, name);
    return name;
}

/* Binds $t.name beside $t. */
static void bind_name(struct reader *reader, struct lwp_bytes topic)
{
    static const char suffix[] = ".name";
    const size_t size = topic.size + sizeof(suffix);
    uint8_t *name = topic.size ? script_arena_take(&reader->script->arena, size) : NULL;
    if (!name)
        return;
    memcpy(name, topic.data, topic.size);
    memcpy(name + topic.size, suffix, sizeof(suffix));
    reader_bind(reader, (struct lwp_bytes){name, size - 1});
}

/* given topic $t [records=…] */
static void read_given_topic(struct reader *reader, const struct token *at)
{
    struct script_step *step = reader_step(reader, SCRIPT_GIVEN_TOPIC, at);
    const struct lwp_bytes name = read_new_variable(reader);
    if (!step || reader->failed)
        return;
    step->variable = name;
    bind_name(reader, name);
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

/* given name $n [size=BYTES] */
static void read_given_name(struct reader *reader, const struct token *at)
{
    struct script_step *step = reader_step(reader, SCRIPT_GIVEN_NAME, at);
    const struct lwp_bytes name = read_new_variable(reader);
    if (!step || reader->failed)
        return;
    step->variable = name;
    if (!reader_take(reader, "size"))
        return;
    reader_insist(reader, "=");
    step->name_size = (size_t)reader_number(reader, 255, "a size of 255 bytes at most");
}

void reader_given(struct reader *reader, const struct token *at)
{
    if (reader_take(reader, "topic"))
        read_given_topic(reader, at);
    else if (reader_take(reader, "name"))
        read_given_name(reader, at);
    else
        reader_error(reader, reader->token, "topic $t or name $n");
}

/* c1 to c16, from 0. False if the word is none of them. */
static bool connection_of(struct lwp_bytes word, unsigned *connection)
{
    for (unsigned i = 0; i < SCRIPT_MAX_CONNECTIONS; i++) {
        char name[4];
        (void)snprintf(name, sizeof(name), "c%u", i + 1);
        if (!lwp_bytes_equal(word, lwp_bytes_text(name)))
            continue;
        *connection = i;
        return true;
    }
    return false;
}

void reader_connect(struct reader *reader, const struct token *at)
{
    struct script_step *step = reader_step(reader, SCRIPT_CONNECT, at);
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

bool script_step_applies(const struct script_step *step, const struct lwp_dialect *dialect)
{
    const unsigned bit = dialect_bit(lwp_bytes_text(dialect->name));
    if (step->is_else)
        return (step->covered & bit) == 0;
    return step->dialects == 0 || step->dialects & bit;
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

void reader_send(struct reader *reader, const struct token *at)
{
    struct script_step *step = reader_step(reader, SCRIPT_SEND, at);
    if (!step)
        return;
    read_tags(reader, step);
    do {
        struct script_frame *frame = SCRIPT_ADD(&reader->script->arena, &step->frames);
        if (frame && !reader->failed)
            reader_frame(reader, frame);
    } while (!reader->failed && reader_take(reader, ","));
}

void reader_send_raw(struct reader *reader, const struct token *at)
{
    struct script_step *step = reader_step(reader, SCRIPT_SEND_RAW, at);
    if (!step)
        return;
    read_tags(reader, step);
    if (!reader->failed)
        step->raw = reader_bytes(reader);
}

void reader_close_pattern(struct reader *reader, struct script_pattern *pattern)
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
        reader_close_pattern(reader, pattern);
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

uint64_t reader_duration(struct reader *reader)
{
    const struct token *token = reader_next(reader);
    if (token->kind != TOKEN_DURATION || token->number > READER_MAX_WAIT_NS)
        reader_error(reader, token, "a duration of 10 minutes at most, for example 300ms");
    return token->number;
}

bool reader_range(struct reader *reader, uint64_t *least_ns, uint64_t *most_ns)
{
    const struct token *first = reader_next(reader);
    const bool is_range = first->kind == TOKEN_DURATION && reader_take(reader, "~");
    *most_ns = first->number;
    if (is_range) {
        const struct token *second = reader_next(reader);
        *least_ns = first->number;
        *most_ns = second->number;
        if (second->kind != TOKEN_DURATION || second->number < first->number)
            reader_error(reader, second, "a duration that is not shorter");
    }
    if (first->kind != TOKEN_DURATION || *most_ns > READER_MAX_WAIT_NS)
        reader_error(reader, first, "a duration of 10 minutes at most, for example 300ms");
    return is_range;
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

void reader_expect(struct reader *reader, const struct token *at)
{
    struct script_step *step = reader_step(reader, SCRIPT_EXPECT, at);
    if (!step)
        return;
    read_tags(reader, step);
    do
        read_pattern(reader, step);
    while (!reader->failed && reader_take(reader, "|"));
    if (!reader->failed && reader_take(reader, "within"))
        (void)reader_range(reader, &step->least_ns, &step->most_ns);
    judge_else(reader, step);
}

void reader_any_order(struct reader *reader, const struct token *at)
{
    struct script_step *step = reader_step(reader, SCRIPT_ANY_ORDER, at);
    if (!step)
        return;
    read_tags(reader, step);
    reader_insist(reader, "{");
    do
        read_pattern(reader, step);
    while (!reader->failed && reader_take(reader, ";"));
    reader_insist(reader, "}");
    for (size_t i = 0; i < step->patterns.count; i++)
        if (step->patterns.items[i].kind != SCRIPT_FRAME || step->patterns.items[i].lenient)
            reader_error(reader, at, "frames only in any-order, and none of them lenient");
}

/* fence keepalive | list | ack topic=$t: a frame, and its answer. */
void reader_fence(struct reader *reader, const struct token *at)
{
    struct script_step *step = reader_step(reader, SCRIPT_FENCE, at);
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

void reader_silent(struct reader *reader, const struct token *at)
{
    struct script_step *step = reader_step(reader, SCRIPT_SILENT, at);
    if (!step)
        return;
    read_tags(reader, step);
    (void)reader_range(reader, &step->least_ns, &step->most_ns);
}

void reader_end(struct reader *reader, enum script_end *end)
{
    if (reader_take(reader, "rst"))
        *end = SCRIPT_END_RST;
    else if (reader_take(reader, "half"))
        *end = SCRIPT_END_HALF;
    else
        (void)reader_take(reader, "fin");
}

void reader_close(struct reader *reader, const struct token *at)
{
    struct script_step *step = reader_step(reader, SCRIPT_END_CONNECTION, at);
    if (!step)
        return;
    read_tags(reader, step);
    reader_end(reader, &step->end);
    if (step->end != SCRIPT_END_HALF)
        reader->connections &= ~(1U << step->connection);
}
