/* SPDX-License-Identifier: MIT */
/* example.h - what all examples need and none is about: the address, an end if something fails, a topic
 * to play with. */
#ifndef LWP_EXAMPLES_EXAMPLE_H
#define LWP_EXAMPLES_EXAMPLE_H

#include <stdio.h>
#include <stdlib.h>

#include <lwp/lwp.h>

/** The address in the first argument, or localhost:1992. */
static inline const char *example_address(int argc, char **argv)
{
    return argc > 1 ? argv[1] : "localhost:1992";
}

/** Ends the program if the status is not LWP_OK. */
static inline void must(enum lwp_status status, const char *what)
{
    if (status == LWP_OK)
        return;
    (void)fprintf(stderr, "%s: %s\n", what, lwp_status_text(status));
    exit(EXIT_FAILURE);
}

/** Makes a topic, and a fresh one if it is there already; returns its id. */
static inline uint32_t fresh_topic(const char *address, const char *name)
{
    const struct lwp_connect_options options = lwp_connect_defaults(address);
    struct lwp_client *client = NULL;
    struct lwp_topic_info *topics = NULL;
    struct lwp_topic_info topic = {.id = 0};
    size_t count = 0;
    must(lwp_client_connect(&options, &client, NULL), "connect");
    must(lwp_client_list_topics(client, &topics, &count), "list topics");
    for (size_t i = 0; i < count; i++)
        if (strcmp(topics[i].name, name) == 0)
            must(lwp_client_delete_topic(client, topics[i].id), "delete the topic");
    must(lwp_client_create_topic(client, name, &topic), "create the topic");
    free(topics);
    lwp_client_close(client);
    return topic.id;
}

#endif
