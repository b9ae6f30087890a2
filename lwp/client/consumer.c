/* SPDX-License-Identifier: MIT */
#include "lwp/client/consumer.h"

#include <stdlib.h>

#include "lwp/client/consumer_state.h"
#include "lwp/net/clock.h"

enum { CLOSE_MS = 1000 };

struct lwp_consumer_options lwp_consumer_defaults(const char *address, const char *name,
                                                  uint32_t topic_id)
{
    const struct lwp_inbox_options inbox = lwp_inbox_defaults(&lwp_dialect_lance, topic_id);
    return (struct lwp_consumer_options){
        .connect = lwp_connect_defaults(address),
        .name = name,
        .topic_id = topic_id,
        .max_fetch_bytes = inbox.max_fetch_bytes,
        .read_ahead = inbox.read_ahead,
        .auto_commit_ms = 5000,
        .commit_to_server = true,
        .catch_up_ms = (unsigned)(inbox.catch_up_ns / LWP_MILLISECOND_NS),
        .catch_up_limit = inbox.catch_up_limit,
    };
}

static void drop(struct lwp_consumer *consumer, enum lwp_status status, uint64_t now_ns)
{
    consumer->why = lwp_details_of(status);
    lwp_connection_drop(&consumer->connection, &consumer->why, now_ns);
}

/* The next frame that came; false if there is none. Its data stays where it is only for a poll, which is
 * done with it before more is read. */
static bool hear(struct lwp_consumer *consumer, uint64_t now_ns)
{
    struct lwp_details leader;
    struct lwp_frame frame;
    if (lwp_connection_receive(&consumer->connection, &frame, now_ns) != LWP_OK)
        return false;
    const enum lwp_status status = consumer->polls
                                       ? lwp_inbox_lend(consumer->inbox, &frame, now_ns)
                                       : lwp_inbox_frame(consumer->inbox, &frame, now_ns);
    if (status != LWP_OK)
        drop(consumer, status, now_ns);
    else if (lwp_inbox_take_redirect(consumer->inbox, &leader))
        (void)lwp_connection_redirect(&consumer->connection, &leader, now_ns);
    else
        lwp_life_succeed(&consumer->connection.life);
    if (lwp_inbox_take_end(consumer->inbox, &consumer->end_details, &consumer->end_offset))
        consumer->end_is_known = true;
    return true;
}

static void note_events(struct lwp_consumer *consumer)
{
    struct lwp_connection *connection = &consumer->connection;
    uint64_t offset = 0;
    enum lwp_connection_event event = lwp_connection_event(connection);
    for (; event != LWP_CONNECTION_SAME; event = lwp_connection_event(connection)) {
        if (event == LWP_CONNECTION_UP) {
            lwp_inbox_connected(consumer->inbox);
            continue;
        }
        consumer->why = connection->life.why;
        lwp_inbox_disconnected(consumer->inbox, connection->life.why.status);
        if (!consumer->options.connect.reconnect)
            lwp_life_end(&connection->life, connection->life.why.status);
    }
    if (lwp_inbox_take_commit(consumer->inbox, &consumer->commit_details, &offset))
        consumer->commit_is_known = true;
}

static void send_all(struct lwp_consumer *consumer, uint64_t now_ns)
{
    struct lwp_message message;
    while (lwp_connection_may_send(&consumer->connection) &&
           lwp_inbox_next(consumer->inbox, now_ns, &message) == LWP_OK) {
        const enum lwp_status status = lwp_connection_ask(&consumer->connection, &message, now_ns);
        if (status != LWP_OK) {
            drop(consumer, status, now_ns);
            break;
        }
        lwp_inbox_sent(consumer->inbox, now_ns);
    }
    lwp_connection_write(&consumer->connection);
}

static void process(void *owner, uint64_t now_ns)
{
    struct lwp_consumer *consumer = owner;
    consumer->now_ns = now_ns;
    lwp_inbox_copy_lent(consumer->inbox);
    lwp_connection_process(&consumer->connection, now_ns);
    note_events(consumer);
    while (!consumer->polls && hear(consumer, now_ns))
        continue;
    /* Or what is overdue would be another failure of a connection that is lost already. */
    note_events(consumer);
    /* An answer that came and was not heard yet is not overdue. */
    if (!lwp_connection_has_frame(&consumer->connection) &&
        lwp_inbox_tick(consumer->inbox, now_ns) != LWP_OK)
        drop(consumer, LWP_TIMEOUT, now_ns);
    note_events(consumer);
    send_all(consumer, now_ns);
    note_events(consumer);
    lwp_runner_changed(&consumer->runner);
}

static const struct lwp_connection *connection_of(const void *owner)
{
    return &((const struct lwp_consumer *)owner)->connection;
}

/* What may be asked only once the connection takes it is no reason to look again before that. */
static uint64_t deadline_of(const void *owner)
{
    const struct lwp_consumer *consumer = owner;
    const uint64_t deadline_ns = lwp_inbox_deadline(consumer->inbox);
    if (lwp_connection_has_frame(&consumer->connection))
        return 0;
    const bool is_blocked = !lwp_connection_may_send(&consumer->connection);
    return is_blocked && deadline_ns <= consumer->now_ns ? LWP_NEVER : deadline_ns;
}

/* No answer needs more than a fetch, or an error's text, does; so no more memory is ever lent to a
 * frame's claim. */
static uint32_t largest_payload(const struct lwp_consumer_options *options)
{
    enum { FETCH_HEAD_SIZE = 16, ERROR_ROOM = 65536 };
    const uint64_t fetch = (uint64_t)options->max_fetch_bytes + FETCH_HEAD_SIZE;
    const uint64_t needed = fetch > ERROR_ROOM ? fetch : ERROR_ROOM;
    return needed < options->connect.max_payload ? (uint32_t)needed : options->connect.max_payload;
}

static enum lwp_status prepare(struct lwp_consumer *consumer,
                               const struct lwp_consumer_options *options)
{
    static const struct lwp_runner_ops ops = {process, connection_of, deadline_of, NULL};
    struct lwp_inbox_options inbox =
        lwp_inbox_defaults(options->connect.dialect, options->topic_id);
    inbox.consumer_id = lwp_offset_consumer_hash(lwp_bytes_text(options->name));
    inbox.max_fetch_bytes = options->max_fetch_bytes;
    inbox.read_ahead = options->read_ahead;
    inbox.raw = options->raw;
    inbox.request_timeout_ns = options->connect.request_timeout_ms * LWP_MILLISECOND_NS;
    inbox.catch_up_ns = options->catch_up_ms * LWP_MILLISECOND_NS;
    inbox.catch_up_limit = options->catch_up_limit;
    inbox.backoff = options->connect.backoff;
    consumer->options = *options;
    consumer->options.connect.max_payload = largest_payload(options);
    enum lwp_status status = lwp_connect_prepare(&consumer->options.connect, &consumer->connection);
    if (status == LWP_OK)
        status =
            lwp_inbox_new(&inbox, lwp_connect_seed(&options->connect, consumer), &consumer->inbox);
    if (status == LWP_OK)
        status = consumer_begin(consumer);
    if (status == LWP_OK)
        status = lwp_runner_init(&consumer->runner, &ops, consumer, &options->connect);
    return status;
}

static void free_parts(struct lwp_consumer *consumer)
{
    lwp_inbox_free(consumer->inbox);
    lwp_offset_store_free(consumer->own_store);
    free(consumer->copy);
    free(consumer);
}

/* Ends the thread and the connection, and frees all. */
static void end(struct lwp_consumer *consumer)
{
    lwp_runner_stop(&consumer->runner);
    lwp_connection_end(&consumer->connection, LWP_CLOSED_BY_CALLER);
    lwp_runner_done(&consumer->runner);
    free_parts(consumer);
}

enum lwp_status lwp_consumer_open(const struct lwp_consumer_options *options,
                                  struct lwp_consumer **consumer, struct lwp_details *why)
{
    struct lwp_details unused;
    struct lwp_consumer *result = calloc(1, sizeof(*result));
    enum lwp_status status = result ? prepare(result, options) : LWP_NO_MEMORY;
    why = why ? why : &unused;
    *why = lwp_details_of(status);
    if (status != LWP_OK) {
        if (result)
            free_parts(result);
        return status;
    }
    status = lwp_runner_start(&result->runner);
    if (status == LWP_OK)
        status = lwp_runner_connect(&result->runner);
    if (status == LWP_OK) {
        *consumer = result;
        return status;
    }
    *why = result->connection.life.why;
    why->status = status;
    end(result);
    return status;
}

enum lwp_status lwp_consumer_close(struct lwp_consumer *consumer)
{
    enum lwp_status status = LWP_OK;
    if (!consumer)
        return LWP_OK;
    lwp_runner_lock(&consumer->runner);
    const uint64_t offset = lwp_inbox_offset(consumer->inbox);
    const uint64_t deadline_ns =
        lwp_deadline_after(lwp_runner_now(&consumer->runner), CLOSE_MS * LWP_MILLISECOND_NS);
    if (consumer->options.auto_commit_ms && offset != consumer->committed &&
        offset != LWP_OFFSET_END)
        status = consumer_commit(consumer, deadline_ns);
    lwp_runner_unlock(&consumer->runner);
    end(consumer);
    return status;
}

/* Where a thread goes on filling the inbox, its bytes can not be lent. */
static enum lwp_status copy_batch(struct lwp_consumer *consumer, struct lwp_batch *batch)
{
    if (!consumer->runner.shared)
        return LWP_OK;
    memcpy(consumer->copy, batch->data.data, batch->data.size);
    batch->data.data = consumer->copy;
    return LWP_OK;
}

static enum lwp_status make_copy_room(struct lwp_consumer *consumer)
{
    const size_t wanted = lwp_inbox_size(consumer->inbox);
    if (!consumer->runner.shared || wanted <= consumer->copy_size)
        return LWP_OK;
    free(consumer->copy);
    consumer->copy = malloc(wanted);
    consumer->copy_size = consumer->copy ? wanted : 0;
    return consumer->copy ? LWP_OK : LWP_NO_MEMORY;
}

/* What there is now; LWP_WOULD_BLOCK and LWP_END mean to wait for more. */
static enum lwp_status take(struct lwp_consumer *consumer, struct lwp_batch *batch)
{
    struct lwp_details details;
    const struct lwp_life *life = &consumer->connection.life;
    enum lwp_status status = make_copy_room(consumer);
    if (status != LWP_OK)
        return status;
    status = lwp_inbox_take(consumer->inbox, batch, &details);
    if (status == LWP_OK) {
        /* There is room to fetch more now. */
        lwp_runner_wake(&consumer->runner);
        return copy_batch(consumer, batch);
    }
    if (status != LWP_WOULD_BLOCK && status != LWP_END) {
        consumer->why = details;
        return status;
    }
    return life->state == LWP_LIFE_ENDED ? life->why.status : status;
}

static bool is_nothing(enum lwp_status status)
{
    return status == LWP_WOULD_BLOCK || status == LWP_END;
}

/* What there is, and where the caller drives what lies in the connection: frame by frame, so that each
 * is handed on without a copy. Before that, what there is room for now is asked for. */
static enum lwp_status take_or_hear(struct lwp_consumer *consumer, struct lwp_batch *batch)
{
    enum lwp_status status = take(consumer, batch);
    if (consumer->runner.shared || !is_nothing(status))
        return status;
    const uint64_t now_ns = lwp_runner_now(&consumer->runner);
    lwp_inbox_copy_lent(consumer->inbox);
    if (lwp_inbox_is_low(consumer->inbox) || !lwp_connection_has_frame(&consumer->connection))
        send_all(consumer, now_ns);
    note_events(consumer);
    while (is_nothing(status) && hear(consumer, now_ns)) {
        note_events(consumer);
        status = take(consumer, batch);
        if (is_nothing(status))
            lwp_inbox_copy_lent(consumer->inbox);
    }
    return status;
}

static enum lwp_status poll_locked(struct lwp_consumer *consumer, uint64_t deadline_ns,
                                   struct lwp_batch *batch)
{
    enum lwp_status status = consumer_auto_commit(consumer);
    if (status != LWP_OK)
        return status;
    consumer->polls = !consumer->runner.shared;
    status = take_or_hear(consumer, batch);
    for (bool in_time = true; in_time && is_nothing(status);) {
        in_time = lwp_runner_wait(&consumer->runner, deadline_ns);
        /* Only a caller who drives keeps things going by polling. */
        if (!in_time && consumer->polls)
            lwp_runner_round(&consumer->runner);
        status = take_or_hear(consumer, batch);
    }
    consumer->polls = false;
    return status;
}

enum lwp_status lwp_consumer_poll(struct lwp_consumer *consumer, unsigned timeout_ms,
                                  struct lwp_batch *batch)
{
    lwp_runner_lock(&consumer->runner);
    const uint64_t deadline_ns =
        lwp_deadline_after(lwp_runner_now(&consumer->runner), timeout_ms * LWP_MILLISECOND_NS);
    const enum lwp_status status = poll_locked(consumer, deadline_ns, batch);
    lwp_runner_unlock(&consumer->runner);
    return status;
}

struct lwp_inbox_statistics lwp_consumer_statistics(struct lwp_consumer *consumer)
{
    lwp_runner_lock(&consumer->runner);
    const struct lwp_inbox_statistics statistics = lwp_inbox_statistics(consumer->inbox);
    lwp_runner_unlock(&consumer->runner);
    return statistics;
}

void lwp_consumer_why(struct lwp_consumer *consumer, struct lwp_details *why)
{
    lwp_runner_lock(&consumer->runner);
    *why = consumer->why;
    lwp_runner_unlock(&consumer->runner);
}

int lwp_consumer_fd(struct lwp_consumer *consumer)
{
    return lwp_runner_fd(&consumer->runner);
}

short lwp_consumer_events(struct lwp_consumer *consumer)
{
    return lwp_runner_events(&consumer->runner);
}

uint64_t lwp_consumer_deadline(struct lwp_consumer *consumer)
{
    return lwp_runner_deadline(&consumer->runner);
}

void lwp_consumer_process(struct lwp_consumer *consumer)
{
    lwp_runner_lock(&consumer->runner);
    lwp_runner_round(&consumer->runner);
    lwp_runner_unlock(&consumer->runner);
}
