/* SPDX-License-Identifier: MIT */
#include "lwp/wire/trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "lwp/wire/tlv.h"

enum { SHOWN_TEXT = 48, SHOWN_RECORDS = 4 };

/* A line under way; always ended by a zero, cut when full. */
struct line {
    char *text;
    size_t capacity;
    size_t size;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *at = line->text + line->size;
    const size_t room = line->capacity - line->size;
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, three lines above. */
    const int size = vsnprintf(at, room, format, arguments);
    va_end(arguments);
    const size_t put_size = size < 0 ? 0 : (size_t)size;
    line->size += put_size < room ? put_size : room - 1;
}

/* At most SHOWN_TEXT bytes, in quotes, what is not printable as \xNN. */
static void put_text(struct line *line, struct lwp_bytes text)
{
    put(line, "\"");
    for (size_t i = 0; i < text.size && i < SHOWN_TEXT; i++) {
        const uint8_t byte = text.data[i];
        if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\')
            put(line, "%c", byte);
        else
            put(line, "\\x%02x", byte);
    }
    put(line, "\"");
    if (text.size > SHOWN_TEXT)
        put(line, "+%zu", text.size - SHOWN_TEXT);
}

/* A field that is not zero. */
static void put_field(struct line *line, const char *name, uint64_t value)
{
    if (value)
        put(line, " %s=%" PRIu64, name, value);
}

static void put_records(struct line *line, const struct lwp_dialect *dialect,
                        struct lwp_bytes payload)
{
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(payload);
    struct lwp_record record;
    enum lwp_status status = LWP_OK;
    put(line, " [");
    for (int shown = 0; shown < SHOWN_RECORDS; shown++) {
        status = lwp_tlv_next(&walk, &record);
        if (status != LWP_OK)
            break;
        put(line, "%s%s %zu ", shown ? ", " : "", lwp_tlv_word_in(dialect, record.type),
            record.value.size);
        put_text(line, record.value);
    }
    if (status == LWP_OK && walk.offset < payload.size)
        put(line, ", ...");
    else if (status != LWP_OK && status != LWP_END)
        put(line, "%s%zu bytes that are no whole record", walk.offset ? ", " : "",
            payload.size - walk.offset);
    put(line, "]");
}

static void put_message(struct line *line, const struct lwp_dialect *dialect,
                        const struct lwp_message *message)
{
    const struct lwp_command *command = lwp_command_of(message->command);
    for (const struct lwp_field *field = command->fields; field->type != LWP_FIELD_NONE; field++) {
        const void *place = (const char *)message + field->place;
        if (lwp_field_is_integer(field)) {
            put(line, " %s=%" PRIu64, field->name, *(const uint64_t *)place);
            continue;
        }
        const struct lwp_bytes bytes = *(const struct lwp_bytes *)place;
        if (field->type == LWP_FIELD_DATA) {
            put_records(line, dialect, bytes);
            continue;
        }
        put(line, " %s=", field->name);
        put_text(line, bytes);
    }
}

static void put_control(struct line *line, const struct lwp_dialect *dialect,
                        const struct lwp_frame *frame)
{
    const int code = lwp_frame_command(frame, dialect);
    const struct lwp_command *command = code < 0 ? NULL : lwp_command_of((uint8_t)code);
    if (!command) {
        put(line, "control command=0x%" PRIx64, frame->header.batch_id);
        put_field(line, "payload", frame->payload.size);
        return;
    }
    struct lwp_message message = {.command = command->code};
    struct lwp_bytes rest = {NULL, 0};
    struct lwp_fault fault = {LWP_OK, 0, NULL};
    const enum lwp_status status =
        lwp_message_decode(command->code, frame->payload, &message, &rest, &fault);
    put(line, "%s", command->word);
    if (status == LWP_OK || status == LWP_INVALID_TEXT)
        put_message(line, dialect, &message);
    if (status != LWP_OK)
        put(line, " payload=%zu (%s at %s)", frame->payload.size, lwp_status_text(status),
            fault.field);
    if (rest.size)
        put(line, " (%zu more bytes)", rest.size);
}

/* What a strict reader would refuse. */
static void put_faults(struct line *line, enum lwp_polynomial polynomial,
                       const struct lwp_frame *frame)
{
    const struct lwp_header *header = &frame->header;
    const enum lwp_status status = lwp_header_check(header, polynomial);
    if (status != LWP_OK)
        put(line, " (%s)", lwp_status_text(status));
    if (header->payload_length != frame->payload.size)
        put(line, " payload_length=%" PRIu32, header->payload_length);
    if (frame->payload.size && header->payload_crc != lwp_crc(polynomial, frame->payload))
        put(line, " (%s)", lwp_status_text(LWP_PAYLOAD_CHECKSUM));
}

size_t lwp_trace_frame(const struct lwp_dialect *dialect, const struct lwp_frame *frame, char *out,
                       size_t size)
{
    struct line line = {out, size, 0};
    const struct lwp_header *header = &frame->header;
    const enum lwp_kind kind = lwp_frame_kind(frame, dialect);
    out[0] = '\0';
    if (kind == LWP_KIND_CONTROL) {
        put_control(&line, dialect, frame);
    } else {
        put(&line, "%s", lwp_kind_word(kind));
        put_field(&line, "batch_id", header->batch_id);
    }
    put_field(&line, "topic_id", header->topic_id);
    put_field(&line, "record_count", header->record_count);
    put_field(&line, "timestamp_ns", header->timestamp_ns);
    if (kind != LWP_KIND_CONTROL)
        put_field(&line, "payload", frame->payload.size);
    if (kind == LWP_KIND_INGEST && header->flags & LWP_FLAG_COMPRESSED)
        put(&line, " compressed");
    else if (kind == LWP_KIND_INGEST && frame->payload.size)
        put_records(&line, dialect, frame->payload);
    if (header->flags != lwp_kind_flags(kind))
        put(&line, " flags=0x%02x", header->flags);
    if (header->reserved)
        put(&line, " reserved=0x%04x", header->reserved);
    put_faults(&line, dialect->polynomial, frame);
    return line.size;
}

size_t lwp_trace_fault(const struct lwp_fault *fault, char *out, size_t size)
{
    struct line line = {out, size, 0};
    put(&line, "%s: %s", lwp_status_name(fault->status), lwp_status_text(fault->status));
    if (fault->field)
        put(&line, " (%s at offset %" PRIu64 ")", fault->field, fault->offset);
    return line.size;
}
