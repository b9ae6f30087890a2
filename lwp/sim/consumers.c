/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "lwp/sim/sim.h"

enum { CLOSE_MS = 1000, STALLED_MS = 30000 };

static uint64_t stored_offset(const struct sim_actor *actor)
{
    const struct lwp_offset_key key = {.consumer = actor->name,
                                       .topic_id = actor->consumer_options.topic_id};
    uint64_t offset = 0;
    (void)lwp_offset_store_load(actor->store, &key, &offset);
    return offset;
}

static bool open_consumer(struct sim_actor *actor)
{
    struct sim *sim = actor->sim;
    const uint64_t offset = stored_offset(actor);
    if (offset > actor->delivered)
        sim_fail(sim, SIM_PLACES, "expected   at most %" PRIu64 " for %s\nseen       %" PRIu64,
                 actor->delivered, actor->name, offset);
    actor->expected = offset;
    const enum lwp_status status =
        lwp_consumer_open(&actor->consumer_options, &actor->consumer, NULL);
    sim_note(sim, actor->name, "opens at offset %" PRIu64 " of topic %u: %s", offset,
             actor->consumer_options.topic_id, lwp_status_text(status));
    return status == LWP_OK;
}

static void judge_place(const struct sim_actor *actor, const struct lwp_batch *batch)
{
    const struct sim *sim = actor->sim;
    const bool fits = batch->end_offset - batch->start_offset == batch->data.size;
    if (batch->start_offset != actor->expected || !fits)
        sim_fail(sim, SIM_ONCE,
                 "expected   %s gets what follows offset %" PRIu64
                 "\nseen       %zu bytes from %" PRIu64 " to %" PRIu64,
                 actor->name, actor->expected, batch->data.size, batch->start_offset,
                 batch->end_offset);
}

static void judge_records(const struct sim_actor *actor, const struct lwp_batch *batch)
{
    const struct sim *sim = actor->sim;
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(batch->data);
    struct lwp_record record;
    uint64_t count = 0;
    enum lwp_status status = LWP_OK;
    while ((status = lwp_tlv_next(&walk, &record)) == LWP_OK) {
        (void)sim_number_of(sim, actor->consumer_options.topic_id, &record);
        count++;
    }
    if (status != LWP_END || count != batch->record_count)
        sim_fail(sim, SIM_WHOLE,
                 "expected   %" PRIu64 " records for %s\nseen       %" PRIu64 ", then %s",
                 batch->record_count, actor->name, count, lwp_status_text(status));
}

/* Keeps the bytes; what came before a restart must come again as it was. */
static void keep(struct sim_actor *actor, const struct lwp_batch *batch)
{
    if (batch->end_offset > actor->image_room) {
        actor->image_room = 2 * (size_t)batch->end_offset;
        actor->image = realloc(actor->image, actor->image_room);
        if (!actor->image)
            abort();
    }
    for (size_t i = 0; i < batch->data.size; i++) {
        const uint64_t offset = batch->start_offset + i;
        if (offset < actor->delivered && actor->image[offset] != batch->data.data[i])
            sim_fail(actor->sim, SIM_ALL,
                     "expected   %s gets offset %" PRIu64 " as before\nseen       another byte",
                     actor->name, offset);
        actor->image[offset] = batch->data.data[i];
    }
    actor->expected = batch->end_offset;
    if (actor->delivered < batch->end_offset)
        actor->delivered = batch->end_offset;
}

static enum lwp_status poll(struct sim_actor *actor, unsigned timeout_ms)
{
    struct sim *sim = actor->sim;
    struct lwp_batch batch;
    const uint64_t deadline_ns = sim->now_ns + timeout_ms * LWP_MILLISECOND_NS;
    const enum lwp_status status = lwp_consumer_poll(actor->consumer, timeout_ms, &batch);
    sim_judge_in_time(actor, "lwp_consumer_poll()", deadline_ns);
    if (status == LWP_PAYLOAD_TOO_LARGE)
        sim_fail(sim, SIM_PRODUCED, "expected   %s gets whole records\nseen       %s", actor->name,
                 lwp_status_text(status));
    if (status != LWP_OK) {
        sim_note(sim, actor->name, "gets nothing: %s", lwp_status_text(status));
        return status;
    }
    sim_note(sim, actor->name, "gets %" PRIu64 " records up to offset %" PRIu64, batch.record_count,
             batch.end_offset);
    judge_place(actor, &batch);
    judge_records(actor, &batch);
    keep(actor, &batch);
    return status;
}

static void judge_stored(const struct sim_actor *actor, const char *call)
{
    const uint64_t stored = stored_offset(actor);
    if (stored != actor->expected)
        sim_fail(actor->sim, SIM_PLACES,
                 "expected   %" PRIu64 " after %s of %s\nseen       %" PRIu64, actor->expected,
                 call, actor->name, stored);
}

static void commit(struct sim_actor *actor)
{
    struct sim *sim = actor->sim;
    const uint64_t deadline_ns =
        sim->now_ns + actor->connect.request_timeout_ms * LWP_MILLISECOND_NS;
    const enum lwp_status status = lwp_consumer_commit(actor->consumer);
    sim_note(sim, actor->name, "commits: %s", lwp_status_text(status));
    sim_judge_in_time(actor, "lwp_consumer_commit()", deadline_ns);
    if (status == LWP_OK)
        judge_stored(actor, "a commit");
}

static void close_consumer(struct sim_actor *actor)
{
    struct sim *sim = actor->sim;
    const uint64_t deadline_ns = sim->now_ns + CLOSE_MS * LWP_MILLISECOND_NS;
    const enum lwp_status status = lwp_consumer_close(actor->consumer);
    sim_note(sim, actor->name, "closes: %s", lwp_status_text(status));
    sim_judge_in_time(actor, "lwp_consumer_close()", deadline_ns);
    actor->consumer = NULL;
    actor->is_open = false;
    if (actor->consumer_options.auto_commit_ms && actor->expected && status != LWP_IO)
        judge_stored(actor, "the close");
}

static void act(struct sim_actor *actor)
{
    struct sim_dice *dice = &actor->sim->dice;
    switch (sim_between(dice, 0, 15)) {
    case 0:
        commit(actor);
        break;
    case 1:
        if (sim_one_in(dice, 2))
            close_consumer(actor);
        break;
    default:
        (void)poll(actor, (unsigned)sim_between(dice, 0, 50));
        break;
    }
}

static void process(struct sim_actor *actor)
{
    lwp_consumer_process(actor->consumer);
}

static uint64_t deadline(struct sim_actor *actor)
{
    return lwp_consumer_deadline(actor->consumer);
}

static void finish(struct sim_actor *actor)
{
    struct sim *sim = actor->sim;
    size_t size = 0;
    free(sim_read_log(sim, actor->consumer_options.topic_id, &size));
    actor->goal = size;
    uint64_t moved_ns = sim->now_ns;
    while (actor->expected < size && actor->is_open &&
           sim->now_ns - moved_ns < STALLED_MS * LWP_MILLISECOND_NS)
        if (poll(actor, 100) == LWP_OK)
            moved_ns = sim->now_ns;
        else
            sim_sleep(sim, sim->now_ns + LWP_MILLISECOND_NS);
    if (!actor->is_open || actor->expected < size)
        sim_fail(
            sim, SIM_ALL,
            "expected   %s gets on to offset %zu once all is well\nseen       it is at %" PRIu64,
            actor->name, size, actor->expected);
    close_consumer(actor);
}

const struct sim_part sim_consumer_part = {open_consumer, act, process, deadline, finish};
