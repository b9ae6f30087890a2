/* SPDX-License-Identifier: MIT */
#include "lwp/tests/support.h"

#include "lwp/client/life.h"
#include "lwp/net/clock.h"
#include "lwp/session/session.h"

#define MS LWP_MILLISECOND_NS
#define CAP (30 * LWP_SECOND_NS)

static struct lwp_backoff_options no_jitter(unsigned max_attempts)
{
    struct lwp_backoff_options options = lwp_backoff_defaults;
    options.jitter_percent = 0;
    options.max_attempts = max_attempts;
    return options;
}

static void waits_double_from_100_ms_to_30_s(void **state)
{
    static const uint64_t expected_ms[] = {100,  200,   400,   800,   1600,  3200,
                                           6400, 12800, 25600, 30000, 30000, 30000};
    const struct lwp_backoff_options options = no_jitter(0);
    struct lwp_backoff backoff = lwp_backoff_of(&options, 1);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(expected_ms); i++) {
        uint64_t wait_ns = 0;
        assert_true(lwp_backoff_fail(&backoff, &wait_ns));
        assert_int_equal(wait_ns, expected_ms[i] * MS);
    }
    lwp_backoff_reset(&backoff);
    uint64_t wait_ns = 0;
    assert_true(lwp_backoff_fail(&backoff, &wait_ns));
    assert_int_equal(wait_ns, 100 * MS);
}

static void jitter_lengthens_a_wait_by_a_tenth_at_most(void **state)
{
    uint64_t least = UINT64_MAX, most = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct lwp_backoff backoff = lwp_backoff_of(&lwp_backoff_defaults, seed);
        uint64_t wait_ns = 0;
        assert_true(lwp_backoff_fail(&backoff, &wait_ns));
        least = wait_ns < least ? wait_ns : least;
        most = wait_ns > most ? wait_ns : most;
        for (int i = 0; i < 20; i++)
            assert_true(lwp_backoff_fail(&backoff, &wait_ns));
        assert_int_equal(wait_ns, CAP);
    }
    assert_true(least >= 100 * MS && least < 101 * MS);
    assert_true(most <= 110 * MS && most > 109 * MS);
}

static void the_same_seed_gives_the_same_waits(void **state)
{
    struct lwp_backoff one = lwp_backoff_of(&lwp_backoff_defaults, 42);
    struct lwp_backoff other = lwp_backoff_of(&lwp_backoff_defaults, 42);
    (void)state;
    for (int i = 0; i < 5; i++) {
        uint64_t a = 0, b = 1;
        assert_true(lwp_backoff_fail(&one, &a) && lwp_backoff_fail(&other, &b));
        assert_int_equal(a, b);
    }
}

static void strange_options_give_waits_within_the_cap(void **state)
{
    static const struct lwp_backoff_options strange[] = {
        {0, 0, 10, 0},
        {0, CAP, 100, 0},
        {UINT64_MAX, CAP, 10, 0},
        {1, UINT64_MAX, 100, 0},
        {UINT64_MAX, UINT64_MAX, UINT32_MAX, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(strange); i++) {
        struct lwp_backoff backoff = lwp_backoff_of(&strange[i], i);
        for (int n = 0; n < 200; n++) {
            uint64_t wait_ns = 0;
            assert_true(lwp_backoff_fail(&backoff, &wait_ns));
            assert_true(wait_ns <= strange[i].cap_ns);
        }
    }
}

static const struct lwp_life_options plain = {
    .connect_timeout_ns = 10 * LWP_SECOND_NS, .max_hops = 5, .patient = true};

static struct lwp_life life_with(struct lwp_life_options options, unsigned max_attempts)
{
    const struct lwp_address home = {"home", "1992"};
    struct lwp_life life;
    options.backoff = no_jitter(max_attempts);
    lwp_life_init(&life, &options, &home, 1);
    return life;
}

static struct lwp_life ready_life(void)
{
    struct lwp_life life = life_with(plain, 0);
    lwp_life_start(&life, 0);
    lwp_life_advance(&life);
    assert_int_equal(life.state, LWP_LIFE_READY);
    return life;
}

static void lose(struct lwp_life *life, enum lwp_status status, uint64_t now_ns)
{
    const struct lwp_details why = lwp_details_of(status);
    lwp_life_fail(life, &why, now_ns);
}

static bool redirect(struct lwp_life *life, const char *leader, uint64_t now_ns)
{
    struct lwp_details why = lwp_details_of(LWP_NOT_LEADER);
    (void)snprintf(why.leader, sizeof(why.leader), "%s", leader);
    return lwp_life_redirect(life, &why, now_ns);
}

static void a_life_goes_through_the_states_that_its_options_ask_for(void **state)
{
    (void)state;
    for (int secure = 0; secure < 2; secure++)
        for (int authenticate = 0; authenticate < 2; authenticate++) {
            struct lwp_life_options options = plain;
            options.secure = secure;
            options.authenticate = authenticate;
            struct lwp_life life = life_with(options, 0);
            lwp_life_advance(&life);
            assert_int_equal(life.state, LWP_LIFE_IDLE);
            lwp_life_start(&life, 5);
            assert_int_equal(life.state, LWP_LIFE_CONNECTING);
            assert_int_equal(life.deadline_ns, 5 + 10 * LWP_SECOND_NS);
            lwp_life_advance(&life);
            if (secure) {
                assert_int_equal(life.state, LWP_LIFE_SECURING);
                lwp_life_advance(&life);
            }
            if (authenticate) {
                assert_int_equal(life.state, LWP_LIFE_AUTHENTICATING);
                assert_int_equal(life.deadline_ns, 5 + 10 * LWP_SECOND_NS);
                lwp_life_advance(&life);
            }
            assert_int_equal(life.state, LWP_LIFE_READY);
            assert_true(life.deadline_ns == LWP_NEVER);
            lwp_life_advance(&life);
            assert_int_equal(life.state, LWP_LIFE_READY);
        }
}

/* B-12: a lost TLS connection is not made anew in plain. */
static void every_later_attempt_is_as_secure_as_the_first(void **state)
{
    struct lwp_life_options options = plain;
    options.secure = options.authenticate = true;
    struct lwp_life life = life_with(options, 0);
    (void)state;
    lwp_life_start(&life, 0);
    for (int i = 0; i < 3; i++) {
        lwp_life_advance(&life);
        assert_int_equal(life.state, LWP_LIFE_SECURING);
        lwp_life_advance(&life);
        assert_int_equal(life.state, LWP_LIFE_AUTHENTICATING);
        lwp_life_advance(&life);
        assert_int_equal(life.state, LWP_LIFE_READY);
        if (i == 0) {
            lose(&life, LWP_CLOSED, 0);
            assert_true(lwp_life_tick(&life, 100 * MS));
        } else {
            assert_true(redirect(&life, i == 1 ? "a:1" : "b:1", 0));
        }
        assert_int_equal(life.state, LWP_LIFE_CONNECTING);
    }
}

static void one_deadline_covers_the_whole_attempt(void **state)
{
    (void)state;
    for (int steps = 0; steps < 3; steps++) {
        struct lwp_life_options options = plain;
        options.secure = options.authenticate = true;
        struct lwp_life life = life_with(options, 0);
        lwp_life_start(&life, 0);
        for (int i = 0; i < steps; i++)
            lwp_life_advance(&life);
        assert_false(lwp_life_tick(&life, 10 * LWP_SECOND_NS - 1));
        assert_true(lwp_life_tick(&life, 10 * LWP_SECOND_NS));
        assert_int_equal(life.state, LWP_LIFE_WAITING);
        assert_int_equal(life.why.status, LWP_TIMEOUT);
    }
}

static void a_failed_attempt_is_repeated_after_the_wait(void **state)
{
    struct lwp_life life = life_with(plain, 0);
    uint64_t now_ns = 0;
    (void)state;
    lwp_life_start(&life, now_ns);
    for (uint64_t wait_ns = 100 * MS, attempt = 1; attempt < 12; attempt++) {
        assert_int_equal(life.attempt, attempt);
        lose(&life, LWP_REFUSED, now_ns);
        assert_int_equal(life.state, LWP_LIFE_WAITING);
        assert_int_equal(life.deadline_ns, now_ns + wait_ns);
        assert_false(lwp_life_tick(&life, now_ns + wait_ns - 1));
        now_ns += wait_ns;
        assert_true(lwp_life_tick(&life, now_ns));
        assert_int_equal(life.state, LWP_LIFE_CONNECTING);
        wait_ns = wait_ns * 2 < CAP ? wait_ns * 2 : CAP;
    }
}

/* A server that accepts and closes must not be asked without rest. */
static void a_connection_alone_does_not_shorten_the_waits(void **state)
{
    struct lwp_life life = life_with(plain, 0);
    uint64_t now_ns = 0;
    (void)state;
    lwp_life_start(&life, now_ns);
    for (uint64_t wait_ns = 100 * MS; wait_ns < CAP; wait_ns *= 2) {
        lwp_life_advance(&life);
        lose(&life, LWP_CLOSED, now_ns);
        assert_int_equal(life.deadline_ns, now_ns + wait_ns);
        now_ns += wait_ns;
        assert_true(lwp_life_tick(&life, now_ns));
    }
    lwp_life_advance(&life);
    lwp_life_succeed(&life);
    lose(&life, LWP_CLOSED, now_ns);
    assert_int_equal(life.deadline_ns, now_ns + 100 * MS);
}

static void the_limit_ends_the_life_with_the_last_reason(void **state)
{
    struct lwp_life life = life_with(plain, 3);
    (void)state;
    lwp_life_start(&life, 0);
    lose(&life, LWP_REFUSED, 0);
    assert_true(lwp_life_tick(&life, LWP_SECOND_NS));
    lose(&life, LWP_REFUSED, LWP_SECOND_NS);
    assert_true(lwp_life_tick(&life, 2 * LWP_SECOND_NS));
    lose(&life, LWP_UNRESOLVED, 2 * LWP_SECOND_NS);
    assert_int_equal(life.state, LWP_LIFE_ENDED);
    assert_int_equal(life.why.status, LWP_UNRESOLVED);
    assert_true(life.deadline_ns == LWP_NEVER);
    assert_int_equal(life.attempt, 3);
}

static void without_patience_the_first_failure_ends_it(void **state)
{
    struct lwp_life_options options = plain;
    options.patient = false;
    struct lwp_life life = life_with(options, 0);
    (void)state;
    lwp_life_start(&life, 0);
    lose(&life, LWP_REFUSED, 0);
    assert_int_equal(life.state, LWP_LIFE_ENDED);
    life = life_with(options, 0);
    lwp_life_start(&life, 0);
    lwp_life_advance(&life);
    lose(&life, LWP_CLOSED, 0);
    assert_int_equal(life.state, LWP_LIFE_WAITING);
}

static void what_an_attempt_can_not_mend_ends_it(void **state)
{
    static const enum lwp_status hopeless[] = {LWP_AUTH_FAILED, LWP_AUTH_REQUIRED,
                                               LWP_ACCESS_DENIED, LWP_NO_MEMORY,
                                               LWP_CERTIFICATE_REFUSED};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(hopeless); i++) {
        struct lwp_life life = ready_life();
        lose(&life, hopeless[i], 0);
        assert_int_equal(life.state, LWP_LIFE_ENDED);
        assert_int_equal(life.why.status, hopeless[i]);
    }
}

static void a_server_that_speaks_no_tls_is_not_tried_again(void **state)
{
    struct lwp_life_options options = plain;
    options.secure = true;
    struct lwp_life life = life_with(options, 0);
    (void)state;
    lwp_life_start(&life, 0);
    lwp_life_advance(&life);
    lose(&life, LWP_TLS_FAILED, 0);
    assert_int_equal(life.state, LWP_LIFE_ENDED);
    life = life_with(options, 0);
    lwp_life_start(&life, 0);
    lwp_life_advance(&life);
    lwp_life_advance(&life);
    lose(&life, LWP_TLS_FAILED, 0);
    assert_int_equal(life.state, LWP_LIFE_WAITING);
}

/* Damage on the wire ends the connection, not the client (11.3). */
static void damage_is_followed_by_a_new_connection(void **state)
{
    static const enum lwp_status damage[] = {LWP_PAYLOAD_CHECKSUM, LWP_INVALID_MAGIC, LWP_IO,
                                             LWP_UNEXPECTED_FRAME, LWP_TIMEOUT};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(damage); i++) {
        struct lwp_life life = ready_life();
        lose(&life, damage[i], 0);
        assert_int_equal(life.state, LWP_LIFE_WAITING);
    }
}

static void a_redirect_is_followed_at_once(void **state)
{
    struct lwp_life life = ready_life();
    (void)state;
    assert_true(redirect(&life, "leader:7", 3));
    assert_int_equal(life.state, LWP_LIFE_CONNECTING);
    assert_string_equal(life.target.host, "leader");
    assert_string_equal(life.target.port, "7");
    assert_int_equal(life.attempt, 2);
    assert_int_equal(life.deadline_ns, 3 + 10 * LWP_SECOND_NS);
}

static void a_circle_of_redirects_is_left_for_home_after_a_wait(void **state)
{
    struct lwp_life life = ready_life();
    (void)state;
    assert_true(redirect(&life, "a:1", 0));
    lwp_life_advance(&life);
    assert_true(redirect(&life, "b:1", 0));
    lwp_life_advance(&life);
    assert_false(redirect(&life, "a:1", 0));
    assert_int_equal(life.state, LWP_LIFE_WAITING);
    assert_int_equal(life.deadline_ns, 100 * MS);
    assert_int_equal(life.why.status, LWP_NOT_LEADER);
    assert_true(lwp_life_tick(&life, 100 * MS));
    assert_string_equal(life.target.host, "home");
    lwp_life_advance(&life);
    assert_true(redirect(&life, "a:1", 0));
}

static void a_server_that_redirects_to_itself_is_a_circle(void **state)
{
    struct lwp_life life = ready_life();
    (void)state;
    assert_false(redirect(&life, "home:1992", 0));
    assert_int_equal(life.state, LWP_LIFE_WAITING);
    life = ready_life();
    assert_true(redirect(&life, "a:1", 0));
    lwp_life_advance(&life);
    assert_false(redirect(&life, "home", 0));
}

static void a_chase_without_end_is_given_up_after_max_hops(void **state)
{
    struct lwp_life life = ready_life();
    (void)state;
    for (int i = 0; i < 5; i++) {
        char leader[16];
        (void)snprintf(leader, sizeof(leader), "node-%d:1", i);
        assert_true(redirect(&life, leader, 0));
        lwp_life_advance(&life);
    }
    assert_false(redirect(&life, "node-5:1", 0));
    assert_int_equal(life.state, LWP_LIFE_WAITING);
    assert_string_equal(life.target.host, "home");
}

static void a_success_begins_a_new_chase(void **state)
{
    struct lwp_life life = ready_life();
    (void)state;
    for (int i = 0; i < 50; i++) {
        assert_true(redirect(&life, i % 2 ? "a:1" : "b:1", 0));
        lwp_life_advance(&life);
        lwp_life_succeed(&life);
    }
}

static void a_leader_that_can_not_be_reached_is_left_for_home(void **state)
{
    struct lwp_life life = ready_life();
    (void)state;
    assert_true(redirect(&life, "a:1", 0));
    lose(&life, LWP_REFUSED, 0);
    assert_string_equal(life.target.host, "home");
    assert_true(lwp_life_tick(&life, LWP_SECOND_NS));
    lwp_life_advance(&life);
    /* It may be there again now. */
    assert_true(redirect(&life, "a:1", 0));
}

static void a_lost_leader_is_tried_once_more_before_home(void **state)
{
    struct lwp_life life = ready_life();
    (void)state;
    assert_true(redirect(&life, "a:1", 0));
    lwp_life_advance(&life);
    lose(&life, LWP_RESET, 0);
    assert_true(lwp_life_tick(&life, LWP_SECOND_NS));
    assert_string_equal(life.target.host, "a");
    lose(&life, LWP_REFUSED, 0);
    assert_true(lwp_life_tick(&life, 10 * LWP_SECOND_NS));
    assert_string_equal(life.target.host, "home");
}

static void a_redirect_without_an_address_is_none(void **state)
{
    struct lwp_life life = ready_life();
    (void)state;
    assert_false(redirect(&life, "", 0));
    assert_false(redirect(&life, "a:b:c", 0));
    assert_int_equal(life.state, LWP_LIFE_READY);
}

static void nothing_wakes_an_ended_life(void **state)
{
    struct lwp_life life = ready_life();
    (void)state;
    lwp_life_end(&life, LWP_CLOSED_BY_CALLER);
    lwp_life_end(&life, LWP_IO);
    lose(&life, LWP_CLOSED, 0);
    assert_false(redirect(&life, "a:1", 0));
    lwp_life_advance(&life);
    lwp_life_start(&life, 0);
    assert_false(lwp_life_tick(&life, UINT64_MAX));
    assert_int_equal(life.state, LWP_LIFE_ENDED);
    assert_int_equal(life.why.status, LWP_CLOSED_BY_CALLER);
    assert_int_equal(life.attempt, 1);
}

static void times_near_the_end_of_the_clock_do_not_wrap(void **state)
{
    struct lwp_life life = life_with(plain, 0);
    (void)state;
    lwp_life_start(&life, UINT64_MAX - 5);
    assert_true(life.deadline_ns == LWP_NEVER);
    lose(&life, LWP_REFUSED, UINT64_MAX - 5);
    assert_true(life.deadline_ns == LWP_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_double_from_100_ms_to_30_s),
        cmocka_unit_test(jitter_lengthens_a_wait_by_a_tenth_at_most),
        cmocka_unit_test(the_same_seed_gives_the_same_waits),
        cmocka_unit_test(strange_options_give_waits_within_the_cap),
        cmocka_unit_test(a_life_goes_through_the_states_that_its_options_ask_for),
        cmocka_unit_test(every_later_attempt_is_as_secure_as_the_first),
        cmocka_unit_test(one_deadline_covers_the_whole_attempt),
        cmocka_unit_test(a_failed_attempt_is_repeated_after_the_wait),
        cmocka_unit_test(a_connection_alone_does_not_shorten_the_waits),
        cmocka_unit_test(the_limit_ends_the_life_with_the_last_reason),
        cmocka_unit_test(without_patience_the_first_failure_ends_it),
        cmocka_unit_test(what_an_attempt_can_not_mend_ends_it),
        cmocka_unit_test(a_server_that_speaks_no_tls_is_not_tried_again),
        cmocka_unit_test(damage_is_followed_by_a_new_connection),
        cmocka_unit_test(a_redirect_is_followed_at_once),
        cmocka_unit_test(a_circle_of_redirects_is_left_for_home_after_a_wait),
        cmocka_unit_test(a_server_that_redirects_to_itself_is_a_circle),
        cmocka_unit_test(a_chase_without_end_is_given_up_after_max_hops),
        cmocka_unit_test(a_success_begins_a_new_chase),
        cmocka_unit_test(a_leader_that_can_not_be_reached_is_left_for_home),
        cmocka_unit_test(a_lost_leader_is_tried_once_more_before_home),
        cmocka_unit_test(a_redirect_without_an_address_is_none),
        cmocka_unit_test(nothing_wakes_an_ended_life),
        cmocka_unit_test(times_near_the_end_of_the_clock_do_not_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
