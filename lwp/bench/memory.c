/* SPDX-License-Identifier: MIT */
#include "lwp/bench/memory.h"

#include <malloc.h>
#include <poll.h>
#include <stdio.h>

#include "lwp/client/consumer.h"
#include "lwp/client/producer.h"
#include "lwp/wire/tlv.h"

enum {
    SLACK = 1048576, /* What a handle may take besides. */
    BUFFER_LIMIT = 8388608,
    RECORDS = 400000, /* Several times what the buffer takes. */
    LOOK_EVERY = 64,
    READ_AHEAD = 4,
    READ_SIZE = 134217728, /* So much of the log. */
    DAWDLE_MS = 5,
    PATIENCE_MS = 10000
};

static size_t heap(void)
{
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void begin(struct memory *memory, size_t limit)
{
    *memory = (struct memory){.before = heap(), .allowed = limit + SLACK};
}

static void look(struct memory *memory)
{
    const size_t now = heap();
    if (now > memory->before + memory->peak)
        memory->peak = now - memory->before;
}

static bool report(enum lwp_status status)
{
    if (status != LWP_OK)
        (void)fprintf(stderr, "lwp-bench: %s\n", lwp_status_text(status));
    return status == LWP_OK;
}

/* Nothing is sent before the buffer is full: only waiting for room does that. */
static enum lwp_status put_all(const struct course *course, struct lwp_producer *producer,
                               struct memory *memory)
{
    const struct load *load = course->loads[0];
    const struct lwp_outgoing record = {
        .topic_id = course->topic_id,
        .type = LWP_TLV_RAW,
        .parts = {{load->values, load->record_size}},
    };
    enum lwp_status status = LWP_OK;
    for (size_t i = 0; status == LWP_OK && i < RECORDS; i++) {
        status = lwp_producer_put_wait(producer, &record, PATIENCE_MS, NULL);
        if (i % LOOK_EVERY == 0)
            look(memory);
    }
    return status == LWP_OK ? lwp_producer_flush(producer, PATIENCE_MS) : status;
}

static bool hoard(const struct course *course, bool is_driven, size_t batch_size,
                  struct memory *memory)
{
    struct lwp_producer_options options = lwp_producer_defaults(NULL);
    struct lwp_producer *producer = NULL;
    begin(memory, BUFFER_LIMIT);
    options.connect = course_connect_options(course);
    options.connect.caller_driven = is_driven;
    options.buffer_limit = BUFFER_LIMIT;
    options.batch_size = batch_size;
    enum lwp_status status = lwp_producer_open(&options, &producer, NULL);
    if (status == LWP_OK)
        status = put_all(course, producer, memory);
    (void)lwp_producer_close(producer, 0);
    return report(status);
}

bool hoard_driven(const struct course *course, struct memory *memory)
{
    return hoard(course, true, COURSE_BATCH_SIZE, memory);
}

bool hoard_threaded(const struct course *course, struct memory *memory)
{
    return hoard(course, false, COURSE_BATCH_SIZE, memory);
}

bool hoard_singly(const struct course *course, struct memory *memory)
{
    return hoard(course, true, 1, memory);
}

/* Lets come what may, before any of it is taken. */
static void dawdle(struct lwp_consumer *consumer, bool is_driven)
{
    struct pollfd ready = {.fd = -1};
    do {
        if (is_driven) {
            lwp_consumer_process(consumer);
            ready.fd = lwp_consumer_fd(consumer);
            ready.events = lwp_consumer_events(consumer);
        }
    } while (poll(&ready, 1, DAWDLE_MS) > 0);
}

static bool read_ahead(const struct course *course, bool is_driven, struct memory *memory)
{
    struct lwp_consumer_options options = lwp_consumer_defaults(NULL, "reader", course->topic_id);
    struct lwp_consumer *consumer = NULL;
    struct lwp_batch batch;
    size_t size = 0;
    begin(memory, READ_AHEAD * (size_t)options.max_fetch_bytes);
    options.connect = course_connect_options(course);
    options.connect.caller_driven = is_driven;
    options.read_ahead = READ_AHEAD;
    options.auto_commit_ms = 0;
    enum lwp_status status = lwp_consumer_open(&options, &consumer, NULL);
    while (status == LWP_OK && size < READ_SIZE) {
        dawdle(consumer, is_driven);
        status = lwp_consumer_poll(consumer, PATIENCE_MS, &batch);
        size += status == LWP_OK ? batch.data.size : 0;
        look(memory);
    }
    (void)lwp_consumer_close(consumer);
    return report(status);
}

bool read_driven(const struct course *course, struct memory *memory)
{
    return read_ahead(course, true, memory);
}

bool read_threaded(const struct course *course, struct memory *memory)
{
    return read_ahead(course, false, memory);
}
