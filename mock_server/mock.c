/* SPDX-License-Identifier: MIT */
#include "mock_server/mock.h"

#include <errno.h>
#include <stdlib.h>

#include "lwp/bug/bug.h"
#include "lwp/net/clock.h"
#include "mock_server/mock_state.h"
#include "mock_server/perform.h"

/* The deployed server writes through a buffer that it flushes 5 ms after the last write, and then
 * waits for the disk. What nobody is owed an ack for becomes visible after this. */
#define UNOWED_FLUSH_NS (20 * LWP_MILLISECOND_NS)

enum { MAX_REFUSED = 64 /* Refused connections that may linger; past them it is a reset. */ };

void mock_lock(struct lwp_mock *mock)
{
    (void)pthread_mutex_lock(&mock->mutex);
}

void mock_unlock(struct lwp_mock *mock)
{
    (void)pthread_mutex_unlock(&mock->mutex);
}

/* The deadline of lwp_mock_wait() is on the clock that only goes forward. */
static void init_locks(struct lwp_mock *mock)
{
    pthread_condattr_t attributes;
    (void)pthread_mutex_init(&mock->mutex, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&mock->happened, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

/* The parts, in the order in which they need each other. */
static enum lwp_status make_parts(struct lwp_mock *mock)
{
    enum lwp_status status = mock_make_nodes(mock);
    if (status == LWP_OK)
        status = mock_make_broker(mock);
    if (status == LWP_OK)
        status = stage_new(mock->options.seed, &mock->stage);
    if (status == LWP_OK)
        status = mock_make_tls(mock);
    if (status == LWP_OK)
        status = mock_make_events(mock);
    if (status == LWP_OK)
        status = mock_make_host(mock);
    return status;
}

enum lwp_status lwp_mock_new(const struct lwp_mock_options *options, struct lwp_mock **mock)
{
    struct lwp_mock *made = calloc(1, sizeof(*made));
    if (!made)
        return LWP_NO_MEMORY;
    init_locks(made);
    mock_take_options(made, options);
    made->flush_due_ns = LWP_NEVER;
    const enum lwp_status status = make_parts(made);
    if (status != LWP_OK) {
        if (options->problem && !options->problem[0])
            mock_complain(made, NULL, lwp_status_text(status));
        const int error = errno;
        lwp_mock_free(made);
        errno = error;
        return status;
    }
    made->options.problem = NULL;
    *mock = made;
    return LWP_OK;
}

/* Its descriptor is closed, or will be: before another connection can have the number. */
static void unwatch(struct lwp_mock *mock, struct member *member)
{
    service_unwatch(mock, &member->watch, lwp_transport_fd(member->connection.link.transport));
}

static void forget(struct lwp_mock *mock, struct member *member)
{
    mock->queued -= member->counted;
    deadlines_remove(&mock->deadlines, &member->deadline);
    *(member->previous ? &member->previous->next : &mock->first) = member->next;
    *(member->next ? &member->next->previous : &mock->last) = member->previous;
    unwatch(mock, member);
    connection_done(&member->connection, mock->now_ns);
    (*(member->refused ? &mock->refused_count : &mock->connection_count))--;
    free(member);
}

/* The one that was touched first, which is touched no more; NULL: there is none. */
static struct member *take_touched(struct lwp_mock *mock)
{
    struct member *member = mock->touched;
    if (!member)
        return NULL;
    mock->touched = member->next_touched;
    member->touched = false;
    return member;
}

void mock_end_all(struct lwp_mock *mock)
{
    while (take_touched(mock))
        continue;
    mock->host.ending = true;
    while (mock->first)
        forget(mock, mock->first);
    mock->host.ending = false;
}

void lwp_mock_free(struct lwp_mock *mock)
{
    if (!mock)
        return;
    (void)lwp_mock_stop(mock);
    service_end(mock);
    mock_end_all(mock);
    mock_remove_nodes(mock, 0);
    deadlines_done(&mock->deadlines);
    lwp_tls_context_free(mock->tls);
    stage_free(mock->stage);
    lwp_events_free(mock->events);
    free(mock->cluster);
    free(mock->problems);
    lwp_broker_free(mock->broker);
    lwp_access_done(&mock->access);
    free(mock->tokens);
    (void)pthread_cond_destroy(&mock->happened);
    (void)pthread_mutex_destroy(&mock->mutex);
    free(mock);
}

void mock_set_time(struct lwp_mock *mock, uint64_t outer_ns)
{
    mock->outer_ns = outer_ns;
    mock->now_ns = mock_clock_at(&mock->clock, outer_ns);
}

/* The time of a caller who has none: the machine's while the mock serves, else what it last was. */
static void refresh_time(struct lwp_mock *mock)
{
    mock_set_time(mock, mock->service ? lwp_clock_now() : mock->outer_ns);
}

void mock_advance(struct lwp_mock *mock, uint64_t duration_ns)
{
    mock_clock_advance(&mock->clock, duration_ns);
    refresh_time(mock);
    service_wake(mock);
}

void mock_freeze(struct lwp_mock *mock, bool frozen)
{
    refresh_time(mock);
    (frozen ? mock_clock_freeze : mock_clock_thaw)(&mock->clock, mock->outer_ns);
    service_wake(mock);
}

static void append(struct lwp_mock *mock, struct member *member)
{
    member->previous = mock->last;
    *(mock->last ? &mock->last->next : &mock->first) = member;
    mock->last = member;
}

/* Whether a new connection has no place. */
static bool is_full(const struct lwp_mock *mock)
{
    const size_t beyond = LWP_BUG(takes_one_connection_more) ? 1 : 0;
    return mock->options.max_connections &&
           mock->connection_count >= mock->options.max_connections + beyond;
}

static void refuse(struct lwp_mock *mock, struct member *member)
{
    enum lwp_mock_refusal refusal = mock->options.refusal;
    if (refusal == LWP_MOCK_REFUSE_BY_DIALECT)
        refusal = mock->options.dialect == &lwp_dialect_spec ? LWP_MOCK_REFUSE_ERROR
                                                             : LWP_MOCK_REFUSE_RESET;
    mock->counts.refused++;
    mock_note(mock, member, "a connection past the limit is refused");
    refusal_begin(member, mock->refused_count < MAX_REFUSED ? refusal : LWP_MOCK_REFUSE_RESET,
                  mock->now_ns);
    mock->refused_count++;
}

static void welcome(struct lwp_mock *mock, struct member *member)
{
    mock->connection_count++;
    struct connection *connection = &member->connection;
    char local[LWP_ADDRESS_SIZE] = "";
    char peer[LWP_ADDRESS_SIZE] = "";
    const int fd = lwp_transport_fd(connection->link.transport);
    connection->peer.number = ++mock->counts.accepted;
    connection->peer.node = lwp_bytes_text(member->node->name);
    mock_tag_new(mock, member);
    if (fd >= 0 && lwp_events_wanted(mock->events)) {
        (void)lwp_tcp_name(fd, false, local);
        (void)lwp_tcp_name(fd, true, peer);
    }
    connection_welcome(connection, lwp_bytes_text(local), lwp_bytes_text(peer), mock->now_ns);
    mock_touch_waiting(mock);
}

/* What comes next for a connection that was stepped: nothing any more, or what it waits for. */
static void place(struct lwp_mock *mock, struct member *member)
{
    if (!member->connection.done && service_watch_member(mock, member) != LWP_OK)
        mock_reset_member(mock, member);
    if (member->connection.done)
        unwatch(mock, member);
    if (member->connection.done && !member->touched)
        forget(mock, member);
    else
        deadlines_set(&mock->deadlines, &member->deadline,
                      member->refused ? member->refused_by_ns
                                      : connection_deadline(&member->connection));
}

/* Puts TLS around a new connection, if there is to be any. On failure the transport is freed. */
static enum lwp_status wrap(const struct lwp_mock *mock, struct lwp_transport **transport)
{
    return mock->tls ? lwp_tls_wrap(mock->tls, *transport, NULL, transport) : LWP_OK;
}

enum lwp_status mock_admit(struct lwp_mock *mock, struct node *node,
                           struct lwp_transport *transport)
{
    const enum lwp_status status = wrap(mock, &transport);
    if (status != LWP_OK)
        return status;
    struct member *member = malloc(sizeof(*member));
    if (!member || deadlines_add(&mock->deadlines, &member->deadline) != LWP_OK) {
        free(member);
        lwp_transport_free(transport);
        return LWP_NO_MEMORY;
    }
    const struct deadline deadline = member->deadline;
    *member = (struct member){.deadline = deadline, .node = node};
    const struct connection_setup setup = {
        .options = {.role = LWP_SERVER,
                    .dialect = mock->options.dialect,
                    .max_payload = mock->options.max_payload},
        .host = &mock->host,
        .is_tls = mock->tls != NULL,
    };
    connection_init(&member->connection, &setup, transport, mock->now_ns);
    member->connection.node = node->index;
    append(mock, member);
    if (is_full(mock))
        refuse(mock, member);
    else
        welcome(mock, member);
    place(mock, member);
    return LWP_OK;
}

/* What was stored without an ack to follow still becomes visible (B14). */
static void flush_unowed(struct lwp_mock *mock)
{
    if (mock->now_ns >= mock->flush_due_ns)
        lwp_broker_flush(mock->broker);
    if (!lwp_broker_is_dirty(mock->broker))
        mock->flush_due_ns = LWP_NEVER;
    else if (mock->flush_due_ns == LWP_NEVER)
        mock->flush_due_ns = lwp_clock_later(mock->now_ns, UNOWED_FLUSH_NS);
}

void mock_touch(struct lwp_mock *mock, struct member *member)
{
    if (member->touched)
        return;
    member->touched = true;
    member->next_touched = NULL;
    *(mock->touched ? &mock->touched_last->next_touched : &mock->touched) = member;
    mock->touched_last = member;
}

void mock_reset_member(struct lwp_mock *mock, struct member *member)
{
    unwatch(mock, member);
    connection_reset(&member->connection, mock->now_ns);
    mock_touch(mock, member);
}

void mock_lose_member(struct lwp_mock *mock, struct member *member)
{
    connection_lose(&member->connection, LWP_RESET);
    mock_reset_member(mock, member);
}

enum lwp_status mock_restart(struct lwp_mock *mock)
{
    for (struct member *member = mock->first; member; member = member->next)
        if (!member->connection.done)
            mock_reset_member(mock, member);
    service_wake(mock);
    lwp_broker_set_time(mock->broker, lwp_clock_later(mock->options.epoch_ns, mock->now_ns));
    return lwp_broker_restart(mock->broker);
}

/* Peers that do not read must not fill the machine: the connection that holds most is reset. */
static void reset_largest(struct lwp_mock *mock)
{
    struct member *largest = NULL;
    for (struct member *m = mock->first; m; m = m->next)
        if (!largest || connection_memory(&m->connection) > connection_memory(&largest->connection))
            largest = m;
    if (!largest || largest->connection.done)
        return;
    mock->counts.over_memory++;
    mock_note(mock, largest, "reset: of all connections over their memory it holds most");
    mock_reset_member(mock, largest);
}

static void check_memory(struct lwp_mock *mock, struct member *member)
{
    const size_t memory = connection_memory(&member->connection);
    mock->queued += memory - member->counted;
    member->counted = memory;
    if (memory > mock->options.max_connection_memory && !member->connection.done) {
        mock->counts.over_memory++;
        mock_note(mock, member, "reset: it is over its memory");
        mock_reset_member(mock, member);
    }
    if (mock->queued > mock->options.max_memory)
        reset_largest(mock);
}

bool mock_step_one(struct lwp_mock *mock, struct member *member)
{
    bool worked = true;
    if (!member->connection.done) {
        lwp_broker_set_time(mock->broker, lwp_clock_later(mock->options.epoch_ns, mock->now_ns));
        flush_unowed(mock);
        worked = member->refused ? refusal_step(member, mock->now_ns)
                                 : connection_step(&member->connection, mock->now_ns);
        lwp_broker_trim(mock->broker);
        flush_unowed(mock);
        check_memory(mock, member);
        mock_touch_waiting(mock);
    }
    place(mock, member);
    return worked;
}

static struct member *member_of(struct deadline *deadline)
{
    return (struct member *)(void *)((char *)deadline - offsetof(struct member, deadline));
}

bool mock_step_due(struct lwp_mock *mock)
{
    flush_unowed(mock);
    const bool performed = mock_perform_timed(mock);
    for (;;) {
        struct deadline *first = deadlines_first(&mock->deadlines);
        if (!first || first->at_ns > mock->now_ns)
            break;
        mock_touch(mock, member_of(first));
        deadlines_set(&mock->deadlines, first, LWP_NEVER);
    }
    /* A step may touch anybody, also those that are yet to come. */
    const struct member *last = mock->touched ? mock->touched_last : NULL;
    for (bool ended = !last; !ended;) {
        struct member *member = take_touched(mock);
        ended = member == last;
        (void)mock_step_one(mock, member);
    }
    return last || performed;
}
