/* SPDX-License-Identifier: MIT */
#include "mock_server/node.h"

#include <stdio.h>
#include <unistd.h>

void node_init(struct node *node, const char *name, const struct lwp_address *address)
{
    *node = (struct node){.address = *address, .port_fd = -1, .listener = -1};
    (void)snprintf(node->name, sizeof(node->name), "%s", name);
}

enum lwp_status node_open(struct node *node)
{
    char again[LWP_ADDRESS_SIZE];
    struct lwp_address bound;
    if (node->port_fd < 0) {
        const enum lwp_status status = lwp_tcp_reserve(&node->address, &node->port_fd, node->bound);
        if (status != LWP_OK)
            return status;
    }
    if (node->down || node->listener >= 0)
        return LWP_OK;
    if (lwp_address_parse(node->bound, &bound) != LWP_OK)
        return LWP_UNRESOLVED;
    node->accept_from_ns = 0;
    return lwp_tcp_listen(&bound, &node->listener, again);
}

void node_shut(struct node *node)
{
    if (node->listener >= 0)
        (void)close(node->listener);
    node->listener = -1;
}

void node_done(struct node *node)
{
    node_shut(node);
    if (node->port_fd >= 0)
        (void)close(node->port_fd);
    node->port_fd = -1;
    node->bound[0] = '\0';
}
