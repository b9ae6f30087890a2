/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "mock_server/events_state.h"

enum { COMMENT_SIZE = 1024 };

static void put_label(struct lwp_writer *out, const char *label, struct lwp_bytes value)
{
    if (value.size == 0)
        return;
    if (out->size)
        lwp_write(out, lwp_bytes_text(" "));
    lwp_write(out, lwp_bytes_text(label));
    lwp_utf8_clean(value, out);
}

/* Who the packet belongs to and why it is what it is. */
static struct lwp_bytes comment_on(const struct lwp_event *event, char *buffer)
{
    struct lwp_writer out = lwp_writer_on(buffer, COMMENT_SIZE);
    char number[24];
    const int size = snprintf(number, sizeof(number), "%" PRIu64, event->connection);
    put_label(&out, "connection=", (struct lwp_bytes){(const uint8_t *)number, (size_t)size});
    put_label(&out, "node=", event->node);
    put_label(&out, "tag=", event->tag);
    put_label(&out, "scenario=", event->scenario);
    put_label(&out, "rule=", event->rule);
    if (event->damaged)
        put_label(&out, "", lwp_bytes_text("damaged"));
    return lwp_writer_bytes(&out);
}

void event_draw(struct lwp_packets *packets, uint64_t epoch_ns, const struct lwp_event *event)
{
    const unsigned members = event_members(event->kind);
    char buffer[COMMENT_SIZE];
    const struct lwp_packets_place place = {
        .time_ns = epoch_ns + event->time_ns,
        .connection = event->connection,
        .outgoing = (members & LWP_EVENT_HAS_CLOSE) ? event->by != LWP_BY_PEER
                                                    : (members & LWP_EVENT_HAS_OUT) != 0,
        .comment = comment_on(event, buffer),
    };
    if (members & LWP_EVENT_HAS_ADDRESSES)
        lwp_packets_connect(packets, &place, event->local, event->peer);
    if (members & (LWP_EVENT_HAS_FRAME | LWP_EVENT_HAS_BYTES)) {
        struct event_wire wire;
        event_wire_of(event, &wire);
        lwp_packets_send(packets, &place, wire.head, wire.body);
    }
    if (members & LWP_EVENT_HAS_CLOSE)
        lwp_packets_close(packets, &place, event->how);
}
