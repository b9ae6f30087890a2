/* SPDX-License-Identifier: MIT */
/* Answers of scripts, as the peer hears them. */
#include "mock_server/tests/play.h"

#define LANCE (&lwp_dialect_lance)
#define SPEC (&lwp_dialect_spec)
#define PY (&lwp_dialect_lance_py)

/* What is answered to one frame by a rule with these actions. */
struct row {
    const struct lwp_dialect *dialect;
    const char *actions;
    const char *expected;
};

static void check_row(const struct row *row, const char *kind, const char *asked)
{
    struct play play;
    char script[1024];
    (void)snprintf(script, sizeof(script), "topic orders id=1\non %s -> %s", kind, row->actions);
    play_begin(&play, row->dialect, script);
    const size_t peer = dial(&play);
    say(&play, peer, asked);
    const char *actual = heard(&play, peer);
    if (strcmp(actual, row->expected) != 0)
        fail_msg("%s, %s: expected %s, heard %s", row->dialect->name, row->actions, row->expected,
                 actual);
    play_end(&play);
}

static void check_rows(const struct row *rows, size_t count, const char *kind, const char *asked)
{
    for (size_t i = 0; i < count; i++)
        check_row(&rows[i], kind, asked);
}

#define INGEST_A "ingest batch_id=7 topic_id=1 records=raw(\"a\")"
#define ERR "error-response "

static void every_answer_has_the_form_of_the_dialect_or_the_one_asked_for(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {LANCE, "ack", "ack batch_id=7"},
        {SPEC, "ack", "ack batch_id=7"},
        {PY, "ack", "ack batch_id=7"},
        {LANCE, "backpressure", "backpressure"},
        {SPEC, "backpressure", "backpressure"},
        {PY, "backpressure", "backpressure"},
        {LANCE, "keepalive", "keepalive"},
        {SPEC, "keepalive", "keepalive"},
        {PY, "keepalive", "keepalive"},
        {LANCE, "error storage-error", ERR "I/O error: "},
        {SPEC, "error storage-error", ERR "{\"code\":97,\"message\":\"Storage error\"}"},
        {PY, "error storage-error", ERR "{\"code\":97,\"message\":\"Storage error\"}"},
        {SPEC, "error storage-error as text", ERR "I/O error: "},
        {PY, "error storage-error \"disk\" as text", ERR "disk"},
        {PY, "error storage-error \"disk\" as json", ERR "{\"code\":97,\"message\":\"disk\"}"},
        {LANCE, "rate-limited 100ms", ERR "Rate limit exceeded"},
        {LANCE, "rate-limited", ERR "Rate limit exceeded"},
        {SPEC, "rate-limited 100ms",
         ERR
         "{\"code\":48,\"message\":\"Rate limit exceeded\",\"details\":{\"retry_after_ms\":100}}"},
        {PY, "rate-limited", ERR "{\"code\":48,\"message\":\"Rate limit exceeded\"}"},
        {PY, "rate-limited 2s as text", ERR "Rate limit exceeded"},
        {LANCE, "leader-unknown", ERR "NOT_LEADER: leader unknown"},
        {SPEC, "leader-unknown", ERR "{\"code\":34,\"message\":\"Leader unknown\"}"},
        {PY, "leader-unknown as json", ERR "{\"code\":34,\"message\":\"Leader unknown\"}"},
        {PY, "leader-unknown as text", ERR "NOT_LEADER: leader unknown"},
    };
    check_rows(rows, COUNT_OF(rows), "ingest", INGEST_A);
}

static void a_redirect_says_its_address_as_it_stands(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {LANCE, "redirect \"203.0.113.1:1992\"", ERR "NOT_LEADER: redirect to 203.0.113.1:1992"},
        {SPEC, "redirect \"203.0.113.1:1992\"",
         ERR "{\"code\":32,\"message\":\"Not the leader\","
             "\"details\":{\"leader_addr\":\"203.0.113.1:1992\"}}"},
        {PY, "redirect \"203.0.113.1:1992\" as json",
         ERR "{\"code\":32,\"message\":\"Not the leader\","
             "\"details\":{\"leader_addr\":\"203.0.113.1:1992\"}}"},
        {PY, "redirect \"203.0.113.1:1992\" as text",
         ERR "NOT_LEADER: redirect to 203.0.113.1:1992"},
        {LANCE, "redirect \"no:port:at all\"", ERR "NOT_LEADER: redirect to no:port:at all"},
        {LANCE, "redirect \"\"", ERR "NOT_LEADER: redirect to "},
        {SPEC, "redirect \"host:99999\\n\\\"\"",
         ERR "{\"code\":32,\"message\":\"Not the leader\","
             "\"details\":{\"leader_addr\":\"host:99999\\n\\\"\"}}"},
    };
    check_rows(rows, COUNT_OF(rows), "ingest", INGEST_A);
}

static void an_error_of_any_code_can_be_given(void **state)
{
    (void)state;
    for (unsigned code = 0; code < 256; code++) {
        char actions[64], expected[128];
        (void)snprintf(actions, sizeof(actions), "error %u \"x\"", code);
        (void)snprintf(expected, sizeof(expected), ERR "{\"code\":%u,\"message\":\"x\"}", code);
        check_row(&(struct row){SPEC, actions, expected}, "keepalive", "keepalive");
        check_row(&(struct row){LANCE, actions, ERR "x"}, "keepalive", "keepalive");
    }
}

#define FETCH_ALL "fetch topic_id=1 start_offset=5 max_bytes=100"

static void the_server_catches_up_in_every_form(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {LANCE, "catching-up 5", "catching-up server_offset=5"},
        {LANCE, "catching-up 5 as frame", "catching-up server_offset=5"},
        {LANCE, "catching-up 5 as text", ERR "CATCHING_UP"},
        {SPEC, "catching-up 5",
         ERR "{\"code\":20,\"message\":\"CATCHING_UP\",\"details\":{\"server_offset\":5}}"},
        {SPEC, "catching-up 0 as json",
         ERR "{\"code\":20,\"message\":\"CATCHING_UP\",\"details\":{\"server_offset\":0}}"},
        {SPEC, "catching-up 0 as text", ERR "CATCHING_UP"},
        {PY, "catching-up 5",
         ERR "{\"code\":20,\"message\":\"CATCHING_UP\",\"details\":{\"server_offset\":5}}"},
        {PY, "catching-up 5 as text", ERR "CATCHING_UP"},
        {LANCE, "catching-up max", "catching-up server_offset=18446744073709551615"},
    };
    check_rows(rows, COUNT_OF(rows), "fetch", FETCH_ALL);
}

static void a_server_can_catch_up_before_data_and_behind_them(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1 records=raw(\"a\")\n"
               "on fetch times 3 -> catching-up 0 step 2\n"
               "on fetch nth 5 times 2 -> catching-up 6\n");
    const size_t peer = dial(&play);
    for (int i = 0; i < 7; i++)
        say(&play, peer, "fetch topic_id=1 max_bytes=100");
    assert_heard(&play, peer,
                 "catching-up server_offset=0; catching-up server_offset=2; "
                 "catching-up server_offset=4; "
                 "fetch-response next_offset=6 bytes_returned=6 record_count=1 [json 1 \"a\"]; "
                 "catching-up server_offset=6; catching-up server_offset=6; "
                 "fetch-response next_offset=6 bytes_returned=6 record_count=1 [json 1 \"a\"]");
    play_end(&play);
}

static void a_server_can_catch_up_for_ever(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1 records=raw(\"a\")\non fetch -> catching-up 1 step 1\n");
    const size_t peer = dial(&play);
    for (int i = 0; i < 500; i++)
        say(&play, peer, "fetch topic_id=1 max_bytes=100");
    (void)heard(&play, peer);
    pass_ms(&play, 60000);
    say(&play, peer, "fetch topic_id=1 max_bytes=100");
    assert_heard(&play, peer, "@60000 catching-up server_offset=501");
    play_end(&play);
}

static void data_topics_and_verdicts_on_tokens_can_be_made_up(void **state)
{
    (void)state;
    static const struct row fetches[] = {
        {LANCE, "fetch-reply next_offset=10 records=raw(\"hello\")",
         "fetch-response next_offset=10 bytes_returned=10 record_count=1 [json 5 \"hello\"]"},
        /* Where it does not say so it goes on from where it was asked. */
        {LANCE, "fetch-reply records=raw(\"a\")+raw(\"b\")",
         "fetch-response next_offset=17 bytes_returned=12 record_count=1 "
         "[json 1 \"a\", json 1 \"b\"]"},
        {SPEC, "fetch-reply records=raw(\"a\")+raw(\"b\")",
         "fetch-response next_offset=17 bytes_returned=12 record_count=2 "
         "[raw 1 \"a\", raw 1 \"b\"]"},
        {LANCE, "fetch-reply next_offset=3 record_count=9",
         "fetch-response next_offset=3 bytes_returned=0 record_count=9 []"},
    };
    static const struct row topics[] = {
        {LANCE, "topic-reply id=9 name=\"made-up\"",
         "topic-response {\"created_at\":0,\"id\":9,\"name\":\"made-up\",\"topic_epoch\":1}"},
        {LANCE, "topic-reply id=9 name=\"made-up\" created_at=5 topic_epoch=3",
         "topic-response {\"created_at\":5,\"id\":9,\"name\":\"made-up\",\"topic_epoch\":3}"},
        {SPEC, "topic-reply id=9 name=\"made-up\"",
         "topic-response {\"id\":9,\"name\":\"made-up\",\"created_at\":0}"},
        {PY, "topic-reply json=\"[not a document\"", "topic-response [not a document"},
    };
    static const struct row tokens[] = {
        {LANCE, "auth-reply ok", "authenticate-response ok=1 text=\"Authenticated\""},
        {LANCE, "auth-reply no", "authenticate-response ok=0 text=\"Invalid token\""},
        {PY, "auth-reply no \"expired\"", "authenticate-response ok=0 text=\"expired\""},
        {PY, "auth-reply ok \"\"", "authenticate-response ok=1 text=\"\""},
    };
    check_rows(fetches, COUNT_OF(fetches), "fetch", FETCH_ALL);
    check_rows(topics, COUNT_OF(topics), "create-topic", "create-topic name=\"made-up\"");
    check_rows(tokens, COUNT_OF(tokens), "authenticate", "authenticate token=\"secret\"");
}

static void any_frame_can_be_the_reply_right_or_wrong(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {LANCE, "reply ack batch_id=77", "ack batch_id=77"},
        {SPEC, "reply ingest batch_id=2 topic_id=1 records=raw(\"a\")",
         "ingest batch_id=2 topic_id=1 record_count=1 timestamp_ns=1700000000000000000 payload=6 "
         "[raw 1 \"a\"]"},
        {LANCE, "reply commit-ack consumer_id=1 offset=2", "commit-ack consumer_id=1 offset=2"},
        {LANCE, "reply ack header_crc=wrong", "HEADER_CHECKSUM"},
        {LANCE, "reply ack header_crc=other-polynomial", "HEADER_CHECKSUM"},
        {SPEC, "reply ack header_crc=other-polynomial", "HEADER_CHECKSUM"},
        {LANCE, "reply error-response text=\"a\" payload_crc=wrong", "PAYLOAD_CHECKSUM"},
        {SPEC, "reply error-response text=\"a\" payload_crc=other-polynomial", "PAYLOAD_CHECKSUM"},
        {LANCE, "reply ack magic=0", "INVALID_MAGIC"},
        {LANCE, "reply ack version=9", "INVALID_VERSION"},
    };
    check_rows(rows, COUNT_OF(rows), "keepalive", "keepalive");
}

static void raw_bytes_are_sent_as_they_stand(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\non connect -> raw \"hi\"\non keepalive -> raw hex(4c 41 4e 43)");
    const size_t peer = dial(&play);
    say(&play, peer, "keepalive");
    assert_bytes_equal(bytes_heard(&play, peer), bytes_of("hiLANC", 6));
    assert_pieces(&play, peer, "2 4");
    play_end(&play);
}

static void answers_can_be_given_on_connect_and_at_a_time(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on connect -> keepalive, reply ack batch_id=1\n"
               "at 10ms -> backpressure, then keepalive after 5ms, then raw \"x\" after 20ms\n"
               "at 20ms conn 2 -> reply ack batch_id=2");
    const size_t one = dial(&play);
    pass_ms(&play, 4);
    const size_t two = dial(&play);
    pass_ms(&play, 100);
    assert_heard(&play, one, "keepalive; ack batch_id=1; @10 backpressure; @15 keepalive");
    assert_heard(&play, two,
                 "keepalive; ack batch_id=1; @10 backpressure; @15 keepalive; @20 ack batch_id=2");
    assert_pieces(&play, one, "88 @10 44 @15 44 @35 1");
    play_end(&play);
}

static void what_comes_behind_then_is_late_by_the_sum(void **state)
{
    (void)state;
    struct play play;
    play_begin(
        &play, LANCE,
        "topic orders id=1\n"
        "on ingest nth 1 -> ack, then backpressure after 40ms, then keepalive after 2ms\n"
        "on keepalive -> error unknown-error \"one\", then error unknown-error \"two\" after "
        "10ms");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 2);
    pass_ms(&play, 39);
    assert_heard(&play, peer, "ack batch_id=1; ack batch_id=2");
    pass_ms(&play, 5);
    assert_heard(&play, peer, "@40 backpressure; @42 keepalive");
    say(&play, peer, "keepalive");
    pass_ms(&play, 20);
    assert_heard(&play, peer, "@44 error-response one; @54 error-response two");
    play_end(&play);
}

/* Backpressure. */

static void backpressure_comes_before_in_the_place_of_and_behind_the_ack(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on ingest nth 1 -> backpressure, apply\n"
               "on ingest nth 2 -> backpressure\n"
               "on ingest nth 3 -> ack, backpressure\n"
               "on ingest nth 4 -> backpressure, ack\n"
               "on ingest nth 5 -> backpressure, late-reply 10ms");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 5);
    pass_ms(&play, 20);
    assert_heard(&play, peer,
                 "backpressure; ack batch_id=1; "
                 "backpressure; "
                 "ack batch_id=3; backpressure; "
                 "backpressure; ack batch_id=4; "
                 "backpressure; @10 ack batch_id=5");
    assert_string_equal(stored(&play), "acde");
    play_end(&play);
}

static void backpressure_lasts_for_so_many_frames(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE, "topic orders id=1\non ingest nth 2 -> backpressure 3");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 2);
    say(&play, peer, "keepalive");
    ingest_many(&play, peer, 3, 4);
    assert_heard(&play, peer,
                 "ack batch_id=1; backpressure; keepalive; backpressure; backpressure; "
                 "ack batch_id=5; ack batch_id=6");
    assert_string_equal(stored(&play), "aef");
    play_end(&play);
}

static void backpressure_lasts_for_so_long(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE, "topic orders id=1\non ingest nth 2 -> backpressure 200ms");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 2);
    pass_ms(&play, 199);
    ingest(&play, peer, 3);
    pass_ms(&play, 1);
    ingest(&play, peer, 4);
    assert_heard(&play, peer,
                 "ack batch_id=1; backpressure; @199 backpressure; @200 ack batch_id=4");
    play_end(&play);
}

static void backpressure_goes_with_acks_that_are_held(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on ingest nth 2 -> backpressure, hold\n"
               "on ingest nth 3 times 2 -> hold\n"
               "at 300ms -> release");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 5);
    assert_heard(&play, peer, "ack batch_id=1; backpressure; ack batch_id=5");
    pass_ms(&play, 400);
    assert_heard(&play, peer, "@300 ack batch_id=2; ack batch_id=3; ack batch_id=4");
    assert_string_equal(stored(&play), "abcde");
    play_end(&play);
}

static void what_an_answer_answers_is_not_done_but_for_an_ack(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on ingest nth 1 -> error storage-error \"x\"\n"
               "on ingest nth 2 -> ack\n"
               "on ingest nth 3 -> redirect \"a:1\"\n"
               "on ingest nth 4 -> reply ack batch_id=4\n"
               "on ingest nth 5 -> error storage-error \"x\", apply\n"
               "on ingest nth 6 -> reply ack batch_id=6, apply\n"
               "on ingest nth 7 -> ack, no-apply\n"
               "on create-topic -> error storage-error \"x\"");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 7);
    say(&play, peer, "create-topic name=\"other\" ; list-topics");
    assert_heard(&play, peer,
                 "error-response x; ack batch_id=2; error-response NOT_LEADER: redirect to a:1; "
                 "ack batch_id=4; error-response x; ack batch_id=6; ack batch_id=7; "
                 "error-response x; topic-response {\"topics\":[{\"id\":1,\"name\":\"orders\","
                 "\"created_at\":0,\"topic_epoch\":1}]}");
    assert_string_equal(stored(&play), "bef");
    play_end(&play);
}

static void answers_among_acks_keep_the_order_of_the_batch(void **state)
{
    (void)state;
    struct play play;
    play_begin_with(
        &play, (struct lwp_mock_options){.dialect = LANCE, .ack_delay_ns = 5 * LWP_MILLISECOND_NS});
    play_load(&play, "t", "topic orders id=1\non ingest nth 2 -> ack, backpressure\n");
    const size_t peer = dial(&play);
    say(&play, peer,
        "ingest batch_id=1 topic_id=1 records=raw(\"a\") ; "
        "ingest batch_id=2 topic_id=1 records=raw(\"b\") ; keepalive ; "
        "ingest batch_id=3 topic_id=1 records=raw(\"c\")");
    pass_ms(&play, 10);
    assert_heard(&play, peer,
                 "keepalive; @5 ack batch_id=1; ack batch_id=2; backpressure; ack batch_id=3");
    play_end(&play);
}

/* Variables. */

static void each_frame_binds_the_variables_of_a_rule_anew(void **state)
{
    (void)state;
    struct play play;
    play_begin(
        &play, LANCE,
        "topic orders id=1\n"
        "on ingest batch_id=$b every 2 -> reply ack batch_id=$b topic_id=3\n"
        "on create-topic name=$b -> reply error-response text=$b\n"
        "on fetch topic_id=$t start_offset=$o -> fetch-reply next_offset=$o record_count=$t");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 4);
    say(&play, peer, "create-topic name=\"x\" ; create-topic name=\"why\"");
    say(&play, peer, "fetch topic_id=1 start_offset=5 ; fetch topic_id=2 start_offset=6");
    assert_heard(&play, peer,
                 "ack batch_id=1; ack batch_id=2 topic_id=3; ack batch_id=3; "
                 "ack batch_id=4 topic_id=3; error-response x; error-response why; "
                 "fetch-response next_offset=5 bytes_returned=0 record_count=1 []; "
                 "fetch-response next_offset=6 bytes_returned=0 record_count=2 []");
    play_end(&play);
}

static void variables_of_two_rules_on_one_frame_are_apart(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on ingest batch_id=$b -> reply ack batch_id=$b\n"
               "on ingest topic_id=$b -> log \"seen\"\n"
               "on out ack batch_id=$b -> set topic_id=$b crc keep");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 5, 2);
    assert_heard(&play, peer, "ack batch_id=5 topic_id=5; ack batch_id=6 topic_id=6");
    play_end(&play);
}

static void every_answer_was_seen(void **state)
{
    (void)state;
    check_played(SCRIPT_ANSWER);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_answer_has_the_form_of_the_dialect_or_the_one_asked_for),
    cmocka_unit_test(a_redirect_says_its_address_as_it_stands),
    cmocka_unit_test(an_error_of_any_code_can_be_given),
    cmocka_unit_test(the_server_catches_up_in_every_form),
    cmocka_unit_test(a_server_can_catch_up_before_data_and_behind_them),
    cmocka_unit_test(a_server_can_catch_up_for_ever),
    cmocka_unit_test(data_topics_and_verdicts_on_tokens_can_be_made_up),
    cmocka_unit_test(any_frame_can_be_the_reply_right_or_wrong),
    cmocka_unit_test(raw_bytes_are_sent_as_they_stand),
    cmocka_unit_test(answers_can_be_given_on_connect_and_at_a_time),
    cmocka_unit_test(what_comes_behind_then_is_late_by_the_sum),
    cmocka_unit_test(backpressure_comes_before_in_the_place_of_and_behind_the_ack),
    cmocka_unit_test(backpressure_lasts_for_so_many_frames),
    cmocka_unit_test(backpressure_lasts_for_so_long),
    cmocka_unit_test(backpressure_goes_with_acks_that_are_held),
    cmocka_unit_test(what_an_answer_answers_is_not_done_but_for_an_ack),
    cmocka_unit_test(answers_among_acks_keep_the_order_of_the_batch),
    cmocka_unit_test(each_frame_binds_the_variables_of_a_rule_anew),
    cmocka_unit_test(variables_of_two_rules_on_one_frame_are_apart),
    cmocka_unit_test(every_answer_was_seen),
};

int main(void)
{
    return cmocka_run_group_tests_name("play_answers", tests, NULL, NULL);
}
