/* SPDX-License-Identifier: MIT */
/* Named bugs in what is answered. */
#include "mock_server/mutants.h"

#ifdef LWP_MUTANTS

enum { ANY = 0 };

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
#include "mock_server/mutants.def"
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
#include "mock_server/mutants.def"
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

static void swap(uint8_t *a, uint8_t *b)
{
    const uint8_t byte = *a;
    *a = *b;
    *b = byte;
}

static void misanswer_commit(uint8_t *payload, struct lwp_frame *frame)
{
    for (size_t i = 0; LWP_BUG(commit_ack_is_big_endian) && i < 4; i++) {
        swap(payload + i, payload + 7 - i);
        swap(payload + 8 + i, payload + 15 - i);
    }
    if (LWP_BUG(commit_ack_is_cut))
        frame->payload.size = 12;
}

static bool is_of_kind(const struct lwp_frame *frame, uint8_t flags, uint8_t command)
{
    return frame->header.flags == flags && (command == ANY || frame->header.batch_id == command);
}

static void missay_fetch(struct lwp_message *answer)
{
    enum { HEAD_SIZE = 16 };
    const struct lwp_message right = *answer;
    const uint64_t offset = right.next_offset - right.bytes_returned;
    if (LWP_BUG(next_offset_stays))
        answer->next_offset = offset;
    if (LWP_BUG(next_offset_counts_records))
        answer->next_offset = offset + right.record_count;
    if (LWP_BUG(bytes_returned_has_the_head))
        answer->bytes_returned += HEAD_SIZE;
    if (LWP_BUG(counts_fetches))
        answer->record_count = 1;
    if (LWP_BUG(fetch_head_is_mixed_up)) {
        answer->bytes_returned = right.record_count;
        answer->record_count = right.bytes_returned;
    }
}

void mutants_missay(struct lwp_message *answer)
{
    const struct lwp_message right = *answer;
    if (right.command == LWP_COMMAND_FETCH_RESPONSE)
        missay_fetch(answer);
    if (LWP_BUG(tells_the_commit_before) && right.command == LWP_COMMAND_COMMIT_ACK)
        answer->offset = 0;
    if (LWP_BUG(subscribe_ack_begins_with_offset) && right.command == LWP_COMMAND_SUBSCRIBE_ACK) {
        answer->consumer_id = right.offset;
        answer->offset = right.consumer_id;
    }
}

void mutants_misanswer(struct lwp_frame *frame)
{
    static uint8_t payload[65536]; /* In this build only, as the choice of the bug is. */
    if (frame->payload.size > sizeof(payload))
        return;
    if (frame->payload.size)
        memcpy(payload, frame->payload.data, frame->payload.size);
    frame->payload.data = payload;
    if (is_of_kind(frame, LWP_FLAG_CONTROL, LWP_COMMAND_COMMIT_ACK))
        misanswer_commit(payload, frame);
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
    uint8_t *length = at + lwp_header_fields[LWP_HEADER_payload_length].offset;
    uint8_t *crc = at + lwp_header_fields[LWP_HEADER_payload_crc].offset;
    if (LWP_BUG(crc_of_nothing_is_not_zero) && frame->payload.size == 0)
        lwp_put32(crc, UINT32_MAX);
    if (LWP_BUG(seals_no_payload) && frame->payload.size)
        lwp_put32(crc, 0);
    if (LWP_BUG(length_has_the_header) && frame->payload.size)
        lwp_put32(length, (uint32_t)size);
}

/* A code that is given in the place of another. */
struct wrong_text {
    enum lwp_bug bug;
    enum lwp_error right;
    enum lwp_text wrong;
};

static const struct wrong_text wrong_texts[] = {
#define WRONG_TEXT(bug, right, wrong) {LWP_BUG_##bug, LWP_ERROR_##right, LWP_TEXT_##wrong},
#include "mock_server/mutants.def"
};

enum lwp_text mutants_misjudge(enum lwp_text text)
{
    for (size_t i = 0; i < sizeof(wrong_texts) / sizeof(wrong_texts[0]); i++)
        if (lwp_bug_is(wrong_texts[i].bug) && lwp_text_code(text) == wrong_texts[i].right)
            return wrong_texts[i].wrong;
    return text;
}

#endif
