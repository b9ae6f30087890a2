/* SPDX-License-Identifier: MIT */
/* run.h - runs one case against a server and judges what comes back. */
#ifndef LWP_CONFORM_RUN_H
#define LWP_CONFORM_RUN_H

#include "conformance/chop.h"
#include "conformance/result.h"
#include "lwp/net/world.h"

/* What all cases of a run have in common. */
struct run_options {
    struct lwp_world *world;
    const struct lwp_dialect *dialect;
    const char *auth_token;     /* NULL if none is needed. */
    const char *prefix;         /* Of the topic names that this run makes. */
    const struct chop *chop;    /* How what is sent is cut; NULL: not at all. */
    unsigned time_factor;       /* Every time-out is multiplied by it; at least 1. */
    struct exchange_sink *sink; /* Takes all that is said; NULL: nobody does. */
};

/**
 * Runs the case and fills in `*result`; what it holds lives in `arena`. `ordinal` is the case's
 * number in the run, for topic names. Topics that the case made are deleted afterwards.
 */
void run_case(const struct run_options *options, const struct script_case *of, unsigned ordinal,
              struct script_arena *arena, struct result *result);

/**
 * Makes a topic that stays for the whole run, and deletes it. The deployed server begins its ids at
 * 1 again when it lists an empty registry, and then loses what is written to the new topics; a run
 * must never leave it empty. Returns the topic's id, 0 if it could not be made.
 */
uint64_t run_make_keeper(const struct run_options *options);
void run_delete_keeper(const struct run_options *options, uint64_t id);

/**
 * The sanity exchange: connects, sends a Keepalive and wants one back. LWP_OK; a status of
 * lwp_tcp_connect(); LWP_CLOSED or LWP_RESET if the server hangs up; LWP_TIMEOUT;
 * LWP_UNEXPECTED_FRAME; or the fault of a broken frame.
 */
enum lwp_status run_sanity(const struct run_options *options);

#endif
