/* SPDX-License-Identifier: MIT */
#include "lwp/tests/support.h"

#include <poll.h>
#include <pthread.h>

#include "lwp/net/clock.h"
#include "lwp/net/link.h"
#include "lwp/wire/tlv.h"
#include "mock_server/mock.h"

enum { PIPE_ROOM = 65536, STREAM_ROOM = 4096, MANY = 1000, PATIENCE_MS = 10000 };

#define MIB ((size_t)1048576)

static struct lwp_mock *mock_of(const struct lwp_dialect *dialect, struct lwp_mock_options options)
{
    struct lwp_mock *mock = NULL;
    options.dialect = dialect;
    assert_int_equal(lwp_mock_new(&options, &mock), LWP_OK);
    return mock;
}

static struct lwp_mock *plain_mock(const struct lwp_dialect *dialect)
{
    return mock_of(dialect, (struct lwp_mock_options){.epoch_ns = 0});
}

/* Our end of a new connection. */
static struct lwp_transport *dial(struct lwp_mock *mock, size_t room, uint64_t now_ns)
{
    struct lwp_transport *ends[2];
    assert_int_equal(lwp_pipe_new(room, ends), LWP_OK);
    assert_int_equal(lwp_mock_accept(mock, ends[1], now_ns), LWP_OK);
    return ends[0];
}

/* Steps until nothing happens any more. */
static void settle(struct lwp_mock *mock, uint64_t now_ns)
{
    for (int rounds = 0; lwp_mock_step(mock, now_ns); rounds++)
        assert_true(rounds < 100000);
}

static void say(struct lwp_transport *transport, struct lwp_bytes bytes)
{
    size_t count = 0;
    if (bytes.size == 0)
        return;
    assert_int_equal(lwp_transport_write(transport, bytes, &count), LWP_OK);
    assert_int_equal(count, bytes.size);
}

/* Reads what has come behind what `out` holds; returns the status that ended it. */
static enum lwp_status hear(struct lwp_transport *transport, struct lwp_writer *out)
{
    for (;;) {
        size_t count = 0;
        assert_true(out->size < out->capacity);
        const enum lwp_status status =
            lwp_transport_read(transport, out->data + out->size, out->capacity - out->size, &count);
        if (status != LWP_OK)
            return status;
        out->size += count;
    }
}

static void write_frame(struct lwp_writer *out, const struct lwp_dialect *dialect,
                        struct lwp_frame frame)
{
    lwp_frame_seal(&frame, dialect->polynomial, 0);
    assert_int_equal(lwp_frame_encode(&frame, out), LWP_OK);
}

static void write_keepalive(struct lwp_writer *out, const struct lwp_dialect *dialect)
{
    write_frame(out, dialect, frame_of(LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0)));
}

static void write_ingest(struct lwp_writer *out, const struct lwp_dialect *dialect,
                         uint32_t topic_id, uint64_t batch_id)
{
    uint8_t payload[64];
    struct lwp_writer records = lwp_writer_on(payload, sizeof(payload));
    lwp_tlv_put(&records, LWP_TLV_RAW, lwp_bytes_text("hello"));
    struct lwp_frame frame = frame_of(LWP_FLAG_BATCH, lwp_writer_bytes(&records));
    frame.header.batch_id = batch_id;
    frame.header.record_count = 1;
    frame.header.topic_id = topic_id;
    write_frame(out, dialect, frame);
}

static void write_message(struct lwp_writer *out, const struct lwp_dialect *dialect,
                          const struct lwp_message *message)
{
    uint8_t payload[256];
    struct lwp_writer body = lwp_writer_on(payload, sizeof(payload));
    assert_int_equal(lwp_message_encode(message, &body), LWP_OK);
    write_frame(out, dialect, lwp_message_frame(message->command, lwp_writer_bytes(&body)));
}

static void write_create(struct lwp_writer *out, const struct lwp_dialect *dialect)
{
    write_message(out, dialect,
                  &(struct lwp_message){.command = LWP_COMMAND_CREATE_TOPIC,
                                        .name = lwp_bytes_text("a-topic")});
}

static void write_fetch(struct lwp_writer *out, const struct lwp_dialect *dialect)
{
    write_message(out, dialect,
                  &(struct lwp_message){
                      .command = LWP_COMMAND_FETCH, .topic_id = 1, .max_bytes = UINT32_MAX});
}

/* Our side of a test: the words that go out and those that came in. */
struct talk {
    uint8_t sent[STREAM_ROOM];
    uint8_t came[STREAM_ROOM];
    struct lwp_writer out;
    struct lwp_writer in;
};

static void talk_begin(struct talk *talk)
{
    talk->out = lwp_writer_on(talk->sent, sizeof(talk->sent));
    talk->in = lwp_writer_on(talk->came, sizeof(talk->came));
}

/* Says what was written, lets the mock work and hears what it answers. */
static enum lwp_status exchange(struct talk *talk, struct lwp_mock *mock,
                                struct lwp_transport *transport, uint64_t now_ns)
{
    say(transport, lwp_writer_bytes(&talk->out));
    talk->out.size = 0;
    settle(mock, now_ns);
    return hear(transport, &talk->in);
}

static size_t count_frames(const struct talk *talk, const struct lwp_dialect *dialect,
                           enum lwp_kind kind)
{
    const struct lwp_frame_rules rules = {dialect->polynomial, UINT32_MAX};
    struct lwp_bytes in = lwp_writer_bytes(&talk->in);
    struct lwp_frame frame;
    struct lwp_fault fault;
    size_t count = 0;
    while (lwp_frame_split(&rules, in, &frame, &fault) == LWP_OK) {
        count += lwp_frame_kind(&frame, dialect) == kind;
        in = lwp_bytes_from(in, lwp_frame_size(&frame));
    }
    assert_int_equal(in.size, 0);
    return count;
}

/* How many bytes of data the last fetch-response that came brought. */
static size_t fetched(const struct talk *talk, const struct lwp_dialect *dialect)
{
    const struct lwp_frame_rules rules = {dialect->polynomial, UINT32_MAX};
    struct lwp_bytes in = lwp_writer_bytes(&talk->in);
    struct lwp_message message = {.command = 0};
    struct lwp_bytes rest;
    struct lwp_frame frame;
    struct lwp_fault fault;
    size_t size = SIZE_MAX;
    while (lwp_frame_split(&rules, in, &frame, &fault) == LWP_OK) {
        in = lwp_bytes_from(in, lwp_frame_size(&frame));
        if (lwp_frame_command(&frame, dialect) != LWP_COMMAND_FETCH_RESPONSE)
            continue;
        assert_int_equal(
            lwp_message_decode(LWP_COMMAND_FETCH_RESPONSE, frame.payload, &message, &rest, &fault),
            LWP_OK);
        size = message.data.size;
    }
    return size;
}

static const struct lwp_dialect *const both[] = {&lwp_dialect_spec, &lwp_dialect_lance};

static void acks_wait_for_their_delay_and_keepalives_do_not(void **state)
{
    (void)state;
    const struct lwp_dialect *dialect = &lwp_dialect_lance;
    const uint64_t now = LWP_SECOND_NS, due = now + 5 * LWP_MILLISECOND_NS;
    struct lwp_mock *mock =
        mock_of(dialect, (struct lwp_mock_options){.ack_delay_ns = 5 * LWP_MILLISECOND_NS});
    struct lwp_transport *transport = dial(mock, PIPE_ROOM, now);
    struct talk talk;
    talk_begin(&talk);
    assert_true(lwp_mock_deadline(mock) == LWP_NEVER);
    write_ingest(&talk.out, dialect, 0, 7);
    write_keepalive(&talk.out, dialect);
    write_ingest(&talk.out, dialect, 0, 8);
    assert_int_equal(exchange(&talk, mock, transport, now), LWP_WOULD_BLOCK);
    assert_int_equal(count_frames(&talk, dialect, LWP_KIND_KEEPALIVE), 1);
    assert_int_equal(talk.in.size, LWP_HEADER_SIZE);
    assert_true(lwp_mock_deadline(mock) == due);
    assert_int_equal(exchange(&talk, mock, transport, due - 1), LWP_WOULD_BLOCK);
    assert_int_equal(talk.in.size, LWP_HEADER_SIZE);
    assert_int_equal(exchange(&talk, mock, transport, due), LWP_WOULD_BLOCK);
    assert_int_equal(count_frames(&talk, dialect, LWP_KIND_ACK), 2);
    assert_int_equal(lwp_get64(talk.came + LWP_HEADER_SIZE + 12), 7);
    assert_int_equal(lwp_get64(talk.came + 2 * LWP_HEADER_SIZE + 12), 8);
    lwp_transport_free(transport);
    lwp_mock_free(mock);
}

static void without_a_delay_acks_come_at_once(void **state)
{
    (void)state;
    for (size_t d = 0; d < COUNT_OF(both); d++) {
        struct lwp_mock *mock = plain_mock(both[d]);
        struct lwp_transport *transport = dial(mock, PIPE_ROOM, 0);
        struct talk talk;
        talk_begin(&talk);
        write_ingest(&talk.out, both[d], 0, 7);
        assert_int_equal(exchange(&talk, mock, transport, 0), LWP_WOULD_BLOCK);
        assert_int_equal(count_frames(&talk, both[d], LWP_KIND_ACK), 1);
        assert_int_equal(talk.in.size, LWP_HEADER_SIZE);
        lwp_transport_free(transport);
        lwp_mock_free(mock);
    }
}

/* A good ingest and a bad header in one write: stored, never acknowledged. */
static void write_orphan(struct lwp_writer *out, const struct lwp_dialect *dialect)
{
    write_ingest(out, dialect, 1, 7);
    write_keepalive(out, dialect);
    out->data[out->size - LWP_HEADER_SIZE + 8] ^= 1;
}

static void data_without_an_ack_is_visible_after_20_ms(void **state)
{
    (void)state;
    const struct lwp_dialect *dialect = &lwp_dialect_lance;
    struct lwp_mock *mock = plain_mock(dialect);
    struct lwp_transport *transport = dial(mock, PIPE_ROOM, 0);
    struct lwp_transport *orphan = dial(mock, PIPE_ROOM, 0);
    struct talk talk, other;
    talk_begin(&talk);
    talk_begin(&other);
    write_create(&talk.out, dialect);
    assert_int_equal(exchange(&talk, mock, transport, 0), LWP_WOULD_BLOCK);
    write_orphan(&other.out, dialect);
    assert_int_equal(exchange(&other, mock, orphan, 0), LWP_CLOSED);
    assert_int_equal(other.in.size, 0);
    write_fetch(&talk.out, dialect);
    assert_int_equal(exchange(&talk, mock, transport, 0), LWP_WOULD_BLOCK);
    assert_int_equal(fetched(&talk, dialect), 0);
    assert_true(lwp_mock_deadline(mock) <= 20 * LWP_MILLISECOND_NS);
    settle(mock, 20 * LWP_MILLISECOND_NS);
    write_fetch(&talk.out, dialect);
    assert_int_equal(exchange(&talk, mock, transport, 20 * LWP_MILLISECOND_NS), LWP_WOULD_BLOCK);
    assert_int_equal(fetched(&talk, dialect), LWP_TLV_HEAD_SIZE + 5);
    assert_true(lwp_mock_deadline(mock) == LWP_NEVER);
    lwp_transport_free(orphan);
    lwp_transport_free(transport);
    lwp_mock_free(mock);
}

static void acknowledged_data_is_visible_at_once(void **state)
{
    (void)state;
    for (size_t d = 0; d < COUNT_OF(both); d++) {
        struct lwp_mock *mock = plain_mock(both[d]);
        struct lwp_transport *transport = dial(mock, PIPE_ROOM, 0);
        struct talk talk;
        talk_begin(&talk);
        write_create(&talk.out, both[d]);
        (void)exchange(&talk, mock, transport, 0);
        write_ingest(&talk.out, both[d], 1, 7);
        (void)exchange(&talk, mock, transport, 0);
        write_fetch(&talk.out, both[d]);
        (void)exchange(&talk, mock, transport, 0);
        assert_int_equal(fetched(&talk, both[d]), LWP_TLV_HEAD_SIZE + 5);
        lwp_transport_free(transport);
        lwp_mock_free(mock);
    }
}

static void a_client_that_closes_by_half_gets_all_its_answers(void **state)
{
    (void)state;
    for (size_t d = 0; d < COUNT_OF(both); d++) {
        struct lwp_mock *mock =
            mock_of(both[d], (struct lwp_mock_options){.ack_delay_ns = 5 * LWP_MILLISECOND_NS});
        struct lwp_transport *transport = dial(mock, PIPE_ROOM, 0);
        struct talk talk;
        talk_begin(&talk);
        write_keepalive(&talk.out, both[d]);
        write_ingest(&talk.out, both[d], 0, 7);
        write_create(&talk.out, both[d]);
        write_keepalive(&talk.out, both[d]);
        say(transport, bytes_of(talk.sent, talk.out.size - 1));
        talk.out.size = 0;
        lwp_transport_close(transport, LWP_CLOSE_HALF);
        (void)exchange(&talk, mock, transport, 0);
        assert_int_equal(exchange(&talk, mock, transport, LWP_SECOND_NS), LWP_CLOSED);
        assert_int_equal(count_frames(&talk, both[d], LWP_KIND_KEEPALIVE), 1);
        assert_int_equal(count_frames(&talk, both[d], LWP_KIND_ACK), 1);
        assert_int_equal(count_frames(&talk, both[d], LWP_KIND_CONTROL), 1);
        assert_int_equal(lwp_mock_connection_count(mock), 0);
        lwp_transport_free(transport);
        lwp_mock_free(mock);
    }
}

static void a_connection_that_has_ended_is_forgotten(void **state)
{
    (void)state;
    static const enum lwp_close ways[] = {LWP_CLOSE_FIN, LWP_CLOSE_RST, LWP_CLOSE_HALF};
    struct lwp_mock *mock = plain_mock(&lwp_dialect_lance);
    struct lwp_transport *transports[COUNT_OF(ways)];
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        transports[i] = dial(mock, PIPE_ROOM, 0);
        settle(mock, 0);
        assert_int_equal(lwp_mock_connection_count(mock), i + 1);
    }
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        lwp_transport_close(transports[i], ways[i]);
        settle(mock, 0);
        assert_int_equal(lwp_mock_connection_count(mock), COUNT_OF(ways) - 1 - i);
        lwp_transport_free(transports[i]);
    }
    assert_false(lwp_mock_step(mock, 0));
    lwp_mock_free(mock);
}

static void freeing_the_mock_ends_its_connections(void **state)
{
    (void)state;
    struct lwp_mock *mock = plain_mock(&lwp_dialect_lance);
    struct lwp_transport *transport = dial(mock, PIPE_ROOM, 0);
    struct talk talk;
    talk_begin(&talk);
    settle(mock, 0);
    lwp_mock_free(mock);
    assert_int_equal(hear(transport, &talk.in), LWP_CLOSED);
    lwp_transport_free(transport);
    lwp_mock_free(NULL);
}

static void write_large_ingest(struct lwp_writer *out, const struct lwp_dialect *dialect)
{
    uint8_t payload[1100];
    struct lwp_writer records = lwp_writer_on(payload, sizeof(payload));
    uint8_t value[1025] = {0};
    lwp_tlv_put(&records, LWP_TLV_RAW, bytes_of(value, sizeof(value)));
    struct lwp_frame frame = frame_of(LWP_FLAG_BATCH, lwp_writer_bytes(&records));
    frame.header.batch_id = 9;
    frame.header.record_count = 1;
    write_frame(out, dialect, frame);
}

static void a_large_frame_behind_a_small_one_passes_only_in_lance(void **state)
{
    (void)state;
    for (size_t d = 0; d < COUNT_OF(both); d++) {
        struct lwp_mock *mock = mock_of(both[d], (struct lwp_mock_options){.max_payload = 1024});
        struct lwp_transport *transport = dial(mock, PIPE_ROOM, 0);
        struct talk talk;
        const bool passes = both[d] == &lwp_dialect_lance;
        talk_begin(&talk);
        write_keepalive(&talk.out, both[d]);
        write_large_ingest(&talk.out, both[d]);
        assert_int_equal(exchange(&talk, mock, transport, 0),
                         passes ? LWP_WOULD_BLOCK : LWP_CLOSED);
        assert_int_equal(count_frames(&talk, both[d], LWP_KIND_KEEPALIVE), 1);
        assert_int_equal(count_frames(&talk, both[d], LWP_KIND_ACK), passes);
        lwp_transport_free(transport);
        lwp_mock_free(mock);
    }
}

static void a_large_first_frame_ends_the_connection_with_its_header(void **state)
{
    (void)state;
    for (size_t d = 0; d < COUNT_OF(both); d++) {
        struct lwp_mock *mock = mock_of(both[d], (struct lwp_mock_options){.max_payload = 1024});
        struct lwp_transport *transport = dial(mock, PIPE_ROOM, 0);
        struct talk talk;
        talk_begin(&talk);
        write_large_ingest(&talk.out, both[d]);
        talk.out.size = LWP_HEADER_SIZE - 1;
        assert_int_equal(exchange(&talk, mock, transport, 0), LWP_WOULD_BLOCK);
        say(transport, bytes_of(talk.sent + LWP_HEADER_SIZE - 1, 1));
        assert_int_equal(exchange(&talk, mock, transport, 0), LWP_CLOSED);
        assert_int_equal(talk.in.size, 0);
        assert_int_equal(lwp_mock_connection_count(mock), 0);
        lwp_transport_free(transport);
        lwp_mock_free(mock);
    }
}

static void a_late_large_frame_is_seen_with_the_next_byte(void **state)
{
    (void)state;
    struct lwp_mock *mock =
        mock_of(&lwp_dialect_lance, (struct lwp_mock_options){.max_payload = 1024});
    struct lwp_transport *transport = dial(mock, PIPE_ROOM, 0);
    struct talk talk;
    talk_begin(&talk);
    write_keepalive(&talk.out, &lwp_dialect_lance);
    write_large_ingest(&talk.out, &lwp_dialect_lance);
    talk.out.size = 2 * LWP_HEADER_SIZE;
    assert_int_equal(exchange(&talk, mock, transport, 0), LWP_WOULD_BLOCK);
    assert_int_equal(talk.in.size, LWP_HEADER_SIZE);
    say(transport, lwp_bytes_text("x"));
    assert_int_equal(exchange(&talk, mock, transport, 0), LWP_CLOSED);
    assert_int_equal(talk.in.size, LWP_HEADER_SIZE);
    lwp_transport_free(transport);
    lwp_mock_free(mock);
}

static void silence_never_ends_a_connection(void **state)
{
    (void)state;
    struct lwp_mock *mock = plain_mock(&lwp_dialect_lance);
    struct lwp_transport *transport = dial(mock, PIPE_ROOM, 0);
    struct talk talk;
    talk_begin(&talk);
    assert_int_equal(exchange(&talk, mock, transport, 3600 * LWP_SECOND_NS), LWP_WOULD_BLOCK);
    write_keepalive(&talk.out, &lwp_dialect_lance);
    assert_int_equal(exchange(&talk, mock, transport, 7200 * LWP_SECOND_NS), LWP_WOULD_BLOCK);
    assert_int_equal(talk.in.size, LWP_HEADER_SIZE);
    lwp_transport_free(transport);
    lwp_mock_free(mock);
}

static void topics_are_created_at_the_time_of_the_clock(void **state)
{
    (void)state;
    struct lwp_mock *mock = mock_of(
        &lwp_dialect_lance, (struct lwp_mock_options){.epoch_ns = 1700000000 * LWP_SECOND_NS});
    struct lwp_transport *transport = dial(mock, PIPE_ROOM, 0);
    struct talk talk;
    talk_begin(&talk);
    write_create(&talk.out, &lwp_dialect_lance);
    (void)exchange(&talk, mock, transport, 5 * LWP_SECOND_NS);
    static const char expected[] = "\"created_at\":1700000005,";
    assert_non_null(memmem(talk.came, talk.in.size, expected, strlen(expected)));
    lwp_transport_free(transport);
    lwp_mock_free(mock);
}

static void a_thousand_connections_are_served_at_once(void **state)
{
    (void)state;
    static struct lwp_transport *transports[MANY];
    struct lwp_mock *mock = plain_mock(&lwp_dialect_lance);
    struct talk talk;
    const size_t before = heap_in_use();
    for (size_t i = 0; i < MANY; i++)
        transports[i] = dial(mock, 256, 0);
    assert_int_equal(lwp_mock_connection_count(mock), MANY);
    for (size_t i = 0; i < MANY; i++) {
        talk_begin(&talk);
        write_keepalive(&talk.out, &lwp_dialect_lance);
        say(transports[i], lwp_writer_bytes(&talk.out));
    }
    settle(mock, 0);
    for (size_t i = 0; i < MANY; i++) {
        talk_begin(&talk);
        assert_int_equal(hear(transports[i], &talk.in), LWP_WOULD_BLOCK);
        assert_int_equal(talk.in.size, LWP_HEADER_SIZE);
    }
    assert_true(heap_in_use() - before < 64 * MIB);
    for (size_t i = 0; i < MANY; i++)
        lwp_transport_free(transports[i]);
    settle(mock, 0);
    assert_int_equal(lwp_mock_connection_count(mock), 0);
    assert_true(heap_in_use() < before + MIB);
    lwp_mock_free(mock);
}

static void the_measure_of_the_heap_sees_what_is_taken(void **state)
{
    (void)state;
    const size_t before = heap_in_use();
    uint8_t *volatile bytes = malloc(8 * MIB);
    assert_true(heap_in_use() >= before + 8 * MIB);
    free(bytes);
    assert_true(heap_in_use() < before + MIB);
}

static void claimed_lengths_take_no_memory(void **state)
{
    (void)state;
    enum { CLAIMS = 200 };
    for (size_t d = 0; d < COUNT_OF(both); d++) {
        struct lwp_transport *transports[CLAIMS];
        struct lwp_mock *mock = plain_mock(both[d]);
        uint8_t wire[LWP_HEADER_SIZE + 100] = {0};
        struct lwp_frame frame = frame_of(LWP_FLAG_BATCH, bytes_of(NULL, 0));
        lwp_frame_seal(&frame, both[d]->polynomial, 0);
        frame.header.payload_length = LWP_MAX_PAYLOAD_DEFAULT;
        lwp_header_encode(&frame.header, wire);
        for (size_t i = 0; i < CLAIMS; i++)
            transports[i] = dial(mock, 256, 0);
        const size_t before = heap_in_use();
        for (size_t i = 0; i < CLAIMS; i++)
            say(transports[i], bytes_of(wire, sizeof(wire)));
        settle(mock, 0);
        assert_int_equal(lwp_mock_connection_count(mock), CLAIMS);
        assert_true(heap_in_use() < before + 8 * MIB);
        for (size_t i = 0; i < CLAIMS; i++)
            lwp_transport_free(transports[i]);
        lwp_mock_free(mock);
    }
}

/* Writes the frame again and again and reads nothing until the mock takes no more, or all are
 * written; returns how many bytes it took. */
static size_t flood(struct lwp_mock *mock, struct lwp_transport *transport, struct lwp_bytes frame,
                    size_t times)
{
    size_t total = 0, at = 0;
    while (total < times * frame.size) {
        size_t count = 0;
        if (lwp_transport_write(transport, lwp_bytes_from(frame, at), &count) != LWP_OK) {
            if (!lwp_mock_step(mock, 0))
                return total;
            continue;
        }
        total += count;
        at = (at + count) % frame.size;
    }
    settle(mock, 0);
    return total;
}

static void a_client_that_reads_no_keepalives_is_not_buffered_for(void **state)
{
    (void)state;
    enum { TIMES = 1000000 };
    struct lwp_mock *mock =
        mock_of(&lwp_dialect_lance, (struct lwp_mock_options){.max_payload = 1024});
    struct lwp_transport *transport = dial(mock, PIPE_ROOM, 0);
    struct talk talk;
    talk_begin(&talk);
    write_keepalive(&talk.out, &lwp_dialect_lance);
    const size_t before = heap_in_use();
    const size_t taken = flood(mock, transport, lwp_writer_bytes(&talk.out), TIMES);
    assert_true(taken < (size_t)TIMES * LWP_HEADER_SIZE);
    assert_true(heap_in_use() < before + 16 * MIB);
    size_t answered = 0;
    do {
        talk.in.size = 0;
        size_t count = 0;
        while (lwp_transport_read(transport, talk.came, sizeof(talk.came), &count) == LWP_OK)
            answered += count;
    } while (lwp_mock_step(mock, 0));
    assert_int_equal(answered, taken / LWP_HEADER_SIZE * LWP_HEADER_SIZE);
    lwp_transport_free(transport);
    lwp_mock_free(mock);
}

/* Appends frames of 60 000 bytes of data to topic 1. */
static void fill_topic(struct lwp_mock *mock, struct lwp_transport *transport, size_t frames)
{
    uint8_t *wire = malloc(PIPE_ROOM), *payload = calloc(1, 60000);
    for (size_t i = 0; i < frames; i++) {
        struct lwp_writer out = lwp_writer_on(wire, PIPE_ROOM);
        struct talk talk;
        talk_begin(&talk);
        struct lwp_frame frame = frame_of(LWP_FLAG_BATCH, bytes_of(payload, 60000));
        frame.header.batch_id = i + 1;
        frame.header.record_count = 1;
        frame.header.topic_id = 1;
        write_frame(&out, &lwp_dialect_lance, frame);
        say(transport, lwp_writer_bytes(&out));
        settle(mock, 0);
        assert_int_equal(hear(transport, &talk.in), LWP_WOULD_BLOCK);
        assert_int_equal(talk.in.size, LWP_HEADER_SIZE);
    }
    free(wire);
    free(payload);
}

static void a_client_that_reads_no_fetches_is_not_buffered_for(void **state)
{
    (void)state;
    enum { TIMES = 100000 };
    struct lwp_mock *mock = plain_mock(&lwp_dialect_lance);
    struct lwp_transport *transport = dial(mock, PIPE_ROOM, 0);
    struct talk talk;
    talk_begin(&talk);
    write_create(&talk.out, &lwp_dialect_lance);
    (void)exchange(&talk, mock, transport, 0);
    fill_topic(mock, transport, 20);
    write_fetch(&talk.out, &lwp_dialect_lance);
    const size_t before = heap_in_use();
    const size_t taken = flood(mock, transport, lwp_writer_bytes(&talk.out), TIMES);
    assert_true(taken < TIMES * talk.out.size);
    assert_true(heap_in_use() < before + 64 * MIB);
    lwp_transport_close(transport, LWP_CLOSE_RST);
    settle(mock, 0);
    assert_int_equal(lwp_mock_connection_count(mock), 0);
    assert_true(heap_in_use() < before + 4 * MIB);
    lwp_transport_free(transport);
    lwp_mock_free(mock);
}

/* One frame of each kind that matters; returns how many. */
static size_t write_stream(struct lwp_writer *out, const struct lwp_dialect *dialect, size_t *ends)
{
    const struct lwp_message messages[] = {
        {.command = LWP_COMMAND_LIST_TOPICS},
        {.command = LWP_COMMAND_GET_TOPIC, .topic_id = 1},
        {.command = LWP_COMMAND_GET_TOPIC, .topic_id = 9},
        {.command = LWP_COMMAND_COMMIT_OFFSET, .topic_id = 1, .consumer_id = 5, .offset = 10},
        {.command = LWP_COMMAND_SUBSCRIBE, .topic_id = 1, .consumer_id = 5},
        {.command = LWP_COMMAND_UNSUBSCRIBE, .topic_id = 1, .consumer_id = 5},
        {.command = LWP_COMMAND_FETCH_RESPONSE},
        {.command = LWP_COMMAND_DELETE_TOPIC, .topic_id = 1},
    };
    size_t count = 0;
    write_create(out, dialect);
    ends[count++] = out->size;
    write_ingest(out, dialect, 1, 1);
    ends[count++] = out->size;
    write_keepalive(out, dialect);
    ends[count++] = out->size;
    write_ingest(out, dialect, 1, 2);
    ends[count++] = out->size;
    write_ingest(out, dialect, 77, 3);
    ends[count++] = out->size;
    write_fetch(out, dialect);
    ends[count++] = out->size;
    for (size_t i = 0; i < COUNT_OF(messages); i++) {
        write_message(out, dialect, &messages[i]);
        ends[count++] = out->size;
    }
    return count;
}

/* What a fresh mock answers to the bytes in two reads; a bad header may come last. */
static void answers_to(const struct lwp_dialect *dialect, struct lwp_bytes bytes, size_t cut,
                       struct talk *talk, enum lwp_status end)
{
    struct lwp_mock *mock = plain_mock(dialect);
    struct lwp_transport *transport = dial(mock, PIPE_ROOM, 0);
    say(transport, bytes_of(bytes.data, cut));
    settle(mock, 0);
    say(transport, lwp_bytes_from(bytes, cut));
    settle(mock, 0);
    assert_int_equal(hear(transport, &talk->in), end);
    lwp_transport_free(transport);
    lwp_mock_free(mock);
}

static void every_cut_of_a_stream_gives_the_same_answers_in_spec(void **state)
{
    (void)state;
    for (int is_bad = 0; is_bad < 2; is_bad++) {
        const enum lwp_status end = is_bad ? LWP_CLOSED : LWP_WOULD_BLOCK;
        struct talk whole, talk;
        size_t ends[32];
        talk_begin(&whole);
        (void)write_stream(&whole.out, &lwp_dialect_spec, ends);
        if (is_bad) {
            write_keepalive(&whole.out, &lwp_dialect_spec);
            whole.sent[whole.out.size - LWP_HEADER_SIZE] ^= 1;
        }
        const struct lwp_bytes bytes = lwp_writer_bytes(&whole.out);
        answers_to(&lwp_dialect_spec, bytes, bytes.size, &whole, end);
        assert_int_equal(count_frames(&whole, &lwp_dialect_spec, LWP_KIND_ACK), 3);
        assert_int_equal(count_frames(&whole, &lwp_dialect_spec, LWP_KIND_KEEPALIVE), 1);
        for (size_t cut = 0; cut < bytes.size; cut++) {
            talk_begin(&talk);
            answers_to(&lwp_dialect_spec, bytes, cut, &talk, end);
            assert_bytes_equal(lwp_writer_bytes(&talk.in), lwp_writer_bytes(&whole.in));
        }
    }
}

/* Sends each frame on its own, in two pieces, and waits for its answer. */
static void answers_frame_by_frame(const struct lwp_dialect *dialect, struct lwp_bytes bytes,
                                   const size_t *ends, size_t cut, struct talk *talk)
{
    struct lwp_mock *mock = plain_mock(dialect);
    struct lwp_transport *transport = dial(mock, PIPE_ROOM, 0);
    for (size_t i = 0, at = 0; at < bytes.size; at = ends[i++]) {
        const size_t size = ends[i] - at;
        const size_t first = cut < size ? cut : size;
        say(transport, bytes_of(bytes.data + at, first));
        settle(mock, 0);
        say(transport, bytes_of(bytes.data + at + first, size - first));
        settle(mock, 0);
        assert_int_equal(hear(transport, &talk->in), LWP_WOULD_BLOCK);
    }
    lwp_transport_free(transport);
    lwp_mock_free(mock);
}

static void every_cut_of_each_frame_gives_the_same_answers(void **state)
{
    (void)state;
    for (size_t d = 0; lwp_dialects[d]; d++) {
        struct talk whole, talk;
        size_t ends[32];
        talk_begin(&whole);
        const size_t count = write_stream(&whole.out, lwp_dialects[d], ends);
        const struct lwp_bytes bytes = lwp_writer_bytes(&whole.out);
        answers_frame_by_frame(lwp_dialects[d], bytes, ends, SIZE_MAX, &whole);
        assert_in_range(count_frames(&whole, lwp_dialects[d], LWP_KIND_CONTROL), count - 5, count);
        for (size_t cut = 0; cut < 80; cut++) {
            talk_begin(&talk);
            answers_frame_by_frame(lwp_dialects[d], bytes, ends, cut, &talk);
            assert_bytes_equal(lwp_writer_bytes(&talk.in), lwp_writer_bytes(&whole.in));
        }
    }
}

static void the_clock_of_the_world_moves_while_somebody_waits(void **state)
{
    (void)state;
    struct lwp_mock *mock =
        mock_of(&lwp_dialect_lance, (struct lwp_mock_options){.ack_delay_ns = LWP_SECOND_NS});
    struct lwp_mock_world world;
    struct lwp_transport *transport = NULL;
    struct talk talk;
    talk_begin(&talk);
    lwp_mock_world_init(&world, mock);
    const uint64_t begin = lwp_world_now(&world.world);
    assert_int_equal(lwp_world_connect(&world.world, LWP_NEVER, &transport), LWP_OK);
    assert_int_equal(lwp_mock_connection_count(mock), 1);
    while (lwp_world_now(&world.world) < begin + 30 * LWP_SECOND_NS)
        lwp_world_wait(&world.world, &transport, 1, begin + 30 * LWP_SECOND_NS);
    assert_true(lwp_world_now(&world.world) == begin + 30 * LWP_SECOND_NS);
    write_ingest(&talk.out, &lwp_dialect_lance, 0, 7);
    say(transport, lwp_writer_bytes(&talk.out));
    for (int i = 0; hear(transport, &talk.in) == LWP_WOULD_BLOCK && talk.in.size == 0; i++) {
        assert_true(i < 1000);
        lwp_world_wait(&world.world, &transport, 1, LWP_NEVER);
    }
    assert_int_equal(count_frames(&talk, &lwp_dialect_lance, LWP_KIND_ACK), 1);
    assert_true(lwp_world_now(&world.world) == begin + 31 * LWP_SECOND_NS);
    lwp_transport_free(transport);
    lwp_mock_free(mock);
}

/* A mock that serves TCP in a thread of its own. */
struct server {
    struct lwp_mock *mock;
    struct lwp_address address;
    int stop[2];
    enum lwp_status result;
    pthread_t thread;
};

static void *serve(void *argument)
{
    struct server *server = argument;
    server->result = lwp_mock_serve(server->mock, server->stop[0]);
    return NULL;
}

static void server_start(struct server *server)
{
    server->mock = plain_mock(&lwp_dialect_lance);
    assert_int_equal(lwp_mock_open(server->mock), LWP_OK);
    assert_int_equal(lwp_address_parse(lwp_mock_address(server->mock, NULL), &server->address),
                     LWP_OK);
    assert_int_equal(pipe(server->stop), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_stop(struct server *server)
{
    assert_int_equal(write(server->stop[1], "x", 1), 1);
    assert_int_equal(pthread_join(server->thread, NULL), 0);
    assert_int_equal(server->result, LWP_OK);
}

static void server_done(struct server *server)
{
    lwp_mock_free(server->mock);
    close(server->stop[0]);
    close(server->stop[1]);
}

static enum lwp_status hear_patiently(struct lwp_transport *transport, struct lwp_writer *out,
                                      size_t wanted)
{
    enum lwp_status status = LWP_WOULD_BLOCK;
    while (status == LWP_WOULD_BLOCK && out->size < wanted) {
        struct pollfd ready = {.fd = lwp_transport_fd(transport), .events = POLLIN};
        assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
        status = hear(transport, out);
    }
    return status;
}

static void a_server_in_a_thread_answers_and_stops_when_told(void **state)
{
    (void)state;
    struct server server;
    struct lwp_transport *transports[3];
    struct talk talk;
    int error = 0;
    server_start(&server);
    for (size_t i = 0; i < COUNT_OF(transports); i++)
        assert_int_equal(lwp_tcp_connect(&server.address,
                                         lwp_clock_now() + PATIENCE_MS * LWP_MILLISECOND_NS,
                                         &transports[i], &error),
                         LWP_OK);
    for (size_t i = 0; i < COUNT_OF(transports); i++) {
        talk_begin(&talk);
        write_keepalive(&talk.out, &lwp_dialect_lance);
        write_ingest(&talk.out, &lwp_dialect_lance, 0, 7);
        say(transports[i], lwp_writer_bytes(&talk.out));
        assert_int_equal(hear_patiently(transports[i], &talk.in, 2 * LWP_HEADER_SIZE),
                         LWP_WOULD_BLOCK);
        assert_int_equal(count_frames(&talk, &lwp_dialect_lance, LWP_KIND_ACK), 1);
    }
    server_stop(&server);
    server_done(&server);
    for (size_t i = 0; i < COUNT_OF(transports); i++) {
        talk_begin(&talk);
        assert_int_equal(hear_patiently(transports[i], &talk.in, 1), LWP_CLOSED);
        lwp_transport_free(transports[i]);
    }
}

static void a_server_without_clients_stops_as_well(void **state)
{
    (void)state;
    struct server server;
    server_start(&server);
    server_stop(&server);
    assert_int_equal(lwp_mock_connection_count(server.mock), 0);
    server_done(&server);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(acks_wait_for_their_delay_and_keepalives_do_not),
    cmocka_unit_test(without_a_delay_acks_come_at_once),
    cmocka_unit_test(data_without_an_ack_is_visible_after_20_ms),
    cmocka_unit_test(acknowledged_data_is_visible_at_once),
    cmocka_unit_test(a_client_that_closes_by_half_gets_all_its_answers),
    cmocka_unit_test(a_connection_that_has_ended_is_forgotten),
    cmocka_unit_test(freeing_the_mock_ends_its_connections),
    cmocka_unit_test(a_large_frame_behind_a_small_one_passes_only_in_lance),
    cmocka_unit_test(a_large_first_frame_ends_the_connection_with_its_header),
    cmocka_unit_test(a_late_large_frame_is_seen_with_the_next_byte),
    cmocka_unit_test(silence_never_ends_a_connection),
    cmocka_unit_test(topics_are_created_at_the_time_of_the_clock),
    cmocka_unit_test(a_thousand_connections_are_served_at_once),
    cmocka_unit_test(the_measure_of_the_heap_sees_what_is_taken),
    cmocka_unit_test(claimed_lengths_take_no_memory),
    cmocka_unit_test(a_client_that_reads_no_keepalives_is_not_buffered_for),
    cmocka_unit_test(a_client_that_reads_no_fetches_is_not_buffered_for),
    cmocka_unit_test(every_cut_of_a_stream_gives_the_same_answers_in_spec),
    cmocka_unit_test(every_cut_of_each_frame_gives_the_same_answers),
    cmocka_unit_test(the_clock_of_the_world_moves_while_somebody_waits),
    cmocka_unit_test(a_server_in_a_thread_answers_and_stops_when_told),
    cmocka_unit_test(a_server_without_clients_stops_as_well),
};

int main(void)
{
    return cmocka_run_group_tests_name("mock", tests, NULL, NULL);
}
