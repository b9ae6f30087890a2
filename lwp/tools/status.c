/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <json-c/json.h>

#include "lwp/json/members.h"
#include "lwp/tools/server.h"

struct arguments {
    struct server server; /* First, so that the rows of its options find it. */
    bool json;
};

static const char *take_json(void *into, const char *value)
{
    (void)value;
    ((struct arguments *)into)->json = true;
    return NULL;
}

static const struct lwp_option options[] = {
    {"json", NULL, "as one JSON object", take_json},
    {NULL, NULL, NULL, NULL},
};

static const struct lwp_program program = {
    .name = "lwp status",
    .version = "lwp " LWP_VERSION_TEXT,
    .before = "lwp status - how does the cluster stand?\n"
              "\n"
              "Usage: lwp status [OPTION]... ADDRESS\n"
              "\n",
    .after = "\n"
             "Prints what the server tells, a line each. 'lwp --help' explains addresses and exit\n"
             "statuses.\n"
             "\n"
             "Example:\n"
             "  lwp status --json localhost:1992\n",
    .options = {options, server_options},
};

static const char *yes_or_no(bool yes)
{
    return yes ? "yes" : "no";
}

static void print_text(const struct lwp_cluster_info *status)
{
    (void)printf("node              %" PRIu64 "\n", status->node_id);
    (void)printf("is leader         %s\n", yes_or_no(status->is_leader));
    if (status->has_leader)
        (void)printf("leader            %" PRIu64 "\n", status->leader_id);
    else
        (void)puts("leader            none");
    (void)printf("term              %" PRIu64 "\n", status->current_term);
    (void)printf("nodes             %" PRIu64 "\n", status->node_count);
    (void)printf("healthy nodes     %" PRIu64 "\n", status->healthy_nodes);
    (void)printf("quorum            %s\n", yes_or_no(status->quorum_available));
}

static void print_json(const struct lwp_cluster_info *status)
{
    struct json_object *object = json_object_new_object();
    lwp_json_add_number(object, "node_id", status->node_id);
    lwp_json_add_flag(object, "is_leader", status->is_leader);
    if (status->has_leader)
        lwp_json_add_number(object, "leader_id", status->leader_id);
    lwp_json_add_number(object, "current_term", status->current_term);
    lwp_json_add_number(object, "node_count", status->node_count);
    lwp_json_add_number(object, "healthy_nodes", status->healthy_nodes);
    lwp_json_add_flag(object, "quorum_available", status->quorum_available);
    server_print_json(object);
}

static int show(const struct arguments *arguments, struct lwp_client *client)
{
    struct lwp_cluster_info status;
    if (lwp_client_cluster_status(client, &status) != LWP_OK)
        return server_refused(&program, &arguments->server, client);
    if (arguments->json)
        print_json(&status);
    else
        print_text(&status);
    return server_flush_output(&program);
}

int command_status(int argc, char **argv)
{
    struct arguments arguments = {.server = server_defaults()};
    struct lwp_client *client = NULL;
    int ended = server_read(&program, argc, argv, &arguments, 1);
    if (ended < 0)
        ended = server_connect(&program, &arguments.server, &client);
    if (ended < 0)
        ended = show(&arguments, client);
    lwp_client_close(client);
    server_done(&arguments.server);
    return ended;
}
