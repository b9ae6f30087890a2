/* SPDX-License-Identifier: MIT */
#include "lwp/wire/tlv.h"

#include "lwp/tests/support.h"

/* The vector of specification 8.6. */
static const uint8_t VECTOR[] = {0x01, 5, 0, 0, 0, 'h', 'e', 'l', 'l', 'o',
                                 0x01, 5, 0, 0, 0, 'w', 'o', 'r', 'l', 'd'};

static struct lwp_bytes vector(void)
{
    return bytes_of(VECTOR, sizeof(VECTOR));
}

static struct lwp_record record_of(uint8_t type, struct lwp_bytes value)
{
    return (struct lwp_record){type, value};
}

static void the_published_vector_is_two_records(void **state)
{
    (void)state;
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(guarded(vector()));
    struct lwp_record record;
    assert_int_equal(lwp_tlv_next(&walk, &record), LWP_OK);
    assert_int_equal(record.type, LWP_TLV_RAW);
    assert_bytes_equal(record.value, lwp_bytes_text("hello"));
    assert_ptr_equal(record.value.data, walk.in.data + 5);
    assert_int_equal(walk.offset, 10);
    assert_int_equal(lwp_tlv_next(&walk, &record), LWP_OK);
    assert_bytes_equal(record.value, lwp_bytes_text("world"));
    assert_int_equal(lwp_tlv_next(&walk, &record), LWP_END);
    assert_int_equal(walk.offset, sizeof(VECTOR));
}

static void the_published_vector_is_what_the_builder_writes(void **state)
{
    (void)state;
    struct lwp_writer out = guarded_writer(sizeof(VECTOR));
    lwp_tlv_put(&out, LWP_TLV_RAW, lwp_bytes_text("hello"));
    lwp_tlv_put(&out, LWP_TLV_RAW, lwp_bytes_text("world"));
    assert_false(out.full);
    assert_bytes_equal(lwp_writer_bytes(&out), vector());
}

static void a_walk_over_nothing_is_at_its_end(void **state)
{
    (void)state;
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(bytes_of(NULL, 0));
    struct lwp_record record;
    uint64_t count = 99;
    struct lwp_fault fault;
    assert_int_equal(lwp_tlv_next(&walk, &record), LWP_END);
    assert_int_equal(lwp_tlv_count(bytes_of(NULL, 0), &count, &fault), LWP_OK);
    assert_int_equal(count, 0);
}

static void a_truncated_record_leaves_the_walk_in_front_of_it(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= sizeof(VECTOR); cut++) {
        struct lwp_tlv_walk walk = lwp_tlv_walk_over(guarded(bytes_of(VECTOR, cut)));
        struct lwp_record record;
        size_t count = 0;
        enum lwp_status status;
        while ((status = lwp_tlv_next(&walk, &record)) == LWP_OK)
            count++;
        assert_int_equal(count, cut / 10);
        assert_int_equal(status, cut % 10 ? LWP_TRUNCATED_RECORD : LWP_END);
        assert_int_equal(walk.offset, cut / 10 * 10);
        assert_int_equal(lwp_tlv_next(&walk, &record), status);
        assert_int_equal(walk.offset, cut / 10 * 10);
    }
}

static void a_failed_step_leaves_the_record_alone(void **state)
{
    (void)state;
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(bytes_of(VECTOR, 9));
    struct lwp_record record = {0x77, lwp_bytes_text("before")};
    assert_int_equal(lwp_tlv_next(&walk, &record), LWP_TRUNCATED_RECORD);
    assert_int_equal(record.type, 0x77);
    assert_bytes_equal(record.value, lwp_bytes_text("before"));
}

static void counting_tells_the_records_before_the_fault_and_its_place(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= sizeof(VECTOR); cut++) {
        struct lwp_fault fault = {0};
        uint64_t count = 99;
        const enum lwp_status expected = cut % 10 ? LWP_TRUNCATED_RECORD : LWP_OK;
        assert_int_equal(lwp_tlv_count(guarded(bytes_of(VECTOR, cut)), &count, &fault), expected);
        assert_int_equal(count, cut / 10);
        if (expected == LWP_OK)
            continue;
        assert_int_equal(fault.status, expected);
        assert_int_equal(fault.offset, cut / 10 * 10);
    }
}

/* 8.7: judged by the head alone, so that nobody waits for what can not come. */
static void a_claimed_length_past_16_mib_is_refused_at_once(void **state)
{
    (void)state;
    static const struct {
        uint32_t length;
        enum lwp_status status;
    } rows[] = {{1, LWP_TRUNCATED_RECORD},           {16777215, LWP_TRUNCATED_RECORD},
                {16777216, LWP_TRUNCATED_RECORD},    {16777217, LWP_PAYLOAD_TOO_LARGE},
                {0x80000000, LWP_PAYLOAD_TOO_LARGE}, {UINT32_MAX, LWP_PAYLOAD_TOO_LARGE}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t wire[10 + LWP_TLV_HEAD_SIZE];
        memcpy(wire, VECTOR, 10);
        wire[10] = LWP_TLV_RAW;
        lwp_put32(wire + 11, rows[i].length);
        const struct lwp_bytes in = guarded(bytes_of(wire, sizeof(wire)));
        struct lwp_tlv_walk walk = {in, 10};
        struct lwp_record record;
        struct lwp_fault fault;
        uint64_t count;
        assert_int_equal(lwp_tlv_next(&walk, &record), rows[i].status);
        assert_int_equal(walk.offset, 10);
        assert_int_equal(lwp_tlv_count(in, &count, &fault), rows[i].status);
        assert_int_equal(count, 1);
        assert_int_equal(fault.status, rows[i].status);
        assert_int_equal(fault.offset, 10);
    }
}

static void a_value_has_at_most_16_mib_even_if_all_of_it_is_there(void **state)
{
    (void)state;
    const size_t room = LWP_TLV_HEAD_SIZE + (size_t)LWP_TLV_MAX_VALUE + 1;
    uint8_t *wire = calloc(room, 1);
    assert_non_null(wire);
    for (size_t over = 0; over < 2; over++) {
        struct lwp_writer out = lwp_writer_on(wire, room);
        struct lwp_record record;
        lwp_tlv_put(&out, LWP_TLV_RAW,
                    bytes_of(wire + LWP_TLV_HEAD_SIZE, LWP_TLV_MAX_VALUE + over));
        assert_false(out.full);
        struct lwp_tlv_walk walk = lwp_tlv_walk_over(lwp_writer_bytes(&out));
        assert_int_equal(lwp_tlv_next(&walk, &record), over ? LWP_PAYLOAD_TOO_LARGE : LWP_OK);
        assert_int_equal(walk.offset, over ? 0 : out.size);
    }
    free(wire);
}

static void a_copy_of_a_walk_comes_back_to_its_place(void **state)
{
    (void)state;
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(vector());
    struct lwp_record record;
    const struct lwp_tlv_walk front = walk;
    assert_int_equal(lwp_tlv_next(&walk, &record), LWP_OK);
    assert_int_equal(lwp_tlv_next(&walk, &record), LWP_OK);
    walk = front;
    assert_int_equal(lwp_tlv_next(&walk, &record), LWP_OK);
    assert_bytes_equal(record.value, lwp_bytes_text("hello"));
}

/* The record that the writer holds, and nothing behind it. */
static struct lwp_record only_record(const struct lwp_writer *out)
{
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(guarded(lwp_writer_bytes(out)));
    struct lwp_record record = {0};
    assert_false(out->full);
    assert_int_equal(lwp_tlv_next(&walk, &record), LWP_OK);
    assert_int_equal(walk.offset, out->size);
    return record;
}

static void every_type_comes_back_with_its_value(void **state)
{
    (void)state;
    uint8_t wire[64];
    for (unsigned type = 0; type < 256; type++) {
        struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
        lwp_tlv_put(&out, (uint8_t)type, lwp_bytes_text("value"));
        const struct lwp_record record = only_record(&out);
        assert_int_equal(record.type, type);
        assert_bytes_equal(record.value, lwp_bytes_text("value"));
    }
}

/* The examples of 8.3 and 8.4 as they stand on the wire, written by hand. */
static const uint8_t KEY_VALUE[] = {0x10, 7, 0, 0, 0, 2, 0, 'k', '1', 'v', 'a', 'l'};
static const uint8_t TIMESTAMPED[] = {0x11, 11,   0,    0,    0,    0x08, 0x07, 0x06,
                                      0x05, 0x04, 0x03, 0x02, 0x01, 'v',  'a',  'l'};
static const uint8_t KEY_TIMESTAMPED[] = {0x12, 15,   0,    0, 0, 0x08, 0x07, 0x06, 0x05, 0x04,
                                          0x03, 0x02, 0x01, 2, 0, 'k',  '1',  'v',  'a',  'l'};

static const uint64_t TIME = 0x0102030405060708;

static void the_builders_write_the_documented_forms(void **state)
{
    (void)state;
    const struct lwp_bytes key = lwp_bytes_text("k1"), value = lwp_bytes_text("val");
    uint8_t wire[128];
    struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
    lwp_tlv_put_key_value(&out, key, value);
    assert_bytes_equal(lwp_writer_bytes(&out), bytes_of(KEY_VALUE, sizeof(KEY_VALUE)));
    out.size = 0;
    lwp_tlv_put_timestamped(&out, TIME, value);
    assert_bytes_equal(lwp_writer_bytes(&out), bytes_of(TIMESTAMPED, sizeof(TIMESTAMPED)));
    out.size = 0;
    lwp_tlv_put_key_timestamped(&out, TIME, key, value);
    assert_bytes_equal(lwp_writer_bytes(&out), bytes_of(KEY_TIMESTAMPED, sizeof(KEY_TIMESTAMPED)));
    out.size = 0;
    lwp_tlv_put_null(&out);
    assert_bytes_equal(lwp_writer_bytes(&out), bytes_of("\xff\0\0\0\0", 5));
    assert_false(out.full);
}

static void assert_parts(const struct lwp_writer *out, uint64_t timestamp_ns, struct lwp_bytes key,
                         struct lwp_bytes value)
{
    const struct lwp_record record = only_record(out);
    struct lwp_record_parts parts;
    memset(&parts, 0xa5, sizeof(parts));
    assert_int_equal(lwp_record_check(&record), LWP_OK);
    assert_int_equal(lwp_record_parts(&record, &parts), LWP_OK);
    assert_true(parts.timestamp_ns == timestamp_ns);
    assert_bytes_equal(parts.key, key);
    assert_bytes_equal(parts.value, value);
}

static void what_the_builders_wrote_comes_apart_again(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value;
        uint64_t timestamp_ns;
    } rows[] = {{"k1", "val", TIME},
                {"", "val", 0},
                {"key only", "", UINT64_MAX},
                {"", "", 1},
                {"sch\xc3\xb6n", "\xff\xfe not text", (uint64_t)1 << 63}};
    const struct lwp_bytes none = {NULL, 0};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct lwp_bytes key = lwp_bytes_text(rows[i].key);
        const struct lwp_bytes value = lwp_bytes_text(rows[i].value);
        uint8_t wire[64];
        struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
        lwp_tlv_put_key_value(&out, key, value);
        assert_parts(&out, 0, key, value);
        out.size = 0;
        lwp_tlv_put_timestamped(&out, rows[i].timestamp_ns, value);
        assert_parts(&out, rows[i].timestamp_ns, none, value);
        out.size = 0;
        lwp_tlv_put_key_timestamped(&out, rows[i].timestamp_ns, key, value);
        assert_parts(&out, rows[i].timestamp_ns, key, value);
    }
}

static void a_key_has_at_most_65535_bytes(void **state)
{
    (void)state;
    enum { ROOM = 2 * 65536 };
    static uint8_t wire[ROOM], key[65536];
    memset(key, 'k', sizeof(key));
    for (size_t over = 0; over < 2; over++) {
        const struct lwp_bytes name = bytes_of(key, 65535 + over), value = lwp_bytes_text("v");
        struct lwp_writer out = lwp_writer_on(wire, ROOM);
        lwp_tlv_put_key_value(&out, name, value);
        assert_int_equal(out.full, over);
        if (!over)
            assert_parts(&out, 0, name, value);
        out = lwp_writer_on(wire, ROOM);
        lwp_tlv_put_key_timestamped(&out, TIME, name, value);
        assert_int_equal(out.full, over);
        if (!over)
            assert_parts(&out, TIME, name, value);
    }
}

/* The writer claims more room than it has: a builder that believes in the value writes over memory
 * that is not there. */
static void a_value_of_4_gib_fills_the_writer_before_anything_is_written(void **state)
{
    (void)state;
    struct lwp_writer out = guarded_writer(0);
    out.capacity = SIZE_MAX / 2;
    lwp_tlv_put(&out, LWP_TLV_RAW, bytes_of(VECTOR, (size_t)1 << 32));
    assert_true(out.full);
    assert_int_equal(out.size, 0);
}

static void each_builder_fills_the_writer_at_every_room_too_small(void **state)
{
    (void)state;
    const struct lwp_bytes key = lwp_bytes_text("k1"), value = lwp_bytes_text("val");
    static const size_t sizes[] = {8, 12, 16, 20, 5};
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        for (size_t room = 0; room <= sizes[i]; room++) {
            struct lwp_writer out = guarded_writer(room);
            if (i == 0)
                lwp_tlv_put(&out, LWP_TLV_JSON, value);
            if (i == 1)
                lwp_tlv_put_key_value(&out, key, value);
            if (i == 2)
                lwp_tlv_put_timestamped(&out, TIME, value);
            if (i == 3)
                lwp_tlv_put_key_timestamped(&out, TIME, key, value);
            if (i == 4)
                lwp_tlv_put_null(&out);
            assert_int_equal(out.full, room < sizes[i]);
        }
}

static void a_full_writer_takes_no_further_record(void **state)
{
    (void)state;
    struct lwp_writer out = guarded_writer(14);
    lwp_tlv_put(&out, LWP_TLV_RAW, lwp_bytes_text("hello"));
    lwp_tlv_put_key_value(&out, lwp_bytes_text("key"), lwp_bytes_text("value"));
    assert_true(out.full);
    const size_t size = out.size;
    lwp_tlv_put_null(&out);
    assert_int_equal(out.size, size);
    assert_memory_equal(out.data, VECTOR, 10);
}

/* The smallest value of a type, and whether any smaller one is refused. */
static size_t smallest_value(unsigned type)
{
    return type == 0x10 ? 2 : type == 0x11 ? 8 : type == 0x12 ? 10 : 0;
}

static void every_type_is_judged_by_its_own_rule(void **state)
{
    (void)state;
    static const uint8_t zeros[12];
    for (unsigned type = 0; type < 256; type++)
        for (size_t size = 0; size <= sizeof(zeros); size++) {
            const struct lwp_record record =
                record_of((uint8_t)type, guarded(bytes_of(zeros, size)));
            const bool sound =
                type != 0x00 && size >= smallest_value(type) && (type != 0xff || size == 0);
            assert_int_equal(lwp_record_check(&record), sound ? LWP_OK : LWP_INVALID_RECORD);
        }
}

static void a_key_that_passes_the_end_is_an_invalid_record(void **state)
{
    (void)state;
    static const uint8_t types[] = {LWP_TLV_KEY_VALUE, LWP_TLV_KEY_TIMESTAMPED};
    for (size_t i = 0; i < COUNT_OF(types); i++)
        for (size_t key_size = 0; key_size <= 65535; key_size += key_size < 16 ? 1 : 65519) {
            uint8_t value[8 + 2 + 5] = {0};
            const size_t head = types[i] == LWP_TLV_KEY_VALUE ? 0 : 8;
            lwp_put16(value + head, (uint16_t)key_size);
            const struct lwp_record record =
                record_of(types[i], guarded(bytes_of(value, head + 2 + 5)));
            struct lwp_record_parts parts;
            const enum lwp_status expected = key_size <= 5 ? LWP_OK : LWP_INVALID_RECORD;
            assert_int_equal(lwp_record_check(&record), expected);
            assert_int_equal(lwp_record_parts(&record, &parts), expected);
            if (expected == LWP_OK)
                assert_int_equal(parts.value.size, 5 - key_size);
        }
}

static void a_value_cut_anywhere_before_its_data_has_no_parts(void **state)
{
    (void)state;
    static const struct {
        const uint8_t *wire;
        size_t fixed; /* Up to the end of the key. */
    } rows[] = {{KEY_VALUE, 4}, {TIMESTAMPED, 8}, {KEY_TIMESTAMPED, 12}};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t cut = 0; cut < rows[i].fixed; cut++) {
            const struct lwp_bytes value = bytes_of(rows[i].wire + LWP_TLV_HEAD_SIZE, cut);
            const struct lwp_record record = record_of(rows[i].wire[0], guarded(value));
            struct lwp_record_parts parts;
            assert_int_equal(lwp_record_parts(&record, &parts), LWP_INVALID_RECORD);
            assert_int_equal(lwp_record_check(&record), LWP_INVALID_RECORD);
        }
}

static void only_three_types_have_parts(void **state)
{
    (void)state;
    static const uint8_t zeros[16];
    for (unsigned type = 0; type < 256; type++) {
        const struct lwp_record record = record_of((uint8_t)type, bytes_of(zeros, sizeof(zeros)));
        struct lwp_record_parts parts;
        assert_int_equal(lwp_record_parts(&record, &parts),
                         type >= 0x10 && type <= 0x12 ? LWP_OK : LWP_INVALID_RECORD);
    }
}

static void a_key_that_is_not_utf8_is_told_but_filled_in(void **state)
{
    (void)state;
    const struct lwp_bytes key = bytes_of("k\xc3", 2), value = lwp_bytes_text("\xa4!");
    uint8_t wire[32];
    for (int timestamped = 0; timestamped < 2; timestamped++) {
        struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
        struct lwp_record_parts parts;
        if (timestamped)
            lwp_tlv_put_key_timestamped(&out, TIME, key, value);
        else
            lwp_tlv_put_key_value(&out, key, value);
        const struct lwp_record record = only_record(&out);
        assert_int_equal(lwp_record_parts(&record, &parts), LWP_INVALID_TEXT);
        assert_bytes_equal(parts.key, key);
        assert_bytes_equal(parts.value, value);
        assert_true(parts.timestamp_ns == (timestamped ? TIME : 0));
    }
}

static const char *specified_word(unsigned type)
{
    static const struct {
        unsigned type;
        const char *word;
    } rows[] = {{0x00, "reserved"}, {0x01, "raw"},  {0x02, "json"}, {0x03, "msgpack"},
                {0x04, "protobuf"}, {0x05, "avro"}, {0x10, "kv"},   {0x11, "ts"},
                {0x12, "kts"},      {0xff, "null"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].type == type)
            return rows[i].word;
    return type >= 0x80 ? "user" : "unassigned";
}

static void all_256_types_have_the_word_of_the_specification(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        const char *const word = specified_word(type);
        const bool own = strcmp(word, "user") != 0 && strcmp(word, "unassigned") != 0;
        assert_string_equal(lwp_tlv_word((uint8_t)type), word);
        assert_string_equal(lwp_tlv_word_in(&lwp_dialect_spec, (uint8_t)type), word);
        assert_int_equal(lwp_tlv_type_named(lwp_bytes_text(word)), own ? (int)type : -1);
    }
    assert_int_equal(lwp_tlv_type_named(lwp_bytes_text("ra")), -1);
    assert_int_equal(lwp_tlv_type_named(lwp_bytes_text("rawe")), -1);
    assert_int_equal(lwp_tlv_type_named(lwp_bytes_text("")), -1);
}

/* D21: the core of the deployed server numbers the types from 0. */
static void the_server_has_words_of_its_own(void **state)
{
    (void)state;
    const struct lwp_dialect server = {.type_names = LWP_TYPES_SERVER};
    static const char *const low[] = {"data", "json", "msgpack", "protobuf", "avro"};
    for (size_t i = 0; i < COUNT_OF(low); i++)
        assert_string_equal(lwp_tlv_word_in(&server, (uint8_t)i), low[i]);
    assert_string_equal(lwp_tlv_word_in(&server, 0xfe), "control");
    assert_string_equal(lwp_tlv_word_in(&server, 0xff), "extended");
    for (unsigned type = 5; type < 0x80; type++)
        assert_string_equal(lwp_tlv_word_in(&server, (uint8_t)type), "unassigned");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_vector_is_two_records),
        cmocka_unit_test(the_published_vector_is_what_the_builder_writes),
        cmocka_unit_test(a_walk_over_nothing_is_at_its_end),
        cmocka_unit_test(a_truncated_record_leaves_the_walk_in_front_of_it),
        cmocka_unit_test(a_failed_step_leaves_the_record_alone),
        cmocka_unit_test(counting_tells_the_records_before_the_fault_and_its_place),
        cmocka_unit_test(a_claimed_length_past_16_mib_is_refused_at_once),
        cmocka_unit_test(a_value_has_at_most_16_mib_even_if_all_of_it_is_there),
        cmocka_unit_test(a_copy_of_a_walk_comes_back_to_its_place),
        cmocka_unit_test(every_type_comes_back_with_its_value),
        cmocka_unit_test(the_builders_write_the_documented_forms),
        cmocka_unit_test(what_the_builders_wrote_comes_apart_again),
        cmocka_unit_test(a_key_has_at_most_65535_bytes),
        cmocka_unit_test(a_value_of_4_gib_fills_the_writer_before_anything_is_written),
        cmocka_unit_test(each_builder_fills_the_writer_at_every_room_too_small),
        cmocka_unit_test(a_full_writer_takes_no_further_record),
        cmocka_unit_test(every_type_is_judged_by_its_own_rule),
        cmocka_unit_test(a_key_that_passes_the_end_is_an_invalid_record),
        cmocka_unit_test(a_value_cut_anywhere_before_its_data_has_no_parts),
        cmocka_unit_test(only_three_types_have_parts),
        cmocka_unit_test(a_key_that_is_not_utf8_is_told_but_filled_in),
        cmocka_unit_test(all_256_types_have_the_word_of_the_specification),
        cmocka_unit_test(the_server_has_words_of_its_own),
    };
    return cmocka_run_group_tests_name("tlv", tests, NULL, NULL);
}
