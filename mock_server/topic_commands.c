/* SPDX-License-Identifier: MIT */
/* What the broker answers to commands about topics (5.3 to 5.6, 5.10, 5.11). */
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "mock_server/mutants.h"
#include "mock_server/request.h"

enum { MAX_NAME_SIZE = 255 };

static struct lwp_topic document_of(const struct broker_topic *topic, bool with_retention)
{
    return (struct lwp_topic){
        .id = topic->id,
        .name = {topic->name, topic->name_size},
        .created_at = topic->created_at,
        .topic_epoch = LWP_BUG(epoch_is_0) ? 0 : 1,
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
        lwp_json_write_topic(request->asker->dialect, &document, &out) != LWP_OK)
        return LWP_NO_MEMORY;
    return request_reply(request, LWP_COMMAND_TOPIC_RESPONSE, &out);
}

/* D17. */
static bool has_only_allowed_characters(struct lwp_bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        const uint8_t c = name.data[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && (c != '-' || LWP_BUG(refuses_dashes)))
            return false;
    }
    return true;
}

/* LWP_TEXT_COUNT if the name can be taken. In the deployed server's order: empty (before this),
 * duplicate, characters, and last the length, which its file system finds. */
static enum lwp_text judge_name(const struct request *request)
{
    const struct lwp_bytes name = request->message.name;
    if (LWP_BUG(takes_names_with_limits) &&
        request->message.command == LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION)
        return LWP_TEXT_COUNT;
    if (broker_topic_by_name(request->broker, name) && !LWP_BUG(accepts_duplicate_topic))
        return LWP_TEXT_TOPIC_EXISTS;
    const bool any = request->asker->dialect->any_topic_name;
    if (any ? !request->text_ok && !LWP_BUG(takes_any_bytes_for_names)
            : !has_only_allowed_characters(name))
        return LWP_TEXT_TOPIC_NAME_CHARACTERS;
    return mutants_name_size(name) > MAX_NAME_SIZE ? LWP_TEXT_TOPIC_NAME_LONG : LWP_TEXT_COUNT;
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

static enum lwp_status add_topic(struct lwp_broker *broker, struct lwp_bytes name,
                                 struct broker_topic **added)
{
    uint8_t *copy = malloc(name.size);
    if (!copy || make_room_for_topic(broker) != LWP_OK) {
        free(copy);
        return LWP_NO_MEMORY;
    }
    memcpy(copy, name.data, name.size);
    *added = &broker->topics[broker->topic_count++];
    **added = (struct broker_topic){
        .id = LWP_BUG(gives_one_id_to_all) ? broker->next_id : broker->next_id++,
        .name = copy,
        .name_size = name.size,
        .created_at = broker->epoch_ns / (LWP_BUG(tells_milliseconds) ? 1000000 : LWP_SECOND_NS),
    };
    (*added)->writer_lost = broker_id_is_lost(broker, (*added)->id);
    return LWP_OK;
}

/* D11, B13. */
static void keep_retention(const struct request *request, struct broker_topic *topic)
{
    if (LWP_BUG(forgets_limits))
        return;
    topic->has_retention = true;
    topic->zero_deletes =
        broker_has(request->broker, LWP_QUIRK_B13) && !request->asker->dialect->zero_keeps_all;
    topic->max_age_secs = request->message.max_age_secs;
    topic->max_bytes = request->message.max_bytes;
}

/* D19: in a cluster of the deployed server a topic is created as often as one likes. */
static enum lwp_status create_again(const struct request *request, struct broker_topic *topic,
                                    bool with_retention)
{
    if (with_retention)
        keep_retention(request, topic);
    return reply_topic(request, topic, with_retention);
}

/* The deployed server takes the id before it makes the directory, and its cluster agrees on a topic
 * before it looks at the name. */
static bool burns_id(const struct request *request, enum lwp_text text)
{
    if (request->asker->dialect->any_topic_name)
        return false;
    return text == LWP_TEXT_TOPIC_NAME_LONG ||
           (text == LWP_TEXT_TOPIC_NAME_CHARACTERS && broker_is_cluster(request->asker));
}

static enum lwp_status create(const struct request *request, enum lwp_text if_empty,
                              bool with_retention)
{
    struct lwp_broker *broker = request->broker;
    if (request->message.name.size == 0 && !LWP_BUG(makes_nameless_topics))
        return request_refuse(request, if_empty);
    struct broker_topic *topic = broker_is_cluster(request->asker)
                                     ? broker_topic_by_name(broker, request->message.name)
                                     : NULL;
    if (topic)
        return create_again(request, topic, with_retention);
    const enum lwp_text text = judge_name(request);
    if (burns_id(request, text))
        broker->next_id++;
    if (text != LWP_TEXT_COUNT)
        return request_refuse_name(request, text);
    if (broker->topic_count >= broker->options.limits.max_topics)
        return lwp_broker_error(broker, request->asker->dialect, LWP_TEXT_STORAGE,
                                lwp_bytes_text("too many topics"), request->reply);
    if (add_topic(request->broker, request->message.name, &topic) != LWP_OK)
        return LWP_NO_MEMORY;
    if (with_retention)
        keep_retention(request, topic);
    return reply_topic(request, topic, with_retention);
}

enum lwp_status answer_create_topic(const struct request *request)
{
    return create(request, LWP_TEXT_TOPIC_NAME_REQUIRED, false);
}

enum lwp_status answer_create_topic_with_retention(const struct request *request)
{
    return create(request, LWP_TEXT_TOPIC_NAME_EMPTY, true);
}

enum lwp_status answer_delete_topic(const struct request *request)
{
    struct lwp_broker *broker = request->broker;
    const uint64_t id = request->message.topic_id;
    struct broker_topic *topic = broker_topic_by_id(broker, id);
    if (!topic && !LWP_BUG(deletes_unknown_topics))
        return request_refuse_id(request, LWP_TEXT_TOPIC_NOT_CONFIGURED, id);
    if (topic && !LWP_BUG(deleted_topic_stays))
        broker_delete_topic(broker, topic);
    return request_reply_id(request, "deleted", id);
}

static size_t listed_count(const struct lwp_broker *broker)
{
    return LWP_BUG(leaves_out_the_last) && broker->topic_count ? broker->topic_count - 1
                                                               : broker->topic_count;
}

enum lwp_status answer_list_topics(const struct request *request)
{
    enum { ENTRY_SIZE = 128, ESCAPED_NAME_SIZE = 6 * MAX_NAME_SIZE };
    struct lwp_broker *broker = request->broker;
    struct lwp_writer out;
    struct lwp_topic *topics = calloc(broker->topic_count + 1, sizeof(*topics));
    if (!topics)
        return LWP_NO_MEMORY;
    broker_note_empty(broker);
    size_t room = DOCUMENT_SIZE;
    for (size_t i = 0; i < broker->topic_count; i++) {
        topics[i] = document_of(&broker->topics[i], false);
        room += ENTRY_SIZE + ESCAPED_NAME_SIZE;
    }
    enum lwp_status status = broker_scratch(broker, room, &out);
    if (status == LWP_OK)
        status = lwp_json_write_topics(request->asker->dialect, topics, listed_count(broker), &out);
    free(topics);
    return status == LWP_OK ? request_reply(request, LWP_COMMAND_TOPIC_RESPONSE, &out) : status;
}

enum lwp_status answer_get_topic(const struct request *request)
{
    const struct broker_topic *topic =
        broker_topic_by_id(request->broker, request->message.topic_id);
    static const struct broker_topic nothing = {.id = 0};
    if (!topic && LWP_BUG(gets_unknown_topics))
        topic = &nothing;
    if (!topic && !LWP_BUG(dies_of_unknown_topics))
        return request_refuse(request, LWP_TEXT_TOPIC_NOT_FOUND);
    if (LWP_BUG(gets_the_newest) && topic)
        topic = &request->broker->topics[request->broker->topic_count - 1];
    return reply_topic(request, topic, false);
}

enum lwp_status answer_set_retention(const struct request *request)
{
    const struct lwp_message *message = &request->message;
    struct broker_topic *topic = broker_topic_by_id(request->broker, message->topic_id);
    if (!topic && LWP_BUG(limits_unknown_topics))
        return request_reply_id(request, "topic_id", message->topic_id);
    if (!topic)
        return request_refuse_id(request, LWP_TEXT_TOPIC_NOT_CONFIGURED, message->topic_id);
    keep_retention(request, topic);
    if (LWP_BUG(acks_retention)) {
        *request->reply = (struct lwp_reply){.is_ack = true};
        return LWP_OK;
    }
    struct lwp_writer out;
    const struct lwp_topic document = document_of(topic, true);
    if (broker_scratch(request->broker, DOCUMENT_SIZE, &out) != LWP_OK ||
        lwp_json_write_retention(request->asker->dialect, &document, &out) != LWP_OK)
        return LWP_NO_MEMORY;
    return request_reply(request, LWP_COMMAND_TOPIC_RESPONSE, &out);
}

static bool is_free(const struct lwp_broker *broker, struct lwp_bytes name, uint64_t id)
{
    const bool has_name =
        name.size > 0 && name.size <= MAX_NAME_SIZE && !broker_topic_by_name(broker, name);
    return has_name && (id == 0 || (id >= broker->next_id && id <= UINT32_MAX));
}

enum lwp_status lwp_broker_add_topic(struct lwp_broker *broker, struct lwp_bytes name, uint64_t id,
                                     struct lwp_bytes records)
{
    struct broker_topic *topic = NULL;
    if (!is_free(broker, name, id))
        return LWP_INVALID_ARGUMENT;
    if (broker->topic_count >= broker->options.limits.max_topics)
        return LWP_FULL;
    broker->next_id = id ? id : broker->next_id;
    enum lwp_status status = add_topic(broker, name, &topic);
    if (status == LWP_OK && records.size)
        status = lwp_broker_ingest(broker, (uint32_t)topic->id, records);
    lwp_broker_flush(broker);
    return status;
}

uint64_t lwp_broker_topic_id(const struct lwp_broker *broker, struct lwp_bytes name)
{
    const struct broker_topic *topic = broker_topic_by_name(broker, name);
    return topic ? topic->id : 0;
}

uint64_t lwp_broker_next_id(const struct lwp_broker *broker)
{
    return broker->next_id;
}

void lwp_broker_take_back(struct lwp_broker *broker, uint64_t next_id)
{
    while (broker->topic_count && broker->topics[broker->topic_count - 1].id >= next_id) {
        struct broker_topic *last = &broker->topics[broker->topic_count - 1];
        last->written = false; /* No writer was there whose file could outlive it (B1). */
        broker_delete_topic(broker, last);
    }
    broker->next_id = next_id;
}

struct lwp_bytes lwp_broker_topic_name(const struct lwp_broker *broker, uint64_t id)
{
    const struct broker_topic *topic = broker_topic_by_id(broker, id);
    return topic ? (struct lwp_bytes){topic->name, topic->name_size} : (struct lwp_bytes){NULL, 0};
}
