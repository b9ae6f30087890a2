/* SPDX-License-Identifier: MIT */
/* Named bugs in what is answered. */
#include "mock_server/mutants.h"

#ifdef LWP_MUTANTS

enum { ANY = 0, LENGTH_AT = 32, PAYLOAD_CRC_AT = 36 };

/* A header field that an answer has and should not. */
struct wrong_field {
    enum lwp_bug bug;
    uint8_t flags;
    uint8_t command; /* Of a control frame; or ANY. */
    enum lwp_header_index field;
    uint64_t value;
};

static const struct wrong_field wrong_fields[] = {
#define WRONG_FIELD(bug, flags, command, field, value)                                             \
    {LWP_BUG_##bug, LWP_FLAG_##flags, command, LWP_HEADER_##field, value},
    WRONG_FIELD(ack_keeps_batch_flag, ACK, ANY, flags, LWP_FLAG_ACK | LWP_FLAG_BATCH)
        WRONG_FIELD(ack_counts_records, ACK, ANY, record_count, 1) WRONG_FIELD(
            commands_keep_batch_flag, CONTROL, ANY, flags, LWP_FLAG_CONTROL | LWP_FLAG_BATCH)
            WRONG_FIELD(answers_have_a_time, CONTROL, ANY, timestamp_ns, 1700000000000000000)
                WRONG_FIELD(errors_name_a_topic, CONTROL, LWP_COMMAND_ERROR_RESPONSE, topic_id,
                            1) WRONG_FIELD(errors_are_answers, CONTROL, LWP_COMMAND_ERROR_RESPONSE,
                                           batch_id, LWP_COMMAND_TOPIC_RESPONSE)
                    WRONG_FIELD(answers_with_the_request, CONTROL, LWP_COMMAND_TOPIC_RESPONSE,
                                batch_id, LWP_COMMAND_GET_TOPIC)
                        WRONG_FIELD(status_is_a_topic, CONTROL, LWP_COMMAND_CLUSTER_STATUS_RESPONSE,
                                    batch_id, LWP_COMMAND_TOPIC_RESPONSE)
#undef WRONG_FIELD
};

/* Words in a document or text that are others, and no longer ones. */
struct wrong_word {
    enum lwp_bug bug;
    uint8_t command;
    const char *right;
    const char *wrong;
};

static const struct wrong_word wrong_words[] = {
#define WRONG_WORD(bug, command, right, wrong) {LWP_BUG_##bug, LWP_COMMAND_##command, right, wrong},
    WRONG_WORD(writes_keys_large, TOPIC_RESPONSE, "\"name\":", "\"Name\":")
        WRONG_WORD(lists_items, TOPIC_RESPONSE, "\"topics\":", "\"items\":") WRONG_WORD(
            deletes_an_id, TOPIC_RESPONSE, "\"deleted\":", "\"id\":")
            WRONG_WORD(limits_of_an_id, TOPIC_RESPONSE, "\"topic_id\":", "\"id\":") WRONG_WORD(
                cluster_of_none, CLUSTER_STATUS_RESPONSE, "\"node_count\":1", "\"node_count\":0")
                WRONG_WORD(errors_without_code, ERROR_RESPONSE, "\"code\":", "\"err\":") WRONG_WORD(
                    says_no_such_topic, ERROR_RESPONSE, "Topic not found", "No such topic")
                    WRONG_WORD(says_is_there, ERROR_RESPONSE, "already exists", "is there")
                        WRONG_WORD(says_less_of_payloads, ERROR_RESPONSE, "create topic payload",
                                   "payload")
                            WRONG_WORD(says_denied, ERROR_RESPONSE, "Authentication required",
                                       "Permission denied")
#undef WRONG_WORD
};

static void misword(uint8_t *payload, struct lwp_frame *frame, const struct wrong_word *row)
{
    const size_t right_size = strlen(row->right);
    const size_t wrong_size = strlen(row->wrong);
    size_t left = frame->payload.size;
    uint8_t *at = payload;
    while (left && (at = memmem(at, left, row->right, right_size)) != NULL) {
        left = (size_t)(payload + frame->payload.size - at) - right_size;
        memcpy(at, row->wrong, wrong_size);
        memmove(at + wrong_size, at + right_size, left);
        frame->payload.size -= right_size - wrong_size;
        at += wrong_size;
    }
}

static void swap(uint8_t *a, uint8_t *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const uint8_t byte = a[i];
        a[i] = b[i];
        b[i] = byte;
    }
}

static void misanswer_offsets(uint8_t *payload, struct lwp_frame *frame)
{
    if (frame->header.batch_id == LWP_COMMAND_SUBSCRIBE_ACK &&
        LWP_BUG(subscribe_ack_begins_with_offset))
        swap(payload, payload + 8, 8);
    if (frame->header.batch_id != LWP_COMMAND_COMMIT_ACK)
        return;
    if (LWP_BUG(commit_ack_is_big_endian))
        for (size_t i = 0; i < 4; i++) {
            swap(payload + i, payload + 7 - i, 1);
            swap(payload + 8 + i, payload + 15 - i, 1);
        }
    if (LWP_BUG(commit_ack_is_cut))
        frame->payload.size = 12;
}

/* Bits of the two that are answered as bytes, not as text. */
static void misanswer_numbers(uint8_t *payload, struct lwp_frame *frame)
{
    misanswer_offsets(payload, frame);
    if (frame->header.batch_id == LWP_COMMAND_FETCH_RESPONSE && LWP_BUG(fetch_head_is_mixed_up))
        swap(payload + 8, payload + 12, 4);
}

static bool is_of_kind(const struct lwp_frame *frame, uint8_t flags, uint8_t command)
{
    return frame->header.flags == flags && (command == ANY || frame->header.batch_id == command);
}

void mutants_misanswer(struct lwp_frame *frame)
{
    static uint8_t payload[65536]; /* In this build only, as the choice of the bug is. */
    if (frame->payload.size > sizeof(payload))
        return;
    if (frame->payload.size)
        memcpy(payload, frame->payload.data, frame->payload.size);
    frame->payload.data = payload;
    if (frame->header.flags == LWP_FLAG_CONTROL)
        misanswer_numbers(payload, frame);
    for (size_t i = 0; i < sizeof(wrong_words) / sizeof(wrong_words[0]); i++)
        if (lwp_bug_is(wrong_words[i].bug) &&
            is_of_kind(frame, LWP_FLAG_CONTROL, wrong_words[i].command))
            misword(payload, frame, &wrong_words[i]);
    for (size_t i = 0; i < sizeof(wrong_fields) / sizeof(wrong_fields[0]); i++) {
        const struct wrong_field *row = &wrong_fields[i];
        if (lwp_bug_is(row->bug) && is_of_kind(frame, row->flags, row->command))
            lwp_header_set(&frame->header, row->field, row->value);
    }
}

void mutants_explain(struct lwp_link *link, uint64_t now_ns)
{
    const struct lwp_frame frame =
        lwp_message_frame(LWP_COMMAND_ERROR_RESPONSE, lwp_bytes_text("Invalid magic"));
    if (LWP_BUG(explains_wrong_magic) && link->session.fault.status == LWP_INVALID_MAGIC)
        (void)lwp_link_send(link, &frame, 0, now_ns);
}

void mutants_misseal(struct lwp_session *session, const struct lwp_frame *frame)
{
    const struct lwp_queue *out = &session->out;
    const size_t size = lwp_frame_size(frame);
    if (size > out->size)
        return;
    uint8_t *at = out->data + out->start + out->size - size;
    if (LWP_BUG(crc_of_nothing_is_not_zero) && frame->payload.size == 0)
        lwp_put32(at + PAYLOAD_CRC_AT, UINT32_MAX);
    if (LWP_BUG(seals_no_payload) && frame->payload.size)
        lwp_put32(at + PAYLOAD_CRC_AT, 0);
    if (LWP_BUG(length_has_the_header) && frame->payload.size)
        lwp_put32(at + LENGTH_AT, (uint32_t)size);
}

/* A code that is given in the place of another. */
struct wrong_text {
    enum lwp_bug bug;
    enum lwp_error right;
    enum lwp_text wrong;
};

static const struct wrong_text wrong_texts[] = {
#define WRONG_TEXT(bug, right, wrong) {LWP_BUG_##bug, LWP_ERROR_##right, LWP_TEXT_##wrong},
    WRONG_TEXT(wrong_form_is_no_command, INVALID_PAYLOAD, INVALID_COMMAND)
        WRONG_TEXT(missing_topic_is_no_command, TOPIC_NOT_FOUND, INVALID_COMMAND)
            WRONG_TEXT(duplicate_is_a_bad_name, TOPIC_ALREADY_EXISTS, TOPIC_NAME_CHARACTERS)
                WRONG_TEXT(bad_name_is_a_full_disk, INVALID_TOPIC_NAME, STORAGE)
                    WRONG_TEXT(no_token_is_no_topic, AUTHENTICATION_REQUIRED, TOPIC_UNKNOWN)
#undef WRONG_TEXT
};

enum lwp_text mutants_misjudge(enum lwp_text text)
{
    for (size_t i = 0; i < sizeof(wrong_texts) / sizeof(wrong_texts[0]); i++)
        if (lwp_bug_is(wrong_texts[i].bug) && lwp_text_code(text) == wrong_texts[i].right)
            return wrong_texts[i].wrong;
    return text;
}

#endif
