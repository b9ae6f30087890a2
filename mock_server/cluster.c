/* SPDX-License-Identifier: MIT */
#include "mock_server/cluster.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void lwp_cluster_init(struct lwp_cluster *cluster, const struct lwp_cluster_options *options)
{
    *cluster = (struct lwp_cluster){.options = *options, .term = 1, .leadership_count = 1};
    cluster->leaderships[0].leader = LWP_CLUSTER_NOBODY;
    cluster->leaderships[0].previous = LWP_CLUSTER_NOBODY;
}

__attribute__((format(printf, 2, 3))) static void note(const struct lwp_cluster *cluster,
                                                       const char *form, ...)
{
    enum { LINE_SIZE = LWP_CLUSTER_TOPIC_SIZE + 2 * LWP_CLUSTER_NAME_SIZE + 128 };
    char line[LINE_SIZE];
    va_list arguments;
    if (!cluster->options.note)
        return;
    va_start(arguments, form);
    (void)vsnprintf(line, sizeof(line), form, arguments);
    va_end(arguments);
    cluster->options.note(cluster->options.context, lwp_bytes_text(line));
}

/* Copies a text with its zero; whether it fits. A zero inside would end it too early. */
static bool copy_text(struct lwp_bytes text, char *to, size_t size)
{
    if (text.size >= size || (text.size && memchr(text.data, 0, text.size)))
        return false;
    if (text.size)
        memcpy(to, text.data, text.size);
    to[text.size] = 0;
    return true;
}

size_t lwp_cluster_node(const struct lwp_cluster *cluster, struct lwp_bytes name)
{
    for (size_t i = 0; i < cluster->node_count; i++)
        if (lwp_bytes_equal(name, lwp_bytes_text(cluster->nodes[i].name)))
            return i;
    return LWP_CLUSTER_NOBODY;
}

static bool is_none(struct lwp_bytes name)
{
    return lwp_bytes_equal(name, lwp_bytes_text("none"));
}

enum lwp_status lwp_cluster_add(struct lwp_cluster *cluster, struct lwp_bytes name)
{
    struct lwp_node node = {.down = false};
    if (name.size == 0 || is_none(name) || lwp_cluster_node(cluster, name) != LWP_CLUSTER_NOBODY ||
        !copy_text(name, node.name, sizeof(node.name)))
        return LWP_INVALID_ARGUMENT;
    if (cluster->node_count == LWP_CLUSTER_MAX_NODES)
        return LWP_FULL;
    cluster->nodes[cluster->node_count++] = node;
    struct lwp_leadership *others = &cluster->leaderships[0];
    if (cluster->node_count == 2 && others->leader == LWP_CLUSTER_NOBODY) {
        others->leader = 0;
        others->previous = 0;
    }
    return LWP_OK;
}

enum lwp_status lwp_cluster_set_address(struct lwp_cluster *cluster, size_t node,
                                        struct lwp_bytes address)
{
    if (node >= cluster->node_count)
        return LWP_INVALID_ARGUMENT;
    char *to = cluster->nodes[node].address;
    return copy_text(address, to, LWP_CLUSTER_ADDRESS_SIZE) ? LWP_OK : LWP_INVALID_ARGUMENT;
}

static size_t leadership_index(const struct lwp_cluster *cluster, struct lwp_bytes topic)
{
    for (size_t i = 1; i < cluster->leadership_count; i++)
        if (lwp_bytes_equal(topic, lwp_bytes_text(cluster->leaderships[i].topic)))
            return i;
    return 0;
}

const struct lwp_leadership *lwp_cluster_leadership(const struct lwp_cluster *cluster,
                                                    struct lwp_bytes topic)
{
    return &cluster->leaderships[leadership_index(cluster, topic)];
}

size_t lwp_cluster_leader_of(const struct lwp_cluster *cluster, struct lwp_bytes topic)
{
    return lwp_cluster_leadership(cluster, topic)->leader;
}

/* The topic's own leadership, made if there is none: it begins as what all others have. */
static enum lwp_status own_leadership(struct lwp_cluster *cluster, struct lwp_bytes topic,
                                      struct lwp_leadership **own)
{
    struct lwp_leadership made = cluster->leaderships[0];
    size_t index = leadership_index(cluster, topic);
    if (topic.size == 0 || !copy_text(topic, made.topic, sizeof(made.topic)))
        return LWP_INVALID_ARGUMENT;
    if (index == 0 && !lwp_bytes_equal(topic, lwp_bytes_text("*"))) {
        if (cluster->leadership_count > LWP_CLUSTER_MAX_TOPICS)
            return LWP_FULL;
        index = cluster->leadership_count++;
        cluster->leaderships[index] = made;
    }
    *own = &cluster->leaderships[index];
    return LWP_OK;
}

static const char *name_of(const struct lwp_cluster *cluster, size_t node)
{
    return node == LWP_CLUSTER_NOBODY ? "nobody" : cluster->nodes[node].name;
}

static void change(struct lwp_cluster *cluster, struct lwp_leadership *of, size_t leader)
{
    of->is_changing = false;
    if (of->leader == leader)
        return;
    of->previous = of->leader;
    of->leader = leader;
    cluster->term++;
    note(cluster, "leader of %s: %s → %s, term %" PRIu64, of->topic[0] ? of->topic : "all others",
         name_of(cluster, of->previous), name_of(cluster, leader), cluster->term);
}

/* The leadership and the node that are meant by their names. */
static enum lwp_status find_both(struct lwp_cluster *cluster, struct lwp_bytes topic,
                                 struct lwp_bytes node, struct lwp_leadership **of, size_t *leader)
{
    const size_t found = lwp_cluster_node(cluster, node);
    if (found == LWP_CLUSTER_NOBODY && !is_none(node))
        return LWP_INVALID_ARGUMENT;
    *leader = found;
    return own_leadership(cluster, topic, of);
}

enum lwp_status lwp_cluster_leader(struct lwp_cluster *cluster, struct lwp_bytes topic,
                                   struct lwp_bytes node)
{
    struct lwp_leadership *of = NULL;
    size_t leader = LWP_CLUSTER_NOBODY;
    const enum lwp_status status = find_both(cluster, topic, node, &of, &leader);
    if (status == LWP_OK)
        change(cluster, of, leader);
    return status;
}

enum lwp_status lwp_cluster_leader_at(struct lwp_cluster *cluster, struct lwp_bytes topic,
                                      struct lwp_bytes node, uint64_t at_ns)
{
    struct lwp_leadership *of = NULL;
    size_t leader = LWP_CLUSTER_NOBODY;
    const enum lwp_status status = find_both(cluster, topic, node, &of, &leader);
    if (status != LWP_OK)
        return status;
    of->is_changing = true;
    of->next = leader;
    of->change_ns = at_ns;
    return LWP_OK;
}

/* The leadership that changes next, or NULL. */
static struct lwp_leadership *next_change(struct lwp_cluster *cluster)
{
    struct lwp_leadership *first = NULL;
    for (size_t i = 0; i < cluster->leadership_count; i++) {
        struct lwp_leadership *of = &cluster->leaderships[i];
        if (of->is_changing && (!first || of->change_ns < first->change_ns))
            first = of;
    }
    return first;
}

void lwp_cluster_tick(struct lwp_cluster *cluster, uint64_t now_ns)
{
    for (;;) {
        struct lwp_leadership *of = next_change(cluster);
        if (!of || of->change_ns > now_ns)
            return;
        change(cluster, of, of->next);
    }
}

uint64_t lwp_cluster_deadline(const struct lwp_cluster *cluster)
{
    uint64_t deadline = UINT64_MAX;
    for (size_t i = 0; i < cluster->leadership_count; i++) {
        const struct lwp_leadership *of = &cluster->leaderships[i];
        if (of->is_changing && of->change_ns < deadline)
            deadline = of->change_ns;
    }
    return deadline;
}

size_t lwp_cluster_up_count(const struct lwp_cluster *cluster)
{
    size_t count = 0;
    for (size_t i = 0; i < cluster->node_count; i++)
        count += !cluster->nodes[i].down;
    return count;
}

bool lwp_cluster_has_quorum(const struct lwp_cluster *cluster)
{
    return 2 * lwp_cluster_up_count(cluster) > cluster->node_count;
}

static struct lwp_node *find(struct lwp_cluster *cluster, struct lwp_bytes name)
{
    const size_t index = lwp_cluster_node(cluster, name);
    return index == LWP_CLUSTER_NOBODY ? NULL : &cluster->nodes[index];
}

static enum lwp_status set_down(struct lwp_cluster *cluster, struct lwp_bytes name, bool down)
{
    struct lwp_node *node = find(cluster, name);
    if (!node)
        return LWP_INVALID_ARGUMENT;
    if (node->down == down)
        return LWP_OK;
    node->down = down;
    note(cluster, "%s is %s: %zu of %zu up, %s", node->name, down ? "down" : "up",
         lwp_cluster_up_count(cluster), cluster->node_count,
         lwp_cluster_has_quorum(cluster) ? "a quorum" : "no quorum");
    return LWP_OK;
}

enum lwp_status lwp_cluster_down(struct lwp_cluster *cluster, struct lwp_bytes node)
{
    return set_down(cluster, node, true);
}

enum lwp_status lwp_cluster_up(struct lwp_cluster *cluster, struct lwp_bytes node)
{
    return set_down(cluster, node, false);
}

enum lwp_status lwp_cluster_lag(struct lwp_cluster *cluster, struct lwp_bytes name, uint64_t bytes)
{
    struct lwp_node *node = find(cluster, name);
    if (!node)
        return LWP_INVALID_ARGUMENT;
    if (node->lag_bytes != bytes)
        note(cluster, "%s lags %" PRIu64 " bytes behind", node->name, bytes);
    node->lag_bytes = bytes;
    return LWP_OK;
}

enum lwp_status lwp_cluster_ready(struct lwp_cluster *cluster, struct lwp_bytes name, bool ready)
{
    struct lwp_node *node = find(cluster, name);
    if (!node)
        return LWP_INVALID_ARGUMENT;
    if (node->unready == ready)
        note(cluster, "%s is %s to lead", node->name, ready ? "ready" : "not ready");
    node->unready = !ready;
    return LWP_OK;
}

enum lwp_status lwp_cluster_advertise(struct lwp_cluster *cluster, struct lwp_bytes name,
                                      struct lwp_bytes address)
{
    struct lwp_node *node = find(cluster, name);
    if (!node || !copy_text(address, node->named, sizeof(node->named)))
        return LWP_INVALID_ARGUMENT;
    return LWP_OK;
}

/* The nodes meant by a name, from `*first` up to the one returned: one, none, or all for an empty
 * name. */
static size_t find_range(const struct lwp_cluster *cluster, struct lwp_bytes name, size_t *first)
{
    *first = name.size ? lwp_cluster_node(cluster, name) : 0;
    if (name.size == 0)
        return cluster->node_count;
    return *first == LWP_CLUSTER_NOBODY ? *first : *first + 1;
}

enum lwp_status lwp_cluster_stale(struct lwp_cluster *cluster, struct lwp_bytes name,
                                  uint64_t count)
{
    size_t first = 0;
    const size_t end = find_range(cluster, name, &first);
    if (first == LWP_CLUSTER_NOBODY)
        return LWP_INVALID_ARGUMENT;
    for (size_t i = first; i < end; i++) {
        cluster->nodes[i].stale_left = count;
        note(cluster, "%s names the previous leader in its next %" PRIu64 " answers",
             cluster->nodes[i].name, count);
    }
    return LWP_OK;
}

enum lwp_status lwp_cluster_persona(struct lwp_cluster *cluster, struct lwp_bytes name,
                                    enum lwp_persona persona)
{
    size_t first = 0;
    const size_t end = find_range(cluster, name, &first);
    if (first == LWP_CLUSTER_NOBODY)
        return LWP_INVALID_ARGUMENT;
    for (size_t i = first; i < end; i++)
        cluster->nodes[i].persona = persona;
    return LWP_OK;
}
