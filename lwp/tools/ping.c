/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "lwp/tools/interrupt.h"
#include "lwp/tools/server.h"

struct arguments {
    struct server server; /* First, so that the rows of its options find it. */
    uint64_t count;
    uint64_t pause_ns;
};

enum { MAX_COUNT = 1000000, PERCENT = 100, ANSWER_MS = 5000 };

static const char *take_count(void *into, const char *value)
{
    return lwp_read_number(value, 1, MAX_COUNT, &((struct arguments *)into)->count)
               ? NULL
               : "--count takes a number from 1 to 1000000";
}

static const char *take_pause(void *into, const char *value)
{
    return lwp_read_duration(value, 3600 * LWP_SECOND_NS, &((struct arguments *)into)->pause_ns)
               ? NULL
               : "a pause is a time up to 1h, as in 100ms";
}

static const struct lwp_option options[] = {
    {"count", "N", "so many times                         [10]", take_count},
    {"pause", "T", "wait between two                      [0]", take_pause},
    {NULL, NULL, NULL, NULL},
};

static const struct lwp_program program = {
    .name = "lwp ping",
    .version = "lwp " LWP_VERSION_TEXT,
    .before = "lwp ping - does the server answer, and how fast?\n"
              "\n"
              "Usage: lwp ping [OPTION]... ADDRESS\n"
              "\n",
    .after =
        "\n"
        "Sends Keepalives, one at a time, and prints how long the answers take. One that takes\n"
        "more than 5s, or --timeout, ends it, and so does Ctrl-C: with what there is.\n"
        "'lwp --help' explains addresses and exit statuses.\n"
        "\n"
        "Example:\n"
        "  lwp ping --count 100 localhost:1992\n",
    .options = {options, server_options},
};

static int compare(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left;
    const uint64_t b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* The smallest time that so many percent of all do not exceed. */
static double percentile_ms(const uint64_t *times, size_t count, size_t percent)
{
    const size_t rank = (count * percent + PERCENT - 1) / PERCENT;
    return (double)times[rank ? rank - 1 : 0] / (double)LWP_MILLISECOND_NS;
}

static void print_summary(uint64_t *times, size_t count)
{
    if (count == 0)
        return;
    qsort(times, count, sizeof(*times), compare);
    (void)printf("%zu answers, in ms: min %.3f, median %.3f, p99 %.3f, max %.3f\n", count,
                 percentile_ms(times, count, 0), percentile_ms(times, count, 50),
                 percentile_ms(times, count, 99), percentile_ms(times, count, PERCENT));
}

static int ping(const struct arguments *arguments, struct lwp_client *client, uint64_t *times)
{
    const int interrupt = interrupt_open();
    size_t count = 0;
    int ended = EXIT_SOUND;
    while (count < arguments->count && !interrupt_came(interrupt)) {
        struct pollfd pause = {.fd = interrupt, .events = POLLIN};
        if (count && arguments->pause_ns)
            (void)poll(&pause, 1, lwp_clock_poll_ms(0, arguments->pause_ns));
        if (pause.revents)
            break;
        if (lwp_client_ping(client, &times[count]) != LWP_OK) {
            ended = server_refused(&program, &arguments->server, client);
            break;
        }
        count++;
    }
    print_summary(times, count);
    interrupt_close(interrupt);
    const int flushed = server_flush_output(&program);
    return ended != EXIT_SOUND ? ended : flushed;
}

int command_ping(int argc, char **argv)
{
    struct arguments arguments = {.server = server_defaults(), .count = 10};
    struct lwp_client *client = NULL;
    arguments.server.connect.request_timeout_ms = ANSWER_MS;
    int ended = server_read(&program, argc, argv, &arguments, 1);
    if (ended < 0)
        ended = server_connect(&program, &arguments.server, &client);
    if (ended < 0) {
        uint64_t *times = calloc(arguments.count, sizeof(*times));
        const struct lwp_details no_memory = lwp_details_of(LWP_NO_MEMORY);
        ended = times ? ping(&arguments, client, times)
                      : server_failed(&program, &arguments.server, &no_memory);
        free(times);
    }
    lwp_client_close(client);
    server_done(&arguments.server);
    return ended;
}
