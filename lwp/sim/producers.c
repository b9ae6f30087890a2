/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "lwp/net/clock.h"
#include "lwp/sim/sim.h"

enum { LARGEST_VALUE = 4096, SETTLE_MS = 120000 };

static bool open_producer(struct sim_actor *actor)
{
    struct sim *sim = actor->sim;
    memset(actor->fates, SIM_UNSENT, actor->last_batch + 1);
    actor->last_batch = 0;
    actor->number = ++sim->producer_count;
    actor->producer_options.connect = actor->connect;
    const enum lwp_status status =
        lwp_producer_open(&actor->producer_options, &actor->producer, NULL);
    sim_note(sim, actor->name, "opens as producer %u: %s", actor->number, lwp_status_text(status));
    return status == LWP_OK;
}

/* How a record goes in. */
enum way { BY_PUT, BY_PUT_WAIT, BY_SEND };

static enum lwp_status hand_over(struct sim_actor *actor, enum way way,
                                 const struct lwp_outgoing *record)
{
    const unsigned wait_ms = (unsigned)sim_between(&actor->sim->dice, 0, 100);
    const uint64_t now_ns = actor->sim->now_ns;
    enum lwp_status status = LWP_OK;
    if (way == BY_PUT)
        return lwp_producer_put(actor->producer, record, NULL);
    if (way == BY_PUT_WAIT) {
        status = lwp_producer_put_wait(actor->producer, record, wait_ms, NULL);
        sim_judge_in_time(actor, "lwp_producer_put_wait()", now_ns + wait_ms * LWP_MILLISECOND_NS);
        return status;
    }
    status = lwp_producer_send(actor->producer, record);
    sim_judge_in_time(actor, "lwp_producer_send()",
                      now_ns + actor->connect.request_timeout_ms * LWP_MILLISECOND_NS);
    return status;
}

static void judge_send(const struct sim *sim, unsigned number, enum lwp_status status)
{
    const struct sim_record *record = &sim->records[number];
    const bool agrees = status == LWP_TIMEOUT ? record->reports == 0 || record->status == status
                                              : record->reports == 1 && record->status == status;
    if (!agrees)
        sim_fail(sim, SIM_SENDS,
                 "expected   %s for record %u\nseen       %u reports, the last says %s",
                 lwp_status_text(status), number, record->reports, lwp_status_text(record->status));
}

/* True if it was taken in. */
static bool put_one(struct sim_actor *actor, enum way way)
{
    struct sim *sim = actor->sim;
    uint8_t value[LARGEST_VALUE];
    const unsigned number = sim->record_count;
    struct sim_record *record = &sim->records[number];
    if (number == SIM_RECORDS || actor->puts_left == 0)
        return false;
    *record = (struct sim_record){
        .topic_id = (uint32_t)sim_between(&sim->dice, 1, SIM_TOPICS),
        .size = (uint32_t)sim_scaled(&sim->dice, 8, LARGEST_VALUE),
        .producer = actor->number,
    };
    sim_write_value(record, number, value);
    const struct lwp_outgoing outgoing = {
        .topic_id = record->topic_id,
        .type = LWP_TLV_RAW,
        .parts = {{value, record->size}},
        .user = (void *)(uintptr_t)(number + 1), /* NOLINT(performance-no-int-to-ptr) */
    };
    sim->record_count++;
    const enum lwp_status status = hand_over(actor, way, &outgoing);
    const bool taken =
        status == LWP_OK || record->reports || (way == BY_SEND && status == LWP_TIMEOUT);
    sim_note(sim, actor->name, "record %u of %u bytes into topic %u: %s", number, record->size,
             record->topic_id, lwp_status_text(status));
    if (!taken) {
        sim->record_count--;
        return false;
    }
    if (way == BY_SEND)
        judge_send(sim, number, status);
    actor->puts_left--;
    return true;
}

static void close_producer(struct sim_actor *actor, unsigned timeout_ms)
{
    struct sim *sim = actor->sim;
    const uint64_t deadline_ns = sim->now_ns + timeout_ms * LWP_MILLISECOND_NS;
    sim_note(sim, actor->name, "closes within %u ms", timeout_ms);
    const enum lwp_status status = lwp_producer_close(actor->producer, timeout_ms);
    sim_judge_in_time(actor, "lwp_producer_close()", deadline_ns);
    actor->producer = NULL;
    actor->is_open = false;
    for (unsigned i = 0; i < sim->record_count; i++) {
        const struct sim_record *record = &sim->records[i];
        if (record->producer == actor->number && record->reports != 1)
            sim_fail(sim, SIM_REPORTS,
                     "expected   one report for record %u once %s is closed (%s)\nseen       %u", i,
                     actor->name, lwp_status_text(status), record->reports);
    }
}

static void flush(struct sim_actor *actor, unsigned timeout_ms)
{
    struct sim *sim = actor->sim;
    const uint64_t deadline_ns = sim->now_ns + timeout_ms * LWP_MILLISECOND_NS;
    const enum lwp_status status = lwp_producer_flush(actor->producer, timeout_ms);
    sim_note(sim, actor->name, "has flushed for %u ms: %s", timeout_ms, lwp_status_text(status));
    sim_judge_in_time(actor, "lwp_producer_flush()", deadline_ns);
    const uint64_t pending = lwp_producer_statistics(actor->producer).records_pending;
    if (status == LWP_OK && pending)
        sim_fail(sim, SIM_FLUSHES, "expected   0\nseen       %" PRIu64, pending);
}

static void act(struct sim_actor *actor)
{
    struct sim_dice *dice = &actor->sim->dice;
    switch (sim_between(dice, 0, 15)) {
    case 0:
        flush(actor, (unsigned)sim_between(dice, 0, 300));
        break;
    case 1:
        (void)put_one(actor, BY_SEND);
        break;
    case 2:
        (void)put_one(actor, BY_PUT_WAIT);
        break;
    case 3:
        if (sim_one_in(dice, 4))
            close_producer(actor, (unsigned)sim_between(dice, 0, 200));
        break;
    default:
        for (uint64_t left = sim_scaled(dice, 1, 24); left && put_one(actor, BY_PUT); left--)
            continue;
        break;
    }
}

static void process(struct sim_actor *actor)
{
    lwp_producer_process(actor->producer);
}

static uint64_t deadline(struct sim_actor *actor)
{
    return lwp_producer_deadline(actor->producer);
}

static void finish(struct sim_actor *actor)
{
    struct sim *sim = actor->sim;
    if (!actor->is_open)
        return;
    if (sim_one_in(&sim->dice, 4)) {
        close_producer(actor, (unsigned)sim_between(&sim->dice, 0, 50));
        return;
    }
    flush(actor, SETTLE_MS);
    const struct lwp_outbox_statistics statistics = lwp_producer_statistics(actor->producer);
    if (statistics.records_pending)
        sim_fail(sim, SIM_SETTLES,
                 "expected   nothing is pending for %s\nseen       %" PRIu64 " records",
                 actor->name, statistics.records_pending);
    if (sim->weather.calm && statistics.records_failed)
        sim_fail(sim, SIM_CALM, "expected   no record of %s fails\nseen       %" PRIu64,
                 actor->name, statistics.records_failed);
    close_producer(actor, 1000);
}

const struct sim_part sim_producer_part = {open_producer, act, process, deadline, finish};
