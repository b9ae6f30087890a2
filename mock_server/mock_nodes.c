/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "mock_server/mock_state.h"

struct node *mock_node_named(const struct lwp_mock *mock, const char *name)
{
    if (!name)
        return mock->node_count ? mock->nodes[0] : NULL;
    for (size_t i = 0; i < mock->node_count; i++)
        if (strcmp(mock->nodes[i]->name, name) == 0)
            return mock->nodes[i];
    return NULL;
}

enum lwp_status mock_add_node(struct lwp_mock *mock, const char *name,
                              const struct lwp_address *address)
{
    if (strlen(name) >= NODE_NAME_SIZE || mock_node_named(mock, name))
        return LWP_INVALID_ARGUMENT;
    if (mock->node_count == LWP_MOCK_MAX_NODES)
        return LWP_FULL;
    struct node *node = malloc(sizeof(*node));
    if (!node)
        return LWP_NO_MEMORY;
    node_init(node, name, address);
    node->index = mock->node_count;
    mock->nodes[mock->node_count++] = node;
    return LWP_OK;
}

void mock_name_node(struct lwp_mock *mock, struct node *node, const char *name)
{
    (void)snprintf(node->name, sizeof(node->name), "%s", name);
    for (struct member *member = mock->first; member; member = member->next)
        if (member->node == node)
            member->connection.peer.node = lwp_bytes_text(node->name);
}

/* NAME=HOST[:PORT] */
static enum lwp_status make_node(struct lwp_mock *mock, const char *text)
{
    char name[NODE_NAME_SIZE];
    struct lwp_address address;
    const char *equals = strchr(text, '=');
    const size_t size = equals ? (size_t)(equals - text) : 0;
    if (size == 0 || size >= sizeof(name) || lwp_address_parse(equals + 1, &address) != LWP_OK)
        return LWP_INVALID_ARGUMENT;
    memcpy(name, text, size);
    name[size] = '\0';
    return mock_add_node(mock, name, &address);
}

enum lwp_status mock_make_nodes(struct lwp_mock *mock)
{
    const struct lwp_mock_options *options = &mock->options;
    enum lwp_status status = LWP_OK;
    for (size_t i = 0; i < options->node_count && status == LWP_OK; i++)
        status = make_node(mock, options->nodes[i]);
    if (options->node_count)
        return status;
    struct lwp_address address;
    status = lwp_address_parse(options->listen ? options->listen : "127.0.0.1:0", &address);
    return status == LWP_OK ? mock_add_node(mock, "", &address) : status;
}

void mock_remove_nodes(struct lwp_mock *mock, size_t count)
{
    while (mock->node_count > count) {
        struct node *node = mock->nodes[--mock->node_count];
        node_done(node);
        free(node);
    }
}

/* All ports are there before any is watched: what is watched may be under way to the service and can
 * not be taken back. */
enum lwp_status mock_open_nodes(struct lwp_mock *mock)
{
    enum lwp_status status = LWP_OK;
    for (size_t i = 0; mock->service && i < mock->node_count && status == LWP_OK; i++)
        status = node_open(mock->nodes[i]);
    for (size_t i = 0; mock->service && i < mock->node_count && status == LWP_OK; i++) {
        const struct node *node = mock->nodes[i];
        status = service_watch_node(mock, mock->nodes[i]);
        if (status == LWP_OK && mock->cluster)
            (void)lwp_cluster_set_address(mock->cluster, i, lwp_bytes_text(node->bound));
    }
    return status;
}

enum lwp_status mock_down(struct lwp_mock *mock, const char *name)
{
    struct node *node = mock_node_named(mock, name);
    if (!node)
        return LWP_INVALID_ARGUMENT;
    node->down = true;
    service_unwatch(mock, &node->watch, node->listener);
    node_shut(node);
    if (mock->cluster)
        (void)lwp_cluster_down(mock->cluster, lwp_bytes_text(node->name));
    for (struct member *member = mock->first; member; member = member->next)
        if (member->node == node && !member->connection.done)
            mock_reset_member(mock, member);
    service_wake(mock);
    return LWP_OK;
}

enum lwp_status mock_up(struct lwp_mock *mock, const char *name)
{
    struct node *node = mock_node_named(mock, name);
    if (!node)
        return LWP_INVALID_ARGUMENT;
    node->down = false;
    if (mock->cluster)
        (void)lwp_cluster_up(mock->cluster, lwp_bytes_text(node->name));
    if (!mock->service)
        return LWP_OK;
    const enum lwp_status status = node_open(node);
    return status == LWP_OK ? service_watch_node(mock, node) : status;
}

const char *mock_address(const struct lwp_mock *mock, const char *name)
{
    const struct node *node = mock_node_named(mock, name);
    return node && node->bound[0] ? node->bound : NULL;
}

enum lwp_status mock_leader(struct lwp_mock *mock, const char *topic, const char *node)
{
    return mock->cluster
               ? lwp_cluster_leader(mock->cluster, lwp_bytes_text(topic), lwp_bytes_text(node))
               : LWP_INVALID_ARGUMENT;
}

enum lwp_status mock_lag(struct lwp_mock *mock, const char *node, uint64_t bytes)
{
    return mock->cluster ? lwp_cluster_lag(mock->cluster, lwp_bytes_text(node), bytes)
                         : LWP_INVALID_ARGUMENT;
}

enum lwp_status mock_stale(struct lwp_mock *mock, const char *node, uint64_t count)
{
    return mock->cluster ? lwp_cluster_stale(mock->cluster, lwp_bytes_text(node ? node : ""), count)
                         : LWP_INVALID_ARGUMENT;
}

enum lwp_status mock_ready(struct lwp_mock *mock, const char *node, bool ready)
{
    return mock->cluster ? lwp_cluster_ready(mock->cluster, lwp_bytes_text(node), ready)
                         : LWP_INVALID_ARGUMENT;
}
