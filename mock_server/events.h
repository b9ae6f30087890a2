/* SPDX-License-Identifier: MIT */
/* events.h - what happened, one call an event: written as JSON Lines, drawn as a capture, kept in
 * memory, handed to subscribers. docs/events.md describes what is written. */
#ifndef LWP_MOCK_EVENTS_H
#define LWP_MOCK_EVENTS_H

#include <stdio.h>

#include "lwp/net/transport.h"
#include "lwp/wire/frame.h"

enum {
    LWP_EVENTS_SCHEMA_VERSION = 1,
    LWP_EVENTS_MAX_SUBSCRIBERS = 16,
    LWP_EVENTS_KEPT_DEFAULT = 67108864, /* 64 MiB: the JSON lines that are kept in memory. */
    LWP_EVENTS_RAW_DEFAULT = 65536      /* 64 KiB: the raw bytes that a line shows. */
};

enum lwp_event_kind {
#define LWP_EVENT(name, word, members) LWP_EVENT_##name,
#include "mock_server/events.def"
#undef LWP_EVENT
    LWP_EVENT_KIND_COUNT
};

/* Who ended a connection. */
enum lwp_event_by { LWP_BY_PEER, LWP_BY_MOCK, LWP_BY_RULE, LWP_BY_ERROR };

/**
 * An event: plain data with views that live as long as the call. What a kind does not have (column
 * `members` of events.def) is zero and is not looked at.
 */
struct lwp_event {
    enum lwp_event_kind kind;
    uint64_t time_ns;          /* On the mock's clock. */
    struct lwp_bytes node;     /* Its name; empty where there is only one. */
    uint64_t connection;       /* Counted from 1 in the whole mock, never used twice; 0: none. */
    struct lwp_bytes tag;      /* What the connection is labelled with; empty: nothing. */
    struct lwp_bytes scenario; /* The case or scenario; empty: none. */
    struct lwp_bytes rule;     /* Of all that a rule did, which one it was; else empty. */

    struct lwp_bytes local; /* CONNECTED: the node's address, as lwp_tcp_listen() gives it, and */
    struct lwp_bytes peer;  /* the peer's; empty (a pipe): addresses are made up in a capture. */

    /* Frames and bytes. At least one of `wire` and `frame` is there. */
    const struct lwp_dialect *dialect; /* Of the connection; NULL: not known yet. */
    struct lwp_bytes wire;         /* As they were on the wire: of what goes out, after the damage.
                                      Empty: `frame` as it is encoded. */
    const struct lwp_frame *frame; /* Of frames: what is decoded, before the damage; NULL: what
                                      `wire` has, if that is a sound frame. */
    bool damaged;                  /* `wire` is not what `frame` says. */

    struct lwp_fault fault; /* FAULT: with the offset in the stream. CLOSED: only the status. */
    enum lwp_event_by by;   /* CLOSED; LWP_BY_RULE with `rule`. */
    enum lwp_close how;     /* CLOSED: by the peer it is LWP_CLOSE_HALF or LWP_CLOSE_RST. */

    bool passed;           /* VERDICT */
    struct lwp_bytes text; /* RULE, NOTE, CLUSTER, VERDICT: UTF-8, or what can be made of it. */
};

/* The sinks. Used from one thread. */
struct lwp_events;

/* Must not add events, subscribe or unsubscribe. `number` counts the events from 1. */
typedef void lwp_events_subscriber(void *context, uint64_t number, const struct lwp_event *event);

/** No sinks yet. `epoch_ns` is the wall time, since the Unix epoch, when the clock is 0. LWP_OK or
 * LWP_NO_MEMORY; free it with lwp_events_free(). */
enum lwp_status lwp_events_new(uint64_t epoch_ns, struct lwp_events **events);

/** Flushes and closes the files that it opened and frees all; NULL is fine. */
void lwp_events_free(struct lwp_events *events);

/** How many raw bytes a line shows from now on; 0 for none. */
void lwp_events_set_raw_limit(struct lwp_events *events, size_t limit);

/*
 * Where events go from now on. Each sink can be set once; again is LWP_INVALID_ARGUMENT. With a
 * path the file is made, or emptied; LWP_IO if that fails, and lwp_events_error() names the file.
 * A FILE stays the caller's and must outlive the events; `name` is what errors call it. LWP_OK,
 * LWP_IO or LWP_NO_MEMORY. That the device is full shows only later: lwp_events_status().
 */

/** JSON Lines, an object an event; the first line says which schema, and when the clock began. */
enum lwp_status lwp_events_log_to(struct lwp_events *events, const char *path);
enum lwp_status lwp_events_log_on(struct lwp_events *events, FILE *out, const char *name);

/** pcapng: what was on the wires, as packets (pcapng.h); who it was and why, as their comments. */
enum lwp_status lwp_events_capture_to(struct lwp_events *events, const char *path);
enum lwp_status lwp_events_capture_on(struct lwp_events *events, FILE *out, const char *name);

/** Keeps the newest JSON lines, at most `limit` bytes of them (0: LWP_EVENTS_KEPT_DEFAULT). Memory
 * grows with what comes. LWP_OK or LWP_INVALID_ARGUMENT. */
enum lwp_status lwp_events_keep(struct lwp_events *events, size_t limit);

/** Calls for every event, in the order of subscription, after the other sinks. LWP_OK or LWP_FULL.
 */
enum lwp_status lwp_events_subscribe(struct lwp_events *events, lwp_events_subscriber *call,
                                     void *context);

/** Calls no more; does nothing if there was no such subscription. */
void lwp_events_unsubscribe(struct lwp_events *events, lwp_events_subscriber *call, void *context);

/** Whether there is anybody to tell. To be asked before an event is put together; NULL: false. */
bool lwp_events_wanted(const struct lwp_events *events);

/**
 * Tells all sinks. What they keep they copy. What goes wrong is remembered, and what failed is not
 * tried again; the other sinks go on.
 */
void lwp_events_add(struct lwp_events *events, const struct lwp_event *event);

/** How many events there were. */
uint64_t lwp_events_count(const struct lwp_events *events);

/** Writes out what the files' buffers hold: before a wait, so that readers see it. */
void lwp_events_flush(struct lwp_events *events);

/** Flushes, and says how writing went so far: LWP_OK, LWP_IO or LWP_NO_MEMORY, the first that
 * happened. */
enum lwp_status lwp_events_status(struct lwp_events *events);

/** What went wrong first, for people, with the file's name; "" if nothing did. Lives as long as the
 * events. */
const char *lwp_events_error(const struct lwp_events *events);

/**
 * Hands the lines that are kept to `write`, in pieces: the line that begins every log, then, if
 * there was not room for all, a line that says how many events and bytes are gone, then the newest.
 * Nothing if lwp_events_keep() was not called.
 *
 * LWP_OK, or LWP_NO_MEMORY with nothing or only the beginning handed over.
 */
enum lwp_status lwp_events_dump(const struct lwp_events *events,
                                void (*write)(void *context, struct lwp_bytes piece),
                                void *context);

/** The same as one text, with a zero at its end, for the caller to free. LWP_OK or LWP_NO_MEMORY. */
enum lwp_status lwp_events_text(const struct lwp_events *events, char **text, size_t *size);

/** The event's word in the lines, for example "frame". */
const char *lwp_event_word(enum lwp_event_kind kind);

#endif
