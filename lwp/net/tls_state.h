/* SPDX-License-Identifier: MIT */
/* tls_state.h - what the files of the TLS transport share. */
#ifndef LWP_NET_TLS_STATE_H
#define LWP_NET_TLS_STATE_H

#include <openssl/ssl.h>

#include "lwp/net/tls.h"

struct lwp_tls_context {
    SSL_CTX *ssl;
    BIO_METHOD *method; /* How OpenSSL reaches the inner transport. */
    bool is_server;
    bool insecure;
};

struct tls {
    struct lwp_transport transport; /* First, so that one is the other. */
    struct lwp_transport *inner;
    SSL *ssl;
    enum lwp_status came; /* How the inner transport's last read went. */
    enum lwp_status went; /* How its last write went. */
    int asked;            /* How often the present call has read from it. */
    enum lwp_status end;  /* LWP_OK, or why nothing can be read any more. */
    bool end_told;        /* A read has said so. */
    bool established;
    bool wants_write; /* OpenSSL can go on once the inner transport takes bytes. */
    bool halving;     /* We write no more; our goodbye is still to be sent. */
    bool halved;      /* It is sent. */
    bool closed;
    bool heard;         /* Something came from the peer, and began with: */
    uint8_t first_byte; /* what any TLS record begins with, or not. */
    size_t unfinished;  /* The caller's bytes in a record that is not all written. */
    char reason[LWP_TLS_REASON_SIZE];
};

static inline const struct tls *tls_of_const(const struct lwp_transport *transport)
{
    return (const struct tls *)(const void *)transport;
}

/* The methods by which OpenSSL reads from and writes to a `struct tls`' inner transport; NULL
 * without memory. */
BIO_METHOD *tls_method_new(void);

/* Takes OpenSSL's errors of this thread, all, and writes what the first says behind `about` and a
 * colon. */
void tls_take_errors(const char *about, char *reason);

/* Whether the peer's first byte shows that it does not speak TLS. */
bool tls_is_foreign(const struct tls *tls);

/* Judges a failure of the connection by OpenSSL's errors of this thread, takes them, and writes the
 * reason: LWP_CERTIFICATE_REFUSED, LWP_NO_MEMORY or LWP_TLS_FAILED. */
enum lwp_status tls_explain(struct tls *tls);

#endif
