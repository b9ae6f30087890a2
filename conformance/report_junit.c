/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "conformance/report.h"

/* The totals stand in front of what they count, so all is collected. */
struct junit {
    bool begun;
    struct report_piece suites; /* Of the runs that are over. */
    struct report_piece cases;  /* Of this run. */
};

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

/* What JUnit calls a class of verdicts; NULL for those that passed. */
static const char *const elements[] = {
    [CLASS_PASSED] = NULL,       [CLASS_FAILED] = "failure", [CLASS_BROKEN] = "error",
    [CLASS_SKIPPED] = "skipped", [CLASS_KNOWN] = "skipped",
};

static void begin(const struct report *report, struct report_out *out)
{
    struct junit *junit = out->state;
    (void)report;
    if (!junit->begun)
        report_piece_begin(&junit->suites);
    junit->begun = true;
    report_piece_begin(&junit->cases);
    if (!junit->suites.out || !junit->cases.out)
        out->error = ENOMEM;
}

static void write_fact(void *context, const char *label, const char *value)
{
    (void)fprintf(context, "%s ", label);
    write_escaped(context, value);
    (void)fputc('\n', context);
}

static void write_line(void *context, const char *line)
{
    write_escaped(context, line);
    (void)fputc('\n', context);
}

/* A case that did not pass. */
static void write_outcome(const struct report *report, FILE *out, const struct result *result)
{
    const enum verdict_class class = verdict_class_of(result->verdict);
    (void)fprintf(out, ">\n      <%s", elements[class]);
    write_attribute(out, "message", result->reason);
    if (class != CLASS_FAILED && class != CLASS_BROKEN) {
        (void)fputs("/>\n    </testcase>\n", out);
        return;
    }
    write_attribute(out, "type", verdict_word(result->verdict));
    (void)fputs(">\n", out);
    report_facts(report, result, write_fact, out);
    report_transcript(report, result, write_line, out);
    (void)fprintf(out, "</%s>\n    </testcase>\n", elements[class]);
}

static void add(const struct report *report, struct report_out *out, const struct result *result)
{
    FILE *cases = ((struct junit *)out->state)->cases.out;
    const char *id = (const char *)result->of->id.data;
    char classname[128];
    if (!cases)
        return;
    (void)snprintf(classname, sizeof(classname), "lwp.%s.%.*s", report->run.dialect->name,
                   (int)strcspn(id, "/"), id);
    (void)fputs("    <testcase", cases);
    write_attribute(cases, "name", id);
    write_attribute(cases, "classname", classname);
    write_attribute(cases, "file", result->of->place.file);
    (void)fprintf(cases, " line=\"%u\" time=\"%.6f\"", result->of->place.line,
                  (double)result->duration_ns / 1e9);
    if (elements[verdict_class_of(result->verdict)])
        write_outcome(report, cases, result);
    else
        (void)fputs("/>\n", cases);
}

static void write_totals(FILE *out, const struct report_counts *counts)
{
    size_t of[CLASS_KNOWN + 1] = {0};
    for (enum verdict verdict = 0; verdict < VERDICT_COUNT; verdict++)
        of[verdict_class_of(verdict)] += counts->of[verdict];
    (void)fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\"",
                  counts->total, of[CLASS_FAILED], of[CLASS_BROKEN],
                  of[CLASS_SKIPPED] + of[CLASS_KNOWN]);
}

static void write_property(FILE *out, const char *name, const char *value)
{
    if (!value)
        return;
    (void)fputs("      <property", out);
    write_attribute(out, "name", name);
    write_attribute(out, "value", value);
    (void)fputs("/>\n", out);
}

static void write_properties(FILE *out, const struct report *report)
{
    char seed[24];
    (void)snprintf(seed, sizeof(seed), "%" PRIu64, report->run.seed);
    (void)fputs("    <properties>\n", out);
    write_property(out, "seed", seed);
    write_property(out, "dialect", report->run.dialect->name);
    write_property(out, "version", report->run.version);
    write_property(out, "profile", report->run.profile);
    write_property(out, "axes", report->run.axes);
    write_property(out, "capture", report->outs[REPORT_PCAP].path);
    (void)fputs("    </properties>\n", out);
}

static void end(const struct report *report, struct report_out *out)
{
    struct junit *junit = out->state;
    FILE *suites = junit->suites.out;
    char name[512];
    if (suites) {
        (void)snprintf(name, sizeof(name), "%s %s", report->run.target, report->run.dialect->name);
        (void)fputs("  <testsuite", suites);
        write_attribute(suites, "name", name);
        write_totals(suites, &report->counts);
        (void)fprintf(suites, " time=\"%.6f\">\n", (double)report->duration_ns / 1e9);
        write_properties(suites, report);
    }
    if (!report_piece_done(&junit->cases, suites))
        out->error = ENOMEM;
    if (suites)
        (void)fputs("  </testsuite>\n", suites);
}

static void finish(const struct report *report, struct report_out *out)
{
    struct junit *junit = out->state;
    (void)fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", out->file);
    write_totals(out->file, &report->all);
    (void)fputs(">\n", out->file);
    if (junit->begun && !report_piece_done(&junit->suites, out->file))
        out->error = ENOMEM;
    (void)fputs("</testsuites>\n", out->file);
}

const struct report_form report_form_junit = {
    .state_size = sizeof(struct junit),
    .at = {[REPORT_BEGIN] = begin, [REPORT_END] = end, [REPORT_FINISH] = finish},
    .add = add,
};
