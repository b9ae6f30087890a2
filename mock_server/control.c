/* SPDX-License-Identifier: MIT */
#include "mock_server/control.h"

#include <errno.h>

#include "lwp/net/clock.h"
#include "lwp/tools/options.h"
#include "mock_server/mock_state.h"

enum { MAX_WORDS = 8 };

#define AWAIT_DEFAULT_NS (30 * LWP_SECOND_NS)
#define AWAIT_MOST_NS (3600 * LWP_SECOND_NS)

/* A command under way. */
struct call {
    struct lwp_mock *mock;
    char *words[MAX_WORDS]; /* The command is the first. */
    size_t count;
    FILE *out;
    struct control_wait *wait;
};

struct command {
    const char *word;
    const char *arguments;
    const char *help;
    size_t least; /* Words behind the command. */
    size_t most;
    enum control_outcome (*run)(struct call *call);
};

static enum control_outcome answer_ok(FILE *out, const char *text)
{
    (void)fprintf(out, "ok%s%s\n", text[0] ? " " : "", text);
    return CONTROL_ANSWERED;
}

static enum control_outcome answer_error(FILE *out, const char *text)
{
    (void)fprintf(out, "error %s\n", text);
    return CONTROL_ANSWERED;
}

/* `invalid` says what was wrong with the words. */
static enum control_outcome answer(const struct call *call, enum lwp_status status,
                                   const char *invalid)
{
    if (status == LWP_OK)
        return answer_ok(call->out, "");
    if (status == LWP_INVALID_ARGUMENT)
        return answer_error(call->out, invalid);
    return answer_error(call->out, status == LWP_IO ? strerror(errno) : lwp_status_text(status));
}

/* The word at this place, or NULL. */
static const char *word(const struct call *call, size_t at)
{
    return at < call->count ? call->words[at] : NULL;
}

static enum control_outcome run_address(struct call *call)
{
    const char *address = mock_address(call->mock, word(call, 1));
    return address ? answer_ok(call->out, address) : answer_error(call->out, "no such node");
}

static enum control_outcome run_down(struct call *call)
{
    return answer(call, mock_down(call->mock, word(call, 1)), "no such node");
}

static enum control_outcome run_up(struct call *call)
{
    return answer(call, mock_up(call->mock, word(call, 1)), "no such node");
}

static enum control_outcome run_advance(struct call *call)
{
    uint64_t duration_ns = 0;
    if (!lwp_read_duration(call->words[1], UINT64_MAX, &duration_ns))
        return answer_error(call->out, "not a duration such as 30s");
    mock_advance(call->mock, duration_ns);
    return answer_ok(call->out, "");
}

static enum control_outcome run_freeze(struct call *call)
{
    mock_freeze(call->mock, true);
    return answer_ok(call->out, "");
}

static enum control_outcome run_thaw(struct call *call)
{
    mock_freeze(call->mock, false);
    return answer_ok(call->out, "");
}

static enum control_outcome run_tag(struct call *call)
{
    char connection[64];
    const char *label = call->words[call->count - 1];
    (void)snprintf(connection, sizeof(connection), "%s%s%s", call->words[1],
                   call->count > 3 ? " " : "", call->count > 3 ? call->words[2] : "");
    return answer(call, mock_tag(call->mock, connection, label), "no such connection, or no label");
}

static enum control_outcome run_connections(struct call *call)
{
    (void)fprintf(call->out, "ok %zu\n", call->mock->connection_count);
    for (const struct member *m = call->mock->first; m; m = m->next) {
        char peer[LWP_ADDRESS_SIZE] = "-";
        const int fd = lwp_transport_fd(m->connection.link.transport);
        if (m->refused)
            continue;
        if (fd >= 0)
            (void)lwp_tcp_name(fd, true, peer);
        (void)fprintf(call->out, "%llu %s %s %s\n", (unsigned long long)m->connection.peer.number,
                      m->node->name[0] ? m->node->name : "-", peer, m->tag[0] ? m->tag : "-");
    }
    return CONTROL_ANSWERED;
}

/* await WHAT [TIMEOUT]: what has a unit is the time. */
static enum control_outcome run_await(struct call *call)
{
    struct control_wait *wait = call->wait;
    uint64_t timeout_ns = AWAIT_DEFAULT_NS;
    size_t count = call->count;
    if (count > 2 && strcmp(call->words[count - 1], "0") != 0 &&
        lwp_read_duration(call->words[count - 1], AWAIT_MOST_NS, &timeout_ns))
        count--;
    if (snprintf(wait->what, sizeof(wait->what), "%s%s%s", call->words[1], count > 2 ? " " : "",
                 count > 2 ? call->words[2] : "") >= (int)sizeof(wait->what) ||
        count > 3 || mock_reached(call->mock, wait->what) == LWP_INVALID_ARGUMENT)
        return answer_error(call->out, "nothing that can be awaited");
    wait->until_ns = lwp_clock_now() + timeout_ns;
    return control_resume(call->mock, wait, call->out);
}

static enum control_outcome run_quit(struct call *call)
{
    service_stop(call->mock);
    return answer_ok(call->out, "");
}

static enum control_outcome run_help(struct call *call);

static const struct command commands[] = {
    {"address", "[NODE]", "where the node listens", 0, 1, run_address},
    {"connections", "", "the connections: number, node, peer and label, a line each", 0, 0,
     run_connections},
    {"tag", "next|port N|NUMBER LABEL", "label a connection", 2, 3, run_tag},
    {"down", "[NODE]", "reset the node's connections and refuse new ones", 0, 1, run_down},
    {"up", "[NODE]", "let the node listen again, on the same port", 0, 1, run_up},
    {"advance", "DURATION", "move the clock forward", 1, 1, run_advance},
    {"freeze", "", "hold the clock", 0, 0, run_freeze},
    {"thaw", "", "let the clock go on", 0, 0, run_thaw},
    {"await", "connections N|idle [TIMEOUT]", "answer once it has happened, or after 30s", 1, 3,
     run_await},
    {"quit", "", "end the server", 0, 0, run_quit},
    {"help", "", "these lines", 0, 0, run_help},
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static enum control_outcome run_help(struct call *call)
{
    (void)fprintf(call->out, "ok %d\n", COMMAND_COUNT);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        (void)fprintf(call->out, "%s%s%s - %s\n", commands[i].word,
                      commands[i].arguments[0] ? " " : "", commands[i].arguments, commands[i].help);
    return CONTROL_ANSWERED;
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

static const char *split(char *line, struct call *call)
{
    for (char *at = line + strspn(line, " \t"); *at; at += strspn(at, " \t")) {
        char *taken = take_word(&at);
        if (!taken)
            return "a quote does not end";
        if (call->count == MAX_WORDS)
            return "too many words";
        call->words[call->count++] = taken;
    }
    return call->count ? NULL : "which command? help lists them";
}

enum control_outcome control_run(struct lwp_mock *mock, char *line, FILE *out,
                                 struct control_wait *wait)
{
    struct call call = {.mock = mock, .out = out, .wait = wait};
    const char *problem = split(line, &call);
    if (problem) {
        (void)answer_error(out, problem);
        return CONTROL_UNKNOWN;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const struct command *command = &commands[i];
        if (strcmp(command->word, call.words[0]) != 0)
            continue;
        if (call.count - 1 >= command->least && call.count - 1 <= command->most)
            return command->run(&call);
        (void)fprintf(out, "error usage: %s %s\n", command->word, command->arguments);
        return CONTROL_ANSWERED;
    }
    (void)answer_error(out, "no such command; help lists them");
    return CONTROL_UNKNOWN;
}

enum control_outcome control_resume(struct lwp_mock *mock, const struct control_wait *wait,
                                    FILE *out)
{
    if (mock_reached(mock, wait->what) == LWP_OK)
        return answer_ok(out, "");
    if (lwp_clock_now() < wait->until_ns)
        return CONTROL_WAITS;
    return answer_error(out, "it has not happened in time");
}
