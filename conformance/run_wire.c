/* SPDX-License-Identifier: MIT */
#include "conformance/run_state.h"

enum {
    MAX_ANSWER_SIZE = 17825792,
    /* 17 MiB: 16 MiB of data or of an echoed name, and what is around. */ MAX_REQUEST_SIZE =
        134217728
};

void wire_note(struct run *run, enum event_kind kind, unsigned connection, struct lwp_bytes bytes)
{
    struct transcript *transcript = &run->result->transcript;
    struct event *event = SCRIPT_ADD(run->arena, &transcript->events);
    if (!event)
        return;
    const size_t room = TRANSCRIPT_MAX_SIZE - transcript->size;
    const size_t kept = bytes.size < room ? bytes.size : room;
    *event = (struct event){
        .kind = kind,
        .line = run->line,
        .connection = connection == OWN_CONNECTION ? 0 : connection + 1,
        .time_ns = lwp_world_now(run->options->world) - run->began_ns,
        .bytes = script_arena_copy(run->arena, (struct lwp_bytes){bytes.data, kept}),
        .lost = bytes.size - kept,
    };
    transcript->size += kept;
    struct lwp_bytes *wire = run->options->sink ? SCRIPT_ADD(run->arena, &run->wires) : NULL;
    if (!wire)
        return;
    *wire = event->bytes;
    if (event->lost)
        bytes = script_arena_copy(&run->wire_arena, bytes);
    if (event->lost && bytes.data)
        *wire = bytes;
}

static uint64_t now_of(const struct run *run)
{
    return lwp_world_now(run->options->world);
}

static void wire_flush(struct run *run, struct peer *peer)
{
    const uint64_t deadline_ns = now_of(run) + DEFAULT_WAIT_NS * run->options->time_factor;
    while (peer->open && lwp_link_write(&peer->link) == LWP_WOULD_BLOCK &&
           now_of(run) < deadline_ns) {
        /* Reading meanwhile, so that two full buffers never wait for each other. */
        const enum lwp_status status = lwp_link_read(&peer->link, now_of(run));
        const uint64_t soon_ns = now_of(run) + 1000000;
        /* There is nothing to wait for where nothing more can be read: then only time passes. */
        const bool readable =
            status == LWP_WOULD_BLOCK && lwp_queue_next_capacity(&peer->link.session.in, 1) != 0;
        if (status != LWP_OK)
            lwp_world_wait(run->options->world, &peer->link.transport, readable, soon_ns);
    }
}

/* What is held back goes out. */
static void wire_release(struct run *run)
{
    if (!run->holds)
        return;
    run->holds = false;
    wire_flush(run, &run->peers[run->holder]);
}

static bool push(struct run *run, struct peer *peer, struct lwp_bytes bytes)
{
    if (lwp_link_push(&peer->link, bytes, now_of(run)) == LWP_OK)
        return true;
    step_verdict(run, NULL, VERDICT_ERROR, "there is no memory for what is to be sent");
    return false;
}

/* Order is kept between connections, and what waits stays small. */
static void hold_back(struct run *run, unsigned connection, struct lwp_bytes bytes)
{
    enum { MOST_HELD_SIZE = 65536 };
    struct peer *peer = &run->peers[connection];
    if (run->holder != connection || peer->link.session.out.size + bytes.size > MOST_HELD_SIZE)
        wire_release(run);
    (void)push(run, peer, bytes);
    run->holds = true;
    run->holder = connection;
}

static void send_pieces(struct run *run, struct peer *peer, struct lwp_bytes bytes)
{
    struct chop_cut cut;
    chop_begin(&cut, run->options->chop, bytes);
    struct lwp_bytes piece = chop_next(&cut);
    /* What is cleaned up after a failure is sent as well. */
    while (piece.size && push(run, peer, piece)) {
        wire_flush(run, peer);
        piece = chop_next(&cut);
        if (!piece.size)
            return;
        /* A server in this process reads now. One that has hung up is not sent the rest: its answer
         * would be a reset, which can overtake what it said before. */
        lwp_world_wait(run->options->world, &peer->link.transport, 1, now_of(run));
        (void)lwp_link_read(&peer->link, now_of(run));
        if (peer->link.read_status != LWP_OK)
            return;
    }
}

void wire_send(struct run *run, unsigned connection, struct lwp_bytes bytes)
{
    struct peer *peer = &run->peers[connection];
    const struct chop *chop = run->options->chop;
    if (!peer->open)
        return;
    wire_note(run, EVENT_SENT, connection, bytes);
    if (chop && chop->kind == CHOP_COALESCE)
        hold_back(run, connection, bytes);
    else
        send_pieces(run, peer, bytes);
}

void wire_send_message(struct run *run, unsigned connection, const struct lwp_message *message)
{
    uint8_t wire[1024];
    struct lwp_writer payload =
        lwp_writer_on(wire + LWP_HEADER_SIZE, sizeof(wire) - LWP_HEADER_SIZE);
    if (lwp_message_encode(message, &payload) != LWP_OK) {
        step_verdict(run, NULL, VERDICT_ERROR, "a message does not fit");
        return;
    }
    struct lwp_frame frame = lwp_message_frame(message->command, lwp_writer_bytes(&payload));
    lwp_frame_seal(&frame, run->options->dialect->polynomial, 0);
    lwp_header_encode(&frame.header, wire);
    wire_send(run, connection, (struct lwp_bytes){wire, lwp_frame_size(&frame)});
}

static enum lwp_status authenticate(struct run *run, unsigned connection)
{
    const struct lwp_message message = {
        .command = LWP_COMMAND_AUTHENTICATE,
        .token = lwp_bytes_text(run->options->auth_token),
    };
    wire_send_message(run, connection, &message);
    const uint64_t deadline_ns = now_of(run) + DEFAULT_WAIT_NS * run->options->time_factor;
    if (wire_next(run, connection, deadline_ns) != ARRIVAL_FRAME)
        return LWP_AUTH_FAILED;
    const struct lwp_frame *frame = &run->peers[connection].frame;
    const bool accepted = frame->header.batch_id == LWP_COMMAND_AUTHENTICATE_RESPONSE &&
                          frame->payload.size && frame->payload.data[0] == 1;
    return accepted ? LWP_OK : LWP_AUTH_FAILED;
}

enum lwp_status wire_open(struct run *run, unsigned connection, bool wants_authentication)
{
    struct peer *peer = &run->peers[connection];
    struct lwp_transport *transport = NULL;
    const uint64_t deadline_ns = now_of(run) + DEFAULT_WAIT_NS * run->options->time_factor;
    const struct lwp_session_options options = {
        .role = LWP_CLIENT,
        .dialect = run->options->dialect,
        .max_payload = MAX_ANSWER_SIZE,
    };
    wire_release(run);
    if (peer->link.transport)
        lwp_link_done(&peer->link);
    const enum lwp_status status = lwp_world_connect(run->options->world, deadline_ns, &transport);
    if (status != LWP_OK)
        return status;
    *peer = (struct peer){.open = true};
    lwp_link_init(&peer->link, &options, transport, MAX_REQUEST_SIZE, now_of(run));
    wire_note(run, EVENT_CONNECTED, connection, (struct lwp_bytes){NULL, 0});
    if (wants_authentication && run->options->auth_token)
        return authenticate(run, connection);
    return LWP_OK;
}

/* The frame as it stood on the wire goes into the transcript. */
static void note_received(struct run *run, unsigned connection)
{
    const struct peer *peer = &run->peers[connection];
    const struct lwp_queue *in = &peer->link.session.in;
    wire_note(run, EVENT_RECEIVED, connection,
              (struct lwp_bytes){in->data + in->start, peer->link.session.taken});
    set_up_watch_received(run, &peer->frame);
}

static enum arrival end_of(struct run *run, unsigned connection)
{
    const struct lwp_link *link = &run->peers[connection].link;
    const enum arrival arrival = link->read_status == LWP_CLOSED ? ARRIVAL_FIN : ARRIVAL_RESET;
    const struct lwp_bytes rest = lwp_queue_bytes(&link->session.in);
    if (rest.size)
        wire_note(run, EVENT_RECEIVED, connection, rest);
    wire_note(run, arrival == ARRIVAL_FIN ? EVENT_FIN : EVENT_RESET, connection,
              (struct lwp_bytes){NULL, 0});
    run->peers[connection].open = false;
    return rest.size && arrival == ARRIVAL_FIN ? ARRIVAL_MALFORMED : arrival;
}

enum arrival wire_next(struct run *run, unsigned connection, uint64_t deadline_ns)
{
    struct peer *peer = &run->peers[connection];
    wire_release(run);
    if (peer->held) {
        peer->held = false;
        return ARRIVAL_FRAME;
    }
    while (peer->open) {
        struct lwp_link *link = &peer->link;
        const enum lwp_status status =
            lwp_session_receive(&link->session, &peer->frame, now_of(run));
        if (status == LWP_OK) {
            note_received(run, connection);
            return ARRIVAL_FRAME;
        }
        if (status != LWP_MORE) {
            wire_note(run, EVENT_RECEIVED, connection, lwp_queue_bytes(&link->session.in));
            return ARRIVAL_MALFORMED;
        }
        if (link->read_status != LWP_OK)
            return end_of(run, connection);
        const bool all_sent = lwp_link_write(link) != LWP_WOULD_BLOCK;
        if (lwp_link_read(link, now_of(run)) != LWP_WOULD_BLOCK)
            continue;
        const uint64_t soon_ns = now_of(run) + 1000000;
        if (now_of(run) >= deadline_ns)
            return ARRIVAL_NONE;
        lwp_world_wait(run->options->world, &link->transport, 1,
                       all_sent || soon_ns > deadline_ns ? deadline_ns : soon_ns);
    }
    return ARRIVAL_RESET;
}

enum lwp_status wire_status(const struct run *run, unsigned connection, enum arrival arrival)
{
    static const enum lwp_status statuses[] = {[ARRIVAL_FRAME] = LWP_OK,
                                               [ARRIVAL_FIN] = LWP_CLOSED,
                                               [ARRIVAL_RESET] = LWP_RESET,
                                               [ARRIVAL_MALFORMED] = LWP_CLOSED,
                                               [ARRIVAL_NONE] = LWP_TIMEOUT};
    const enum lwp_status fault = run->peers[connection].link.session.fault.status;
    /* Malformed without a fault is a connection that was closed inside a frame. */
    return arrival == ARRIVAL_MALFORMED && fault != LWP_OK ? fault : statuses[arrival];
}

void wire_hold(struct run *run, unsigned connection)
{
    struct peer *peer = &run->peers[connection];
    /* What is sent meanwhile may move the queue that the payload lies in. */
    peer->frame.payload = script_arena_copy(run->arena, peer->frame.payload);
    peer->held = true;
}

void wire_end(struct run *run, unsigned connection, enum script_end how)
{
    static const enum lwp_close closes[] = {[SCRIPT_END_FIN] = LWP_CLOSE_FIN,
                                            [SCRIPT_END_RST] = LWP_CLOSE_RST,
                                            [SCRIPT_END_HALF] = LWP_CLOSE_HALF};
    static const enum event_kind kinds[] = {[SCRIPT_END_FIN] = EVENT_CLOSED,
                                            [SCRIPT_END_RST] = EVENT_ABORTED,
                                            [SCRIPT_END_HALF] = EVENT_HALF_CLOSED};
    struct peer *peer = &run->peers[connection];
    if (!peer->open)
        return;
    wire_release(run);
    lwp_link_close(&peer->link, closes[how]);
    wire_note(run, kinds[how], connection, (struct lwp_bytes){NULL, 0});
    if (how == SCRIPT_END_HALF)
        return;
    peer->open = false;
    lwp_link_done(&peer->link);
}

void wire_done(struct run *run)
{
    wire_release(run);
    for (unsigned i = 0; i < CONNECTION_COUNT; i++)
        if (run->peers[i].link.transport)
            lwp_link_done(&run->peers[i].link);
}
