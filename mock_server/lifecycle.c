/* SPDX-License-Identifier: MIT */
/* What time does to the broker: retention, and the end and start of its process. */
#include <search.h>
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "lwp/session/session.h"
#include "mock_server/broker_state.h"

/* The deployed server waits so long at its end for what it believes to be in flight. */
#define DRAIN_NS (25 * LWP_SECOND_NS)

static struct lwp_retention retention_of(const struct lwp_broker *broker,
                                         const struct broker_topic *topic)
{
    const bool zeros_count = topic->has_retention && topic->zero_deletes;
    return (struct lwp_retention){
        .by_age = topic->max_age_secs || zeros_count,
        .max_age_secs = topic->max_age_secs,
        .by_size = topic->max_bytes || zeros_count,
        .max_bytes = topic->max_bytes,
        .shifts = broker_has(broker, LWP_QUIRK_B13),
    };
}

static void expire_topic(struct lwp_broker *broker, const struct broker_topic *topic,
                         uint64_t at_ns)
{
    struct lwp_log *log = broker_log_of(broker, topic->id);
    struct lwp_retention retention = retention_of(broker, topic);
    retention.now_ns = at_ns;
    const size_t dropped = lwp_log_expire(log, &retention);
    broker->log_bytes -= dropped;
    if (log != &broker->default_topic.log)
        return;
    size_t *first_end = &broker->default_topic.first_end;
    *first_end -= *first_end < dropped ? *first_end : dropped;
}

void broker_expire(struct lwp_broker *broker, uint64_t at_ns)
{
    broker_note_empty(broker);
    for (size_t i = 0; i < broker->topic_count; i++)
        expire_topic(broker, &broker->topics[i], at_ns);
}

void lwp_broker_set_time(struct lwp_broker *broker, uint64_t epoch_ns)
{
    const uint64_t interval = broker->options.retention_interval_ns;
    broker->epoch_ns = epoch_ns;
    if (!broker->has_time) {
        broker->has_time = true;
        broker->bucket = bucket_of(broker->options.rate_limit, epoch_ns);
        broker->next_pass_ns = epoch_ns + interval;
    }
    if (epoch_ns < broker->next_pass_ns)
        return;
    const uint64_t late = (epoch_ns - broker->next_pass_ns) / interval * interval;
    broker_expire(broker, broker->next_pass_ns + late);
    broker->next_pass_ns += late + interval;
}

/* Whether retention could ever take something of the topic as it is now. */
static bool may_expire(struct lwp_broker *broker, const struct broker_topic *topic)
{
    const struct lwp_retention retention = retention_of(broker, topic);
    const struct lwp_log *log = broker_log_of(broker, topic->id);
    return log->closed_count &&
           (retention.by_age || (retention.by_size && log->size > retention.max_bytes));
}

uint64_t lwp_broker_deadline(struct lwp_broker *broker)
{
    if (!broker->has_time)
        return LWP_NEVER;
    if (broker_has(broker, LWP_QUIRK_B1) && broker->topic_count == 0 && broker->next_id != 1)
        return broker->next_pass_ns;
    for (size_t i = 0; i < broker->topic_count; i++)
        if (may_expire(broker, &broker->topics[i]))
            return broker->next_pass_ns;
    return LWP_NEVER;
}

void lwp_broker_lose_acks(struct lwp_broker *broker, size_t count)
{
    if (broker_has(broker, LWP_QUIRK_B14))
        broker->leaked += count;
}

size_t lwp_broker_in_flight(const struct lwp_broker *broker)
{
    return broker->leaked;
}

uint64_t lwp_broker_drain_ns(const struct lwp_broker *broker)
{
    return broker->leaked ? DRAIN_NS : 0;
}

/* A log as the next process finds it. */
static enum lwp_status recover_log(struct lwp_broker *broker, struct lwp_log *log)
{
    if (broker_has(broker, LWP_QUIRK_B4))
        broker->log_bytes -= lwp_log_cut_unsound(log);
    return lwp_log_close(log);
}

static void forget_process(struct lwp_broker *broker)
{
    tdestroy(broker->commits, free);
    broker->commits = NULL;
    broker->commit_count = 0;
    broker->lost_count = 0;
    broker->leaked = 0;
    broker->bucket = bucket_of(broker->options.rate_limit, broker->epoch_ns);
    broker->next_pass_ns = broker->epoch_ns + broker->options.retention_interval_ns;
    broker->next_id = broker->topic_count ? broker->topics[broker->topic_count - 1].id + 1 : 1;
    broker->default_topic.written = false;
    broker->default_topic.writer_lost = false;
    broker->default_topic.has_writer = false;
}

enum lwp_status lwp_broker_restart(struct lwp_broker *broker)
{
    lwp_broker_flush(broker);
    forget_process(broker);
    enum lwp_status status = recover_log(broker, &broker->default_topic.log);
    for (size_t i = 0; i < broker->topic_count; i++) {
        struct broker_topic *topic = &broker->topics[i];
        topic->written = false;
        topic->writer_lost = false;
        if (recover_log(broker, &topic->log) != LWP_OK)
            status = LWP_NO_MEMORY;
    }
    broker_expire(broker, broker->epoch_ns);
    return status;
}
