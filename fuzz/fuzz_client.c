/* SPDX-License-Identifier: MIT */
/* The input is what a server says to a client that asks it for this and that (peer.h). Each request ends
 * in time; it succeeds only if something came after it was sent on its connection; all that the client
 * sends is sound; closing takes no time. */
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "fuzz/peer.h"
#include "lwp/client/client.h"
#include "lwp/net/clock.h"

struct model {
    bool asked;    /* The request under way is on the present connection, */
    bool answered; /* and something came after it. */
};

static void see_sent(void *user, const struct lwp_frame *frame)
{
    struct model *model = user;
    if (frame->header.flags == LWP_FLAG_CONTROL)
        *model = (struct model){.asked = true};
}

static void see_given(void *user, const struct lwp_frame *frame)
{
    struct model *model = user;
    (void)frame;
    model->answered = model->asked;
}

static void see_dial(void *user)
{
    *(struct model *)user = (struct model){.asked = false};
}

static enum lwp_status ask(struct lwp_client *client, uint32_t argument)
{
    const uint32_t id = argument >> 8 & 0xff;
    struct lwp_topic_info topic, *topics = NULL;
    struct lwp_cluster_info cluster;
    uint64_t offset = 0;
    size_t count = 0;
    enum lwp_status status = LWP_OK;
    switch (argument % 10) {
    case 0:
        return lwp_client_create_topic(client, "events", &topic);
    case 1:
        status = lwp_client_list_topics(client, &topics, &count);
        free(topics);
        return status;
    case 2:
        return lwp_client_get_topic(client, id, &topic);
    case 3:
        return lwp_client_delete_topic(client, id);
    case 4:
        return lwp_client_set_retention(client, id, 3600, 1 << 20);
    case 5:
        return lwp_client_cluster_status(client, &cluster);
    case 6:
        return lwp_client_subscribe(client, id, 0, 7, &offset);
    case 7:
        return lwp_client_unsubscribe(client, id, 7);
    case 8:
        return lwp_client_commit_offset(client, id, 7, argument >> 16);
    default:
        return lwp_client_authenticate(client, "sekret");
    }
}

static void call(struct peer *peer, struct model *model, struct lwp_client *client,
                 const struct lwp_connect_options *options, uint32_t argument)
{
    const uint64_t begun_ns = peer->now_ns;
    *model = (struct model){.asked = false};
    const enum lwp_status status = ask(client, argument);
    FUZZ_ASSERT(peer->now_ns <= begun_ns + options->request_timeout_ms * LWP_MILLISECOND_NS);
    FUZZ_ASSERT(status != LWP_OK || model->answered);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model model = {.asked = false};
    const struct peer_watch watch = {see_sent, see_given, see_dial, &model};
    struct peer peer;
    peer_init(&peer, fuzz_flush(data, size), &watch);
    struct lwp_connect_options options = peer_options(&peer);
    options.token = peer.head[2] & 1 ? "sekret" : NULL;
    struct lwp_client *client = NULL;
    if (lwp_client_connect(&options, &client, NULL) == LWP_OK) {
        while (peer.input.size) {
            uint32_t argument = 0;
            if (peer_takes_call(&peer, &argument))
                call(&peer, &model, client, &options, argument);
            else
                peer_step(&peer, lwp_client_deadline(client));
            lwp_client_process(client);
        }
        const uint64_t begun_ns = peer.now_ns;
        lwp_client_close(client);
        FUZZ_ASSERT(peer.now_ns == begun_ns);
    }
    peer_done(&peer);
    return 0;
}
