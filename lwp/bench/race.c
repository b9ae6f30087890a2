/* SPDX-License-Identifier: MIT */
#include "lwp/bench/race.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lwp/bench/mock_process.h"
#include "lwp/bench/places.h"
#include "lwp/bench/producer.h"
#include "lwp/client/client.h"
#include "lwp/net/clock.h"

enum { LAP_PAIRS = 9 /* Of a race. Odd: then the median is one of them. */ };

static uint64_t cpu_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * LWP_SECOND_NS + (uint64_t)now.tv_nsec;
}

void lap_begin(struct lap *lap)
{
    lap->start_cpu_ns = cpu_now();
    lap->start_ns = lwp_clock_now();
}

void lap_end(struct lap *lap, uint64_t count)
{
    lap->wall_ns = (double)(lwp_clock_now() - lap->start_ns) / (double)count;
    lap->cpu_ns = (double)(cpu_now() - lap->start_cpu_ns) / (double)count;
}

bool lap_is_over(const struct lap *lap)
{
    return lwp_clock_now() - lap->start_ns >= LAP_NS;
}

void course_tune(const struct course *course, int fd)
{
    static const char cubic[] = "cubic";
    if (course->cubic)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cubic, sizeof(cubic) - 1);
}

/* A mock and what all laps need of it. */
struct venue {
    struct mock_process mock;
    struct lwp_client *client; /* For topics. */
    struct course course;
};

static bool open_topic(struct venue *venue)
{
    struct lwp_topic_info topic;
    if (lwp_client_create_topic(venue->client, "laps", &topic) != LWP_OK)
        return false;
    venue->course.topic_id = topic.id;
    return true;
}

static bool close_topic(struct venue *venue)
{
    return lwp_client_delete_topic(venue->client, venue->course.topic_id) == LWP_OK;
}

static bool fill_topic(const struct venue *venue)
{
    const struct course *course = &venue->course;
    struct producer_stream stream = {
        .fd = producer_connect(course->port), .load = course->load, .topic_id = course->topic_id};
    const bool ok = stream.fd >= 0 &&
                    producer_send(&stream, LAP_LOG_SIZE / course->load->payload.size) &&
                    producer_settle(&stream);
    if (stream.fd >= 0)
        (void)close(stream.fd);
    return ok;
}

static bool run_lap(struct venue *venue, enum course_kind kind, lap_fn *run, struct lap *lap)
{
    const bool is_new = kind == COURSE_EMPTY;
    return (!is_new || open_topic(venue)) && run(&venue->course, lap) &&
           (!is_new || close_topic(venue));
}

/* Who is first changes from pair to pair. The pair before the first one is not counted: with it the
 * mock gets its memory. */
static bool run_laps(struct venue *venue, const struct race *row, struct lap laps[2][LAP_PAIRS])
{
    lap_fn *const clients[2] = {row->ours, row->reference};
    for (size_t i = 0; i <= LAP_PAIRS; i++) {
        const size_t first = i % 2;
        const size_t place = i ? i - 1 : 0;
        if (!run_lap(venue, row->course, clients[first], &laps[first][place]) ||
            !run_lap(venue, row->course, clients[!first], &laps[!first][place]))
            return false;
    }
    return true;
}

static struct measurement compare(struct lap laps[2][LAP_PAIRS], bool by_cpu)
{
    double times[2][LAP_PAIRS];
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < LAP_PAIRS; i++)
            times[side][i] = by_cpu ? laps[side][i].cpu_ns : laps[side][i].wall_ns;
    return measurement_of(times[0], times[1], LAP_PAIRS);
}

static bool run_race(struct venue *venue, const struct race *row, struct outcome *outcome)
{
    struct lap laps[2][LAP_PAIRS];
    const bool is_full = row->course == COURSE_FULL;
    if (is_full && (!open_topic(venue) || !fill_topic(venue)))
        return false;
    if (!run_laps(venue, row, laps))
        return false;
    *outcome = (struct outcome){compare(laps, false), compare(laps, true)};
    return true;
}

static bool hold_race(const struct race *row, struct load *load, struct outcome *outcome)
{
    const struct places places = places_here();
    struct venue venue = {.course = {.cubic = true, .load = load}};
    cpu_set_t before;
    if (!mock_process_start(&venue.mock, places.server, NULL))
        return false;
    venue.course.address = venue.mock.address;
    venue.course.port = venue.mock.port;
    places_take(places.client, &before);
    const struct lwp_connect_options options = lwp_connect_defaults(venue.mock.address);
    const bool ok = lwp_client_connect(&options, &venue.client, NULL) == LWP_OK &&
                    run_race(&venue, row, outcome);
    lwp_client_close(venue.client);
    places_leave(&before);
    mock_process_stop(&venue.mock);
    return ok;
}

bool race(const struct race *row, struct outcome *outcome)
{
    static const struct shape shape = {LWP_CRC32, 32768, 100};
    struct load *load = load_new(&shape);
    const bool ok = load && hold_race(row, load, outcome);
    load_free(load);
    return ok;
}
