/* SPDX-License-Identifier: MIT */
/* net_support.h - what the tests of transports share: patience, pairs of ends, listeners. */
#ifndef LWP_TESTS_NET_SUPPORT_H
#define LWP_TESTS_NET_SUPPORT_H

#include "lwp/tests/support.h"

#include <poll.h>

#include "lwp/net/clock.h"
#include "lwp/net/transport.h"

enum { PATIENCE_MS = 10000 };

/** What a transport does next, patiently where it is a socket. */
static inline enum lwp_status read_next(struct lwp_transport *transport, uint8_t *out, size_t size,
                                        size_t *count)
{
    for (;;) {
        struct pollfd ready = {.fd = lwp_transport_fd(transport), .events = POLLIN};
        const enum lwp_status status = lwp_transport_read(transport, out, size, count);
        if (status != LWP_WOULD_BLOCK || ready.fd < 0)
            return status;
        assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
    }
}

/* Two ends of a connection: a pipe or TCP. */
struct pair {
    struct lwp_transport *ends[2];
};

static inline void pair_free(struct pair *pair)
{
    lwp_transport_free(pair->ends[0]);
    lwp_transport_free(pair->ends[1]);
}

/* A listener on a free port; -1 if the kernel has no such addresses. */
static inline int listen_on(const char *host, struct lwp_address *address)
{
    char bound[LWP_ADDRESS_SIZE];
    int fd = -1;
    assert_int_equal(lwp_address_parse(host, address), LWP_OK);
    if (lwp_tcp_listen(address, &fd, bound) != LWP_OK)
        return -1;
    assert_int_equal(lwp_address_parse(bound, address), LWP_OK);
    assert_string_not_equal(address->port, "0");
    return fd;
}

static inline struct lwp_transport *accepted(int listener)
{
    struct pollfd ready = {.fd = listener, .events = POLLIN};
    struct lwp_transport *transport = NULL;
    assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
    assert_int_equal(lwp_tcp_accept(listener, &transport), LWP_OK);
    return transport;
}

static inline struct pair connected(int listener, const struct lwp_address *address)
{
    struct pair pair;
    int error = 0;
    assert_int_equal(lwp_tcp_connect(address, lwp_clock_now() + PATIENCE_MS * LWP_MILLISECOND_NS,
                                     &pair.ends[0], &error),
                     LWP_OK);
    pair.ends[1] = accepted(listener);
    return pair;
}

static inline struct pair tcp_over(const char *host)
{
    struct lwp_address address;
    const int listener = listen_on(host, &address);
    if (listener < 0)
        skip();
    const struct pair pair = connected(listener, &address);
    close(listener);
    return pair;
}

#endif
