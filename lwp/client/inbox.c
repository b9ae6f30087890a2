/* SPDX-License-Identifier: MIT */
#include "lwp/client/inbox.h"

#include <stdlib.h>

#include "lwp/bug/bug.h"
#include "lwp/client/inbox_state.h"
#include "lwp/session/session.h"
#include "lwp/wire/tlv.h"

struct lwp_inbox_options lwp_inbox_defaults(const struct lwp_dialect *dialect, uint32_t topic_id)
{
    return (struct lwp_inbox_options){
        .dialect = dialect,
        .topic_id = topic_id,
        .max_fetch_bytes = 1048576,
        .read_ahead = 1,
        .max_decompressed = LWP_MAX_PAYLOAD_DEFAULT,
        .idle_ns = 10000000,
        .request_timeout_ns = 30000000000,
        .catch_up_ns = 5000000000,
        .catch_up_limit = 3,
        .backoff = lwp_backoff_defaults,
    };
}

enum lwp_status lwp_inbox_new(const struct lwp_inbox_options *options, uint64_t seed,
                              struct lwp_inbox **inbox)
{
    if (!options->dialect || options->max_fetch_bytes == 0 || options->read_ahead == 0 ||
        options->read_ahead > LWP_INBOX_MAX_AHEAD || options->catch_up_limit == 0)
        return LWP_INVALID_ARGUMENT;
    struct lwp_inbox *result = calloc(1, sizeof(*result));
    if (!result)
        return LWP_NO_MEMORY;
    result->options = *options;
    result->backoff = lwp_backoff_of(&options->backoff, seed);
    /* The largest record, cut by the last of the answers, and a compressed answer behind it. */
    result->queue.limit = (size_t)options->read_ahead * options->max_fetch_bytes +
                          LWP_TLV_HEAD_SIZE + LWP_TLV_MAX_VALUE + options->max_fetch_bytes +
                          options->max_decompressed;
    *inbox = result;
    return LWP_OK;
}

void lwp_inbox_free(struct lwp_inbox *inbox)
{
    if (inbox)
        free(inbox->queue.data);
    free(inbox);
}

void inbox_make_stale(struct lwp_inbox *inbox)
{
    for (unsigned i = 0; i < inbox->flight_count; i++)
        if (inbox->flights[i].purpose == INBOX_DATA || inbox->flights[i].purpose == INBOX_TAIL)
            inbox->flights[i].stale = true;
    inbox->plenty = false;
}

void lwp_inbox_seek(struct lwp_inbox *inbox, uint64_t offset)
{
    const bool to_end = offset == LWP_OFFSET_END;
    inbox_drop(inbox);
    inbox_make_stale(inbox);
    inbox->seeks_end = to_end;
    inbox->skips = to_end && inbox->options.dialect->tail_offset == 0;
    inbox->position = to_end ? 0 : offset;
    inbox->offset = offset;
    inbox->at_end = false;
    inbox->has_failed = false;
    inbox->catch_ups = 0;
    inbox->not_before_ns = 0;
}

void lwp_inbox_connected(struct lwp_inbox *inbox)
{
    inbox->connected = true;
}

void lwp_inbox_disconnected(struct lwp_inbox *inbox, enum lwp_status why)
{
    for (unsigned i = 0; i < inbox->flight_count; i++) {
        if (inbox->flights[i].purpose == INBOX_END)
            inbox->wants_end = true;
        if (inbox->flights[i].purpose != INBOX_COMMIT)
            continue;
        inbox->has_commit = true;
        inbox->commit = lwp_details_of(why);
    }
    if (LWP_BUG(fetches_torn_twice) && !inbox->seeks_end)
        inbox->position = inbox->offset;
    if (LWP_BUG(begins_anew_when_lost) && !inbox->seeks_end)
        lwp_inbox_seek(inbox, 0);
    if (LWP_BUG(skips_what_was_asked))
        inbox->position += inbox->flight_count;
    inbox->statistics.disconnects += inbox->connected;
    inbox->flight_count = 0;
    inbox->plenty = false;
    inbox->has_redirect = false;
    inbox->connected = false;
}

uint64_t lwp_inbox_offset(const struct lwp_inbox *inbox)
{
    return LWP_BUG(commits_ahead) && !inbox->seeks_end ? inbox->position : inbox->offset;
}

bool lwp_inbox_ask_end(struct lwp_inbox *inbox)
{
    if (inbox->options.dialect->tail_offset == 0)
        return false;
    inbox->wants_end = true;
    return true;
}

bool lwp_inbox_take_end(struct lwp_inbox *inbox, struct lwp_details *details, uint64_t *end_offset)
{
    if (!inbox->has_end)
        return false;
    inbox->has_end = false;
    *details = inbox->end;
    *end_offset = inbox->end_offset;
    return true;
}

void lwp_inbox_commit(struct lwp_inbox *inbox, uint64_t offset)
{
    inbox->wants_commit = true;
    inbox->commit_offset = offset;
}

bool lwp_inbox_take_commit(struct lwp_inbox *inbox, struct lwp_details *details, uint64_t *offset)
{
    if (!inbox->has_commit)
        return false;
    inbox->has_commit = false;
    *details = inbox->commit;
    *offset = inbox->committed_offset;
    return true;
}

bool lwp_inbox_take_redirect(struct lwp_inbox *inbox, struct lwp_details *details)
{
    if (!inbox->has_redirect)
        return false;
    inbox->has_redirect = false;
    *details = inbox->redirect;
    return true;
}

/* How many of the flights, stale ones included or not, are to fetch data or the end to go on from. */
static unsigned count_data(const struct lwp_inbox *inbox, bool with_stale)
{
    unsigned count = 0;
    for (unsigned i = 0; i < inbox->flight_count; i++) {
        const struct inbox_flight *flight = &inbox->flights[i];
        const bool is_data = flight->purpose == INBOX_DATA || flight->purpose == INBOX_TAIL;
        count += is_data && (with_stale || !flight->stale);
    }
    return count;
}

/* Whether another fetch may go out, time apart. Before the answers to wrong guesses are in, no new
 * guess is made. */
static bool may_fetch(const struct lwp_inbox *inbox)
{
    const unsigned flights = count_data(inbox, true);
    const unsigned most = inbox->plenty ? inbox->options.read_ahead : 1;
    return !inbox->has_failed && !inbox->has_redirect && flights < most &&
           inbox_has_room(inbox, flights);
}

static uint64_t fetch_due(const struct lwp_inbox *inbox)
{
    return may_fetch(inbox) ? inbox->not_before_ns : LWP_NEVER;
}

static void set_next(struct lwp_inbox *inbox, enum inbox_purpose purpose,
                     const struct lwp_message *message)
{
    inbox->next = (struct inbox_flight){
        .purpose = purpose,
        .request = lwp_request_of(message->command, message, LWP_NEVER),
    };
}

static struct lwp_message fetch_at(const struct lwp_inbox *inbox, uint64_t offset, uint32_t size)
{
    return (struct lwp_message){
        .command = LWP_COMMAND_FETCH,
        .topic_id = inbox->options.topic_id,
        .start_offset = offset,
        .max_bytes = size,
    };
}

/* The fetch to go on with: at the end, or behind what is on its way if all of that comes full. */
static struct lwp_message next_fetch(struct lwp_inbox *inbox)
{
    const uint32_t size = inbox->options.max_fetch_bytes;
    if (inbox->seeks_end && !inbox->skips) {
        const struct lwp_message tail = fetch_at(inbox, inbox->options.dialect->tail_offset, 1);
        set_next(inbox, INBOX_TAIL, &tail);
        return tail;
    }
    const uint64_t ahead = (uint64_t)count_data(inbox, false) * size;
    const struct lwp_message fetch = fetch_at(inbox, inbox->position + ahead, size);
    set_next(inbox, INBOX_DATA, &fetch);
    return fetch;
}

enum lwp_status lwp_inbox_next(struct lwp_inbox *inbox, uint64_t now_ns,
                               struct lwp_message *message)
{
    if (!inbox->connected || inbox->flight_count == INBOX_FLIGHTS)
        return LWP_MORE;
    if (inbox->wants_commit) {
        *message = (struct lwp_message){
            .command = LWP_COMMAND_COMMIT_OFFSET,
            .topic_id = inbox->options.topic_id,
            .consumer_id = inbox->options.consumer_id,
            .offset = inbox->commit_offset,
        };
        set_next(inbox, INBOX_COMMIT, message);
        return LWP_OK;
    }
    if (inbox->wants_end) {
        *message = fetch_at(inbox, inbox->options.dialect->tail_offset, 1);
        set_next(inbox, INBOX_END, message);
        return LWP_OK;
    }
    if (now_ns < fetch_due(inbox))
        return LWP_MORE;
    *message = next_fetch(inbox);
    return LWP_OK;
}

bool lwp_inbox_is_low(const struct lwp_inbox *inbox)
{
    return 2 * count_data(inbox, true) <= inbox->options.read_ahead;
}

void lwp_inbox_sent(struct lwp_inbox *inbox, uint64_t now_ns)
{
    struct inbox_flight *flight = &inbox->flights[inbox->flight_count++];
    *flight = inbox->next;
    flight->request.deadline_ns = lwp_deadline_after(now_ns, inbox->options.request_timeout_ns);
    if (flight->purpose == INBOX_COMMIT)
        inbox->wants_commit = false;
    else if (flight->purpose == INBOX_END)
        inbox->wants_end = false;
    inbox->statistics.fetches += flight->purpose != INBOX_COMMIT;
}

enum lwp_status lwp_inbox_tick(const struct lwp_inbox *inbox, uint64_t now_ns)
{
    const bool overdue = inbox->flight_count && now_ns >= inbox->flights[0].request.deadline_ns;
    return overdue ? LWP_TIMEOUT : LWP_OK;
}

uint64_t lwp_inbox_deadline(const struct lwp_inbox *inbox)
{
    uint64_t deadline_ns = inbox->flight_count ? inbox->flights[0].request.deadline_ns : LWP_NEVER;
    if (!inbox->connected || inbox->flight_count == INBOX_FLIGHTS)
        return deadline_ns;
    if (inbox->wants_commit || inbox->wants_end)
        return 0;
    return fetch_due(inbox) < deadline_ns ? fetch_due(inbox) : deadline_ns;
}
