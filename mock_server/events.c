/* SPDX-License-Identifier: MIT */
#include "mock_server/events.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "lwp/json/members.h"
#include "mock_server/events_state.h"
#include "mock_server/kept.h"

enum { NAME_SIZE = 256, ERROR_SIZE = 512 };
enum { RAW_MAX = 67108864 }; /* More than any frame of the protocol has. */

/* A file that events go to. */
struct output {
    FILE *file; /* NULL: none, or one that failed. */
    bool set;
    bool owned;
    char name[NAME_SIZE];
};

struct subscription {
    lwp_events_subscriber *call;
    void *context;
};

struct lwp_events {
    uint64_t epoch_ns;
    uint64_t count;
    size_t raw_limit;
    struct output log;
    struct output capture;
    struct lwp_packets *packets;
    struct lwp_kept kept; /* Without a limit: nothing is kept. */
    struct subscription subscriptions[LWP_EVENTS_MAX_SUBSCRIBERS];
    size_t subscription_count;
    enum lwp_status status;
    char error[ERROR_SIZE];
};

struct kind_row {
    const char *word;
    unsigned members;
};

/* The names of the bits as events.def writes them. */
enum {
    ADDRESSES = LWP_EVENT_HAS_ADDRESSES,
    IN = LWP_EVENT_HAS_IN,
    OUT = LWP_EVENT_HAS_OUT,
    FRAME = LWP_EVENT_HAS_FRAME,
    BYTES = LWP_EVENT_HAS_BYTES,
    STATUS = LWP_EVENT_HAS_STATUS,
    OFFSET = LWP_EVENT_HAS_OFFSET,
    CLOSE = LWP_EVENT_HAS_CLOSE,
    PASSED = LWP_EVENT_HAS_PASSED,
    TEXT = LWP_EVENT_HAS_TEXT
};

static const struct kind_row rows[LWP_EVENT_KIND_COUNT] = {
#define LWP_EVENT(name, word, members) [LWP_EVENT_##name] = {word, members},
#include "mock_server/events.def"
#undef LWP_EVENT
};

const char *lwp_event_word(enum lwp_event_kind kind)
{
    return rows[kind].word;
}

unsigned event_members(enum lwp_event_kind kind)
{
    return rows[kind].members;
}

void event_wire_of(const struct lwp_event *event, struct event_wire *wire)
{
    wire->head = event->wire;
    wire->body = (struct lwp_bytes){NULL, 0};
    if (event->wire.size || !event->frame)
        return;
    lwp_header_encode(&event->frame->header, wire->header);
    wire->head = (struct lwp_bytes){wire->header, sizeof(wire->header)};
    wire->body = event->frame->payload;
}

enum lwp_status lwp_events_new(uint64_t epoch_ns, struct lwp_events **events)
{
    struct lwp_events *made = calloc(1, sizeof(*made));
    if (!made)
        return LWP_NO_MEMORY;
    made->epoch_ns = epoch_ns;
    made->raw_limit = LWP_EVENTS_RAW_DEFAULT;
    *events = made;
    return LWP_OK;
}

/* Remembers what went wrong first. */
static enum lwp_status remember(struct lwp_events *events, enum lwp_status status, const char *name,
                                const char *text)
{
    if (events->status == LWP_OK) {
        events->status = status;
        (void)snprintf(events->error, sizeof(events->error), "%s: %s", name, text);
    }
    return status;
}

static void close_output(struct output *output)
{
    if (output->file && output->owned)
        (void)fclose(output->file);
    output->file = NULL;
}

/* The file failed: it is left as it is. */
static void give_up(struct lwp_events *events, struct output *output, int error)
{
    (void)remember(events, LWP_IO, output->name, strerror(error ? error : EIO));
    close_output(output);
}

static void flush_output(struct lwp_events *events, struct output *output)
{
    errno = 0;
    if (output->file && fflush(output->file) != 0)
        give_up(events, output, errno);
}

void lwp_events_flush(struct lwp_events *events)
{
    flush_output(events, &events->log);
    flush_output(events, &events->capture);
}

void lwp_events_free(struct lwp_events *events)
{
    if (!events)
        return;
    lwp_events_flush(events);
    close_output(&events->log);
    close_output(&events->capture);
    lwp_packets_free(events->packets);
    lwp_kept_done(&events->kept);
    free(events);
}

void lwp_events_set_raw_limit(struct lwp_events *events, size_t limit)
{
    events->raw_limit = limit < RAW_MAX ? limit : RAW_MAX;
}

static void set_output(struct output *output, FILE *file, const char *name, bool owned)
{
    *output = (struct output){.file = file, .set = true, .owned = owned};
    (void)snprintf(output->name, sizeof(output->name), "%s", name);
}

static enum lwp_status open_output(struct lwp_events *events, struct output *output,
                                   const char *path)
{
    if (output->set)
        return LWP_INVALID_ARGUMENT;
    FILE *file = fopen(path, "wbe");
    if (!file)
        return remember(events, LWP_IO, path, strerror(errno));
    set_output(output, file, path, true);
    return LWP_OK;
}

/* Hands a line to `write`: LWP_OK, or LWP_NO_MEMORY if there was none for the object. Frees it. */
static enum lwp_status write_line(struct json_object *object,
                                  void (*write)(void *context, struct lwp_bytes piece),
                                  void *context)
{
    const struct lwp_bytes line = lwp_json_line(object);
    const enum lwp_status status = line.size ? LWP_OK : LWP_NO_MEMORY;
    if (line.size) {
        write(context, line);
        write(context, lwp_bytes_text("\n"));
    }
    json_object_put(object);
    return status;
}

static void write_log(void *context, struct lwp_bytes piece)
{
    struct lwp_events *events = context;
    errno = 0;
    if (events->log.file && fwrite(piece.data, 1, piece.size, events->log.file) != piece.size)
        give_up(events, &events->log, errno);
}

static enum lwp_status begin_log(struct lwp_events *events)
{
    return write_line(event_begin_object(events->epoch_ns), write_log, events);
}

enum lwp_status lwp_events_log_to(struct lwp_events *events, const char *path)
{
    const enum lwp_status status = open_output(events, &events->log, path);
    return status == LWP_OK ? begin_log(events) : status;
}

enum lwp_status lwp_events_log_on(struct lwp_events *events, FILE *out, const char *name)
{
    if (events->log.set)
        return LWP_INVALID_ARGUMENT;
    set_output(&events->log, out, name, false);
    return begin_log(events);
}

static enum lwp_status begin_capture(struct lwp_events *events)
{
    const enum lwp_status status =
        lwp_packets_new(events->capture.file, "lwp-mock", &events->packets);
    if (status != LWP_OK)
        close_output(&events->capture);
    return status;
}

enum lwp_status lwp_events_capture_to(struct lwp_events *events, const char *path)
{
    const enum lwp_status status = open_output(events, &events->capture, path);
    return status == LWP_OK ? begin_capture(events) : status;
}

enum lwp_status lwp_events_capture_on(struct lwp_events *events, FILE *out, const char *name)
{
    if (events->capture.set)
        return LWP_INVALID_ARGUMENT;
    set_output(&events->capture, out, name, false);
    return begin_capture(events);
}

enum lwp_status lwp_events_keep(struct lwp_events *events, size_t limit)
{
    if (events->kept.limit)
        return LWP_INVALID_ARGUMENT;
    events->kept.limit = limit ? limit : LWP_EVENTS_KEPT_DEFAULT;
    return LWP_OK;
}

enum lwp_status lwp_events_subscribe(struct lwp_events *events, lwp_events_subscriber *call,
                                     void *context)
{
    if (events->subscription_count == LWP_EVENTS_MAX_SUBSCRIBERS)
        return LWP_FULL;
    events->subscriptions[events->subscription_count++] = (struct subscription){call, context};
    return LWP_OK;
}

void lwp_events_unsubscribe(struct lwp_events *events, lwp_events_subscriber *call, void *context)
{
    size_t left = 0;
    for (size_t i = 0; i < events->subscription_count; i++) {
        const struct subscription one = events->subscriptions[i];
        if (one.call != call || one.context != context)
            events->subscriptions[left++] = one;
    }
    events->subscription_count = left;
}

static bool wants_lines(const struct lwp_events *events)
{
    return events->log.file || events->kept.limit;
}

bool lwp_events_wanted(const struct lwp_events *events)
{
    return events && (wants_lines(events) || events->capture.file || events->subscription_count);
}

static void add_line(struct lwp_events *events, const struct lwp_event *event)
{
    struct json_object *object = event_object(event, events->count, events->raw_limit);
    const struct lwp_bytes line = lwp_json_line(object);
    enum lwp_status status = line.size ? LWP_OK : LWP_NO_MEMORY;
    if (line.size) {
        write_log(events, line);
        write_log(events, lwp_bytes_text("\n"));
    }
    if (line.size && events->kept.limit)
        status = lwp_kept_add(&events->kept, line);
    if (status != LWP_OK)
        (void)remember(events, status, "event log", lwp_status_text(status));
    json_object_put(object);
}

static void add_packets(struct lwp_events *events, const struct lwp_event *event)
{
    int error = 0;
    event_draw(events->packets, events->epoch_ns, event);
    const enum lwp_status status = lwp_packets_status(events->packets, &error);
    if (status == LWP_IO)
        give_up(events, &events->capture, error);
    else if (status != LWP_OK)
        (void)remember(events, status, events->capture.name, lwp_status_text(status));
}

void lwp_events_add(struct lwp_events *events, const struct lwp_event *event)
{
    events->count++;
    if (wants_lines(events))
        add_line(events, event);
    if (events->capture.file && event->connection)
        add_packets(events, event);
    for (size_t i = 0; i < events->subscription_count; i++)
        events->subscriptions[i].call(events->subscriptions[i].context, events->count, event);
}

uint64_t lwp_events_count(const struct lwp_events *events)
{
    return events->count;
}

enum lwp_status lwp_events_status(struct lwp_events *events)
{
    lwp_events_flush(events);
    return events->status;
}

const char *lwp_events_error(const struct lwp_events *events)
{
    return events->error;
}

enum lwp_status lwp_events_dump(const struct lwp_events *events,
                                void (*write)(void *context, struct lwp_bytes piece), void *context)
{
    const struct lwp_kept *kept = &events->kept;
    if (!kept->limit)
        return LWP_OK;
    enum lwp_status status = write_line(event_begin_object(events->epoch_ns), write, context);
    if (status == LWP_OK && kept->dropped_count)
        status = write_line(event_dropped_object(kept->dropped_count, kept->dropped_size), write,
                            context);
    struct lwp_bytes parts[2];
    lwp_kept_lines(kept, parts);
    for (size_t i = 0; i < 2 && status == LWP_OK; i++)
        if (parts[i].size)
            write(context, parts[i]);
    return status;
}

static void write_memory(void *context, struct lwp_bytes piece)
{
    (void)fwrite(piece.data, 1, piece.size, context);
}

enum lwp_status lwp_events_text(const struct lwp_events *events, char **text, size_t *size)
{
    char *made = NULL;
    size_t made_size = 0;
    FILE *memory = open_memstream(&made, &made_size);
    if (!memory)
        return LWP_NO_MEMORY;
    enum lwp_status status = lwp_events_dump(events, write_memory, memory);
    if (ferror(memory))
        status = LWP_NO_MEMORY;
    if (fclose(memory) != 0 || status != LWP_OK) {
        free(made);
        return LWP_NO_MEMORY;
    }
    *text = made;
    *size = made_size;
    return LWP_OK;
}
