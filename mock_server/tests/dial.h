/* SPDX-License-Identifier: MIT */
/* dial.h - mocks as a whole and connections to them: what the tests of the service share. */
#ifndef LWP_MOCK_TESTS_DIAL_H
#define LWP_MOCK_TESTS_DIAL_H

#include <poll.h>

#include "lwp/net/clock.h"
#include "lwp/tests/support.h"
#include "mock_server/mock.h"

enum { DIAL_PIPE_ROOM = 65536 };

/* What a test waits for anything at most. */
#define PATIENCE_NS (20 * LWP_SECOND_NS)

/** A mock; of the dialect `lance` if the options name none. */
static inline struct lwp_mock *mock_of(struct lwp_mock_options options)
{
    struct lwp_mock *mock = NULL;
    if (!options.dialect)
        options.dialect = &lwp_dialect_lance;
    assert_int_equal(lwp_mock_new(&options, &mock), LWP_OK);
    return mock;
}

/** The same, in its thread. */
static inline struct lwp_mock *started(struct lwp_mock_options options)
{
    struct lwp_mock *mock = mock_of(options);
    assert_int_equal(lwp_mock_start(mock), LWP_OK);
    return mock;
}

/** Connects over TCP, with patience. */
static inline enum lwp_status try_dial(const char *to, struct lwp_transport **transport)
{
    struct lwp_address address;
    int error = 0;
    assert_int_equal(lwp_address_parse(to, &address), LWP_OK);
    return lwp_tcp_connect(&address, lwp_clock_now() + PATIENCE_NS, transport, &error);
}

/** The same, which must work. */
static inline struct lwp_transport *dial(const char *to)
{
    struct lwp_transport *transport = NULL;
    assert_int_equal(try_dial(to, &transport), LWP_OK);
    return transport;
}

/** A connection to a mock that is stepped. */
static inline struct lwp_transport *dial_pipe(struct lwp_mock *mock, uint64_t now_ns)
{
    struct lwp_transport *ends[2];
    assert_int_equal(lwp_pipe_new(DIAL_PIPE_ROOM, ends), LWP_OK);
    assert_int_equal(lwp_mock_accept(mock, ends[1], now_ns), LWP_OK);
    return ends[0];
}

/** Reads at least `wanted` bytes behind what is there; the status that ended it, LWP_OK if they came. */
static inline enum lwp_status hear(struct lwp_transport *transport, uint8_t *out, size_t wanted)
{
    size_t size = 0;
    while (size < wanted) {
        size_t count = 0;
        struct pollfd ready = {.fd = lwp_transport_fd(transport), .events = POLLIN};
        assert_int_equal(poll(&ready, 1, (int)(PATIENCE_NS / LWP_MILLISECOND_NS)), 1);
        const enum lwp_status status =
            lwp_transport_read(transport, out + size, wanted - size, &count);
        if (status != LWP_OK && status != LWP_WOULD_BLOCK)
            return status;
        size += status == LWP_OK ? count : 0;
    }
    return LWP_OK;
}

/** Asks for a sign of life. */
static inline void say_keepalive(struct lwp_transport *transport, const struct lwp_dialect *dialect)
{
    uint8_t wire[LWP_HEADER_SIZE];
    struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
    struct lwp_frame frame = frame_of(LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0));
    size_t count = 0;
    lwp_frame_seal(&frame, dialect->polynomial, 0);
    assert_int_equal(lwp_frame_encode(&frame, &out), LWP_OK);
    assert_int_equal(lwp_transport_write(transport, lwp_writer_bytes(&out), &count), LWP_OK);
    assert_int_equal(count, sizeof(wire));
}

/** Asks for a sign of life in `lance`, over TCP, and waits for it. */
static inline void must_be_alive(struct lwp_transport *transport)
{
    uint8_t answer[LWP_HEADER_SIZE];
    say_keepalive(transport, &lwp_dialect_lance);
    assert_int_equal(hear(transport, answer, sizeof(answer)), LWP_OK);
    assert_int_equal(answer[5], LWP_FLAG_KEEPALIVE);
}

/** Steps the mock until nothing happens any more. */
static inline void settle(struct lwp_mock *mock, uint64_t now_ns)
{
    for (int rounds = 0; lwp_mock_step(mock, now_ns); rounds++)
        assert_true(rounds < 10000);
}

#endif
