/* SPDX-License-Identifier: MIT */
#include "conformance/expectations.h"

#include <stdio.h>
#include <stdlib.h>

#include "mock_server/script/file.h"

static const char *const kind_words[] = {"xfail", "flaky", "skip"};

static bool has_case(const struct script *cases, struct lwp_bytes id)
{
    for (size_t i = 0; i < cases->cases.count; i++)
        if (lwp_bytes_equal(cases->cases.items[i].id, id))
            return true;
    return false;
}

const struct expectation *expectation_of(const struct expectations *expectations,
                                         struct lwp_bytes id)
{
    for (size_t i = 0; i < expectations->list.count; i++)
        if (lwp_bytes_equal(expectations->list.items[i].id, id))
            return &expectations->list.items[i];
    return NULL;
}

/* Takes the next word off the line. */
static char *next_word(char **rest)
{
    char *word = *rest + strspn(*rest, " \t");
    char *end = word + strcspn(word, " \t");
    *rest = *end ? end + 1 : end;
    *end = '\0';
    return word;
}

static int kind_of(const char *word)
{
    for (int kind = 0; kind < 3; kind++)
        if (strcmp(word, kind_words[kind]) == 0)
            return kind;
    return -1;
}

/* What is wrong with the line, or NULL after adding it. */
static const char *add_line(struct expectations *expectations, const struct script *cases,
                            char *line, unsigned number)
{
    char *rest = line;
    const int kind = kind_of(next_word(&rest));
    const struct lwp_bytes id = lwp_bytes_text(next_word(&rest));
    rest += strspn(rest, " \t");
    if (kind < 0)
        return "expected xfail, flaky or skip";
    if (!has_case(cases, id))
        return "there is no case with this id";
    if (expectation_of(expectations, id))
        return "this id stands here already";
    if (*rest == '\0')
        return "expected a reason behind the id";
    struct expectation *added = SCRIPT_ADD(&expectations->arena, &expectations->list);
    if (added)
        *added = (struct expectation){
            .kind = (enum expectation_kind)kind,
            .id = script_arena_copy(&expectations->arena, id),
            .reason = script_arena_copy(&expectations->arena, lwp_bytes_text(rest)),
            .line = number,
        };
    return NULL;
}

bool expectations_read(struct expectations *expectations, const char *path,
                       const struct script *cases)
{
    unsigned number = 0;
    bool sound = true;
    size_t size = 0;
    char *text = script_slurp(path, &size);
    if (!text)
        return false;
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        number++;
        line[strcspn(line, "\r")] = '\0';
        const char first = line[strspn(line, " \t")];
        if (first == '\0' || first == '#')
            continue;
        const char *problem = add_line(expectations, cases, line, number);
        if (problem)
            (void)fprintf(stderr, "%s:%u: %s\n", path, number, problem);
        sound = sound && !problem;
    }
    free(text);
    return sound;
}

void expectation_apply(const struct expectation *expectation, struct result *result)
{
    const bool failed = result->verdict == VERDICT_FAIL || result->verdict == VERDICT_TIMEOUT;
    const bool passed = result->verdict == VERDICT_PASS || result->verdict == VERDICT_LENIENT;
    if (!expectation)
        return;
    if (failed && expectation->kind != EXPECT_SKIP) {
        result->verdict = VERDICT_XFAIL;
        (void)snprintf(result->reason, sizeof(result->reason), "%s",
                       (const char *)expectation->reason.data);
    } else if (passed && expectation->kind == EXPECT_FAILURE) {
        result->verdict = VERDICT_XPASS;
        (void)snprintf(result->reason, sizeof(result->reason),
                       "expected to fail (%s): remove the line of the expectation file",
                       (const char *)expectation->reason.data);
    }
}

void expectations_done(struct expectations *expectations)
{
    script_arena_done(&expectations->arena);
}
