/* SPDX-License-Identifier: MIT */
#include "lwp/tests/support.h"

#include "lwp/client/throttle.h"

#define MS UINT64_C(1000000)

/* Sends frames of `size` bytes whenever the throttle lets it and `every_ns` has passed; returns how many
 * go out from `from_ns` until `until_ns`. */
static unsigned send_until(struct lwp_throttle *throttle, size_t size, uint64_t every_ns,
                           uint64_t from_ns, uint64_t until_ns)
{
    unsigned count = 0;
    for (uint64_t now_ns = from_ns; now_ns < until_ns; now_ns += every_ns) {
        if (now_ns < lwp_throttle_due(throttle))
            continue;
        lwp_throttle_sent(throttle, size, now_ns);
        count++;
    }
    return count;
}

static void nothing_is_held_back_before_the_server_asks(void **state)
{
    struct lwp_throttle throttle = {0};
    (void)state;
    assert_int_equal(send_until(&throttle, 100, MS, 0, 500 * MS), 500);
    assert_int_equal(lwp_throttle_due(&throttle), 0);
}

static void the_rate_is_at_most_half_of_before(void **state)
{
    static const uint64_t rates_ns[] = {MS / 10, MS, 7 * MS, 30 * MS};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rates_ns); i++) {
        struct lwp_throttle throttle = {0};
        const uint64_t start_ns = 12345678901 * (i + 1);
        send_until(&throttle, 100, rates_ns[i], start_ns, start_ns + 900 * MS);
        const unsigned before =
            send_until(&throttle, 100, rates_ns[i], start_ns + 900 * MS, start_ns + 1000 * MS);
        lwp_throttle_slow(&throttle, start_ns + 1000 * MS);
        for (uint64_t at_ns = start_ns + 1000 * MS; at_ns < start_ns + 2000 * MS;
             at_ns += 100 * MS) {
            const unsigned after = send_until(&throttle, 100, MS / 10, at_ns, at_ns + 100 * MS);
            assert_true(2 * after <= before);
        }
        /* But not much less. */
        const unsigned second =
            send_until(&throttle, 100, MS / 10, start_ns + 2000 * MS, start_ns + 3000 * MS);
        assert_true(second * 10 >= before * 4 * 9 / 10 || before < 10);
    }
}

static void larger_frames_come_less_often(void **state)
{
    struct lwp_throttle throttle = {0};
    (void)state;
    assert_int_equal(send_until(&throttle, 1000, MS, 0, 100 * MS), 100);
    lwp_throttle_slow(&throttle, 100 * MS);
    const unsigned count = send_until(&throttle, 10000, MS, 100 * MS, 1100 * MS);
    assert_true(count >= 40 && count <= 51);
}

static void each_further_call_halves_it_again(void **state)
{
    struct lwp_throttle throttle = {0};
    uint64_t wait_ns = 0;
    (void)state;
    send_until(&throttle, 100, MS / 10, 0, 100 * MS);
    for (uint64_t at_ns = 100 * MS; wait_ns < 100 * MS; at_ns += 1000 * MS) {
        lwp_throttle_slow(&throttle, at_ns);
        assert_true(lwp_throttle_due(&throttle) - at_ns >= 2 * wait_ns);
        wait_ns = lwp_throttle_due(&throttle) - at_ns;
        lwp_throttle_sent(&throttle, 100, at_ns + wait_ns);
        assert_int_equal(lwp_throttle_due(&throttle), at_ns + 2 * wait_ns);
    }
}

static void there_is_always_a_frame_a_second(void **state)
{
    struct lwp_throttle throttle = {0};
    (void)state;
    for (int i = 0; i < 100; i++)
        lwp_throttle_slow(&throttle, 0);
    assert_true(send_until(&throttle, SIZE_MAX, MS, 0, 10000 * MS) >= 9);
    struct lwp_throttle idle = {0};
    lwp_throttle_slow(&idle, 5000 * MS);
    assert_true(lwp_throttle_due(&idle) > 5000 * MS);
    assert_true(lwp_throttle_due(&idle) <= 6000 * MS);
}

static void it_is_free_again_when_told(void **state)
{
    struct lwp_throttle throttle = {0};
    (void)state;
    send_until(&throttle, 100, MS, 0, 100 * MS);
    lwp_throttle_slow(&throttle, 100 * MS);
    lwp_throttle_free(&throttle);
    assert_int_equal(send_until(&throttle, 100, MS, 100 * MS, 200 * MS), 100);
}

static void what_lies_further_back_does_not_count(void **state)
{
    struct lwp_throttle throttle = {0};
    (void)state;
    send_until(&throttle, 100, MS / 100, 0, 100 * MS);
    send_until(&throttle, 100, 10 * MS, 400 * MS, 500 * MS);
    lwp_throttle_slow(&throttle, 500 * MS);
    assert_int_equal(send_until(&throttle, 100, MS, 500 * MS, 600 * MS), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_held_back_before_the_server_asks),
        cmocka_unit_test(the_rate_is_at_most_half_of_before),
        cmocka_unit_test(larger_frames_come_less_often),
        cmocka_unit_test(each_further_call_halves_it_again),
        cmocka_unit_test(there_is_always_a_frame_a_second),
        cmocka_unit_test(it_is_free_again_when_told),
        cmocka_unit_test(what_lies_further_back_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
