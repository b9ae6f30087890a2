/* SPDX-License-Identifier: MIT */
/* What hostile scripts and hostile peers may not do to the mock: each test is a fault that it once had. */
#include "mock_server/tests/play.h"

#include "lwp/net/fault.h"

#define LANCE (&lwp_dialect_lance)

/* What the queues of all connections have by themselves. */
static size_t memory_of(const struct lwp_mock *mock)
{
    size_t sum = 0;
    for (const struct member *member = mock->first; member; member = member->next)
        sum += connection_memory(&member->connection);
    return sum;
}

/* Says a frame so many times, in one write. */
static void say_many(struct play *play, size_t number, const char *frame, size_t count)
{
    uint8_t wire[1024];
    struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
    write_frames(play, frame, &out);
    for (size_t i = 0; i < count; i++)
        push_bytes(play, number, lwp_writer_bytes(&out));
    settle(play);
}

/* Memory. */

static void what_is_queued_between_steps_is_accounted_for(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "on connect -> keepalive",
        "at 1ms -> keepalive",
        "on keepalive nth 1 times 2 -> hold\non conn 2 list-topics -> release",
    };
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        struct play play;
        play_begin(&play, LANCE, scripts[i]);
        const size_t one = dial(&play);
        const size_t two = dial(&play);
        say(&play, one, "keepalive");
        say(&play, two, "keepalive");
        say(&play, two, "list-topics");
        pass_ms(&play, 1);
        assert_int_equal(play.mock->queued, memory_of(play.mock));
        hang_up(&play, one);
        hang_up(&play, two);
        assert_int_equal(lwp_mock_connection_count(play.mock), 0);
        assert_int_equal(play.mock->queued, 0);
        play_end(&play);
    }
}

static void a_peer_that_does_not_read_is_not_answered_further_through_faults(void **state)
{
    (void)state;
    enum { BUSY = 4194304 };
    struct play play;
    play_begin(&play, LANCE, "topic orders id=1 records=1000\non out fetch-response -> chop *");
    const size_t peer = dial(&play);
    peer_at(&play, peer)->deaf = true;
    peer_at(&play, peer)->confused = true;
    say_many(&play, peer, "fetch topic_id=1 max_bytes=1000000", 10000);
    assert_int_equal(lwp_mock_counts(play.mock).over_memory, 0);
    assert_int_equal(lwp_mock_connection_count(play.mock), 1);
    const struct connection *connection = &play.mock->first->connection;
    assert_true(lwp_fault_pending(connection->faults) < 2 * (size_t)BUSY);
    peer_at(&play, peer)->deaf = false;
    settle(&play);
    assert_int_equal(lwp_fault_pending(connection->faults), 0);
    assert_true(bytes_heard(&play, peer).size > 50 * (size_t)1048576);
    play_end(&play);
}

static void answers_behind_an_ack_end_the_batch_before_they_fill_the_memory(void **state)
{
    (void)state;
    enum { INGESTS = 2000 };
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\non ingest -> ack, reply fetch-response data=\"x\"*65536");
    const size_t peer = dial(&play);
    const size_t before = heap_in_use();
    peer_at(&play, peer)->deaf = true;
    for (int i = 0; i < INGESTS; i++)
        push(&play, peer, "ingest topic_id=1 records=raw(\"a\")");
    (void)lwp_mock_step(play.mock, play.now_ns);
    assert_true(heap_in_use() < before + 40 * (size_t)1048576);
    settle(&play);
    assert_int_equal(lwp_mock_counts(play.mock).over_memory, 0);
    tear(&play, peer);
    play_end(&play);
}

static void plans_and_debts_count_as_memory_of_the_connection(void **state)
{
    (void)state;
    enum { FRAMES = 400, LONG = 20000 };
    struct play play;
    play_begin_with(&play,
                    (struct lwp_mock_options){.dialect = LANCE, .max_connection_memory = 4194304});
    char script[LONG + 64];
    (void)snprintf(script, sizeof(script), "on keepalive -> chop 1 gap 1m, xor 0 \"%0*d\"", LONG,
                   0);
    play_load(&play, "t", script);
    const size_t peer = dial(&play);
    for (int i = 0; i < FRAMES; i++)
        say(&play, peer, "keepalive");
    assert_int_equal(lwp_mock_counts(play.mock).over_memory, 1);
    play_end(&play);
}

/* Lists that are walked. */

static void a_connection_that_is_touched_twice_takes_no_other_off_the_list(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE, "on conn 1 keepalive -> barrier b\non conn 2 keepalive -> await b");
    for (int i = 0; i < 3; i++)
        (void)dial(&play);
    say(&play, 2, "keepalive");
    for (size_t i = 1; i <= 3; i += 2)
        push(&play, i, "keepalive");
    /* As the service does it: only those that are due. The first one touches the second again. */
    for (struct member *member = play.mock->first; member; member = member->next)
        mock_touch(play.mock, member);
    while (mock_step_due(play.mock))
        continue;
    assert_heard(&play, 1, "keepalive");
    assert_heard(&play, 2, "keepalive");
    assert_heard(&play, 3, "keepalive");
    play_end(&play);
}

static void who_waits_is_looked_at_after_a_reset_as_well(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE, "on keepalive nth 1 -> log \"x\"\non keepalive nth 2 -> log \"x\"");
    const size_t peer = dial(&play);
    say(&play, peer, "keepalive ; keepalive");
    const uint64_t before = stage_progress(play.mock->stage);
    play_reset(&play);
    assert_true(stage_progress(play.mock->stage) > before);
    play_end(&play);
}

static void many_waiting_answers_are_not_gone_through_for_each(void **state)
{
    (void)state;
    enum { MANY = 16000, AT_ONCE = 400 };
    static const char *const scripts[] = {
        "on keepalive times 16000 -> hold\non list-topics -> release",
        "on keepalive -> reorder 1024",
        "on keepalive -> await b\non list-topics -> barrier b",
        "on keepalive -> late-reply 1ms~9s",
    };
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        struct play play;
        char rules[65536] = "";
        size_t at = (size_t)snprintf(rules, sizeof(rules), "%s\n", scripts[i]);
        for (int j = 0; j < 200; j++)
            at += (size_t)snprintf(rules + at, sizeof(rules) - at,
                                   "on conn 9 commit-ack nth %d -> log \"x\" as n%d optional\n",
                                   j + 1, j);
        play_begin(&play, LANCE, rules);
        const size_t peer = dial(&play);
        peer_at(&play, peer)->confused = true;
        for (int j = 0; j < MANY; j += AT_ONCE)
            say_many(&play, peer, "keepalive", AT_ONCE);
        say(&play, peer, "list-topics");
        play.now_ns += 10 * LWP_SECOND_NS;
        settle(&play);
        assert_true(bytes_heard(&play, peer).size >= 15360 * (size_t)LWP_HEADER_SIZE);
        play_drop(&play);
    }
}

/* Time. */

static void the_mock_comes_to_rest_at_the_end_of_time(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\non ingest -> ack\non keepalive nth 1 -> late-reply 1s\n"
               "on keepalive nth 2 -> chop 1 gap 1s\nat 1m -> keepalive optional");
    const size_t peer = dial(&play);
    ingest(&play, peer, 1);
    (void)heard(&play, peer);
    lwp_mock_advance(play.mock, UINT64_MAX);
    settle(&play);
    assert_true(lwp_mock_deadline(play.mock) == LWP_NEVER);
    say(&play, peer, "keepalive ; keepalive");
    assert_true(lwp_mock_deadline(play.mock) == LWP_NEVER);
    ingest(&play, peer, 2);
    assert_non_null(strstr(heard(&play, peer), "keepalive"));
    hang_up(&play, peer);
    play_drop(&play);
}

static void what_is_late_does_not_come_early_near_the_end_of_time(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE, "on keepalive -> late-reply 10m\nat 10m -> log \"x\" optional");
    lwp_mock_advance(play.mock, UINT64_MAX - play.now_ns - 2 * LWP_SECOND_NS);
    const size_t peer = dial(&play);
    say(&play, peer, "keepalive");
    assert_heard(&play, peer, "");
    assert_int_equal(stage_progress(play.mock->stage), 1);
    hang_up(&play, peer);
    play_end(&play);
}

static void a_server_that_is_ahead_never_wraps(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE, "topic orders id=1\non fetch -> catching-up max step 2");
    const size_t peer = dial(&play);
    say(&play, peer, "fetch topic_id=1 max_bytes=10 ; fetch topic_id=1 max_bytes=10");
    const char *text = heard(&play, peer);
    const char *first = strstr(text, "18446744073709551615");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "18446744073709551615"));
    play_end(&play);
}

/* What depends on how bytes arrive, and must not. */

static void what_was_answered_before_a_fault_goes_out_however_frames_arrive(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        const char *heard;
    } rows[] = {
        {"on list-topics -> silence", "keepalive"},
        {"on list-topics -> coalesce 2", "keepalive"},
        {"on list-topics -> close rst, apply", "keepalive; topic-response []; rst"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (int at_once = 0; at_once < 2; at_once++) {
            struct play play;
            play_begin(&play, LANCE, rows[i].rule);
            const size_t peer = dial(&play);
            if (at_once) {
                say(&play, peer, "keepalive ; list-topics");
            } else {
                say(&play, peer, "keepalive");
                say(&play, peer, "list-topics");
            }
            if (i < 2)
                assert_heard(&play, peer, rows[i].heard);
            play_end(&play);
        }
}

/* Who has ended it. */

static void a_peer_that_says_no_more_has_ended_the_connection_once(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "expect in close fin = 1\nexpect close = 1\nnever out close\n"
               "on keepalive -> late-reply 1ms");
    const size_t peer = dial(&play);
    push(&play, peer, "keepalive");
    hang_up(&play, peer);
    pass_ms(&play, 1);
    assert_heard(&play, peer, "@1 keepalive; fin");
    play_end(&play);
}

static void a_peer_that_is_not_read_and_resets_was_not_closed_by_the_mock(void **state)
{
    (void)state;
    struct play play;
    struct lwp_address address;
    struct lwp_transport *transport = NULL;
    int error = 0;
    play_begin(&play, LANCE, "on connect -> stop-read\nexpect in close rst = 1\nnever out close");
    assert_int_equal(lwp_mock_start(play.mock), LWP_OK);
    assert_int_equal(lwp_address_parse(lwp_mock_address(play.mock, NULL), &address), LWP_OK);
    assert_int_equal(lwp_tcp_connect(&address, LWP_NEVER, &transport, &error), LWP_OK);
    assert_int_equal(lwp_mock_wait(play.mock, "connections 1", 10 * LWP_SECOND_NS), LWP_OK);
    lwp_transport_close(transport, LWP_CLOSE_RST);
    lwp_transport_free(transport);
    assert_int_equal(lwp_mock_wait(play.mock, "idle", 10 * LWP_SECOND_NS), LWP_OK);
    assert_int_equal(lwp_mock_stop(play.mock), LWP_OK);
    play_end(&play);
}

static void actions_that_are_too_many_for_one_frame_fail_the_run(void **state)
{
    (void)state;
    static const char *const actions[] = {"log \"x\"", "xor 0 hex(00)"};
    for (size_t i = 0; i < COUNT_OF(actions); i++)
        for (int count = 64; count < 66; count++) {
            struct play play;
            char script[8192];
            size_t at = 0;
            for (int j = 0; j < count; j++)
                at += (size_t)snprintf(script + at, sizeof(script) - at, "on keepalive -> %s\n",
                                       actions[i]);
            play_begin(&play, LANCE, script);
            const size_t peer = dial(&play);
            say(&play, peer, "keepalive");
            assert_heard(&play, peer, "keepalive");
            assert_verdict(&play, count == 64 ? ""
                                              : "t: fail: more than 64 actions on one frame, by "
                                                "several rules\n");
            play_drop(&play);
        }
}

/* What scripts leave behind. */

static void a_reset_lifts_what_would_stay_on_connections(void **state)
{
    (void)state;
    static const char *const actions[] = {"silence", "stop-read", "rate 1", "coalesce 9",
                                          "stop-read, silence, rate 1, coalesce 2"};
    for (size_t i = 0; i < COUNT_OF(actions); i++) {
        struct play play;
        char script[256];
        (void)snprintf(script, sizeof(script), "at 1ms -> %s", i == 3 ? "log \"x\"" : actions[i]);
        if (i == 3 || i == 4)
            (void)snprintf(script, sizeof(script), "on list-topics nth 1 -> %s", actions[i]);
        play_begin(&play, LANCE, script);
        const size_t peer = dial(&play);
        say(&play, peer, "list-topics");
        pass_ms(&play, 1);
        (void)heard(&play, peer);
        say(&play, peer, "keepalive ; keepalive");
        play_reset(&play);
        settle(&play);
        (void)heard(&play, peer);
        say(&play, peer, "keepalive");
        assert_non_null(strstr(heard(&play, peer), "keepalive"));
        play_end(&play);
    }
}

static void a_script_without_rules_stands_in_front_of_others(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE, "topic orders id=1");
    play_load(&play, "u", "on keepalive -> reply keepalive, log \"x\"");
    const size_t peer = dial(&play);
    say(&play, peer, "keepalive");
    assert_heard(&play, peer, "keepalive");
    play_end(&play);
}

static void a_connection_is_on_a_node_that_is_named_later(void **state)
{
    (void)state;
    struct play play;
    play_begin_with(&play, (struct lwp_mock_options){.dialect = LANCE});
    const size_t peer = dial(&play);
    say(&play, peer, "keepalive");
    assert_heard(&play, peer, "keepalive");
    play_load(&play, "t", "node A\non [A] keepalive -> drop-reply");
    say(&play, peer, "keepalive");
    assert_heard(&play, peer, "");
    play_end(&play);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_queued_between_steps_is_accounted_for),
    cmocka_unit_test(a_peer_that_does_not_read_is_not_answered_further_through_faults),
    cmocka_unit_test(answers_behind_an_ack_end_the_batch_before_they_fill_the_memory),
    cmocka_unit_test(plans_and_debts_count_as_memory_of_the_connection),
    cmocka_unit_test(a_connection_that_is_touched_twice_takes_no_other_off_the_list),
    cmocka_unit_test(who_waits_is_looked_at_after_a_reset_as_well),
    cmocka_unit_test(many_waiting_answers_are_not_gone_through_for_each),
    cmocka_unit_test(the_mock_comes_to_rest_at_the_end_of_time),
    cmocka_unit_test(what_is_late_does_not_come_early_near_the_end_of_time),
    cmocka_unit_test(a_server_that_is_ahead_never_wraps),
    cmocka_unit_test(what_was_answered_before_a_fault_goes_out_however_frames_arrive),
    cmocka_unit_test(a_peer_that_says_no_more_has_ended_the_connection_once),
    cmocka_unit_test(a_peer_that_is_not_read_and_resets_was_not_closed_by_the_mock),
    cmocka_unit_test(actions_that_are_too_many_for_one_frame_fail_the_run),
    cmocka_unit_test(a_reset_lifts_what_would_stay_on_connections),
    cmocka_unit_test(a_script_without_rules_stands_in_front_of_others),
    cmocka_unit_test(a_connection_is_on_a_node_that_is_named_later),
};

int main(void)
{
    return cmocka_run_group_tests_name("attack", tests, NULL, NULL);
}
