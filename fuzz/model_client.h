/* SPDX-License-Identifier: MIT */
/* model_client.h - what a client may do and must not, whoever its server is. */
#ifndef FUZZ_MODEL_CLIENT_H
#define FUZZ_MODEL_CLIENT_H

#include "fuzz/peer.h"
#include "lwp/client/client.h"

struct model_client {
    bool asked;    /* The request under way is on the present connection, */
    bool answered; /* and something came after it. */
};

/** What the model wants to know of the peer. */
struct peer_watch model_client_watch(struct model_client *model);

/** Makes the request that the argument of FUZZ_OP_CALL picks: it ends within the time of a request, and
 * succeeds only if something came after it was sent on its connection. */
void model_client_call(struct model_client *model, struct peer *peer, struct lwp_client *client,
                       uint32_t argument);

#endif
