/* SPDX-License-Identifier: MIT */
#include "lwp/net/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "lwp/net/tls_state.h"

enum {
    RECORD_SIZE = 16384,  /* Plain bytes of the largest record (RFC 8446, 5.1). */
    EMPTY_ROUNDS = 2,     /* How often one read looks at what turns out to be no data, */
    READS_AT_ONCE = 4,    /* and how often OpenSSL then asks the inner transport. */
    DISCARDS = 64,        /* How often a close throws input away, */
    DISCARDED_SIZE = 4096 /* and how much at once. */
};

static struct tls *tls_of(struct lwp_transport *transport)
{
    return (struct tls *)(void *)transport;
}

/* OpenSSL's side of the inner transport. */

static int bio_read(BIO *bio, char *out, size_t size, size_t *count)
{
    struct tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    /* OpenSSL itself would go on for as long as a peer sends what is no data. */
    if (tls->established && tls->asked++ >= READS_AT_ONCE) {
        BIO_set_retry_read(bio);
        return -1;
    }
    tls->came = lwp_transport_read(tls->inner, (uint8_t *)out, size, count);
    if (tls->came == LWP_OK && !tls->heard) {
        tls->heard = true;
        tls->first_byte = (uint8_t)out[0];
    }
    if (tls->came == LWP_WOULD_BLOCK)
        BIO_set_retry_read(bio);
    return tls->came == LWP_OK ? 1 : -1;
}

static int bio_write(BIO *bio, const char *data, size_t size, size_t *count)
{
    struct tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    tls->went =
        lwp_transport_write(tls->inner, (struct lwp_bytes){(const uint8_t *)data, size}, count);
    if (tls->went == LWP_WOULD_BLOCK)
        BIO_set_retry_write(bio);
    return tls->went == LWP_OK ? 1 : -1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *tls_method_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "lwp transport");
    if (method && BIO_meth_set_read_ex(method, bio_read) &&
        BIO_meth_set_write_ex(method, bio_write) && BIO_meth_set_ctrl(method, bio_control))
        return method;
    BIO_meth_free(method);
    return NULL;
}

/* How OpenSSL's calls went. */

static enum lwp_status end(struct tls *tls, enum lwp_status status)
{
    tls->end = status;
    return status;
}

static enum lwp_status end_because(struct tls *tls, enum lwp_status status, const char *reason)
{
    (void)snprintf(tls->reason, sizeof(tls->reason), "%s", reason);
    tls->transport.error = tls->inner->error;
    return end(tls, status);
}

static bool is_fault(enum lwp_status status)
{
    return status != LWP_OK && status != LWP_WOULD_BLOCK;
}

/* The inner transport failed. Behind the handshake, what it can not write ends writing only: the
 * peer may have said why before it went. */
static enum lwp_status judge_inner(struct tls *tls)
{
    ERR_clear_error();
    if (is_fault(tls->went) && tls->established) {
        tls->transport.error = tls->inner->error;
        return tls->went;
    }
    if (is_fault(tls->went))
        return end_because(tls, tls->went, lwp_status_text(tls->went));
    if (tls->came == LWP_CLOSED)
        return end_because(tls, LWP_RESET,
                           tls->established ? "the peer's bytes end without a close_notify"
                                            : "the peer's bytes end inside the TLS handshake");
    if (is_fault(tls->came))
        return end_because(tls, tls->came, lwp_status_text(tls->came));
    return end_because(tls, LWP_TLS_FAILED, "OpenSSL gives no reason");
}

/* Before each call of OpenSSL's: what earlier ones left would be taken for this one's. */
static SSL *begin(struct tls *tls)
{
    ERR_clear_error();
    tls->went = LWP_OK;
    tls->asked = 0;
    return tls->ssl;
}

/* What a call that returned `result` came to. */
static enum lwp_status judge(struct tls *tls, int result)
{
    const int error = SSL_get_error(tls->ssl, result);
    tls->wants_write = error == SSL_ERROR_WANT_WRITE;
    switch (error) {
    case SSL_ERROR_NONE:
        return LWP_OK;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return LWP_WOULD_BLOCK;
    case SSL_ERROR_ZERO_RETURN:
        /* Behind the peer's goodbye OpenSSL says so whatever happens. */
        return is_fault(tls->went) ? judge_inner(tls) : end(tls, LWP_CLOSED);
    case SSL_ERROR_SSL:
        return end(tls, tls_explain(tls));
    default:
        return judge_inner(tls);
    }
}

static enum lwp_status shake_hands(struct tls *tls)
{
    if (tls->established || tls->end != LWP_OK)
        return tls->end;
    const enum lwp_status status = judge(tls, SSL_do_handshake(begin(tls)));
    tls->established = status == LWP_OK;
    /* OpenSSL would wait for a whole header, which such a peer need not send. */
    return status == LWP_WOULD_BLOCK && tls_is_foreign(tls) ? end(tls, tls_explain(tls)) : status;
}

/* Says goodbye: LWP_OK when that is done or can not be done, else LWP_WOULD_BLOCK. */
static enum lwp_status say_goodbye(struct tls *tls)
{
    const bool failed = tls->end != LWP_OK && tls->end != LWP_CLOSED;
    if (!tls->established || failed || tls->unfinished)
        return LWP_OK;
    const int result = SSL_shutdown(begin(tls));
    tls->wants_write = result < 0 && SSL_get_error(tls->ssl, result) == SSL_ERROR_WANT_WRITE;
    ERR_clear_error();
    return tls->wants_write ? LWP_WOULD_BLOCK : LWP_OK;
}

/* A half-close waits for the handshake, for that has to write, and for room. */
static void go_on_halving(struct tls *tls)
{
    if (!tls->halving || (!tls->established && tls->end == LWP_OK))
        return;
    if (say_goodbye(tls) != LWP_OK)
        return;
    tls->halving = false;
    tls->halved = true;
    lwp_transport_close(tls->inner, LWP_CLOSE_HALF);
}

/* Whether OpenSSL holds bytes that no read has looked at. The beginning of a record counts only
 * until the inner transport has said that there is no more. */
static bool holds_bytes(const struct tls *tls)
{
    return SSL_pending(tls->ssl) > 0 || (tls->came != LWP_WOULD_BLOCK && SSL_has_pending(tls->ssl));
}

/* Reads until `out` is full or OpenSSL is empty: for what it keeps, the descriptor never becomes
 * readable. */
static enum lwp_status read_all(struct tls *tls, uint8_t *out, size_t size, size_t *count)
{
    enum lwp_status status = LWP_OK;
    *count = 0;
    for (int empty = 0; empty < EMPTY_ROUNDS && *count < size;) {
        size_t part = 0;
        status = judge(tls, SSL_read_ex(begin(tls), out + *count, size - *count, &part));
        *count += part;
        empty += part == 0;
        const bool is_idle = status == LWP_WOULD_BLOCK && tls->came == LWP_WOULD_BLOCK;
        if (is_fault(status) || is_idle || tls->wants_write)
            break;
        if (*count && !holds_bytes(tls))
            break;
    }
    return *count ? LWP_OK : status;
}

static enum lwp_status tls_read(struct lwp_transport *transport, uint8_t *out, size_t size,
                                size_t *count)
{
    struct tls *tls = tls_of(transport);
    enum lwp_status status = shake_hands(tls);
    size_t got = 0;
    go_on_halving(tls);
    if (status == LWP_OK)
        status = read_all(tls, out, size, &got);
    if (status == LWP_OK)
        *count = got;
    tls->end_told = is_fault(status);
    return status;
}

/* What a write comes to if nothing can be written, else LWP_OK. */
static enum lwp_status check_writable(struct tls *tls, size_t size)
{
    if (tls->halving || tls->halved || tls->closed)
        return LWP_RESET;
    const enum lwp_status status = shake_hands(tls);
    if (status == LWP_CLOSED && !tls->established)
        return LWP_RESET;
    /* The peer's goodbye is for its direction. */
    if (status != LWP_OK && status != LWP_CLOSED)
        return status;
    return size < tls->unfinished ? LWP_INVALID_ARGUMENT : LWP_OK;
}

static enum lwp_status tls_write(struct lwp_transport *transport, struct lwp_bytes bytes,
                                 size_t *count)
{
    struct tls *tls = tls_of(transport);
    enum lwp_status status = check_writable(tls, bytes.size);
    size_t done = 0;
    while (status == LWP_OK && done < bytes.size) {
        const struct lwp_bytes rest = lwp_bytes_from(bytes, done);
        const size_t size = rest.size < RECORD_SIZE ? rest.size : RECORD_SIZE;
        size_t part = 0;
        status = judge(tls, SSL_write_ex(begin(tls), rest.data, size, &part));
        tls->unfinished = status == LWP_WOULD_BLOCK ? size : 0;
        done += part;
    }
    if (done == 0 && bytes.size)
        return status;
    *count = done;
    return LWP_OK;
}

/* Bytes that lie unread turn a close into a reset, and the peer could lose our last words. What it
 * is not to blame for, its goodbye, is taken; behind a failure, everything. */
static void discard_input(struct tls *tls)
{
    uint8_t discarded[DISCARDED_SIZE];
    size_t count = 0;
    if (tls->established && tls->end == LWP_OK)
        (void)judge(tls, SSL_read_ex(begin(tls), discarded, 1, &count));
    if (tls->end != LWP_TLS_FAILED && tls->end != LWP_CERTIFICATE_REFUSED)
        return;
    for (int round = 0; round < DISCARDS; round++)
        if (lwp_transport_read(tls->inner, discarded, sizeof(discarded), &count) != LWP_OK)
            return;
}

static void tls_close(struct lwp_transport *transport, enum lwp_close how)
{
    struct tls *tls = tls_of(transport);
    if (tls->closed)
        return;
    if (how == LWP_CLOSE_HALF) {
        tls->halving = !tls->halved;
        go_on_halving(tls);
        return;
    }
    if (how == LWP_CLOSE_FIN && !tls->halved)
        (void)say_goodbye(tls);
    if (how == LWP_CLOSE_FIN)
        discard_input(tls);
    lwp_transport_close(tls->inner, how);
    tls->closed = true;
    tls->halving = false;
    if (tls->end == LWP_OK)
        tls->end = how == LWP_CLOSE_RST ? LWP_RESET : LWP_CLOSED;
}

static int tls_fd(const struct lwp_transport *transport)
{
    return lwp_transport_fd(tls_of_const(transport)->inner);
}

static void tls_free(struct lwp_transport *transport)
{
    struct tls *tls = tls_of(transport);
    tls_close(transport, LWP_CLOSE_FIN);
    SSL_free(tls->ssl);
    lwp_transport_free(tls->inner);
    free(tls);
}

static const struct lwp_transport_ops tls_ops = {tls_read, tls_write, tls_close,
                                                 tls_fd,   tls_free,  NULL};

/* Whom the server's certificate must be for: an address, or a name that it is told, too. */
static bool expect_host(SSL *ssl, const char *host)
{
    uint8_t address[sizeof(struct in6_addr)];
    char name[TLSEXT_MAXLEN_host_name + 1];
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    SSL_set_hostflags(ssl,
                      X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    const int size = snprintf(name, sizeof(name), "%s", host);
    return size > 0 && size < (int)sizeof(name) && SSL_set1_host(ssl, name) == 1 &&
           SSL_set_tlsext_host_name(ssl, name) == 1;
}

static enum lwp_status open_session(const struct lwp_tls_context *context, struct tls *tls,
                                    const char *host)
{
    BIO *bio = BIO_new(context->method);
    tls->ssl = bio ? SSL_new(context->ssl) : NULL;
    if (!tls->ssl) {
        (void)BIO_free(bio);
        return LWP_NO_MEMORY;
    }
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    if (context->is_server)
        SSL_set_accept_state(tls->ssl);
    else
        SSL_set_connect_state(tls->ssl);
    tls->wants_write = !context->is_server;
    return !context->is_server && host && !expect_host(tls->ssl, host) ? LWP_INVALID_ARGUMENT
                                                                       : LWP_OK;
}

enum lwp_status lwp_tls_wrap(const struct lwp_tls_context *context, struct lwp_transport *inner,
                             const char *host, struct lwp_transport **transport)
{
    enum lwp_status status = LWP_OK;
    if (!context->is_server && !context->insecure && !host)
        status = LWP_INVALID_ARGUMENT;
    struct tls *tls = status == LWP_OK ? calloc(1, sizeof(*tls)) : NULL;
    if (!tls) {
        lwp_transport_free(inner);
        return status == LWP_OK ? LWP_NO_MEMORY : status;
    }
    tls->transport = (struct lwp_transport){&tls_ops, 0};
    tls->inner = inner;
    ERR_clear_error();
    status = open_session(context, tls, host);
    ERR_clear_error();
    if (status == LWP_OK)
        *transport = &tls->transport;
    else
        tls_free(&tls->transport);
    return status;
}

enum lwp_status lwp_tls_handshake(struct lwp_transport *transport)
{
    struct tls *tls = tls_of(transport);
    const enum lwp_status status = shake_hands(tls);
    go_on_halving(tls);
    return tls->established ? LWP_OK : status;
}

short lwp_tls_events(const struct lwp_transport *transport, short events)
{
    const struct tls *tls = tls_of_const(transport);
    if (events == 0 || tls->end != LWP_OK)
        return events;
    if (!tls->established)
        return tls->wants_write ? POLLOUT : POLLIN;
    return (short)(events | (tls->wants_write || tls->halving ? POLLOUT : 0));
}

bool lwp_tls_is_ready(const struct lwp_transport *transport)
{
    const struct tls *tls = tls_of_const(transport);
    if (tls->end != LWP_OK)
        return !tls->end_told && !tls->closed;
    return tls->established && holds_bytes(tls);
}
