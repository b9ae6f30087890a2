/* SPDX-License-Identifier: MIT */
/* mock.h - a Lance server to test clients and suites against: the same engine in a process of its
 * own (lwp-mock), or inside yours on pipes and a clock that you move. */
#ifndef LWP_MOCK_MOCK_H
#define LWP_MOCK_MOCK_H

#include "lwp/net/world.h"
#include "lwp/wire/dialect.h"
#include "mock_server/broker_options.h"

struct lwp_mock_options {
    const struct lwp_dialect *dialect; /* Whom it imitates; NULL: each connection shows it by its
                                      first header, CRC-32C for `spec`, else `lance`. */
    uint32_t max_payload;              /* Bytes of a frame's payload; 0: 16 MiB. */
    const char *auth_token;            /* Ingests need it; NULL: none do. */
    uint64_t ack_delay_ns; /* What an ack waits; the deployed server takes 5 ms and more. */
    uint64_t epoch_ns;     /* The wall time, since the Unix epoch, when the clock is 0. */
    struct lwp_broker_options broker; /* All else; the two options above count before it. */
};

struct lwp_mock;

/** A server without topics and connections. What the options point to must outlive it. LWP_OK
 * or LWP_NO_MEMORY; free it with lwp_mock_free(). */
enum lwp_status lwp_mock_new(const struct lwp_mock_options *options, struct lwp_mock **mock);

/** Ends all connections and frees the server; NULL is fine. */
void lwp_mock_free(struct lwp_mock *mock);

/** Takes over a connection. LWP_OK, or LWP_NO_MEMORY with the transport freed. */
enum lwp_status lwp_mock_accept(struct lwp_mock *mock, struct lwp_transport *transport,
                                uint64_t now_ns);

/**
 * Lets all connections read, answer and write as far as they can without waiting, and forgets those
 * that have ended. Returns whether anything happened; if so, step again before waiting.
 */
bool lwp_mock_step(struct lwp_mock *mock, uint64_t now_ns);

/** When lwp_mock_step() has something to do although nothing arrives (a delayed ack), or LWP_NEVER.
 */
uint64_t lwp_mock_deadline(const struct lwp_mock *mock);

/** How many connections there are. */
size_t lwp_mock_connection_count(const struct lwp_mock *mock);

/**
 * Serves TCP connections until `stop_fd` becomes readable, then ends them.
 *
 * LWP_OK after a stop; LWP_IO (errno set) if waiting failed; LWP_NO_MEMORY.
 */
enum lwp_status lwp_mock_serve(struct lwp_mock *mock, int listener, int stop_fd);

/* A world whose server is a mock in the same process and whose clock moves only while somebody
 * waits: 30 s of silence take no time. */
struct lwp_mock_world {
    struct lwp_world world; /* First, so that one is the other. */
    struct lwp_mock *mock;
    uint64_t now_ns;
};

/** Makes the world around a mock, which stays the caller's. */
void lwp_mock_world_init(struct lwp_mock_world *world, struct lwp_mock *mock);

#endif
