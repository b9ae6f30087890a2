/* SPDX-License-Identifier: MIT */
#include "lwp/bench/producer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    WINDOW = 64,
    PATIENCE_SECS = 10,
    BATCH_ID_AT = 12, /* Neither of the two is covered by a checksum. */
    TOPIC_ID_AT = 40,
    SOURCE_COUNT = 8
};

/* Cubic from the first packet on: what the system prefers may pace the loopback. */
static int new_socket(void)
{
    static const char cubic[] = "cubic";
    const struct timeval patience = {.tv_sec = PATIENCE_SECS};
    const int on = 1;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cubic, sizeof(cubic) - 1);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
}

static struct sockaddr_in loopback(uint32_t host, uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK + host)},
                                .sin_port = htons(port)};
}

/* From the loopback address of this number. Whoever closes first keeps the port for a minute; with
 * several addresses there are enough. */
static int connect_from(uint32_t source, uint16_t port)
{
    const struct sockaddr_in from = loopback(source, 0);
    const struct sockaddr_in to = loopback(0, port);
    const int on = 1;
    const int fd = new_socket();
    if (fd < 0)
        return -1;
    /* The port is chosen by connect(), which knows which ones are free for this peer. */
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    if (bind(fd, (const struct sockaddr *)&from, sizeof(from)) == 0 &&
        connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    const int error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

int producer_connect(uint16_t port)
{
    return connect_from(0, port);
}

static bool write_all(const struct producer_stream *stream, struct lwp_bytes bytes)
{
    if (stream->tls)
        return SSL_write(stream->tls, bytes.data, (int)bytes.size) == (int)bytes.size;
    return send(stream->fd, bytes.data, bytes.size, MSG_NOSIGNAL) == (ssize_t)bytes.size;
}

static ssize_t read_some(const struct producer_stream *stream, uint8_t *in, size_t size)
{
    return stream->tls ? SSL_read(stream->tls, in, (int)size) : recv(stream->fd, in, size, 0);
}

/* Takes the acks that have come, at least one. */
static bool take_acks(struct producer_stream *stream)
{
    static const size_t most = WINDOW;
    uint8_t in[WINDOW * LWP_HEADER_SIZE];
    size_t size = 0;
    do {
        const ssize_t count = read_some(stream, in + size, most * LWP_HEADER_SIZE - size);
        if (count <= 0)
            return false;
        size += (size_t)count;
    } while (size % LWP_HEADER_SIZE);
    for (size_t at = 0; at < size; at += LWP_HEADER_SIZE)
        if (in[at + 5] != LWP_FLAG_ACK || lwp_get64(in + at + BATCH_ID_AT) != ++stream->acked)
            return false;
    return true;
}

bool producer_send(struct producer_stream *stream, size_t count)
{
    const struct load *load = stream->load;
    lwp_put32(load->room + TOPIC_ID_AT, stream->topic_id);
    for (; count; count--) {
        if (stream->sent - stream->acked == WINDOW && !take_acks(stream))
            return false;
        lwp_put64(load->room + BATCH_ID_AT, ++stream->sent);
        if (!write_all(stream, load->frame))
            return false;
    }
    return true;
}

bool producer_settle(struct producer_stream *stream)
{
    while (stream->acked < stream->sent)
        if (!take_acks(stream))
            return false;
    return true;
}

static bool visit(uint32_t source, uint16_t port, struct lwp_bytes keepalive)
{
    uint8_t in[LWP_HEADER_SIZE + 1];
    const int fd = connect_from(source, port);
    bool ok = fd >= 0 &&
              send(fd, keepalive.data, keepalive.size, MSG_NOSIGNAL) == (ssize_t)keepalive.size;
    ok = ok && recv(fd, in, LWP_HEADER_SIZE, MSG_WAITALL) == LWP_HEADER_SIZE &&
         in[5] == LWP_FLAG_KEEPALIVE;
    /* Nothing comes behind it but the end. */
    ok = ok && shutdown(fd, SHUT_WR) == 0 && recv(fd, in, sizeof(in), 0) == 0;
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

size_t producer_visit(uint16_t port, size_t count)
{
    uint8_t wire[LWP_HEADER_SIZE];
    struct lwp_frame frame = {.header = {.flags = LWP_FLAG_KEEPALIVE}};
    size_t good = 0;
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    lwp_header_encode(&frame.header, wire);
    for (size_t i = 0; i < count; i++)
        good += visit(i % SOURCE_COUNT, port, (struct lwp_bytes){wire, sizeof(wire)});
    return good;
}
