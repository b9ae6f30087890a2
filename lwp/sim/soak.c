/* SPDX-License-Identifier: MIT */
/* lwp-soak - the client library against a mock cluster over TCP or TLS, with faults, for some time. */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lwp/net/clock.h"
#include "lwp/sim/soak.h"
#include "lwp/tools/options.h"
#include "mock_server/certs.h"

struct arguments {
    uint64_t seconds;
    uint64_t seed;
    bool tls;
};

/* None of it lies about what is stored. */
static const char script[] = "topic t1 id=1\n"
                             "topic t2 id=2\n"
                             "topic t3 id=3\n"
                             "on ingest p=0.003 -> drop-reply optional\n"
                             "on ingest p=0.05 -> backpressure, apply optional\n"
                             "on ingest p=0.005 -> error storage-error optional\n"
                             "on ingest p=0.005 -> rate-limited 5ms optional\n"
                             "on ingest p=0.05 -> late-reply 1ms~30ms optional\n"
                             "on ingest p=0.02 -> dup-reply optional\n"
                             "on ingest p=0.005 -> close rst optional\n"
                             "on fetch p=0.02 -> catching-up 0 step 10 optional\n"
                             "on fetch p=0.003 -> drop-reply optional\n"
                             "on fetch p=0.05 -> late-reply 1ms~20ms optional\n"
                             "on fetch p=0.005 -> close fin optional\n"
                             "on commit-offset p=0.05 -> drop-reply optional\n"
                             "on connect p=0.1 -> refuse optional\n"
                             "on connect p=0.2 -> chop 1,43,* gap 1ms optional\n"
                             "on connect p=0.2 -> delay 1ms~5ms inorder optional\n"
                             "on out frame p=0.003 -> close rst after 20 bytes optional\n"
                             "on out frame p=0.001 -> set header_crc=wrong optional\n";

static const char *const nodes[] = {"A", "B", "C"};

void soak_fail(const struct soak *soak, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fprintf(stderr, "FAILED  seed %llu: ", (unsigned long long)soak->seed);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
    _exit(EXIT_FAILURE);
}

struct lwp_connect_options soak_connect(const struct soak *soak, struct sim_dice *dice,
                                        bool caller_driven)
{
    const char *node = nodes[sim_between(dice, 0, 2)];
    struct lwp_connect_options connect = lwp_connect_defaults(lwp_mock_address(soak->mock, node));
    connect.security = soak->security;
    connect.caller_driven = caller_driven;
    connect.connect_timeout_ms = 1000;
    connect.request_timeout_ms = 300;
    connect.keepalive_ms = 200;
    connect.dead_after_ms = 2000;
    connect.backoff.first_ns = 2 * LWP_MILLISECOND_NS;
    connect.backoff.cap_ns = 50 * LWP_MILLISECOND_NS;
    return connect;
}

static void do_fault(struct soak *soak, struct sim_dice *dice)
{
    static const char *const topics[] = {"*", "t1", "t2", "t3"};
    const char *node = nodes[sim_between(dice, 0, 2)];
    switch (sim_between(dice, 0, 9)) {
    case 0:
    case 1:
        (void)lwp_mock_down(soak->mock, node);
        break;
    case 2:
        (void)lwp_mock_lag(soak->mock, node, sim_between(dice, 0, 1000));
        break;
    case 3:
        (void)lwp_mock_stale(soak->mock, node, sim_between(dice, 1, 3));
        break;
    case 4:
    case 5:
    case 6:
        (void)lwp_mock_leader(soak->mock, topics[sim_between(dice, 0, 3)], node);
        break;
    default:
        for (unsigned i = 0; i < 3; i++)
            (void)lwp_mock_up(soak->mock, nodes[i]);
        break;
    }
}

static void heal(struct soak *soak)
{
    static const char *const topics[] = {"*", "t1", "t2", "t3"};
    lwp_mock_reset(soak->mock);
    for (unsigned i = 0; i < 3; i++) {
        (void)lwp_mock_up(soak->mock, nodes[i]);
        (void)lwp_mock_lag(soak->mock, nodes[i], 0);
    }
    for (unsigned i = 0; i < 4; i++)
        (void)lwp_mock_leader(soak->mock, topics[i], nodes[0]);
}

static void start(struct soak *soak, const char *certificate, const char *key)
{
    const struct lwp_mock_options options = {
        .dialect = &lwp_dialect_lance,
        .seed = soak->seed,
        .nodes = {"A=127.0.0.1:0", "B=127.0.0.1:0", "C=127.0.0.1:0"},
        .node_count = 3,
        .tls_certificate = soak->security ? certificate : NULL,
        .tls_key = soak->security ? key : NULL,
    };
    if (lwp_mock_new(&options, &soak->mock) != LWP_OK)
        soak_fail(soak, "there is no mock");
    if (lwp_mock_script(soak->mock, "soak", script) != LWP_OK)
        soak_fail(soak, "%s", lwp_mock_problems(soak->mock));
    (void)lwp_mock_leader(soak->mock, "*", nodes[0]);
    if (lwp_mock_start(soak->mock) != LWP_OK)
        soak_fail(soak, "the mock does not start: %s", lwp_mock_failed(soak->mock));
}

static void begin(struct soak *soak, pthread_t *thread, void *(*run)(void *argument),
                  void *argument)
{
    if (pthread_create(thread, NULL, run, argument))
        soak_fail(soak, "there is no thread");
}

static void tell(const struct soak *soak, struct soak_producer *const *producers)
{
    unsigned taken = 0;
    unsigned acked = 0;
    unsigned twice = 0;
    uint64_t disconnects = 0;
    for (unsigned p = 0; p < SOAK_PRODUCERS; p++) {
        taken += producers[p]->count;
        disconnects += producers[p]->disconnects;
        for (unsigned i = 0; i < producers[p]->count; i++) {
            acked += producers[p]->records[i].status == LWP_OK;
            twice += producers[p]->records[i].found > 1;
        }
    }
    (void)printf(
        "lwp-soak: %s, seed %llu: %u records, %u acknowledged, %u failed, %u stored again, "
        "%llu connections lost by producers; all accounted for\n",
        soak->security ? "TLS" : "TCP", (unsigned long long)soak->seed, taken, acked, taken - acked,
        twice, (unsigned long long)disconnects);
    if (acked == 0 || disconnects == 0)
        soak_fail(soak, "there was nothing to see");
}

static void run(struct soak *soak, uint64_t seconds)
{
    struct soak_producer *producers[SOAK_PRODUCERS];
    struct soak_consumer consumers[SOAK_CONSUMERS];
    struct sim_dice dice = {soak->seed};
    for (unsigned i = 0; i < SOAK_PRODUCERS; i++) {
        producers[i] = calloc(1, sizeof(*producers[i]));
        if (!producers[i])
            soak_fail(soak, "there is no memory");
        producers[i]->soak = soak;
        producers[i]->number = i;
        producers[i]->caller_driven = i & 1;
        producers[i]->dice.state = sim_roll(&dice);
        begin(soak, &producers[i]->thread, soak_produce, producers[i]);
    }
    for (unsigned i = 0; i < SOAK_CONSUMERS; i++) {
        consumers[i] = (struct soak_consumer){.soak = soak,
                                              .number = i,
                                              .caller_driven = i & 1,
                                              .dice = {sim_roll(&dice)},
                                              .topic_id = 1 + i % SOAK_TOPICS};
        begin(soak, &consumers[i].thread, soak_consume, &consumers[i]);
    }
    const uint64_t until_ns = lwp_clock_later(lwp_clock_now(), seconds * LWP_SECOND_NS);
    while (lwp_clock_now() < until_ns) {
        (void)poll(NULL, 0, (int)sim_scaled(&dice, 10, 200));
        do_fault(soak, &dice);
    }
    heal(soak);
    soak->is_over = true;
    for (unsigned i = 0; i < SOAK_PRODUCERS; i++)
        (void)pthread_join(producers[i]->thread, NULL);
    soak->is_stored = true;
    for (unsigned i = 0; i < SOAK_CONSUMERS; i++)
        (void)pthread_join(consumers[i].thread, NULL);
    soak_judge(soak, producers, consumers);
    tell(soak, producers);
    for (unsigned i = 0; i < SOAK_PRODUCERS; i++)
        free(producers[i]);
}

static const char *take_seconds(void *into, const char *value)
{
    struct arguments *arguments = into;
    return lwp_read_number(value, 1, 86400, &arguments->seconds) ? NULL : "is no number of seconds";
}

static const char *take_seed(void *into, const char *value)
{
    struct arguments *arguments = into;
    return lwp_read_number(value, 0, UINT64_MAX, &arguments->seed) ? NULL : "is no number";
}

static const char *take_tls(void *into, const char *value)
{
    (void)value;
    ((struct arguments *)into)->tls = true;
    return NULL;
}

static const struct lwp_option own_options[] = {
    {"seconds", "N", "How long there are faults. 10", take_seconds},
    {"seed", "N", "Of all dice; what the machine does besides is not drawn from it. 1", take_seed},
    {"tls", NULL, "Speak TLS.", take_tls},
    {NULL, NULL, NULL, NULL},
};

static const struct lwp_program program = {
    .name = "lwp-soak",
    .version = "lwp-soak " LWP_VERSION_TEXT,
    .before =
        "usage: lwp-soak [OPTION]...\n"
        "Producers and consumers with threads of their own, and such that their callers drive,\n"
        "against a mock cluster in this process over sockets, while connections are lost, leaders\n"
        "move and nodes go down. In the end all records must be accounted for.\n\n",
    .after = "\nExit status: 0 they are, 1 one is not, or something hung; 64 wrong usage.\n",
    .options = {own_options},
};

/* With TLS, by certificates of its own. */
static void soak(const struct arguments *arguments)
{
    static const char *const files[] = {"server.pem", "server.key", "ca.pem"};
    struct soak soak = {.seed = arguments->seed};
    char paths[3][SOAK_PATH_SIZE + 16];
    char command[SOAK_PATH_SIZE + 16];
    char problem[LWP_CERTS_PROBLEM_SIZE];
    char reason[LWP_TLS_REASON_SIZE];
    struct lwp_tls_context *context = NULL;
    const char *parent = getenv("TMPDIR");
    (void)snprintf(soak.folder, sizeof(soak.folder), "%s/lwp-soak-XXXXXX",
                   parent ? parent : "/tmp");
    if (!mkdtemp(soak.folder))
        soak_fail(&soak, "there is no folder");
    for (unsigned i = 0; i < 3; i++)
        (void)snprintf(paths[i], sizeof(paths[i]), "%s/%s", soak.folder, files[i]);
    const uint64_t now_secs = lwp_clock_wall() / LWP_SECOND_NS;
    if (lwp_certs_make(soak.folder, now_secs, true, problem) != LWP_OK)
        soak_fail(&soak, "%s", problem);
    const struct lwp_tls_options tls = {.ca_file = paths[2]};
    if (lwp_tls_client_new(&tls, &context, reason) != LWP_OK)
        soak_fail(&soak, "%s", reason);
    const struct lwp_security security = lwp_security_of(context);
    soak.security = arguments->tls ? &security : NULL;
    start(&soak, paths[0], paths[1]);
    run(&soak, arguments->seconds);
    lwp_mock_free(soak.mock);
    lwp_tls_context_free(context);
    (void)snprintf(command, sizeof(command), "rm -rf -- '%s'", soak.folder);
    if (system(command)) /* NOLINT(cert-env33-c): our own folder. */
        soak_fail(&soak, "the folder %s stays", soak.folder);
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.seconds = 10, .seed = 1};
    int rest = 0;
    const int status = lwp_options_read(&program, argc, argv, &arguments, &rest);
    if (status >= 0)
        return status;
    if (rest < argc)
        return lwp_options_problem(&program, "takes no words", argv[rest]);
    soak(&arguments);
    return EXIT_SUCCESS;
}
