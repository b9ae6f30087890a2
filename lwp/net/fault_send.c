/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "lwp/net/fault_state.h"

/* What one call has done. */
struct turn {
    bool sent; /* Something has gone out. */
    bool over; /* Nothing more may. */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* What the stretch is yet to send. */
static size_t left_of(const struct stretch *stretch)
{
    const size_t end =
        stretch->plan.closes ? smaller(stretch->plan.close_after, stretch->size) : stretch->size;
    return end - stretch->sent;
}

static void report(const struct fault *fault, const struct stretch *frame)
{
    enum lwp_fault_fate fate = frame->sent < frame->size ? LWP_FAULT_CUT : LWP_FAULT_WHOLE;
    if (frame->swallowed)
        fate = LWP_FAULT_SWALLOWED;
    const struct lwp_fault_sent sent = {
        frame->plan.id, fate, {lwp_queue_bytes(&fault->out).data, frame->sent}, frame->touched};
    if (fault->hook && frame->wanted)
        fault->hook(fault->context, &sent);
}

static void remove_head(struct fault *fault)
{
    struct stretch *head = fault->head;
    lwp_queue_drop(&fault->out, head->size);
    fault->plans_size -= head->cost;
    fault->head = head->next;
    free(head);
    if (fault->head)
        return;
    fault->last = NULL;
    free(lwp_queue_move(&fault->out, NULL, 0));
}

void fault_drop(struct fault *fault)
{
    if (fault->head && fault->head->sent)
        report(fault, fault->head);
    while (fault->head)
        remove_head(fault);
    fault->filling = NULL;
    fault->held_count = 0;
    fault->piece = 0;
    fault->blocked = false;
}

void fault_close(struct fault *fault, enum lwp_close how)
{
    fault_drop(fault);
    lwp_transport_close(fault->inner, how);
    fault->closing.set = false;
    fault->limit.set = false;
    fault->leaving.set = false;
    fault->closed = (struct ending){true, how};
}

enum lwp_status fault_put(struct fault *fault, struct lwp_bytes bytes, size_t *count)
{
    const enum lwp_status status = lwp_transport_write(fault->inner, bytes, count);
    fault->blocked = status == LWP_WOULD_BLOCK;
    fault->stalled |= fault->blocked;
    fault->transport.error = fault->inner->error;
    if (status == LWP_OK)
        fault->written += *count;
    return status;
}

/* The same up to the place where the connection is to be closed, or into nothing. */
static enum lwp_status put_within(struct fault *fault, struct lwp_bytes bytes, size_t *count)
{
    if (fault->silent) {
        *count = bytes.size;
        fault->swallowed += bytes.size;
        return LWP_OK;
    }
    if (fault->limit.set && fault->limit_at - fault->written < bytes.size)
        bytes.size = (size_t)(fault->limit_at - fault->written);
    const enum lwp_status status = fault_put(fault, bytes, count);
    if (fault->limit.set && fault->written == fault->limit_at)
        fault->closing = fault->limit;
    return status;
}

void fault_release(struct fault *fault)
{
    uint64_t due_ns = fault->now_ns;
    for (const struct stretch *each = fault->head; each; each = each->next)
        if (each->held && each->due_ns > due_ns)
            due_ns = each->due_ns;
    fault->group_count++;
    for (struct stretch *each = fault->head; each; each = each->next)
        if (each->held) {
            each->held = false;
            each->due_ns = due_ns;
            each->group = fault->group_count;
        }
    fault->held_count = 0;
}

/* The bytes of the frames that go out in one write with the first one. */
static size_t joined(const struct stretch *first)
{
    size_t size = left_of(first);
    const struct stretch *each = first;
    while (!each->plan.closes && each->next && each->next->group == first->group &&
           each->next->plan.piece_count == 0) {
        each = each->next;
        size += left_of(each);
    }
    return size;
}

static size_t piece_of(const struct fault *fault)
{
    struct stretch *head = fault->head;
    const struct lwp_fault_plan *plan = &head->plan;
    if (head->group && plan->piece_count == 0)
        return joined(head);
    if (plan->piece_count == 0)
        return smaller(left_of(head), lwp_pace_slice(&fault->pace));
    const size_t size = plan->pieces[head->next_piece];
    if (head->next_piece + 1 < plan->piece_count)
        head->next_piece++;
    return size ? smaller(left_of(head), size) : left_of(head);
}

static bool is_ready(const struct stretch *stretch)
{
    return stretch && stretch->whole && !stretch->held;
}

/* Whether a piece is under way or, if not, can be begun now. */
static bool begin_piece(struct fault *fault, const struct turn *turn)
{
    const struct stretch *head = fault->head;
    if (fault->piece)
        return true;
    if (turn->over || !is_ready(head) || (turn->sent && head->plan.piece_count))
        return false;
    const uint64_t due_ns = lwp_pace_due(&fault->pace, head->due_ns);
    if (due_ns > fault->now_ns)
        return false;
    fault->piece_size = piece_of(fault);
    fault->piece = fault->piece_size;
    fault->piece_due_ns = due_ns;
    fault->stalled = false;
    return true;
}

static void finish_head(struct fault *fault)
{
    const struct lwp_fault_plan *plan = &fault->head->plan;
    if (plan->closes)
        fault->closing = (struct ending){true, plan->how};
    report(fault, fault->head);
    remove_head(fault);
}

/* Accounts for bytes that have gone out, over as many stretches as they are of. */
static void pass(struct fault *fault, size_t count)
{
    do {
        struct stretch *head = fault->head;
        const size_t left = left_of(head);
        const size_t part = smaller(count, left);
        count -= part;
        head->sent += part;
        head->swallowed |= fault->silent && part;
        if (part == left) {
            finish_head(fault);
        } else if (head->wanted == 0) {
            lwp_queue_drop(&fault->out, head->sent);
            head->size -= head->sent;
            head->sent = 0;
        } else if (fault->piece == 0 && head->plan.gap_ns) {
            head->due_ns = lwp_clock_later(fault->now_ns, head->plan.gap_ns);
        }
    } while (count);
}

static enum lwp_status send_piece(struct fault *fault, struct turn *turn)
{
    const bool chopped = fault->head->plan.piece_count != 0;
    if (fault->piece == 0)
        pass(fault, 0); /* A frame of which nothing is left, or is to go out. */
    while (fault->piece && !fault->closing.set) {
        size_t count = 0;
        const struct lwp_bytes from =
            lwp_bytes_from(lwp_queue_bytes(&fault->out), fault->head->sent);
        const enum lwp_status status =
            put_within(fault, (struct lwp_bytes){from.data, fault->piece}, &count);
        if (status != LWP_OK)
            return status;
        turn->sent = true;
        fault->piece -= count;
        pass(fault, count);
    }
    /* What waited for the peer has not saved up anything. */
    lwp_pace_pay(&fault->pace, fault->piece_size,
                 fault->stalled ? fault->now_ns : fault->piece_due_ns);
    turn->over = chopped;
    return LWP_OK;
}

/* The closes that have come due. A reset takes from the peer what it has not read, so it waits. */
static void end(struct fault *fault, const struct turn *turn)
{
    if (fault->closing.set && !(turn->sent && fault->closing.how == LWP_CLOSE_RST))
        fault_close(fault, fault->closing.how);
    if (fault->leaving.set && !fault->head && !fault->closing.set) {
        fault->leaving.set = false;
        lwp_transport_close(fault->inner, fault->leaving.how);
    }
}

enum lwp_status fault_work(struct fault *fault)
{
    struct turn turn = {false, false};
    enum lwp_status status = fault->status;
    if (fault->held_count && fault->now_ns >= fault->release_ns)
        fault_release(fault);
    while (status == LWP_OK && !fault->closing.set && begin_piece(fault, &turn))
        status = send_piece(fault, &turn);
    if (status != LWP_OK && status != LWP_WOULD_BLOCK) {
        fault->status = status;
        fault_drop(fault);
    }
    end(fault, &turn);
    return status;
}
