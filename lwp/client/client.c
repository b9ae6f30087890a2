/* SPDX-License-Identifier: MIT */
#include "lwp/client/client.h"

#include <stdlib.h>

#include "lwp/bug/bug.h"
#include "lwp/client/client_state.h"
#include "lwp/net/clock.h"

static void finish(struct lwp_client *client, const struct lwp_details *outcome)
{
    client->outcome = *outcome;
    client->turn = CLIENT_DONE;
    client->request.command = LWP_REQUEST_NONE;
    lwp_runner_changed(&client->runner);
}

static void finish_with(struct lwp_client *client, enum lwp_status status)
{
    const struct lwp_details outcome = lwp_details_of(status);
    finish(client, &outcome);
}

/* Drops the connection; a request that waits for an answer will not get one. */
static void drop(struct lwp_client *client, enum lwp_status status, uint64_t now_ns)
{
    const struct lwp_details why = lwp_details_of(status);
    if (client->turn == CLIENT_ASKED)
        finish(client, &why);
    lwp_connection_drop(&client->connection, &why, now_ns);
}

static void send_question(struct lwp_client *client, uint64_t now_ns)
{
    const struct client_question *question = client->question;
    struct lwp_connection *connection = &client->connection;
    const struct lwp_frame keepalive = {.header = {.flags = LWP_FLAG_KEEPALIVE}};
    enum lwp_status status = LWP_OK;
    if (!question->is_ping)
        status = lwp_connection_ask(connection, &question->message, now_ns);
    else if (!connection->link.session.asked ||
             LWP_BUG(asks_while_asking)) /* D37: never more than one is unanswered. */
        status = lwp_connection_send(connection, &keepalive, now_ns);
    const int command = question->is_ping ? LWP_REQUEST_PING : question->message.command;
    client->request = lwp_request_of(command, &question->message, client->request.deadline_ns);
    client->turn = CLIENT_ASKED;
    if (status != LWP_OK)
        finish_with(client, status);
}

/* Whether what the connection went through since is the end of a request that waits for it. */
static bool has_failed(const struct lwp_client *client)
{
    const struct lwp_life *life = &client->connection.life;
    const bool waits = life->state == LWP_LIFE_WAITING && life->attempt >= client->fails_from;
    return waits || life->state == LWP_LIFE_ENDED;
}

static void answered(struct lwp_client *client, const struct lwp_answer *answer, uint64_t now_ns)
{
    const client_reader reader = client->question->reader;
    struct lwp_details outcome = answer->details;
    if (outcome.status == LWP_NOT_LEADER &&
        lwp_connection_redirect(&client->connection, &outcome, now_ns)) {
        client->turn = CLIENT_WAITING;
        client->fails_from = client->connection.life.attempt;
        return;
    }
    if (outcome.status != LWP_NOT_LEADER)
        lwp_life_succeed(&client->connection.life);
    if (outcome.status == LWP_OK && reader)
        outcome.status = reader(answer, client->question->result);
    finish(client, &outcome);
    const bool unreadable = answer->details.status == LWP_OK && outcome.status != LWP_OK;
    if (unreadable && outcome.status != LWP_NO_MEMORY)
        lwp_connection_drop(&client->connection, &outcome, now_ns);
}

static void hear(struct lwp_client *client, const struct lwp_frame *frame, uint64_t now_ns)
{
    struct lwp_answer answer = {.details = lwp_details_of(LWP_OK)};
    const bool is_ping = client->turn == CLIENT_ASKED && client->question->is_ping;
    const bool is_mistaken = LWP_BUG(takes_keepalive_for_reply) && client->turn == CLIENT_ASKED;
    if ((is_ping || is_mistaken) &&
        lwp_frame_kind(frame, client->options.dialect) == LWP_KIND_KEEPALIVE) {
        lwp_life_succeed(&client->connection.life);
        finish(client, &answer.details);
        return;
    }
    const enum lwp_status status =
        lwp_request_take(&client->request, frame, client->options.dialect, &answer);
    if (status == LWP_OK)
        answered(client, &answer, now_ns);
    else if (status != LWP_MORE)
        drop(client, status, now_ns);
}

static void note_events(struct lwp_client *client)
{
    enum lwp_connection_event event = lwp_connection_event(&client->connection);
    for (; event != LWP_CONNECTION_SAME; event = lwp_connection_event(&client->connection)) {
        lwp_runner_changed(&client->runner);
        if (event == LWP_CONNECTION_UP)
            continue;
        if (client->turn == CLIENT_ASKED)
            finish(client, &client->connection.life.why);
        if (!client->options.reconnect)
            lwp_life_end(&client->connection.life, client->connection.life.why.status);
    }
}

static void watch_request(struct lwp_client *client, uint64_t now_ns)
{
    if (client->turn == CLIENT_WAITING && has_failed(client))
        finish(client, &client->connection.life.why);
    if (client->turn == CLIENT_WAITING && now_ns >= client->request.deadline_ns)
        finish_with(client, LWP_TIMEOUT);
    const bool is_overdue = client->turn == CLIENT_ASKED && now_ns >= client->request.deadline_ns;
    if (is_overdue && LWP_BUG(hands_on_late_answers))
        finish_with(client, LWP_TIMEOUT);
    else if (is_overdue)
        drop(client, LWP_TIMEOUT, now_ns);
}

static void process(void *owner, uint64_t now_ns)
{
    struct lwp_client *client = owner;
    struct lwp_frame frame;
    lwp_connection_process(&client->connection, now_ns);
    while (lwp_connection_receive(&client->connection, &frame, now_ns) == LWP_OK)
        hear(client, &frame, now_ns);
    note_events(client);
    if (client->turn == CLIENT_WAITING && lwp_connection_may_send(&client->connection))
        send_question(client, now_ns);
    watch_request(client, now_ns);
    note_events(client);
    lwp_connection_write(&client->connection);
    if (has_failed(client))
        lwp_runner_changed(&client->runner);
}

static const struct lwp_connection *connection_of(const void *owner)
{
    return &((const struct lwp_client *)owner)->connection;
}

static uint64_t deadline_of(const void *owner)
{
    const struct lwp_client *client = owner;
    const bool waits = client->turn == CLIENT_WAITING || client->turn == CLIENT_ASKED;
    return waits ? client->request.deadline_ns : LWP_NEVER;
}

static enum lwp_status take_turn(struct lwp_client *client, uint64_t deadline_ns)
{
    while (client->turn != CLIENT_IDLE && !client->closing)
        if (!lwp_runner_wait(&client->runner, deadline_ns))
            return LWP_TIMEOUT;
    return client->closing ? LWP_CLOSED_BY_CALLER : LWP_OK;
}

static enum lwp_status ask_locked(struct lwp_client *client, const struct client_question *question)
{
    const struct lwp_life *life = &client->connection.life;
    const uint64_t timeout_ns = client->options.request_timeout_ms * LWP_MILLISECOND_NS;
    const uint64_t deadline_ns = lwp_deadline_after(lwp_runner_now(&client->runner), timeout_ns);
    const enum lwp_status status = take_turn(client, deadline_ns);
    if (status != LWP_OK)
        return status;
    client->question = question;
    client->turn = CLIENT_WAITING;
    client->request.deadline_ns = deadline_ns;
    /* What failed before this was not ours. */
    client->fails_from = life->attempt + (life->state == LWP_LIFE_WAITING);
    lwp_runner_wake(&client->runner);
    if (!client->runner.has_thread)
        lwp_runner_round(&client->runner);
    while (client->turn != CLIENT_DONE)
        (void)lwp_runner_wait(&client->runner, LWP_NEVER);
    client->turn = CLIENT_IDLE;
    client->question = NULL;
    if (client->outcome.status != LWP_OK)
        client->why = client->outcome;
    return client->outcome.status;
}

enum lwp_status client_ask(struct lwp_client *client, const struct client_question *question)
{
    lwp_runner_lock(&client->runner);
    client->users++;
    const enum lwp_status status = ask_locked(client, question);
    client->users--;
    lwp_runner_changed(&client->runner);
    lwp_runner_unlock(&client->runner);
    return status;
}

void lwp_client_why(struct lwp_client *client, struct lwp_details *why)
{
    lwp_runner_lock(&client->runner);
    *why = client->why;
    lwp_runner_unlock(&client->runner);
}

static enum lwp_status prepare(struct lwp_client *client, const struct lwp_connect_options *options)
{
    static const struct lwp_runner_ops ops = {process, connection_of, deadline_of, NULL};
    client->options = *options;
    const enum lwp_status status = lwp_connect_prepare(options, &client->connection);
    if (status != LWP_OK)
        return status;
    return lwp_runner_init(&client->runner, &ops, client, options);
}

enum lwp_status lwp_client_connect(const struct lwp_connect_options *options,
                                   struct lwp_client **client, struct lwp_details *why)
{
    struct lwp_details unused;
    struct lwp_client *result = calloc(1, sizeof(*result));
    enum lwp_status status = result ? prepare(result, options) : LWP_NO_MEMORY;
    why = why ? why : &unused;
    *why = lwp_details_of(status);
    if (status != LWP_OK) {
        free(result);
        return status;
    }
    status = lwp_runner_start(&result->runner);
    if (status == LWP_OK)
        status = lwp_runner_connect(&result->runner);
    if (status == LWP_OK) {
        *client = result;
        return status;
    }
    *why = result->connection.life.why;
    why->status = status;
    lwp_client_close(result);
    return status;
}

void lwp_client_close(struct lwp_client *client)
{
    if (!client)
        return;
    lwp_runner_lock(&client->runner);
    client->closing = true;
    if (client->turn == CLIENT_WAITING || client->turn == CLIENT_ASKED)
        finish_with(client, LWP_CLOSED_BY_CALLER);
    lwp_runner_changed(&client->runner);
    lwp_runner_unlock(&client->runner);
    lwp_runner_stop(&client->runner);
    lwp_runner_lock(&client->runner);
    while (client->users && client->runner.shared)
        (void)pthread_cond_wait(&client->runner.changed, &client->runner.lock);
    lwp_connection_end(&client->connection, LWP_CLOSED_BY_CALLER);
    lwp_runner_unlock(&client->runner);
    lwp_runner_done(&client->runner);
    free(client);
}

int lwp_client_fd(struct lwp_client *client)
{
    return lwp_runner_fd(&client->runner);
}

short lwp_client_events(struct lwp_client *client)
{
    return lwp_runner_events(&client->runner);
}

uint64_t lwp_client_deadline(struct lwp_client *client)
{
    return lwp_runner_deadline(&client->runner);
}

void lwp_client_process(struct lwp_client *client)
{
    lwp_runner_lock(&client->runner);
    lwp_runner_round(&client->runner);
    lwp_runner_unlock(&client->runner);
}
