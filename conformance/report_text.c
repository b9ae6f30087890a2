/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>

#include "conformance/report.h"
#include "conformance/requirements.h"

enum { DUMPED_SIZE = 256 };

void report_text_begin(struct report *report)
{
    (void)fprintf(report->text, "target %s, dialect %s, seed %" PRIu64 "\n", report->run.target,
                  report->run.dialect->name, report->run.seed);
}

static void print_line(void *context, const char *line)
{
    (void)fprintf(context, "           %s\n", line);
}

/* Sixteen bytes a line, with their offset. */
static void dump(FILE *out, struct lwp_bytes bytes)
{
    for (size_t at = 0; at < bytes.size && at < DUMPED_SIZE; at += 16) {
        (void)fprintf(out, "           %4zu ", at);
        for (size_t i = at; i < at + 16 && i < bytes.size; i++)
            (void)fprintf(out, " %02x", bytes.data[i]);
        (void)fputc('\n', out);
    }
    if (bytes.size > DUMPED_SIZE)
        (void)fprintf(out, "           … %zu more bytes\n", bytes.size - DUMPED_SIZE);
}

static void print_event(struct report *report, const struct event *event)
{
    char name[16] = "set-up";
    if (event->connection)
        (void)snprintf(name, sizeof(name), "c%u", event->connection);
    (void)fprintf(report->text, "    %-6s %9.3f ms  %s", name, (double)event->time_ns / 1e6,
                  report_event_word(event->kind));
    if (event->bytes.size)
        (void)fprintf(report->text, " %zu bytes", event->bytes.size + event->lost);
    (void)fputc('\n', report->text);
    report_decode(report->run.dialect, event->bytes, print_line, report->text);
    dump(report->text, event->bytes);
    if (event->lost)
        (void)fprintf(report->text, "           … %zu bytes were not kept\n", event->lost);
}

/* What was said elsewhere, made fit to print. */
static void print_clean(FILE *out, const char *label, const char *text)
{
    char *clean = report_utf8(text);
    (void)fprintf(out, "%s%s", label, clean ? clean : "");
    free(clean);
}

static void print_words(FILE *out, const char *label, const struct lwp_bytes *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        print_clean(out, i ? ", " : label, (const char *)items[i].data);
    if (count)
        (void)fputc('\n', out);
}

static void print_requirements(FILE *out, const struct script_case *of)
{
    for (size_t i = 0; i < of->texts.count; i++)
        (void)fprintf(out, "  required %s\n", (const char *)of->texts.items[i].data);
    for (size_t i = 0; i < of->requirements.count; i++) {
        const struct requirement *row = requirement_of(of->requirements.items[i]);
        if (row)
            (void)fprintf(out, "  section  %s (%s): %s\n", row->section, row->level, row->text);
    }
    print_words(out, "  recorded corpus/golden: ", of->recorded.items, of->recorded.count);
    print_words(out, "  deployed docs/server.md: ", of->sections.items, of->sections.count);
}

static void print_evidence(struct report *report, const struct result *result)
{
    FILE *out = report->text;
    print_requirements(out, result->of);
    if (result->line) {
        print_clean(out, "  step     ", result->of->place.file);
        (void)fprintf(out, ":%u\n", result->line);
    }
    if (result->expected[0])
        (void)fprintf(out, "  expected %s\n", result->expected);
    if (result->actual[0])
        (void)fprintf(out, "  actual   %s\n", result->actual);
    if (result->field)
        (void)fprintf(out, "  differs  %s", result->field);
    if (result->field && result->offset >= 0)
        (void)fprintf(out, ", first differing byte at offset %ld of the frame", result->offset);
    if (result->field)
        (void)fputc('\n', out);
    if (result->transcript.events.count)
        (void)fputs("  transcript\n", out);
    for (size_t i = 0; i < result->transcript.events.count; i++)
        print_event(report, &result->transcript.events.items[i]);
    print_clean(out, "  repeat   ", report->run.repeat);
    (void)fprintf(out, " %s\n", (const char *)result->of->id.data);
}

void report_text_case(struct report *report, const struct result *result)
{
    const bool bad = report_is_bad(result->verdict);
    if (!bad && !report->verbose && result->verdict != VERDICT_SKIP &&
        result->verdict != VERDICT_XFAIL)
        return;
    (void)fprintf(report->text, "%-12s %s (%s)", verdict_word(result->verdict),
                  (const char *)result->of->id.data, script_level_word(result->of->level));
    print_clean(report->text, result->reason[0] ? ": " : "", result->reason);
    (void)fputc('\n', report->text);
    /* What never began has no evidence: the reason says it all. */
    if (bad && result->transcript.events.count)
        print_evidence(report, result);
}

void report_text_end(struct report *report)
{
    const char *joint = ": ";
    (void)fprintf(report->text,
                  report->counts.total == 1 ? "%s, dialect %s: %zu case"
                                            : "%s, dialect %s: %zu cases",
                  report->run.target, report->run.dialect->name, report->counts.total);
    for (enum verdict verdict = 0; verdict < VERDICT_COUNT; verdict++) {
        if (report->counts.of[verdict] == 0)
            continue;
        (void)fprintf(report->text, "%s%zu %s", joint, report->counts.of[verdict],
                      verdict_word(verdict));
        joint = ", ";
    }
    (void)fprintf(report->text, " (%.3f s, seed %" PRIu64 ")\n", (double)report->duration_ns / 1e9,
                  report->run.seed);
}
