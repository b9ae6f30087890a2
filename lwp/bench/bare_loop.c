/* SPDX-License-Identifier: MIT */
#include "lwp/bench/bare_loop.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lwp/net/transport.h"
#include "lwp/wire/frame.h"

enum {
    MOST_PAYLOAD = 32768,
    READ_AT_ONCE = 262144,
    ROOM = READ_AT_ONCE + MOST_PAYLOAD + LWP_HEADER_SIZE,
    MOST_ACKS = ROOM / LWP_HEADER_SIZE,
    FIRST_LOG = 1048576,
    PAGE = 4096
};

static const struct lwp_frame_rules rules = {LWP_CRC32, MOST_PAYLOAD};

struct bare_loop {
    int fd;
    bool stores;
    size_t size; /* Of what is in `in`. */
    uint8_t *log;
    size_t log_size;
    size_t log_capacity;
    uint8_t ack[LWP_HEADER_SIZE]; /* A sealed one, of batch 0. */
    uint8_t in[ROOM];
    uint8_t out[MOST_ACKS * LWP_HEADER_SIZE];
};

/* Twice as much, and in large pages: the kernel's handing out of small ones would be most of the time,
 * and hide what the servers do themselves. */
static bool grow(struct bare_loop *loop)
{
    const size_t capacity = loop->log_capacity ? 2 * loop->log_capacity : FIRST_LOG;
    uint8_t *log = realloc(loop->log, capacity);
    if (!log)
        return false;
    loop->log = log;
    loop->log_capacity = capacity;
    const size_t before = (uintptr_t)log % PAGE;
    (void)madvise(log - before, (before + capacity + PAGE - 1) / PAGE * PAGE, MADV_HUGEPAGE);
    return true;
}

static bool append(struct bare_loop *loop, struct lwp_bytes payload)
{
    if (payload.size > loop->log_capacity - loop->log_size && !grow(loop))
        return false;
    memcpy(loop->log + loop->log_size, payload.data, payload.size);
    loop->log_size += payload.size;
    return true;
}

/* The whole frames that are there; false if the peer has to go. */
static bool answer(struct bare_loop *loop)
{
    struct lwp_bytes left = {loop->in, loop->size};
    uint8_t *out = loop->out;
    struct lwp_frame frame;
    struct lwp_fault fault;
    enum lwp_status status;
    while ((status = lwp_frame_split(&rules, left, &frame, &fault)) == LWP_OK) {
        if (frame.payload.size == 0 || (loop->stores && !append(loop, frame.payload)))
            return false;
        memcpy(out, loop->ack, LWP_HEADER_SIZE);
        lwp_put64(out + 12, frame.header.batch_id); /* Not covered by the checksum. */
        out += LWP_HEADER_SIZE;
        left = lwp_bytes_from(left, lwp_frame_size(&frame));
    }
    loop->size = left.size;
    if (left.size)
        memmove(loop->in, left.data, left.size);
    const size_t size = (size_t)(out - loop->out);
    return status == LWP_MORE &&
           (size == 0 || send(loop->fd, loop->out, size, MSG_NOSIGNAL) == (ssize_t)size);
}

static void serve(struct bare_loop *loop)
{
    struct pollfd ready = {.fd = loop->fd, .events = POLLIN};
    while (poll(&ready, 1, -1) == 1) {
        const ssize_t count = recv(loop->fd, loop->in + loop->size, READ_AT_ONCE, 0);
        if (count <= 0)
            return;
        loop->size += (size_t)count;
        if (!answer(loop))
            return;
    }
}

static void serve_one(struct bare_loop *loop, struct lwp_transport *transport)
{
    loop->fd = lwp_transport_fd(transport);
    loop->size = 0;
    loop->log = NULL;
    loop->log_size = 0;
    loop->log_capacity = 0;
    serve(loop);
    free(loop->log);
    lwp_transport_free(transport);
}

void bare_loop_run(int listener, int stop_fd, bool stores)
{
    struct pollfd ready[] = {{.fd = listener, .events = POLLIN}, {.fd = stop_fd, .events = POLLIN}};
    struct lwp_frame ack = {.header = {.flags = LWP_FLAG_ACK}};
    struct bare_loop *loop = calloc(1, sizeof(*loop));
    if (!loop)
        return;
    loop->stores = stores;
    lwp_frame_seal(&ack, rules.polynomial, 0);
    lwp_header_encode(&ack.header, loop->ack);
    while (poll(ready, 2, -1) > 0 && !ready[1].revents) {
        struct lwp_transport *transport = NULL;
        if (lwp_tcp_accept(listener, &transport) == LWP_OK)
            serve_one(loop, transport);
    }
    free(loop);
}
