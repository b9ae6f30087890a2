/* SPDX-License-Identifier: MIT */
/* Clock, states, barriers and verdicts of scripts; scripts that come and go while peers are there. */
#include "mock_server/tests/play.h"

#define LANCE (&lwp_dialect_lance)

/* The clock. */

static void advancing_makes_due_what_is_late(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on ingest -> late-reply 30s\n"
               "on keepalive -> advance 20s\n"
               "at 50s -> backpressure");
    const size_t peer = dial(&play);
    ingest(&play, peer, 1);
    say(&play, peer, "keepalive");
    assert_heard(&play, peer, "keepalive");
    say(&play, peer, "keepalive");
    assert_heard(&play, peer, "keepalive; ack batch_id=1");
    pass_ms(&play, 9999);
    assert_heard(&play, peer, "");
    pass_ms(&play, 1);
    assert_heard(&play, peer, "@10000 backpressure");
    play_end(&play);
}

static void a_frozen_clock_moves_only_when_it_is_advanced(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on ingest -> late-reply 10ms, freeze\n"
               "on keepalive -> advance 10ms\n");
    const size_t peer = dial(&play);
    ingest(&play, peer, 1);
    pass_ms(&play, 3600000);
    assert_heard(&play, peer, "");
    say(&play, peer, "keepalive");
    assert_heard(&play, peer, "@3600000 keepalive; ack batch_id=1");
    play_end(&play);
}

static void the_clock_can_be_moved_from_everywhere(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on conn 1 connect -> advance 1s\n"
               "on out ack -> advance 1s\n"
               "at 2s -> advance 1s\n"
               "at 3s -> keepalive, freeze\n"
               "at 4s -> backpressure optional");
    const size_t peer = dial(&play);
    ingest(&play, peer, 1);
    assert_heard(&play, peer, "ack batch_id=1; keepalive");
    pass_ms(&play, 100000);
    assert_heard(&play, peer, "");
    play_end(&play);
}

/* States. */

static void a_state_has_its_own_rules(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on list-topics -> error unknown-error \"always\"\n"
               "state sound\n"
               "on ingest nth 3 -> goto broken\n"
               "state broken\n"
               "on ingest -> error storage-error \"x\"\n"
               "on out error-response nth 3 -> goto sound\n");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 5);
    assert_heard(&play, peer,
                 "ack batch_id=1; ack batch_id=2; ack batch_id=3; error-response x; "
                 "error-response x");
    say(&play, peer, "list-topics");
    ingest_many(&play, peer, 6, 3);
    assert_heard(&play, peer,
                 "error-response always; ack batch_id=6; ack batch_id=7; ack batch_id=8");
    assert_string_equal(stored(&play), "abcfgh");
    play_end(&play);
}

static void a_state_is_left_on_connect_and_at_a_time(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on conn 2 connect -> goto two\n"
               "at 1s -> goto three\n"
               "state one\n"
               "on keepalive -> error unknown-error \"one\"\n"
               "state two\n"
               "on keepalive -> error unknown-error \"two\"\n"
               "on connect -> keepalive\n"
               "state three\n"
               "on keepalive -> error unknown-error \"three\"\n");
    const size_t peer = dial(&play);
    say(&play, peer, "keepalive");
    const size_t other = dial(&play), third = dial(&play);
    say(&play, peer, "keepalive");
    pass_ms(&play, 1000);
    say(&play, peer, "keepalive");
    assert_heard(&play, peer, "error-response one; error-response two; @1000 error-response three");
    assert_heard(&play, other, "");
    assert_heard(&play, third, "keepalive");
    play_end(&play);
}

/* Barriers. */

static void an_answer_waits_for_what_another_connection_does(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on conn 1 ingest nth 1 -> await sent\n"
               "on out conn 2 ack -> await sent\n"
               "on conn 3 keepalive -> barrier sent");
    const size_t one = dial(&play), two = dial(&play), three = dial(&play);
    ingest_many(&play, one, 1, 2);
    ingest_many(&play, two, 3, 2);
    assert_heard(&play, one, "ack batch_id=2");
    assert_heard(&play, two, "");
    pass_ms(&play, 50);
    say(&play, three, "keepalive");
    assert_heard(&play, one, "@50 ack batch_id=1");
    assert_heard(&play, two, "@50 ack batch_id=3; ack batch_id=4");
    assert_heard(&play, three, "@50 keepalive");
    ingest(&play, two, 5);
    assert_heard(&play, two, "ack batch_id=5");
    play_end(&play);
}

static void barriers_are_reached_on_connect_at_a_time_and_by_rules(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on ingest nth 1 -> await here\n"
               "on ingest nth 2 -> await later\n"
               "on ingest nth 3 -> await fired, late-reply 5ms\n"
               "on conn 2 connect -> barrier here\n"
               "at 10ms -> barrier later\n"
               "on keepalive -> barrier fired as named");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 3);
    assert_heard(&play, peer, "");
    (void)dial(&play);
    assert_heard(&play, peer, "ack batch_id=1");
    pass_ms(&play, 20);
    assert_heard(&play, peer, "@10 ack batch_id=2");
    assert_int_equal(lwp_mock_reached(play.mock, "later"), LWP_OK);
    assert_int_equal(lwp_mock_reached(play.mock, "named"), LWP_WOULD_BLOCK);
    say(&play, peer, "keepalive");
    pass_ms(&play, 20);
    assert_heard(&play, peer, "@20 keepalive; @25 ack batch_id=3");
    assert_int_equal(lwp_mock_reached(play.mock, "named"), LWP_OK);
    assert_int_equal(lwp_mock_reached(play.mock, "nobody"), LWP_INVALID_ARGUMENT);
    play_end(&play);
}

/* The log and the verdict. */

static void lines_are_logged_from_everywhere(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "scenario told\ntopic orders id=1\n"
               "on connect -> log \"one\"\n"
               "on ingest -> log \"two\" as second\n"
               "on out ack -> log \"three\"\n"
               "at 10ms -> log \"four\"");
    play_watch(&play);
    const size_t peer = dial(&play);
    ingest(&play, peer, 1);
    pass_ms(&play, 20);
    static const char *const texts[] = {"\"one\"", "\"two\"", "\"three\"", "\"four\""};
    const char *at = play_log(&play);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        do
            at = strstr(at + 1, "{\"event\":\"note\"");
        while (at && !strstr(at, texts[i]));
        assert_non_null(at);
        assert_non_null(strstr(at, "\"scenario\":\"told\""));
    }
    assert_non_null(strstr(play_log(&play), "\"rule\":\"second\""));
    play_end(&play);
}

static void a_fail_decides_the_run_from_everywhere(void **state)
{
    (void)state;
    static const char *const rules[] = {
        "on connect -> fail \"two leaders\"",
        "on ingest -> fail \"two leaders\"",
        "on out ack -> fail \"two leaders\"",
        "at 10ms -> fail \"two leaders\"",
        "on ingest -> pass, log \"x\"\nat 10ms -> fail \"two leaders\"",
    };
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        struct play play;
        char script[256];
        (void)snprintf(script, sizeof(script), "topic orders id=1\n%s", rules[i]);
        play_begin(&play, LANCE, script);
        assert_int_equal(lwp_mock_reached(play.mock, "decided"), LWP_WOULD_BLOCK);
        const size_t peer = dial(&play);
        ingest(&play, peer, 1);
        pass_ms(&play, 20);
        assert_heard(&play, peer, "ack batch_id=1");
        assert_int_equal(lwp_mock_reached(play.mock, "decided"), LWP_OK);
        assert_verdict(&play, "t: fail: two leaders\n");
        play_drop(&play);
    }
}

static void a_pass_decides_the_run(void **state)
{
    (void)state;
    static const char *const rules[] = {"on connect -> pass", "on ingest -> pass",
                                        "on out ack -> pass", "at 10ms -> pass"};
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        struct play play;
        char script[256];
        (void)snprintf(script, sizeof(script), "topic orders id=1\n%s", rules[i]);
        play_begin(&play, LANCE, script);
        const size_t peer = dial(&play);
        ingest(&play, peer, 1);
        pass_ms(&play, 20);
        assert_int_equal(lwp_mock_reached(play.mock, "decided"), LWP_OK);
        play_end(&play);
    }
}

/* Scripts that come and go. */

static void a_script_that_is_loaded_late_is_for_connections_that_are_open(void **state)
{
    (void)state;
    struct play play;
    play_begin_with(&play, (struct lwp_mock_options){.dialect = LANCE});
    const size_t peer = dial(&play);
    say(&play, peer, "create-topic name=\"orders\"");
    (void)heard(&play, peer);
    ingest(&play, peer, 1);
    pass_ms(&play, 1000);
    play_load(&play, "late", "on ingest nth 2 -> backpressure\nat 100ms -> keepalive");
    ingest_many(&play, peer, 2, 3);
    assert_heard(&play, peer, "ack batch_id=1; @1000 ack batch_id=2; backpressure; ack batch_id=4");
    pass_ms(&play, 200);
    assert_heard(&play, peer, "@1100 keepalive");
    play_end(&play);
}

static void a_second_script_comes_behind_the_first(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE, "topic orders id=1\non ingest nth 1 -> error 1 \"first\"");
    play_load(&play, "u",
              "on ingest times 2 -> error 1 \"second\"\non conn 1 ingest nth 3 -> hold");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 4);
    assert_heard(&play, peer, "error-response first; error-response second; error-response second");
    play_load(&play, "v", "on ingest nth 1 -> error 1 \"third\"");
    ingest_many(&play, peer, 5, 2);
    assert_heard(&play, peer, "error-response third; ack batch_id=6");
    play_end(&play);
}

static void a_broken_script_changes_nothing(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "on ingest -> backpresure",
        "topic fresh id=9\non ingest -> error 1 \"x\"\non connect -> ack",
        /* These can be read but not be had. */
        "topic fresh id=9\ntopic other id=1\non ingest -> error 1 \"x\"",
        "topic fresh id=9\ntopic orders id=7\non ingest -> error 1 \"x\"",
    };
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        struct play play;
        play_begin(&play, LANCE, "topic orders id=1\non ingest nth 2 -> backpressure");
        const size_t peer = dial(&play);
        assert_int_equal(lwp_mock_script(play.mock, "broken", broken[i]), LWP_INVALID_PAYLOAD);
        assert_non_null(strstr(lwp_mock_problems(play.mock), "broken:"));
        ingest_many(&play, peer, 1, 3);
        say(&play, peer, "get-topic topic_id=9");
        assert_heard(&play, peer,
                     "ack batch_id=1; backpressure; ack batch_id=3; "
                     "error-response Topic not found");
        play_end(&play);
    }
}

static void the_same_script_can_be_loaded_again_after_a_reset(void **state)
{
    (void)state;
    static const char script[] = "node A leader of orders ; node B\ntopic orders id=1\n"
                                 "on ingest nth 1 -> backpressure\nat 10ms -> keepalive";
    struct play play;
    play_begin_with(&play, (struct lwp_mock_options){.dialect = LANCE});
    for (int i = 0; i < 3; i++) {
        play_reset(&play);
        play_load(&play, "t", script);
        const size_t peer = dial(&play);
        ingest_many(&play, peer, 1, 2);
        assert_heard(&play, peer, "backpressure; ack batch_id=2");
        pass_ms(&play, 10);
        assert_non_null(strstr(heard(&play, peer), "keepalive"));
        assert_verdict(&play, "");
        pass_ms(&play, 1000);
    }
    play_end(&play);
}

/* What is late, held, collected or behind a barrier is sent as it was before the script; what is in the
 * middle of its pieces goes on. */
static void a_reset_sends_what_was_held(void **state)
{
    (void)state;
    for (int watched = 0; watched < 2; watched++) {
        struct play play;
        play_begin(&play, LANCE,
                   "topic orders id=1\n"
                   "on ingest nth 1 -> hold\n"
                   "on ingest nth 2 -> late-reply 50ms, xor 12 hex(ff)\n"
                   "on ingest nth 3 -> await nothing, dup-reply\n"
                   "on ingest nth 4 -> reorder 3\n"
                   "on ingest nth 5 -> chop 22 gap 20ms\n"
                   "on list-topics -> barrier nothing, release");
        if (watched)
            play_watch(&play);
        const size_t peer = dial(&play);
        ingest_many(&play, peer, 1, 5);
        assert_pieces(&play, peer, "22");
        pass_ms(&play, 10);
        play_reset(&play);
        pass_ms(&play, 100);
        assert_heard(&play, peer,
                     "@20 ack batch_id=5; ack batch_id=1; ack batch_id=3; ack batch_id=4; "
                     "ack batch_id=2");
        play_drop(&play);
    }
}

static void a_reset_leaves_open_connections_without_rules(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on connect -> chop 10,*, delay 20ms\n"
               "on ingest batch_id=$b -> set topic_id=$b\n"
               "on keepalive p=0.5 -> drop-reply\n"
               "at 5s -> close");
    const size_t peer = dial(&play);
    ingest(&play, peer, 1);
    for (int i = 0; i < 20; i++)
        say(&play, peer, "keepalive");
    play_reset(&play);
    settle(&play);
    (void)pieces(&play, peer);
    assert_non_null(strstr(heard(&play, peer), "ack batch_id=1; keepalive"));
    ingest(&play, peer, 2);
    pass_ms(&play, 10000);
    assert_pieces(&play, peer, "44");
    assert_heard(&play, peer, "ack batch_id=2");
    play_load(&play, "next", "on keepalive p=0.5 -> drop-reply");
    for (int i = 0; i < 20; i++)
        say(&play, peer, "keepalive");
    play_end(&play);
}

static void rules_are_disarmed_and_armed_again(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "scenario all\ntopic orders id=1\n"
               "on ingest -> hold as holding\n"
               "on keepalive -> release as releasing\n"
               "at 10ms -> backpressure as pushing");
    const size_t peer = dial(&play);
    ingest(&play, peer, 1);
    assert_int_equal(lwp_mock_disarm(play.mock, "holding"), LWP_OK);
    assert_int_equal(lwp_mock_disarm(play.mock, "pushing"), LWP_OK);
    assert_int_equal(lwp_mock_disarm(play.mock, "nothing"), LWP_INVALID_ARGUMENT);
    ingest(&play, peer, 2);
    assert_heard(&play, peer, "ack batch_id=2");
    assert_int_equal(lwp_mock_disarm(play.mock, "all"), LWP_OK);
    say(&play, peer, "keepalive");
    pass_ms(&play, 100);
    assert_heard(&play, peer, "keepalive");
    assert_int_equal(lwp_mock_arm(play.mock, "all"), LWP_OK);
    settle(&play);
    assert_heard(&play, peer, "@100 backpressure");
    ingest(&play, peer, 3);
    say(&play, peer, "keepalive");
    assert_heard(&play, peer, "ack batch_id=1; ack batch_id=3; keepalive");
    play_end(&play);
}

static void there_is_room_for_64_scripts(void **state)
{
    (void)state;
    enum { MANY = 64 };
    struct play play;
    play_begin_with(&play, (struct lwp_mock_options){.dialect = LANCE});
    for (int i = 0; i < MANY; i++) {
        char name[32], text[128];
        (void)snprintf(name, sizeof(name), "s%d", i);
        (void)snprintf(text, sizeof(text), "on keepalive nth %d -> error 1 \"%d\"", i + 1, i);
        play_load(&play, name, text);
    }
    assert_int_equal(lwp_mock_script(play.mock, "more", "on keepalive -> drop-reply"), LWP_FULL);
    const size_t peer = dial(&play);
    for (int i = 0; i < MANY; i++) {
        char expected[64];
        (void)snprintf(expected, sizeof(expected), "error-response %d", i);
        say(&play, peer, "keepalive");
        assert_heard(&play, peer, expected);
    }
    say(&play, peer, "keepalive");
    assert_heard(&play, peer, "keepalive");
    play_end(&play);
}

static void all_of_clock_and_flow_was_seen(void **state)
{
    (void)state;
    check_played(SCRIPT_FLOW);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(advancing_makes_due_what_is_late),
    cmocka_unit_test(a_frozen_clock_moves_only_when_it_is_advanced),
    cmocka_unit_test(the_clock_can_be_moved_from_everywhere),
    cmocka_unit_test(a_state_has_its_own_rules),
    cmocka_unit_test(a_state_is_left_on_connect_and_at_a_time),
    cmocka_unit_test(an_answer_waits_for_what_another_connection_does),
    cmocka_unit_test(barriers_are_reached_on_connect_at_a_time_and_by_rules),
    cmocka_unit_test(lines_are_logged_from_everywhere),
    cmocka_unit_test(a_fail_decides_the_run_from_everywhere),
    cmocka_unit_test(a_pass_decides_the_run),
    cmocka_unit_test(a_script_that_is_loaded_late_is_for_connections_that_are_open),
    cmocka_unit_test(a_second_script_comes_behind_the_first),
    cmocka_unit_test(a_broken_script_changes_nothing),
    cmocka_unit_test(the_same_script_can_be_loaded_again_after_a_reset),
    cmocka_unit_test(a_reset_sends_what_was_held),
    cmocka_unit_test(a_reset_leaves_open_connections_without_rules),
    cmocka_unit_test(rules_are_disarmed_and_armed_again),
    cmocka_unit_test(there_is_room_for_64_scripts),
    cmocka_unit_test(all_of_clock_and_flow_was_seen),
};

int main(void)
{
    return cmocka_run_group_tests_name("play_flow", tests, NULL, NULL);
}
