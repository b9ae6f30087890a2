/* SPDX-License-Identifier: MIT */
#include "mock_server/mock.h"

#include <stdlib.h>

#include "lwp/net/clock.h"
#include "mock_server/mock_state.h"
#include "mock_server/perform.h"

/* The deployed server writes through a buffer that it flushes 5 ms after the last write, and then
 * waits for the disk. What nobody is owed an ack for becomes visible after this. */
#define UNOWED_FLUSH_NS (20 * LWP_MILLISECOND_NS)

/* The most that one answer may hold, so that it fits the output queue. */
enum { MAX_ANSWER_SIZE = 50331648 };

static struct lwp_bytes address_of(void *owner, struct lwp_bytes node)
{
    (void)owner;
    (void)node;
    return lwp_bytes_text("127.0.0.1:1992");
}

static void perform_action(void *owner, const struct script_action *action, uint64_t now_ns)
{
    (void)owner;
    (void)action;
    (void)now_ns;
}

static struct lwp_broker_options broker_options(struct lwp_mock *mock)
{
    const struct lwp_mock_options *options = &mock->options;
    struct lwp_broker_options result = options->broker;
    result.limits.max_payload =
        options->max_payload < MAX_ANSWER_SIZE ? options->max_payload : MAX_ANSWER_SIZE;
    if (options->auth_token) {
        mock->token.text = options->auth_token;
        result.auth.enabled = true;
        result.auth.tokens = &mock->token;
        result.auth.token_count = 1;
    }
    return result;
}

enum lwp_status lwp_mock_new(const struct lwp_mock_options *options, struct lwp_mock **mock)
{
    struct lwp_mock *made = calloc(1, sizeof(*made));
    if (!made)
        return LWP_NO_MEMORY;
    made->options = *options;
    if (!made->options.max_payload)
        made->options.max_payload = LWP_MAX_PAYLOAD_DEFAULT;
    made->flush_due_ns = LWP_NEVER;
    const struct lwp_broker_options broker = broker_options(made);
    enum lwp_status status = lwp_broker_new(&broker, &made->broker);
    if (status == LWP_OK)
        status = stage_new(options->seed, &made->stage);
    if (status != LWP_OK) {
        lwp_broker_free(made->broker);
        free(made);
        return status;
    }
    made->host = (struct connection_host){
        .owner = made,
        .broker = made->broker,
        .stage = made->stage,
        .ack_delay_ns = options->ack_delay_ns,
        .address_of = address_of,
        .perform = perform_action,
    };
    *mock = made;
    return LWP_OK;
}

static void forget(struct lwp_mock *mock, struct connection **place)
{
    struct connection *connection = *place;
    mock->queued -= connection_memory(connection);
    *place = connection->next;
    connection_done(connection, mock->now_ns);
    free(connection);
    mock->connection_count--;
}

void mock_end_all(struct lwp_mock *mock)
{
    while (mock->connections)
        forget(mock, &mock->connections);
}

void lwp_mock_free(struct lwp_mock *mock)
{
    if (!mock)
        return;
    mock_end_all(mock);
    stage_free(mock->stage);
    lwp_broker_free(mock->broker);
    free(mock);
}

enum lwp_status lwp_mock_accept(struct lwp_mock *mock, struct lwp_transport *transport,
                                uint64_t now_ns)
{
    struct connection *connection = malloc(sizeof(*connection));
    if (!connection) {
        lwp_transport_free(transport);
        return LWP_NO_MEMORY;
    }
    const struct connection_setup setup = {
        .options = {.role = LWP_SERVER,
                    .dialect = mock->options.dialect,
                    .max_payload = mock->options.max_payload},
        .host = &mock->host,
        .number = ++mock->accepted,
    };
    connection_init(connection, &setup, transport, now_ns);
    connection_play_beginning(connection, now_ns);
    connection->next = mock->connections;
    mock->connections = connection;
    mock->connection_count++;
    return LWP_OK;
}

size_t lwp_mock_connection_count(const struct lwp_mock *mock)
{
    return mock->connection_count;
}

/* What was stored without an ack to follow still becomes visible (B14). */
static void flush_unowed(struct lwp_mock *mock, uint64_t now_ns)
{
    if (now_ns >= mock->flush_due_ns)
        lwp_broker_flush(mock->broker);
    if (!lwp_broker_is_dirty(mock->broker))
        mock->flush_due_ns = LWP_NEVER;
    else if (mock->flush_due_ns == LWP_NEVER)
        mock->flush_due_ns = now_ns + UNOWED_FLUSH_NS;
}

/* Past this many bytes in all queues the connection that holds most is reset: peers that do not read
 * must not fill the machine. */
enum { MAX_QUEUED = 1073741824 };

static void reset_largest(struct lwp_mock *mock, uint64_t now_ns)
{
    struct connection *largest = NULL;
    for (struct connection *c = mock->connections; c; c = c->next)
        if (!largest || connection_memory(c) > connection_memory(largest))
            largest = c;
    if (largest)
        connection_reset(largest, now_ns);
}

bool mock_step_one(struct lwp_mock *mock, struct connection **place, uint64_t now_ns)
{
    mock->now_ns = now_ns;
    lwp_broker_set_time(mock->broker, mock->options.epoch_ns + now_ns);
    flush_unowed(mock, now_ns);
    const size_t before = connection_memory(*place);
    const bool worked = connection_step(*place, now_ns);
    mock->queued += connection_memory(*place) - before;
    lwp_broker_trim(mock->broker);
    flush_unowed(mock, now_ns);
    if (mock->queued > MAX_QUEUED)
        reset_largest(mock, now_ns);
    if ((*place)->done)
        forget(mock, place);
    return worked;
}

static bool is_once(const struct script_action *action)
{
    const enum script_action_group group = script_action_rows[action->kind].group;
    return group == SCRIPT_CLUSTER || group == SCRIPT_FLOW;
}

/* Rules at a time: what is about the mock once, what is about connections on all that are meant. */
static void perform_timed(struct lwp_mock *mock, uint64_t now_ns)
{
    const struct script_rule *rule = NULL;
    while ((rule = stage_due(mock->stage, now_ns))) {
        for (size_t i = 0; i < rule->actions.count; i++)
            if (is_once(&rule->actions.items[i]))
                perform_once(&mock->host, rule, &rule->actions.items[i], now_ns);
        for (struct connection *c = mock->connections; c; c = c->next)
            if (stage_concerns(rule, &c->peer))
                connection_perform_timed(c, rule, now_ns);
    }
}

bool lwp_mock_step(struct lwp_mock *mock, uint64_t now_ns)
{
    bool worked = false;
    mock->now_ns = now_ns;
    flush_unowed(mock, now_ns);
    perform_timed(mock, now_ns);
    struct connection **place = &mock->connections;
    while (*place) {
        const struct connection *before = *place;
        worked = mock_step_one(mock, place, now_ns) || worked;
        if (*place == before)
            place = &(*place)->next;
    }
    return worked;
}

uint64_t lwp_mock_deadline(const struct lwp_mock *mock)
{
    uint64_t deadline = mock->flush_due_ns;
    if (stage_deadline(mock->stage) < deadline)
        deadline = stage_deadline(mock->stage);
    for (const struct connection *c = mock->connections; c; c = c->next)
        if (connection_deadline(c) < deadline)
            deadline = connection_deadline(c);
    return deadline;
}

/* The world around a mock. */

static uint64_t mock_now(const struct lwp_world *world)
{
    return ((const struct lwp_mock_world *)(const void *)world)->now_ns;
}

static enum lwp_status mock_connect(struct lwp_world *world, uint64_t deadline_ns,
                                    struct lwp_transport **transport)
{
    enum { PIPE_CAPACITY = 1048576 };
    struct lwp_mock_world *mock_world = (struct lwp_mock_world *)(void *)world;
    struct lwp_transport *ends[2];
    (void)deadline_ns;
    enum lwp_status status = lwp_pipe_new(PIPE_CAPACITY, ends);
    if (status != LWP_OK)
        return status;
    status = lwp_mock_accept(mock_world->mock, ends[1], mock_world->now_ns);
    if (status != LWP_OK) {
        lwp_transport_free(ends[0]);
        return status;
    }
    *transport = ends[0];
    return LWP_OK;
}

/* Time passes only when the mock has nothing left to do. */
static void mock_wait(struct lwp_world *world, struct lwp_transport *const *transports,
                      size_t count, uint64_t deadline_ns)
{
    struct lwp_mock_world *mock_world = (struct lwp_mock_world *)(void *)world;
    (void)transports;
    (void)count;
    if (lwp_mock_step(mock_world->mock, mock_world->now_ns))
        return;
    const uint64_t due = lwp_mock_deadline(mock_world->mock);
    const uint64_t until = due < deadline_ns ? due : deadline_ns;
    if (until > mock_world->now_ns && until != LWP_NEVER)
        mock_world->now_ns = until;
    (void)lwp_mock_step(mock_world->mock, mock_world->now_ns);
}

static const struct lwp_world_ops mock_world_ops = {mock_now, mock_connect, mock_wait};

void lwp_mock_world_init(struct lwp_mock_world *world, struct lwp_mock *mock)
{
    *world = (struct lwp_mock_world){{&mock_world_ops}, mock, 0};
}
