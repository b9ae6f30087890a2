/* SPDX-License-Identifier: MIT */
/* What must have been seen at the end, and the words in which it is said that it was not. */
#include "mock_server/tests/play.h"

#define LANCE (&lwp_dialect_lance)

/* Three ingests at 0, 10 and 20 ms, of which the second is answered by Backpressure; at 30 ms a
 * keepalive, at 40 ms the peer hangs up, and what comes behind that is up to the script. */
static void act(struct play *play)
{
    const size_t peer = dial(play);
    for (unsigned id = 1; id <= 3; id++) {
        ingest(play, peer, id);
        pass_ms(play, 10);
    }
    say(play, peer, "keepalive");
    pass_ms(play, 10);
    hang_up(play, peer);
    pass_ms(play, 10);
}

/* The verdict on that with these expectations, all in line 3 of the script. */
static const char *judged(const char *expectations)
{
    static char text[sizeof(((struct play *)NULL)->verdict)];
    struct play play;
    char script[1024];
    (void)snprintf(script, sizeof(script),
                   "topic orders id=1\non ingest nth 2 -> backpressure as full\n%s", expectations);
    play_begin(&play, LANCE, script);
    act(&play);
    (void)snprintf(text, sizeof(text), "%s", verdict(&play));
    play_drop(&play);
    return text;
}

static void expectations_hold_for_what_was_seen(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "expect ingest",
        "expect ingest = 3",
        "expect count ingest = 3",
        "expect ingest >= 3",
        "expect ingest <= 3",
        "expect ingest < 4",
        "expect ingest > 2",
        "expect ingest != 2",
        "expect ingest in [3,3]",
        "expect ingest in [0,1000]",
        "expect ingest = 1 within 5ms",
        "expect ingest = 2 within 10ms",
        "expect ingest = 2 within 5ms~20ms",
        "expect ingest batch_id>1 = 2",
        "expect out ack = 2",
        "expect out frame = 4",
        "expect in frame = 4",
        "expect any frame = 8",
        "expect out backpressure = 1",
        "expect conn 1 ingest = 3",
        "expect conn 2 ingest = 0",
        "expect subscribe = 0",
        "expect ingest = 1 after full",
        "expect ingest = 1 within 10ms after full",
        "expect ingest = 0 within 9ms after full",
        "expect keepalive within 20ms after full",
        "expect connect = 1",
        "expect conn 1 connect",
        "expect conn 2 connect = 0",
        "expect close",
        "expect in close fin",
        "expect in close = 1 within 40ms",
        "expect close rst = 0",
        "expect in close rst = 0",
        "never subscribe",
        "never ingest batch_id>3",
        "never ingest within 11ms~19ms",
        "never in close within 20ms after full",
        "never keepalive within 29ms",
        "expect subscribe optional",
        "expect subscribe >= 3 optional",
        "rate ingest <= 100% of the 10ms before after full",
        "rate ingest <= 50% of the 20ms before after full",
        "rate ingest <= 50% of the 20ms before",
        "rate subscribe <= 50% of the 1s before optional",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *actual = judged(rows[i]);
        if (strcmp(actual, "") != 0)
            fail_msg("%s: %s", rows[i], actual);
    }
}

static void what_does_not_hold_is_said_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *expectation;
        const char *expected; /* Behind "t:3:1: ". */
    } rows[] = {
        {"expect subscribe", "expected >= 1 of these, saw 0"},
        {"expect ingest >= 4", "expected >= 4 of these, saw 3"},
        {"expect ingest = 2", "expected = 2 of these, saw 3"},
        {"expect ingest != 3", "expected != 3 of these, saw 3"},
        {"expect ingest < 3", "expected < 3 of these, saw 3"},
        {"expect ingest > 3", "expected > 3 of these, saw 3"},
        {"expect ingest <= 2", "expected <= 2 of these, saw 3"},
        {"expect ingest in [1,2]", "expected in [1,2] of these, saw 3"},
        {"expect ingest in [4,9]", "expected in [4,9] of these, saw 3"},
        {"expect ingest >= 3 within 15ms", "expected >= 3 of these, saw 2"},
        {"expect ingest >= 2 after full", "expected >= 2 of these, saw 1"},
        {"expect ingest > 3 optional", "expected > 3 of these, saw 3"},
        {"expect conn 2 ingest", "expected >= 1 of these, saw 0"},
        {"expect close rst", "expected >= 1 of these, saw 0"},
        {"expect in close rst", "expected >= 1 of these, saw 0"},
        {"never ingest", "expected none of these, saw 3"},
        {"never keepalive within 30ms", "expected none of these, saw 1"},
        {"never ingest after full", "expected none of these, saw 1"},
        {"never in close", "expected none of these, saw 1"},
        {"never out backpressure", "expected none of these, saw 1"},
        {"never out backpressure after full", "expected none of these, saw 1"},
        {"rate ingest <= 49% of the 20ms before after full",
         "expected a rate <= 49%, saw 2 before and 1 behind"},
        {"rate keepalive <= 50% of the 30ms before after full",
         "expected a rate <= 50%, saw 0 before and 1 behind"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char expected[256];
        (void)snprintf(expected, sizeof(expected), "t:3:1: %s\n", rows[i].expected);
        const char *actual = judged(rows[i].expectation);
        if (strcmp(actual, expected) != 0)
            fail_msg("%s: expected %s, not %s", rows[i].expectation, expected, actual);
    }
}

static void a_rule_that_never_fired_fails_the_run_unless_it_is_optional(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "scenario two\n  topic orders id=1\n"
               "  on ingest nth 3 -> backpressure\n"
               "  on ingest nth 4 -> backpressure as fourth\n"
               "  on subscribe -> drop-reply optional\n"
               "  at 1m -> keepalive as late\n"
               "  on fetch -> log \"x\"\n"
               "  expect fetch\n"
               "  never ingest");
    assert_verdict(&play, "t:3:3: the rule t:3 never fired (it matched 0 times)\n"
                          "t:4:3: the rule fourth never fired (it matched 0 times)\n"
                          "t:6:3: the rule late never fired (it matched 0 times)\n"
                          "t:7:3: the rule t:7 never fired (it matched 0 times)\n"
                          "t:8:3: expected >= 1 of these, saw 0\n");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 2);
    assert_verdict(&play, "t:3:3: the rule t:3 never fired (it matched 2 times)\n"
                          "t:4:3: the rule fourth never fired (it matched 2 times)\n"
                          "t:6:3: the rule late never fired (it matched 0 times)\n"
                          "t:7:3: the rule t:7 never fired (it matched 0 times)\n"
                          "t:8:3: expected >= 1 of these, saw 0\n"
                          "t:9:3: expected none of these, saw 2\n");
    assert_int_equal(lwp_mock_reached(play.mock, "decided"), LWP_OK);
    ingest_many(&play, peer, 3, 2);
    say(&play, peer, "fetch topic_id=1");
    pass_ms(&play, 60000);
    assert_verdict(&play, "t:9:3: expected none of these, saw 4\n");
    play_drop(&play);
}

static void every_reason_to_fail_is_said_and_all_scripts_are_judged(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\non ingest -> fail \"one\"\non keepalive -> fail \"two\"");
    play_load(&play, "u", "expect subscribe");
    play_load(&play, "v", "expect ingest = 2");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 2);
    say(&play, peer, "keepalive");
    assert_verdict(&play, "t: fail: one\nt: fail: one\nt: fail: two\n"
                          "u:1:1: expected >= 1 of these, saw 0\n");
    assert_string_equal(verdict(&play), verdict(&play));
    play_drop(&play);
}

static void a_rule_that_fails_at_each_frame_fills_no_memory(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE, "topic orders id=1\non keepalive -> fail \"again\"");
    const size_t peer = dial(&play);
    say(&play, peer, "keepalive");
    const size_t before = heap_in_use();
    push_many(&play, peer, "keepalive", 5000);
    settle(&play);
    assert_int_equal(bytes_heard(&play, peer).size, (size_t)5001 * LWP_HEADER_SIZE);
    assert_true(heap_in_use() < before + 2 * 1048576);
    assert_int_equal(strncmp(verdict(&play), "t: fail: again\n", 15), 0);
    assert_true(strlen(verdict(&play)) <= 100 * 15);
    play_drop(&play);
}

/* Ends of connections: who, and how. */

static void check_end(const char *rule, const char *expected_by, void (*end)(struct play *play))
{
    static const char *const ends[] = {"in close fin", "in close rst", "out close fin",
                                       "out close rst"};
    struct play play;
    char script[512];
    int size = snprintf(script, sizeof(script), "topic orders id=1\n%s\n", rule);
    for (size_t i = 0; i < COUNT_OF(ends); i++)
        size += snprintf(script + size, sizeof(script) - (size_t)size, "expect %s = %d\n", ends[i],
                         strcmp(ends[i], expected_by) == 0);
    play_begin(&play, LANCE, script);
    (void)dial(&play);
    end(&play);
    settle(&play);
    const char *actual = verdict(&play);
    if (strcmp(actual, "") != 0)
        fail_msg("%s: expected %s, but %s", rule, expected_by, actual);
    play_drop(&play);
}

static void say_keepalive(struct play *play)
{
    say(play, 1, "keepalive");
}

static void tear_first(struct play *play)
{
    tear(play, 1);
}

static void do_nothing(struct play *play)
{
    (void)play;
}

static void a_close_is_by_the_peer_or_by_the_mock(void **state)
{
    (void)state;
    check_end("", "in close rst", tear_first);
    check_end("on keepalive -> close", "out close fin", say_keepalive);
    check_end("on keepalive -> close rst", "out close rst", say_keepalive);
    check_end("on keepalive -> keepalive, close", "out close fin", say_keepalive);
    check_end("on keepalive -> keepalive, close rst", "out close rst", say_keepalive);
    check_end("on keepalive -> close rst after 20 bytes", "out close rst", say_keepalive);
    check_end("on connect -> refuse", "out close rst", do_nothing);
    check_end("on connect -> close", "out close fin", do_nothing);
    check_end("at 0ms -> close rst", "out close rst", do_nothing);
}

/* The log says so as well, with the rule. */
static void the_log_says_which_rule_has_closed(void **state)
{
    (void)state;
    static const char *const rules[] = {
        "on keepalive -> close rst as closing",
        "on keepalive -> keepalive, close rst as closing",
        "on keepalive -> close rst after 20 bytes as closing",
        "on out keepalive -> close rst as closing",
        "on out keepalive -> close rst after 3 bytes as closing",
        "on connect -> close rst after 20 bytes as closing",
        "at 10ms -> close rst as closing",
        "at 10ms -> close rst after 0 bytes as closing",
        "on connect -> refuse as closing",
    };
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        struct play play;
        play_begin(&play, LANCE, rules[i]);
        play_watch(&play);
        const size_t peer = dial(&play);
        say(&play, peer, "keepalive");
        pass_ms(&play, 20);
        const char *line = strstr(play_log(&play), "{\"event\":\"closed\"");
        assert_non_null(line);
        if (!strstr(line, "\"rule\":\"closing\"") || !strstr(line, "\"by\":\"rule\"") ||
            !strstr(line, "\"how\":\"rst\""))
            fail_msg("%s: %s", rules[i], line);
        play_end(&play);
    }
}

static void what_happens_is_logged_with_its_rule_and_scenario(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "scenario s\n  topic orders id=1\n"
               "  on ingest -> error 1 \"x\", dup-reply as twice\n"
               "  on out error-response nth 2 -> xor 0 hex(ff) as spoilt\n"
               "  at 10ms -> keepalive as timed");
    play_watch(&play);
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 2);
    pass_ms(&play, 20);
    const char *log = play_log(&play);
    assert_non_null(strstr(log, "\"rule\":\"twice\""));
    assert_non_null(strstr(log, "\"scenario\":\"s\""));
    assert_non_null(strstr(log, "\"text\":\"error, dup-reply\""));
    assert_non_null(strstr(log, "\"rule\":\"spoilt\""));
    assert_non_null(strstr(log, "\"rule\":\"timed\""));
    assert_non_null(strstr(log, "\"damaged\":true"));
    play_end(&play);
}

static void variables_of_an_expectation_are_of_each_frame(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "expect ingest batch_id=$b record_count=$b = 1\n"
               "expect ingest batch_id=$b = 3");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 3);
    play_end(&play);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(expectations_hold_for_what_was_seen),
    cmocka_unit_test(what_does_not_hold_is_said_with_its_place),
    cmocka_unit_test(a_rule_that_never_fired_fails_the_run_unless_it_is_optional),
    cmocka_unit_test(every_reason_to_fail_is_said_and_all_scripts_are_judged),
    cmocka_unit_test(a_rule_that_fails_at_each_frame_fills_no_memory),
    cmocka_unit_test(a_close_is_by_the_peer_or_by_the_mock),
    cmocka_unit_test(the_log_says_which_rule_has_closed),
    cmocka_unit_test(what_happens_is_logged_with_its_rule_and_scenario),
    cmocka_unit_test(variables_of_an_expectation_are_of_each_frame),
};

int main(void)
{
    return cmocka_run_group_tests_name("play_judge", tests, NULL, NULL);
}
