/* SPDX-License-Identifier: MIT */
/* node.h - a node of the mock: its name, and the port on which it listens while it is up. */
#ifndef LWP_MOCK_NODE_H
#define LWP_MOCK_NODE_H

#include "lwp/net/transport.h"
#include "mock_server/poller.h"

enum { NODE_NAME_SIZE = 64 /* With the zero at its end. */ };

struct node {
    struct watch watch; /* Of the listener. */
    char name[NODE_NAME_SIZE];
    size_t index;                 /* Among the nodes, from 0. */
    struct lwp_address address;   /* Where it is to listen. */
    char bound[LWP_ADDRESS_SIZE]; /* Where it does, numerically; empty as long as it has no port. */
    int port_fd;                  /* Keeps the port while the node is down; -1 if there is none. */
    int listener;                 /* -1 while it is down. */
    bool down;                    /* It is to be down, whether it has a port or not. */
    uint64_t accept_from_ns;      /* Out of descriptors: not before this time. */
};

/** A node with this name, at most NODE_NAME_SIZE - 1 characters, that is to listen there. */
void node_init(struct node *node, const char *name, const struct lwp_address *address);

/** Takes the port, once and for all, and listens on it unless the node is down. LWP_OK, also if
 * that is so already; LWP_UNRESOLVED or LWP_IO with errno set. */
enum lwp_status node_open(struct node *node);

/** Ends listening, so that connections are refused; the port stays taken. */
void node_shut(struct node *node);

/** Gives the port back. */
void node_done(struct node *node);

#endif
