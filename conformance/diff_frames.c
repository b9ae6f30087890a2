/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "conformance/diff_state.h"
#include "mock_server/script/frames.h"

bool diff_same_number(const struct diff *diff, uint64_t a, uint64_t b)
{
    for (size_t i = 0; a != b && i < diff->pairs.count; i++)
        if (diff->pairs.items[i].id[0] == a && diff->pairs.items[i].id[1] == b)
            return true;
    return a == b;
}

static bool is_digit(struct lwp_bytes text, size_t at)
{
    return at < text.size && text.data[at] >= '0' && text.data[at] <= '9';
}

/* The number at this place; moves the place behind it. */
static uint64_t take_number(struct lwp_bytes text, size_t *at)
{
    uint64_t number = 0;
    for (; is_digit(text, *at); ++*at)
        number = number * 10 + (uint64_t)(text.data[*at] - '0');
    return number;
}

bool diff_same_text(const struct diff *diff, struct lwp_bytes a, struct lwp_bytes b)
{
    size_t i = 0;
    size_t j = 0;
    while (i < a.size && j < b.size) {
        if (is_digit(a, i) && is_digit(b, j)) {
            if (!diff_same_number(diff, take_number(a, &i), take_number(b, &j)))
                return false;
        } else if (a.data[i++] != b.data[j++]) {
            return false;
        }
    }
    return i == a.size && j == b.size;
}

static void tell_numbers(struct diff *diff, const char *field, uint64_t a, uint64_t b)
{
    char texts[DIFF_SIDES][24];
    (void)snprintf(texts[0], sizeof(texts[0]), "%" PRIu64, a);
    (void)snprintf(texts[1], sizeof(texts[1]), "%" PRIu64, b);
    diff_tell(diff, field, texts[0], texts[1]);
}

static void tell_bytes(struct diff *diff, const char *field, struct lwp_bytes a, struct lwp_bytes b)
{
    char texts[DIFF_SIDES][DIFF_VALUE_SIZE];
    script_print_bytes(a, texts[0], sizeof(texts[0]));
    script_print_bytes(b, texts[1], sizeof(texts[1]));
    diff_tell(diff, field, texts[0], texts[1]);
}

static void compare_headers(struct diff *diff, const struct lwp_header headers[DIFF_SIDES])
{
    /* A checksum that was wrong has ended the case; a length is its payload's. */
    const uint32_t passed_over = 1U << LWP_HEADER_header_crc | 1U << LWP_HEADER_payload_crc |
                                 1U << LWP_HEADER_payload_length;
    for (int i = 0; i < LWP_HEADER_FIELD_COUNT; i++) {
        const enum lwp_header_index index = (enum lwp_header_index)i;
        const uint64_t a = lwp_header_get(&headers[0], index);
        const uint64_t b = lwp_header_get(&headers[1], index);
        const bool is_same = index == LWP_HEADER_timestamp_ns ? !a == !b
                             : index == LWP_HEADER_topic_id   ? diff_same_number(diff, a, b)
                                                              : a == b;
        if (!is_same && !(passed_over & 1U << i))
            tell_numbers(diff, lwp_header_fields[i].name, a, b);
    }
}

static void compare_bytes(struct diff *diff, const struct lwp_field *field, struct lwp_bytes a,
                          struct lwp_bytes b)
{
    const bool is_data = field->type == LWP_FIELD_DATA;
    if (is_data ? !lwp_bytes_equal(a, b) : !diff_same_text(diff, a, b))
        tell_bytes(diff, field->name, a, b);
}

/* Both payloads as documents, if they are. */
static bool compare_documents(struct diff *diff, const struct lwp_frame frames[DIFF_SIDES],
                              const struct lwp_command *command)
{
    struct diff_document documents[DIFF_SIDES] = {{.members = {.count = 0}}};
    if (!diff_read(diff, frames[0].payload, &documents[0]) ||
        !diff_read(diff, frames[1].payload, &documents[1]))
        return false;
    diff_documents(diff, documents, command->code == LWP_COMMAND_CLUSTER_STATUS_RESPONSE);
    return true;
}

static void compare_messages(struct diff *diff, const struct lwp_command *command,
                             struct lwp_message messages[DIFF_SIDES])
{
    for (const struct lwp_field *f = command->fields; f->type != LWP_FIELD_NONE; f++) {
        if (!lwp_field_is_integer(f)) {
            compare_bytes(diff, f, *lwp_message_bytes(&messages[0], f),
                          *lwp_message_bytes(&messages[1], f));
            continue;
        }
        const uint64_t a = *lwp_message_integer(&messages[0], f);
        const uint64_t b = *lwp_message_integer(&messages[1], f);
        if (a != b)
            tell_numbers(diff, f->name, a, b);
    }
}

static void compare_payloads(struct diff *diff, const struct lwp_frame frames[DIFF_SIDES],
                             const struct lwp_command *command)
{
    struct lwp_message messages[DIFF_SIDES];
    bool sound = command != NULL;
    for (int side = 0; sound && side < DIFF_SIDES; side++) {
        struct lwp_fault fault;
        struct lwp_bytes rest = {NULL, 0};
        sound = lwp_message_decode(command->code, frames[side].payload, &messages[side], &rest,
                                   &fault) == LWP_OK &&
                rest.size == 0;
    }
    if (!sound && !lwp_bytes_equal(frames[0].payload, frames[1].payload))
        tell_bytes(diff, "payload", frames[0].payload, frames[1].payload);
    else if (sound && !compare_documents(diff, frames, command))
        compare_messages(diff, command, messages);
}

void diff_frames(struct diff *diff, const struct lwp_frame frames[DIFF_SIDES])
{
    const struct lwp_header *a = &frames[0].header;
    const struct lwp_header *b = &frames[1].header;
    const struct lwp_header headers[DIFF_SIDES] = {*a, *b};
    const bool is_control = a->flags == LWP_FLAG_CONTROL;
    compare_headers(diff, headers);
    /* Frames of different kinds have no fields in common. */
    if (a->flags == b->flags && (!is_control || a->batch_id == b->batch_id))
        compare_payloads(
            diff, frames,
            is_control && a->batch_id <= UINT8_MAX ? lwp_command_of((uint8_t)a->batch_id) : NULL);
}
