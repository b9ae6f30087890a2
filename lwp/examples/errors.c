/* SPDX-License-Identifier: MIT */
/* What goes wrong: a status that says whether trying again can help, and details from the server. */
#include "example.h"

static void explain(const char *what, const struct lwp_details *why)
{
    (void)printf("%s: %s (%s)", what, lwp_status_name(why->status), lwp_status_text(why->status));
    if (why->text[0])
        (void)printf("; the server says: %s", why->text);
    if (why->leader[0])
        (void)printf("; the leader is %s", why->leader);
    (void)printf("; trying again %s\n",
                 lwp_status_is_retryable(why->status) ? "can help" : "does not help");
}

int main(int argc, char **argv)
{
    const char *address = example_address(argc, argv);
    const struct lwp_connect_options options = lwp_connect_defaults(address);
    struct lwp_connect_options nowhere = lwp_connect_defaults("127.0.0.1:1");
    struct lwp_client *client = NULL;
    struct lwp_topic_info topic;
    struct lwp_details why;

    nowhere.connect_timeout_ms = 1000;
    if (lwp_client_connect(&nowhere, &client, &why) == LWP_OK)
        return EXIT_FAILURE;
    explain("connecting to nowhere", &why);

    must(lwp_client_connect(&options, &client, &why), "connect");
    if (lwp_client_get_topic(client, 4000000000, &topic) == LWP_OK)
        return EXIT_FAILURE;
    lwp_client_why(client, &why);
    explain("getting a topic that is not there", &why);

    /* A refusal leaves the connection as it is. */
    must(lwp_client_ping(client, NULL), "ping");
    lwp_client_close(client);
    return why.status == LWP_TOPIC_NOT_FOUND ? EXIT_SUCCESS : EXIT_FAILURE;
}
