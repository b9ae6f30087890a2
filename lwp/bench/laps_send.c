/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwp/bench/laps.h"
#include "lwp/bench/producer.h"
#include "lwp/client/producer.h"
#include "lwp/net/clock.h"
#include "lwp/wire/tlv.h"

enum { MOST_TRIPS = 65535, WARM_UP_TRIPS = 500, PATIENCE_SECS = 10 };

/* Round trips, and whatever makes them. */
struct trips {
    const struct course *course;
    struct lwp_producer *producer;
    int fd;
    struct lwp_bytes frame;
    double ns[MOST_TRIPS];
};

typedef bool trip_fn(struct trips *trips);

/* Their median, for their mean would be that of what else the machine does. */
static bool travel(struct trips *trips, trip_fn *trip, struct lap *lap)
{
    size_t count = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < WARM_UP_TRIPS; i++)
        ok = trip(trips);
    lap_begin(lap);
    uint64_t before_ns = lap->start_ns;
    while (ok && !lap_is_over(lap) && count < MOST_TRIPS) {
        ok = trip(trips);
        const uint64_t now_ns = lwp_clock_now();
        trips->ns[count++] = (double)(now_ns - before_ns);
        before_ns = now_ns;
    }
    lap_end(lap, count);
    lap->wall_ns = median(trips->ns, count);
    return ok;
}

static bool send_once(struct trips *trips)
{
    const struct load *load = trips->course->loads[0];
    const struct lwp_outgoing record = {
        .topic_id = trips->course->topic_id,
        .type = LWP_TLV_RAW,
        .parts = {{load->values, load->record_size}},
    };
    return lwp_producer_send(trips->producer, &record) == LWP_OK;
}

bool send_ours(const struct course *course, struct lap *lap)
{
    struct lwp_producer_options options = lwp_producer_defaults(NULL);
    struct trips *trips = calloc(1, sizeof(*trips));
    if (!trips)
        return false;
    trips->course = course;
    options.connect = course_connect_options(course);
    options.connect.caller_driven = true;
    const bool ok = lwp_producer_open(&options, &trips->producer, NULL) == LWP_OK &&
                    travel(trips, send_once, lap);
    (void)lwp_producer_close(trips->producer, 0);
    free(trips);
    return ok;
}

/* A frame goes out, and a header comes back. */
static bool ask_once(struct trips *trips)
{
    uint8_t in[LWP_HEADER_SIZE];
    return send(trips->fd, trips->frame.data, trips->frame.size, MSG_NOSIGNAL) ==
               (ssize_t)trips->frame.size &&
           recv(trips->fd, in, sizeof(in), MSG_WAITALL) == (ssize_t)sizeof(in);
}

static bool ask_at(uint16_t port, struct lwp_frame *frame, struct lap *lap)
{
    uint8_t wire[LWP_HEADER_SIZE + 128];
    struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
    struct trips *trips = calloc(1, sizeof(*trips));
    lwp_frame_seal(frame, LWP_CRC32, 0);
    if (!trips || lwp_frame_encode(frame, &out) != LWP_OK) {
        free(trips);
        return false;
    }
    trips->frame = lwp_writer_bytes(&out);
    trips->fd = producer_connect(port);
    const bool ok = trips->fd >= 0 && travel(trips, ask_once, lap);
    if (trips->fd >= 0)
        (void)close(trips->fd);
    free(trips);
    return ok;
}

bool send_bare(const struct course *course, struct lap *lap)
{
    const struct load *load = course->loads[0];
    struct lwp_frame frame = {
        .header = {.flags = LWP_FLAG_BATCH,
                   .batch_id = 1,
                   .record_count = 1,
                   .topic_id = course->topic_id},
        .payload = {load->payload.data, LWP_TLV_HEAD_SIZE + load->record_size},
    };
    return ask_at(course->mock.port, &frame, lap);
}

/* For one connection; in a process of its own. */
static void __attribute__((noreturn)) echo(int listener)
{
    uint8_t in[LWP_HEADER_SIZE];
    (void)alarm(PATIENCE_SECS);
    const int fd = accept(listener, NULL, NULL);
    while (fd >= 0 && recv(fd, in, sizeof(in), MSG_WAITALL) == (ssize_t)sizeof(in))
        if (send(fd, in, sizeof(in), MSG_NOSIGNAL) != (ssize_t)sizeof(in))
            break;
    _exit(EXIT_SUCCESS);
}

bool ping_echo(const struct course *course, struct lap *lap)
{
    const struct lwp_address anywhere = {"127.0.0.1", "0"};
    struct lwp_frame frame = {.header = {.flags = LWP_FLAG_KEEPALIVE}};
    char bound[LWP_ADDRESS_SIZE];
    int listener = -1;
    (void)course;
    if (lwp_tcp_listen(&anywhere, &listener, bound) != LWP_OK || fcntl(listener, F_SETFL, 0) != 0)
        return false;
    const pid_t pid = fork();
    if (pid == 0)
        echo(listener);
    const bool ok =
        pid > 0 && ask_at((uint16_t)strtoul(strrchr(bound, ':') + 1, NULL, 10), &frame, lap);
    (void)close(listener);
    if (pid > 0)
        (void)waitpid(pid, NULL, 0);
    return ok;
}

bool ping_bare(const struct course *course, struct lap *lap)
{
    struct lwp_frame frame = {.header = {.flags = LWP_FLAG_KEEPALIVE}};
    return ask_at(course->mock.port, &frame, lap);
}
