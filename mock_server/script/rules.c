/* SPDX-License-Identifier: MIT */
/* Rules: what they wait for, when they are live. */
#include <stdio.h>

#include "mock_server/script/reader.h"

static bool is_named(const char *name, const char *word)
{
    return strcmp(name, word) == 0;
}

/* topic_id, and the name of create-topic: both say which topic is meant. */
static bool names_topic(const struct script_field *field)
{
    if (field->relation != SCRIPT_EQUAL)
        return false;
    if (field->subject == SCRIPT_HEADER)
        return field->header == LWP_HEADER_topic_id;
    return field->subject == SCRIPT_PAYLOAD &&
           (is_named(field->field->name, "topic_id") || is_named(field->field->name, "name"));
}

enum script_scope reader_scope(const struct script_match *match)
{
    if (match->connection || match->label.size)
        return SCRIPT_SCOPE_CONNECTION;
    for (size_t i = 0; i < match->pattern.frame.fields.count; i++)
        if (names_topic(&match->pattern.frame.fields.items[i]))
            return SCRIPT_SCOPE_TOPIC;
    return match->node.size ? SCRIPT_SCOPE_NODE : SCRIPT_SCOPE_CLUSTER;
}

/* [A] */
static void read_node_tag(struct reader *reader, struct script_match *match)
{
    if (!reader_take(reader, "["))
        return;
    const struct token *at = reader->token;
    match->node = reader_name(reader, "the name of a node");
    reader_refer(reader, REFERENCE_NODE, match->node, at);
    reader_insist(reader, "]");
}

/* conn N, or conn LABEL */
static void read_connection(struct reader *reader, struct script_match *match)
{
    if (reader->failed || !reader_take(reader, "conn"))
        return;
    const struct token *at = reader->token;
    if (at->kind != TOKEN_NUMBER) {
        match->label = reader_name(reader, "a connection's number or label");
        return;
    }
    match->connection = reader_number(reader, UINT32_MAX, "a connection's number, from 1");
    if (match->connection == 0)
        reader_error(reader, at, "a connection's number, from 1");
}

/* in, out or any; false if nothing is said. */
static bool read_direction(struct reader *reader, struct script_match *match)
{
    match->direction = SCRIPT_IN;
    if (reader_take(reader, "in"))
        return true;
    match->direction = SCRIPT_OUT;
    if (reader_take(reader, "out"))
        return true;
    match->direction = SCRIPT_ANY;
    if (reader_take(reader, "any"))
        return true;
    match->direction = SCRIPT_IN;
    return false;
}

/* connect, close, or a frame */
static void read_happening(struct reader *reader, struct script_match *match, bool has_direction)
{
    const struct token *at = reader->token;
    if (reader_take(reader, "connect")) {
        match->happening = SCRIPT_ON_CONNECT;
        if (has_direction)
            reader_error(reader, at, "a frame: connections have no direction");
    } else if (reader_take(reader, "close")) {
        match->happening = SCRIPT_ON_CLOSE;
        reader_close_pattern(reader, &match->pattern);
        match->direction = has_direction ? match->direction : SCRIPT_ANY;
    } else {
        match->pattern.exactly = reader_take(reader, "exactly");
        reader->in_pattern = true;
        reader_frame(reader, &match->pattern.frame);
        reader->in_pattern = false;
    }
}

void reader_match(struct reader *reader, struct script_match *match)
{
    match->place = reader->token->place;
    read_node_tag(reader, match);
    const bool has_direction = read_direction(reader, match);
    read_connection(reader, match);
    if (!reader->failed)
        read_happening(reader, match, has_direction);
}

struct trigger_row {
    const char *word;
    size_t place; /* Of the number in struct script_trigger. */
};

static const struct trigger_row trigger_rows[] = {
    {"nth", offsetof(struct script_trigger, nth)},
    {"every", offsetof(struct script_trigger, every)},
    {"skip", offsetof(struct script_trigger, skip)},
    {"times", offsetof(struct script_trigger, times)},
};

enum { TRIGGER_COUNT = sizeof(trigger_rows) / sizeof(trigger_rows[0]) };

/* p=0.1 [of STREAM] */
static void read_chance(struct reader *reader, struct script_trigger *trigger)
{
    enum { MILLION = 1000000 };
    reader_insist(reader, "=");
    const struct token *at = reader->failed ? reader->token : reader_next(reader);
    if (at->kind != TOKEN_DECIMAL || at->number == 0 || at->number >= MILLION)
        reader_error(reader, at, "a decimal between 0 and 1, for example 0.25");
    if (reader->failed)
        return;
    trigger->has_chance = true;
    trigger->chance = (uint32_t)((at->number << 32) / MILLION);
    if (reader_take(reader, "of"))
        trigger->stream = reader_name(reader, "the name of a stream of dice");
}

/* after ID */
static void read_after(struct reader *reader, struct lwp_bytes *after)
{
    const struct token *at = reader->token;
    *after = reader_name(reader, "the name of a rule");
    reader_refer(reader, REFERENCE_RULE, *after, at);
}

static void read_count(struct reader *reader, struct script_trigger *trigger,
                       const struct trigger_row *row, const struct token *at)
{
    uint64_t *count = (uint64_t *)(void *)((char *)trigger + row->place);
    if (*count)
        reader_error(reader, at, "each trigger once");
    const struct token *number = reader->token;
    *count = reader_number(reader, UINT32_MAX, "a number from 1 to 4294967295");
    if (*count == 0)
        reader_error(reader, number, "a number from 1 to 4294967295");
}

/* One trigger; false if there is none. */
static bool read_trigger(struct reader *reader, struct script_trigger *trigger)
{
    const struct token *at = reader->token;
    for (size_t i = 0; i < TRIGGER_COUNT; i++)
        if (reader_take(reader, trigger_rows[i].word)) {
            read_count(reader, trigger, &trigger_rows[i], at);
            return true;
        }
    const bool is_after = reader_take(reader, "after");
    if (!is_after && !reader_take(reader, "p"))
        return false;
    if (is_after ? trigger->after.size > 0 : trigger->has_chance)
        reader_error(reader, at, "each trigger once");
    if (is_after)
        read_after(reader, &trigger->after);
    else
        read_chance(reader, trigger);
    return true;
}

/* Triggers that leave no match on which the rule is live: what is expected, or NULL. */
static const char *contradiction(const struct script_trigger *trigger)
{
    if (trigger->nth && trigger->every)
        return "nth or every, not both";
    if (trigger->nth && trigger->skip >= trigger->nth)
        return "an nth beyond what is skipped: this rule is never live";
    return NULL;
}

static void read_triggers(struct reader *reader, struct script_trigger *trigger)
{
    const struct token *last = reader->token;
    const struct token *at = last;
    while (!reader->failed && read_trigger(reader, trigger)) {
        last = at;
        at = reader->token;
    }
    if (contradiction(trigger))
        reader_error(reader, last, contradiction(trigger));
}

static void insist_on_arrow(struct reader *reader, bool is_timed)
{
    const struct token *word = reader->token;
    struct hint hint = reader_hint(reader, word);
    if (reader->failed || reader_take(reader, "->"))
        return;
    for (size_t i = 0; i < TRIGGER_COUNT; i++)
        hint_offer(&hint, trigger_rows[i].word);
    hint_offer(&hint, "after");
    if (is_timed)
        reader_error(reader, word, "[NODE], conn or ->: a time has no triggers");
    reader_unknown(reader, word, "nth, every, skip, times, after, p= or ->", &hint);
}

static bool has_rule(const struct script_play *play, struct lwp_bytes id)
{
    for (size_t i = 0; i < play->rules.count; i++)
        if (lwp_bytes_equal(id, play->rules.items[i].id))
            return true;
    return false;
}

/* as NAME */
static void read_name(struct reader *reader, struct script_rule *rule)
{
    static const char *const forms[] = {"text", "json", "frame"};
    const struct token *at = reader->token;
    const struct lwp_bytes name = reader_name(reader, "a name for the rule");
    if (rule->is_named || has_rule(reader->play, name))
        reader_error(reader, at, "a name that no other rule has");
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (lwp_bytes_equal(name, lwp_bytes_text(forms[i])))
            reader_error(reader, at, "a name other than text, json and frame");
    if (reader->failed)
        return;
    rule->id = name;
    rule->is_named = true;
}

/* A rule without a name is called by its place. */
static struct lwp_bytes place_name(struct reader *reader, struct script_place place)
{
    enum { DIGITS = 12 };
    const size_t size = strlen(place.file) + DIGITS;
    char *name = script_arena_take(&reader->script->arena, size);
    if (name)
        (void)snprintf(name, size, "%s:%u", place.file, place.line);
    return lwp_bytes_text(name);
}

/* as NAME, optional */
static void read_tail(struct reader *reader, struct script_rule *rule)
{
    for (;;) {
        if (reader->failed)
            return;
        if (!rule->optional && reader_take(reader, "optional"))
            rule->optional = true;
        else if (reader_take(reader, "as"))
            read_name(reader, rule);
        else
            return;
    }
}

static struct script_rule *add_rule(struct reader *reader, const struct token *at)
{
    if (reader->rule_count == READER_MAX_RULES) {
        reader_error(reader, at, "at most 4096 rules and expectations in a file");
        return NULL;
    }
    struct script_rule *rule = SCRIPT_ADD(&reader->script->arena, &reader->play->rules);
    if (!rule)
        return NULL;
    reader->rule_count++;
    rule->place = at->place;
    rule->state = reader->state;
    return rule;
}

static void read_actions(struct reader *reader, struct script_rule *rule, unsigned where)
{
    rule->scope = reader_scope(&rule->match);
    insist_on_arrow(reader, rule->is_timed);
    if (!reader->failed)
        reader_actions(reader, rule, where);
    read_tail(reader, rule);
    if (!rule->is_named)
        rule->id = place_name(reader, rule->place);
}

static unsigned where_of(const struct script_match *match)
{
    if (match->happening == SCRIPT_ON_CONNECT)
        return SCRIPT_AT_CONNECT;
    const unsigned in = match->direction & SCRIPT_IN ? SCRIPT_AT_IN : 0;
    return in | (match->direction & SCRIPT_OUT ? SCRIPT_AT_OUT : 0);
}

/* on MATCH [TRIGGER …] -> ACTION, … A rule's variables are its own. */
void reader_on(struct reader *reader, const struct token *at)
{
    const size_t variables = reader->variables.count;
    struct script_rule *rule = add_rule(reader, at);
    if (!rule)
        return;
    const struct token *happening = reader->token;
    reader_match(reader, &rule->match);
    if (rule->match.happening == SCRIPT_ON_CLOSE)
        reader_error(reader, happening, "a frame or connect: close is for expect and never");
    read_triggers(reader, &rule->trigger);
    read_actions(reader, rule, where_of(&rule->match));
    reader->variables.count = variables;
}

/* at DURATION [NODE] [conn …] -> ACTION, … */
void reader_at(struct reader *reader, const struct token *at)
{
    struct script_rule *rule = add_rule(reader, at);
    if (!rule)
        return;
    rule->is_timed = true;
    rule->at_ns = reader_duration(reader);
    rule->match.place = reader->token->place;
    read_node_tag(reader, &rule->match);
    read_connection(reader, &rule->match);
    read_actions(reader, rule, SCRIPT_AT_TIME);
}
