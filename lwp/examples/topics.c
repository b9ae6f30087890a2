/* SPDX-License-Identifier: MIT */
/* Topics: make one, list them, look at one, change how it forgets, delete it. */
#include <inttypes.h>

#include "example.h"

int main(int argc, char **argv)
{
    const char *address = example_address(argc, argv);
    const struct lwp_connect_options options = lwp_connect_defaults(address);
    struct lwp_client *client = NULL;
    struct lwp_topic_info topic;
    struct lwp_topic_info *topics = NULL;
    size_t count = 0;
    uint64_t round_trip_ns = 0;
    must(lwp_client_connect(&options, &client, NULL), "connect");
    must(lwp_client_ping(client, &round_trip_ns), "ping");

    /* A day, and 1 GiB. */
    const uint32_t plain_id = fresh_topic(address, "example-topics");
    must(lwp_client_set_retention(client, plain_id, 86400, 1U << 30), "set retention");
    must(lwp_client_get_topic(client, plain_id, &topic), "get the topic");
    (void)printf("topic %" PRIu32 " is called %s\n", topic.id, topic.name);

    must(lwp_client_list_topics(client, &topics, &count), "list topics");
    for (size_t i = 0; i < count; i++)
        (void)printf("%" PRIu32 " %s\n", topics[i].id, topics[i].name);
    free(topics);

    must(lwp_client_delete_topic(client, plain_id), "delete the topic");
    const enum lwp_status status = lwp_client_get_topic(client, plain_id, &topic);
    (void)printf("afterwards: %s\n", lwp_status_text(status));
    lwp_client_close(client);
    return status == LWP_TOPIC_NOT_FOUND ? EXIT_SUCCESS : EXIT_FAILURE;
}
