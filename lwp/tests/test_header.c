/* SPDX-License-Identifier: MIT */
#include "lwp/tests/support.h"

static struct lwp_header random_header(uint64_t *seed)
{
    struct lwp_header header = {0};
    for (int field = 0; field < LWP_HEADER_FIELD_COUNT; field++)
        lwp_header_set(&header, (enum lwp_header_index)field, next_random(seed));
    return header;
}

static struct lwp_header good_header(enum lwp_polynomial polynomial)
{
    struct lwp_header header = {.magic = LWP_MAGIC, .version = 1, .flags = LWP_FLAG_KEEPALIVE};
    reseal_header(&header, polynomial);
    return header;
}

/* Specification 3, restated. */
static void the_table_of_fields_is_that_of_the_specification(void **state)
{
    (void)state;
    static const struct lwp_header_field expected[] = {
        {"magic", 0, 4},         {"version", 4, 1},       {"flags", 5, 1},
        {"reserved", 6, 2},      {"header_crc", 8, 4},    {"batch_id", 12, 8},
        {"timestamp_ns", 20, 8}, {"record_count", 28, 4}, {"payload_length", 32, 4},
        {"payload_crc", 36, 4},  {"topic_id", 40, 4}};
    assert_int_equal(LWP_HEADER_FIELD_COUNT, COUNT_OF(expected));
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_string_equal(lwp_header_fields[i].name, expected[i].name);
        assert_int_equal(lwp_header_fields[i].offset, expected[i].offset);
        assert_int_equal(lwp_header_fields[i].size, expected[i].size);
    }
}

static void each_member_is_read_from_its_documented_offset(void **state)
{
    (void)state;
    uint8_t wire[LWP_HEADER_SIZE];
    for (size_t i = 0; i < sizeof(wire); i++)
        wire[i] = (uint8_t)(0x80 + i);
    struct lwp_header header;
    lwp_header_decode(guarded(bytes_of(wire, sizeof(wire))).data, &header);
    assert_int_equal(header.magic, 0x83828180);
    assert_int_equal(header.version, 0x84);
    assert_int_equal(header.flags, 0x85);
    assert_int_equal(header.reserved, 0x8786);
    assert_int_equal(header.header_crc, 0x8b8a8988);
    assert_true(header.batch_id == 0x939291908f8e8d8cU);
    assert_true(header.timestamp_ns == 0x9b9a999897969594U);
    assert_int_equal(header.record_count, 0x9f9e9d9c);
    assert_int_equal(header.payload_length, 0xa3a2a1a0);
    assert_int_equal(header.payload_crc, 0xa7a6a5a4);
    assert_int_equal(header.topic_id, 0xabaaa9a8);
}

static void the_magic_is_lanc_on_the_wire(void **state)
{
    (void)state;
    const struct lwp_header header = {.magic = LWP_MAGIC};
    struct lwp_writer out = guarded_writer(LWP_HEADER_SIZE);
    lwp_header_encode(&header, out.data);
    assert_memory_equal(out.data, "LANC", 4);
}

/* One field set to all ones must fill its own bytes and no others. */
static void each_field_is_written_at_its_documented_offset(void **state)
{
    (void)state;
    for (int i = 0; i < LWP_HEADER_FIELD_COUNT; i++) {
        const struct lwp_header_field *field = &lwp_header_fields[i];
        struct lwp_header header = {0};
        uint8_t wire[LWP_HEADER_SIZE], expected[LWP_HEADER_SIZE] = {0};
        lwp_header_set(&header, (enum lwp_header_index)i, UINT64_MAX);
        lwp_header_encode(&header, wire);
        memset(expected + field->offset, 0xff, field->size);
        assert_memory_equal(wire, expected, sizeof(wire));
    }
}

static void each_field_of_random_headers_stands_where_the_table_says(void **state)
{
    (void)state;
    uint64_t seed = 0x4ead;
    for (int round = 0; round < 500; round++) {
        const struct lwp_header header = random_header(&seed);
        uint8_t wire[LWP_HEADER_SIZE];
        lwp_header_encode(&header, wire);
        for (int i = 0; i < LWP_HEADER_FIELD_COUNT; i++) {
            const struct lwp_header_field *field = &lwp_header_fields[i];
            assert_true(lwp_get_integer(wire + field->offset, field->size) ==
                        lwp_header_get(&header, (enum lwp_header_index)i));
        }
    }
}

static void encoding_what_was_decoded_gives_the_same_bytes(void **state)
{
    (void)state;
    uint8_t wire[LWP_HEADER_SIZE], again[LWP_HEADER_SIZE];
    for (uint64_t round = 1; round <= 500; round++) {
        struct lwp_header header;
        fill_random(wire, sizeof(wire), round);
        lwp_header_decode(wire, &header);
        lwp_header_encode(&header, again);
        assert_memory_equal(again, wire, sizeof(wire));
    }
}

static void a_value_is_cut_to_the_size_of_its_field(void **state)
{
    (void)state;
    const uint64_t value = 0x8877665544332211;
    for (int i = 0; i < LWP_HEADER_FIELD_COUNT; i++) {
        const unsigned bits = 8U * lwp_header_fields[i].size;
        const uint64_t mask = bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
        struct lwp_header header = {0};
        lwp_header_set(&header, (enum lwp_header_index)i, value);
        for (int j = 0; j < LWP_HEADER_FIELD_COUNT; j++)
            assert_true(lwp_header_get(&header, (enum lwp_header_index)j) ==
                        (i == j ? (value & mask) : 0));
    }
}

static void a_sound_header_passes_in_its_own_polynomial_only(void **state)
{
    (void)state;
    const struct lwp_header castagnoli = good_header(LWP_CRC32C);
    const struct lwp_header deployed = good_header(LWP_CRC32);
    assert_int_equal(lwp_header_check(&castagnoli, LWP_CRC32C), LWP_OK);
    assert_int_equal(lwp_header_check(&castagnoli, LWP_CRC32), LWP_HEADER_CHECKSUM);
    assert_int_equal(lwp_header_check(&deployed, LWP_CRC32), LWP_OK);
    assert_int_equal(lwp_header_check(&deployed, LWP_CRC32C), LWP_HEADER_CHECKSUM);
}

static void magic_comes_before_version_and_version_before_checksum(void **state)
{
    (void)state;
    struct lwp_header header = good_header(LWP_CRC32);
    header.header_crc ^= 1;
    assert_int_equal(lwp_header_check(&header, LWP_CRC32), LWP_HEADER_CHECKSUM);
    header.version = 2;
    assert_int_equal(lwp_header_check(&header, LWP_CRC32), LWP_INVALID_VERSION);
    header.magic ^= 1;
    assert_int_equal(lwp_header_check(&header, LWP_CRC32), LWP_INVALID_MAGIC);
    header.version = 1;
    assert_int_equal(lwp_header_check(&header, LWP_CRC32), LWP_INVALID_MAGIC);
}

static void a_matching_checksum_excuses_neither_magic_nor_version(void **state)
{
    (void)state;
    for (unsigned version = 0; version < 256; version++) {
        struct lwp_header header = good_header(LWP_CRC32);
        header.version = (uint8_t)version;
        reseal_header(&header, LWP_CRC32);
        assert_int_equal(lwp_header_check(&header, LWP_CRC32),
                         version == LWP_VERSION ? LWP_OK : LWP_INVALID_VERSION);
    }
    for (unsigned bit = 0; bit < 32; bit++) {
        struct lwp_header header = good_header(LWP_CRC32);
        header.magic ^= 1U << bit;
        reseal_header(&header, LWP_CRC32);
        assert_int_equal(lwp_header_check(&header, LWP_CRC32), LWP_INVALID_MAGIC);
    }
}

static void flags_and_reserved_bytes_are_not_judged_here(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 256; flags++) {
        struct lwp_header header = {.magic = LWP_MAGIC, .version = 1, .flags = (uint8_t)flags};
        header.reserved = (uint16_t)(flags * 0x101);
        reseal_header(&header, LWP_CRC32C);
        assert_int_equal(lwp_header_check(&header, LWP_CRC32C), LWP_OK);
    }
}

static void every_flipped_bit_of_the_first_twelve_bytes_is_noticed(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 256; flags++) {
        struct lwp_header header = good_header(LWP_CRC32), damaged;
        header.flags = (uint8_t)flags;
        reseal_header(&header, LWP_CRC32);
        for (size_t bit = 0; bit < 8 * 12; bit++) {
            uint8_t wire[LWP_HEADER_SIZE];
            lwp_header_encode(&header, wire);
            wire[bit / 8] ^= (uint8_t)(1U << bit % 8);
            lwp_header_decode(wire, &damaged);
            assert_int_equal(lwp_header_check(&damaged, LWP_CRC32), bit < 32 ? LWP_INVALID_MAGIC
                                                                    : bit < 40
                                                                        ? LWP_INVALID_VERSION
                                                                        : LWP_HEADER_CHECKSUM);
        }
    }
}

static void the_checksum_is_that_of_the_first_eight_bytes_right_or_wrong(void **state)
{
    (void)state;
    uint64_t seed = 0xc4c;
    for (int round = 0; round < 500; round++) {
        const struct lwp_header header = random_header(&seed);
        uint8_t wire[LWP_HEADER_SIZE];
        lwp_header_encode(&header, wire);
        for (int i = 0; i < 2; i++) {
            const enum lwp_polynomial polynomial = i ? LWP_CRC32 : LWP_CRC32C;
            assert_int_equal(lwp_header_crc(&header, polynomial),
                             bitwise_crc(polynomial, bytes_of(wire, LWP_HEADER_CHECKED_SIZE)));
        }
    }
}

/* The short cut by flags alone must not be taken where one of its conditions fails. */
static void each_other_field_of_the_first_eight_bytes_counts_in_the_checksum(void **state)
{
    (void)state;
    struct lwp_header magic = good_header(LWP_CRC32), version = magic, reserved = magic;
    const uint32_t good = lwp_header_crc(&magic, LWP_CRC32);
    magic.magic ^= 0x100;
    version.version = 3;
    reserved.reserved = 0x8000;
    assert_int_equal(good, 0x539c1e06);
    assert_int_not_equal(lwp_header_crc(&magic, LWP_CRC32), good);
    assert_int_not_equal(lwp_header_crc(&version, LWP_CRC32), good);
    assert_int_not_equal(lwp_header_crc(&reserved, LWP_CRC32), good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_fields_is_that_of_the_specification),
        cmocka_unit_test(each_member_is_read_from_its_documented_offset),
        cmocka_unit_test(the_magic_is_lanc_on_the_wire),
        cmocka_unit_test(each_field_is_written_at_its_documented_offset),
        cmocka_unit_test(each_field_of_random_headers_stands_where_the_table_says),
        cmocka_unit_test(encoding_what_was_decoded_gives_the_same_bytes),
        cmocka_unit_test(a_value_is_cut_to_the_size_of_its_field),
        cmocka_unit_test(a_sound_header_passes_in_its_own_polynomial_only),
        cmocka_unit_test(magic_comes_before_version_and_version_before_checksum),
        cmocka_unit_test(a_matching_checksum_excuses_neither_magic_nor_version),
        cmocka_unit_test(flags_and_reserved_bytes_are_not_judged_here),
        cmocka_unit_test(every_flipped_bit_of_the_first_twelve_bytes_is_noticed),
        cmocka_unit_test(the_checksum_is_that_of_the_first_eight_bytes_right_or_wrong),
        cmocka_unit_test(each_other_field_of_the_first_eight_bytes_counts_in_the_checksum),
    };
    return cmocka_run_group_tests_name("header", tests, NULL, NULL);
}
