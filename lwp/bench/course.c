/* SPDX-License-Identifier: MIT */
#include "lwp/bench/course.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "lwp/bench/producer.h"
#include "mock_server/certs.h"

#define CERTIFICATES LWP_BENCH_FOLDER "/certificates"

static bool complain(const char *why)
{
    (void)fprintf(stderr, "lwp-bench: %s\n", why);
    return false;
}

static bool has_log(enum course_kind kind)
{
    return kind == COURSE_FULL || kind == COURSE_PACKED;
}

static const char *const *options_of(enum course_kind kind)
{
    static const char *const tls[] = {"--tls-cert=" CERTIFICATES "/server.pem",
                                      "--tls-key=" CERTIFICATES "/server.key", "--tls-min=1.3",
                                      NULL};
    static const char *const packed[] = {"--script=" LWP_BENCH_SOURCE "/packed.lwps", NULL};
    if (kind == COURSE_TLS)
        return tls;
    return kind == COURSE_PACKED ? packed : NULL;
}

static bool start_mock(struct course *course, const struct places *places)
{
    const int cpu = course->kind == COURSE_ONE_CORE || course->kind == COURSE_PACKED
                        ? places->client
                        : places->server;
    return mock_process_start(&course->mock, cpu, options_of(course->kind));
}

static bool prepare_tls(struct course *course)
{
    static const struct lwp_tls_options options = {
        .ca_file = CERTIFICATES "/ca.pem", .least = LWP_TLS_1_3, .cipher_suites = COURSE_CIPHER};
    char problem[LWP_CERTS_PROBLEM_SIZE];
    if (lwp_certs_make(CERTIFICATES, (uint64_t)time(NULL), true, problem) != LWP_OK ||
        lwp_tls_client_new(&options, &course->tls, problem) != LWP_OK)
        return complain(problem);
    course->security = lwp_security_of(course->tls);
    return true;
}

static bool open_topic(struct course *course)
{
    struct lwp_topic_info topic;
    if (lwp_client_create_topic(course->client, "laps", &topic) != LWP_OK)
        return complain("there is no topic");
    course->topic_id = topic.id;
    return true;
}

static bool fill_topic(const struct course *course)
{
    const size_t count = COURSE_LOG_SIZE / course->loads[0]->payload.size + 1;
    struct producer_stream stream = {.fd = producer_connect(course->mock.port),
                                     .topic_id = course->topic_id};
    bool ok = stream.fd >= 0;
    for (size_t i = 0; ok && i < count; i++) {
        stream.load = course_load(course, i);
        ok = producer_send(&stream, 1);
    }
    ok = ok && producer_settle(&stream);
    if (stream.fd >= 0)
        (void)close(stream.fd);
    return ok || complain("the topic can not be filled");
}

struct lwp_connect_options course_connect_options(const struct course *course)
{
    struct lwp_connect_options options = lwp_connect_defaults(course->mock.address);
    options.security = course->tls ? &course->security : NULL;
    return options;
}

static bool connect_client(struct course *course)
{
    const struct lwp_connect_options options = course_connect_options(course);
    return lwp_client_connect(&options, &course->client, NULL) == LWP_OK ||
           complain("lwp-mock can not be reached");
}

/* Of the first texts that there are, those whose packed size is that of the very first. */
static bool make_loads(struct course *course)
{
    const bool has_texts = course->kind == COURSE_TEXTS || course->kind == COURSE_PACKED;
    const size_t wanted = has_texts ? COURSE_MOST_LOADS : 1;
    struct shape shape = {LWP_CRC32, COURSE_BATCH_SIZE, 100, has_texts};
    for (; course->load_count < wanted; shape.texts++) {
        struct load *load = load_new(&shape);
        if (!load)
            return complain("no memory");
        if (course->load_count && load->payload.size != course->loads[0]->payload.size)
            load_free(load);
        else
            course->loads[course->load_count++] = load;
    }
    return true;
}

bool course_open(enum course_kind kind, struct course *course)
{
    const struct places places = places_here();
    *course = (struct course){.kind = kind};
    places_take(places.client, &course->before);
    return make_loads(course) && (kind != COURSE_TLS || prepare_tls(course)) &&
           start_mock(course, &places) && connect_client(course) && open_topic(course) &&
           (!has_log(kind) || fill_topic(course));
}

void course_close(struct course *course)
{
    lwp_client_close(course->client);
    lwp_tls_context_free(course->tls);
    mock_process_stop(&course->mock);
    for (size_t i = 0; i < course->load_count; i++)
        load_free(course->loads[i]);
    places_leave(&course->before);
}

bool course_clear(struct course *course)
{
    return has_log(course->kind) ||
           (lwp_client_delete_topic(course->client, course->topic_id) == LWP_OK &&
            open_topic(course));
}

void course_tune(const struct course *course, int fd)
{
    static const char cubic[] = "cubic";
    if (course->kind != COURSE_AS_FOUND)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cubic, sizeof(cubic) - 1);
}
