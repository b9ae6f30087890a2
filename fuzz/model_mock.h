/* SPDX-License-Identifier: MIT */
/* model_mock.h - what the mock may do and must not, whoever its clients are. */
#ifndef FUZZ_MODEL_MOCK_H
#define FUZZ_MODEL_MOCK_H

#include "lwp/net/transport.h"
#include "mock_server/mock.h"

enum { MODEL_CLIENTS = 3, MODEL_MAX_SENT = 4096, MODEL_READ_ROOM = 1 << 17 };

/* One connection, as its client sees it. */
struct model_connection {
    struct lwp_transport *transport; /* NULL: not connected. */
    uint8_t *sent;                   /* All that was sent, as far as there is room. */
    size_t sent_size;
    size_t judged;     /* How much of it is whole frames. */
    bool doomed;       /* What follows them can never become a frame. */
    bool over;         /* More was sent than is kept: batch ids are not known. */
    uint8_t *received; /* The beginning of a frame. */
    size_t received_size;
    uint64_t answered_after; /* Answers since the connection was doomed. */
};

struct model_mock {
    struct lwp_mock *mock;
    struct lwp_mock_options options;
    uint64_t now_ns;
    size_t cut; /* Bytes sent at once; 0: all. */
    struct model_connection connections[MODEL_CLIENTS];
    struct model_connection *chosen;
};

/** A mock with the options that the four bytes say, and nobody connected. */
void model_mock_init(struct model_mock *model, const uint8_t head[4]);

/** Hangs up, and asserts that the mock forgets all connections. */
void model_mock_done(struct model_mock *model);

/** Whose turn it is. */
void model_mock_choose(struct model_mock *model, uint32_t number);

/** The chosen client connects if it is not connected, and sends. */
void model_mock_send(struct model_mock *model, struct lwp_bytes bytes);

/** The chosen client ends its connection. */
void model_mock_hang_up(struct model_mock *model, enum lwp_close how);

/** Time passes. */
void model_mock_pass(struct model_mock *model, uint64_t by_ns);

#endif
