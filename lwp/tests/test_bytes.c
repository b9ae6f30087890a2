/* SPDX-License-Identifier: MIT */
#include "lwp/tests/support.h"

static const uint8_t COUNTING[] = {0xf1, 0xe2, 0xd3, 0xc4, 0xb5, 0xa6, 0x97, 0x88, 0x79};

static void integers_are_read_little_endian_at_any_address(void **state)
{
    (void)state;
    assert_int_equal(lwp_get16(COUNTING), 0xe2f1);
    assert_int_equal(lwp_get16(COUNTING + 1), 0xd3e2);
    assert_int_equal(lwp_get32(COUNTING), 0xc4d3e2f1);
    assert_int_equal(lwp_get32(COUNTING + 1), 0xb5c4d3e2);
    assert_true(lwp_get64(COUNTING) == 0x8897a6b5c4d3e2f1U);
    assert_true(lwp_get64(COUNTING + 1) == 0x798897a6b5c4d3e2U);
}

static void an_integer_of_any_size_is_read_little_endian(void **state)
{
    (void)state;
    assert_int_equal(lwp_get_integer(COUNTING, 1), 0xf1);
    assert_int_equal(lwp_get_integer(COUNTING, 2), lwp_get16(COUNTING));
    assert_int_equal(lwp_get_integer(COUNTING, 4), lwp_get32(COUNTING));
    assert_true(lwp_get_integer(COUNTING, 8) == lwp_get64(COUNTING));
}

static void integers_are_written_little_endian_and_touch_no_neighbour(void **state)
{
    (void)state;
    static const size_t sizes[] = {2, 4, 8};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        uint8_t out[10] = {0}, expected[10] = {0};
        memcpy(expected + 1, COUNTING, sizes[i]);
        if (sizes[i] == 2)
            lwp_put16(out + 1, 0xe2f1);
        if (sizes[i] == 4)
            lwp_put32(out + 1, 0xc4d3e2f1);
        if (sizes[i] == 8)
            lwp_put64(out + 1, 0x8897a6b5c4d3e2f1U);
        assert_memory_equal(out, expected, sizeof(out));
    }
}

static void an_integer_is_cut_to_the_size_it_is_written_with(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 4, 8};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        uint8_t out[10] = {0}, expected[10] = {0};
        memcpy(expected + 1, COUNTING, sizes[i]);
        lwp_put_integer(out + 1, sizes[i], 0x8897a6b5c4d3e2f1U);
        assert_memory_equal(out, expected, sizeof(out));
    }
}

static void a_text_is_viewed_without_its_zero(void **state)
{
    (void)state;
    assert_bytes_equal(lwp_bytes_text("abc"), bytes_of("abc", 3));
    assert_int_equal(lwp_bytes_text("").size, 0);
    assert_int_equal(lwp_bytes_text(NULL).size, 0);
}

static void views_are_equal_if_their_bytes_are(void **state)
{
    (void)state;
    const struct lwp_bytes none = {NULL, 0};
    assert_true(lwp_bytes_equal(bytes_of("abc", 3), bytes_of("abcd", 3)));
    assert_false(lwp_bytes_equal(bytes_of("abc", 3), bytes_of("abd", 3)));
    assert_false(lwp_bytes_equal(bytes_of("abc", 3), bytes_of("abc", 2)));
    assert_true(lwp_bytes_equal(none, lwp_bytes_text("")));
    assert_true(lwp_bytes_equal(bytes_of("a\0b", 3), bytes_of("a\0b", 3)));
    assert_false(lwp_bytes_equal(bytes_of("a\0b", 3), bytes_of("a\0c", 3)));
}

static void the_rest_of_a_view_begins_where_it_is_asked_to(void **state)
{
    (void)state;
    const struct lwp_bytes in = lwp_bytes_text("hello");
    assert_bytes_equal(lwp_bytes_from(in, 0), in);
    assert_bytes_equal(lwp_bytes_from(in, 4), lwp_bytes_text("o"));
    assert_int_equal(lwp_bytes_from(in, 5).size, 0);
    assert_int_equal(lwp_bytes_from(in, 6).size, 0);
    assert_int_equal(lwp_bytes_from(in, SIZE_MAX).size, 0);
}

static void a_writer_takes_what_fits_exactly(void **state)
{
    (void)state;
    struct lwp_writer out = guarded_writer(7);
    lwp_write(&out, lwp_bytes_text("abc"));
    lwp_write_integer(&out, 4, 0x67666564);
    lwp_write(&out, bytes_of(NULL, 0));
    assert_false(out.full);
    assert_bytes_equal(lwp_writer_bytes(&out), lwp_bytes_text("abcdefg"));
}

static void a_full_writer_stays_full_and_keeps_what_it_has(void **state)
{
    (void)state;
    struct lwp_writer out = guarded_writer(5);
    lwp_write(&out, lwp_bytes_text("abc"));
    lwp_write(&out, lwp_bytes_text("def"));
    assert_true(out.full);
    lwp_write(&out, lwp_bytes_text("g"));
    lwp_write_integer(&out, 1, 'h');
    assert_null(lwp_write_room(&out, 1));
    assert_null(lwp_write_room(&out, 0));
    assert_true(out.full);
    assert_bytes_equal(lwp_writer_bytes(&out), lwp_bytes_text("abc"));
}

static void an_integer_that_does_not_fit_is_not_written_in_part(void **state)
{
    (void)state;
    for (size_t room = 0; room < 8; room++) {
        struct lwp_writer out = guarded_writer(room);
        memset(out.data, 0, room);
        lwp_write_integer(&out, 8, UINT64_MAX);
        assert_true(out.full);
        assert_int_equal(out.size, 0);
        for (size_t i = 0; i < room; i++)
            assert_int_equal(out.data[i], 0);
    }
}

static void a_huge_size_does_not_wrap_the_writer_around(void **state)
{
    (void)state;
    uint8_t buffer[8];
    struct lwp_writer out = lwp_writer_on(buffer, sizeof(buffer));
    lwp_write(&out, lwp_bytes_text("abcd"));
    assert_null(lwp_write_room(&out, SIZE_MAX - 2));
    assert_true(out.full);
    assert_int_equal(out.size, 4);
}

static void reserved_room_lies_behind_what_was_written(void **state)
{
    (void)state;
    uint8_t buffer[8];
    struct lwp_writer out = lwp_writer_on(buffer, sizeof(buffer));
    lwp_write(&out, lwp_bytes_text("abc"));
    assert_ptr_equal(lwp_write_room(&out, 5), buffer + 3);
    assert_int_equal(out.size, 8);
    assert_false(out.full);
}

/* The definition of UTF-8 (RFC 3629), written the other way round: decode a sequence and compare
 * with the smallest number that needs its size. Returns the bytes it takes, 0 if it is not well
 * formed. */
static size_t reference_sequence(const uint8_t *at, size_t left)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t size = at[0] < 0x80         ? 1
                        : at[0] >> 5 == 0x06 ? 2
                        : at[0] >> 4 == 0x0e ? 3
                        : at[0] >> 3 == 0x1e ? 4
                                             : 0;
    if (size <= 1 || size > left)
        return size == 1;
    uint32_t point = at[0] & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        if (at[i] >> 6 != 2)
            return 0;
        point = point << 6 | (at[i] & 0x3fU);
    }
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    return point >= smallest[size] && point <= 0x10ffff && !surrogate ? size : 0;
}

static bool reference_valid(struct lwp_bytes text)
{
    for (size_t at = 0; at < text.size;) {
        const size_t size = reference_sequence(text.data + at, text.size - at);
        if (size == 0)
            return false;
        at += size;
    }
    return true;
}

/* Whether some bytes behind `begin` make it a character. If any do, two of these do. */
static bool begins_character(struct lwp_bytes begin)
{
    for (unsigned next = 0x80; next <= 0xbf; next += 0x3f)
        for (size_t size = begin.size; size <= 4; size++) {
            uint8_t text[4] = {0x80, 0x80, 0x80, 0x80};
            memcpy(text, begin.data, begin.size);
            if (begin.size < 4)
                text[begin.size] = (uint8_t)next;
            if (reference_sequence(text, size) == size)
                return true;
        }
    return false;
}

static size_t encode_point(uint32_t point, uint8_t *out)
{
    const size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size; i-- > 1; point >>= 6)
        out[i] = (uint8_t)(0x80 | (point & 0x3f));
    out[0] = (uint8_t)(lead[size] | point);
    return size;
}

static void every_code_point_but_the_surrogates_is_utf8(void **state)
{
    (void)state;
    uint8_t text[4];
    for (uint32_t point = 0; point < 0x200000; point++) {
        const bool expected = point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
        const size_t size = encode_point(point, text);
        if (lwp_utf8_valid(bytes_of(text, size)) != expected)
            fail_msg("U+%04X", point);
    }
}

static void assert_step(struct lwp_bytes text)
{
    const size_t whole = reference_sequence(text.data, text.size);
    size_t expected = whole ? whole : text.size;
    while (whole == 0 && expected > 1 && !begins_character(bytes_of(text.data, expected)))
        expected--;
    bool valid = whole == 0;
    if (lwp_utf8_step(text, &valid) != expected || valid != (whole != 0))
        fail_msg("%02x..., %zu bytes: a step of %zu", text.data[0], text.size, expected);
}

static void sequences_of_boundary_bytes_are_judged_by_the_definition(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                    0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
                                    0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xfe, 0xff};
    const size_t base = COUNT_OF(bytes);
    for (size_t number = 0; number < base * base * base * base; number++) {
        const uint8_t text[] = {bytes[number / base / base / base],
                                bytes[number / base / base % base], bytes[number / base % base],
                                bytes[number % base]};
        for (size_t size = 1; size <= sizeof(text); size++) {
            const struct lwp_bytes view = bytes_of(text, size);
            assert_step(view);
            if (lwp_utf8_valid(view) != reference_valid(view))
                fail_msg("%02x %02x %02x %02x, %zu bytes", text[0], text[1], text[2], text[3],
                         size);
        }
    }
}

/* The examples of the Unicode standard for replacing what is not well formed (table 3-11). */
static void a_step_takes_the_longest_beginning_of_a_character(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        bool valid;
    } rows[] = {{"a", 1, true},
                {"\xe1\x80\xe2", 2, false},
                {"\xe2\xf0\x91", 1, false},
                {"\xf0\x91\x92\xf1", 3, false},
                {"\xf1\xbf"
                 "A",
                 2, false},
                {"\xc0\xaf", 1, false},
                {"\xed\xa0\x80", 1, false},
                {"\x80\x80", 1, false},
                {"\xe2\x82\xac", 3, true},
                {"\xe2\x82", 2, false}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool valid = !rows[i].valid;
        const struct lwp_bytes text = guarded(lwp_bytes_text(rows[i].text));
        assert_int_equal(lwp_utf8_step(text, &valid), rows[i].size);
        assert_int_equal(valid, rows[i].valid);
    }
}

static void a_fault_is_found_wherever_it_stands(void **state)
{
    (void)state;
    uint8_t text[70];
    for (size_t size = 1; size <= sizeof(text); size++) {
        memset(text, 'a', sizeof(text));
        assert_true(lwp_utf8_valid(guarded(bytes_of(text, size))));
        for (size_t at = 0; at < size; at++) {
            text[at] = 0x80;
            assert_false(lwp_utf8_valid(guarded(bytes_of(text, size))));
            text[at] = 'a';
        }
    }
}

static void a_cut_sequence_is_no_text_and_nothing_behind_it_is_read(void **state)
{
    (void)state;
    static const uint32_t points[] = {0xe4, 0x20ac, 0x10ffff};
    for (size_t i = 0; i < COUNT_OF(points); i++) {
        uint8_t text[16] = "some text: ";
        const size_t size = encode_point(points[i], text + 11);
        for (size_t cut = 1; cut < size; cut++) {
            assert_false(lwp_utf8_valid(guarded(bytes_of(text, 11 + cut))));
            assert_false(lwp_utf8_valid(guarded(bytes_of(text + 11, cut))));
        }
        assert_true(lwp_utf8_valid(guarded(bytes_of(text, 11 + size))));
    }
}

static void the_empty_text_is_utf8(void **state)
{
    (void)state;
    assert_true(lwp_utf8_valid(bytes_of(NULL, 0)));
    assert_true(lwp_utf8_valid(guarded(lwp_bytes_text(""))));
}

static void what_is_not_utf8_is_replaced(void **state)
{
    (void)state;
    char buffer[64];
    struct lwp_writer out = lwp_writer_on(buffer, sizeof(buffer));
    lwp_utf8_clean(bytes_of("a\xff\xe2\x82\xac\xe2\x82z\0", 9), &out);
    assert_bytes_equal(lwp_writer_bytes(&out),
                       bytes_of("a\xef\xbf\xbd\xe2\x82\xac\xef\xbf\xbdz\0", 12));
    out = lwp_writer_on(buffer, 4);
    lwp_utf8_clean(lwp_bytes_text("ab\xe2\x82\xac"
                                  "c"),
                   &out);
    assert_bytes_equal(lwp_writer_bytes(&out), lwp_bytes_text("ab"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_read_little_endian_at_any_address),
        cmocka_unit_test(an_integer_of_any_size_is_read_little_endian),
        cmocka_unit_test(integers_are_written_little_endian_and_touch_no_neighbour),
        cmocka_unit_test(an_integer_is_cut_to_the_size_it_is_written_with),
        cmocka_unit_test(a_text_is_viewed_without_its_zero),
        cmocka_unit_test(views_are_equal_if_their_bytes_are),
        cmocka_unit_test(the_rest_of_a_view_begins_where_it_is_asked_to),
        cmocka_unit_test(a_writer_takes_what_fits_exactly),
        cmocka_unit_test(a_full_writer_stays_full_and_keeps_what_it_has),
        cmocka_unit_test(an_integer_that_does_not_fit_is_not_written_in_part),
        cmocka_unit_test(a_huge_size_does_not_wrap_the_writer_around),
        cmocka_unit_test(reserved_room_lies_behind_what_was_written),
        cmocka_unit_test(every_code_point_but_the_surrogates_is_utf8),
        cmocka_unit_test(sequences_of_boundary_bytes_are_judged_by_the_definition),
        cmocka_unit_test(a_step_takes_the_longest_beginning_of_a_character),
        cmocka_unit_test(a_fault_is_found_wherever_it_stands),
        cmocka_unit_test(a_cut_sequence_is_no_text_and_nothing_behind_it_is_read),
        cmocka_unit_test(the_empty_text_is_utf8),
        cmocka_unit_test(what_is_not_utf8_is_replaced),
    };
    return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
