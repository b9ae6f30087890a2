/* SPDX-License-Identifier: MIT */
/* fake_server.h - for tests of the client library: networks in the same process, on a clock that
 * moves only while somebody waits. Either a mock is behind them, or a server that a test plays. */
#ifndef LWP_TESTS_FAKE_SERVER_H
#define LWP_TESTS_FAKE_SERVER_H

#include "lwp/tests/support.h"

#include "lwp/client/options.h"
#include "lwp/net/link.h"

enum { FAKE_CONNECTIONS = 256, FAKE_PIPE_ROOM = 1 << 20 };

/* A dial that is done as soon as it has begun. */
struct instant_dial {
    struct lwp_dial dial;
    struct lwp_transport *transport;
};

static inline enum lwp_status instant_step(struct lwp_dial *dial, uint64_t now_ns,
                                           struct lwp_transport **transport)
{
    struct instant_dial *instant = (struct instant_dial *)(void *)dial;
    (void)now_ns;
    *transport = instant->transport;
    instant->transport = NULL;
    return LWP_OK;
}

static inline void instant_wait(const struct lwp_dial *dial, int *fd, short *events)
{
    (void)dial;
    *fd = -1;
    *events = 0;
}

static inline uint64_t instant_deadline(const struct lwp_dial *dial)
{
    (void)dial;
    return 0;
}

static inline void instant_free(struct lwp_dial *dial)
{
    lwp_transport_free(((struct instant_dial *)(void *)dial)->transport);
    free(dial);
}

/** Takes over the transport; NULL without memory. */
static inline struct lwp_dial *instant_dial_of(struct lwp_transport *transport)
{
    static const struct lwp_dial_ops ops = {instant_step, instant_wait, instant_deadline,
                                            instant_free};
    struct instant_dial *dial = calloc(1, sizeof(*dial));
    if (!dial) {
        lwp_transport_free(transport);
        return NULL;
    }
    *dial = (struct instant_dial){{&ops}, transport};
    return &dial->dial;
}

/** lwp_network.dial for a world: `user` is a struct lwp_world. */
static inline enum lwp_status world_dial(void *user, const struct lwp_address *address,
                                         uint64_t now_ns, uint64_t deadline_ns,
                                         struct lwp_dial **dial)
{
    struct lwp_transport *transport = NULL;
    (void)address;
    (void)now_ns;
    const enum lwp_status status = lwp_world_connect(user, deadline_ns, &transport);
    if (status != LWP_OK)
        return status;
    *dial = instant_dial_of(transport);
    return *dial ? LWP_OK : LWP_NO_MEMORY;
}

/* A server that a test plays. */
struct fake {
    struct lwp_world world; /* First, so that one is the other. */
    uint64_t now_ns;
    const struct lwp_dialect *dialect;
    struct lwp_link links[FAKE_CONNECTIONS]; /* Our ends; those that are over have no transport. */
    char addresses[FAKE_CONNECTIONS][LWP_ADDRESS_SIZE]; /* Where they were dialled. */
    size_t count;
    unsigned refuse; /* How many of the next dials are refused. */
    /** Called for each frame that comes: reply with fake_send() and the like. */
    void (*hear)(struct fake *fake, struct lwp_link *link, const struct lwp_frame *frame);
    /** Called each time before time passes; may be NULL. */
    void (*idle)(struct fake *fake);
    uint64_t next_ns; /* When `idle` wants to be called at the latest; 0: never. */
    void *own;        /* The test's. */
    struct lwp_network network;
};

static inline void fake_send(struct fake *fake, struct lwp_link *link, struct lwp_frame frame)
{
    if (link->transport)
        assert_int_equal(lwp_link_send(link, &frame, 0, fake->now_ns), LWP_OK);
}

/** Sends a control frame with this message. */
static inline void fake_tell(struct fake *fake, struct lwp_link *link, struct lwp_message message)
{
    static uint8_t room[1 << 17];
    struct lwp_writer out = lwp_writer_on(room, sizeof(room));
    assert_int_equal(lwp_message_encode(&message, &out), LWP_OK);
    fake_send(fake, link, lwp_message_frame(message.command, lwp_writer_bytes(&out)));
}

static inline void fake_error(struct fake *fake, struct lwp_link *link, const char *text)
{
    fake_tell(
        fake, link,
        (struct lwp_message){.command = LWP_COMMAND_ERROR_RESPONSE, .text = lwp_bytes_text(text)});
}

static inline void fake_ack(struct fake *fake, struct lwp_link *link, uint64_t batch_id)
{
    fake_send(fake, link,
              (struct lwp_frame){.header = {.flags = LWP_FLAG_ACK, .batch_id = batch_id}});
}

static inline void fake_close(struct lwp_link *link)
{
    lwp_link_done(link);
}

/** The message of a control frame. */
static inline struct lwp_message fake_message(const struct lwp_frame *frame)
{
    struct lwp_message message = {.command = 0};
    struct lwp_bytes rest;
    struct lwp_fault fault;
    assert_int_equal(lwp_message_decode((uint8_t)frame->header.batch_id, frame->payload, &message,
                                        &rest, &fault),
                     LWP_OK);
    return message;
}

static inline bool fake_serve(struct fake *fake, struct lwp_link *link)
{
    struct lwp_frame frame;
    bool worked = link->transport && lwp_link_read(link, fake->now_ns) == LWP_OK;
    while (link->transport && lwp_link_receive(link, &frame, fake->now_ns) == LWP_OK) {
        worked = true;
        fake->hear(fake, link, &frame);
    }
    if (link->transport && link->session.out.size)
        worked = lwp_link_write(link) == LWP_OK || worked;
    if (link->transport && link->read_status != LWP_OK)
        lwp_link_done(link);
    return worked;
}

static inline bool fake_serve_all(struct fake *fake)
{
    bool worked = false;
    for (size_t i = 0; i < fake->count; i++)
        worked = fake_serve(fake, &fake->links[i]) || worked;
    return worked;
}

static inline uint64_t fake_now(const struct lwp_world *world)
{
    return ((const struct fake *)(const void *)world)->now_ns;
}

/* Time passes only when there is nothing left to do. */
static inline void fake_wait(struct lwp_world *world, struct lwp_transport *const *transports,
                             size_t count, uint64_t deadline_ns)
{
    struct fake *fake = (struct fake *)(void *)world;
    (void)transports;
    (void)count;
    if (fake->idle)
        fake->idle(fake);
    if (fake_serve_all(fake))
        return;
    if (fake->next_ns > fake->now_ns && fake->next_ns < deadline_ns)
        deadline_ns = fake->next_ns;
    if (deadline_ns != LWP_NEVER && deadline_ns > fake->now_ns)
        fake->now_ns = deadline_ns;
}

static inline enum lwp_status fake_dial(void *user, const struct lwp_address *address,
                                        uint64_t now_ns, uint64_t deadline_ns,
                                        struct lwp_dial **dial)
{
    struct fake *fake = user;
    struct lwp_transport *ends[2];
    (void)deadline_ns;
    if (fake->refuse) {
        fake->refuse--;
        return LWP_REFUSED;
    }
    const struct lwp_session_options options = {
        .role = LWP_SERVER, .dialect = fake->dialect, .max_payload = LWP_MAX_PAYLOAD_DEFAULT};
    assert_true(fake->count < FAKE_CONNECTIONS);
    assert_int_equal(lwp_pipe_new(FAKE_PIPE_ROOM, ends), LWP_OK);
    (void)snprintf(fake->addresses[fake->count], LWP_ADDRESS_SIZE, "%s:%s", address->host,
                   address->port);
    lwp_link_init(&fake->links[fake->count++], &options, ends[1], 1 << 24, now_ns);
    *dial = instant_dial_of(ends[0]);
    return *dial ? LWP_OK : LWP_NO_MEMORY;
}

/** Makes a server that hears with `hear`; free it with fake_free(). */
static inline struct fake *fake_new(const struct lwp_dialect *dialect,
                                    void (*hear)(struct fake *fake, struct lwp_link *link,
                                                 const struct lwp_frame *frame))
{
    static const struct lwp_world_ops ops = {fake_now, NULL, fake_wait};
    struct fake *fake = calloc(1, sizeof(*fake));
    assert_non_null(fake);
    fake->world = (struct lwp_world){&ops};
    fake->now_ns = 1000000;
    fake->dialect = dialect;
    fake->hear = hear;
    fake->network = (struct lwp_network){fake_dial, fake};
    return fake;
}

static inline void fake_free(struct fake *fake)
{
    for (size_t i = 0; i < fake->count; i++)
        lwp_link_done(&fake->links[i]);
    free(fake);
}

/** How many connections are there now. */
static inline size_t fake_open_count(const struct fake *fake)
{
    size_t count = 0;
    for (size_t i = 0; i < fake->count; i++)
        count += fake->links[i].transport != NULL;
    return count;
}

/** Options that lead to the fake, driven by the caller. */
static inline struct lwp_connect_options fake_options(struct fake *fake)
{
    struct lwp_connect_options options = lwp_connect_defaults("home");
    options.dialect = fake->dialect;
    options.backoff.jitter_percent = 0;
    options.caller_driven = true;
    options.network = &fake->network;
    options.world = &fake->world;
    return options;
}

#endif
