/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lwp/bench/laps.h"
#include "lwp/bench/producer.h"
#include "lwp/wire/message.h"

enum { BATCHES_AT_ONCE = 8, WARM_UP_BATCHES = 160, WARM_UP_FETCHES = 64 };

static bool produce_until_over(struct producer_stream *stream, struct lap *lap)
{
    bool ok = producer_send(stream, WARM_UP_BATCHES) && producer_settle(stream);
    lap_begin(lap);
    while (ok && !lap_is_over(lap) && stream->sent < LAP_MOST_BATCHES)
        ok = producer_send(stream, BATCHES_AT_ONCE);
    ok = ok && producer_settle(stream);
    lap_end(lap, (stream->sent - WARM_UP_BATCHES) * stream->load->record_count);
    return ok;
}

/* TLS on a connected socket as OpenSSL has it; NULL if it does not come about. */
static SSL *secure(SSL_CTX *context, int fd)
{
    if (!context || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(context, COURSE_CIPHER) != 1)
        return NULL;
    SSL *tls = SSL_new(context);
    if (tls && SSL_set_fd(tls, fd) == 1 && SSL_connect(tls) == 1)
        return tls;
    SSL_free(tls);
    return NULL;
}

static bool produce_secured(struct producer_stream *stream, struct lap *lap)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    stream->tls = secure(context, stream->fd);
    const bool ok = stream->tls && produce_until_over(stream, lap);
    SSL_free(stream->tls);
    SSL_CTX_free(context);
    return ok;
}

bool produce_bare(const struct course *course, struct lap *lap)
{
    struct producer_stream stream = {.fd = producer_connect(course->mock.port),
                                     .load = course->loads[0],
                                     .topic_id = course->topic_id};
    const bool is_plain = course->kind != COURSE_TLS;
    const bool ok = stream.fd >= 0 &&
                    (is_plain ? produce_until_over(&stream, lap) : produce_secured(&stream, lap));
    if (stream.fd >= 0)
        (void)close(stream.fd);
    return ok;
}

enum { FETCH_HEAD_SIZE = 16, ANSWER_SIZE = LWP_HEADER_SIZE + FETCH_HEAD_SIZE + FETCH_SIZE };

static const struct lwp_frame_rules rules = {LWP_CRC32, LWP_MAX_PAYLOAD_DEFAULT};

/* A reader of a log. */
struct reader {
    int fd;
    uint32_t topic_id;
    uint64_t asked; /* The offsets behind what was asked for, */
    uint64_t taken; /* and behind what has come. */
    uint8_t in[ANSWER_SIZE];
};

static bool ask(struct reader *reader)
{
    uint8_t payload[64];
    uint8_t wire[LWP_HEADER_SIZE + sizeof(payload)];
    struct lwp_writer head = lwp_writer_on(payload, sizeof(payload));
    struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
    const struct lwp_message message = {.command = LWP_COMMAND_FETCH,
                                        .topic_id = reader->topic_id,
                                        .start_offset = reader->asked,
                                        .max_bytes = FETCH_SIZE};
    if (lwp_message_encode(&message, &head) != LWP_OK)
        return false;
    struct lwp_frame frame = lwp_message_frame(message.command, lwp_writer_bytes(&head));
    lwp_frame_seal(&frame, rules.polynomial, 0);
    reader->asked += FETCH_SIZE;
    return lwp_frame_encode(&frame, &out) == LWP_OK &&
           send(reader->fd, wire, out.size, MSG_NOSIGNAL) == (ssize_t)out.size;
}

/* One answer, whole and sound. */
static bool take(struct reader *reader)
{
    struct lwp_frame frame;
    struct lwp_fault fault;
    struct lwp_message message;
    struct lwp_bytes rest;
    size_t size = 0;
    enum lwp_status status = LWP_MORE;
    while (status == LWP_MORE) {
        const ssize_t count = recv(reader->fd, reader->in + size, sizeof(reader->in) - size, 0);
        if (count <= 0)
            return false;
        size += (size_t)count;
        status = lwp_frame_split(&rules, (struct lwp_bytes){reader->in, size}, &frame, &fault);
    }
    if (status != LWP_OK || lwp_message_decode(LWP_COMMAND_FETCH_RESPONSE, frame.payload, &message,
                                               &rest, &fault) != LWP_OK)
        return false;
    reader->taken += FETCH_SIZE;
    return message.next_offset == reader->taken && message.data.size == FETCH_SIZE;
}

static bool fetch_some(struct reader *reader, unsigned depth, struct lap *lap)
{
    uint64_t count = 0;
    bool ok = true;
    for (unsigned i = 0; ok && i < depth - 1; i++)
        ok = ask(reader);
    for (size_t i = 0; ok && i < WARM_UP_FETCHES; i++)
        ok = ask(reader) && take(reader);
    lap_begin(lap);
    for (; ok && !lap_is_over(lap) && reader->asked < FETCH_MOST; count++)
        ok = ask(reader) && take(reader);
    lap_end(lap, count);
    return ok;
}

static bool fetch(const struct course *course, unsigned depth, struct lap *lap)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return false;
    reader->fd = producer_connect(course->mock.port);
    reader->topic_id = course->topic_id;
    const bool ok = reader->fd >= 0 && fetch_some(reader, depth, lap);
    if (reader->fd >= 0)
        (void)close(reader->fd);
    free(reader);
    return ok;
}

bool fetch_bare(const struct course *course, struct lap *lap)
{
    return fetch(course, 1, lap);
}

bool fetch_bare_ahead(const struct course *course, struct lap *lap)
{
    enum { DEPTH = 4 };
    return fetch(course, DEPTH, lap);
}
