/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "conformance/report.h"

enum {
    /* The page of a CI job takes 1 MiB, so what is told of cases ends well before it. */
    CASES_MAX_SIZE = 458752,
    VALUE_MAX_SIZE = 2000,
    COMMAND_MAX_SIZE = 8000
};

/* The sections of a run, in the order in which they are read. */
enum section { UNEXPECTED, KNOWN, SECTION_COUNT };

struct markdown {
    struct report_piece sections[SECTION_COUNT];
    size_t left_out[SECTION_COUNT]; /* Cases for which there was no room. */
    long size;                      /* Of what was told of cases, in the runs before. */
};

static void begin(const struct report *report, struct report_out *out)
{
    struct markdown *markdown = out->state;
    (void)report;
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        report_piece_begin(&markdown->sections[i]);
        markdown->left_out[i] = 0;
        if (!markdown->sections[i].out)
            out->error = ENOMEM;
    }
}

/* Cuts a text that is too long, in whole characters. */
static bool cut(char *text)
{
    size_t size = VALUE_MAX_SIZE;
    if (strlen(text) <= size)
        return false;
    while (size && (text[size] & 0xc0) == 0x80)
        size--;
    text[size] = '\0';
    return true;
}

/* A text on a line, none of whose characters marks up anything. */
static void write_plain(FILE *out, const char *text)
{
    char *clean = report_utf8(text);
    const bool is_cut = clean && cut(clean);
    for (const char *c = clean; c && *c; c++) {
        if (strchr("\\`*_[]<>&|~#!$", *c))
            (void)fputc('\\', out);
        (void)fputc(*c == '\n' || *c == '\t' ? ' ' : *c, out);
    }
    (void)fputs(is_cut ? "…" : "", out);
    free(clean);
}

/* The most backquotes in a row. */
static int longest_quote(const char *text)
{
    int most = 0;
    for (int count = 0; *text; text++) {
        count = *text == '`' ? count + 1 : 0;
        most = count > most ? count : most;
    }
    return most;
}

/* A command to be copied as it is; one that is too long is not cut to something else. */
static void write_command(FILE *out, const char *text)
{
    static const char quotes[] = "````````````````";
    const int size = longest_quote(text) + 3;
    if (strlen(text) > COMMAND_MAX_SIZE || size > (int)sizeof(quotes) - 1)
        (void)fputs("\nThe command to repeat it is in the other reports.\n", out);
    else
        (void)fprintf(out, "\n%.*ssh\n%s\n%.*s\n", size, quotes, text, size, quotes);
}

static void write_fact(void *context, const char *label, const char *value)
{
    if (strcmp(label, "repeat") == 0) {
        write_command(context, value);
        return;
    }
    (void)fprintf(context, "| %s | ", label);
    write_plain(context, value);
    (void)fputs(" |\n", context);
}

static void write_unexpected(const struct report *report, FILE *out, const struct result *result)
{
    (void)fprintf(out, "\n#### %s: %s (%s)\n\n", verdict_word(result->verdict),
                  (const char *)result->of->id.data, script_level_word(result->of->level));
    write_plain(out, result->reason);
    (void)fputs("\n\n| | |\n|---|---|\n", out);
    report_facts(report, result, write_fact, out);
}

static void write_known(FILE *out, const struct result *result)
{
    (void)fprintf(out, "* %s %s: ", verdict_word(result->verdict),
                  (const char *)result->of->id.data);
    write_plain(out, result->reason);
    (void)fputc('\n', out);
}

static void add(const struct report *report, struct report_out *out, const struct result *result)
{
    struct markdown *markdown = out->state;
    const enum section section = report_is_bad(result->verdict) ? UNEXPECTED : KNOWN;
    FILE *to = markdown->sections[section].out;
    if (!report_is_told(result->verdict) || !to)
        return;
    if (markdown->size + ftell(to) > CASES_MAX_SIZE) {
        markdown->left_out[section]++;
        return;
    }
    if (section == UNEXPECTED)
        write_unexpected(report, to, result);
    else
        write_known(to, result);
}

static void write_head(const struct report *report, FILE *out)
{
    const struct report_counts *counts = &report->counts;
    size_t bad = 0;
    for (enum verdict verdict = 0; verdict < VERDICT_COUNT; verdict++)
        bad += report_is_bad(verdict) ? counts->of[verdict] : 0;
    (void)fputs("## ", out);
    write_plain(out, report->run.target);
    (void)fprintf(out, ", dialect %s: ", report->run.dialect->name);
    (void)fprintf(out, bad ? "%zu of %zu cases unexpected" : "all as expected", bad, counts->total);
    (void)fputs("\n\n| verdict | cases | |\n|---|---:|---|\n", out);
    for (enum verdict verdict = 0; verdict < VERDICT_COUNT; verdict++)
        if (counts->of[verdict])
            (void)fprintf(out, "| %s | %zu | %s |\n", verdict_word(verdict), counts->of[verdict],
                          verdict_text(verdict));
    (void)fprintf(out, "\n%zu cases, %.3f s, seed %" PRIu64, counts->total,
                  (double)report->duration_ns / 1e9, report->run.seed);
    if (report->run.profile) {
        (void)fputs(", profile ", out);
        write_plain(out, report->run.profile);
    }
    if (report->run.axes) {
        (void)fputs(", axes ", out);
        write_plain(out, report->run.axes);
    }
    (void)fputs("\n", out);
}

static void write_section(struct markdown *markdown, enum section section, FILE *out)
{
    static const char *const titles[] = {"\n### Unexpected\n", "\n### Known to fail\n\n"};
    struct report_piece *piece = &markdown->sections[section];
    const long size = piece->out ? ftell(piece->out) : 0;
    markdown->size += size;
    if (size)
        (void)fputs(titles[section], out);
    (void)report_piece_done(piece, out);
    if (markdown->left_out[section])
        (void)fprintf(out, "\n%zu more, for which there is no room here.\n",
                      markdown->left_out[section]);
}

static void write_slowest(const struct report *report, FILE *out)
{
    (void)fputs("\n### Slowest\n\n| ms | case |\n|---:|---|\n", out);
    for (size_t i = 0; i < REPORT_SLOWEST && report->slowest[i].id; i++)
        (void)fprintf(out, "| %.3f | %s |\n", (double)report->slowest[i].duration_ns / 1e6,
                      report->slowest[i].id);
}

static void end(const struct report *report, struct report_out *out)
{
    struct markdown *markdown = out->state;
    write_head(report, out->file);
    for (enum section section = 0; section < SECTION_COUNT; section++)
        write_section(markdown, section, out->file);
    write_slowest(report, out->file);
}

const struct report_form report_form_markdown = {
    .state_size = sizeof(struct markdown),
    .at = {[REPORT_BEGIN] = begin, [REPORT_END] = end},
    .add = add,
};
