/* SPDX-License-Identifier: MIT */
/* Nodes and leaders as scripts move them. A node's address is NAME:1992 here. */
#include "mock_server/tests/play.h"

#define LANCE (&lwp_dialect_lance)
#define SPEC (&lwp_dialect_spec)
#define PY (&lwp_dialect_lance_py)

#define NODES "node A leader of orders ; node B ; node C\ntopic orders id=1\n"

/* What a redirecting dialect says. */
#define TO(node)                                                                                   \
    "error-response {\"code\":32,\"message\":\"Not the leader\","                                  \
    "\"details\":{\"leader_addr\":\"" node ":1992\"}}"
#define NOBODY "error-response {\"code\":34,\"message\":\"Leader unknown\"}"

/* Redirects. */

static void a_redirect_leads_to_a_node_that_is_up_or_down(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, PY,
               NODES "on [A] ingest nth 1 -> redirect B\n"
                     "on [A] ingest nth 2 -> redirect A\n"
                     "on [A] ingest nth 3 -> down C\n"
                     "on [A] ingest nth 4 -> redirect C as text");
    const size_t peer = dial_on(&play, "A");
    ingest_many(&play, peer, 1, 4);
    assert_heard(&play, peer,
                 TO("B") "; " TO("A") "; ack batch_id=3; "
                                      "error-response NOT_LEADER: redirect to C:1992");
    assert_int_equal(try_dial_on(&play, "C"), LWP_REFUSED);
    assert_string_equal(stored_on(&play, "A"), "c");
    play_end(&play);
}

static void redirects_can_go_in_a_ring(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, SPEC, NODES "on [A] ingest -> redirect B\non [B] ingest -> redirect A");
    const size_t a = dial_on(&play, "A"), b = dial_on(&play, "B");
    for (unsigned round = 1; round <= 20; round++) {
        ingest(&play, a, round);
        ingest(&play, b, round);
        assert_heard(&play, a, TO("B"));
        assert_heard(&play, b, TO("A"));
    }
    play_end(&play);
}

static void a_lance_cluster_redirects_only_when_a_script_says_so(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE, NODES "on [B] ingest nth 2 -> redirect A");
    const size_t b = dial_on(&play, "B");
    ingest_many(&play, b, 1, 3);
    pass_ms(&play, 100);
    assert_heard(&play, b,
                 "ack batch_id=1; error-response NOT_LEADER: redirect to A:1992; ack batch_id=3");
    assert_string_equal(stored_on(&play, "A"), "ac");
    play_end(&play);
}

/* Leaders. */

static void another_leads_from_the_next_frame_on(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, PY,
               NODES "on [A] ingest topic_id=1 nth 2 -> leader orders B\n"
                     "at 1s -> leader orders none\n"
                     "at 2s -> leader orders C");
    const size_t a = dial_on(&play, "A"), b = dial_on(&play, "B"), c = dial_on(&play, "C");
    ingest(&play, b, 1);
    assert_heard(&play, b, TO("A"));
    ingest_many(&play, a, 1, 3);
    assert_heard(&play, a, "ack batch_id=1; ack batch_id=2; " TO("B"));
    ingest(&play, b, 3);
    assert_heard(&play, b, "ack batch_id=3");
    pass_ms(&play, 1500);
    ingest(&play, b, 4);
    assert_heard(&play, b, "@1500 " NOBODY);
    pass_ms(&play, 1000);
    ingest(&play, c, 5);
    assert_heard(&play, c, "@2500 ack batch_id=5");
    assert_string_equal(stored_on(&play, "C"), "abce");
    play_end(&play);
}

static void a_lance_node_forwards_to_whoever_leads(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               NODES "on [B] ingest nth 1 -> leader orders C\n"
                     "on [B] ingest nth 2 -> leader orders none");
    const size_t b = dial_on(&play, "B");
    ingest_many(&play, b, 1, 3);
    pass_ms(&play, 1000);
    assert_heard(&play, b,
                 "ack batch_id=1; ack batch_id=2; @150 error-response FORWARD_FAILED: Leader "
                 "address unknown");
    assert_string_equal(stored_on(&play, "A"), "");
    play_end(&play);
}

static void effects_and_faults_are_of_redirects_as_well(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, PY,
               NODES "on [B] ingest nth 1 -> dup-reply\n"
                     "on [B] ingest nth 2 -> late-reply 10ms\n"
                     "on [B] ingest nth 3 -> truncate 20\n"
                     "on out error-response nth 5 -> drop-reply");
    const size_t b = dial_on(&play, "B");
    ingest_many(&play, b, 1, 2);
    assert_heard(&play, b, TO("A") "; " TO("A"));
    pass_ms(&play, 20);
    assert_heard(&play, b, "@10 " TO("A"));
    (void)pieces(&play, b);
    ingest_many(&play, b, 3, 3);
    assert_pieces(&play, b, "@20 20 117");
    play_end(&play);
}

/* Nodes. */

static void a_node_that_goes_down_resets_its_connections_and_comes_back(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, PY,
               NODES "on [A] keepalive -> down A\n"
                     "at 500ms -> up A");
    const size_t one = dial_on(&play, "A"), two = dial_on(&play, "A"), b = dial_on(&play, "B");
    ingest(&play, one, 1);
    say(&play, two, "keepalive");
    assert_heard(&play, one, "ack batch_id=1; rst");
    assert_heard(&play, two, "rst");
    say(&play, b, "keepalive");
    assert_heard(&play, b, "keepalive");
    assert_int_equal(try_dial_on(&play, "A"), LWP_REFUSED);
    pass_ms(&play, 600);
    ingest(&play, dial_on(&play, "A"), 2);
    assert_heard(&play, play.peer_count, "ack batch_id=2");
    assert_string_equal(stored_on(&play, "A"), "ab");
    play_end(&play);
}

static void nodes_can_go_down_as_one_connects_or_as_a_frame_goes_out(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, SPEC,
               NODES "on [B] connect -> down B\n"
                     "on [A] out keepalive -> down A\n"
                     "at 1s -> up B");
    const size_t b = dial_on(&play, "B");
    assert_heard(&play, b, "rst");
    const size_t a = dial_on(&play, "A");
    say(&play, a, "keepalive");
    assert_string_equal(strrchr(heard(&play, a), 'r'), "rst");
    assert_int_equal(try_dial_on(&play, "A"), LWP_REFUSED);
    pass_ms(&play, 1000);
    assert_heard(&play, dial_on(&play, "B"), "rst");
    play_end(&play);
}

static void a_follower_lags_behind_by_so_many_bytes(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, LANCE,
               NODES "on [B] keepalive nth 1 -> lag B 6\n"
                     "on [B] keepalive nth 2 -> lag B 0");
    const size_t a = dial_on(&play, "A"), b = dial_on(&play, "B");
    ingest_many(&play, a, 1, 3);
    say(&play, b, "keepalive");
    say(&play, b, "fetch topic_id=1 max_bytes=100");
    say(&play, b, "fetch topic_id=1 start_offset=18 max_bytes=100");
    assert_heard(&play, b,
                 "keepalive; "
                 "fetch-response next_offset=12 bytes_returned=12 record_count=1 "
                 "[json 1 \"a\", json 1 \"b\"]; catching-up server_offset=12");
    say(&play, b, "keepalive");
    say(&play, b, "fetch topic_id=1 start_offset=12 max_bytes=100");
    pass_ms(&play, 100);
    assert_heard(&play, b,
                 "keepalive; fetch-response next_offset=18 bytes_returned=6 record_count=1 "
                 "[json 1 \"c\"]");
    play_end(&play);
}

static void so_many_answers_name_the_leader_before(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, PY,
               NODES "at 10ms -> leader orders B, stale-leader 2\n"
                     "on [C] keepalive -> stale-leader 1");
    const size_t a = dial_on(&play, "A"), c = dial_on(&play, "C");
    pass_ms(&play, 10);
    ingest_many(&play, c, 1, 3);
    assert_heard(&play, c, "@10 " TO("A") "; " TO("A") "; " TO("B"));
    ingest_many(&play, a, 1, 3);
    assert_heard(&play, a, "@10 " TO("A") "; " TO("A") "; " TO("B"));
    say(&play, c, "keepalive");
    ingest(&play, a, 4);
    assert_heard(&play, a, TO("B"));
    ingest_many(&play, c, 4, 2);
    assert_heard(&play, c, "keepalive; " TO("A") "; " TO("B"));
    play_end(&play);
}

static void rules_for_a_node_see_its_connections_only(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play, PY,
               NODES "on [A] keepalive -> error unknown-error \"a\" as text\n"
                     "at 10ms [B] -> backpressure\n"
                     "on [B] connect -> keepalive\n"
                     "expect [A] keepalive = 1\n"
                     "expect [B] out backpressure = 1\n"
                     "never [C] frame");
    const size_t a = dial_on(&play, "A"), b = dial_on(&play, "B");
    say(&play, a, "keepalive");
    say(&play, b, "keepalive");
    pass_ms(&play, 20);
    assert_heard(&play, a, "error-response a");
    assert_heard(&play, b, "keepalive; keepalive; @10 backpressure");
    play_end(&play);
}

static void every_move_of_the_cluster_was_seen(void **state)
{
    (void)state;
    check_played(SCRIPT_CLUSTER);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_redirect_leads_to_a_node_that_is_up_or_down),
    cmocka_unit_test(redirects_can_go_in_a_ring),
    cmocka_unit_test(a_lance_cluster_redirects_only_when_a_script_says_so),
    cmocka_unit_test(another_leads_from_the_next_frame_on),
    cmocka_unit_test(a_lance_node_forwards_to_whoever_leads),
    cmocka_unit_test(effects_and_faults_are_of_redirects_as_well),
    cmocka_unit_test(a_node_that_goes_down_resets_its_connections_and_comes_back),
    cmocka_unit_test(nodes_can_go_down_as_one_connects_or_as_a_frame_goes_out),
    cmocka_unit_test(a_follower_lags_behind_by_so_many_bytes),
    cmocka_unit_test(so_many_answers_name_the_leader_before),
    cmocka_unit_test(rules_for_a_node_see_its_connections_only),
    cmocka_unit_test(every_move_of_the_cluster_was_seen),
};

int main(void)
{
    return cmocka_run_group_tests_name("play_cluster", tests, NULL, NULL);
}
