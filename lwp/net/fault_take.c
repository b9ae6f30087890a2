/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "lwp/net/fault_state.h"
#include "lwp/net/grow.h"

static void append(struct fault *fault, struct stretch *stretch)
{
    if (fault->last)
        fault->last->next = stretch;
    else
        fault->head = stretch;
    fault->last = stretch;
}

static bool has_bytes(const struct lwp_damage *damage)
{
    return damage->kind == LWP_DAMAGE_XOR || damage->kind == LWP_DAMAGE_INSERT;
}

/* Adds `count` things of `size` bytes to `*total`, which stays at most `limit`; or false. */
static bool add(size_t *total, size_t count, size_t size, size_t limit)
{
    if (count > (limit - *total) / size)
        return false;
    *total += count * size;
    return true;
}

/* The memory that a copy of the plan takes; false if that is more than the limit. */
static bool cost_of(const struct lwp_fault_plan *plan, size_t limit, size_t *cost)
{
    const struct lwp_damage_list *list = &plan->damage;
    bool fits = add(cost, 1, sizeof(struct stretch), limit) &&
                add(cost, list->count, sizeof(*list->items), limit) &&
                add(cost, plan->piece_count, sizeof(*plan->pieces), limit);
    for (size_t i = 0; fits && i < list->count; i++)
        if (has_bytes(&list->items[i]))
            fits = add(cost, list->items[i].bytes.size, 1, limit);
    return fits;
}

/* Copies the plan into the room behind its stretch: what needs alignment first. */
static void copy_plan(struct stretch *frame, const struct lwp_fault_plan *plan,
                      struct lwp_writer *room)
{
    const size_t damages_size = plan->damage.count * sizeof(*plan->damage.items);
    const size_t pieces_size = plan->piece_count * sizeof(*plan->pieces);
    struct lwp_damage *damages = (void *)lwp_write_room(room, damages_size);
    size_t *pieces = (void *)lwp_write_room(room, pieces_size);
    if (damages_size)
        memcpy(damages, plan->damage.items, damages_size);
    if (pieces_size)
        memcpy(pieces, plan->pieces, pieces_size);
    for (size_t i = 0; i < plan->damage.count; i++)
        if (has_bytes(&damages[i])) {
            const struct lwp_bytes bytes = damages[i].bytes;
            damages[i].bytes.data = room->data + room->size;
            lwp_write(room, bytes);
        }
    frame->plan = *plan;
    frame->plan.damage.items = damages;
    frame->plan.pieces = pieces;
}

/* A stretch with its copy of the plan, `cost` bytes in all; NULL if there is no memory. */
static struct stretch *new_frame(size_t size, const struct lwp_fault_plan *plan, size_t cost)
{
    struct lwp_writer room = lwp_writer_on(malloc(cost), cost);
    if (!room.data)
        return NULL;
    struct stretch *frame = (void *)lwp_write_room(&room, sizeof(*frame));
    *frame = (struct stretch){
        .cost = cost, .wanted = size, .room = lwp_damage_bound(&plan->damage, size)};
    copy_plan(frame, plan, &room);
    return frame;
}

enum lwp_status fault_announce(struct fault *fault, size_t size, const struct lwp_fault_plan *plan)
{
    const size_t limit = fault->out.limit;
    size_t cost = 0;
    if (lwp_damage_bound(&plan->damage, size) > limit ||
        !cost_of(plan, limit - fault->plans_size, &cost))
        return LWP_FULL;
    struct stretch *frame = new_frame(size, plan, cost);
    if (!frame)
        return LWP_NO_MEMORY;
    fault->plans_size += cost;
    append(fault, frame);
    if (!fault->filling)
        fault->filling = frame;
    return LWP_OK;
}

/* Appends bytes, at most `most`, to a stretch at the end of the queue. */
static enum lwp_status fill(struct fault *fault, struct stretch *stretch, struct lwp_bytes bytes,
                            size_t most, size_t *count)
{
    if (bytes.size > most)
        bytes.size = most;
    enum lwp_status status = lwp_queue_grow(&fault->out, bytes.size);
    if (status == LWP_OK)
        status = lwp_queue_push(&fault->out, bytes);
    if (status != LWP_OK)
        return status;
    stretch->size += bytes.size;
    *count += bytes.size;
    return LWP_OK;
}

static enum lwp_status damage(struct fault *fault, struct stretch *frame)
{
    struct lwp_queue *queue = &fault->out;
    const struct lwp_bytes held = lwp_queue_bytes(queue);
    const struct lwp_bytes bytes = lwp_bytes_from(held, held.size - frame->size);
    uint8_t *memory = malloc(frame->room);
    if (!memory)
        return LWP_NO_MEMORY;
    struct lwp_writer out = lwp_writer_on(memory, frame->room);
    enum lwp_status status = lwp_damage_apply(&frame->plan.damage, bytes, &out, &frame->touched);
    if (status == LWP_OK) {
        queue->size -= frame->size;
        frame->size = 0;
        size_t count = 0;
        status = fill(fault, frame, lwp_writer_bytes(&out), out.size, &count);
    }
    free(memory);
    return status;
}

/* Holds the frame until enough others are there. */
static void hold(struct fault *fault, struct stretch *frame)
{
    if (fault->held_count == 0)
        fault->release_ns = lwp_clock_later(fault->now_ns, fault->coalesce_ns);
    frame->held = true;
    if (++fault->held_count >= fault->coalesce_count)
        fault_release(fault);
}

static enum lwp_status finish_frame(struct fault *fault, struct stretch *frame)
{
    const enum lwp_status status = frame->plan.damage.count ? damage(fault, frame) : LWP_OK;
    if (status != LWP_OK)
        return status;
    fault->filling = frame->next;
    frame->whole = true;
    frame->due_ns = fault->now_ns;
    if (frame->plan.not_before_ns > frame->due_ns)
        frame->due_ns = frame->plan.not_before_ns;
    if (fault->coalesce_count > 1)
        hold(fault, frame);
    return LWP_OK;
}

/* Nothing waits for others while it takes the room that they need. */
static enum lwp_status refuse(struct fault *fault)
{
    if (fault->held_count)
        fault_release(fault);
    return LWP_WOULD_BLOCK;
}

static enum lwp_status fill_frame(struct fault *fault, struct lwp_bytes bytes, size_t *count)
{
    struct stretch *frame = fault->filling;
    if (frame->size == 0 && frame->room > fault->out.limit - fault->out.size)
        return refuse(fault);
    const enum lwp_status status = fill(fault, frame, bytes, frame->wanted - frame->size, count);
    if (status != LWP_OK || frame->size < frame->wanted)
        return status;
    return finish_frame(fault, frame);
}

static enum lwp_status fill_plain(struct fault *fault, struct lwp_bytes bytes, size_t *count)
{
    const size_t room = fault->out.limit - fault->out.size;
    if (room == 0)
        return refuse(fault);
    if (!fault->last || fault->last->wanted) {
        struct stretch *plain = malloc(sizeof(*plain));
        if (!plain)
            return LWP_NO_MEMORY;
        *plain = (struct stretch){.due_ns = fault->now_ns, .whole = true};
        append(fault, plain);
    }
    return fill(fault, fault->last, bytes, room, count);
}

enum lwp_status fault_take(struct fault *fault, struct lwp_bytes bytes, size_t *count)
{
    enum lwp_status status = LWP_OK;
    size_t taken = 0;
    while (status == LWP_OK && taken < bytes.size) {
        const struct lwp_bytes rest = lwp_bytes_from(bytes, taken);
        status = fault->filling ? fill_frame(fault, rest, &taken) : fill_plain(fault, rest, &taken);
    }
    if (status == LWP_WOULD_BLOCK && taken)
        status = LWP_OK;
    if (status == LWP_OK)
        *count = taken;
    if (status == LWP_NO_MEMORY) {
        fault->status = status;
        fault_drop(fault);
    }
    return status;
}

void fault_give_up_filling(struct fault *fault)
{
    for (struct stretch *each = fault->filling; each; each = each->next) {
        each->plan = (struct lwp_fault_plan){.id = each->plan.id};
        each->wanted = each->size;
        each->whole = true;
        each->due_ns = fault->now_ns;
    }
    fault->filling = NULL;
}
