/* SPDX-License-Identifier: MIT */
#include "lwp/net/fault.h"

#include <stdlib.h>

#include "lwp/net/fault_state.h"
#include "lwp/session/session.h"

static struct fault *fault_of(struct lwp_transport *transport)
{
    return (struct fault *)(void *)transport;
}

static const struct fault *const_fault_of(const struct lwp_transport *transport)
{
    return (const struct fault *)(const void *)transport;
}

/* Whether there is nothing between the caller and the inner transport. */
static bool is_clear(const struct fault *fault)
{
    return !fault->head && !fault->silent && !fault->pace.rate && !fault->limit.set &&
           !fault->closed.set && !fault->closing.set && !fault->leaving.set &&
           fault->status == LWP_OK;
}

static enum lwp_status fault_read(struct lwp_transport *transport, uint8_t *out, size_t size,
                                  size_t *count)
{
    struct fault *fault = fault_of(transport);
    if (fault->closed.set && fault->closed.how != LWP_CLOSE_HALF)
        return fault->closed.how == LWP_CLOSE_RST ? LWP_RESET : LWP_CLOSED;
    if (fault->reading_stopped)
        return LWP_WOULD_BLOCK;
    const enum lwp_status status = lwp_transport_read(fault->inner, out, size, count);
    transport->error = fault->inner->error;
    return status;
}

/* What a write comes to when nothing can be sent any more; LWP_OK if that is not so. */
static enum lwp_status over(const struct fault *fault)
{
    if (fault->status != LWP_OK)
        return fault->status;
    return fault->closed.set || fault->closing.set || fault->leaving.set ? LWP_RESET : LWP_OK;
}

static enum lwp_status fault_write(struct lwp_transport *transport, struct lwp_bytes bytes,
                                   size_t *count)
{
    struct fault *fault = fault_of(transport);
    if (is_clear(fault))
        return fault_put(fault, bytes, count);
    if (fault->closed.set && fault->closed.how == LWP_CLOSE_HALF) {
        fault->swallowed += bytes.size;
        *count = bytes.size;
        return LWP_OK;
    }
    if (over(fault) != LWP_OK)
        return over(fault);
    const enum lwp_status taken = fault_take(fault, bytes, count);
    if (taken == LWP_NO_MEMORY)
        return taken;
    const enum lwp_status sent = fault_work(fault);
    if (sent != LWP_OK && sent != LWP_WOULD_BLOCK)
        return sent;
    if (taken == LWP_OK || over(fault) != LWP_OK)
        return taken;
    /* Sending may have made room. */
    return fault_take(fault, bytes, count);
}

static void fault_leave(struct lwp_transport *transport, enum lwp_close how)
{
    struct fault *fault = fault_of(transport);
    if (how == LWP_CLOSE_RST) {
        fault_drop(fault);
        fault->closing.set = false;
    }
    if (how == LWP_CLOSE_RST || (!fault->head && !fault->closing.set)) {
        fault->leaving.set = false;
        lwp_transport_close(fault->inner, how);
        return;
    }
    /* Nothing is sent here, so that the last piece of a write stays a piece. */
    fault_give_up_filling(fault);
    if (fault->held_count)
        fault_release(fault);
    if (!fault->leaving.set || how == LWP_CLOSE_FIN)
        fault->leaving = (struct ending){true, how};
}

static int fault_fd(const struct lwp_transport *transport)
{
    return lwp_transport_fd(const_fault_of(transport)->inner);
}

static void fault_free(struct lwp_transport *transport)
{
    struct fault *fault = fault_of(transport);
    fault_drop(fault);
    lwp_transport_free(fault->inner);
    free(fault);
}

static const struct lwp_transport_ops fault_ops = {fault_read, fault_write, fault_leave,
                                                   fault_fd,   fault_free,  NULL};

enum lwp_status lwp_fault_new(struct lwp_transport *inner, size_t limit,
                              struct lwp_transport **outer)
{
    struct fault *fault = malloc(sizeof(*fault));
    if (!fault)
        return LWP_NO_MEMORY;
    *fault = (struct fault){.transport = {&fault_ops, 0}, .inner = inner, .status = LWP_OK};
    fault->out.limit = limit;
    *outer = &fault->transport;
    return LWP_OK;
}

void lwp_fault_watch(struct lwp_transport *outer, lwp_fault_hook hook, void *context)
{
    fault_of(outer)->hook = hook;
    fault_of(outer)->context = context;
}

enum lwp_status lwp_fault_announce(struct lwp_transport *outer, size_t size,
                                   const struct lwp_fault_plan *plan)
{
    struct fault *fault = fault_of(outer);
    if (size == 0)
        return LWP_INVALID_ARGUMENT;
    return over(fault) == LWP_OK ? fault_announce(fault, size, plan) : LWP_OK;
}

void lwp_fault_rate(struct lwp_transport *outer, uint64_t rate)
{
    lwp_pace_set(&fault_of(outer)->pace, rate);
}

void lwp_fault_coalesce(struct lwp_transport *outer, size_t count, uint64_t within_ns)
{
    struct fault *fault = fault_of(outer);
    fault->coalesce_count = count;
    fault->coalesce_ns = within_ns;
    if (fault->held_count && fault->held_count >= count)
        fault_release(fault);
}

void lwp_fault_silence(struct lwp_transport *outer, bool silent)
{
    struct fault *fault = fault_of(outer);
    fault->silent = silent;
    fault->blocked &= !silent; /* Silence takes all. */
}

void lwp_fault_stop_reading(struct lwp_transport *outer, bool stopped)
{
    fault_of(outer)->reading_stopped = stopped;
}

void lwp_fault_close_after(struct lwp_transport *outer, enum lwp_close how, uint64_t offset)
{
    struct fault *fault = fault_of(outer);
    if (fault->closed.set && fault->closed.how != LWP_CLOSE_HALF)
        return;
    fault->limit = (struct ending){true, how};
    fault->limit_at = offset;
    if (fault->written >= offset)
        fault_close(fault, how);
}

void lwp_fault_lift(struct lwp_transport *outer)
{
    struct fault *fault = fault_of(outer);
    lwp_fault_coalesce(outer, 0, LWP_NEVER);
    lwp_fault_rate(outer, 0);
    lwp_fault_silence(outer, false);
    fault->reading_stopped = false;
    fault->limit.set = false;
}

void lwp_fault_advance(struct lwp_transport *outer, uint64_t now_ns)
{
    struct fault *fault = fault_of(outer);
    if (now_ns > fault->now_ns)
        fault->now_ns = now_ns;
}

enum lwp_status lwp_fault_flush(struct lwp_transport *outer)
{
    return fault_work(fault_of(outer));
}

uint64_t lwp_fault_deadline(const struct lwp_transport *outer)
{
    const struct fault *fault = const_fault_of(outer);
    const struct stretch *head = fault->head;
    if (fault->closing.set)
        return fault->now_ns;
    if (!head || (fault->blocked && fault->piece))
        return LWP_NEVER;
    if (head->held)
        return fault->release_ns;
    return head->whole ? lwp_pace_due(&fault->pace, head->due_ns) : LWP_NEVER;
}

size_t lwp_fault_pending(const struct lwp_transport *outer)
{
    const struct fault *fault = const_fault_of(outer);
    return fault->head ? fault->out.size - fault->head->sent : 0;
}

size_t lwp_fault_memory(const struct lwp_transport *outer)
{
    const struct fault *fault = const_fault_of(outer);
    return fault->out.capacity + fault->plans_size;
}

bool lwp_fault_blocked(const struct lwp_transport *outer)
{
    return const_fault_of(outer)->blocked;
}

bool lwp_fault_reads(const struct lwp_transport *outer)
{
    const struct fault *fault = const_fault_of(outer);
    const bool ended = fault->closed.set && fault->closed.how != LWP_CLOSE_HALF;
    return !fault->reading_stopped && !ended;
}

bool lwp_fault_closed(const struct lwp_transport *outer, enum lwp_close *how)
{
    const struct fault *fault = const_fault_of(outer);
    if (fault->closed.set)
        *how = fault->closed.how;
    return fault->closed.set;
}

uint64_t lwp_fault_written(const struct lwp_transport *outer)
{
    return const_fault_of(outer)->written;
}

uint64_t lwp_fault_swallowed(const struct lwp_transport *outer)
{
    return const_fault_of(outer)->swallowed;
}
