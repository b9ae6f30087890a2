/* SPDX-License-Identifier: MIT */
#include "lwp/tests/support.h"

enum { LARGE = 1000003 };

static const enum lwp_polynomial POLYNOMIALS[] = {LWP_CRC32C, LWP_CRC32};

/* Random bytes, the same in every run. */
static uint8_t *sample(void)
{
    static uint8_t bytes[LARGE + 64];
    if (bytes[0] == 0)
        fill_random(bytes, sizeof(bytes), 0x5eed);
    return bytes;
}

static void both_polynomials_give_their_check_values(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t crc32c, crc32;
    } rows[] = {{"", 0, 0},
                {"a", 0xc1d04330, 0xe8b7be43},
                {"hello", 0x9a71bb4c, 0x3610a686},
                {"123456789", 0xe3069283, 0xcbf43926}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(lwp_crc(LWP_CRC32C, lwp_bytes_text(rows[i].text)), rows[i].crc32c);
        assert_int_equal(lwp_crc(LWP_CRC32, lwp_bytes_text(rows[i].text)), rows[i].crc32);
        assert_int_equal(bitwise_crc(LWP_CRC32C, lwp_bytes_text(rows[i].text)), rows[i].crc32c);
        assert_int_equal(bitwise_crc(LWP_CRC32, lwp_bytes_text(rows[i].text)), rows[i].crc32);
    }
}

static void no_bytes_have_the_checksum_0(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(POLYNOMIALS); i++)
        assert_int_equal(lwp_crc(POLYNOMIALS[i], bytes_of(NULL, 0)), 0);
}

static void every_size_and_alignment_agrees_with_the_definition(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(POLYNOMIALS); i++)
        for (size_t size = 0; size <= 300; size++)
            for (size_t align = 0; align < 16; align++) {
                const struct lwp_bytes bytes = bytes_of(sample() + align, size);
                assert_int_equal(lwp_crc(POLYNOMIALS[i], bytes),
                                 bitwise_crc(POLYNOMIALS[i], bytes));
            }
}

static void large_inputs_agree_with_the_definition(void **state)
{
    (void)state;
    static const size_t sizes[] = {1023, 1024, 1025, 4095, 4096, 4097, 65535, 65536, 65537, LARGE};
    for (size_t i = 0; i < COUNT_OF(POLYNOMIALS); i++)
        for (size_t j = 0; j < COUNT_OF(sizes); j++) {
            const struct lwp_bytes bytes = bytes_of(sample() + j, sizes[j]);
            assert_int_equal(lwp_crc(POLYNOMIALS[i], bytes), bitwise_crc(POLYNOMIALS[i], bytes));
        }
}

static void bytes_of_one_value_agree_with_the_definition(void **state)
{
    (void)state;
    uint8_t bytes[257];
    for (size_t i = 0; i < COUNT_OF(POLYNOMIALS); i++)
        for (unsigned value = 0; value < 256; value += 255) {
            memset(bytes, (int)value, sizeof(bytes));
            const struct lwp_bytes view = bytes_of(bytes, sizeof(bytes));
            assert_int_equal(lwp_crc(POLYNOMIALS[i], view), bitwise_crc(POLYNOMIALS[i], view));
        }
}

static void nothing_behind_the_input_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(POLYNOMIALS); i++)
        for (size_t size = 0; size <= 300; size++) {
            const struct lwp_bytes bytes = bytes_of(sample(), size);
            assert_int_equal(lwp_crc(POLYNOMIALS[i], guarded(bytes)),
                             bitwise_crc(POLYNOMIALS[i], bytes));
        }
}

static uint32_t crc_in_three(enum lwp_polynomial polynomial, struct lwp_bytes bytes, size_t first,
                             size_t second)
{
    uint32_t crc = lwp_crc(polynomial, bytes_of(bytes.data, first));
    crc = lwp_crc_update(polynomial, crc, bytes_of(bytes.data + first, second - first));
    return lwp_crc_update(polynomial, crc, lwp_bytes_from(bytes, second));
}

static void any_cut_gives_the_same_checksum(void **state)
{
    (void)state;
    const struct lwp_bytes bytes = bytes_of(sample(), 150);
    for (size_t i = 0; i < COUNT_OF(POLYNOMIALS); i++) {
        const uint32_t whole = bitwise_crc(POLYNOMIALS[i], bytes);
        for (size_t first = 0; first <= bytes.size; first++)
            for (size_t second = first; second <= bytes.size; second++)
                assert_int_equal(crc_in_three(POLYNOMIALS[i], bytes, first, second), whole);
    }
}

static void byte_by_byte_gives_the_same_checksum(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(POLYNOMIALS); i++) {
        uint32_t crc = 0;
        for (size_t at = 0; at < 5000; at++)
            crc = lwp_crc_update(POLYNOMIALS[i], crc, bytes_of(sample() + at, 1));
        assert_int_equal(crc, bitwise_crc(POLYNOMIALS[i], bytes_of(sample(), 5000)));
    }
}

static void a_large_input_can_be_cut_anywhere(void **state)
{
    (void)state;
    static const size_t cuts[] = {1, 7, 1023, 4096, 65537, LARGE / 2, LARGE - 1};
    const struct lwp_bytes bytes = bytes_of(sample(), LARGE);
    for (size_t i = 0; i < COUNT_OF(POLYNOMIALS); i++) {
        const uint32_t whole = bitwise_crc(POLYNOMIALS[i], bytes);
        for (size_t j = 0; j < COUNT_OF(cuts); j++)
            assert_int_equal(crc_in_three(POLYNOMIALS[i], bytes, cuts[j], cuts[j]), whole);
    }
}

static void no_bytes_leave_a_checksum_as_it_is(void **state)
{
    (void)state;
    static const uint32_t crcs[] = {0, 1, 0xcbf43926, 0x80000000, 0xffffffff};
    for (size_t i = 0; i < COUNT_OF(POLYNOMIALS); i++)
        for (size_t j = 0; j < COUNT_OF(crcs); j++)
            assert_int_equal(lwp_crc_update(POLYNOMIALS[i], crcs[j], bytes_of(NULL, 0)), crcs[j]);
}

static void every_flipped_bit_changes_the_checksum(void **state)
{
    (void)state;
    uint8_t bytes[64];
    fill_random(bytes, sizeof(bytes), 0xb175);
    const struct lwp_bytes view = bytes_of(bytes, sizeof(bytes));
    for (size_t i = 0; i < COUNT_OF(POLYNOMIALS); i++) {
        const uint32_t good = lwp_crc(POLYNOMIALS[i], view);
        for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
            bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
            assert_int_not_equal(lwp_crc(POLYNOMIALS[i], view), good);
            bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
    }
}

/* Specification 9 and server.md 1.2: as numbers, not as they stand on the wire. */
static void header_checksums_by_flags_are_the_published_ones(void **state)
{
    (void)state;
    static const struct {
        uint8_t flags;
        uint32_t crc32c, crc32;
    } rows[] = {{0x00, 0x42e6701f, 0x6bd158e6}, {0x01, 0xe7a7e261, 0x6a1332d1},
                {0x04, 0xdc38d405, 0x6cd8f03a}, {0x05, 0x7979467b, 0x6d1a9a0d},
                {0x08, 0x7ab74eda, 0x65c2095e}, {0x10, 0x32440d95, 0x77f7fb96},
                {0x20, 0xa3a28b0b, 0x539c1e06}, {0x40, 0x8583f0c6, 0x1b4bd526}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(lwp_crc_of_flags(LWP_CRC32C, rows[i].flags), rows[i].crc32c);
        assert_int_equal(lwp_crc_of_flags(LWP_CRC32, rows[i].flags), rows[i].crc32);
    }
}

static void the_checksum_of_all_256_flags_is_that_of_the_header(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(POLYNOMIALS); i++)
        for (unsigned flags = 0; flags < 256; flags++) {
            const uint8_t front[] = {0x4c, 0x41, 0x4e, 0x43, 1, (uint8_t)flags, 0, 0};
            assert_int_equal(lwp_crc_of_flags(POLYNOMIALS[i], (uint8_t)flags),
                             bitwise_crc(POLYNOMIALS[i], bytes_of(front, sizeof(front))));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_polynomials_give_their_check_values),
        cmocka_unit_test(no_bytes_have_the_checksum_0),
        cmocka_unit_test(every_size_and_alignment_agrees_with_the_definition),
        cmocka_unit_test(large_inputs_agree_with_the_definition),
        cmocka_unit_test(bytes_of_one_value_agree_with_the_definition),
        cmocka_unit_test(nothing_behind_the_input_is_read),
        cmocka_unit_test(any_cut_gives_the_same_checksum),
        cmocka_unit_test(byte_by_byte_gives_the_same_checksum),
        cmocka_unit_test(a_large_input_can_be_cut_anywhere),
        cmocka_unit_test(no_bytes_leave_a_checksum_as_it_is),
        cmocka_unit_test(every_flipped_bit_changes_the_checksum),
        cmocka_unit_test(header_checksums_by_flags_are_the_published_ones),
        cmocka_unit_test(the_checksum_of_all_256_flags_is_that_of_the_header),
    };
    return cmocka_run_group_tests_name("crc", tests, NULL, NULL);
}
