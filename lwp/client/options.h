/* SPDX-License-Identifier: MIT */
/* options.h - what clients, producers and consumers have in common: where the server is and how to
 * keep the connection. */
#ifndef LWP_CLIENT_OPTIONS_H
#define LWP_CLIENT_OPTIONS_H

#include "lwp/client/connection.h"
#include "lwp/net/world.h"

/* Begin with lwp_connect_defaults(). Pointers must live until the handle is closed. */
struct lwp_connect_options {
    const char *address; /* HOST, HOST:PORT, 1.2.3.4:PORT, [::1]:PORT or [::1]; port 1992 (1). */
    const struct lwp_dialect *dialect;   /* Which of the wires to speak. lwp_dialect_lance. */
    const char *token;                   /* For Authenticate (7); NULL: none. */
    const struct lwp_security *security; /* TLS; NULL: none. Each later connection, redirects
                                              included, has it, too. */
    unsigned
        connect_timeout_ms; /* For an attempt, resolving, TLS and Authenticate included. 10 s. */
    unsigned request_timeout_ms; /* For a request, or the ack of a batch. 30 s. */
    unsigned keepalive_ms;       /* Silence before a Keepalive is sent (2.3). 10 s; 0: never. */
    unsigned dead_after_ms;      /* Silence before the server is taken for dead. 30 s; 0: never. */
    bool reconnect;              /* Make a lost connection anew. true. */
    struct lwp_backoff_options
        backoff;       /* Between attempts: 100 ms, doubling, 30 s, 10 %, no limit. */
    uint64_t seed;     /* Of the jitter, so that it can be had again; 0: another one each time. */
    unsigned max_hops; /* Redirects that are followed in a row. 5. */
    uint32_t max_payload; /* Bytes of a frame's payload, both ways. 16 MiB. */
    bool caller_driven;   /* There is no thread: whoever has the handle calls …_process() when
                           …_fd() and …_deadline() say so, or lets the blocking calls do it. */
    lwp_trace_hook trace; /* Looks on at each frame; NULL: nobody does. With its own
                                          thread it is that which calls. */
    void *trace_user;     /* Its first argument. */
    const struct lwp_network *network; /* For tests; NULL: TCP. */
    struct lwp_world *world; /* For tests, with `network` and `caller_driven`: whose time it
                                          is. NULL: the machine's. */
};

/** Everything at its default. */
struct lwp_connect_options lwp_connect_defaults(const char *address);

/** Prepares the connection: LWP_OK, or LWP_INVALID_ARGUMENT for an address that is none, and for
 * options that contradict each other. */
enum lwp_status lwp_connect_prepare(const struct lwp_connect_options *options,
                                    struct lwp_connection *connection);

/** The seed of the options, or a number that no two handles are likely to share; for jitter, not for
 * secrets. */
uint64_t lwp_connect_seed(const struct lwp_connect_options *options, const void *handle);

#endif
