/* SPDX-License-Identifier: MIT */
/* The statements that set a scenario up: one function each. */
#include "lwp/wire/dialect.h"
#include "mock_server/script/reader.h"

enum { MAX_RECORDS = 1000000, MAX_NAME_SIZE = 255 };

/* Begins a scenario whose id is still empty. */
void reader_bare_scenario(struct reader *reader, const struct token *at)
{
    struct script *script = reader->script;
    struct script_scenario *made = SCRIPT_ADD(&script->arena, &script->scenarios);
    reader->in_case = NULL;
    reader->in_scenario = made;
    reader->play = made ? &made->play : NULL;
    if (!made)
        return;
    made->place = at->place;
    made->id = lwp_bytes_text("");
    if (script->scenarios.count > READER_MAX_SCENARIOS)
        reader_error(reader, at, "at most 1024 scenarios");
}

/* scenario ID */
void reader_scenario(struct reader *reader, const struct token *at)
{
    reader_bare_scenario(reader, at);
    const struct token *id = reader->token;
    const struct lwp_bytes name = reader_name(reader, "the scenario's id");
    if (!reader->in_scenario || reader->failed)
        return;
    for (size_t i = 0; !reader->failed && i + 1 < reader->script->scenarios.count; i++)
        if (lwp_bytes_equal(name, reader->script->scenarios.items[i].id))
            reader_error(reader, id, "an id that no other scenario has");
    reader->in_scenario->id = name;
}

void reader_seed(struct reader *reader, const struct token *at)
{
    if (reader->in_scenario->has_seed)
        reader_error(reader, at, "one seed only");
    reader->in_scenario->seed = reader_number(reader, UINT64_MAX, "a seed, for example 7");
    reader->in_scenario->has_seed = true;
}

void reader_dialect(struct reader *reader, const struct token *at)
{
    if (reader->in_scenario->dialect)
        reader_error(reader, at, "one dialect only");
    const struct token *word = reader->token;
    const struct lwp_bytes name = reader_name(reader, "a dialect: spec, lance or lance-py");
    struct hint hint = reader_hint(reader, word);
    if (reader->failed)
        return;
    reader->in_scenario->dialect = lwp_dialect_named((const char *)name.data);
    for (size_t i = 0; lwp_dialects[i]; i++)
        hint_offer(&hint, lwp_dialects[i]->name);
    if (!reader->in_scenario->dialect)
        reader_unknown(reader, word, "a dialect: spec, lance or lance-py", &hint);
}

static bool is_led(const struct script_scenario *scenario, struct lwp_bytes topic)
{
    for (size_t i = 0; i < scenario->nodes.count; i++)
        if (reader_has(scenario->nodes.items[i].leads.items, scenario->nodes.items[i].leads.count,
                       topic))
            return true;
    return false;
}

/* leader of TOPIC, TOPIC */
static void read_leads(struct reader *reader, struct script_node *node)
{
    if (!reader_take(reader, "leader"))
        return;
    reader_insist(reader, "of");
    do {
        const struct token *at = reader->token;
        const struct lwp_bytes name = reader_name(reader, "the name of a topic");
        if (is_led(reader->in_scenario, name))
            reader_error(reader, at, "a topic that no other node leads");
        struct lwp_bytes *added = SCRIPT_ADD(&reader->script->arena, &node->leads);
        if (!added || reader->failed)
            return;
        *added = name;
        reader_refer(reader, REFERENCE_TOPIC, name, at);
    } while (reader_take(reader, ","));
}

/* node NAME [leader of …] */
void reader_node(struct reader *reader, const struct token *at)
{
    struct script_scenario *scenario = reader->in_scenario;
    const struct token *word = reader->token;
    const struct lwp_bytes name = reader_name(reader, "the name of a node, for example A");
    for (size_t i = 0; i < scenario->nodes.count; i++)
        if (lwp_bytes_equal(name, scenario->nodes.items[i].name))
            reader_error(reader, word, "a node that is not there yet");
    if (lwp_bytes_equal(name, lwp_bytes_text("none")))
        reader_error(reader, word, "a name other than none, which means no node");
    if (scenario->nodes.count == READER_MAX_NODES)
        reader_error(reader, at, "at most 64 nodes");
    struct script_node *node =
        reader->failed ? NULL : SCRIPT_ADD(&reader->script->arena, &scenario->nodes);
    if (!node)
        return;
    node->place = at->place;
    node->name = name;
    read_leads(reader, node);
}

/* records=1000, or records=raw("x")+… */
static void read_topic_records(struct reader *reader, struct script_topic *topic)
{
    struct script_frame frame = {.kind = LWP_KIND_INGEST};
    const struct token *at = reader->token;
    if (at->kind == TOKEN_NUMBER) {
        const uint64_t count = reader_number(reader, MAX_RECORDS, "at most 1000000 records");
        if (!reader->failed)
            reader_generate(reader, topic, count);
        return;
    }
    reader_records(reader, &frame);
    if (frame.compressed)
        reader_error(reader, at, "records without lz4: they are those of the log");
    topic->bytes = frame.bytes;
    topic->record_count = frame.record_count;
}

/* id=1 or records=… */
static void read_topic_part(struct reader *reader, struct script_topic *topic)
{
    const struct token *word = reader_next(reader);
    const bool is_id = lwp_bytes_equal(word->text, lwp_bytes_text("id"));
    if (!is_id && !lwp_bytes_equal(word->text, lwp_bytes_text("records")))
        reader_error(reader, word, "id=NUMBER or records=");
    if (is_id ? topic->id != 0 : topic->bytes.data != NULL)
        reader_error(reader, word, "one id and one records= only");
    reader_insist(reader, "=");
    if (reader->failed)
        return;
    if (!is_id) {
        read_topic_records(reader, topic);
        return;
    }
    const struct token *at = reader->token;
    topic->id = reader_number(reader, UINT32_MAX, "an id from 1 to 4294967295");
    if (topic->id == 0)
        reader_error(reader, at, "an id from 1 to 4294967295");
}

/* What another topic has already: what is expected instead, or NULL. */
static const char *taken_part(const struct script_scenario *scenario,
                              const struct script_topic *topic)
{
    for (size_t i = 0; i < scenario->topics.count; i++) {
        if (lwp_bytes_equal(topic->name, scenario->topics.items[i].name))
            return "a topic that is not there yet";
        if (topic->id && topic->id == scenario->topics.items[i].id)
            return "an id that no other topic has";
    }
    return scenario->topics.count == READER_MAX_TOPICS ? "at most 256 topics" : NULL;
}

/* topic NAME [id=N] [records=…] */
void reader_topic(struct reader *reader, const struct token *at)
{
    struct script_topic topic = {.place = at->place};
    const struct token *word = reader->token;
    topic.name = reader_name(reader, "the name of a topic");
    if (topic.name.size > MAX_NAME_SIZE)
        reader_error(reader, word, "a name of 255 bytes at most");
    while (!reader->failed && reader->token->kind == TOKEN_WORD)
        read_topic_part(reader, &topic);
    const char *problem = taken_part(reader->in_scenario, &topic);
    if (problem)
        reader_error(reader, word, problem);
    struct script_topic *added =
        reader->failed ? NULL : SCRIPT_ADD(&reader->script->arena, &reader->in_scenario->topics);
    if (added)
        *added = topic;
}

/* state NAME: the rules below are live in it. */
void reader_state(struct reader *reader, const struct token *at)
{
    const struct token *word = reader->token;
    const struct lwp_bytes name = reader_name(reader, "the name of a state");
    if (reader_has(reader->play->states.items, reader->play->states.count, name))
        reader_error(reader, word, "a state that is not there yet");
    if (reader->play->states.count == READER_MAX_NAMES)
        reader_error(reader, at, "at most 256 states");
    struct lwp_bytes *added =
        reader->failed ? NULL : SCRIPT_ADD(&reader->script->arena, &reader->play->states);
    if (!added)
        return;
    *added = name;
    reader->state = name;
}
