/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "lwp/tests/support.h"
#include "lwp/tools/capture.h"
#include "lwp/tools/packet.h"
#include "mock_server/packets.h"
#include "mock_server/pcapng.h"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
enum { LINK_RAW = 12, PACKET_BLOCK = 6, MAX_PACKETS = 1024 };

/* --- A capture under way, in memory. --- */

static char *file;
static size_t file_size;
static FILE *out;
static struct lwp_packets *packets;

static int begin(void **state)
{
    (void)state;
    out = open_memstream(&file, &file_size);
    assert_non_null(out);
    assert_int_equal(lwp_packets_new(out, "lwp-mock", &packets), LWP_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    lwp_packets_free(packets);
    assert_int_equal(fclose(out), 0);
    free(file);
    return 0;
}

static struct lwp_bytes written(void)
{
    int error = 0;
    assert_int_equal(lwp_packets_status(packets, &error), LWP_OK);
    assert_int_equal(fflush(out), 0);
    return bytes_of(file, file_size);
}

static struct lwp_bytes none;

static void connect_to(uint64_t connection, const char *local, const char *peer)
{
    const struct lwp_packets_place place = {.time_ns = 1000, .connection = connection};
    lwp_packets_connect(packets, &place, lwp_bytes_text(local), lwp_bytes_text(peer));
}

static void send_on(uint64_t connection, bool outgoing, struct lwp_bytes head,
                    struct lwp_bytes body)
{
    const struct lwp_packets_place place = {2000, connection, outgoing, {NULL, 0}};
    lwp_packets_send(packets, &place, head, body);
}

static void close_on(uint64_t connection, bool outgoing, enum lwp_close how)
{
    const struct lwp_packets_place place = {3000, connection, outgoing, {NULL, 0}};
    lwp_packets_close(packets, &place, how);
}

/* --- What a reader of the file sees. --- */

struct seen {
    uint64_t time_ns;
    struct lwp_bytes packet;
    struct lwp_bytes comment;
    struct lwp_segment segment;
};

static struct seen seen[MAX_PACKETS];
static size_t seen_count;

static void see_packet(const uint8_t *block, size_t size)
{
    struct seen *one = &seen[seen_count++];
    assert_true(seen_count < MAX_PACKETS);
    const size_t captured = lwp_get32(block + 20);
    const size_t padded = (captured + 3) / 4 * 4;
    one->time_ns = (uint64_t)lwp_get32(block + 12) << 32 | lwp_get32(block + 16);
    one->packet = bytes_of(block + 28, captured);
    one->comment = none;
    assert_int_equal(lwp_get32(block + 24), captured);
    assert_true(28 + padded + 4 <= size);
    if (28 + padded + 4 < size) {
        const uint8_t *option = block + 28 + padded;
        assert_int_equal(lwp_get16(option), 1);
        one->comment = bytes_of(option + 4, lwp_get16(option + 2));
    }
    assert_int_equal(lwp_packet_read(LINK_RAW, one->packet, &one->segment), LWP_PACKET_TCP);
}

/* Walks over the blocks, whose sizes must agree at both ends. */
static void look(void)
{
    struct lwp_bytes left = written();
    seen_count = 0;
    while (left.size) {
        assert_true(left.size >= 12);
        const size_t size = lwp_get32(left.data + 4);
        assert_true(size % 4 == 0 && size >= 12 && size <= left.size);
        assert_int_equal(lwp_get32(left.data + size - 4), size);
        if (lwp_get32(left.data) == PACKET_BLOCK)
            see_packet(left.data, size);
        left = lwp_bytes_from(left, size);
    }
}

/* The Internet checksum in its slowest form. */
static unsigned checksum(const uint8_t *data, size_t size, unsigned sum)
{
    for (size_t i = 0; i < size; i++) {
        sum += i % 2 ? data[i] : (unsigned)data[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

static void assert_checksums(const struct seen *one)
{
    const uint8_t *at = one->packet.data;
    const bool ipv6 = at[0] >> 4 == 6;
    const size_t head = ipv6 ? 40 : 20;
    const size_t carried = one->packet.size - head;
    if (!ipv6)
        assert_int_equal(checksum(at, head, 0), 0xffff);
    unsigned sum = ipv6 ? checksum(at + 8, 32, 6) : checksum(at + 12, 8, 6);
    sum += (unsigned)carried;
    assert_int_equal(checksum(at + head, carried, sum), 0xffff);
}

static void assert_flags(const unsigned *flags, size_t count)
{
    look();
    assert_int_equal(seen_count, count);
    for (size_t i = 0; i < count; i++) {
        if (seen[i].segment.flags != flags[i])
            fail_msg("packet %zu has flags %x, not %x", i, seen[i].segment.flags, flags[i]);
        assert_checksums(&seen[i]);
    }
}

/* What lwp dump says of the file. */
static void assert_dumped(const char *const *parts, size_t count)
{
    char *said = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&said, &size);
    assert_non_null(to);
    struct lwp_report report = lwp_report_begin(&lwp_report_text, to, false);
    const struct lwp_capture_options options = {.port = 0};
    assert_true(lwp_capture_is_pcapng(written()));
    assert_int_equal(lwp_capture_dump(&options, &report, written()), LWP_OK);
    lwp_report_end(&report);
    assert_int_equal(fclose(to), 0);
    for (size_t i = 0; i < count; i++)
        if (!strstr(said, parts[i]))
            fail_msg("not said: %s\nbut:\n%s", parts[i], said);
    assert_int_equal(report.fault_count, 0);
    free(said);
}

/* --- The file's form. --- */

static void a_capture_begins_with_a_section_and_an_interface(void **state)
{
    (void)state;
    static const uint8_t
        golden[] =
            {
                0x0a, 0x0d, 0x0d, 0x0a, 44,   0,    0,    0,    0x4d, 0x3c,
                0x2b, 0x1a, 1,    0,    0,    0,                /* Section 1.0. */
                0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* No size. */
                4,    0,    8,    0,    'l',  'w',  'p',  '-',  'm',  'o',
                'c',  'k',  0,    0,    0,    0,    44,   0,    0,    0,
            };
    const struct lwp_bytes all = written();
    assert_true(all.size > sizeof(golden));
    assert_memory_equal(all.data, golden, sizeof(golden));
    static const uint8_t interface[] = {
        1, 0, 0, 0, 40,  0,   0,   0,   101, 0, 0, 0, 0, 0, 4, 0, /* Raw IP, 256 KiB. */
        2, 0, 4, 0, 'm', 'o', 'c', 'k', 9,   0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0,
    };
    assert_bytes_equal(lwp_bytes_from(all, sizeof(golden)), bytes_of(interface, sizeof(interface)));
}

static void a_packet_has_its_time_in_nanoseconds_and_its_comment(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    struct lwp_pcapng pcapng = {to, 0};
    const struct lwp_pcapng_packet packet = {
        .time_ns = 0x1122334455667788,
        .parts = {lwp_bytes_text("ab"), lwp_bytes_text(""), lwp_bytes_text("cde")},
        .comment = lwp_bytes_text("why"),
    };
    lwp_pcapng_write(&pcapng, &packet);
    assert_int_equal(fclose(to), 0);
    static const uint8_t golden[] = {
        6,    0,    0, 0, 52,  0,   0,   0, 0, 0, 0,   0,   0x44, 0x33, 0x22, 0x11, 0x88, 0x77,
        0x66, 0x55, 5, 0, 0,   0,   5,   0, 0, 0, 'a', 'b', 'c',  'd',  'e',  0,    0,    0,
        1,    0,    3, 0, 'w', 'h', 'y', 0, 0, 0, 0,   0,   52,   0,    0,    0,
    };
    assert_bytes_equal(bytes_of(text, size), bytes_of(golden, sizeof(golden)));
    free(text);
}

static void a_long_comment_is_cut_in_front_of_a_character(void **state)
{
    (void)state;
    char comment[LWP_PCAPNG_MAX_COMMENT + 8];
    memset(comment, 'x', sizeof(comment));
    static const uint8_t euro[] = {0xe2, 0x82, 0xac};
    memcpy(comment + LWP_PCAPNG_MAX_COMMENT - 2, euro, sizeof(euro));
    const struct lwp_packets_place place = {1, 1, false, bytes_of(comment, sizeof(comment))};
    lwp_packets_connect(packets, &place, none, none);
    look();
    assert_bytes_equal(seen[0].comment, bytes_of(comment, LWP_PCAPNG_MAX_COMMENT - 2));
}

/* --- Connections. --- */

static void a_connection_begins_with_a_handshake(void **state)
{
    (void)state;
    const struct lwp_packets_place place = {12345, 7, false, lwp_bytes_text("connection=7")};
    lwp_packets_connect(packets, &place, lwp_bytes_text("127.0.0.1:1992"),
                        lwp_bytes_text("127.0.0.1:40000"));
    static const unsigned flags[] = {SYN, SYN | ACK, ACK};
    assert_flags(flags, COUNT_OF(flags));
    char label[LWP_FLOW_SIZE];
    lwp_flow_print(&seen[0].segment.flow, label);
    assert_string_equal(label, "127.0.0.1:40000 > 127.0.0.1:1992");
    lwp_flow_print(&seen[1].segment.flow, label);
    assert_string_equal(label, "127.0.0.1:1992 > 127.0.0.1:40000");
    assert_bytes_equal(seen[0].comment, place.comment);
    assert_int_equal(seen[1].comment.size, 0);
    assert_int_equal(seen[0].time_ns, 12345);
}

static void data_stands_in_sequence(void **state)
{
    (void)state;
    connect_to(1, "127.0.0.1:1992", "127.0.0.1:40000");
    send_on(1, false, lwp_bytes_text("hel"), lwp_bytes_text("lo"));
    send_on(1, true, lwp_bytes_text("abc"), none);
    send_on(1, false, lwp_bytes_text("x"), none);
    static const unsigned flags[] = {SYN, SYN | ACK, ACK, PSH | ACK, PSH | ACK, PSH | ACK};
    assert_flags(flags, COUNT_OF(flags));
    assert_bytes_equal(seen[3].segment.data, lwp_bytes_text("hello"));
    assert_int_equal(seen[3].segment.sequence, 1);
    assert_int_equal(seen[4].segment.sequence, 1);
    assert_int_equal(seen[4].packet.data[31], 6); /* What is acknowledged. */
    assert_int_equal(seen[5].segment.sequence, 6);
    assert_int_equal(seen[5].packet.data[31], 4);
}

static void checksums_are_right_wherever_the_bytes_are_cut(void **state)
{
    (void)state;
    uint8_t data[33];
    fill_random(data, sizeof(data), 5);
    connect_to(1, "127.0.0.1:1992", "127.0.0.1:40000");
    connect_to(2, "[::1]:1992", "[::1]:40000");
    for (size_t cut = 0; cut <= sizeof(data); cut++)
        for (uint64_t connection = 1; connection <= 2; connection++)
            send_on(connection, true, bytes_of(data, cut),
                    bytes_of(data + cut, sizeof(data) - cut));
    look();
    assert_int_equal(seen_count, 6 + 2 * 34);
    for (size_t i = 0; i < seen_count; i++)
        assert_checksums(&seen[i]);
}

static void a_connection_over_ipv6_is_one(void **state)
{
    (void)state;
    connect_to(1, "[::1]:1993", "[2001:db8::7]:555");
    connect_to(2, "127.0.0.1:1992", "[::ffff:10.0.0.1]:77");
    look();
    char label[LWP_FLOW_SIZE];
    lwp_flow_print(&seen[0].segment.flow, label);
    assert_string_equal(label, "[2001:db8::7]:555 > [::1]:1993");
    assert_checksums(&seen[0]);
    lwp_flow_print(&seen[3].segment.flow, label);
    assert_string_equal(label, "[::ffff:10.0.0.1]:77 > [::ffff:127.0.0.1]:1992");
}

static void what_has_no_address_gets_one_of_its_own(void **state)
{
    (void)state;
    connect_to(1, "", "");
    connect_to(64001, "", "");
    connect_to(2, "", "[::1]:9");
    connect_to(3, "somewhere", "[::1");
    look();
    static const char *const labels[] = {
        "198.19.0.0:1025 > 198.18.0.1:1992", "198.19.0.1:1025 > 198.18.0.1:1992",
        "[::1]:9 > [2001:2::1]:1992", "198.19.0.0:1027 > 198.18.0.1:1992"};
    for (size_t i = 0; i < COUNT_OF(labels); i++) {
        char label[LWP_FLOW_SIZE];
        lwp_flow_print(&seen[3 * i].segment.flow, label);
        assert_string_equal(label, labels[i]);
    }
}

static void bytes_on_an_unknown_connection_begin_one(void **state)
{
    (void)state;
    send_on(5, true, lwp_bytes_text("x"), none);
    close_on(6, true, LWP_CLOSE_RST);
    static const unsigned flags[] = {SYN, SYN | ACK, ACK, PSH | ACK};
    assert_flags(flags, COUNT_OF(flags));
}

/* --- Ends. --- */

static void an_end_is_drawn_as_it_was(void **state)
{
    (void)state;
    static const unsigned flags[] = {
        SYN, SYN | ACK, ACK, FIN | ACK, FIN | ACK, /* The peer, then the mock. */
        SYN, SYN | ACK, ACK, RST | ACK,            /* The mock, at once. */
        SYN, SYN | ACK, ACK, FIN | ACK, PSH | ACK, RST | ACK, SYN,       SYN | ACK,
        ACK, FIN | ACK, SYN, SYN | ACK, ACK,       FIN | ACK, FIN | ACK,
    };
    connect_to(1, "", "");
    close_on(1, false, LWP_CLOSE_HALF);
    close_on(1, true, LWP_CLOSE_FIN);
    connect_to(2, "", "");
    close_on(2, true, LWP_CLOSE_RST);
    close_on(2, false, LWP_CLOSE_HALF); /* Nobody is there any more. */
    connect_to(3, "", "");
    close_on(3, true, LWP_CLOSE_HALF);
    close_on(3, true, LWP_CLOSE_HALF); /* Once is enough. */
    send_on(3, false, lwp_bytes_text("x"), none);
    close_on(3, false, LWP_CLOSE_RST);
    connect_to(4, "", "");
    close_on(4, true, LWP_CLOSE_FIN);
    close_on(4, false, LWP_CLOSE_HALF);
    connect_to(5, "", "");
    close_on(5, true, LWP_CLOSE_HALF);
    close_on(5, false, LWP_CLOSE_HALF);
    close_on(5, false, LWP_CLOSE_RST); /* Both have ended: it is forgotten. */
    assert_flags(flags, COUNT_OF(flags));
    assert_int_equal(seen[3].segment.flow.destination.port, 1992);
    assert_int_equal(seen[4].segment.flow.source.port, 1992);
    assert_int_equal(seen[4].packet.data[31], 2); /* The FIN has a number of its own. */
}

/* --- Sizes. --- */

static void what_is_large_takes_several_packets(void **state)
{
    (void)state;
    enum { SIZE = 16 * 1024 * 1024 + 1 };
    uint8_t *data = malloc(SIZE);
    assert_non_null(data);
    fill_random(data, SIZE, 3);
    connect_to(1, "[::1]:1992", "[::1]:40000");
    send_on(1, true, bytes_of(data, 44), bytes_of(data + 44, SIZE - 44));
    look();
    size_t at = 0;
    for (size_t i = 3; i < seen_count; i++) {
        const struct lwp_segment *segment = &seen[i].segment;
        assert_int_equal(segment->sequence, 1 + at);
        assert_true(seen[i].packet.size <= 65535);
        assert_bytes_equal(segment->data, bytes_of(data + at, segment->size));
        assert_int_equal(segment->flags & PSH, at + segment->size == SIZE ? PSH : 0);
        at += segment->size;
    }
    assert_int_equal(at, SIZE);
    assert_checksums(&seen[4]);
    free(data);
}

static void sizes_at_the_edge_of_a_packet_are_kept(void **state)
{
    (void)state;
    static uint8_t data[LWP_PACKETS_MAX_DATA + 1];
    for (size_t size = LWP_PACKETS_MAX_DATA - 1; size <= sizeof(data); size++) {
        connect_to(size, "", "");
        send_on(size, false, bytes_of(data, 44), bytes_of(data, size - 44));
    }
    look();
    assert_int_equal(seen_count, 3 * 3 + 4);
    for (size_t i = 0; i < seen_count; i++)
        assert_checksums(&seen[i]);
}

static void many_connections_are_kept_apart(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 5000; i++)
        connect_to(i, "127.0.0.1:1992", "");
    for (uint64_t i = 1; i <= 5000; i++)
        close_on(i, true, i % 2 ? LWP_CLOSE_FIN : LWP_CLOSE_RST);
    const size_t size = written().size;
    for (uint64_t i = 1; i <= 5000; i++)
        close_on(i, true, LWP_CLOSE_RST);
    assert_int_equal(written().size, size);
}

/* --- The reader of ours. --- */

static struct lwp_bytes keepalive(uint8_t *wire)
{
    struct lwp_frame frame = frame_of(LWP_FLAG_KEEPALIVE, none);
    struct lwp_writer writer = lwp_writer_on(wire, LWP_HEADER_SIZE);
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    assert_int_equal(lwp_frame_encode(&frame, &writer), LWP_OK);
    return lwp_writer_bytes(&writer);
}

static void a_dump_reads_what_was_written(void **state)
{
    (void)state;
    uint8_t wire[LWP_HEADER_SIZE];
    const struct lwp_bytes frame = keepalive(wire);
    connect_to(1, "127.0.0.1:1993", "127.0.0.1:40000");
    connect_to(2, "[::1]:1994", "[::1]:40001");
    connect_to(3, "", "");
    for (uint64_t i = 1; i <= 3; i++) {
        send_on(i, false, bytes_of(frame.data, 7), lwp_bytes_from(frame, 7));
        send_on(i, true, frame, none);
        close_on(i, false, LWP_CLOSE_HALF);
        close_on(i, true, i == 1 ? LWP_CLOSE_RST : LWP_CLOSE_FIN);
    }
    static const char *const parts[] = {"127.0.0.1:40000 > 127.0.0.1:1993: dialect lance",
                                        "127.0.0.1:1993 > 127.0.0.1:40000",
                                        "[::1]:40001 > [::1]:1994",
                                        "198.18.0.1:1992 > 198.19.0.0:1027",
                                        "21 packets in the capture",
                                        "6 frames, 0 records, 0 faults, 0 notes, 0 bytes skipped"};
    assert_dumped(parts, COUNT_OF(parts));
}

/* --- Faults of the machine. --- */

static void a_full_device_is_told(void **state)
{
    (void)state;
    static uint8_t data[100000];
    FILE *full = fopen("/dev/full", "wb");
    assert_non_null(full);
    struct lwp_packets *there = NULL;
    int error = 0;
    const struct lwp_packets_place place = {.connection = 1};
    assert_int_equal(lwp_packets_new(full, "lwp-mock", &there), LWP_OK);
    lwp_packets_send(there, &place, bytes_of(data, sizeof(data)), none);
    assert_int_equal(lwp_packets_status(there, &error), LWP_IO);
    assert_int_equal(error, ENOSPC);
    lwp_packets_send(there, &place, bytes_of(data, sizeof(data)), none);
    lwp_packets_free(there);
    (void)fclose(full);
}

static void freeing_nothing_is_fine(void **state)
{
    (void)state;
    lwp_packets_free(NULL);
}

#define CAPTURE_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CAPTURE_TEST(a_capture_begins_with_a_section_and_an_interface),
        cmocka_unit_test(a_packet_has_its_time_in_nanoseconds_and_its_comment),
        CAPTURE_TEST(a_long_comment_is_cut_in_front_of_a_character),
        CAPTURE_TEST(a_connection_begins_with_a_handshake),
        CAPTURE_TEST(data_stands_in_sequence),
        CAPTURE_TEST(checksums_are_right_wherever_the_bytes_are_cut),
        CAPTURE_TEST(a_connection_over_ipv6_is_one),
        CAPTURE_TEST(what_has_no_address_gets_one_of_its_own),
        CAPTURE_TEST(bytes_on_an_unknown_connection_begin_one),
        CAPTURE_TEST(an_end_is_drawn_as_it_was),
        CAPTURE_TEST(what_is_large_takes_several_packets),
        CAPTURE_TEST(sizes_at_the_edge_of_a_packet_are_kept),
        CAPTURE_TEST(many_connections_are_kept_apart),
        CAPTURE_TEST(a_dump_reads_what_was_written),
        cmocka_unit_test(a_full_device_is_told),
        cmocka_unit_test(freeing_nothing_is_fine),
    };
    return cmocka_run_group_tests_name("pcapng", tests, NULL, NULL);
}
