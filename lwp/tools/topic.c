/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "lwp/json/members.h"
#include "lwp/net/clock.h"
#include "lwp/tools/server.h"
#include "lwp/tools/text.h"

struct arguments {
    struct server server; /* First, so that the rows of its options find it. */
    bool json;
    bool with_retention;
    uint64_t max_age_secs;
    uint64_t max_bytes;
};

/* One of the commands: what it does with the word behind the address, if there is one. */
struct topic_command {
    struct lwp_program program;
    int words; /* The address included. */
    /** What the server says; then lwp_client_why() tells more. */
    enum lwp_status (*run)(const struct arguments *arguments, struct lwp_client *client,
                           const char *word);
};

static const char *take_json(void *into, const char *value)
{
    (void)value;
    ((struct arguments *)into)->json = true;
    return NULL;
}

static const char *take_max_age(void *into, const char *value)
{
    struct arguments *arguments = into;
    uint64_t age_ns = 0;
    if (!lwp_read_duration(value, UINT64_MAX, &age_ns) || age_ns % LWP_SECOND_NS)
        return "an age is a time in whole seconds, as in 90s, 10m or 24h";
    arguments->max_age_secs = age_ns / LWP_SECOND_NS;
    arguments->with_retention = true;
    return NULL;
}

static const char *take_max_bytes(void *into, const char *value)
{
    struct arguments *arguments = into;
    arguments->with_retention = true;
    return lwp_read_size(value, 0, UINT64_MAX, &arguments->max_bytes)
               ? NULL
               : "--max-bytes takes a number, perhaps with K, M or G behind it";
}

static const struct lwp_option json_options[] = {
    {"json", NULL, "as JSON, an object a topic", take_json},
    {NULL, NULL, NULL, NULL},
};

static const struct lwp_option retention_options[] = {
    {"max-age", "T", "forget records that are older, as in 24h   [0: no limit]", take_max_age},
    {"max-bytes", "SIZE", "forget the oldest past this size, as in 1G [0: no limit]",
     take_max_bytes},
    {NULL, NULL, NULL, NULL},
};

static void print_json(const struct lwp_topic_info *topic)
{
    struct json_object *object = json_object_new_object();
    lwp_json_add_number(object, "id", topic->id);
    lwp_json_add_text(object, "name", lwp_bytes_text(topic->name));
    lwp_json_add_number(object, "created_at", topic->created_at);
    lwp_json_add_number(object, "topic_epoch", topic->topic_epoch);
    if (topic->with_retention) {
        lwp_json_add_number(object, "max_age_secs", topic->max_age_secs);
        lwp_json_add_number(object, "max_bytes", topic->max_bytes);
    }
    server_print_json(object);
}

static void print_topic(const struct arguments *arguments, const struct lwp_topic_info *topic)
{
    if (arguments->json) {
        print_json(topic);
        return;
    }
    (void)printf("%" PRIu32 "\t", topic->id);
    text_print(stdout, lwp_bytes_text(topic->name));
    if (topic->with_retention)
        (void)printf("\tmax_age_secs=%" PRIu64 " max_bytes=%" PRIu64, topic->max_age_secs,
                     topic->max_bytes);
    (void)putchar('\n');
}

static enum lwp_status create(const struct arguments *arguments, struct lwp_client *client,
                              const char *word)
{
    struct lwp_topic_info topic;
    const enum lwp_status status =
        arguments->with_retention
            ? lwp_client_create_topic_with_retention(client, word, arguments->max_age_secs,
                                                     arguments->max_bytes, &topic)
            : lwp_client_create_topic(client, word, &topic);
    if (status == LWP_OK)
        print_topic(arguments, &topic);
    return status;
}

static enum lwp_status list(const struct arguments *arguments, struct lwp_client *client,
                            const char *word)
{
    struct lwp_topic_info *topics = NULL;
    size_t count = 0;
    (void)word;
    const enum lwp_status status = lwp_client_list_topics(client, &topics, &count);
    for (size_t i = 0; status == LWP_OK && i < count; i++)
        print_topic(arguments, &topics[i]);
    free(topics);
    return status;
}

static enum lwp_status get(const struct arguments *arguments, struct lwp_client *client,
                           const char *word)
{
    struct lwp_topic_info topic;
    uint32_t id = 0;
    enum lwp_status status = server_topic_id(client, word, &id);
    if (status == LWP_OK)
        status = lwp_client_get_topic(client, id, &topic);
    if (status == LWP_OK)
        print_topic(arguments, &topic);
    return status;
}

static enum lwp_status set_retention(const struct arguments *arguments, struct lwp_client *client,
                                     const char *word)
{
    uint32_t id = 0;
    const enum lwp_status status = server_topic_id(client, word, &id);
    return status == LWP_OK
               ? lwp_client_set_retention(client, id, arguments->max_age_secs, arguments->max_bytes)
               : status;
}

static enum lwp_status delete (const struct arguments *arguments, struct lwp_client *client,
                               const char *word) {
    uint32_t id = 0; (void)arguments;
    const enum lwp_status status = server_topic_id(client, word, &id);
    return status == LWP_OK ? lwp_client_delete_topic(client, id) : status;
}

#define VERSION "lwp " LWP_VERSION_TEXT
#define BEHIND "\n'lwp --help' explains addresses, topics and exit statuses.\n\nExample:\n  "

static const struct topic_command commands[] = {
    {{.name = "lwp topic create",
      .version = VERSION,
      .before = "lwp topic create - make a topic and print its id and name\n\n"
                "Usage: lwp topic create [OPTION]... ADDRESS NAME\n\n",
      .after = BEHIND "lwp topic create --max-age 24h localhost:1992 orders\n",
      .options = {retention_options, json_options, server_options}},
     2,
     create},
    {{.name = "lwp topic list",
      .version = VERSION,
      .before = "lwp topic list - print the id and name of each topic\n\n"
                "Usage: lwp topic list [OPTION]... ADDRESS\n\n",
      .after = BEHIND "lwp topic list --json localhost:1992\n",
      .options = {json_options, server_options}},
     1,
     list},
    {{.name = "lwp topic get",
      .version = VERSION,
      .before = "lwp topic get - print what the server tells of a topic\n\n"
                "Usage: lwp topic get [OPTION]... ADDRESS TOPIC\n\n",
      .after = BEHIND "lwp topic get localhost:1992 orders\n",
      .options = {json_options, server_options}},
     2,
     get},
    {{.name = "lwp topic retention",
      .version = VERSION,
      .before = "lwp topic retention - change how a topic forgets\n\n"
                "Usage: lwp topic retention [OPTION]... ADDRESS TOPIC\n\n",
      .after = "\nBoth limits are set: the one that is not given becomes 0.\n" BEHIND
               "lwp topic retention --max-age 24h --max-bytes 1G localhost:1992 orders\n",
      .options = {retention_options, server_options}},
     2,
     set_retention},
    {{.name = "lwp topic delete",
      .version = VERSION,
      .before = "lwp topic delete - delete a topic with all its records\n\n"
                "Usage: lwp topic delete [OPTION]... ADDRESS TOPIC\n\n",
      .after = BEHIND "lwp topic delete localhost:1992 orders\n",
      .options = {server_options}},
     2,
     delete},
};

static const struct lwp_program program = {
    .name = "lwp topic",
    .version = VERSION,
    .before = "lwp topic - make, look at, change and delete topics\n\n"
              "Usage: lwp topic create ADDRESS NAME\n"
              "       lwp topic list ADDRESS\n"
              "       lwp topic get ADDRESS TOPIC\n"
              "       lwp topic retention ADDRESS TOPIC\n"
              "       lwp topic delete ADDRESS TOPIC\n\n",
    .after = "\nEach has its own --help.\n" BEHIND "lwp topic create localhost:1992 orders\n",
    .options = {NULL},
};

/* What the client does not know is why there is no topic of that name: nobody refused anything. */
static int say_failure(const struct topic_command *command, const struct arguments *arguments,
                       struct lwp_client *client, enum lwp_status status)
{
    struct lwp_details why;
    lwp_client_why(client, &why);
    if (why.status != status)
        why = lwp_details_of(status);
    return server_failed(&command->program, &arguments->server, &why);
}

static int run(const struct topic_command *command, int argc, char **argv)
{
    struct arguments arguments = {.server = server_defaults()};
    struct lwp_client *client = NULL;
    int ended = server_read(&command->program, argc, argv, &arguments, command->words);
    if (ended < 0)
        ended = server_connect(&command->program, &arguments.server, &client);
    if (ended < 0) {
        const enum lwp_status status = command->run(&arguments, client, argv[argc - 1]);
        ended = status == LWP_OK ? server_flush_output(&command->program)
                                 : say_failure(command, &arguments, client, status);
    }
    lwp_client_close(client);
    server_done(&arguments.server);
    return ended;
}

int command_topic(int argc, char **argv)
{
    enum { FRONT = sizeof("lwp topic ") - 1 };
    int rest = 0;
    for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(commands[i].program.name + FRONT, argv[1]) == 0) {
            argv[1] = argv[0];
            return run(&commands[i], argc - 1, argv + 1);
        }
    const int ended = lwp_options_read(&program, argc, argv, NULL, &rest);
    if (ended >= 0)
        return ended;
    return lwp_options_problem(&program, argc > 1 ? "no such command" : "which command?",
                               argc > 1 ? argv[1] : NULL);
}
