/* SPDX-License-Identifier: MIT */
/* What the broker answers to each control command: one row and one handler a command. */
#include <search.h>
#include <stdlib.h>

#include "lwp/bug/bug.h"
#include "lwp/wire/tlv.h"
#include "mock_server/broker_state.h"

enum { MAX_NAME_SIZE = 255, FETCH_HEAD_SIZE = 16, DOCUMENT_SIZE = 4096 };

/* A request under way: what was asked, who asked, and where the answer goes. */
struct request {
    struct lwp_broker *broker;
    struct lwp_message message;
    bool text_ok; /* The payload's text is UTF-8. */
    bool *authenticated;
    struct lwp_reply *reply;
};

/* An integer as the argument of an error text. */
static enum lwp_status refuse_id(const struct request *request, enum lwp_text text, uint64_t id)
{
    uint8_t digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (uint8_t)('0' + id % 10);
        id /= 10;
    } while (id);
    return lwp_broker_error(request->broker, text,
                            (struct lwp_bytes){digits + at, sizeof(digits) - at}, request->reply);
}

static enum lwp_status refuse_name(const struct request *request, enum lwp_text text)
{
    return lwp_broker_error(request->broker, text, request->message.name, request->reply);
}

static enum lwp_status refuse(const struct request *request, enum lwp_text text)
{
    return lwp_broker_error(request->broker, text, (struct lwp_bytes){NULL, 0}, request->reply);
}

/* Answers with what was written, or tries again with more room. */
static enum lwp_status reply_with(const struct request *request, uint8_t command,
                                  const struct lwp_writer *out)
{
    *request->reply = (struct lwp_reply){.command = command, .payload = lwp_writer_bytes(out)};
    return LWP_OK;
}

static struct lwp_topic document_of(const struct broker_topic *topic, bool with_retention)
{
    return (struct lwp_topic){
        .id = topic->id,
        .name = {topic->name, topic->name_size},
        .created_at = topic->created_at,
        .topic_epoch = 1,
        .with_retention = with_retention,
        .max_age_secs = topic->max_age_secs,
        .max_bytes = topic->max_bytes,
    };
}

static enum lwp_status reply_topic(const struct request *request, const struct broker_topic *topic,
                                   bool with_retention)
{
    struct lwp_writer out;
    const struct lwp_topic document = document_of(topic, with_retention);
    if (broker_scratch(request->broker, DOCUMENT_SIZE, &out) != LWP_OK ||
        lwp_json_write_topic(request->broker->dialect, &document, &out) != LWP_OK)
        return LWP_NO_MEMORY;
    return reply_with(request, LWP_COMMAND_TOPIC_RESPONSE, &out);
}

static enum lwp_status reply_id(const struct request *request, const char *key, uint64_t id)
{
    struct lwp_writer out;
    if (broker_scratch(request->broker, DOCUMENT_SIZE, &out) != LWP_OK ||
        lwp_json_write_id(key, id, &out) != LWP_OK)
        return LWP_NO_MEMORY;
    return reply_with(request, LWP_COMMAND_TOPIC_RESPONSE, &out);
}

static enum lwp_status reply_offset(const struct request *request, uint8_t command, uint64_t offset)
{
    const struct lwp_message answer = {
        .command = command, .consumer_id = request->message.consumer_id, .offset = offset};
    struct lwp_writer out;
    if (broker_scratch(request->broker, DOCUMENT_SIZE, &out) != LWP_OK)
        return LWP_NO_MEMORY;
    (void)lwp_message_encode(&answer, &out);
    return reply_with(request, command, &out);
}

/* D17. */
static bool has_only_allowed_characters(struct lwp_bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        const uint8_t c = name.data[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return true;
}

/* LWP_TEXT_COUNT if the name can be taken. In the deployed server's order: empty (before this),
 * duplicate, characters, and last the length, which its file system finds. */
static enum lwp_text judge_name(const struct request *request)
{
    const struct lwp_bytes name = request->message.name;
    if (broker_topic_by_name(request->broker, name) && !LWP_BUG(accepts_duplicate_topic))
        return LWP_TEXT_TOPIC_EXISTS;
    const bool any = request->broker->dialect->any_topic_name;
    if (any ? !request->text_ok : !has_only_allowed_characters(name))
        return LWP_TEXT_TOPIC_NAME_CHARACTERS;
    return name.size > MAX_NAME_SIZE ? LWP_TEXT_TOPIC_NAME_LONG : LWP_TEXT_COUNT;
}

static enum lwp_status make_room_for_topic(struct lwp_broker *broker)
{
    if (broker->topic_count < broker->topic_capacity)
        return LWP_OK;
    const size_t capacity = broker->topic_capacity ? 2 * broker->topic_capacity : 16;
    struct broker_topic *topics = realloc(broker->topics, capacity * sizeof(*topics));
    if (!topics)
        return LWP_NO_MEMORY;
    broker->topics = topics;
    broker->topic_capacity = capacity;
    return LWP_OK;
}

static enum lwp_status add_topic(const struct request *request, struct broker_topic **added)
{
    struct lwp_broker *broker = request->broker;
    const struct lwp_bytes name = request->message.name;
    uint8_t *copy = malloc(name.size);
    if (!copy || make_room_for_topic(broker) != LWP_OK) {
        free(copy);
        return LWP_NO_MEMORY;
    }
    memcpy(copy, name.data, name.size);
    *added = &broker->topics[broker->topic_count++];
    **added = (struct broker_topic){
        .id = broker->next_id++,
        .name = copy,
        .name_size = name.size,
        .created_at = broker->epoch_secs,
        .max_age_secs = request->message.max_age_secs,
        .max_bytes = request->message.max_bytes,
    };
    return LWP_OK;
}

static enum lwp_status create(const struct request *request, enum lwp_text if_empty,
                              bool with_retention)
{
    struct lwp_broker *broker = request->broker;
    if (request->message.name.size == 0)
        return refuse(request, if_empty);
    const enum lwp_text text = judge_name(request);
    if (text == LWP_TEXT_TOPIC_NAME_LONG && !broker->dialect->any_topic_name)
        broker->next_id++; /* The deployed server takes the id before it makes the directory. */
    if (text != LWP_TEXT_COUNT)
        return refuse_name(request, text);
    if (broker->topic_count >= broker->limits.max_topics)
        return lwp_broker_error(broker, LWP_TEXT_STORAGE, lwp_bytes_text("too many topics"),
                                request->reply);
    struct broker_topic *topic = NULL;
    if (add_topic(request, &topic) != LWP_OK)
        return LWP_NO_MEMORY;
    return reply_topic(request, topic, with_retention);
}

static enum lwp_status create_topic(const struct request *request)
{
    return create(request, LWP_TEXT_TOPIC_NAME_REQUIRED, false);
}

static enum lwp_status create_topic_with_retention(const struct request *request)
{
    return create(request, LWP_TEXT_TOPIC_NAME_EMPTY, true);
}

static enum lwp_status delete_topic(const struct request *request)
{
    struct lwp_broker *broker = request->broker;
    const uint64_t id = request->message.topic_id;
    struct broker_topic *topic = broker_topic_by_id(broker, id);
    if (!topic)
        return refuse_id(request, LWP_TEXT_TOPIC_NOT_CONFIGURED, id);
    if (!LWP_BUG(deleted_topic_stays)) {
        broker->log_bytes -= topic->log.size;
        broker_topic_done(topic);
        broker->topic_count--;
        const size_t behind = broker->topic_count - (size_t)(topic - broker->topics);
        memmove(topic, topic + 1, behind * sizeof(*topic));
    }
    return reply_id(request, "deleted", id);
}

static enum lwp_status list_topics(const struct request *request)
{
    enum { ENTRY_SIZE = 128, ESCAPED_NAME_SIZE = 6 * MAX_NAME_SIZE };
    struct lwp_broker *broker = request->broker;
    struct lwp_writer out;
    struct lwp_topic *topics = calloc(broker->topic_count + 1, sizeof(*topics));
    if (!topics)
        return LWP_NO_MEMORY;
    size_t room = DOCUMENT_SIZE;
    for (size_t i = 0; i < broker->topic_count; i++) {
        topics[i] = document_of(&broker->topics[i], false);
        room += ENTRY_SIZE + ESCAPED_NAME_SIZE;
    }
    enum lwp_status status = broker_scratch(broker, room, &out);
    if (status == LWP_OK)
        status = lwp_json_write_topics(broker->dialect, topics, broker->topic_count, &out);
    free(topics);
    return status == LWP_OK ? reply_with(request, LWP_COMMAND_TOPIC_RESPONSE, &out) : status;
}

static enum lwp_status get_topic(const struct request *request)
{
    const struct broker_topic *topic =
        broker_topic_by_id(request->broker, request->message.topic_id);
    return topic ? reply_topic(request, topic, false) : refuse(request, LWP_TEXT_TOPIC_NOT_FOUND);
}

static enum lwp_status set_retention(const struct request *request)
{
    const struct lwp_message *message = &request->message;
    struct broker_topic *topic = broker_topic_by_id(request->broker, message->topic_id);
    if (!topic)
        return refuse_id(request, LWP_TEXT_TOPIC_NOT_CONFIGURED, message->topic_id);
    topic->max_age_secs = message->max_age_secs;
    topic->max_bytes = message->max_bytes;
    struct lwp_writer out;
    const struct lwp_topic document = document_of(topic, true);
    if (broker_scratch(request->broker, DOCUMENT_SIZE, &out) != LWP_OK ||
        lwp_json_write_retention(request->broker->dialect, &document, &out) != LWP_OK)
        return LWP_NO_MEMORY;
    return reply_with(request, LWP_COMMAND_TOPIC_RESPONSE, &out);
}

static enum lwp_status get_cluster_status(const struct request *request)
{
    const struct lwp_cluster_status alone = {
        .healthy_nodes = 1, .is_leader = true, .node_count = 1, .quorum_available = true};
    struct lwp_writer out;
    if (broker_scratch(request->broker, DOCUMENT_SIZE, &out) != LWP_OK ||
        lwp_json_write_cluster_status(&alone, &out) != LWP_OK)
        return LWP_NO_MEMORY;
    return reply_with(request, LWP_COMMAND_CLUSTER_STATUS_RESPONSE, &out);
}

static const char *judge_token(const struct request *request)
{
    const struct lwp_bytes token = request->message.token;
    if (token.size == 0)
        return "No token provided";
    if (!request->text_ok)
        return "Invalid token encoding";
    const struct lwp_bytes right = lwp_bytes_text(request->broker->auth_token);
    return !right.size || lwp_bytes_equal(token, right) ? NULL : "Invalid token";
}

static enum lwp_status authenticate(const struct request *request)
{
    const char *fault = judge_token(request);
    const struct lwp_message answer = {
        .command = LWP_COMMAND_AUTHENTICATE_RESPONSE,
        .ok = fault == NULL,
        .text = lwp_bytes_text(fault ? fault : "Authenticated"),
    };
    struct lwp_writer out;
    if (broker_scratch(request->broker, DOCUMENT_SIZE, &out) != LWP_OK)
        return LWP_NO_MEMORY;
    (void)lwp_message_encode(&answer, &out);
    if (!fault)
        *request->authenticated = true;
    return reply_with(request, LWP_COMMAND_AUTHENTICATE_RESPONSE, &out);
}

static enum lwp_status authenticate_response(const struct request *request)
{
    return refuse(request, LWP_TEXT_AUTH_RESPONSE);
}

/* D6, D4. */
static enum lwp_status reply_beyond(const struct request *request, uint64_t end)
{
    const struct lwp_message answer = {.command = LWP_COMMAND_CATCHING_UP, .server_offset = end};
    struct lwp_writer out;
    if (broker_scratch(request->broker, DOCUMENT_SIZE, &out) != LWP_OK)
        return LWP_NO_MEMORY;
    if (request->broker->dialect->beyond_end == LWP_BEYOND_CATCHING_UP) {
        (void)lwp_message_encode(&answer, &out);
        return reply_with(request, LWP_COMMAND_CATCHING_UP, &out);
    }
    const struct lwp_error_document document = {
        .code = LWP_ERROR_SERVER_CATCHING_UP,
        .message = lwp_bytes_text("CATCHING_UP"),
        .has_server_offset = true,
        .server_offset = end,
    };
    if (lwp_json_write_error(&document, &out) != LWP_OK)
        return LWP_NO_MEMORY;
    return reply_with(request, LWP_COMMAND_ERROR_RESPONSE, &out);
}

/* D8. */
static uint64_t count_records(const struct request *request, struct lwp_bytes data)
{
    uint64_t count = 0;
    struct lwp_fault fault;
    if (!request->broker->dialect->counts_records)
        return data.size ? 1 : 0;
    (void)lwp_tlv_count(data, &count, &fault);
    return count;
}

static enum lwp_status reply_fetch(const struct request *request, const struct lwp_log *log,
                                   uint64_t offset)
{
    const uint64_t most = request->broker->limits.max_payload - FETCH_HEAD_SIZE;
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
    return reply_with(request, LWP_COMMAND_FETCH_RESPONSE, &out);
}

static enum lwp_status fetch(const struct request *request)
{
    const struct lwp_dialect *dialect = request->broker->dialect;
    const struct lwp_message *message = &request->message;
    const struct lwp_log *log = broker_log_of(request->broker, message->topic_id);
    const bool readable = message->topic_id != 0 || dialect->default_topic_readable;
    if (!log || !readable)
        return refuse_id(request, LWP_TEXT_TOPIC_ID_NOT_FOUND, message->topic_id);
    const bool tail = dialect->tail_offset && message->start_offset == dialect->tail_offset;
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
static enum lwp_status subscribe(const struct request *request)
{
    const struct lwp_message *message = &request->message;
    if (message->topic_id && !broker_topic_by_id(request->broker, message->topic_id))
        return refuse(request, LWP_TEXT_TOPIC_NOT_FOUND);
    const uint64_t offset =
        message->start_offset ? message->start_offset : committed_offset(request);
    return reply_offset(request, LWP_COMMAND_SUBSCRIBE_ACK, offset);
}

static enum lwp_status unsubscribe(const struct request *request)
{
    if (!request->broker->dialect->unsubscribe_acked)
        return reply_id(request, "unsubscribed", request->message.topic_id);
    *request->reply = (struct lwp_reply){.is_ack = true, .batch_id = request->message.consumer_id};
    return LWP_OK;
}

static enum lwp_status commit_offset(const struct request *request)
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
        return lwp_broker_error(broker, LWP_TEXT_STORAGE, lwp_bytes_text("too many commits"),
                                request->reply);
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

/* A row: the texts for a missing payload, for one shorter than `min_size`, and for one whose inner
 * sizes pass its end; and who answers. A row without texts takes a short payload for zeros (D38).
 */
struct handler {
    uint8_t command;
    size_t min_size;
    enum lwp_text if_missing;
    enum lwp_text if_short;
    enum lwp_text if_overrun;
    enum lwp_status (*answer)(const struct request *request);
};

#define NO_TEXT LWP_TEXT_COUNT
/* clang-format off */
static const struct handler handlers[] = {
    {LWP_COMMAND_CREATE_TOPIC,         0, NO_TEXT, NO_TEXT, NO_TEXT, create_topic},
    {LWP_COMMAND_DELETE_TOPIC,         4, NO_TEXT, NO_TEXT, NO_TEXT, delete_topic},
    {LWP_COMMAND_LIST_TOPICS,          0, NO_TEXT, NO_TEXT, NO_TEXT, list_topics},
    {LWP_COMMAND_GET_TOPIC,            4, NO_TEXT, NO_TEXT, NO_TEXT, get_topic},
    {LWP_COMMAND_SET_RETENTION,       20, LWP_TEXT_SET_RETENTION_PAYLOAD, LWP_TEXT_SET_RETENTION_PAYLOAD,
                                          NO_TEXT, set_retention},
    {LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION, 18, LWP_TEXT_CREATE_TOPIC_PAYLOAD, LWP_TEXT_CREATE_TOPIC_PAYLOAD,
                                          LWP_TEXT_PAYLOAD_LENGTH, create_topic_with_retention},
    {LWP_COMMAND_GET_CLUSTER_STATUS,   0, NO_TEXT, NO_TEXT, NO_TEXT, get_cluster_status},
    {LWP_COMMAND_AUTHENTICATE,         0, NO_TEXT, NO_TEXT, NO_TEXT, authenticate},
    {LWP_COMMAND_AUTHENTICATE_RESPONSE, 0, NO_TEXT, NO_TEXT, NO_TEXT, authenticate_response},
    {LWP_COMMAND_FETCH,               16, LWP_TEXT_FETCH_REQUIRED, LWP_TEXT_FETCH_SMALL, NO_TEXT, fetch},
    {LWP_COMMAND_SUBSCRIBE,           24, LWP_TEXT_SUBSCRIBE_PAYLOAD, LWP_TEXT_SUBSCRIBE_PAYLOAD,
                                          NO_TEXT, subscribe},
    {LWP_COMMAND_UNSUBSCRIBE,         12, LWP_TEXT_UNSUBSCRIBE_PAYLOAD, LWP_TEXT_UNSUBSCRIBE_PAYLOAD,
                                          NO_TEXT, unsubscribe},
    {LWP_COMMAND_COMMIT_OFFSET,       20, LWP_TEXT_COMMIT_PAYLOAD, LWP_TEXT_COMMIT_PAYLOAD,
                                          NO_TEXT, commit_offset},
};
/* clang-format on */

static const struct handler *handler_of(int command)
{
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
        if (handlers[i].command == command)
            return &handlers[i];
    return NULL;
}

/* The text for a payload that does not have the row's form, or NO_TEXT if it is answered all the
 * same. */
static enum lwp_text judge_form(const struct handler *handler, const struct lwp_dialect *dialect,
                                size_t payload_size, bool decoded, size_t rest_size)
{
    const bool lenient = !dialect->refuses_unsound;
    if (decoded)
        return rest_size && !lenient ? LWP_TEXT_INVALID_FRAME : NO_TEXT;
    enum lwp_text text = handler->if_overrun;
    if (payload_size < handler->min_size)
        text = payload_size ? handler->if_short : handler->if_missing;
    return text == NO_TEXT && !lenient ? LWP_TEXT_INVALID_FRAME : text;
}

enum lwp_status lwp_broker_control(struct lwp_broker *broker, int command, struct lwp_bytes payload,
                                   bool *authenticated, struct lwp_reply *reply)
{
    struct request request = {
        .broker = broker, .text_ok = true, .authenticated = authenticated, .reply = reply};
    if (command == broker->dialect->cluster_status_command)
        command = LWP_COMMAND_GET_CLUSTER_STATUS;
    const struct handler *handler = handler_of(command);
    if (!handler)
        return refuse(&request, LWP_TEXT_INVALID_COMMAND);
    struct lwp_bytes rest = {NULL, 0};
    struct lwp_fault fault = {LWP_OK, 0, NULL};
    const enum lwp_status status =
        lwp_message_decode(handler->command, payload, &request.message, &rest, &fault);
    request.text_ok = status != LWP_INVALID_TEXT;
    const enum lwp_text text =
        judge_form(handler, broker->dialect, payload.size, status != LWP_INVALID_LENGTH, rest.size);
    if (text != NO_TEXT)
        return lwp_broker_error(broker, text, lwp_bytes_text("payload length"), reply);
    return handler->answer(&request);
}
