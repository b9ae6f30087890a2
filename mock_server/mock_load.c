/* SPDX-License-Identifier: MIT */
/* Loading scripts: all of one, or nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "mock_server/mock_state.h"
#include "mock_server/script/file.h"

/* A load under way, and what it takes to undo it. */
struct load {
    struct lwp_mock *mock;
    const struct script_scenario *scenario;
    struct lwp_writer problems;
    bool is_first;               /* No script was there before. */
    size_t node_count;           /* So many nodes were, */
    bool nameless;               /* the only one without a name, */
    struct lwp_cluster *cluster; /* and knew this; NULL: no cluster. */
    uint64_t next_id;            /* Of topics. */
    const struct lwp_dialect *dialect;
};

static enum lwp_status complain(struct load *load, const struct script_place *place,
                                const char *found, const char *expected)
{
    script_write_problem(&load->problems, place, found, expected);
    return LWP_INVALID_PAYLOAD;
}

/* Needs. */

static bool has_cluster(const struct lwp_mock *mock)
{
    return mock->node_count > 1;
}

static bool has_tls(const struct lwp_mock *mock)
{
    return mock->options.tls_certificate != NULL;
}

static bool has_auth(const struct lwp_mock *mock)
{
    return lwp_broker_guarded(mock->broker);
}

static bool is_open(const struct lwp_mock *mock)
{
    return !has_auth(mock);
}

struct need {
    const char *word;
    bool (*is_met)(const struct lwp_mock *mock); /* NULL: always. */
    const char *otherwise;
};

static const struct need needs[] = {
    {"auth", has_auth, "a mock that asks for a token (--auth-token)"},
    {"cluster", has_cluster, "several nodes, here or in the options"},
    {"cluster-status", NULL, NULL},
    {"consumers", NULL, NULL},
    {"ingest", NULL, NULL},
    {"lz4", NULL, NULL},
    {"max-payload", NULL, NULL},
    {"open", is_open, "a mock that asks for no token"},
    {"retention", NULL, NULL},
    {"slow", NULL, NULL},
    {"tls", has_tls, "a mock that speaks TLS (--tls-cert)"},
    {"topics", NULL, NULL},
};

static enum lwp_status check_need(struct load *load, struct lwp_bytes word)
{
    char found[128];
    const char *otherwise = "auth, cluster, lz4, retention, tls or another need that there is";
    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
        if (!lwp_bytes_equal(lwp_bytes_text(needs[i].word), word))
            continue;
        if (!needs[i].is_met || needs[i].is_met(load->mock))
            return LWP_OK;
        otherwise = needs[i].otherwise;
    }
    (void)snprintf(found, sizeof(found), "needs %.100s", (const char *)word.data);
    return complain(load, &load->scenario->place, found, otherwise);
}

static enum lwp_status check_needs(struct load *load)
{
    enum lwp_status status = LWP_OK;
    for (size_t i = 0; i < load->scenario->needs.count; i++)
        if (check_need(load, load->scenario->needs.items[i]) != LWP_OK)
            status = LWP_INVALID_PAYLOAD;
    return status;
}

/* The dialect. */

static enum lwp_status take_dialect(struct load *load)
{
    char found[64];
    const struct lwp_dialect *wanted = load->scenario->dialect;
    struct lwp_mock *mock = load->mock;
    if (!wanted || wanted == mock->options.dialect)
        return LWP_OK;
    (void)snprintf(found, sizeof(found), "dialect %s", wanted->name);
    if (!load->is_first)
        return complain(load, &load->scenario->place, found, "the dialect of the other scripts");
    if (mock->connection_count)
        return complain(load, &load->scenario->place, found,
                        "the dialect of the connections that there are");
    mock->options.dialect = wanted;
    return LWP_OK;
}

/* Topics. */

static const char *topic_problem(const struct lwp_broker *broker, const struct script_topic *topic)
{
    const uint64_t there = lwp_broker_topic_id(broker, topic->name);
    if (there && topic->id && there != topic->id)
        return "the id that this topic has already";
    if (!there && topic->id && topic->id < lwp_broker_next_id(broker))
        return "an id above all that were used";
    return NULL;
}

static enum lwp_status add_topic(struct load *load, const struct script_topic *topic)
{
    char found[300];
    struct lwp_broker *broker = load->mock->broker;
    const char *problem = topic_problem(broker, topic);
    if (problem) {
        (void)snprintf(found, sizeof(found), "topic %.256s id=%llu", (const char *)topic->name.data,
                       (unsigned long long)topic->id);
        return complain(load, &topic->place, found, problem);
    }
    if (lwp_broker_topic_id(broker, topic->name))
        return LWP_OK;
    return lwp_broker_add_topic(broker, topic->name, topic->id, topic->bytes);
}

static enum lwp_status add_topics(struct load *load)
{
    enum lwp_status status = LWP_OK;
    for (size_t i = 0; i < load->scenario->topics.count && status == LWP_OK; i++)
        status = add_topic(load, &load->scenario->topics.items[i]);
    return status;
}

/* Nodes. */

static enum lwp_status add_node(struct load *load, const struct script_node *said)
{
    struct lwp_mock *mock = load->mock;
    struct node *first = mock->nodes[0];
    const char *name = (const char *)said->name.data;
    if (mock_node_named(mock, name))
        return LWP_OK;
    if (said->name.size >= LWP_MOCK_NAME_SIZE)
        return complain(load, &said->place, "a node with a long name", "63 characters at most");
    /* The only node has no name as long as nobody gave it one. */
    if (mock->node_count == 1 && !first->name[0]) {
        mock_name_node(mock, first, name);
        return LWP_OK;
    }
    struct lwp_address beside = first->address;
    (void)snprintf(beside.port, sizeof(beside.port), "0");
    return mock_add_node(mock, name, &beside);
}

static enum lwp_status add_leaders(struct load *load, const struct script_node *node)
{
    enum lwp_status status = LWP_OK;
    for (size_t i = 0; i < node->leads.count && status == LWP_OK; i++)
        status = lwp_cluster_leader(load->mock->cluster, node->leads.items[i], node->name);
    return status;
}

static enum lwp_status add_nodes(struct load *load)
{
    const struct script_scenario *scenario = load->scenario;
    enum lwp_status status = LWP_OK;
    for (size_t i = 0; i < scenario->nodes.count && status == LWP_OK; i++)
        status = add_node(load, &scenario->nodes.items[i]);
    if (status == LWP_OK)
        status = check_needs(load);
    if (status == LWP_OK && scenario->nodes.count)
        status = mock_make_cluster(load->mock);
    for (size_t i = 0; i < scenario->nodes.count && status == LWP_OK; i++)
        status = add_leaders(load, &scenario->nodes.items[i]);
    return status == LWP_OK ? mock_open_nodes(load->mock) : status;
}

/* All or nothing. */

static enum lwp_status begin(struct load *load, struct lwp_mock *mock)
{
    *load = (struct load){
        .mock = mock,
        .is_first = !stage_is_set(mock->stage),
        .node_count = mock->node_count,
        .nameless = !mock->nodes[0]->name[0],
        .next_id = lwp_broker_next_id(mock->broker),
        .dialect = mock->options.dialect,
    };
    if (!mock->cluster)
        return LWP_OK;
    load->cluster = malloc(sizeof(*load->cluster));
    if (!load->cluster)
        return LWP_NO_MEMORY;
    *load->cluster = *mock->cluster;
    return LWP_OK;
}

static void undo(struct load *load)
{
    struct lwp_mock *mock = load->mock;
    stage_unload_last(mock->stage);
    mock_remove_nodes(mock, load->node_count);
    if (load->nameless)
        mock_name_node(mock, mock->nodes[0], "");
    if (load->cluster) {
        *mock->cluster = *load->cluster;
    } else {
        free(mock->cluster);
        mock->host.cluster = mock->cluster = NULL;
    }
    lwp_broker_take_back(mock->broker, load->next_id);
    mock->options.dialect = load->dialect;
}

static enum lwp_status take(struct load *load, const struct stage_load *how)
{
    enum lwp_status status = stage_load(load->mock->stage, how, &load->problems, &load->scenario);
    if (status != LWP_OK)
        return status;
    status = take_dialect(load);
    if (status == LWP_OK)
        status = add_topics(load);
    if (status == LWP_OK)
        status = add_nodes(load);
    if (status != LWP_OK) {
        const int error = errno;
        undo(load);
        errno = error;
    }
    return status;
}

static const char *reason(enum lwp_status status)
{
    if (status == LWP_FULL)
        return "there is no room for more scripts, nodes, leaders or topics";
    if (status == LWP_PAYLOAD_TOO_LARGE)
        return "larger than 1 MiB";
    return status == LWP_IO ? strerror(errno) : lwp_status_text(status);
}

/* What is wrong goes into the mock's problems, as a text with a zero at its end. */
static enum lwp_status load_script(struct lwp_mock *mock, const struct stage_load *how)
{
    enum { ROOM = 262144 };
    struct load load;
    free(mock->problems);
    mock->problems = malloc(ROOM);
    if (!mock->problems)
        return LWP_NO_MEMORY;
    enum lwp_status status = begin(&load, mock);
    load.problems = lwp_writer_on((uint8_t *)mock->problems, ROOM - 1);
    if (status == LWP_OK)
        status = take(&load, how);
    free(load.cluster);
    mock->problems[load.problems.size] = '\0';
    if (status != LWP_OK && load.problems.size == 0)
        (void)snprintf(mock->problems, ROOM, "%.256s: %s\n", how->name, reason(status));
    return status;
}

enum lwp_status mock_scenario(struct lwp_mock *mock, const char *name, struct lwp_bytes text,
                              const char *id)
{
    const struct stage_load how = {
        .name = name, .text = text, .scenario = id, .dialect = mock->options.dialect};
    const enum lwp_status status = load_script(mock, &how);
    service_wake(mock);
    return status;
}

enum lwp_status mock_script(struct lwp_mock *mock, const char *name, const char *text)
{
    return mock_scenario(mock, name, lwp_bytes_text(text), NULL);
}

enum lwp_status mock_script_file(struct lwp_mock *mock, const char *path, const char *id)
{
    size_t size = 0;
    char *text = script_read_file(path, &size);
    if (!text) {
        const int error = errno;
        free(mock->problems);
        mock->problems = NULL;
        if (asprintf(&mock->problems, "%s: %s\n", path, strerror(error)) < 0)
            mock->problems = NULL;
        errno = error;
        return LWP_IO;
    }
    const enum lwp_status status =
        mock_scenario(mock, path, (struct lwp_bytes){(const uint8_t *)text, size}, id);
    free(text);
    return status;
}
