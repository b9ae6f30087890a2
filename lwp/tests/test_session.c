/* SPDX-License-Identifier: MIT */
#include "lwp/session/session.h"
#include "lwp/tests/support.h"

#define SECOND_NS UINT64_C(1000000000)
#define KEEPALIVE_NS (10 * SECOND_NS)
#define DEAD_AFTER_NS (30 * SECOND_NS)

enum { STREAM_FRAMES = 7, STREAM_ROOM = 2048 };

/* A session on memory of the heap, so that the sanitizer sees the ends of both queues. */
static void session_open(struct lwp_session *session, const struct lwp_session_options *options,
                         size_t in_room, size_t out_room, uint64_t now_ns)
{
    *session = (struct lwp_session){.in = {.capacity = in_room, .limit = in_room},
                                    .out = {.capacity = out_room, .limit = out_room}};
    session->in.data = in_room ? malloc(in_room) : NULL;
    session->out.data = out_room ? malloc(out_room) : NULL;
    lwp_session_init(session, options, now_ns);
}

static void session_close(struct lwp_session *session)
{
    free(session->in.data);
    free(session->out.data);
}

static struct lwp_session session_of(const struct lwp_dialect *dialect, uint32_t max_payload)
{
    const struct lwp_session_options options = {
        .role = LWP_SERVER, .dialect = dialect, .max_payload = max_payload};
    struct lwp_session session;
    session_open(&session, &options, lwp_session_in_limit(&options), 4096, 0);
    return session;
}

/* A session that keeps the connection alive. */
static struct lwp_session living_session(enum lwp_role role, uint64_t now_ns)
{
    const struct lwp_session_options options = {.role = role,
                                                .dialect = &lwp_dialect_lance,
                                                .max_payload = 1024,
                                                .keepalive_ns = KEEPALIVE_NS,
                                                .dead_after_ns = DEAD_AFTER_NS};
    struct lwp_session session;
    session_open(&session, &options, 4096, 4096, now_ns);
    return session;
}

static void feed(struct lwp_session *session, struct lwp_bytes bytes, uint64_t now_ns)
{
    size_t room = 0;
    uint8_t *at = lwp_queue_room(&session->in, &room);
    assert_true(bytes.size <= room);
    if (bytes.size)
        memcpy(at, bytes.data, bytes.size);
    lwp_session_received(session, bytes.size, now_ns);
}

static struct lwp_frame sealed(const struct lwp_dialect *dialect, uint8_t flags,
                               struct lwp_bytes payload)
{
    struct lwp_frame frame = frame_of(flags, payload);
    frame.header.batch_id = 7;
    lwp_frame_seal(&frame, dialect->polynomial, 0);
    return frame;
}

static void write_frame(struct lwp_writer *out, const struct lwp_dialect *dialect, uint8_t flags,
                        struct lwp_bytes payload)
{
    const struct lwp_frame frame = sealed(dialect, flags, payload);
    assert_int_equal(lwp_frame_encode(&frame, out), LWP_OK);
}

static void feed_frame(struct lwp_session *session, uint8_t flags, uint64_t now_ns)
{
    uint8_t wire[LWP_HEADER_SIZE];
    struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
    write_frame(&out, session->options.dialect, flags, bytes_of(NULL, 0));
    feed(session, lwp_writer_bytes(&out), now_ns);
}

static enum lwp_status receive(struct lwp_session *session, uint64_t now_ns)
{
    struct lwp_frame frame;
    return lwp_session_receive(session, &frame, now_ns);
}

/* A stream of frames of several kinds and sizes, as written to `out`. */
static void write_stream(struct lwp_writer *out, const struct lwp_dialect *dialect)
{
    static uint8_t noise[300];
    fill_random(noise, sizeof(noise), 99);
    write_frame(out, dialect, LWP_FLAG_BATCH, lwp_bytes_text("hello"));
    write_frame(out, dialect, LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0));
    write_frame(out, dialect, LWP_FLAG_CONTROL, lwp_bytes_text("a control payload"));
    write_frame(out, dialect, LWP_FLAG_ACK, bytes_of(NULL, 0));
    write_frame(out, dialect, LWP_FLAG_BATCH | 1, bytes_of(noise, sizeof(noise)));
    write_frame(out, dialect, LWP_FLAG_CONTROL, bytes_of(NULL, 0));
    write_frame(out, dialect, LWP_FLAG_BATCH, lwp_bytes_text("x"));
}

/* Receives all there is, encoded again behind what `out` holds; returns the status that ended it.
 */
static enum lwp_status take_all(struct lwp_session *session, struct lwp_writer *out)
{
    for (;;) {
        struct lwp_frame frame;
        const enum lwp_status status = lwp_session_receive(session, &frame, 0);
        if (status != LWP_OK)
            return status;
        assert_int_equal(lwp_frame_encode(&frame, out), LWP_OK);
    }
}

static const struct lwp_dialect *const both[] = {&lwp_dialect_spec, &lwp_dialect_lance};

static void every_cut_of_a_stream_gives_the_same_frames(void **state)
{
    (void)state;
    for (size_t d = 0; d < COUNT_OF(both); d++) {
        uint8_t wire[STREAM_ROOM], again[STREAM_ROOM];
        struct lwp_writer stream = lwp_writer_on(wire, sizeof(wire));
        struct lwp_session session = session_of(both[d], 1024);
        write_stream(&stream, both[d]);
        for (size_t first = 0; first <= stream.size; first++)
            for (size_t second = first; second <= stream.size; second += 29) {
                struct lwp_writer out = lwp_writer_on(again, sizeof(again));
                feed(&session, bytes_of(wire, first), 0);
                assert_int_equal(take_all(&session, &out), LWP_MORE);
                feed(&session, bytes_of(wire + first, second - first), 0);
                assert_int_equal(take_all(&session, &out), LWP_MORE);
                feed(&session, bytes_of(wire + second, stream.size - second), 0);
                assert_int_equal(take_all(&session, &out), LWP_MORE);
                assert_bytes_equal(lwp_writer_bytes(&out), lwp_writer_bytes(&stream));
            }
        session_close(&session);
    }
}

static void a_stream_in_single_bytes_gives_each_frame_with_its_last_byte(void **state)
{
    (void)state;
    uint8_t wire[STREAM_ROOM], again[STREAM_ROOM];
    struct lwp_writer stream = lwp_writer_on(wire, sizeof(wire));
    struct lwp_writer out = lwp_writer_on(again, sizeof(again));
    struct lwp_session session = session_of(&lwp_dialect_spec, 1024);
    size_t frames = 0;
    write_stream(&stream, &lwp_dialect_spec);
    for (size_t i = 0; i < stream.size; i++) {
        const size_t before = out.size;
        feed(&session, bytes_of(wire + i, 1), 0);
        assert_int_equal(take_all(&session, &out), LWP_MORE);
        assert_true(out.size == before || out.size == i + 1);
        frames += out.size != before;
    }
    assert_int_equal(frames, STREAM_FRAMES);
    assert_bytes_equal(lwp_writer_bytes(&out), lwp_writer_bytes(&stream));
    session_close(&session);
}

static void many_frames_in_one_read_come_one_by_one(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    struct lwp_session session = session_of(&lwp_dialect_lance, 1024);
    uint8_t *wire = malloc(MANY * LWP_HEADER_SIZE);
    struct lwp_writer out = lwp_writer_on(wire, MANY * LWP_HEADER_SIZE);
    struct lwp_frame frame = frame_of(LWP_FLAG_ACK, bytes_of(NULL, 0));
    for (frame.header.batch_id = 0; frame.header.batch_id < MANY; frame.header.batch_id++) {
        lwp_frame_seal(&frame, LWP_CRC32, 0);
        assert_int_equal(lwp_frame_encode(&frame, &out), LWP_OK);
    }
    feed(&session, lwp_writer_bytes(&out), 0);
    for (uint64_t i = 0; i < MANY; i++) {
        assert_int_equal(lwp_session_receive(&session, &frame, 0), LWP_OK);
        assert_int_equal(frame.header.batch_id, i);
    }
    assert_int_equal(receive(&session, 0), LWP_MORE);
    free(wire);
    session_close(&session);
}

static void a_payload_is_a_view_of_the_queue_until_the_next_receive(void **state)
{
    (void)state;
    uint8_t wire[STREAM_ROOM];
    struct lwp_writer stream = lwp_writer_on(wire, sizeof(wire));
    struct lwp_session session = session_of(&lwp_dialect_spec, 1024);
    struct lwp_frame frame;
    write_stream(&stream, &lwp_dialect_spec);
    feed(&session, lwp_writer_bytes(&stream), 0);
    assert_int_equal(lwp_session_receive(&session, &frame, 0), LWP_OK);
    assert_true(frame.payload.data >= session.in.data);
    assert_true(frame.payload.data < session.in.data + session.in.capacity);
    assert_int_equal(lwp_session_send(&session, frame, 0, 0), LWP_OK);
    assert_int_equal(lwp_session_tick(&session, 0), LWP_OK);
    assert_bytes_equal(frame.payload, lwp_bytes_text("hello"));
    session_close(&session);
}

static void an_input_queue_of_one_frame_is_enough_for_a_stream(void **state)
{
    (void)state;
    const struct lwp_session_options options = {.dialect = &lwp_dialect_spec, .max_payload = 300};
    uint8_t wire[STREAM_ROOM], again[STREAM_ROOM];
    struct lwp_writer stream = lwp_writer_on(wire, sizeof(wire));
    struct lwp_writer out = lwp_writer_on(again, sizeof(again));
    struct lwp_session session;
    session_open(&session, &options, LWP_HEADER_SIZE + 300, 0, 0);
    write_stream(&stream, &lwp_dialect_spec);
    for (size_t at = 0; at < stream.size;) {
        size_t room = 0;
        (void)lwp_queue_room(&session.in, &room);
        assert_true(room > 0);
        if (room > stream.size - at)
            room = stream.size - at;
        feed(&session, bytes_of(wire + at, room), 0);
        at += room;
        assert_int_equal(take_all(&session, &out), LWP_MORE);
    }
    assert_bytes_equal(lwp_writer_bytes(&out), lwp_writer_bytes(&stream));
    session_close(&session);
}

static void bytes_that_come_before_the_next_receive_are_not_lost(void **state)
{
    (void)state;
    uint8_t wire[STREAM_ROOM], again[STREAM_ROOM];
    struct lwp_writer stream = lwp_writer_on(wire, sizeof(wire));
    struct lwp_writer out = lwp_writer_on(again, sizeof(again));
    struct lwp_session session = session_of(&lwp_dialect_spec, 1024);
    struct lwp_frame frame;
    write_stream(&stream, &lwp_dialect_spec);
    feed(&session, bytes_of(wire, 60), 0);
    assert_int_equal(lwp_session_receive(&session, &frame, 0), LWP_OK);
    assert_int_equal(lwp_frame_encode(&frame, &out), LWP_OK);
    for (size_t i = 60; i < stream.size; i++)
        feed(&session, bytes_of(wire + i, 1), 0);
    assert_int_equal(take_all(&session, &out), LWP_MORE);
    assert_bytes_equal(lwp_writer_bytes(&out), lwp_writer_bytes(&stream));
    session_close(&session);
}

static void a_copy_of_a_session_goes_on_like_the_original(void **state)
{
    (void)state;
    uint8_t wire[STREAM_ROOM], memory[STREAM_ROOM], again[2][STREAM_ROOM];
    struct lwp_writer stream = lwp_writer_on(wire, sizeof(wire));
    write_stream(&stream, &lwp_dialect_spec);
    for (size_t cut = 0; cut <= stream.size; cut += 7) {
        const struct lwp_session_options options = {.dialect = &lwp_dialect_spec,
                                                    .max_payload = 300};
        struct lwp_session session, copy;
        struct lwp_writer out[2] = {lwp_writer_on(again[0], STREAM_ROOM),
                                    lwp_writer_on(again[1], STREAM_ROOM)};
        session_open(&session, &options, STREAM_ROOM, 0, 0);
        feed(&session, bytes_of(wire, cut), 0);
        (void)receive(&session, 0);
        copy = session;
        copy.in.data = memory;
        memcpy(memory, session.in.data, STREAM_ROOM);
        feed(&session, bytes_of(wire + cut, stream.size - cut), 0);
        feed(&copy, bytes_of(wire + cut, stream.size - cut), 0);
        assert_int_equal(take_all(&session, &out[0]), LWP_MORE);
        assert_int_equal(take_all(&copy, &out[1]), LWP_MORE);
        assert_bytes_equal(lwp_writer_bytes(&out[1]), lwp_writer_bytes(&out[0]));
        session_close(&session);
    }
}

static void the_input_queue_holds_the_largest_frame_and_at_least_256_kib(void **state)
{
    (void)state;
    static const struct {
        uint32_t max_payload;
        size_t limit;
    } rows[] = {{0, 262144},
                {1024, 262144},
                {262144 - 44, 262144},
                {262144 - 43, 262145},
                {LWP_MAX_PAYLOAD_DEFAULT, 16777216 + 44},
                {UINT32_MAX, (size_t)UINT32_MAX + 44}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct lwp_session_options options = {.dialect = &lwp_dialect_spec,
                                                    .max_payload = rows[i].max_payload};
        assert_int_equal(lwp_session_in_limit(&options), rows[i].limit);
    }
}

static void it_tells_how_many_bytes_it_wants(void **state)
{
    (void)state;
    uint8_t wire[STREAM_ROOM];
    struct lwp_writer stream = lwp_writer_on(wire, sizeof(wire));
    struct lwp_session session = session_of(&lwp_dialect_spec, 1024);
    write_frame(&stream, &lwp_dialect_spec, LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0));
    write_frame(&stream, &lwp_dialect_spec, LWP_FLAG_BATCH, lwp_bytes_text("hello"));
    feed(&session, bytes_of(wire, LWP_HEADER_SIZE), 0);
    assert_int_equal(receive(&session, 0), LWP_OK);
    for (size_t i = 0; i < LWP_HEADER_SIZE + 5; i++) {
        assert_int_equal(receive(&session, 0), LWP_MORE);
        assert_false(lwp_session_has_frame(&session));
        const size_t known = i < LWP_HEADER_SIZE ? LWP_HEADER_SIZE : LWP_HEADER_SIZE + 5;
        assert_int_equal(lwp_session_wanted(&session), known - i);
        feed(&session, bytes_of(wire + LWP_HEADER_SIZE + i, 1), 0);
    }
    assert_true(lwp_session_has_frame(&session));
    assert_int_equal(receive(&session, 0), LWP_OK);
    assert_false(lwp_session_has_frame(&session));
    assert_int_equal(receive(&session, 0), LWP_MORE);
    assert_int_equal(lwp_session_wanted(&session), LWP_HEADER_SIZE);
    session_close(&session);
}

static void a_claim_is_wanted_but_takes_no_memory(void **state)
{
    (void)state;
    static const uint32_t claims[] = {1, 262144, LWP_MAX_PAYLOAD_DEFAULT, UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(claims); i++) {
        const struct lwp_session_options options = {.dialect = &lwp_dialect_lance,
                                                    .max_payload = UINT32_MAX};
        uint8_t wire[LWP_HEADER_SIZE];
        struct lwp_session session;
        struct lwp_frame frame = sealed(&lwp_dialect_lance, LWP_FLAG_BATCH, bytes_of(NULL, 0));
        frame.header.payload_length = claims[i];
        lwp_header_encode(&frame.header, wire);
        session_open(&session, &options, 64, 0, 0);
        const struct lwp_queue before = session.in;
        feed(&session, bytes_of(wire, sizeof(wire)), 0);
        assert_int_equal(receive(&session, 0), LWP_MORE);
        assert_int_equal(lwp_session_wanted(&session), claims[i]);
        assert_ptr_equal(session.in.data, before.data);
        assert_int_equal(session.in.capacity, before.capacity);
        session_close(&session);
    }
}

/* One byte of the stream's third frame, a control frame of 17 bytes payload, is turned over. */
static void the_first_fault_is_told_with_its_place_in_the_stream(void **state)
{
    (void)state;
    static const struct {
        size_t byte;
        enum lwp_status status;
        const char *field;
        size_t offset;
    } rows[] = {{0, LWP_INVALID_MAGIC, "magic", 0},
                {3, LWP_INVALID_MAGIC, "magic", 0},
                {4, LWP_INVALID_VERSION, "version", 4},
                {5, LWP_HEADER_CHECKSUM, "header_crc", 8},
                {8, LWP_HEADER_CHECKSUM, "header_crc", 8},
                {35, LWP_PAYLOAD_TOO_LARGE, "payload_length", 32},
                {36, LWP_PAYLOAD_CHECKSUM, "payload_crc", 36},
                {44 + 16, LWP_PAYLOAD_CHECKSUM, "payload_crc", 36}};
    const size_t third = 2 * LWP_HEADER_SIZE + 5;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t wire[STREAM_ROOM], again[STREAM_ROOM];
        struct lwp_writer stream = lwp_writer_on(wire, sizeof(wire));
        struct lwp_writer out = lwp_writer_on(again, sizeof(again));
        struct lwp_session session = session_of(&lwp_dialect_spec, 1024);
        write_stream(&stream, &lwp_dialect_spec);
        wire[third + rows[i].byte] ^= 0x80;
        feed(&session, lwp_writer_bytes(&stream), 0);
        assert_int_equal(take_all(&session, &out), rows[i].status);
        assert_bytes_equal(lwp_writer_bytes(&out), bytes_of(wire, third));
        assert_int_equal(session.fault.status, rows[i].status);
        assert_int_equal(session.fault.offset, third + rows[i].offset);
        assert_string_equal(session.fault.field, rows[i].field);
        session_close(&session);
    }
}

static void every_cut_gives_the_same_fault_at_the_same_place(void **state)
{
    (void)state;
    uint8_t wire[STREAM_ROOM], again[STREAM_ROOM];
    struct lwp_writer stream = lwp_writer_on(wire, sizeof(wire));
    write_stream(&stream, &lwp_dialect_lance);
    wire[LWP_HEADER_SIZE + 5 + 9] ^= 1;
    for (size_t cut = 0; cut <= stream.size; cut++) {
        struct lwp_session session = session_of(&lwp_dialect_lance, 1024);
        struct lwp_writer out = lwp_writer_on(again, sizeof(again));
        feed(&session, bytes_of(wire, cut), 0);
        (void)take_all(&session, &out);
        feed(&session, bytes_of(wire + cut, stream.size - cut), 0);
        assert_int_equal(take_all(&session, &out), LWP_HEADER_CHECKSUM);
        assert_int_equal(session.fault.offset, LWP_HEADER_SIZE + 5 + 8);
        assert_int_equal(out.size, LWP_HEADER_SIZE + 5);
        session_close(&session);
    }
}

static void a_fault_stays_whatever_comes_later(void **state)
{
    (void)state;
    struct lwp_session session = living_session(LWP_CLIENT, 0);
    uint8_t garbage[LWP_HEADER_SIZE] = {0};
    feed(&session, bytes_of(garbage, sizeof(garbage)), 0);
    assert_int_equal(receive(&session, 0), LWP_INVALID_MAGIC);
    const struct lwp_fault fault = session.fault;
    feed_frame(&session, LWP_FLAG_KEEPALIVE, SECOND_NS);
    assert_int_equal(receive(&session, SECOND_NS), LWP_INVALID_MAGIC);
    assert_int_equal(lwp_session_tick(&session, 100 * SECOND_NS), LWP_INVALID_MAGIC);
    assert_int_equal(receive(&session, 100 * SECOND_NS), LWP_INVALID_MAGIC);
    assert_int_equal(session.fault.status, fault.status);
    assert_int_equal(session.fault.offset, fault.offset);
    assert_ptr_equal(session.fault.field, fault.field);
    assert_int_equal(session.out.size, 0);
    assert_true(lwp_session_wanted(&session) >= 1);
    session_close(&session);
}

static void beginning_anew_forgets_the_fault(void **state)
{
    (void)state;
    struct lwp_session session = living_session(LWP_CLIENT, 0);
    uint8_t garbage[LWP_HEADER_SIZE] = {0};
    feed(&session, bytes_of(garbage, sizeof(garbage)), 0);
    assert_int_equal(receive(&session, 0), LWP_INVALID_MAGIC);
    const struct lwp_session_options options = session.options;
    lwp_queue_drop(&session.in, session.in.size);
    lwp_session_init(&session, &options, 5 * SECOND_NS);
    assert_int_equal(session.fault.status, LWP_OK);
    assert_int_equal(lwp_session_deadline(&session), 15 * SECOND_NS);
    feed_frame(&session, LWP_FLAG_ACK, 5 * SECOND_NS);
    assert_int_equal(receive(&session, 5 * SECOND_NS), LWP_OK);
    session_close(&session);
}

/* A keepalive and behind it an ingest of 100 bytes, where 64 are allowed. */
static void write_oversize_second(struct lwp_writer *out, const struct lwp_dialect *dialect)
{
    static uint8_t payload[100];
    write_frame(out, dialect, LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0));
    write_frame(out, dialect, LWP_FLAG_BATCH, bytes_of(payload, sizeof(payload)));
}

static void a_large_second_frame_of_one_read_passes_only_a_late_check(void **state)
{
    (void)state;
    for (size_t d = 0; d < COUNT_OF(both); d++) {
        uint8_t wire[512];
        struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
        struct lwp_session session = session_of(both[d], 64);
        write_oversize_second(&out, both[d]);
        feed(&session, lwp_writer_bytes(&out), 0);
        assert_int_equal(receive(&session, 0), LWP_OK);
        if (both[d]->late_size_check) {
            assert_int_equal(receive(&session, 0), LWP_OK);
        } else {
            assert_int_equal(receive(&session, 0), LWP_PAYLOAD_TOO_LARGE);
            assert_int_equal(session.fault.offset, LWP_HEADER_SIZE + 32);
        }
        session_close(&session);
    }
}

static void a_late_check_comes_with_the_next_byte(void **state)
{
    (void)state;
    for (size_t cut = 0; cut < 100; cut++) {
        uint8_t wire[512];
        struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
        struct lwp_session session = session_of(&lwp_dialect_lance, 64);
        write_oversize_second(&out, &lwp_dialect_lance);
        const size_t first = 2 * LWP_HEADER_SIZE + cut;
        feed(&session, bytes_of(wire, first), 0);
        assert_int_equal(receive(&session, 0), LWP_OK);
        assert_int_equal(receive(&session, 0), LWP_MORE);
        assert_int_equal(receive(&session, 0), LWP_MORE);
        feed(&session, bytes_of(wire + first, 1), 0);
        assert_int_equal(receive(&session, 0), LWP_PAYLOAD_TOO_LARGE);
        assert_int_equal(session.fault.offset, LWP_HEADER_SIZE + 32);
        session_close(&session);
    }
}

static void a_large_first_frame_is_refused_by_its_header_in_every_dialect(void **state)
{
    (void)state;
    for (size_t d = 0; d < COUNT_OF(both); d++)
        for (size_t size = LWP_HEADER_SIZE; size <= LWP_HEADER_SIZE + 100; size++) {
            uint8_t wire[512];
            struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
            struct lwp_session session = session_of(both[d], 64);
            write_oversize_second(&out, both[d]);
            feed(&session, bytes_of(wire + LWP_HEADER_SIZE, LWP_HEADER_SIZE - 1), 0);
            assert_int_equal(receive(&session, 0), LWP_MORE);
            feed(&session, bytes_of(wire + 2 * LWP_HEADER_SIZE - 1, size - LWP_HEADER_SIZE + 1), 0);
            assert_int_equal(receive(&session, 0), LWP_PAYLOAD_TOO_LARGE);
            assert_int_equal(session.fault.offset, 32);
            session_close(&session);
        }
}

static void a_payload_of_just_the_allowed_size_passes(void **state)
{
    (void)state;
    for (size_t d = 0; d < COUNT_OF(both); d++) {
        uint8_t wire[512], payload[64] = {0};
        struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
        struct lwp_session session = session_of(both[d], 64);
        write_frame(&out, both[d], LWP_FLAG_BATCH, bytes_of(payload, sizeof(payload)));
        feed(&session, lwp_writer_bytes(&out), 0);
        assert_int_equal(receive(&session, 0), LWP_OK);
        session_close(&session);
    }
}

static void what_is_sent_is_sealed_and_queued_in_order(void **state)
{
    (void)state;
    for (size_t d = 0; d < COUNT_OF(both); d++) {
        uint8_t wire[STREAM_ROOM];
        struct lwp_writer expected = lwp_writer_on(wire, sizeof(wire));
        struct lwp_session session = session_of(both[d], 1024);
        struct lwp_frame frame = frame_of(LWP_FLAG_BATCH, lwp_bytes_text("hello"));
        frame.header.batch_id = 7;
        assert_int_equal(lwp_session_send(&session, frame, 0, 0), LWP_OK);
        write_frame(&expected, both[d], LWP_FLAG_BATCH, lwp_bytes_text("hello"));
        frame = frame_of(LWP_FLAG_ACK, bytes_of(NULL, 0));
        frame.header.batch_id = 7;
        assert_int_equal(lwp_session_send(&session, frame, 0, 0), LWP_OK);
        write_frame(&expected, both[d], LWP_FLAG_ACK, bytes_of(NULL, 0));
        assert_bytes_equal(lwp_queue_bytes(&session.out), lwp_writer_bytes(&expected));
        session_close(&session);
    }
}

static void fields_to_keep_are_sent_as_they_stand(void **state)
{
    (void)state;
    struct lwp_session session = session_of(&lwp_dialect_spec, 1024);
    struct lwp_frame frame = frame_of(LWP_FLAG_BATCH, lwp_bytes_text("hello"));
    struct lwp_frame expected = frame;
    frame.header.payload_crc = expected.header.payload_crc = 4711;
    lwp_frame_seal(&expected, LWP_CRC32C, 1U << LWP_HEADER_payload_crc);
    assert_int_equal(lwp_session_send(&session, frame, 1U << LWP_HEADER_payload_crc, 0), LWP_OK);
    uint8_t wire[128];
    struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
    assert_int_equal(lwp_frame_encode(&expected, &out), LWP_OK);
    assert_bytes_equal(lwp_queue_bytes(&session.out), lwp_writer_bytes(&out));
    session_close(&session);
}

static void a_frame_can_be_sent_as_it_stands(void **state)
{
    (void)state;
    struct lwp_session session = session_of(&lwp_dialect_spec, 1024);
    struct lwp_frame frame = {.payload = lwp_bytes_text("hello")};
    uint8_t wire[128];
    struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
    frame.header.version = 9;
    frame.header.payload_length = 1;
    assert_int_equal(lwp_session_send(&session, frame, UINT32_MAX, 0), LWP_OK);
    assert_int_equal(lwp_frame_encode(&frame, &out), LWP_OK);
    assert_bytes_equal(lwp_queue_bytes(&session.out), lwp_writer_bytes(&out));
    session_close(&session);
}

static void a_frame_that_does_not_fit_the_output_queue_is_not_queued(void **state)
{
    (void)state;
    const struct lwp_session_options options = {.dialect = &lwp_dialect_spec, .max_payload = 64};
    for (size_t room = 0; room < 2 * LWP_HEADER_SIZE + 10; room++) {
        struct lwp_session session;
        const struct lwp_frame frame = frame_of(LWP_FLAG_BATCH, lwp_bytes_text("hello"));
        const size_t fit = room / (LWP_HEADER_SIZE + 5);
        session_open(&session, &options, 64, room, 0);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(lwp_session_send(&session, frame, 0, 0), i < fit ? LWP_OK : LWP_FULL);
        assert_int_equal(session.out.size, fit * (LWP_HEADER_SIZE + 5));
        session_close(&session);
    }
}

static const enum lwp_role roles[] = {LWP_CLIENT, LWP_SERVER};

/* How many keepalives wait to be written; there must be nothing else. */
static size_t said(const struct lwp_session *session)
{
    uint8_t wire[LWP_HEADER_SIZE];
    struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
    struct lwp_frame keepalive = frame_of(LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0));
    struct lwp_bytes waiting = lwp_queue_bytes(&session->out);
    lwp_frame_seal(&keepalive, session->options.dialect->polynomial, 0);
    assert_int_equal(lwp_frame_encode(&keepalive, &out), LWP_OK);
    assert_int_equal(waiting.size % LWP_HEADER_SIZE, 0);
    for (size_t at = 0; at < waiting.size; at += LWP_HEADER_SIZE)
        assert_memory_equal(waiting.data + at, wire, LWP_HEADER_SIZE);
    return waiting.size / LWP_HEADER_SIZE;
}

static void silence_brings_one_keepalive_in_both_roles(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(roles); i++) {
        struct lwp_session session = living_session(roles[i], SECOND_NS);
        const uint64_t due = SECOND_NS + KEEPALIVE_NS;
        assert_int_equal(lwp_session_deadline(&session), due);
        assert_int_equal(lwp_session_tick(&session, due - 1), LWP_OK);
        assert_int_equal(said(&session), 0);
        assert_int_equal(lwp_session_deadline(&session), due);
        assert_int_equal(lwp_session_tick(&session, due), LWP_OK);
        assert_int_equal(said(&session), 1);
        assert_int_equal(lwp_session_tick(&session, due), LWP_OK);
        assert_int_equal(said(&session), 1);
        assert_true(lwp_session_deadline(&session) > due);
        session_close(&session);
    }
}

static void what_we_say_puts_the_keepalive_off(void **state)
{
    (void)state;
    struct lwp_session session = living_session(LWP_CLIENT, 0);
    const struct lwp_frame frame = frame_of(LWP_FLAG_BATCH, lwp_bytes_text("hello"));
    feed_frame(&session, LWP_FLAG_ACK, 4 * SECOND_NS);
    assert_int_equal(lwp_session_send(&session, frame, 0, 4 * SECOND_NS), LWP_OK);
    lwp_queue_drop(&session.out, session.out.size);
    assert_int_equal(lwp_session_deadline(&session), 14 * SECOND_NS);
    assert_int_equal(lwp_session_tick(&session, 10 * SECOND_NS), LWP_OK);
    assert_int_equal(said(&session), 0);
    session_close(&session);
}

static void a_keepalive_is_answered_once_and_handed_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(roles); i++) {
        struct lwp_session session = living_session(roles[i], 0);
        struct lwp_frame frame;
        feed_frame(&session, LWP_FLAG_KEEPALIVE, SECOND_NS);
        assert_int_equal(lwp_session_receive(&session, &frame, SECOND_NS), LWP_OK);
        assert_int_equal(frame.header.flags, LWP_FLAG_KEEPALIVE);
        assert_int_equal(said(&session), 1);
        assert_int_equal(receive(&session, SECOND_NS), LWP_MORE);
        assert_int_equal(lwp_session_tick(&session, 2 * SECOND_NS), LWP_OK);
        assert_int_equal(said(&session), 1);
        session_close(&session);
    }
}

static void each_of_many_keepalives_is_answered(void **state)
{
    (void)state;
    struct lwp_session session = living_session(LWP_SERVER, 0);
    for (size_t i = 1; i <= 20; i++) {
        feed_frame(&session, LWP_FLAG_KEEPALIVE, SECOND_NS);
        assert_int_equal(receive(&session, SECOND_NS), LWP_OK);
        assert_int_equal(said(&session), i);
    }
    session_close(&session);
}

/* P-04: it would never end. */
static void a_server_that_answers_answers_is_answered_once_a_second(void **state)
{
    (void)state;
    struct lwp_session session = living_session(LWP_CLIENT, 0);
    size_t answers = 0;
    for (uint64_t now_ns = SECOND_NS; now_ns < 6 * SECOND_NS; now_ns += SECOND_NS / 1000) {
        feed_frame(&session, LWP_FLAG_KEEPALIVE, now_ns);
        assert_int_equal(receive(&session, now_ns), LWP_OK);
        answers += said(&session);
        lwp_queue_drop(&session.out, session.out.size);
    }
    assert_int_equal(answers, 5);
    session_close(&session);
}

static void the_answer_to_our_question_is_not_answered(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(roles); i++) {
        struct lwp_session session = living_session(roles[i], 0);
        struct lwp_frame frame;
        assert_int_equal(lwp_session_tick(&session, 10 * SECOND_NS), LWP_OK);
        assert_int_equal(said(&session), 1);
        feed_frame(&session, LWP_FLAG_KEEPALIVE, 11 * SECOND_NS);
        assert_int_equal(lwp_session_receive(&session, &frame, 11 * SECOND_NS), LWP_OK);
        assert_int_equal(frame.header.flags, LWP_FLAG_KEEPALIVE);
        assert_int_equal(said(&session), 1);
        feed_frame(&session, LWP_FLAG_KEEPALIVE, 12 * SECOND_NS);
        assert_int_equal(receive(&session, 12 * SECOND_NS), LWP_OK);
        assert_int_equal(said(&session), 2);
        session_close(&session);
    }
}

static void other_frames_answer_no_question(void **state)
{
    (void)state;
    struct lwp_session session = living_session(LWP_CLIENT, 0);
    assert_int_equal(lwp_session_tick(&session, 10 * SECOND_NS), LWP_OK);
    feed_frame(&session, LWP_FLAG_ACK, 11 * SECOND_NS);
    assert_int_equal(receive(&session, 11 * SECOND_NS), LWP_OK);
    feed_frame(&session, LWP_FLAG_KEEPALIVE, 11 * SECOND_NS);
    assert_int_equal(receive(&session, 11 * SECOND_NS), LWP_OK);
    assert_int_equal(said(&session), 1);
    session_close(&session);
}

static void without_keepalive_ns_nothing_is_asked_or_answered(void **state)
{
    (void)state;
    struct lwp_session session = session_of(&lwp_dialect_spec, 1024);
    assert_int_equal(lwp_session_deadline(&session), LWP_NEVER);
    assert_int_equal(lwp_session_tick(&session, 1000 * SECOND_NS), LWP_OK);
    feed_frame(&session, LWP_FLAG_KEEPALIVE, 1000 * SECOND_NS);
    assert_int_equal(receive(&session, 1000 * SECOND_NS), LWP_OK);
    assert_int_equal(lwp_session_tick(&session, UINT64_MAX - 1), LWP_OK);
    assert_int_equal(said(&session), 0);
    assert_int_equal(lwp_session_deadline(&session), LWP_NEVER);
    session_close(&session);
}

static void a_peer_that_is_silent_for_30_seconds_is_dead(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(roles); i++) {
        struct lwp_session session = living_session(roles[i], 0);
        for (uint64_t second = 1; second < 30; second++)
            assert_int_equal(lwp_session_tick(&session, second * SECOND_NS), LWP_OK);
        assert_int_equal(lwp_session_deadline(&session), DEAD_AFTER_NS);
        assert_int_equal(lwp_session_tick(&session, DEAD_AFTER_NS - 1), LWP_OK);
        assert_int_equal(lwp_session_tick(&session, DEAD_AFTER_NS), LWP_TIMEOUT);
        assert_int_equal(session.fault.status, LWP_TIMEOUT);
        assert_int_equal(receive(&session, DEAD_AFTER_NS), LWP_TIMEOUT);
        assert_int_equal(lwp_session_tick(&session, DEAD_AFTER_NS + 1), LWP_TIMEOUT);
        assert_int_equal(lwp_session_deadline(&session), LWP_NEVER);
        session_close(&session);
    }
}

static void a_single_byte_is_a_sign_of_life(void **state)
{
    (void)state;
    struct lwp_session session = living_session(LWP_SERVER, 0);
    feed(&session, lwp_bytes_text("L"), 29 * SECOND_NS);
    assert_int_equal(lwp_session_tick(&session, 58 * SECOND_NS), LWP_OK);
    assert_int_equal(lwp_session_tick(&session, 59 * SECOND_NS), LWP_TIMEOUT);
    session_close(&session);
}

static void each_of_the_two_rules_can_stand_alone(void **state)
{
    (void)state;
    struct lwp_session session = session_of(&lwp_dialect_spec, 1024);
    session.options.dead_after_ns = DEAD_AFTER_NS;
    assert_int_equal(lwp_session_deadline(&session), DEAD_AFTER_NS);
    assert_int_equal(lwp_session_tick(&session, DEAD_AFTER_NS - 1), LWP_OK);
    assert_int_equal(said(&session), 0);
    assert_int_equal(lwp_session_tick(&session, DEAD_AFTER_NS), LWP_TIMEOUT);
    session_close(&session);
    session = session_of(&lwp_dialect_spec, 1024);
    session.options.keepalive_ns = KEEPALIVE_NS;
    assert_int_equal(lwp_session_deadline(&session), KEEPALIVE_NS);
    assert_int_equal(lwp_session_tick(&session, 1000 * SECOND_NS), LWP_OK);
    assert_int_equal(said(&session), 1);
    session_close(&session);
}

static void deadlines_past_the_end_of_time_never_come(void **state)
{
    (void)state;
    for (uint64_t left = 1; left < 10 * SECOND_NS; left += SECOND_NS / 2) {
        struct lwp_session session = living_session(LWP_CLIENT, UINT64_MAX - left);
        assert_int_equal(lwp_session_deadline(&session), LWP_NEVER);
        assert_int_equal(lwp_session_tick(&session, UINT64_MAX - left), LWP_OK);
        assert_int_equal(lwp_session_tick(&session, UINT64_MAX - 1), LWP_OK);
        feed_frame(&session, LWP_FLAG_ACK, UINT64_MAX - 1);
        assert_int_equal(receive(&session, UINT64_MAX - 1), LWP_OK);
        assert_int_equal(said(&session), 0);
        session_close(&session);
    }
}

static void rules_as_long_as_time_itself_never_apply(void **state)
{
    (void)state;
    struct lwp_session session = living_session(LWP_CLIENT, SECOND_NS);
    session.options.keepalive_ns = UINT64_MAX;
    session.options.dead_after_ns = UINT64_MAX;
    assert_int_equal(lwp_session_deadline(&session), LWP_NEVER);
    assert_int_equal(lwp_session_tick(&session, UINT64_MAX - 1), LWP_OK);
    assert_int_equal(said(&session), 0);
    session_close(&session);
}

static void a_keepalive_that_finds_no_room_is_sent_later(void **state)
{
    (void)state;
    struct lwp_session session = living_session(LWP_CLIENT, 0);
    session.out.capacity = LWP_HEADER_SIZE - 1;
    assert_int_equal(lwp_session_tick(&session, KEEPALIVE_NS), LWP_FULL);
    assert_int_equal(lwp_session_tick(&session, KEEPALIVE_NS), LWP_FULL);
    assert_int_equal(session.fault.status, LWP_OK);
    session.out.capacity = 4096;
    assert_int_equal(lwp_session_tick(&session, KEEPALIVE_NS), LWP_OK);
    assert_int_equal(said(&session), 1);
    session_close(&session);
}

static void an_answer_that_finds_no_room_is_full_and_no_fault(void **state)
{
    (void)state;
    struct lwp_session session = living_session(LWP_SERVER, 0);
    session.out.capacity = LWP_HEADER_SIZE - 1;
    feed_frame(&session, LWP_FLAG_ACK, SECOND_NS);
    feed_frame(&session, LWP_FLAG_KEEPALIVE, SECOND_NS);
    assert_int_equal(receive(&session, SECOND_NS), LWP_OK);
    assert_int_equal(receive(&session, SECOND_NS), LWP_FULL);
    assert_int_equal(session.fault.status, LWP_OK);
    assert_int_equal(said(&session), 0);
    session_close(&session);
}

static void the_answer_to_our_question_needs_no_room(void **state)
{
    (void)state;
    struct lwp_session session = living_session(LWP_CLIENT, 0);
    session.out.capacity = LWP_HEADER_SIZE;
    assert_int_equal(lwp_session_tick(&session, KEEPALIVE_NS), LWP_OK);
    feed_frame(&session, LWP_FLAG_KEEPALIVE, KEEPALIVE_NS);
    assert_int_equal(receive(&session, KEEPALIVE_NS), LWP_OK);
    assert_int_equal(said(&session), 1);
    session_close(&session);
}

enum { IN_FLIGHT = 64 };

/* One way between two sessions, on which each frame travels for the same time. */
struct way {
    struct lwp_session *from;
    struct lwp_session *to;
    uint64_t delay_ns;
    uint64_t due_ns[IN_FLIGHT];
    size_t count;
    size_t frames;
};

static void depart(struct way *way, uint64_t now_ns)
{
    for (size_t i = said(way->from); i > 0; i--) {
        assert_true(way->count < IN_FLIGHT);
        way->due_ns[way->count++] = now_ns + way->delay_ns;
        way->frames++;
    }
    lwp_queue_drop(&way->from->out, way->from->out.size);
}

/* Whether a frame has arrived. */
static bool arrive(struct way *way, uint64_t now_ns)
{
    if (way->count == 0 || way->due_ns[0] > now_ns)
        return false;
    memmove(way->due_ns, way->due_ns + 1, --way->count * sizeof(way->due_ns[0]));
    feed_frame(way->to, LWP_FLAG_KEEPALIVE, now_ns);
    assert_int_equal(receive(way->to, now_ns), LWP_OK);
    assert_int_equal(receive(way->to, now_ns), LWP_MORE);
    return true;
}

static uint64_t next_event(const struct way *way)
{
    const uint64_t deadline = lwp_session_deadline(way->from);
    return way->count && way->due_ns[0] < deadline ? way->due_ns[0] : deadline;
}

/* Lets two silent sessions live for an hour; returns how many frames they exchanged. */
static size_t hour_of_silence(uint64_t later_ns, uint64_t delay_ns)
{
    struct lwp_session client = living_session(LWP_CLIENT, 0);
    struct lwp_session server = living_session(LWP_SERVER, later_ns);
    struct way ways[2] = {{.from = &client, .to = &server, .delay_ns = delay_ns},
                          {.from = &server, .to = &client, .delay_ns = delay_ns}};
    size_t events = 0;
    for (uint64_t now_ns = 0; now_ns < 3600 * SECOND_NS; events++) {
        const uint64_t next[2] = {next_event(&ways[0]), next_event(&ways[1])};
        assert_true(events < 10000);
        now_ns = next[0] < next[1] ? next[0] : next[1];
        for (int i = 0; i < 2; i++) {
            assert_int_equal(lwp_session_tick(ways[i].from, now_ns), LWP_OK);
            depart(&ways[i], now_ns);
        }
        for (size_t rounds = 0; arrive(&ways[0], now_ns) || arrive(&ways[1], now_ns); rounds++) {
            assert_true(rounds < 10);
            depart(&ways[0], now_ns);
            depart(&ways[1], now_ns);
        }
    }
    session_close(&client);
    session_close(&server);
    return ways[0].frames + ways[1].frames;
}

static void two_silent_sessions_keep_each_other_alive_and_no_more(void **state)
{
    (void)state;
    static const uint64_t later[] = {
        0, 1, SECOND_NS, 5 * SECOND_NS, 10 * SECOND_NS - 1, 10 * SECOND_NS};
    static const uint64_t delays[] = {0, 1, SECOND_NS / 20, 2 * SECOND_NS, 7 * SECOND_NS};
    for (size_t i = 0; i < COUNT_OF(later); i++)
        for (size_t j = 0; j < COUNT_OF(delays); j++)
            assert_in_range(hour_of_silence(later[i], delays[j]), 200, 4 * 361);
}

static void what_we_hear_does_not_silence_us_for_30_seconds(void **state)
{
    (void)state;
    struct lwp_session session = living_session(LWP_CLIENT, 0);
    for (uint64_t second = 1; second < 30; second++) {
        feed_frame(&session, LWP_FLAG_ACK, second * SECOND_NS);
        assert_int_equal(receive(&session, second * SECOND_NS), LWP_OK);
        assert_int_equal(lwp_session_tick(&session, second * SECOND_NS), LWP_OK);
    }
    assert_true(said(&session) >= 1);
    session_close(&session);
}

static void a_question_of_the_owner_is_a_question_too(void **state)
{
    (void)state;
    struct lwp_session session = living_session(LWP_CLIENT, 0);
    const struct lwp_frame question = frame_of(LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0));
    assert_int_equal(lwp_session_send(&session, question, 0, SECOND_NS), LWP_OK);
    feed_frame(&session, LWP_FLAG_KEEPALIVE, SECOND_NS);
    assert_int_equal(receive(&session, SECOND_NS), LWP_OK);
    assert_int_equal(said(&session), 1);
    session_close(&session);
}

static void an_answer_that_finds_no_room_is_given_later(void **state)
{
    (void)state;
    struct lwp_session session = living_session(LWP_SERVER, 0);
    struct lwp_frame frame;
    session.out.capacity = LWP_HEADER_SIZE - 1;
    feed_frame(&session, LWP_FLAG_ACK, SECOND_NS);
    feed_frame(&session, LWP_FLAG_KEEPALIVE, SECOND_NS);
    feed_frame(&session, LWP_FLAG_CONTROL, SECOND_NS);
    assert_int_equal(receive(&session, SECOND_NS), LWP_OK);
    assert_int_equal(receive(&session, SECOND_NS), LWP_FULL);
    assert_int_equal(receive(&session, SECOND_NS), LWP_FULL);
    assert_int_equal(session.fault.status, LWP_OK);
    assert_int_equal(said(&session), 0);
    session.out.capacity = 4096;
    assert_int_equal(lwp_session_receive(&session, &frame, SECOND_NS), LWP_OK);
    assert_int_equal(frame.header.flags, LWP_FLAG_KEEPALIVE);
    assert_int_equal(said(&session), 1);
    assert_int_equal(lwp_session_receive(&session, &frame, SECOND_NS), LWP_OK);
    assert_int_equal(frame.header.flags, LWP_FLAG_CONTROL);
    assert_int_equal(receive(&session, SECOND_NS), LWP_MORE);
    session_close(&session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_that_finds_no_room_is_given_later),
        cmocka_unit_test(a_question_of_the_owner_is_a_question_too),
        cmocka_unit_test(what_we_hear_does_not_silence_us_for_30_seconds),
        cmocka_unit_test(every_cut_of_a_stream_gives_the_same_frames),
        cmocka_unit_test(a_stream_in_single_bytes_gives_each_frame_with_its_last_byte),
        cmocka_unit_test(many_frames_in_one_read_come_one_by_one),
        cmocka_unit_test(a_payload_is_a_view_of_the_queue_until_the_next_receive),
        cmocka_unit_test(an_input_queue_of_one_frame_is_enough_for_a_stream),
        cmocka_unit_test(bytes_that_come_before_the_next_receive_are_not_lost),
        cmocka_unit_test(a_copy_of_a_session_goes_on_like_the_original),
        cmocka_unit_test(the_input_queue_holds_the_largest_frame_and_at_least_256_kib),
        cmocka_unit_test(it_tells_how_many_bytes_it_wants),
        cmocka_unit_test(a_claim_is_wanted_but_takes_no_memory),
        cmocka_unit_test(the_first_fault_is_told_with_its_place_in_the_stream),
        cmocka_unit_test(every_cut_gives_the_same_fault_at_the_same_place),
        cmocka_unit_test(a_fault_stays_whatever_comes_later),
        cmocka_unit_test(beginning_anew_forgets_the_fault),
        cmocka_unit_test(a_large_second_frame_of_one_read_passes_only_a_late_check),
        cmocka_unit_test(a_late_check_comes_with_the_next_byte),
        cmocka_unit_test(a_large_first_frame_is_refused_by_its_header_in_every_dialect),
        cmocka_unit_test(a_payload_of_just_the_allowed_size_passes),
        cmocka_unit_test(what_is_sent_is_sealed_and_queued_in_order),
        cmocka_unit_test(fields_to_keep_are_sent_as_they_stand),
        cmocka_unit_test(a_frame_can_be_sent_as_it_stands),
        cmocka_unit_test(a_frame_that_does_not_fit_the_output_queue_is_not_queued),
        cmocka_unit_test(silence_brings_one_keepalive_in_both_roles),
        cmocka_unit_test(what_we_say_puts_the_keepalive_off),
        cmocka_unit_test(a_keepalive_is_answered_once_and_handed_out),
        cmocka_unit_test(each_of_many_keepalives_is_answered),
        cmocka_unit_test(a_server_that_answers_answers_is_answered_once_a_second),
        cmocka_unit_test(the_answer_to_our_question_is_not_answered),
        cmocka_unit_test(other_frames_answer_no_question),
        cmocka_unit_test(without_keepalive_ns_nothing_is_asked_or_answered),
        cmocka_unit_test(a_peer_that_is_silent_for_30_seconds_is_dead),
        cmocka_unit_test(a_single_byte_is_a_sign_of_life),
        cmocka_unit_test(each_of_the_two_rules_can_stand_alone),
        cmocka_unit_test(deadlines_past_the_end_of_time_never_come),
        cmocka_unit_test(rules_as_long_as_time_itself_never_apply),
        cmocka_unit_test(a_keepalive_that_finds_no_room_is_sent_later),
        cmocka_unit_test(an_answer_that_finds_no_room_is_full_and_no_fault),
        cmocka_unit_test(the_answer_to_our_question_needs_no_room),
        cmocka_unit_test(two_silent_sessions_keep_each_other_alive_and_no_more),
    };
    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
