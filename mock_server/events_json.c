/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "lwp/json/members.h"
#include "lwp/wire/guess.h"
#include "lwp/wire/trace.h"
#include "mock_server/events_state.h"

enum { SHOWN_RECORDS = 16, SHOWN_RECORD_SIZE = 64 };

static const char *const by_words[] = {[LWP_BY_PEER] = "peer",
                                       [LWP_BY_MOCK] = "mock",
                                       [LWP_BY_RULE] = "rule",
                                       [LWP_BY_ERROR] = "error"};

static const char *const close_words[] = {
    [LWP_CLOSE_HALF] = "half", [LWP_CLOSE_FIN] = "fin", [LWP_CLOSE_RST] = "rst"};

/* With exactly three digits behind the point: a double would print what it can not hold. */
static void add_time(struct json_object *object, uint64_t time_ns)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%" PRIu64 ".%03" PRIu64, time_ns / 1000000,
                   time_ns / 1000 % 1000);
    lwp_json_add(object, "time_ms", json_object_new_double_s((double)time_ns / 1e6, text));
    lwp_json_add_number(object, "time_ns", time_ns);
}

static void add_status(struct json_object *object, enum lwp_status status)
{
    lwp_json_add_word(object, "status", lwp_status_name(status));
    lwp_json_add_word(object, "status_text", lwp_status_text(status));
}

static void add_offset(struct json_object *object, const struct lwp_fault *fault)
{
    lwp_json_add_number(object, "offset", fault->offset);
    if (fault->field)
        lwp_json_add_word(object, "field", fault->field);
}

static void add_fault(struct json_object *object, const char *key, const struct lwp_fault *fault)
{
    struct json_object *wrong = json_object_new_object();
    add_status(wrong, fault->status);
    add_offset(wrong, fault);
    lwp_json_add(object, key, wrong);
}

/* The raw bytes, up to the limit, from one piece or from two. */
static void add_raw(struct json_object *object, const struct event_wire *wire, size_t limit)
{
    const size_t size = wire->head.size + wire->body.size;
    struct lwp_writer out = lwp_writer_on(NULL, size < limit ? size : limit);
    struct lwp_bytes body = wire->body;
    struct lwp_bytes head = wire->head;
    lwp_json_add_number(object, "raw_size", size);
    if (head.size > out.capacity)
        head.size = out.capacity;
    if (body.size > out.capacity - head.size)
        body.size = out.capacity - head.size;
    out.data = malloc(out.capacity + 1);
    if (out.data) {
        lwp_write(&out, head);
        lwp_write(&out, body);
        lwp_json_add_hex(object, "raw", lwp_writer_bytes(&out));
    }
    free(out.data);
    if (size > out.capacity)
        lwp_json_add_flag(object, "raw_cut", true);
}

/* true, or what is wrong with the bytes as a frame of the dialect. */
static void add_sound(struct json_object *object, enum lwp_status status,
                      const struct lwp_fault *fault)
{
    if (status == LWP_OK)
        lwp_json_add_flag(object, "sound", true);
    else
        add_fault(object, "sound", fault);
}

/* The payload's records: the first of them, how many whole ones there are, and where they break. */
static void add_records(struct json_object *object, const struct lwp_dialect *dialect,
                        struct lwp_bytes records)
{
    struct json_object *list = json_object_new_array();
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(records);
    struct lwp_record record;
    struct lwp_fault fault = {LWP_OK, 0, "length"};
    uint64_t count = 0;
    while ((fault.status = lwp_tlv_next(&walk, &record)) == LWP_OK) {
        if (count++ >= SHOWN_RECORDS || !list)
            continue;
        struct json_object *one = json_object_new_object();
        lwp_json_add_record(one, dialect, &record, SHOWN_RECORD_SIZE);
        if (json_object_array_add(list, one) != 0)
            json_object_put(one);
    }
    lwp_json_add_number(object, "records_found", count);
    lwp_json_add(object, "records", list);
    fault.offset = walk.offset;
    if (fault.status != LWP_END)
        add_fault(object, "records_fault", &fault);
}

/* Compressed records are not looked into. */
static void add_payload(struct json_object *object, const struct lwp_dialect *dialect,
                        const struct lwp_frame *frame)
{
    const enum lwp_kind kind = lwp_frame_kind(frame, dialect);
    const bool compressed = frame->header.flags & LWP_FLAG_COMPRESSED;
    struct lwp_message message = {.command = 0};
    struct lwp_bytes records = {NULL, 0};
    struct lwp_bytes rest;
    struct lwp_fault fault;
    if (kind == LWP_KIND_CONTROL) {
        const int code = lwp_frame_command(frame, dialect);
        lwp_json_add(object, "message", lwp_json_message(dialect, frame));
        if (code >= 0 &&
            lwp_message_decode((uint8_t)code, frame->payload, &message, &rest, &fault) == LWP_OK)
            records = message.data;
    } else {
        lwp_json_add_bytes(object, "payload", frame->payload, LWP_JSON_SHOWN_SIZE);
        if (kind == LWP_KIND_INGEST)
            records = frame->payload;
    }
    if (records.size && !compressed)
        add_records(object, dialect, records);
}

static void add_decoded(struct json_object *object, const struct lwp_dialect *dialect,
                        const struct lwp_frame *frame)
{
    const int code = lwp_frame_command(frame, dialect);
    const struct lwp_command *command =
        lwp_frame_kind(frame, dialect) == LWP_KIND_CONTROL && code >= 0
            ? lwp_command_of((uint8_t)code)
            : NULL;
    char line[LWP_TRACE_SIZE];
    (void)lwp_trace_frame(dialect, frame, line, sizeof(line));
    lwp_json_add_word(object, "kind", lwp_kind_word(lwp_frame_kind(frame, dialect)));
    if (command)
        lwp_json_add_word(object, "command", command->word);
    lwp_json_add(object, "header", lwp_json_header(&frame->header));
    lwp_json_add_number(object, "payload_size", frame->payload.size);
    add_payload(object, dialect, frame);
    lwp_json_add_word(object, "trace", line);
}

/* Splits what was on the wire and nothing else; a sound frame with bytes behind it is not sound. */
static enum lwp_status split(const struct lwp_dialect *dialect, struct lwp_bytes wire,
                             struct lwp_frame *frame, struct lwp_fault *fault)
{
    const struct lwp_frame_rules rules = {dialect->polynomial, UINT32_MAX};
    const enum lwp_status status = lwp_frame_split(&rules, wire, frame, fault);
    if (status == LWP_MORE)
        *fault = (struct lwp_fault){LWP_MORE, wire.size, NULL};
    if (status != LWP_OK || lwp_frame_size(frame) == wire.size)
        return status;
    *fault = (struct lwp_fault){LWP_INVALID_LENGTH, lwp_frame_size(frame), NULL};
    return LWP_INVALID_LENGTH;
}

static const struct lwp_dialect *dialect_of(const struct lwp_event *event)
{
    if (event->dialect)
        return event->dialect;
    const struct lwp_guess guess = lwp_dialect_guess(event->wire);
    return guess.dialect ? guess.dialect : &lwp_dialect_lance;
}

/* A frame that comes without its bytes is what lwp_frame_split() yielded, or what was sealed. */
static void add_frame(struct json_object *object, const struct lwp_event *event)
{
    const struct lwp_dialect *dialect = dialect_of(event);
    struct lwp_frame seen;
    struct lwp_fault fault = {LWP_OK, 0, NULL};
    const enum lwp_status status =
        event->wire.size ? split(dialect, event->wire, &seen, &fault) : LWP_OK;
    const struct lwp_frame *frame = event->frame;
    if (!frame && status == LWP_OK && event->wire.size)
        frame = &seen;
    lwp_json_add_word(object, "dialect", dialect->name);
    add_sound(object, status, &fault);
    lwp_json_add_flag(object, "damaged", event->damaged);
    if (frame)
        add_decoded(object, dialect, frame);
}

static void add_wire(struct json_object *object, const struct lwp_event *event, unsigned members,
                     size_t raw_limit)
{
    struct event_wire wire;
    event_wire_of(event, &wire);
    lwp_json_add_word(object, "direction", members & LWP_EVENT_HAS_OUT ? "out" : "in");
    if (members & LWP_EVENT_HAS_FRAME)
        add_frame(object, event);
    add_raw(object, &wire, raw_limit);
}

static void add_members(struct json_object *object, const struct lwp_event *event, unsigned members)
{
    if (members & LWP_EVENT_HAS_ADDRESSES) {
        lwp_json_add_text(object, "local", event->local);
        lwp_json_add_text(object, "peer", event->peer);
    }
    if (members & LWP_EVENT_HAS_CLOSE) {
        lwp_json_add_word(object, "by", by_words[event->by]);
        lwp_json_add_word(object, "how", close_words[event->how]);
    }
    if (members & LWP_EVENT_HAS_STATUS)
        add_status(object, event->fault.status);
    if (members & LWP_EVENT_HAS_OFFSET)
        add_offset(object, &event->fault);
    if (members & LWP_EVENT_HAS_PASSED)
        lwp_json_add_flag(object, "passed", event->passed);
    if (members & LWP_EVENT_HAS_TEXT)
        lwp_json_add_text(object, "text", event->text);
}

struct json_object *event_object(const struct lwp_event *event, uint64_t number, size_t raw_limit)
{
    struct json_object *object = json_object_new_object();
    const unsigned members = event_members(event->kind);
    lwp_json_add_word(object, "event", lwp_event_word(event->kind));
    lwp_json_add_number(object, "number", number);
    add_time(object, event->time_ns);
    lwp_json_add_text(object, "node", event->node);
    lwp_json_add_number(object, "connection", event->connection);
    lwp_json_add_text(object, "tag", event->tag);
    lwp_json_add_text(object, "scenario", event->scenario);
    lwp_json_add_text(object, "rule", event->rule);
    if (members & (LWP_EVENT_HAS_IN | LWP_EVENT_HAS_OUT))
        add_wire(object, event, members, raw_limit);
    add_members(object, event, members);
    return object;
}

struct json_object *event_begin_object(uint64_t epoch_ns)
{
    struct json_object *object = json_object_new_object();
    lwp_json_add_word(object, "event", "begin");
    lwp_json_add_number(object, "schema_version", LWP_EVENTS_SCHEMA_VERSION);
    lwp_json_add_word(object, "program", "lwp-mock");
    lwp_json_add_number(object, "epoch_ns", epoch_ns);
    return object;
}

struct json_object *event_dropped_object(uint64_t count, uint64_t size)
{
    struct json_object *object = json_object_new_object();
    lwp_json_add_word(object, "event", "dropped");
    lwp_json_add_number(object, "count", count);
    lwp_json_add_number(object, "size", size);
    return object;
}
