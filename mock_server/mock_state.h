/* SPDX-License-Identifier: MIT */
/* mock_state.h - the mock's insides, shared by the files that are named below and nobody else. All of
 * it is guarded by the mock's mutex. */
#ifndef LWP_MOCK_MOCK_STATE_H
#define LWP_MOCK_MOCK_STATE_H

#include <pthread.h>

#include "lwp/net/tls.h"
#include "mock_server/connection.h"
#include "mock_server/deadlines.h"
#include "mock_server/mock.h"
#include "mock_server/mock_clock.h"
#include "mock_server/node.h"

/* A connection and its place in the mock. */
struct member {
    struct connection connection; /* First, so that one is the other. */
    struct watch watch;           /* Of its descriptor, while the mock serves. */
    struct deadline deadline;     /* On the mock's clock. */
    struct node *node;            /* The one that it leads to. */
    char tag[LWP_MOCK_NAME_SIZE]; /* Empty: none. */
    bool refused;                 /* It is past the limit and gets only refusal_step(). */
    uint64_t refused_by_ns;
    size_t counted; /* What of the mock's `queued` is its. */
    bool touched;
    struct member *next; /* In order of acceptance. */
    struct member *previous;
    struct member *next_touched;
};

/* A label that waits for its connection. */
struct pending_tag {
    uint16_t port; /* 0: whichever is next. */
    char tag[LWP_MOCK_NAME_SIZE];
};

enum { MOCK_PENDING_TAGS = 64 };

struct service;
struct control;

struct lwp_mock {
    struct lwp_mock_options options;
    pthread_mutex_t mutex;
    pthread_cond_t happened; /* Told after each pass of the service in which anything was done. */

    struct mock_clock clock;
    uint64_t outer_ns; /* The caller's time, as last told; */
    uint64_t now_ns;   /* and ours. */

    const struct lwp_dialect *given; /* The options' dialect, which scripts can replace. */
    struct lwp_broker *broker;
    struct lwp_token *tokens; /* Of all options. */
    struct lwp_access_list access;
    struct lwp_tls_context *tls;                  /* NULL: none. */
    struct lwp_stage *stage;                      /* The scripts. */
    struct lwp_events *events;                    /* NULL: nobody wants to know. */
    struct connection_host host;                  /* What connections have of us. */
    struct lwp_cluster *cluster;                  /* NULL: a server that stands alone. */
    struct lwp_cluster_view view;                 /* What a node of the cluster says, */
    struct lwp_peer peers[LWP_CLUSTER_MAX_NODES]; /* and of whom. */
    uint64_t progress; /* stage_progress(), as of when those who wait were told. */
    char *problems;    /* What is wrong with the last script; NULL: there was none. */
    struct member *first;
    struct member *last;
    size_t connection_count; /* Without the refused ones. */
    size_t refused_count;
    size_t queued; /* Bytes of memory that the queues of all connections have, as last counted. */
    uint64_t flush_due_ns; /* When data without an ack becomes visible, or LWP_NEVER. */
    struct deadlines deadlines;
    struct member
        *touched; /* Those to be stepped soon, in the order in which that was asked for. */
    struct member *touched_last;

    struct node *nodes[LWP_MOCK_MAX_NODES];
    size_t node_count;
    struct pending_tag pending[MOCK_PENDING_TAGS];
    size_t pending_count;
    struct lwp_mock_counts counts;

    struct service *service;            /* While it serves. */
    struct control *control;            /* The same, if there is to be one. */
    char failed[LWP_ADDRESS_SIZE + 16]; /* What service_begin() could not have. */
    pthread_t thread;
    bool has_thread;
    enum lwp_status served; /* How the thread's service ended. */
};

/* In mock.c. */

void mock_lock(struct lwp_mock *mock);
void mock_unlock(struct lwp_mock *mock);

/** Sets the mock's time from the caller's. */
void mock_set_time(struct lwp_mock *mock, uint64_t outer_ns);

/** Moves, holds or lets go the mock's clock. */
void mock_advance(struct lwp_mock *mock, uint64_t duration_ns);
void mock_freeze(struct lwp_mock *mock, bool frozen);

/** Takes over a connection to a node that is up: LWP_OK, or LWP_NO_MEMORY with the transport freed. */
enum lwp_status mock_admit(struct lwp_mock *mock, struct node *node,
                           struct lwp_transport *transport);

/** Steps one connection, and frees it if it has ended. */
bool mock_step_one(struct lwp_mock *mock, struct member *member);

/** Makes sure that the connection is stepped soon, although nothing arrived and nothing is due: for whoever
 * changes a connection other than the one that is being stepped. */
void mock_touch(struct lwp_mock *mock, struct member *member);

/** Does what is due in the mock as a whole, and steps the connections that are due or were touched. Whether
 * anything was done; what that touched again is left for the next call. */
bool mock_step_due(struct lwp_mock *mock);

/** When mock_step_due() has something to do, on the mock's clock; 0 is at once. */
uint64_t mock_due_ns(const struct lwp_mock *mock);

/** Ends a connection at once, with a reset; it is freed when it is next stepped. */
void mock_reset_member(struct lwp_mock *mock, struct member *member);

/** As lwp_mock_restart(). */
enum lwp_status mock_restart(struct lwp_mock *mock);

/** The same for a connection whose peer has gone without a word. */
void mock_lose_member(struct lwp_mock *mock, struct member *member);

/** Ends and frees all connections. */
void mock_end_all(struct lwp_mock *mock);

/** Whether what lwp_mock_wait() waits for has happened: its statuses, or LWP_WOULD_BLOCK. */
enum lwp_status mock_reached(const struct lwp_mock *mock, const char *what);

/* In mock_options.c. */

/** Takes the options over, with defaults for those that are not given. */
void mock_take_options(struct lwp_mock *mock, const struct lwp_mock_options *options);

/** Reads the files that the options name and makes the broker: statuses as lwp_mock_new(). */
enum lwp_status mock_make_broker(struct lwp_mock *mock);

/** Makes what TLS needs, if the options want it: the same. */
enum lwp_status mock_make_tls(struct lwp_mock *mock);

/** Makes the events that the options want, if any: the same. */
enum lwp_status mock_make_events(struct lwp_mock *mock);

/** Says what is wrong with the options, if anybody wants to know: "ABOUT: WHAT"; `about` may be NULL.
 * Keeps errno. */
void mock_complain(const struct lwp_mock *mock, const char *about, const char *what);

/* In mock_nodes.c. */

/** The node of this name; NULL is the first one. NULL if there is none. */
struct node *mock_node_named(const struct lwp_mock *mock, const char *name);

/** Adds a node: LWP_OK, LWP_INVALID_ARGUMENT for a name that is taken or none, LWP_FULL, LWP_NO_MEMORY. */
enum lwp_status mock_add_node(struct lwp_mock *mock, const char *name,
                              const struct lwp_address *address);

/** Removes all nodes but the first so many, which nobody has used. */
void mock_remove_nodes(struct lwp_mock *mock, size_t count);

/** Opens the ports of nodes that have none, if the mock serves: statuses as node_open(). */
enum lwp_status mock_open_nodes(struct lwp_mock *mock);

/** Names a node; the connections that it has are on the node of this name from now on. */
void mock_name_node(struct lwp_mock *mock, struct node *node, const char *name);

/** Makes the nodes that the options name. */
enum lwp_status mock_make_nodes(struct lwp_mock *mock);

/** As lwp_mock_down(), lwp_mock_up() and lwp_mock_address(). */
enum lwp_status mock_down(struct lwp_mock *mock, const char *name);
enum lwp_status mock_up(struct lwp_mock *mock, const char *name);
const char *mock_address(const struct lwp_mock *mock, const char *name);

/** As lwp_mock_leader(), lwp_mock_lag(), lwp_mock_stale() and lwp_mock_ready(). */
enum lwp_status mock_leader(struct lwp_mock *mock, const char *topic, const char *node);
enum lwp_status mock_lag(struct lwp_mock *mock, const char *node, uint64_t bytes);
enum lwp_status mock_stale(struct lwp_mock *mock, const char *node, uint64_t count);
enum lwp_status mock_ready(struct lwp_mock *mock, const char *node, bool ready);

/* In mock_tags.c. */

/** As lwp_mock_tag(). */
enum lwp_status mock_tag(struct lwp_mock *mock, const char *connection, const char *label);

/** Gives a new connection the label that waits for it, if there is one. */
void mock_tag_new(struct lwp_mock *mock, struct member *member);

/* In mock_scripts.c. */

/** Makes what connections have of the mock: LWP_OK or LWP_NO_MEMORY. */
enum lwp_status mock_make_host(struct lwp_mock *mock);

/** As lwp_mock_arm() and lwp_mock_disarm(). */
enum lwp_status mock_arm(struct lwp_mock *mock, const char *name, bool armed);

/** As lwp_mock_reset(). */
void mock_reset_scripts(struct lwp_mock *mock);

/** Carries out the rules whose time has come; whether there were any. */
bool mock_perform_timed(struct lwp_mock *mock);

/** After anything that a rule, a barrier or the cluster may have changed: those that wait for it are
 * stepped. */
void mock_touch_waiting(struct lwp_mock *mock);

/** Writes a line for the events about nodes and leaders. */
void mock_tell_cluster(void *mock, struct lwp_bytes text);

/** Begins what makes a cluster of the nodes that there are, if they are one. LWP_OK or LWP_NO_MEMORY. */
enum lwp_status mock_make_cluster(struct lwp_mock *mock);

/* In mock_load.c. */

/** As lwp_mock_script(), lwp_mock_scenario() (`id` may be NULL) and lwp_mock_script_file(). */
enum lwp_status mock_script(struct lwp_mock *mock, const char *name, const char *text);
enum lwp_status mock_scenario(struct lwp_mock *mock, const char *name, struct lwp_bytes text,
                              const char *id);
enum lwp_status mock_script_file(struct lwp_mock *mock, const char *path, const char *id);

/* In mock_report.c. */

/** As lwp_mock_list(), lwp_mock_verdict() and lwp_mock_log(). */
enum lwp_status mock_list(const struct lwp_mock *mock, char **text);
enum lwp_status mock_verdict(struct lwp_mock *mock, bool *passed, char **text);
enum lwp_status mock_log(const struct lwp_mock *mock, char **text, size_t *size);

/** Writes a line for the events, about a connection. */
void mock_note(struct lwp_mock *mock, const struct member *member, const char *text);

/* In refusal.c. */

/** Says to a new connection that it is refused. */
void refusal_begin(struct member *member, enum lwp_mock_refusal refusal, uint64_t now_ns);

/** Waits for the end of a refused connection, as connection_step() does for others. */
bool refusal_step(struct member *member, uint64_t now_ns);

/* In serve.c. */

/** Opens the ports and makes what it takes to serve: statuses as lwp_mock_start(). */
enum lwp_status service_begin(struct lwp_mock *mock);

/** Undoes service_begin(), if there is anything to undo. */
void service_end(struct lwp_mock *mock);

/** Serves, unlocked while it waits, until it is told to stop; then does service_end(). Not to be
 * called with the mutex held. */
enum lwp_status service_run(struct lwp_mock *mock, int stop_fd);

/** Tells the service, if there is one, to look at everything once more, or to end. */
void service_wake(struct lwp_mock *mock);
void service_stop(struct lwp_mock *mock);

/** Waits for what the connection, or the node, waits for, from now on. Nothing without a service. LWP_OK
 * or LWP_IO. */
enum lwp_status service_watch_member(struct lwp_mock *mock, struct member *member);
enum lwp_status service_watch_node(struct lwp_mock *mock, struct node *node);

/** As poller_forget(); nothing without a service. */
void service_unwatch(struct lwp_mock *mock, struct watch *watch, int fd);

/** As poller_set(), of the service that there must be. */
enum lwp_status service_watch(struct lwp_mock *mock, struct watch *watch, int fd, uint32_t events);

#endif
