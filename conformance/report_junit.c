/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>

#include "conformance/report.h"

static void write_escaped(FILE *out, const char *text)
{
    char *clean = report_utf8(text);
    for (const char *c = clean; c && *c; c++) {
        static const char special[] = "&<>\"\n\t";
        static const char *const escaped[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#10;", "&#9;"};
        const char *found = strchr(special, *c);
        if (found)
            (void)fputs(escaped[found - special], out);
        else
            (void)fputc(*c, out);
    }
    free(clean);
}

static void write_attribute(FILE *out, const char *name, const char *value)
{
    (void)fprintf(out, " %s=\"", name);
    write_escaped(out, value);
    (void)fputc('"', out);
}

/* What JUnit knows: a failure is the target's fault, an error ours or the set-up's. */
static const char *element_of(enum verdict verdict)
{
    static const char *const elements[VERDICT_COUNT] = {
        [VERDICT_FAIL] = "failure",  [VERDICT_TIMEOUT] = "failure", [VERDICT_CRASH] = "failure",
        [VERDICT_FLAKY] = "failure", [VERDICT_AXIS] = "failure",    [VERDICT_XPASS] = "failure",
        [VERDICT_ERROR] = "error",   [VERDICT_SKIP] = "skipped",    [VERDICT_XFAIL] = "skipped",
    };
    return elements[verdict];
}

static void write_line(void *context, const char *line)
{
    (void)fputs("  ", context);
    write_escaped(context, line);
    (void)fputs("\n", context);
}

static void write_transcript(struct report *report, const struct result *result)
{
    FILE *out = report->suite;
    (void)fprintf(out, "expected ");
    write_escaped(out, result->expected);
    (void)fprintf(out, "\nactual ");
    write_escaped(out, result->actual);
    (void)fputc('\n', out);
    for (size_t i = 0; i < result->transcript.events.count; i++) {
        const struct event *event = &result->transcript.events.items[i];
        (void)fprintf(out, "c%u %.3f ms %s\n", event->connection, (double)event->time_ns / 1e6,
                      report_event_word(event->kind));
        report_decode(report->run.dialect, event->bytes, write_line, out);
    }
    (void)fprintf(out, "repeat ");
    write_escaped(out, report->run.repeat);
    (void)fprintf(out, " %s\n", (const char *)result->of->id.data);
}

void report_junit_case(struct report *report, const struct result *result)
{
    FILE *out = report->suite;
    char classname[128];
    const char *id = (const char *)result->of->id.data;
    const char *element = element_of(result->verdict);
    (void)snprintf(classname, sizeof(classname), "lwp.%s.%.*s", report->run.dialect->name,
                   (int)strcspn(id, "/"), id);
    (void)fputs("    <testcase", out);
    write_attribute(out, "name", id);
    write_attribute(out, "classname", classname);
    write_attribute(out, "file", result->of->place.file);
    (void)fprintf(out, " line=\"%u\" time=\"%.6f\"", result->of->place.line,
                  (double)result->duration_ns / 1e9);
    if (!element) {
        (void)fputs("/>\n", out);
        return;
    }
    (void)fprintf(out, ">\n      <%s", element);
    write_attribute(out, "message", result->reason);
    if (strcmp(element, "skipped") != 0) {
        write_attribute(out, "type", verdict_word(result->verdict));
        (void)fputc('>', out);
        write_transcript(report, result);
        (void)fprintf(out, "</%s>\n    </testcase>\n", element);
        return;
    }
    (void)fputs("/>\n    </testcase>\n", out);
}

struct junit_totals {
    size_t failures, errors, skipped;
};

static struct junit_totals totals_of(const struct report_counts *counts)
{
    struct junit_totals totals = {0, 0, 0};
    for (enum verdict verdict = 0; verdict < VERDICT_COUNT; verdict++) {
        const char *element = element_of(verdict);
        if (element && element[0] == 'f')
            totals.failures += counts->of[verdict];
        else if (element && element[0] == 'e')
            totals.errors += counts->of[verdict];
        else if (element)
            totals.skipped += counts->of[verdict];
    }
    return totals;
}

static void write_totals(FILE *out, const struct report_counts *counts)
{
    const struct junit_totals totals = totals_of(counts);
    (void)fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\"",
                  counts->total, totals.failures, totals.errors, totals.skipped);
}

void report_junit_end(struct report *report)
{
    char *joined = NULL;
    size_t joined_size = 0;
    char name[512];
    (void)fclose(report->suite);
    FILE *out = open_memstream(&joined, &joined_size);
    if (!out) {
        free(report->suite_text);
        return;
    }
    (void)fputs(report->suites ? report->suites : "", out);
    (void)snprintf(name, sizeof(name), "%s %s", report->run.target, report->run.dialect->name);
    (void)fputs("  <testsuite", out);
    write_attribute(out, "name", name);
    write_totals(out, &report->counts);
    (void)fprintf(out, " time=\"%.6f\">\n    <properties>\n", (double)report->duration_ns / 1e9);
    (void)fprintf(out, "      <property name=\"seed\" value=\"%" PRIu64 "\"/>\n", report->run.seed);
    (void)fprintf(out, "      <property name=\"dialect\" value=\"%s\"/>\n    </properties>\n",
                  report->run.dialect->name);
    (void)fputs(report->suite_text, out);
    (void)fputs("  </testsuite>\n", out);
    (void)fclose(out);
    free(report->suite_text);
    free(report->suites);
    report->suites = joined;
}

void report_junit_finish(struct report *report)
{
    (void)fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", report->junit);
    write_totals(report->junit, &report->all);
    (void)fprintf(report->junit, ">\n%s</testsuites>\n", report->suites ? report->suites : "");
}
