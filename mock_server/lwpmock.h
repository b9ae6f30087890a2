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
    LWP_MOCK_MAX_TOKENS = 64,
    LWP_MOCK_NAME_SIZE = 64,    /* Of a node's name or a tag, in characters, with the zero. */
    LWP_MOCK_PROBLEM_SIZE = 512 /* Of what is wrong with options, with the zero. */
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
    const char *auth_token;            /* Ingests need it; NULL: as the others say. */
    struct lwp_token auth_tokens[LWP_MOCK_MAX_TOKENS]; /* The same. */
    size_t auth_token_count;
    const char *access_file;          /* Access lists, as lwp_access_read() has them; or NULL. */
    struct lwp_broker_options broker; /* Tokens, access lists, rate limit, retention, quirks. */
    uint64_t seed;                    /* Of scripts that do not give one. */
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
    uint64_t forward_ns; /* What a node takes to ask another one, there and back. */
    const char *control; /* PATH or HOST:PORT of the control socket; NULL: none. */
    const char *until;   /* Serving ends once this is reached, see lwp_mock_wait(); NULL: never. */

    size_t max_connections; /* At a time; 0: as many as there are descriptors. */
    enum lwp_mock_refusal refusal;
    size_t max_connection_memory; /* Bytes of buffers; past them it is reset. 0: 32 MiB. */
    size_t max_memory;            /* The same of all together; the largest is reset. 0: 1 GiB. */

    size_t kept_log_size;     /* Bytes of the newest events for lwp_mock_log(); 0: none is kept. */
    const char *log_file;     /* Events are written here, as JSON Lines; NULL: nowhere. */
    const char *capture_file; /* The same, as a pcapng capture. */

    char *problem; /* LWP_MOCK_PROBLEM_SIZE bytes, where lwp_mock_new() says in English what is
                      wrong with the options; NULL: nobody wants to know. */
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
 * LWP_OK; free it with lwp_mock_free(). LWP_INVALID_ARGUMENT for a place to listen that is none, for
 * two nodes of one name, and for a file that does not hold what it should; LWP_IO, with errno set, for
 * one that can not be read or written; LWP_NO_MEMORY. The options' `problem` says which.
 */
LWP_MOCK_API enum lwp_status lwp_mock_new(const struct lwp_mock_options *options,
                                          struct lwp_mock **mock);

/** The same with options as texts, a name and a value in turn and NULL at the end. What is not said is as
 * in the program, but for the events: 64 MiB of them are kept. Where it fails, `problem`, of
 * LWP_MOCK_PROBLEM_SIZE bytes, says what is wrong. */
LWP_MOCK_API enum lwp_status lwp_mock_new_from(const char *const *names_and_values,
                                               struct lwp_mock **mock, char *problem);

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

/** The name of a node, by its place from 0 on: those of the options first, then those that scripts have
 * made. Empty for the only node if nobody has named it, NULL behind the last. Until lwp_mock_free(). */
LWP_MOCK_API const char *lwp_mock_node(struct lwp_mock *mock, size_t index);

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
 *     decided         a script's `pass` or `fail`, or a frame that it says must never be seen
 *     NAME            a rule or a barrier of this name: the rule has fired, the barrier is reached
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

/**
 * Ends the server's process and starts it anew, as far as clients can see: connections are reset,
 * topics and their records stay, commits do not (docs/server.md). Scripts and nodes are left alone.
 * LWP_OK or LWP_NO_MEMORY.
 */
LWP_MOCK_API enum lwp_status lwp_mock_restart(struct lwp_mock *mock);

/*
 * The cluster, if there is one: names as cluster.h has them. LWP_OK; LWP_INVALID_ARGUMENT if there is
 * no cluster, or no such node.
 */

/** Makes the node lead the topic, or all that nobody leads by name ("*"); nobody ("none") is an election.
 * Also LWP_FULL past 128 topics. */
LWP_MOCK_API enum lwp_status lwp_mock_leader(struct lwp_mock *mock, const char *topic,
                                             const char *node);

/** Keeps the node so many bytes behind in each log; 0 lets it catch up. */
LWP_MOCK_API enum lwp_status lwp_mock_lag(struct lwp_mock *mock, const char *node, uint64_t bytes);

/** Lets the node's next `count` answers go by the leader before the last change; NULL is each node. */
LWP_MOCK_API enum lwp_status lwp_mock_stale(struct lwp_mock *mock, const char *node,
                                            uint64_t count);

/** Says whether the node is ready to lead. */
LWP_MOCK_API enum lwp_status lwp_mock_ready(struct lwp_mock *mock, const char *node, bool ready);

/* Scripts (docs/script.md). */

/**
 * Loads a script that has one scenario, or the one of this id of a script that has several, and arms it
 * behind those that are there. `name` is what its text is called where it is wrong, and by
 * lwp_mock_arm(). A node or topic of that name that is there already is taken as it is.
 *
 * LWP_OK; LWP_INVALID_PAYLOAD if anything is wrong with it, see lwp_mock_problems();
 * LWP_PAYLOAD_TOO_LARGE for more than 1 MiB; LWP_FULL past 64 scripts, or where a node or topic finds
 * no room; LWP_IO, with errno set, if a new node gets no port; LWP_NO_MEMORY. Where it fails nothing
 * has changed.
 */
LWP_MOCK_API enum lwp_status lwp_mock_script(struct lwp_mock *mock, const char *name,
                                             const char *text);
LWP_MOCK_API enum lwp_status lwp_mock_scenario(struct lwp_mock *mock, const char *name,
                                               const char *text, const char *id);

/** The same with a file, whose path is its name; `id` may be NULL. Also LWP_IO, with errno set, if it
 * can not be read. */
LWP_MOCK_API enum lwp_status lwp_mock_script_file(struct lwp_mock *mock, const char *path,
                                                  const char *id);

/** All that is wrong with the script that was loaded last, a line each; "" if nothing is. Until
 * another one is loaded, also by the control socket. */
LWP_MOCK_API const char *lwp_mock_problems(struct lwp_mock *mock);

/** Lets rules fire, or keeps them from it: the one of this name, or all of a scenario or a script. LWP_OK,
 * or LWP_INVALID_ARGUMENT if nothing has this name. */
LWP_MOCK_API enum lwp_status lwp_mock_arm(struct lwp_mock *mock, const char *name);
LWP_MOCK_API enum lwp_status lwp_mock_disarm(struct lwp_mock *mock, const char *name);

/** All rules, a line each: name, FILE:LINE, armed or disarmed, how often it matched and fired. LWP_OK with
 * `*text` for lwp_mock_free_text(); LWP_NO_MEMORY. */
LWP_MOCK_API enum lwp_status lwp_mock_list(struct lwp_mock *mock, char **text);

/** Unloads all scripts and forgets what they have seen. Answers that they held are sent; the dialect is
 * that of the options again; nodes, topics, records and connections stay as they are. */
LWP_MOCK_API void lwp_mock_reset(struct lwp_mock *mock);

/**
 * Judges the scripts by what was seen so far, as at the end, and notes that in the log: `*text` has a
 * line for each rule that never fired, for each expectation that does not hold and for each `fail`.
 * LWP_OK with `*text` for lwp_mock_free_text(); LWP_NO_MEMORY.
 */
LWP_MOCK_API enum lwp_status lwp_mock_verdict(struct lwp_mock *mock, bool *passed, char **text);

/* What happened (docs/events.md). */

/**
 * The events that are kept, JSON Lines. `*text` has `*size` bytes and a zero behind them, and is for
 * lwp_mock_free_text(); it is empty if none are to be kept. LWP_OK or LWP_NO_MEMORY.
 */
LWP_MOCK_API enum lwp_status lwp_mock_log(struct lwp_mock *mock, char **text, size_t *size);

/** What went wrong first when events were kept or written to files, with the file's name; "" if nothing
 * has. Until lwp_mock_free(). */
LWP_MOCK_API const char *lwp_mock_log_error(struct lwp_mock *mock);

/** Frees a text that one of these calls has made; NULL is fine. */
LWP_MOCK_API void lwp_mock_free_text(char *text);

#endif
