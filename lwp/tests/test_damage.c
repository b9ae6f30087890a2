/* SPDX-License-Identifier: MIT */
#include "lwp/tests/support.h"

#include "lwp/net/damage.h"

enum { PAYLOAD_SIZE = 6, FRAME_SIZE = LWP_HEADER_SIZE + PAYLOAD_SIZE };

/* A sealed ingest of 50 bytes. */
static struct lwp_bytes sound_frame(enum lwp_polynomial polynomial)
{
    static uint8_t wire[FRAME_SIZE];
    struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
    const struct lwp_frame frame = ingest_of(polynomial, 7, lwp_bytes_text("abcdef"));
    assert_int_equal(lwp_frame_encode(&frame, &out), LWP_OK);
    return lwp_writer_bytes(&out);
}

static struct lwp_damage set_of(enum lwp_header_index field, uint64_t value, bool reseals)
{
    return (struct lwp_damage){
        .kind = LWP_DAMAGE_SET, .field = field, .value = value, .reseals = reseals};
}

static struct lwp_damage xor_of(int64_t offset, const char *bytes)
{
    return (struct lwp_damage){
        .kind = LWP_DAMAGE_XOR, .offset = offset, .bytes = lwp_bytes_text(bytes)};
}

static struct lwp_damage cut_of(int64_t offset, uint64_t size)
{
    return (struct lwp_damage){.kind = LWP_DAMAGE_CUT, .offset = offset, .size = size};
}

static struct lwp_damage insert_of(int64_t offset, const char *bytes)
{
    return (struct lwp_damage){
        .kind = LWP_DAMAGE_INSERT, .offset = offset, .bytes = lwp_bytes_text(bytes)};
}

static struct lwp_damage truncate_of(int64_t offset)
{
    return (struct lwp_damage){.kind = LWP_DAMAGE_TRUNCATE, .offset = offset};
}

/* The frame after the operations, in memory of exactly the size that lwp_damage_bound() names. */
static struct lwp_bytes damaged(struct lwp_bytes frame, const struct lwp_damage_list *list,
                                size_t *touched)
{
    struct lwp_writer out = guarded_writer(lwp_damage_bound(list, frame.size));
    assert_int_equal(lwp_damage_apply(list, guarded(frame), &out, touched), LWP_OK);
    return lwp_writer_bytes(&out);
}

/* One operation on ten letters gives `expected`, and `touched` bytes were touched. */
struct letters_row {
    struct lwp_damage damage;
    const char *expected;
    size_t touched;
};

static void assert_letters(const struct letters_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct lwp_damage_list list = {&rows[i].damage, 1, LWP_CRC32C};
        size_t touched = 4711;
        assert_bytes_equal(damaged(lwp_bytes_text("abcdefghij"), &list, &touched),
                           lwp_bytes_text(rows[i].expected));
        assert_int_equal(touched, rows[i].touched);
    }
}

static void nothing_to_do_leaves_the_frame_alone(void **state)
{
    (void)state;
    const struct lwp_damage_list list = {NULL, 0, LWP_CRC32C};
    const struct lwp_bytes frame = sound_frame(LWP_CRC32C);
    size_t touched = 4711;
    assert_bytes_equal(damaged(frame, &list, &touched), frame);
    assert_int_equal(touched, 0);
    assert_bytes_equal(damaged(bytes_of(NULL, 0), &list, &touched), bytes_of(NULL, 0));
}

static void xor_combines_the_bytes_from_its_offset_on(void **state)
{
    (void)state;
    const struct letters_row rows[] = {
        {xor_of(0, "\x20"), "Abcdefghij", 1}, {xor_of(2, "\x20\x20\x20"), "abCDEfghij", 3},
        {xor_of(9, " "), "abcdefghiJ", 1},    {xor_of(-1, " "), "abcdefghiJ", 1},
        {xor_of(-10, " "), "Abcdefghij", 1},  {xor_of(3, ""), "abcdefghij", 0}};
    assert_letters(rows, COUNT_OF(rows));
}

static void cut_removes_bytes(void **state)
{
    (void)state;
    const struct letters_row rows[] = {
        {cut_of(0, 3), "defghij", 3},   {cut_of(4, 1), "abcdfghij", 1},
        {cut_of(9, 1), "abcdefghi", 1}, {cut_of(-2, 2), "abcdefgh", 2},
        {cut_of(-5, 2), "abcdehij", 2}, {cut_of(0, 10), "", 10},
        {cut_of(4, 0), "abcdefghij", 0}};
    assert_letters(rows, COUNT_OF(rows));
}

static void insert_comes_in_front_of_the_byte_at_its_offset(void **state)
{
    (void)state;
    const struct letters_row rows[] = {
        {insert_of(0, "XY"), "XYabcdefghij", 2},    {insert_of(4, "X"), "abcdXefghij", 1},
        {insert_of(10, "XYZ"), "abcdefghijXYZ", 3}, {insert_of(-1, "X"), "abcdefghiXj", 1},
        {insert_of(-10, "X"), "Xabcdefghij", 1},    {insert_of(5, ""), "abcdefghij", 0}};
    assert_letters(rows, COUNT_OF(rows));
}

static void truncate_leaves_the_front(void **state)
{
    (void)state;
    const struct letters_row rows[] = {{truncate_of(0), "", 10},
                                       {truncate_of(4), "abcd", 6},
                                       {truncate_of(10), "abcdefghij", 0},
                                       {truncate_of(-1), "abcdefghi", 1},
                                       {truncate_of(-10), "", 10}};
    assert_letters(rows, COUNT_OF(rows));
}

static void what_lies_outside_is_left_out_and_not_counted(void **state)
{
    (void)state;
    const struct letters_row rows[] = {
        {xor_of(8, "   "), "abcdefghIJ", 2},
        {xor_of(10, "   "), "abcdefghij", 0},
        {xor_of(INT64_MAX, " "), "abcdefghij", 0},
        {xor_of(-11, "~ "), "Abcdefghij", 1}, /* Only the second byte of the pattern hits. */
        {xor_of(-12, "  "), "abcdefghij", 0},
        {xor_of(INT64_MIN, "  "), "abcdefghij", 0},
        {cut_of(8, 100), "abcdefgh", 2},
        {cut_of(8, UINT64_MAX), "abcdefgh", 2},
        {cut_of(10, 1), "abcdefghij", 0},
        {cut_of(-12, 5), "defghij", 3},
        {cut_of(-12, 2), "abcdefghij", 0},
        {cut_of(INT64_MIN, UINT64_MAX), "", 10},
        {cut_of(INT64_MIN, INT64_MAX), "j", 9},
        {cut_of(INT64_MAX, UINT64_MAX), "abcdefghij", 0},
        {insert_of(11, "X"), "abcdefghijX", 1},
        {insert_of(INT64_MAX, "X"), "abcdefghijX", 1},
        {insert_of(-11, "X"), "Xabcdefghij", 1},
        {insert_of(INT64_MIN, "X"), "Xabcdefghij", 1},
        {truncate_of(11), "abcdefghij", 0},
        {truncate_of(INT64_MAX), "abcdefghij", 0},
        {truncate_of(-11), "", 10},
        {truncate_of(INT64_MIN), "", 10}};
    assert_letters(rows, COUNT_OF(rows));
}

static void offsets_refer_to_the_frame_as_damaged_so_far(void **state)
{
    (void)state;
    const struct lwp_damage damages[] = {truncate_of(-2), insert_of(-1, "XY"), cut_of(0, 2),
                                         xor_of(-1, " ")};
    const char *const steps[] = {"abcdefgh", "abcdefgXYh", "cdefgXYh", "cdefgXYH"};
    static const size_t totals[] = {2, 4, 6, 7};
    for (size_t count = 1; count <= COUNT_OF(damages); count++) {
        const struct lwp_damage_list list = {damages, count, LWP_CRC32};
        size_t touched = 0;
        assert_bytes_equal(damaged(lwp_bytes_text("abcdefghij"), &list, &touched),
                           lwp_bytes_text(steps[count - 1]));
        assert_int_equal(touched, totals[count - 1]);
    }
}

static void operations_on_nothing_do_nothing(void **state)
{
    (void)state;
    const struct lwp_damage damages[] = {truncate_of(0),
                                         xor_of(0, "x"),
                                         xor_of(-1, "x"),
                                         cut_of(0, 5),
                                         cut_of(-3, 5),
                                         truncate_of(-1),
                                         set_of(LWP_HEADER_flags, 1, true)};
    const struct lwp_damage_list list = {damages, COUNT_OF(damages), LWP_CRC32};
    size_t touched = 0;
    assert_bytes_equal(damaged(lwp_bytes_text("ab"), &list, &touched), bytes_of(NULL, 0));
    assert_int_equal(touched, 2);
}

static void a_field_is_set_and_nothing_else(void **state)
{
    (void)state;
    const uint64_t value = UINT64_C(0xf1e2d3c4b5a69788);
    for (enum lwp_header_index field = 0; field < LWP_HEADER_FIELD_COUNT; field++) {
        const struct lwp_header_field *row = &lwp_header_fields[field];
        const struct lwp_damage damage = set_of(field, value, false);
        const struct lwp_damage_list list = {&damage, 1, LWP_CRC32};
        uint8_t expected[FRAME_SIZE];
        size_t touched = 0;
        memcpy(expected, sound_frame(LWP_CRC32).data, FRAME_SIZE);
        for (size_t i = 0; i < row->size; i++)
            expected[row->offset + i] = (uint8_t)(value >> (8 * i));
        assert_bytes_equal(damaged(sound_frame(LWP_CRC32), &list, &touched),
                           bytes_of(expected, sizeof(expected)));
        assert_int_equal(touched, row->size);
    }
}

/* Resealing after `field` was set changes four bytes at `crc_at` to the checksum of `covered`. */
static void assert_reseals(enum lwp_header_index field, uint64_t value, size_t crc_at,
                           size_t covered_from, size_t covered_size)
{
    for (int polynomial = LWP_CRC32C; polynomial <= LWP_CRC32; polynomial++) {
        const enum lwp_polynomial chosen = (enum lwp_polynomial)polynomial;
        const struct lwp_damage damage = set_of(field, value, true);
        const struct lwp_damage_list list = {&damage, 1, chosen};
        uint8_t expected[FRAME_SIZE];
        size_t touched = 0;
        memcpy(expected, sound_frame(chosen).data, FRAME_SIZE);
        lwp_put_integer(expected + lwp_header_fields[field].offset, lwp_header_fields[field].size,
                        value);
        lwp_put32(expected + crc_at,
                  bitwise_crc(chosen, bytes_of(expected + covered_from, covered_size)));
        assert_bytes_equal(damaged(sound_frame(chosen), &list, &touched),
                           bytes_of(expected, sizeof(expected)));
        assert_int_equal(touched, lwp_header_fields[field].size);
    }
}

static void resealing_mends_the_header_checksum(void **state)
{
    (void)state;
    static const enum lwp_header_index fields[] = {LWP_HEADER_magic, LWP_HEADER_version,
                                                   LWP_HEADER_flags, LWP_HEADER_reserved};
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        assert_reseals(fields[i], 0x5a, 8, 0, LWP_HEADER_CHECKED_SIZE);
}

static void resealing_mends_the_payload_checksum_for_a_new_length(void **state)
{
    (void)state;
    for (size_t length = 0; length <= PAYLOAD_SIZE; length++)
        assert_reseals(LWP_HEADER_payload_length, length, 36, LWP_HEADER_SIZE, length);
    assert_reseals(LWP_HEADER_payload_length, PAYLOAD_SIZE + 1, 36, LWP_HEADER_SIZE, PAYLOAD_SIZE);
    assert_reseals(LWP_HEADER_payload_length, UINT32_MAX, 36, LWP_HEADER_SIZE, PAYLOAD_SIZE);
}

static void a_frame_with_a_shorter_length_is_sound_when_resealed(void **state)
{
    (void)state;
    static const struct lwp_frame_rules rules = {LWP_CRC32C, UINT32_MAX};
    const struct lwp_damage damages[] = {set_of(LWP_HEADER_payload_length, 2, true),
                                         set_of(LWP_HEADER_flags, 0x7f, true)};
    const struct lwp_damage_list list = {damages, COUNT_OF(damages), LWP_CRC32C};
    struct lwp_frame frame;
    struct lwp_fault fault;
    size_t touched = 0;
    const struct lwp_bytes bytes = damaged(sound_frame(LWP_CRC32C), &list, &touched);
    assert_int_equal(lwp_frame_split(&rules, bytes, &frame, &fault), LWP_OK);
    assert_bytes_equal(frame.payload, lwp_bytes_text("ab"));
    assert_int_equal(frame.header.flags, 0x7f);
}

static void fields_that_nothing_covers_have_nothing_to_reseal(void **state)
{
    (void)state;
    static const enum lwp_header_index fields[] = {LWP_HEADER_header_crc,   LWP_HEADER_batch_id,
                                                   LWP_HEADER_timestamp_ns, LWP_HEADER_record_count,
                                                   LWP_HEADER_payload_crc,  LWP_HEADER_topic_id};
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        const struct lwp_damage damages[] = {set_of(fields[i], 0x0102030405060708, true),
                                             set_of(fields[i], 0x0102030405060708, false)};
        uint8_t kept[FRAME_SIZE];
        size_t touched = 0;
        const struct lwp_damage_list keep = {&damages[1], 1, LWP_CRC32};
        memcpy(kept, damaged(sound_frame(LWP_CRC32), &keep, &touched).data, FRAME_SIZE);
        const struct lwp_damage_list mend = {&damages[0], 1, LWP_CRC32};
        assert_bytes_equal(damaged(sound_frame(LWP_CRC32), &mend, &touched),
                           bytes_of(kept, FRAME_SIZE));
    }
}

static void a_field_that_is_there_in_part_is_set_in_part(void **state)
{
    (void)state;
    for (size_t size = 0; size <= FRAME_SIZE; size++)
        for (enum lwp_header_index field = 0; field < LWP_HEADER_FIELD_COUNT; field++) {
            const struct lwp_header_field *row = &lwp_header_fields[field];
            const struct lwp_damage damages[] = {truncate_of((int64_t)size),
                                                 set_of(field, UINT64_MAX, true)};
            const struct lwp_damage_list list = {damages, COUNT_OF(damages), LWP_CRC32C};
            const size_t behind = size > row->offset ? size - row->offset : 0;
            const size_t there = behind < row->size ? behind : row->size;
            size_t touched = 0;
            const struct lwp_bytes bytes = damaged(sound_frame(LWP_CRC32C), &list, &touched);
            assert_int_equal(bytes.size, size);
            assert_int_equal(touched, FRAME_SIZE - size + there);
            for (size_t i = 0; i < there; i++)
                assert_int_equal(bytes.data[row->offset + i], 0xff);
        }
}

static void a_writer_that_is_too_small_is_full_and_never_overrun(void **state)
{
    (void)state;
    const struct lwp_damage damages[] = {insert_of(2, "12345"), truncate_of(1)};
    const struct lwp_damage_list list = {damages, COUNT_OF(damages), LWP_CRC32};
    assert_int_equal(lwp_damage_bound(&list, 10), 15);
    for (size_t room = 0; room <= 16; room++) {
        struct lwp_writer out = guarded_writer(room);
        size_t touched = 4711;
        const enum lwp_status status =
            lwp_damage_apply(&list, lwp_bytes_text("abcdefghij"), &out, &touched);
        assert_int_equal(status, room < 15 ? LWP_FULL : LWP_OK);
        assert_int_equal(out.full, room < 15);
        assert_int_equal(touched, room < 15 ? 4711 : 5 + 14);
        assert_true(out.size <= room);
    }
}

static void damage_comes_behind_what_the_writer_holds(void **state)
{
    (void)state;
    uint8_t room[32];
    struct lwp_writer out = lwp_writer_on(room, sizeof(room));
    const struct lwp_damage damage = cut_of(0, 1);
    const struct lwp_damage_list list = {&damage, 1, LWP_CRC32};
    size_t touched = 0;
    lwp_write(&out, lwp_bytes_text("before,"));
    assert_int_equal(lwp_damage_apply(&list, lwp_bytes_text("abc"), &out, &touched), LWP_OK);
    assert_bytes_equal(lwp_writer_bytes(&out), lwp_bytes_text("before,bc"));
}

static void the_bound_does_not_wrap_around(void **state)
{
    (void)state;
    const struct lwp_damage damages[] = {insert_of(0, "xx"), insert_of(0, "yy"), cut_of(0, 9)};
    const struct lwp_damage_list list = {damages, COUNT_OF(damages), LWP_CRC32};
    assert_int_equal(lwp_damage_bound(&list, 0), 4);
    assert_true(lwp_damage_bound(&list, SIZE_MAX - 5) == SIZE_MAX - 1);
    assert_true(lwp_damage_bound(&list, SIZE_MAX - 3) == SIZE_MAX);
    assert_true(lwp_damage_bound(&list, SIZE_MAX) == SIZE_MAX);
}

/* Offsets that hit, nearly miss and miss. */
static int64_t any_offset(uint64_t *seed)
{
    static const int64_t far[] = {INT64_MIN, INT64_MAX, INT64_MIN + 1, -1000, 1000, -45, 44, 0};
    const uint64_t random = next_random(seed) >> 20;
    return random % 4 ? (int64_t)(random / 4 % 140) - 70 : far[random / 4 % COUNT_OF(far)];
}

static void random_operations_stay_inside_and_agree_with_their_count(void **state)
{
    (void)state;
    uint64_t seed = 4711;
    for (int round = 0; round < 20000; round++) {
        struct lwp_damage damages[4];
        for (size_t i = 0; i < COUNT_OF(damages); i++)
            damages[i] = (struct lwp_damage){
                .kind = (enum lwp_damage_kind)(next_random(&seed) >> 30) % 5,
                .field = (enum lwp_header_index)(next_random(&seed) >> 30) % LWP_HEADER_FIELD_COUNT,
                .value = next_random(&seed),
                .reseals = next_random(&seed) >> 40 & 1,
                .offset = any_offset(&seed),
                .size = next_random(&seed) >> 30 & 1 ? UINT64_MAX : next_random(&seed) >> 30 & 63,
                .bytes = lwp_bytes_from(lwp_bytes_text("0123456789"),
                                        (size_t)(next_random(&seed) >> 30) % 11)};
        const struct lwp_damage_list list = {damages, COUNT_OF(damages), LWP_CRC32C};
        size_t touched = 0;
        const struct lwp_bytes before = sound_frame(LWP_CRC32C);
        const struct lwp_bytes after = damaged(before, &list, &touched);
        if (touched == 0)
            assert_bytes_equal(after, before);
        assert_true(after.size <= lwp_damage_bound(&list, before.size));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_do_leaves_the_frame_alone),
        cmocka_unit_test(xor_combines_the_bytes_from_its_offset_on),
        cmocka_unit_test(cut_removes_bytes),
        cmocka_unit_test(insert_comes_in_front_of_the_byte_at_its_offset),
        cmocka_unit_test(truncate_leaves_the_front),
        cmocka_unit_test(what_lies_outside_is_left_out_and_not_counted),
        cmocka_unit_test(offsets_refer_to_the_frame_as_damaged_so_far),
        cmocka_unit_test(operations_on_nothing_do_nothing),
        cmocka_unit_test(a_field_is_set_and_nothing_else),
        cmocka_unit_test(resealing_mends_the_header_checksum),
        cmocka_unit_test(resealing_mends_the_payload_checksum_for_a_new_length),
        cmocka_unit_test(a_frame_with_a_shorter_length_is_sound_when_resealed),
        cmocka_unit_test(fields_that_nothing_covers_have_nothing_to_reseal),
        cmocka_unit_test(a_field_that_is_there_in_part_is_set_in_part),
        cmocka_unit_test(a_writer_that_is_too_small_is_full_and_never_overrun),
        cmocka_unit_test(damage_comes_behind_what_the_writer_holds),
        cmocka_unit_test(the_bound_does_not_wrap_around),
        cmocka_unit_test(random_operations_stay_inside_and_agree_with_their_count),
    };
    return cmocka_run_group_tests_name("damage", tests, NULL, NULL);
}
