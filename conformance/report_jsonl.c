/* SPDX-License-Identifier: MIT */
#include <json-c/json.h>
#include <stdlib.h>

#include "conformance/failure.h"
#include "conformance/report.h"
#include "conformance/requirements.h"

/* A JSON string: what is not UTF-8 becomes U+FFFD. */
static struct json_object *string_of(const char *text)
{
    char *clean = report_utf8(text);
    struct json_object *string = clean ? json_object_new_string(clean) : NULL;
    free(clean);
    return string;
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
    (void)json_object_object_add(object, key, string_of(text));
}

static void add_number(struct json_object *object, const char *key, uint64_t number)
{
    (void)json_object_object_add(object, key, json_object_new_uint64(number));
}

static struct json_object *event_of(const char *name)
{
    struct json_object *event = json_object_new_object();
    add_text(event, "event", name);
    return event;
}

/* Writes the event as one line and frees it. */
static void write_event(struct report *report, struct json_object *event)
{
    (void)fprintf(report->jsonl, "%s\n",
                  json_object_to_json_string_ext(event, JSON_C_TO_STRING_PLAIN |
                                                            JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(event);
}

void report_jsonl_begin(struct report *report)
{
    struct json_object *event = event_of("begin");
    add_number(event, "schema_version", REPORT_SCHEMA_VERSION);
    add_text(event, "target", report->run.target);
    add_text(event, "dialect", report->run.dialect->name);
    add_number(event, "seed", report->run.seed);
    write_event(report, event);
}

static struct json_object *texts_of(const struct lwp_bytes *items, size_t count)
{
    struct json_object *array = json_object_new_array();
    for (size_t i = 0; i < count; i++)
        (void)json_object_array_add(array, string_of((const char *)items[i].data));
    return array;
}

static void add_line(void *context, const char *line)
{
    (void)json_object_array_add(context, string_of(line));
}

static struct json_object *hex_of(struct lwp_bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *hex = malloc(2 * bytes.size + 1);
    if (!hex)
        return NULL;
    for (size_t i = 0; i < bytes.size; i++) {
        hex[2 * i] = digits[bytes.data[i] >> 4];
        hex[2 * i + 1] = digits[bytes.data[i] & 15];
    }
    struct json_object *text = json_object_new_string_len(hex, (int)(2 * bytes.size));
    free(hex);
    return text;
}

static struct json_object *transcript_of(const struct report *report, const struct result *result)
{
    struct json_object *array = json_object_new_array();
    for (size_t i = 0; i < result->transcript.events.count; i++) {
        const struct event *event = &result->transcript.events.items[i];
        struct json_object *entry = json_object_new_object();
        struct json_object *frames = json_object_new_array();
        add_number(entry, "connection", event->connection);
        add_number(entry, "time_ns", event->time_ns);
        add_text(entry, "what", report_event_word(event->kind));
        if (event->bytes.size) {
            report_decode(report->run.dialect, event->bytes, add_line, frames);
            (void)json_object_object_add(entry, "frames", json_object_get(frames));
            (void)json_object_object_add(entry, "hex", hex_of(event->bytes));
        }
        if (event->lost)
            add_number(entry, "lost_bytes", event->lost);
        json_object_put(frames);
        (void)json_object_array_add(array, entry);
    }
    return array;
}

void report_jsonl_case(struct report *report, const struct result *result)
{
    const struct script_case *of = result->of;
    struct json_object *event = event_of("case");
    add_text(event, "id", (const char *)of->id.data);
    add_text(event, "level", script_level_word(of->level));
    add_text(event, "dialect", report->run.dialect->name);
    add_text(event, "verdict", verdict_word(result->verdict));
    add_text(event, "reason", result->reason);
    add_number(event, "duration_ns", result->duration_ns);
    add_text(event, "file", of->place.file);
    add_number(event, "line", result->line ? result->line : of->place.line);
    (void)json_object_object_add(event, "text", texts_of(of->texts.items, of->texts.count));
    (void)json_object_object_add(event, "requirements",
                                 texts_of(of->requirements.items, of->requirements.count));
    if (report_is_bad(result->verdict) || result->verdict == VERDICT_XFAIL) {
        char class[FAILURE_CLASS_SIZE];
        add_text(event, "class", failure_class(result, class));
        add_text(event, "expected", result->expected);
        add_text(event, "actual", result->actual);
        if (result->field)
            add_text(event, "field", result->field);
        if (result->offset >= 0)
            add_number(event, "offset", (uint64_t)result->offset);
        (void)json_object_object_add(event, "transcript", transcript_of(report, result));
    }
    write_event(report, event);
}

void report_jsonl_end(struct report *report)
{
    struct json_object *event = event_of("end");
    struct json_object *verdicts = json_object_new_object();
    add_text(event, "target", report->run.target);
    add_text(event, "dialect", report->run.dialect->name);
    add_number(event, "cases", report->counts.total);
    for (enum verdict verdict = 0; verdict < VERDICT_COUNT; verdict++)
        add_number(verdicts, verdict_word(verdict), report->counts.of[verdict]);
    (void)json_object_object_add(event, "verdicts", verdicts);
    add_number(event, "duration_ns", report->duration_ns);
    write_event(report, event);
}
