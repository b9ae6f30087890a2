/* SPDX-License-Identifier: MIT */
/* lwp-mock: the mock server as a program. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lwp/net/clock.h"
#include "mock_server/mock.h"

enum { EXIT_SET_UP = 3, EXIT_USAGE = 64 };

static const char help[] =
    "lwp-mock - a Lance server to test clients and suites against\n"
    "\n"
    "Usage: lwp-mock [OPTION]...\n"
    "\n"
    "  --listen HOST[:PORT] where to listen; port 0 takes a free one, none is 1992\n"
    "                                                                  [127.0.0.1:0]\n"
    "  --dialect D          whom to imitate: lance, spec, lance-py; auto takes spec or\n"
    "                       lance from the first header of each connection [lance]\n"
    "  --ready-file FILE    write HOST:PORT there once the port is open\n"
    "  --auth-token TOKEN   refuse ingests before Authenticate with this token\n"
    "  --max-payload BYTES  the largest payload of a frame             [16777216]\n"
    "  --ack-delay MS       what an ack waits; the real server takes 5 [0]\n"
    "  --help, --version\n"
    "\n"
    "Prints \"listening on HOST:PORT\" and serves until SIGTERM or SIGINT.\n"
    "Everything is kept in memory and gone at the end.\n"
    "\n"
    "Exit status: 0 after a signal, 3 if it can not listen, 64 for wrong usage.\n"
    "\n"
    "Example:\n"
    "  lwp-mock --listen 127.0.0.1:1992 --dialect lance\n";

struct arguments {
    struct lwp_mock_options mock;
    struct lwp_address address;
    const char *ready_file;
};

static int usage(const char *problem, const char *value)
{
    (void)fprintf(stderr, "lwp-mock: %s%s%s\nTry 'lwp-mock --help'.\n", problem, value ? ": " : "",
                  value ? value : "");
    return EXIT_USAGE;
}

/* A decimal number from 1 or 0 up; false if `text` is anything else. */
static bool read_number(const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
    char *end = NULL;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || value < least || value > most)
        return false;
    *number = value;
    return true;
}

enum { OPTION_HELP = 'h', OPTION_VERSION = 'V' };

/* An option that takes a number. */
static int take_number(int option, const char *value, struct arguments *arguments)
{
    uint64_t number = 0;
    switch (option) {
    case 'm':
        if (!read_number(value, 1, UINT32_MAX, &number))
            return usage("--max-payload takes a number of bytes from 1 to 4294967295", value);
        arguments->mock.max_payload = (uint32_t)number;
        return -1;
    case 'k':
        if (!read_number(value, 0, 60000, &number))
            return usage("--ack-delay takes milliseconds from 0 to 60000", value);
        arguments->mock.ack_delay_ns = number * LWP_MILLISECOND_NS;
        return -1;
    default:
        return usage("wrong usage", NULL);
    }
}

/* One option. Returns -1, or the exit status with which to end. */
static int take_option(int option, const char *value, struct arguments *arguments)
{
    switch (option) {
    case 'l':
        if (lwp_address_parse(value, &arguments->address) != LWP_OK)
            return usage("--listen takes HOST:PORT", value);
        return -1;
    case 'd':
        arguments->mock.dialect = lwp_dialect_named(value);
        if (arguments->mock.dialect || strcmp(value, "auto") == 0)
            return -1;
        return usage("no such dialect", value);
    case 'r':
        arguments->ready_file = value;
        return -1;
    case 'a':
        arguments->mock.auth_token = value;
        return value[0] ? -1 : usage("--auth-token takes a token", NULL);
    default:
        return take_number(option, value, arguments);
    }
}

static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {
        {"listen", required_argument, NULL, 'l'},
        {"dialect", required_argument, NULL, 'd'},
        {"ready-file", required_argument, NULL, 'r'},
        {"auth-token", required_argument, NULL, 'a'},
        {"max-payload", required_argument, NULL, 'm'},
        {"ack-delay", required_argument, NULL, 'k'},
        {"help", no_argument, NULL, OPTION_HELP},
        {"version", no_argument, NULL, OPTION_VERSION},
        {NULL, 0, NULL, 0},
    };
    int option = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == OPTION_HELP || option == OPTION_VERSION) {
            (void)fputs(option == OPTION_HELP ? help : "lwp-mock " LWP_VERSION_TEXT "\n", stdout);
            return EXIT_SUCCESS;
        }
        const int status = take_option(option, optarg, arguments);
        if (status >= 0)
            return status;
    }
    return optind < argc ? usage("unexpected argument", argv[optind]) : -1;
}

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

/* Written aside and renamed, so that a reader never sees half of it. */
static bool write_ready_file(const char *name, const char *bound)
{
    char aside[4096];
    if (snprintf(aside, sizeof(aside), "%s.tmp", name) >= (int)sizeof(aside))
        return false;
    FILE *file = fopen(aside, "w");
    if (!file)
        return false;
    const bool written = fprintf(file, "%s\n", bound) > 0;
    return fclose(file) == 0 && written && rename(aside, name) == 0;
}

static int serve(const struct arguments *arguments, struct lwp_mock *mock)
{
    char bound[LWP_ADDRESS_SIZE];
    int listener = -1;
    const int stop_fd = watch_signals();
    const enum lwp_status status = lwp_tcp_listen(&arguments->address, &listener, bound);
    if (status != LWP_OK || stop_fd < 0) {
        (void)fprintf(stderr, "lwp-mock: can not listen on %s port %s: %s\n",
                      arguments->address.host, arguments->address.port,
                      status == LWP_IO ? strerror(errno) : lwp_status_text(status));
        return EXIT_SET_UP;
    }
    (void)printf("listening on %s\n", bound);
    (void)fflush(stdout);
    if (arguments->ready_file && !write_ready_file(arguments->ready_file, bound)) {
        (void)fprintf(stderr, "lwp-mock: can not write %s: %s\n", arguments->ready_file,
                      strerror(errno));
        return EXIT_SET_UP;
    }
    const enum lwp_status served = lwp_mock_serve(mock, listener, stop_fd);
    (void)close(listener);
    (void)close(stop_fd);
    if (served != LWP_OK)
        (void)fprintf(stderr, "lwp-mock: %s\n", lwp_status_text(served));
    return served == LWP_OK ? EXIT_SUCCESS : EXIT_SET_UP;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {
        .mock = {.dialect = &lwp_dialect_lance, .epoch_ns = lwp_clock_wall() - lwp_clock_now()},
        .address = {"127.0.0.1", "0"},
    };
    const int ended = read_arguments(argc, argv, &arguments);
    if (ended >= 0)
        return ended;
    struct lwp_mock *mock = NULL;
    if (lwp_mock_new(&arguments.mock, &mock) != LWP_OK) {
        (void)fputs("lwp-mock: there is no memory left\n", stderr);
        return EXIT_SET_UP;
    }
    const int status = serve(&arguments, mock);
    lwp_mock_free(mock);
    return status;
}
