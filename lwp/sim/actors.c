/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "lwp/sim/sim.h"

static struct lwp_connect_options draw_connect(struct sim_actor *actor)
{
    struct sim *sim = actor->sim;
    struct sim_dice *dice = &sim->dice;
    struct lwp_connect_options connect = lwp_connect_defaults(actor->address);
    connect.dialect = sim->dialect;
    connect.connect_timeout_ms = (unsigned)sim_between(dice, 100, 500);
    connect.request_timeout_ms = (unsigned)sim_between(dice, 150, 1500);
    connect.keepalive_ms = (unsigned)sim_between(dice, 20, 400);
    connect.dead_after_ms = (unsigned)sim_between(dice, 300, 1500);
    connect.backoff = (struct lwp_backoff_options){
        .first_ns = sim_between(dice, 1, 20) * LWP_MILLISECOND_NS,
        .cap_ns = sim_between(dice, 50, 300) * LWP_MILLISECOND_NS,
        .jitter_percent = (unsigned)sim_between(dice, 0, 20),
    };
    connect.seed = sim_between(dice, 1, UINT64_MAX - 1);
    connect.max_hops = (unsigned)sim_between(dice, 1, 5);
    connect.caller_driven = true;
    connect.trace = sim_saw_frame;
    connect.trace_user = actor;
    connect.network = &actor->network;
    connect.world = &sim->world;
    return connect;
}

static void draw_producer(struct sim_actor *actor)
{
    struct sim_dice *dice = &actor->sim->dice;
    struct lwp_producer_options options = lwp_producer_defaults(actor->address);
    options.connect = actor->connect;
    options.batch_size = (size_t)sim_scaled(dice, 64, 8192);
    options.linger_ms = (unsigned)sim_between(dice, 0, 10);
    options.max_pending_acks = (unsigned)sim_scaled(dice, 1, 16);
    options.max_retries = (unsigned)sim_between(dice, 1, 30);
    options.buffer_limit = (size_t)sim_scaled(dice, 8192, 262144);
    options.compression = actor->sim->dialect->decompresses_ingest && sim_one_in(dice, 3);
    options.delivered = sim_saw_report;
    options.user = actor;
    actor->producer_options = options;
    actor->puts_left = (unsigned)sim_scaled(dice, 10, 150);
}

static void draw_consumer(struct sim_actor *actor)
{
    struct sim_dice *dice = &actor->sim->dice;
    const uint32_t topic_id = (uint32_t)sim_between(dice, 1, SIM_TOPICS);
    struct lwp_consumer_options options =
        lwp_consumer_defaults(actor->address, actor->name, topic_id);
    options.connect = actor->connect;
    options.max_fetch_bytes = (uint32_t)sim_scaled(dice, 24, 16384);
    options.read_ahead = (unsigned)sim_between(dice, 1, 4);
    options.auto_commit_ms = sim_one_in(dice, 3) ? 0 : (unsigned)sim_between(dice, 10, 200);
    options.commit_to_server = sim_one_in(dice, 2);
    options.catch_up_ms = (unsigned)sim_between(dice, 1, 50);
    options.catch_up_limit = (unsigned)sim_between(dice, 1, 3);
    sim_store_make(actor);
    options.store = actor->store;
    actor->consumer_options = options;
}

struct sim_actor *sim_actor_new(struct sim *sim, const struct sim_part *part, const char *kind)
{
    struct sim_actor *actor = calloc(1, sizeof(*actor));
    if (!actor)
        abort();
    actor->sim = sim;
    actor->part = part;
    (void)snprintf(actor->name, sizeof(actor->name), "%s-%u", kind, sim->actor_count + 1);
    actor->address[0] = (char)('A' + sim_between(&sim->dice, 0, sim->node_count - 1));
    actor->network = (struct lwp_network){sim_dial, actor};
    actor->connect = draw_connect(actor);
    actor->next_ns = sim->now_ns + sim_between(&sim->dice, 0, 50) * LWP_MILLISECOND_NS;
    if (part == &sim_client_part)
        actor->connect.request_timeout_ms = (unsigned)sim_between(&sim->dice, 50, 300);
    if (part == &sim_producer_part)
        draw_producer(actor);
    if (part == &sim_consumer_part)
        draw_consumer(actor);
    sim->actors[sim->actor_count++] = actor;
    return actor;
}

void sim_judge_in_time(const struct sim_actor *actor, const char *call, uint64_t deadline_ns)
{
    const struct sim *sim = actor->sim;
    if (sim->now_ns > deadline_ns)
        sim_fail(sim, SIM_IN_TIME,
                 "expected   %s of %s by %.6f ms\nseen       it took %.6f ms longer", call,
                 actor->name, (double)deadline_ns / LWP_MILLISECOND_NS,
                 (double)(sim->now_ns - deadline_ns) / LWP_MILLISECOND_NS);
}
