/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "lwp/bench/laps.h"
#include "lwp/client/consumer.h"

enum { WARM_UP_SIZE = 64 * FETCH_SIZE, PATIENCE_MS = 10000 };

/* The next records; how many bytes they are. */
static size_t poll_once(struct lwp_consumer *consumer, enum lwp_status *status)
{
    struct lwp_batch batch;
    *status = lwp_consumer_poll(consumer, PATIENCE_MS, &batch);
    return *status == LWP_OK ? batch.data.size : 0;
}

/* One is FETCH_SIZE bytes, however they come. */
static enum lwp_status fetch_all(struct lwp_consumer *consumer, struct lap *lap)
{
    enum lwp_status status = LWP_OK;
    size_t size = 0;
    while (status == LWP_OK && size < WARM_UP_SIZE)
        size += poll_once(consumer, &status);
    size_t total = size;
    lap_begin(lap);
    while (status == LWP_OK && !lap_is_over(lap) && total < FETCH_MOST)
        total += poll_once(consumer, &status);
    lap_end(lap, (total - size) / FETCH_SIZE);
    return status;
}

static void complain(struct lwp_consumer *consumer, enum lwp_status status)
{
    struct lwp_details why = lwp_details_of(status);
    if (consumer)
        lwp_consumer_why(consumer, &why);
    (void)fprintf(stderr, "lwp-bench: a consumer failed: %s, %s\n", lwp_status_text(status),
                  lwp_status_text(why.status));
}

static bool fetch(const struct course *course, unsigned read_ahead, struct lap *lap)
{
    struct lwp_consumer_options options = lwp_consumer_defaults(NULL, "laps", course->topic_id);
    struct lwp_consumer *consumer = NULL;
    options.connect = course_connect_options(course);
    options.connect.caller_driven = true;
    options.max_fetch_bytes =
        course->kind == COURSE_PACKED ? (uint32_t)course->loads[0]->payload.size : FETCH_SIZE;
    options.read_ahead = read_ahead;
    options.auto_commit_ms = 0;
    options.commit_to_server = false;
    enum lwp_status status = lwp_consumer_open(&options, &consumer, NULL);
    if (status == LWP_OK) {
        course_tune(course, lwp_consumer_fd(consumer));
        status = fetch_all(consumer, lap);
    }
    if (status != LWP_OK)
        complain(consumer, status);
    (void)lwp_consumer_close(consumer);
    return status == LWP_OK;
}

bool fetch_by_one(const struct course *course, struct lap *lap)
{
    return fetch(course, 1, lap);
}

bool fetch_ahead(const struct course *course, struct lap *lap)
{
    enum { READ_AHEAD = 4 };
    return fetch(course, READ_AHEAD, lap);
}
