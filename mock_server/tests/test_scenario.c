/* SPDX-License-Identifier: MIT */
#include "lwp/tests/support.h"

#include "lwp/wire/dialect.h"
#include "lwp/wire/errors.h"
#include "lwp/wire/tlv.h"
#include "mock_server/script/file.h"

enum { SOUPS = 5000 };

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)

static void fail_with_first_error(const struct script *script, const char *text)
{
    const struct script_error *error = script->errors.items;
    if (script->errors.count == 0)
        fail_msg("'%s' has no error", text);
    fail_msg("'%s': %u:%u: found %s, expected %s", text, error->place.line, error->place.column,
             (const char *)error->found.data, error->expected);
}

/* Reads a text without an error. */
static void read_good(struct script *script, const char *text)
{
    *script = (struct script){.cases = {NULL, 0}};
    if (script_read(script, "f", lwp_bytes_text(text)) != LWP_OK)
        fail_with_first_error(script, text);
    assert_int_equal(script->errors.count, 0);
}

/* The only scenario of a text, in a cluster with topics. */
static const struct script_scenario *read_staged(struct script *script, const char *body)
{
    char text[1024];
    assert_in_range(snprintf(text, sizeof(text),
                             "scenario s\nnode A; node B\ntopic orders; topic stock\n%s\n", body),
                    1, sizeof(text) - 1);
    read_good(script, text);
    assert_int_equal(script->scenarios.count, 1);
    return script->scenarios.items;
}

static const struct script_rule *read_rule(struct script *script, const char *body)
{
    const struct script_scenario *scenario = read_staged(script, body);
    assert_true(scenario->play.rules.count > 0);
    return scenario->play.rules.items;
}

static const struct script_expectation *read_expectation(struct script *script, const char *body)
{
    const struct script_scenario *scenario = read_staged(script, body);
    assert_int_equal(scenario->play.expectations.count, 1);
    return scenario->play.expectations.items;
}

static void assert_text(struct lwp_bytes actual, const char *expected)
{
    assert_bytes_equal(actual, lwp_bytes_text(expected));
    assert_int_equal(actual.data[actual.size], 0);
}

/* The members of an action that are compared; what a row does not name is zero. */
struct action_row {
    const char *text;
    struct script_action is;
    const char *word;
    const char *topic;
    const char *bytes;
};

static void assert_action(const char *text, const struct script_action *action,
                          const struct action_row *row)
{
    const struct script_action *is = &row->is;
    if (action->kind != is->kind || action->form != is->form || action->number != is->number ||
        action->step != is->step || action->least_ns != is->least_ns ||
        action->most_ns != is->most_ns || action->has_number != is->has_number ||
        action->has_duration != is->has_duration || action->in_order != is->in_order ||
        action->fixes_checksum != is->fixes_checksum || action->ok != is->ok ||
        action->offset != is->offset || action->has_text != is->has_text ||
        action->gap_ns != is->gap_ns || action->end != is->end || action->is_then != is->is_then ||
        action->then_after_ns != is->then_after_ns)
        fail_msg("'%s' is read as something else", text);
    assert_bytes_equal(action->word, lwp_bytes_text(row->word));
    assert_bytes_equal(action->topic, lwp_bytes_text(row->topic));
    assert_bytes_equal(action->bytes, lwp_bytes_text(row->bytes));
}

static const struct action_row action_rows[] = {
    {.text = "ack", .is = {.kind = SCRIPT_ACTION_ACK}},
    {.text = "error not-leader",
     .is = {.kind = SCRIPT_ACTION_ERROR, .number = LWP_ERROR_NOT_LEADER}},
    {.text = "error 255 \"text\" as json",
     .is = {.kind = SCRIPT_ACTION_ERROR, .number = 255, .has_text = true, .form = SCRIPT_FORM_JSON},
     .bytes = "text"},
    {.text = "redirect A", .is = {.kind = SCRIPT_ACTION_REDIRECT}, .word = "A"},
    {.text = "redirect \"x:1\" as text",
     .is = {.kind = SCRIPT_ACTION_REDIRECT, .has_text = true, .form = SCRIPT_FORM_TEXT},
     .bytes = "x:1"},
    {.text = "leader-unknown as json",
     .is = {.kind = SCRIPT_ACTION_LEADER_UNKNOWN, .form = SCRIPT_FORM_JSON}},
    {.text = "rate-limited", .is = {.kind = SCRIPT_ACTION_RATE_LIMITED}},
    {.text = "rate-limited 100ms as text",
     .is = {.kind = SCRIPT_ACTION_RATE_LIMITED,
            .has_duration = true,
            .least_ns = 100 * MS,
            .most_ns = 100 * MS,
            .form = SCRIPT_FORM_TEXT}},
    {.text = "backpressure", .is = {.kind = SCRIPT_ACTION_BACKPRESSURE}},
    {.text = "backpressure 3",
     .is = {.kind = SCRIPT_ACTION_BACKPRESSURE, .has_number = true, .number = 3}},
    {.text = "backpressure 2s",
     .is = {.kind = SCRIPT_ACTION_BACKPRESSURE,
            .has_duration = true,
            .least_ns = 2 * SECOND,
            .most_ns = 2 * SECOND}},
    {.text = "catching-up 5",
     .is = {.kind = SCRIPT_ACTION_CATCHING_UP, .has_number = true, .number = 5}},
    {.text = "catching-up max step 7 as frame",
     .is = {.kind = SCRIPT_ACTION_CATCHING_UP,
            .has_number = true,
            .number = UINT64_MAX,
            .step = 7,
            .form = SCRIPT_FORM_FRAME}},
    {.text = "fetch-reply next_offset=5", .is = {.kind = SCRIPT_ACTION_FETCH_REPLY}},
    {.text = "topic-reply id=5", .is = {.kind = SCRIPT_ACTION_TOPIC_REPLY}},
    {.text = "auth-reply ok", .is = {.kind = SCRIPT_ACTION_AUTH_REPLY, .ok = true}},
    {.text = "auth-reply no \"late\"",
     .is = {.kind = SCRIPT_ACTION_AUTH_REPLY, .has_text = true},
     .bytes = "late"},
    {.text = "keepalive", .is = {.kind = SCRIPT_ACTION_KEEPALIVE}},
    {.text = "reply ack batch_id=5", .is = {.kind = SCRIPT_ACTION_REPLY}},
    {.text = "raw hex(41 42)", .is = {.kind = SCRIPT_ACTION_RAW}, .bytes = "AB"},
    {.text = "apply", .is = {.kind = SCRIPT_ACTION_APPLY}},
    {.text = "no-apply", .is = {.kind = SCRIPT_ACTION_NO_APPLY}},
    {.text = "drop-reply", .is = {.kind = SCRIPT_ACTION_DROP_REPLY}},
    {.text = "dup-reply", .is = {.kind = SCRIPT_ACTION_DUP_REPLY}},
    {.text = "late-reply 3s",
     .is = {.kind = SCRIPT_ACTION_LATE_REPLY,
            .has_duration = true,
            .least_ns = 3 * SECOND,
            .most_ns = 3 * SECOND}},
    {.text = "late-reply 1ms~3ms",
     .is = {.kind = SCRIPT_ACTION_LATE_REPLY,
            .has_duration = true,
            .least_ns = MS,
            .most_ns = 3 * MS}},
    {.text = "reorder 3", .is = {.kind = SCRIPT_ACTION_REORDER, .has_number = true, .number = 3}},
    {.text = "hold", .is = {.kind = SCRIPT_ACTION_HOLD}},
    {.text = "set batch_id=5", .is = {.kind = SCRIPT_ACTION_SET, .fixes_checksum = true}},
    {.text = "set batch_id=max crc fix", .is = {.kind = SCRIPT_ACTION_SET, .fixes_checksum = true}},
    {.text = "set flags=0x80 crc keep", .is = {.kind = SCRIPT_ACTION_SET}},
    {.text = "set header_crc=wrong", .is = {.kind = SCRIPT_ACTION_SET}},
    {.text = "set payload_crc=other-polynomial crc keep", .is = {.kind = SCRIPT_ACTION_SET}},
    {.text = "xor -1 \"a\"", .is = {.kind = SCRIPT_ACTION_XOR, .offset = -1}, .bytes = "a"},
    {.text = "cut 43 2",
     .is = {.kind = SCRIPT_ACTION_CUT, .offset = 43, .has_number = true, .number = 2}},
    {.text = "insert 0 hex(61)", .is = {.kind = SCRIPT_ACTION_INSERT}, .bytes = "a"},
    {.text = "truncate 0", .is = {.kind = SCRIPT_ACTION_TRUNCATE, .has_number = true}},
    {.text = "chop 43,1,* gap 5ms", .is = {.kind = SCRIPT_ACTION_CHOP, .gap_ns = 5 * MS}},
    {.text = "coalesce 3", .is = {.kind = SCRIPT_ACTION_COALESCE, .has_number = true, .number = 3}},
    {.text = "delay 1ms",
     .is = {.kind = SCRIPT_ACTION_DELAY, .has_duration = true, .least_ns = MS, .most_ns = MS}},
    {.text = "delay 0ms~2ms inorder",
     .is =
         {.kind = SCRIPT_ACTION_DELAY, .has_duration = true, .most_ns = 2 * MS, .in_order = true}},
    {.text = "rate 10K", .is = {.kind = SCRIPT_ACTION_RATE, .has_number = true, .number = 10240}},
    {.text = "close", .is = {.kind = SCRIPT_ACTION_CLOSE}},
    {.text = "close half", .is = {.kind = SCRIPT_ACTION_CLOSE, .end = SCRIPT_END_HALF}},
    {.text = "close rst after 20 bytes",
     .is = {.kind = SCRIPT_ACTION_CLOSE, .end = SCRIPT_END_RST, .has_number = true, .number = 20}},
    {.text = "silence", .is = {.kind = SCRIPT_ACTION_SILENCE}},
    {.text = "stop-read", .is = {.kind = SCRIPT_ACTION_STOP_READ}},
    {.text = "leader orders B",
     .is = {.kind = SCRIPT_ACTION_LEADER},
     .word = "B",
     .topic = "orders"},
    {.text = "leader orders none", .is = {.kind = SCRIPT_ACTION_LEADER}, .topic = "orders"},
    {.text = "down A", .is = {.kind = SCRIPT_ACTION_DOWN}, .word = "A"},
    {.text = "up \"A\"", .is = {.kind = SCRIPT_ACTION_UP}, .word = "A"},
    {.text = "lag B 0", .is = {.kind = SCRIPT_ACTION_LAG, .has_number = true}, .word = "B"},
    {.text = "lag B 4K",
     .is = {.kind = SCRIPT_ACTION_LAG, .has_number = true, .number = 4096},
     .word = "B"},
    {.text = "stale-leader 2",
     .is = {.kind = SCRIPT_ACTION_STALE_LEADER, .has_number = true, .number = 2}},
    {.text = "advance 30m",
     .is = {.kind = SCRIPT_ACTION_ADVANCE,
            .has_duration = true,
            .least_ns = 1800 * SECOND,
            .most_ns = 1800 * SECOND}},
    {.text = "freeze", .is = {.kind = SCRIPT_ACTION_FREEZE}},
    {.text = "barrier x", .is = {.kind = SCRIPT_ACTION_BARRIER}, .word = "x"},
    {.text = "log \"a\\\"b\"",
     .is = {.kind = SCRIPT_ACTION_LOG, .has_text = true},
     .bytes = "a\"b"},
    {.text = "fail \"why\"", .is = {.kind = SCRIPT_ACTION_FAIL, .has_text = true}, .bytes = "why"},
    {.text = "pass", .is = {.kind = SCRIPT_ACTION_PASS}},
};

/* Those that need something else in the scenario, or stand elsewhere. */
static const struct action_row other_rows[] = {
    {.text = "on ingest -> hold; on fetch -> release", .is = {.kind = SCRIPT_ACTION_RELEASE}},
    {.text = "on ingest -> barrier x; on fetch -> await x",
     .is = {.kind = SCRIPT_ACTION_AWAIT},
     .word = "x"},
    {.text = "state one; on ingest -> ack; on fetch -> goto one",
     .is = {.kind = SCRIPT_ACTION_GOTO},
     .word = "one"},
    {.text = "on ingest -> ack; on connect -> refuse", .is = {.kind = SCRIPT_ACTION_REFUSE}},
    {.text = "on ingest -> stop-read; at 5ms -> resume-read",
     .is = {.kind = SCRIPT_ACTION_RESUME_READ}},
};

static bool is_tried(int kind)
{
    for (size_t i = 0; i < COUNT_OF(action_rows); i++)
        if (action_rows[i].is.kind == (enum script_action_kind)kind)
            return true;
    for (size_t i = 0; i < COUNT_OF(other_rows); i++)
        if (other_rows[i].is.kind == (enum script_action_kind)kind)
            return true;
    return false;
}

static void every_action_is_read_into_its_members(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(action_rows); i++) {
        char body[256];
        struct script script;
        (void)snprintf(body, sizeof(body), "on ingest -> %s", action_rows[i].text);
        const struct script_rule *rule = read_rule(&script, body);
        assert_int_equal(rule->actions.count, 1);
        assert_action(body, &rule->actions.items[0], &action_rows[i]);
        assert_int_equal(rule->actions.items[0].place.line, 4);
        assert_int_equal(rule->actions.items[0].place.column, 14);
        script_done(&script);
    }
    for (size_t i = 0; i < COUNT_OF(other_rows); i++) {
        struct script script;
        const struct script_rule *rules = read_rule(&script, other_rows[i].text);
        assert_action(other_rows[i].text, &rules[1].actions.items[0], &other_rows[i]);
        script_done(&script);
    }
    for (int kind = 0; kind < SCRIPT_ACTION_COUNT; kind++)
        if (!is_tried(kind))
            fail_msg("%s is not tried", script_action_rows[kind].word);
}

static void an_action_is_read_the_same_among_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(action_rows); i++) {
        char body[256];
        struct script script;
        (void)snprintf(body, sizeof(body),
                       "on ingest -> freeze, %s, freeze, then ack after 40ms as x optional",
                       action_rows[i].text);
        const struct script_rule *rule = read_rule(&script, body);
        assert_int_equal(rule->actions.count, 4);
        assert_action(body, &rule->actions.items[1], &action_rows[i]);
        assert_int_equal(rule->actions.items[2].kind, SCRIPT_ACTION_FREEZE);
        assert_true(rule->actions.items[3].is_then);
        assert_int_equal(rule->actions.items[3].then_after_ns, 40 * MS);
        assert_text(rule->id, "x");
        assert_true(rule->optional);
        script_done(&script);
    }
}

static void every_answer_can_come_later(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(action_rows); i++) {
        char body[256];
        struct script script;
        struct action_row row = action_rows[i];
        if (script_action_rows[row.is.kind].group != SCRIPT_ANSWER)
            continue;
        (void)snprintf(body, sizeof(body), "on ingest -> apply, then %s after 2s", row.text);
        const struct script_rule *rule = read_rule(&script, body);
        row.is.is_then = true;
        row.is.then_after_ns = 2 * SECOND;
        assert_action(body, &rule->actions.items[1], &row);
        script_done(&script);
    }
}

static void chop_takes_the_numbers_behind_its_commas(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t count;
        uint32_t sizes[3];
        size_t actions;
    } rows[] = {
        {"chop 1", 1, {1}, 1},
        {"chop *", 1, {0}, 1},
        {"chop 43,1,*", 3, {43, 1, 0}, 1},
        {"chop 43,1, delay 5ms", 2, {43, 1}, 2},
        {"chop 1,2K gap 1ms, chop 5", 2, {1, 2048}, 2},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char body[128];
        struct script script;
        (void)snprintf(body, sizeof(body), "on out frame -> %s", rows[i].text);
        const struct script_rule *rule = read_rule(&script, body);
        const struct script_action *chop = rule->actions.items;
        assert_int_equal(rule->actions.count, rows[i].actions);
        assert_int_equal(chop->sizes.count, rows[i].count);
        for (size_t s = 0; s < rows[i].count; s++)
            assert_int_equal(chop->sizes.items[s], rows[i].sizes[s]);
        script_done(&script);
    }
}

static void frames_of_actions_have_their_fields(void **state)
{
    (void)state;
    struct script script;
    const struct script_rule *rule = read_rule(
        &script, "on ingest batch_id=$b -> reply ack batch_id=$b, fetch-reply next_offset=9 "
                 "records=raw(\"a\")*2, topic-reply id=5 name=\"x\" created_at=7, topic-reply "
                 "json=\"{}\", set record_count=wrong");
    const struct script_action *actions = rule->actions.items;
    assert_int_equal(actions[0].frame.kind, LWP_KIND_ACK);
    assert_int_equal(actions[0].frame.fields.items[0].value.kind, SCRIPT_VARIABLE);
    assert_int_equal(actions[1].frame.command->code, LWP_COMMAND_FETCH_RESPONSE);
    assert_int_equal(actions[1].frame.fields.items[0].value.number, 9);
    assert_int_equal(actions[1].frame.record_count, 2);
    assert_int_equal(actions[2].frame.command->code, LWP_COMMAND_TOPIC_RESPONSE);
    assert_int_equal(actions[2].frame.fields.count, 3);
    assert_int_equal(actions[2].frame.fields.items[1].subject, SCRIPT_JSON);
    assert_text(actions[2].frame.fields.items[1].path, "name");
    assert_bytes_equal(actions[2].frame.fields.items[1].value.bytes, lwp_bytes_text("x"));
    assert_text(actions[2].frame.fields.items[2].path, "created_at");
    assert_int_equal(actions[2].frame.fields.items[2].value.number, 7);
    assert_int_equal(actions[3].frame.fields.items[0].subject, SCRIPT_PAYLOAD);
    assert_int_equal(actions[4].frame.fields.items[0].header, LWP_HEADER_record_count);
    assert_int_equal(actions[4].frame.fields.items[0].value.kind, SCRIPT_WRONG);
    script_done(&script);
}

static void triggers_are_read_in_any_order(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct script_trigger is;
        const char *after, *stream;
    } rows[] = {
        {"", {.nth = 0}, "", ""},
        {"nth 3", {.nth = 3}, "", ""},
        {"every 4", {.every = 4}, "", ""},
        {"skip 5", {.skip = 5}, "", ""},
        {"times 6", {.times = 6}, "", ""},
        {"after x", {.nth = 0}, "x", ""},
        {"p=0.5", {.has_chance = true, .chance = 0x80000000}, "", ""},
        {"p=0.25 of dice", {.has_chance = true, .chance = 0x40000000}, "", "dice"},
        {"p=0.000001", {.has_chance = true, .chance = 4294}, "", ""},
        {"p=0.999999", {.has_chance = true, .chance = 4294963001}, "", ""},
        {"nth 2 times 3 after x", {.nth = 2, .times = 3}, "x", ""},
        {"times 3 p=0.5 of d every 2 after x skip 4",
         {.times = 3, .every = 2, .skip = 4, .has_chance = true, .chance = 0x80000000},
         "x",
         "d"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char body[256];
        struct script script;
        (void)snprintf(body, sizeof(body), "on ingest topic_id=5 %s -> ack; on fetch -> ack as x",
                       rows[i].text);
        const struct script_trigger *trigger = &read_rule(&script, body)->trigger;
        assert_int_equal(trigger->nth, rows[i].is.nth);
        assert_int_equal(trigger->every, rows[i].is.every);
        assert_int_equal(trigger->skip, rows[i].is.skip);
        assert_int_equal(trigger->times, rows[i].is.times);
        assert_int_equal(trigger->has_chance, rows[i].is.has_chance);
        assert_int_equal(trigger->chance, rows[i].is.chance);
        assert_bytes_equal(trigger->after, lwp_bytes_text(rows[i].after));
        assert_bytes_equal(trigger->stream, lwp_bytes_text(rows[i].stream));
        script_done(&script);
    }
}

static void matches_say_where_and_what_and_how_narrow(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum script_happening happening;
        enum script_direction direction;
        uint64_t connection;
        const char *label, *node;
        enum script_scope scope;
    } rows[] = {
        {"ingest", SCRIPT_ON_FRAME, SCRIPT_IN, 0, "", "", SCRIPT_SCOPE_CLUSTER},
        {"in ingest", SCRIPT_ON_FRAME, SCRIPT_IN, 0, "", "", SCRIPT_SCOPE_CLUSTER},
        {"out ack", SCRIPT_ON_FRAME, SCRIPT_OUT, 0, "", "", SCRIPT_SCOPE_CLUSTER},
        {"any frame", SCRIPT_ON_FRAME, SCRIPT_ANY, 0, "", "", SCRIPT_SCOPE_CLUSTER},
        {"[A] ingest", SCRIPT_ON_FRAME, SCRIPT_IN, 0, "", "A", SCRIPT_SCOPE_NODE},
        {"[A] ingest topic_id=1", SCRIPT_ON_FRAME, SCRIPT_IN, 0, "", "A", SCRIPT_SCOPE_TOPIC},
        {"fetch topic_id=1", SCRIPT_ON_FRAME, SCRIPT_IN, 0, "", "", SCRIPT_SCOPE_TOPIC},
        {"fetch topic_id>1", SCRIPT_ON_FRAME, SCRIPT_IN, 0, "", "", SCRIPT_SCOPE_CLUSTER},
        {"create-topic name=\"x\"", SCRIPT_ON_FRAME, SCRIPT_IN, 0, "", "", SCRIPT_SCOPE_TOPIC},
        {"conn 3 ingest", SCRIPT_ON_FRAME, SCRIPT_IN, 3, "", "", SCRIPT_SCOPE_CONNECTION},
        {"[B] out conn bob ingest topic_id=1", SCRIPT_ON_FRAME, SCRIPT_OUT, 0, "bob", "B",
         SCRIPT_SCOPE_CONNECTION},
        {"connect", SCRIPT_ON_CONNECT, SCRIPT_IN, 0, "", "", SCRIPT_SCOPE_CLUSTER},
        {"[A] conn 2 connect", SCRIPT_ON_CONNECT, SCRIPT_IN, 2, "", "A", SCRIPT_SCOPE_CONNECTION},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char body[256];
        struct script script;
        (void)snprintf(body, sizeof(body), "on %s -> freeze", rows[i].text);
        const struct script_rule *rule = read_rule(&script, body);
        assert_int_equal(rule->match.happening, rows[i].happening);
        assert_int_equal(rule->match.direction, rows[i].direction);
        assert_int_equal(rule->match.connection, rows[i].connection);
        assert_bytes_equal(rule->match.label, lwp_bytes_text(rows[i].label));
        assert_bytes_equal(rule->match.node, lwp_bytes_text(rows[i].node));
        assert_int_equal(rule->scope, rows[i].scope);
        assert_int_equal(rule->match.place.column, 4);
        assert_false(rule->is_timed);
        script_done(&script);
    }
}

static void a_rule_at_a_time_has_no_match_but_a_place(void **state)
{
    (void)state;
    struct script script;
    const struct script_rule *rule =
        read_rule(&script, "at 200ms [A] conn bob -> keepalive, close rst as late optional");
    assert_true(rule->is_timed);
    assert_int_equal(rule->at_ns, 200 * MS);
    assert_text(rule->match.node, "A");
    assert_text(rule->match.label, "bob");
    assert_int_equal(rule->scope, SCRIPT_SCOPE_CONNECTION);
    assert_int_equal(rule->actions.count, 2);
    assert_text(rule->id, "late");
    assert_true(rule->is_named && rule->optional);
    script_done(&script);
}

static void a_rule_without_a_name_is_called_by_its_place(void **state)
{
    (void)state;
    struct script script;
    read_good(&script, "\n\n  on ingest nth 3 -> backpressure");
    assert_int_equal(script.scenarios.count, 1);
    assert_text(script.scenarios.items[0].id, "");
    assert_text(script.scenarios.items[0].play.rules.items[0].id, "f:3");
    assert_false(script.scenarios.items[0].play.rules.items[0].is_named);
    script_done(&script);
}

static void rules_belong_to_the_state_above_them(void **state)
{
    (void)state;
    struct script script;
    const struct script_scenario *scenario =
        read_staged(&script, "on fetch -> ack\nstate one\non ingest -> ack, goto two\nstate two\n"
                             "on ingest -> error 5");
    const struct script_rule *rules = scenario->play.rules.items;
    assert_int_equal(rules[0].state.size, 0);
    assert_text(rules[1].state, "one");
    assert_text(rules[2].state, "two");
    assert_int_equal(scenario->play.states.count, 2);
    assert_text(scenario->play.states.items[0], "one");
    script_done(&script);
    read_good(&script, "state one; on ingest -> ack\nscenario b\non ingest -> ack");
    assert_int_equal(script.scenarios.items[1].play.rules.items[0].state.size, 0);
    script_done(&script);
}

static void a_scenario_is_set_up_as_it_says(void **state)
{
    (void)state;
    struct script script;
    read_good(&script, "scenario leaders # with a comment\n"
                       "  seed 7 ; dialect lance-py ; needs cluster, tls\n"
                       "  node A leader of orders, stock ; node \"B 2\"\n"
                       "  topic orders id=9 records=3\n"
                       "  topic stock records=raw(\"x\")+null*2\n"
                       "scenario other\n"
                       "  on ingest -> ack\n");
    assert_int_equal(script.scenarios.count, 2);
    const struct script_scenario *made = script.scenarios.items;
    assert_text(made->id, "leaders");
    assert_int_equal(made->place.line, 1);
    assert_true(made->has_seed);
    assert_int_equal(made->seed, 7);
    assert_ptr_equal(made->dialect, &lwp_dialect_lance_py);
    assert_int_equal(made->needs.count, 2);
    assert_text(made->needs.items[1], "tls");
    assert_int_equal(made->nodes.count, 2);
    assert_int_equal(made->nodes.items[0].leads.count, 2);
    assert_text(made->nodes.items[0].leads.items[1], "stock");
    assert_text(made->nodes.items[1].name, "B 2");
    assert_int_equal(made->topics.count, 2);
    assert_int_equal(made->topics.items[0].id, 9);
    assert_int_equal(made->topics.items[0].record_count, 3);
    assert_int_equal(made->topics.items[1].id, 0);
    assert_int_equal(made->topics.items[1].record_count, 3);
    assert_int_equal(made->topics.items[1].bytes.size, 6 + 5 + 5);
    assert_false(script.scenarios.items[1].has_seed);
    assert_null(script.scenarios.items[1].dialect);
    assert_int_equal(script.scenarios.items[1].play.rules.count, 1);
    script_done(&script);
}

static void generated_records_are_named_after_their_topic(void **state)
{
    (void)state;
    struct script script;
    read_good(&script, "topic orders records=12");
    const struct script_topic *topic = script.scenarios.items[0].topics.items;
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(topic->bytes);
    struct lwp_record record = {.type = 0};
    for (int i = 0; i < 12; i++) {
        char text[16];
        (void)snprintf(text, sizeof(text), "orders-%d", i);
        assert_int_equal(lwp_tlv_next(&walk, &record), LWP_OK);
        assert_int_equal(record.type, LWP_TLV_RAW);
        assert_bytes_equal(record.value, lwp_bytes_text(text));
    }
    assert_int_equal(lwp_tlv_next(&walk, &record), LWP_END);
    script_done(&script);
    read_good(&script, "topic orders records=0; topic stock records=1000000");
    assert_int_equal(script.scenarios.items[0].topics.items[1].record_count, 1000000);
    script_done(&script);
}

static void expectations_are_read_into_their_members(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum script_expectation_kind kind;
        enum script_happening happening;
        enum script_direction direction;
        enum script_relation relation;
        uint64_t number, upper, least_ns, most_ns, window_ns;
        bool has_range, optional;
        const char *after;
    } rows[] = {
        {"expect ingest", SCRIPT_EXPECT_COUNT, SCRIPT_ON_FRAME, SCRIPT_IN, SCRIPT_AT_LEAST, 1,
         .after = ""},
        {"expect out ack = 0", SCRIPT_EXPECT_COUNT, SCRIPT_ON_FRAME, SCRIPT_OUT, SCRIPT_EQUAL, 0,
         .after = ""},
        {"expect count ingest batch_id>5 >= 3 within 1s", SCRIPT_EXPECT_COUNT, SCRIPT_ON_FRAME,
         SCRIPT_IN, SCRIPT_AT_LEAST, 3, .most_ns = SECOND, .has_range = true, .after = ""},
        {"expect ingest in [1,5] within 1s~2s after x optional", SCRIPT_EXPECT_COUNT,
         SCRIPT_ON_FRAME, SCRIPT_IN, SCRIPT_WITHIN, 1, 5, SECOND, 2 * SECOND, .has_range = true,
         .optional = true, .after = "x"},
        {"expect close rst", SCRIPT_EXPECT_COUNT, SCRIPT_ON_CLOSE, SCRIPT_ANY, SCRIPT_AT_LEAST, 1,
         .after = ""},
        {"expect connect = 2", SCRIPT_EXPECT_COUNT, SCRIPT_ON_CONNECT, SCRIPT_IN, SCRIPT_EQUAL, 2,
         .after = ""},
        {"never out close", SCRIPT_NEVER, SCRIPT_ON_CLOSE, SCRIPT_OUT, SCRIPT_EQUAL, 0,
         .after = ""},
        {"never any frame within 5ms after x", SCRIPT_NEVER, SCRIPT_ON_FRAME, SCRIPT_ANY,
         SCRIPT_EQUAL, .most_ns = 5 * MS, .has_range = true, .after = "x"},
        {"rate ingest <= 50% of the 100ms before", SCRIPT_RATE, SCRIPT_ON_FRAME, SCRIPT_IN,
         SCRIPT_AT_MOST, 50, .window_ns = 100 * MS, .after = ""},
        {"rate ingest <= 0% of the 2s before after x optional", SCRIPT_RATE, SCRIPT_ON_FRAME,
         SCRIPT_IN, SCRIPT_AT_MOST, 0, .window_ns = 2 * SECOND, .optional = true, .after = "x"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char body[256];
        struct script script;
        (void)snprintf(body, sizeof(body), "on fetch -> ack as x\n%s", rows[i].text);
        const struct script_expectation *made = read_expectation(&script, body);
        assert_int_equal(made->kind, rows[i].kind);
        assert_int_equal(made->match.happening, rows[i].happening);
        assert_int_equal(made->match.direction, rows[i].direction);
        assert_int_equal(made->relation, rows[i].relation);
        assert_int_equal(made->number, rows[i].number);
        assert_int_equal(made->upper, rows[i].upper);
        assert_int_equal(made->least_ns, rows[i].least_ns);
        assert_int_equal(made->most_ns, rows[i].most_ns);
        assert_int_equal(made->window_ns, rows[i].window_ns);
        assert_int_equal(made->has_range, rows[i].has_range);
        assert_int_equal(made->optional, rows[i].optional);
        assert_bytes_equal(made->after, lwp_bytes_text(rows[i].after));
        assert_int_equal(made->place.line, 5);
        script_done(&script);
    }
}

static void a_case_for_clients_has_rules_and_reports(void **state)
{
    (void)state;
    struct script script;
    read_good(&script, "case LWP-4.4/x should client\n"
                       "  text \"t\"\n  req R4.4-x\n  needs slow\n"
                       "  given topic $t records=null\n"
                       "  run produce topic=$t count=400 name=\"x\"+\"y\" mode=fast linger=5ms\n"
                       "  state one\n"
                       "  on ingest nth 3 -> backpressure, goto two\n"
                       "  state two\n"
                       "  at 300ms -> keepalive\n"
                       "  expect report status=ok acked>=3 retryable!=true id=$x\n"
                       "  expect count ingest >= 3 within 1s ; never in close ; "
                       "rate ingest <= 50% of the 100ms before\n");
    const struct script_case *made = script.cases.items;
    assert_int_equal(made->role, SCRIPT_CLIENT);
    assert_int_equal(made->level, SCRIPT_SHOULD);
    assert_int_equal(made->steps.count, 3);
    assert_int_equal(made->steps.items[0].kind, SCRIPT_GIVEN_TOPIC);
    const struct script_step *run = &made->steps.items[1];
    assert_int_equal(run->kind, SCRIPT_RUN);
    assert_text(run->command, "produce");
    assert_int_equal(run->arguments.count, 5);
    assert_text(run->arguments.items[0].name, "topic");
    assert_int_equal(run->arguments.items[0].value.kind, SCRIPT_VARIABLE);
    assert_int_equal(run->arguments.items[1].value.number, 400);
    assert_int_equal(run->arguments.items[2].value.kind, SCRIPT_JOINED);
    assert_text(run->arguments.items[3].value.bytes, "fast");
    assert_int_equal(run->arguments.items[4].value.number, 5 * MS);
    const struct script_step *report = &made->steps.items[2];
    assert_int_equal(report->kind, SCRIPT_EXPECT_REPORT);
    assert_int_equal(report->arguments.count, 4);
    assert_text(report->arguments.items[0].value.bytes, "ok");
    assert_int_equal(report->arguments.items[1].relation, SCRIPT_AT_LEAST);
    assert_int_equal(report->arguments.items[2].relation, SCRIPT_NOT_EQUAL);
    assert_int_equal(report->arguments.items[3].value.kind, SCRIPT_VARIABLE);
    assert_int_equal(made->play.rules.count, 2);
    assert_int_equal(made->play.states.count, 2);
    assert_int_equal(made->play.expectations.count, 3);
    assert_true(script_step_judges(report));
    assert_false(script_step_judges(run));
    script_done(&script);
}

static void a_case_for_clients_must_be_able_to_fail(void **state)
{
    (void)state;
    struct script script = {.cases = {NULL, 0}};
    assert_int_equal(script_read(&script, "f",
                                 lwp_bytes_text("case LWP-4.4/x should client\ntext \"t\"\n"
                                                "req R4.4-x\non ingest -> ack\n")),
                     LWP_INVALID_PAYLOAD);
    assert_int_equal(script.errors.count, 1);
    assert_string_equal(script.errors.items[0].expected,
                        "an expect, any-order, fence, silent, never or rate: a case that can fail");
    script_done(&script);
}

static void cases_and_scenarios_stand_in_one_file(void **state)
{
    (void)state;
    struct script script;
    read_good(&script, "on ingest -> ack\n"
                       "case LWP-11.3/header-crc-wrong must server\n"
                       "  text \"A frame with a wrong header checksum closes the connection.\"\n"
                       "  req R11.3-x\n"
                       "  send keepalive header_crc=wrong\n"
                       "  expect close\n"
                       "scenario s\n"
                       "  expect close\n"
                       "case LWP-4.4/producer-slows-down should client\n"
                       "  text \"After Backpressure the producer at least halves its rate.\"\n"
                       "  req R4.4-x\n"
                       "  run  produce topic=1 count=400 size=100\n"
                       "  on   ingest nth 100 -> backpressure, hold\n"
                       "  on   ingest nth 101 times 50 -> hold\n"
                       "  at   300ms -> release\n"
                       "  rate ingest <= 50% of the 100ms before\n");
    assert_int_equal(script.cases.count, 2);
    assert_int_equal(script.scenarios.count, 2);
    assert_int_equal(script.cases.items[0].steps.count, 2);
    assert_int_equal(script.cases.items[0].play.expectations.count, 0);
    assert_int_equal(script.cases.items[1].play.rules.count, 3);
    assert_int_equal(script.scenarios.items[1].play.expectations.count, 1);
    script_done(&script);
}

static void a_variable_is_known_to_its_own_rule_only(void **state)
{
    (void)state;
    struct script script = {.cases = {NULL, 0}};
    read_good(&script,
              "on ingest batch_id=$x -> reply ack batch_id=$x; on fetch start_offset=$x -> "
              "catching-up 5; never ack batch_id=$x");
    script_done(&script);
    assert_int_equal(script_read(&script, "f",
                                 lwp_bytes_text("on ingest batch_id=$x -> ack; on fetch -> reply "
                                                "ack batch_id=$x")),
                     LWP_INVALID_PAYLOAD);
    assert_string_equal(script.errors.items[0].expected, "a variable that has been bound before");
    script_done(&script);
}

/* Reads `head`, so often the line, and `tail`. */
static enum lwp_status read_many(struct script *script, const char *head, const char *line,
                                 size_t times, const char *tail)
{
    const size_t size = strlen(head) + strlen(tail) + times * (strlen(line) + 8) + 1;
    char *text = malloc(size);
    size_t at = (size_t)snprintf(text, size, "%s", head);
    for (size_t i = 0; i < times; i++)
        at += (size_t)snprintf(text + at, size - at, line, i);
    (void)snprintf(text + at, size - at, "%s", tail);
    *script = (struct script){.cases = {NULL, 0}};
    const enum lwp_status status = script_read(script, "f", lwp_bytes_text(text));
    free(text);
    return status;
}

static void what_is_counted_has_a_limit(void **state)
{
    (void)state;
    static const struct {
        const char *head, *line;
        size_t most;
        const char *tail, *expected;
    } rows[] = {
        {"", "on ingest batch_id=%zu -> ack\n", 4096, "",
         "at most 4096 rules and expectations in a file"},
        {"", "never ingest batch_id=%zu\n", 4096, "",
         "at most 4096 rules and expectations in a file"},
        {"on ingest -> ack", ", freeze", 63, "\n", "at most 64 actions in a rule"},
        {"on out ack -> chop 1", ",1", 255, "\n", "at most 256 pieces"},
        {"", "node A%zu\n", 64, "", "at most 64 nodes"},
        {"", "topic t%zu\n", 256, "", "at most 256 topics"},
        {"", "state s%zu\n", 256, "", "at most 256 states"},
        {"", "on fetch -> barrier b%zu\n", 256, "", "at most 256 barriers"},
        {"on ingest", " batch_id=$v%zu", 256, " -> ack\n", "at most 256 variables"},
        {"", "scenario s%zu\n", 1024, "", "at most 1024 scenarios"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct script script;
        const char *line = rows[i].line;
        if (read_many(&script, rows[i].head, line, rows[i].most, rows[i].tail) != LWP_OK)
            fail_with_first_error(&script, line);
        script_done(&script);
        (void)read_many(&script, rows[i].head, line, rows[i].most + 1, rows[i].tail);
        assert_true(script.errors.count > 0);
        assert_string_equal(script.errors.items[0].expected, rows[i].expected);
        script_done(&script);
    }
}

/* Reading gives a script or errors with places, and no more memory than the arena may have. */
static void assert_reads_or_tells(struct lwp_bytes text)
{
    struct script script = {.cases = {NULL, 0}};
    const enum lwp_status status = script_read(&script, "f", guarded(text));
    if (status != LWP_NO_MEMORY) {
        assert_true(status == LWP_OK || status == LWP_INVALID_PAYLOAD);
        assert_int_equal(status == LWP_OK, script.errors.count == 0);
    }
    for (size_t i = 0; i < script.errors.count; i++) {
        assert_true(script.errors.items[i].place.line >= 1);
        assert_true(script.errors.items[i].place.column >= 1);
        assert_non_null(script.errors.items[i].expected);
    }
    script_done(&script);
}

static const char *const soup[] = {"scenario s\n",
                                   "seed 7",
                                   "dialect lance",
                                   "needs a",
                                   "node A",
                                   " leader of ",
                                   "topic orders",
                                   " id=1",
                                   " records=3",
                                   "state one",
                                   "\n",
                                   "\n",
                                   "\n",
                                   ";",
                                   ";",
                                   "on ",
                                   "on ",
                                   "on ",
                                   "at 5ms ",
                                   "expect ",
                                   "expect count ",
                                   "never ",
                                   "rate ",
                                   "[A] ",
                                   "in ",
                                   "out ",
                                   "any ",
                                   "conn 3 ",
                                   "conn bob ",
                                   "ingest ",
                                   "fetch ",
                                   "frame ",
                                   "connect ",
                                   "close ",
                                   "keepalive ",
                                   "exactly ",
                                   "topic_id=1 ",
                                   "batch_id=$x ",
                                   "nth 3 ",
                                   "every 2 ",
                                   "skip 1 ",
                                   "times 4 ",
                                   "after x ",
                                   "p=0.5 ",
                                   "of d ",
                                   "-> ",
                                   "-> ",
                                   "-> ",
                                   "-> ",
                                   ", ",
                                   ", ",
                                   "then ",
                                   "after 5ms",
                                   "as x",
                                   "as json",
                                   " optional",
                                   "chop 43,1,*",
                                   " gap 5ms",
                                   "set batch_id=5",
                                   "crc keep",
                                   "xor -1 hex(ff)",
                                   "cut 4 2",
                                   "error 5",
                                   "\"text\"",
                                   "redirect A",
                                   "release",
                                   "hold",
                                   "goto one",
                                   "barrier b",
                                   "await b",
                                   "topic-reply id=5",
                                   "fetch-reply ",
                                   "reply ack ",
                                   "raw \"x\"",
                                   "backpressure ",
                                   "catching-up 5 step 2 ",
                                   "leader orders A",
                                   "lag A 5",
                                   "close rst after 5 bytes",
                                   "within 1s~2s",
                                   ">= 3",
                                   "in [1,2]",
                                   "<= 50% of the 100ms before",
                                   "report a=b",
                                   "run x a=b",
                                   "case LWP-1/x must client\n",
                                   "text \"t\"\n",
                                   "req R1-x\n",
                                   "{",
                                   "}",
                                   "*",
                                   "%",
                                   "-5",
                                   "0.5",
                                   "\"",
                                   "\\\n",
                                   "#"};

static void random_words_are_read_or_told(void **state)
{
    (void)state;
    uint64_t seed = 4711;
    for (int i = 0; i < SOUPS; i++) {
        char text[2048];
        struct lwp_writer out = lwp_writer_on(text, sizeof(text));
        size_t words = (size_t)(next_random(&seed) >> 20) % 60;
        while (words--) {
            lwp_write(&out, lwp_bytes_text(soup[(next_random(&seed) >> 20) % COUNT_OF(soup)]));
            if (next_random(&seed) >> 30 & 1)
                lwp_write(&out, lwp_bytes_text(" "));
        }
        assert_reads_or_tells(lwp_writer_bytes(&out));
    }
}

static void a_scenario_with_any_byte_changed_or_cut_is_read_or_told(void **state)
{
    (void)state;
    static const char text[] =
        "node A leader of t; topic t records=2; state one\non [A] out conn 3 ingest batch_id in "
        "[1,$x] skip 3 times 4 p=0.25 of d -> ack, then error not-leader \"a\" as json after 5ms, "
        "chop 43,1,* gap 5ms, xor -1 hex(ff), goto one as x optional\nexpect count ack >= 3 within "
        "1s~2s after x\nrate ingest <= 50% of the 100ms before";
    static const char others[] = "\0\n\"\\$#=(*,[5a;-%";
    for (size_t at = 0; at < sizeof(text) - 1; at++) {
        char copy[sizeof(text)];
        memcpy(copy, text, sizeof(text));
        assert_reads_or_tells(bytes_of(text, at));
        for (size_t i = 0; i < sizeof(others) - 1; i++) {
            copy[at] = others[i];
            assert_reads_or_tells(bytes_of(copy, sizeof(text) - 1));
        }
    }
}

/* The manual, ended by a zero; free it. */
static char *manual(void)
{
    size_t size = 0;
    char *text = script_slurp(LWP_SOURCE_DIR "/docs/script.md", &size);
    assert_non_null(text);
    return text;
}

static void the_examples_of_the_manual_are_sound_and_say_what_is_seen(void **state)
{
    (void)state;
    static const char fence[] = "```lwps\n";
    char *text = manual();
    size_t count = 0;
    for (char *at = strstr(text, fence); at; at = strstr(at, fence), count++) {
        at += sizeof(fence) - 1;
        char *end = strstr(at, "```\n");
        assert_non_null(end);
        end[0] = 0;
        struct script script;
        read_good(&script, at);
        assert_int_equal(script_check_dialect(&script, &lwp_dialect_lance), LWP_OK);
        assert_int_equal(script.scenarios.count + script.cases.count, 1);
        assert_memory_equal(at, "# ", 2);
        script_done(&script);
        at = end + 1;
    }
    assert_true(count >= 8);
    free(text);
}

/* The example in the last column of the action's row; it may be cut to `size`. */
static void example_of(const char *text, const char *word, char *example, size_t size)
{
    char row[64];
    (void)snprintf(row, sizeof(row), "\n| `%s", word);
    const char *at = strstr(text, row);
    while (at && at[strlen(row)] != '`' && at[strlen(row)] != ' ')
        at = strstr(at + 1, row);
    if (!at) {
        fail_msg("the manual has no row for %s", word);
        return;
    }
    const char *end = strchr(at + 1, '\n');
    const char *last = NULL;
    for (const char *tick = at; tick && tick < end; tick = strstr(tick + 1, "| `"))
        last = tick;
    (void)snprintf(example, size, "%.*s", (int)(end - last - 6), last + 3);
}

static void every_action_has_an_example_in_the_manual(void **state)
{
    (void)state;
    char *text = manual();
    for (int kind = 0; kind < SCRIPT_ACTION_COUNT; kind++) {
        char example[256], body[512];
        struct script script;
        const struct script_action_row *row = &script_action_rows[kind];
        const char *on = row->where & SCRIPT_AT_IN        ? "on ingest"
                         : row->where & SCRIPT_AT_CONNECT ? "on connect"
                                                          : "at 5ms";
        example_of(text, row->word, example, sizeof(example));
        (void)snprintf(body, sizeof(body),
                       "state broken\non keepalive -> hold, barrier sent\n%s -> %s", on, example);
        const struct script_rule *rules = read_rule(&script, body);
        bool is_there = false;
        for (size_t i = 0; i < rules[1].actions.count; i++)
            is_there = is_there || rules[1].actions.items[i].kind == (enum script_action_kind)kind;
        if (!is_there)
            fail_msg("'%s' is no example of %s", example, row->word);
        script_done(&script);
    }
    free(text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_action_is_read_into_its_members),
        cmocka_unit_test(an_action_is_read_the_same_among_others),
        cmocka_unit_test(every_answer_can_come_later),
        cmocka_unit_test(chop_takes_the_numbers_behind_its_commas),
        cmocka_unit_test(frames_of_actions_have_their_fields),
        cmocka_unit_test(triggers_are_read_in_any_order),
        cmocka_unit_test(matches_say_where_and_what_and_how_narrow),
        cmocka_unit_test(a_rule_at_a_time_has_no_match_but_a_place),
        cmocka_unit_test(a_rule_without_a_name_is_called_by_its_place),
        cmocka_unit_test(rules_belong_to_the_state_above_them),
        cmocka_unit_test(a_scenario_is_set_up_as_it_says),
        cmocka_unit_test(generated_records_are_named_after_their_topic),
        cmocka_unit_test(expectations_are_read_into_their_members),
        cmocka_unit_test(a_case_for_clients_has_rules_and_reports),
        cmocka_unit_test(a_case_for_clients_must_be_able_to_fail),
        cmocka_unit_test(cases_and_scenarios_stand_in_one_file),
        cmocka_unit_test(a_variable_is_known_to_its_own_rule_only),
        cmocka_unit_test(what_is_counted_has_a_limit),
        cmocka_unit_test(random_words_are_read_or_told),
        cmocka_unit_test(a_scenario_with_any_byte_changed_or_cut_is_read_or_told),
        cmocka_unit_test(the_examples_of_the_manual_are_sound_and_say_what_is_seen),
        cmocka_unit_test(every_action_has_an_example_in_the_manual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
