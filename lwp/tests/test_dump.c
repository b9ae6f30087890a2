/* SPDX-License-Identifier: MIT */
#include <sys/wait.h>

#include "lwp/tests/support.h"
#include "lwp/tools/capture.h"
#include "lwp/tools/hex.h"
#include "lwp/tools/stream.h"
#include "lwp/wire/compress.h"

enum { ROOM = 65536, LINK_ETHERNET = 1, LINK_RAW = 101, LINK_NULL = 0, LINK_LOOP = 108 };
enum { LINK_SLL = 113, LINK_SLL2 = 276 };

/* What a dump said, as text; freed by the next one. */
static char *said;
static struct lwp_report result;

static void say(const struct lwp_report_form *form, bool records,
                void (*run)(struct lwp_report *report, void *context), void *context)
{
    size_t size = 0;
    free(said);
    said = NULL;
    FILE *out = open_memstream(&said, &size);
    assert_non_null(out);
    result = lwp_report_begin(form, out, records);
    run(&result, context);
    lwp_report_end(&result);
    assert_int_equal(fclose(out), 0);
}

/* --- Frames. --- */

static uint8_t wire[ROOM];
static struct lwp_writer out;

static void put_frame(struct lwp_frame frame, enum lwp_polynomial polynomial, uint32_t keep)
{
    lwp_frame_seal(&frame, polynomial, keep);
    assert_int_equal(lwp_frame_encode(&frame, &out), LWP_OK);
}

static void put_keepalive(enum lwp_polynomial polynomial)
{
    put_frame(frame_of(LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0)), polynomial, 0);
}

static void put_ingest(enum lwp_polynomial polynomial, uint64_t batch_id)
{
    put_frame(ingest_of(polynomial, batch_id, bytes_of("\1\5\0\0\0hello", 10)), polynomial, 0);
}

static void put_control(uint8_t command, struct lwp_bytes payload)
{
    put_frame(lwp_message_frame(command, payload), LWP_CRC32, 0);
}

static void begin_wire(void)
{
    out = lwp_writer_on(wire, sizeof(wire));
}

struct file {
    const struct lwp_dialect *dialect;
    struct lwp_bytes bytes;
};

static void run_file(struct lwp_report *report, void *context)
{
    const struct file *file = context;
    lwp_dump_file(report, file->dialect, file->bytes);
}

static void dump_as(const struct lwp_dialect *dialect)
{
    struct file file = {dialect, guarded(lwp_writer_bytes(&out))};
    say(&lwp_report_text, true, run_file, &file);
}

static void assert_said(const char *part)
{
    if (!strstr(said, part))
        fail_msg("not said: %s\nbut:\n%s", part, said);
}

static void assert_not_said(const char *part)
{
    if (strstr(said, part))
        fail_msg("said: %s\nin:\n%s", part, said);
}

static void a_sound_file_has_no_faults(void **state)
{
    (void)state;
    begin_wire();
    put_ingest(LWP_CRC32, 1);
    put_keepalive(LWP_CRC32);
    dump_as(NULL);
    assert_string_equal(
        said,
        "dialect lance, guessed: the checksum of the header at offset 0 is CRC-32, the deployed "
        "one\n"
        "         0  ingest batch_id=1 topic_id=1 record_count=1 payload=10 [json 5 \"hello\"]\n"
        "        44    record json (0x01) 5 \"hello\"\n"
        "        54  keepalive\n"
        "2 frames, 1 record, 0 faults, 0 notes, 0 bytes skipped\n");
}

static void rubbish_between_frames_is_skipped(void **state)
{
    (void)state;
    begin_wire();
    put_keepalive(LWP_CRC32C);
    lwp_write(&out, lwp_bytes_text("LANC rubbish"));
    put_keepalive(LWP_CRC32C);
    dump_as(NULL);
    assert_string_equal(
        said, "dialect spec, guessed: the checksum of the header at offset 0 is CRC-32C, the "
              "specification's\n"
              "         0  keepalive\n"
              "        48  FAULT INVALID_VERSION: the version is not 1 (version)\n"
              "        44  skipped 12 bytes to the next sound header, at 56\n"
              "        56  keepalive\n"
              "2 frames, 0 records, 1 fault, 0 notes, 12 bytes skipped\n");
}

static void a_wrong_polynomial_is_named(void **state)
{
    (void)state;
    begin_wire();
    put_ingest(LWP_CRC32, 1);
    dump_as(&lwp_dialect_spec);
    assert_said("         8  FAULT HEADER_CHECKSUM: the header checksum is wrong; it is right by "
                "the other polynomial, CRC-32 (--dialect lance) (header_crc)\n");
    assert_said("ingest batch_id=1");
    assert_said("1 frame, 1 record, 1 fault");
}

static void a_payload_checksum_of_the_other_polynomial_is_named(void **state)
{
    (void)state;
    begin_wire();
    struct lwp_frame frame = ingest_of(LWP_CRC32, 1, bytes_of("\1\5\0\0\0hello", 10));
    frame.header.payload_crc = lwp_crc(LWP_CRC32C, frame.payload);
    put_frame(frame, LWP_CRC32, 1U << LWP_HEADER_payload_crc);
    dump_as(NULL);
    assert_said("        36  FAULT PAYLOAD_CHECKSUM: the payload checksum is wrong; it is right by "
                "the other polynomial, CRC-32C (payload_crc)\n");
}

static void a_damaged_length_hides_no_frames(void **state)
{
    (void)state;
    begin_wire();
    put_ingest(LWP_CRC32, 1);
    put_ingest(LWP_CRC32, 2);
    wire[32] += 3;
    dump_as(NULL);
    assert_said("FAULT PAYLOAD_CHECKSUM");
    assert_said("skipped 54 bytes to the next sound header, at 54");
    assert_said("ingest batch_id=2");
    wire[34] = 1;
    dump_as(NULL);
    assert_said("FAULT TRUNCATED_FRAME: 64 of 65549 bytes of payload are there");
    assert_said("ingest batch_id=2");
    wire[35] = 1;
    dump_as(NULL);
    assert_said("        32  FAULT PAYLOAD_TOO_LARGE");
    assert_said("ingest batch_id=2");
}

static void every_proper_prefix_has_a_fault(void **state)
{
    (void)state;
    begin_wire();
    put_ingest(LWP_CRC32, 1);
    for (size_t size = 1; size < 54; size++) {
        out.size = size;
        dump_as(&lwp_dialect_lance);
        assert_int_equal(result.fault_count, 1);
        assert_int_equal(result.frame_count, 0);
        assert_said("FAULT TRUNCATED_FRAME");
    }
}

static void nothing_is_a_fault(void **state)
{
    (void)state;
    begin_wire();
    dump_as(NULL);
    assert_said("FAULT NOTHING: there are no bytes");
    lwp_write(&out, lwp_bytes_text("0123456789012345678901234567890123456789012345678901234567"));
    dump_as(NULL);
    assert_said("dialect lance, which is only assumed: there is no sound header");
    assert_said("FAULT INVALID_MAGIC");
    assert_said("skipped 58 bytes to the end: there is no further sound header");
}

static void broken_payloads_are_told_with_their_place(void **state)
{
    (void)state;
    begin_wire();
    put_control(LWP_COMMAND_GET_TOPIC, bytes_of("\1\0\0", 3));
    dump_as(NULL);
    assert_said("        44  FAULT INVALID_LENGTH: a length contradicts the bytes (topic_id)");
    begin_wire();
    put_control(LWP_COMMAND_GET_TOPIC, bytes_of("\1\0\0\0xx", 6));
    dump_as(NULL);
    assert_said("        48  FAULT TRAILING_BYTES: 2 bytes behind the last field (payload)");
    begin_wire();
    put_control(0x7f, bytes_of(NULL, 0));
    dump_as(NULL);
    assert_said("        12  FAULT UNKNOWN_COMMAND: the command is not known (batch_id)");
    begin_wire();
    put_control(LWP_COMMAND_CREATE_TOPIC, bytes_of("\xff", 1));
    dump_as(NULL);
    assert_said("        44  FAULT INVALID_TEXT: a text is not UTF-8 (name)");
    begin_wire();
    put_control(LWP_COMMAND_FETCH_RESPONSE, bytes_of("\0\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\1\5", 18));
    dump_as(NULL);
    assert_said("        60  note TRUNCATED_RECORD: a record is cut off (length)");
    assert_int_equal(result.fault_count, 0);
}

static void dump_records(struct lwp_bytes records, uint8_t flags)
{
    begin_wire();
    struct lwp_frame frame = ingest_of(LWP_CRC32C, 1, records);
    frame.header.flags |= flags;
    put_frame(frame, LWP_CRC32C, 0);
    dump_as(NULL);
}

static void broken_records_are_told_with_their_place(void **state)
{
    (void)state;
    dump_records(bytes_of("\1\1\0\0\0x\1\2\0\0\0y", 12), 0);
    assert_said("        50  FAULT TRUNCATED_RECORD: a record is cut off (length)");
    dump_records(bytes_of("\0\1\0\0\0x", 6), 0);
    assert_said("        44  FAULT INVALID_RECORD: a record does not have its form (type)");
    dump_records(bytes_of("\x10\1\0\0\0x", 6), 0);
    assert_said("        49  FAULT INVALID_RECORD: a record does not have its form (value)");
    dump_records(bytes_of("\1\0\0\0\0\1\0\0\0\0", 10), 0);
    assert_said("        28  note RECORD_COUNT: it says 1, the payload has 2 (record_count)");
}

static void records_are_taken_apart(void **state)
{
    (void)state;
    uint8_t buffer[256];
    struct lwp_writer records = lwp_writer_on(buffer, sizeof(buffer));
    lwp_tlv_put_key_value(&records, lwp_bytes_text("k"), lwp_bytes_text("v\n"));
    lwp_tlv_put_timestamped(&records, 7, lwp_bytes_text("t"));
    lwp_tlv_put_key_timestamped(&records, 8, lwp_bytes_text("a"), lwp_bytes_text("b"));
    lwp_tlv_put_null(&records);
    dump_records(lwp_writer_bytes(&records), 0);
    assert_said("        44    record kv (0x10) 5 key=\"k\" value=\"v\\x0a\"\n"
                "        54    record ts (0x11) 9 timestamp_ns=7 value=\"t\"\n"
                "        68    record kts (0x12) 12 timestamp_ns=8 key=\"a\" value=\"b\"\n"
                "        85    record null (0xff) 0 \"\"\n");
}

static void compressed_records_are_looked_into(void **state)
{
    (void)state;
    uint8_t buffer[256];
    for (int framing = LWP_LZ4_BLOCK; framing <= LWP_LZ4_LIBRARY; framing++) {
        struct lwp_writer block = lwp_writer_on(buffer, sizeof(buffer));
        assert_int_equal(lwp_lz4_compress((enum lwp_lz4_framing)framing,
                                          bytes_of("\1\5\0\0\0hello\1\1", 12), &block),
                         LWP_OK);
        dump_records(lwp_writer_bytes(&block), LWP_FLAG_COMPRESSED);
        assert_said("        +0    record raw (0x01) 5 \"hello\"\n");
        assert_said("FAULT TRUNCATED_RECORD: a record is cut off; at offset 10 of the decompressed "
                    "payload (length)");
        assert_int_equal(strstr(said, "LZ4_FRAMING") != NULL, framing == LWP_LZ4_LIBRARY);
    }
    dump_records(lwp_bytes_text("rubbish"), LWP_FLAG_COMPRESSED);
    assert_said("        44  FAULT INVALID_COMPRESSION");
}

static void json_lines_tell_all_fields(void **state)
{
    (void)state;
    begin_wire();
    put_control(LWP_COMMAND_FETCH, bytes_of("\3\0\0\0\4\0\0\0\0\0\0\0\5\0\0\0", 16));
    put_control(LWP_COMMAND_CREATE_TOPIC, bytes_of("\xff", 1));
    struct file file = {NULL, guarded(lwp_writer_bytes(&out))};
    say(&lwp_report_json, true, run_file, &file);
    assert_int_equal(strncmp(said, "{\"event\":\"begin\",\"schema_version\":1,", 36), 0);
    assert_said("\"message\":{\"code\":16,\"command\":\"fetch\",\"topic_id\":3,\"start_offset\":4,"
                "\"max_bytes\":5}");
    assert_said("\"name\":{\"size\":1,\"hex\":\"ff\"}");
    assert_said("{\"event\":\"fault\",\"offset\":104,\"name\":\"INVALID_TEXT\",\"field\":\"name\","
                "\"text\":\"a text is not UTF-8\"}");
    assert_said("{\"event\":\"end\",\"frame_count\":2,\"record_count\":0,\"fault_count\":1,");
}

/* Given in two pieces, with what was not taken given again, a stream says the same. */
static void a_cut_stream_says_the_same(void **state)
{
    (void)state;
    begin_wire();
    put_ingest(LWP_CRC32, 1);
    lwp_write(&out, lwp_bytes_text("rubbish"));
    put_ingest(LWP_CRC32, 2);
    put_ingest(LWP_CRC32C, 3);
    dump_as(&lwp_dialect_lance);
    char *whole = strdup(strchr(said, '\n') + 1);
    for (size_t cut = 0; cut <= out.size; cut++) {
        size_t size = 0;
        free(said);
        FILE *stream = open_memstream(&said, &size);
        result = lwp_report_begin(&lwp_report_text, stream, true);
        struct lwp_dump dump = {.report = &result, .dialect = &lwp_dialect_lance};
        const size_t taken = lwp_dump_bytes(&dump, guarded(bytes_of(wire, cut)), false);
        assert_true(taken <= cut);
        const struct lwp_bytes rest = lwp_bytes_from(lwp_writer_bytes(&out), taken);
        assert_int_equal(lwp_dump_bytes(&dump, guarded(rest), true), rest.size);
        lwp_report_end(&result);
        fclose(stream);
        assert_string_equal(said, whole);
    }
    free(whole);
}

/* --- Hex. --- */

static void assert_hex(const char *text, const char *expected)
{
    uint8_t buffer[256];
    struct lwp_writer decoded = lwp_writer_on(buffer, strlen(text) / 2);
    struct lwp_hex_fault fault;
    assert_true(lwp_hex_recognise(guarded(lwp_bytes_text(text))));
    assert_true(lwp_hex_decode(guarded(lwp_bytes_text(text)), &decoded, &fault));
    assert_bytes_equal(lwp_writer_bytes(&decoded), lwp_bytes_text(expected));
}

static void hex_is_read_in_all_its_forms(void **state)
{
    (void)state;
    assert_hex("4c414e43", "LANC");
    assert_hex(" 4C 41\r\n\n4e\t43\n", "LANC");
    assert_hex("00000000: 4c41 4e43 3031  LANC01\n", "LANC01");
    assert_hex("00000010: 4c41  LA\n00000012: 4e    N\n", "LAN");
    assert_hex("00000000  4c 41 4e 43 30 31 32 33  34 35 36 37 38 39 61 62  |LANC0123456789ab|\n"
               "00000010  7c                                                ||\n00000011\n",
               "LANC0123456789ab|");
}

static void assert_no_hex(const char *text, size_t line, size_t size)
{
    uint8_t buffer[256];
    struct lwp_writer decoded = lwp_writer_on(buffer, sizeof(buffer));
    struct lwp_hex_fault fault = {0, NULL};
    assert_false(lwp_hex_decode(guarded(lwp_bytes_text(text)), &decoded, &fault));
    assert_int_equal(fault.line, line);
    assert_non_null(fault.text);
    assert_int_equal(decoded.size, size);
}

static void what_is_no_hex_is_told_with_its_line(void **state)
{
    (void)state;
    assert_no_hex("4c 4", 1, 0);
    assert_no_hex("4c41\n4g", 2, 2);
    assert_no_hex("00000000: 4c41\n00000003: 41", 2, 2);
    assert_no_hex("00000000: 4c41\nnonsense", 2, 2);
    assert_no_hex("00000000  4c  |L|\n*\n00000010", 2, 1);
    assert_false(lwp_hex_recognise(lwp_bytes_text("LANC")));
    assert_false(lwp_hex_recognise(lwp_bytes_text(" \n")));
    assert_false(lwp_hex_recognise(bytes_of(NULL, 0)));
}

/* --- Captures. --- */

static uint8_t file_bytes[4 * ROOM];
static struct lwp_writer file;
static int file_link;
static bool file_is_ng;

static void begin_capture(int link, bool ng)
{
    file = lwp_writer_on(file_bytes, sizeof(file_bytes));
    file_link = link;
    file_is_ng = ng;
    if (ng) {
        const uint32_t words[] = {0x0a0d0d0a, 28, 0x1a2b3c4d,     1,     0xffffffff, 0xffffffff, 28,
                                  1,          20, (uint32_t)link, 65535, 20};
        for (size_t i = 0; i < COUNT_OF(words); i++)
            lwp_write_integer(&file, 4, words[i]);
        return;
    }
    const uint32_t words[] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, (uint32_t)link};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        lwp_write_integer(&file, 4, words[i]);
}

/* A packet of which only `captured` bytes are kept. */
static void put_packet_cut(struct lwp_bytes packet, size_t captured)
{
    const uint32_t pad = (uint32_t)(-captured & 3);
    if (file_is_ng) {
        lwp_write_integer(&file, 4, 6);
        lwp_write_integer(&file, 4, 32 + captured + pad);
        lwp_write_integer(&file, 4, 0);
    }
    lwp_write_integer(&file, 8, 0);
    lwp_write_integer(&file, 4, captured);
    lwp_write_integer(&file, 4, packet.size);
    lwp_write(&file, bytes_of(packet.data, captured));
    if (file_is_ng) {
        lwp_write(&file, bytes_of("\0\0\0", pad));
        lwp_write_integer(&file, 4, 32 + captured + pad);
    }
    assert_false(file.full);
}

static void put_packet(struct lwp_bytes packet)
{
    put_packet_cut(packet, packet.size);
}

static void put_big(struct lwp_writer *to, size_t size, uint64_t value)
{
    while (size--)
        lwp_write_integer(to, 1, value >> (8 * size) & 0xff);
}

static void put_link(struct lwp_writer *to, bool ipv6)
{
    const uint64_t type = ipv6 ? 0x86dd : 0x0800;
    if (file_link == LINK_ETHERNET) {
        lwp_write(to, bytes_of("\2\0\0\0\0\1\2\0\0\0\0\2", 12));
        put_big(to, 4, 0x81000007); /* A VLAN tag. */
        put_big(to, 2, type);
    } else if (file_link == LINK_SLL) {
        put_big(to, 8, 1);
        put_big(to, 6, 0);
        put_big(to, 2, type);
    } else if (file_link == LINK_SLL2) {
        put_big(to, 2, type);
        put_big(to, 8, 0);
        put_big(to, 8, 0);
        put_big(to, 2, 0);
    } else if (file_link != LINK_RAW) {
        put_big(to, 4, 2);
    }
}

struct ends {
    bool ipv6;
    bool from_server;
};

static const uint32_t isn = 0xfffffff0; /* So that sequence numbers wrap. */

/* A TCP packet with the bytes that begin at `at` of the stream. */
static struct lwp_bytes packet_of(struct ends ends, uint8_t flags, uint32_t at,
                                  struct lwp_bytes data)
{
    static uint8_t packet[ROOM];
    struct lwp_writer to = lwp_writer_on(packet, sizeof(packet));
    put_link(&to, ends.ipv6);
    if (ends.ipv6) {
        put_big(&to, 4, 0x60000000);
        put_big(&to, 2, 28 + data.size);
        put_big(&to, 2, 0x0040); /* A hop-by-hop header follows. */
        for (int i = 0; i < 2; i++) {
            put_big(&to, 8, 0xfd00000000000000);
            put_big(&to, 8, ends.from_server == (i == 0) ? 2 : 1);
        }
        put_big(&to, 8, 0x0600000000000000);
    } else {
        put_big(&to, 2, 0x4500);
        put_big(&to, 2, 40 + data.size);
        put_big(&to, 4, 0);
        put_big(&to, 4, 0x40060000);
        put_big(&to, 4, 0x0a000001 + (ends.from_server ? 1 : 0));
        put_big(&to, 4, 0x0a000002 - (ends.from_server ? 1 : 0));
    }
    put_big(&to, 2, ends.from_server ? 1992 : 40000);
    put_big(&to, 2, ends.from_server ? 40000 : 1992);
    put_big(&to, 4, (uint32_t)(isn + (flags & LWP_TCP_SYN ? 0 : 1) + at));
    put_big(&to, 4, 0);
    put_big(&to, 2, 0x5000 | flags);
    put_big(&to, 6, 0);
    lwp_write(&to, data);
    return lwp_writer_bytes(&to);
}

static const struct ends client = {false, false};
static const struct ends server = {false, true};

static void put_syn(struct ends ends)
{
    put_packet(packet_of(ends, LWP_TCP_SYN, 0, bytes_of(NULL, 0)));
}

/* The bytes `from` to `to` of what is in `wire`. */
static void put_segment(struct ends ends, size_t from, size_t to)
{
    put_packet(packet_of(ends, 0x18, (uint32_t)from, bytes_of(wire + from, to - from)));
}

static struct lwp_capture_options options;

static void run_capture(struct lwp_report *report, void *context)
{
    const struct lwp_bytes *bytes = context;
    assert_int_equal(lwp_capture_dump(&options, report, *bytes), LWP_OK);
}

static void dump_capture(void)
{
    struct lwp_bytes bytes = guarded(lwp_writer_bytes(&file));
    assert_true(lwp_capture_recognise(bytes));
    say(&lwp_report_text, false, run_capture, &bytes);
}

static void every_link_type_carries_streams(void **state)
{
    (void)state;
    static const int links[] = {LINK_ETHERNET, LINK_RAW, LINK_NULL, LINK_LOOP, LINK_SLL, LINK_SLL2};
    begin_wire();
    put_ingest(LWP_CRC32, 1);
    for (size_t i = 0; i < 2 * 2 * COUNT_OF(links); i++) {
        const struct ends ends = {i & 1, false};
        begin_capture(links[i / 4], i & 2);
        put_syn(ends);
        put_segment(ends, 0, 54);
        dump_capture();
        assert_said(ends.ipv6 ? "[fd00::1]:40000 > [fd00::2]:1992: dialect lance"
                              : "10.0.0.1:40000 > 10.0.0.2:1992: dialect lance");
        assert_said("         0  ingest batch_id=1");
        assert_said("1 frame, 1 record, 0 faults");
    }
}

static void both_directions_are_labelled(void **state)
{
    (void)state;
    begin_wire();
    put_control(LWP_COMMAND_GET_TOPIC, bytes_of("\1\0\0\0", 4));
    begin_capture(LINK_RAW, false);
    put_syn(client);
    put_syn(server);
    put_segment(client, 0, out.size);
    begin_wire();
    put_control(LWP_COMMAND_ERROR_RESPONSE, lwp_bytes_text("{\"code\":16}"));
    put_segment(server, 0, out.size);
    dump_capture();
    assert_string_equal(
        said,
        "\n10.0.0.1:40000 > 10.0.0.2:1992: dialect lance-py, guessed: the checksum of the header "
        "at offset 0 is CRC-32, the deployed one, and an ErrorResponse is a JSON object\n"
        "         0  get-topic topic_id=1\n"
        "\n10.0.0.2:1992 > 10.0.0.1:40000: dialect lance-py, guessed: the checksum of the header "
        "at offset 0 is CRC-32, the deployed one, and an ErrorResponse is a JSON object\n"
        "         0  error-response text=\"{\\x22code\\x22:16}\"\n"
        "\n4 packets in the capture; not shown:\n  nothing\n"
        "2 frames, 0 records, 0 faults, 0 notes, 0 bytes skipped\n");
}

static void put_ten_ingests(void)
{
    begin_wire();
    for (uint64_t i = 1; i <= 10; i++)
        put_ingest(LWP_CRC32, i);
}

static void segments_come_in_any_order(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int round = 0; round < 50; round++) {
        size_t order[54];
        put_ten_ingests();
        for (size_t i = 0; i < COUNT_OF(order); i++) {
            const size_t other = next_random(&seed) % (i + 1);
            order[i] = order[other];
            order[other] = i;
        }
        begin_capture(LINK_RAW, false);
        if (round & 1)
            put_syn(client);
        for (size_t i = 0; i < COUNT_OF(order); i++) {
            const size_t from = 10 * order[i];
            put_segment(client, from, from + 10 + next_random(&seed) % (531 - from));
            if (i == 30 && !(round & 1))
                put_syn(client);
        }
        dump_capture();
        assert_said("ingest batch_id=10 ");
        assert_said("10 frames, 10 records, 0 faults, 0 notes, 0 bytes skipped");
    }
}

static void retransmissions_that_differ_are_noted(void **state)
{
    (void)state;
    put_ten_ingests();
    begin_capture(LINK_RAW, false);
    put_syn(client);
    put_segment(client, 0, 540);
    wire[100] ^= 1;
    put_segment(client, 90, 110);
    dump_capture();
    assert_said("note OVERLAP");
    assert_said("10 frames, 10 records, 0 faults, 1 note");
}

static void a_gap_is_told_and_ends_the_frame(void **state)
{
    (void)state;
    put_ten_ingests();
    begin_capture(LINK_RAW, false);
    put_syn(client);
    put_segment(client, 0, 60);
    put_segment(client, 70, 540);
    dump_capture();
    assert_said("        54  FAULT TRUNCATED_FRAME: the last 6 bytes are too few for a header\n"
                "        60  FAULT GAP: 10 bytes were not captured\n"
                "        70  skipped 38 bytes to the next sound header, at 108\n"
                "       108  ingest batch_id=3");
    assert_said("9 frames, 9 records, 2 faults, 0 notes, 38 bytes skipped");
}

static void packets_cut_by_the_snap_length_are_gaps(void **state)
{
    (void)state;
    put_ten_ingests();
    begin_capture(LINK_RAW, false);
    put_syn(client);
    put_segment(client, 0, 54);
    const struct lwp_bytes packet = packet_of(client, 0x18, 54, bytes_of(wire + 54, 108));
    put_packet_cut(packet, packet.size - 54);
    dump_capture();
    assert_said("       108  FAULT GAP: 54 bytes were not captured");
    assert_said("2 frames, 2 records, 1 fault");
}

static void the_number_that_a_fin_takes_is_no_byte(void **state)
{
    (void)state;
    put_ten_ingests();
    begin_capture(LINK_RAW, false);
    put_syn(client);
    put_segment(client, 0, 540);
    put_packet(packet_of(client, LWP_TCP_FIN, 540, bytes_of(NULL, 0)));
    put_packet(packet_of(client, 0x10, 541, bytes_of(NULL, 0)));
    dump_capture();
    assert_said("10 frames, 10 records, 0 faults");
    put_packet(packet_of(client, LWP_TCP_FIN, 545, bytes_of(NULL, 0)));
    dump_capture();
    assert_said("       540  FAULT GAP: 5 bytes were not captured");
}

static void a_capture_that_begins_late_is_noted(void **state)
{
    (void)state;
    put_ten_ingests();
    begin_capture(LINK_RAW, false);
    put_segment(client, 30, 540);
    dump_capture();
    assert_said("guessed: the checksum of the header at offset 24 is CRC-32");
    assert_said("         0  note JOINED_LATE");
    assert_said("         0  skipped 24 bytes to the next sound header, at 24");
    assert_said("9 frames, 9 records, 0 faults, 1 note, 24 bytes skipped");
}

static void a_port_that_is_used_again_is_another_stream(void **state)
{
    (void)state;
    put_ten_ingests();
    begin_capture(LINK_RAW, false);
    put_syn(client);
    put_segment(client, 0, 54);
    put_packet(packet_of(client, LWP_TCP_SYN, 1000000, bytes_of(NULL, 0)));
    put_packet(packet_of(client, 0x18, 1000000, bytes_of(wire + 54, 54)));
    dump_capture();
    assert_said("         0  ingest batch_id=1");
    assert_said("         0  ingest batch_id=2");
    assert_said("2 frames, 2 records, 0 faults");
}

static void other_traffic_is_counted(void **state)
{
    (void)state;
    put_ten_ingests();
    begin_capture(LINK_ETHERNET, true);
    put_segment(client, 0, 540);
    memset(wire, 'x', 100);
    put_segment(server, 0, 100);
    put_packet(lwp_bytes_text("an ARP or so........................"));
    put_packet(lwp_bytes_text("short"));
    dump_capture();
    assert_said("4 packets in the capture; not shown:\n"
                "  1 packet other than TCP over IP\n"
                "  1 packet with headers cut off or at odds\n"
                "  1 TCP stream without a sound header\n"
                "  100 bytes in them\n");
    assert_int_equal(result.fault_count, 0);
    options.port = 1992;
    dump_capture();
    assert_said("10.0.0.2:1992 > 10.0.0.1:40000: dialect lance, which is only assumed");
    assert_said("skipped 100 bytes to the end");
    options.port = 7;
    dump_capture();
    assert_said("FAULT NOTHING: there is no TCP data from or to this port");
    assert_said("2 TCP packets of other ports");
    options.port = 0;
}

static void a_stream_past_its_limit_is_dumped_in_pieces(void **state)
{
    (void)state;
    begin_wire();
    for (uint64_t i = 1; i <= 500; i++)
        put_ingest(LWP_CRC32, i);
    begin_capture(LINK_RAW, false);
    put_syn(client);
    for (size_t at = 0; at < 27000; at += 100)
        if (at != 9000)
            put_segment(client, at, at + 100);
    options.stream_limit = 2048;
    dump_capture();
    assert_said("      9000  FAULT GAP: 100 bytes were not captured");
    assert_said("ingest batch_id=500 ");
    assert_not_said("continued");
    assert_int_equal(result.frame_count, 497);
    options.stream_limit = 60;
    dump_capture();
    assert_int_equal(result.frame_count, 0);
    options.stream_limit = 0;
}

static void a_frame_larger_than_the_limit_ends_nothing(void **state)
{
    (void)state;
    uint8_t value[4000] = {1, 0x9b, 0x0f};
    begin_wire();
    put_frame(ingest_of(LWP_CRC32, 1, bytes_of(value, sizeof(value))), LWP_CRC32, 0);
    put_ingest(LWP_CRC32, 2);
    begin_capture(LINK_RAW, false);
    put_syn(client);
    for (size_t at = 0; at < out.size; at += 100)
        put_segment(client, at, at + 100 < out.size ? at + 100 : out.size);
    options.stream_limit = 1024;
    dump_capture();
    options.stream_limit = 0;
    assert_said("note BUFFER_LIMIT");
    assert_said("FAULT TRUNCATED_FRAME");
    assert_said("ingest batch_id=2 ");
}

static void streams_past_the_limit_are_a_fault(void **state)
{
    (void)state;
    put_ten_ingests();
    begin_capture(LINK_RAW, false);
    put_segment(client, 0, 540);
    put_segment(server, 0, 540);
    options.max_streams = 1;
    dump_capture();
    options.max_streams = 0;
    assert_said("FAULT STREAM_LIMIT");
    assert_said("1 TCP packet of streams past the limit");
    assert_int_equal(result.frame_count, 10);
}

static void every_truncation_of_a_capture_is_survived(void **state)
{
    (void)state;
    put_ten_ingests();
    for (int ng = 0; ng < 2; ng++) {
        begin_capture(LINK_ETHERNET, ng);
        put_syn(client);
        for (size_t at = 0; at < 540; at += 108)
            put_segment(client, at, at + 108);
        const size_t whole = file.size;
        uint64_t frames = 0;
        for (size_t size = 4; size <= whole; size++) {
            file.size = size;
            dump_capture();
            assert_true(result.frame_count >= frames);
            frames = result.frame_count;
        }
        assert_int_equal(frames, 10);
        assert_int_equal(result.fault_count, 0);
    }
}

static void every_flipped_byte_of_a_capture_is_survived(void **state)
{
    (void)state;
    put_ten_ingests();
    for (int ng = 0; ng < 2; ng++)
        for (size_t at = 4;; at++) {
            begin_capture(LINK_ETHERNET, ng);
            put_syn(client);
            put_segment(client, 0, 108);
            put_segment(client, 108, 162);
            if (at == file.size)
                break;
            file_bytes[at] ^= 0xff;
            dump_capture();
            assert_true(result.frame_count <= 3);
        }
}

static void an_unknown_link_type_is_told(void **state)
{
    (void)state;
    begin_capture(147, false);
    put_packet(lwp_bytes_text("something"));
    dump_capture();
    assert_said("FAULT CAPTURE: link type 147 is not known here");
}

/* --- The program. --- */

static int status_of(const char *arguments)
{
    char command[1024];
    assert_true(snprintf(command, sizeof(command), "'" LWP_PROGRAM "' %s", arguments) <
                (int)sizeof(command));
    const int status = system(command);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void the_exit_status_tells_what_was_found(void **state)
{
    (void)state;
    static const char sound[] = "4c414e4301200000061e9c53 0000000000000000 0000000000000000 "
                                "00000000 00000000 00000000 00000000";
    char command[512];
    (void)snprintf(command, sizeof(command), "dump >/dev/null <<'E'\n%s\nE\n", sound);
    assert_int_equal(status_of(command), 0);
    (void)snprintf(command, sizeof(command), "dump - >/dev/null <<'E'\n%s 4c\nE\n", sound);
    assert_int_equal(status_of(command), 1);
    (void)snprintf(command, sizeof(command), "dump --json >/dev/null <<'E'\n%s 4\nE\n", sound);
    assert_int_equal(status_of(command), 1);
    assert_int_equal(status_of("dump --help >/dev/null"), 0);
    assert_int_equal(status_of("--version >/dev/null"), 0);
    assert_int_equal(status_of("dump --format hex --port 1 --records /dev/null >/dev/null"), 1);
    assert_int_equal(status_of("dump --format pcap /dev/null >/dev/null"), 1);
    assert_int_equal(status_of("dump --dialect spec /nonexistent >/dev/null 2>&1"), 3);
    assert_int_equal(status_of("dump / >/dev/null 2>&1"), 3);
    assert_int_equal(status_of("dump /dev/null >/dev/full 2>/dev/null"), 3);
    static const char *const wrong[] = {"",
                                        "dumb",
                                        "dump --port 65536",
                                        "dump --port x",
                                        "dump --dialect x",
                                        "dump --format x",
                                        "dump --bogus"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        (void)snprintf(command, sizeof(command), "%s 2>/dev/null", wrong[i]);
        assert_int_equal(status_of(command), 64);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_file_has_no_faults),
        cmocka_unit_test(rubbish_between_frames_is_skipped),
        cmocka_unit_test(a_wrong_polynomial_is_named),
        cmocka_unit_test(a_payload_checksum_of_the_other_polynomial_is_named),
        cmocka_unit_test(a_damaged_length_hides_no_frames),
        cmocka_unit_test(every_proper_prefix_has_a_fault),
        cmocka_unit_test(nothing_is_a_fault),
        cmocka_unit_test(broken_payloads_are_told_with_their_place),
        cmocka_unit_test(broken_records_are_told_with_their_place),
        cmocka_unit_test(records_are_taken_apart),
        cmocka_unit_test(compressed_records_are_looked_into),
        cmocka_unit_test(json_lines_tell_all_fields),
        cmocka_unit_test(a_cut_stream_says_the_same),
        cmocka_unit_test(hex_is_read_in_all_its_forms),
        cmocka_unit_test(what_is_no_hex_is_told_with_its_line),
        cmocka_unit_test(every_link_type_carries_streams),
        cmocka_unit_test(both_directions_are_labelled),
        cmocka_unit_test(segments_come_in_any_order),
        cmocka_unit_test(retransmissions_that_differ_are_noted),
        cmocka_unit_test(a_gap_is_told_and_ends_the_frame),
        cmocka_unit_test(packets_cut_by_the_snap_length_are_gaps),
        cmocka_unit_test(the_number_that_a_fin_takes_is_no_byte),
        cmocka_unit_test(a_capture_that_begins_late_is_noted),
        cmocka_unit_test(a_port_that_is_used_again_is_another_stream),
        cmocka_unit_test(other_traffic_is_counted),
        cmocka_unit_test(a_stream_past_its_limit_is_dumped_in_pieces),
        cmocka_unit_test(a_frame_larger_than_the_limit_ends_nothing),
        cmocka_unit_test(streams_past_the_limit_are_a_fault),
        cmocka_unit_test(every_truncation_of_a_capture_is_survived),
        cmocka_unit_test(every_flipped_byte_of_a_capture_is_survived),
        cmocka_unit_test(an_unknown_link_type_is_told),
        cmocka_unit_test(the_exit_status_tells_what_was_found),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(said);
    return failed;
}
