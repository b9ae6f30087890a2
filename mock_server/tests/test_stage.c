/* SPDX-License-Identifier: MIT */
/* Rules are looked at only for what they can be about: none may be passed over for it. */
#include "lwp/tests/support.h"

#include "mock_server/stage.h"

enum { ROOM = 65536 };

/* One rule for each kind of sight and for all frames; the names tell what they are about. */
static const char rules[] = "scenario all\n"
                            "  on connect -> log \"c\" as connect\n"
                            "  on in ingest -> log \"i\" as in-ingest\n"
                            "  on in keepalive -> log \"k\" as in-keepalive\n"
                            "  on in fetch -> log \"f\" as in-fetch\n"
                            "  on in subscribe -> log \"s\" as in-subscribe\n"
                            "  on in frame -> log \"a\" as in-frame\n"
                            "  on out ack -> log \"o\" as out-ack\n"
                            "  on out keepalive -> log \"k\" as out-keepalive\n"
                            "  on out fetch-response -> log \"f\" as out-fetch-response\n"
                            "  on out backpressure -> log \"b\" as out-backpressure\n"
                            "  on out frame -> log \"a\" as out-frame\n"
                            "  on any frame -> log \"a\" as any-frame\n"
                            "  on in ingest batch_id=7 -> log \"7\" as in-seven\n"
                            "  on in ingest batch_id>7 -> log \"8\" as in-more\n"
                            "  on any frame batch_id in [7,9] -> log \"9\" as any-seven-to-nine\n"
                            "  on out ack batch_id=max -> log \"m\" as out-max\n"
                            "  on in ingest batch_id=$b topic_id=3 -> log \"v\" as in-topic-three\n"
                            "  at 1s -> log \"t\" as later\n"
                            "  expect connect = 2\n"
                            "  expect close = 1\n"
                            "  expect ingest >= 1\n"
                            "  expect out ack batch_id=max = 1\n"
                            "  never out backpressure\n";

struct played {
    struct lwp_stage *stage;
    struct stage_peer peer;
    char text[ROOM];
};

static void set_up(struct played *played)
{
    const struct stage_load load = {
        .name = "all.lwps", .text = lwp_bytes_text(rules), .dialect = &lwp_dialect_lance};
    const struct script_scenario *scenario = NULL;
    struct lwp_writer problems = lwp_writer_on((uint8_t *)played->text, ROOM - 1);
    *played = (struct played){.peer = {.number = 1, .dialect = &lwp_dialect_lance}};
    assert_int_equal(stage_new(1, &played->stage), LWP_OK);
    const enum lwp_status status = stage_load(played->stage, &load, &problems, &scenario);
    played->text[problems.size] = '\0';
    assert_string_equal(played->text, "");
    assert_int_equal(status, LWP_OK);
}

static void tear_down(struct played *played)
{
    stage_free(played->stage);
    free(played->peer.drawn);
}

static void see(struct played *played, enum script_direction direction, uint8_t flags,
                uint64_t batch_id)
{
    struct stage_decision decision;
    struct lwp_frame frame = frame_of(flags, bytes_of(NULL, 0));
    frame.header.batch_id = batch_id;
    if (batch_id == 8)
        frame.header.topic_id = 3;
    (void)(direction == SCRIPT_IN ? stage_frame_in : stage_frame_out)(played->stage, &played->peer,
                                                                      &frame, 0, &decision);
}

/* How often the rule of this name was about what was seen. */
static unsigned matched(struct played *played, const char *name)
{
    struct lwp_writer out = lwp_writer_on((uint8_t *)played->text, ROOM - 1);
    char begin[80];
    unsigned count = 0;
    stage_list(played->stage, &out);
    played->text[out.size] = '\0';
    (void)snprintf(begin, sizeof(begin), "%s all.lwps:", name);
    const char *at = strstr(played->text, begin);
    assert_non_null(at);
    assert_int_equal(sscanf(strstr(at, "matched"), "matched %u", &count), 1);
    return count;
}

static void see_all(struct played *played)
{
    struct stage_decision decision;
    assert_true(stage_connected(played->stage, &played->peer, 0, &decision));
    see(played, SCRIPT_IN, LWP_FLAG_BATCH, 6);
    see(played, SCRIPT_IN, LWP_FLAG_BATCH, 7);
    see(played, SCRIPT_IN, LWP_FLAG_BATCH, 8);
    see(played, SCRIPT_IN, LWP_FLAG_KEEPALIVE, 0);
    see(played, SCRIPT_IN, LWP_FLAG_CONTROL, LWP_COMMAND_FETCH);
    see(played, SCRIPT_IN, LWP_FLAG_CONTROL, LWP_COMMAND_SUBSCRIBE);
    see(played, SCRIPT_IN, 0, 7); /* Of no kind. */
    see(played, SCRIPT_OUT, LWP_FLAG_ACK, 7);
    see(played, SCRIPT_OUT, LWP_FLAG_ACK, UINT64_MAX);
    see(played, SCRIPT_OUT, LWP_FLAG_KEEPALIVE, 0);
    see(played, SCRIPT_OUT, LWP_FLAG_CONTROL, LWP_COMMAND_FETCH_RESPONSE);
    stage_closed(played->stage, &played->peer, SCRIPT_IN, LWP_CLOSE_FIN, 0);
}

static void each_rule_is_about_what_it_says_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned count;
    } rows[] = {{"connect", 1},          {"in-ingest", 3},      {"in-keepalive", 1},
                {"in-fetch", 1},         {"in-subscribe", 1},   {"in-frame", 7},
                {"out-ack", 2},          {"out-keepalive", 1},  {"out-fetch-response", 1},
                {"out-backpressure", 0}, {"out-frame", 4},      {"any-frame", 11},
                {"in-seven", 1},         {"in-more", 1},        {"any-seven-to-nine", 4},
                {"out-max", 1},          {"in-topic-three", 1}, {"later", 0}};
    struct played played;
    set_up(&played);
    see_all(&played);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (matched(&played, rows[i].name) != rows[i].count)
            print_error("%s\n", rows[i].name);
        assert_int_equal(matched(&played, rows[i].name), rows[i].count);
    }
    tear_down(&played);
}

/* Writes the verdict. */
static const char *verdict(struct played *played)
{
    struct lwp_writer out = lwp_writer_on((uint8_t *)played->text, ROOM - 1);
    (void)stage_verdict(played->stage, &out);
    played->text[out.size] = '\0';
    return played->text;
}

static void expectations_see_what_they_are_about(void **state)
{
    (void)state;
    struct played played;
    set_up(&played);
    see_all(&played);
    assert_non_null(strstr(verdict(&played), "expected = 2 of these, saw 1"));
    assert_null(strstr(verdict(&played), "saw 0"));
    assert_false(stage_has_failed(played.stage));
    see(&played, SCRIPT_OUT, LWP_FLAG_BACKPRESSURE, 0);
    assert_true(stage_has_failed(played.stage));
    tear_down(&played);
}

static void rules_at_a_time_are_due_once_and_only_then(void **state)
{
    (void)state;
    enum { SECOND = 1000000000 };
    struct played played;
    struct stage_decision decision;
    set_up(&played);
    assert_true(stage_deadline(played.stage) == UINT64_MAX);
    assert_null(stage_due(played.stage, 10 * (uint64_t)SECOND));
    stage_begin(played.stage, SECOND);
    assert_true(stage_connected(played.stage, &played.peer, SECOND, &decision));
    assert_true(stage_deadline(played.stage) == 2 * (uint64_t)SECOND);
    assert_null(stage_due(played.stage, 2 * (uint64_t)SECOND - 1));
    assert_non_null(stage_due(played.stage, 2 * (uint64_t)SECOND));
    assert_null(stage_due(played.stage, 2 * (uint64_t)SECOND));
    assert_true(stage_deadline(played.stage) == UINT64_MAX);
    tear_down(&played);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_rule_is_about_what_it_says_and_nothing_else),
    cmocka_unit_test(expectations_see_what_they_are_about),
    cmocka_unit_test(rules_at_a_time_are_due_once_and_only_then),
};

int main(void)
{
    return cmocka_run_group_tests_name("stage", tests, NULL, NULL);
}
