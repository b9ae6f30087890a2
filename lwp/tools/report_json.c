/* SPDX-License-Identifier: MIT */
#include <json-c/json.h>

#include "lwp/tools/report.h"
#include "lwp/wire/message.h"
#include "lwp/wire/trace.h"

enum { SHOWN_BYTES = 4096 };

static void add(struct json_object *object, const char *key, struct json_object *value)
{
    (void)json_object_object_add(object, key, value);
}

static void add_number(struct json_object *object, const char *key, uint64_t number)
{
    add(object, key, json_object_new_uint64(number));
}

/* JSON is UTF-8: the name of a file, or what libpcap says, need not be. */
static void add_text(struct json_object *object, const char *key, const char *text)
{
    char clean[1024];
    struct lwp_bytes left = lwp_bytes_text(text);
    struct lwp_writer out = lwp_writer_on(clean, sizeof(clean));
    while (left.size && !out.full) {
        bool valid = false;
        const size_t size = lwp_utf8_step(left, &valid);
        lwp_write(&out,
                  valid ? (struct lwp_bytes){left.data, size} : lwp_bytes_text("\xef\xbf\xbd"));
        left = lwp_bytes_from(left, size);
    }
    add(object, key, json_object_new_string_len(clean, (int)out.size));
}

static struct json_object *hex_of(struct lwp_bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    char hex[2 * SHOWN_BYTES];
    for (size_t i = 0; i < bytes.size; i++) {
        hex[2 * i] = digits[bytes.data[i] >> 4];
        hex[2 * i + 1] = digits[bytes.data[i] & 15];
    }
    return json_object_new_string_len(hex, (int)(2 * bytes.size));
}

/* The front of a text that was cut at SHOWN_BYTES, without the character that was cut through. */
static struct lwp_bytes whole_characters(struct lwp_bytes shown)
{
    for (size_t less = 0; less < 4 && less < shown.size; less++) {
        const struct lwp_bytes shorter = {shown.data, shown.size - less};
        if (lwp_utf8_valid(shorter))
            return shorter;
    }
    return shown;
}

/* {"size":…,"text":…}, or "hex" if it is not UTF-8; with "cut" if that is only the front. */
static void add_bytes(struct json_object *object, const char *key, struct lwp_bytes bytes)
{
    struct json_object *value = json_object_new_object();
    struct lwp_bytes shown = bytes;
    if (bytes.size > SHOWN_BYTES)
        shown = whole_characters((struct lwp_bytes){bytes.data, SHOWN_BYTES});
    add_number(value, "size", bytes.size);
    if (lwp_utf8_valid(shown))
        add(value, "text",
            json_object_new_string_len(shown.size ? (const char *)shown.data : "",
                                       (int)shown.size));
    else
        add(value, "hex", hex_of(shown));
    if (shown.size < bytes.size)
        add(value, "cut", json_object_new_boolean(true));
    add(object, key, value);
}

static struct json_object *event_of(const struct lwp_report *report, const char *name)
{
    struct json_object *event = json_object_new_object();
    add_text(event, "event", name);
    if (report->stream[0])
        add_text(event, "stream", report->stream);
    return event;
}

/* Writes the event as one line and frees it. */
static void write_event(struct lwp_report *report, struct json_object *event)
{
    (void)fprintf(report->out, "%s\n",
                  json_object_to_json_string_ext(event, JSON_C_TO_STRING_PLAIN |
                                                            JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(event);
}

static void begin(struct lwp_report *report)
{
    struct json_object *event = event_of(report, "begin");
    add_number(event, "schema_version", LWP_REPORT_SCHEMA_VERSION);
    add_text(event, "program", "lwp dump");
    write_event(report, event);
}

static void input(struct lwp_report *report, const char *name, const char *format, uint64_t size)
{
    struct json_object *event = event_of(report, "input");
    add_text(event, "name", name);
    add_text(event, "format", format);
    add_number(event, "size", size);
    write_event(report, event);
}

static void stream(struct lwp_report *report, const struct lwp_report_stream *stream)
{
    struct json_object *event = event_of(report, "stream");
    add_number(event, "size", stream->size);
    add_text(event, "dialect", stream->dialect->name);
    add_text(event, "why", stream->why);
    add(event, "continued", json_object_new_boolean(stream->continued));
    write_event(report, event);
}

static struct json_object *header_of(const struct lwp_header *header)
{
    struct json_object *object = json_object_new_object();
    for (enum lwp_header_index i = 0; i < LWP_HEADER_FIELD_COUNT; i++)
        add_number(object, lwp_header_fields[i].name, lwp_header_get(header, i));
    return object;
}

/* The command and its fields; those that the payload is too short for are not there. */
static struct json_object *message_of(const struct lwp_dialect *dialect,
                                      const struct lwp_frame *frame)
{
    const int code = lwp_frame_command(frame, dialect);
    const struct lwp_command *command = code < 0 ? NULL : lwp_command_of((uint8_t)code);
    struct json_object *object = json_object_new_object();
    if (code >= 0)
        add_number(object, "code", (uint64_t)code);
    if (!command)
        return object;
    add_text(object, "command", command->word);
    struct lwp_message message;
    struct lwp_bytes rest;
    struct lwp_fault fault;
    const enum lwp_status status =
        lwp_message_decode(command->code, frame->payload, &message, &rest, &fault);
    if (status != LWP_OK && status != LWP_INVALID_TEXT)
        return object;
    for (const struct lwp_field *field = command->fields; field->type != LWP_FIELD_NONE; field++) {
        if (lwp_field_is_integer(field))
            add_number(object, field->name, *lwp_message_integer(&message, field));
        else
            add_bytes(object, field->name, *lwp_message_bytes(&message, field));
    }
    return object;
}

static void frame(struct lwp_report *report, const struct lwp_dialect *dialect, uint64_t offset,
                  const struct lwp_frame *frame)
{
    struct json_object *event = event_of(report, "frame");
    const enum lwp_kind kind = lwp_frame_kind(frame, dialect);
    char line[LWP_TRACE_SIZE];
    (void)lwp_trace_frame(dialect, frame, line, sizeof(line));
    add_number(event, "offset", offset);
    add_number(event, "size", lwp_frame_size(frame));
    add_text(event, "kind", lwp_kind_word(kind));
    add(event, "header", header_of(&frame->header));
    if (kind == LWP_KIND_CONTROL)
        add(event, "message", message_of(dialect, frame));
    else
        add_bytes(event, "payload", frame->payload);
    add_text(event, "trace", line);
    write_event(report, event);
}

static void record(struct lwp_report *report, const struct lwp_report_record *at)
{
    const struct lwp_record *record = at->record;
    struct json_object *event = event_of(report, "record");
    add_number(event, "offset", at->offset);
    add(event, "compressed", json_object_new_boolean(at->compressed));
    add_number(event, "type", record->type);
    add_text(event, "word", lwp_tlv_word_in(at->dialect, record->type));
    add_number(event, "size", record->value.size);
    struct lwp_record_parts parts = {.value = record->value};
    const enum lwp_status status = lwp_record_parts(record, &parts);
    if (status == LWP_OK || status == LWP_INVALID_TEXT) {
        if (record->type != LWP_TLV_KEY_VALUE)
            add_number(event, "timestamp_ns", parts.timestamp_ns);
        if (record->type != LWP_TLV_TIMESTAMPED)
            add_bytes(event, "key", parts.key);
    }
    add_bytes(event, "value", parts.value);
    write_event(report, event);
}

static void finding(struct lwp_report *report, const struct lwp_finding *finding)
{
    struct json_object *event =
        event_of(report, finding->severity == LWP_SEVERITY_FAULT ? "fault" : "note");
    add_number(event, "offset", finding->offset);
    add_text(event, "name", finding->name);
    if (finding->field)
        add_text(event, "field", finding->field);
    add_text(event, "text", finding->text);
    write_event(report, event);
}

static void skip(struct lwp_report *report, uint64_t offset, uint64_t size, bool found)
{
    struct json_object *event = event_of(report, "skip");
    add_number(event, "offset", offset);
    add_number(event, "size", size);
    add(event, "header_found", json_object_new_boolean(found));
    write_event(report, event);
}

static void other(struct lwp_report *report, const struct lwp_report_other *other)
{
    report->stream = "";
    struct json_object *event = event_of(report, "other");
    add_number(event, "packet_count", other->packet_count);
    add_number(event, "not_tcp_count", other->not_tcp_count);
    add_number(event, "fragment_count", other->fragment_count);
    add_number(event, "damaged_count", other->damaged_count);
    add_number(event, "unlisted_count", other->unlisted_count);
    add_number(event, "unwanted_count", other->unwanted_count);
    add_number(event, "stream_count", other->stream_count);
    add_number(event, "stream_bytes", other->stream_bytes);
    write_event(report, event);
}

static void end(struct lwp_report *report)
{
    report->stream = "";
    struct json_object *event = event_of(report, "end");
    add_number(event, "frame_count", report->frame_count);
    add_number(event, "record_count", report->record_count);
    add_number(event, "fault_count", report->fault_count);
    add_number(event, "note_count", report->note_count);
    add_number(event, "skipped_size", report->skipped_size);
    write_event(report, event);
}

const struct lwp_report_form lwp_report_json = {begin,   input, stream, frame, record,
                                                finding, skip,  other,  end};
