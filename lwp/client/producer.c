/* SPDX-License-Identifier: MIT */
#include "lwp/client/producer.h"

#include <stdlib.h>

#include "lwp/bug/bug.h"
#include "lwp/client/producer_state.h"
#include "lwp/net/clock.h"

struct lwp_producer_options lwp_producer_defaults(const char *address)
{
    const struct lwp_outbox_options outbox = lwp_outbox_defaults(&lwp_dialect_lance);
    return (struct lwp_producer_options){
        .connect = lwp_connect_defaults(address),
        .batch_size = outbox.batch_size,
        .linger_ms = (unsigned)(outbox.linger_ns / LWP_MILLISECOND_NS),
        .max_pending_acks = outbox.max_pending_acks,
        .max_retries = outbox.max_retries,
        .buffer_limit = outbox.buffer_limit,
    };
}

static void drop(struct lwp_producer *producer, enum lwp_status status, uint64_t now_ns)
{
    const struct lwp_details why = lwp_details_of(status);
    lwp_connection_drop(&producer->connection, &why, now_ns);
}

static enum lwp_status hear_error(struct lwp_producer *producer, const struct lwp_frame *frame,
                                  uint64_t now_ns)
{
    const struct lwp_dialect *dialect = producer->options.connect.dialect;
    if (lwp_frame_command(frame, dialect) != LWP_COMMAND_ERROR_RESPONSE)
        return LWP_UNEXPECTED_FRAME;
    producer->why = lwp_details_read(frame->payload);
    return lwp_outbox_error(producer->outbox, &producer->why, now_ns);
}

static enum lwp_status hear(struct lwp_producer *producer, const struct lwp_frame *frame,
                            uint64_t now_ns)
{
    enum lwp_status status = LWP_UNEXPECTED_FRAME;
    switch (lwp_frame_kind(frame, producer->options.connect.dialect)) {
    case LWP_KIND_ACK:
        status = lwp_outbox_ack(producer->outbox, frame->header.batch_id, now_ns);
        if (status == LWP_OK)
            lwp_life_succeed(&producer->connection.life);
        break;
    case LWP_KIND_CONTROL:
        status = hear_error(producer, frame, now_ns);
        break;
    case LWP_KIND_BACKPRESSURE:
        lwp_outbox_backpressure(producer->outbox, now_ns);
        return LWP_OK;
    case LWP_KIND_KEEPALIVE:
        return LWP_OK;
    case LWP_KIND_INGEST:
    case LWP_KIND_UNKNOWN:
        break;
    }
    return status;
}

static void hear_all(struct lwp_producer *producer, uint64_t now_ns)
{
    struct lwp_frame frame;
    while (lwp_connection_receive(&producer->connection, &frame, now_ns) == LWP_OK) {
        const enum lwp_status status = hear(producer, &frame, now_ns);
        if (status != LWP_OK)
            drop(producer, status, now_ns);
    }
}

static void note_events(struct lwp_producer *producer)
{
    struct lwp_connection *connection = &producer->connection;
    const struct lwp_details *why = &connection->life.why;
    enum lwp_connection_event event = lwp_connection_event(connection);
    for (; event != LWP_CONNECTION_SAME; event = lwp_connection_event(connection)) {
        if (event == LWP_CONNECTION_UP) {
            lwp_outbox_connected(producer->outbox);
            continue;
        }
        producer->why = *why;
        lwp_outbox_disconnected(producer->outbox, why->status);
        if (!producer->options.connect.reconnect)
            lwp_life_end(&connection->life, why->status);
    }
    if (connection->life.state == LWP_LIFE_ENDED) {
        producer->why = *why;
        lwp_outbox_end(producer->outbox, why->status);
    }
}

/* Lends the frames that may go out; true if there were any. */
static bool send_ready(struct lwp_producer *producer, uint64_t now_ns)
{
    struct lwp_frame frame;
    bool sent = false;
    const uint64_t wall_ns = lwp_clock_wall();
    while (lwp_connection_may_send(&producer->connection) &&
           lwp_outbox_next(producer->outbox, now_ns, wall_ns, &frame) == LWP_OK) {
        const enum lwp_status status = lwp_connection_lend(&producer->connection, &frame, now_ns);
        if (status != LWP_OK) {
            drop(producer, status, now_ns);
            break;
        }
        lwp_outbox_sent(producer->outbox, now_ns);
        sent = true;
    }
    return sent;
}

/* Several frames with one write, and again as long as the socket takes it all. */
static void send_all(struct lwp_producer *producer, uint64_t now_ns)
{
    bool goes_on = true;
    lwp_connection_write(&producer->connection);
    while (goes_on && !lwp_connection_is_blocked(&producer->connection)) {
        goes_on = send_ready(producer, now_ns);
        lwp_connection_write(&producer->connection);
    }
}

void producer_send_ready(struct lwp_producer *producer)
{
    send_all(producer, lwp_runner_now(&producer->runner));
    note_events(producer);
}

static void process(void *owner, uint64_t now_ns)
{
    struct lwp_producer *producer = owner;
    struct lwp_details leader;
    producer->now_ns = now_ns;
    lwp_connection_process(&producer->connection, now_ns);
    note_events(producer);
    hear_all(producer, now_ns);
    if (lwp_outbox_take_redirect(producer->outbox, &leader))
        (void)lwp_connection_redirect(&producer->connection, &leader, now_ns);
    /* Or what is overdue would be another failure of a connection that is lost already. */
    note_events(producer);
    if (lwp_outbox_tick(producer->outbox, now_ns) != LWP_OK)
        drop(producer, LWP_TIMEOUT, now_ns);
    note_events(producer);
    send_all(producer, now_ns);
    note_events(producer);
    producer->sleeps_until_ns = lwp_outbox_deadline(producer->outbox);
    lwp_runner_changed(&producer->runner);
}

static const struct lwp_connection *connection_of(const void *owner)
{
    return &((const struct lwp_producer *)owner)->connection;
}

/* What may be sent only once the connection takes it is no reason to look again before that. */
static uint64_t deadline_of(const void *owner)
{
    const struct lwp_producer *producer = owner;
    const uint64_t deadline_ns = lwp_outbox_deadline(producer->outbox);
    if (LWP_BUG(spins_without_connection) && producer->connection.life.state == LWP_LIFE_WAITING)
        return 0;
    const bool is_blocked = producer->connection.life.state == LWP_LIFE_READY &&
                            lwp_connection_is_blocked(&producer->connection);
    return is_blocked && deadline_ns <= producer->now_ns ? LWP_NEVER : deadline_ns;
}

static void tell_waiter(struct lwp_producer *producer, const struct lwp_delivery *delivery)
{
    struct producer_waiter *waiter = producer->waiters;
    while (waiter && waiter->sequence != delivery->sequence)
        waiter = waiter->next;
    if (!waiter)
        return;
    waiter->done = true;
    waiter->status = delivery->status;
    lwp_runner_changed(&producer->runner);
}

/* Takes some reports with the lock, and calls back without it. */
static void deliver(void *owner)
{
    enum { AT_ONCE = 64 };
    struct lwp_producer *producer = owner;
    struct lwp_delivery deliveries[AT_ONCE];
    size_t count = AT_ONCE;
    while (count == AT_ONCE) {
        count = 0;
        lwp_runner_lock(&producer->runner);
        while (count < AT_ONCE && lwp_outbox_report(producer->outbox, &deliveries[count]))
            tell_waiter(producer, &deliveries[count++]);
        lwp_runner_unlock(&producer->runner);
        for (size_t i = 0; i < count && producer->options.delivered; i++)
            producer->options.delivered(producer->options.user, &deliveries[i]);
    }
}

static enum lwp_status prepare(struct lwp_producer *producer,
                               const struct lwp_producer_options *options)
{
    static const struct lwp_runner_ops ops = {process, connection_of, deadline_of, deliver};
    const struct lwp_outbox_options outbox = {
        .dialect = options->connect.dialect,
        .batch_size = options->batch_size,
        .linger_ns = options->linger_ms * LWP_MILLISECOND_NS,
        .max_pending_acks = options->max_pending_acks,
        .compression = options->compression,
        .request_timeout_ns = options->connect.request_timeout_ms * LWP_MILLISECOND_NS,
        .max_retries = options->max_retries,
        .allow_reorder = options->allow_reorder,
        .buffer_limit = options->buffer_limit,
        .max_payload = options->connect.max_payload,
        .reports = options->reports,
        .backoff = options->connect.backoff,
    };
    producer->options = *options;
    enum lwp_status status = lwp_connect_prepare(&options->connect, &producer->connection);
    if (status == LWP_OK)
        status = lwp_outbox_new(&outbox, lwp_connect_seed(&options->connect, producer),
                                &producer->outbox);
    if (status == LWP_OK)
        status = lwp_runner_init(&producer->runner, &ops, producer, &options->connect);
    return status;
}

enum lwp_status lwp_producer_open(const struct lwp_producer_options *options,
                                  struct lwp_producer **producer, struct lwp_details *why)
{
    struct lwp_details unused;
    struct lwp_producer *result = calloc(1, sizeof(*result));
    enum lwp_status status = result ? prepare(result, options) : LWP_NO_MEMORY;
    why = why ? why : &unused;
    *why = lwp_details_of(status);
    if (status != LWP_OK) {
        if (result)
            lwp_outbox_free(result->outbox);
        free(result);
        return status;
    }
    status = lwp_runner_start(&result->runner);
    if (status == LWP_OK)
        status = lwp_runner_connect(&result->runner);
    if (status == LWP_OK) {
        *producer = result;
        return status;
    }
    *why = result->connection.life.why;
    why->status = status;
    (void)lwp_producer_close(result, 0);
    return status;
}

enum lwp_status lwp_producer_close(struct lwp_producer *producer, unsigned timeout_ms)
{
    if (!producer)
        return LWP_OK;
    if (timeout_ms)
        (void)lwp_producer_flush(producer, timeout_ms);
    lwp_runner_stop(&producer->runner);
    const bool pending = lwp_outbox_statistics(producer->outbox).records_pending;
    lwp_outbox_end(producer->outbox, LWP_CLOSED_BY_CALLER);
    if (!LWP_BUG(closes_in_silence))
        deliver(producer);
    lwp_connection_end(&producer->connection, LWP_CLOSED_BY_CALLER);
    lwp_runner_done(&producer->runner);
    if (!LWP_BUG(leaks_its_buffers))
        lwp_outbox_free(producer->outbox);
    free(producer);
    return pending ? LWP_TIMEOUT : LWP_OK;
}

struct lwp_outbox_statistics lwp_producer_statistics(struct lwp_producer *producer)
{
    lwp_runner_lock(&producer->runner);
    const struct lwp_outbox_statistics statistics = lwp_outbox_statistics(producer->outbox);
    lwp_runner_unlock(&producer->runner);
    return statistics;
}

void lwp_producer_why(struct lwp_producer *producer, struct lwp_details *why)
{
    lwp_runner_lock(&producer->runner);
    *why = producer->why;
    lwp_runner_unlock(&producer->runner);
}

bool lwp_producer_warns(const struct lwp_producer *producer)
{
    return lwp_outbox_compresses_for_good(producer->outbox);
}

int lwp_producer_fd(struct lwp_producer *producer)
{
    return lwp_runner_fd(&producer->runner);
}

short lwp_producer_events(struct lwp_producer *producer)
{
    return lwp_runner_events(&producer->runner);
}

uint64_t lwp_producer_deadline(struct lwp_producer *producer)
{
    return lwp_runner_deadline(&producer->runner);
}

void lwp_producer_process(struct lwp_producer *producer)
{
    lwp_runner_lock(&producer->runner);
    lwp_runner_round(&producer->runner);
    lwp_runner_unlock(&producer->runner);
}
