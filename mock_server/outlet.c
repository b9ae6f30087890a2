/* SPDX-License-Identifier: MIT */
/* The last step of an answer: into the queue, with what is to happen to its bytes behind it. */
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "lwp/net/fault.h"
#include "mock_server/connection.h"
#include "mock_server/mutants.h"

enum { MAX_FAULT_BYTES = 67108864 /* What the wrapper holds at most. */ };

/* Events. */

static void tell_sent(const struct connection *connection, struct lwp_bytes wire, bool damaged,
                      const struct script_rule *rule)
{
    const bool was_frame = damaged || connection_header_of(wire).magic == LWP_MAGIC;
    struct lwp_event event = {.kind = was_frame ? LWP_EVENT_FRAME_OUT : LWP_EVENT_BYTES_OUT,
                              .wire = wire,
                              .damaged = damaged};
    if (rule) {
        event.rule = rule->id;
        event.scenario = stage_scenario_id(connection->host->stage, rule);
    }
    connection_tell(connection, &event);
}

/* The wrapper has dealt with the frame that was announced first. */
static void note_sent(void *context, const struct lwp_fault_sent *sent)
{
    struct connection *connection = context;
    struct parcel *parcel = connection->announced.first;
    if (!parcel || parcel->due_ns != sent->id)
        return; /* Announced while nobody wanted to know. */
    (void)parcel_take(&connection->announced, &connection->announced.first);
    if (sent->bytes.size && sent->fate != LWP_FAULT_SWALLOWED)
        tell_sent(connection, sent->bytes, sent->touched || sent->fate == LWP_FAULT_CUT,
                  parcel->fate.rule);
    free(parcel);
}

struct lwp_transport *connection_faults(struct connection *connection, uint64_t now_ns)
{
    const struct lwp_fault_plan nothing = {.id = 0};
    const size_t unsent = connection->link.session.out.size;
    struct lwp_transport *outer = NULL;
    if (connection->faults)
        return connection->faults;
    if (lwp_fault_new(connection->link.transport, MAX_FAULT_BYTES, &outer) != LWP_OK)
        return NULL;
    connection->link.transport = outer;
    connection->faults = outer;
    lwp_fault_watch(outer, note_sent, connection);
    lwp_fault_advance(outer, now_ns);
    /* What is queued already is announced as well, so that frames keep their places. */
    if (unsent && lwp_fault_announce(outer, unsent, &nothing) != LWP_OK)
        return NULL;
    return outer;
}

/* Into the queue. */

static const enum lwp_damage_kind damage_kinds[SCRIPT_ACTION_COUNT] = {
    [SCRIPT_ACTION_SET] = LWP_DAMAGE_SET,           [SCRIPT_ACTION_XOR] = LWP_DAMAGE_XOR,
    [SCRIPT_ACTION_CUT] = LWP_DAMAGE_CUT,           [SCRIPT_ACTION_INSERT] = LWP_DAMAGE_INSERT,
    [SCRIPT_ACTION_TRUNCATE] = LWP_DAMAGE_TRUNCATE,
};

/* A frame before the damage. */
struct original {
    struct lwp_bytes wire;
    struct lwp_header header;
    enum lwp_polynomial polynomial;
};

/* What the field is set to. What is wrong, or of the other polynomial, is so for the original. */
static uint64_t value_of(const struct stage_damage *said, const struct original *original)
{
    const struct script_field *field = said->action->frame.fields.items;
    const enum lwp_polynomial other = original->polynomial == LWP_CRC32 ? LWP_CRC32C : LWP_CRC32;
    const uint64_t right = lwp_header_get(&original->header, field->header);
    if (field->value.kind == SCRIPT_VARIABLE)
        return said->value;
    if (field->value.kind != SCRIPT_OTHER_POLYNOMIAL)
        return script_number_of(&field->value, NULL, right);
    return field->header == LWP_HEADER_header_crc
               ? lwp_header_crc(&original->header, other)
               : lwp_crc(other, lwp_bytes_from(original->wire, LWP_HEADER_SIZE));
}

static struct lwp_damage damage_of(const struct stage_damage *said, const struct original *original)
{
    const struct script_action *action = said->action;
    struct lwp_damage damage = {.kind = damage_kinds[action->kind],
                                .offset = action->offset,
                                .size = action->number,
                                .bytes = action->bytes};
    if (action->kind == SCRIPT_ACTION_TRUNCATE)
        damage.offset = (int64_t)action->number;
    if (action->kind == SCRIPT_ACTION_SET) {
        damage.field = action->frame.fields.items[0].header;
        damage.reseals = action->fixes_checksum;
        damage.value = value_of(said, original);
    }
    return damage;
}

struct lwp_header connection_header_of(struct lwp_bytes wire)
{
    struct lwp_header header = {.magic = 0};
    if (wire.size >= LWP_HEADER_SIZE)
        lwp_header_decode(wire.data, &header);
    return header;
}

static void plan_close(const struct script_action *close, struct lwp_fault_plan *plan)
{
    static const enum lwp_close ways[] = {[SCRIPT_END_FIN] = LWP_CLOSE_FIN,
                                          [SCRIPT_END_RST] = LWP_CLOSE_RST,
                                          [SCRIPT_END_HALF] = LWP_CLOSE_HALF};
    if (!close)
        return;
    plan->closes = true;
    plan->how = ways[close->end];
    plan->close_after = close->has_number ? (size_t)close->number : SIZE_MAX;
}

/* Tells the wrapper what is to happen to the next bytes. A connection ends behind the last copy. */
static enum lwp_status announce(struct connection *connection, struct lwp_bytes wire,
                                const struct stage_fate *fate, bool is_last, uint64_t now_ns)
{
    struct lwp_damage damage[STAGE_MAX_DAMAGE];
    const struct original original = {wire, connection_header_of(wire),
                                      connection->asker.dialect->polynomial};
    struct lwp_fault_plan plan = {.id = ++connection->announcements};
    if (fate) {
        for (unsigned i = 0; i < fate->damage_count; i++)
            damage[i] = damage_of(&fate->damage[i], &original);
        plan.damage = (struct lwp_damage_list){damage, fate->damage_count, original.polynomial};
        if (fate->chop) {
            plan.pieces = fate->chop->sizes.items;
            plan.piece_count = fate->chop->sizes.count;
            plan.gap_ns = fate->chop->gap_ns;
        }
        plan.not_before_ns = fate->in_order_ns ? lwp_clock_later(now_ns, fate->in_order_ns) : 0;
        plan_close(is_last ? fate->close : NULL, &plan);
        if (plan.closes)
            connection->closed_rule = stage_rule_id(connection->host->stage, fate->close);
    }
    if (lwp_events_wanted(connection->host->events)) {
        struct parcel *kept = parcel_of(wire, fate);
        if (!kept)
            return LWP_NO_MEMORY;
        kept->due_ns = plan.id;
        parcel_add(&connection->announced, kept);
    }
    return lwp_fault_announce(connection->faults, wire.size, &plan);
}

static bool needs_faults(const struct stage_fate *fate)
{
    return fate && (fate->damage_count || fate->chop || fate->close || fate->in_order_ns);
}

/* Tells the wrapper of bytes to come, if there is one or has to be. */
static enum lwp_status prepare(struct connection *connection, struct lwp_bytes wire,
                               const struct stage_fate *fate, bool is_last, uint64_t now_ns)
{
    if (needs_faults(fate) && !connection_faults(connection, now_ns))
        return LWP_NO_MEMORY;
    return connection->faults ? announce(connection, wire, fate, is_last, now_ns) : LWP_OK;
}

/* Encoded bytes go into the queue, with what is to happen to them there. */
static void put_once(struct connection *connection, struct lwp_bytes wire,
                     const struct stage_fate *fate, bool is_last, uint64_t now_ns)
{
    if (connection->link.closing || connection->halved || wire.size == 0)
        return;
    enum lwp_status status = prepare(connection, wire, fate, is_last, now_ns);
    if (status == LWP_OK)
        status = lwp_link_push(&connection->link, wire, now_ns);
    if (status != LWP_OK)
        connection_hang_up(connection, now_ns);
    else if (!connection->faults && lwp_events_wanted(connection->host->events))
        tell_sent(connection, wire, false, fate ? fate->rule : NULL);
}

void connection_put(struct connection *connection, struct lwp_bytes wire,
                    const struct stage_fate *fate, uint64_t now_ns)
{
    for (unsigned copies = fate ? fate->extra_copies : 0;; copies--) {
        put_once(connection, wire, fate, copies == 0, now_ns);
        if (copies == 0)
            return;
    }
}

/* The common case: nothing in particular happens to it. */
void connection_put_frame(struct connection *connection, const struct lwp_frame *frame,
                          uint64_t now_ns)
{
    const bool watched =
        connection->faults || connection->halved || lwp_events_wanted(connection->host->events);
    const enum lwp_status status =
        watched ? LWP_OK : lwp_link_send(&connection->link, frame, 0, now_ns);
    mutants_misseal(&connection->link.session, frame);
    if (status != LWP_OK)
        connection_hang_up(connection, now_ns);
    if (!watched)
        return;
    struct parcel *parcel = parcel_sealed(frame, connection->asker.dialect);
    if (!parcel)
        connection_hang_up(connection, now_ns);
    else
        connection_put(connection, parcel_bytes(parcel), NULL, now_ns);
    free(parcel);
}
