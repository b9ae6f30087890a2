/* SPDX-License-Identifier: MIT */
#include "lwp/net/link.h"

#include <stdlib.h>

#include "lwp/net/grow.h"

enum {
    KEPT_CAPACITY = 1048576, /* What an idle queue may keep. */
    READ_AT_ONCE = 262144    /* How much one call reads at most, as the deployed server does. */
};

void lwp_link_init(struct lwp_link *link, const struct lwp_session_options *options,
                   struct lwp_transport *transport, size_t out_limit, uint64_t now_ns)
{
    *link = (struct lwp_link){.transport = transport, .read_status = LWP_OK};
    link->session.in.limit = lwp_session_in_limit(options);
    link->session.out.limit = out_limit;
    lwp_session_init(&link->session, options, now_ns);
}

void lwp_link_done(struct lwp_link *link)
{
    lwp_transport_free(link->transport);
    free(link->session.in.data);
    free(link->session.out.data);
    *link = (struct lwp_link){.transport = NULL, .read_status = LWP_CLOSED};
}

enum lwp_status lwp_link_send(struct lwp_link *link, const struct lwp_frame *frame, uint32_t keep,
                              uint64_t now_ns)
{
    const enum lwp_status status = lwp_queue_grow(&link->session.out, lwp_frame_size(frame));
    return status == LWP_OK ? lwp_session_send(&link->session, *frame, keep, now_ns) : status;
}

static enum lwp_status queue_bytes(struct lwp_link *link, struct lwp_bytes bytes)
{
    const enum lwp_status status = lwp_queue_grow(&link->session.out, bytes.size);
    return status == LWP_OK ? lwp_queue_push(&link->session.out, bytes) : status;
}

enum lwp_status lwp_link_push(struct lwp_link *link, struct lwp_bytes bytes, uint64_t now_ns)
{
    const enum lwp_status status = queue_bytes(link, bytes);
    if (status == LWP_OK)
        link->session.said_ns = now_ns;
    return status;
}

enum lwp_status lwp_link_receive(struct lwp_link *link, struct lwp_frame *frame, uint64_t now_ns)
{
    const enum lwp_status status = lwp_queue_grow(&link->session.out, LWP_HEADER_SIZE);
    return status == LWP_OK ? lwp_session_receive(&link->session, frame, now_ns) : status;
}

enum lwp_status lwp_link_tick(struct lwp_link *link, uint64_t now_ns)
{
    const enum lwp_status status = lwp_queue_grow(&link->session.out, LWP_HEADER_SIZE);
    return status == LWP_OK ? lwp_session_tick(&link->session, now_ns) : status;
}

static enum lwp_status end_reading(struct lwp_link *link, enum lwp_status status)
{
    link->read_status = status;
    return status;
}

/* One read of at most `most` bytes into the room that the queue has or can be given; `*filled` tells whether it took all.
 */
static enum lwp_status read_once(struct lwp_link *link, size_t most, uint64_t now_ns, bool *filled)
{
    struct lwp_queue *in = &link->session.in;
    const enum lwp_status grown = lwp_queue_grow(in, 1);
    if (grown != LWP_OK)
        return grown == LWP_FULL ? LWP_WOULD_BLOCK : grown;
    size_t room = 0;
    size_t count = 0;
    uint8_t *at = lwp_queue_room(in, &room);
    if (room > most)
        room = most;
    const enum lwp_status status = lwp_transport_read(link->transport, at, room, &count);
    if (status == LWP_OK)
        lwp_session_received(&link->session, count, now_ns);
    *filled = count == room;
    return status;
}

enum lwp_status lwp_link_read(struct lwp_link *link, uint64_t now_ns)
{
    if (link->read_status != LWP_OK)
        return link->read_status;
    const size_t before = link->session.in.size;
    enum lwp_status status = LWP_OK;
    bool filled = true;
    while (status == LWP_OK && filled && link->session.in.size - before < READ_AT_ONCE)
        status = read_once(link, READ_AT_ONCE - (link->session.in.size - before), now_ns, &filled);
    if (status != LWP_OK && status != LWP_WOULD_BLOCK)
        (void)end_reading(link, status);
    return link->session.in.size > before ? LWP_OK : status;
}

void lwp_link_trim(struct lwp_link *link)
{
    struct lwp_queue *queues[] = {&link->session.in, &link->session.out};
    for (int i = 0; i < 2; i++)
        if (queues[i]->size == 0 && queues[i]->capacity > KEPT_CAPACITY) {
            free(lwp_queue_move(queues[i], NULL, 0));
        }
}

enum lwp_status lwp_link_write(struct lwp_link *link)
{
    struct lwp_queue *out = &link->session.out;
    while (out->size) {
        size_t count = 0;
        const enum lwp_status status =
            lwp_transport_write(link->transport, lwp_queue_bytes(out), &count);
        if (status == LWP_WOULD_BLOCK)
            return status;
        if (status != LWP_OK) {
            lwp_queue_drop(out, out->size);
            return status;
        }
        lwp_queue_drop(out, count);
    }
    if (link->closing || link->halving)
        lwp_transport_close(link->transport, link->closing ? LWP_CLOSE_FIN : LWP_CLOSE_HALF);
    link->halving = false;
    return LWP_OK;
}

/* What was written goes, first of the queue; what was not and is not there yet is queued. */
static enum lwp_status settle_parts(struct lwp_link *link, const struct lwp_bytes *parts,
                                    size_t part_count, size_t written)
{
    struct lwp_queue *out = &link->session.out;
    const size_t of_queue = written < out->size ? written : out->size;
    enum lwp_status status = LWP_OK;
    lwp_queue_drop(out, of_queue);
    written -= of_queue;
    for (size_t i = 0; i < part_count && status == LWP_OK; i++) {
        const size_t done = written < parts[i].size ? written : parts[i].size;
        status = queue_bytes(link, lwp_bytes_from(parts[i], done));
        written -= done;
    }
    return status;
}

enum lwp_status lwp_link_write_with(struct lwp_link *link, const struct lwp_bytes *parts,
                                    size_t part_count)
{
    struct lwp_bytes all[LWP_GATHER_MOST] = {lwp_queue_bytes(&link->session.out)};
    size_t written = 0;
    enum lwp_status status = LWP_OK;
    memcpy(all + 1, parts, part_count * sizeof(*parts));
    if (lwp_transport_gathers(link->transport))
        status = lwp_transport_gather(link->transport, all, part_count + 1, &written);
    if (status != LWP_OK && status != LWP_WOULD_BLOCK) {
        lwp_queue_drop(&link->session.out, link->session.out.size);
        return status;
    }
    const enum lwp_status queued = settle_parts(link, parts, part_count, written);
    if (queued != LWP_OK)
        return queued;
    return status == LWP_OK ? lwp_link_write(link) : status;
}

void lwp_link_close(struct lwp_link *link, enum lwp_close how)
{
    if (how == LWP_CLOSE_RST) {
        lwp_transport_close(link->transport, how);
        end_reading(link, LWP_RESET);
        return;
    }
    if (how == LWP_CLOSE_FIN) {
        link->closing = true;
        end_reading(link, LWP_CLOSED);
    }
    link->halving = how == LWP_CLOSE_HALF;
    (void)lwp_link_write(link);
}
