/* SPDX-License-Identifier: MIT */
/* details.h - what a server says besides yes: every form of a refusal as one status with its
 * details (specification 5.7, 12; D2, D3, D4). */
#ifndef LWP_CLIENT_DETAILS_H
#define LWP_CLIENT_DETAILS_H

#include "lwp/net/transport.h"
#include "lwp/wire/message.h"

enum {
    LWP_DETAILS_TEXT = 256, /* Bytes of a text, its zero included. */
    LWP_DETAILS_NO_CODE = 0x100
};

/* Why something failed. Whole in itself: nothing points anywhere. */
struct lwp_details {
    enum lwp_status status;
    unsigned code; /* Of section 12.2, or LWP_DETAILS_NO_CODE if the server told none. */
    char text[LWP_DETAILS_TEXT];   /* The server's words: UTF-8 without control characters, cut to
                                        fit; "" if there are none. */
    char leader[LWP_ADDRESS_SIZE]; /* HOST:PORT with LWP_NOT_LEADER; else "". */
    uint64_t retry_after_ms;       /* With LWP_RATE_LIMITED and LWP_BACKPRESSURE; 0: not told. */
    bool has_server_offset;
    uint64_t server_offset; /* With LWP_CATCHING_UP: where the server is, in bytes. */
};

/** Details that only tell a status: what went wrong on this side. */
struct lwp_details lwp_details_of(enum lwp_status status);

/**
 * Reads an ErrorResponse's payload: a JSON document (12.1) or a plain text, whatever the dialect; a
 * text is recognised by the rows of texts.def and by what the published servers put into others:
 * NOT_LEADER, FORWARD_FAILED, CATCHING_UP.
 *
 * `status` is never LWP_OK: what can not be understood is LWP_PEER_REFUSED. LWP_NOT_LEADER without
 * an address that can be read becomes LWP_LEADER_UNKNOWN.
 */
struct lwp_details lwp_details_read(struct lwp_bytes payload);

/** Reads the payload of a CatchingUp frame (D4); fewer than 8 bytes tell no offset. */
struct lwp_details lwp_details_catching_up(struct lwp_bytes payload);

#endif
