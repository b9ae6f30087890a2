/* SPDX-License-Identifier: MIT */
/* Scripts and peers that ask for too much: memory and time stay bounded, and nothing dangles. */
#include "mock_server/tests/play.h"

#define LANCE (&lwp_dialect_lance)

#define MIB ((size_t)1048576)

enum { MAX_WAITING = 16384 };

/* Says so many keepalives, a batch of reads at a time. */
static void say_keepalives(struct play *play, size_t peer, size_t count)
{
    push_many(play, peer, "keepalive", count);
    settle(play);
}

static size_t frames_heard(struct play *play, size_t peer)
{
    return bytes_heard(play, peer).size / LWP_HEADER_SIZE;
}

static void so_many_answers_can_wait_and_no_more(void **state)
{
    (void)state;
    static const char *const rules[] = {
        "on keepalive -> late-reply 1s",
        "on keepalive -> hold\nat 1s -> release",
        "on keepalive -> await later\nat 1s -> barrier later",
        "on keepalive -> late-reply 500ms~1s",
        "on keepalive -> reorder 1024",
    };
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        struct play play;
        play_begin(&play, LANCE, rules[i]);
        const bool collects = strstr(rules[i], "reorder") != NULL;
        const size_t peer = dial(&play), other = dial(&play);
        peer_at(&play, peer)->quiet = true;
        say_keepalives(&play, peer, MAX_WAITING);
        say(&play, other, "list-topics");
        assert_heard(&play, other, "topic-response {\"topics\":[]}");
        assert_int_equal(frames_heard(&play, peer), collects ? MAX_WAITING : 0);
        pass_ms(&play, 1000);
        assert_int_equal(frames_heard(&play, peer), MAX_WAITING);
        assert_false(peer_at(&play, peer)->freed);
        play_end(&play);
    }
}

static void one_waiting_answer_too_many_resets_the_connection(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE, "on conn 1 keepalive -> late-reply 1s");
    const size_t before = heap_in_use();
    const size_t peer = dial(&play), other = dial(&play);
    say_keepalives(&play, peer, MAX_WAITING + 1);
    assert_heard(&play, peer, "rst");
    say(&play, other, "keepalive");
    assert_heard(&play, other, "keepalive");
    assert_true(heap_in_use() < before + 4 * MIB);
    play_end(&play);
}

/* Inserts that make any frame larger by most of a MiB. */
static char *large_insert(const char *match)
{
    enum { EACH = 60000, COUNT = 16 };
    char *text = malloc(2 * MIB);
    size_t at = (size_t)sprintf(text, "on %s -> ", match);
    for (int i = 0; i < COUNT; i++) {
        at += (size_t)sprintf(text + at, "%sinsert 44 \"", i ? ", " : "");
        memset(text + at, 'x', EACH);
        at += EACH;
        at += (size_t)sprintf(text + at, "\"");
    }
    return text;
}

static void a_peer_that_does_not_read_damage_costs_bounded_memory(void **state)
{
    (void)state;
    struct play play;
    char *text = large_insert("out conn 1 keepalive");
    play_begin(&play, LANCE, text);
    free(text);
    const size_t before = heap_in_use();
    const size_t peer = dial(&play), other = dial(&play);
    peer_at(&play, peer)->deaf = true;
    for (int i = 0; i < 200 && !peer_at(&play, peer)->freed; i++) {
        say(&play, peer, "keepalive");
        assert_true(heap_in_use() < before + 192 * MIB);
    }
    /* Past the limit of a connection's memory it is reset; if it is not answered any more before that, it
     * stays, with no more than that. */
    say(&play, other, "keepalive");
    assert_heard(&play, other, "keepalive");
    assert_true(heap_in_use() < before + 64 * MIB);
    play_drop(&play);
}

static void so_does_one_that_says_all_in_one_breath(void **state)
{
    (void)state;
    struct play play;
    char *text = large_insert("out keepalive");
    play_begin(&play, LANCE, text);
    free(text);
    const size_t before = heap_in_use();
    const size_t peer = dial(&play);
    peer_at(&play, peer)->deaf = true;
    push_many(&play, peer, "keepalive", 5000);
    for (int i = 0; lwp_mock_step(play.mock, play.now_ns); i++) {
        assert_true(i < 10000);
        assert_true(heap_in_use() < before + 192 * MIB);
    }
    assert_true(peer_at(&play, peer)->freed || lwp_mock_deadline(play.mock) > play.now_ns);
    play_drop(&play);
}

static void large_answers_are_not_made_for_a_peer_that_does_not_read(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE, "on keepalive -> reply frame flags=0x40 batch_id=0xff fill=1M");
    const size_t before = heap_in_use();
    const size_t peer = dial(&play);
    peer_at(&play, peer)->deaf = true;
    push_many(&play, peer, "keepalive", 2000);
    for (int i = 0; lwp_mock_step(play.mock, play.now_ns); i++) {
        assert_true(i < 10000);
        assert_true(heap_in_use() < before + 64 * MIB);
    }
    play_end(&play);
}

static void variables_of_large_frames_are_forgotten(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               "on create-topic name=$n -> drop-reply\n"
               "on authenticate token=$t -> error 1 \"x\"\n"
               "expect create-topic name=$n >= 100");
    const size_t peer = dial(&play);
    char *frame = malloc(70000);
    const int head = sprintf(frame, "%s", "create-topic payload=\"");
    memset(frame + head, 'n', 3000);
    (void)sprintf(frame + head + 3000, "\"");
    push_many(&play, peer, frame, 10);
    say(&play, peer, "authenticate token=\"secret\"");
    const size_t before = heap_in_use();
    for (int i = 0; i < 200; i++) {
        push_many(&play, peer, frame, 10);
        settle(&play);
    }
    free(frame);
    assert_true(heap_in_use() < before + 2 * MIB);
    assert_heard(&play, peer, "error-response x");
    play_end(&play);
}

static void answers_without_their_variable_do_not_exist(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "on ingest -> reply ack batch_id=$b",
        "on ingest batch_id=$b -> ack\non keepalive -> reply ack batch_id=$b",
        "on ingest batch_id=$b -> set topic_id=$c",
        "at 10ms -> reply ack batch_id=$b",
    };
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        struct play play;
        play_begin_with(&play, (struct lwp_mock_options){.dialect = LANCE});
        assert_int_equal(lwp_mock_script(play.mock, "t", broken[i]), LWP_INVALID_PAYLOAD);
        assert_non_null(strstr(lwp_mock_problems(play.mock), "a variable that has been bound"));
        play_drop(&play);
    }
}

static void end_somehow(struct play *play, size_t peer, int how)
{
    if (how == 1)
        tear(play, peer);
    else if (how == 2)
        hang_up(play, peer);
    else if (how == 3)
        play_reset(play);
}

static void the_mock_can_be_freed_with_all_kinds_of_answers_waiting(void **state)
{
    (void)state;
    static const char script[] = "on keepalive nth 1 -> hold\n"
                                 "on keepalive nth 2 -> late-reply 1s\n"
                                 "on keepalive nth 3 -> await never\n"
                                 "on keepalive nth 4 -> reorder 7\n"
                                 "on keepalive nth 5 -> delay 1s inorder, chop 1 gap 1s, xor -1 "
                                 "hex(ff), close after 20 bytes\n"
                                 "on keepalive nth 6 -> dup-reply, dup-reply\n"
                                 "on list-topics -> barrier never, release, coalesce 9";
    for (int how = 0; how < 8; how++) {
        struct play play;
        play_begin(&play, LANCE, script);
        if (how >= 4)
            play_watch(&play);
        const size_t peer = dial(&play);
        for (int i = 0; i < 8; i++)
            say(&play, peer, "keepalive");
        end_somehow(&play, peer, how % 4);
        settle(&play);
        play_drop(&play);
    }
}

enum { RANDOM_PEERS = 12 };

/* One of the peers says something, goes, reads no more or reads again; some time passes. */
static void do_something(struct play *play, uint64_t *dice)
{
    const size_t peer = next_random(dice) % RANDOM_PEERS + 1;
    struct play_peer *about = peer_at(play, peer);
    if (!about->freed && !about->torn)
        push(play, peer, next_random(dice) % 3 ? "keepalive" : "fetch topic_id=1 max_bytes=300");
    if (next_random(dice) % 40 == 0)
        tear(play, peer);
    if (next_random(dice) % 40 == 0)
        hang_up(play, peer);
    about->deaf = next_random(dice) % 8 == 0;
    pass_ms(play, next_random(dice) % 5);
}

static void a_peer_that_goes_in_the_middle_of_anything_harms_nobody(void **state)
{
    (void)state;
    static const char script[] = "topic orders id=1 records=raw(\"abc\")*100\n"
                                 "on any frame p=0.2 -> hold\n"
                                 "on any frame p=0.2 -> late-reply 1ms~9ms\n"
                                 "on any frame p=0.1 -> release\n"
                                 "on out frame p=0.2 -> chop 7 gap 1ms\n"
                                 "on out frame p=0.2 -> delay 1ms~9ms inorder\n"
                                 "on out frame p=0.1 -> truncate 9, insert 3 \"abc\"\n"
                                 "on in frame p=0.02 -> close rst after 20 bytes\n"
                                 "on in frame p=0.02 -> stop-read\n"
                                 "on out frame p=0.2 -> resume-read\n"
                                 "on out frame p=0.02 -> silence\n"
                                 "on out frame p=0.05 -> rate 10K";
    for (uint64_t seed = 1; seed <= 25; seed++) {
        struct play play;
        uint64_t dice = seed;
        play_begin_with(&play, (struct lwp_mock_options){.dialect = LANCE, .seed = seed});
        play_load(&play, "t", script);
        if (seed % 2)
            play_watch(&play);
        for (int i = 0; i < RANDOM_PEERS; i++)
            (void)dial(&play);
        for (int i = 0; i < 300; i++)
            do_something(&play, &dice);
        play_reset(&play);
        settle(&play);
        play_load(&play, "u", "on keepalive p=0.5 -> hold\non fetch -> release");
        for (int i = 0; i < 100; i++)
            do_something(&play, &dice);
        play_drop(&play);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(so_many_answers_can_wait_and_no_more),
    cmocka_unit_test(one_waiting_answer_too_many_resets_the_connection),
    cmocka_unit_test(a_peer_that_does_not_read_damage_costs_bounded_memory),
    cmocka_unit_test(so_does_one_that_says_all_in_one_breath),
    cmocka_unit_test(large_answers_are_not_made_for_a_peer_that_does_not_read),
    cmocka_unit_test(variables_of_large_frames_are_forgotten),
    cmocka_unit_test(answers_without_their_variable_do_not_exist),
    cmocka_unit_test(the_mock_can_be_freed_with_all_kinds_of_answers_waiting),
    cmocka_unit_test(a_peer_that_goes_in_the_middle_of_anything_harms_nobody),
};

int main(void)
{
    return cmocka_run_group_tests_name("play_hostile", tests, NULL, NULL);
}
