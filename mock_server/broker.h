/* SPDX-License-Identifier: MIT */
/* broker.h - what a server knows and answers: topics, logs, commits. No frames, no connections. */
#ifndef LWP_MOCK_BROKER_H
#define LWP_MOCK_BROKER_H

#include "lwp/json/json.h"
#include "lwp/wire/errors.h"
#include "lwp/wire/message.h"
#include "mock_server/log.h"

/* Hard limits, so that no client can fill the machine. Past them requests get a storage error, and
 * ingests end the connection, as they do on the deployed server when its disk is full. */
struct lwp_broker_limits {
    size_t max_topics;    /* Default 16384. */
    size_t max_commits;   /* Default 1000000. */
    size_t max_log_bytes; /* Of all logs together. Default 1 GiB. */
    uint32_t max_payload; /* Of a frame, both ways. Default 16 MiB. */
};

struct lwp_broker;

/* What the broker says to a control command: either a control frame or an Ack. */
struct lwp_reply {
    uint8_t command; /* The control frame's code; not used for an Ack. */
    bool is_ack;
    uint64_t batch_id;        /* Of the Ack. */
    struct lwp_bytes payload; /* Until the next call of the broker. */
};

/* Who asks; belongs to the connection. */
struct lwp_asker {
    const struct lwp_dialect *dialect; /* In which the answer is given. */
    bool authenticated;
};

/** A broker without topics: LWP_OK or LWP_NO_MEMORY. `auth_token` may be NULL for none; it must
 * outlive the broker. Zero limits take their defaults. */
enum lwp_status lwp_broker_new(const struct lwp_broker_limits *limits, const char *auth_token,
                               struct lwp_broker **broker);

/** Frees the broker and all that it knows; NULL is fine. */
void lwp_broker_free(struct lwp_broker *broker);

/** Sets the time that created_at takes, in seconds since the Unix epoch. */
void lwp_broker_set_time(struct lwp_broker *broker, uint64_t epoch_secs);

/**
 * Answers a control command; a code without a row, or -1, is answered with an error.
 * A right token makes the
 * asker authenticated.
 *
 * LWP_OK, with the answer; LWP_NO_MEMORY: close the connection.
 */
enum lwp_status lwp_broker_control(struct lwp_broker *broker, struct lwp_asker *asker, int command,
                                   struct lwp_bytes payload, struct lwp_reply *reply);

/** The error answer of this text, as the dialect forms it. LWP_OK or LWP_NO_MEMORY. */
enum lwp_status lwp_broker_error(struct lwp_broker *broker, const struct lwp_dialect *dialect,
                                 enum lwp_text text, struct lwp_bytes argument,
                                 struct lwp_reply *reply);

/** Whether ingests need authentication. */
bool lwp_broker_guarded(const struct lwp_broker *broker);

/** Whether ingests to this topic are taken: it exists, or is the default topic 0. */
bool lwp_broker_has_topic(const struct lwp_broker *broker, uint32_t topic_id);

/** Appends an ingest's payload to a topic that lwp_broker_has_topic(). It is visible from the next
 * lwp_broker_flush(). LWP_OK, LWP_FULL past the limit, or LWP_NO_MEMORY. */
enum lwp_status lwp_broker_ingest(struct lwp_broker *broker, uint32_t topic_id,
                                  struct lwp_bytes payload);

/** Gives back memory that a large answer took; ends the life of the last answer. */
void lwp_broker_trim(struct lwp_broker *broker);

/** Makes visible what was ingested. */
void lwp_broker_flush(struct lwp_broker *broker);

/** Whether anything was ingested and not flushed. */
bool lwp_broker_is_dirty(const struct lwp_broker *broker);

#endif
