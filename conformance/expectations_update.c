/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "conformance/expectations_state.h"
#include "conformance/report.h"

/* A file that is being rewritten. */
struct rewrite {
    const struct expectations *expectations;
    struct script_arena arena;
    FILE *out;
    size_t dropped;
    size_t changed;
    size_t added;
};

/* What came of the cases that a line fits. */
struct tally {
    size_t cases;
    size_t passed;
    size_t reclassed; /* Failed, but not with the class that is pinned. */
};

static const struct expectation_outcome *outcome_of(const struct expectations *expectations,
                                                    struct lwp_bytes id)
{
    for (size_t i = 0; i < expectations->outcomes.count; i++)
        if (lwp_bytes_equal(expectations->outcomes.items[i].of->id, id))
            return &expectations->outcomes.items[i];
    return NULL;
}

static bool is_reclassed(const struct expectation *line, const struct expectation_outcome *outcome)
{
    return line->pinned_class.size && outcome->class[0] &&
           !lwp_bytes_equal(line->pinned_class, lwp_bytes_text(outcome->class));
}

static bool has_passed(const struct expectation *line, const struct expectation_outcome *outcome)
{
    return outcome && outcome->passed && line->kind == EXPECT_FAILURE;
}

static struct tally tally_of(const struct rewrite *rewrite, const struct expectation *line)
{
    struct tally tally = {.cases = 0};
    const struct script *cases = rewrite->expectations->cases;
    for (size_t i = 0; i < cases->cases.count; i++) {
        const struct script_case *of = &cases->cases.items[i];
        if (of->role != SCRIPT_SERVER || !expectation_fits(line, of->id))
            continue;
        const struct expectation_outcome *outcome = outcome_of(rewrite->expectations, of->id);
        tally.cases++;
        tally.passed += has_passed(line, outcome);
        tally.reclassed += outcome && is_reclassed(line, outcome);
    }
    return tally;
}

/* The line for one of the cases that it fits. */
static void write_line(FILE *out, const struct expectation *line, struct lwp_bytes id,
                       const struct expectation_outcome *outcome)
{
    const char *class = (const char *)line->pinned_class.data;
    (void)fprintf(out, "%s %s ", line->kind == EXPECT_FAILURE ? "xfail" : "flaky",
                  (const char *)id.data);
    if (line->pinned_class.size)
        (void)fprintf(out, EXPECTATION_CLASS "%s ",
                      outcome && is_reclassed(line, outcome) ? outcome->class : class);
    (void)fprintf(out, "%s\n", (const char *)line->reason.data);
}

/* A line for each case that the old one fits and that did not pass. */
static void write_apart(struct rewrite *rewrite, const struct expectation *line)
{
    const struct script *cases = rewrite->expectations->cases;
    for (size_t i = 0; i < cases->cases.count; i++) {
        const struct script_case *of = &cases->cases.items[i];
        const struct expectation_outcome *outcome = outcome_of(rewrite->expectations, of->id);
        if (of->role == SCRIPT_SERVER && expectation_fits(line, of->id) &&
            !has_passed(line, outcome))
            write_line(rewrite->out, line, of->id, outcome);
    }
}

static void rewrite_line(struct rewrite *rewrite, const char *text, unsigned number)
{
    struct expectation line = {.line = number};
    const char *problem = NULL;
    const size_t size = strlen(text) + 1;
    char *copy = script_arena_take(&rewrite->arena, size);
    if (copy)
        memcpy(copy, text, size);
    if (!copy || expectation_parse(copy, &line, &problem) != EXPECTATION_LINE) {
        (void)fprintf(rewrite->out, "%s\n", text);
        return;
    }
    const struct tally tally = tally_of(rewrite, &line);
    if (tally.cases == tally.passed) {
        (void)fprintf(stderr, "%s:%u: dropped: %s\n", rewrite->expectations->path, number,
                      tally.cases ? "it passes" : "there is no such case");
        rewrite->dropped++;
    } else if (tally.passed + tally.reclassed) {
        write_apart(rewrite, &line);
        rewrite->changed++;
    } else {
        (void)fprintf(rewrite->out, "%s\n", text);
    }
}

/* Fit to stand on a line. */
static void write_clean(FILE *out, struct lwp_bytes text)
{
    for (size_t i = 0; i < text.size && text.data[i] != '\n'; i++)
        (void)fputc(text.data[i] < 0x20 || text.data[i] == 0x7f ? '?' : text.data[i], out);
}

static void add_lines(struct rewrite *rewrite)
{
    const struct expectations *expectations = rewrite->expectations;
    for (size_t i = 0; i < expectations->outcomes.count; i++) {
        const struct expectation_outcome *outcome = &expectations->outcomes.items[i];
        if (!outcome->class[0] || expectation_of(expectations, outcome->of->id))
            continue;
        (void)fprintf(rewrite->out, "xfail %s " EXPECTATION_CLASS "%s " EXPECTATION_NEW " ",
                      (const char *)outcome->of->id.data, outcome->class);
        write_clean(rewrite->out, outcome->reason);
        (void)fputc('\n', rewrite->out);
        rewrite->added++;
    }
}

bool expectations_rewrite(const struct expectations *expectations)
{
    struct report_out file;
    unsigned number = 0;
    if (!report_out_open(&file, expectations->path, 0)) {
        report_out_drop(&file);
        return false;
    }
    struct rewrite rewrite = {.expectations = expectations, .out = file.file};
    char *rest = expectations_lines(expectations, &rewrite.arena);
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
        rewrite_line(&rewrite, line, ++number);
    add_lines(&rewrite);
    script_arena_done(&rewrite.arena);
    if (!report_out_keep(&file))
        return false;
    (void)fprintf(stderr, "%s: %zu lines added, %zu changed, %zu dropped\n", expectations->path,
                  rewrite.added, rewrite.changed, rewrite.dropped);
    return true;
}
