/* SPDX-License-Identifier: MIT */
#include "conformance/diff.h"

#include <stdio.h>

#include "conformance/diff_state.h"
#include "lwp/wire/trace.h"

/* Acks may be overtaken by all others, so each is compared with its like. */
enum stream { STREAM_ACKS, STREAM_OTHERS, STREAM_COUNT };

/* What a server said, on one line that steers no terminal. */
static void keep_clean(char out[DIFF_VALUE_SIZE], const char *text)
{
    struct lwp_writer writer = lwp_writer_on(out, DIFF_VALUE_SIZE - 1);
    lwp_utf8_clean(lwp_bytes_text(text), &writer);
    out[writer.size] = '\0';
    for (char *at = out; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?';
}

void diff_tell(struct diff *diff, const char *field, const char *a, const char *b)
{
    struct difference *at = &diff->at;
    keep_clean(at->field, field);
    keep_clean(at->value[0], a);
    keep_clean(at->value[1], b);
    diff->found(diff->context, at);
    diff->count++;
}

/* The frame of an event: what is not kept is not compared. */
static struct lwp_frame frame_of(const struct event *event)
{
    struct lwp_frame frame = {.payload = lwp_bytes_from(event->bytes, LWP_HEADER_SIZE)};
    uint8_t head[LWP_HEADER_SIZE] = {0};
    memcpy(head, event->bytes.data,
           event->bytes.size < sizeof(head) ? event->bytes.size : sizeof(head));
    lwp_header_decode(head, &frame.header);
    return frame;
}

static bool is_of(const struct event *event, unsigned connection, enum stream stream)
{
    if (event->kind != EVENT_RECEIVED || event->connection != connection)
        return false;
    const bool is_ack = event->bytes.size > 5 && event->bytes.data[5] == LWP_FLAG_ACK;
    return is_ack == (stream == STREAM_ACKS);
}

/* The n-th frame of a stream, or NULL. */
static const struct event *event_of(const struct result *result, unsigned connection,
                                    enum stream stream, unsigned n)
{
    for (size_t i = 0; i < result->transcript.events.count; i++)
        if (is_of(&result->transcript.events.items[i], connection, stream) && n-- == 0)
            return &result->transcript.events.items[i];
    return NULL;
}

/* The ids of a topic that both name. */
static void learn(struct diff *diff, const struct diff_document documents[DIFF_SIDES],
                  const struct diff_member *id)
{
    char path[DIFF_VALUE_SIZE];
    const size_t stem = strlen(id->path) - strlen("id");
    const struct diff_member *other = diff_member_of(&documents[1], id->path);
    (void)snprintf(path, sizeof(path), "%.*sname", (int)stem, id->path);
    const struct diff_member *a = diff_member_of(&documents[0], path);
    const struct diff_member *b = diff_member_of(&documents[1], path);
    if (!other || !other->is_number || !a || !b || strcmp(a->value, b->value) != 0)
        return;
    struct diff_pair *pair = SCRIPT_ADD(&diff->arena, &diff->pairs);
    if (pair)
        *pair = (struct diff_pair){{id->number, other->number}};
}

static bool is_id(const struct diff_member *member)
{
    const size_t size = strlen(member->path);
    return member->is_number && size >= 2 && strcmp(member->path + size - 2, "id") == 0 &&
           (size == 2 || member->path[size - 3] == '.');
}

/* What the answers of one connection, set-up included, tell of the ids of topics. */
static void learn_connection(struct diff *diff, unsigned connection)
{
    const struct event *events[DIFF_SIDES];
    for (unsigned n = 0;; n++) {
        struct diff_document documents[DIFF_SIDES] = {{.members = {.count = 0}}};
        for (int side = 0; side < DIFF_SIDES; side++)
            events[side] = event_of(diff->sides[side].result, connection, STREAM_OTHERS, n);
        if (!events[0] || !events[1])
            return;
        if (!diff_read(diff, frame_of(events[0]).payload, &documents[0]) ||
            !diff_read(diff, frame_of(events[1]).payload, &documents[1]))
            continue;
        for (size_t i = 0; i < documents[0].members.count; i++)
            if (is_id(&documents[0].members.items[i]))
                learn(diff, documents, &documents[0].members.items[i]);
    }
}

/* How a connection ended: by the peer, or not. */
static const char *end_of(const struct result *result, unsigned connection)
{
    for (size_t i = 0; i < result->transcript.events.count; i++) {
        const struct event *event = &result->transcript.events.items[i];
        if (event->connection == connection &&
            (event->kind == EVENT_FIN || event->kind == EVENT_RESET))
            return "the server closes";
    }
    return "the connection stays open";
}

/* What stands in place of a frame that only the other side has. */
static void describe_missing(const struct diff_side *side, unsigned connection, char *out)
{
    const char *reason = side->result->reason;
    (void)snprintf(out, DIFF_LINE_SIZE, "no frame: %s%s%.300s", end_of(side->result, connection),
                   *reason ? "; " : "", reason);
}

static void describe(struct diff *diff, const struct event *events[DIFF_SIDES])
{
    for (int side = 0; side < DIFF_SIDES; side++) {
        char *line = diff->at.line[side];
        if (!events[side]) {
            describe_missing(&diff->sides[side], diff->at.connection, line);
            continue;
        }
        const struct lwp_frame frame = frame_of(events[side]);
        (void)lwp_trace_frame(diff->sides[side].dialect, &frame, line, DIFF_LINE_SIZE);
    }
}

/* False where one side has no more frames. */
static bool compare_next(struct diff *diff, enum stream stream, unsigned n)
{
    const struct event *events[DIFF_SIDES];
    for (int side = 0; side < DIFF_SIDES; side++)
        events[side] = event_of(diff->sides[side].result, diff->at.connection, stream, n);
    if (!events[0] && !events[1])
        return false;
    diff->at.frame = n + 1;
    describe(diff, events);
    if (!events[0] || !events[1]) {
        diff_tell(diff, "", "", "");
        return false;
    }
    const struct lwp_frame frames[DIFF_SIDES] = {frame_of(events[0]), frame_of(events[1])};
    diff_frames(diff, frames);
    return true;
}

static void compare_connection(struct diff *diff, unsigned connection)
{
    const size_t before = diff->count;
    diff->at = (struct difference){.connection = connection};
    for (enum stream stream = 0; stream < STREAM_COUNT; stream++)
        for (unsigned n = 0; compare_next(diff, stream, n); n++)
            continue;
    const char *ends[DIFF_SIDES] = {end_of(diff->sides[0].result, connection),
                                    end_of(diff->sides[1].result, connection)};
    /* A frame that is missing has told of it. */
    if (diff->count != before || strcmp(ends[0], ends[1]) == 0)
        return;
    diff->at.frame = 0;
    for (int side = 0; side < DIFF_SIDES; side++)
        (void)snprintf(diff->at.line[side], DIFF_LINE_SIZE, "%s", ends[side]);
    diff_tell(diff, "", "", "");
}

size_t diff_results(const struct diff_side sides[DIFF_SIDES], const char *prefix, diff_found *found,
                    void *context)
{
    struct diff diff = {.sides = sides, .prefix = prefix, .found = found, .context = context};
    for (unsigned connection = 0; connection <= SCRIPT_MAX_CONNECTIONS; connection++)
        learn_connection(&diff, connection);
    for (unsigned connection = 1; connection <= SCRIPT_MAX_CONNECTIONS; connection++)
        compare_connection(&diff, connection);
    script_arena_done(&diff.arena);
    return diff.count;
}
