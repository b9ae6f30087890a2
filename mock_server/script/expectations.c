/* SPDX-License-Identifier: MIT */
/* What must have been seen at the end, and what a client under test is told and says. */
#include "mock_server/script/reader.h"

static struct script_expectation *add_expectation(struct reader *reader, const struct token *at,
                                                  enum script_expectation_kind kind)
{
    if (reader->rule_count == READER_MAX_RULES) {
        reader_error(reader, at, "at most 4096 rules and expectations in a file");
        return NULL;
    }
    struct script_expectation *made =
        SCRIPT_ADD(&reader->script->arena, &reader->play->expectations);
    if (!made)
        return NULL;
    reader->rule_count++;
    made->kind = kind;
    made->place = at->place;
    return made;
}

/* A match whose variables are its own. */
static void read_match(struct reader *reader, struct script_expectation *made)
{
    const size_t variables = reader->variables.count;
    reader_match(reader, &made->match);
    reader->variables.count = variables;
}

/* [within RANGE] [after ID] [optional], each once, in this order. */
static void read_tail(struct reader *reader, struct script_expectation *made)
{
    if (!reader->failed && reader_take(reader, "within")) {
        made->has_range = true;
        (void)reader_range(reader, &made->least_ns, &made->most_ns);
    }
    if (!reader->failed && reader_take(reader, "after")) {
        const struct token *at = reader->token;
        made->after = reader_name(reader, "the name of a rule");
        reader_refer(reader, REFERENCE_RULE, made->after, at);
    }
    const struct token *at = reader->token;
    made->optional = !reader->failed && reader_take(reader, "optional");
    if (made->optional && made->kind == SCRIPT_NEVER)
        reader_error(reader, at,
                     "never without optional: it asks for nothing that could be missing");
}

static bool is_at_relation(const struct reader *reader)
{
    static const char *const signs[] = {"=", "!=", "<", "<=", ">", ">=", "in"};
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
        if (reader_is(reader, signs[i]))
            return true;
    return false;
}

/* >= 3, or in [1,3] */
static void read_count(struct reader *reader, struct script_expectation *made)
{
    static const char count[] = "how often, at most 4294967295 times";
    reader->in_pattern = true;
    made->relation = reader_relation(reader);
    reader->in_pattern = false;
    const bool is_range = made->relation == SCRIPT_WITHIN;
    if (is_range)
        reader_insist(reader, "[");
    const struct token *at = reader->token;
    if (!reader->failed)
        made->number = reader_number(reader, UINT32_MAX, count);
    if (!reader->failed && made->relation == SCRIPT_AT_LEAST && made->number == 0)
        reader_error(reader, at, "a count that can be missed");
    if (!is_range || reader->failed)
        return;
    reader_insist(reader, ",");
    at = reader->token;
    made->upper = reader->failed ? 0 : reader_number(reader, UINT32_MAX, count);
    if (made->upper < made->number)
        reader_error(reader, at, "an upper end that is not less");
    reader_insist(reader, "]");
}

/* report NAME = VALUE … and the pairs behind run: words are texts, durations are nanoseconds. */
static void read_argument(struct reader *reader, struct script_step *step)
{
    struct script_argument *made = SCRIPT_ADD(&reader->script->arena, &step->arguments);
    if (!made)
        return;
    made->place = reader->token->place;
    made->name = reader_name(reader, "a name");
    if (!reader->failed)
        made->relation = reader_relation(reader);
    const struct token *at = reader->token;
    const bool is_variable = at->text.size && at->text.data[0] == '$';
    if (reader->failed)
        return;
    if (made->relation == SCRIPT_WITHIN) {
        reader_error(reader, at, "= != < <= > or >=");
    } else if (at->kind == TOKEN_DURATION) {
        made->value.number = reader_duration(reader);
    } else if (at->kind == TOKEN_WORD && !is_variable && !reader_is(reader, "hex")) {
        made->value.kind = SCRIPT_BYTES;
        made->value.bytes = reader_text(reader, reader_next(reader));
    } else {
        made->value = reader_value(reader);
    }
}

static void read_arguments(struct reader *reader, struct script_step *step)
{
    while (!reader->failed && !reader->script->arena.failed && reader->token->kind == TOKEN_WORD)
        read_argument(reader, step);
}

/* expect report NAME = VALUE … */
static void read_report(struct reader *reader, const struct token *at)
{
    if (!reader->in_case) {
        reader_error(reader, at, "a case for clients: only they report");
        return;
    }
    struct script_step *step = reader_step(reader, SCRIPT_EXPECT_REPORT, at);
    if (!step)
        return;
    reader->in_pattern = true;
    read_arguments(reader, step);
    reader->in_pattern = false;
    if (step->arguments.count == 0)
        reader_error(reader, reader->token, "what the client reports, for example status=ok");
}

/* run COMMAND name=value … */
void reader_run(struct reader *reader, const struct token *at)
{
    struct script_step *step = reader_step(reader, SCRIPT_RUN, at);
    if (!step)
        return;
    step->command = reader_name(reader, "a command of the client under test, for example produce");
    read_arguments(reader, step);
}

/* expect [count] MATCH [>= N] … */
void reader_expect_seen(struct reader *reader, const struct token *at)
{
    const struct token *word = reader->token;
    if (reader_take(reader, "report")) {
        read_report(reader, word);
        return;
    }
    struct script_expectation *made = add_expectation(reader, at, SCRIPT_EXPECT_COUNT);
    if (!made)
        return;
    made->relation = SCRIPT_AT_LEAST;
    made->number = 1;
    const bool must_count = reader_take(reader, "count");
    read_match(reader, made);
    if (!reader->failed && (must_count || is_at_relation(reader)))
        read_count(reader, made);
    read_tail(reader, made);
}

void reader_never(struct reader *reader, const struct token *at)
{
    struct script_expectation *made = add_expectation(reader, at, SCRIPT_NEVER);
    if (!made)
        return;
    read_match(reader, made);
    read_tail(reader, made);
}

/* rate MATCH <= N% of the DURATION before */
void reader_rate(struct reader *reader, const struct token *at)
{
    enum { MAX_PER_CENT = 1000 };
    struct script_expectation *made = add_expectation(reader, at, SCRIPT_RATE);
    if (!made)
        return;
    made->relation = SCRIPT_AT_MOST;
    read_match(reader, made);
    reader_insist(reader, "<=");
    if (!reader->failed)
        made->number = reader_number(reader, MAX_PER_CENT, "a number of per cent up to 1000");
    reader_insist(reader, "%");
    reader_insist(reader, "of");
    reader_insist(reader, "the");
    const struct token *window = reader->token;
    made->window_ns = reader->failed ? 0 : reader_duration(reader);
    if (made->window_ns == 0)
        reader_error(reader, window, "a duration, for example 100ms");
    reader_insist(reader, "before");
    read_tail(reader, made);
}
