/* SPDX-License-Identifier: MIT */
#include "lwp/bench/server.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "lwp/bench/bare_loop.h"
#include "mock_server/mock.h"

struct server {
    enum server_kind kind;
    struct lwp_mock *mock; /* Or, for a loop, */
    int listener;
    int stop_fd;
    uint16_t port;
    pthread_t thread;
    clockid_t clock;
};

/* None of them ever matches what the producer sends or what it gets. */
static const char rules_without_match[] =
    "scenario never\n"
    "  on fetch max_bytes=1 -> error not-leader optional\n"
    "  on ingest batch_id=max -> backpressure optional\n"
    "  on ingest topic_id=77 -> drop-reply optional\n"
    "  on ingest record_count > 100000 -> close rst optional\n"
    "  on conn 99 ingest -> late-reply 40ms optional\n"
    "  on keepalive nth 3 -> drop-reply optional\n"
    "  on subscribe -> hold optional\n"
    "  on commit-offset every 2 -> dup-reply optional\n"
    "  on create-topic name=\"orders\" -> error topic-already-exists optional\n"
    "  on out ack batch_id=max -> set header_crc=0 optional\n"
    "  on out fetch-response -> chop 43,1,* optional\n"
    "  on out backpressure -> log \"slow\" optional\n";

static const char scripted[] = "scenario scripted\n"
                               "  on connect -> chop 43,1,*\n"
                               "  on keepalive nth 1 -> keepalive, log \"seen\"\n"
                               "  on keepalive -> keepalive\n";

static const char *script_of(enum server_kind kind)
{
    if (kind == SERVER_MOCK_WITH_RULES)
        return rules_without_match;
    return kind == SERVER_MOCK_WITH_SCRIPT ? scripted : NULL;
}

static bool is_mock(const struct server *server)
{
    return server->kind <= SERVER_MOCK_WITH_SCRIPT;
}

static bool open_mock(struct server *server)
{
    const struct lwp_mock_options options = {.dialect = &lwp_dialect_lance};
    const char *script = script_of(server->kind);
    if (lwp_mock_new(&options, &server->mock) != LWP_OK)
        return false;
    if (script && lwp_mock_script(server->mock, "bench.lwps", script) != LWP_OK) {
        fprintf(stderr, "lwp-bench: %s", lwp_mock_problems(server->mock));
        return false;
    }
    if (lwp_mock_open(server->mock) != LWP_OK)
        return false;
    const char *address = lwp_mock_address(server->mock, NULL);
    server->port = (uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10);
    return true;
}

static bool open_loop(struct server *server)
{
    const struct lwp_address anywhere = {"127.0.0.1", "0"};
    char bound[LWP_ADDRESS_SIZE];
    if (lwp_tcp_listen(&anywhere, &server->listener, bound) != LWP_OK)
        return false;
    server->port = (uint16_t)strtoul(strrchr(bound, ':') + 1, NULL, 10);
    return true;
}

static void *run(void *argument)
{
    struct server *server = argument;
    if (is_mock(server))
        (void)lwp_mock_serve(server->mock, server->stop_fd);
    else
        bare_loop_run(server->listener, server->stop_fd, server->kind == SERVER_LOOP);
    return NULL;
}

static bool start_thread(struct server *server, int cpu)
{
    cpu_set_t cpus;
    pthread_attr_t attributes;
    CPU_ZERO(&cpus);
    CPU_SET((size_t)cpu, &cpus);
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setaffinity_np(&attributes, sizeof(cpus), &cpus);
    const int error = pthread_create(&server->thread, &attributes, run, server);
    (void)pthread_attr_destroy(&attributes);
    return error == 0 && pthread_getcpuclockid(server->thread, &server->clock) == 0;
}

static void free_server(struct server *server)
{
    lwp_mock_free(server->mock);
    if (server->listener >= 0)
        (void)close(server->listener);
    if (server->stop_fd >= 0)
        (void)close(server->stop_fd);
    free(server);
}

struct server *server_start(enum server_kind kind, int cpu)
{
    struct server *server = malloc(sizeof(*server));
    if (!server)
        return NULL;
    *server = (struct server){.kind = kind, .listener = -1, .stop_fd = eventfd(0, EFD_CLOEXEC)};
    if (server->stop_fd >= 0 && (is_mock(server) ? open_mock(server) : open_loop(server)) &&
        start_thread(server, cpu))
        return server;
    fprintf(stderr, "lwp-bench: a server does not start\n");
    free_server(server);
    return NULL;
}

uint16_t server_port(const struct server *server)
{
    return server->port;
}

double server_cpu_ns(const struct server *server)
{
    struct timespec now = {0, 0};
    (void)clock_gettime(server->clock, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

void server_stop(struct server *server)
{
    const uint64_t once = 1;
    if (!server)
        return;
    (void)!write(server->stop_fd, &once, sizeof(once));
    (void)pthread_join(server->thread, NULL);
    free_server(server);
}
