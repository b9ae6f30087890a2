/* SPDX-License-Identifier: MIT */
/* What the mock has stored in the end, read without the code under test. */
#include <inttypes.h>
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "lwp/net/link.h"
#include "lwp/sim/sim.h"

enum { FETCH_SIZE = 65536 };

static void ask(const struct sim *sim, struct lwp_link *link, uint32_t topic_id, uint64_t offset)
{
    uint8_t room[64];
    struct lwp_writer out = lwp_writer_on(room, sizeof(room));
    const struct lwp_message message = {.command = LWP_COMMAND_FETCH,
                                        .topic_id = topic_id,
                                        .start_offset = offset,
                                        .max_bytes = FETCH_SIZE};
    (void)lwp_message_encode(&message, &out);
    const struct lwp_frame frame = lwp_message_frame(message.command, lwp_writer_bytes(&out));
    (void)lwp_link_send(link, &frame, 0, sim->now_ns);
    (void)lwp_link_write(link);
}

/* The data of the answer, or nothing at the end of the log. */
static struct lwp_bytes hear(struct sim *sim, struct lwp_link *link)
{
    struct lwp_frame frame;
    struct lwp_message message;
    struct lwp_bytes rest;
    struct lwp_fault fault;
    enum lwp_status status = LWP_MORE;
    for (unsigned i = 0; i < 1000 && status == LWP_MORE; i++) {
        (void)lwp_mock_step(sim->mock, sim->now_ns);
        (void)lwp_link_read(link, sim->now_ns);
        status = lwp_link_receive(link, &frame, sim->now_ns);
        sim->now_ns += LWP_MILLISECOND_NS;
    }
    if (status != LWP_OK)
        sim_fail(sim, SIM_SIMULATION, "expected   an answer to a fetch\nseen       %s",
                 lwp_status_text(status));
    const bool is_data = lwp_frame_command(&frame, sim->dialect) == LWP_COMMAND_FETCH_RESPONSE;
    if (!is_data || lwp_message_decode(LWP_COMMAND_FETCH_RESPONSE, frame.payload, &message, &rest,
                                       &fault) != LWP_OK)
        return (struct lwp_bytes){NULL, 0};
    return message.data;
}

uint8_t *sim_read_log(struct sim *sim, uint32_t topic_id, size_t *size)
{
    const struct lwp_session_options options = {
        .role = LWP_CLIENT, .dialect = sim->dialect, .max_payload = LWP_MAX_PAYLOAD_DEFAULT};
    struct lwp_transport *ends[2];
    struct lwp_link link;
    uint8_t *log = malloc(SIM_LOG_SIZE);
    if (!log || lwp_pipe_new((size_t)2 * FETCH_SIZE, ends) != LWP_OK ||
        lwp_mock_accept_on(sim->mock, NULL, ends[1], sim->now_ns) != LWP_OK)
        abort();
    lwp_link_init(&link, &options, ends[0], FETCH_SIZE, sim->now_ns);
    struct lwp_bytes data;
    *size = 0;
    do {
        ask(sim, &link, topic_id, *size);
        data = hear(sim, &link);
        if (data.size > SIM_LOG_SIZE - *size)
            abort();
        if (data.size)
            memcpy(log + *size, data.data, data.size);
        *size += data.size;
    } while (data.size);
    lwp_link_done(&link);
    return log;
}

/* The first occurrences in a topic so far: the newest record of each producer. */
struct order {
    uint32_t topic_id;
    int64_t newest[SIM_RECORDS];
};

/*
 * Two things that no client can help are left out. A record that was reported as failed may be there
 * as well, late at worst, from a connection that was given up. And where a refusal was lost with its
 * connection, a batch behind the refused one may be stored already when both are sent again: so only
 * a record that was sent once must not have come too early.
 */
static void judge_order(const struct sim *sim, unsigned number, struct order *order)
{
    const struct sim_record *record = &sim->records[number];
    int64_t *newest = &order->newest[record->producer];
    if (record->status != LWP_OK)
        return;
    if (*newest > number)
        sim_fail(sim, SIM_ORDER,
                 "expected   record %u of producer %u before %" PRId64
                 " in topic %u\nseen       it is behind it",
                 number, record->producer, *newest, order->topic_id);
    if (!sim->skips || record->sendings == 1)
        *newest = number;
}

static void judge_log(struct sim *sim, uint32_t topic_id, struct lwp_bytes log)
{
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(log);
    struct lwp_record found;
    struct order order = {.topic_id = topic_id};
    for (unsigned i = 0; i <= sim->producer_count; i++)
        order.newest[i] = -1;
    while (lwp_tlv_next(&walk, &found) == LWP_OK) {
        const unsigned number = sim_number_of(sim, topic_id, &found);
        if (sim->records[number].found++ == 0)
            judge_order(sim, number, &order);
    }
}

static void judge_records(const struct sim *sim)
{
    for (unsigned i = 0; i < sim->record_count; i++) {
        const struct sim_record *record = &sim->records[i];
        if (record->reports != 1)
            sim_fail(sim, SIM_REPORTS, "expected   one report for record %u\nseen       %u", i,
                     record->reports);
        if (record->status == LWP_OK && record->found == 0)
            sim_fail(sim, SIM_TRUE_ACKS,
                     "expected   record %u of producer %u in topic %u\nseen       it is not there",
                     i, record->producer, record->topic_id);
        if (record->found > record->sendings)
            sim_fail(sim, SIM_REPEATS, "expected   record %u at most %u times\nseen       %u times",
                     i, record->sendings, record->found);
    }
}

static void judge_image(const struct sim *sim, const struct sim_actor *actor, struct lwp_bytes log)
{
    size_t place = 0;
    if (actor->delivered < actor->goal || actor->delivered > log.size)
        sim_fail(sim, SIM_ALL,
                 "expected   %" PRIu64 " to %zu bytes of topic %u for %s\nseen       %" PRIu64,
                 actor->goal, log.size, actor->consumer_options.topic_id, actor->name,
                 actor->delivered);
    while (place < actor->delivered && actor->image[place] == log.data[place])
        place++;
    if (place < actor->delivered)
        sim_fail(
            sim, SIM_ALL,
            "expected   %s has topic %u as it is stored\nseen       another byte at offset %zu",
            actor->name, actor->consumer_options.topic_id, place);
}

void sim_judge_logs(struct sim *sim)
{
    for (uint32_t topic_id = 1; topic_id <= SIM_TOPICS; topic_id++) {
        size_t size = 0;
        uint8_t *log = sim_read_log(sim, topic_id, &size);
        judge_log(sim, topic_id, (struct lwp_bytes){log, size});
        for (unsigned i = 0; i < sim->actor_count; i++)
            if (sim->actors[i]->part == &sim_consumer_part &&
                sim->actors[i]->consumer_options.topic_id == topic_id)
                judge_image(sim, sim->actors[i], (struct lwp_bytes){log, size});
        free(log);
    }
    judge_records(sim);
}
