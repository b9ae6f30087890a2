/* SPDX-License-Identifier: MIT */
/* The input is what a server says to a client that asks it for this and that (peer.h). All that the client
 * sends is sound, each request keeps the laws of model_client.h, and closing takes no time. */
#include "fuzz/fuzz.h"
#include "fuzz/model_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model_client model = {.asked = false};
    const struct peer_watch watch = model_client_watch(&model);
    struct peer peer;
    peer_init(&peer, fuzz_flush(data, size), &watch);
    struct lwp_connect_options options = peer_options(&peer);
    options.token = peer.head[2] & 1 ? "sekret" : NULL;
    struct lwp_client *client = NULL;
    const enum lwp_status status = lwp_client_connect(&options, &client, NULL);
    while (status == LWP_OK && peer.input.size) {
        uint32_t argument = 0;
        if (peer_takes_call(&peer, &argument))
            model_client_call(&model, &peer, client, argument);
        else
            peer_step(&peer, lwp_client_deadline(client));
        lwp_client_process(client);
    }
    const uint64_t then_ns = peer.now_ns;
    lwp_client_close(client);
    FUZZ_ASSERT(peer.now_ns == then_ns);
    peer_done(&peer);
    return 0;
}
