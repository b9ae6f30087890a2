/* SPDX-License-Identifier: MIT */
#include "conformance/expectations.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conformance/expectations_state.h"
#include "mock_server/script/file.h"

static const char *const kind_words[] = {"xfail", "flaky", "skip"};

bool expectation_fits(const struct expectation *expectation, struct lwp_bytes id)
{
    return fnmatch((const char *)expectation->id.data, (const char *)id.data, 0) == 0;
}

const struct expectation *expectation_of(const struct expectations *expectations,
                                         struct lwp_bytes id)
{
    for (size_t i = 0; i < expectations->list.count; i++)
        if (expectation_fits(&expectations->list.items[i], id))
            return &expectations->list.items[i];
    return NULL;
}

/* Takes the next word off the line. */
static struct lwp_bytes next_word(char **rest)
{
    char *word = *rest + strspn(*rest, " \t");
    char *end = word + strcspn(word, " \t");
    *rest = *end ? end + 1 : end;
    *end = '\0';
    return lwp_bytes_text(word);
}

/* Takes class=CLASS off the line, if it is there. */
static struct lwp_bytes next_class(char **rest)
{
    char *at = *rest + strspn(*rest, " \t");
    if (strncmp(at, EXPECTATION_CLASS, strlen(EXPECTATION_CLASS)) != 0)
        return (struct lwp_bytes){NULL, 0};
    *rest = at + strlen(EXPECTATION_CLASS);
    return next_word(rest);
}

static bool kind_of(struct lwp_bytes word, enum expectation_kind *kind)
{
    for (enum expectation_kind k = EXPECT_FAILURE; k <= EXPECT_SKIP; k++)
        if (lwp_bytes_equal(word, lwp_bytes_text(kind_words[k]))) {
            *kind = k;
            return true;
        }
    return false;
}

enum expectation_line expectation_parse(char *line, struct expectation *expectation,
                                        const char **problem)
{
    char *rest = line;
    line[strcspn(line, "\r")] = '\0';
    const char first = line[strspn(line, " \t")];
    *problem = NULL;
    if (first == '\0' || first == '#')
        return EXPECTATION_COMMENT;
    if (!kind_of(next_word(&rest), &expectation->kind))
        *problem = "expected xfail, flaky or skip";
    expectation->id = next_word(&rest);
    const char *before = rest;
    expectation->pinned_class = next_class(&rest);
    const bool is_pinned = rest != before && expectation->pinned_class.data;
    expectation->reason = lwp_bytes_text(rest + strspn(rest, " \t"));
    if (is_pinned && !failure_is_class(expectation->pinned_class))
        *problem = "expected a class: timeout, close, malformed, frame or field:NAME";
    else if (is_pinned && expectation->kind == EXPECT_SKIP)
        *problem = "what is skipped has no class";
    return *problem ? EXPECTATION_BROKEN : EXPECTATION_LINE;
}

/* The line that fits a case which an earlier one fits as well, or how many cases it fits. */
static const struct expectation *find_cases(const struct expectations *expectations,
                                            const struct expectation *line, size_t *count)
{
    const struct script *cases = expectations->cases;
    for (size_t i = 0; i < cases->cases.count; i++) {
        const struct script_case *of = &cases->cases.items[i];
        if (of->role != SCRIPT_SERVER || !expectation_fits(line, of->id))
            continue;
        const struct expectation *earlier = expectation_of(expectations, of->id);
        if (earlier)
            return earlier;
        ++*count;
    }
    return NULL;
}

/* Says what is wrong with the line. */
static bool complain(const struct expectations *expectations, unsigned line, const char *problem)
{
    (void)fprintf(stderr, "%s:%u: %s\n", expectations->path, line, problem);
    return false;
}

/* Whether the line is right, given the cases and the lines before it. */
static bool check_line(const struct expectations *expectations, const struct expectation *line)
{
    size_t count = 0;
    char problem[128] = "";
    const struct expectation *earlier = find_cases(expectations, line, &count);
    if (earlier)
        (void)snprintf(problem, sizeof(problem), "a case that it fits stands in line %u already",
                       earlier->line);
    else if (count > EXPECTATION_MAX_MATCHES)
        (void)snprintf(problem, sizeof(problem), "it fits %zu cases, at most %d are allowed", count,
                       EXPECTATION_MAX_MATCHES);
    else if (count == 0 && !expectations->updating)
        (void)snprintf(problem, sizeof(problem), "there is no case with this id");
    else if (line->reason.size == 0)
        (void)snprintf(problem, sizeof(problem), "expected a reason behind the id");
    else if (!expectations->updating && expectation_is_new(line))
        (void)snprintf(problem, sizeof(problem),
                       "expected a reason in place of the failure that --update-expect has noted");
    return problem[0] == '\0' || complain(expectations, line->line, problem);
}

static bool add_line(struct expectations *expectations, char *line, unsigned number)
{
    const char *problem = NULL;
    struct expectation read = {.line = number};
    const enum expectation_line what = expectation_parse(line, &read, &problem);
    if (what == EXPECTATION_COMMENT)
        return true;
    if (what == EXPECTATION_BROKEN)
        return complain(expectations, number, problem);
    if (!check_line(expectations, &read))
        return false;
    struct expectation *added = SCRIPT_ADD(&expectations->arena, &expectations->list);
    if (added)
        *added = read;
    return added || complain(expectations, number, "there is no memory left");
}

/* The file's text, or an empty one for a file that is to be made. */
static bool read_text(struct expectations *expectations)
{
    size_t size = 0;
    if (expectations->updating && access(expectations->path, F_OK) != 0 && errno == ENOENT) {
        expectations->text = script_arena_copy(&expectations->arena, lwp_bytes_text(""));
        return true;
    }
    char *text = script_slurp(expectations->path, &size);
    if (!text)
        return false;
    const struct lwp_bytes bytes = {(const uint8_t *)text, size};
    expectations->text = script_arena_copy(&expectations->arena, bytes);
    free(text);
    return expectations->text.data != NULL;
}

char *expectations_lines(const struct expectations *expectations, struct script_arena *arena)
{
    struct lwp_bytes text = expectations->text;
    if (text.size && text.data[text.size - 1] == '\n')
        text.size--;
    char *room = script_arena_take(arena, text.size + 1);
    if (room && text.size)
        memcpy(room, text.data, text.size);
    return text.size ? room : NULL;
}

bool expectations_read(struct expectations *expectations, const char *path,
                       const struct script *cases, bool updating)
{
    unsigned number = 0;
    bool sound = true;
    expectations->path = path;
    expectations->cases = cases;
    expectations->updating = updating;
    if (!read_text(expectations))
        return false;
    char *rest = expectations_lines(expectations, &expectations->arena);
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
        sound = add_line(expectations, line, ++number) && sound;
    return sound;
}

static bool is_pass(const struct result *result)
{
    return result->verdict == VERDICT_PASS || result->verdict == VERDICT_LENIENT;
}

static bool is_failure(const struct result *result)
{
    return result->verdict == VERDICT_FAIL || result->verdict == VERDICT_TIMEOUT;
}

static void keep_outcome(struct expectations *expectations, const struct result *result)
{
    struct expectation_outcome *outcome = SCRIPT_ADD(&expectations->arena, &expectations->outcomes);
    if (!outcome)
        return;
    *outcome = (struct expectation_outcome){
        .of = result->of,
        .passed = is_pass(result),
        .reason = script_arena_copy(&expectations->arena, lwp_bytes_text(result->reason)),
    };
    if (is_failure(result))
        (void)failure_class(result, outcome->class);
}

static void say_other_class(const struct expectation *expectation, const char *class,
                            struct result *result)
{
    char before[RESULT_TEXT_SIZE];
    (void)snprintf(before, sizeof(before), "%s", result->reason);
    (void)snprintf(result->reason, sizeof(result->reason),
                   "expected to fail with class %.64s (%.100s), not %.64s: %.200s",
                   (const char *)expectation->pinned_class.data,
                   (const char *)expectation->reason.data, class, before);
}

static void judge_failure(const struct expectation *expectation, struct result *result)
{
    char class[FAILURE_CLASS_SIZE];
    const struct lwp_bytes pinned = expectation->pinned_class;
    if (pinned.size && !lwp_bytes_equal(pinned, lwp_bytes_text(failure_class(result, class)))) {
        say_other_class(expectation, class, result);
        return;
    }
    result->verdict = VERDICT_XFAIL;
    (void)snprintf(result->reason, sizeof(result->reason), "%s",
                   (const char *)expectation->reason.data);
}

void expectation_apply(struct expectations *expectations, struct result *result)
{
    if (expectations->updating)
        keep_outcome(expectations, result);
    const struct expectation *expectation = expectation_of(expectations, result->of->id);
    if (!expectation || expectation->kind == EXPECT_SKIP)
        return;
    const bool may_be_flaky = expectation->kind == EXPECT_ANYTHING;
    if (is_failure(result) || (result->verdict == VERDICT_FLAKY && may_be_flaky)) {
        judge_failure(expectation, result);
    } else if (is_pass(result) && expectation->kind == EXPECT_FAILURE) {
        result->verdict = VERDICT_XPASS;
        (void)snprintf(result->reason, sizeof(result->reason),
                       "expected to fail (%s): remove line %u of the expectation file",
                       (const char *)expectation->reason.data, expectation->line);
    }
}

void expectations_done(struct expectations *expectations)
{
    script_arena_done(&expectations->arena);
}
