/* SPDX-License-Identifier: MIT */
/* tls.h - TLS 1.2 and 1.3 as a transport around another one: a socket, a pipe, or whatever else
 * takes and gives bytes (specification 7). */
#ifndef LWP_NET_TLS_H
#define LWP_NET_TLS_H

#include "lwp/net/transport.h"

enum {
    LWP_TLS_REASON_SIZE = 256, /* The most that a reason takes, with its zero. */
    LWP_TLS_NAME_SIZE = 256    /* Enough for the name in a certificate, with its zero. */
};

/* The versions that there are; all that came before are never spoken. */
enum lwp_tls_version { LWP_TLS_ANY, LWP_TLS_1_2, LWP_TLS_1_3 };

/* All members may be 0 for a client; a server needs a certificate. Files are PEM. */
struct lwp_tls_options {
    const char *certificate_file; /* Ours, and what leads from it to the authority, in order. */
    const char *key_file;         /* NULL: the key is in `certificate_file`. Not encrypted. */
    const char *ca_file;          /* Whom we trust. Client: NULL takes the system's authorities.
                                      Server: NULL asks for no certificate. */
    bool certificate_required;    /* Server: clients without a certificate are refused (mTLS). */
    bool insecure;                /* Client, for tests: takes any certificate of any name. */
    enum lwp_tls_version least;   /* LWP_TLS_ANY: 1.2. */
    enum lwp_tls_version most;    /* LWP_TLS_ANY: 1.3. */
    const char *cipher_list;      /* For 1.2, in OpenSSL's words; NULL: OpenSSL's own. */
    const char *cipher_suites;    /* The same for 1.3. */
    uint64_t judged_at_secs;      /* The time at which certificates must be valid, in seconds
                                      since the Unix epoch; 0: the machine's clock. */
};

/* What the connections of one server, or of one client, have in common. */
struct lwp_tls_context;

/**
 * Reads the files and makes what lwp_tls_wrap() needs, for servers or for clients. Nothing of the
 * options is kept. Sessions are never resumed, and there are no tickets, no compression and no
 * renegotiation.
 *
 * LWP_OK                with `*context` the caller's, to be freed behind its connections.
 * LWP_IO                a file can not be opened.
 * LWP_INVALID_ARGUMENT  a file does not hold what it should, the key belongs to another
 *                       certificate, a list names no cipher that OpenSSL has, the versions leave
 *                       none, or options are missing that belong to others.
 * LWP_NO_MEMORY
 *
 * In each case but LWP_OK `reason`, LWP_TLS_REASON_SIZE characters, says what is wrong, and with
 * which file.
 */
enum lwp_status lwp_tls_server_new(const struct lwp_tls_options *options,
                                   struct lwp_tls_context **context, char *reason);
enum lwp_status lwp_tls_client_new(const struct lwp_tls_options *options,
                                   struct lwp_tls_context **context, char *reason);

/** Frees the context, whose connections must be freed already; NULL is fine. */
void lwp_tls_context_free(struct lwp_tls_context *context);

/**
 * Wraps a transport, which it takes over; nothing is written or read yet.
 *
 * `host` is for clients: the name or the numeric address, without brackets, that the server's
 * certificate must be for. A name is also sent to the server (SNI). Servers pass NULL; a client
 * may if the context is insecure.
 *
 * The new transport behaves as any other, with these differences:
 *
 *  * The handshake happens inside of reads and writes, which say LWP_WOULD_BLOCK until it is done.
 *    It has no deadline of its own: a peer that says nothing is for the owner to end.
 *  * Bytes count as written when the inner transport has taken all of their record. So after
 *    LWP_WOULD_BLOCK the next write must begin with the same bytes, as many of them or more; with
 *    fewer it is LWP_INVALID_ARGUMENT. They may have moved.
 *  * LWP_CLOSE_FIN and LWP_CLOSE_HALF say goodbye (close_notify) before they close the inner
 *    transport in the same way. The goodbye is lost if the handshake is not done, or if the inner
 *    transport has no room for it; after LWP_CLOSE_HALF later reads try again, before
 *    LWP_CLOSE_FIN nobody can. After LWP_CLOSE_HALF the peer may go on to write, in both versions.
 *  * LWP_CLOSED means that the peer said goodbye. If its bytes end without one it is LWP_RESET,
 *    for anybody could have cut them off.
 *  * LWP_TLS_FAILED and LWP_CERTIFICATE_REFUSED end it, for reads and writes; the peer has been
 *    told (alert), if there was room. lwp_tls_reason() says more. LWP_CERTIFICATE_REFUSED goes for
 *    both directions: we refuse the peer's certificate, or the peer refuses ours. A client of TLS
 *    1.3 may learn that only after the handshake, by a read, also when a write has said LWP_RESET.
 *
 * Whatever the peer does, a connection holds at most 512 KiB while the handshake lasts, 100 KiB
 * later and 20 KiB when idle.
 *
 * LWP_OK with `*transport` the caller's to free. Otherwise the inner transport has been freed:
 * LWP_INVALID_ARGUMENT for a client without a host, or with one that is no name; LWP_NO_MEMORY.
 */
enum lwp_status lwp_tls_wrap(const struct lwp_tls_context *context, struct lwp_transport *inner,
                             const char *host, struct lwp_transport **transport);

/* What follows takes a transport that lwp_tls_wrap() has made, and no other. */

/**
 * Goes on with the handshake: LWP_OK once it is done, LWP_WOULD_BLOCK (wait as lwp_tls_events()
 * says), or how it failed: LWP_TLS_FAILED, LWP_CERTIFICATE_REFUSED, LWP_CLOSED, LWP_RESET, LWP_IO,
 * LWP_NO_MEMORY.
 */
enum lwp_status lwp_tls_handshake(struct lwp_transport *transport);

/** Whether the handshake is done, whatever came later. */
bool lwp_tls_is_established(const struct lwp_transport *transport);

/**
 * What a poll loop waits for at the descriptor, where it would wait for `events` without TLS: POLLIN
 * if it would read, POLLOUT if it has something to write. When any of it happens, read and write
 * as if all of `events` had happened. Until the handshake is done a full queue does not mean
 * that room would help, and later a read may have to write first. 0 stays 0.
 */
short lwp_tls_events(const struct lwp_transport *transport, short events);

/**
 * Whether a read has something to give although nothing may come at the descriptor: bytes that
 * came together with others, or the end behind them. Then a poll loop that would read must not
 * wait.
 */
bool lwp_tls_is_ready(const struct lwp_transport *transport);

/** The version and the cipher agreed on, as in "TLSv1.3" and "TLS_AES_256_GCM_SHA384"; static.
 * NULL before the handshake is done. */
const char *lwp_tls_version(const struct lwp_transport *transport);
const char *lwp_tls_cipher(const struct lwp_transport *transport);

/**
 * Copies the common name of the peer's certificate, in UTF-8 and with a zero, to `name`, which has
 * LWP_TLS_NAME_SIZE characters. What a server gets was checked; an insecure client gets what the
 * peer says. False, with an empty text, if there is no certificate, or not exactly one such name in
 * it, or if the name is empty, has a zero inside or does not fit.
 */
bool lwp_tls_peer_name(const struct lwp_transport *transport, char *name);

/** Why the connection failed, in English; empty if it has not. Valid until the transport is freed.
 */
const char *lwp_tls_reason(const struct lwp_transport *transport);

#endif
