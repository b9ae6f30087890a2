/* SPDX-License-Identifier: MIT */
/* The way of an answer out: what scripts make of it, and what it waits for. */
#include <stdlib.h>

#include "lwp/bug/bug.h"
#include "lwp/net/clock.h"
#include "mock_server/perform.h"

enum {
    MAX_WAITING = 16384, /* Answers that wait on one connection. */
    MAX_WAITING_BYTES = 67108864
};

static void mix_damage(struct stage_fate *fate, const struct stage_fate *more)
{
    for (unsigned i = 0; i < more->damage_count && fate->damage_count < STAGE_MAX_DAMAGE; i++)
        fate->damage[fate->damage_count++] = more->damage[i];
}

/* Adds one fate to another, in this order. */
static void mix(struct stage_fate *fate, const struct stage_fate *more)
{
    fate->set |= more->set;
    fate->drops |= more->drops;
    fate->holds |= more->holds;
    fate->extra_copies += more->extra_copies;
    fate->late_ns += more->late_ns;
    fate->in_order_ns += more->in_order_ns;
    if (more->await.size)
        fate->await = more->await;
    if (more->reorder)
        fate->reorder = more->reorder;
    if (more->chop)
        fate->chop = more->chop;
    if (more->close)
        fate->close = more->close;
    if (more->rule)
        fate->rule = more->rule;
    mix_damage(fate, more);
}

/* Waiting. */

static bool has_to_wait(const struct stage_fate *fate)
{
    return fate->await.size || fate->holds || fate->reorder || fate->late_ns;
}

/* Sends it, if there is nothing more to wait for than the time. */
static void send_or_time(struct connection *connection, struct parcel *parcel, uint64_t now_ns)
{
    if (parcel->fate.late_ns) {
        parcel->due_ns = lwp_clock_later(now_ns, parcel->fate.late_ns);
        parcel->fate.late_ns = 0;
        parcel_add_by_time(&connection->timed, parcel);
        return;
    }
    connection_put(connection, parcel_bytes(parcel), &parcel->fate, now_ns);
    free(parcel);
}

/* So many are together: the last first. */
static void send_reversed(struct connection *connection, const struct script_action *reorder,
                          uint64_t now_ns)
{
    for (;;) {
        struct parcel **last = NULL;
        for (struct parcel **p = &connection->waiting.first; *p; p = &(*p)->next)
            if ((*p)->fate.reorder == reorder && !(*p)->fate.await.size && !(*p)->fate.holds)
                last = p;
        if (!last)
            return;
        struct parcel *parcel = parcel_take(&connection->waiting, last);
        parcel->fate.reorder = NULL;
        send_or_time(connection, parcel, now_ns);
    }
}

static bool is_complete(const struct connection *connection, const struct script_action *reorder)
{
    uint64_t count = 0;
    for (const struct parcel *p = connection->waiting.first; p; p = p->next)
        count += p->fate.reorder == reorder && !p->fate.await.size && !p->fate.holds;
    return count >= reorder->number;
}

/* What was asked last: many answers wait for the same name. */
struct reached {
    const uint8_t *name;
    bool is_so;
};

/* Whether the parcel has to wait for nothing more but a group and the time, and had to until now. */
static bool is_let_go(const struct connection *connection, struct stage_fate *fate, bool released,
                      struct reached *last)
{
    const bool was_held = fate->holds || fate->await.size;
    fate->holds = fate->holds && !released;
    if (fate->await.size && fate->await.data != last->name)
        *last = (struct reached){fate->await.data,
                                 stage_reached(connection->host->stage, fate->await)};
    if (fate->await.size && last->is_so)
        fate->await.size = 0;
    return was_held && !fate->holds && !fate->await.size;
}

/* Goes once through all that waits. A group can only be complete by a parcel that has come to it. */
static bool let_go(struct connection *connection, bool released, uint64_t now_ns)
{
    struct parcel **place = &connection->waiting.first;
    struct reached last = {NULL, false};
    bool any = false;
    while (*place) {
        const bool ready = is_let_go(connection, &(*place)->fate, released, &last);
        const struct script_action *reorder = (*place)->fate.reorder;
        if (!ready || (reorder && !is_complete(connection, reorder))) {
            place = &(*place)->next;
            continue;
        }
        any = true;
        if (!reorder) {
            send_or_time(connection, parcel_take(&connection->waiting, place), now_ns);
            continue;
        }
        send_reversed(connection, reorder, now_ns);
        place = &connection->waiting.first;
    }
    return any;
}

bool connection_work_waiting(struct connection *connection, uint64_t now_ns)
{
    const uint64_t progress = stage_progress(connection->host->stage);
    bool worked = false;
    if (connection->waiting.first && connection->waited_for != progress)
        worked = let_go(connection, false, now_ns);
    connection->waited_for = progress;
    while (connection->timed.first && connection->timed.first->due_ns <= now_ns) {
        worked = true;
        send_or_time(connection, parcel_take(&connection->timed, &connection->timed.first), now_ns);
    }
    return worked;
}

uint64_t connection_waiting_due(const struct connection *connection)
{
    if (connection->waiting.first &&
        connection->waited_for != stage_progress(connection->host->stage))
        return 0;
    return connection->timed.first ? connection->timed.first->due_ns : LWP_NEVER;
}

void connection_release(struct connection *connection, uint64_t now_ns)
{
    (void)let_go(connection, true, now_ns);
}

/* Takes in a parcel that has to wait, if only for the time. */
static void wait_for_it(struct connection *connection, struct parcel *parcel, uint64_t now_ns)
{
    struct stage_fate *fate = &parcel->fate;
    if (fate->await.size && stage_reached(connection->host->stage, fate->await))
        fate->await.size = 0;
    if (!fate->await.size && !fate->holds && !fate->reorder) {
        send_or_time(connection, parcel, now_ns);
        return;
    }
    const struct script_action *reorder = fate->reorder;
    parcel_add(&connection->waiting, parcel);
    if (reorder && !fate->await.size && !fate->holds && is_complete(connection, reorder))
        send_reversed(connection, reorder, now_ns);
}

static void wait_or_put(struct connection *connection, struct parcel *parcel, uint64_t now_ns)
{
    const size_t count = connection->waiting.count + connection->timed.count;
    const size_t memory = connection->waiting.memory + connection->timed.memory;
    if (!has_to_wait(&parcel->fate)) {
        connection_put(connection, parcel_bytes(parcel), &parcel->fate, now_ns);
        free(parcel);
    } else if (count >= MAX_WAITING || memory + parcel->size > MAX_WAITING_BYTES) {
        free(parcel);
        connection_reset(connection, now_ns);
    } else {
        wait_for_it(connection, parcel, now_ns);
    }
}

/* Every answer comes by here, once: rules on frames that go out have their say. False if it is not to
 * be sent. */
static bool settle_fate(struct connection *connection, const struct lwp_frame *frame,
                        struct stage_fate *fate, uint64_t now_ns)
{
    struct stage_decision decision;
    if (connection->standing)
        mix(fate, connection->standing);
    if (frame && stage_is_set(connection->host->stage) &&
        stage_frame_out(connection->host->stage, &connection->peer, frame, now_ns, &decision)) {
        mix(fate, &decision.fate);
        connection_perform_all(connection, &decision, now_ns);
        connection_perform_cluster(connection, &decision, now_ns);
        if (decision.close)
            return connection_close_before(connection, &decision, now_ns);
    }
    return !fate->drops && !connection->link.closing;
}

void connection_send(struct connection *connection, const struct lwp_frame *frame,
                     const struct stage_fate *fate, uint64_t now_ns)
{
    struct stage_fate whole;
    if (connection->muted)
        return;
    if (!fate && !connection->standing && !stage_is_set(connection->host->stage)) {
        connection_put_frame(connection, frame, now_ns);
        return;
    }
    stage_fate_init(&whole);
    if (fate)
        mix(&whole, fate);
    if (!settle_fate(connection, frame, &whole, now_ns))
        return;
    if (!whole.set) {
        connection_put_frame(connection, frame, now_ns);
        return;
    }
    struct parcel *parcel = parcel_sealed(frame, connection->asker.dialect);
    if (!parcel) {
        connection_hang_up(connection, now_ns);
        return;
    }
    parcel->fate = whole;
    wait_or_put(connection, parcel, now_ns);
}

void connection_post(struct connection *connection, struct parcel *parcel, uint64_t now_ns)
{
    const struct lwp_frame frame = {
        connection_header_of(parcel_bytes(parcel)),
        lwp_bytes_from(parcel_bytes(parcel),
                       parcel->size < LWP_HEADER_SIZE ? parcel->size : LWP_HEADER_SIZE)};
    const bool is_frame = frame.header.magic == LWP_MAGIC;
    if (settle_fate(connection, is_frame ? &frame : NULL, &parcel->fate, now_ns))
        wait_or_put(connection, parcel, now_ns);
    else
        free(parcel);
}

/* What is owed. */

static size_t memory_of(const struct owed *owed)
{
    return (owed->parcel ? sizeof(*owed->parcel) + owed->parcel->size : 0) +
           (owed->fate ? sizeof(*owed->fate) : 0);
}

void connection_owe(struct connection *connection, const struct owed *owed, uint64_t now_ns)
{
    if (connection->owed_count == connection->owed_capacity) {
        const size_t capacity = connection->owed_capacity ? 2 * connection->owed_capacity : 64;
        struct owed *grown = realloc(connection->owed, capacity * sizeof(*grown));
        if (!grown) {
            free(owed->parcel);
            free(owed->fate);
            connection_hang_up(connection, now_ns);
            return;
        }
        connection->owed = grown;
        connection->owed_capacity = capacity;
    }
    connection->owed[connection->owed_count++] = *owed;
    connection->owed_memory += memory_of(owed);
}

void connection_default(struct connection *connection)
{
    for (size_t i = 0; i < connection->owed_count; i++) {
        free(connection->owed[i].parcel);
        free(connection->owed[i].fate);
    }
    connection->owed_count = 0;
    connection->owed_memory = 0;
}

static void pay(struct connection *connection, struct owed *owed, uint64_t now_ns)
{
    const struct lwp_frame ack = {.header = {.flags = LWP_FLAG_ACK, .batch_id = owed->batch_id}};
    struct parcel *parcel = owed->parcel;
    owed->parcel = NULL;
    if (parcel)
        connection_post(connection, parcel, now_ns);
    else
        connection_send(connection, &ack, owed->fate, now_ns);
}

void connection_pay(struct connection *connection, uint64_t now_ns)
{
    if (connection->owed_count == 0)
        return;
    lwp_broker_flush(connection->host->broker);
    for (size_t i = 0; i < connection->owed_count && !connection->link.closing; i++) {
        const size_t at = LWP_BUG(acks_in_reverse) ? connection->owed_count - 1 - i : i;
        pay(connection, &connection->owed[at], now_ns);
    }
    connection_default(connection);
}
