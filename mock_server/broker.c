/* SPDX-License-Identifier: MIT */
#include "mock_server/broker.h"

#include <search.h>
#include <stdlib.h>

#include "lwp/bug/bug.h"
#include "lwp/wire/tlv.h"
#include "mock_server/broker_state.h"

static const struct lwp_broker_limits defaults = {
    .max_topics = 16384,
    .max_commits = 1000000,
    .max_log_bytes = 1073741824,
    .max_payload = LWP_MAX_PAYLOAD_DEFAULT,
};

enum lwp_status lwp_broker_new(const struct lwp_broker_limits *limits, const char *auth_token,
                               struct lwp_broker **broker)
{
    struct lwp_broker *made = calloc(1, sizeof(*made));
    if (!made)
        return LWP_NO_MEMORY;

    made->limits = *limits;
    if (!made->limits.max_topics)
        made->limits.max_topics = defaults.max_topics;
    if (!made->limits.max_commits)
        made->limits.max_commits = defaults.max_commits;
    if (!made->limits.max_log_bytes)
        made->limits.max_log_bytes = defaults.max_log_bytes;
    if (!made->limits.max_payload)
        made->limits.max_payload = defaults.max_payload;
    made->auth_token = auth_token;
    made->next_id = 1;
    *broker = made;
    return LWP_OK;
}

void lwp_broker_free(struct lwp_broker *broker)
{
    if (!broker)
        return;
    for (size_t i = 0; i < broker->topic_count; i++)
        broker_topic_done(&broker->topics[i]);
    lwp_log_done(&broker->default_log);
    tdestroy(broker->commits, free);
    free(broker->topics);
    free(broker->scratch);
    free(broker);
}

void lwp_broker_set_time(struct lwp_broker *broker, uint64_t epoch_secs)
{
    broker->epoch_secs = epoch_secs;
}

bool lwp_broker_guarded(const struct lwp_broker *broker)
{
    return broker->auth_token != NULL;
}

void broker_topic_done(struct broker_topic *topic)
{
    free(topic->name);
    lwp_log_done(&topic->log);
}

static int by_id(const void *key, const void *element)
{
    const uint64_t id = *(const uint64_t *)key;
    const uint64_t other = ((const struct broker_topic *)element)->id;
    return (id > other) - (id < other);
}

struct broker_topic *broker_topic_by_id(const struct lwp_broker *broker, uint64_t id)
{
    if (broker->topic_count == 0)
        return NULL;
    return bsearch(&id, broker->topics, broker->topic_count, sizeof(*broker->topics), by_id);
}

struct broker_topic *broker_topic_by_name(const struct lwp_broker *broker, struct lwp_bytes name)
{
    for (size_t i = 0; i < broker->topic_count; i++) {
        const struct broker_topic *topic = &broker->topics[i];
        if (lwp_bytes_equal(name, (struct lwp_bytes){topic->name, topic->name_size}))
            return &broker->topics[i];
    }
    return NULL;
}

/* The log that ingests to this topic go to and fetches read from; NULL if there is none. */
struct lwp_log *broker_log_of(struct lwp_broker *broker, uint64_t topic_id)
{
    if (topic_id == 0)
        return &broker->default_log;
    if (LWP_BUG(mixes_topics) && broker->topic_count)
        topic_id = broker->topics[0].id;
    struct broker_topic *topic = broker_topic_by_id(broker, topic_id);
    return topic ? &topic->log : NULL;
}

bool lwp_broker_has_topic(const struct lwp_broker *broker, uint32_t topic_id)
{
    return topic_id == 0 || broker_topic_by_id(broker, topic_id) != NULL;
}

enum lwp_status lwp_broker_ingest(struct lwp_broker *broker, uint32_t topic_id,
                                  struct lwp_bytes payload)
{
    struct lwp_log *log = broker_log_of(broker, topic_id);
    if (LWP_BUG(acks_without_storing))
        return LWP_OK;
    if (payload.size > broker->limits.max_log_bytes - broker->log_bytes)
        return LWP_FULL;
    const enum lwp_status status = lwp_log_append(log, payload);
    if (status == LWP_OK) {
        broker->log_bytes += payload.size;
        broker->dirty = true;
    }
    return status;
}

void lwp_broker_flush(struct lwp_broker *broker)
{
    lwp_log_flush(&broker->default_log);
    for (size_t i = 0; i < broker->topic_count; i++)
        lwp_log_flush(&broker->topics[i].log);
    broker->dirty = false;
}

bool lwp_broker_is_dirty(const struct lwp_broker *broker)
{
    return broker->dirty;
}

void lwp_broker_trim(struct lwp_broker *broker)
{
    enum { KEPT_SIZE = 1048576 };
    if (broker->scratch_capacity <= KEPT_SIZE)
        return;
    free(broker->scratch);
    broker->scratch = NULL;
    broker->scratch_capacity = 0;
}

/* A writer on the scratch memory with room for at least `size` bytes. */
enum lwp_status broker_scratch(struct lwp_broker *broker, size_t size, struct lwp_writer *out)
{
    if (size > broker->scratch_capacity) {
        uint8_t *memory = realloc(broker->scratch, size);
        if (!memory)
            return LWP_NO_MEMORY;
        broker->scratch = memory;
        broker->scratch_capacity = size;
    }
    *out = lwp_writer_on(broker->scratch, broker->scratch_capacity);
    return LWP_OK;
}

/* Writes the text as Rust prints bytes that are not UTF-8: U+FFFD for each piece of rubbish.
 * Returns the size, also of what did not fit. */
static size_t write_lossy(struct lwp_bytes text, struct lwp_writer *out)
{
    static const uint8_t replacement[] = {0xef, 0xbf, 0xbd};
    size_t total = 0;
    while (text.size) {
        bool valid = false;
        const size_t size = lwp_utf8_step(text, &valid);
        const struct lwp_bytes piece = valid ? (struct lwp_bytes){text.data, size}
                                             : (struct lwp_bytes){replacement, sizeof(replacement)};
        lwp_write(out, piece);
        total += piece.size;
        text = lwp_bytes_from(text, size);
    }
    return total;
}

/* The error as a document (12.1). `out` has the message and room behind it. */
static enum lwp_status wrap_in_document(enum lwp_text text, struct lwp_writer *out,
                                        struct lwp_reply *reply)
{
    const struct lwp_error_document document = {.code = lwp_text_code(text),
                                                .message = reply->payload};
    struct lwp_writer json = lwp_writer_on(out->data + out->size, out->capacity - out->size);
    const enum lwp_status status = lwp_json_write_error(&document, &json);
    reply->payload = lwp_writer_bytes(&json);
    return status;
}

enum lwp_status lwp_broker_error(struct lwp_broker *broker, const struct lwp_dialect *dialect,
                                 enum lwp_text text, struct lwp_bytes argument,
                                 struct lwp_reply *reply)
{
    enum { TEXT_SIZE = 512, QUOTED_SIZE = 1024, JSON_GROWTH = 6 };
    const bool as_json = dialect->error_form == LWP_ERRORS_AS_JSON;
    if (as_json && argument.size > QUOTED_SIZE)
        argument.size = QUOTED_SIZE;
    struct lwp_writer nowhere = {.full = true};
    const size_t lossy_size = write_lossy(argument, &nowhere);
    const size_t message_size = TEXT_SIZE + lossy_size;
    const size_t json_size = as_json ? JSON_GROWTH * message_size : 0;
    struct lwp_writer out;
    if (broker_scratch(broker, lossy_size + message_size + json_size, &out) != LWP_OK)
        return LWP_NO_MEMORY;
    (void)write_lossy(argument, &out);
    lwp_text_write(text, as_json, lwp_writer_bytes(&out), &out);
    *reply = (struct lwp_reply){
        .command = LWP_COMMAND_ERROR_RESPONSE,
        .payload = lwp_bytes_from(lwp_writer_bytes(&out), lossy_size),
    };
    return as_json ? wrap_in_document(text, &out, reply) : LWP_OK;
}
