/* SPDX-License-Identifier: MIT */
/* client.h - topics, offsets and status: one question to the server at a time (specification 5, 15).
 */
#ifndef LWP_CLIENT_CLIENT_H
#define LWP_CLIENT_CLIENT_H

#include "lwp/client/options.h"

enum { LWP_TOPIC_NAME_ROOM = 256 };

/* What the server tells of a topic. */
struct lwp_topic_info {
    uint32_t id;
    char name[LWP_TOPIC_NAME_ROOM];
    uint64_t created_at;  /* Seconds since the Unix epoch; 0 if it was not told. */
    uint64_t topic_epoch; /* 1 if it was not told. */
    bool with_retention;  /* Whether the two below were told. */
    uint64_t max_age_secs;
    uint64_t max_bytes;
};

/* What the server tells of the cluster (16.5). What it does not tell is 0. */
struct lwp_cluster_info {
    uint64_t node_id;
    uint64_t leader_id;
    bool has_leader;
    bool is_leader;
    bool quorum_available;
    uint64_t current_term;
    uint64_t node_count;
    uint64_t healthy_nodes;
};

/*
 * A client. Several threads may use it: their requests take turns. Whatever goes wrong with a
 * request, a time-out included, drops the connection, so that no answer is ever taken for another
 * request's; the next request makes it anew.
 *
 * Each request returns LWP_OK; what the server refuses (errors.def: LWP_TOPIC_NOT_FOUND and so on);
 * LWP_TIMEOUT; why the connection could not be made or was lost (LWP_REFUSED, LWP_CLOSED, …);
 * what was wrong with the answer (LWP_UNEXPECTED_FRAME, LWP_INVALID_PAYLOAD, …);
 * LWP_INVALID_ARGUMENT, LWP_NO_MEMORY, or LWP_CLOSED_BY_CALLER. Results are untouched but for
 * LWP_OK. A request that a node refuses for not being the leader is asked again at the leader.
 */
struct lwp_client;

/**
 * Connects. LWP_OK with `*client` the caller's, to be closed with lwp_client_close(); or why not,
 * and `*why`, unless NULL, tells more. Does not retry: that is done for connections that were there
 * once.
 */
enum lwp_status lwp_client_connect(const struct lwp_connect_options *options,
                                   struct lwp_client **client, struct lwp_details *why);

/** Ends requests of other threads with LWP_CLOSED_BY_CALLER, closes and frees. Never hangs. Nobody
 * may use the client afterwards, so those threads must know. NULL is fine. */
void lwp_client_close(struct lwp_client *client);

/** More about the last request that failed, of whatever thread. */
void lwp_client_why(struct lwp_client *client, struct lwp_details *why);

/** Makes a topic (5.3). The deployed server takes names of letters, digits and dashes. */
enum lwp_status lwp_client_create_topic(struct lwp_client *client, const char *name,
                                        struct lwp_topic_info *topic);

/** Makes a topic that forgets (5.11); 0 means no limit, but see D11. */
enum lwp_status lwp_client_create_topic_with_retention(struct lwp_client *client, const char *name,
                                                       uint64_t max_age_secs, uint64_t max_bytes,
                                                       struct lwp_topic_info *topic);

/** All topics (5.4): `*topics` is the caller's to free(), and NULL if there are none. */
enum lwp_status lwp_client_list_topics(struct lwp_client *client, struct lwp_topic_info **topics,
                                       size_t *count);

/** One topic (5.5). */
enum lwp_status lwp_client_get_topic(struct lwp_client *client, uint32_t topic_id,
                                     struct lwp_topic_info *topic);

/** Deletes a topic with all its records (5.6). */
enum lwp_status lwp_client_delete_topic(struct lwp_client *client, uint32_t topic_id);

/** Changes how a topic forgets (5.10); 0 means no limit, but see D11. */
enum lwp_status lwp_client_set_retention(struct lwp_client *client, uint32_t topic_id,
                                         uint64_t max_age_secs, uint64_t max_bytes);

/** Sends a Keepalive and waits for the answer; `*round_trip_ns` may be NULL. */
enum lwp_status lwp_client_ping(struct lwp_client *client, uint64_t *round_trip_ns);

/** How the cluster is (16.5, D14). */
enum lwp_status lwp_client_cluster_status(struct lwp_client *client,
                                          struct lwp_cluster_info *status);

/** Shows a token (D15). `token` of the options is shown on every connection, this only on the
 * present one. */
enum lwp_status lwp_client_authenticate(struct lwp_client *client, const char *token);

/** Registers a consumer (5.12); `*offset`, which may be NULL, is where it should begin: the deployed
 * server answers `start_offset` 0 with the offset that was committed. Nothing is pushed (D34). */
enum lwp_status lwp_client_subscribe(struct lwp_client *client, uint32_t topic_id,
                                     uint64_t start_offset, uint64_t consumer_id, uint64_t *offset);

/** The opposite (5.13). */
enum lwp_status lwp_client_unsubscribe(struct lwp_client *client, uint32_t topic_id,
                                       uint64_t consumer_id);

/** Has the server keep a consumer's offset (5.14). */
enum lwp_status lwp_client_commit_offset(struct lwp_client *client, uint32_t topic_id,
                                         uint64_t consumer_id, uint64_t offset);

/* For callers who drive (`caller_driven`). */

/** The descriptor to wait for, or -1 at the moment, and the events, as for poll(). Both may change
 * with each call of any function. */
int lwp_client_fd(struct lwp_client *client);
short lwp_client_events(struct lwp_client *client);

/** When lwp_client_process() has something to do although nothing happens there: nanoseconds of
 * CLOCK_MONOTONIC (lwp_clock_now()), in the past if at once; UINT64_MAX: never. */
uint64_t lwp_client_deadline(struct lwp_client *client);

/** Does what can be done without waiting: keeps the connection alive and makes it anew. */
void lwp_client_process(struct lwp_client *client);

#endif
