/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "lwp/bench/laps.h"
#include "lwp/client/consumer.h"
#include "lwp/net/clock.h"

enum { COMMAND_ROOM = 8192, LINE_ROOM = 128 };

bool laps_have(lap_fn *client)
{
    return (client != produce_python || getenv("LWP_BENCH_PYTHON")) &&
           (client != produce_rust || getenv("LWP_BENCH_RUST"));
}

/* What a driver tells about itself. */
struct told {
    uint64_t warm_up; /* Records. */
    uint64_t count;
    uint64_t ns;
};

static bool run(const char *command, struct told *told)
{
    char line[LINE_ROOM] = "";
    char *at = line;
    FILE *out = popen(command, "re"); /* NOLINT(cert-env33-c): it is what ci/bench says. */
    if (!out)
        return false;
    const bool has_line = fgets(line, sizeof(line), out);
    told->warm_up = strtoull(at, &at, 10);
    told->count = strtoull(at, &at, 10);
    told->ns = strtoull(at, &at, 10);
    return pclose(out) == 0 && has_line && told->count && told->ns;
}

/* Whether they are all there, whatever the driver says. */
static bool is_stored(const struct course *course, uint64_t count)
{
    struct lwp_consumer_options options = lwp_consumer_defaults(NULL, "laps", course->topic_id);
    struct lwp_consumer *consumer = NULL;
    uint64_t size = 0;
    options.connect = course_connect_options(course);
    options.connect.caller_driven = true;
    options.auto_commit_ms = 0;
    const bool ok = lwp_consumer_open(&options, &consumer, NULL) == LWP_OK &&
                    lwp_consumer_end(consumer, &size) == LWP_OK;
    (void)lwp_consumer_close(consumer);
    return ok && size == count * (course->loads[0]->payload.size / course->loads[0]->record_count);
}

static bool drive(const struct course *course, const char *program, struct lap *lap)
{
    char command[COMMAND_ROOM];
    struct told told;
    const int size = snprintf(command, sizeof(command), "exec %s %s %" PRIu32 " %" PRIu64, program,
                              course->mock.address, course->topic_id, LAP_NS / LWP_MILLISECOND_NS);
    if (size < 0 || size >= COMMAND_ROOM || !run(command, &told)) {
        (void)fprintf(stderr, "lwp-bench: %s failed\n", program);
        return false;
    }
    if (!is_stored(course, told.warm_up + told.count)) {
        (void)fprintf(stderr, "lwp-bench: %s has lost records\n", program);
        return false;
    }
    *lap = (struct lap){.wall_ns = (double)told.ns / (double)told.count};
    return true;
}

bool produce_python(const struct course *course, struct lap *lap)
{
    return drive(course, getenv("LWP_BENCH_PYTHON"), lap);
}

bool produce_rust(const struct course *course, struct lap *lap)
{
    return drive(course, getenv("LWP_BENCH_RUST"), lap);
}
