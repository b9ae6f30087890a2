/* SPDX-License-Identifier: MIT */
/* json.h - the JSON documents in topic, cluster-status and error answers (specification 5, 12.1).
 * The only layer of the codec that allocates. */
#ifndef LWP_JSON_JSON_H
#define LWP_JSON_JSON_H

#include "lwp/wire/dialect.h"
#include "lwp/wire/status.h"

enum {
    LWP_JSON_MAX_DEPTH = 16,
    LWP_JSON_MAX_CONTAINERS = 65536, /* Objects and arrays in one document. */
    LWP_JSON_MAX_SIZE = 4194304,     /* 4 MiB: the largest document that is read. */
    LWP_JSON_MAX_PATH = 256
};

/* A document that was read. Owns all that it returns views of. */
struct lwp_json;

/**
 * Reads one document, with nothing but white space after it.
 *
 * LWP_OK                 `*json` is the caller's, for lwp_json_free().
 * LWP_PAYLOAD_TOO_LARGE  more than LWP_JSON_MAX_SIZE bytes, or than LWP_JSON_MAX_CONTAINERS objects
 *                        and arrays, or nested deeper than LWP_JSON_MAX_DEPTH.
 * LWP_INVALID_TEXT       not UTF-8.
 * LWP_INVALID_PAYLOAD    not JSON; `*fault` has the offset, here and above.
 * LWP_NO_MEMORY
 */
enum lwp_status lwp_json_read(struct lwp_bytes text, struct lwp_json **json,
                              struct lwp_fault *fault);

/** Frees the document and all views into it; NULL is fine. */
void lwp_json_free(struct lwp_json *json);

/*
 * Members by path: names and indices joined by dots, for example "topics.0.name"; "" is the
 * document itself. LWP_OK, or LWP_INVALID_ARGUMENT if there is no such member or it is of another
 * type; the result is untouched then. Integers are 0 to 2^64-1. Strings are views until
 * lwp_json_free().
 */
enum lwp_status lwp_json_integer(const struct lwp_json *json, const char *path, uint64_t *value);
enum lwp_status lwp_json_string(const struct lwp_json *json, const char *path,
                                struct lwp_bytes *value);
enum lwp_status lwp_json_boolean(const struct lwp_json *json, const char *path, bool *value);

/** Whether there is a member of any type at `path`. */
bool lwp_json_has(const struct lwp_json *json, const char *path);

/** Whether there is an array at `path`. */
bool lwp_json_is_array(const struct lwp_json *json, const char *path);

/** The number of elements of the array, or members of the object, at `path`; 0 if there is neither.
 */
size_t lwp_json_count(const struct lwp_json *json, const char *path);

/* What a topic answer tells of a topic. */
struct lwp_topic {
    uint64_t id;
    struct lwp_bytes name;
    uint64_t created_at; /* Seconds since the Unix epoch. */
    uint64_t topic_epoch;
    bool with_retention; /* Whether the two below are part of the answer. */
    uint64_t max_age_secs;
    uint64_t max_bytes;
};

/* How a node sees another one. */
struct lwp_peer {
    uint64_t node_id;
    const char *state; /* "Connected", "Failed", …; static. */
};

/* What the cluster status answer of a server tells. */
struct lwp_cluster_status {
    uint64_t current_term;
    uint64_t healthy_nodes;
    bool is_leader;
    bool has_no_leader; /* leader_id is null. */
    uint64_t leader_id;
    bool is_cluster; /* Otherwise the server stands alone, and says so in `mode`. */
    uint64_t node_count;
    uint64_t node_id;
    const struct lwp_peer *peers; /* In the order of the document. */
    size_t peer_count;
    bool quorum_available;
};

/* The document of an error answer (12.1). Details that are not there are empty or 0. */
struct lwp_error_document {
    uint64_t code;
    struct lwp_bytes message;
    struct lwp_bytes leader_addr;
    uint64_t retry_after_ms;
    bool has_server_offset;
    uint64_t server_offset;
};

/* The file in which a consumer keeps its place, as the Python client writes it. */
struct lwp_offset_document {
    struct lwp_bytes consumer;
    uint64_t topic_id;
    bool with_topic_name; /* Otherwise topic_name is null. */
    struct lwp_bytes topic_name;
    uint64_t offset;
};

/*
 * Writers: compact, no spaces, slashes not escaped. Keys stand in alphabetical order where the
 * dialect has topic_epoch (D18), else in the specification's; the topics of a list stand in the
 * order id, name, created_at, topic_epoch in both. LWP_OK, LWP_FULL or LWP_NO_MEMORY.
 */

/** {"created_at":…,"id":…,"max_age_secs":…,"max_bytes":…,"name":…,"topic_epoch":…}: topic_epoch
 * only if the dialect has it, the two retention members only if the topic has them. The
 * specification's order is id, name, created_at, max_age_secs, max_bytes. */
enum lwp_status lwp_json_write_topic(const struct lwp_dialect *dialect,
                                     const struct lwp_topic *topic, struct lwp_writer *out);

/** {"topics":[…]}; retention is never part of it. */
enum lwp_status lwp_json_write_topics(const struct lwp_dialect *dialect,
                                      const struct lwp_topic *topics, size_t count,
                                      struct lwp_writer *out);

/** {"<key>":<id>}: the answers "deleted" and "unsubscribed". */
enum lwp_status lwp_json_write_id(const char *key, uint64_t id, struct lwp_writer *out);

/** {"max_age_secs":…,"max_bytes":…,"topic_id":…}; the specification's order begins with topic_id.
 */
enum lwp_status lwp_json_write_retention(const struct lwp_dialect *dialect,
                                         const struct lwp_topic *topic, struct lwp_writer *out);

/** {"current_term":…,"healthy_nodes":…,"is_leader":…,"leader_id":…,"mode":"standalone",
 * "node_count":…,"node_id":…,"peer_states":{"<node_id>":"<state>"},"quorum_available":…}; the mode
 * only of a server that stands alone. */
enum lwp_status lwp_json_write_cluster_status(const struct lwp_cluster_status *status,
                                              struct lwp_writer *out);

/** {"code":…,"message":…,"details":{…}}, with details only if there are any. */
enum lwp_status lwp_json_write_error(const struct lwp_error_document *document,
                                     struct lwp_writer *out);

/** {"consumer":…,"topic_id":…,"topic_name":…,"offset":…} */
enum lwp_status lwp_json_write_offset(const struct lwp_offset_document *document,
                                      struct lwp_writer *out);

/**
 * Takes an offset document apart; the views live as long as `json`. topic_name may be null or
 * missing.
 *
 * LWP_OK, or LWP_INVALID_PAYLOAD if a member is missing or of another type.
 */
enum lwp_status lwp_json_offset(const struct lwp_json *json, struct lwp_offset_document *document);

/**
 * Takes an error document apart; the views live as long as `json`.
 *
 * LWP_OK, or LWP_INVALID_PAYLOAD if there is no integer code and string message.
 */
enum lwp_status lwp_json_error(const struct lwp_json *json, struct lwp_error_document *document);

#endif
