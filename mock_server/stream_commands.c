/* SPDX-License-Identifier: MIT */
/* What the broker answers to Fetch, Subscribe, Unsubscribe and CommitOffset (5.9, 5.12 to 5.14). */
#include <search.h>
#include <stdlib.h>

#include "lwp/bug/bug.h"
#include "lwp/wire/tlv.h"
#include "mock_server/request.h"

enum { FETCH_HEAD_SIZE = 16 };

static enum lwp_status reply_offset(const struct request *request, uint8_t command, uint64_t offset)
{
    const struct lwp_message answer = {
        .command = command, .consumer_id = request->message.consumer_id, .offset = offset};
    struct lwp_writer out;
    if (broker_scratch(request->broker, DOCUMENT_SIZE, &out) != LWP_OK)
        return LWP_NO_MEMORY;
    (void)lwp_message_encode(&answer, &out);
    return request_reply(request, command, &out);
}

/* D6, D4. */
static enum lwp_status reply_beyond(const struct request *request, uint64_t end)
{
    const struct lwp_message answer = {.command = LWP_COMMAND_CATCHING_UP, .server_offset = end};
    struct lwp_writer out;
    if (broker_scratch(request->broker, DOCUMENT_SIZE, &out) != LWP_OK)
        return LWP_NO_MEMORY;
    if (request->asker->dialect->beyond_end == LWP_BEYOND_CATCHING_UP) {
        (void)lwp_message_encode(&answer, &out);
        return request_reply(request, LWP_COMMAND_CATCHING_UP, &out);
    }
    const struct lwp_error_document document = {
        .code = LWP_ERROR_SERVER_CATCHING_UP,
        .message = lwp_bytes_text("CATCHING_UP"),
        .has_server_offset = true,
        .server_offset = end,
    };
    if (lwp_json_write_error(&document, &out) != LWP_OK)
        return LWP_NO_MEMORY;
    return request_reply(request, LWP_COMMAND_ERROR_RESPONSE, &out);
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

static enum lwp_status reply_fetch(const struct request *request, const struct lwp_log *log,
                                   uint64_t offset)
{
    const uint64_t largest = request->broker->limits.max_payload;
    const uint64_t most = largest > FETCH_HEAD_SIZE ? largest - FETCH_HEAD_SIZE : 0;
    uint64_t size = request->message.max_bytes < most ? request->message.max_bytes : most;
    if (LWP_BUG(fetch_ignores_max_bytes))
        size = most;
    if (LWP_BUG(fetch_ignores_offset))
        offset = 0;
    const struct lwp_bytes data = lwp_log_read(log, offset, (size_t)size);
    const struct lwp_message answer = {
        .command = LWP_COMMAND_FETCH_RESPONSE,
        .next_offset = offset + data.size,
        .bytes_returned = data.size,
        .record_count = count_records(request, data),
        .data = data,
    };
    struct lwp_writer out;
    if (broker_scratch(request->broker, FETCH_HEAD_SIZE + data.size, &out) != LWP_OK)
        return LWP_NO_MEMORY;
    (void)lwp_message_encode(&answer, &out);
    return request_reply(request, LWP_COMMAND_FETCH_RESPONSE, &out);
}

enum lwp_status answer_fetch(const struct request *request)
{
    const struct lwp_dialect *dialect = request->asker->dialect;
    const struct lwp_message *message = &request->message;
    const struct lwp_log *log = broker_log_of(request->broker, message->topic_id);
    const bool readable = message->topic_id != 0 || dialect->default_topic_readable;
    if (!log || !readable)
        return request_refuse_id(request, LWP_TEXT_TOPIC_ID_NOT_FOUND, message->topic_id);
    const bool tail = dialect->tail_offset && (message->start_offset == dialect->tail_offset ||
                                               message->start_offset == UINT64_MAX);
    const uint64_t offset = tail ? log->visible : message->start_offset;
    if (offset > log->visible && dialect->beyond_end != LWP_BEYOND_EMPTY)
        return reply_beyond(request, log->visible);
    return reply_fetch(request, log, offset);
}

static int compare_commits(const void *left, const void *right)
{
    const struct broker_commit *a = left;
    const struct broker_commit *b = right;
    if (a->topic_id != b->topic_id)
        return a->topic_id < b->topic_id ? -1 : 1;
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
    if (message->topic_id && !broker_topic_by_id(request->broker, message->topic_id))
        return request_refuse(request, LWP_TEXT_TOPIC_NOT_FOUND);
    const uint64_t offset =
        message->start_offset ? message->start_offset : committed_offset(request);
    return reply_offset(request, LWP_COMMAND_SUBSCRIBE_ACK, offset);
}

enum lwp_status answer_unsubscribe(const struct request *request)
{
    if (!request->asker->dialect->unsubscribe_acked)
        return request_reply_id(request, "unsubscribed", request->message.topic_id);
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
        ((struct broker_commit *)*found)->offset = message->offset;
        return reply_offset(request, LWP_COMMAND_COMMIT_ACK, message->offset);
    }
    if (broker->commit_count >= broker->limits.max_commits)
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
