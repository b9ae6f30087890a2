/* SPDX-License-Identifier: MIT */
#include "fuzz/peer.h"

#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "lwp/net/clock.h"

enum { PIPE_ROOM = 1 << 14, SENT_ROOM = 1 << 14, GIVEN_ROOM = 1 << 14 };

static struct lwp_frame_rules rules_of(const struct peer *peer)
{
    return (struct lwp_frame_rules){peer->dialect->polynomial, LWP_MAX_PAYLOAD_DEFAULT};
}

static enum lwp_status dial_step(struct lwp_dial *dial, uint64_t now_ns,
                                 struct lwp_transport **transport);

struct peer_dial {
    struct lwp_dial dial; /* First, so that one is the other. */
    struct peer *peer;
};

static void end_connection(struct peer *peer, enum lwp_close how)
{
    if (!peer->far)
        return;
    lwp_transport_close(peer->far, how);
    lwp_transport_free(peer->far);
    peer->far = NULL;
}

static enum lwp_status dial_step(struct lwp_dial *dial, uint64_t now_ns,
                                 struct lwp_transport **transport)
{
    struct peer *peer = ((struct peer_dial *)(void *)dial)->peer;
    struct lwp_transport *ends[2];
    (void)now_ns;
    if (peer->head[1] & 1U << peer->dials++ % 8)
        return LWP_REFUSED;
    end_connection(peer, LWP_CLOSE_RST);
    FUZZ_ASSERT(lwp_pipe_new(PIPE_ROOM, ends) == LWP_OK);
    *transport = ends[0];
    peer->far = ends[1];
    peer->sent_size = peer->given_size = 0;
    peer->pending.size = 0;
    peer->keepalives_sent = peer->keepalives_given = 0;
    if (peer->watch.dialled)
        peer->watch.dialled(peer->watch.user);
    return LWP_OK;
}

static void dial_wait(const struct lwp_dial *dial, int *fd, short *events)
{
    (void)dial;
    *fd = -1;
    *events = 0;
}

static uint64_t dial_deadline(const struct lwp_dial *dial)
{
    return ((const struct peer_dial *)(const void *)dial)->peer->now_ns;
}

static void dial_free(struct lwp_dial *dial)
{
    free(dial);
}

static enum lwp_status dial(void *user, const struct lwp_address *address, uint64_t now_ns,
                            uint64_t deadline_ns, struct lwp_dial **made)
{
    static const struct lwp_dial_ops ops = {dial_step, dial_wait, dial_deadline, dial_free};
    struct peer_dial *dial = malloc(sizeof(*dial));
    (void)address;
    (void)now_ns;
    (void)deadline_ns;
    FUZZ_ASSERT(dial);
    *dial = (struct peer_dial){{&ops}, user};
    *made = &dial->dial;
    return LWP_OK;
}

static uint64_t now(const struct lwp_world *world)
{
    return ((const struct peer *)(const void *)world)->now_ns;
}

static void wait(struct lwp_world *world, struct lwp_transport *const *transports, size_t count,
                 uint64_t deadline_ns)
{
    (void)transports;
    (void)count;
    peer_step((struct peer *)(void *)world, deadline_ns);
}

void peer_init(struct peer *peer, struct lwp_bytes input, const struct peer_watch *watch)
{
    static const struct lwp_world_ops ops = {now, NULL, wait};
    *peer = (struct peer){.world = {&ops}, .network = {dial, peer}, .watch = *watch, .now_ns = 1};
    memcpy(peer->head, input.data, input.size < PEER_HEAD_SIZE ? input.size : PEER_HEAD_SIZE);
    peer->dialect = fuzz_dialect(peer->head[0]);
    peer->input = lwp_bytes_from(input, PEER_HEAD_SIZE);
    peer->sent = fuzz_room(SENT_ROOM);
    peer->given = fuzz_room(GIVEN_ROOM);
}

void peer_done(struct peer *peer)
{
    lwp_transport_free(peer->far);
    free(peer->sent);
    free(peer->given);
}

struct lwp_connect_options peer_options(struct peer *peer)
{
    struct lwp_connect_options options = lwp_connect_defaults("peer:1992");
    options.dialect = peer->dialect;
    options.connect_timeout_ms = 200;
    options.request_timeout_ms = PEER_REQUEST_MS;
    options.keepalive_ms = 100;
    options.dead_after_ms = 1000;
    options.backoff = (struct lwp_backoff_options){.first_ns = LWP_MILLISECOND_NS,
                                                   .cap_ns = 50 * LWP_MILLISECOND_NS};
    options.max_payload = 1U << 20;
    options.caller_driven = true;
    options.network = &peer->network;
    options.world = &peer->world;
    return options;
}

bool peer_takes_call(struct peer *peer, uint32_t *argument)
{
    if (peer->input.size == 0 || peer->pending.size)
        return false;
    const struct fuzz_piece piece = fuzz_piece_at(peer->input);
    if (piece.is_frame || piece.op != FUZZ_OP_CALL)
        return false;
    *argument = piece.argument;
    peer->input = lwp_bytes_from(peer->input, piece.bytes.size);
    return true;
}

static void see_sent(struct peer *peer, const struct lwp_frame *frame)
{
    struct lwp_fault fault;
    FUZZ_ASSERT(lwp_frame_check(frame, &fault) == LWP_OK);
    FUZZ_ASSERT(lwp_frame_kind(frame, peer->dialect) != LWP_KIND_UNKNOWN);
    fuzz_note(frame->header.flags);
    fuzz_note(frame->header.batch_id);
    fuzz_note_bytes(frame->payload);
    if (frame->header.flags == LWP_FLAG_KEEPALIVE)
        FUZZ_ASSERT(++peer->keepalives_sent <= peer->keepalives_given + 1);
    if (peer->watch.sent)
        peer->watch.sent(peer->watch.user, frame);
}

/* Reads what the client has sent; it must be frames, and the rest the beginning of one. */
static void look(struct peer *peer)
{
    const struct lwp_frame_rules rules = rules_of(peer);
    size_t count = 0;
    while (peer->far && lwp_transport_read(peer->far, peer->sent + peer->sent_size,
                                           SENT_ROOM - peer->sent_size, &count) == LWP_OK) {
        struct lwp_frame frame;
        struct lwp_fault fault;
        struct lwp_bytes in = {peer->sent, peer->sent_size + count};
        enum lwp_status status = LWP_OK;
        while ((status = lwp_frame_split(&rules, in, &frame, &fault)) == LWP_OK) {
            see_sent(peer, &frame);
            in = lwp_bytes_from(in, lwp_frame_size(&frame));
        }
        FUZZ_ASSERT(status == LWP_MORE);
        if (in.size)
            memmove(peer->sent, in.data, in.size);
        peer->sent_size = in.size;
        FUZZ_ASSERT(peer->sent_size < SENT_ROOM);
    }
}

static void see_given(struct peer *peer, const struct lwp_frame *frame)
{
    peer->keepalives_given += (frame->header.flags & LWP_FLAG_KEEPALIVE) != 0;
    if (peer->watch.given)
        peer->watch.given(peer->watch.user, frame);
}

/* Looks at what is on its way to the client, however it was put together, as the client will. What can
 * not become a frame ends the connection, so that nothing behind it matters. */
static void look_at_given(struct peer *peer, struct lwp_bytes bytes)
{
    const struct lwp_frame_rules rules = rules_of(peer);
    const size_t room = GIVEN_ROOM - peer->given_size;
    struct lwp_frame frame;
    struct lwp_fault fault;
    memcpy(peer->given + peer->given_size, bytes.data, bytes.size < room ? bytes.size : room);
    struct lwp_bytes in = {peer->given, peer->given_size + (bytes.size < room ? bytes.size : room)};
    while (lwp_frame_split(&rules, in, &frame, &fault) == LWP_OK) {
        see_given(peer, &frame);
        in = lwp_bytes_from(in, lwp_frame_size(&frame));
    }
    if (in.size)
        memmove(peer->given, in.data, in.size);
    peer->given_size = in.size;
}

/* Sends what is pending, or a piece of it. */
static void give(struct peer *peer)
{
    struct lwp_bytes bytes = peer->pending;
    size_t count = bytes.size;
    if (peer->cut && peer->cut < bytes.size)
        bytes.size = peer->cut;
    if (bytes.size == 0)
        return;
    if (!peer->far || lwp_transport_write(peer->far, bytes, &count) != LWP_OK)
        count = peer->pending.size;
    else
        look_at_given(peer, (struct lwp_bytes){bytes.data, count});
    peer->pending = lwp_bytes_from(peer->pending, count);
    if (peer->pending.size == 0)
        peer->cut = 0;
}

static void pass(struct peer *peer, uint64_t by_ns, uint64_t deadline_ns)
{
    const uint64_t then_ns = peer->now_ns + by_ns;
    peer->now_ns = then_ns < deadline_ns        ? then_ns
                   : deadline_ns > peer->now_ns ? deadline_ns
                                                : peer->now_ns;
}

static void happen_op(struct peer *peer, const struct fuzz_piece *piece, uint64_t deadline_ns)
{
    switch (piece->op) {
    case FUZZ_OP_RAW:
        peer->pending = piece->raw;
        break;
    case FUZZ_OP_CUT:
        peer->cut = piece->argument;
        break;
    case FUZZ_OP_WAIT:
        pass(peer, piece->argument * LWP_MILLISECOND_NS, deadline_ns);
        break;
    case FUZZ_OP_FIN:
        end_connection(peer, LWP_CLOSE_FIN);
        break;
    case FUZZ_OP_RESET:
        end_connection(peer, LWP_CLOSE_RST);
        break;
    case FUZZ_OP_NONE:
    case FUZZ_OP_CALL:
    case FUZZ_OP_COUNT:
        break;
    }
}

static void happen(struct peer *peer, const struct fuzz_piece *piece, uint64_t deadline_ns)
{
    if (!piece->is_frame) {
        happen_op(peer, piece, deadline_ns);
        return;
    }
    peer->pending = piece->bytes;
}

void peer_step(struct peer *peer, uint64_t deadline_ns)
{
    look(peer);
    if (peer->pending.size) {
        give(peer);
        return;
    }
    struct fuzz_piece piece = {.op = FUZZ_OP_CALL};
    if (peer->input.size)
        piece = fuzz_piece_at(peer->input);
    if (!piece.is_frame && piece.op == FUZZ_OP_CALL) {
        pass(peer, deadline_ns == LWP_NEVER ? LWP_SECOND_NS : deadline_ns, deadline_ns);
        return;
    }
    peer->input = lwp_bytes_from(peer->input, piece.bytes.size);
    happen(peer, &piece, deadline_ns);
    give(peer);
}
