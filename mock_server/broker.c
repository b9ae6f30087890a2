/* SPDX-License-Identifier: MIT */
#include "mock_server/broker.h"

#include <search.h>
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "mock_server/broker_state.h"
#include "mock_server/mutants.h"

static struct lwp_broker_options with_defaults(struct lwp_broker_options options)
{
    struct lwp_broker_limits *limits = &options.limits;
    if (!limits->max_topics)
        limits->max_topics = 16384;
    if (!limits->max_commits)
        limits->max_commits = 1000000;
    if (!limits->max_log_bytes)
        limits->max_log_bytes = 1073741824;
    if (!limits->max_payload)
        limits->max_payload = LWP_MAX_PAYLOAD_DEFAULT;
    if (!options.segment_size)
        options.segment_size = 1073741824;
    if (!options.retention_interval_ns)
        options.retention_interval_ns = 60 * LWP_SECOND_NS;
    return options;
}

enum lwp_status lwp_broker_new(const struct lwp_broker_options *options, struct lwp_broker **broker)
{
    struct lwp_broker *made = calloc(1, sizeof(*made));
    if (!made)
        return LWP_NO_MEMORY;

    made->options = with_defaults(*options);
    made->next_id = LWP_BUG(ids_begin_at_0) ? 0 : 1;
    made->bucket = bucket_of(options->rate_limit, 0);
    if (broker_tokens_init(made) != LWP_OK) {
        lwp_broker_free(made);
        return LWP_NO_MEMORY;
    }
    *broker = made;
    return LWP_OK;
}

void lwp_broker_free(struct lwp_broker *broker)
{
    if (!broker)
        return;
    for (size_t i = 0; i < broker->topic_count; i++)
        broker_topic_done(&broker->topics[i]);
    lwp_log_done(&broker->default_topic.log);
    tdestroy(broker->commits, free);
    broker_tokens_done(broker);
    free(broker->topics);
    free(broker->lost_ids);
    free(broker->scratch);
    free(broker);
}

bool broker_has(const struct lwp_broker *broker, enum lwp_quirk quirk)
{
    return broker->options.quirks & lwp_quirk_bit(quirk);
}

bool broker_is_cluster(const struct lwp_asker *asker)
{
    return asker->view && asker->dialect->cluster_forwards;
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

static bool has_name(const struct broker_topic *topic, struct lwp_bytes name)
{
    return lwp_bytes_equal(name, (struct lwp_bytes){topic->name, topic->name_size});
}

struct broker_topic *broker_topic_by_name(const struct lwp_broker *broker, struct lwp_bytes name)
{
    for (size_t i = 0; i < broker->topic_count; i++)
        if (has_name(&broker->topics[i], name))
            return &broker->topics[i];
    return NULL;
}

/* B2: whether the topic's folder is that of the default topic. */
static bool is_default_too(const struct lwp_broker *broker, const struct broker_topic *topic)
{
    return broker_has(broker, LWP_QUIRK_B2) && has_name(topic, lwp_bytes_text("0"));
}

/* The log that ingests to this topic go to and fetches read from; NULL if there is none. */
struct lwp_log *broker_log_of(struct lwp_broker *broker, uint64_t topic_id)
{
    if (topic_id == 0)
        return &broker->default_topic.log;
    if (LWP_BUG(mixes_topics) && broker->topic_count)
        topic_id = broker->topics[0].id;
    struct broker_topic *topic = broker_topic_by_id(broker, topic_id);
    if (!topic)
        return NULL;
    return is_default_too(broker, topic) ? &broker->default_topic.log : &topic->log;
}

/* B2: the bytes of the first writer stay in front of those of the second. */
static enum lwp_status append_beside(struct lwp_broker *broker, bool is_named,
                                     struct lwp_bytes payload)
{
    struct broker_default *to = &broker->default_topic;
    if (!to->has_writer) {
        to->has_writer = true;
        to->named_was_first = is_named;
        to->first_end = to->log.size;
    }
    if (to->named_was_first != is_named)
        return lwp_log_append(&to->log, payload, broker->epoch_ns, broker->options.segment_size);
    const enum lwp_status status =
        lwp_log_insert(&to->log, to->first_end, payload, broker->epoch_ns);
    if (status == LWP_OK)
        to->first_end += payload.size;
    return status;
}

static enum lwp_status append(struct lwp_broker *broker, uint64_t topic_id, struct lwp_log *log,
                              struct lwp_bytes payload)
{
    if (log == &broker->default_topic.log && broker_has(broker, LWP_QUIRK_B2))
        return append_beside(broker, topic_id != 0, payload);
    return lwp_log_append(log, payload, broker->epoch_ns, broker->options.segment_size);
}

enum lwp_status lwp_broker_ingest(struct lwp_broker *broker, uint32_t topic_id,
                                  struct lwp_bytes payload)
{
    struct lwp_log *log = broker_log_of(broker, topic_id);
    struct broker_topic *topic = broker_topic_by_id(broker, topic_id);
    bool *written = topic ? &topic->written : &broker->default_topic.written;
    const bool lost = topic ? topic->writer_lost : broker->default_topic.writer_lost;
    if (LWP_BUG(acks_without_storing) || lost)
        return LWP_OK;
    if (payload.size > broker->options.limits.max_log_bytes - broker->log_bytes)
        return LWP_FULL;
    const enum lwp_status status = append(broker, topic_id, log, payload);
    if (status == LWP_OK) {
        mutants_misstore(log, payload.size);
        *written = true;
        broker->log_bytes += payload.size;
        broker->dirty = true;
    }
    return status;
}

/* B1: remembers whose writer is still open. Without memory the bug is not imitated. */
static void lose_id(struct lwp_broker *broker, uint64_t id)
{
    if (broker->lost_count == broker->lost_capacity) {
        const size_t capacity = broker->lost_capacity ? 2 * broker->lost_capacity : 16;
        uint64_t *ids = capacity > broker->options.limits.max_commits
                            ? NULL
                            : realloc(broker->lost_ids, capacity * sizeof(*ids));
        if (!ids)
            return;
        broker->lost_ids = ids;
        broker->lost_capacity = capacity;
    }
    broker->lost_ids[broker->lost_count++] = id;
}

bool broker_id_is_lost(const struct lwp_broker *broker, uint64_t id)
{
    for (size_t i = 0; i < broker->lost_count; i++)
        if (broker->lost_ids[i] == id)
            return true;
    return false;
}

void broker_delete_topic(struct lwp_broker *broker, struct broker_topic *topic)
{
    if (broker_has(broker, LWP_QUIRK_B1) && topic->written && !topic->writer_lost)
        lose_id(broker, topic->id);
    if (is_default_too(broker, topic)) {
        struct broker_default *gone = &broker->default_topic;
        broker->log_bytes -= gone->log.size;
        lwp_log_done(&gone->log);
        *gone = (struct broker_default){.writer_lost = gone->written || gone->writer_lost};
    }
    if (LWP_BUG(gives_ids_again) && topic->id + 1 == broker->next_id)
        broker->next_id = topic->id;
    broker->log_bytes -= topic->log.size;
    broker_topic_done(topic);
    broker->topic_count--;
    const size_t behind = broker->topic_count - (size_t)(topic - broker->topics);
    memmove(topic, topic + 1, behind * sizeof(*topic));
}

void broker_note_empty(struct lwp_broker *broker)
{
    if (broker_has(broker, LWP_QUIRK_B1) && broker->topic_count == 0)
        broker->next_id = 1;
}

void lwp_broker_flush(struct lwp_broker *broker)
{
    lwp_log_flush(&broker->default_topic.log);
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
