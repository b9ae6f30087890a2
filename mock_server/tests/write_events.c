/* SPDX-License-Identifier: MIT */
/* write_events LOG CAPTURE: an event of every kind, for readers that are not ours. */
#include <stdio.h>
#include <stdlib.h>

#include "lwp/wire/message.h"
#include "mock_server/events.h"

enum { LARGE = 200000 };

static const struct lwp_bytes none;

/* The events of a connection under way. */
struct scene {
    struct lwp_events *events;
    struct lwp_event event; /* Who and when. */
};

static void tell(struct scene *scene, enum lwp_event_kind kind)
{
    scene->event.kind = kind;
    scene->event.time_ns += 1234567;
    lwp_events_add(scene->events, &scene->event);
}

static void tell_text(struct scene *scene, enum lwp_event_kind kind, const char *text)
{
    scene->event.text = lwp_bytes_text(text);
    tell(scene, kind);
}

static void tell_frame(struct scene *scene, enum lwp_event_kind kind, struct lwp_frame frame)
{
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    scene->event.frame = &frame;
    tell(scene, kind);
    scene->event.frame = NULL;
}

static struct lwp_frame ingest(struct lwp_bytes payload)
{
    return (struct lwp_frame){
        .header = {.flags = LWP_FLAG_BATCH, .batch_id = 1, .record_count = 1, .topic_id = 1},
        .payload = payload,
    };
}

/* An Ack that a rule damages in its last byte. */
static void tell_damaged(struct scene *scene)
{
    uint8_t wire[LWP_HEADER_SIZE];
    struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
    struct lwp_frame ack = {.header = {.flags = LWP_FLAG_ACK, .batch_id = 1}};
    lwp_frame_seal(&ack, LWP_CRC32, 0);
    (void)lwp_frame_encode(&ack, &out);
    wire[8] ^= 0xff;
    scene->event.rule = lwp_bytes_text("faults.lwps:7");
    tell_text(scene, LWP_EVENT_RULE, "xor 8 ff");
    scene->event.frame = &ack;
    scene->event.wire = lwp_writer_bytes(&out);
    scene->event.damaged = true;
    tell(scene, LWP_EVENT_FRAME_OUT);
    scene->event.frame = NULL;
    scene->event.wire = none;
    scene->event.damaged = false;
    scene->event.rule = none;
}

static void close_by(struct scene *scene, enum lwp_event_by by, enum lwp_close how)
{
    scene->event.by = by;
    scene->event.how = how;
    tell(scene, LWP_EVENT_CLOSED);
}

/* The frames that every connection has. */
static void converse(struct scene *scene, struct lwp_bytes large)
{
    static const uint8_t records[] = "\1\5\0\0\0hello\x10\5\0\0\0\1\0k\"\\\2\1\0\0\0\xff\1\2";
    tell(scene, LWP_EVENT_CONNECTED);
    tell_frame(scene, LWP_EVENT_FRAME_IN,
               lwp_message_frame(LWP_COMMAND_CREATE_TOPIC, lwp_bytes_text("or\"ders\n")));
    tell_frame(scene, LWP_EVENT_FRAME_OUT,
               lwp_message_frame(LWP_COMMAND_ERROR_RESPONSE, lwp_bytes_text("\xff\xfe</no>")));
    tell_frame(scene, LWP_EVENT_FRAME_IN, ingest((struct lwp_bytes){records, sizeof(records) - 1}));
    tell_damaged(scene);
    tell_frame(scene, LWP_EVENT_FRAME_IN, ingest(large));
    tell_frame(scene, LWP_EVENT_FRAME_OUT, ingest(large));
    scene->event.wire = (struct lwp_bytes){(const uint8_t *)"GET /\r\n\0\xff", 9};
    scene->event.fault = (struct lwp_fault){LWP_INVALID_MAGIC, 300, "magic"};
    tell(scene, LWP_EVENT_FAULT);
    tell(scene, LWP_EVENT_BYTES_IN);
    tell(scene, LWP_EVENT_BYTES_OUT);
    scene->event.wire = none;
}

static void play(struct lwp_events *events, struct lwp_bytes large)
{
    static const struct {
        const char *local, *peer, *tag;
    } ends[] = {
        {"127.0.0.1:1993", "127.0.0.1:40000", "first"},
        {"[::1]:1994", "[::1]:40001", "second \xf0\x9f\x98\x80 \xff"},
        {"", "", ""},
    };
    for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct scene scene = {events, {.connection = i + 1, .dialect = &lwp_dialect_lance}};
        scene.event.time_ns = i * 20000000ULL;
        scene.event.node = lwp_bytes_text("A");
        scene.event.tag = lwp_bytes_text(ends[i].tag);
        scene.event.scenario = lwp_bytes_text("redirect");
        scene.event.local = lwp_bytes_text(ends[i].local);
        scene.event.peer = lwp_bytes_text(ends[i].peer);
        converse(&scene, large);
        close_by(&scene, LWP_BY_PEER, LWP_CLOSE_HALF);
        close_by(&scene, i ? LWP_BY_MOCK : LWP_BY_RULE, i ? LWP_CLOSE_FIN : LWP_CLOSE_RST);
    }
    struct scene mock = {events, {.time_ns = 999999999}};
    tell_text(&mock, LWP_EVENT_NOTE, "a note\twith a tab");
    tell_text(&mock, LWP_EVENT_CLUSTER, "leader of orders: B");
    tell_text(&mock, LWP_EVENT_VERDICT, "never redirect: kept");
}

int main(int argc, char **argv)
{
    struct lwp_events *events = NULL;
    static uint8_t large[LARGE];
    if (argc != 3 || lwp_events_new(1700000000000000000, &events) != LWP_OK)
        return EXIT_FAILURE;
    lwp_events_set_raw_limit(events, 2 * (size_t)LARGE);
    (void)lwp_events_log_to(events, argv[1]);
    (void)lwp_events_capture_to(events, argv[2]);
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (uint8_t)(i * 7919 >> 5);
    play(events, (struct lwp_bytes){large, LARGE});
    const enum lwp_status status = lwp_events_status(events);
    (void)fputs(lwp_events_error(events), stderr);
    lwp_events_free(events);
    return status == LWP_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
