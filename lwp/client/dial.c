/* SPDX-License-Identifier: MIT */
#include "lwp/client/dial.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lwp/client/resolver.h"

enum lwp_status lwp_dial_step(struct lwp_dial *dial, uint64_t now_ns,
                              struct lwp_transport **transport)
{
    return dial->ops->step(dial, now_ns, transport);
}

void lwp_dial_wait(const struct lwp_dial *dial, int *fd, short *events)
{
    dial->ops->wait(dial, fd, events);
}

uint64_t lwp_dial_deadline(const struct lwp_dial *dial)
{
    return dial->ops->deadline(dial);
}

void lwp_dial_free(struct lwp_dial *dial)
{
    if (dial)
        dial->ops->free(dial);
}

struct tcp_dial {
    struct lwp_dial dial; /* First, so that one is the other. */
    struct lwp_resolver *resolver;
    const struct addrinfo *to; /* The address that is tried, or the next one. */
    bool resolved;
    int fd;               /* -1 between addresses. */
    uint64_t deadline_ns; /* Of the whole. */
    uint64_t slice_ns;    /* When to go on to the next address. */
    int error;            /* The errno of the last address. */
};

static struct tcp_dial *tcp_of(struct lwp_dial *dial)
{
    return (struct tcp_dial *)(void *)dial;
}

static void hang_up(struct tcp_dial *dial)
{
    if (dial->fd >= 0)
        (void)close(dial->fd);
    dial->fd = -1;
}

static enum lwp_status why(int error)
{
    errno = error;
    if (error == ECONNREFUSED)
        return LWP_REFUSED;
    if (error == ECONNRESET || error == ECONNABORTED)
        return LWP_RESET;
    return error == ETIMEDOUT ? LWP_TIMEOUT : LWP_IO;
}

/* Each address gets its share of the time that is left, so that one that swallows everything does
 * not keep us from the others. */
static uint64_t share(const struct tcp_dial *dial, uint64_t now_ns)
{
    uint64_t count = 0;
    for (const struct addrinfo *to = dial->to; to; to = to->ai_next)
        count++;
    return now_ns < dial->deadline_ns ? now_ns + (dial->deadline_ns - now_ns) / count : now_ns;
}

/* Begins with the address at `to`; 0 if it is on its way, else the errno. */
static int begin(struct tcp_dial *dial, uint64_t now_ns)
{
    const struct addrinfo *to = dial->to;
    dial->fd =
        socket(to->ai_family, to->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, to->ai_protocol);
    if (dial->fd < 0)
        return errno;
    dial->slice_ns = share(dial, now_ns);
    const int failed = connect(dial->fd, to->ai_addr, to->ai_addrlen);
    return failed && errno != EINPROGRESS ? errno : 0;
}

/* LWP_OK once it is connected, LWP_WOULD_BLOCK, or LWP_IO with `error` set. */
static enum lwp_status look(struct tcp_dial *dial, uint64_t now_ns)
{
    struct pollfd poll_fd = {.fd = dial->fd, .events = POLLOUT};
    int error = 0;
    socklen_t size = sizeof(error);
    if (poll(&poll_fd, 1, 0) > 0) {
        (void)getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        dial->error = error;
        return error ? LWP_IO : LWP_OK;
    }
    dial->error = ETIMEDOUT;
    return now_ns < dial->slice_ns ? LWP_WOULD_BLOCK : LWP_IO;
}

static enum lwp_status try_addresses(struct tcp_dial *dial, uint64_t now_ns,
                                     struct lwp_transport **transport)
{
    while (dial->to) {
        enum lwp_status status = LWP_OK;
        if (dial->fd < 0) {
            dial->error = begin(dial, now_ns);
            status = dial->error ? LWP_IO : LWP_OK;
        }
        if (status == LWP_OK)
            status = look(dial, now_ns);
        if (status == LWP_WOULD_BLOCK)
            return status;
        if (status == LWP_OK) {
            const int fd = dial->fd;
            dial->fd = -1;
            return lwp_tcp_adopt(fd, transport);
        }
        hang_up(dial);
        dial->to = dial->to->ai_next;
    }
    return why(dial->error);
}

static enum lwp_status tcp_step(struct lwp_dial *dial, uint64_t now_ns,
                                struct lwp_transport **transport)
{
    struct tcp_dial *tcp = tcp_of(dial);
    if (!tcp->resolved) {
        const enum lwp_status status = lwp_resolver_step(tcp->resolver, &tcp->to);
        if (status != LWP_OK)
            return status == LWP_WOULD_BLOCK && now_ns >= tcp->deadline_ns ? LWP_TIMEOUT : status;
        tcp->resolved = true;
    }
    return try_addresses(tcp, now_ns, transport);
}

static void tcp_wait(const struct lwp_dial *dial, int *fd, short *events)
{
    const struct tcp_dial *tcp = (const struct tcp_dial *)(const void *)dial;
    *fd = tcp->resolved ? tcp->fd : lwp_resolver_fd(tcp->resolver);
    *events = tcp->resolved ? POLLOUT : POLLIN;
}

static uint64_t tcp_deadline(const struct lwp_dial *dial)
{
    const struct tcp_dial *tcp = (const struct tcp_dial *)(const void *)dial;
    return tcp->resolved ? tcp->slice_ns : tcp->deadline_ns;
}

static void tcp_free(struct lwp_dial *dial)
{
    hang_up(tcp_of(dial));
    lwp_resolver_free(tcp_of(dial)->resolver);
    free(dial);
}

static enum lwp_status tcp_dial(void *user, const struct lwp_address *address, uint64_t now_ns,
                                uint64_t deadline_ns, struct lwp_dial **dial)
{
    static const struct lwp_dial_ops ops = {tcp_step, tcp_wait, tcp_deadline, tcp_free};
    (void)user;
    (void)now_ns;
    struct tcp_dial *result = malloc(sizeof(*result));
    if (!result)
        return LWP_NO_MEMORY;
    *result = (struct tcp_dial){.dial = {&ops}, .fd = -1, .deadline_ns = deadline_ns};
    const enum lwp_status status = lwp_resolver_new(address, &result->resolver);
    if (status != LWP_OK) {
        free(result);
        return status;
    }
    *dial = &result->dial;
    return LWP_OK;
}

const struct lwp_network lwp_network_tcp = {tcp_dial, NULL};
