/* SPDX-License-Identifier: MIT */
/*
 * lwpmock.h - a Lance server in your process, to test clients against.
 *
 * Either it has a thread of its own and listens on ports:
 *
 *     struct lwp_mock_options options = {.dialect = &lwp_dialect_lance};
 *     struct lwp_mock *mock;
 *     if (lwp_mock_new(&options, &mock) == LWP_OK && lwp_mock_start(mock) == LWP_OK)
 *         test_my_client(lwp_mock_address(mock, NULL));
 *     lwp_mock_free(mock);
 *
 * or you step it: hand it one end of a pipe (lwp_mock_accept()), and call lwp_mock_step() with the
 * time that it is to be. Then nothing runs behind your back, and 30 s of silence take no time.
 *
 * While it serves, that is between lwp_mock_start() and lwp_mock_stop(), all calls but
 * lwp_mock_free() may come from any thread; otherwise only one thread may use it at a time. A call
 * that the present mode does not have does nothing and returns LWP_INVALID_ARGUMENT.
 */
#ifndef LWP_MOCK_LWPMOCK_H
#define LWP_MOCK_LWPMOCK_H

#include "lwp/net/transport.h"
#include "lwp/wire/dialect.h"
#include "mock_server/broker_options.h"

/* What the library's shared form lets be called from outside. */
#define LWP_MOCK_API __attribute__((visibility("default")))

enum {
    LWP_MOCK_MAX_NODES = 64,
    LWP_MOCK_NAME_SIZE = 64 /* Of a node's name or a tag, in characters, with the zero. */
};

/* What a connection past max_connections sees. */
enum lwp_mock_refusal {
    LWP_MOCK_REFUSE_BY_DIALECT, /* The error in `spec`, else the reset. */
    LWP_MOCK_REFUSE_ERROR,      /* ConnectionLimit, code 32 (12.2), then FIN. */
    LWP_MOCK_REFUSE_CLOSE,      /* FIN */
    LWP_MOCK_REFUSE_RESET       /* RST */
};

struct lwp_mock_options {
    const struct lwp_dialect *dialect; /* Whom it imitates; NULL: each connection shows it by its
                                      first header, CRC-32C for `spec`, else `lance`. */
    uint32_t max_payload;              /* Bytes of a frame's payload; 0: 16 MiB. */
    const char *auth_token;            /* Ingests need it; NULL: as `broker` says. */
    struct lwp_broker_options broker;  /* Tokens, access lists, rate limit, retention, quirks. */
    uint64_t seed;                     /* Of scripts that do not give one. */
    uint64_t ack_delay_ns; /* What an ack waits; the deployed server takes 5 ms and more. */
    uint64_t epoch_ns;     /* The wall time, since the Unix epoch, when the clock is 0. */

    const char
        *tls_certificate; /* A PEM file, and what leads to its authority: TLS only. NULL: none. */
    const char *tls_key;  /* Its key; NULL: in the same file. */
    const char *tls_client_ca; /* Clients need a certificate of this authority (mTLS); NULL: not. */
    int tls_min;               /* 12 or 13, the least version; 0: 1.2. */

    const char *listen; /* HOST[:PORT] of the only node; NULL: a free port of 127.0.0.1. */
    const char *nodes[LWP_MOCK_MAX_NODES]; /* Or several nodes, NAME=HOST[:PORT] each. */
    size_t node_count;
    const char *control; /* PATH or HOST:PORT of the control socket; NULL: none. */
    const char *until;   /* Serving ends once this is reached, see lwp_mock_wait(); NULL: never. */

    size_t max_connections; /* At a time; 0: as many as there are descriptors. */
    enum lwp_mock_refusal refusal;
    size_t max_connection_memory; /* Bytes of buffers; past them it is reset. 0: 32 MiB. */
    size_t max_memory;            /* The same of all together; the largest is reset. 0: 1 GiB. */
};

/**
 * Sets one option by the name that `lwp-mock --help` has for it, without its dashes, for example
 * "auth-token". The value must live as long as the mock; it is not looked at where the option takes
 * none. NULL, or what is wrong: a static text.
 */
LWP_MOCK_API const char *lwp_mock_option(struct lwp_mock_options *options, const char *name,
                                         const char *value);

/** What a status means, in English; never NULL, static. */
LWP_MOCK_API const char *lwp_mock_status_text(enum lwp_status status);

struct lwp_mock;

/**
 * A server without topics and connections. What the options point to must outlive it.
 *
 * LWP_OK; free it with lwp_mock_free(). LWP_INVALID_ARGUMENT for a place to listen that is none, and
 * for two nodes of one name. LWP_NO_MEMORY.
 */
LWP_MOCK_API enum lwp_status lwp_mock_new(const struct lwp_mock_options *options,
                                          struct lwp_mock **mock);

/** The same with options as texts, a name and a value in turn and NULL at the end. If one of them is
 * wrong, LWP_INVALID_ARGUMENT and `*problem` is the static text that says so, else NULL. */
LWP_MOCK_API enum lwp_status lwp_mock_new_from(const char *const *names_and_values,
                                               struct lwp_mock **mock, const char **problem);

/** Stops it, ends all connections and frees the server; NULL is fine. */
LWP_MOCK_API void lwp_mock_free(struct lwp_mock *mock);

/* With a thread of its own. */

/** Opens the ports of all nodes that are up and serves them in a thread until lwp_mock_stop(). LWP_OK;
 * LWP_UNRESOLVED or LWP_IO, with errno set; LWP_NO_MEMORY; LWP_INVALID_ARGUMENT if it serves. */
LWP_MOCK_API enum lwp_status lwp_mock_start(struct lwp_mock *mock);

/** What could not be had when lwp_mock_start() failed, for people: "HOST port PORT", or the path of
 * the control socket; "" if it was nothing of the kind. Until the next start. */
LWP_MOCK_API const char *lwp_mock_failed(struct lwp_mock *mock);

/** Ends the connections, closes the ports and waits for the thread. Topics stay; another start
 * takes the same ports. LWP_OK, or what ended the service before: LWP_IO, LWP_NO_MEMORY.
 * LWP_INVALID_ARGUMENT if it does not serve. */
LWP_MOCK_API enum lwp_status lwp_mock_stop(struct lwp_mock *mock);

/** The numeric HOST:PORT of the node; NULL is the first one. Until lwp_mock_free(). NULL if there
 * is no such node or it has no port yet. */
LWP_MOCK_API const char *lwp_mock_address(struct lwp_mock *mock, const char *node);

/** Where the control socket is: its path, or the numeric HOST:PORT. Until the mock is stopped; NULL
 * if there is none. */
LWP_MOCK_API const char *lwp_mock_control_address(struct lwp_mock *mock);

/**
 * Waits until something has happened:
 *
 *     connections N   so many connections were accepted
 *     idle            there were connections, and none is left
 *
 * LWP_OK; LWP_TIMEOUT after `timeout_ns` on the machine's clock; LWP_CLOSED if the service ends before;
 * LWP_INVALID_ARGUMENT for anything else, and if it does not serve.
 */
LWP_MOCK_API enum lwp_status lwp_mock_wait(struct lwp_mock *mock, const char *what,
                                           uint64_t timeout_ns);

/** The same question without the wait, in both modes: LWP_OK, LWP_WOULD_BLOCK for not yet, or
 * LWP_INVALID_ARGUMENT. */
LWP_MOCK_API enum lwp_status lwp_mock_reached(struct lwp_mock *mock, const char *what);

/* Stepped by the caller. */

/**
 * Takes over a connection to the first node, or to the one of this name.
 *
 * LWP_OK, also for a connection past the limit, which is told so. Else the transport is freed:
 * LWP_REFUSED if the node is down; LWP_INVALID_ARGUMENT if there is no such node, and for a transport without
 * a descriptor while it serves; LWP_NO_MEMORY.
 */
LWP_MOCK_API enum lwp_status lwp_mock_accept(struct lwp_mock *mock, struct lwp_transport *transport,
                                             uint64_t now_ns);
LWP_MOCK_API enum lwp_status lwp_mock_accept_on(struct lwp_mock *mock, const char *node,
                                                struct lwp_transport *transport, uint64_t now_ns);

/**
 * Lets all connections read, answer and write as far as they can without waiting, and forgets those
 * that have ended. Returns whether anything happened; if so, step again before waiting. While it
 * serves, false.
 */
LWP_MOCK_API bool lwp_mock_step(struct lwp_mock *mock, uint64_t now_ns);

/** When, on the caller's clock, lwp_mock_step() has something to do although nothing arrives (a
 * delayed ack), or LWP_NEVER. */
LWP_MOCK_API uint64_t lwp_mock_deadline(struct lwp_mock *mock);

/* In both modes. */

/** How many connections there are. */
LWP_MOCK_API size_t lwp_mock_connection_count(struct lwp_mock *mock);

/* What has happened since lwp_mock_new(). */
struct lwp_mock_counts {
    uint64_t accepted;    /* Connections; also the number of the newest one. */
    uint64_t refused;     /* Connections past max_connections. */
    uint64_t over_memory; /* Connections that were reset because of their memory. */
};

LWP_MOCK_API struct lwp_mock_counts lwp_mock_counts(struct lwp_mock *mock);

/**
 * Takes a node down, which ends its connections with a reset and refuses new ones, or up again, on
 * the same port.
 *
 * LWP_OK, also if it is so already; LWP_INVALID_ARGUMENT if there is no such node; up also LWP_IO,
 * with errno set.
 */
LWP_MOCK_API enum lwp_status lwp_mock_down(struct lwp_mock *mock, const char *node);
LWP_MOCK_API enum lwp_status lwp_mock_up(struct lwp_mock *mock, const char *node);

/** Moves the mock's clock, on which all its timers are, forward at once; holds it; or lets it go on
 * from where it stands. */
LWP_MOCK_API void lwp_mock_advance(struct lwp_mock *mock, uint64_t duration_ns);
LWP_MOCK_API void lwp_mock_freeze(struct lwp_mock *mock);
LWP_MOCK_API void lwp_mock_thaw(struct lwp_mock *mock);

/**
 * Labels a connection, so that rules and logs can tell it from others:
 *
 *     next       the next one that is accepted
 *     port N     the one from this TCP port, now or when it comes
 *     N          the one of this number, counted from 1 as they are accepted
 *
 * A label is 1 to 63 letters, digits, _, - and ., and not a number. LWP_OK; LWP_INVALID_ARGUMENT for any
 * other label or connection; LWP_FULL if 64 labels wait for their connections already.
 */
LWP_MOCK_API enum lwp_status lwp_mock_tag(struct lwp_mock *mock, const char *connection,
                                          const char *label);

#endif
