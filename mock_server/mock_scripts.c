/* SPDX-License-Identifier: MIT */
/* What scripts need of the mock as a whole: nodes, topics, the clock, rules at a time. */
#include <stdlib.h>

#include "mock_server/mock_state.h"
#include "mock_server/perform.h"

static struct lwp_bytes address_of(void *owner, struct lwp_bytes node)
{
    const struct lwp_mock *mock = owner;
    const size_t index = mock->cluster ? lwp_cluster_node(mock->cluster, node) : 0;
    if (!mock->cluster || index == LWP_CLUSTER_NOBODY)
        return (struct lwp_bytes){NULL, 0};
    return lwp_bytes_text(mock->cluster->nodes[index].address);
}

static void change_cluster(struct lwp_mock *mock, const struct script_rule *rule,
                           const struct script_action *action)
{
    struct lwp_cluster *cluster = mock->cluster;
    if (action->kind == SCRIPT_ACTION_DOWN)
        (void)mock_down(mock, (const char *)action->word.data);
    else if (action->kind == SCRIPT_ACTION_UP)
        (void)mock_up(mock, (const char *)action->word.data);
    else if (!cluster)
        return;
    else if (action->kind == SCRIPT_ACTION_LEADER)
        (void)lwp_cluster_leader(cluster, action->topic,
                                 action->word.size ? action->word : lwp_bytes_text("none"));
    else if (action->kind == SCRIPT_ACTION_LAG)
        (void)lwp_cluster_lag(cluster, action->word, action->number);
    else
        (void)lwp_cluster_stale(cluster, rule->match.node, action->number);
}

static void release_all(struct lwp_mock *mock, uint64_t now_ns)
{
    for (struct member *member = mock->first; member; member = member->next) {
        if (!connection_has_held(&member->connection))
            continue;
        connection_release(&member->connection, now_ns);
        mock_touch(mock, member);
    }
}

static void perform_action(void *owner, const struct script_rule *rule,
                           const struct script_action *action, uint64_t now_ns)
{
    struct lwp_mock *mock = owner;
    if (action->kind == SCRIPT_ACTION_ADVANCE)
        mock_advance(mock, action->least_ns);
    else if (action->kind == SCRIPT_ACTION_FREEZE)
        mock_freeze(mock, true);
    else if (script_action_rows[action->kind].group == SCRIPT_CLUSTER)
        change_cluster(mock, rule, action);
    else if (action->kind == SCRIPT_ACTION_RELEASE)
        release_all(mock, now_ns);
}

void mock_tell_cluster(void *context, struct lwp_bytes text)
{
    const struct lwp_mock *mock = context;
    const struct lwp_event event = {
        .kind = LWP_EVENT_CLUSTER, .time_ns = mock->now_ns, .text = text};
    if (lwp_events_wanted(mock->events))
        lwp_events_add(mock->events, &event);
}

enum lwp_status mock_make_host(struct lwp_mock *mock)
{
    mock->host = (struct connection_host){
        .owner = mock,
        .broker = mock->broker,
        .stage = mock->stage,
        .events = mock->events,
        .ack_delay_ns = mock->options.ack_delay_ns,
        .max_memory = mock->options.max_connection_memory,
        .view = &mock->view,
        .peers = mock->peers,
        .address_of = address_of,
        .perform = perform_action,
    };
    return mock_make_cluster(mock);
}

enum lwp_status mock_make_cluster(struct lwp_mock *mock)
{
    const struct lwp_cluster_options options = {
        .forward_ns = mock->options.forward_ns, .note = mock_tell_cluster, .context = mock};
    if (mock->node_count < 2 && !mock->nodes[0]->name[0])
        return LWP_OK;
    if (!mock->cluster) {
        mock->cluster = malloc(sizeof(*mock->cluster));
        if (!mock->cluster)
            return LWP_NO_MEMORY;
        lwp_cluster_init(mock->cluster, &options);
    }
    enum lwp_status status = LWP_OK;
    for (size_t i = mock->cluster->node_count; i < mock->node_count && status == LWP_OK; i++) {
        /* Until it has a port its name is where it is: so lwp_mock_accept_on() knows it. */
        const struct lwp_bytes name = lwp_bytes_text(mock->nodes[i]->name);
        status = lwp_cluster_add(mock->cluster, name);
        if (status == LWP_OK)
            status = lwp_cluster_set_address(mock->cluster, i, name);
    }
    mock->host.cluster = mock->cluster;
    return status;
}

enum lwp_status mock_arm(struct lwp_mock *mock, const char *name, bool armed)
{
    const enum lwp_status status = stage_arm(mock->stage, lwp_bytes_text(name), armed);
    service_wake(mock); /* A rule at a time may be due. */
    return status;
}

void mock_reset_scripts(struct lwp_mock *mock)
{
    for (struct member *member = mock->first; member; member = member->next) {
        connection_forget_scripts(&member->connection, mock->now_ns);
        mock_touch(mock, member);
    }
    stage_reset(mock->stage);
    mock->options.dialect = mock->given;
    service_wake(mock);
}

/* Rules at a time. */

static void perform_rule(struct lwp_mock *mock, const struct script_rule *rule)
{
    perform_begin_timed(&mock->host, rule, mock->now_ns);
    for (struct member *member = mock->first; member; member = member->next) {
        if (member->refused || !stage_concerns(rule, &member->connection.peer))
            continue;
        connection_perform_timed(&member->connection, rule, mock->now_ns);
        mock_touch(mock, member);
    }
}

bool mock_perform_timed(struct lwp_mock *mock)
{
    bool any = false;
    const struct script_rule *rule = NULL;
    if (mock->cluster)
        lwp_cluster_tick(mock->cluster, mock->now_ns);
    /* Connections may be older than the script. */
    if (stage_is_set(mock->stage) && mock->connection_count)
        stage_begin(mock->stage, mock->now_ns);
    while ((rule = stage_due(mock->stage, mock->now_ns))) {
        perform_rule(mock, rule);
        any = true;
    }
    if (any)
        mock_touch_waiting(mock);
    return any;
}

void mock_touch_waiting(struct lwp_mock *mock)
{
    const uint64_t progress = stage_progress(mock->stage);
    if (progress == mock->progress)
        return;
    mock->progress = progress;
    for (struct member *member = mock->first; member; member = member->next)
        if (member->connection.awaiting.first)
            mock_touch(mock, member);
}
