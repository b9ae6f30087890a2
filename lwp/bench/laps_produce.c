/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "lwp/bench/laps.h"
#include "lwp/client/producer.h"
#include "lwp/wire/tlv.h"

enum {
    BATCHES_AT_ONCE = 16,  /* Between two looks at the connection and the clock; */
    SINGLES_AT_ONCE = 64,  /* the same where a record is a batch. */
    WARM_UP_BATCHES = 160, /* Until buffers have their size. */
    PATIENCE_MS = 10000,
    BUFFER_LIMIT = 4194304 /* Twice what may be unanswered. */
};

/* A producer of ours at work. */
struct producing {
    const struct course *course;
    struct lwp_producer *producer;
    const struct load *load; /* Of the present batch. */
    size_t count;            /* Of records so far. */
    bool is_driven;
    bool is_single; /* One record a batch. */
};

static bool complain(struct producing *producing, enum lwp_status status)
{
    struct lwp_details why = lwp_details_of(status);
    if (producing->producer)
        lwp_producer_why(producing->producer, &why);
    (void)fprintf(stderr, "lwp-bench: a producer failed: %s, %s\n", lwp_status_text(status),
                  lwp_status_text(why.status));
    return false;
}

/* So many records more. */
static enum lwp_status put(struct producing *producing, size_t count)
{
    const struct course *course = producing->course;
    const struct load *load = course->loads[0];
    const size_t end = producing->count + count;
    enum lwp_status status = LWP_OK;
    for (; producing->count < end && status == LWP_OK; producing->count++) {
        const size_t in_batch = producing->count % load->record_count;
        if (in_batch == 0)
            producing->load = course_load(course, producing->count / load->record_count);
        const struct lwp_outgoing record = {
            .topic_id = course->topic_id,
            .type = LWP_TLV_RAW,
            .parts = {{producing->load->values + in_batch * load->record_size, load->record_size}},
        };
        status = lwp_producer_put(producing->producer, &record, NULL);
        if (status == LWP_FULL)
            status = lwp_producer_put_wait(producing->producer, &record, PATIENCE_MS, NULL);
    }
    if (producing->is_driven)
        lwp_producer_process(producing->producer);
    return status;
}

static enum lwp_status produce_all(struct producing *producing, struct lap *lap)
{
    const size_t a_batch = producing->course->loads[0]->record_count;
    const size_t at_once = producing->is_single ? SINGLES_AT_ONCE : BATCHES_AT_ONCE * a_batch;
    const size_t warm_up = WARM_UP_BATCHES * a_batch;
    enum lwp_status status = put(producing, warm_up);
    if (status == LWP_OK)
        status = lwp_producer_flush(producing->producer, PATIENCE_MS);
    lap_begin(lap);
    while (status == LWP_OK && !lap_is_over(lap) && producing->count < LAP_MOST_BATCHES * a_batch)
        status = put(producing, at_once);
    if (status == LWP_OK)
        status = lwp_producer_flush(producing->producer, PATIENCE_MS);
    lap_end(lap, producing->count - warm_up);
    return status;
}

/* Whether the mock has taken all, nothing twice, and in frames of the size that is raced against; a
 * batch that waited too long for its last records may have gone without them. */
static bool is_complete(struct producing *producing)
{
    const struct lwp_outbox_statistics found = lwp_producer_statistics(producing->producer);
    const uint64_t a_batch = producing->is_single ? 1 : producing->course->loads[0]->record_count;
    const uint64_t most = found.batches_sent * a_batch;
    return found.records_acked == found.records && found.batches_resent == 0 &&
           found.records <= most && found.records >= most / 10 * 9;
}

static bool produce(struct producing *producing, struct lap *lap)
{
    struct lwp_producer_options options = lwp_producer_defaults(NULL);
    options.connect = course_connect_options(producing->course);
    options.batch_size = producing->is_single ? 1 : COURSE_BATCH_SIZE;
    options.connect.caller_driven = producing->is_driven;
    options.compression = producing->course->kind == COURSE_TEXTS;
    options.reports = LWP_REPORT_NOTHING;
    options.buffer_limit = BUFFER_LIMIT;
    enum lwp_status status = lwp_producer_open(&options, &producing->producer, NULL);
    if (status == LWP_OK) {
        course_tune(producing->course, lwp_producer_fd(producing->producer));
        status = produce_all(producing, lap);
    }
    const bool ok = (status == LWP_OK && is_complete(producing)) || complain(producing, status);
    (void)lwp_producer_close(producing->producer, 0);
    return ok;
}

bool produce_driven(const struct course *course, struct lap *lap)
{
    return produce(&(struct producing){.course = course, .is_driven = true}, lap);
}

bool produce_threaded(const struct course *course, struct lap *lap)
{
    return produce(&(struct producing){.course = course}, lap);
}

bool produce_singly(const struct course *course, struct lap *lap)
{
    return produce(&(struct producing){.course = course, .is_driven = true, .is_single = true},
                   lap);
}
