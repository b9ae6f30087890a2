/* SPDX-License-Identifier: MIT */
#include "lwp/bug/bug.h"
#include "lwp/client/inbox_state.h"
#include "lwp/session/session.h"

/* What answers mean to an inbox. */

static void fail(struct lwp_inbox *inbox, const struct lwp_details *details)
{
    inbox->has_failed = true;
    inbox->failure = *details;
}

/* D4: it may pass, but not if the server stays where it is. */
static void catch_up(struct lwp_inbox *inbox, const struct lwp_details *details, uint64_t now_ns)
{
    const bool is_same = inbox->catch_ups && details->server_offset == inbox->server_offset;
    inbox->statistics.catch_ups++;
    inbox->catch_ups = is_same ? inbox->catch_ups + 1 : 1;
    inbox->server_offset = details->server_offset;
    inbox->not_before_ns = LWP_BUG(stops_at_catching_up)
                               ? LWP_NEVER
                               : lwp_deadline_after(now_ns, inbox->options.catch_up_ns);
    if (inbox->catch_ups < inbox->options.catch_up_limit)
        return;
    inbox->catch_ups = 0;
    fail(inbox, details);
}

static void refuse(struct lwp_inbox *inbox, const struct lwp_details *details, uint64_t now_ns)
{
    uint64_t wait_ns = 0;
    inbox->statistics.errors++;
    if (details->status == LWP_NOT_LEADER) {
        inbox->has_redirect = true;
        inbox->redirect = *details;
        return;
    }
    const bool goes_on = lwp_backoff_fail(&inbox->backoff, &wait_ns);
    if (!lwp_status_is_retryable(details->status) || !goes_on)
        fail(inbox, details);
    const uint64_t hour_ms = 3600000;
    const uint64_t asked_ms = details->retry_after_ms < hour_ms ? details->retry_after_ms : hour_ms;
    if (wait_ns < asked_ms * 1000000)
        wait_ns = asked_ms * 1000000;
    inbox->not_before_ns = lwp_deadline_after(now_ns, wait_ns);
}

/* The end is where the answer says; what comes from now on is handed on. */
static void settle_at(struct lwp_inbox *inbox, uint64_t end_offset)
{
    inbox->seeks_end = false;
    inbox->skips = false;
    inbox->position = end_offset;
    inbox->offset = end_offset;
    inbox->at_end = true;
}

static enum lwp_status take_data(struct lwp_inbox *inbox, const struct lwp_message *message,
                                 bool compressed, uint64_t now_ns)
{
    const size_t size = message->data.size;
    const struct inbox_piece piece = {
        .start_offset = inbox->position,
        .end_offset = message->next_offset,
        .compressed = compressed,
    };
    inbox->at_end = size == 0;
    inbox->catch_ups = 0;
    inbox->plenty = size == inbox->options.max_fetch_bytes;
    if (size == 0) {
        /* Whatever it says about the next offset: nothing was read, so nothing is passed over. */
        inbox->statistics.empty_answers++;
        inbox->not_before_ns = lwp_deadline_after(now_ns, inbox->options.idle_ns);
        if (inbox->skips)
            settle_at(inbox, inbox->position);
        return LWP_OK;
    }
    if (inbox->skips) {
        inbox->statistics.bytes_dropped += size;
        inbox->position = message->next_offset;
        return LWP_OK;
    }
    const enum lwp_status status = inbox_keep(inbox, &piece, message->data);
    if (status == LWP_OK)
        inbox->position = message->next_offset;
    return status;
}

/* Those behind guessed that this one would be full. */
static void drop_wrong_guesses(struct lwp_inbox *inbox)
{
    uint64_t expected = inbox->position;
    for (unsigned i = 0; i < inbox->flight_count; i++) {
        struct inbox_flight *flight = &inbox->flights[i];
        if (flight->purpose != INBOX_DATA || flight->stale)
            continue;
        flight->stale = flight->request.asked.start_offset != expected;
        expected += inbox->options.max_fetch_bytes;
    }
}

/* The deployed server takes a sentinel that it does not know for an offset beyond the end, and tells
 * the end all the same. 0 is what a node says that does not have the topic yet. */
static bool tells_end(const struct lwp_answer *answer, uint64_t *end_offset)
{
    const struct lwp_details *details = &answer->details;
    *end_offset = details->status == LWP_OK ? answer->message.next_offset : details->server_offset;
    const bool by_catching_up =
        details->status == LWP_CATCHING_UP && details->has_server_offset && *end_offset > 0;
    return details->status == LWP_OK || by_catching_up;
}

static enum lwp_status take_fetch(struct lwp_inbox *inbox, const struct inbox_flight *flight,
                                  const struct lwp_answer *answer, bool compressed, uint64_t now_ns)
{
    uint64_t end_offset = 0;
    if (flight->stale && !LWP_BUG(takes_wrong_guess)) {
        inbox->statistics.bytes_dropped += answer->message.data.size;
        return LWP_OK;
    }
    if (flight->purpose == INBOX_TAIL && tells_end(answer, &end_offset)) {
        settle_at(inbox, end_offset);
        return LWP_OK;
    }
    enum lwp_status status = LWP_OK;
    if (answer->details.status == LWP_OK) {
        lwp_backoff_reset(&inbox->backoff);
        status = take_data(inbox, &answer->message, compressed, now_ns);
    } else {
        inbox->plenty = false;
        if (answer->details.status == LWP_CATCHING_UP)
            catch_up(inbox, &answer->details, now_ns);
        else
            refuse(inbox, &answer->details, now_ns);
    }
    drop_wrong_guesses(inbox);
    return status;
}

static void take_end(struct lwp_inbox *inbox, const struct lwp_answer *answer)
{
    inbox->has_end = true;
    inbox->end = answer->details;
    if (tells_end(answer, &inbox->end_offset))
        inbox->end = lwp_details_of(LWP_OK);
}

static void take_commit(struct lwp_inbox *inbox, const struct inbox_flight *flight,
                        const struct lwp_answer *answer)
{
    inbox->has_commit = true;
    inbox->commit = answer->details;
    inbox->committed_offset =
        answer->is_ack ? flight->request.asked.offset : answer->message.offset;
}

static enum lwp_status take_answer(struct lwp_inbox *inbox, const struct inbox_flight *flight,
                                   const struct lwp_answer *answer, bool compressed,
                                   uint64_t now_ns)
{
    switch (flight->purpose) {
    case INBOX_DATA:
    case INBOX_TAIL:
        return take_fetch(inbox, flight, answer, compressed, now_ns);
    case INBOX_END:
        take_end(inbox, answer);
        break;
    case INBOX_COMMIT:
        take_commit(inbox, flight, answer);
        break;
    }
    return LWP_OK;
}

enum lwp_status lwp_inbox_lend(struct lwp_inbox *inbox, const struct lwp_frame *frame,
                               uint64_t now_ns)
{
    inbox->lends = true;
    const enum lwp_status status = lwp_inbox_frame(inbox, frame, now_ns);
    inbox->lends = false;
    return status;
}

enum lwp_status lwp_inbox_frame(struct lwp_inbox *inbox, const struct lwp_frame *frame,
                                uint64_t now_ns)
{
    struct lwp_request nothing = {.command = LWP_REQUEST_NONE};
    struct inbox_flight flight = inbox->flights[0];
    struct lwp_answer answer;
    const enum lwp_status status = lwp_request_take(
        inbox->flight_count ? &flight.request : &nothing, frame, inbox->options.dialect, &answer);
    if (status != LWP_OK)
        return status == LWP_MORE ? LWP_OK : status;
    /* What was asked stays with the flight that is taken off. */
    flight.request = inbox->flights[0].request;
    inbox->flight_count--;
    memmove(inbox->flights, inbox->flights + 1, inbox->flight_count * sizeof(flight));
    const bool compressed = frame->header.flags & LWP_FLAG_COMPRESSED;
    return take_answer(inbox, &flight, &answer, compressed, now_ns);
}
