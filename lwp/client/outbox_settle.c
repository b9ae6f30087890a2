/* SPDX-License-Identifier: MIT */
#include "lwp/bug/bug.h"
#include "lwp/client/outbox_state.h"
#include "lwp/session/session.h"

/* What becomes of batches: acknowledged, refused, lost with their connection, reported. */

void outbox_settle(struct lwp_outbox *outbox, struct outbox_batch *batch, enum lwp_status status)
{
    struct lwp_outbox_statistics *statistics = &outbox->statistics;
    batch->status = status;
    if (status == LWP_OK) {
        statistics->batches_acked++;
        statistics->records_acked += batch->record_count;
    } else {
        statistics->records_failed += batch->record_count;
    }
    if (outbox->options.reports == LWP_REPORT_NOTHING)
        outbox_batch_recycle(outbox, batch);
    else
        outbox_append(&outbox->settled, batch);
}

/* Whether sending it again would put it behind later batches of its topic. */
static bool comes_too_late(const struct lwp_outbox *outbox, const struct outbox_batch *batch)
{
    return !LWP_BUG(retries_too_late) && !outbox->options.allow_reorder &&
           batch->topic->accepted_id > batch->batch_id;
}

static bool may_retry(const struct lwp_outbox *outbox, const struct outbox_batch *batch)
{
    return batch->attempts <= outbox->options.max_retries && !comes_too_late(outbox, batch);
}

/* Nothing is in flight any more: each batch that was stays in the queue to be sent again if
 * `statuses` lets it, else it fails with its status. Returns how many stay. */
static unsigned recall(struct lwp_outbox *outbox, const enum lwp_status *statuses,
                       enum lwp_status for_all)
{
    struct outbox_batch *before = NULL;
    struct outbox_batch *batch = outbox->queue.first;
    unsigned kept = 0;
    for (unsigned i = 0; i < outbox->in_flight; i++) {
        struct outbox_batch *next = batch->next;
        const enum lwp_status status = statuses ? statuses[i] : for_all;
        const bool may_pass = !statuses || lwp_status_is_retryable(status);
        if (may_pass && may_retry(outbox, batch)) {
            before = batch;
            kept++;
        } else {
            outbox_remove(&outbox->queue, before, batch);
            outbox_settle(outbox, batch, status);
        }
        batch = next;
    }
    outbox->in_flight = 0;
    outbox->error_count = 0;
    outbox->cursor = LWP_BUG(forgets_unacked) ? outbox->cursor : outbox->queue.first;
    return kept;
}

/* The time before what was refused is tried again. */
static void pause(struct lwp_outbox *outbox, uint64_t now_ns)
{
    uint64_t wait_ns = 0;
    /* Batches count their own attempts, so a limit here only stops the waits from growing. */
    if (!lwp_backoff_fail(&outbox->backoff, &wait_ns))
        wait_ns = outbox->options.backoff.cap_ns;
    if (wait_ns < outbox->retry_after_ns)
        wait_ns = outbox->retry_after_ns;
    outbox->pause_until_ns =
        LWP_BUG(pauses_for_ever) ? LWP_NEVER : lwp_deadline_after(now_ns, wait_ns);
}

/* After k errors, with exactly k batches unacknowledged, it is known which were refused. */
static void give_errors(struct lwp_outbox *outbox, uint64_t now_ns)
{
    if (outbox->error_count == 0 || outbox->error_count != outbox->in_flight)
        return;
    const unsigned kept = recall(outbox, outbox->errors, LWP_OK);
    outbox->has_redirect = outbox->has_redirect && kept;
    if (kept && !outbox->has_redirect)
        pause(outbox, now_ns);
    outbox->retry_after_ns = 0;
}

/* The batch in flight with this id, or NULL; `*before` is the one in front of it. */
static struct outbox_batch *find_sent(const struct lwp_outbox *outbox, uint64_t batch_id,
                                      struct outbox_batch **before)
{
    struct outbox_batch *batch = outbox->queue.first;
    *before = NULL;
    while (batch != outbox->cursor && batch->batch_id < batch_id) {
        *before = batch;
        batch = batch->next;
    }
    return batch != outbox->cursor && batch->batch_id == batch_id ? batch : NULL;
}

/* Whether this batch was settled before, not only sent on another connection. */
static bool is_settled(const struct lwp_outbox *outbox, uint64_t batch_id)
{
    if (batch_id == 0 || batch_id > outbox->highest_sent_id)
        return false;
    const struct outbox_batch *batch = outbox->cursor;
    while (batch && batch->batch_id < batch_id)
        batch = batch->next;
    return !batch || batch->batch_id != batch_id;
}

enum lwp_status lwp_outbox_ack(struct lwp_outbox *outbox, uint64_t batch_id, uint64_t now_ns)
{
    struct outbox_batch *before = NULL;
    if (LWP_BUG(settles_the_oldest) && outbox->in_flight)
        batch_id = outbox->queue.first->batch_id;
    struct outbox_batch *batch = find_sent(outbox, batch_id, &before);
    if (!batch) {
        if (!is_settled(outbox, batch_id))
            return LWP_UNEXPECTED_FRAME;
        outbox->statistics.duplicate_acks++;
        return LWP_OK;
    }
    outbox_remove(&outbox->queue, before, batch);
    outbox->in_flight--;
    if (batch->topic->accepted_id < batch_id)
        batch->topic->accepted_id = batch_id;
    if (batch->sending > outbox->slowed_after)
        lwp_throttle_free(&outbox->throttle);
    lwp_backoff_reset(&outbox->backoff);
    outbox_settle(outbox, batch, LWP_OK);
    give_errors(outbox, now_ns);
    return LWP_OK;
}

void lwp_outbox_backpressure(struct lwp_outbox *outbox, uint64_t now_ns)
{
    outbox->statistics.backpressures++;
    outbox->slowed_after = outbox->sendings;
    if (LWP_BUG(resends_under_backpressure))
        (void)recall(outbox, NULL, LWP_BACKPRESSURE);
    lwp_throttle_slow(&outbox->throttle, now_ns);
}

enum lwp_status lwp_outbox_error(struct lwp_outbox *outbox, const struct lwp_details *details,
                                 uint64_t now_ns)
{
    outbox->statistics.errors++;
    if (LWP_BUG(takes_error_for_ack) && outbox->in_flight)
        return lwp_outbox_ack(outbox, outbox->queue.first->batch_id, now_ns);
    if (outbox->error_count >= outbox->in_flight)
        return LWP_UNEXPECTED_FRAME;
    outbox->errors[outbox->error_count++] = details->status;
    if (details->status == LWP_NOT_LEADER) {
        outbox->has_redirect = true;
        outbox->redirect = *details;
    }
    if (details->status == LWP_BACKPRESSURE || details->status == LWP_RATE_LIMITED) {
        const uint64_t hour_ms = 3600000;
        const uint64_t asked_ms =
            details->retry_after_ms < hour_ms ? details->retry_after_ms : hour_ms;
        if (outbox->retry_after_ns < asked_ms * 1000000)
            outbox->retry_after_ns = asked_ms * 1000000;
        lwp_outbox_backpressure(outbox, now_ns);
    }
    give_errors(outbox, now_ns);
    return LWP_OK;
}

bool lwp_outbox_take_redirect(struct lwp_outbox *outbox, struct lwp_details *details)
{
    if (!outbox->has_redirect || outbox->in_flight)
        return false;
    outbox->has_redirect = false;
    *details = outbox->redirect;
    return true;
}

void lwp_outbox_disconnected(struct lwp_outbox *outbox, enum lwp_status why)
{
    outbox->statistics.disconnects += outbox->connected;
    outbox->connected = false;
    outbox->has_redirect = false;
    outbox->retry_after_ns = 0;
    (void)recall(outbox, NULL, why);
}

void lwp_outbox_end(struct lwp_outbox *outbox, enum lwp_status status)
{
    if (outbox->ended != LWP_OK)
        return;
    outbox->ended = status;
    outbox->connected = false;
    lwp_outbox_flush(outbox);
    for (struct outbox_batch *batch = outbox_take(&outbox->queue); batch;
         batch = outbox_take(&outbox->queue))
        outbox_settle(outbox, batch, status);
    outbox->in_flight = 0;
    outbox->error_count = 0;
    outbox->has_redirect = false;
    outbox->cursor = NULL;
}

bool lwp_outbox_report(struct lwp_outbox *outbox, struct lwp_delivery *delivery)
{
    struct outbox_batch *batch = outbox->settled.first;
    if (!batch)
        return false;
    const bool whole = outbox->options.reports == LWP_REPORT_BATCHES;
    const struct outbox_record none = {batch->first_sequence, NULL};
    const struct outbox_record *record = whole ? &none : &batch->records[batch->reported];
    *delivery = (struct lwp_delivery){
        .status = batch->status,
        .sequence = record->sequence,
        .batch_id = batch->attempts ? batch->batch_id : 0,
        .topic_id = batch->topic->topic_id,
        .index = batch->reported,
        .record_count = whole ? batch->record_count : 1,
        .user = record->user,
    };
    batch->reported += delivery->record_count;
    if (batch->reported == batch->record_count)
        outbox_batch_recycle(outbox, outbox_take(&outbox->settled));
    return true;
}

struct lwp_outbox_statistics lwp_outbox_statistics(const struct lwp_outbox *outbox)
{
    struct lwp_outbox_statistics statistics = outbox->statistics;
    statistics.records = outbox->last_sequence;
    statistics.records_pending =
        statistics.records - statistics.records_acked - statistics.records_failed;
    statistics.batches_in_flight = outbox->in_flight;
    statistics.buffered_size = outbox->used;
    statistics.slowed = outbox->throttle.factor != 0;
    return statistics;
}
