/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "lwp/sim/soak.h"

enum { PAUSE_MS = 2 };

/* It goes on where the last one has closed. */
static void open_consumer(struct soak_consumer *own)
{
    (void)snprintf(own->name, sizeof(own->name), "reader-%u", own->number);
    (void)snprintf(own->places, sizeof(own->places), "%s/places", own->soak->folder);
    struct lwp_consumer_options options = lwp_consumer_defaults(NULL, own->name, own->topic_id);
    options.connect = soak_connect(own->soak, &own->dice, own->caller_driven);
    options.folder = own->places;
    options.max_fetch_bytes = (uint32_t)sim_scaled(&own->dice, 1000, 65536);
    options.read_ahead = (unsigned)sim_between(&own->dice, 1, 4);
    options.auto_commit_ms = 50;
    options.commit_to_server = sim_one_in(&own->dice, 2);
    options.catch_up_ms = 5;
    enum lwp_status status = LWP_OK;
    while (!own->consumer) {
        status = lwp_consumer_open(&options, &own->consumer, NULL);
        if (status != LWP_OK && !lwp_status_is_retryable(status))
            soak_fail(own->soak, "%s can not be opened: %s", own->name, lwp_status_text(status));
        if (status != LWP_OK)
            (void)poll(NULL, 0, PAUSE_MS);
    }
    if (lwp_consumer_offset(own->consumer) != own->offset)
        soak_fail(own->soak, "%s goes on at %llu and not at %llu", own->name,
                  (unsigned long long)lwp_consumer_offset(own->consumer),
                  (unsigned long long)own->offset);
}

static void close_consumer(struct soak_consumer *own)
{
    const uint64_t began_ns = lwp_clock_now();
    (void)lwp_consumer_close(own->consumer);
    own->consumer = NULL;
    const uint64_t took_ms = (lwp_clock_now() - began_ns) / LWP_MILLISECOND_NS;
    if (took_ms > SOAK_CLOSE_MS + SOAK_SLACK_MS)
        soak_fail(own->soak, "a consumer took %u ms to close", (unsigned)took_ms);
}

static void poll_once(struct soak_consumer *own, unsigned timeout_ms)
{
    struct lwp_batch batch;
    struct lwp_record record;
    unsigned producer = 0;
    unsigned number = 0;
    if (lwp_consumer_poll(own->consumer, timeout_ms, &batch) != LWP_OK)
        return;
    if (batch.start_offset != own->offset ||
        batch.end_offset - batch.start_offset != batch.data.size)
        soak_fail(own->soak, "consumer %u gets %llu to %llu in place of what follows %llu",
                  own->number, (unsigned long long)batch.start_offset,
                  (unsigned long long)batch.end_offset, (unsigned long long)own->offset);
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(batch.data);
    while (lwp_tlv_next(&walk, &record) == LWP_OK)
        soak_read_value(own->soak, &record, &producer, &number);
    own->checksum = lwp_crc_update(LWP_CRC32C, own->checksum, batch.data);
    own->offset = batch.end_offset;
}

/* Up to where the log is now, which does not grow any more. */
static void poll_rest(struct soak_consumer *own)
{
    const uint64_t until_ns = lwp_clock_later(lwp_clock_now(), SOAK_SETTLE_MS * LWP_MILLISECOND_NS);
    uint64_t end_offset = UINT64_MAX;
    while (lwp_consumer_end(own->consumer, &end_offset) != LWP_OK || own->offset < end_offset) {
        poll_once(own, 100);
        if (lwp_clock_now() > until_ns)
            soak_fail(own->soak, "consumer %u is at %llu of %llu once all is well", own->number,
                      (unsigned long long)own->offset, (unsigned long long)end_offset);
    }
}

void *soak_consume(void *argument)
{
    struct soak_consumer *own = argument;
    while (!own->soak->is_stored) {
        if (!own->consumer)
            open_consumer(own);
        poll_once(own, (unsigned)sim_between(&own->dice, 0, 20));
        if (sim_one_in(&own->dice, 200))
            (void)lwp_consumer_commit(own->consumer);
        if (sim_one_in(&own->dice, 300))
            close_consumer(own);
    }
    if (!own->consumer)
        open_consumer(own);
    poll_rest(own);
    close_consumer(own);
    return NULL;
}

/* The first occurrences in a topic so far: the newest record of each producer. */
static void judge_record(const struct soak *soak, const struct lwp_record *found, uint32_t topic_id,
                         struct soak_producer *const *producers, int64_t *newest)
{
    unsigned producer = 0;
    unsigned number = 0;
    soak_read_value(soak, found, &producer, &number);
    struct soak_record *record = &producers[producer]->records[number];
    if (record->topic_id != topic_id || record->size != found->value.size)
        soak_fail(soak, "record %u of producer %u is in topic %u and not in %u", number, producer,
                  topic_id, record->topic_id);
    if (record->found++ || record->status != LWP_OK)
        return;
    if (newest[producer] > number)
        soak_fail(soak, "record %u of producer %u is behind %lld in topic %u", number, producer,
                  (long long)newest[producer], topic_id);
    /* As in the simulation: one that was sent again may stand behind what was sent once. */
    if (record->sendings == 1)
        newest[producer] = number;
}

static void judge_log(struct soak *soak, uint32_t topic_id, struct soak_producer *const *producers,
                      const struct soak_consumer *consumers)
{
    struct soak_consumer reader = {.soak = soak, .number = SOAK_CONSUMERS, .topic_id = topic_id};
    int64_t newest[SOAK_PRODUCERS] = {-1, -1, -1, -1};
    struct lwp_batch batch;
    reader.dice.state = soak->seed;
    open_consumer(&reader);
    uint64_t end_offset = 0;
    if (lwp_consumer_end(reader.consumer, &end_offset) != LWP_OK)
        soak_fail(soak, "the end of topic %u is not told", topic_id);
    while (reader.offset < end_offset) {
        struct lwp_record record;
        const enum lwp_status status = lwp_consumer_poll(reader.consumer, SOAK_SETTLE_MS, &batch);
        if (status != LWP_OK)
            soak_fail(soak, "topic %u can not be read: %s", topic_id, lwp_status_text(status));
        struct lwp_tlv_walk walk = lwp_tlv_walk_over(batch.data);
        while (lwp_tlv_next(&walk, &record) == LWP_OK)
            judge_record(soak, &record, topic_id, producers, newest);
        reader.checksum = lwp_crc_update(LWP_CRC32C, reader.checksum, batch.data);
        reader.offset = batch.end_offset;
    }
    close_consumer(&reader);
    for (unsigned i = 0; i < SOAK_CONSUMERS; i++)
        if (consumers[i].topic_id == topic_id &&
            (consumers[i].offset != reader.offset || consumers[i].checksum != reader.checksum))
            soak_fail(soak, "consumer %u has not got topic %u as it is stored", i, topic_id);
}

void soak_judge(struct soak *soak, struct soak_producer *const *producers,
                const struct soak_consumer *consumers)
{
    for (uint32_t topic_id = 1; topic_id <= SOAK_TOPICS; topic_id++)
        judge_log(soak, topic_id, producers, consumers);
    for (unsigned p = 0; p < SOAK_PRODUCERS; p++)
        for (unsigned i = 0; i < producers[p]->count; i++) {
            const struct soak_record *record = &producers[p]->records[i];
            if (record->found > record->sendings)
                soak_fail(soak, "record %u of producer %u was sent %u times and is there %u times",
                          i, p, record->sendings, record->found);
            if (record->status == LWP_OK && record->found == 0)
                soak_fail(soak, "record %u of producer %u was acknowledged and is not there", i, p);
        }
}
