/* SPDX-License-Identifier: MIT */
/* peer.h - a server that says what the input says (stream.h), whatever it is asked: the other end of
 * whoever is a client, on pipes and a clock that moves only while somebody waits. */
#ifndef FUZZ_PEER_H
#define FUZZ_PEER_H

#include "fuzz/stream.h"
#include "lwp/client/options.h"

enum {
    PEER_HEAD_SIZE = 4,   /* Dialect, which dials are refused, two for the target. */
    PEER_REQUEST_MS = 300 /* The time that a request has. */
};

struct peer;

/* What the target wants to know. All may be NULL. */
struct peer_watch {
    void (*sent)(void *user, const struct lwp_frame *frame);  /* By the client. */
    void (*given)(void *user, const struct lwp_frame *frame); /* To the client; it is sound. */
    void (*dialled)(void *user);                              /* A connection is there. */
    void *user;
};

struct peer {
    struct lwp_world world; /* First, so that one is the other. */
    struct lwp_network network;
    const struct lwp_dialect *dialect;
    struct peer_watch watch;
    uint8_t head[PEER_HEAD_SIZE];
    uint64_t now_ns;
    struct lwp_bytes input;    /* What is still to come. */
    struct lwp_bytes pending;  /* Of a frame that comes in pieces. */
    size_t cut;                /* The next pieces' size; 0: whole. */
    struct lwp_transport *far; /* Our end of the connection; NULL if there is none. */
    unsigned dials;
    uint64_t keepalives_sent;  /* On this connection, by the client … */
    uint64_t keepalives_given; /* … and to it. */
    uint8_t *sent;             /* The beginning of a frame of the client's, */
    size_t sent_size;
    uint8_t *given; /* and of one to it. */
    size_t given_size;
};

/** A peer with this input. `peer_done()` frees what it holds. */
void peer_init(struct peer *peer, struct lwp_bytes input, const struct peer_watch *watch);
void peer_done(struct peer *peer);

/** Options for a handle that leads to the peer, driven by its caller, with short time-outs. */
struct lwp_connect_options peer_options(struct peer *peer);

/** Whether the next piece is a call of the program's: then it is taken, and `*argument` is its own. */
bool peer_takes_call(struct peer *peer, uint32_t *argument);

/** Lets the next piece happen, but for calls; with none left, or a call next, time goes on to the deadline.
 * Asserts that all that the client has sent is sound, and that it has at most one Keepalive
 * unanswered. */
void peer_step(struct peer *peer, uint64_t deadline_ns);

#endif
