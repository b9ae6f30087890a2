/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "lwp/client/client_state.h"
#include "lwp/json/json.h"
#include "lwp/net/clock.h"

/* The requests: what each asks, and how its answer is read. */

static enum lwp_status ask(struct lwp_client *client, const struct lwp_message *message,
                           client_reader reader, void *result)
{
    const struct client_question question = {
        .message = *message, .reader = reader, .result = result};
    return client_ask(client, &question);
}

/* Integers that are missing keep what they have. The deployed server puts the retention beside the
 * rest, the Rust client looks for it in an object of its own. */
static enum lwp_status read_topic_at(const struct lwp_json *json, const char *at,
                                     struct lwp_topic_info *topic)
{
    char path[64];
    struct lwp_bytes name = {NULL, 0};
    uint64_t id = 0;
    struct lwp_topic_info result = {.topic_epoch = 1};
    (void)snprintf(path, sizeof(path), "%sid", at);
    if (lwp_json_integer(json, path, &id) != LWP_OK || id > UINT32_MAX)
        return LWP_INVALID_PAYLOAD;
    (void)snprintf(path, sizeof(path), "%sname", at);
    if (lwp_json_string(json, path, &name) != LWP_OK || name.size >= sizeof(result.name) ||
        (name.size && memchr(name.data, '\0', name.size)))
        return LWP_INVALID_PAYLOAD;
    result.id = (uint32_t)id;
    if (name.size)
        memcpy(result.name, name.data, name.size);
    (void)snprintf(path, sizeof(path), "%screated_at", at);
    (void)lwp_json_integer(json, path, &result.created_at);
    (void)snprintf(path, sizeof(path), "%stopic_epoch", at);
    (void)lwp_json_integer(json, path, &result.topic_epoch);
    (void)snprintf(path, sizeof(path), "%smax_age_secs", at);
    result.with_retention = lwp_json_integer(json, path, &result.max_age_secs) == LWP_OK;
    (void)snprintf(path, sizeof(path), "%smax_bytes", at);
    (void)lwp_json_integer(json, path, &result.max_bytes);
    *topic = result;
    return LWP_OK;
}

static enum lwp_status read_json(const struct lwp_answer *answer, struct lwp_json **json)
{
    struct lwp_fault fault;
    const enum lwp_status status = lwp_json_read(answer->message.json, json, &fault);
    if (status == LWP_OK || status == LWP_NO_MEMORY || status == LWP_PAYLOAD_TOO_LARGE)
        return status;
    return LWP_INVALID_PAYLOAD;
}

/* What was asked for. What comes back must be that, or it is the answer to something else. */
struct wanted_topic {
    struct lwp_bytes name; /* Empty: any. */
    uint32_t id;           /* 0: any. */
    struct lwp_topic_info found;
};

static enum lwp_status read_topic(const struct lwp_answer *answer, void *result)
{
    struct lwp_json *json = NULL;
    struct wanted_topic *wanted = result;
    enum lwp_status status = read_json(answer, &json);
    if (status == LWP_OK)
        status = read_topic_at(json, "", &wanted->found);
    lwp_json_free(json);
    if (status != LWP_OK)
        return status;
    const bool is_name =
        wanted->name.size == 0 || lwp_bytes_equal(wanted->name, lwp_bytes_text(wanted->found.name));
    const bool is_id = wanted->id == 0 || wanted->id == wanted->found.id;
    return is_name && is_id ? LWP_OK : LWP_UNEXPECTED_FRAME;
}

struct topic_list {
    struct lwp_topic_info *topics;
    size_t count;
};

static enum lwp_status read_list(const struct lwp_json *json, struct topic_list *list)
{
    enum lwp_status status = LWP_OK;
    const size_t count = lwp_json_count(json, "topics");
    if (!lwp_json_is_array(json, "topics"))
        return LWP_INVALID_PAYLOAD;
    struct lwp_topic_info *topics = calloc(count ? count : 1, sizeof(*topics));
    if (!topics)
        return LWP_NO_MEMORY;
    for (size_t i = 0; i < count && status == LWP_OK; i++) {
        char at[40];
        (void)snprintf(at, sizeof(at), "topics.%zu.", i);
        status = read_topic_at(json, at, &topics[i]);
    }
    if (status != LWP_OK || count == 0) {
        free(topics);
        topics = NULL;
    }
    if (status == LWP_OK)
        *list = (struct topic_list){topics, count};
    return status;
}

static enum lwp_status read_topics(const struct lwp_answer *answer, void *result)
{
    struct lwp_json *json = NULL;
    enum lwp_status status = read_json(answer, &json);
    if (status == LWP_OK)
        status = read_list(json, result);
    lwp_json_free(json);
    return status;
}

static enum lwp_status read_cluster(const struct lwp_answer *answer, void *result)
{
    struct lwp_json *json = NULL;
    const enum lwp_status status = read_json(answer, &json);
    if (status != LWP_OK)
        return status;
    struct lwp_cluster_info info = {.node_id = 0};
    (void)lwp_json_integer(json, "node_id", &info.node_id);
    info.has_leader = lwp_json_integer(json, "leader_id", &info.leader_id) == LWP_OK;
    (void)lwp_json_boolean(json, "is_leader", &info.is_leader);
    (void)lwp_json_boolean(json, "quorum_available", &info.quorum_available);
    (void)lwp_json_integer(json, "current_term", &info.current_term);
    (void)lwp_json_integer(json, "node_count", &info.node_count);
    (void)lwp_json_integer(json, "healthy_nodes", &info.healthy_nodes);
    lwp_json_free(json);
    *(struct lwp_cluster_info *)result = info;
    return LWP_OK;
}

static enum lwp_status read_offset(const struct lwp_answer *answer, void *result)
{
    if (!answer->is_ack)
        *(uint64_t *)result = answer->message.offset;
    return LWP_OK;
}

static bool is_name(const char *name)
{
    const struct lwp_bytes bytes = lwp_bytes_text(name);
    return bytes.size > 0 && bytes.size < LWP_TOPIC_NAME_ROOM && lwp_utf8_valid(bytes);
}

static enum lwp_status create(struct lwp_client *client, const struct lwp_message *message,
                              struct lwp_topic_info *topic)
{
    struct wanted_topic wanted = {.name = message->name};
    const enum lwp_status status = ask(client, message, read_topic, &wanted);
    if (status == LWP_OK)
        *topic = wanted.found;
    return status;
}

enum lwp_status lwp_client_create_topic(struct lwp_client *client, const char *name,
                                        struct lwp_topic_info *topic)
{
    const struct lwp_message message = {.command = LWP_COMMAND_CREATE_TOPIC,
                                        .name = lwp_bytes_text(name)};
    return is_name(name) ? create(client, &message, topic) : LWP_INVALID_ARGUMENT;
}

enum lwp_status lwp_client_create_topic_with_retention(struct lwp_client *client, const char *name,
                                                       uint64_t max_age_secs, uint64_t max_bytes,
                                                       struct lwp_topic_info *topic)
{
    const struct lwp_message message = {
        .command = LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION,
        .name = lwp_bytes_text(name),
        .max_age_secs = max_age_secs,
        .max_bytes = max_bytes,
    };
    return is_name(name) ? create(client, &message, topic) : LWP_INVALID_ARGUMENT;
}

enum lwp_status lwp_client_list_topics(struct lwp_client *client, struct lwp_topic_info **topics,
                                       size_t *count)
{
    const struct lwp_message message = {.command = LWP_COMMAND_LIST_TOPICS};
    struct topic_list list = {NULL, 0};
    const enum lwp_status status = ask(client, &message, read_topics, &list);
    if (status != LWP_OK)
        return status;
    *topics = list.topics;
    *count = list.count;
    return LWP_OK;
}

enum lwp_status lwp_client_get_topic(struct lwp_client *client, uint32_t topic_id,
                                     struct lwp_topic_info *topic)
{
    const struct lwp_message message = {.command = LWP_COMMAND_GET_TOPIC, .topic_id = topic_id};
    struct wanted_topic wanted = {.id = topic_id};
    const enum lwp_status status = ask(client, &message, read_topic, &wanted);
    if (status == LWP_OK)
        *topic = wanted.found;
    return status;
}

enum lwp_status lwp_client_delete_topic(struct lwp_client *client, uint32_t topic_id)
{
    const struct lwp_message message = {.command = LWP_COMMAND_DELETE_TOPIC, .topic_id = topic_id};
    return ask(client, &message, NULL, NULL);
}

enum lwp_status lwp_client_set_retention(struct lwp_client *client, uint32_t topic_id,
                                         uint64_t max_age_secs, uint64_t max_bytes)
{
    const struct lwp_message message = {
        .command = LWP_COMMAND_SET_RETENTION,
        .topic_id = topic_id,
        .max_age_secs = max_age_secs,
        .max_bytes = max_bytes,
    };
    return ask(client, &message, NULL, NULL);
}

enum lwp_status lwp_client_ping(struct lwp_client *client, uint64_t *round_trip_ns)
{
    const struct client_question question = {.is_ping = true};
    const uint64_t before_ns = lwp_runner_now(&client->runner);
    const enum lwp_status status = client_ask(client, &question);
    if (status == LWP_OK && round_trip_ns)
        *round_trip_ns = lwp_runner_now(&client->runner) - before_ns;
    return status;
}

enum lwp_status lwp_client_cluster_status(struct lwp_client *client,
                                          struct lwp_cluster_info *status)
{
    const struct lwp_message message = {.command = LWP_COMMAND_GET_CLUSTER_STATUS};
    return ask(client, &message, read_cluster, status);
}

enum lwp_status lwp_client_authenticate(struct lwp_client *client, const char *token)
{
    const struct lwp_message message = {.command = LWP_COMMAND_AUTHENTICATE,
                                        .token = lwp_bytes_text(token)};
    if (message.token.size > UINT16_MAX)
        return LWP_INVALID_ARGUMENT;
    return ask(client, &message, NULL, NULL);
}

enum lwp_status lwp_client_subscribe(struct lwp_client *client, uint32_t topic_id,
                                     uint64_t start_offset, uint64_t consumer_id, uint64_t *offset)
{
    enum { MAX_BATCH_BYTES = 1048576 };
    uint64_t told = start_offset;
    const struct lwp_message message = {
        .command = LWP_COMMAND_SUBSCRIBE,
        .topic_id = topic_id,
        .start_offset = start_offset,
        .max_batch_bytes = MAX_BATCH_BYTES,
        .consumer_id = consumer_id,
    };
    const enum lwp_status status = ask(client, &message, read_offset, &told);
    if (status == LWP_OK && offset)
        *offset = told;
    return status;
}

enum lwp_status lwp_client_unsubscribe(struct lwp_client *client, uint32_t topic_id,
                                       uint64_t consumer_id)
{
    const struct lwp_message message = {
        .command = LWP_COMMAND_UNSUBSCRIBE, .topic_id = topic_id, .consumer_id = consumer_id};
    return ask(client, &message, NULL, NULL);
}

enum lwp_status lwp_client_commit_offset(struct lwp_client *client, uint32_t topic_id,
                                         uint64_t consumer_id, uint64_t offset)
{
    const struct lwp_message message = {
        .command = LWP_COMMAND_COMMIT_OFFSET,
        .topic_id = topic_id,
        .consumer_id = consumer_id,
        .offset = offset,
    };
    return ask(client, &message, NULL, NULL);
}
