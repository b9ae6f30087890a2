/* SPDX-License-Identifier: MIT */
/* request.h - one question to the server and its answer, as a value: which frame is the answer,
 * which is none, and which ends the connection (specification 5, 17.3). No I/O, clock or thread. */
#ifndef LWP_CLIENT_REQUEST_H
#define LWP_CLIENT_REQUEST_H

#include "lwp/client/details.h"

enum {
    LWP_REQUEST_NONE = 0,
    LWP_REQUEST_PING = -1 /* Asked by a Keepalive, not by a command. */
};

/*
 * The protocol gives answers no name, so one connection asks one thing at a time, and whatever goes
 * wrong with it ends the connection: a late answer then has nobody to be mistaken for.
 */
struct lwp_request {
    int command;              /* A command's code (D14: GET_CLUSTER_STATUS by its row), or one of
                                 the two above. */
    struct lwp_message asked; /* What the answer must agree with. No views are kept. */
    uint64_t deadline_ns;     /* For the whole answer, however slowly it drips. */
};

/* An answer. The views live as long as the frame's payload. */
struct lwp_answer {
    struct lwp_details details; /* LWP_OK, or the refusal. */
    bool is_ack;                /* An Ack frame came; the message is empty. */
    struct lwp_message message;
};

/** Begins a question. `command` is that of the message, or LWP_REQUEST_PING with a message that is
 * not looked at. */
struct lwp_request lwp_request_of(int command, const struct lwp_message *asked,
                                  uint64_t deadline_ns);

/**
 * Looks at a frame that came while the question is open.
 *
 * LWP_OK    it is the answer, yes or no, and the question is closed.
 * LWP_MORE  it is none: a Keepalive, or a Backpressure.
 * else      it may not come here, or contradicts itself or the question: LWP_UNEXPECTED_FRAME,
 *           LWP_INVALID_LENGTH, LWP_INVALID_PAYLOAD, LWP_INVALID_OFFSET, LWP_UNKNOWN_COMMAND. End
 *           the connection; the question fails with this.
 *
 * A ping's answer is the Keepalive that the session took for one; its owner sees to that. With no
 * question open every control frame and Ack is unexpected.
 */
enum lwp_status lwp_request_take(struct lwp_request *request, const struct lwp_frame *frame,
                                 const struct lwp_dialect *dialect, struct lwp_answer *answer);

#endif
