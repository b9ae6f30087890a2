/* SPDX-License-Identifier: MIT */
/* lwp-mock: the mock server as a program. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lwp/net/clock.h"
#include "mock_server/mock.h"
#include "mock_server/options.h"

enum { EXIT_SET_UP = 3 };

static const char before[] = "lwp-mock - a Lance server to test clients and suites against\n"
                             "\n"
                             "Usage: lwp-mock [OPTION]...\n"
                             "\n";

static const char after[] =
    "\n"
    "Prints \"listening on HOST:PORT\" and serves until SIGTERM or SIGINT; with --node a line\n"
    "\"NAME listening on HOST:PORT\" for each, with --control \"control on PATH\" as well. "
    "Everything is kept in memory and gone at the end.\n"
    "\n"
    "Exit status: 0 after a signal, 3 if it can not listen, 64 for wrong usage.\n"
    "\n"
    "Example:\n"
    "  lwp-mock --listen 127.0.0.1:1992 --dialect lance\n";

struct arguments {
    struct lwp_mock_options mock; /* First, so that the library's rows find it. */
    const char *ready_file;
};

static const char *take_ready_file(void *into, const char *value)
{
    ((struct arguments *)into)->ready_file = value;
    return NULL;
}

static const struct lwp_option own_options[] = {
    {"ready-file", "FILE",
     "write HOST:PORT there once the port is open; with --node a\n"
     "line NAME=HOST:PORT for each",
     take_ready_file},
    {NULL, NULL, NULL, NULL},
};

static const struct lwp_program program = {
    .name = "lwp-mock",
    .version = "lwp-mock " LWP_VERSION_TEXT,
    .before = before,
    .after = after,
    .options = {mock_options, own_options},
};

/* A descriptor that becomes readable when SIGTERM or SIGINT comes. */
static int watch_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/* A line for each node: the name, if there are names, and where it listens. */
static bool print_addresses(FILE *out, const struct arguments *arguments, struct lwp_mock *mock,
                            const char *between)
{
    const char *const *nodes = arguments->mock.nodes;
    if (arguments->mock.node_count == 0)
        return fprintf(out, "%s%s\n", between[0] == ' ' ? between + 1 : "",
                       lwp_mock_address(mock, NULL)) > 0;
    for (size_t i = 0; i < arguments->mock.node_count; i++) {
        char name[LWP_MOCK_NAME_SIZE];
        (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(nodes[i], "="), nodes[i]);
        if (fprintf(out, "%s%s%s\n", name, between, lwp_mock_address(mock, name)) < 0)
            return false;
    }
    return true;
}

/* Written aside and renamed, so that a reader never sees half of it. */
static bool write_ready_file(const struct arguments *arguments, struct lwp_mock *mock)
{
    char aside[4096];
    const char *name = arguments->ready_file;
    if (snprintf(aside, sizeof(aside), "%s.tmp", name) >= (int)sizeof(aside))
        return false;
    FILE *file = fopen(aside, "w");
    if (!file)
        return false;
    const bool written = print_addresses(file, arguments, mock, "=");
    return fclose(file) == 0 && written && rename(aside, name) == 0;
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
    (void)print_addresses(stdout, arguments, mock, " listening on ");
    if (arguments->mock.control)
        (void)printf("control on %s\n", lwp_mock_control_address(mock));
    (void)fflush(stdout);
    if (arguments->ready_file && !write_ready_file(arguments, mock)) {
        (void)fprintf(stderr, "lwp-mock: can not write %s: %s\n", arguments->ready_file,
                      strerror(errno));
        return EXIT_SET_UP;
    }
    const enum lwp_status served = lwp_mock_serve(mock, stop_fd);
    (void)close(stop_fd);
    if (served != LWP_OK)
        (void)fprintf(stderr, "lwp-mock: %s\n", lwp_status_text(served));
    return served == LWP_OK ? EXIT_SUCCESS : EXIT_SET_UP;
}

/* What can not be seen in one option alone. */
static int check(const struct arguments *arguments, struct lwp_mock *mock)
{
    const struct lwp_mock_options *options = &arguments->mock;
    if (options->listen && options->node_count)
        return lwp_options_problem(&program, "--listen and --node exclude each other", NULL);
    if (options->until && lwp_mock_reached(mock, options->until) == LWP_INVALID_ARGUMENT)
        return lwp_options_problem(&program, "--exit-after can not wait for this", options->until);
    return -1;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {
        .mock = {.dialect = &lwp_dialect_lance, .epoch_ns = lwp_clock_wall() - lwp_clock_now()},
    };
    int rest = 0;
    int status = lwp_options_read(&program, argc, argv, &arguments, &rest);
    if (status >= 0)
        return status;
    if (rest < argc)
        return lwp_options_problem(&program, "unexpected argument", argv[rest]);
    struct lwp_mock *mock = NULL;
    if (lwp_mock_new(&arguments.mock, &mock) != LWP_OK) {
        (void)fputs("lwp-mock: there is no memory left\n", stderr);
        return EXIT_SET_UP;
    }
    status = check(&arguments, mock);
    if (status < 0)
        status = serve(&arguments, mock);
    lwp_mock_free(mock);
    return status;
}
