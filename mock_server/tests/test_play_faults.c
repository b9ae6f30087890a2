/* SPDX-License-Identifier: MIT */
/* How scripts let bytes travel: pieces, times, ends. */
#include "mock_server/tests/play.h"

#define LANCE (&lwp_dialect_lance)
#define SPEC (&lwp_dialect_spec)

/* Pieces. */

static void a_frame_is_written_in_exactly_these_pieces(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        const char *ack;   /* The pieces of an ack, */
        const char *fetch; /* and of a fetch-response with one byte of data. */
    } rows[] = {
        {"on out frame -> chop 43,1,*", "43 1", "43 1 22"},
        {"on out frame -> chop 44,*", "44", "44 22"},
        {"on out frame -> chop 20", "20 20 4", "20 20 20 6"},
        {"on out frame -> chop 1,2,40", "1 2 40 1", "1 2 40 23"},
        {"on out frame -> chop *", "44", "66"},
        {"on out frame -> chop 1000", "44", "66"},
        {"on frame -> chop 30,*", "30 14", "30 36"},
        {"on connect -> chop 43,1,*", "43 1", "43 1 22"},
    };
    for (size_t d = 0; lwp_dialects[d]; d++)
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            struct play play;
            char script[256];
            (void)snprintf(script, sizeof(script), "topic orders id=1\n%s", rows[i].rule);
            play_begin(&play, lwp_dialects[d], script);
            const size_t peer = dial(&play);
            ingest(&play, peer, 1);
            assert_pieces(&play, peer, rows[i].ack);
            say(&play, peer, "fetch topic_id=1 max_bytes=100");
            assert_pieces(&play, peer, rows[i].fetch);
            play_end(&play);
        }
}

static void bytes_can_come_one_by_one(void **state)
{
    (void)state;
    struct play play, plain;
    const char *const asked = "list-topics ; fetch topic_id=1 max_bytes=100 ; keepalive";
    play_begin(&play, SPEC, "topic orders id=1 records=raw(\"abc\")\non connect -> chop 1");
    play_begin(&plain, SPEC, "topic orders id=1 records=raw(\"abc\")");
    const size_t peer = dial(&play);
    assert_int_equal(dial(&plain), peer);
    say(&play, peer, asked);
    say(&plain, peer, asked);
    assert_bytes_equal(bytes_heard(&play, peer), bytes_heard(&plain, peer));
    const char *sizes = pieces(&play, peer);
    assert_int_equal(strspn(sizes, "1 "), strlen(sizes));
    assert_int_equal(strlen(sizes) + 1, 2 * bytes_heard(&play, peer).size);
    play_end(&plain);
    play_end(&play);
}

static void pieces_come_with_a_gap(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE, "topic orders id=1\non out ack nth 1 -> chop 20 gap 5ms");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 2);
    assert_pieces(&play, peer, "20");
    pass_ms(&play, 100);
    assert_pieces(&play, peer, "@5 20 @10 4 44");
    assert_heard(&play, peer, "@10 ack batch_id=1; ack batch_id=2");
    play_end(&play);
}

static void chopping_one_connection_leaves_the_others_whole(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE, "topic orders id=1\non out conn 2 frame -> chop 43,1");
    const size_t one = dial(&play), two = dial(&play);
    ingest(&play, one, 1);
    ingest(&play, two, 2);
    assert_pieces(&play, one, "44");
    assert_pieces(&play, two, "43 1");
    play_end(&play);
}

static void frames_go_out_together(void **state)
{
    (void)state;
    static const char *const rules[] = {"on connect -> coalesce 3", "on ingest nth 1 -> coalesce 3",
                                        "on out ack nth 1 -> coalesce 3"};
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        struct play play;
        char script[128];
        (void)snprintf(script, sizeof(script), "topic orders id=1\n%s", rules[i]);
        play_begin(&play, LANCE, script);
        const size_t peer = dial(&play);
        ingest_many(&play, peer, 1, 2);
        assert_pieces(&play, peer, "");
        ingest_many(&play, peer, 3, 6);
        assert_pieces(&play, peer, "132 132");
        pass_ms(&play, 2000);
        assert_pieces(&play, peer, "@1000 88");
        assert_heard(&play, peer,
                     "ack batch_id=1; ack batch_id=2; ack batch_id=3; ack batch_id=4; "
                     "ack batch_id=5; ack batch_id=6; @1000 ack batch_id=7; ack batch_id=8");
        play_end(&play);
    }
}

/* Times. */

static void others_overtake_a_delay_unless_it_is_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        const char *expected;
    } rows[] = {
        {"on out ack nth 2 -> delay 30ms",
         "ack batch_id=1; ack batch_id=3; keepalive; @30 ack batch_id=2"},
        {"on ingest nth 2 -> delay 30ms",
         "ack batch_id=1; ack batch_id=3; keepalive; @30 ack batch_id=2"},
        {"on out ack nth 2 -> delay 30ms inorder",
         "ack batch_id=1; @30 ack batch_id=2; ack batch_id=3; keepalive"},
        {"on ingest nth 2 -> delay 30ms inorder",
         "ack batch_id=1; @30 ack batch_id=2; ack batch_id=3; keepalive"},
        {"on connect -> delay 30ms",
         "@30 ack batch_id=1; ack batch_id=2; ack batch_id=3; keepalive"},
        {"on connect -> delay 30ms inorder",
         "@30 ack batch_id=1; ack batch_id=2; ack batch_id=3; keepalive"},
        {"on out ack -> delay 10ms\non out ack nth 1 -> delay 10ms",
         "keepalive; @10 ack batch_id=2; ack batch_id=3; @20 ack batch_id=1"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct play play;
        char script[256];
        (void)snprintf(script, sizeof(script), "topic orders id=1\n%s", rows[i].rule);
        play_begin(&play, LANCE, script);
        const size_t peer = dial(&play);
        ingest_many(&play, peer, 1, 3);
        say(&play, peer, "keepalive");
        pass_ms(&play, 100);
        assert_heard(&play, peer, rows[i].expected);
        play_end(&play);
    }
}

static void a_delay_on_one_connection_holds_up_no_other(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE, "topic orders id=1\non conn 1 ingest -> delay 1s inorder");
    const size_t one = dial(&play), two = dial(&play);
    ingest(&play, one, 1);
    ingest(&play, two, 2);
    assert_heard(&play, one, "");
    assert_heard(&play, two, "ack batch_id=2");
    pass_ms(&play, 1000);
    assert_heard(&play, one, "@1000 ack batch_id=1");
    play_end(&play);
}

static void frames_delayed_within_a_range_change_their_order(void **state)
{
    (void)state;
    enum { COUNT = 30 };
    struct play play;
    play_begin(&play, LANCE, "topic orders id=1\non out ack -> delay 1ms~50ms");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, COUNT);
    pass_ms(&play, 50);
    const struct lwp_bytes came = bytes_heard(&play, peer);
    assert_int_equal(came.size, COUNT * LWP_HEADER_SIZE);
    size_t swaps = 0;
    for (size_t i = 1; i < COUNT; i++)
        swaps += lwp_get64(came.data + i * LWP_HEADER_SIZE + 12) <
                 lwp_get64(came.data + (i - 1) * LWP_HEADER_SIZE + 12);
    assert_in_range(swaps, 5, COUNT - 5);
    play_end(&play);
}

static void frames_delayed_in_order_keep_it_whatever_the_dice_say(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE, "topic orders id=1\non out ack -> delay 1ms~50ms inorder");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 30);
    pass_ms(&play, 50);
    const struct lwp_bytes came = bytes_heard(&play, peer);
    assert_int_equal(came.size, 30 * LWP_HEADER_SIZE);
    for (size_t i = 0; i < 30; i++)
        assert_int_equal(lwp_get64(came.data + i * LWP_HEADER_SIZE + 12), i + 1);
    play_end(&play);
}

static void the_rate_is_kept_from_when_it_is_set(void **state)
{
    (void)state;
    struct play play;
    /* A write is of 10 ms, here of 4 bytes; so 44 bytes take 110 ms. */
    play_begin(&play, LANCE, "topic orders id=1\non ingest nth 2 -> rate 400");
    const size_t peer = dial(&play);
    ingest(&play, peer, 1);
    assert_pieces(&play, peer, "44");
    ingest_many(&play, peer, 2, 3);
    for (int i = 0; i < 20; i++) {
        const size_t before = bytes_heard(&play, peer).size;
        pass_ms(&play, 50);
        assert_in_range(bytes_heard(&play, peer).size - before, 0, 24);
    }
    assert_int_equal(bytes_heard(&play, peer).size, 4 * LWP_HEADER_SIZE);
    assert_heard(&play, peer,
                 "ack batch_id=1; @100 ack batch_id=2; @210 ack batch_id=3; @320 ack batch_id=4");
    play_end(&play);
}

static void a_rate_can_be_set_on_connect_and_at_a_time(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1 records=raw(\"0123456789\")*100\n"
               "on conn 1 connect -> rate 10K\n"
               "at 1s conn 2 -> rate 1K");
    const size_t one = dial(&play), two = dial(&play);
    say(&play, one, "fetch topic_id=1 max_bytes=1000");
    pass_ms(&play, 1000);
    say(&play, two, "fetch topic_id=1 max_bytes=1000");
    pass_ms(&play, 2000);
    assert_int_equal(bytes_heard(&play, one).size, 1060);
    assert_int_equal(bytes_heard(&play, two).size, 1060);
    assert_in_range(play.peers[one - 1].piece_ns, 90 * LWP_MILLISECOND_NS,
                    110 * LWP_MILLISECOND_NS);
    assert_in_range(play.peers[two - 1].piece_ns, 1950 * LWP_MILLISECOND_NS,
                    2050 * LWP_MILLISECOND_NS);
    play_end(&play);
}

/* Ends. */

static void a_connection_ends_before_the_frame_behind_it_or_in_its_answer(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        const char *heard;
        const char *stored;
    } rows[] = {
        {"on ingest nth 2 -> close", "ack batch_id=1; fin", "a"},
        {"on ingest nth 2 -> close fin", "ack batch_id=1; fin", "a"},
        {"on ingest nth 2 -> close rst", "ack batch_id=1; rst", "a"},
        {"on ingest nth 2 -> apply, close", "ack batch_id=1; fin", "ab"},
        {"on ingest nth 2 -> apply, close rst", "ack batch_id=1; rst", "ab"},
        {"on ingest nth 2 -> ack, close", "ack batch_id=1; ack batch_id=2; fin", "ab"},
        {"on ingest nth 2 -> ack, close rst", "ack batch_id=1; ack batch_id=2; rst", "ab"},
        {"on ingest nth 2 -> ack, backpressure, close rst",
         "ack batch_id=1; ack batch_id=2; backpressure; rst", "ab"},
        {"on ingest nth 2 -> error storage-error \"x\", close",
         "ack batch_id=1; error-response x; fin", "a"},
        {"on ingest nth 2 -> error storage-error \"x\", dup-reply, close",
         "ack batch_id=1; error-response x; error-response x; fin", "a"},
        {"on ingest nth 2 -> backpressure, close half", "ack batch_id=1; backpressure; half", "ac"},
        {"on ingest nth 2 -> close half", "ack batch_id=1; half", "ac"},
        {"on ingest nth 2 -> close after 20 bytes", "ack batch_id=1; a part of a frame; fin", "ab"},
        {"on ingest nth 2 -> close fin after 1 bytes", "ack batch_id=1; a part of a frame; fin",
         "ab"},
        {"on ingest nth 2 -> close rst after 43 bytes", "ack batch_id=1; a part of a frame; rst",
         "ab"},
        {"on ingest nth 2 -> close rst after 44 bytes", "ack batch_id=1; ack batch_id=2; rst",
         "ab"},
        {"on ingest nth 2 -> close rst after 4000 bytes", "ack batch_id=1; ack batch_id=2; rst",
         "ab"},
        {"on ingest nth 2 -> close rst after 0 bytes", "ack batch_id=1; rst", "ab"},
        {"on ingest nth 2 -> close half after 44 bytes", "ack batch_id=1; ack batch_id=2; half",
         "abc"},
        {"on out ack nth 2 -> close", "ack batch_id=1; fin", "ab"},
        {"on out ack nth 2 -> close rst", "ack batch_id=1; rst", "ab"},
        {"on out ack nth 2 -> close rst after 10 bytes", "ack batch_id=1; a part of a frame; rst",
         "ab"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct play play;
        char script[256];
        (void)snprintf(script, sizeof(script), "topic orders id=1\n%s", rows[i].rule);
        play_begin(&play, LANCE, script);
        const size_t peer = dial(&play);
        ingest_many(&play, peer, 1, 3);
        pass_ms(&play, 10);
        const char *actual = heard(&play, peer);
        if (strcmp(actual, rows[i].heard) != 0)
            fail_msg("%s: expected %s, heard %s", rows[i].rule, rows[i].heard, actual);
        actual = stored(&play);
        if (strcmp(actual, rows[i].stored) != 0)
            fail_msg("%s: expected %s to be stored, not %s", rows[i].rule, rows[i].stored, actual);
        play_end(&play);
    }
}

static void a_connection_ends_when_it_begins_or_at_a_time(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        const char *heard;
    } rows[] = {
        {"on connect -> close", "fin"},
        {"on connect -> close rst", "rst"},
        {"on connect -> refuse", "rst"},
        {"on connect -> keepalive, close", "keepalive; fin"},
        {"on connect -> keepalive, close rst", "keepalive; rst"},
        {"on connect -> close half", "half"},
        {"on connect -> close after 60 bytes", "ack batch_id=1; a part of a frame; fin"},
        {"on connect -> close rst after 88 bytes", "ack batch_id=1; ack batch_id=2; rst"},
        {"at 10ms -> close", "ack batch_id=1; ack batch_id=2; ack batch_id=3; @10 fin"},
        {"at 10ms -> close rst", "ack batch_id=1; ack batch_id=2; ack batch_id=3; @10 rst"},
        {"at 10ms -> keepalive, close",
         "ack batch_id=1; ack batch_id=2; ack batch_id=3; @10 keepalive; fin"},
        {"at 10ms -> close half", "ack batch_id=1; ack batch_id=2; ack batch_id=3; @10 half"},
        {"at 10ms -> close rst after 20 bytes",
         "ack batch_id=1; ack batch_id=2; ack batch_id=3; @20 a part of a frame; rst"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct play play;
        char script[256];
        (void)snprintf(script, sizeof(script), "topic orders id=1\n%s", rows[i].rule);
        play_begin(&play, LANCE, script);
        const size_t peer = dial(&play);
        ingest_many(&play, peer, 1, 3);
        pass_ms(&play, 20);
        say(&play, peer, "keepalive");
        const char *actual = heard(&play, peer);
        if (strcmp(actual, rows[i].heard) != 0)
            fail_msg("%s: expected %s, heard %s", rows[i].rule, rows[i].heard, actual);
        play_end(&play);
    }
}

static void a_close_waits_for_a_late_answer_but_not_for_others(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on ingest nth 1 -> late-reply 100ms\n"
               "on ingest nth 2 -> ack, late-reply 30ms, close rst");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 3);
    pass_ms(&play, 200);
    assert_heard(&play, peer, "ack batch_id=3; @30 ack batch_id=2; rst");
    play_end(&play);
}

static void a_part_of_a_frame_is_part_of_the_damaged_one(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on out ack -> insert 0 \"abc\", chop 2 gap 1ms\n"
               "on ingest -> close after 5 bytes");
    const size_t peer = dial(&play);
    ingest(&play, peer, 1);
    pass_ms(&play, 10);
    assert_pieces(&play, peer, "2 @1 2 @2 1");
    assert_bytes_equal(bytes_heard(&play, peer), bytes_of("abcLA", 5));
    play_end(&play);
}

static void silence_swallows_all_that_would_go_out(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        const char *heard;
    } rows[] = {
        {"on ingest nth 2 -> silence", "ack batch_id=1"},
        {"on out ack nth 2 -> silence", "ack batch_id=1"},
        {"on conn 1 connect -> silence", ""},
        {"at 10ms -> silence", "ack batch_id=1; ack batch_id=2; ack batch_id=3"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct play play;
        char script[256];
        (void)snprintf(script, sizeof(script), "topic orders id=1\n%s", rows[i].rule);
        play_begin(&play, LANCE, script);
        const size_t peer = dial(&play);
        ingest_many(&play, peer, 1, 3);
        pass_ms(&play, 60000);
        ingest(&play, peer, 4);
        assert_heard(&play, peer, rows[i].heard);
        assert_string_equal(stored(&play), "abcd");
        assert_int_equal(lwp_mock_connection_count(play.mock), 1);
        play_end(&play);
    }
}

static void what_is_not_read_is_not_done_until_it_is_read_again(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on conn 1 ingest nth 2 -> stop-read\n"
               "at 500ms -> resume-read");
    const size_t peer = dial(&play);
    /* Also what has come in the same read waits. */
    say(&play, peer,
        "ingest batch_id=1 topic_id=1 records=raw(\"a\") ; "
        "ingest batch_id=2 topic_id=1 records=raw(\"b\") ; "
        "ingest batch_id=3 topic_id=1 records=raw(\"c\")");
    ingest(&play, peer, 4);
    pass_ms(&play, 400);
    assert_heard(&play, peer, "ack batch_id=1; ack batch_id=2");
    assert_string_equal(stored(&play), "ab");
    pass_ms(&play, 200);
    assert_heard(&play, peer, "@500 ack batch_id=3; ack batch_id=4");
    assert_string_equal(stored(&play), "abcd");
    play_end(&play);
}

static void what_was_read_already_is_done_without_another_byte(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\non ingest nth 1 -> stop-read\nat 50ms -> resume-read");
    const size_t peer = dial(&play);
    say(&play, peer,
        "ingest batch_id=1 topic_id=1 records=raw(\"a\") ; "
        "ingest batch_id=2 topic_id=1 records=raw(\"b\") ; keepalive");
    pass_ms(&play, 100);
    assert_heard(&play, peer, "ack batch_id=1; @50 keepalive; ack batch_id=2");
    play_end(&play);
}

static void reading_goes_on_with_a_frame_that_goes_out(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on conn 1 connect -> stop-read\n"
               "at 10ms conn 1 -> keepalive\n"
               "on out conn 1 keepalive -> resume-read\n"
               "on out ack nth 2 -> stop-read\n"
               "at 30ms conn 1 -> stop-read\n"
               "at 30ms conn 1 -> resume-read");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 2);
    assert_heard(&play, peer, "");
    pass_ms(&play, 20);
    ingest(&play, peer, 3);
    assert_heard(&play, peer, "@10 keepalive; ack batch_id=1; ack batch_id=2");
    pass_ms(&play, 20);
    assert_heard(&play, peer, "@30 ack batch_id=3");
    play_end(&play);
}

static void a_peer_that_hangs_up_while_it_is_not_read_is_noticed_later(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE, "topic orders id=1\non connect -> stop-read\nat 100ms -> resume-read");
    const size_t peer = dial(&play);
    ingest(&play, peer, 1);
    hang_up(&play, peer);
    pass_ms(&play, 50);
    assert_heard(&play, peer, "");
    assert_int_equal(lwp_mock_connection_count(play.mock), 1);
    pass_ms(&play, 100);
    assert_heard(&play, peer, "@100 ack batch_id=1; fin");
    assert_int_equal(lwp_mock_connection_count(play.mock), 0);
    play_end(&play);
}

static void transport_of_all_rules_that_match_composes(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on out ack -> delay 10ms\n"
               "on out frame -> chop 22,*\n"
               "on ingest -> error storage-error \"x\"\n"
               "on out error-response -> xor -1 hex(01), delay 5ms inorder\n"
               "on keepalive -> close rst after 50 bytes optional");
    const size_t peer = dial(&play);
    ingest(&play, peer, 1);
    pass_ms(&play, 20);
    assert_pieces(&play, peer, "@5 22 23");
    assert_int_equal(bytes_heard(&play, peer).data[44], 'x' ^ 1);
    assert_string_equal(verdict(&play), "t:2:1: the rule t:2 never fired (it matched 0 times)\n");
    play_drop(&play);
}

static void every_fault_of_the_transport_was_seen(void **state)
{
    (void)state;
    check_played(SCRIPT_TRANSPORT);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_frame_is_written_in_exactly_these_pieces),
    cmocka_unit_test(bytes_can_come_one_by_one),
    cmocka_unit_test(pieces_come_with_a_gap),
    cmocka_unit_test(chopping_one_connection_leaves_the_others_whole),
    cmocka_unit_test(frames_go_out_together),
    cmocka_unit_test(others_overtake_a_delay_unless_it_is_in_order),
    cmocka_unit_test(a_delay_on_one_connection_holds_up_no_other),
    cmocka_unit_test(frames_delayed_within_a_range_change_their_order),
    cmocka_unit_test(frames_delayed_in_order_keep_it_whatever_the_dice_say),
    cmocka_unit_test(the_rate_is_kept_from_when_it_is_set),
    cmocka_unit_test(a_rate_can_be_set_on_connect_and_at_a_time),
    cmocka_unit_test(a_connection_ends_before_the_frame_behind_it_or_in_its_answer),
    cmocka_unit_test(a_connection_ends_when_it_begins_or_at_a_time),
    cmocka_unit_test(a_close_waits_for_a_late_answer_but_not_for_others),
    cmocka_unit_test(a_part_of_a_frame_is_part_of_the_damaged_one),
    cmocka_unit_test(silence_swallows_all_that_would_go_out),
    cmocka_unit_test(what_is_not_read_is_not_done_until_it_is_read_again),
    cmocka_unit_test(what_was_read_already_is_done_without_another_byte),
    cmocka_unit_test(reading_goes_on_with_a_frame_that_goes_out),
    cmocka_unit_test(a_peer_that_hangs_up_while_it_is_not_read_is_noticed_later),
    cmocka_unit_test(transport_of_all_rules_that_match_composes),
    cmocka_unit_test(every_fault_of_the_transport_was_seen),
};

int main(void)
{
    return cmocka_run_group_tests_name("play_faults", tests, NULL, NULL);
}
