/* SPDX-License-Identifier: MIT */
/* cluster.h - several nodes in one mock: who leads, who is down, who answers a request and what a node
 * says that does not answer it itself. No sockets, no frames, no topics: those who have them ask. */
#ifndef LWP_MOCK_CLUSTER_H
#define LWP_MOCK_CLUSTER_H

#include "lwp/json/json.h"
#include "lwp/wire/errors.h"
#include "lwp/wire/message.h"

enum {
    LWP_CLUSTER_MAX_NODES = 64,
    LWP_CLUSTER_MAX_TOPICS = 128, /* Topics with a leader of their own. */
    LWP_CLUSTER_NAME_SIZE = 64,   /* Of a node's name, with its zero. */
    LWP_CLUSTER_ADDRESS_SIZE = 128,
    LWP_CLUSTER_TOPIC_SIZE = 256 /* Of a topic's name, with its zero. */
};

#define LWP_CLUSTER_NOBODY SIZE_MAX /* The index of no node. */

/* What a node does with a request that is the leader's to answer. */
enum lwp_persona {
    LWP_PERSONA_BY_DIALECT, /* Redirects where errors are documents (D2, D3), else forwards. */
    LWP_PERSONA_FORWARD, /* Asks the leader and relays its answer, as the deployed server does. */
    LWP_PERSONA_REDIRECT /* Says who leads (12.3). */
};

struct lwp_node {
    char name[LWP_CLUSTER_NAME_SIZE];
    char address[LWP_CLUSTER_ADDRESS_SIZE]; /* Where it listens; empty: not known. */
    char named[LWP_CLUSTER_ADDRESS_SIZE];   /* What redirects to it say; empty: the address. */
    enum lwp_persona persona;
    bool down;
    bool unready;        /* Elected or not, it has not caught up with what was decided before. */
    uint64_t lag_bytes;  /* So much of the end of each log it does not have yet. */
    uint64_t stale_left; /* So many more answers name the previous leader. */
};

/* Who leads one topic, or all that have no leader of their own. */
struct lwp_leadership {
    char topic[LWP_CLUSTER_TOPIC_SIZE]; /* Empty: all others. */
    size_t leader;
    size_t previous; /* Who led before; at first the same. */
    bool is_changing;
    size_t next; /* Who takes over. */
    uint64_t change_ns;
};

struct lwp_cluster_options {
    uint64_t forward_ns; /* What one forwarding takes, there and back. */
    /* Is told each change as a line of text, a view until it returns; may be NULL. */
    void (*note)(void *context, struct lwp_bytes text);
    void *context;
};

/* Everything that a cluster knows. Copy it to come back to it later. */
struct lwp_cluster {
    struct lwp_cluster_options options;
    uint64_t term; /* Counts up with each change of a leader, from 1. */
    size_t node_count;
    struct lwp_node nodes[LWP_CLUSTER_MAX_NODES];
    size_t leadership_count;
    struct lwp_leadership leaderships[1 + LWP_CLUSTER_MAX_TOPICS]; /* The first is of all others. */
};

/** A cluster without nodes. */
void lwp_cluster_init(struct lwp_cluster *cluster, const struct lwp_cluster_options *options);

/**
 * Adds a node; the first one has the index 0. With the second one the first becomes the leader of
 * all topics; a node without peers is elected by nobody and leads only what it is named for.
 *
 * LWP_OK; LWP_FULL; LWP_INVALID_ARGUMENT if the name is empty, too long, "none", or there already.
 */
enum lwp_status lwp_cluster_add(struct lwp_cluster *cluster, struct lwp_bytes name);

/** The index of the node of that name, or LWP_CLUSTER_NOBODY. */
size_t lwp_cluster_node(const struct lwp_cluster *cluster, struct lwp_bytes name);

/** Sets where the node listens. LWP_OK, or LWP_INVALID_ARGUMENT for a node that does not exist or an
 * address that is too long. */
enum lwp_status lwp_cluster_set_address(struct lwp_cluster *cluster, size_t node,
                                        struct lwp_bytes address);

/*
 * What scripts, the clock and the control socket do, by name. LWP_OK, also if nothing changes;
 * LWP_INVALID_ARGUMENT for a node that does not exist. Each change is noted.
 */

/**
 * Makes the node the leader of the topic; "none" is nobody: an election under way. The topic "*" is
 * all topics that have no leader of their own. A change that was to come (below) is off.
 * Also LWP_FULL, past LWP_CLUSTER_MAX_TOPICS; LWP_INVALID_ARGUMENT also for a topic's name that is
 * empty or too long.
 */
enum lwp_status lwp_cluster_leader(struct lwp_cluster *cluster, struct lwp_bytes topic,
                                   struct lwp_bytes node);

/** The same, but at a time: the end of an election. Until then who leads is left as it is. */
enum lwp_status lwp_cluster_leader_at(struct lwp_cluster *cluster, struct lwp_bytes topic,
                                      struct lwp_bytes node, uint64_t at_ns);

/** Takes the node down or up. It goes on to lead what it leads; its owner closes its port. */
enum lwp_status lwp_cluster_down(struct lwp_cluster *cluster, struct lwp_bytes node);
enum lwp_status lwp_cluster_up(struct lwp_cluster *cluster, struct lwp_bytes node);

/** Keeps the node so many bytes behind in each log: it answers fetches itself, with what it has, also
 * when it does not lead. 0 lets it catch up. Topics themselves are known to all nodes at once. */
enum lwp_status lwp_cluster_lag(struct lwp_cluster *cluster, struct lwp_bytes node, uint64_t bytes);

/** Lets the node's next `count` answers that name a leader, or depend on who it takes for one, go by
 * the leader before the last change. An empty name is all nodes. */
enum lwp_status lwp_cluster_stale(struct lwp_cluster *cluster, struct lwp_bytes node,
                                  uint64_t count);

/** Says whether the node is ready to lead. */
enum lwp_status lwp_cluster_ready(struct lwp_cluster *cluster, struct lwp_bytes node, bool ready);

/** Sets what redirects to the node say in the place of its address, of any form; empty for the
 * address again. Also LWP_INVALID_ARGUMENT if it is too long. Not noted. */
enum lwp_status lwp_cluster_advertise(struct lwp_cluster *cluster, struct lwp_bytes node,
                                      struct lwp_bytes address);

/** Sets what the node does with requests for the leader; an empty name is all nodes. Not noted. */
enum lwp_status lwp_cluster_persona(struct lwp_cluster *cluster, struct lwp_bytes node,
                                    enum lwp_persona persona);

/** Makes the changes that have come due. lwp_cluster_route() does that, too. */
void lwp_cluster_tick(struct lwp_cluster *cluster, uint64_t now_ns);

/** When the next change is due, or UINT64_MAX. */
uint64_t lwp_cluster_deadline(const struct lwp_cluster *cluster);

/** The leadership that the topic is under; an empty name is all others. Valid until the next change.
 */
const struct lwp_leadership *lwp_cluster_leadership(const struct lwp_cluster *cluster,
                                                    struct lwp_bytes topic);

/** Who leads the topic, or LWP_CLUSTER_NOBODY. */
size_t lwp_cluster_leader_of(const struct lwp_cluster *cluster, struct lwp_bytes topic);

/** How many nodes are up, and whether they are more than half. */
size_t lwp_cluster_up_count(const struct lwp_cluster *cluster);
bool lwp_cluster_has_quorum(const struct lwp_cluster *cluster);

/**
 * What the node says of the cluster, for lwp_json_write_cluster_status(); `peers` has room for
 * LWP_CLUSTER_MAX_NODES and must live as long as `*status`. A stale node names the wrong leader.
 * LWP_OK, or LWP_INVALID_ARGUMENT if there is no such node.
 */
enum lwp_status lwp_cluster_tell(struct lwp_cluster *cluster, size_t node, struct lwp_peer *peers,
                                 struct lwp_cluster_status *status);

/* The command of a request that is an ingest. */
enum { LWP_CLUSTER_INGEST = 0x100 };

/* A frame that asks for something; Acks and Keepalives are everybody's own affair. */
struct lwp_cluster_request {
    const struct lwp_dialect *dialect; /* Of the connection. */
    int command;                       /* Of the control frame, or LWP_CLUSTER_INGEST. */
    struct lwp_bytes topic; /* The name that it says, or that belongs to its id; else empty. */
    bool topic_exists;      /* Or is the default topic 0. */
    size_t payload_size;
};

enum lwp_route_kind {
    LWP_ROUTE_LOCAL,   /* The node does it itself. */
    LWP_ROUTE_FORWARD, /* Another node does it, and this one relays the answer. */
    LWP_ROUTE_REFUSE   /* The answer is an error. */
};

/* Who answers a request, and how. */
struct lwp_route {
    enum lwp_route_kind kind;
    size_t node;               /* Who does it, if anybody does. */
    uint64_t lag_bytes;        /* How far that node is behind. */
    uint64_t delay_ns;         /* How long after the request the answer goes out. */
    bool is_blocking;          /* The connection's later frames wait for the answer. */
    enum lwp_text text;        /* Of the error; LWP_TEXT_REDIRECT with the address. */
    struct lwp_bytes argument; /* In the place of its %; a view until the cluster changes. */
    bool applies;              /* It is an error, but `node` does it all the same. */
    bool drops_acks;           /* It is the one answer to all ingests of the read batch. */
};

/**
 * Decides who answers a request that came to a node. The table is routes.def, the errors are
 * refusals.def. A forwarding node asks the leader frame by frame, so it keeps the order of frames
 * and does not pipeline; an ingest without a payload, which no leader answers, blocks it for 60 s.
 *
 * LWP_OK, or LWP_INVALID_ARGUMENT if there is no such node.
 */
enum lwp_status lwp_cluster_route(struct lwp_cluster *cluster, size_t node,
                                  const struct lwp_cluster_request *request, uint64_t now_ns,
                                  struct lwp_route *route);

#endif
