/* SPDX-License-Identifier: MIT */
/* transport.h - a way for bytes to travel: TCP, a pipe in memory, or a wrapper around another.
 * Nothing here blocks but lwp_tcp_connect(), and that has a deadline. */
#ifndef LWP_NET_TRANSPORT_H
#define LWP_NET_TRANSPORT_H

#include "lwp/wire/status.h"

/* How to end a connection. */
enum lwp_close {
    LWP_CLOSE_HALF, /* We write no more; the peer still may. */
    LWP_CLOSE_FIN,  /* Both ways, in order. */
    LWP_CLOSE_RST   /* At once, with a reset. */
};

struct lwp_transport;

enum { LWP_GATHER_MOST = 64 };

/* Five functions make a transport; the sixth, which may be NULL, makes it faster. */
struct lwp_transport_ops {
    enum lwp_status (*read)(struct lwp_transport *transport, uint8_t *out, size_t size,
                            size_t *count);
    enum lwp_status (*write)(struct lwp_transport *transport, struct lwp_bytes bytes,
                             size_t *count);
    void (*close)(struct lwp_transport *transport, enum lwp_close how);
    int (*fd)(const struct lwp_transport *transport);
    void (*free)(struct lwp_transport *transport);
    enum lwp_status (*gather)(struct lwp_transport *transport, const struct lwp_bytes *parts,
                              size_t part_count, size_t *count);
};

struct lwp_transport {
    const struct lwp_transport_ops *ops;
    int error; /* The errno behind the last LWP_IO, LWP_RESET or LWP_REFUSED; 0 if there is none. */
};

/**
 * Reads what is there, at most `size` bytes.
 *
 * LWP_OK with `*count` at least 1; LWP_WOULD_BLOCK; LWP_CLOSED (FIN); LWP_RESET; LWP_IO.
 */
enum lwp_status lwp_transport_read(struct lwp_transport *transport, uint8_t *out, size_t size,
                                   size_t *count);

/** Writes what fits: LWP_OK with `*count` at least 1, LWP_WOULD_BLOCK, LWP_RESET or LWP_IO. */
enum lwp_status lwp_transport_write(struct lwp_transport *transport, struct lwp_bytes bytes,
                                    size_t *count);

/** As lwp_transport_write(), of several views one behind the other: at most LWP_GATHER_MOST. Only for
 * transports that gather. */
enum lwp_status lwp_transport_gather(struct lwp_transport *transport, const struct lwp_bytes *parts,
                                     size_t part_count, size_t *count);

/** Whether it does; if not, writing them one by one would cut its stream into small pieces (TLS), or
 * change what is done with it (faults). */
bool lwp_transport_gathers(const struct lwp_transport *transport);

/** Ends the connection; the transport must still be freed. */
void lwp_transport_close(struct lwp_transport *transport, enum lwp_close how);

/** The descriptor to wait for, or -1 if there is none (a pipe, or closed). */
int lwp_transport_fd(const struct lwp_transport *transport);

/** Closes in order if that has not happened, and frees; NULL is fine. */
void lwp_transport_free(struct lwp_transport *transport);

/**
 * Two ends of a pipe in memory, each of which holds at most `capacity` bytes that were written and
 * not read. LWP_OK or LWP_NO_MEMORY. Both ends are the caller's to free, in any order.
 */
enum lwp_status lwp_pipe_new(size_t capacity, struct lwp_transport *ends[2]);

enum { LWP_ADDRESS_SIZE = 300 };

/* A place to connect to or to listen on. */
struct lwp_address {
    char host[256];
    char port[8];
};

/**
 * Reads HOST, HOST:PORT, 1.2.3.4:PORT, [::1]:PORT or [::1]; without a port it is 1992 (1). LWP_OK
 * or LWP_INVALID_ARGUMENT.
 */
enum lwp_status lwp_address_parse(const char *text, struct lwp_address *address);

/**
 * Connects over TCP, trying all addresses of the host until `deadline_ns` (lwp_clock_now()); looking up
 * a name has the resolver's own time limits. The
 * socket is non-blocking, with TCP_NODELAY.
 *
 * LWP_OK with `*transport` the caller's; LWP_UNRESOLVED, LWP_REFUSED, LWP_TIMEOUT, LWP_NO_MEMORY or
 * LWP_IO; then `*error` is the errno, or 0.
 */
enum lwp_status lwp_tcp_connect(const struct lwp_address *address, uint64_t deadline_ns,
                                struct lwp_transport **transport, int *error);

/** Makes a transport of a connected, non-blocking TCP socket, which it takes over, with TCP_NODELAY.
 * LWP_OK, or LWP_NO_MEMORY with the socket closed. */
enum lwp_status lwp_tcp_adopt(int fd, struct lwp_transport **transport);

/**
 * Listens. Port 0 takes a free one. LWP_OK with `*fd` the caller's to close and `bound` the numeric
 * HOST:PORT ([…] around IPv6) in at least LWP_ADDRESS_SIZE characters; LWP_UNRESOLVED or LWP_IO,
 * with errno set.
 */
enum lwp_status lwp_tcp_listen(const struct lwp_address *address, int *fd, char *bound);

/**
 * Takes a port as lwp_tcp_listen() does but does not listen: whoever connects is refused, and no
 * free port that anybody asks for is this one. While it is kept, lwp_tcp_listen() on the address
 * `bound` begins to listen there and closing that descriptor ends it, as often as one likes.
 */
enum lwp_status lwp_tcp_reserve(const struct lwp_address *address, int *fd, char *bound);

/** Writes the numeric HOST:PORT of the socket's own end, or of the peer's, into `name`, which has
 * at least LWP_ADDRESS_SIZE characters. LWP_OK, or LWP_IO for what is no connected TCP socket. */
enum lwp_status lwp_tcp_name(int fd, bool of_peer, char *name);

/**
 * Accepts one connection: LWP_OK with `*transport` the caller's, LWP_WOULD_BLOCK, LWP_NO_MEMORY, or
 * LWP_IO with errno set (EMFILE and the like: try again later). The socket is non-blocking, with
 * TCP_NODELAY and, where the kernel has it, cubic congestion control, so that loopback is not
 * paced.
 */
enum lwp_status lwp_tcp_accept(int listener, struct lwp_transport **transport);

#endif
