/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "conformance/report.h"
#include "conformance/requirements.h"
#include "lwp/wire/trace.h"

const char *report_event_word(enum event_kind kind)
{
    static const char *const words[] = {
        [EVENT_CONNECTED] = "connected", [EVENT_SENT] = "sent",
        [EVENT_RECEIVED] = "received",   [EVENT_FIN] = "peer closed",
        [EVENT_RESET] = "peer reset",    [EVENT_CLOSED] = "closed",
        [EVENT_ABORTED] = "reset",       [EVENT_HALF_CLOSED] = "closed for sending",
    };
    return words[kind];
}

const char *report_connection_name(unsigned connection, char name[static 16])
{
    (void)snprintf(name, 16, connection ? "c%u" : "set-up", connection);
    return name;
}

/* XML 1.0 has no control characters but tab and line ends, not even escaped, and no U+FFFE, U+FFFF.
 */
static bool is_plain(struct lwp_bytes c)
{
    if (c.size == 1)
        return (c.data[0] >= 0x20 && c.data[0] != 0x7f) || c.data[0] == '\n' || c.data[0] == '\t';
    return !(c.size == 3 && c.data[0] == 0xef && c.data[1] == 0xbf && c.data[2] >= 0xbe);
}

char *report_utf8(const char *text)
{
    static const uint8_t replacement[] = {0xef, 0xbf, 0xbd};
    struct lwp_bytes rest = lwp_bytes_text(text);
    const size_t most = rest.size * sizeof(replacement);
    struct lwp_writer out = lwp_writer_on(malloc(most + 1), most);
    while (out.data && rest.size) {
        bool valid = false;
        const size_t size = lwp_utf8_step(rest, &valid);
        const struct lwp_bytes c = {rest.data, size};
        lwp_write(&out,
                  valid && is_plain(c) ? c : (struct lwp_bytes){replacement, sizeof(replacement)});
        rest = lwp_bytes_from(rest, size);
    }
    if (out.data)
        out.data[out.size] = '\0';
    return (char *)out.data;
}

/* Whom facts are told. */
struct listener {
    report_fact *fact;
    void *context;
};

__attribute__((format(printf, 3, 4))) static void tell(const struct listener *to, const char *label,
                                                       const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    const int size = vasprintf(&text, format, arguments);
    va_end(arguments);
    char *clean = size > 0 ? report_utf8(text) : NULL;
    if (clean)
        to->fact(to->context, label, clean);
    free(clean);
    if (size >= 0)
        free(text);
}

static void tell_words(const struct listener *to, const char *where, const struct lwp_bytes *items,
                       size_t count)
{
    for (size_t i = 0; i < count; i++)
        tell(to, "source", "%s: %s", where, (const char *)items[i].data);
}

static void tell_required(const struct listener *to, const struct script_case *of)
{
    for (size_t i = 0; i < of->texts.count; i++)
        tell(to, "required", "%s", (const char *)of->texts.items[i].data);
    for (size_t i = 0; i < of->requirements.count; i++) {
        const struct requirement *row = requirement_of(of->requirements.items[i]);
        if (row)
            tell(to, "section", "%s (%s): %s", row->section, row->level, row->text);
    }
    tell_words(to, "corpus/golden", of->recorded.items, of->recorded.count);
    tell_words(to, "docs/server.md", of->sections.items, of->sections.count);
}

char *report_repeat(const struct report *report, const struct result *result)
{
    const bool is_case = result->of->steps.count;
    char *text = NULL;
    if (asprintf(&text, "%s%s%s", report->run.repeat, is_case ? " --filter " : "",
                 is_case ? (const char *)result->of->id.data : "") < 0)
        return NULL;
    return text;
}

void report_facts(const struct report *report, const struct result *result, report_fact *fact,
                  void *context)
{
    const struct listener to = {fact, context};
    tell_required(&to, result->of);
    if (result->line)
        tell(&to, "step", "%s:%u", result->of->place.file, result->line);
    tell(&to, "expected", "%s", result->expected);
    tell(&to, "actual", "%s", result->actual);
    if (result->field && result->offset >= 0)
        tell(&to, "differs", "%s, first differing byte at offset %ld of the frame", result->field,
             result->offset);
    else if (result->field)
        tell(&to, "differs", "%s", result->field);
    if (report->outs[REPORT_PCAP].file)
        tell(&to, "capture", "%s", report->outs[REPORT_PCAP].path);
    char *repeat = report_repeat(report, result);
    if (repeat)
        tell(&to, "repeat", "%s", repeat);
    free(repeat);
}

void report_decode(const struct lwp_dialect *dialect, struct lwp_bytes bytes, report_line *line,
                   void *context)
{
    char text[LWP_TRACE_SIZE];
    while (bytes.size >= LWP_HEADER_SIZE) {
        struct lwp_frame frame;
        lwp_header_decode(bytes.data, &frame.header);
        const struct lwp_bytes rest = lwp_bytes_from(bytes, LWP_HEADER_SIZE);
        frame.payload = rest;
        if (frame.header.payload_length < rest.size)
            frame.payload.size = frame.header.payload_length;
        (void)lwp_trace_frame(dialect, &frame, text, sizeof(text));
        line(context, text);
        bytes = lwp_bytes_from(rest, frame.payload.size);
    }
    if (bytes.size) {
        (void)snprintf(text, sizeof(text), "%zu bytes that are no whole header", bytes.size);
        line(context, text);
    }
}

/* Lines for somebody, two spaces in. */
struct inset {
    report_line *line;
    void *context;
};

static void set_in(void *context, const char *line)
{
    const struct inset *inset = context;
    char text[LWP_TRACE_SIZE + 2];
    (void)snprintf(text, sizeof(text), "  %s", line);
    inset->line(inset->context, text);
}

void report_transcript(const struct report *report, const struct result *result, report_line *line,
                       void *context)
{
    struct inset inset = {line, context};
    for (size_t i = 0; i < result->transcript.events.count; i++) {
        const struct event *event = &result->transcript.events.items[i];
        char text[128];
        char name[16];
        const size_t size = event->bytes.size + event->lost;
        int at = snprintf(text, sizeof(text), "%s %.3f ms %s",
                          report_connection_name(event->connection, name),
                          (double)event->time_ns / 1e6, report_event_word(event->kind));
        if (size)
            (void)snprintf(text + at, sizeof(text) - (size_t)at, " %zu bytes", size);
        line(context, text);
        report_decode(report->run.dialect, event->bytes, set_in, &inset);
    }
}

/* The step that failed, or NULL. */
static const struct script_step *failed_step(const struct result *result)
{
    for (size_t i = 0; i < result->of->steps.count; i++)
        if (result->line && result->of->steps.items[i].place.line == result->line)
            return &result->of->steps.items[i];
    return NULL;
}

const struct event *report_differing(const struct result *result)
{
    const struct script_step *step = failed_step(result);
    if (!step || result->offset < 0)
        return NULL;
    for (size_t i = result->transcript.events.count; i > 0; i--) {
        const struct event *event = &result->transcript.events.items[i - 1];
        if (event->kind == EVENT_RECEIVED && event->connection == step->connection + 1)
            return (size_t)result->offset < event->bytes.size ? event : NULL;
    }
    return NULL;
}
