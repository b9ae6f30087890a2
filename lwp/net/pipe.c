/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "lwp/net/transport.h"
#include "lwp/session/queue.h"

/* One direction of the pipe. */
struct lane {
    struct lwp_queue queue;
    bool ended; /* The writer closed: what is queued can still be read. */
    bool reset; /* Somebody reset the connection: nothing can be read. */
};

struct end {
    struct lwp_transport transport; /* First, so that one is the other. */
    struct pipe *pipe;
    struct lane *in;
    struct lane *out;
    bool closed;
};

struct pipe {
    struct lane lanes[2];
    struct end ends[2];
    int users; /* Ends that are not freed. */
};

static struct end *end_of(struct lwp_transport *transport)
{
    return (struct end *)(void *)transport;
}

static enum lwp_status pipe_read(struct lwp_transport *transport, uint8_t *out, size_t size,
                                 size_t *count)
{
    struct lane *lane = end_of(transport)->in;
    if (lane->reset)
        return LWP_RESET;
    const struct lwp_bytes waiting = lwp_queue_bytes(&lane->queue);
    if (waiting.size == 0)
        return lane->ended ? LWP_CLOSED : LWP_WOULD_BLOCK;
    *count = waiting.size < size ? waiting.size : size;
    memcpy(out, waiting.data, *count);
    lwp_queue_drop(&lane->queue, *count);
    return LWP_OK;
}

static enum lwp_status pipe_write(struct lwp_transport *transport, struct lwp_bytes bytes,
                                  size_t *count)
{
    struct end *end = end_of(transport);
    const struct end *other = &end->pipe->ends[end == &end->pipe->ends[0]];
    if (end->out->reset || end->out->ended || other->closed)
        return LWP_RESET;
    size_t room = 0;
    uint8_t *at = lwp_queue_room(&end->out->queue, &room);
    if (room == 0)
        return LWP_WOULD_BLOCK;
    *count = bytes.size < room ? bytes.size : room;
    memcpy(at, bytes.data, *count);
    lwp_queue_fill(&end->out->queue, *count);
    return LWP_OK;
}

static enum lwp_status pipe_gather(struct lwp_transport *transport, const struct lwp_bytes *parts,
                                   size_t part_count, size_t *count)
{
    enum lwp_status status = LWP_OK;
    size_t done = 0;
    for (size_t i = 0; i < part_count && status == LWP_OK; i++) {
        size_t part = 0;
        if (parts[i].size)
            status = pipe_write(transport, parts[i], &part);
        done += part;
        if (part < parts[i].size)
            break;
    }
    *count = done;
    return done ? LWP_OK : status;
}

static void pipe_close(struct lwp_transport *transport, enum lwp_close how)
{
    struct end *end = end_of(transport);
    if (end->closed)
        return;
    end->out->ended = true;
    if (how == LWP_CLOSE_HALF)
        return;
    end->closed = true;
    /* As TCP does: closing with unread bytes resets. */
    if (how == LWP_CLOSE_RST || end->in->queue.size)
        end->out->reset = true;
    if (how == LWP_CLOSE_RST)
        end->in->reset = true;
}

static int pipe_fd(const struct lwp_transport *transport)
{
    (void)transport;
    return -1;
}

static void pipe_free(struct lwp_transport *transport)
{
    struct pipe *pipe = end_of(transport)->pipe;
    pipe_close(transport, LWP_CLOSE_FIN);
    if (--pipe->users)
        return;
    free(pipe->lanes[0].queue.data);
    free(pipe->lanes[1].queue.data);
    free(pipe);
}

static const struct lwp_transport_ops pipe_ops = {pipe_read, pipe_write, pipe_close,
                                                  pipe_fd,   pipe_free,  pipe_gather};

enum lwp_status lwp_pipe_new(size_t capacity, struct lwp_transport *ends[2])
{
    struct pipe *pipe = calloc(1, sizeof(*pipe));
    if (!pipe)
        return LWP_NO_MEMORY;
    for (int i = 0; i < 2; i++) {
        pipe->lanes[i].queue = (struct lwp_queue){malloc(capacity), capacity, capacity, 0, 0};
        pipe->ends[i] =
            (struct end){{&pipe_ops, 0}, pipe, &pipe->lanes[i], &pipe->lanes[1 - i], false};
    }
    pipe->users = 2;
    if (!pipe->lanes[0].queue.data || !pipe->lanes[1].queue.data) {
        free(pipe->lanes[0].queue.data);
        free(pipe->lanes[1].queue.data);
        free(pipe);
        return LWP_NO_MEMORY;
    }
    ends[0] = &pipe->ends[0].transport;
    ends[1] = &pipe->ends[1].transport;
    return LWP_OK;
}
