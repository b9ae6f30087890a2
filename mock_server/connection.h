/* SPDX-License-Identifier: MIT */
/* connection.h - one connection of the mock: frames in, the broker's answers out, acks last; and in
 * between what scripts make of both. */
#ifndef LWP_MOCK_CONNECTION_H
#define LWP_MOCK_CONNECTION_H

#include "lwp/net/link.h"
#include "mock_server/broker.h"
#include "mock_server/cluster.h"
#include "mock_server/events.h"
#include "mock_server/parcel.h"
#include "mock_server/stage.h"

enum {
    CONNECTION_RECENT_IDS = 1024 /* Batch ids that are remembered to find duplicates (D23). */
};

struct connection;

/* What the mock around a connection does for it. */
struct connection_host {
    void *owner;
    struct lwp_broker *broker;
    struct lwp_stage *stage;   /* Scripts; never NULL. */
    struct lwp_events *events; /* May be NULL. */
    uint64_t ack_delay_ns;
    size_t max_memory; /* With more, a connection does nothing further; its owner is to reset it. */
    bool ending;       /* The service ends all connections: scripts do not judge that. */
    struct lwp_cluster *cluster;   /* NULL: a server that stands alone. */
    struct lwp_cluster_view *view; /* Of the node that is asked, made anew for each request, */
    struct lwp_peer *peers;        /* and what it says of the others. */

    /* The address of a node, for redirects; empty if there is no such node. A view for this call. */
    struct lwp_bytes (*address_of)(void *owner, struct lwp_bytes node);

    /* Carries out what is not about one connection: cluster, clock, release. */
    void (*perform)(void *owner, const struct script_rule *rule, const struct script_action *action,
                    uint64_t now_ns);
};

/* An answer that is sent at the end of the read batch. */
struct owed {
    uint64_t batch_id;       /* An Ack of this batch; or, */
    struct parcel *parcel;   /* if not NULL, what a script says in its place. */
    struct stage_fate *fate; /* What becomes of the Ack; NULL: nothing in particular. */
};

struct connection {
    struct lwp_link link;
    const struct connection_host *host;
    struct stage_peer peer;
    struct lwp_asker asker;
    bool undecided;         /* The dialect shows in the first header (auto). */
    bool stalled;           /* Frames are left because the peer does not read. */
    bool halved;            /* A script has ended our direction: what is answered is lost. */
    bool stopped;           /* A script has stopped reading, */
    bool resumed;           /* or let it go on: frames may be left. */
    bool leaving;           /* The peer says no more; what is late is still sent. */
    size_t node;            /* Its node in the cluster. */
    uint64_t busy_until_ns; /* A node asks another one: until then later frames wait. */
    bool batch_lost;        /* One error has answered all ingests of this read batch. */
    uint64_t reset_by_ns;   /* When a close that does not get through becomes a reset. */
    bool done;              /* Nothing more will happen: forget it. */
    uint64_t now_ns;        /* Of the step under way. */

    struct owed *owed; /* In order. */
    size_t owed_count;
    size_t owed_capacity;
    size_t owed_memory;   /* Bytes of what is owed, without the list itself. */
    uint64_t owed_due_ns; /* When they are sent, if there are any. */
    uint64_t recent_ids[CONNECTION_RECENT_IDS];
    size_t recent_count;

    struct lwp_transport *tls;     /* Below the link, or NULL. */
    char *client;                  /* The name in the peer's certificate, once it is known. */
    struct lwp_transport *faults;  /* The wrapper in the link, once a script wants one; or NULL. */
    struct parcel_list awaiting;   /* Answers that wait for a barrier, */
    struct parcel_list held;       /* for a release, */
    struct parcel_list collected;  /* for others to be reordered with, */
    struct parcel_heap timed;      /* or for the time, by which they are sorted. */
    uint64_t progress;             /* stage_progress(), as of when barriers were last looked at. */
    uint64_t announcements;        /* How many frames the wrapper was told of. */
    struct parcel_list announced;  /* What is under way in `faults`, for the events. */
    const struct stage_fate *fate; /* Of the normal answers to the frame at hand; or NULL. */
    bool muted;                    /* The frame at hand is handled, but not answered. */
    struct stage_fate *standing;   /* Of all answers, from the connection's beginning; or NULL. */
    enum lwp_event_by closed_by;   /* For the event at the end. */
    enum lwp_close closed_how;
    struct lwp_bytes closed_rule;
    enum lwp_status closed_status;
};

/* How a connection begins. */
struct connection_setup {
    bool is_tls; /* The transport is one that lwp_tls_wrap() has made. */
    struct lwp_session_options
        options; /* Without a dialect it is taken from the first header: CRC-32C
                                           is `spec`, all else `lance`. */
    const struct connection_host *host; /* Must outlive the connection. */
};

/** Begins a connection on a transport, which it takes over. */
void connection_init(struct connection *connection, const struct connection_setup *setup,
                     struct lwp_transport *transport, uint64_t now_ns);

/** Lets it begin for scripts and events, once `peer` and `node` are set; the views in `peer` must
 * outlive it. `local` and `peer_address` are empty for a pipe. */
void connection_welcome(struct connection *connection, struct lwp_bytes local,
                        struct lwp_bytes peer_address, uint64_t now_ns);

/** Ends it and frees what it holds. */
void connection_done(struct connection *connection, uint64_t now_ns);

/** Reads, answers and writes as far as that goes; whether anything happened. */
bool connection_step(struct connection *connection, uint64_t now_ns);

/** The bytes of memory that its queues and waiting answers have. */
size_t connection_memory(const struct connection *connection);

/** Ends it at once, with a reset; its memory is freed when it is forgotten. */
void connection_reset(struct connection *connection, uint64_t now_ns);

/** Notes that the peer has gone, as writing or waiting found out, unless it is us who end the connection. To
 * be ended then. */
void connection_lose(struct connection *connection, enum lwp_status status);

/** Whether it makes sense to wait for bytes of the peer. */
bool connection_wants_bytes(const struct connection *connection);

/** What to wait for at the descriptor, POLLIN, POLLOUT, both or none, if it is to be read or not.
 * Whichever comes, step it. */
short connection_events(const struct connection *connection, bool reads);

/** When something is due although nothing arrives, or LWP_NEVER. */
uint64_t connection_deadline(const struct connection *connection);

/* In connection.c, for the files beside it. */

/** The connection ends without a word (11): acks that are owed are lost, what is queued still goes out. */
void connection_hang_up(struct connection *connection, uint64_t now_ns);

/** Hands what happened on the connection to the events; all but kind and details is filled in. */
void connection_tell(const struct connection *connection, struct lwp_event *event);

/* In connection_tls.c. */

/** Once the handshake is done, takes the name in the peer's certificate, by which access lists go, and
 * says in the log what was agreed on. Does nothing without TLS. */
void connection_meet(struct connection *connection);

/** Says in the log why TLS has ended, if there is more to say than that. */
void connection_tell_tls_end(const struct connection *connection);

/* In outlet.c: the queue. */

/** Queues encoded bytes, with the faults that their fate (NULL: none) names. */
void connection_put(struct connection *connection, struct lwp_bytes wire,
                    const struct stage_fate *fate, uint64_t now_ns);

/** Seals and queues a frame to which nothing in particular happens. */
void connection_put_frame(struct connection *connection, const struct lwp_frame *frame,
                          uint64_t now_ns);

/** Puts the wrapper for faults into the link, if it is not there yet; NULL without memory. */
struct lwp_transport *connection_faults(struct connection *connection, uint64_t now_ns);

/** The header at the front of encoded bytes; all zeros if they are too few. */
struct lwp_header connection_header_of(struct lwp_bytes wire);

/* In deliver.c: the way out of every frame. */

/** Sends an answer of the broker: sealed, and as its fate wills. */
void connection_send(struct connection *connection, const struct lwp_frame *frame,
                     const struct stage_fate *fate, uint64_t now_ns);

/** Sends what a script says, as it stands; takes the parcel over. */
void connection_post(struct connection *connection, struct parcel *parcel, uint64_t now_ns);

/** Owes an Ack, or another answer in its place among the acks (takes it over), until the end of the read
 * batch. */
void connection_owe(struct connection *connection, const struct owed *owed, uint64_t now_ns);

/** Pays what is owed, in order. */
void connection_pay(struct connection *connection, uint64_t now_ns);

/** Drops what is owed. */
void connection_default(struct connection *connection);

/** Sends the waiting answers whose time has come; whether there were any. */
bool connection_work_waiting(struct connection *connection, uint64_t now_ns);

/** When the next waiting answer is due, or LWP_NEVER. */
uint64_t connection_waiting_due(const struct connection *connection);

/** Lets held answers go. */
void connection_release(struct connection *connection, uint64_t now_ns);

/** Whether there are answers that a release is about. */
bool connection_has_held(const struct connection *connection);

/** The bytes of memory that waiting answers take. */
size_t connection_waiting_memory(const struct connection *connection);

/** Drops the answers that wait for more than the time. */
void connection_drop_held(struct connection *connection);

/** Drops all that points into scripts, and lifts all that they have laid on the connection: what waited is
 * sent, without faults. For stage_reset(). */
void connection_forget_scripts(struct connection *connection, uint64_t now_ns);

/* In ingest.c. */

/** Handles a frame as if there were no scripts. */
void connection_handle(struct connection *connection, const struct lwp_frame *frame,
                       uint64_t now_ns);

/** The same, as if the node that it came to were the one to answer. */
void connection_handle_here(struct connection *connection, const struct lwp_frame *frame,
                            uint64_t now_ns);

/* In route.c. */

/** Handles a control command or an ingest that came to a node of a cluster. */
void connection_route(struct connection *connection, const struct lwp_frame *frame,
                      uint64_t now_ns);

#endif
