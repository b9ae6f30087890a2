/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lwp/net/clock.h"
#include "lwp/net/transport.h"

#define DEFAULT_PORT "1992"

enum { BACKLOG = 1024 };

struct tcp {
    struct lwp_transport transport; /* First, so that one is the other. */
    int fd;
};

static struct tcp *tcp_of(struct lwp_transport *transport)
{
    return (struct tcp *)(void *)transport;
}

static enum lwp_status status_of_errno(struct lwp_transport *transport)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return LWP_WOULD_BLOCK;
    transport->error = errno;
    return errno == ECONNRESET || errno == EPIPE ? LWP_RESET : LWP_IO;
}

static enum lwp_status tcp_read(struct lwp_transport *transport, uint8_t *out, size_t size,
                                size_t *count)
{
    const ssize_t got = recv(tcp_of(transport)->fd, out, size, 0);
    if (got < 0)
        return status_of_errno(transport);
    *count = (size_t)got;
    return got ? LWP_OK : LWP_CLOSED;
}

static enum lwp_status tcp_write(struct lwp_transport *transport, struct lwp_bytes bytes,
                                 size_t *count)
{
    const ssize_t put = send(tcp_of(transport)->fd, bytes.data, bytes.size, MSG_NOSIGNAL);
    if (put < 0)
        return status_of_errno(transport);
    *count = (size_t)put;
    return LWP_OK;
}

/* The system's views are not const, though it only reads. */
static struct iovec vector_of(struct lwp_bytes bytes)
{
    const union {
        const uint8_t *given;
        void *wanted;
    } at = {bytes.data};
    return (struct iovec){at.wanted, bytes.size};
}

static enum lwp_status tcp_gather(struct lwp_transport *transport, const struct lwp_bytes *parts,
                                  size_t part_count, size_t *count)
{
    struct iovec vectors[LWP_GATHER_MOST];
    for (size_t i = 0; i < part_count; i++)
        vectors[i] = vector_of(parts[i]);
    const struct msghdr message = {.msg_iov = vectors, .msg_iovlen = part_count};
    const ssize_t put = sendmsg(tcp_of(transport)->fd, &message, MSG_NOSIGNAL);
    if (put < 0)
        return status_of_errno(transport);
    *count = (size_t)put;
    return LWP_OK;
}

static void tcp_close(struct lwp_transport *transport, enum lwp_close how)
{
    struct tcp *tcp = tcp_of(transport);
    if (tcp->fd < 0)
        return;
    if (how == LWP_CLOSE_HALF) {
        (void)shutdown(tcp->fd, SHUT_WR);
        return;
    }
    if (how == LWP_CLOSE_RST) {
        const struct linger now = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(tcp->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
    (void)close(tcp->fd);
    tcp->fd = -1;
}

static int tcp_fd(const struct lwp_transport *transport)
{
    return ((const struct tcp *)(const void *)transport)->fd;
}

static void tcp_free(struct lwp_transport *transport)
{
    tcp_close(transport, LWP_CLOSE_FIN);
    free(transport);
}

static const struct lwp_transport_ops tcp_ops = {tcp_read, tcp_write, tcp_close,
                                                 tcp_fd,   tcp_free,  tcp_gather};

enum lwp_status lwp_tcp_adopt(int fd, struct lwp_transport **transport)
{
    const int on = 1;
    struct tcp *tcp = malloc(sizeof(*tcp));
    if (!tcp) {
        (void)close(fd);
        return LWP_NO_MEMORY;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    *tcp = (struct tcp){{&tcp_ops, 0}, fd};
    *transport = &tcp->transport;
    return LWP_OK;
}

/* Copies `size` characters; false if they are none or too many. */
static bool copy_part(char *out, size_t capacity, const char *from, size_t size)
{
    if (size == 0 || size >= capacity)
        return false;
    memcpy(out, from, size);
    out[size] = '\0';
    return true;
}

static bool is_port(const char *text)
{
    const size_t size = strspn(text, "0123456789");
    return size > 0 && size <= 5 && text[size] == '\0' && strtoul(text, NULL, 10) <= UINT16_MAX;
}

enum lwp_status lwp_address_parse(const char *text, struct lwp_address *address)
{
    struct lwp_address result = {"", DEFAULT_PORT};
    const bool bracketed = text[0] == '[';
    const char *host = text + bracketed;
    const char *end = host + strcspn(host, bracketed ? "]" : ":");
    if (bracketed && *end == '\0')
        return LWP_INVALID_ARGUMENT;
    const char *port = end + bracketed;
    if (!copy_part(result.host, sizeof(result.host), host, (size_t)(end - host)))
        return LWP_INVALID_ARGUMENT;
    if (*port) {
        if (*port != ':' || !is_port(port + 1))
            return LWP_INVALID_ARGUMENT;
        (void)copy_part(result.port, sizeof(result.port), port + 1, strlen(port + 1));
    }
    *address = result;
    return LWP_OK;
}

static enum lwp_status resolve(const struct lwp_address *address, int flags,
                               struct addrinfo **found)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    return getaddrinfo(address->host, address->port, &hints, found) ? LWP_UNRESOLVED : LWP_OK;
}

static enum lwp_status status_of_connect(int error)
{
    if (error == ECONNREFUSED)
        return LWP_REFUSED;
    return error == ETIMEDOUT ? LWP_TIMEOUT : LWP_IO;
}

/* Waits for a connect under way. Returns 0 or the errno. */
static int finish_connect(int fd, uint64_t deadline_ns)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    for (;;) {
        const int ready = poll(&poll_fd, 1, lwp_clock_poll_ms(lwp_clock_now(), deadline_ns));
        if (ready > 0)
            break;
        if (ready == 0 && lwp_clock_now() >= deadline_ns)
            return ETIMEDOUT;
        if (ready < 0 && errno != EINTR)
            return errno;
    }
    int error = 0;
    socklen_t size = sizeof(error);
    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
}

/* Returns the connected socket, or -1 with `*error` set. */
static int connect_to(const struct addrinfo *to, uint64_t deadline_ns, int *error)
{
    const int fd =
        socket(to->ai_family, to->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, to->ai_protocol);
    if (fd < 0) {
        *error = errno;
        return -1;
    }
    *error = connect(fd, to->ai_addr, to->ai_addrlen) ? errno : 0;
    if (*error == EINPROGRESS)
        *error = finish_connect(fd, deadline_ns);
    if (*error == 0)
        return fd;
    (void)close(fd);
    return -1;
}

enum lwp_status lwp_tcp_connect(const struct lwp_address *address, uint64_t deadline_ns,
                                struct lwp_transport **transport, int *error)
{
    struct addrinfo *found = NULL;
    *error = 0;
    if (resolve(address, 0, &found) != LWP_OK)
        return LWP_UNRESOLVED;
    int fd = -1;
    for (const struct addrinfo *to = found; to && fd < 0; to = to->ai_next)
        fd = connect_to(to, deadline_ns, error);
    freeaddrinfo(found);
    return fd < 0 ? status_of_connect(*error) : lwp_tcp_adopt(fd, transport);
}

enum lwp_status lwp_tcp_name(int fd, bool of_peer, char *name)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    struct sockaddr *any = (struct sockaddr *)&address;
    socklen_t size = sizeof(address);
    char host[64];
    char port[8];
    if (of_peer ? getpeername(fd, any, &size) : getsockname(fd, any, &size))
        return LWP_IO;
    if (getnameinfo(any, size, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV))
        return LWP_IO;
    const char *form = address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s";
    (void)snprintf(name, LWP_ADDRESS_SIZE, form, host, port);
    return LWP_OK;
}

/* Binds, and listens if there is a backlog. */
static int bind_to(const struct addrinfo *at, int backlog, char *bound)
{
    const int on = 1;
    const int fd =
        socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, at->ai_protocol);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && (!backlog || listen(fd, backlog) == 0) &&
        lwp_tcp_name(fd, false, bound) == LWP_OK)
        return fd;
    const int error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

static enum lwp_status take_port(const struct lwp_address *address, int backlog, int *fd,
                                 char *bound)
{
    struct addrinfo *found = NULL;
    if (resolve(address, AI_PASSIVE, &found) != LWP_OK)
        return LWP_UNRESOLVED;
    *fd = bind_to(found, backlog, bound);
    const int error = errno;
    freeaddrinfo(found);
    errno = error;
    return *fd < 0 ? LWP_IO : LWP_OK;
}

enum lwp_status lwp_tcp_listen(const struct lwp_address *address, int *fd, char *bound)
{
    return take_port(address, BACKLOG, fd, bound);
}

enum lwp_status lwp_tcp_reserve(const struct lwp_address *address, int *fd, char *bound)
{
    return take_port(address, 0, fd, bound);
}

enum lwp_status lwp_tcp_accept(int listener, struct lwp_transport **transport)
{
    static const char cubic[] = "cubic";
    const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cubic, sizeof(cubic) - 1);
        return lwp_tcp_adopt(fd, transport);
    }
    switch (errno) {
    case EAGAIN:
    case EINTR:
    case ECONNABORTED:
        return LWP_WOULD_BLOCK;
    default:
        return LWP_IO;
    }
}
