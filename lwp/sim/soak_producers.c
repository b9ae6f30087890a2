/* SPDX-License-Identifier: MIT */
#include <poll.h>

#include "lwp/net/clock.h"
#include "lwp/sim/soak.h"

enum { PAUSE_MS = 2, BURST = 40 };

void soak_write_value(unsigned producer, unsigned number, uint32_t size, uint8_t *value)
{
    lwp_put32(value, producer);
    lwp_put32(value + 4, number);
    for (uint32_t i = 8; i < size; i++)
        value[i] = (uint8_t)(number + i * 7);
}

void soak_read_value(const struct soak *soak, const struct lwp_record *record, unsigned *producer,
                     unsigned *number)
{
    uint8_t expected[SOAK_LARGEST];
    const struct lwp_bytes value = record->value;
    if (record->type != LWP_TLV_RAW || value.size < 8 || value.size > SOAK_LARGEST)
        soak_fail(soak, "a record of type %u with %zu bytes was never produced", record->type,
                  value.size);
    *producer = lwp_get32(value.data);
    *number = lwp_get32(value.data + 4);
    soak_write_value(*producer, *number, (uint32_t)value.size, expected);
    if (*producer >= SOAK_PRODUCERS || *number >= SOAK_RECORDS ||
        memcmp(expected, value.data, value.size) != 0)
        soak_fail(soak, "record %u of producer %u is damaged", *number, *producer);
}

static void look_on(void *user, enum lwp_trace_direction direction, const struct lwp_frame *frame)
{
    struct soak_producer *own = user;
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(frame->payload);
    struct lwp_record record;
    if (direction != LWP_TRACE_SENT || !(frame->header.flags & LWP_FLAG_BATCH))
        return;
    while (lwp_tlv_next(&walk, &record) == LWP_OK)
        own->records[lwp_get32(record.value.data + 4)].sendings++;
}

static void note(void *user, const struct lwp_delivery *delivery)
{
    struct soak_producer *own = user;
    struct soak_record *record = &own->records[(uintptr_t)delivery->user - 1];
    record->reports++;
    record->status = delivery->status;
}

static void open_producer(struct soak_producer *own)
{
    struct lwp_producer_options options = lwp_producer_defaults(NULL);
    options.connect = soak_connect(own->soak, &own->dice, own->caller_driven);
    options.connect.trace = look_on;
    options.connect.trace_user = own;
    options.batch_size = (size_t)sim_scaled(&own->dice, 200, 20000);
    options.linger_ms = (unsigned)sim_between(&own->dice, 0, 5);
    options.max_pending_acks = (unsigned)sim_scaled(&own->dice, 1, 64);
    options.buffer_limit = 1 << 18;
    options.delivered = note;
    options.user = own;
    while (!own->producer && lwp_producer_open(&options, &own->producer, NULL) != LWP_OK)
        (void)poll(NULL, 0, PAUSE_MS);
}

static void close_producer(struct soak_producer *own, unsigned timeout_ms)
{
    const uint64_t began_ns = lwp_clock_now();
    own->disconnects += lwp_producer_statistics(own->producer).disconnects;
    (void)lwp_producer_close(own->producer, timeout_ms);
    own->producer = NULL;
    const uint64_t took_ms = (lwp_clock_now() - began_ns) / LWP_MILLISECOND_NS;
    if (took_ms > timeout_ms + SOAK_SLACK_MS)
        soak_fail(own->soak, "a producer took %u ms to close, of %u", (unsigned)took_ms,
                  timeout_ms);
    for (unsigned i = 0; i < own->count; i++)
        if (own->records[i].reports != 1)
            soak_fail(own->soak, "record %u of producer %u has %u reports", i, own->number,
                      own->records[i].reports);
}

static bool put_one(struct soak_producer *own)
{
    uint8_t value[SOAK_LARGEST];
    const unsigned number = own->count;
    struct soak_record *record = &own->records[number];
    if (number == SOAK_RECORDS)
        return false;
    *record = (struct soak_record){
        .topic_id = (uint32_t)sim_between(&own->dice, 1, SOAK_TOPICS),
        .size = (uint32_t)sim_between(&own->dice, 8, SOAK_LARGEST),
    };
    soak_write_value(own->number, number, record->size, value);
    const struct lwp_outgoing outgoing = {
        .topic_id = record->topic_id,
        .type = LWP_TLV_RAW,
        .parts = {{value, record->size}},
        .user = (void *)(uintptr_t)(number + 1), /* NOLINT(performance-no-int-to-ptr) */
    };
    own->count++;
    const enum lwp_status status =
        lwp_producer_put_wait(own->producer, &outgoing, (unsigned)PAUSE_MS, NULL);
    own->count -= status != LWP_OK;
    if (status != LWP_OK && status != LWP_FULL)
        soak_fail(own->soak, "a record was not taken in: %s", lwp_status_text(status));
    return status == LWP_OK;
}

void soak_drive_producer(struct lwp_producer *producer, uint64_t duration_ns)
{
    const uint64_t until_ns = lwp_clock_later(lwp_clock_now(), duration_ns);
    while (lwp_clock_now() < until_ns) {
        struct pollfd wait = {.fd = lwp_producer_fd(producer),
                              .events = lwp_producer_events(producer)};
        const uint64_t due_ns = lwp_producer_deadline(producer);
        const uint64_t next_ns = due_ns < until_ns ? due_ns : until_ns;
        (void)poll(&wait, 1, lwp_clock_poll_ms(lwp_clock_now(), next_ns));
        lwp_producer_process(producer);
    }
}

static void act(struct soak_producer *own)
{
    for (uint64_t left = sim_between(&own->dice, 1, BURST); left && put_one(own); left--)
        continue;
    if (own->caller_driven)
        soak_drive_producer(own->producer, PAUSE_MS * LWP_MILLISECOND_NS);
    else
        (void)poll(NULL, 0, PAUSE_MS);
    if (sim_one_in(&own->dice, 200))
        (void)lwp_producer_flush(own->producer, (unsigned)sim_between(&own->dice, 0, 100));
    if (sim_one_in(&own->dice, 400))
        close_producer(own, (unsigned)sim_between(&own->dice, 0, 100));
}

void *soak_produce(void *argument)
{
    struct soak_producer *own = argument;
    while (!own->soak->is_over) {
        open_producer(own);
        act(own);
    }
    open_producer(own);
    const enum lwp_status status = lwp_producer_flush(own->producer, SOAK_SETTLE_MS);
    if (status != LWP_OK)
        soak_fail(own->soak, "producer %u has %u records pending once all is well: %s", own->number,
                  (unsigned)lwp_producer_statistics(own->producer).records_pending,
                  lwp_status_text(status));
    close_producer(own, SOAK_CLOSE_MS);
    return NULL;
}
