/* SPDX-License-Identifier: MIT */
/* Actions of rules: which they are, where they may stand, which go together. */
#include "mock_server/script/reader.h"

/* The last column of actions.def. */
enum { I = SCRIPT_AT_IN, O = SCRIPT_AT_OUT, C = SCRIPT_AT_CONNECT, T = SCRIPT_AT_TIME };

const struct script_action_row script_action_rows[SCRIPT_ACTION_COUNT] = {
#define SCRIPT_ACTION(name, word, group, arguments, where) {word, SCRIPT_##group, where},
#include "mock_server/script/actions.def"
#undef SCRIPT_ACTION
};

static bool find_action(struct lwp_bytes word, enum script_action_kind *kind)
{
    for (int i = 0; i < SCRIPT_ACTION_COUNT; i++) {
        if (!lwp_bytes_equal(word, lwp_bytes_text(script_action_rows[i].word)))
            continue;
        *kind = (enum script_action_kind)i;
        return true;
    }
    return false;
}

static void unknown_action(struct reader *reader, const struct token *word)
{
    struct hint hint = reader_hint(reader, word);
    for (int i = 0; i < SCRIPT_ACTION_COUNT; i++)
        hint_offer(&hint, script_action_rows[i].word);
    reader_unknown(reader, word, "an action, for example ack or close rst", &hint);
}

/* What would be expected of an action that may not stand in a rule set off by this. */
static const char *misplaced(unsigned where)
{
    if (where & SCRIPT_AT_CONNECT)
        return "an action for a new connection";
    if (where & SCRIPT_AT_TIME)
        return "an action for a time";
    if (where == SCRIPT_AT_IN)
        return "an action for a frame that comes in";
    return where == SCRIPT_AT_OUT ? "an action for a frame that goes out"
                                  : "an action for frames of both directions";
}

/* What the rest of the block must have for this action to work. */
static void refer_to_setting(struct reader *reader, const struct script_action *action,
                             const struct token *word)
{
    const struct script_action_row *row = &script_action_rows[action->kind];
    reader->has_hold = reader->has_hold || action->kind == SCRIPT_ACTION_HOLD;
    if (action->kind == SCRIPT_ACTION_RELEASE)
        reader_refer(reader, REFERENCE_HOLD, lwp_bytes_text(row->word), word);
    else if (row->group == SCRIPT_CLUSTER)
        reader_refer(reader, REFERENCE_CLUSTER, lwp_bytes_text(row->word), word);
}

/* What speaks against the action here: what is expected in its place, or NULL. */
static const char *problem_of(const struct script_rule *rule, const struct script_action *action,
                              unsigned where)
{
    const struct script_action_row *row = &script_action_rows[action->kind];
    if (where & ~row->where)
        return misplaced(where);
    if (action->is_then && row->group != SCRIPT_ANSWER)
        return "an answer behind then";
    return rule->actions.count == READER_MAX_ACTIONS ? "at most 64 actions in a rule" : NULL;
}

static void read_then_after(struct reader *reader, struct script_action *action)
{
    reader_insist(reader, "after");
    if (!reader->failed)
        action->then_after_ns = reader_duration(reader);
}

/* ACTION, or then ANSWER after D. */
static void read_action(struct reader *reader, struct script_rule *rule, unsigned where)
{
    const struct token *then = reader->token;
    struct script_action action = {.is_then = reader_take(reader, "then")};
    const struct token *word = reader_next(reader);
    action.place = word->place;
    if (action.is_then && rule->actions.count == 0)
        reader_error(reader, then, "another action before then");
    if (word->kind != TOKEN_WORD || !find_action(word->text, &action.kind)) {
        unknown_action(reader, word);
        return;
    }
    if (problem_of(rule, &action, where))
        reader_error(reader, word, problem_of(rule, &action, where));
    if (reader->failed)
        return;
    reader_arguments(reader, &action);
    if (action.is_then)
        read_then_after(reader, &action);
    refer_to_setting(reader, &action, word);
    struct script_action *added = SCRIPT_ADD(&reader->script->arena, &rule->actions);
    if (added)
        *added = action;
}

/* Actions of one rule that undo each other. */
static const struct {
    enum script_action_kind one, other;
} pairs[] = {
    {SCRIPT_ACTION_APPLY, SCRIPT_ACTION_NO_APPLY},
    {SCRIPT_ACTION_DROP_REPLY, SCRIPT_ACTION_DUP_REPLY},
    {SCRIPT_ACTION_DROP_REPLY, SCRIPT_ACTION_LATE_REPLY},
    {SCRIPT_ACTION_DROP_REPLY, SCRIPT_ACTION_REORDER},
    {SCRIPT_ACTION_DROP_REPLY, SCRIPT_ACTION_HOLD},
    {SCRIPT_ACTION_STOP_READ, SCRIPT_ACTION_RESUME_READ},
    {SCRIPT_ACTION_PASS, SCRIPT_ACTION_FAIL},
};

static bool contradict(const struct script_action *one, const struct script_action *other)
{
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if ((one->kind == pairs[i].one && other->kind == pairs[i].other) ||
            (one->kind == pairs[i].other && other->kind == pairs[i].one))
            return true;
    const bool one_refuses = one->kind == SCRIPT_ACTION_REFUSE;
    const bool other_refuses = other->kind == SCRIPT_ACTION_REFUSE;
    return (one_refuses && script_action_rows[other->kind].group == SCRIPT_ANSWER) ||
           (other_refuses && script_action_rows[one->kind].group == SCRIPT_ANSWER);
}

/* Notes the last action if it undoes one before it. */
static void check_contradiction(struct reader *reader, const struct script_rule *rule,
                                const struct token *at)
{
    if (reader->failed)
        return;
    const struct script_action *last = &rule->actions.items[rule->actions.count - 1];
    for (size_t i = 0; i + 1 < rule->actions.count; i++)
        if (contradict(&rule->actions.items[i], last))
            reader_error(reader, at, "no action that undoes another of its rule");
}

void reader_actions(struct reader *reader, struct script_rule *rule, unsigned where)
{
    do {
        const struct token *at = reader->token;
        read_action(reader, rule, where);
        if (!reader->script->arena.failed)
            check_contradiction(reader, rule, at);
    } while (!reader->failed && reader_take(reader, ","));
}
