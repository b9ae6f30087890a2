/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "conformance/expectations_state.h"
#include "conformance/whole_file.h"

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
        tally.passed += outcome && outcome->passed && line->kind == EXPECT_FAILURE;
        tally.reclassed += outcome && is_reclassed(line, outcome);
    }
    return tally;
}

/* A line for each case that the old one fits and that did not pass. */
static void write_apart(struct rewrite *rewrite, const struct expectation *line)
{
    const struct script *cases = rewrite->expectations->cases;
    for (size_t i = 0; i < cases->cases.count; i++) {
        const struct script_case *of = &cases->cases.items[i];
        const struct expectation_outcome *outcome = outcome_of(rewrite->expectations, of->id);
        if (of->role != SCRIPT_SERVER || !expectation_fits(line, of->id) ||
            (outcome && outcome->passed && line->kind == EXPECT_FAILURE))
            continue;
        const char *class = outcome && is_reclassed(line, outcome)
                                ? outcome->class
                                : (const char *)line->pinned_class.data;
        const bool is_pinned = line->pinned_class.size != 0;
        (void)fprintf(rewrite->out, "%s %s %s%s%s%s\n",
                      line->kind == EXPECT_FAILURE ? "xfail" : "flaky", (const char *)of->id.data,
                      is_pinned ? EXPECTATION_CLASS : "", is_pinned ? class : "",
                      is_pinned ? " " : "", (const char *)line->reason.data);
    }
}

static void rewrite_line(struct rewrite *rewrite, const char *text, unsigned number)
{
    struct expectation line = {.line = number};
    const char *problem = NULL;
    const struct lwp_bytes copy = script_arena_copy(&rewrite->arena, lwp_bytes_text(text));
    /* The copy is the arena's, for us to cut. */
    if (!copy.data ||
        expectation_parse((char *)(uintptr_t)copy.data, &line, &problem) != EXPECTATION_LINE) {
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
    struct rewrite rewrite = {.expectations = expectations};
    struct whole_file file;
    unsigned number = 0;
    bool written = whole_file_open(&file, expectations->path);
    if (written) {
        rewrite.out = file.out;
        char *rest = expectations_lines(expectations, &rewrite.arena);
        for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
            rewrite_line(&rewrite, line, ++number);
        add_lines(&rewrite);
        written = whole_file_close(&file);
    }
    script_arena_done(&rewrite.arena);
    if (!written)
        (void)fprintf(stderr, "lwp-conform: can not write %s: %s\n", expectations->path,
                      strerror(errno));
    else
        (void)fprintf(stderr, "%s: %zu lines added, %zu changed, %zu dropped\n", expectations->path,
                      rewrite.added, rewrite.changed, rewrite.dropped);
    return written;
}
