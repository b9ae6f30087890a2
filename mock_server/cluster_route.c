/* SPDX-License-Identifier: MIT */
#include "mock_server/cluster.h"

#define MILLISECOND_NS UINT64_C(1000000)

/* What comes of a request at a node. */
enum outcome {
    OUTCOME_LOCAL,
    OUTCOME_FORWARD,
#define LWP_REFUSAL(name, text, argument, delay_ms, applies, drops_acks) OUTCOME_##name,
#include "mock_server/refusals.def"
#undef LWP_REFUSAL
};

struct refusal {
    enum outcome outcome;
    enum lwp_text text;
    const char *argument;
    uint64_t delay_ns;
    bool applies;
    bool drops_acks;
};

static const struct refusal refusals[] = {
#define LWP_REFUSAL(name, text, argument, delay_ms, applies, drops_acks)                           \
    {OUTCOME_##name, LWP_TEXT_##text, argument, (delay_ms)*MILLISECOND_NS, applies, drops_acks},
#include "mock_server/refusals.def"
#undef LWP_REFUSAL
};

struct row {
    int command;
    enum outcome leader;
    enum outcome unready;
    enum outcome follower;
    enum outcome no_quorum;
};

static const struct row rows[] = {
#define LWP_ROUTE(command, leader, unready, follower, no_quorum)                                   \
    {command, OUTCOME_##leader, OUTCOME_##unready, OUTCOME_##follower, OUTCOME_##no_quorum},
#include "mock_server/routes.def"
#undef LWP_ROUTE
};

static const struct row *row_of(int command)
{
    static const struct row elsewhere = {0, OUTCOME_LOCAL, OUTCOME_LOCAL, OUTCOME_LOCAL,
                                         OUTCOME_LOCAL};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].command == command)
            return &rows[i];
    return &elsewhere;
}

/* Who the node takes for the leader. Uses up one of its stale answers. */
static size_t believed_leader(struct lwp_cluster *cluster, size_t node, struct lwp_bytes topic)
{
    const struct lwp_leadership *of = lwp_cluster_leadership(cluster, topic);
    if (cluster->nodes[node].stale_left == 0)
        return of->leader;
    cluster->nodes[node].stale_left--;
    return of->previous;
}

static void go_to(const struct lwp_cluster *cluster, size_t node, struct lwp_route *route)
{
    route->node = node;
    route->lag_bytes = cluster->nodes[node].lag_bytes;
}

/* The error of an outcome; its delay comes on top of what forwarding took. */
static void refuse(enum outcome outcome, struct lwp_route *route)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const struct refusal *refusal = &refusals[i];
        if (refusal->outcome != outcome)
            continue;
        route->kind = LWP_ROUTE_REFUSE;
        route->text = refusal->text;
        route->argument = lwp_bytes_text(refusal->argument);
        route->delay_ns += refusal->delay_ns;
        route->applies = refusal->applies;
        route->drops_acks = refusal->drops_acks;
    }
}

/* Whether the leader has anything to replicate: what is refused or ignored needs no quorum. */
static bool is_replicated(const struct lwp_cluster_request *request)
{
    if (request->command == LWP_CLUSTER_INGEST)
        return request->topic_exists && request->payload_size;
    return request->topic.size != 0;
}

static enum outcome outcome_at_leader(const struct lwp_cluster *cluster, const struct row *row,
                                      const struct lwp_cluster_request *request, size_t leader)
{
    const enum outcome outcome = cluster->nodes[leader].unready ? row->unready : row->leader;
    if (outcome != OUTCOME_LOCAL || lwp_cluster_has_quorum(cluster) || !is_replicated(request))
        return outcome;
    if (row->no_quorum == OUTCOME_TOPIC_NOT_REPLICATED && request->topic_exists)
        return OUTCOME_EXISTING_NOT_REPLICATED;
    return row->no_quorum;
}

/* What a forwarding node meets at the one it asks. */
static enum outcome outcome_of_contact(const struct lwp_cluster *cluster, size_t target)
{
    if (target == LWP_CLUSTER_NOBODY)
        return OUTCOME_NO_LEADER;
    return cluster->nodes[target].down ? OUTCOME_NO_CONTACT : OUTCOME_FORWARD;
}

/* Asks a node and, if that does not lead either, lets it ask the leader in turn. The outcome is
 * FORWARD if the leader was reached. */
static enum outcome reach_leader(const struct lwp_cluster *cluster, size_t target, size_t leader,
                                 struct lwp_route *route)
{
    enum outcome outcome = outcome_of_contact(cluster, target);
    if (outcome != OUTCOME_FORWARD)
        return outcome;
    route->delay_ns += cluster->options.forward_ns;
    if (target == leader)
        return outcome;
    outcome = outcome_of_contact(cluster, leader);
    if (outcome == OUTCOME_FORWARD)
        route->delay_ns += cluster->options.forward_ns;
    return outcome;
}

/* Nobody answers an empty ingest to a topic that exists, so the wait for the answer runs out. */
static bool is_unanswered(const struct lwp_cluster_request *request)
{
    return request->command == LWP_CLUSTER_INGEST && request->topic_exists &&
           request->payload_size == 0;
}

static void forward(const struct lwp_cluster *cluster, const struct row *row,
                    const struct lwp_cluster_request *request, size_t target,
                    struct lwp_route *route)
{
    const size_t leader = lwp_cluster_leader_of(cluster, request->topic);
    enum outcome outcome = reach_leader(cluster, target, leader, route);
    route->is_blocking = true;
    if (outcome != OUTCOME_FORWARD) {
        refuse(outcome, route);
        return;
    }
    go_to(cluster, leader, route);
    route->kind = LWP_ROUTE_FORWARD;
    outcome = outcome_at_leader(cluster, row, request, leader);
    refuse(is_unanswered(request) ? OUTCOME_TIMED_OUT : outcome, route);
}

static void redirect(const struct lwp_cluster *cluster, size_t leader, struct lwp_route *route)
{
    route->kind = LWP_ROUTE_REFUSE;
    route->text = LWP_TEXT_LEADER_UNKNOWN;
    if (leader == LWP_CLUSTER_NOBODY)
        return;
    const struct lwp_node *node = &cluster->nodes[leader];
    route->text = LWP_TEXT_REDIRECT;
    route->argument = lwp_bytes_text(node->named[0] ? node->named : node->address);
}

static bool redirects(const struct lwp_node *node, const struct lwp_dialect *dialect)
{
    if (node->persona == LWP_PERSONA_BY_DIALECT)
        return dialect->error_form == LWP_ERRORS_AS_JSON;
    return node->persona == LWP_PERSONA_REDIRECT;
}

static void follow(struct lwp_cluster *cluster, const struct row *row,
                   const struct lwp_cluster_request *request, struct lwp_route *route)
{
    const struct lwp_node *node = &cluster->nodes[route->node];
    const bool shows_lag = request->command == LWP_COMMAND_FETCH && node->lag_bytes;
    if (row->follower == OUTCOME_LOCAL || shows_lag)
        return;
    const size_t believed = believed_leader(cluster, route->node, request->topic);
    if (redirects(node, request->dialect))
        redirect(cluster, believed, route);
    else if (believed == route->node) /* It would ask itself; on the way it learns better. */
        forward(cluster, row, request, lwp_cluster_leader_of(cluster, request->topic), route);
    else
        forward(cluster, row, request, believed, route);
}

enum lwp_status lwp_cluster_route(struct lwp_cluster *cluster, size_t node,
                                  const struct lwp_cluster_request *request, uint64_t now_ns,
                                  struct lwp_route *route)
{
    if (node >= cluster->node_count)
        return LWP_INVALID_ARGUMENT;
    lwp_cluster_tick(cluster, now_ns);
    *route = (struct lwp_route){.kind = LWP_ROUTE_LOCAL};
    go_to(cluster, node, route);
    const struct row *row = row_of(request->command);
    if (lwp_cluster_leader_of(cluster, request->topic) != node) {
        follow(cluster, row, request, route);
        return LWP_OK;
    }
    refuse(outcome_at_leader(cluster, row, request, node), route);
    route->is_blocking = route->delay_ns != 0;
    return LWP_OK;
}

static void tell_peer(const struct lwp_cluster *cluster, size_t node, size_t peer,
                      struct lwp_peer *peers, size_t *count)
{
    if (peer == node || peer >= cluster->node_count)
        return;
    peers[(*count)++] = (struct lwp_peer){peer, cluster->nodes[peer].down ? "Failed" : "Connected"};
}

enum lwp_status lwp_cluster_tell(struct lwp_cluster *cluster, size_t node, struct lwp_peer *peers,
                                 struct lwp_cluster_status *status)
{
    if (node >= cluster->node_count)
        return LWP_INVALID_ARGUMENT;
    const struct lwp_bytes others = {NULL, 0};
    const size_t leader = believed_leader(cluster, node, others);
    *status = (struct lwp_cluster_status){
        .current_term = cluster->term,
        .healthy_nodes = lwp_cluster_up_count(cluster),
        .is_leader = lwp_cluster_leader_of(cluster, others) == node,
        .has_no_leader = leader == LWP_CLUSTER_NOBODY,
        .leader_id = leader,
        .is_cluster = true,
        .node_count = cluster->node_count,
        .node_id = node,
        .peers = peers,
        .quorum_available = lwp_cluster_has_quorum(cluster),
    };
    /* The keys are ordered as texts: 1, 10, 11, …, 2. Indices have at most two digits. */
    for (size_t tens = 0; tens < 10; tens++) {
        tell_peer(cluster, node, tens, peers, &status->peer_count);
        for (size_t ones = 0; tens && ones < 10; ones++)
            tell_peer(cluster, node, 10 * tens + ones, peers, &status->peer_count);
    }
    return LWP_OK;
}
