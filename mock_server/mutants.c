/* SPDX-License-Identifier: MIT */
/* Named bugs in what comes in. */
#include "mock_server/mutants.h"

#ifdef LWP_MUTANTS

#include "lwp/wire/compress.h"

enum { LARGEST_RECORDS = 4096 /* Of what a bug decompresses: cases send no more. */ };

/* The frame at the front, under repair. */
struct front {
    enum lwp_polynomial polynomial;
    struct lwp_header header;
    struct lwp_bytes rest; /* What has come behind the header. */
};

static uint32_t swapped(uint32_t value)
{
    return value >> 24 | (value >> 8 & 0xff00) | (value << 8 & 0xff0000) | value << 24;
}

static struct lwp_bytes payload_of(const struct front *front)
{
    const size_t size = front->header.payload_length;
    return (struct lwp_bytes){front->rest.data, size < front->rest.size ? size : front->rest.size};
}

static void seal_header(struct front *front)
{
    front->header.header_crc = lwp_header_crc(&front->header, front->polynomial);
}

static void seal_payload(struct front *front)
{
    front->header.payload_crc = lwp_crc(front->polynomial, payload_of(front));
}

static void mend_start(struct front *front)
{
    struct lwp_header *header = &front->header;
    const uint32_t first_byte = UINT8_MAX; /* Of a little-endian number. */
    const struct lwp_header before = *header;
    if (LWP_BUG(accepts_any_magic) || (LWP_BUG(compares_three_bytes_of_magic) &&
                                       (header->magic | first_byte) == (LWP_MAGIC | first_byte)))
        header->magic = LWP_MAGIC;
    if (LWP_BUG(accepts_any_version) || (LWP_BUG(accepts_version_0) && header->version == 0))
        header->version = LWP_VERSION;
    if (header->magic != before.magic || header->version != before.version)
        seal_header(front);
}

/* A checksum over all 44 bytes, its own place taken for zero. */
static uint32_t crc_of_whole_header(const struct front *front)
{
    uint8_t wire[LWP_HEADER_SIZE];
    struct lwp_header header = front->header;
    header.header_crc = 0;
    lwp_header_encode(&header, wire);
    return lwp_crc(front->polynomial, (struct lwp_bytes){wire, sizeof(wire)});
}

static enum lwp_polynomial other_than(enum lwp_polynomial polynomial)
{
    return polynomial == LWP_CRC32 ? LWP_CRC32C : LWP_CRC32;
}

static void mend_header_crc(struct front *front)
{
    struct lwp_header *header = &front->header;
    const uint32_t other = lwp_header_crc(header, other_than(front->polynomial));
    if (LWP_BUG(accepts_wrong_header_crc) ||
        (LWP_BUG(accepts_both_polynomials) && header->header_crc == other))
        seal_header(front);
    if (LWP_BUG(reads_header_crc_backwards))
        header->header_crc = swapped(header->header_crc);
    if (LWP_BUG(checks_whole_header) && header->header_crc != crc_of_whole_header(front))
        header->header_crc ^= 1;
}

/* As it is, or turned over: what the bug expects instead of the checksum is right for the split. */
static void expect_payload_crc(struct front *front, uint32_t expected)
{
    const bool as_expected = front->header.payload_crc == expected;
    seal_payload(front);
    if (!as_expected)
        front->header.payload_crc ^= 1;
}

static uint32_t crc_of_decompressed(const struct front *front)
{
    uint8_t records[LARGEST_RECORDS];
    struct lwp_writer out = lwp_writer_on(records, sizeof(records));
    const struct lwp_bytes payload = payload_of(front);
    if (lwp_lz4_decompress(LWP_LZ4_BLOCK, payload, sizeof(records), &out) != LWP_OK)
        return front->header.payload_crc;
    return lwp_crc(front->polynomial, lwp_writer_bytes(&out));
}

/* What the bug does not look at. */
static bool overlooks_payload(const struct lwp_header *header)
{
    return LWP_BUG(accepts_wrong_payload_crc) ||
           (LWP_BUG(takes_zero_crc_for_none) && header->payload_crc == 0) ||
           (LWP_BUG(checks_no_commands) && header->flags & LWP_FLAG_CONTROL);
}

static void mend_payload_crc(struct front *front)
{
    const struct lwp_header *header = &front->header;
    const struct lwp_bytes payload = payload_of(front);
    if (payload.size == 0 || payload.size < header->payload_length)
        return;
    if (overlooks_payload(header))
        seal_payload(front);
    if (LWP_BUG(checks_payload_without_last_byte))
        expect_payload_crc(
            front, lwp_crc(front->polynomial, (struct lwp_bytes){payload.data, payload.size - 1}));
    if (LWP_BUG(forgets_last_inversion))
        expect_payload_crc(front, ~lwp_crc(front->polynomial, payload));
    if (LWP_BUG(checks_crc_behind_decompression) && header->flags & LWP_FLAG_COMPRESSED)
        expect_payload_crc(front, crc_of_decompressed(front));
}

/* The id in front of a command's payload is that of the header. */
static void mend_topic(struct front *front, uint8_t *payload)
{
    if (!LWP_BUG(topic_is_in_the_header) || front->header.topic_id == 0 ||
        front->header.flags != LWP_FLAG_CONTROL || payload_of(front).size < 4)
        return;
    lwp_put32(payload, front->header.topic_id);
    seal_payload(front);
}

static void mend_length(struct front *front)
{
    if (LWP_BUG(takes_the_rest_for_payload) && front->rest.size > front->header.payload_length)
        front->header.payload_length = (uint32_t)front->rest.size;
}

/* What has come of the frame at the front. */
static struct lwp_bytes front_of(const struct lwp_session *session)
{
    return lwp_bytes_from(lwp_queue_bytes(&session->in), session->taken);
}

static bool is_whole(struct lwp_bytes front)
{
    const size_t length_at = lwp_header_fields[LWP_HEADER_payload_length].offset;
    return front.size >= LWP_HEADER_SIZE &&
           front.size - LWP_HEADER_SIZE >= lwp_get32(front.data + length_at);
}

static void mend_size(struct lwp_session *session)
{
    const struct lwp_bytes front = front_of(session);
    if (LWP_BUG(header_has_43_bytes) && front.size == LWP_HEADER_SIZE - 1)
        (void)lwp_queue_push(&session->in, (struct lwp_bytes){(const uint8_t *)"", 1});
    if (LWP_BUG(drops_half_frames) && !is_whole(front))
        session->in.size = session->taken;
}

uint32_t mutants_limit(uint32_t max_payload)
{
    if (LWP_BUG(takes_a_byte_too_many))
        return max_payload + 1;
    return LWP_BUG(takes_a_byte_too_few) ? max_payload - 1 : max_payload;
}

void mutants_mend_front(struct lwp_session *session)
{
    mend_size(session);
    const struct lwp_bytes bytes = front_of(session);
    if (bytes.size < LWP_HEADER_SIZE)
        return;
    struct front front = {
        .polynomial = session->options.dialect->polynomial,
        .rest = lwp_bytes_from(bytes, LWP_HEADER_SIZE),
    };
    lwp_header_decode(bytes.data, &front.header);
    mend_start(&front);
    mend_header_crc(&front);
    mend_length(&front);
    mend_payload_crc(&front);
    uint8_t *at = session->in.data + session->in.start + session->taken;
    mend_topic(&front, at + LWP_HEADER_SIZE);
    lwp_header_encode(&front.header, at);
}

/* What is left in the queue behind this frame. */
static void misread_size(struct lwp_session *session, const struct lwp_frame *frame)
{
    const bool is_command = frame->header.flags == LWP_FLAG_CONTROL;
    const bool is_known = is_command && lwp_command_of((uint8_t)frame->header.batch_id);
    if (LWP_BUG(takes_one_frame_a_read))
        session->in.size = session->taken;
    if ((LWP_BUG(finds_frames_in_payloads) && !is_command) ||
        (LWP_BUG(leaves_unknown_payloads) && is_command && !is_known))
        session->taken = LWP_HEADER_SIZE;
}

static void misread_flags(struct lwp_frame *frame)
{
    uint8_t *flags = &frame->header.flags;
    if (LWP_BUG(ignores_bit_7))
        *flags &= 0x7f;
    if (LWP_BUG(takes_encrypted_for_plain))
        *flags &= (uint8_t)~LWP_FLAG_ENCRYPTED;
    if (LWP_BUG(batch_flag_wins) && *flags & LWP_FLAG_BATCH)
        *flags &= LWP_FLAG_BATCH | LWP_FLAG_COMPRESSED;
    if ((LWP_BUG(stores_what_acks_hold) && *flags == LWP_FLAG_ACK) ||
        (LWP_BUG(stores_what_backpressure_holds) && *flags == LWP_FLAG_BACKPRESSURE))
        *flags = frame->payload.size ? LWP_FLAG_BATCH : *flags;
}

static void misread_command(uint64_t *code)
{
    if (LWP_BUG(command_is_one_byte))
        *code &= UINT8_MAX;
    if (LWP_BUG(takes_answers_for_requests) && *code == LWP_COMMAND_TOPIC_RESPONSE)
        *code = LWP_COMMAND_CREATE_TOPIC;
}

static void misread_fields(struct lwp_header *header)
{
    if (LWP_BUG(ignores_reserved_bytes))
        header->reserved = 0;
    if (LWP_BUG(topic_id_has_two_bytes))
        header->topic_id &= UINT16_MAX;
    if (LWP_BUG(topic_0_must_be_made) && header->topic_id == 0)
        header->topic_id = UINT32_MAX;
    if (LWP_BUG(batch_id_has_four_bytes))
        header->batch_id &= UINT32_MAX;
    if (header->flags == LWP_FLAG_CONTROL)
        misread_command(&header->batch_id);
}

void mutants_misread(struct lwp_session *session, const struct lwp_broker *broker,
                     struct lwp_frame *frame)
{
    misread_size(session, frame);
    misread_flags(frame);
    misread_fields(&frame->header);
    if (LWP_BUG(unknown_topics_are_topic_0) &&
        lwp_broker_topic_name(broker, frame->header.topic_id).size == 0)
        frame->header.topic_id = 0;
}

/* D10, as section 14.4 has it. */
static void misread_name_size(struct lwp_bytes payload, struct lwp_message *message)
{
    const size_t size = payload.size < 4 ? SIZE_MAX : lwp_get32(payload.data);
    message->name = (struct lwp_bytes){NULL, 0};
    if (size <= payload.size - 4)
        message->name = (struct lwp_bytes){payload.data + 4, size};
}

static void misread_retention(struct lwp_bytes payload, struct lwp_message *message)
{
    const uint64_t max_bytes = message->max_bytes;
    if (LWP_BUG(swaps_limits)) {
        message->max_bytes = message->max_age_secs;
        message->max_age_secs = max_bytes;
    }
    if (LWP_BUG(zero_age_is_a_week) && message->max_age_secs == 0)
        message->max_age_secs = 604800;
    if (LWP_BUG(name_size_has_four_bytes) &&
        message->command == LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION)
        misread_name_size(payload, message);
}

static void misread_fetch(struct lwp_message *message)
{
    enum { HEAD_SIZE = 16 };
    uint64_t *size = &message->max_bytes;
    if (LWP_BUG(max_bytes_is_signed) && *size > INT32_MAX)
        *size = 0;
    if (LWP_BUG(fetch_ignores_max_bytes) || (LWP_BUG(zero_is_no_maximum) && *size == 0))
        *size = UINT32_MAX;
    if (LWP_BUG(head_counts_as_data))
        *size -= *size < HEAD_SIZE ? *size : HEAD_SIZE;
}

size_t mutants_name_size(struct lwp_bytes name)
{
    size_t characters = 0;
    for (size_t i = 0; i < name.size; i++)
        characters += (name.data[i] & 0xc0) != 0x80;
    if (LWP_BUG(counts_characters_of_names))
        return characters;
    return LWP_BUG(counts_an_end_of_names) ? name.size + 1 : name.size;
}

void mutants_misread_message(struct lwp_bytes payload, struct lwp_message *message)
{
    misread_retention(payload, message);
    if (LWP_BUG(cuts_long_names) && message->name.size > 255)
        message->name.size = 255;
    if (message->command == LWP_COMMAND_FETCH)
        misread_fetch(message);
    if (LWP_BUG(consumer_id_has_four_bytes))
        message->consumer_id &= UINT32_MAX;
    if (LWP_BUG(commit_has_four_bytes))
        message->offset &= UINT32_MAX;
}

#endif
