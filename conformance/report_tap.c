/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "conformance/report.h"

struct tap {
    size_t number; /* Of the last case. */
    bool begun;
};

static void write_version(struct report_out *out)
{
    struct tap *tap = out->state;
    if (!tap->begun)
        (void)fputs("TAP version 14\n", out->file);
    tap->begun = true;
}

static void begin(const struct report *report, struct report_out *out)
{
    write_version(out);
    (void)fprintf(out->file, "# target %s, dialect %s, seed %" PRIu64 "\n", report->run.target,
                  report->run.dialect->name, report->run.seed);
}

/* A text on the line of a case, where # begins what is not text. */
static void write_plain(FILE *out, const char *text)
{
    char *clean = report_utf8(text);
    for (const char *c = clean; c && *c; c++) {
        if (*c == '#' || *c == '\\')
            (void)fputc('\\', out);
        (void)fputc(*c == '\n' || *c == '\t' ? ' ' : *c, out);
    }
    free(clean);
}

/* A text in YAML: as in JSON, whose strings are among YAML's. */
static void write_quoted(FILE *out, const char *text)
{
    char *clean = report_utf8(text);
    struct json_object *string = clean ? json_object_new_string(clean) : NULL;
    (void)fputs(string ? json_object_to_json_string_ext(string, JSON_C_TO_STRING_NOSLASHESCAPE)
                       : "\"\"",
                out);
    json_object_put(string);
    free(clean);
}

static void write_member(FILE *out, const char *key, const char *text)
{
    (void)fprintf(out, "  %s: ", key);
    write_quoted(out, text);
    (void)fputc('\n', out);
}

/* Facts under way; a label that comes again makes a longer list. */
struct facts {
    FILE *out;
    const char *label;
};

static void write_item(void *context, const char *text)
{
    (void)fputs("    - ", context);
    write_quoted(context, text);
    (void)fputc('\n', context);
}

static void write_fact(void *context, const char *label, const char *value)
{
    struct facts *facts = context;
    if (!facts->label || strcmp(facts->label, label) != 0)
        (void)fprintf(facts->out, "  %s:\n", label);
    facts->label = label;
    write_item(facts->out, value);
}

static void write_diagnostics(const struct report *report, FILE *out, const struct result *result)
{
    struct facts facts = {out, NULL};
    (void)fputs("  ---\n", out);
    write_member(out, "verdict", verdict_word(result->verdict));
    write_member(out, "level", script_level_word(result->of->level));
    write_member(out, "message", result->reason);
    (void)fprintf(out, "  duration_ms: %.3f\n", (double)result->duration_ns / 1e6);
    report_facts(report, result, write_fact, &facts);
    if (result->transcript.events.count) {
        (void)fputs("  transcript:\n", out);
        report_transcript(report, result, write_item, out);
    }
    (void)fputs("  ...\n", out);
}

static void add(const struct report *report, struct report_out *out, const struct result *result)
{
    /* To a reader of TAP what is known to fail is no failure, so nothing is that ends a run with
     * another status than 0. */
    static const char *const directives[] = {
        [CLASS_SKIPPED] = " # SKIP ", [CLASS_KNOWN] = " # TODO "};
    const enum verdict_class class = verdict_class_of(result->verdict);
    struct tap *tap = out->state;
    const char *directive = class >= CLASS_SKIPPED ? directives[class] : NULL;
    const bool ok = class == CLASS_PASSED || class == CLASS_SKIPPED;
    (void)fprintf(out->file, "%s %zu - %s %s", ok ? "ok" : "not ok", ++tap->number,
                  (const char *)result->of->id.data, report->run.dialect->name);
    if (directive) {
        (void)fputs(directive, out->file);
        write_plain(out->file, result->reason);
    }
    (void)fputc('\n', out->file);
    if (report_is_told(result->verdict))
        write_diagnostics(report, out->file, result);
}

static void end(const struct report *report, struct report_out *out)
{
    for (size_t i = 0; i < REPORT_SLOWEST && report->slowest[i].id; i++)
        (void)fprintf(out->file, "# slowest: %.3f ms %s\n",
                      (double)report->slowest[i].duration_ns / 1e6, report->slowest[i].id);
}

static void finish(const struct report *report, struct report_out *out)
{
    const struct tap *tap = out->state;
    (void)report;
    write_version(out);
    (void)fprintf(out->file, "1..%zu\n", tap->number);
}

const struct report_form report_form_tap = {
    .state_size = sizeof(struct tap),
    .at = {[REPORT_BEGIN] = begin, [REPORT_END] = end, [REPORT_FINISH] = finish},
    .add = add,
};
