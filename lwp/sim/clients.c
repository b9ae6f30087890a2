/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "lwp/session/session.h"
#include "lwp/sim/sim.h"

enum { CONSUMER_ID = 42 };

static bool open_client(struct sim_actor *actor)
{
    const enum lwp_status status = lwp_client_connect(&actor->connect, &actor->client, NULL);
    sim_note(actor->sim, actor->name, "connects: %s", lwp_status_text(status));
    return status == LWP_OK;
}

static void judge_answer(const struct sim_actor *actor, bool agrees, const char *question)
{
    if (!agrees)
        sim_fail(actor->sim, SIM_ANSWERS,
                 "expected   what %s asked: %s\nseen       the answer to something else",
                 actor->name, question);
}

static enum lwp_status get(struct sim_actor *actor)
{
    struct lwp_topic_info topic = {.id = 0};
    const uint32_t id = (uint32_t)sim_between(&actor->sim->dice, 1, SIM_TOPICS);
    const enum lwp_status status = lwp_client_get_topic(actor->client, id, &topic);
    judge_answer(actor, status != LWP_OK || topic.id == id, "one topic");
    return status;
}

/* Nothing but the offset tells whose answer it is, and the library does not look at that. */
static enum lwp_status subscribe(struct sim_actor *actor)
{
    struct sim_dice *dice = &actor->sim->dice;
    const uint32_t id = (uint32_t)sim_between(dice, 1, SIM_TOPICS);
    const uint64_t start = sim_between(dice, 1, 1000000);
    uint64_t told = start;
    const enum lwp_status status =
        lwp_client_subscribe(actor->client, id, start, CONSUMER_ID, &told);
    judge_answer(actor, told == start, "its place");
    return status;
}

/* Whoever asks again at once after a time-out is the one to whom a late answer could be given. */
static enum lwp_status ask_some(struct sim_actor *actor,
                                enum lwp_status (*ask)(struct sim_actor *actor))
{
    enum { AT_ONCE = 5 };
    enum lwp_status status = LWP_OK;
    for (unsigned i = 0; i < AT_ONCE && (status == LWP_OK || status == LWP_TIMEOUT); i++) {
        const uint64_t deadline_ns =
            actor->sim->now_ns + actor->connect.request_timeout_ms * LWP_MILLISECOND_NS;
        status = ask(actor);
        sim_judge_in_time(actor, "a request", deadline_ns);
    }
    return status;
}

static enum lwp_status list(struct sim_actor *actor)
{
    struct lwp_topic_info *topics = NULL;
    size_t count = 0;
    const enum lwp_status status = lwp_client_list_topics(actor->client, &topics, &count);
    judge_answer(actor, status != LWP_OK || count == SIM_TOPICS, "all topics");
    free(topics);
    return status;
}

static enum lwp_status ping(struct sim_actor *actor)
{
    return lwp_client_ping(actor->client, NULL);
}

static enum lwp_status look_at_cluster(struct sim_actor *actor)
{
    struct lwp_cluster_info cluster;
    return lwp_client_cluster_status(actor->client, &cluster);
}

static void act(struct sim_actor *actor)
{
    struct sim *sim = actor->sim;
    enum lwp_status status = LWP_OK;
    switch (sim_between(&sim->dice, 0, 9)) {
    case 0:
        status = ask_some(actor, ping);
        break;
    case 1:
        status = ask_some(actor, look_at_cluster);
        break;
    case 2:
        status = ask_some(actor, list);
        break;
    case 3:
    case 5:
        status = ask_some(actor, subscribe);
        break;
    case 4:
        lwp_client_close(actor->client);
        actor->client = NULL;
        actor->is_open = false;
        break;
    default:
        status = ask_some(actor, get);
        break;
    }
    sim_note(sim, actor->name, "has its answer: %s", lwp_status_text(status));
    if (sim->weather.calm && status != LWP_OK)
        sim_fail(sim, SIM_CALM, "expected   %s has its answer\nseen       %s", actor->name,
                 lwp_status_text(status));
}

static void process(struct sim_actor *actor)
{
    lwp_client_process(actor->client);
}

static uint64_t deadline(struct sim_actor *actor)
{
    return lwp_client_deadline(actor->client);
}

static void finish(struct sim_actor *actor)
{
    if (actor->is_open)
        lwp_client_close(actor->client);
    actor->client = NULL;
    actor->is_open = false;
}

const struct sim_part sim_client_part = {open_client, act, process, deadline, finish};
