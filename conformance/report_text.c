/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>

#include "conformance/report.h"

enum { DUMPED_SIZE = 256, LINE_SIZE = 16 };

static void begin(const struct report *report, struct report_out *out)
{
    (void)fprintf(out->file, "target %s, dialect %s, seed %" PRIu64 "\n", report->run.target,
                  report->run.dialect->name, report->run.seed);
    if (report->run.axes)
        (void)fprintf(out->file, "axes %s\n", report->run.axes);
}

static void print_line(void *context, const char *line)
{
    (void)fprintf(context, "           %s\n", line);
}

static void dump_line(FILE *out, struct lwp_bytes bytes, size_t begin, size_t mark)
{
    (void)fprintf(out, "           %4zu ", begin);
    for (size_t i = begin; i < begin + LINE_SIZE && i < bytes.size; i++)
        (void)fprintf(out, "%c%02x", i == mark ? '>' : ' ', bytes.data[i]);
    (void)fputc('\n', out);
}

/* Sixteen bytes a line, with their offset: the front, and the line with the byte at `mark`. */
static void dump(FILE *out, struct lwp_bytes bytes, size_t mark)
{
    for (size_t at = 0; at < bytes.size && at < DUMPED_SIZE; at += LINE_SIZE)
        dump_line(out, bytes, at, mark);
    if (bytes.size > DUMPED_SIZE)
        (void)fprintf(out, "           … %zu more bytes\n", bytes.size - DUMPED_SIZE);
    if (mark >= DUMPED_SIZE && mark < bytes.size)
        dump_line(out, bytes, mark - mark % LINE_SIZE, mark);
}

static void print_event(const struct report *report, FILE *out, const struct event *event,
                        size_t mark)
{
    char name[16];
    (void)fprintf(out, "    %-6s %9.3f ms  %s", report_connection_name(event->connection, name),
                  (double)event->time_ns / 1e6, report_event_word(event->kind));
    if (event->bytes.size)
        (void)fprintf(out, " %zu bytes", event->bytes.size + event->lost);
    (void)fputc('\n', out);
    report_decode(report->run.dialect, event->bytes, print_line, out);
    dump(out, event->bytes, mark);
    if (event->lost)
        (void)fprintf(out, "           … %zu bytes were not kept\n", event->lost);
}

static void print_fact(void *context, const char *label, const char *value)
{
    (void)fprintf(context, "  %-8s %s\n", label, value);
}

static void print_evidence(const struct report *report, FILE *out, const struct result *result)
{
    const struct event *differing = report_differing(result);
    report_facts(report, result, print_fact, out);
    if (result->transcript.events.count)
        (void)fputs("  transcript\n", out);
    for (size_t i = 0; i < result->transcript.events.count; i++) {
        const struct event *event = &result->transcript.events.items[i];
        print_event(report, out, event, event == differing ? (size_t)result->offset : SIZE_MAX);
    }
}

static void add(const struct report *report, struct report_out *out, const struct result *result)
{
    const bool bad = report_is_bad(result->verdict);
    if ((verdict_class_of(result->verdict) == CLASS_PASSED || result->is_same) && !report->verbose)
        return;
    char *reason = report_utf8(result->reason);
    (void)fprintf(out->file, "%-12s %s (%s)%s%s\n", verdict_word(result->verdict),
                  (const char *)result->of->id.data, script_level_word(result->of->level),
                  reason && *reason ? ": " : "", reason ? reason : "");
    free(reason);
    /* What never began has no evidence: the reason says it all. */
    if (bad && (result->transcript.events.count || result->expected[0]))
        print_evidence(report, out->file, result);
}

/* Where the time went, if that is not seen at a glance. */
static void print_slowest(const struct report *report, FILE *out)
{
    if (report->counts.total <= REPORT_SLOWEST)
        return;
    (void)fputs("slowest\n", out);
    for (size_t i = 0; i < REPORT_SLOWEST && report->slowest[i].id; i++)
        (void)fprintf(out, "  %9.3f ms  %s\n", (double)report->slowest[i].duration_ns / 1e6,
                      report->slowest[i].id);
}

static void end(const struct report *report, struct report_out *out)
{
    const struct report_counts *counts = &report->counts;
    const char *joint = ": ";
    print_slowest(report, out->file);
    (void)fprintf(out->file,
                  counts->total == 1 ? "%s, dialect %s: %zu case" : "%s, dialect %s: %zu cases",
                  report->run.target, report->run.dialect->name, counts->total);
    for (enum verdict verdict = 0; verdict < VERDICT_COUNT; verdict++) {
        if (counts->of[verdict] == 0)
            continue;
        (void)fprintf(out->file, "%s%zu %s", joint, counts->of[verdict], verdict_word(verdict));
        joint = ", ";
    }
    (void)fprintf(out->file, " (%.3f s, seed %" PRIu64 ")\n", (double)report->duration_ns / 1e9,
                  report->run.seed);
}

const struct report_form report_form_text = {
    .at = {[REPORT_BEGIN] = begin, [REPORT_END] = end},
    .add = add,
};
