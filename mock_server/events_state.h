/* SPDX-License-Identifier: MIT */
/* events_state.h - what events.c and the writers behind it share, and nobody else. */
#ifndef LWP_MOCK_EVENTS_STATE_H
#define LWP_MOCK_EVENTS_STATE_H

#include "mock_server/events.h"
#include "mock_server/packets.h"

struct json_object;

/* What of an event counts. */
enum {
    LWP_EVENT_HAS_ADDRESSES = 1 << 0,
    LWP_EVENT_HAS_IN = 1 << 1,
    LWP_EVENT_HAS_OUT = 1 << 2,
    LWP_EVENT_HAS_FRAME = 1 << 3,
    LWP_EVENT_HAS_BYTES = 1 << 4,
    LWP_EVENT_HAS_STATUS = 1 << 5,
    LWP_EVENT_HAS_CLOSE = 1 << 6,
    LWP_EVENT_HAS_PASSED = 1 << 7,
    LWP_EVENT_HAS_TEXT = 1 << 8,
    LWP_EVENT_HAS_OFFSET = 1 << 9
};

/** The event's members, as LWP_EVENT_HAS_…. */
unsigned event_members(enum lwp_event_kind kind);

/* What was on the wire: a view, or a header that was encoded and a payload. */
struct event_wire {
    uint8_t header[LWP_HEADER_SIZE];
    struct lwp_bytes head;
    struct lwp_bytes body;
};

/** Fills in the views, which point into the event and into `wire`. */
void event_wire_of(const struct lwp_event *event, struct event_wire *wire);

/** The event as an object for the caller to put; NULL without memory. */
struct json_object *event_object(const struct lwp_event *event, uint64_t number, size_t raw_limit);

/** The line that begins every log. */
struct json_object *event_begin_object(uint64_t epoch_ns);

/** The line that says what is not kept any more. */
struct json_object *event_dropped_object(uint64_t count, uint64_t size);

/** Draws the event, if there is anything to draw. */
void event_draw(struct lwp_packets *packets, uint64_t epoch_ns, const struct lwp_event *event);

#endif
