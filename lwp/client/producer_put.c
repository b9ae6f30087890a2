/* SPDX-License-Identifier: MIT */
#include "lwp/bug/bug.h"
#include "lwp/client/producer_state.h"
#include "lwp/net/clock.h"

/* How records come in, and who waits for them to be settled. */

/* Where the caller drives, he has processed not long ago. */
static uint64_t time_of_put(const struct lwp_producer *producer)
{
    return producer->runner.shared ? lwp_runner_now(&producer->runner) : producer->now_ns;
}

/* Only what the thread would notice too late is worth a system call. */
static void wake_if_needed(struct lwp_producer *producer)
{
    if (!producer->runner.shared)
        return;
    const uint64_t deadline_ns = lwp_outbox_deadline(producer->outbox);
    if (deadline_ns >= producer->sleeps_until_ns)
        return;
    producer->sleeps_until_ns = deadline_ns;
    lwp_runner_wake(&producer->runner);
}

enum lwp_status lwp_producer_put_many(struct lwp_producer *producer,
                                      const struct lwp_outgoing *records, size_t count,
                                      size_t *taken)
{
    enum lwp_status status = LWP_OK;
    lwp_runner_lock(&producer->runner);
    const uint64_t now_ns = time_of_put(producer);
    for (*taken = 0; *taken < count; (*taken)++) {
        status = lwp_outbox_put(producer->outbox, &records[*taken], now_ns, NULL);
        if (status != LWP_OK)
            break;
    }
    wake_if_needed(producer);
    lwp_runner_unlock(&producer->runner);
    return status;
}

enum lwp_status lwp_producer_put(struct lwp_producer *producer, const struct lwp_outgoing *record,
                                 uint64_t *sequence)
{
    lwp_runner_lock(&producer->runner);
    const enum lwp_status status =
        lwp_outbox_put(producer->outbox, record, time_of_put(producer), sequence);
    wake_if_needed(producer);
    lwp_runner_unlock(&producer->runner);
    if (LWP_BUG(loses_when_full) && status == LWP_FULL)
        return LWP_OK;
    return status;
}

static uint64_t deadline_after_ms(const struct lwp_producer *producer, unsigned timeout_ms)
{
    return lwp_deadline_after(lwp_runner_now(&producer->runner), timeout_ms * LWP_MILLISECOND_NS);
}

enum lwp_status lwp_producer_put_wait(struct lwp_producer *producer,
                                      const struct lwp_outgoing *record, unsigned timeout_ms,
                                      uint64_t *sequence)
{
    lwp_runner_lock(&producer->runner);
    const uint64_t deadline_ns = deadline_after_ms(producer, timeout_ms);
    enum lwp_status status = LWP_FULL;
    do {
        status = lwp_outbox_put(producer->outbox, record, time_of_put(producer), sequence);
        wake_if_needed(producer);
    } while (status == LWP_FULL && lwp_runner_wait(&producer->runner, deadline_ns));
    lwp_runner_unlock(&producer->runner);
    return status;
}

static void forget_waiter(struct lwp_producer *producer, const struct producer_waiter *waiter)
{
    struct producer_waiter **place = &producer->waiters;
    while (*place != waiter)
        place = &(*place)->next;
    *place = waiter->next;
}

static enum lwp_status send_locked(struct lwp_producer *producer, const struct lwp_outgoing *record)
{
    struct producer_waiter waiter = {.next = producer->waiters, .status = LWP_TIMEOUT};
    const uint64_t deadline_ns =
        deadline_after_ms(producer, producer->options.connect.request_timeout_ms);
    const enum lwp_status status =
        lwp_outbox_put(producer->outbox, record, time_of_put(producer), &waiter.sequence);
    if (status != LWP_OK)
        return status;
    producer->waiters = &waiter;
    lwp_outbox_flush(producer->outbox);
    wake_if_needed(producer);
    if (!producer->runner.has_thread)
        producer_send_ready(producer);
    waiter.status = LWP_BUG(sends_blindly) ? LWP_OK : waiter.status;
    while (!waiter.done && !LWP_BUG(sends_blindly) &&
           lwp_runner_wait(&producer->runner, deadline_ns))
        continue;
    forget_waiter(producer, &waiter);
    return waiter.status;
}

enum lwp_status lwp_producer_send(struct lwp_producer *producer, const struct lwp_outgoing *record)
{
    if (producer->options.reports != LWP_REPORT_RECORDS)
        return LWP_INVALID_ARGUMENT;
    lwp_runner_lock(&producer->runner);
    const enum lwp_status status = send_locked(producer, record);
    lwp_runner_unlock(&producer->runner);
    return status;
}

static bool has_pending(const struct lwp_producer *producer)
{
    const struct lwp_outbox_statistics statistics = lwp_outbox_statistics(producer->outbox);
    return LWP_BUG(flushes_what_is_sent) ? statistics.batches_in_flight
                                         : statistics.records_pending;
}

enum lwp_status lwp_producer_flush(struct lwp_producer *producer, unsigned timeout_ms)
{
    lwp_runner_lock(&producer->runner);
    const uint64_t deadline_ns =
        LWP_BUG(never_gives_up) ? UINT64_MAX : deadline_after_ms(producer, timeout_ms);
    const struct lwp_life *life = &producer->connection.life;
    lwp_outbox_flush(producer->outbox);
    wake_if_needed(producer);
    if (!producer->runner.has_thread)
        lwp_runner_round(&producer->runner);
    bool in_time = true;
    while (has_pending(producer) && in_time)
        in_time = lwp_runner_wait(&producer->runner, deadline_ns);
    const enum lwp_status end = life->state == LWP_LIFE_ENDED ? life->why.status : LWP_OK;
    lwp_runner_unlock(&producer->runner);
    return in_time ? end : LWP_TIMEOUT;
}
