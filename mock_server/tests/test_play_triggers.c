/* SPDX-License-Identifier: MIT */
/* When rules are live, which of them counts, and that chance comes from the seed alone. */
#include "mock_server/tests/play.h"

#define LANCE (&lwp_dialect_lance)
#define SPEC (&lwp_dialect_spec)

/* Triggers. */

/* Which of so many keepalives the rule fires on: their digits and letters, 1 to 9, a to z. */
static const char *fired_on(const char *rule, unsigned count)
{
    static char letters[64];
    struct play play;
    size_t size = 0;
    play_begin(&play, LANCE, rule);
    const size_t peer = dial(&play);
    for (unsigned i = 1; i <= count; i++) {
        say(&play, peer, "keepalive");
        if (strcmp(heard(&play, peer), "keepalive") != 0)
            letters[size++] = (char)(i < 10 ? '0' + i : 'a' + i - 10);
    }
    letters[size] = '\0';
    play_drop(&play);
    return letters;
}

static void a_rule_fires_on_the_matches_that_its_triggers_leave(void **state)
{
    (void)state;
    static const struct {
        const char *triggers;
        const char *expected;
    } rows[] = {
        {"", "123456789abcdefghij"},
        {"nth 3", "3"},
        {"nth 3 times 2", "34"},
        {"times 2 nth 3", "34"},
        {"every 5", "5af"},
        {"every 5 times 2", "5a"},
        {"every 5 skip 5", "af"},
        {"skip 16", "hij"},
        {"skip 2 every 7", "7e"},
        {"skip 3 times 2", "45"},
        {"times 3", "123"},
        {"nth 5 skip 2", "5"},
        {"nth 19", "j"},
        {"nth 20", ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char rule[128];
        (void)snprintf(rule, sizeof(rule), "on keepalive %s -> drop-reply", rows[i].triggers);
        const char *actual = fired_on(rule, 19);
        if (strcmp(actual, rows[i].expected) != 0)
            fail_msg("%s: expected %s, fired on %s", rows[i].triggers, rows[i].expected, actual);
    }
}

static void after_a_rule_matches_are_counted_from_then_on(void **state)
{
    (void)state;
    assert_string_equal(fired_on("on keepalive nth 4 -> log \"now\" as first\n"
                                 "on keepalive nth 2 after first -> drop-reply",
                                 9),
                        "6");
    assert_string_equal(fired_on("on keepalive nth 4 -> backpressure as first\n"
                                 "on keepalive times 2 after first -> drop-reply",
                                 9),
                        "456");
    assert_string_equal(fired_on("on keepalive after second every 2 -> drop-reply\n"
                                 "on keepalive nth 3 -> log \"x\" as first\n"
                                 "on keepalive after first nth 2 -> log \"y\" as second",
                                 9),
                        "79");
    assert_string_equal(fired_on("on keepalive after never -> drop-reply\n"
                                 "on list-topics -> log \"x\" as never",
                                 9),
                        "");
}

static void a_rule_at_a_time_can_be_waited_for(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE, "at 20ms -> log \"now\" as now\non keepalive after now -> drop-reply");
    const size_t peer = dial(&play);
    say(&play, peer, "keepalive");
    pass_ms(&play, 20);
    say(&play, peer, "keepalive");
    assert_heard(&play, peer, "keepalive");
    play_end(&play);
}

static void chance_is_about_as_high_as_it_is_said(void **state)
{
    (void)state;
    enum { TIMES = 2000 };
    static const struct {
        const char *chance;
        size_t least, most;
    } rows[] = {{"0.25", 420, 580}, {"0.9", 1730, 1870}, {"0.01", 5, 40}, {"0.000001", 0, 2}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct play play;
        char rule[64];
        (void)snprintf(rule, sizeof(rule), "on keepalive p=%s -> drop-reply", rows[i].chance);
        play_begin(&play, LANCE, rule);
        const size_t peer = dial(&play);
        push_many(&play, peer, "keepalive", TIMES);
        settle(&play);
        const size_t lost = TIMES - bytes_heard(&play, peer).size / LWP_HEADER_SIZE;
        assert_in_range(lost, rows[i].least, rows[i].most);
        play_drop(&play);
    }
}

/* Two rules that are thrown for at each keepalive: how the first one fires tells of the second one. */
static void rules_with_one_stream_share_its_dice(void **state)
{
    (void)state;
    static const char *const apart = "seed 3\non keepalive p=0.5 -> drop-reply\n"
                                     "on keepalive p=0.5 -> log \"x\"";
    static const char *const shared = "seed 3\non keepalive p=0.5 of one -> drop-reply\n"
                                      "on keepalive p=0.5 of one -> log \"x\"";
    char first[64], second[64];
    (void)snprintf(first, sizeof(first), "%s", fired_on(apart, 35));
    (void)snprintf(second, sizeof(second), "%s", fired_on(shared, 35));
    assert_in_range(strlen(first), 8, 27);
    assert_string_not_equal(first, second);
    /* Another rule of the stream takes every second number away. */
    assert_string_not_equal(fired_on("seed 3\non keepalive p=0.5 of one -> drop-reply", 35),
                            second);
    assert_string_equal(fired_on(shared, 35), second);
}

static void a_span_goes_on_whatever_the_triggers_say(void **state)
{
    (void)state;
    assert_string_equal(fired_on("on keepalive nth 3 -> backpressure 4", 9), "3456");
    assert_string_equal(fired_on("on keepalive every 4 times 2 -> backpressure 2", 15), "4589");
    assert_string_equal(fired_on("on keepalive times 1 -> backpressure 3", 9), "123");
}

/* What rules are about. */

static void rules_compare_what_they_name_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *match;
        const char *expected; /* Which of the ingests 1 to 6 are answered otherwise. */
    } rows[] = {
        {"ingest batch_id=3", "3"},
        {"ingest batch_id!=3", "12456"},
        {"ingest batch_id<3", "12"},
        {"ingest batch_id<=3", "123"},
        {"ingest batch_id>3", "456"},
        {"ingest batch_id>=3", "3456"},
        {"ingest batch_id in [2,4]", "234"},
        {"ingest batch_id>2 batch_id<5", "34"},
        {"ingest topic_id=1 record_count=1", "123456"},
        {"ingest topic_id=2", ""},
        {"ingest flags=4", "123456"},
        {"ingest payload_length=max", ""},
        {"frame batch_id=6", "6"},
        {"frame", "123456"},
        {"exactly ingest", ""},
        {"in ingest", "123456"},
        {"out ack batch_id=2", "2"},
        {"out frame batch_id>=5", "56"},
        {"any ack", "123456"},
        {"any ingest", "123456"},
        {"ack", ""},
        {"out ingest", ""},
        {"conn 1 ingest", "123456"},
        {"conn 2 ingest", ""},
        {"conn bob ingest", "123456"},
        {"conn alice ingest", ""},
        {"ingest records=raw(\"d\")", "4"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct play play;
        char rule[128], actual[16] = "";
        (void)snprintf(rule, sizeof(rule), "topic orders id=1\non %s -> drop-reply", rows[i].match);
        play_begin(&play, LANCE, rule);
        assert_int_equal(lwp_mock_tag(play.mock, "next", "bob"), LWP_OK);
        const size_t peer = dial(&play);
        for (unsigned id = 1; id <= 6; id++) {
            ingest(&play, peer, id);
            if (strcmp(heard(&play, peer), "") == 0)
                actual[strlen(actual)] = (char)('0' + id);
        }
        if (strcmp(actual, rows[i].expected) != 0)
            fail_msg("%s: expected %s, matched %s", rows[i].match, rows[i].expected, actual);
        play_drop(&play);
    }
}

static void rules_see_payloads_documents_and_codes(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, SPEC,
               "topic orders id=1\n"
               "on fetch topic_id=1 start_offset>=100 -> error 1 \"far\" as text\n"
               "on create-topic name=\"bad\" -> error 1 \"named\" as text\n"
               "on commit-offset consumer_id=7 -> drop-reply\n"
               "on out error-response code=topic-not-found -> xor 0 hex(00), log \"x\"\n"
               "on out topic-response json.name=\"new\" -> dup-reply\n"
               "on out error-response json.code=17 -> drop-reply");
    const size_t peer = dial(&play);
    say(&play, peer, "fetch topic_id=1 start_offset=100 ; create-topic name=\"bad\"");
    assert_heard(&play, peer, "error-response far; error-response named");
    say(&play, peer, "commit-offset topic_id=1 consumer_id=7 offset=1");
    say(&play, peer, "commit-offset topic_id=1 consumer_id=8 offset=1");
    assert_heard(&play, peer, "commit-ack consumer_id=8 offset=1");
    say(&play, peer,
        "create-topic name=\"new\" ; create-topic name=\"new\" ; get-topic topic_id=9");
    assert_heard(&play, peer,
                 "topic-response {\"id\":2,\"name\":\"new\",\"created_at\":5}; "
                 "topic-response {\"id\":2,\"name\":\"new\",\"created_at\":5}; "
                 "error-response {\"code\":16,\"message\":\"Topic not found\"}");
    play_end(&play);
}

static void a_connection_is_told_by_its_number_or_label(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "on conn 2 keepalive -> error 1 \"two\"\n"
               "on conn bob keepalive -> error 1 \"bob\"\n"
               "on conn 3 connect -> keepalive");
    const size_t one = dial(&play), two = dial(&play);
    assert_int_equal(lwp_mock_tag(play.mock, "next", "bob"), LWP_OK);
    const size_t three = dial(&play);
    for (size_t peer = one; peer <= three; peer++)
        say(&play, peer, "keepalive");
    assert_heard(&play, one, "keepalive");
    assert_heard(&play, two, "error-response two");
    assert_heard(&play, three, "keepalive; error-response bob");
    assert_int_equal(lwp_mock_tag(play.mock, "1", "bob"), LWP_OK);
    say(&play, one, "keepalive");
    assert_heard(&play, one, "error-response bob");
    play_end(&play);
}

/* Which rule counts. */

static void the_narrowest_scope_decides_and_in_it_the_order_of_the_file(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "node A leader of orders ; node B\ntopic orders id=1\n"
               "on ingest -> error 1 \"cluster\"\n"
               "on [A] ingest -> error 1 \"node\"\n"
               "on ingest topic_id=1 batch_id>1 -> error 1 \"topic\"\n"
               "on conn 3 ingest batch_id>2 -> error 1 \"connection\"\n"
               "on create-topic -> error 1 \"cluster\"\n"
               "on create-topic name=\"x\" -> error 1 \"topic\"");
    const size_t b = dial_on(&play, "B");
    const size_t a = dial_on(&play, "A");
    const size_t three = dial_on(&play, "A");
    ingest_many(&play, b, 1, 2);
    ingest_many(&play, a, 1, 3);
    ingest_many(&play, three, 1, 3);
    assert_heard(&play, b, "error-response cluster; error-response topic");
    assert_heard(&play, a, "error-response node; error-response topic; error-response topic");
    assert_heard(&play, three,
                 "error-response node; error-response topic; error-response connection");
    say(&play, a, "create-topic name=\"x\" ; create-topic name=\"y\"");
    assert_heard(&play, a, "error-response topic; error-response cluster");
    play_end(&play);
}

static void only_the_first_live_rule_answers_but_all_faults_apply(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on ingest times 1 -> error 1 \"abc\", xor 44 hex(01)\n"
               "on ingest -> error 1 \"x\", xor 45 hex(01)\n"
               "on ingest -> xor 46 hex(01), log \"seen\"\n"
               "on conn 1 ingest nth 3 -> delay 10ms");
    const size_t peer = dial(&play);
    ingest(&play, peer, 1);
    const struct lwp_bytes came = bytes_heard(&play, peer);
    assert_bytes_equal(lwp_bytes_from(came, LWP_HEADER_SIZE),
                       bytes_of("\x60\x63\x62", 3)); /* abc, each with its lowest bit turned. */
    ingest_many(&play, peer, 2, 2);
    pass_ms(&play, 20);
    assert_pieces(&play, peer, "47 45 @10 45");
    play_end(&play);
}

static void an_exhausted_rule_hides_nothing(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on conn 1 ingest times 1 -> error 1 \"connection\"\n"
               "on ingest topic_id=1 times 2 -> error 1 \"topic\"\n"
               "on ingest nth 4 -> error 1 \"cluster\"");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 5);
    assert_heard(&play, peer,
                 "error-response connection; error-response topic; error-response topic; "
                 "error-response cluster; ack batch_id=5");
    play_end(&play);
}

static void there_is_one_decision_before_anything_is_done(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "state one\n"
               "on keepalive -> goto two, barrier here as gone\n"
               "on keepalive -> error 1 \"one\"\n"
               "on keepalive after gone -> log \"not yet\"\n"
               "state two\n"
               "on keepalive -> error 1 \"two\", goto one");
    const size_t peer = dial(&play);
    say(&play, peer, "keepalive ; keepalive ; keepalive");
    assert_heard(&play, peer, "error-response one; error-response two; error-response one");
    play_end(&play);
}

static void all_is_armed_before_the_first_connection(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1 records=raw(\"a\")\n"
               "on conn 1 connect -> keepalive\n"
               "at 0ms -> backpressure\n"
               "on ingest nth 1 -> drop-reply");
    pass_ms(&play, 10000);
    const size_t peer = dial(&play);
    assert_heard(&play, peer, "keepalive; backpressure");
    ingest_many(&play, peer, 2, 2);
    assert_heard(&play, peer, "ack batch_id=3");
    assert_string_equal(stored(&play), "abc");
    play_end(&play);
}

static void times_count_from_the_first_accepted_connection(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "at 200ms -> keepalive\nat 100ms -> backpressure\nat 100ms -> reply ack batch_id=1");
    pass_ms(&play, 5000);
    const size_t one = dial(&play);
    pass_ms(&play, 150);
    const size_t two = dial(&play);
    pass_ms(&play, 1000);
    assert_heard(&play, one, "@5100 backpressure; ack batch_id=1; @5200 keepalive");
    assert_heard(&play, two, "@5200 keepalive");
    play_end(&play);
}

/* The dice. */

/* A script in which nearly all is chance, and how three peers fare with it. */
static const char chances[] = "%stopic orders id=1 records=raw(\"abcdef\")*30\n"
                              "on ingest p=0.3 -> late-reply 1ms~90ms\n"
                              "on ingest p=0.3 of shared -> dup-reply\n"
                              "on ingest p=0.5 -> reorder 3\n"
                              "on out frame p=0.2 of shared -> delay 1ms~40ms\n"
                              "on out frame p=0.2 -> delay 1ms~40ms inorder\n"
                              "on out ack p=0.2 -> xor 20 hex(ff)\n"
                              "on fetch p=0.5 -> catching-up 0 step 3\n"
                              "on conn 3 keepalive p=0.1 -> close after 20 bytes\n"
                              "on out frame p=0.3 -> chop 10 gap 1ms";

/* All bytes that the peers hear and when they came; the caller frees them. */
static char *fare(const char *seed, uint64_t option, bool watched)
{
    enum { ROOM = 4194304, ROUNDS = 60 };
    struct play play;
    char script[1024];
    char *all = malloc(ROOM);
    size_t at = 0;
    (void)snprintf(script, sizeof(script), chances, seed);
    play_begin_with(&play, (struct lwp_mock_options){.dialect = LANCE, .seed = option});
    play_load(&play, "t", script);
    if (watched)
        play_watch(&play);
    for (int i = 0; i < 3; i++)
        (void)dial(&play);
    for (unsigned round = 1; round <= ROUNDS; round++) {
        for (size_t peer = 1; peer <= 3; peer++) {
            ingest(&play, peer, round);
            say(&play, peer, "keepalive ; fetch topic_id=1 max_bytes=50");
        }
        pass_ms(&play, round % 7);
    }
    pass_ms(&play, 5000);
    for (size_t peer = 1; peer <= 3; peer++) {
        const struct lwp_bytes came = bytes_heard(&play, peer);
        at += (size_t)snprintf(all + at, ROOM - at, "%s\n", pieces(&play, peer));
        for (size_t i = 0; i < came.size; i++)
            at += (size_t)snprintf(all + at, ROOM - at, "%02x", came.data[i]);
    }
    play_drop(&play);
    return all;
}

static void the_same_seed_gives_the_same_bytes_at_the_same_times(void **state)
{
    (void)state;
    char *first = fare("seed 5\n", 1, false);
    char *again = fare("seed 5\n", 2, false);
    char *watched = fare("seed 5\n", 1, true);
    char *other = fare("seed 6\n", 1, false);
    char *mocks = fare("", 5, false);
    char *others = fare("", 6, false);
    assert_string_equal(first, again);
    assert_string_equal(first, watched);
    assert_string_equal(first, mocks);
    assert_string_equal(other, others);
    assert_string_not_equal(first, other);
    free(first);
    free(again);
    free(watched);
    free(other);
    free(mocks);
    free(others);
}

static void dice_of_one_connection_are_not_moved_by_another(void **state)
{
    (void)state;
    static char alone[PLAY_NOTES];
    for (int busy = 0; busy < 2; busy++) {
        struct play play;
        play_begin(&play, LANCE, "seed 9\non keepalive p=0.5 of one -> error 1 \"x\"");
        const size_t peer = dial(&play), other = dial(&play);
        for (int i = 0; i < 40; i++) {
            for (int j = 0; busy && j < i % 3; j++)
                say(&play, other, "keepalive");
            say(&play, peer, "keepalive");
        }
        if (busy)
            assert_heard(&play, peer, alone);
        else
            (void)snprintf(alone, sizeof(alone), "%s", heard(&play, peer));
        play_end(&play);
    }
}

static void two_connections_throw_differently(void **state)
{
    (void)state;
    struct play play;
    static char one[PLAY_NOTES];
    play_begin(&play, LANCE, "seed 9\non keepalive p=0.5 -> error 1 \"x\"");
    const size_t first = dial(&play), second = dial(&play);
    for (int i = 0; i < 40; i++) {
        say(&play, first, "keepalive");
        say(&play, second, "keepalive");
    }
    (void)snprintf(one, sizeof(one), "%s", heard(&play, first));
    assert_string_not_equal(one, heard(&play, second));
    play_end(&play);
}

static void timers_run_on_the_given_clock_only(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE, "topic orders id=1\non ingest -> late-reply 1ms");
    const size_t peer = dial(&play);
    ingest(&play, peer, 1);
    const uint64_t begin_ns = lwp_clock_now();
    while (lwp_clock_now() < begin_ns + 3 * LWP_MILLISECOND_NS)
        settle(&play);
    assert_heard(&play, peer, "");
    pass_ns(&play, LWP_MILLISECOND_NS - 1);
    assert_heard(&play, peer, "");
    pass_ns(&play, 1);
    assert_heard(&play, peer, "@1 ack batch_id=1");
    play_end(&play);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_rule_fires_on_the_matches_that_its_triggers_leave),
    cmocka_unit_test(after_a_rule_matches_are_counted_from_then_on),
    cmocka_unit_test(a_rule_at_a_time_can_be_waited_for),
    cmocka_unit_test(chance_is_about_as_high_as_it_is_said),
    cmocka_unit_test(rules_with_one_stream_share_its_dice),
    cmocka_unit_test(a_span_goes_on_whatever_the_triggers_say),
    cmocka_unit_test(rules_compare_what_they_name_and_nothing_else),
    cmocka_unit_test(rules_see_payloads_documents_and_codes),
    cmocka_unit_test(a_connection_is_told_by_its_number_or_label),
    cmocka_unit_test(the_narrowest_scope_decides_and_in_it_the_order_of_the_file),
    cmocka_unit_test(only_the_first_live_rule_answers_but_all_faults_apply),
    cmocka_unit_test(an_exhausted_rule_hides_nothing),
    cmocka_unit_test(there_is_one_decision_before_anything_is_done),
    cmocka_unit_test(all_is_armed_before_the_first_connection),
    cmocka_unit_test(times_count_from_the_first_accepted_connection),
    cmocka_unit_test(the_same_seed_gives_the_same_bytes_at_the_same_times),
    cmocka_unit_test(dice_of_one_connection_are_not_moved_by_another),
    cmocka_unit_test(two_connections_throw_differently),
    cmocka_unit_test(timers_run_on_the_given_clock_only),
};

int main(void)
{
    return cmocka_run_group_tests_name("play_triggers", tests, NULL, NULL);
}
