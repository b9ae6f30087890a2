/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "conformance/failure.h"
#include "conformance/report.h"
#include "conformance/requirements.h"
#include "lwp/json/members.h"

/* A JSON string, as clean as in the other forms. */
static void add_text(struct json_object *object, const char *key, const char *text)
{
    char *clean = report_utf8(text);
    if (clean)
        lwp_json_add_word(object, key, clean);
    free(clean);
}

static struct json_object *event_of(const char *name)
{
    struct json_object *event = json_object_new_object();
    lwp_json_add_word(event, "event", name);
    return event;
}

/* Writes the event as one line and frees it. Without memory it is not written, and the report is
 * not whole. */
static void write_event(struct report_out *out, struct json_object *event)
{
    const struct lwp_bytes line = lwp_json_line(event);
    if (line.size == 0)
        out->error = ENOMEM;
    (void)fwrite(line.data, 1, line.size, out->file);
    (void)fputc('\n', out->file);
    json_object_put(event);
}

static void begin(const struct report *report, struct report_out *out)
{
    const struct report_run *run = &report->run;
    struct json_object *event = event_of("begin");
    lwp_json_add_number(event, "schema_version", REPORT_SCHEMA_VERSION);
    lwp_json_add_word(event, "program", "lwp-conform");
    add_text(event, "version", run->version);
    add_text(event, "target", run->target);
    add_text(event, "dialect", run->dialect->name);
    lwp_json_add_number(event, "seed", run->seed);
    lwp_json_add_number(event, "epoch_ns", run->epoch_ns);
    if (run->profile)
        add_text(event, "profile", run->profile);
    if (run->axes)
        add_text(event, "axes", run->axes);
    if (report->outs[REPORT_PCAP].file)
        add_text(event, "capture", report->outs[REPORT_PCAP].path);
    write_event(out, event);
}

static void append(struct json_object *array, struct json_object *value)
{
    if (!array || json_object_array_add(array, value) != 0)
        json_object_put(value);
}

static void append_text(void *array, const char *text)
{
    char *clean = report_utf8(text);
    if (clean)
        append(array, json_object_new_string(clean));
    free(clean);
}

static struct json_object *texts_of(const struct script_case *of)
{
    struct json_object *array = json_object_new_array();
    for (size_t i = 0; i < of->texts.count; i++)
        append_text(array, (const char *)of->texts.items[i].data);
    return array;
}

static struct json_object *requirements_of(const struct script_case *of)
{
    struct json_object *array = json_object_new_array();
    for (size_t i = 0; i < of->requirements.count; i++) {
        const struct requirement *row = requirement_of(of->requirements.items[i]);
        struct json_object *entry = json_object_new_object();
        lwp_json_add_text(entry, "id", of->requirements.items[i]);
        if (row) {
            lwp_json_add_word(entry, "section", row->section);
            lwp_json_add_word(entry, "level", row->level);
            lwp_json_add_word(entry, "text", row->text);
        }
        append(array, entry);
    }
    return array;
}

static struct json_object *entry_of(const struct report *report, const struct event *event)
{
    struct json_object *entry = json_object_new_object();
    lwp_json_add_number(entry, "connection", event->connection);
    if (event->line)
        lwp_json_add_number(entry, "line", event->line);
    lwp_json_add_number(entry, "time_ns", event->time_ns);
    lwp_json_add_word(entry, "what", report_event_word(event->kind));
    if (event->bytes.size) {
        struct json_object *frames = json_object_new_array();
        report_decode(report->run.dialect, event->bytes, append_text, frames);
        lwp_json_add(entry, "frames", frames);
        lwp_json_add_hex(entry, "hex", event->bytes);
    }
    if (event->lost)
        lwp_json_add_number(entry, "lost_bytes", event->lost);
    return entry;
}

static struct json_object *transcript_of(const struct report *report, const struct result *result)
{
    struct json_object *array = json_object_new_array();
    const struct event *differing = report_differing(result);
    for (size_t i = 0; i < result->transcript.events.count; i++) {
        const struct event *event = &result->transcript.events.items[i];
        struct json_object *entry = entry_of(report, event);
        if (event == differing)
            lwp_json_add_number(entry, "differs_at", (uint64_t)result->offset);
        append(array, entry);
    }
    return array;
}

static void add_evidence(const struct report *report, struct json_object *event,
                         const struct result *result)
{
    char *repeat = report_repeat(report, result);
    char class[FAILURE_CLASS_SIZE];
    lwp_json_add_word(event, "class", failure_class(result, class));
    add_text(event, "expected", result->expected);
    add_text(event, "actual", result->actual);
    if (result->field)
        lwp_json_add_word(event, "field", result->field);
    if (result->offset >= 0)
        lwp_json_add_number(event, "offset", (uint64_t)result->offset);
    if (repeat)
        add_text(event, "repeat", repeat);
    free(repeat);
    lwp_json_add(event, "transcript", transcript_of(report, result));
}

static void add(const struct report *report, struct report_out *out, const struct result *result)
{
    const struct script_case *of = result->of;
    struct json_object *event = event_of("case");
    lwp_json_add_text(event, "id", of->id);
    lwp_json_add_word(event, "level", script_level_word(of->level));
    lwp_json_add_word(event, "dialect", report->run.dialect->name);
    lwp_json_add_word(event, "verdict", verdict_word(result->verdict));
    add_text(event, "reason", result->reason);
    lwp_json_add_number(event, "duration_ns", result->duration_ns);
    add_text(event, "file", of->place.file);
    lwp_json_add_number(event, "line", result->line ? result->line : of->place.line);
    lwp_json_add(event, "text", texts_of(of));
    lwp_json_add(event, "requirements", requirements_of(of));
    if (report_is_told(result->verdict))
        add_evidence(report, event, result);
    write_event(out, event);
}

static struct json_object *slowest_of(const struct report *report)
{
    struct json_object *array = json_object_new_array();
    for (size_t i = 0; i < REPORT_SLOWEST && report->slowest[i].id; i++) {
        struct json_object *entry = json_object_new_object();
        lwp_json_add_word(entry, "id", report->slowest[i].id);
        lwp_json_add_number(entry, "duration_ns", report->slowest[i].duration_ns);
        append(array, entry);
    }
    return array;
}

static void end(const struct report *report, struct report_out *out)
{
    struct json_object *event = event_of("end");
    struct json_object *verdicts = json_object_new_object();
    add_text(event, "target", report->run.target);
    lwp_json_add_word(event, "dialect", report->run.dialect->name);
    lwp_json_add_number(event, "cases", report->counts.total);
    for (enum verdict verdict = 0; verdict < VERDICT_COUNT; verdict++)
        lwp_json_add_number(verdicts, verdict_word(verdict), report->counts.of[verdict]);
    lwp_json_add(event, "verdicts", verdicts);
    lwp_json_add_number(event, "duration_ns", report->duration_ns);
    lwp_json_add(event, "slowest", slowest_of(report));
    write_event(out, event);
}

const struct report_form report_form_jsonl = {
    .at = {[REPORT_BEGIN] = begin, [REPORT_END] = end},
    .add = add,
};
