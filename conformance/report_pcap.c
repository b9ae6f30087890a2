/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "conformance/report.h"
#include "mock_server/packets.h"

enum {
    CONNECTION_COUNT = SCRIPT_MAX_CONNECTIONS + 1,
    COMMENT_SIZE = 2048,
    FIRST_CONNECTION = 48128 /* Its port is 49152: nobody dissects those as something else. */
};

struct pcap {
    struct lwp_packets *packets;
    uint64_t opened;                    /* Connections so far, in all cases. */
    uint64_t current[CONNECTION_COUNT]; /* Their numbers; 0 for those that are not open. */
    uint64_t now_ns;                    /* The end of what is drawn, since the Unix epoch. */
};

/* What is being drawn. */
struct drawing {
    struct pcap *pcap;
    struct lwp_bytes target;
    const struct exchange *exchange;
    const struct result *result;
    const struct event *differing;
    size_t missing; /* Bytes for which there was no memory. */
    uint64_t began_ns;
};

static void begin(const struct report *report, struct report_out *out)
{
    struct pcap *pcap = out->state;
    (void)report;
    if (!pcap->packets && lwp_packets_new(out->file, "lwp-conform", &pcap->packets) != LWP_OK)
        out->error = ENOMEM;
}

/* Whose packet it is, and what came of the case this time; on the packet that decided it, why. The
 * caller frees it. */
static char *comment_on(const struct drawing *drawing, const struct event *event)
{
    const struct exchange *exchange = drawing->exchange;
    const struct result *result = drawing->result;
    char text[COMMENT_SIZE];
    char name[16];
    size_t at =
        (size_t)snprintf(text, sizeof(text), "%s%.200s connection=%s", result->of ? "case=" : "",
                         exchange->what, report_connection_name(event->connection, name));
    if (event->line)
        at += (size_t)snprintf(text + at, sizeof(text) - at, " line=%u", event->line);
    if (result->of)
        at += (size_t)snprintf(text + at, sizeof(text) - at, " verdict=%s",
                               verdict_word(result->verdict));
    if (result->of && exchange->chop)
        at += (size_t)snprintf(text + at, sizeof(text) - at, " chop=%.100s", exchange->chop);
    if (drawing->missing)
        at += (size_t)snprintf(text + at, sizeof(text) - at, " missing=%zu", drawing->missing);
    if (event == drawing->differing)
        (void)snprintf(text + at, sizeof(text) - at, " differs=%s offset=%ld: %s", result->field,
                       result->offset, result->reason);
    return report_utf8(text);
}

/* What the peer did. */
static bool is_incoming(enum event_kind kind)
{
    return kind == EVENT_RECEIVED || kind == EVENT_FIN || kind == EVENT_RESET;
}

static void draw_end(struct pcap *pcap, const struct lwp_packets_place *place,
                     const struct event *event)
{
    const bool reset = event->kind == EVENT_RESET || event->kind == EVENT_ABORTED;
    lwp_packets_close(pcap->packets, place, reset ? LWP_CLOSE_RST : LWP_CLOSE_HALF);
    if (reset || event->kind == EVENT_CLOSED)
        pcap->current[event->connection] = 0;
}

static void draw_event(const struct drawing *drawing, const struct event *event,
                       struct lwp_bytes wire)
{
    static const struct lwp_bytes none = {NULL, 0};
    struct pcap *pcap = drawing->pcap;
    char *comment = comment_on(drawing, event);
    if (event->kind == EVENT_CONNECTED)
        pcap->current[event->connection] = FIRST_CONNECTION + pcap->opened++;
    const struct lwp_packets_place place = {
        .time_ns = drawing->began_ns + event->time_ns,
        .connection = pcap->current[event->connection],
        .outgoing = is_incoming(event->kind), /* The target stands where the mock would. */
        .comment = lwp_bytes_text(comment),
    };
    if (event->kind == EVENT_CONNECTED)
        lwp_packets_connect(pcap->packets, &place, drawing->target, none);
    else if (event->kind == EVENT_SENT || event->kind == EVENT_RECEIVED)
        lwp_packets_send(pcap->packets, &place, wire, none);
    else
        draw_end(pcap, &place, event);
    free(comment);
}

/* The bytes of an event, as many as there are. */
static struct lwp_bytes wire_of(const struct exchange *exchange, size_t index)
{
    return index < exchange->wire_count ? exchange->wires[index]
                                        : exchange->result->transcript.events.items[index].bytes;
}

static size_t missing_in(const struct exchange *exchange)
{
    const struct transcript *transcript = &exchange->result->transcript;
    size_t missing = 0;
    for (size_t i = 0; i < transcript->events.count; i++) {
        const struct event *event = &transcript->events.items[i];
        missing += event->bytes.size + event->lost - wire_of(exchange, i).size;
    }
    return missing;
}

/* Whatever is still open is closed by us when a case is over. */
static void draw_ends(const struct drawing *drawing)
{
    for (unsigned i = 0; i < CONNECTION_COUNT; i++) {
        const struct event end = {
            .kind = EVENT_CLOSED, .connection = i, .time_ns = drawing->result->duration_ns};
        if (drawing->pcap->current[i])
            draw_event(drawing, &end, end.bytes);
    }
}

static void draw(const struct report *report, struct report_out *out,
                 const struct exchange *exchange)
{
    struct pcap *pcap = out->state;
    const struct result *result = exchange->result;
    const uint64_t began_ns = report->run.epoch_ns + result->began_ns;
    const struct drawing drawing = {
        .pcap = pcap,
        .target = lwp_bytes_text(report->run.target),
        .exchange = exchange,
        .result = result,
        .differing = result->of ? report_differing(result) : NULL,
        .missing = missing_in(exchange),
        .began_ns = began_ns > pcap->now_ns ? began_ns : pcap->now_ns,
    };
    if (!pcap->packets)
        return;
    for (size_t i = 0; i < result->transcript.events.count; i++)
        draw_event(&drawing, &result->transcript.events.items[i], wire_of(exchange, i));
    draw_ends(&drawing);
    pcap->now_ns = drawing.began_ns + result->duration_ns;
}

static void finish(const struct report *report, struct report_out *out)
{
    struct pcap *pcap = out->state;
    int error = 0;
    (void)report;
    if (!pcap->packets)
        begin(report, out); /* A capture of nothing is a capture. */
    if (pcap->packets && lwp_packets_status(pcap->packets, &error) == LWP_NO_MEMORY)
        error = ENOMEM;
    if (!out->error)
        out->error = error;
    lwp_packets_free(pcap->packets);
}

const struct report_form report_form_pcap = {
    .state_size = sizeof(struct pcap),
    .at = {[REPORT_BEGIN] = begin, [REPORT_FINISH] = finish},
    .exchange = draw,
};
