/* SPDX-License-Identifier: MIT */
/* client_state.h - what a client knows; for client*.c only. */
#ifndef LWP_CLIENT_CLIENT_STATE_H
#define LWP_CLIENT_CLIENT_STATE_H

#include "lwp/client/client.h"
#include "lwp/client/runner.h"

/** Reads the answer's payload while it is there: LWP_OK, or what is wrong with it. */
typedef enum lwp_status (*client_reader)(const struct lwp_answer *answer, void *result);

/* How the request of the thread whose turn it is goes. */
enum client_turn {
    CLIENT_IDLE,    /* There is none. */
    CLIENT_WAITING, /* For the connection. */
    CLIENT_ASKED,   /* For the answer. */
    CLIENT_DONE     /* `outcome` tells. */
};

/* One request, on the stack of the thread that waits for it. */
struct client_question {
    struct lwp_message message;
    bool is_ping;
    client_reader reader; /* NULL if nothing is to be read. */
    void *result;
};

struct lwp_client {
    struct lwp_connect_options options;
    struct lwp_connection connection;
    struct lwp_runner runner;
    bool closing;
    unsigned users; /* Threads inside of requests. */
    enum client_turn turn;
    uint64_t fails_from; /* A failure of this attempt of the connection, or of a later one, is the
                            request's. */
    const struct client_question *question;
    struct lwp_request request;
    struct lwp_details outcome;
    struct lwp_details why; /* Of the last request that failed. */
};

/** Asks and waits for the answer, when it is this thread's turn. */
enum lwp_status client_ask(struct lwp_client *client, const struct client_question *question);

#endif
