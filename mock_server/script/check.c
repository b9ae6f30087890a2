/* SPDX-License-Identifier: MIT */
/* What can only be judged once a scenario or case has been read to its end. */
#include "lwp/wire/dialect.h"
#include "mock_server/script/reader.h"

static bool has_rule(const struct script_play *play, struct lwp_bytes id)
{
    for (size_t i = 0; i < play->rules.count; i++)
        if (play->rules.items[i].is_named && lwp_bytes_equal(id, play->rules.items[i].id))
            return true;
    return false;
}

static bool has_node(const struct script_scenario *scenario, struct lwp_bytes name)
{
    for (size_t i = 0; scenario && i < scenario->nodes.count; i++)
        if (lwp_bytes_equal(name, scenario->nodes.items[i].name))
            return true;
    return false;
}

static bool has_topic(const struct script_scenario *scenario, struct lwp_bytes name)
{
    for (size_t i = 0; scenario && i < scenario->topics.count; i++)
        if (lwp_bytes_equal(name, scenario->topics.items[i].name))
            return true;
    return false;
}

static bool is_there(const struct reader *reader, const struct reader_reference *reference)
{
    switch (reference->kind) {
    case REFERENCE_NODE:
        return has_node(reader->in_scenario, reference->name);
    case REFERENCE_TOPIC:
        return has_topic(reader->in_scenario, reference->name);
    case REFERENCE_STATE:
        return reader_has(reader->play->states.items, reader->play->states.count, reference->name);
    case REFERENCE_RULE:
        return has_rule(reader->play, reference->name);
    case REFERENCE_BARRIER:
        return reader_has(reader->barriers.items, reader->barriers.count, reference->name);
    case REFERENCE_HOLD:
        return reader->has_hold;
    case REFERENCE_CLUSTER:
        return reader->in_scenario && reader->in_scenario->nodes.count > 0;
    }
    return false;
}

static void check_references(struct reader *reader)
{
    static const char *const expected[] = {
        [REFERENCE_NODE] = "a node of this scenario",
        [REFERENCE_TOPIC] = "a topic of this scenario",
        [REFERENCE_STATE] = "a state of this scenario",
        [REFERENCE_RULE] = "the name of a rule, given by as NAME",
        [REFERENCE_BARRIER] = "a barrier that some rule sets",
        [REFERENCE_HOLD] = "a hold in some rule, to be released",
        [REFERENCE_CLUSTER] = "nodes in this scenario, for actions of the cluster",
    };
    for (size_t i = 0; i < reader->references.count; i++) {
        const struct reader_reference *reference = &reader->references.items[i];
        if (!is_there(reader, reference))
            reader_note(reader, reference->place, reference->name, expected[reference->kind]);
    }
}

static bool goes_to(const struct script_rule *rule, struct lwp_bytes state)
{
    for (size_t i = 0; i < rule->actions.count; i++)
        if (rule->actions.items[i].kind == SCRIPT_ACTION_GOTO &&
            lwp_bytes_equal(rule->actions.items[i].word, state))
            return true;
    return false;
}

/* Whether a rule of another state, or of none, goes to it. */
static bool is_gone_to(const struct script_play *play, struct lwp_bytes state)
{
    for (size_t i = 0; i < play->rules.count; i++)
        if (!lwp_bytes_equal(play->rules.items[i].state, state) &&
            goes_to(&play->rules.items[i], state))
            return true;
    return false;
}

/* Notes the first rule of each state in which nothing can be. */
static void check_states(struct reader *reader)
{
    const struct script_play *play = reader->play;
    for (size_t s = 1; s < play->states.count; s++) {
        const struct lwp_bytes state = play->states.items[s];
        size_t first = 0;
        while (first < play->rules.count && !lwp_bytes_equal(play->rules.items[first].state, state))
            first++;
        if (first < play->rules.count && !is_gone_to(play, state))
            reader_note(reader, play->rules.items[first].place, state,
                        "a goto to this state: its rules are never live");
    }
}

/* A rule that waits for itself. */
static void check_circles(struct reader *reader)
{
    for (size_t i = 0; i < reader->play->rules.count; i++) {
        const struct script_rule *rule = &reader->play->rules.items[i];
        if (rule->is_named && lwp_bytes_equal(rule->trigger.after, rule->id))
            reader_note(reader, rule->place, rule->id, "after another rule: it waits for itself");
    }
}

/* What a dialect cannot say: the action, in this form or any (SCRIPT_FORM_DIALECT). */
static const struct {
    const struct lwp_dialect *dialect;
    enum script_action_kind kind;
    enum script_form form;
    const char *expected;
} lacks[] = {
    {&lwp_dialect_spec, SCRIPT_ACTION_AUTH_REPLY, SCRIPT_FORM_DIALECT,
     "an action that the dialect has: spec knows no tokens (D15)"},
    {&lwp_dialect_spec, SCRIPT_ACTION_COUNT, SCRIPT_FORM_FRAME,
     "another form: spec has no frame for it (D4)"},
    {&lwp_dialect_lance, SCRIPT_ACTION_COUNT, SCRIPT_FORM_JSON,
     "another form: lance has no error documents (D2)"},
    {&lwp_dialect_lance_py, SCRIPT_ACTION_COUNT, SCRIPT_FORM_FRAME,
     "another form: lance-py takes the frame for records (D4)"},
};

static bool is_lacking(size_t row, const struct script_action *action,
                       const struct lwp_dialect *dialect)
{
    return lacks[row].dialect == dialect &&
           (lacks[row].kind == action->kind || lacks[row].kind == SCRIPT_ACTION_COUNT) &&
           (lacks[row].form == action->form || lacks[row].form == SCRIPT_FORM_DIALECT);
}

static void check_action(struct script *script, const struct script_action *action,
                         const struct lwp_dialect *dialect)
{
    for (size_t i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++) {
        if (!is_lacking(i, action, dialect))
            continue;
        struct script_error *error = SCRIPT_ADD(&script->arena, &script->errors);
        if (error)
            *error = (struct script_error){action->place,
                                           lwp_bytes_text(script_action_rows[action->kind].word),
                                           lacks[i].expected};
    }
}

static void check_play(struct script *script, const struct script_play *play,
                       const struct lwp_dialect *dialect)
{
    for (size_t i = 0; i < play->rules.count; i++)
        for (size_t a = 0; a < play->rules.items[i].actions.count; a++)
            check_action(script, &play->rules.items[i].actions.items[a], dialect);
}

enum lwp_status script_check_dialect(struct script *script, const struct lwp_dialect *dialect)
{
    const size_t errors_before = script->errors.count;
    for (size_t i = 0; i < script->scenarios.count; i++)
        if (!script->scenarios.items[i].dialect)
            check_play(script, &script->scenarios.items[i].play, dialect);
    for (size_t i = 0; i < script->cases.count; i++)
        check_play(script, &script->cases.items[i].play, dialect);
    if (script->arena.failed)
        return LWP_NO_MEMORY;
    return script->errors.count == errors_before ? LWP_OK : LWP_INVALID_PAYLOAD;
}

void reader_check_block(struct reader *reader)
{
    if (!reader->play || reader->script->arena.failed)
        return;
    check_references(reader);
    check_states(reader);
    check_circles(reader);
    reader_check_hidden(reader);
    if (reader->in_scenario && reader->in_scenario->dialect)
        check_play(reader->script, reader->play, reader->in_scenario->dialect);
}
