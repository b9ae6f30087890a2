/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "lwp/session/session.h"
#include "lwp/sim/sim.h"

enum { SCRIPT_SIZE = 8192 };

static const char *const nodes[SIM_NODES] = {"A", "B", "C"};

/* What a script may say: some of these. None of them lies about what is stored. */
struct rule {
    const char *text;
    bool skips; /* An ingest may be refused, and one behind it stored. */
};

static const struct rule rules[] = {
    {"on ingest p=0.05 -> drop-reply optional\n", false},
    {"on ingest p=0.03 -> no-apply optional\n", true},
    {"on ingest p=0.1 -> backpressure, apply optional\n", false},
    {"on ingest p=0.02 -> backpressure optional\n", true},
    {"on ingest p=0.05 -> rate-limited 20ms optional\n", true},
    {"on ingest p=0.03 -> error storage-error optional\n", true},
    {"on ingest p=0.03 -> error timeout-error, apply optional\n", false},
    {"on ingest p=0.03 -> error not-leader optional\n", true},
    {"on ingest p=0.2 -> late-reply 1ms~30ms optional\n", false},
    {"on ingest p=0.1 -> dup-reply optional\n", false},
    {"on ingest p=0.1 -> reorder 2 optional\n", false},
    {"on ingest p=0.03 -> close rst optional\n", false},
    {"on ingest p=0.03 -> close fin, apply optional\n", false},
    {"on fetch p=0.1 -> catching-up 0 step 10 optional\n", false},
    {"on fetch p=0.05 -> drop-reply optional\n", false},
    {"on fetch p=0.05 -> dup-reply optional\n", false},
    {"on fetch p=0.1 -> late-reply 1ms~40ms optional\n", false},
    {"on fetch p=0.05 -> error storage-error optional\n", false},
    {"on fetch p=0.05 -> rate-limited 20ms optional\n", false},
    {"on get-topic p=0.1 -> drop-reply optional\n", false},
    {"on get-topic p=0.7 -> late-reply 20ms~600ms optional\n", false},
    {"on get-topic p=0.6 -> late-reply 50ms~400ms optional\n", false},
    {"on get-topic p=0.5 -> late-reply 100ms~350ms optional\n", false},
    {"on get-topic p=0.1 -> dup-reply optional\n", false},
    {"on keepalive p=0.3 -> drop-reply optional\n", false},
    {"on keepalive p=0.3 -> late-reply 10ms~500ms optional\n", false},
    {"on commit-offset p=0.2 -> drop-reply optional\n", false},
    {"on connect p=0.1 -> refuse optional\n", false},
    {"on connect p=0.05 -> silence optional\n", false},
    {"on connect p=0.2 -> chop 1,43,* gap 1ms optional\n", false},
    {"on out frame p=0.02 -> close rst after 20 bytes optional\n", false},
    {"on out frame p=0.01 -> set header_crc=wrong optional\n", false},
    {"on subscribe p=0.6 -> late-reply 30ms~500ms optional\n", false},
    {"on keepalive p=0.2 -> dup-reply optional\n", false},
    {"on out ack p=0.01 -> set batch_id=999999 optional\n", false},
    {"on out ack p=0.01 -> insert 44 \"HTTP/1.1 400 Bad Request\" optional\n", false},
    {"on ingest p=0.05 -> keepalive, backpressure, apply optional\n", false},
    {"on fetch p=0.05 -> fetch-reply next_offset=99999999 optional\n", false},
    {"on fetch p=0.02 -> reply ack batch_id=1 optional\n", false},
    {"on fetch p=0.02 -> topic-reply id=1 name=\"t1\" optional\n", false},
    {"on get-topic p=0.2 -> topic-reply id=99 name=\"t99\" optional\n", false},
    {"on get-topic p=0.2 -> topic-reply json=\"{\" optional\n", false},
    {"on out frame p=0.01 -> xor 44 hex(01) optional\n", false},
    {"on out frame p=0.005 -> truncate 20 optional\n", false},
    {"at 100ms -> keepalive optional\n", false},
    {"at 150ms -> reply ack batch_id=999999 optional\n", false},
    {"at 200ms -> backpressure optional\n", false},
    {"at 120ms -> stop-read optional\n", false},
    {"at 250ms -> silence optional\n", false},
    {"at 300ms -> close fin optional\n", false},
};

enum { RULES = sizeof(rules) / sizeof(rules[0]) };

static void write_script(struct sim *sim, char *script)
{
    size_t size = (size_t)snprintf(script, SCRIPT_SIZE,
                                   "scenario faults\nseed %" PRIu64
                                   "\ntopic t1 id=1\ntopic t2 id=2\ntopic t3 id=3\n",
                                   sim_between(&sim->dice, 1, 1000000));
    for (unsigned i = 0; i < RULES && !sim->weather.calm; i++)
        if (sim_one_in(&sim->dice, 5)) {
            size += (size_t)snprintf(script + size, SCRIPT_SIZE - size, "%s", rules[i].text);
            sim->skips = sim->skips || rules[i].skips;
            sim_note(sim, "script", "%.*s", (int)strcspn(rules[i].text, "\n"), rules[i].text);
        }
}

void sim_begin_faults(struct sim *sim)
{
    char script[SCRIPT_SIZE];
    static const char *const named[SIM_NODES] = {"A=A:1992", "B=B:1992", "C=C:1992"};
    struct lwp_mock_options options = {.dialect = sim->dialect, .seed = sim->seed};
    for (size_t i = 0; i < SIM_NODES && i < sim->node_count; i++)
        options.nodes[options.node_count++] = named[i];
    options.ack_delay_ns = sim_between(&sim->dice, 0, 5) * LWP_MILLISECOND_NS;
    sim->skips = sim->node_count > 1; /* Leaders come and go. */
    write_script(sim, script);
    if (lwp_mock_new(&options, &sim->mock) != LWP_OK)
        abort();
    if (lwp_mock_script(sim->mock, "sim", script) != LWP_OK)
        sim_fail(sim, SIM_SIMULATION, "expected   no problem\nseen       %s",
                 lwp_mock_problems(sim->mock));
    (void)lwp_mock_leader(sim->mock, "*", nodes[sim_between(&sim->dice, 0, sim->node_count - 1)]);
    sim->fault_ns = sim->weather.calm ? LWP_NEVER : sim->now_ns;
}

static void change_leader(struct sim *sim, const char *node)
{
    static const char *const topics[] = {"*", "t1", "t2", "t3"};
    const char *topic = topics[sim_between(&sim->dice, 0, 3)];
    const char *leader = sim_one_in(&sim->dice, 8) ? "none" : node;
    sim_note(sim, "cluster", "%s leads %s", leader, topic);
    (void)lwp_mock_leader(sim->mock, topic, leader);
}

static void do_fault(struct sim *sim)
{
    struct sim_dice *dice = &sim->dice;
    const char *node = nodes[sim_between(dice, 0, sim->node_count - 1)];
    switch (sim_between(dice, 0, 14)) {
    case 0:
        sim_note(sim, "cluster", "%s goes down", node);
        (void)lwp_mock_down(sim->mock, node);
        break;
    case 1:
    case 2:
    case 7:
    case 8:
        sim_note(sim, "cluster", "%s comes up", node);
        (void)lwp_mock_up(sim->mock, node);
        break;
    case 3:
        change_leader(sim, node);
        break;
    case 4:
        sim_note(sim, "cluster", "%s lags behind", node);
        (void)lwp_mock_lag(sim->mock, node, sim_between(dice, 0, 1000));
        break;
    case 5:
        (void)lwp_mock_stale(sim->mock, node, sim_between(dice, 1, 3));
        break;
    case 6:
        lwp_mock_advance(sim->mock, sim_between(dice, 1, 50) * LWP_MILLISECOND_NS);
        break;
    default:
        sim_cut(sim);
        break;
    }
}

bool sim_do_faults(struct sim *sim)
{
    if (sim->now_ns < sim->fault_ns)
        return false;
    sim->fault_ns = sim->now_ns + sim_scaled(&sim->dice, 1, 800) * LWP_MILLISECOND_NS;
    do_fault(sim);
    return true;
}

void sim_heal(struct sim *sim)
{
    sim_note(sim, "network", "all is well from now on");
    sim->fault_ns = LWP_NEVER;
    lwp_mock_reset(sim->mock);
    for (unsigned i = 0; i < SIM_NODES && i < sim->node_count; i++) {
        (void)lwp_mock_up(sim->mock, nodes[i]);
        (void)lwp_mock_lag(sim->mock, nodes[i], 0);
    }
    (void)lwp_mock_leader(sim->mock, "*", nodes[0]);
    for (unsigned i = 1; i <= SIM_TOPICS; i++) {
        const char topic[] = {'t', (char)('0' + i), '\0'};
        (void)lwp_mock_leader(sim->mock, topic, nodes[0]);
    }
}
