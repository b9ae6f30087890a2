/* SPDX-License-Identifier: MIT */
/* The commands about connections, nodes, the clock and the service; and the table of all. */
#include "mock_server/control_commands.h"
#include "lwp/net/clock.h"
#include "lwp/tools/options.h"
#include "mock_server/mock_state.h"

#define AWAIT_DEFAULT_NS (30 * LWP_SECOND_NS)
#define AWAIT_MOST_NS (3600 * LWP_SECOND_NS)

static enum control_outcome run_address(struct control_call *call)
{
    const char *address = mock_address(call->mock, control_word(call, 1));
    return address ? control_ok(call->out, address) : control_error(call->out, "no such node");
}

static enum control_outcome run_down(struct control_call *call)
{
    return control_answer(call, mock_down(call->mock, control_word(call, 1)), "no such node");
}

static enum control_outcome run_up(struct control_call *call)
{
    return control_answer(call, mock_up(call->mock, control_word(call, 1)), "no such node");
}

static enum control_outcome run_advance(struct control_call *call)
{
    uint64_t duration_ns = 0;
    if (!lwp_read_duration(call->words[1], UINT64_MAX, &duration_ns))
        return control_error(call->out, "not a duration such as 30s");
    mock_advance(call->mock, duration_ns);
    return control_ok(call->out, "");
}

static enum control_outcome run_freeze(struct control_call *call)
{
    mock_freeze(call->mock, true);
    return control_ok(call->out, "");
}

static enum control_outcome run_thaw(struct control_call *call)
{
    mock_freeze(call->mock, false);
    return control_ok(call->out, "");
}

static enum control_outcome run_tag(struct control_call *call)
{
    char connection[64];
    const char *label = call->words[call->count - 1];
    (void)snprintf(connection, sizeof(connection), "%s%s%s", call->words[1],
                   call->count > 3 ? " " : "", call->count > 3 ? call->words[2] : "");
    return control_answer(call, mock_tag(call->mock, connection, label),
                          "no such connection, or no label");
}

static enum control_outcome run_connections(struct control_call *call)
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
static enum control_outcome run_await(struct control_call *call)
{
    struct control_talk *talk = call->talk;
    uint64_t timeout_ns = AWAIT_DEFAULT_NS;
    size_t count = call->count;
    if (count > 2 && strcmp(call->words[count - 1], "0") != 0 &&
        lwp_read_duration(call->words[count - 1], AWAIT_MOST_NS, &timeout_ns))
        count--;
    if (snprintf(talk->what, sizeof(talk->what), "%s%s%s", call->words[1], count > 2 ? " " : "",
                 count > 2 ? call->words[2] : "") >= (int)sizeof(talk->what) ||
        count > 3 || mock_reached(call->mock, talk->what) == LWP_INVALID_ARGUMENT)
        return control_error(call->out, "nothing that can be awaited");
    talk->until_ns = lwp_clock_now() + timeout_ns;
    return control_resume(talk, call->out);
}

/* The number that is the last word; false after an answer that says it is none. */
static bool read_last(const struct control_call *call, uint64_t *number)
{
    if (lwp_read_number(call->words[call->count - 1], 0, UINT64_MAX, number))
        return true;
    (void)control_error(call->out, "not a number");
    return false;
}

static const char no_node[] = "no cluster, or no such node";

static enum control_outcome run_leader(struct control_call *call)
{
    return control_answer(call, mock_leader(call->mock, call->words[1], call->words[2]), no_node);
}

static enum control_outcome run_lag(struct control_call *call)
{
    uint64_t size = 0;
    if (!read_last(call, &size))
        return CONTROL_ANSWERED;
    return control_answer(call, mock_lag(call->mock, call->words[1], size), no_node);
}

static enum control_outcome run_stale(struct control_call *call)
{
    uint64_t count = 0;
    if (!read_last(call, &count))
        return CONTROL_ANSWERED;
    const char *node = call->count > 2 ? call->words[1] : NULL;
    return control_answer(call, mock_stale(call->mock, node, count), no_node);
}

static enum control_outcome run_ready(struct control_call *call)
{
    const char *word = control_word(call, 2);
    if (word && strcmp(word, "no") != 0)
        return control_error(call->out, "usage: ready NODE [no]");
    return control_answer(call, mock_ready(call->mock, call->words[1], !word), no_node);
}

static enum control_outcome run_restart(struct control_call *call)
{
    return control_answer(call, mock_restart(call->mock), "");
}

static enum control_outcome run_quit(struct control_call *call)
{
    service_stop(call->mock);
    return control_ok(call->out, "");
}

static enum control_outcome run_help(struct control_call *call);

const struct control_command control_commands[] = {
    {"address", "[NODE]", "where the node listens", 0, 1, run_address},
    {"connections", "", "the connections: number, node, peer and label, a line each", 0, 0,
     run_connections},
    {"tag", "next|port N|NUMBER LABEL", "label a connection", 2, 3, run_tag},
    {"load", "NAME TEXT [SCENARIO]", "load a script, in quotes with \\n for the ends of its lines",
     2, 3, control_load},
    {"load-file", "PATH [SCENARIO]", "load a script from a file, at a unix socket", 1, 2,
     control_load_file},
    {"problems", "", "all that is wrong with the script that was loaded last", 0, 0,
     control_problems},
    {"list", "", "the rules: name, place, armed or not, matched, fired", 0, 0, control_list},
    {"arm", "NAME", "let a rule, scenario or script fire", 1, 1, control_arm},
    {"disarm", "NAME", "keep it from firing", 1, 1, control_disarm},
    {"reset", "", "unload all scripts", 0, 0, control_reset},
    {"verdict", "", "passed or failed, and what did not happen", 0, 0, control_verdict},
    {"dump", "log [since N]", "the log, or what came behind event N", 1, 3, control_dump},
    {"down", "[NODE]", "reset the node's connections and refuse new ones", 0, 1, run_down},
    {"up", "[NODE]", "let the node listen again, on the same port", 0, 1, run_up},
    {"leader", "TOPIC NODE|none", "who leads the topic; * is all others", 2, 2, run_leader},
    {"lag", "NODE BYTES", "keep the node behind in each log", 2, 2, run_lag},
    {"stale", "[NODE] N", "let the next N answers name the leader before", 1, 2, run_stale},
    {"ready", "NODE [no]", "whether the node is ready to lead", 1, 2, run_ready},
    {"restart", "", "end the server's process and start it anew", 0, 0, run_restart},
    {"advance", "DURATION", "move the clock forward", 1, 1, run_advance},
    {"freeze", "", "hold the clock", 0, 0, run_freeze},
    {"thaw", "", "let the clock go on", 0, 0, run_thaw},
    {"await", "NAME|connections N|idle|decided [TIMEOUT]",
     "answer once it has happened, or after 30s", 1, 3, run_await},
    {"quit", "", "end the server", 0, 0, run_quit},
    {"help", "", "these lines", 0, 0, run_help},
    {NULL, NULL, NULL, 0, 0, NULL},
};

static enum control_outcome run_help(struct control_call *call)
{
    enum { COUNT = sizeof(control_commands) / sizeof(control_commands[0]) - 1 };
    (void)fprintf(call->out, "ok %d\n", COUNT);
    for (const struct control_command *c = control_commands; c->word; c++)
        (void)fprintf(call->out, "%s%s%s - %s\n", c->word, c->arguments[0] ? " " : "", c->arguments,
                      c->help);
    return CONTROL_ANSWERED;
}
