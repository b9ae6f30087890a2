/* SPDX-License-Identifier: MIT */
#include "lwp/wire/trace.h"

#include "lwp/tests/support.h"
#include "lwp/wire/tlv.h"

/* The payload of one record "hello", as it stands in all recorded ingests. */
#define HELLO "\x01\x05\0\0\0hello"

static const struct lwp_bytes NOTHING = {NULL, 0};

static void assert_line(const struct lwp_dialect *dialect, struct lwp_frame frame,
                        const char *expected)
{
    char line[LWP_TRACE_SIZE];
    memset(line, 0x7f, sizeof(line));
    const size_t size = lwp_trace_frame(dialect, &frame, line, sizeof(line));
    assert_string_equal(line, expected);
    assert_int_equal(size, strlen(expected));
}

static struct lwp_frame sealed(struct lwp_frame frame)
{
    lwp_frame_seal(&frame, LWP_CRC32C, 0);
    return frame;
}

/* A frame that the specification's dialect reads. */
static struct lwp_frame hello(void)
{
    return ingest_of(LWP_CRC32C, 1, bytes_of(HELLO, 10));
}

static struct lwp_frame control(uint8_t command, struct lwp_bytes payload)
{
    return sealed(lwp_message_frame(command, payload));
}

static void an_ingest_shows_its_records(void **state)
{
    (void)state;
    assert_line(&lwp_dialect_spec, hello(),
                "ingest batch_id=1 topic_id=1 record_count=1 payload=10 [raw 5 \"hello\"]");
}

static void fields_that_are_zero_are_left_out(void **state)
{
    (void)state;
    assert_line(&lwp_dialect_spec, sealed(frame_of(LWP_FLAG_KEEPALIVE, NOTHING)), "keepalive");
    assert_line(&lwp_dialect_spec, sealed(frame_of(LWP_FLAG_BACKPRESSURE, NOTHING)),
                "backpressure");
    struct lwp_frame ack = sealed(frame_of(LWP_FLAG_ACK, NOTHING));
    assert_line(&lwp_dialect_spec, ack, "ack");
    ack.header.batch_id = 42;
    assert_line(&lwp_dialect_spec, ack, "ack batch_id=42");
}

static void the_largest_numbers_are_whole(void **state)
{
    (void)state;
    struct lwp_frame ack = sealed(frame_of(LWP_FLAG_ACK, NOTHING));
    ack.header.batch_id = UINT64_MAX;
    ack.header.timestamp_ns = UINT64_MAX;
    ack.header.record_count = UINT32_MAX;
    ack.header.topic_id = UINT32_MAX;
    assert_line(&lwp_dialect_spec, ack,
                "ack batch_id=18446744073709551615 topic_id=4294967295 record_count=4294967295 "
                "timestamp_ns=18446744073709551615");
}

static void types_have_the_names_of_the_dialect(void **state)
{
    (void)state;
    uint8_t payload[64];
    struct lwp_writer out = lwp_writer_on(payload, sizeof(payload));
    lwp_tlv_put(&out, LWP_TLV_RAW, lwp_bytes_text("a"));
    lwp_tlv_put_key_value(&out, lwp_bytes_text("k"), lwp_bytes_text("v"));
    lwp_tlv_put(&out, 0x80, lwp_bytes_text(""));
    lwp_tlv_put_null(&out);
    assert_line(&lwp_dialect_spec, ingest_of(LWP_CRC32C, 2, lwp_writer_bytes(&out)),
                "ingest batch_id=2 topic_id=1 record_count=1 payload=25 "
                "[raw 1 \"a\", kv 4 \"\\x01\\x00kv\", user 0 \"\", null 0 \"\"]");
    assert_line(&lwp_dialect_lance, ingest_of(LWP_CRC32, 2, bytes_of("\0\1\0\0\0a", 6)),
                "ingest batch_id=2 topic_id=1 record_count=1 payload=6 [data 1 \"a\"]");
}

static void bytes_that_are_no_record_are_counted(void **state)
{
    (void)state;
    assert_line(&lwp_dialect_spec, ingest_of(LWP_CRC32C, 1, bytes_of(HELLO, 9)),
                "ingest batch_id=1 topic_id=1 record_count=1 payload=9 "
                "[9 bytes that are no whole record]");
    assert_line(&lwp_dialect_spec, ingest_of(LWP_CRC32C, 1, bytes_of(HELLO HELLO, 13)),
                "ingest batch_id=1 topic_id=1 record_count=1 payload=13 "
                "[raw 5 \"hello\", 3 bytes that are no whole record]");
}

static void control_frames_show_the_fields_of_their_command(void **state)
{
    (void)state;
    static const struct {
        uint8_t command;
        const char *hex, *line;
    } rows[] = {
        {0x01, "616c706861", "create-topic name=\"alpha\""},
        {0x02, "07000000", "delete-topic topic_id=7"},
        {0x03, "", "list-topics"},
        {0x05,
         "07000000"
         "0100000000000000"
         "ffffffffffffffff",
         "set-retention topic_id=7 max_age_secs=1 max_bytes=18446744073709551615"},
        {0x06,
         "0200"
         "6162"
         "0100000000000000"
         "0200000000000000",
         "create-topic-with-retention name=\"ab\" max_age_secs=1 max_bytes=2"},
        {0x09,
         "01"
         "41757468656e74696361746564",
         "authenticate-response ok=1 text=\"Authenticated\""},
        {0x10,
         "01000000"
         "0a00000000000000"
         "64000000",
         "fetch topic_id=1 start_offset=10 max_bytes=100"},
        {0x11,
         "0a00000000000000"
         "0a000000"
         "01000000"
         "010500000068656c6c6f",
         "fetch-response next_offset=10 bytes_returned=10 record_count=1 [raw 5 \"hello\"]"},
        {0x12, "0a00000000000000", "catching-up server_offset=10"},
        {0x20,
         "01000000"
         "0500000000000000"
         "00040000"
         "0900000000000000",
         "subscribe topic_id=1 start_offset=5 max_batch_bytes=1024 consumer_id=9"},
        {0x21,
         "01000000"
         "0900000000000000",
         "unsubscribe topic_id=1 consumer_id=9"},
        {0x24,
         "0900000000000000"
         "0500000000000000",
         "commit-ack consumer_id=9 offset=5"},
        {0x80, "7b226964223a317d", "topic-response json=\"{\\x22id\\x22:1}\""},
        {0xff, "556e6b6e6f776e20746f706963", "error-response text=\"Unknown topic\""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t payload[64];
        const size_t size = from_hex(rows[i].hex, payload);
        assert_line(&lwp_dialect_spec, control(rows[i].command, bytes_of(payload, size)),
                    rows[i].line);
    }
}

static void unprintable_bytes_are_escaped(void **state)
{
    (void)state;
    assert_line(&lwp_dialect_spec,
                control(LWP_COMMAND_CREATE_TOPIC, bytes_of("a\n\"\\\x7f\xc3\xa4", 7)),
                "create-topic name=\"a\\x0a\\x22\\x5c\\x7f\\xc3\\xa4\"");
}

static void a_long_text_is_cut_and_its_rest_counted(void **state)
{
    (void)state;
    assert_line(&lwp_dialect_spec,
                control(LWP_COMMAND_CREATE_TOPIC,
                        lwp_bytes_text("0123456789012345678901234567890123456789012345678901234")),
                "create-topic name=\"012345678901234567890123456789012345678901234567\"+7");
}

static void many_records_end_with_dots(void **state)
{
    (void)state;
    uint8_t payload[64];
    struct lwp_writer out = lwp_writer_on(payload, sizeof(payload));
    for (int i = 0; i < 5; i++)
        lwp_tlv_put(&out, LWP_TLV_JSON, lwp_bytes_text("1"));
    assert_line(&lwp_dialect_spec, ingest_of(LWP_CRC32C, 1, lwp_writer_bytes(&out)),
                "ingest batch_id=1 topic_id=1 record_count=1 payload=30 "
                "[json 1 \"1\", json 1 \"1\", json 1 \"1\", json 1 \"1\", ...]");
}

static void what_is_wrong_with_a_control_frame_is_named(void **state)
{
    (void)state;
    assert_line(&lwp_dialect_spec, control(LWP_COMMAND_FETCH, lwp_bytes_text("12345")),
                "fetch payload=5 (a length contradicts the bytes at start_offset)");
    assert_line(&lwp_dialect_spec, control(LWP_COMMAND_DELETE_TOPIC, bytes_of("\1\0\0\0more", 8)),
                "delete-topic topic_id=1 (4 more bytes)");
    assert_line(&lwp_dialect_spec, control(LWP_COMMAND_CREATE_TOPIC, bytes_of("a\xff", 2)),
                "create-topic name=\"a\\xff\" payload=2 (a text is not UTF-8 at name)");
    assert_line(&lwp_dialect_spec, control(0x77, NOTHING), "control command=0x77");
    assert_line(&lwp_dialect_spec, control(0x77, lwp_bytes_text("abc")),
                "control command=0x77 payload=3");
}

static void the_dialect_says_what_the_command_is(void **state)
{
    (void)state;
    struct lwp_frame frame = lwp_message_frame(0, NOTHING);
    frame.header.batch_id = 0x103;
    assert_line(&lwp_dialect_spec, sealed(frame), "control command=0x103");
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    assert_line(&lwp_dialect_lance, frame, "list-topics");
}

static void what_is_wrong_with_a_header_is_named_at_the_end(void **state)
{
    (void)state;
    static const struct {
        enum lwp_header_index field;
        uint64_t value;
        const char *line;
    } rows[] = {{LWP_HEADER_magic, 0, "keepalive (the magic is not LANC)"},
                {LWP_HEADER_version, 2, "keepalive (the version is not 1)"},
                {LWP_HEADER_header_crc, 0, "keepalive (the header checksum is wrong)"},
                {LWP_HEADER_payload_length, 5, "keepalive payload_length=5"},
                {LWP_HEADER_payload_crc, 5, "keepalive"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lwp_frame frame = sealed(frame_of(LWP_FLAG_KEEPALIVE, NOTHING));
        lwp_header_set(&frame.header, rows[i].field, rows[i].value);
        assert_line(&lwp_dialect_spec, frame, rows[i].line);
    }
    struct lwp_frame frame = frame_of(LWP_FLAG_KEEPALIVE, NOTHING);
    frame.header.reserved = 0xbeef;
    assert_line(&lwp_dialect_spec, sealed(frame), "keepalive reserved=0xbeef");
    frame = hello();
    frame.header.payload_crc ^= 1;
    assert_line(&lwp_dialect_spec, frame,
                "ingest batch_id=1 topic_id=1 record_count=1 payload=10 [raw 5 \"hello\"] "
                "(the payload checksum is wrong)");
    assert_line(&lwp_dialect_lance, sealed(frame_of(LWP_FLAG_KEEPALIVE, NOTHING)),
                "keepalive (the header checksum is wrong)");
}

static void flags_that_are_not_plainly_those_of_the_kind_are_shown(void **state)
{
    (void)state;
    assert_line(&lwp_dialect_spec, sealed(frame_of(0x24, NOTHING)), "unknown flags=0x24");
    assert_line(&lwp_dialect_spec, sealed(frame_of(0, NOTHING)), "unknown");
    struct lwp_frame frame = frame_of(0x24, NOTHING);
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    assert_line(&lwp_dialect_lance, frame, "keepalive flags=0x24");
    frame = frame_of(0x80, bytes_of(HELLO, 10));
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    assert_line(&lwp_dialect_lance, frame, "ingest payload=10 [json 5 \"hello\"] flags=0x80");
}

/* The line at every room from 1 on is the beginning of the whole line. */
static void assert_cut_at_every_size(const struct lwp_dialect *dialect, struct lwp_frame frame)
{
    char whole[4096];
    const size_t size = lwp_trace_frame(dialect, &frame, whole, sizeof(whole));
    for (size_t room = 1; room <= size + 2; room++) {
        struct lwp_writer out = guarded_writer(room);
        memset(out.data, 0x7f, room);
        const size_t kept = room - 1 < size ? room - 1 : size;
        assert_int_equal(lwp_trace_frame(dialect, &frame, (char *)out.data, room), kept);
        assert_memory_equal(out.data, whole, kept);
        assert_int_equal(out.data[kept], 0);
    }
}

static void a_line_is_cut_at_every_room_without_overrun(void **state)
{
    (void)state;
    uint8_t noise[300];
    fill_random(noise, sizeof(noise), 0x7ace);
    assert_cut_at_every_size(&lwp_dialect_spec, hello());
    assert_cut_at_every_size(&lwp_dialect_lance, hello());
    for (unsigned command = 0; command < 256; command++)
        assert_cut_at_every_size(&lwp_dialect_lance,
                                 control((uint8_t)command, bytes_of(noise, command % 60)));
    assert_cut_at_every_size(&lwp_dialect_spec,
                             ingest_of(LWP_CRC32C, 1, bytes_of(noise, sizeof(noise))));
}

static void assert_printable(const struct lwp_dialect *dialect, const struct lwp_frame *frame)
{
    struct lwp_writer out = guarded_writer(LWP_TRACE_SIZE);
    memset(out.data, 0x7f, LWP_TRACE_SIZE);
    const size_t size = lwp_trace_frame(dialect, frame, (char *)out.data, LWP_TRACE_SIZE);
    assert_true(size > 0 && size < LWP_TRACE_SIZE);
    assert_int_equal(out.data[size], 0);
    for (size_t i = 0; i < size; i++)
        if (out.data[i] < 0x20 || out.data[i] > 0x7e)
            fail_msg("flags %02x: byte %02x in the line", frame->header.flags, out.data[i]);
}

static void every_line_is_printable_whatever_the_frame_says(void **state)
{
    (void)state;
    uint64_t seed = 0x9417;
    uint8_t payload[200];
    for (size_t i = 0; lwp_dialects[i]; i++)
        for (unsigned round = 0; round < 256 * 8; round++) {
            struct lwp_frame frame = {0};
            fill_random(payload, sizeof(payload), next_random(&seed));
            for (int field = 0; field < LWP_HEADER_FIELD_COUNT; field++)
                lwp_header_set(&frame.header, (enum lwp_header_index)field, next_random(&seed));
            frame.header.flags = (uint8_t)round;
            frame.payload = guarded(bytes_of(payload, round / 256 * 25));
            assert_printable(lwp_dialects[i], &frame);
            lwp_frame_seal(&frame, lwp_dialects[i]->polynomial, 0);
            assert_printable(lwp_dialects[i], &frame);
        }
}

static size_t golden_lines;

static void trace_frame(const struct lwp_frame *frame, struct lwp_bytes wire)
{
    (void)wire;
    assert_printable(&lwp_dialect_lance, frame);
    golden_lines++;
}

static void trace_frames(struct lwp_bytes bytes)
{
    visit_frames(bytes, trace_frame);
}

static void every_recorded_frame_gives_a_line(void **state)
{
    (void)state;
    golden_lines = 0;
    visit_golden("lance-0.2.8.jsonl", "\"send\"", trace_frames);
    visit_golden("lance-0.2.8.jsonl", "\"recv\"", trace_frames);
    visit_golden("read-batches.jsonl", "\"send\"", trace_frames);
    assert_true(golden_lines > 300);
}

static void a_fault_is_one_line_with_its_place(void **state)
{
    (void)state;
    char line[LWP_TRACE_SIZE];
    const char *const expected =
        "HEADER_CHECKSUM: the header checksum is wrong (header_crc at offset 8)";
    const struct lwp_fault fault = {LWP_HEADER_CHECKSUM, 8, "header_crc"};
    assert_int_equal(lwp_trace_fault(&fault, line, sizeof(line)), strlen(expected));
    assert_string_equal(line, expected);
    for (size_t room = 1; room <= strlen(expected) + 1; room++) {
        struct lwp_writer out = guarded_writer(room);
        assert_int_equal(lwp_trace_fault(&fault, (char *)out.data, room), room - 1);
        assert_memory_equal(out.data, expected, room - 1);
        assert_int_equal(out.data[room - 1], 0);
    }
}

static void a_fault_without_a_field_is_a_line_too(void **state)
{
    (void)state;
    char line[LWP_TRACE_SIZE];
    for (int i = 0; i < LWP_STATUS_COUNT; i++) {
        const struct lwp_fault fault = {(enum lwp_status)i, 7, NULL};
        char expected[LWP_TRACE_SIZE];
        snprintf(expected, sizeof(expected), "%s: %s", lwp_status_name(fault.status),
                 lwp_status_text(fault.status));
        lwp_trace_fault(&fault, line, sizeof(line));
        assert_memory_equal(line, expected, strlen(expected));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ingest_shows_its_records),
        cmocka_unit_test(fields_that_are_zero_are_left_out),
        cmocka_unit_test(the_largest_numbers_are_whole),
        cmocka_unit_test(types_have_the_names_of_the_dialect),
        cmocka_unit_test(bytes_that_are_no_record_are_counted),
        cmocka_unit_test(control_frames_show_the_fields_of_their_command),
        cmocka_unit_test(unprintable_bytes_are_escaped),
        cmocka_unit_test(a_long_text_is_cut_and_its_rest_counted),
        cmocka_unit_test(many_records_end_with_dots),
        cmocka_unit_test(what_is_wrong_with_a_control_frame_is_named),
        cmocka_unit_test(the_dialect_says_what_the_command_is),
        cmocka_unit_test(what_is_wrong_with_a_header_is_named_at_the_end),
        cmocka_unit_test(flags_that_are_not_plainly_those_of_the_kind_are_shown),
        cmocka_unit_test(a_line_is_cut_at_every_room_without_overrun),
        cmocka_unit_test(every_line_is_printable_whatever_the_frame_says),
        cmocka_unit_test(every_recorded_frame_gives_a_line),
        cmocka_unit_test(a_fault_is_one_line_with_its_place),
        cmocka_unit_test(a_fault_without_a_field_is_a_line_too),
    };
    return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
