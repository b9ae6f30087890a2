/* SPDX-License-Identifier: MIT */
#include "fuzz/laws.h"

#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "fuzz/plain.h"
#include "lwp/wire/trace.h"

static void encodes_to(const struct lwp_frame *frame, struct lwp_bytes bytes)
{
    uint8_t *room = fuzz_room(bytes.size);
    struct lwp_writer out = lwp_writer_on(room, bytes.size);
    FUZZ_ASSERT(lwp_frame_encode(frame, &out) == LWP_OK);
    FUZZ_ASSERT(lwp_bytes_equal(lwp_writer_bytes(&out), bytes));
    out = lwp_writer_on(room, bytes.size - 1);
    FUZZ_ASSERT(lwp_frame_encode(frame, &out) == LWP_FULL);
    free(room);
}

static void encodes_again(const struct accepted_frame *accepted)
{
    encodes_to(&accepted->frame, accepted->bytes);
    struct lwp_frame sealed = accepted->frame;
    /* Without a payload any payload_crc is accepted. */
    lwp_frame_seal(&sealed, accepted->polynomial,
                   sealed.payload.size ? 0 : 1U << LWP_HEADER_payload_crc);
    encodes_to(&sealed, accepted->bytes);
}

static void is_judged_alike(const struct accepted_frame *accepted)
{
    const struct lwp_fault expected = plain_soundness(accepted->bytes);
    struct lwp_fault fault = {LWP_OK, 0, ""};
    FUZZ_ASSERT(lwp_frame_check(&accepted->frame, &fault) == expected.status);
    FUZZ_ASSERT(plain_same_fault(&fault, &expected));
    fuzz_note(fault.status);
    fuzz_note_bytes(lwp_bytes_text(fault.field));
    for (size_t i = 0; lwp_dialects[i]; i++)
        FUZZ_ASSERT(lwp_frame_kind(&accepted->frame, lwp_dialects[i]) ==
                    plain_kind(accepted->bytes, lwp_dialects[i]));
}

void law_message(uint8_t command, struct lwp_bytes payload)
{
    struct lwp_message message = {.command = command};
    struct lwp_bytes rest = {NULL, 0};
    struct lwp_fault fault = {.status = LWP_OK};
    const enum lwp_status status = lwp_message_decode(command, payload, &message, &rest, &fault);
    FUZZ_ASSERT((status == LWP_UNKNOWN_COMMAND) == (lwp_command_of(command) == NULL));
    FUZZ_ASSERT(fault.status == status && fault.offset <= payload.size);
    fuzz_note(status);
    fuzz_note(fault.offset);
    fuzz_note_bytes(lwp_bytes_text(fault.field));
    if (status != LWP_OK && status != LWP_INVALID_TEXT)
        return;
    FUZZ_ASSERT(rest.size <= payload.size);
    const struct lwp_bytes front = {payload.data, payload.size - rest.size};
    FUZZ_ASSERT(rest.size == 0 || rest.data == payload.data + front.size);
    uint8_t *room = fuzz_room(front.size);
    struct lwp_writer out = lwp_writer_on(room, front.size);
    FUZZ_ASSERT(lwp_message_encode(&message, &out) == LWP_OK);
    FUZZ_ASSERT(lwp_bytes_equal(lwp_writer_bytes(&out), front));
    free(room);
}

static void holds_a_message(const struct accepted_frame *accepted)
{
    if ((accepted->frame.header.flags & LWP_FLAG_CONTROL) == 0)
        return;
    for (size_t i = 0; lwp_dialects[i]; i++) {
        const int command = lwp_frame_command(&accepted->frame, lwp_dialects[i]);
        const uint64_t batch_id = plain_integer(accepted->bytes, 12, 8);
        const bool fits = batch_id < 256 || lwp_dialects[i]->command_is_low_byte;
        FUZZ_ASSERT(command == (fits ? (int)accepted->bytes.data[12] : -1));
        if (command >= 0)
            law_message((uint8_t)command, accepted->frame.payload);
    }
}

static void prints_alike(const struct lwp_dialect *dialect, const struct lwp_frame *frame,
                         size_t small_size)
{
    char line[LWP_TRACE_SIZE];
    const size_t size = lwp_trace_frame(dialect, frame, line, sizeof(line));
    FUZZ_ASSERT(size > 0 && size < sizeof(line) && strlen(line) == size);
    fuzz_note_bytes((struct lwp_bytes){(const uint8_t *)line, size});
    for (size_t i = 0; i < size; i++)
        FUZZ_ASSERT(line[i] >= 0x20 && line[i] < 0x7f);
    char *small = (char *)fuzz_room(small_size);
    const size_t cut = lwp_trace_frame(dialect, frame, small, small_size);
    FUZZ_ASSERT(cut == (size < small_size ? size : small_size - 1));
    FUZZ_ASSERT(memcmp(line, small, cut) == 0 && small[cut] == '\0');
    free(small);
}

static void is_printable(const struct accepted_frame *accepted)
{
    /* A field that nothing checks chooses the smaller size. */
    const size_t small_size = 1 + accepted->bytes.data[20] % 128U;
    for (size_t i = 0; lwp_dialects[i]; i++)
        prints_alike(lwp_dialects[i], &accepted->frame, small_size);
}

void law_frame(const struct accepted_frame *accepted)
{
    FUZZ_ASSERT(lwp_frame_size(&accepted->frame) == accepted->bytes.size);
    encodes_again(accepted);
    is_judged_alike(accepted);
    holds_a_message(accepted);
    is_printable(accepted);
}

/* Whether the view is the very bytes that are expected; where an empty one points is all the same.
 */
static bool same_view(struct lwp_bytes view, struct lwp_bytes expected)
{
    return view.size == expected.size && (view.size == 0 || view.data == expected.data);
}

static void builds(const struct lwp_record *record, const struct lwp_record_parts *parts)
{
    const size_t size = LWP_TLV_HEAD_SIZE + record->value.size;
    uint8_t *room = fuzz_room(size);
    struct lwp_writer out = lwp_writer_on(room, size);
    if (record->type == LWP_TLV_KEY_VALUE)
        lwp_tlv_put_key_value(&out, parts->key, parts->value);
    else if (record->type == LWP_TLV_TIMESTAMPED)
        lwp_tlv_put_timestamped(&out, parts->timestamp_ns, parts->value);
    else
        lwp_tlv_put_key_timestamped(&out, parts->timestamp_ns, parts->key, parts->value);
    FUZZ_ASSERT(!out.full && out.size == size && room[0] == record->type);
    FUZZ_ASSERT(
        lwp_bytes_equal(lwp_bytes_from(lwp_writer_bytes(&out), LWP_TLV_HEAD_SIZE), record->value));
    free(room);
}

void law_record_parts(const struct lwp_record *record)
{
    FUZZ_ASSERT(lwp_record_check(record) == plain_record_check(record->type, record->value));
    struct lwp_record_parts expected = {.timestamp_ns = 0};
    struct lwp_record_parts parts = {.timestamp_ns = 0};
    const enum lwp_status status = lwp_record_parts(record, &parts);
    FUZZ_ASSERT(status == plain_parts(record->type, record->value, &expected));
    fuzz_note(status);
    fuzz_note(lwp_record_check(record));
    fuzz_note(parts.timestamp_ns);
    FUZZ_ASSERT(parts.timestamp_ns == expected.timestamp_ns);
    FUZZ_ASSERT(same_view(parts.key, expected.key) && same_view(parts.value, expected.value));
    if (status == LWP_OK || status == LWP_INVALID_TEXT)
        builds(record, &parts);
}
