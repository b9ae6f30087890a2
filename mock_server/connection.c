/* SPDX-License-Identifier: MIT */
#include "mock_server/connection.h"

#include <stdlib.h>

#include "lwp/net/clock.h"
#include "lwp/net/fault.h"
#include "lwp/net/tls.h"
#include "mock_server/mutants.h"
#include "mock_server/perform.h"

enum {
    BUSY_OUT_SIZE = 4194304, /* With more than this unsent or owed, nothing further is answered. */
    MAX_ACKS = 65536,        /* A read batch ends early at so many. */
    MAX_OUT_SIZE = 67108864
};

#define LINGER_NS (5 * LWP_SECOND_NS) /* How long a peer may take to read our last words. */

void connection_init(struct connection *connection, const struct connection_setup *setup,
                     struct lwp_transport *transport, uint64_t now_ns)
{
    struct lwp_session_options options = setup->options;
    *connection = (struct connection){
        .host = setup->host,
        .now_ns = now_ns,
        .closed_by = LWP_BY_MOCK,
        .closed_how = LWP_CLOSE_FIN,
        .tls = setup->is_tls ? transport : NULL,
    };
    connection->undecided = !options.dialect;
    if (connection->undecided)
        options.dialect = &lwp_dialect_lance;
    options.max_payload = mutants_limit(options.max_payload);
    connection->peer.dialect = options.dialect;
    connection->asker = (struct lwp_asker){
        .dialect = options.dialect, .authenticated = !lwp_broker_guarded(setup->host->broker)};
    lwp_link_init(&connection->link, &options, transport, MAX_OUT_SIZE, now_ns);
}

void connection_tell(const struct connection *connection, struct lwp_event *event)
{
    if (!lwp_events_wanted(connection->host->events))
        return;
    event->time_ns = connection->now_ns;
    event->node = connection->peer.node;
    event->connection = connection->peer.number;
    event->tag = connection->peer.label;
    event->dialect = connection->undecided ? NULL : connection->asker.dialect;
    lwp_events_add(connection->host->events, event);
}

void connection_welcome(struct connection *connection, struct lwp_bytes local,
                        struct lwp_bytes peer_address, uint64_t now_ns)
{
    struct lwp_event event = {.kind = LWP_EVENT_CONNECTED, .local = local, .peer = peer_address};
    connection->now_ns = now_ns;
    connection_tell(connection, &event);
    connection_play_beginning(connection, now_ns);
}

/* The end of one direction, or of both: for the log and for expectations. */
static void tell_closed(struct connection *connection, enum lwp_event_by by, enum lwp_close how)
{
    struct lwp_event event = {.kind = LWP_EVENT_CLOSED, .by = by, .how = how};
    if (by != LWP_BY_PEER || how == LWP_CLOSE_RST) {
        if (by == LWP_BY_RULE)
            event.rule = connection->closed_rule;
        event.fault.status = connection->closed_status;
    }
    connection_tell(connection, &event);
    /* Our FIN that answers the peer's ends nothing that was not ended. */
    const bool is_answer = connection->leaving && by == LWP_BY_MOCK && how == LWP_CLOSE_FIN;
    if (!connection->host->ending && !is_answer)
        stage_closed(connection->host->stage, &connection->peer,
                     by == LWP_BY_PEER ? SCRIPT_IN : SCRIPT_OUT, how, connection->now_ns);
}

void connection_done(struct connection *connection, uint64_t now_ns)
{
    connection->now_ns = now_ns;
    lwp_link_done(&connection->link);
    if (connection->peer.number)
        tell_closed(connection, connection->closed_by, connection->closed_how);
    connection_default(connection);
    connection_drop_held(connection);
    parcel_heap_drop(&connection->timed);
    parcel_drop_all(&connection->announced);
    free(connection->owed);
    free(connection->standing);
    free(connection->peer.drawn);
    free(connection->client);
}

void connection_hang_up(struct connection *connection, uint64_t now_ns)
{
    lwp_broker_lose_acks(connection->host->broker, connection->owed_count);
    connection_default(connection);
    connection->reset_by_ns = lwp_clock_later(now_ns, LINGER_NS);
    connection->closed_how = LWP_CLOSE_FIN;
    lwp_link_close(&connection->link, LWP_CLOSE_FIN);
}

/* The polynomial of the first header tells the dialect, and with it the form of errors. */
static void decide_dialect(struct connection *connection)
{
    struct lwp_session *session = &connection->link.session;
    const struct lwp_bytes in = lwp_queue_bytes(&session->in);
    struct lwp_header header;
    if (in.size < LWP_HEADER_SIZE)
        return;
    lwp_header_decode(in.data, &header);
    if (lwp_header_check(&header, lwp_dialect_spec.polynomial) == LWP_OK)
        connection->asker.dialect = &lwp_dialect_spec;
    connection->peer.dialect = connection->asker.dialect;
    session->options.dialect = connection->asker.dialect;
    connection->undecided = false;
}

/* What came in, as it was on the wire. */
static void tell_came(const struct connection *connection, const struct lwp_frame *frame)
{
    const struct lwp_session *session = &connection->link.session;
    struct lwp_event event = {.kind = LWP_EVENT_FRAME_IN, .frame = frame};
    event.wire = (struct lwp_bytes){lwp_queue_bytes(&session->in).data, session->taken};
    connection_tell(connection, &event);
}

/* Section 11: what can not be a frame ends the connection. */
static void end_by_fault(struct connection *connection, uint64_t now_ns)
{
    const struct lwp_session *session = &connection->link.session;
    struct lwp_event event = {.kind = LWP_EVENT_FAULT, .fault = session->fault};
    struct lwp_event bytes = {.kind = LWP_EVENT_BYTES_IN, .wire = lwp_queue_bytes(&session->in)};
    connection_tell(connection, &event);
    connection_tell(connection, &bytes);
    connection->closed_by = LWP_BY_MOCK;
    connection->closed_status = session->fault.status;
    mutants_explain(&connection->link, now_ns);
    connection_hang_up(connection, now_ns);
}

static void take_frame(struct connection *connection, const struct lwp_frame *frame,
                       uint64_t now_ns)
{
    tell_came(connection, frame);
    if (!connection_play(connection, frame, now_ns))
        connection_handle(connection, frame, now_ns);
}

/* Whether the node is asking another one on its behalf. */
static bool is_waiting(const struct connection *connection)
{
    return connection->now_ns < connection->busy_until_ns;
}

/* Whether so much waits for the peer that it must read first. */
static bool is_busy(const struct connection *connection)
{
    const size_t held = connection->faults ? lwp_fault_pending(connection->faults) : 0;
    return connection->link.session.out.size + held >= BUSY_OUT_SIZE;
}

/* Whether the next frame may be looked at; if not, why it is left for later is noted. */
static bool goes_on(struct connection *connection)
{
    if (connection->link.closing || connection->stopped)
        return false;
    connection->resumed = is_waiting(connection) && !connection->batch_lost;
    connection->stalled = is_busy(connection) || connection->owed_count >= MAX_ACKS ||
                          connection->owed_memory >= BUSY_OUT_SIZE ||
                          connection_memory(connection) > connection->host->max_memory;
    return !connection->resumed && !connection->stalled;
}

/* Whether acks are paid frame by frame (D27). */
static bool pays_at_once(const struct connection *connection)
{
    return !connection->asker.dialect->defers_acks && connection->host->ack_delay_ns == 0;
}

/* Answers the frames that have been read, until they are used up or the peer must read first. */
static void work_off(struct connection *connection, uint64_t now_ns)
{
    struct lwp_session *session = &connection->link.session;
    connection->stalled = false;
    if (connection->undecided)
        decide_dialect(connection);
    while (goes_on(connection)) {
        mutants_mend_front(session);
        struct lwp_frame frame;
        const enum lwp_status status = lwp_session_receive(session, &frame, now_ns);
        if (status == LWP_MORE)
            break;
        if (status == LWP_OK) {
            mutants_misread(session, connection->host->broker, &frame);
            take_frame(connection, &frame, now_ns);
        } else {
            end_by_fault(connection, now_ns);
        }
        if (pays_at_once(connection))
            connection_pay(connection, now_ns);
    }
    if (connection->owed_count)
        connection->owed_due_ns = lwp_clock_later(now_ns, connection->host->ack_delay_ns);
}

/* The peer says no more. What is late is still answered; what is held is not. */
static void end_by_peer(struct connection *connection, enum lwp_status status, uint64_t now_ns)
{
    connection_tell_tls_end(connection);
    if (status != LWP_CLOSED) {
        connection->closed_by = status == LWP_RESET ? LWP_BY_PEER : LWP_BY_ERROR;
        connection->closed_how = LWP_CLOSE_RST;
        connection->closed_status = status;
        connection->done = true;
        return;
    }
    tell_closed(connection, LWP_BY_PEER, LWP_CLOSE_HALF);
    if (LWP_BUG(topics_die_with_connections))
        lwp_broker_take_back(connection->host->broker,
                             lwp_broker_next_id(connection->host->broker) - 1);
    connection_drop_held(connection);
    connection->leaving = true;
    if (!connection->timed.first)
        connection_hang_up(connection, now_ns);
}

static bool can_take(const struct connection *connection)
{
    if (connection->owed_count || connection->link.closing || connection->stopped ||
        connection->leaving || is_waiting(connection))
        return false;
    return !connection->stalled || !is_busy(connection);
}

/* One read batch: all that is there now, then the acks (D27). Nothing is read while acks wait. */
static bool take_batch(struct connection *connection, uint64_t now_ns)
{
    if (!can_take(connection))
        return false;
    if (!connection->stalled && !connection->resumed) {
        const enum lwp_status status = lwp_link_read(&connection->link, now_ns);
        connection_meet(connection);
        if (status == LWP_WOULD_BLOCK)
            return false;
        if (status != LWP_OK) {
            end_by_peer(connection, status, now_ns);
            return true;
        }
    }
    connection->resumed = false;
    connection->batch_lost = false;
    work_off(connection, now_ns);
    return true;
}

/* Whether a rule has closed the connection, both ways. */
static bool is_closed_by_rule(struct connection *connection)
{
    enum lwp_close how = LWP_CLOSE_HALF;
    if (!connection->faults || !lwp_fault_closed(connection->faults, &how) || how == LWP_CLOSE_HALF)
        return false;
    connection->closed_by = LWP_BY_RULE;
    connection->closed_how = how;
    return true;
}

/* Whether bytes are on their way that have a time. Then the peer's time to read begins behind it. */
static bool is_under_way(struct connection *connection)
{
    const uint64_t due_ns = connection->faults ? lwp_fault_deadline(connection->faults) : LWP_NEVER;
    if (due_ns == LWP_NEVER)
        return connection->faults && lwp_fault_pending(connection->faults);
    const uint64_t reset_by_ns = lwp_clock_later(due_ns, LINGER_NS);
    if (connection->reset_by_ns < reset_by_ns)
        connection->reset_by_ns = reset_by_ns;
    return true;
}

void connection_lose(struct connection *connection, enum lwp_status status)
{
    if (connection->closed_by != LWP_BY_MOCK || connection->link.closing)
        return;
    connection->closed_by = LWP_BY_PEER;
    connection->closed_how = LWP_CLOSE_RST;
    connection->closed_status = status;
}

/* Whether our last words are out, or the peer did not read them in time. */
static bool is_said(struct connection *connection, enum lwp_status written, uint64_t now_ns)
{
    if (!is_under_way(connection) && written == LWP_OK)
        return true;
    if (now_ns < connection->reset_by_ns)
        return false;
    lwp_link_close(&connection->link, LWP_CLOSE_RST);
    connection->closed_how = LWP_CLOSE_RST;
    return true;
}

/* Whether the end has come: all is written, the peer is gone, or it did not read in time. */
static void judge_end(struct connection *connection, enum lwp_status written, uint64_t now_ns)
{
    const bool gone = written != LWP_OK && written != LWP_WOULD_BLOCK;
    if (is_closed_by_rule(connection) || connection->done) {
        connection->done = true;
        return;
    }
    if (gone)
        connection_lose(connection, written);
    connection->done = gone || (connection->link.closing && is_said(connection, written, now_ns));
}

/* Writes what can be written; whether anything was. */
static bool write_out(struct connection *connection, enum lwp_status *written)
{
    struct lwp_link *link = &connection->link;
    const size_t unsent = link->session.out.size;
    const uint64_t before = connection->faults ? lwp_fault_written(connection->faults) : 0;
    *written = lwp_link_write(link);
    if (connection->faults && *written == LWP_OK)
        *written = lwp_fault_flush(connection->faults);
    return link->session.out.size != unsent ||
           (connection->faults && lwp_fault_written(connection->faults) != before);
}

/* What its time has come for: acks, late answers, the end. */
static bool work_due(struct connection *connection, uint64_t now_ns)
{
    const bool pays = connection->owed_count && now_ns >= connection->owed_due_ns;
    if (pays)
        connection_pay(connection, now_ns);
    const bool worked = connection_work_waiting(connection, now_ns);
    if (connection->leaving && !connection->link.closing && !connection->timed.first)
        connection_hang_up(connection, now_ns);
    return pays || worked;
}

bool connection_step(struct connection *connection, uint64_t now_ns)
{
    enum lwp_status written = LWP_OK;
    if (connection->done)
        return true;
    connection->now_ns = now_ns;
    if (connection->faults)
        lwp_fault_advance(connection->faults, now_ns);
    bool worked = take_batch(connection, now_ns);
    worked = work_due(connection, now_ns) || worked;
    worked = write_out(connection, &written) || worked;
    judge_end(connection, written, now_ns);
    if (!connection->stalled)
        lwp_link_trim(&connection->link);
    return worked;
}

/* Whether there is more to take although nothing may arrive. */
static bool has_more(const struct connection *connection)
{
    return connection->stalled || connection->resumed ||
           (connection->tls && lwp_tls_is_ready(connection->tls));
}

uint64_t connection_deadline(const struct connection *connection)
{
    uint64_t due_ns = connection->faults ? lwp_fault_deadline(connection->faults) : LWP_NEVER;
    if (connection->done)
        return 0;
    if (connection->link.closing)
        return lwp_deadline_earlier(due_ns, connection->reset_by_ns);
    due_ns = lwp_deadline_earlier(due_ns, connection_waiting_due(connection));
    if (connection->owed_count)
        return lwp_deadline_earlier(due_ns, connection->owed_due_ns);
    if (is_waiting(connection))
        return lwp_deadline_earlier(due_ns, connection->busy_until_ns);
    return has_more(connection) && can_take(connection) ? 0 : due_ns;
}

bool connection_wants_bytes(const struct connection *connection)
{
    return can_take(connection) && !connection->stalled;
}

void connection_reset(struct connection *connection, uint64_t now_ns)
{
    connection_default(connection);
    connection->reset_by_ns = now_ns;
    connection->link.closing = true;
    connection->closed_how = LWP_CLOSE_RST;
    lwp_link_close(&connection->link, LWP_CLOSE_RST);
    connection->done = true;
}
