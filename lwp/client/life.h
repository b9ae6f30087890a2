/* SPDX-License-Identifier: MIT */
/* life.h - the life of a client's connection as a value: connecting, securing, authenticating,
 * ready, waiting for the next attempt, redirected, ended. Events and time in; a state and a deadline
 * out. No socket, clock, callback, thread or allocation (specification 12.4, 17.6). */
#ifndef LWP_CLIENT_LIFE_H
#define LWP_CLIENT_LIFE_H

#include "lwp/client/backoff.h"
#include "lwp/client/details.h"
#include "lwp/net/transport.h"

enum { LWP_LIFE_MAX_HOPS = 8 };

enum lwp_life_state {
    LWP_LIFE_IDLE,           /* Not begun. */
    LWP_LIFE_CONNECTING,     /* To `target`, resolving its name included. */
    LWP_LIFE_SECURING,       /* Shaking hands for TLS, as `target.host`. */
    LWP_LIFE_AUTHENTICATING, /* The token is to be sent, or its answer awaited. */
    LWP_LIFE_READY,          /* Requests may go out. */
    LWP_LIFE_WAITING,        /* No connection; the next attempt comes at the deadline. */
    LWP_LIFE_ENDED           /* For good; `why` tells. */
};

struct lwp_life_options {
    bool secure;                 /* By TLS, on every connection: there is no way back to plain. */
    bool authenticate;           /* With a token, on every connection. */
    bool patient;                /* Keep trying before the first connection was ever ready, too. */
    uint64_t connect_timeout_ns; /* For one attempt up to ready, resolving included. */
    unsigned max_hops;           /* Redirects without a success between them; at most
                                    LWP_LIFE_MAX_HOPS. */
    struct lwp_backoff_options backoff;
};

struct lwp_life {
    struct lwp_life_options options;
    enum lwp_life_state state;
    struct lwp_address home;   /* Where the caller wants to go. */
    struct lwp_address target; /* Where this attempt goes: home, or a leader. */
    uint64_t attempt;     /* Counts the attempts: when it changes, drop the connection and dial. */
    uint64_t deadline_ns; /* Of the state; LWP_NEVER if it has none. */
    bool was_ready;       /* Ever. */
    struct lwp_backoff backoff;
    unsigned hops;                                     /* Since the last success. */
    struct lwp_address visited[LWP_LIFE_MAX_HOPS + 1]; /* Where the redirects have led, from the
                                                       first target on. */
    struct lwp_details why;                            /* The last thing that went wrong. */
};

/** A life that has not begun, with a home. The seed is for the jitter. */
void lwp_life_init(struct lwp_life *life, const struct lwp_life_options *options,
                   const struct lwp_address *home, uint64_t seed);

/** Begins: the first attempt. */
void lwp_life_start(struct lwp_life *life, uint64_t now_ns);

/** Tells that what the state was busy with is done: it goes on to the next state that the options
 * ask for, up to ready. Without effect in a state that is busy with nothing. */
void lwp_life_advance(struct lwp_life *life);

/**
 * Tells that the attempt failed or the connection was lost, or must be dropped. The state becomes
 * LWP_LIFE_WAITING or, if trying again can not help or no attempt is left, LWP_LIFE_ENDED: after a
 * refused token or certificate, after `backoff.max_attempts` failures in a row, and without
 * `patient` after the first one of all.
 *
 * A lost connection is tried again at the same place; one that could not be made, at home.
 */
void lwp_life_fail(struct lwp_life *life, const struct lwp_details *why, uint64_t now_ns);

/**
 * Follows a server's word that another is the leader: the next attempt goes there at once. Too many
 * hops, or a place where this chase has been before, count as a failure instead: the next attempt
 * then goes home, after a wait. False in that case, and if `why` has no address.
 */
bool lwp_life_redirect(struct lwp_life *life, const struct lwp_details *why, uint64_t now_ns);

/** Tells that the server has done something for us: failures and hops are forgotten. A connection
 * alone is no success, or a server that closes at once would be tried without end or rest. */
void lwp_life_succeed(struct lwp_life *life);

/** Lets time pass: begins the attempt that is due, or finds that one took too long. Returns whether
 * the state has changed. */
bool lwp_life_tick(struct lwp_life *life, uint64_t now_ns);

/** Ends it for good. */
void lwp_life_end(struct lwp_life *life, enum lwp_status status);

#endif
