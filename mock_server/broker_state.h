/* SPDX-License-Identifier: MIT */
/* broker_state.h - the broker's insides, shared by broker.c and commands.c and nobody else. */
#ifndef LWP_MOCK_BROKER_STATE_H
#define LWP_MOCK_BROKER_STATE_H

#include "mock_server/broker.h"

struct broker_topic {
    uint64_t id;
    uint8_t *name;
    size_t name_size;
    uint64_t created_at;
    uint64_t max_age_secs;
    uint64_t max_bytes;
    struct lwp_log log;
};

/* The committed offset of a consumer; survives the topic, as on the deployed server. */
struct broker_commit {
    uint64_t topic_id;
    uint64_t consumer_id;
    uint64_t offset;
};

struct lwp_broker {

    struct lwp_broker_limits limits;
    const char *auth_token;
    uint64_t epoch_secs;
    struct broker_topic *topics; /* By rising id. */
    size_t topic_count;
    size_t topic_capacity;
    uint64_t next_id;
    struct lwp_log default_log; /* Of topic 0. */
    size_t log_bytes;
    bool dirty;
    void *commits; /* A tree of struct broker_commit, see tsearch(3). */
    size_t commit_count;
    uint8_t *scratch; /* Where answers are written. */
    size_t scratch_capacity;
};

void broker_topic_done(struct broker_topic *topic);
struct broker_topic *broker_topic_by_id(const struct lwp_broker *broker, uint64_t id);
struct broker_topic *broker_topic_by_name(const struct lwp_broker *broker, struct lwp_bytes name);
struct lwp_log *broker_log_of(struct lwp_broker *broker, uint64_t topic_id);
enum lwp_status broker_scratch(struct lwp_broker *broker, size_t size, struct lwp_writer *out);

#endif
