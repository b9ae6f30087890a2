/* SPDX-License-Identifier: MIT */
#include "lwp/tests/support.h"

static const struct lwp_frame_rules RULES = {LWP_CRC32, LWP_MAX_PAYLOAD_DEFAULT};

/* Memory that a frame or fault must keep if nobody was told to write there. */
static const struct lwp_fault UNTOUCHED = {LWP_STATUS_COUNT, 4711, "untouched"};

static void assert_untouched(const struct lwp_fault *fault)
{
    assert_int_equal(fault->status, UNTOUCHED.status);
    assert_int_equal(fault->offset, UNTOUCHED.offset);
    assert_ptr_equal(fault->field, UNTOUCHED.field);
}

static struct lwp_bytes encoded(struct lwp_frame frame, uint8_t *wire, size_t room)
{
    struct lwp_writer out = lwp_writer_on(wire, room);
    assert_int_equal(lwp_frame_encode(&frame, &out), LWP_OK);
    return lwp_writer_bytes(&out);
}

static struct lwp_frame hello(void)
{
    return ingest_of(LWP_CRC32, 7, lwp_bytes_text("hello"));
}

static enum lwp_status status_of(const struct lwp_frame_rules *rules, struct lwp_bytes in)
{
    struct lwp_frame frame;
    struct lwp_fault fault;
    return lwp_frame_split(rules, in, &frame, &fault);
}

static void assert_same_frame(const struct lwp_frame *actual, const struct lwp_frame *expected)
{
    for (int i = 0; i < LWP_HEADER_FIELD_COUNT; i++)
        assert_true(lwp_header_get(&actual->header, (enum lwp_header_index)i) ==
                    lwp_header_get(&expected->header, (enum lwp_header_index)i));
    assert_bytes_equal(actual->payload, expected->payload);
}

static void assert_fault(const struct lwp_frame *frame, enum lwp_status status,
                         enum lwp_header_index field)
{
    struct lwp_fault fault = UNTOUCHED;
    uint8_t wire[256];
    const struct lwp_bytes in = encoded(*frame, wire, sizeof(wire));
    struct lwp_frame out;
    assert_int_equal(lwp_frame_split(&RULES, in, &out, &fault), status);
    assert_int_equal(fault.status, status);
    assert_string_equal(fault.field, lwp_header_fields[field].name);
    assert_int_equal(fault.offset, lwp_header_fields[field].offset);
}

static void a_whole_frame_comes_out_as_it_went_in(void **state)
{
    (void)state;
    uint8_t wire[64];
    const struct lwp_frame sent = hello();
    const struct lwp_bytes in = encoded(sent, wire, sizeof(wire));
    struct lwp_frame frame;
    struct lwp_fault fault = UNTOUCHED;
    assert_int_equal(lwp_frame_split(&RULES, in, &frame, &fault), LWP_OK);
    assert_same_frame(&frame, &sent);
    assert_ptr_equal(frame.payload.data, in.data + LWP_HEADER_SIZE);
    assert_int_equal(lwp_frame_size(&frame), in.size);
    assert_untouched(&fault);
}

static void every_proper_prefix_asks_for_more(void **state)
{
    (void)state;
    uint8_t wire[64];
    const struct lwp_bytes in = encoded(hello(), wire, sizeof(wire));
    for (size_t cut = 0; cut < in.size; cut++)
        assert_int_equal(status_of(&RULES, guarded(bytes_of(in.data, cut))), LWP_MORE);
    assert_int_equal(status_of(&RULES, guarded(in)), LWP_OK);
}

static void asking_for_more_leaves_frame_and_fault_alone(void **state)
{
    (void)state;
    uint8_t wire[64];
    const struct lwp_bytes in = encoded(hello(), wire, sizeof(wire));
    for (size_t cut = 0; cut < in.size; cut++) {
        struct lwp_frame frame, before;
        struct lwp_fault fault = UNTOUCHED;
        memset(&before, 0xa5, sizeof(before));
        memcpy(&frame, &before, sizeof(frame));
        assert_int_equal(lwp_frame_split(&RULES, bytes_of(in.data, cut), &frame, &fault), LWP_MORE);
        assert_memory_equal(&frame, &before, sizeof(frame));
        assert_untouched(&fault);
    }
}

static void a_fault_leaves_the_frame_alone(void **state)
{
    (void)state;
    uint8_t wire[64];
    const struct lwp_bytes in = encoded(hello(), wire, sizeof(wire));
    static const size_t places[] = {0, 4, 8, 35, 36};
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct lwp_frame frame, before;
        struct lwp_fault fault;
        memset(&before, 0xa5, sizeof(before));
        memcpy(&frame, &before, sizeof(frame));
        wire[places[i]] ^= 0x80;
        assert_true(lwp_frame_split(&RULES, in, &frame, &fault) > LWP_END);
        assert_memory_equal(&frame, &before, sizeof(frame));
        wire[places[i]] ^= 0x80;
    }
}

static void no_bytes_at_all_ask_for_more(void **state)
{
    (void)state;
    assert_int_equal(status_of(&RULES, bytes_of(NULL, 0)), LWP_MORE);
}

static void nothing_is_judged_before_44_bytes_are_there(void **state)
{
    (void)state;
    uint8_t garbage[LWP_HEADER_SIZE];
    memset(garbage, 0xee, sizeof(garbage));
    for (size_t size = 0; size < sizeof(garbage); size++)
        assert_int_equal(status_of(&RULES, guarded(bytes_of(garbage, size))), LWP_MORE);
    assert_int_equal(status_of(&RULES, guarded(bytes_of(garbage, sizeof(garbage)))),
                     LWP_INVALID_MAGIC);
}

/* A stream of frames of several kinds, with and without payloads. */
static size_t make_stream(uint8_t *wire, size_t room, struct lwp_frame *frames)
{
    static const char *const payloads[] = {"hello", "", "x", "", "a control payload"};
    static const uint8_t flags[] = {LWP_FLAG_BATCH, LWP_FLAG_KEEPALIVE, LWP_FLAG_BATCH | 1,
                                    LWP_FLAG_ACK, LWP_FLAG_CONTROL};
    struct lwp_writer out = lwp_writer_on(wire, room);
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        frames[i] = frame_of(flags[i], lwp_bytes_text(payloads[i]));
        frames[i].header.batch_id = i + 1;
        lwp_frame_seal(&frames[i], LWP_CRC32, 0);
        assert_int_equal(lwp_frame_encode(&frames[i], &out), LWP_OK);
    }
    return out.size;
}

enum { STREAM_FRAMES = 5 };

/* Splits all whole frames off the front, compares them, and returns the bytes that they took. */
static size_t take_frames(struct lwp_bytes in, const struct lwp_frame *expected, size_t *count)
{
    struct lwp_frame frame;
    struct lwp_fault fault;
    size_t at = 0;
    while (lwp_frame_split(&RULES, lwp_bytes_from(in, at), &frame, &fault) == LWP_OK) {
        assert_true(*count < STREAM_FRAMES);
        assert_same_frame(&frame, &expected[(*count)++]);
        at += lwp_frame_size(&frame);
    }
    assert_int_equal(status_of(&RULES, lwp_bytes_from(in, at)), LWP_MORE);
    return at;
}

static void every_cut_of_a_stream_gives_the_same_frames(void **state)
{
    (void)state;
    uint8_t wire[512];
    struct lwp_frame frames[STREAM_FRAMES];
    const size_t size = make_stream(wire, sizeof(wire), frames);
    for (size_t first = 0; first <= size; first++)
        for (size_t second = first; second <= size; second += 3) {
            size_t count = 0, at = 0;
            at += take_frames(bytes_of(wire + at, first - at), frames, &count);
            at += take_frames(bytes_of(wire + at, second - at), frames, &count);
            at += take_frames(bytes_of(wire + at, size - at), frames, &count);
            assert_int_equal(at, size);
            assert_int_equal(count, STREAM_FRAMES);
        }
}

static void a_stream_that_grows_by_single_bytes_gives_the_same_frames(void **state)
{
    (void)state;
    uint8_t wire[512];
    struct lwp_frame frames[STREAM_FRAMES];
    const size_t size = make_stream(wire, sizeof(wire), frames);
    size_t count = 0, at = 0;
    for (size_t end = 0; end <= size; end++)
        at += take_frames(guarded(bytes_of(wire + at, end - at)), frames, &count);
    assert_int_equal(at, size);
    assert_int_equal(count, STREAM_FRAMES);
}

static void every_flipped_bit_of_the_first_twelve_bytes_is_noticed(void **state)
{
    (void)state;
    uint8_t wire[64];
    const struct lwp_bytes in = encoded(hello(), wire, sizeof(wire));
    for (size_t bit = 0; bit < 8 * 12; bit++) {
        wire[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(status_of(&RULES, in), bit < 32   ? LWP_INVALID_MAGIC
                                                : bit < 40 ? LWP_INVALID_VERSION
                                                           : LWP_HEADER_CHECKSUM);
        wire[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void every_flipped_bit_of_payload_and_payload_crc_is_noticed(void **state)
{
    (void)state;
    uint8_t wire[64];
    const struct lwp_bytes in = encoded(hello(), wire, sizeof(wire));
    for (size_t bit = 0; bit < 8 * in.size; bit++) {
        const size_t at = bit / 8;
        if (at < 36 || (at >= 40 && at < LWP_HEADER_SIZE))
            continue;
        wire[at] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(status_of(&RULES, in), LWP_PAYLOAD_CHECKSUM);
        wire[at] ^= (uint8_t)(1U << bit % 8);
    }
}

/* Batch id, timestamp, record count and topic are covered by no checksum (specification 3). */
static void flipped_bits_that_nothing_covers_come_through(void **state)
{
    (void)state;
    uint8_t wire[64], again[64];
    const struct lwp_bytes in = encoded(hello(), wire, sizeof(wire));
    for (size_t bit = 8 * 12; bit < 8 * LWP_HEADER_SIZE; bit++) {
        if (bit / 8 >= 32 && bit / 8 < 40)
            continue;
        struct lwp_frame frame;
        struct lwp_fault fault;
        wire[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(lwp_frame_split(&RULES, in, &frame, &fault), LWP_OK);
        assert_bytes_equal(encoded(frame, again, sizeof(again)), in);
        wire[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

/* No checksum covers the length either, but then the payload's own does not fit. */
static void a_flipped_bit_of_the_length_is_seen_by_its_consequence(void **state)
{
    (void)state;
    uint8_t wire[64];
    const struct lwp_bytes in = encoded(hello(), wire, sizeof(wire));
    for (size_t bit = 0; bit < 32; bit++) {
        wire[32 + bit / 8] ^= (uint8_t)(1U << bit % 8);
        const uint32_t length = lwp_get32(wire + 32);
        assert_int_equal(status_of(&RULES, in), length < 5 ? LWP_PAYLOAD_CHECKSUM
                                                : length > LWP_MAX_PAYLOAD_DEFAULT
                                                    ? LWP_PAYLOAD_TOO_LARGE
                                                    : LWP_MORE);
        wire[32 + bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

/* The five things that split insists on, in its order. */
enum wrong {
    WRONG_MAGIC = 1,
    WRONG_VERSION = 2,
    WRONG_HEADER_CRC = 4,
    WRONG_SIZE = 8,
    WRONG_PAYLOAD_CRC = 16,
    WRONG_ALL = 31
};

static struct lwp_frame spoilt(unsigned wrong)
{
    struct lwp_frame frame = hello();
    if (wrong & WRONG_MAGIC)
        frame.header.magic = 0;
    if (wrong & WRONG_VERSION)
        frame.header.version = 0;
    reseal_header(&frame.header, LWP_CRC32);
    if (wrong & WRONG_HEADER_CRC)
        frame.header.header_crc ^= 0x10000;
    if (wrong & WRONG_SIZE)
        frame.header.payload_length = LWP_MAX_PAYLOAD_DEFAULT + 1;
    if (wrong & WRONG_PAYLOAD_CRC)
        frame.header.payload_crc ^= 0x10000;
    return frame;
}

static void the_first_fault_in_the_documented_order_is_the_one_reported(void **state)
{
    (void)state;
    static const struct {
        unsigned bit;
        enum lwp_status status;
        enum lwp_header_index field;
    } order[] = {{WRONG_MAGIC, LWP_INVALID_MAGIC, LWP_HEADER_magic},
                 {WRONG_VERSION, LWP_INVALID_VERSION, LWP_HEADER_version},
                 {WRONG_HEADER_CRC, LWP_HEADER_CHECKSUM, LWP_HEADER_header_crc},
                 {WRONG_SIZE, LWP_PAYLOAD_TOO_LARGE, LWP_HEADER_payload_length},
                 {WRONG_PAYLOAD_CRC, LWP_PAYLOAD_CHECKSUM, LWP_HEADER_payload_crc}};
    for (unsigned wrong = 1; wrong <= WRONG_ALL; wrong++) {
        const struct lwp_frame frame = spoilt(wrong);
        size_t first = 0;
        while (!(wrong & order[first].bit))
            first++;
        assert_fault(&frame, order[first].status, order[first].field);
    }
}

static void header_faults_need_only_the_header(void **state)
{
    (void)state;
    uint8_t wire[64];
    for (unsigned wrong = WRONG_MAGIC; wrong <= WRONG_SIZE; wrong *= 2) {
        const struct lwp_bytes in = encoded(spoilt(wrong), wire, sizeof(wire));
        assert_int_equal(status_of(&RULES, guarded(bytes_of(in.data, 43))), LWP_MORE);
        assert_true(status_of(&RULES, guarded(bytes_of(in.data, 44))) > LWP_END);
    }
}

static void a_wrong_payload_checksum_needs_the_whole_payload(void **state)
{
    (void)state;
    uint8_t wire[64];
    const struct lwp_bytes in = encoded(spoilt(WRONG_PAYLOAD_CRC), wire, sizeof(wire));
    for (size_t cut = 0; cut < in.size; cut++)
        assert_int_equal(status_of(&RULES, guarded(bytes_of(in.data, cut))), LWP_MORE);
    assert_int_equal(status_of(&RULES, guarded(in)), LWP_PAYLOAD_CHECKSUM);
}

static void recorded_bad_headers_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *hex; /* The first 12 bytes; the rest is zero. */
        enum lwp_status status;
    } rows[] = {{"4c414e580120000095b8ac44", LWP_INVALID_MAGIC},
                {"4c414e4300200000637920eb", LWP_INVALID_VERSION},
                {"4c414e4302200000e8b12941", LWP_INVALID_VERSION},
                {"4c414e430120000000000000", LWP_HEADER_CHECKSUM},
                {"4c414e43012000000b8ba2a3", LWP_HEADER_CHECKSUM},
                {"4c414e430120efbeae6fa3a6", LWP_OK},
                {"4c414e4301200000061e9c53", LWP_OK}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t wire[LWP_HEADER_SIZE] = {0};
        assert_int_equal(from_hex(rows[i].hex, wire), 12);
        assert_int_equal(status_of(&RULES, bytes_of(wire, sizeof(wire))), rows[i].status);
    }
}

static void a_frame_of_the_other_polynomial_is_refused(void **state)
{
    (void)state;
    uint8_t wire[64];
    const struct lwp_frame_rules castagnoli = {LWP_CRC32C, LWP_MAX_PAYLOAD_DEFAULT};
    struct lwp_frame frame = ingest_of(LWP_CRC32C, 1, lwp_bytes_text("hello"));
    assert_int_equal(frame.header.payload_crc, 0x9a71bb4c);
    assert_int_equal(frame.header.header_crc, 0xdc38d405);
    assert_int_equal(status_of(&castagnoli, encoded(frame, wire, sizeof(wire))), LWP_OK);
    assert_int_equal(status_of(&RULES, encoded(frame, wire, sizeof(wire))), LWP_HEADER_CHECKSUM);
    frame.header.payload_crc = 0x3610a686;
    assert_int_equal(status_of(&castagnoli, encoded(frame, wire, sizeof(wire))),
                     LWP_PAYLOAD_CHECKSUM);
}

static void a_payload_may_have_exactly_the_allowed_size(void **state)
{
    (void)state;
    uint8_t wire[128], payload[65] = {1};
    static const uint32_t limits[] = {1, 2, 63, 64};
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        const struct lwp_frame_rules rules = {LWP_CRC32, limits[i]};
        const struct lwp_frame fits = ingest_of(LWP_CRC32, 1, bytes_of(payload, limits[i]));
        const struct lwp_frame over = ingest_of(LWP_CRC32, 1, bytes_of(payload, limits[i] + 1));
        assert_int_equal(status_of(&rules, encoded(fits, wire, sizeof(wire))), LWP_OK);
        assert_int_equal(status_of(&rules, encoded(over, wire, sizeof(wire))),
                         LWP_PAYLOAD_TOO_LARGE);
    }
}

static void a_claimed_length_is_judged_by_the_header_alone(void **state)
{
    (void)state;
    static const struct {
        uint32_t limit, length;
        enum lwp_status status;
    } rows[] = {{LWP_MAX_PAYLOAD_DEFAULT, 16777216, LWP_MORE},
                {LWP_MAX_PAYLOAD_DEFAULT, 16777217, LWP_PAYLOAD_TOO_LARGE},
                {LWP_MAX_PAYLOAD_DEFAULT, UINT32_MAX, LWP_PAYLOAD_TOO_LARGE},
                {UINT32_MAX - 1, UINT32_MAX - 1, LWP_MORE},
                {UINT32_MAX - 1, UINT32_MAX, LWP_PAYLOAD_TOO_LARGE},
                {UINT32_MAX, UINT32_MAX, LWP_MORE},
                {0, 0, LWP_OK},
                {0, 1, LWP_PAYLOAD_TOO_LARGE}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct lwp_frame_rules rules = {LWP_CRC32, rows[i].limit};
        struct lwp_frame frame = ingest_of(LWP_CRC32, 1, bytes_of(NULL, 0));
        uint8_t wire[LWP_HEADER_SIZE];
        frame.header.payload_length = rows[i].length;
        lwp_header_encode(&frame.header, wire);
        assert_int_equal(status_of(&rules, guarded(bytes_of(wire, sizeof(wire)))), rows[i].status);
    }
}

static void the_payload_checksum_is_ignored_without_a_payload(void **state)
{
    (void)state;
    uint8_t wire[64];
    static const uint32_t crcs[] = {0, 1, 0xdeadbeef, UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(crcs); i++) {
        struct lwp_frame frame = ingest_of(LWP_CRC32, 1, bytes_of(NULL, 0));
        frame.header.payload_crc = crcs[i];
        assert_int_equal(status_of(&RULES, encoded(frame, wire, sizeof(wire))), LWP_OK);
    }
}

static void the_payload_checksum_0_is_not_special(void **state)
{
    (void)state;
    uint8_t wire[64];
    struct lwp_frame frame = hello();
    frame.header.payload_crc = 0;
    assert_int_equal(status_of(&RULES, encoded(frame, wire, sizeof(wire))), LWP_PAYLOAD_CHECKSUM);

    /* Four bytes whose checksum really is 0. */
    static const uint8_t zero[] = {0x9d, 0x0a, 0xd9, 0x6d};
    frame = ingest_of(LWP_CRC32, 1, bytes_of(zero, sizeof(zero)));
    assert_int_equal(frame.header.payload_crc, 0);
    assert_int_equal(status_of(&RULES, encoded(frame, wire, sizeof(wire))), LWP_OK);
    frame.header.payload_crc = 1;
    assert_int_equal(status_of(&RULES, encoded(frame, wire, sizeof(wire))), LWP_PAYLOAD_CHECKSUM);
}

static void flags_and_reserved_bytes_do_not_stop_a_split(void **state)
{
    (void)state;
    uint8_t wire[64];
    for (unsigned flags = 0; flags < 256; flags++) {
        struct lwp_frame frame = frame_of((uint8_t)flags, lwp_bytes_text("x"));
        frame.header.reserved = (uint16_t)(flags << 8);
        lwp_frame_seal(&frame, LWP_CRC32, 0);
        assert_int_equal(status_of(&RULES, encoded(frame, wire, sizeof(wire))), LWP_OK);
    }
}

static void sealing_sets_magic_version_length_and_checksums_and_no_more(void **state)
{
    (void)state;
    struct lwp_frame frame, expected;
    memset(&frame.header, 0xa5, sizeof(frame.header));
    frame.header.flags = LWP_FLAG_KEEPALIVE;
    frame.header.reserved = 0;
    frame.payload = lwp_bytes_text("hello");
    expected = frame;
    expected.header.magic = LWP_MAGIC;
    expected.header.version = LWP_VERSION;
    expected.header.header_crc = 0x539c1e06;
    expected.header.payload_length = 5;
    expected.header.payload_crc = 0x3610a686;
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    assert_same_frame(&frame, &expected);
}

static void sealing_without_a_payload_clears_its_length_and_checksum(void **state)
{
    (void)state;
    struct lwp_frame frame = hello();
    frame.payload = bytes_of(NULL, 0);
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    assert_int_equal(frame.header.payload_length, 0);
    assert_int_equal(frame.header.payload_crc, 0);
}

static void sealing_covers_the_reserved_bytes_as_they_are(void **state)
{
    (void)state;
    struct lwp_frame frame = frame_of(LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0));
    frame.header.reserved = 0xbeef;
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    assert_int_equal(frame.header.header_crc, 0xa6a36fae); /* The recorded "ka-reserved". */
}

static void sealing_keeps_each_field_that_it_is_told_to_keep(void **state)
{
    (void)state;
    for (uint32_t keep = 0; keep < 1U << LWP_HEADER_FIELD_COUNT; keep++) {
        struct lwp_frame frame = frame_of(LWP_FLAG_BATCH, lwp_bytes_text("hello"));
        struct lwp_frame sealed = frame;
        frame.header = (struct lwp_header){
            0x11111111, 0x22, LWP_FLAG_BATCH, 0, 0x44444444, 5, 6, 7, 8, 0x99999999, 0xaaaaaaaa};
        const struct lwp_header before = frame.header;
        lwp_frame_seal(&sealed, LWP_CRC32, 0);
        lwp_frame_seal(&frame, LWP_CRC32, keep);
        for (int i = 0; i < LWP_HEADER_FIELD_COUNT; i++) {
            const enum lwp_header_index field = (enum lwp_header_index)i;
            const bool sets = field == LWP_HEADER_magic || field == LWP_HEADER_version ||
                              field == LWP_HEADER_payload_length || field == LWP_HEADER_payload_crc;
            if (field != LWP_HEADER_header_crc)
                assert_true(
                    lwp_header_get(&frame.header, field) ==
                    lwp_header_get(keep >> i & 1 || !sets ? &before : &sealed.header, field));
        }
        assert_int_equal(frame.header.header_crc, keep >> LWP_HEADER_header_crc & 1
                                                      ? before.header_crc
                                                      : lwp_header_crc(&frame.header, LWP_CRC32));
    }
}

/* A kept wrong magic with a checksum that fits it: the recorded "bad-magic". */
static void the_header_checksum_fits_what_was_kept(void **state)
{
    (void)state;
    struct lwp_frame frame = frame_of(LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0));
    frame.header.magic = 0x584e414c;
    frame.header.version = 1;
    lwp_frame_seal(&frame, LWP_CRC32, 1U << LWP_HEADER_magic);
    assert_int_equal(frame.header.magic, 0x584e414c);
    assert_int_equal(frame.header.header_crc, 0x44acb895);
    frame.header.version = 2;
    lwp_frame_seal(&frame, LWP_CRC32, 1U << LWP_HEADER_version);
    assert_int_equal(frame.header.magic, LWP_MAGIC);
    assert_int_equal(frame.header.header_crc, 0x4129b1e8);
}

static void a_frame_that_does_not_fit_is_refused_at_every_room(void **state)
{
    (void)state;
    const struct lwp_frame frame = hello();
    for (size_t room = 0; room < lwp_frame_size(&frame); room++) {
        struct lwp_writer out = guarded_writer(room);
        assert_int_equal(lwp_frame_encode(&frame, &out), LWP_FULL);
    }
    struct lwp_writer out = guarded_writer(lwp_frame_size(&frame));
    assert_int_equal(lwp_frame_encode(&frame, &out), LWP_OK);
    assert_int_equal(out.size, lwp_frame_size(&frame));
}

static void a_writer_that_is_full_takes_no_frame(void **state)
{
    (void)state;
    const struct lwp_frame frame = hello();
    struct lwp_writer out = guarded_writer(100);
    lwp_write_room(&out, SIZE_MAX);
    assert_int_equal(lwp_frame_encode(&frame, &out), LWP_FULL);
    assert_int_equal(out.size, 0);
}

static void encoding_writes_whatever_the_header_says(void **state)
{
    (void)state;
    uint8_t wire[64], expected[LWP_HEADER_SIZE];
    struct lwp_frame frame = {.payload = lwp_bytes_text("payload")};
    memset(&frame.header, 0x5a, sizeof(frame.header));
    const struct lwp_bytes out = encoded(frame, wire, sizeof(wire));
    lwp_header_encode(&frame.header, expected);
    assert_memory_equal(out.data, expected, sizeof(expected));
    assert_bytes_equal(lwp_bytes_from(out, LWP_HEADER_SIZE), frame.payload);
}

/* Section 4 and 5, restated. */
static enum lwp_kind exact_kind(uint8_t flags)
{
    switch (flags) {
    case 0x04:
    case 0x05:
        return LWP_KIND_INGEST;
    case 0x08:
        return LWP_KIND_ACK;
    case 0x10:
        return LWP_KIND_BACKPRESSURE;
    case 0x20:
        return LWP_KIND_KEEPALIVE;
    case 0x40:
        return LWP_KIND_CONTROL;
    default:
        return LWP_KIND_UNKNOWN;
    }
}

/* server.md 1.3, restated: the first match wins. */
static enum lwp_kind kind_by_priority(uint8_t flags, bool payload)
{
    static const struct {
        uint8_t bit;
        enum lwp_kind kind;
    } order[] = {{0x40, LWP_KIND_CONTROL},
                 {0x20, LWP_KIND_KEEPALIVE},
                 {0x08, LWP_KIND_ACK},
                 {0x10, LWP_KIND_BACKPRESSURE},
                 {0x04, LWP_KIND_INGEST}};
    for (size_t i = 0; i < COUNT_OF(order); i++)
        if (flags & order[i].bit)
            return order[i].kind;
    return payload ? LWP_KIND_INGEST : LWP_KIND_UNKNOWN;
}

static void all_256_flags_have_the_kind_that_the_dialect_sees(void **state)
{
    (void)state;
    for (size_t i = 0; lwp_dialects[i]; i++)
        for (unsigned number = 0; number < 512; number++) {
            const uint8_t flags = (uint8_t)number;
            const bool payload = number >= 256;
            const struct lwp_frame frame = frame_of(flags, lwp_bytes_text(payload ? "x" : ""));
            const enum lwp_kind expected = lwp_dialects[i]->kind_rule == LWP_KIND_EXACT
                                               ? exact_kind(flags)
                                               : kind_by_priority(flags, payload);
            assert_int_equal(lwp_frame_kind(&frame, lwp_dialects[i]), expected);
        }
}

static void each_kind_has_its_word_and_its_flags(void **state)
{
    (void)state;
    static const struct {
        enum lwp_kind kind;
        const char *word;
        uint8_t flags;
    } rows[] = {{LWP_KIND_UNKNOWN, "unknown", 0},
                {LWP_KIND_INGEST, "ingest", 0x04},
                {LWP_KIND_ACK, "ack", 0x08},
                {LWP_KIND_KEEPALIVE, "keepalive", 0x20},
                {LWP_KIND_BACKPRESSURE, "backpressure", 0x10},
                {LWP_KIND_CONTROL, "control", 0x40}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_string_equal(lwp_kind_word(rows[i].kind), rows[i].word);
        assert_int_equal(lwp_kind_flags(rows[i].kind), rows[i].flags);
    }
}

static void assert_check(const struct lwp_frame *frame, enum lwp_status status, const char *field)
{
    struct lwp_fault fault = UNTOUCHED;
    assert_int_equal(lwp_frame_check(frame, &fault), status);
    if (status == LWP_OK)
        return;
    assert_int_equal(fault.status, status);
    assert_string_equal(fault.field, field);
    for (int i = 0; i < LWP_HEADER_FIELD_COUNT; i++)
        if (strcmp(lwp_header_fields[i].name, field) == 0)
            assert_int_equal(fault.offset, lwp_header_fields[i].offset);
}

static void frames_of_all_kinds_are_found_sound(void **state)
{
    (void)state;
    static const uint8_t bare[] = {LWP_FLAG_ACK, LWP_FLAG_KEEPALIVE, LWP_FLAG_BACKPRESSURE,
                                   LWP_FLAG_CONTROL};
    for (size_t i = 0; i < COUNT_OF(bare); i++) {
        const struct lwp_frame frame = frame_of(bare[i], bytes_of(NULL, 0));
        assert_check(&frame, LWP_OK, NULL);
    }
    struct lwp_frame ingest = hello();
    assert_check(&ingest, LWP_OK, NULL);
    ingest.header.flags |= LWP_FLAG_COMPRESSED;
    assert_check(&ingest, LWP_OK, NULL);
    const struct lwp_frame control = frame_of(LWP_FLAG_CONTROL, lwp_bytes_text("x"));
    assert_check(&control, LWP_OK, NULL);
}

static void reserved_bytes_that_are_not_0_are_found_in_every_kind(void **state)
{
    (void)state;
    static const uint8_t flags[] = {0x04, 0x05, 0x08, 0x10, 0x20, 0x40};
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        for (unsigned bit = 0; bit < 16; bit++) {
            struct lwp_frame frame = hello();
            frame.header.flags = flags[i];
            frame.header.reserved = (uint16_t)(1U << bit);
            assert_check(&frame, LWP_INVALID_RESERVED, "reserved");
        }
}

static void flags_that_are_not_those_of_a_kind_are_found(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 256; flags++) {
        struct lwp_frame frame = hello();
        frame.header.flags = (uint8_t)flags;
        const enum lwp_kind kind = exact_kind((uint8_t)flags);
        const bool has_payload = kind == LWP_KIND_INGEST || kind == LWP_KIND_CONTROL;
        if (kind != LWP_KIND_UNKNOWN && !has_payload)
            assert_check(&frame, LWP_INVALID_PAYLOAD, "payload_length");
        else
            assert_check(&frame, has_payload ? LWP_OK : LWP_INVALID_FLAGS, "flags");
    }
}

static void a_payload_checksum_without_a_payload_is_found_in_every_kind(void **state)
{
    (void)state;
    static const uint8_t flags[] = {0x04, 0x05, 0x08, 0x10, 0x20, 0x40};
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        struct lwp_frame frame = frame_of(flags[i], bytes_of(NULL, 0));
        frame.header.payload_crc = 1;
        assert_check(&frame, LWP_INVALID_RESERVED, "payload_crc");
    }
}

static void an_ingest_needs_batch_id_records_and_payload(void **state)
{
    (void)state;
    for (unsigned compressed = 0; compressed < 2; compressed++) {
        struct lwp_frame frame = hello();
        frame.header.flags = (uint8_t)(LWP_FLAG_BATCH | compressed);
        frame.header.batch_id = 0;
        assert_check(&frame, LWP_INVALID_PAYLOAD, "batch_id");
        frame.header.batch_id = (uint64_t)1 << 63;
        frame.header.record_count = 0;
        assert_check(&frame, LWP_INVALID_PAYLOAD, "record_count");
        frame.header.record_count = UINT32_MAX;
        assert_check(&frame, LWP_OK, NULL);
        frame.payload = bytes_of(NULL, 0);
        lwp_frame_seal(&frame, LWP_CRC32, 0);
        assert_check(&frame, LWP_INVALID_PAYLOAD, "payload_length");
    }
}

static size_t golden_frames;

static void seal_and_encode_again(const struct lwp_frame *frame, struct lwp_bytes wire)
{
    uint8_t *again = malloc(wire.size);
    struct lwp_frame sealed = *frame;
    assert_non_null(again);
    /* One recorded frame has a payload_crc and no payload. */
    lwp_frame_seal(&sealed, LWP_CRC32, frame->payload.size ? 0 : 1U << LWP_HEADER_payload_crc);
    assert_bytes_equal(encoded(sealed, again, wire.size), wire);
    free(again);
    golden_frames++;
}

static void split_and_encode_again(struct lwp_bytes bytes)
{
    visit_frames(bytes, seal_and_encode_again);
}

static void a_whole_frame_of_the_server(struct lwp_bytes bytes)
{
    const size_t before = golden_frames;
    split_and_encode_again(bytes);
    assert_int_equal(golden_frames, before + 1);
}

static void recorded_frames_are_split_and_encode_to_the_same_bytes(void **state)
{
    (void)state;
    static const char *const files[] = {"lance-0.2.8.jsonl", "auth.jsonl", "read-batches.jsonl",
                                        "max-payload-1024.jsonl"};
    golden_frames = 0;
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        assert_true(visit_golden(files[i], "\"send\"", split_and_encode_again) > 0);
        assert_true(visit_golden(files[i], "\"recv\"", a_whole_frame_of_the_server) > 0);
    }
    assert_true(golden_frames > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_frame_comes_out_as_it_went_in),
        cmocka_unit_test(every_proper_prefix_asks_for_more),
        cmocka_unit_test(asking_for_more_leaves_frame_and_fault_alone),
        cmocka_unit_test(a_fault_leaves_the_frame_alone),
        cmocka_unit_test(no_bytes_at_all_ask_for_more),
        cmocka_unit_test(nothing_is_judged_before_44_bytes_are_there),
        cmocka_unit_test(every_cut_of_a_stream_gives_the_same_frames),
        cmocka_unit_test(a_stream_that_grows_by_single_bytes_gives_the_same_frames),
        cmocka_unit_test(every_flipped_bit_of_the_first_twelve_bytes_is_noticed),
        cmocka_unit_test(every_flipped_bit_of_payload_and_payload_crc_is_noticed),
        cmocka_unit_test(flipped_bits_that_nothing_covers_come_through),
        cmocka_unit_test(a_flipped_bit_of_the_length_is_seen_by_its_consequence),
        cmocka_unit_test(the_first_fault_in_the_documented_order_is_the_one_reported),
        cmocka_unit_test(header_faults_need_only_the_header),
        cmocka_unit_test(a_wrong_payload_checksum_needs_the_whole_payload),
        cmocka_unit_test(recorded_bad_headers_are_refused),
        cmocka_unit_test(a_frame_of_the_other_polynomial_is_refused),
        cmocka_unit_test(a_payload_may_have_exactly_the_allowed_size),
        cmocka_unit_test(a_claimed_length_is_judged_by_the_header_alone),
        cmocka_unit_test(the_payload_checksum_is_ignored_without_a_payload),
        cmocka_unit_test(the_payload_checksum_0_is_not_special),
        cmocka_unit_test(flags_and_reserved_bytes_do_not_stop_a_split),
        cmocka_unit_test(sealing_sets_magic_version_length_and_checksums_and_no_more),
        cmocka_unit_test(sealing_without_a_payload_clears_its_length_and_checksum),
        cmocka_unit_test(sealing_covers_the_reserved_bytes_as_they_are),
        cmocka_unit_test(sealing_keeps_each_field_that_it_is_told_to_keep),
        cmocka_unit_test(the_header_checksum_fits_what_was_kept),
        cmocka_unit_test(a_frame_that_does_not_fit_is_refused_at_every_room),
        cmocka_unit_test(a_writer_that_is_full_takes_no_frame),
        cmocka_unit_test(encoding_writes_whatever_the_header_says),
        cmocka_unit_test(all_256_flags_have_the_kind_that_the_dialect_sees),
        cmocka_unit_test(each_kind_has_its_word_and_its_flags),
        cmocka_unit_test(frames_of_all_kinds_are_found_sound),
        cmocka_unit_test(reserved_bytes_that_are_not_0_are_found_in_every_kind),
        cmocka_unit_test(flags_that_are_not_those_of_a_kind_are_found),
        cmocka_unit_test(a_payload_checksum_without_a_payload_is_found_in_every_kind),
        cmocka_unit_test(an_ingest_needs_batch_id_records_and_payload),
        cmocka_unit_test(recorded_frames_are_split_and_encode_to_the_same_bytes),
    };
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
