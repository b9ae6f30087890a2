/* SPDX-License-Identifier: MIT */
#include <json-c/json.h>

#include "lwp/json/members.h"
#include "lwp/tools/report.h"
#include "lwp/wire/trace.h"

static struct json_object *event_of(const struct lwp_report *report, const char *name)
{
    struct json_object *event = json_object_new_object();
    lwp_json_add_word(event, "event", name);
    if (report->stream[0])
        lwp_json_add_text(event, "stream", lwp_bytes_text(report->stream));
    return event;
}

/* Writes the event as one line and frees it. */
static void write_event(struct lwp_report *report, struct json_object *event)
{
    const struct lwp_bytes line = lwp_json_line(event);
    (void)fwrite(line.data, 1, line.size, report->out);
    (void)fputc('\n', report->out);
    json_object_put(event);
}

static void begin(struct lwp_report *report)
{
    struct json_object *event = event_of(report, "begin");
    lwp_json_add_number(event, "schema_version", LWP_REPORT_SCHEMA_VERSION);
    lwp_json_add_word(event, "program", "lwp dump");
    write_event(report, event);
}

static void input(struct lwp_report *report, const char *name, const char *format, uint64_t size)
{
    struct json_object *event = event_of(report, "input");
    lwp_json_add_text(event, "name", lwp_bytes_text(name));
    lwp_json_add_text(event, "format", lwp_bytes_text(format));
    lwp_json_add_number(event, "size", size);
    write_event(report, event);
}

static void stream(struct lwp_report *report, const struct lwp_report_stream *stream)
{
    struct json_object *event = event_of(report, "stream");
    lwp_json_add_number(event, "size", stream->size);
    lwp_json_add_word(event, "dialect", stream->dialect->name);
    lwp_json_add_text(event, "why", lwp_bytes_text(stream->why));
    lwp_json_add_flag(event, "continued", stream->continued);
    write_event(report, event);
}

static void frame(struct lwp_report *report, const struct lwp_dialect *dialect, uint64_t offset,
                  const struct lwp_frame *frame)
{
    struct json_object *event = event_of(report, "frame");
    const enum lwp_kind kind = lwp_frame_kind(frame, dialect);
    char line[LWP_TRACE_SIZE];
    (void)lwp_trace_frame(dialect, frame, line, sizeof(line));
    lwp_json_add_number(event, "offset", offset);
    lwp_json_add_number(event, "size", lwp_frame_size(frame));
    lwp_json_add_word(event, "kind", lwp_kind_word(kind));
    lwp_json_add(event, "header", lwp_json_header(&frame->header));
    if (kind == LWP_KIND_CONTROL)
        lwp_json_add(event, "message", lwp_json_message(dialect, frame));
    else
        lwp_json_add_bytes(event, "payload", frame->payload, LWP_JSON_SHOWN_SIZE);
    lwp_json_add_word(event, "trace", line);
    write_event(report, event);
}

static void record(struct lwp_report *report, const struct lwp_report_record *at)
{
    const struct lwp_record *record = at->record;
    struct json_object *event = event_of(report, "record");
    lwp_json_add_number(event, "offset", at->offset);
    lwp_json_add_flag(event, "compressed", at->compressed);
    lwp_json_add_record(event, at->dialect, record, LWP_JSON_SHOWN_SIZE);
    write_event(report, event);
}

static void finding(struct lwp_report *report, const struct lwp_finding *finding)
{
    struct json_object *event =
        event_of(report, finding->severity == LWP_SEVERITY_FAULT ? "fault" : "note");
    lwp_json_add_number(event, "offset", finding->offset);
    lwp_json_add_text(event, "name", lwp_bytes_text(finding->name));
    if (finding->field)
        lwp_json_add_text(event, "field", lwp_bytes_text(finding->field));
    lwp_json_add_text(event, "text", lwp_bytes_text(finding->text));
    write_event(report, event);
}

static void skip(struct lwp_report *report, uint64_t offset, uint64_t size, bool found)
{
    struct json_object *event = event_of(report, "skip");
    lwp_json_add_number(event, "offset", offset);
    lwp_json_add_number(event, "size", size);
    lwp_json_add_flag(event, "header_found", found);
    write_event(report, event);
}

static void other(struct lwp_report *report, const struct lwp_report_other *other)
{
    report->stream = "";
    struct json_object *event = event_of(report, "other");
    lwp_json_add_number(event, "packet_count", other->packet_count);
    lwp_json_add_number(event, "not_tcp_count", other->not_tcp_count);
    lwp_json_add_number(event, "fragment_count", other->fragment_count);
    lwp_json_add_number(event, "damaged_count", other->damaged_count);
    lwp_json_add_number(event, "unlisted_count", other->unlisted_count);
    lwp_json_add_number(event, "unwanted_count", other->unwanted_count);
    lwp_json_add_number(event, "stream_count", other->stream_count);
    lwp_json_add_number(event, "stream_bytes", other->stream_bytes);
    write_event(report, event);
}

static void end(struct lwp_report *report)
{
    report->stream = "";
    struct json_object *event = event_of(report, "end");
    lwp_json_add_number(event, "frame_count", report->frame_count);
    lwp_json_add_number(event, "record_count", report->record_count);
    lwp_json_add_number(event, "fault_count", report->fault_count);
    lwp_json_add_number(event, "note_count", report->note_count);
    lwp_json_add_number(event, "skipped_size", report->skipped_size);
    write_event(report, event);
}

const struct lwp_report_form lwp_report_json = {begin,   input, stream, frame, record,
                                                finding, skip,  other,  end};
