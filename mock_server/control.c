/* SPDX-License-Identifier: MIT */
#include "mock_server/control.h"

#include <errno.h>

#include "lwp/net/clock.h"
#include "mock_server/control_commands.h"
#include "mock_server/mock_state.h"

enum control_outcome control_ok(FILE *out, const char *text)
{
    (void)fprintf(out, "ok%s%s\n", text[0] ? " " : "", text);
    return CONTROL_ANSWERED;
}

enum control_outcome control_error(FILE *out, const char *text)
{
    (void)fprintf(out, "error %s\n", text);
    return CONTROL_ANSWERED;
}

enum control_outcome control_answer(const struct control_call *call, enum lwp_status status,
                                    const char *invalid)
{
    if (status == LWP_OK)
        return control_ok(call->out, "");
    if (status == LWP_INVALID_ARGUMENT)
        return control_error(call->out, invalid);
    return control_error(call->out, status == LWP_IO ? strerror(errno) : lwp_status_text(status));
}

enum control_outcome control_block(FILE *out, const char *text)
{
    size_t count = 0;
    for (const char *at = strchr(text, '\n'); at; at = strchr(at + 1, '\n'))
        count++;
    (void)fprintf(out, "ok %zu\n%s", count, text);
    return CONTROL_ANSWERED;
}

const char *control_word(const struct control_call *call, size_t at)
{
    return at < call->count ? call->words[at] : NULL;
}

/* One character of a quoted word, which may be escaped; `*at` is moved behind it. */
static char unescape(char **at)
{
    static const char from[] = "nt\"\\";
    static const char to[] = "\n\t\"\\";
    const char c = *(*at)++;
    const char *escape = c == '\\' && **at ? strchr(from, **at) : NULL;
    if (!escape)
        return c;
    (*at)++;
    return to[escape - from];
}

/* Takes the next word off the front, in place; NULL if its quotes do not end. A word is at most as
 * long as what it is written as. */
static char *take_word(char **at)
{
    char *begin = *at;
    char *out = begin;
    if (*begin != '"') {
        *at += strcspn(begin, " \t");
        if (**at)
            *(*at)++ = '\0';
        return begin;
    }
    (*at)++;
    while (**at && **at != '"')
        *out++ = unescape(at);
    if (!**at)
        return NULL;
    (*at)++;
    *out = '\0';
    return begin;
}

static const char *split(char *line, struct control_call *call)
{
    for (char *at = line + strspn(line, " \t"); *at; at += strspn(at, " \t")) {
        char *taken = take_word(&at);
        if (!taken)
            return "a quote does not end";
        if (call->count == CONTROL_MAX_WORDS)
            return "too many words";
        call->words[call->count++] = taken;
    }
    return call->count ? NULL : "which command? help lists them";
}

enum control_outcome control_run(struct control_talk *talk, char *line, FILE *out)
{
    struct control_call call = {.mock = talk->mock, .out = out, .talk = talk};
    const char *problem = split(line, &call);
    if (problem) {
        (void)control_error(out, problem);
        return CONTROL_UNKNOWN;
    }
    for (const struct control_command *command = control_commands; command->word; command++) {
        if (strcmp(command->word, call.words[0]) != 0)
            continue;
        if (call.count - 1 >= command->least && call.count - 1 <= command->most)
            return command->run(&call);
        (void)fprintf(out, "error usage: %s %s\n", command->word, command->arguments);
        return CONTROL_ANSWERED;
    }
    (void)control_error(out, "no such command; help lists them");
    return CONTROL_UNKNOWN;
}

enum control_outcome control_resume(const struct control_talk *talk, FILE *out)
{
    const enum lwp_status status = mock_reached(talk->mock, talk->what);
    if (status == LWP_OK)
        return control_ok(out, "");
    if (status == LWP_INVALID_ARGUMENT)
        return control_error(out, "the script that it was of is gone");
    if (lwp_clock_now() < talk->until_ns)
        return CONTROL_WAITS;
    return control_error(out, "it has not happened in time");
}
