/* SPDX-License-Identifier: MIT */
/* What scripts make of normal answers, and of their bytes. */
#include "mock_server/tests/play.h"

#define LANCE (&lwp_dialect_lance)
#define SPEC (&lwp_dialect_spec)

/* Effects. */

static void apply_and_no_apply_decide_what_is_stored(void **state)
{
    (void)state;
    for (size_t d = 0; lwp_dialects[d]; d++) {
        struct play play;
        play_begin(&play, lwp_dialects[d],
                   "topic orders id=1\n"
                   "on ingest nth 1 -> ack, no-apply\n"
                   "on ingest nth 2 -> no-apply\n"
                   "on ingest nth 3 -> error timeout-error \"late\" as text, apply\n"
                   "on ingest nth 4 -> drop-reply\n"
                   "on ingest nth 5 -> drop-reply, no-apply\n"
                   "on ingest nth 6 -> apply");
        const size_t peer = dial(&play);
        ingest_many(&play, peer, 1, 7);
        assert_heard(&play, peer,
                     "ack batch_id=1; error-response late; ack batch_id=6; ack batch_id=7");
        assert_string_equal(stored(&play), "cdfg");
        play_end(&play);
    }
}

static void an_answer_can_be_dropped_on_its_way_in_or_out(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on keepalive nth 1 -> drop-reply\n"
               "on out ack nth 2 -> drop-reply\n"
               "on any list-topics -> drop-reply");
    const size_t peer = dial(&play);
    say(&play, peer, "keepalive ; keepalive ; list-topics");
    ingest_many(&play, peer, 1, 3);
    assert_heard(&play, peer, "keepalive; ack batch_id=1; ack batch_id=3");
    play_end(&play);
}

static void an_answer_can_come_twice_or_more_often(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, SPEC,
               "topic orders id=1\n"
               "on ingest nth 1 -> dup-reply\n"
               "on out ack nth 2 -> dup-reply, dup-reply\n"
               "on ingest nth 3 -> dup-reply\n"
               "on out ack nth 3 -> dup-reply\n"
               "on keepalive -> error unknown-error \"x\", dup-reply");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 3);
    say(&play, peer, "keepalive");
    assert_heard(&play, peer,
                 "ack batch_id=1; ack batch_id=1; "
                 "ack batch_id=2; ack batch_id=2; ack batch_id=2; "
                 "ack batch_id=3; ack batch_id=3; ack batch_id=3; "
                 "error-response {\"code\":1,\"message\":\"x\"}; "
                 "error-response {\"code\":1,\"message\":\"x\"}");
    play_end(&play);
}

static void a_late_answer_is_overtaken(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on ingest nth 1 -> late-reply 50ms\n"
               "on ingest nth 3 -> late-reply 20ms\n"
               "on out ack batch_id=4 -> late-reply 10ms");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 5);
    pass_ms(&play, 100);
    assert_heard(&play, peer,
                 "ack batch_id=2; ack batch_id=5; @10 ack batch_id=4; @20 ack batch_id=3; "
                 "@50 ack batch_id=1");
    play_end(&play);
}

static void a_range_of_lateness_is_kept_to_and_used(void **state)
{
    (void)state;
    enum { COUNT = 64 };
    struct play play;
    play_begin(&play, LANCE, "topic orders id=1\non keepalive -> late-reply 50ms~80ms");
    const size_t peer = dial(&play);
    uint64_t least = UINT64_MAX, most = 0;
    for (int i = 0; i < COUNT; i++) {
        say(&play, peer, "keepalive");
        const uint64_t due_ns = lwp_mock_deadline(play.mock) - play.now_ns;
        assert_in_range(due_ns, 50 * LWP_MILLISECOND_NS, 80 * LWP_MILLISECOND_NS);
        least = due_ns < least ? due_ns : least;
        most = due_ns > most ? due_ns : most;
        pass_ms(&play, 100);
    }
    assert_true(most - least > 20 * LWP_MILLISECOND_NS);
    assert_int_equal(bytes_heard(&play, peer).size, COUNT * LWP_HEADER_SIZE);
    play_end(&play);
}

static void answers_are_reordered_in_groups(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE, "topic orders id=1\non ingest batch_id<8 -> reorder 3");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 2);
    assert_heard(&play, peer, "");
    say(&play, peer, "keepalive");
    ingest_many(&play, peer, 3, 6);
    assert_heard(&play, peer,
                 "keepalive; ack batch_id=3; ack batch_id=2; ack batch_id=1; "
                 "ack batch_id=6; ack batch_id=5; ack batch_id=4; ack batch_id=8");
    play_end(&play);
}

static void two_rules_reorder_each_its_own(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on ingest every 2 -> reorder 2\n"
               "on ingest -> reorder 3");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 5);
    assert_heard(&play, peer,
                 "ack batch_id=4; ack batch_id=2; ack batch_id=5; ack batch_id=3; ack batch_id=1");
    play_end(&play);
}

static void what_is_held_goes_out_in_order_when_released(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on ingest times 2 -> hold\n"
               "on fetch -> hold\n"
               "on out topic-response -> hold\n"
               "on keepalive -> release");
    const size_t peer = dial(&play);
    ingest(&play, peer, 1);
    say(&play, peer, "fetch topic_id=1 max_bytes=0 ; get-topic topic_id=1");
    ingest_many(&play, peer, 2, 2);
    assert_heard(&play, peer, "ack batch_id=3");
    say(&play, peer, "keepalive");
    assert_heard(
        &play, peer,
        "ack batch_id=1; "
        "fetch-response next_offset=0 bytes_returned=0 record_count=0 []; "
        "topic-response {\"created_at\":0,\"id\":1,\"name\":\"orders\",\"topic_epoch\":1}; "
        "ack batch_id=2; keepalive");
    play_end(&play);
}

static void a_release_is_for_all_connections_or_for_those_of_its_time(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on ingest -> hold\n"
               "at 10ms conn 2 -> release\n"
               "on out keepalive -> release");
    const size_t one = dial(&play), two = dial(&play), three = dial(&play);
    ingest(&play, one, 1);
    ingest(&play, two, 2);
    pass_ms(&play, 20);
    assert_heard(&play, one, "");
    assert_heard(&play, two, "@10 ack batch_id=2");
    ingest(&play, two, 3);
    say(&play, three, "keepalive");
    assert_heard(&play, one, "@20 ack batch_id=1");
    assert_heard(&play, two, "@20 ack batch_id=3");
    assert_heard(&play, three, "@20 keepalive");
    play_end(&play);
}

static void effects_of_both_ways_add_up(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on ingest -> late-reply 10ms\n"
               "on out ack nth 1 -> late-reply 5ms, dup-reply\n"
               "on out ack nth 2 -> hold\n"
               "at 50ms -> release");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 2);
    pass_ms(&play, 100);
    assert_heard(&play, peer, "@15 ack batch_id=1; ack batch_id=1; @60 ack batch_id=2");
    play_end(&play);
}

static void what_is_late_is_still_said_to_a_peer_that_says_no_more(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on ingest nth 1 -> late-reply 10ms\n"
               "on ingest nth 2 -> hold\n"
               "at 1s -> release");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 2);
    hang_up(&play, peer);
    pass_ms(&play, 1000);
    assert_heard(&play, peer, "@10 ack batch_id=1; fin");
    play_end(&play);
}

/* Damage. */

static struct lwp_bytes sound_ack(uint8_t *out)
{
    struct lwp_frame ack = frame_of(LWP_FLAG_ACK, bytes_of(NULL, 0));
    struct lwp_writer writer = lwp_writer_on(out, LWP_HEADER_SIZE);
    ack.header.batch_id = 0x0102030405060708;
    lwp_frame_seal(&ack, LWP_CRC32, 0);
    assert_int_equal(lwp_frame_encode(&ack, &writer), LWP_OK);
    return lwp_writer_bytes(&writer);
}

/* What the peer hears when it ingests with the batch id of the ack above. */
static void hear_damaged(const char *rules, struct play *play)
{
    char script[1024];
    (void)snprintf(script, sizeof(script), "topic orders id=1\n%s", rules);
    play_begin(play, LANCE, script);
    const size_t peer = dial(play);
    say(play, peer, "ingest batch_id=0x0102030405060708 topic_id=1 records=raw(\"a\")");
}

static void check_damage(const char *rules, struct lwp_bytes expected)
{
    struct play play;
    hear_damaged(rules, &play);
    const struct lwp_bytes actual = bytes_heard(&play, 1);
    if (!lwp_bytes_equal(actual, expected)) {
        for (size_t i = 0; i < actual.size; i++)
            print_message("%02x", actual.data[i]);
        fail_msg(": %s", rules);
    }
    play_end(&play);
}

static void bytes_are_turned_cut_put_in_and_left(void **state)
{
    (void)state;
    uint8_t ack[LWP_HEADER_SIZE], out[128];
    (void)sound_ack(ack);

    memcpy(out, ack, sizeof(ack));
    out[43] ^= 0x80;
    check_damage("on out ack -> xor -1 hex(80)", bytes_of(out, 44));
    out[42] ^= 0x01;
    check_damage("on out ack -> xor -2 hex(01 80 ff)", bytes_of(out, 44));
    check_damage("on ingest -> xor 42 hex(01 80)", bytes_of(out, 44));
    memcpy(out, ack, sizeof(ack));
    check_damage("on out ack -> xor 44 hex(ff)", bytes_of(out, 44));

    memcpy(out, ack, 12);
    memcpy(out + 12, ack + 20, 24);
    check_damage("on out ack -> cut 12 8", bytes_of(out, 36));
    check_damage("on out ack -> cut -32 8", bytes_of(out, 36));
    memcpy(out, ack, 40);
    check_damage("on out ack -> cut -4 100", bytes_of(out, 40));

    memcpy(out, "XY", 2);
    memcpy(out + 2, ack, 44);
    check_damage("on out ack -> insert 0 \"XY\"", bytes_of(out, 46));
    memcpy(out, ack, 44);
    memcpy(out + 44, "junk", 4);
    check_damage("on out ack -> insert 44 \"junk\"", bytes_of(out, 48));
    memcpy(out + 43, "junk", 4);
    out[47] = ack[43];
    check_damage("on out ack -> insert -1 \"junk\"", bytes_of(out, 48));

    check_damage("on out ack -> truncate 43", bytes_of(ack, 43));
    check_damage("on out ack -> truncate 44", bytes_of(ack, 44));
    check_damage("on out ack -> truncate 0", bytes_of(ack, 0));
}

/* The sound ack with another header; `reseal` makes its checksum right for what it is then. */
static struct lwp_bytes ack_with(enum lwp_header_index field, uint64_t value, bool reseal,
                                 uint8_t *out)
{
    struct lwp_header header;
    lwp_header_decode(sound_ack(out).data, &header);
    lwp_header_set(&header, field, value);
    if (reseal)
        header.header_crc = lwp_header_crc(&header, LWP_CRC32);
    lwp_header_encode(&header, out);
    return bytes_of(out, LWP_HEADER_SIZE);
}

static void header_fields_are_set_with_and_without_new_checksums(void **state)
{
    (void)state;
    uint8_t out[LWP_HEADER_SIZE];
    struct lwp_header header;
    lwp_header_decode(sound_ack(out).data, &header);
    const uint32_t right = header.header_crc;
    check_damage("on out ack -> set record_count=7",
                 ack_with(LWP_HEADER_record_count, 7, false, out));
    check_damage("on out ack -> set batch_id=max",
                 ack_with(LWP_HEADER_batch_id, UINT64_MAX, false, out));
    check_damage("on out ack -> set flags=0x28", ack_with(LWP_HEADER_flags, 0x28, true, out));
    check_damage("on out ack -> set flags=0x28 crc fix",
                 ack_with(LWP_HEADER_flags, 0x28, true, out));
    check_damage("on out ack -> set flags=0x28 crc keep",
                 ack_with(LWP_HEADER_flags, 0x28, false, out));
    check_damage("on out ack -> set magic=zero crc keep",
                 ack_with(LWP_HEADER_magic, 0, false, out));
    check_damage("on out ack -> set header_crc=wrong",
                 ack_with(LWP_HEADER_header_crc, right ^ 1, false, out));
    check_damage("on out ack -> set header_crc=5", ack_with(LWP_HEADER_header_crc, 5, false, out));
    check_damage("on out ack -> set header_crc=other-polynomial",
                 ack_with(LWP_HEADER_header_crc, lwp_header_crc(&header, LWP_CRC32C), false, out));
    check_damage("on ingest batch_id=$b -> set timestamp_ns=$b",
                 ack_with(LWP_HEADER_timestamp_ns, 0x0102030405060708, false, out));
}

static void the_checksum_of_a_payload_can_be_of_the_other_polynomial(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\non keepalive -> error unknown-error \"abc\", set "
               "payload_crc=other-polynomial");
    const size_t peer = dial(&play);
    say(&play, peer, "keepalive");
    const struct lwp_bytes came = bytes_heard(&play, peer);
    assert_int_equal(came.size, LWP_HEADER_SIZE + 3);
    assert_int_equal(lwp_get32(came.data + 36), lwp_crc(LWP_CRC32C, lwp_bytes_text("abc")));
    play_end(&play);
}

static void damage_of_several_rules_is_done_in_the_order_of_the_file(void **state)
{
    (void)state;
    uint8_t ack[LWP_HEADER_SIZE], out[64];
    (void)sound_ack(ack);
    /* Four bytes go, then the last one that is left is turned, then two come in front of it. */
    memcpy(out, ack, 40);
    out[39] ^= 0xff;
    memmove(out + 41, out + 39, 1);
    memcpy(out + 39, "ZZ", 2);
    check_damage("on out ack -> cut -4 4\n"
                 "on out frame -> xor -1 hex(ff)\n"
                 "on out ack batch_id>1 -> insert -1 \"ZZ\"",
                 bytes_of(out, 42));
    /* The other way round it is another frame. */
    memcpy(out, ack, 43);
    memcpy(out + 43, "ZZ", 2);
    out[45] = ack[43] ^ 0xff;
    check_damage("on out ack -> insert -1 \"ZZ\"\n"
                 "on out ack -> xor -1 hex(ff)\n"
                 "on out ack -> cut -100 4",
                 bytes_of(out, 46));
    /* What a rule on the ingest does comes before what one on the ack does. */
    memcpy(out, ack, 10);
    out[10] = '!';
    check_damage("on out ack -> insert 99 \"!\"\n"
                 "on ingest -> truncate 10",
                 bytes_of(out, 11));
}

static void damage_goes_with_the_answer_that_is_late_held_or_doubled(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1\n"
               "on ingest nth 1 -> late-reply 10ms, xor 0 hex(ff)\n"
               "on ingest nth 2 -> dup-reply, truncate 1\n"
               "on ingest nth 3 -> hold, truncate 2\n"
               "at 20ms -> release");
    const size_t peer = dial(&play);
    ingest_many(&play, peer, 1, 3);
    pass_ms(&play, 30);
    assert_pieces(&play, peer, "1 1 @10 44 @20 2");
    assert_int_equal(bytes_heard(&play, peer).data[2], 'L' ^ 0xff);
    play_end(&play);
}

static void damage_is_of_the_whole_frame_however_large(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "topic orders id=1 records=raw(\"0123456789\")*10000\n"
               "on out fetch-response -> xor -1 hex(01), insert 44 \"*\", cut 100 7");
    const size_t peer = dial(&play);
    say(&play, peer, "fetch topic_id=1 max_bytes=1000000");
    const struct lwp_bytes came = bytes_heard(&play, peer);
    assert_int_equal(came.size, LWP_HEADER_SIZE + 16 + 150000 + 1 - 7);
    assert_int_equal(came.data[44], '*');
    assert_int_equal(came.data[came.size - 1], '9' ^ 1);
    play_end(&play);
}

static void every_effect_and_every_damage_was_seen(void **state)
{
    (void)state;
    check_played(SCRIPT_EFFECT);
    check_played(SCRIPT_DAMAGE);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(apply_and_no_apply_decide_what_is_stored),
    cmocka_unit_test(an_answer_can_be_dropped_on_its_way_in_or_out),
    cmocka_unit_test(an_answer_can_come_twice_or_more_often),
    cmocka_unit_test(a_late_answer_is_overtaken),
    cmocka_unit_test(a_range_of_lateness_is_kept_to_and_used),
    cmocka_unit_test(answers_are_reordered_in_groups),
    cmocka_unit_test(two_rules_reorder_each_its_own),
    cmocka_unit_test(what_is_held_goes_out_in_order_when_released),
    cmocka_unit_test(a_release_is_for_all_connections_or_for_those_of_its_time),
    cmocka_unit_test(effects_of_both_ways_add_up),
    cmocka_unit_test(what_is_late_is_still_said_to_a_peer_that_says_no_more),
    cmocka_unit_test(bytes_are_turned_cut_put_in_and_left),
    cmocka_unit_test(header_fields_are_set_with_and_without_new_checksums),
    cmocka_unit_test(the_checksum_of_a_payload_can_be_of_the_other_polynomial),
    cmocka_unit_test(damage_of_several_rules_is_done_in_the_order_of_the_file),
    cmocka_unit_test(damage_goes_with_the_answer_that_is_late_held_or_doubled),
    cmocka_unit_test(damage_is_of_the_whole_frame_however_large),
    cmocka_unit_test(every_effect_and_every_damage_was_seen),
};

int main(void)
{
    return cmocka_run_group_tests_name("play_effects", tests, NULL, NULL);
}
