/* SPDX-License-Identifier: MIT */
/* The way of an answer out: what scripts make of it, and what it waits for. */
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "lwp/net/fault.h"
#include "mock_server/mutants.h"
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

/* Waiting: for a barrier, then for a release, then for others to be reordered with, then for the time.
 */

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
        parcel_heap_add(&connection->timed, parcel);
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
        for (struct parcel **p = &connection->collected.first; *p; p = &(*p)->next)
            if ((*p)->fate.reorder == reorder)
                last = p;
        if (!last)
            return;
        send_or_time(connection, parcel_take(&connection->collected, last), now_ns);
    }
}

static void collect_or_send(struct connection *connection, struct parcel *parcel, uint64_t now_ns)
{
    const struct script_action *reorder = parcel->fate.reorder;
    uint64_t count = 0;
    if (!reorder) {
        send_or_time(connection, parcel, now_ns);
        return;
    }
    parcel_add(&connection->collected, parcel);
    for (const struct parcel *p = connection->collected.first; p; p = p->next)
        count += p->fate.reorder == reorder;
    if (count >= reorder->number)
        send_reversed(connection, reorder, now_ns);
}

static void hold_or_send(struct connection *connection, struct parcel *parcel, uint64_t now_ns)
{
    if (parcel->fate.holds)
        parcel_add(&connection->held, parcel);
    else
        collect_or_send(connection, parcel, now_ns);
}

static bool is_let_through(const struct connection *connection, const struct parcel *parcel)
{
    return !parcel->fate.await.size || stage_reached(connection->host->stage, parcel->fate.await);
}

/* Whether a barrier may have been reached since this was last asked. */
static bool has_to_look(const struct connection *connection)
{
    return connection->awaiting.first &&
           connection->progress != stage_progress(connection->host->stage);
}

static bool let_through(struct connection *connection, uint64_t now_ns)
{
    bool any = false;
    bool reached = false;
    const uint8_t *asked = NULL; /* Many wait for the same: one question is enough. */
    struct parcel **place = &connection->awaiting.first;
    connection->progress = stage_progress(connection->host->stage);
    while (*place) {
        if ((*place)->fate.await.data != asked) {
            asked = (*place)->fate.await.data;
            reached = is_let_through(connection, *place);
        }
        if (reached) {
            any = true;
            hold_or_send(connection, parcel_take(&connection->awaiting, place), now_ns);
        } else {
            place = &(*place)->next;
        }
    }
    return any;
}

bool connection_work_waiting(struct connection *connection, uint64_t now_ns)
{
    bool worked = has_to_look(connection) && let_through(connection, now_ns);
    while (connection->timed.first && connection->timed.first->due_ns <= now_ns) {
        worked = true;
        send_or_time(connection, parcel_heap_take(&connection->timed), now_ns);
    }
    return worked;
}

uint64_t connection_waiting_due(const struct connection *connection)
{
    if (has_to_look(connection))
        return 0;
    return connection->timed.first ? connection->timed.first->due_ns : LWP_NEVER;
}

bool connection_has_held(const struct connection *connection)
{
    return connection->held.first || connection->awaiting.first;
}

void connection_release(struct connection *connection, uint64_t now_ns)
{
    for (struct parcel *p = connection->awaiting.first; p; p = p->next)
        p->fate.holds = false;
    while (connection->held.first)
        collect_or_send(connection, parcel_take(&connection->held, &connection->held.first),
                        now_ns);
}

size_t connection_waiting_memory(const struct connection *connection)
{
    return connection->awaiting.memory + connection->held.memory + connection->collected.memory +
           connection->timed.memory;
}

void connection_drop_held(struct connection *connection)
{
    parcel_drop_all(&connection->awaiting);
    parcel_drop_all(&connection->held);
    parcel_drop_all(&connection->collected);
}

static void wait(struct connection *connection, struct parcel *parcel, uint64_t now_ns)
{
    if (is_let_through(connection, parcel)) {
        hold_or_send(connection, parcel, now_ns);
        return;
    }
    if (!connection->awaiting.first)
        connection->progress = stage_progress(connection->host->stage);
    parcel_add(&connection->awaiting, parcel);
}

static void wait_or_put(struct connection *connection, struct parcel *parcel, uint64_t now_ns)
{
    const size_t count = connection->awaiting.count + connection->held.count +
                         connection->collected.count + connection->timed.count;
    if (!has_to_wait(&parcel->fate)) {
        connection_put(connection, parcel_bytes(parcel), &parcel->fate, now_ns);
        free(parcel);
    } else if (count >= MAX_WAITING ||
               connection_waiting_memory(connection) + parcel->size > MAX_WAITING_BYTES) {
        free(parcel);
        connection_reset(connection, now_ns);
    } else {
        wait(connection, parcel, now_ns);
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

/* Bugs that do more than an ack. */
static void overdo(struct connection *connection, const struct lwp_frame *ack, uint64_t now_ns)
{
    static const uint8_t nothing[16] = {0};
    const struct lwp_frame pushed =
        lwp_message_frame(LWP_COMMAND_FETCH_RESPONSE, (struct lwp_bytes){nothing, sizeof(nothing)});
    if (LWP_BUG(acks_twice))
        connection_send(connection, ack, NULL, now_ns);
    if (LWP_BUG(pushes_records))
        connection_send(connection, &pushed, NULL, now_ns);
    if (LWP_BUG(hangs_up_after_acks))
        connection_hang_up(connection, now_ns);
}

static void pay(struct connection *connection, struct owed *owed, uint64_t now_ns)
{
    struct lwp_frame ack = {.header = {.flags = LWP_FLAG_ACK, .batch_id = owed->batch_id}};
    struct parcel *parcel = owed->parcel;
    owed->parcel = NULL;
    mutants_misanswer(&ack);
    if (parcel)
        connection_post(connection, parcel, now_ns);
    else
        connection_send(connection, &ack, owed->fate, now_ns);
    overdo(connection, &ack, now_ns);
}

void connection_pay(struct connection *connection, uint64_t now_ns)
{
    if (connection->owed_count == 0)
        return;
    if (!LWP_BUG(acks_before_flush))
        lwp_broker_flush(connection->host->broker);
    for (size_t i = 0; i < connection->owed_count && !connection->link.closing; i++) {
        const size_t at = LWP_BUG(acks_in_reverse) ? connection->owed_count - 1 - i : i;
        pay(connection, &connection->owed[at], now_ns);
    }
    connection_default(connection);
}

/* Scripts go. */

static void forget_owed(struct connection *connection)
{
    for (size_t i = 0; i < connection->owed_count; i++) {
        free(connection->owed[i].fate);
        connection->owed[i].fate = NULL;
        if (connection->owed[i].parcel)
            stage_fate_init(&connection->owed[i].parcel->fate);
    }
}

/* What stays would stay for ever: nobody is left who could end it. */
static void lift_faults(struct connection *connection)
{
    connection->resumed |= connection->stopped;
    connection->stopped = false;
    if (connection->faults)
        lwp_fault_lift(connection->faults);
}

static void put_plain(struct connection *connection, struct parcel *parcel, uint64_t now_ns)
{
    connection_put(connection, parcel_bytes(parcel), NULL, now_ns);
    free(parcel);
}

void connection_forget_scripts(struct connection *connection, uint64_t now_ns)
{
    struct parcel_list *lists[] = {&connection->held, &connection->awaiting,
                                   &connection->collected};
    connection->closed_rule = (struct lwp_bytes){NULL, 0};
    free(connection->standing);
    connection->standing = NULL;
    connection->peer.dice_count = 0;
    forget_owed(connection);
    lift_faults(connection);
    for (struct parcel *p = connection->announced.first; p; p = p->next)
        stage_fate_init(&p->fate);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        while (lists[i]->first)
            put_plain(connection, parcel_take(lists[i], &lists[i]->first), now_ns);
    while (connection->timed.first)
        put_plain(connection, parcel_heap_take(&connection->timed), now_ns);
}
