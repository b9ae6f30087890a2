/* SPDX-License-Identifier: MIT */
/* What the broker answers to Fetch, Subscribe, Unsubscribe and CommitOffset (5.9, 5.12 to 5.14). */
#include <search.h>
#include <stdlib.h>

#include "lwp/wire/tlv.h"
#include "mock_server/mutants.h"
#include "mock_server/request.h"

enum { FETCH_HEAD_SIZE = 16 };

static enum lwp_status reply_offset(const struct request *request, uint8_t command, uint64_t offset)
{
    struct lwp_message answer = {
        .command = command, .consumer_id = request->message.consumer_id, .offset = offset};
    struct lwp_writer out;
    mutants_missay(&answer);
    if (broker_scratch(request->broker, DOCUMENT_SIZE, &out) != LWP_OK)
        return LWP_NO_MEMORY;
    (void)lwp_message_encode(&answer, &out);
    return request_reply(request, command, &out);
}

/* D8. */
static uint64_t count_records(const struct request *request, struct lwp_bytes data)
{
    uint64_t count = 0;
    struct lwp_fault fault;
    if (!request->asker->dialect->counts_records)
        return data.size ? 1 : 0;
    (void)lwp_tlv_count(data, &count, &fault);
    return count;
}

/* D9: without the record that was cut at the end, if there is a whole one before it. */
static struct lwp_bytes whole_records(struct lwp_bytes data)
{
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(data);
    struct lwp_record record;
    while (lwp_tlv_next(&walk, &record) == LWP_OK)
        continue;
    return walk.offset ? (struct lwp_bytes){data.data, walk.offset} : data;
}

/* The data of a fetch: at most as many bytes as were asked for and as fit into a frame, and none
 * that the node does not have. */
static struct lwp_bytes fetch_data(const struct request *request, const struct lwp_log *log,
                                   uint64_t offset, uint64_t end)
{
    const uint64_t largest = request->broker->options.limits.max_payload;
    const uint64_t most = largest > FETCH_HEAD_SIZE ? largest - FETCH_HEAD_SIZE : 0;
    const uint64_t left = end > offset ? end - offset : 0;
    const uint64_t size = request->message.max_bytes < most ? request->message.max_bytes : most;
    const struct lwp_bytes data = lwp_log_read(log, offset, size < left ? size : left);
    const bool is_cut = data.size < left;
    return is_cut && request->asker->dialect->whole_records ? whole_records(data) : data;
}

static enum lwp_status reply_fetch(const struct request *request, const struct lwp_log *log,
                                   uint64_t offset, uint64_t end)
{
    if (LWP_BUG(fetch_ignores_offset))
        offset = log->first_offset;
    const struct lwp_bytes data = fetch_data(request, log, offset, end);
    struct lwp_message answer = {
        .command = LWP_COMMAND_FETCH_RESPONSE,
        .next_offset = offset + data.size,
        .bytes_returned = data.size,
        .record_count = count_records(request, data),
        .data = data,
    };
    mutants_missay(&answer);
    struct lwp_writer out;
    if (broker_scratch(request->broker, FETCH_HEAD_SIZE + data.size, &out) != LWP_OK)
        return LWP_NO_MEMORY;
    (void)lwp_message_encode(&answer, &out);
    return request_reply(request, LWP_COMMAND_FETCH_RESPONSE, &out);
}

static enum lwp_status refuse_rate(const struct request *request)
{
    const struct broker_refusal refusal = {
        .text = mutants_misjudge(LWP_TEXT_RATE_LIMIT),
        .details = {.retry_after_ms =
                        bucket_retry_ms(&request->broker->bucket, request->broker->epoch_ns)},
    };
    return broker_refuse(request->broker, request->asker->dialect, &refusal, request->reply);
}

/* In a cluster of the deployed server a topic that a node does not know may still come. */
static enum lwp_status refuse_unknown(const struct request *request)
{
    static const struct lwp_log nothing = {.data = NULL};
    if (LWP_BUG(fetches_from_unknown_topics))
        return reply_fetch(request, &nothing, 0, 0);
    if (broker_is_cluster(request->asker))
        return lwp_broker_catching_up(request->broker, request->asker->dialect, 0, request->reply);
    return request_refuse_id(request, LWP_TEXT_TOPIC_ID_NOT_FOUND, request->message.topic_id);
}

static enum lwp_status refuse_beyond_end(const struct request *request, uint64_t offset,
                                         uint64_t end)
{
    return lwp_broker_catching_up(request->broker, request->asker->dialect,
                                  LWP_BUG(catches_up_to_the_question) ? offset : end,
                                  request->reply);
}

/* The end of the log as the node has it. */
static uint64_t visible_end(const struct request *request, const struct lwp_log *log)
{
    const struct lwp_cluster_view *view = request->asker->view;
    const uint64_t lag = view ? view->lag_bytes : 0;
    return lwp_log_end(log) - (lag < log->visible ? lag : log->visible);
}

/* D5: the offset that is asked for, if it is not the one that means the end. */
static uint64_t asked_offset(const struct request *request, uint64_t end)
{
    const uint64_t tail = request->asker->dialect->tail_offset;
    const uint64_t asked = request->message.start_offset;
    if (LWP_BUG(tail_is_the_beginning) && asked == tail)
        return 0;
    if (LWP_BUG(begins_again_beyond_the_end) && asked > end && asked != tail)
        return 0;
    return tail && (asked == tail || asked == UINT64_MAX) ? end : asked;
}

enum lwp_status answer_fetch(const struct request *request)
{
    struct lwp_broker *broker = request->broker;
    const struct lwp_dialect *dialect = request->asker->dialect;
    const struct lwp_message *message = &request->message;
    if (!bucket_take(&broker->bucket, message->max_bytes, broker->epoch_ns))
        return refuse_rate(request);
    const struct lwp_log *log = broker_log_of(broker, message->topic_id);
    const bool readable = message->topic_id != 0 || dialect->default_topic_readable;
    if (!log || !readable)
        return refuse_unknown(request);
    const uint64_t end = visible_end(request, log);
    const uint64_t offset = asked_offset(request, end);
    if (offset > end && dialect->beyond_end != LWP_BEYOND_EMPTY)
        return refuse_beyond_end(request, offset, end);
    if (offset < log->first_offset || (offset > end && LWP_BUG(refuses_beyond_the_end)))
        return request_refuse_id(request, LWP_TEXT_OFFSET_GONE, log->first_offset);
    return reply_fetch(request, log, offset, end);
}

static int compare_commits(const void *left, const void *right)
{
    const struct broker_commit *a = left;
    const struct broker_commit *b = right;
    if (a->topic_id != b->topic_id && !LWP_BUG(commits_for_all_topics))
        return a->topic_id < b->topic_id ? -1 : 1;
    if (LWP_BUG(commits_for_all_consumers))
        return 0;
    return (a->consumer_id > b->consumer_id) - (a->consumer_id < b->consumer_id);
}

static uint64_t committed_offset(const struct request *request)
{
    const struct broker_commit key = {request->message.topic_id, request->message.consumer_id, 0};
    void *const *found = tfind(&key, &request->broker->commits, compare_commits);
    return found && !LWP_BUG(forgets_commit) ? ((const struct broker_commit *)*found)->offset : 0;
}

/* Subscriptions are only book-keeping: nothing is ever pushed (D34), so none is kept. */
enum lwp_status answer_subscribe(const struct request *request)
{
    const struct lwp_message *message = &request->message;
    if (message->topic_id && !broker_topic_by_id(request->broker, message->topic_id) &&
        !LWP_BUG(subscribes_to_unknown_topics))
        return request_refuse(request, LWP_TEXT_TOPIC_NOT_FOUND);
    const uint64_t offset = message->start_offset && !LWP_BUG(commit_beats_the_offset)
                                ? message->start_offset
                                : committed_offset(request);
    return reply_offset(request, LWP_COMMAND_SUBSCRIBE_ACK, offset);
}

enum lwp_status answer_unsubscribe(const struct request *request)
{
    if (!request->asker->dialect->unsubscribe_acked)
        return request_reply_id(request, "unsubscribed", request->message.topic_id);
    if (LWP_BUG(unsubscribes_as_an_error))
        return request_refuse(request, LWP_TEXT_INVALID_COMMAND);
    *request->reply = (struct lwp_reply){.is_ack = true, .batch_id = request->message.consumer_id};
    return LWP_OK;
}

enum lwp_status answer_commit_offset(const struct request *request)
{
    struct lwp_broker *broker = request->broker;
    const struct lwp_message *message = &request->message;
    const struct broker_commit key = {message->topic_id, message->consumer_id, message->offset};
    void *const *found = tfind(&key, &broker->commits, compare_commits);
    if (found) {
        uint64_t *offset = &((struct broker_commit *)*found)->offset;
        if (!LWP_BUG(keeps_the_largest_commit) || message->offset > *offset)
            *offset = message->offset;
        return reply_offset(request, LWP_COMMAND_COMMIT_ACK, message->offset);
    }
    if (broker->commit_count >= broker->options.limits.max_commits)
        return lwp_broker_error(broker, request->asker->dialect, LWP_TEXT_STORAGE,
                                lwp_bytes_text("too many commits"), request->reply);
    struct broker_commit *commit = malloc(sizeof(*commit));
    if (!commit)
        return LWP_NO_MEMORY;
    *commit = key;
    if (!tsearch(commit, &broker->commits, compare_commits)) {
        free(commit);
        return LWP_NO_MEMORY;
    }
    broker->commit_count++;
    return reply_offset(request, LWP_COMMAND_COMMIT_ACK, message->offset);
}
