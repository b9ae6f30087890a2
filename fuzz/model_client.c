/* SPDX-License-Identifier: MIT */
#include "fuzz/model_client.h"

#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "lwp/net/clock.h"

static void see_sent(void *user, const struct lwp_frame *frame)
{
    struct model_client *model = user;
    if (frame->header.flags == LWP_FLAG_CONTROL)
        *model = (struct model_client){.asked = true};
}

static void see_given(void *user, const struct lwp_frame *frame)
{
    struct model_client *model = user;
    (void)frame;
    model->answered = model->asked;
}

static void see_dial(void *user)
{
    *(struct model_client *)user = (struct model_client){.asked = false};
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

struct peer_watch model_client_watch(struct model_client *model)
{
    return (struct peer_watch){see_sent, see_given, see_dial, model};
}

void model_client_call(struct model_client *model, struct peer *peer, struct lwp_client *client,
                       uint32_t argument)
{
    const uint64_t due_ns = peer->now_ns + PEER_REQUEST_MS * LWP_MILLISECOND_NS;
    *model = (struct model_client){.asked = false};
    const enum lwp_status status = ask(client, argument);
    fuzz_note(status);
    fuzz_note(peer->now_ns);
    FUZZ_ASSERT(peer->now_ns <= due_ns);
    FUZZ_ASSERT(status != LWP_OK || model->answered);
}
