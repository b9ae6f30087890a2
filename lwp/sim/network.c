/* SPDX-License-Identifier: MIT */
/* The way between clients and nodes: pipes at both ends, and between them bytes that travel in pieces
 * and take their time. */
#include <inttypes.h>
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "lwp/session/session.h"
#include "lwp/sim/sim.h"

enum { LANE_ROOM = 16384, LANE_PIECES = 32 };

/* Bytes that travel together. */
struct piece {
    size_t size;
    uint64_t due_ns;
};

/* One direction. */
struct lane {
    uint8_t bytes[LANE_ROOM];
    size_t size;
    struct piece pieces[LANE_PIECES];
    unsigned count;
    enum lwp_status end; /* How its sender ended it, or LWP_OK. */
    bool done;           /* Its receiver has been told. */
};

/* A connection. Side 0 is the client's, side 1 the mock's. */
struct sim_wire {
    struct sim_wire *next;
    struct sim_actor *actor;
    uint64_t dial;                 /* The actor's, counted from 1. */
    struct lwp_transport *ends[2]; /* The network's. */
    struct lane lanes[2];          /* From side 0 and from side 1. */
    uint8_t head[LWP_HEADER_SIZE]; /* Of the frame that the client writes. */
    size_t head_size;
    size_t payload_left;
};

/* A connection in the making. */
struct sim_dialing {
    struct lwp_dial dial; /* First, so that one is the other. */
    struct lwp_transport *transport;
    uint64_t due_ns;
    enum lwp_status outcome;
};

static struct sim_dialing *dialing_of(struct lwp_dial *dial)
{
    return (struct sim_dialing *)(void *)dial;
}

static enum lwp_status dial_step(struct lwp_dial *dial, uint64_t now_ns,
                                 struct lwp_transport **transport)
{
    struct sim_dialing *dialing = dialing_of(dial);
    if (now_ns < dialing->due_ns)
        return LWP_WOULD_BLOCK;
    if (dialing->outcome != LWP_OK)
        return dialing->outcome;
    *transport = dialing->transport;
    dialing->transport = NULL;
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
    return ((const struct sim_dialing *)(const void *)dial)->due_ns;
}

static void dial_free(struct lwp_dial *dial)
{
    lwp_transport_free(dialing_of(dial)->transport);
    free(dial);
}

static void wire_free(struct sim_wire *wire)
{
    lwp_transport_free(wire->ends[0]);
    lwp_transport_free(wire->ends[1]);
    free(wire);
}

/* A wire from the client's end, `*transport`, to the node. */
static enum lwp_status make_wire(struct sim_actor *actor, const char *node,
                                 struct lwp_transport **transport)
{
    struct sim *sim = actor->sim;
    struct lwp_transport *near[2];
    struct lwp_transport *far[2];
    struct sim_wire *wire = calloc(1, sizeof(*wire));
    if (!wire || lwp_pipe_new(sim->weather.pipe_size, near) != LWP_OK ||
        lwp_pipe_new(sim->weather.pipe_size, far) != LWP_OK)
        abort();
    *wire = (struct sim_wire){.actor = actor, .dial = actor->dials, .ends = {near[1], far[0]}};
    const enum lwp_status status = lwp_mock_accept_on(sim->mock, node, far[1], sim->now_ns);
    if (status != LWP_OK) {
        lwp_transport_free(near[0]);
        wire_free(wire);
        return status;
    }
    wire->next = sim->wires;
    sim->wires = wire;
    *transport = near[0];
    return LWP_OK;
}

static uint64_t latency(struct sim *sim)
{
    return sim_between(&sim->dice, 0, sim->weather.latency_ns);
}

enum lwp_status sim_dial(void *user, const struct lwp_address *address, uint64_t now_ns,
                         uint64_t deadline_ns, struct lwp_dial **dial)
{
    static const struct lwp_dial_ops ops = {dial_step, dial_wait, dial_deadline, dial_free};
    struct sim_actor *actor = user;
    struct sim *sim = actor->sim;
    struct sim_dialing *dialing = calloc(1, sizeof(*dialing));
    if (!dialing)
        abort();
    dialing->dial.ops = &ops;
    dialing->due_ns = now_ns + latency(sim);
    sim_saw_dial(actor);
    if (!sim->weather.calm && sim->now_ns < sim->end_ns && sim_one_in(&sim->dice, 30)) {
        dialing->outcome = LWP_TIMEOUT;
        dialing->due_ns = deadline_ns;
    } else {
        dialing->outcome = make_wire(actor, address->host, &dialing->transport);
        if (dialing->outcome == LWP_INVALID_ARGUMENT)
            dialing->outcome = LWP_UNRESOLVED;
    }
    sim_note(sim, actor->name, "connection %" PRIu64 " to %s: %s", actor->dials, address->host,
             lwp_status_text(dialing->outcome));
    *dial = &dialing->dial;
    return LWP_OK;
}

/* Looks at what the client writes: nothing but Keepalives passes the trace hook unseen. */
static void look(struct sim_wire *wire, struct lwp_bytes bytes)
{
    while (bytes.size) {
        struct lwp_header header;
        const size_t wanted =
            wire->payload_left ? wire->payload_left : LWP_HEADER_SIZE - wire->head_size;
        const size_t size = bytes.size < wanted ? bytes.size : wanted;
        if (wire->payload_left) {
            wire->payload_left -= size;
        } else {
            memcpy(wire->head + wire->head_size, bytes.data, size);
            wire->head_size += size;
        }
        bytes = lwp_bytes_from(bytes, size);
        if (wire->head_size < LWP_HEADER_SIZE)
            continue;
        lwp_header_decode(wire->head, &header);
        wire->head_size = 0;
        wire->payload_left = header.payload_length;
        /* Of one that was given up the rest may still be on its way. */
        if (header.flags == LWP_FLAG_KEEPALIVE && wire->dial == wire->actor->dials)
            sim_saw_keepalive(wire->actor);
    }
}

/* Nothing overtakes what went before it. */
static void add_piece(struct lane *lane, size_t size, uint64_t due_ns)
{
    const uint64_t before_ns = lane->count ? lane->pieces[lane->count - 1].due_ns : 0;
    lane->pieces[lane->count++] = (struct piece){size, due_ns > before_ns ? due_ns : before_ns};
    lane->size += size;
}

/* Takes a piece from its sender, if there is one and room for it. */
static bool take_piece(struct sim *sim, struct sim_wire *wire, int side)
{
    struct lane *lane = &wire->lanes[side];
    const size_t most = sim_between(&sim->dice, 1, sim->weather.piece_size);
    const size_t room = LANE_ROOM - lane->size < most ? LANE_ROOM - lane->size : most;
    size_t count = 0;
    if (lane->end != LWP_OK || room == 0 || lane->count == LANE_PIECES)
        return false;
    uint8_t *at = lane->bytes + lane->size;
    const enum lwp_status status = lwp_transport_read(wire->ends[side], at, room, &count);
    if (status == LWP_WOULD_BLOCK)
        return false;
    if (status != LWP_OK) {
        lane->end = status;
        sim_note(sim, wire->actor->name, "connection %" PRIu64 " is ended by the %s: %s",
                 wire->dial, side ? "mock" : "client", lwp_status_text(status));
        return true;
    }
    if (side == 0)
        look(wire, (struct lwp_bytes){at, count});
    add_piece(lane, count, sim->now_ns + latency(sim));
    return true;
}

/* Hands on what is due; true if anything was. */
static bool give_piece(const struct sim *sim, struct sim_wire *wire, int side)
{
    struct lane *lane = &wire->lanes[side];
    struct piece *piece = &lane->pieces[0];
    size_t count = 0;
    if (lane->count == 0 || piece->due_ns > sim->now_ns || lane->done)
        return false;
    const enum lwp_status status = lwp_transport_write(
        wire->ends[1 - side], (struct lwp_bytes){lane->bytes, piece->size}, &count);
    if (status == LWP_WOULD_BLOCK)
        return false;
    if (status != LWP_OK) {
        lane->done = true;
        return true;
    }
    lane->size -= count;
    piece->size -= count;
    memmove(lane->bytes, lane->bytes + count, lane->size);
    if (piece->size == 0)
        memmove(lane->pieces, lane->pieces + 1, --lane->count * sizeof(*piece));
    return true;
}

static bool tell_end(struct sim_wire *wire, int side)
{
    struct lane *lane = &wire->lanes[side];
    if (lane->end == LWP_OK || lane->done || (lane->count && lane->end == LWP_CLOSED))
        return false;
    lwp_transport_close(wire->ends[1 - side],
                        lane->end == LWP_CLOSED ? LWP_CLOSE_HALF : LWP_CLOSE_RST);
    lane->done = true;
    return true;
}

static bool carry(struct sim *sim, struct sim_wire *wire)
{
    bool worked = false;
    for (int side = 0; side < 2; side++) {
        worked = take_piece(sim, wire, side) || worked;
        worked = give_piece(sim, wire, side) || worked;
        worked = tell_end(wire, side) || worked;
    }
    return worked;
}

bool sim_carry(struct sim *sim)
{
    bool worked = false;
    struct sim_wire **place = &sim->wires;
    while (*place) {
        struct sim_wire *wire = *place;
        worked = carry(sim, wire) || worked;
        if (wire->lanes[0].done && wire->lanes[1].done) {
            *place = wire->next;
            wire_free(wire);
            continue;
        }
        place = &wire->next;
    }
    return worked;
}

uint64_t sim_carry_due(const struct sim *sim)
{
    uint64_t due_ns = LWP_NEVER;
    for (const struct sim_wire *wire = sim->wires; wire; wire = wire->next)
        for (int side = 0; side < 2; side++) {
            const struct lane *lane = &wire->lanes[side];
            const bool waits = lane->count && !lane->done && lane->pieces[0].due_ns > sim->now_ns;
            if (waits && lane->pieces[0].due_ns < due_ns)
                due_ns = lane->pieces[0].due_ns;
        }
    return due_ns;
}

void sim_cut(struct sim *sim)
{
    unsigned count = 0;
    for (const struct sim_wire *wire = sim->wires; wire; wire = wire->next)
        count++;
    if (count == 0)
        return;
    struct sim_wire *wire = sim->wires;
    for (uint64_t skip = sim_between(&sim->dice, 0, count - 1); skip; skip--)
        wire = wire->next;
    sim_note(sim, wire->actor->name, "the network cuts its connection");
    for (int side = 0; side < 2; side++) {
        wire->lanes[side].end = LWP_RESET;
        wire->lanes[side].count = 0;
    }
}

void sim_hang_up(struct sim *sim)
{
    while (sim->wires) {
        struct sim_wire *next = sim->wires->next;
        wire_free(sim->wires);
        sim->wires = next;
    }
}
