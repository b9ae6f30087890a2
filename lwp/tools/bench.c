/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "lwp/tools/interrupt.h"
#include "lwp/tools/server.h"

enum {
    MAX_SIZE = 1048576,
    AT_ONCE = 256, /* Records between two looks at the connection and the clock. */
    SLICE_MS = 100 /* How late a signal is noticed. */
};

struct arguments {
    struct server server; /* First, so that the rows of its options find it. */
    uint64_t records;
    uint64_t size; /* Bytes of a record's value. */
    uint64_t time_ns;
    bool compress;
};

static const char *take_records(void *into, const char *value)
{
    return lwp_read_number(value, 1, UINT32_MAX, &((struct arguments *)into)->records)
               ? NULL
               : "--records takes a number from 1 to 4294967295";
}

static const char *take_size(void *into, const char *value)
{
    return lwp_read_size(value, 0, MAX_SIZE, &((struct arguments *)into)->size)
               ? NULL
               : "--size takes a number of bytes up to 1M";
}

static const char *take_time(void *into, const char *value)
{
    struct arguments *arguments = into;
    return lwp_read_duration(value, 3600 * LWP_SECOND_NS, &arguments->time_ns) && arguments->time_ns
               ? NULL
               : "--time takes a time up to 1h, as in 30s";
}

static const char *take_compress(void *into, const char *value)
{
    (void)value;
    ((struct arguments *)into)->compress = true;
    return NULL;
}

static const struct lwp_option options[] = {
    {"records", "N", "end after so many records             [1000000]", take_records},
    {"time", "T", "end after this time                   [10s]", take_time},
    {NULL, NULL, NULL, NULL},
};

static const struct lwp_option produce_options[] = {
    {"size", "SIZE", "bytes of a record's value             [100]", take_size},
    {"compress", NULL, "LZ4, where it makes a batch smaller", take_compress},
    {NULL, NULL, NULL, NULL},
};

#define AFTER                                                                                      \
    "\nOne connection, one thread. Prints records, bytes of values and seconds, and both a "       \
    "second.\n"                                                                                    \
    "Compare runs on the same machines only.\n\nExample:\n  "

static const struct lwp_program produce_program = {
    .name = "lwp bench produce",
    .version = "lwp " LWP_VERSION_TEXT,
    .before = "lwp bench produce - how many records are acknowledged in a second?\n\n"
              "Usage: lwp bench produce [OPTION]... ADDRESS TOPIC\n\n",
    .after = "\nThe records are written into the topic: take one that is there for this.\n" AFTER
             "lwp bench produce --size 1K --time 30s localhost:1992 bench\n",
    .options = {options, produce_options, server_options},
};

static const struct lwp_program fetch_program = {
    .name = "lwp bench fetch",
    .version = "lwp " LWP_VERSION_TEXT,
    .before = "lwp bench fetch - how many records come in a second?\n\n"
              "Usage: lwp bench fetch [OPTION]... ADDRESS TOPIC\n\n",
    .after = "\nFrom the beginning of the log, to its end if nothing else ends it.\n" AFTER
             "lwp bench fetch localhost:1992 bench\n",
    .options = {options, server_options},
};

static const struct lwp_program bench_program = {
    .name = "lwp bench",
    .version = "lwp " LWP_VERSION_TEXT,
    .before = "lwp bench - how much goes in, or comes out, in a second?\n\n"
              "Usage: lwp bench produce ADDRESS TOPIC\n"
              "       lwp bench fetch ADDRESS TOPIC\n\n",
    .after = "\nEach has its own --help.\n" AFTER "lwp bench produce localhost:1992 bench\n",
    .options = {NULL},
};

struct running {
    const struct arguments *arguments;
    const struct lwp_program *program;
    uint32_t topic_id;
    int interrupt;
    uint64_t began_ns;
    uint64_t records;
    uint64_t bytes;
};

static bool goes_on(const struct running *running)
{
    return lwp_clock_now() - running->began_ns < running->arguments->time_ns &&
           !interrupt_came(running->interrupt);
}

static bool wants_more(const struct running *running)
{
    return running->records < running->arguments->records;
}

static int print_result(const struct running *running)
{
    enum { MEGA = 1000000 };
    const double seconds =
        (double)(lwp_clock_now() - running->began_ns + 1) / (double)LWP_SECOND_NS;
    (void)printf("%" PRIu64 " records, %" PRIu64 " bytes, %.3f s: %.0f records/s, %.1f MB/s\n",
                 running->records, running->bytes, seconds, (double)running->records / seconds,
                 (double)running->bytes / MEGA / seconds);
    return server_flush_output(running->program);
}

/* Some records, and what the connection has to do meanwhile. */
static enum lwp_status put_some(struct running *running, struct lwp_producer *producer,
                                const struct lwp_outgoing *record)
{
    enum lwp_status status = LWP_OK;
    for (int i = 0; i < AT_ONCE && wants_more(running); i++) {
        status = lwp_producer_put(producer, record, NULL);
        if (status != LWP_OK)
            break;
        running->records++;
    }
    lwp_producer_process(producer);
    if (status != LWP_FULL)
        return status;
    status = lwp_producer_put_wait(producer, record, SLICE_MS, NULL);
    running->records += status == LWP_OK;
    return status == LWP_FULL ? LWP_OK : status;
}

static int produce(struct running *running, struct lwp_producer *producer, const uint8_t *value)
{
    const struct server *server = &running->arguments->server;
    const struct lwp_outgoing record = {
        .topic_id = running->topic_id,
        .type = LWP_TLV_RAW,
        .parts = {{value, running->arguments->size}},
    };
    enum lwp_status status = LWP_OK;
    while (status == LWP_OK && wants_more(running) && goes_on(running))
        status = put_some(running, producer, &record);
    interrupt_close(
        running->interrupt); /* What waits now for an end is not to hold out against it. */
    running->interrupt = -1;
    if (status == LWP_OK)
        status = lwp_producer_flush(producer, server->connect.request_timeout_ms);
    const struct lwp_outbox_statistics statistics = lwp_producer_statistics(producer);
    if (status == LWP_OK && statistics.records_acked == running->records) {
        running->bytes = running->records * running->arguments->size;
        return print_result(running);
    }
    struct lwp_details why;
    lwp_producer_why(producer, &why);
    if (why.status == LWP_OK)
        why = lwp_details_of(status);
    return server_failed(running->program, server, &why);
}

static int run_produce(struct running *running)
{
    const struct arguments *arguments = running->arguments;
    struct lwp_producer_options open = lwp_producer_defaults(NULL);
    struct lwp_producer *producer = NULL;
    struct lwp_details why = lwp_details_of(LWP_NO_MEMORY);
    uint8_t *value = malloc(arguments->size + 1);
    open.connect = arguments->server.connect;
    open.compression = arguments->compress;
    open.reports = LWP_REPORT_NOTHING;
    if (!value || lwp_producer_open(&open, &producer, &why) != LWP_OK) {
        free(value);
        return server_unreached(running->program, &arguments->server, &why);
    }
    memset(value, 'x', arguments->size);
    running->interrupt = interrupt_open();
    running->began_ns = lwp_clock_now();
    const int ended = produce(running, producer, value);
    (void)lwp_producer_close(producer, 0);
    free(value);
    return ended;
}

static void count_batch(struct running *running, const struct lwp_batch *batch)
{
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(batch->data);
    struct lwp_record record;
    while (wants_more(running) && lwp_tlv_next(&walk, &record) == LWP_OK) {
        running->records++;
        running->bytes += record.value.size;
    }
}

static int fetch(struct running *running, struct lwp_consumer *consumer)
{
    struct lwp_batch batch;
    struct lwp_details why;
    enum lwp_status status = LWP_OK;
    while (goes_on(running) && wants_more(running)) {
        status = lwp_consumer_poll(consumer, SLICE_MS, &batch);
        if (status == LWP_WOULD_BLOCK)
            continue;
        if (status != LWP_OK)
            break;
        count_batch(running, &batch);
        if (batch.end_of_log)
            break;
    }
    if (status == LWP_OK || status == LWP_END || status == LWP_WOULD_BLOCK)
        return print_result(running);
    lwp_consumer_why(consumer, &why);
    return server_failed(running->program, &running->arguments->server, &why);
}

static int run_fetch(struct running *running)
{
    const struct arguments *arguments = running->arguments;
    struct lwp_consumer_options open = lwp_consumer_defaults(NULL, "lwp-bench", running->topic_id);
    struct lwp_consumer *consumer = NULL;
    struct lwp_details why;
    open.connect = arguments->server.connect;
    open.commit_to_server = false;
    open.auto_commit_ms = 0;
    if (lwp_consumer_open(&open, &consumer, &why) != LWP_OK)
        return server_unreached(running->program, &arguments->server, &why);
    running->interrupt = interrupt_open();
    running->began_ns = lwp_clock_now();
    const int ended = fetch(running, consumer);
    (void)lwp_consumer_close(consumer);
    return ended;
}

static int run(const struct lwp_program *program, int argc, char **argv)
{
    struct arguments arguments = {
        .server = server_defaults(),
        .records = 1000000,
        .size = 100,
        .time_ns = 10 * LWP_SECOND_NS,
    };
    struct running running = {.arguments = &arguments, .program = program, .interrupt = -1};
    int ended = server_read(program, argc, argv, &arguments, 2);
    if (ended < 0)
        ended = server_find_topic(program, &arguments.server, argv[argc - 1], &running.topic_id);
    if (ended < 0)
        ended = program == &produce_program ? run_produce(&running) : run_fetch(&running);
    interrupt_close(running.interrupt);
    server_done(&arguments.server);
    return ended;
}

int command_bench(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    const struct lwp_program *program = strcmp(word, "produce") == 0 ? &produce_program
                                        : strcmp(word, "fetch") == 0 ? &fetch_program
                                                                     : NULL;
    int rest = 0;
    if (program) {
        argv[1] = argv[0];
        return run(program, argc - 1, argv + 1);
    }
    const int ended = lwp_options_read(&bench_program, argc, argv, NULL, &rest);
    if (ended >= 0)
        return ended;
    return lwp_options_problem(&bench_program, word[0] ? "no such command" : "which command?",
                               word[0] ? word : NULL);
}
