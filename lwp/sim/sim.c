/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "lwp/session/session.h"
#include "lwp/sim/sim.h"

enum {
    MAX_PASSES = 100000, /* Without time going on. */
    LONGEST_MS = 36000000,
    NS_PER_BYTE = 64000 /* Of a piece; 32 of them are on their way at a time. */
};

static uint64_t sim_now(const struct lwp_world *world)
{
    return ((const struct sim *)(const void *)world)->now_ns;
}

static void sim_wait(struct lwp_world *world, struct lwp_transport *const *transports, size_t count,
                     uint64_t deadline_ns)
{
    (void)transports;
    (void)count;
    sim_pass((struct sim *)(void *)world, deadline_ns);
}

/* Whoever waits inside of a call drives his own handle. */
static bool is_driven(const struct sim_actor *actor)
{
    return actor->is_open && !actor->inside;
}

static void process_all(struct sim *sim)
{
    for (unsigned i = 0; i < sim->actor_count; i++)
        if (is_driven(sim->actors[i]))
            sim->actors[i]->part->process(sim->actors[i]);
}

static uint64_t next_event(const struct sim *sim)
{
    uint64_t next_ns = lwp_deadline_earlier(lwp_mock_deadline(sim->mock), sim_carry_due(sim));
    next_ns = lwp_deadline_earlier(next_ns, sim->fault_ns);
    for (unsigned i = 0; i < sim->actor_count; i++)
        if (is_driven(sim->actors[i]))
            next_ns = lwp_deadline_earlier(next_ns, sim->actors[i]->part->deadline(sim->actors[i]));
    return next_ns;
}

void sim_pass(struct sim *sim, uint64_t until_ns)
{
    bool worked = sim_do_faults(sim);
    worked = lwp_mock_step(sim->mock, sim->now_ns) || worked;
    worked = sim_carry(sim) || worked;
    process_all(sim);
    worked = sim_carry(sim) || worked;
    if (sim->passes++ > MAX_PASSES)
        sim_fail(sim, SIM_WAITS, "expected   something is waited for\nseen       nobody waits");
    if (worked)
        return;
    const uint64_t next_ns = lwp_deadline_earlier(next_event(sim), until_ns);
    if (next_ns == LWP_NEVER || next_ns > LONGEST_MS * LWP_MILLISECOND_NS)
        sim_fail(sim, SIM_WAITS, "expected   something is due\nseen       nothing ever is");
    if (next_ns <= sim->now_ns)
        return;
    sim->now_ns = next_ns;
    sim->passes = 0;
}

void sim_sleep(struct sim *sim, uint64_t until_ns)
{
    while (sim->now_ns < until_ns)
        sim_pass(sim, until_ns);
}

static void act(struct sim_actor *actor)
{
    struct sim *sim = actor->sim;
    actor->inside = true;
    if (actor->is_open)
        actor->part->act(actor);
    else
        actor->is_open = actor->part->open(actor);
    actor->inside = false;
    actor->next_ns = sim->now_ns + sim_scaled(&sim->dice, 1, 100) * LWP_MILLISECOND_NS / 2;
}

static void act_all(struct sim *sim)
{
    while (sim->now_ns < sim->end_ns) {
        uint64_t next_ns = sim->end_ns;
        for (unsigned i = 0; i < sim->actor_count; i++) {
            if (sim->actors[i]->next_ns <= sim->now_ns)
                act(sim->actors[i]);
            next_ns = lwp_deadline_earlier(next_ns, sim->actors[i]->next_ns);
        }
        sim_pass(sim, next_ns);
    }
}

/* A handle that is not open at the end is opened once more, for a consumer must see all. */
static void finish(struct sim *sim, const struct sim_part *part)
{
    enum { ATTEMPTS = 100 };
    for (unsigned i = 0; i < sim->actor_count; i++) {
        struct sim_actor *actor = sim->actors[i];
        if (actor->part != part)
            continue;
        actor->inside = true;
        for (unsigned left = ATTEMPTS; left && !actor->is_open; left--) {
            actor->is_open = part->open(actor);
            sim_sleep(sim, sim->now_ns + 10 * LWP_MILLISECOND_NS);
        }
        part->finish(actor);
        actor->inside = false;
    }
}

static void draw_weather(struct sim *sim)
{
    struct sim_dice *dice = &sim->dice;
    static const struct lwp_dialect *const dialects[] = {&lwp_dialect_lance, &lwp_dialect_spec,
                                                         &lwp_dialect_lance_py};
    sim->dialect = dialects[sim_between(dice, 0, 2)];
    sim->node_count = (unsigned)sim_between(dice, 1, SIM_NODES);
    sim->weather = (struct sim_weather){
        .latency_ns = sim_scaled(dice, 0, 20000) * 1000,
        .pipe_size = (size_t)sim_scaled(dice, 64, 65536),
        .piece_size = (size_t)sim_scaled(dice, 8, 16384),
        .calm = sim_one_in(dice, 8),
    };
    /* Small pieces come at short intervals, or no answer would come in time. */
    const uint64_t slowest_ns = sim->weather.piece_size * NS_PER_BYTE;
    if (sim->weather.latency_ns > slowest_ns)
        sim->weather.latency_ns = slowest_ns;
    sim->end_ns = sim->now_ns + sim_between(dice, 200, 3000) * LWP_MILLISECOND_NS;
}

static void draw_actors(struct sim *sim)
{
    struct sim_dice *dice = &sim->dice;
    for (uint64_t left = sim_between(dice, 1, 2); left; left--)
        (void)sim_actor_new(sim, &sim_producer_part, "producer");
    for (uint64_t left = sim_between(dice, 1, 2); left; left--)
        (void)sim_actor_new(sim, &sim_consumer_part, "consumer");
    if (!sim_one_in(dice, 3))
        (void)sim_actor_new(sim, &sim_client_part, "client");
}

static void clear(struct sim *sim)
{
    for (unsigned i = 0; i < sim->actor_count; i++) {
        lwp_offset_store_free(sim->actors[i]->store);
        free(sim->actors[i]->image);
        free(sim->actors[i]);
    }
    sim_hang_up(sim);
    lwp_mock_free(sim->mock);
    sim->mock = NULL;
    sim->actor_count = 0;
}

void sim_run(uint64_t seed, bool verbose)
{
    static const struct lwp_world_ops ops = {sim_now, NULL, sim_wait};
    struct sim *sim = calloc(1, sizeof(*sim));
    if (!sim)
        abort();
    const long before = sim_allocations();
    sim->world.ops = &ops;
    sim->seed = seed;
    sim->dice.state = seed;
    sim->now_ns = LWP_MILLISECOND_NS;
    sim->trace.verbose = verbose;
    draw_weather(sim);
    sim_begin_faults(sim);
    draw_actors(sim);
    act_all(sim);
    sim_heal(sim);
    finish(sim, &sim_client_part);
    finish(sim, &sim_producer_part);
    finish(sim, &sim_consumer_part);
    sim_judge_logs(sim);
    clear(sim);
    if (sim_allocations() != before)
        sim_fail(sim, SIM_MEMORY, "expected   0 allocations\nseen       %ld",
                 sim_allocations() - before);
    free(sim);
}
