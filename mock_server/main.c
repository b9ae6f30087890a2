/* SPDX-License-Identifier: MIT */
/* lwp-mock: the mock server as a program. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lwp/net/clock.h"
#include "mock_server/certs.h"
#include "mock_server/events.h"
#include "mock_server/lint.h"
#include "mock_server/mock.h"
#include "mock_server/options.h"

enum { EXIT_VERDICT = 1, EXIT_SET_UP = 3, MAX_SCRIPTS = 64 };

static const char before[] =
    "lwp-mock - a Lance server to test clients and suites against\n"
    "\n"
    "Usage: lwp-mock [OPTION]...\n"
    "       lwp-mock lint [--dialect D] FILE...   what is wrong with scripts\n"
    "       lwp-mock make-certs [--force] DIR     certificates to test with\n"
    "\n";

static const char after[] =
    "\n"
    "Prints \"listening on HOST:PORT\" and serves until SIGTERM or SIGINT; with several nodes a\n"
    "line \"NAME listening on HOST:PORT\" for each, with --control \"control on PATH\" as well, "
    "with\n"
    "scripts \"seed N\", and at the end \"verdict: passed\", or \"verdict: failed\" and what did "
    "not\n"
    "happen, a line each. Everything is kept in memory and gone at the end.\n"
    "\n"
    "Exit status: 0 after a signal, 1 if the scripts' verdict is that something failed, 3 if it\n"
    "can not listen or write, 64 for wrong usage and for scripts that are wrong.\n"
    "\n"
    "Example:\n"
    "  lwp-mock --listen 127.0.0.1:1992 --dialect lance --script slow.lwps\n";

struct script_file {
    const char *path;
    const char *scenario; /* NULL: its only one. */
};

struct arguments {
    struct lwp_mock_options mock; /* First, so that the library's rows find it. */
    const char *ready_file;
    struct script_file scripts[MAX_SCRIPTS];
    size_t script_count;
};

static const char *take_ready_file(void *into, const char *value)
{
    ((struct arguments *)into)->ready_file = value;
    return NULL;
}

static const char *take_script(void *into, const char *value)
{
    struct arguments *arguments = into;
    if (arguments->script_count == MAX_SCRIPTS)
        return "there are at most 64 scripts";
    arguments->scripts[arguments->script_count++].path = value;
    return NULL;
}

static const char *take_scenario(void *into, const char *value)
{
    struct arguments *arguments = into;
    struct script_file *last =
        arguments->script_count ? &arguments->scripts[arguments->script_count - 1] : NULL;
    if (!last || last->scenario)
        return "--scenario stands behind the --script that it is of";
    last->scenario = value;
    return NULL;
}

static const struct lwp_option own_options[] = {
    {"script", "FILE", "misbehave as this says (docs/script.md); repeatable", take_script},
    {"scenario", "ID", "which scenario of the script before it, if it has several", take_scenario},
    {"ready-file", "FILE",
     "write HOST:PORT there once the port is open; with several\n"
     "nodes a line NAME=HOST:PORT for each",
     take_ready_file},
    {NULL, NULL, NULL, NULL},
};

static const struct lwp_program program = {
    .name = "lwp-mock",
    .version = "lwp-mock " LWP_VERSION_TEXT,
    .before = before,
    .after = after,
    .options = {own_options, mock_options},
};

/* A descriptor that becomes readable when SIGTERM or SIGINT comes. */
static int watch_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* A line for each node: the name, if it has one, and where it listens. */
static bool print_addresses(FILE *out, struct lwp_mock *mock, const char *nameless,
                            const char *between)
{
    const char *name = NULL;
    for (size_t i = 0; (name = lwp_mock_node(mock, i)); i++)
        if (fprintf(out, "%s%s%s\n", name, name[0] ? between : nameless,
                    lwp_mock_address(mock, name)) < 0)
            return false;
    return true;
}

/* Written aside and renamed, so that a reader never sees half of it. */
static bool write_ready_file(const char *name, struct lwp_mock *mock)
{
    char aside[4096];
    if (snprintf(aside, sizeof(aside), "%s.tmp", name) >= (int)sizeof(aside))
        return false;
    FILE *file = fopen(aside, "w");
    if (!file)
        return false;
    const bool written = print_addresses(file, mock, "", "=");
    return fclose(file) == 0 && written && rename(aside, name) == 0;
}

/* Says where it listens and what it does; an exit status if it can not. */
static int announce(const struct arguments *arguments, struct lwp_mock *mock)
{
    (void)print_addresses(stdout, mock, "listening on ", " listening on ");
    if (arguments->mock.control)
        (void)printf("control on %s\n", lwp_mock_control_address(mock));
    if (arguments->script_count)
        (void)printf("seed %llu\n", (unsigned long long)arguments->mock.seed);
    (void)fflush(stdout);
    if (!arguments->ready_file || write_ready_file(arguments->ready_file, mock))
        return EXIT_SUCCESS;
    (void)fprintf(stderr, "lwp-mock: can not write %s: %s\n", arguments->ready_file,
                  strerror(errno));
    return EXIT_SET_UP;
}

/* What the process lives on for is over sooner with another signal. */
static void drain(struct lwp_mock *mock, int stop_fd)
{
    struct signalfd_siginfo first;
    struct pollfd another = {.fd = stop_fd, .events = POLLIN};
    const uint64_t drain_ns = lwp_mock_drain_ns(mock);
    if (drain_ns && read(stop_fd, &first, sizeof(first)) > 0)
        (void)poll(&another, 1, (int)(drain_ns / LWP_MILLISECOND_NS));
}

static int serve(const struct arguments *arguments, struct lwp_mock *mock)
{
    const int stop_fd = watch_signals();
    const enum lwp_status status = stop_fd < 0 ? LWP_IO : lwp_mock_open(mock);
    if (status != LWP_OK) {
        (void)fprintf(stderr, "lwp-mock: can not listen on %s: %s\n", lwp_mock_failed(mock),
                      status == LWP_IO ? strerror(errno) : lwp_status_text(status));
        return EXIT_SET_UP;
    }
    const int announced = announce(arguments, mock);
    if (announced != EXIT_SUCCESS)
        return announced;
    const enum lwp_status served = lwp_mock_serve(mock, stop_fd);
    drain(mock, stop_fd);
    (void)close(stop_fd);
    if (served != LWP_OK)
        (void)fprintf(stderr, "lwp-mock: %s\n", lwp_status_text(served));
    return served == LWP_OK ? EXIT_SUCCESS : EXIT_SET_UP;
}

/* What the scripts make of all that was seen, if there are any. */
static int judge(struct lwp_mock *mock)
{
    bool passed = true;
    char *text = NULL;
    if (!lwp_mock_is_scripted(mock))
        return EXIT_SUCCESS;
    if (lwp_mock_verdict(mock, &passed, &text) != LWP_OK)
        return EXIT_SET_UP;
    (void)printf("verdict: %s\n%s", passed ? "passed" : "failed", text);
    lwp_mock_free_text(text);
    return passed ? EXIT_SUCCESS : EXIT_VERDICT;
}

/* What could not be written is worth a status of its own, but for a verdict. */
static int check_events(struct lwp_mock *mock)
{
    const char *error = lwp_mock_log_error(mock);
    if (!error[0])
        return EXIT_SUCCESS;
    (void)fprintf(stderr, "lwp-mock: %s\n", error);
    return EXIT_SET_UP;
}

static int load_scripts(const struct arguments *arguments, struct lwp_mock *mock)
{
    int worst = -1;
    for (size_t i = 0; i < arguments->script_count; i++) {
        const struct script_file *script = &arguments->scripts[i];
        const enum lwp_status status = lwp_mock_script_file(mock, script->path, script->scenario);
        if (status == LWP_OK)
            continue;
        (void)fputs(lwp_mock_problems(mock), stderr);
        if (worst != LWP_EXIT_USAGE)
            worst = status == LWP_IO ? EXIT_SET_UP : LWP_EXIT_USAGE;
    }
    return worst;
}

/* What can not be seen in one option alone. */
static int check(const struct arguments *arguments, struct lwp_mock *mock)
{
    const struct lwp_mock_options *options = &arguments->mock;
    if (options->listen && options->node_count)
        return lwp_options_problem(&program, "--listen and --node exclude each other", NULL);
    if (!options->tls_certificate && (options->tls_key || options->tls_client_ca))
        return lwp_options_problem(&program, "--tls-key and --tls-client-ca need --tls-cert", NULL);
    const int loaded = load_scripts(arguments, mock);
    if (loaded >= 0)
        return loaded;
    if (options->until && lwp_mock_reached(mock, options->until) == LWP_INVALID_ARGUMENT)
        return lwp_options_problem(&program, "--exit-after can not wait for this", options->until);
    if (lwp_mock_fails_open(mock))
        (void)fputs("lwp-mock: there is no token, so nobody is asked for one\n", stderr);
    return -1;
}

static int run(const struct arguments *arguments, struct lwp_mock *mock)
{
    const int refused = check(arguments, mock);
    if (refused >= 0)
        return refused;
    const int served = serve(arguments, mock);
    if (served != EXIT_SUCCESS)
        return served;
    const int verdict = judge(mock);
    const int written = check_events(mock);
    return verdict != EXIT_SUCCESS ? verdict : written;
}

static int run_mock(int argc, char **argv)
{
    char problem[LWP_MOCK_PROBLEM_SIZE];
    struct arguments arguments = {
        .mock = {.dialect = &lwp_dialect_lance,
                 .epoch_ns = lwp_clock_wall() - lwp_clock_now(),
                 .seed = MOCK_DEFAULT_SEED,
                 .problem = problem},
    };
    int rest = 0;
    int status = lwp_options_read(&program, argc, argv, &arguments, &rest);
    if (status >= 0)
        return status;
    if (rest < argc)
        return lwp_options_problem(&program, "unexpected argument", argv[rest]);
    if (arguments.mock.control && !arguments.mock.kept_log_size)
        arguments.mock.kept_log_size = LWP_EVENTS_KEPT_DEFAULT;
    struct lwp_mock *mock = NULL;
    const enum lwp_status made = lwp_mock_new(&arguments.mock, &mock);
    if (made == LWP_INVALID_ARGUMENT)
        return lwp_options_problem(&program, problem, NULL);
    if (made != LWP_OK) {
        (void)fprintf(stderr, "lwp-mock: %s\n", problem);
        return EXIT_SET_UP;
    }
    status = run(&arguments, mock);
    lwp_mock_free(mock);
    return status;
}

static int run_lint(int argc, char **argv)
{
    return (int)lint_main(argc, argv, stdout);
}

struct subcommand {
    const char *word;
    int (*run)(int argc, char **argv);
};

static const struct subcommand subcommands[] = {
    {"lint", run_lint},
    {"make-certs", certs_main},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof(subcommands) / sizeof(subcommands[0]); i++)
        if (strcmp(argv[1], subcommands[i].word) == 0)
            return subcommands[i].run(argc - 1, argv + 1);
    return run_mock(argc, argv);
}
