/* SPDX-License-Identifier: MIT */
#include "conformance/baseline.h"

#include <stdlib.h>

#include "conformance/report.h"

static const char *const change_words[] = {
    [BASELINE_FIXED] = "fixed", [BASELINE_BROKEN] = "broken", [BASELINE_NEW] = "new",
    [BASELINE_CLASS] = "class", [BASELINE_GONE] = "gone",
};

static struct baseline_case *case_of(const struct baseline *baseline, struct lwp_bytes id)
{
    for (size_t i = 0; i < baseline->cases.count; i++)
        if (lwp_bytes_equal(baseline->cases.items[i].id, id))
            return &baseline->cases.items[i];
    return NULL;
}

/* "fail field:flags", or the verdict alone if its class says no more. */
static const char *describe(struct baseline *baseline, enum verdict verdict, const char *class)
{
    char text[FAILURE_CLASS_SIZE + 32];
    const char *word = verdict_word(verdict);
    const bool says_more = report_is_bad(verdict) && *class && strcmp(class, word) != 0;
    (void)snprintf(text, sizeof(text), "%s%s%s", word, says_more ? " " : "",
                   says_more ? class : "");
    return (const char *)script_arena_copy(&baseline->arena, lwp_bytes_text(text)).data;
}

static void note(struct baseline *baseline, enum baseline_change change, struct lwp_bytes id,
                 const char *before, const char *after)
{
    struct baseline_note *added = SCRIPT_ADD(&baseline->arena, &baseline->notes);
    const struct lwp_bytes copy = script_arena_copy(&baseline->arena, id);
    if (added)
        *added = (struct baseline_note){
            .change = change,
            .id = (const char *)copy.data,
            .before = before,
            .after = after,
        };
}

static bool is_same(const struct baseline_case *then, const struct result *result,
                    const char *class)
{
    return then->verdict == result->verdict && lwp_bytes_equal(then->class, lwp_bytes_text(class));
}

static enum baseline_change compare(const struct baseline_case *then, const struct result *result,
                                    const char *class)
{
    const bool is_bad = report_is_bad(result->verdict);
    if (!then || then->verdict == VERDICT_SKIP)
        return is_bad ? BASELINE_NEW : BASELINE_SAME;
    if (result->verdict == VERDICT_SKIP)
        return BASELINE_GONE;
    if (report_is_bad(then->verdict) != is_bad)
        return is_bad ? BASELINE_BROKEN : BASELINE_FIXED;
    return is_bad && !is_same(then, result, class) ? BASELINE_CLASS : BASELINE_SAME;
}

void baseline_apply(struct baseline *baseline, struct result *result)
{
    char class[FAILURE_CLASS_SIZE];
    if (!baseline->path)
        return;
    const struct baseline_case *then = case_of(baseline, result->of->id);
    const enum baseline_change change = compare(then, result, failure_class(result, class));
    if (change < BASELINE_CHANGE_COUNT) {
        note(baseline, change, result->of->id,
             then ? describe(baseline, then->verdict, (const char *)then->class.data) : "not run",
             describe(baseline, result->verdict, class));
        return;
    }
    baseline->same++;
    result->is_same = true;
    /* What could not be run says nothing about the server, whatever it was then. */
    baseline->known[result->verdict] += result->verdict != VERDICT_ERROR;
}

static bool is_case(const struct script *cases, struct lwp_bytes id)
{
    for (size_t i = 0; i < cases->cases.count; i++)
        if (lwp_bytes_equal(cases->cases.items[i].id, id))
            return true;
    return false;
}

void baseline_end(struct baseline *baseline, const struct script *cases)
{
    for (size_t i = 0; i < baseline->cases.count; i++) {
        const struct baseline_case *then = &baseline->cases.items[i];
        if (!is_case(cases, then->id))
            note(baseline, BASELINE_GONE, then->id,
                 describe(baseline, then->verdict, (const char *)then->class.data), "no case");
    }
}

void baseline_print(const struct baseline *baseline, FILE *out)
{
    size_t counts[BASELINE_CHANGE_COUNT] = {0};
    (void)fprintf(out, "since %s:\n", baseline->path);
    for (size_t i = 0; i < baseline->notes.count; i++) {
        const struct baseline_note *one = &baseline->notes.items[i];
        counts[one->change]++;
        (void)fprintf(out, "%-12s %s: %s -> %s\n", change_words[one->change], one->id, one->before,
                      one->after);
    }
    for (int change = 0; change < BASELINE_CHANGE_COUNT; change++)
        (void)fprintf(out, "%zu %s, ", counts[change], change_words[change]);
    (void)fprintf(out, "%zu as before\n", baseline->same);
}

void baseline_done(struct baseline *baseline)
{
    script_arena_done(&baseline->arena);
}
