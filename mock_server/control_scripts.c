/* SPDX-License-Identifier: MIT */
/* The commands about scripts and about what happened. */
#include <stdlib.h>

#include "lwp/tools/options.h"
#include "mock_server/control_commands.h"
#include "mock_server/mock_state.h"

/* The first problem; the others are there for who wants them. */
static enum control_outcome tell_problems(const struct control_call *call)
{
    size_t more = 0;
    const char *problems = call->mock->problems;
    if (!problems)
        return control_error(call->out, lwp_status_text(LWP_NO_MEMORY));
    const size_t size = strcspn(problems, "\n");
    for (const char *at = problems + size; *at; at++)
        more += at[0] == '\n' && at[1];
    (void)fprintf(call->out, "error %.*s", (int)size, problems);
    if (more)
        (void)fprintf(call->out, " (and %zu more, see problems)", more);
    (void)fputc('\n', call->out);
    return CONTROL_ANSWERED;
}

enum control_outcome control_load(struct control_call *call)
{
    const struct lwp_bytes text = lwp_bytes_text(call->words[2]);
    return mock_scenario(call->mock, call->words[1], text, control_word(call, 3)) == LWP_OK
               ? control_ok(call->out, "")
               : tell_problems(call);
}

/* Whoever reaches a port of the loopback need not have this user's rights. */
enum control_outcome control_load_file(struct control_call *call)
{
    if (!call->talk->is_unix)
        return control_error(call->out, "files are read for those at a unix socket only");
    return mock_script_file(call->mock, call->words[1], control_word(call, 2)) == LWP_OK
               ? control_ok(call->out, "")
               : tell_problems(call);
}

enum control_outcome control_problems(struct control_call *call)
{
    return control_block(call->out, call->mock->problems ? call->mock->problems : "");
}

enum control_outcome control_arm(struct control_call *call)
{
    return control_answer(call, mock_arm(call->mock, call->words[1], true), "no such rule");
}

enum control_outcome control_disarm(struct control_call *call)
{
    return control_answer(call, mock_arm(call->mock, call->words[1], false), "no such rule");
}

/* Takes the text over. */
static enum control_outcome give_block(const struct control_call *call, enum lwp_status status,
                                       char *text)
{
    if (status != LWP_OK)
        return control_answer(call, status, "");
    const enum control_outcome outcome = control_block(call->out, text);
    free(text);
    return outcome;
}

enum control_outcome control_list(struct control_call *call)
{
    char *text = NULL;
    const enum lwp_status status = mock_list(call->mock, &text);
    return give_block(call, status, text);
}

enum control_outcome control_reset(struct control_call *call)
{
    mock_reset_scripts(call->mock);
    return control_ok(call->out, "");
}

enum control_outcome control_verdict(struct control_call *call)
{
    char *text = NULL;
    char *all = NULL;
    bool passed = false;
    enum lwp_status status = mock_verdict(call->mock, &passed, &text);
    if (status == LWP_OK && asprintf(&all, "%s\n%s", passed ? "passed" : "failed", text) < 0)
        status = LWP_NO_MEMORY;
    free(text);
    return give_block(call, status, all);
}

/* The number of the event; 0 for the lines in front of all events. */
static uint64_t number_of(const char *line, size_t size)
{
    static const char member[] = "\"number\":";
    const char *at = memmem(line, size, member, sizeof(member) - 1);
    return at ? strtoull(at + sizeof(member) - 1, NULL, 10) : 0;
}

/* Drops the lines of events up to this number, in place. */
static void drop_until(char *text, uint64_t number)
{
    char *out = text;
    for (const char *line = text; *line;) {
        const size_t size = strcspn(line, "\n") + 1;
        if (number_of(line, size) > number) {
            memmove(out, line, size);
            out += size;
        }
        line += size;
    }
    *out = '\0';
}

/* dump log [since N] */
enum control_outcome control_dump(struct control_call *call)
{
    static const char usage[] = "usage: dump log [since N]";
    char *text = NULL;
    size_t size = 0;
    uint64_t since = 0;
    const bool is_part = call->count > 2;
    if (strcmp(call->words[1], "log") != 0 || call->count == 3)
        return control_error(call->out, usage);
    if (is_part && (strcmp(call->words[2], "since") != 0 ||
                    !lwp_read_number(call->words[3], 0, UINT64_MAX, &since)))
        return control_error(call->out, usage);
    const enum lwp_status status = mock_log(call->mock, &text, &size);
    if (status == LWP_OK && is_part)
        drop_until(text, since);
    return give_block(call, status, text);
}
