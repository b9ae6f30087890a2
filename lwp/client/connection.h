/* SPDX-License-Identifier: MIT */
/* connection.h - a client's connection: the life, the dial, the link and the way to be secure, kept
 * going by whoever owns it. Nothing here blocks. */
#ifndef LWP_CLIENT_CONNECTION_H
#define LWP_CLIENT_CONNECTION_H

#include "lwp/client/dial.h"
#include "lwp/client/life.h"
#include "lwp/client/request.h"
#include "lwp/net/link.h"

/* How connections are made secure: the functions of lwp/net/tls.h, or none. */
struct lwp_security {
    /** Takes over `inner`; LWP_OK with `*outer` the caller's, or why not, with `inner` freed. */
    enum lwp_status (*wrap)(const void *context, struct lwp_transport *inner, const char *host,
                            struct lwp_transport **outer);
    /** LWP_OK once hands are shaken, LWP_WOULD_BLOCK, or how it failed. */
    enum lwp_status (*handshake)(struct lwp_transport *outer);
    /** What a poll loop waits for where it would wait for `events`. */
    short (*events)(const struct lwp_transport *outer, short events);
    /** Whether a read has something to give although nothing may come. */
    bool (*is_ready)(const struct lwp_transport *outer);
    /** Why it failed, in English. */
    const char *(*reason)(const struct lwp_transport *outer);
    const void *context;
};

enum lwp_trace_direction { LWP_TRACE_SENT, LWP_TRACE_RECEIVED };

/**
 * Looks on at each frame as it is queued or has come. The frame and its payload live only during the
 * call, which must not call the library's handle. Keepalives that go out by themselves are not
 * told.
 */
typedef void (*lwp_trace_hook)(void *user, enum lwp_trace_direction direction,
                               const struct lwp_frame *frame);

struct lwp_connection_options {
    const struct lwp_dialect *dialect;
    const char *token;     /* For Authenticate; NULL: none. */
    uint64_t keepalive_ns; /* As for a session. */
    uint64_t dead_after_ns;
    uint32_t max_payload;              /* Bytes of a frame's payload, both ways. */
    struct lwp_life_options life;      /* `secure` and `authenticate` follow from the two others. */
    const struct lwp_network *network; /* NULL: TCP. */
    const struct lwp_security *security; /* NULL: plain. */
    lwp_trace_hook trace;                /* NULL: nobody looks on. */
    void *trace_user;
};

enum lwp_connection_event {
    LWP_CONNECTION_SAME, /* Nothing has changed. */
    LWP_CONNECTION_UP,   /* Frames may be sent and received. */
    LWP_CONNECTION_DOWN  /* No longer; `life.why` tells why. */
};

enum { LWP_CONNECTION_LENT = 16, LWP_CONNECTION_PARTS = 2 * LWP_CONNECTION_LENT };

struct lwp_connection {
    struct lwp_connection_options options;
    struct lwp_life life;
    uint64_t attempt;      /* Of the life, to which dial and link belong. */
    struct lwp_dial *dial; /* NULL if none is under way. */
    struct lwp_link link;  /* Its transport is NULL if there is none. */
    struct lwp_request authentication;
    bool is_up;          /* What the owner was told last. */
    uint64_t up_attempt; /* The attempt that it was told to be up. */
    bool write_failed;
    uint8_t lent_heads[LWP_CONNECTION_LENT][LWP_HEADER_SIZE]; /* Of frames to be written, and */
    struct lwp_bytes lent[LWP_CONNECTION_PARTS];              /* views of these and of payloads. */
    size_t lent_count;
    size_t lent_size;
};

/** Prepares a connection to `home`; the options' pointers must outlive it. Nothing happens before
 * lwp_connection_process(). */
void lwp_connection_init(struct lwp_connection *connection,
                         const struct lwp_connection_options *options,
                         const struct lwp_address *home, uint64_t seed);

/** Closes and frees what it has. */
void lwp_connection_done(struct lwp_connection *connection);

/** Does what can be done without waiting: dials, shakes hands, authenticates, reads, lets time pass.
 */
void lwp_connection_process(struct lwp_connection *connection, uint64_t now_ns);

/** What has changed since the last call: call it until it is LWP_CONNECTION_SAME. */
enum lwp_connection_event lwp_connection_event(struct lwp_connection *connection);

/** The next frame that came; LWP_MORE if there is none, and always if the connection is not ready.
 * The payload lives until the next call of a function of the connection. */
enum lwp_status lwp_connection_receive(struct lwp_connection *connection, struct lwp_frame *frame,
                                       uint64_t now_ns);

/** Whether a whole frame waits for lwp_connection_receive(). */
bool lwp_connection_has_frame(const struct lwp_connection *connection);

/** Whether frames may be queued: it is ready, and not too much waits already. */
bool lwp_connection_may_send(const struct lwp_connection *connection);

/** Seals and queues a frame: LWP_OK, LWP_FULL or LWP_NO_MEMORY. */
enum lwp_status lwp_connection_send(struct lwp_connection *connection,
                                    const struct lwp_frame *frame, uint64_t now_ns);

/** The same without a copy of a large payload, which must live until the next lwp_connection_write()
 * returns. */
enum lwp_status lwp_connection_lend(struct lwp_connection *connection,
                                    const struct lwp_frame *frame, uint64_t now_ns);

/** Seals and queues a control frame with this message, as lwp_connection_send();
 * LWP_INVALID_ARGUMENT if it has no such form. */
enum lwp_status lwp_connection_ask(struct lwp_connection *connection,
                                   const struct lwp_message *message, uint64_t now_ns);

/** Writes what is queued or lent as far as that is possible now: several frames with one call. */
void lwp_connection_write(struct lwp_connection *connection);

/** Whether something waits that the peer has to read something else for. */
bool lwp_connection_is_blocked(const struct lwp_connection *connection);

/** Drops the connection because of something its owner found; as lwp_life_fail(). */
void lwp_connection_drop(struct lwp_connection *connection, const struct lwp_details *why,
                         uint64_t now_ns);

/** Drops it for the leader; as lwp_life_redirect(). */
bool lwp_connection_redirect(struct lwp_connection *connection, const struct lwp_details *why,
                             uint64_t now_ns);

/** Ends it for good, in order: what is queued is still offered to the socket. */
void lwp_connection_end(struct lwp_connection *connection, enum lwp_status status);

/** What to wait for at which descriptor, as for poll(); -1 if there is none. */
void lwp_connection_wait(const struct lwp_connection *connection, int *fd, short *events);

/** When lwp_connection_process() has something to do although nothing happens, or LWP_NEVER. */
uint64_t lwp_connection_deadline(const struct lwp_connection *connection);

#endif
