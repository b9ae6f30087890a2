/* SPDX-License-Identifier: MIT */
#include "lwp/client/connection.h"

#include <stdio.h>

enum {
    SOFT_LIMIT = 262144, /* Bytes that wait to be written before no more frames are queued. */
    SLACK = 65536,       /* Room for Keepalives beyond that. */
    LEAST_LENT = 4096,   /* Bytes of a payload: copying less costs less than a view does. */
    REQUEST_ROOM = 70000 /* The largest request: a name of 65535 bytes. */
};

void lwp_connection_init(struct lwp_connection *connection,
                         const struct lwp_connection_options *options,
                         const struct lwp_address *home, uint64_t seed)
{
    *connection = (struct lwp_connection){.options = *options};
    if (!options->network)
        connection->options.network = &lwp_network_tcp;
    struct lwp_life_options life = options->life;
    life.secure = options->security;
    life.authenticate = options->token;
    lwp_life_init(&connection->life, &life, home, seed);
}

static void hang_up(struct lwp_connection *connection)
{
    lwp_dial_free(connection->dial);
    connection->dial = NULL;
    lwp_link_done(&connection->link);
    connection->write_failed = false;
    connection->holds = false;
    connection->lent_count = 0;
    connection->lent_size = 0;
    connection->authentication.command = LWP_REQUEST_NONE;
}

void lwp_connection_done(struct lwp_connection *connection)
{
    lwp_life_end(&connection->life, LWP_CLOSED_BY_CALLER);
    hang_up(connection);
}

void lwp_connection_drop(struct lwp_connection *connection, const struct lwp_details *why,
                         uint64_t now_ns)
{
    lwp_life_fail(&connection->life, why, now_ns);
    hang_up(connection);
}

static void lose(struct lwp_connection *connection, enum lwp_status status, uint64_t now_ns)
{
    struct lwp_details why = lwp_details_of(status);
    const struct lwp_security *security = connection->options.security;
    const bool is_secured =
        connection->link.transport && security && connection->life.state != LWP_LIFE_CONNECTING;
    if (is_secured && security->reason)
        (void)snprintf(why.text, sizeof(why.text), "%s",
                       security->reason(connection->link.transport));
    lwp_connection_drop(connection, &why, now_ns);
}

bool lwp_connection_redirect(struct lwp_connection *connection, const struct lwp_details *why,
                             uint64_t now_ns)
{
    const bool followed = lwp_life_redirect(&connection->life, why, now_ns);
    hang_up(connection);
    return followed;
}

void lwp_connection_end(struct lwp_connection *connection, enum lwp_status status)
{
    if (connection->link.transport)
        lwp_link_close(&connection->link, LWP_CLOSE_FIN);
    lwp_life_end(&connection->life, status);
    hang_up(connection);
}

/* The one place where a transport becomes a secure one. */
static enum lwp_status secure(struct lwp_connection *connection, struct lwp_transport *inner,
                              struct lwp_transport **outer)
{
    const struct lwp_security *security = connection->options.security;
    *outer = inner;
    if (!security)
        return LWP_OK;
    return security->wrap(security->context, inner, connection->life.target.host, outer);
}

static void ask_to_authenticate(struct lwp_connection *connection, uint64_t now_ns)
{
    const struct lwp_message message = {.command = LWP_COMMAND_AUTHENTICATE,
                                        .token = lwp_bytes_text(connection->options.token)};
    connection->authentication =
        lwp_request_of(LWP_COMMAND_AUTHENTICATE, &message, connection->life.deadline_ns);
    const enum lwp_status status = lwp_connection_ask(connection, &message, now_ns);
    if (status != LWP_OK)
        lose(connection, status, now_ns);
}

static void advance(struct lwp_connection *connection, uint64_t now_ns)
{
    lwp_life_advance(&connection->life);
    if (connection->life.state == LWP_LIFE_AUTHENTICATING)
        ask_to_authenticate(connection, now_ns);
}

static void begin_link(struct lwp_connection *connection, struct lwp_transport *transport,
                       uint64_t now_ns)
{
    const struct lwp_connection_options *options = &connection->options;
    const struct lwp_session_options session = {
        .role = LWP_CLIENT,
        .dialect = options->dialect,
        .max_payload = options->max_payload,
        .keepalive_ns = options->keepalive_ns,
        .dead_after_ns = options->dead_after_ns,
    };
    struct lwp_transport *outer = NULL;
    const size_t out_limit = (size_t)options->max_payload + LWP_HEADER_SIZE + SOFT_LIMIT + SLACK;
    const enum lwp_status status = secure(connection, transport, &outer);
    if (status != LWP_OK) {
        lose(connection, status, now_ns);
        return;
    }
    lwp_link_init(&connection->link, &session, outer, out_limit, now_ns);
    advance(connection, now_ns);
}

static void begin_dial(struct lwp_connection *connection, uint64_t now_ns)
{
    const struct lwp_network *network = connection->options.network;
    hang_up(connection);
    connection->attempt = connection->life.attempt;
    const enum lwp_status status = network->dial(network->user, &connection->life.target, now_ns,
                                                 connection->life.deadline_ns, &connection->dial);
    if (status != LWP_OK)
        lose(connection, status, now_ns);
}

static void go_on_dialing(struct lwp_connection *connection, uint64_t now_ns)
{
    struct lwp_transport *transport = NULL;
    const enum lwp_status status = lwp_dial_step(connection->dial, now_ns, &transport);
    if (status == LWP_WOULD_BLOCK)
        return;
    lwp_dial_free(connection->dial);
    connection->dial = NULL;
    if (status == LWP_OK)
        begin_link(connection, transport, now_ns);
    else
        lose(connection, status, now_ns);
}

static void shake_hands(struct lwp_connection *connection, uint64_t now_ns)
{
    const enum lwp_status status =
        connection->options.security->handshake(connection->link.transport);
    if (status == LWP_OK)
        advance(connection, now_ns);
    else if (status != LWP_WOULD_BLOCK)
        lose(connection, status, now_ns);
}

static void trace(const struct lwp_connection *connection, enum lwp_trace_direction direction,
                  const struct lwp_frame *frame)
{
    if (connection->options.trace)
        connection->options.trace(connection->options.trace_user, direction, frame);
}

/* The next frame in any state that has a link; loses the connection if there can be none. */
static enum lwp_status next_frame(struct lwp_connection *connection, struct lwp_frame *frame,
                                  uint64_t now_ns)
{
    struct lwp_link *link = &connection->link;
    if (!link->transport)
        return LWP_MORE;
    const enum lwp_status status = lwp_link_receive(link, frame, now_ns);
    if (status == LWP_OK) {
        trace(connection, LWP_TRACE_RECEIVED, frame);
        return status;
    }
    /* No room for a Keepalive's answer: the server has asked a thousand times, and read nothing. What
     * came before the end of the connection is still read. */
    if (status != LWP_MORE)
        lose(connection, status == LWP_FULL ? LWP_TIMEOUT : status, now_ns);
    else if (link->read_status != LWP_OK)
        lose(connection, link->read_status, now_ns);
    else if (connection->write_failed)
        lose(connection, LWP_RESET, now_ns);
    return LWP_MORE;
}

static void hear_authentication(struct lwp_connection *connection, uint64_t now_ns)
{
    struct lwp_frame frame;
    struct lwp_answer answer;
    if (next_frame(connection, &frame, now_ns) != LWP_OK)
        return;
    const enum lwp_status status =
        lwp_request_take(&connection->authentication, &frame, connection->options.dialect, &answer);
    if (status == LWP_MORE)
        return;
    if (status != LWP_OK) {
        lose(connection, status, now_ns);
        return;
    }
    if (answer.details.status == LWP_OK) {
        advance(connection, now_ns);
        return;
    }
    if (!lwp_status_is_retryable(answer.details.status))
        answer.details.status = LWP_AUTH_FAILED;
    lwp_connection_drop(connection, &answer.details, now_ns);
}

static void tick_link(struct lwp_connection *connection, uint64_t now_ns)
{
    const enum lwp_status status = lwp_link_tick(&connection->link, now_ns);
    /* No room for a Keepalive: the server has not read anything for long. */
    if (status != LWP_OK)
        lose(connection, status == LWP_FULL ? LWP_TIMEOUT : status, now_ns);
}

static void process_link(struct lwp_connection *connection, uint64_t now_ns)
{
    if (connection->life.state == LWP_LIFE_SECURING)
        shake_hands(connection, now_ns);
    if (!connection->link.transport || connection->life.state == LWP_LIFE_SECURING)
        return;
    if (!connection->holds)
        (void)lwp_link_read(&connection->link, now_ns);
    if (connection->life.state == LWP_LIFE_AUTHENTICATING)
        hear_authentication(connection, now_ns);
    if (connection->link.transport)
        tick_link(connection, now_ns);
}

void lwp_connection_process(struct lwp_connection *connection, uint64_t now_ns)
{
    if (connection->life.state == LWP_LIFE_IDLE)
        lwp_life_start(&connection->life, now_ns);
    if (lwp_life_tick(&connection->life, now_ns))
        hang_up(connection);
    if (connection->attempt != connection->life.attempt)
        begin_dial(connection, now_ns);
    if (connection->dial)
        go_on_dialing(connection, now_ns);
    if (connection->link.transport)
        process_link(connection, now_ns);
    lwp_connection_write(connection);
}

/* An attempt that came after the one that was up is news as well, however soon it is ready. */
enum lwp_connection_event lwp_connection_event(struct lwp_connection *connection)
{
    const bool ready = connection->life.state == LWP_LIFE_READY && connection->link.transport;
    const bool same = connection->up_attempt == connection->attempt;
    if (connection->is_up && (!ready || !same)) {
        connection->is_up = false;
        return LWP_CONNECTION_DOWN;
    }
    if (connection->is_up || !ready)
        return LWP_CONNECTION_SAME;
    connection->is_up = true;
    connection->up_attempt = connection->attempt;
    return LWP_CONNECTION_UP;
}

enum lwp_status lwp_connection_receive(struct lwp_connection *connection, struct lwp_frame *frame,
                                       uint64_t now_ns)
{
    if (connection->life.state != LWP_LIFE_READY)
        return LWP_MORE;
    return next_frame(connection, frame, now_ns);
}

bool lwp_connection_has_frame(const struct lwp_connection *connection)
{
    return connection->life.state == LWP_LIFE_READY && connection->link.transport &&
           lwp_session_has_frame(&connection->link.session);
}

bool lwp_connection_may_send(const struct lwp_connection *connection)
{
    return connection->life.state == LWP_LIFE_READY && connection->link.transport &&
           connection->link.session.out.size + connection->lent_size < SOFT_LIMIT;
}

enum lwp_status lwp_connection_send(struct lwp_connection *connection,
                                    const struct lwp_frame *frame, uint64_t now_ns)
{
    const enum lwp_status status = lwp_link_send(&connection->link, frame, 0, now_ns);
    if (status == LWP_OK && connection->options.trace) {
        struct lwp_frame sealed = *frame;
        lwp_frame_seal(&sealed, connection->options.dialect->polynomial, 0);
        trace(connection, LWP_TRACE_SENT, &sealed);
    }
    return status;
}

/* Seals the frame, and notes where its parts are. */
static void lend(struct lwp_connection *connection, struct lwp_frame frame, uint64_t now_ns)
{
    uint8_t *head = connection->lent_heads[connection->lent_count / 2];
    lwp_frame_seal(&frame, connection->options.dialect->polynomial, 0);
    lwp_header_encode(&frame.header, head);
    connection->lent[connection->lent_count++] = (struct lwp_bytes){head, LWP_HEADER_SIZE};
    connection->lent[connection->lent_count++] = frame.payload;
    connection->lent_size += lwp_frame_size(&frame);
    connection->link.session.said_ns = now_ns;
    trace(connection, LWP_TRACE_SENT, &frame);
}

enum lwp_status lwp_connection_lend(struct lwp_connection *connection,
                                    const struct lwp_frame *frame, uint64_t now_ns)
{
    const bool is_small = frame->payload.size < LEAST_LENT;
    /* What is queued is written first, so frames keep their order. */
    if (is_small ? connection->lent_count > 0 : connection->lent_count == LWP_CONNECTION_PARTS)
        lwp_connection_write(connection);
    if (is_small)
        return lwp_connection_send(connection, frame, now_ns);
    lend(connection, *frame, now_ns);
    return LWP_OK;
}

enum lwp_status lwp_connection_ask(struct lwp_connection *connection,
                                   const struct lwp_message *message, uint64_t now_ns)
{
    uint8_t room[REQUEST_ROOM];
    struct lwp_writer out = lwp_writer_on(room, sizeof(room));
    const struct lwp_dialect *dialect = connection->options.dialect;
    if (lwp_message_encode(message, &out) != LWP_OK)
        return LWP_INVALID_ARGUMENT;
    struct lwp_frame frame = lwp_message_frame(message->command, lwp_writer_bytes(&out));
    if (message->command == LWP_COMMAND_GET_CLUSTER_STATUS)
        frame.header.batch_id = dialect->cluster_status_command; /* D14 */
    return lwp_connection_send(connection, &frame, now_ns);
}

void lwp_connection_write(struct lwp_connection *connection)
{
    const bool may_write =
        connection->link.transport && connection->life.state != LWP_LIFE_SECURING;
    const size_t lent_count = connection->lent_count;
    connection->lent_count = 0;
    connection->lent_size = 0;
    if (!may_write || connection->write_failed ||
        (connection->link.session.out.size == 0 && lent_count == 0))
        return;
    const enum lwp_status status =
        lwp_link_write_with(&connection->link, connection->lent, lent_count);
    /* Reading may still tell why. */
    connection->write_failed = status != LWP_OK && status != LWP_WOULD_BLOCK;
}

bool lwp_connection_is_blocked(const struct lwp_connection *connection)
{
    return connection->link.session.out.size > 0;
}
