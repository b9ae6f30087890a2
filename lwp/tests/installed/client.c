/* SPDX-License-Identifier: MIT */
/* What a user writes against the installed library: ci/install builds it in four ways and runs it. */
#include <lwp/lwp.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    const struct lwp_connect_options options = lwp_connect_defaults(argv[1]);
    struct lwp_client *client = NULL;
    struct lwp_topic_info topic = {.id = 0};
    enum lwp_status status = lwp_client_connect(&options, &client, NULL);
    if (status == LWP_OK)
        status = lwp_client_create_topic(client, "installed", &topic);
    if (status == LWP_OK)
        status = lwp_client_delete_topic(client, topic.id);
    printf("%s: %s\n", topic.name, lwp_status_text(status));
    lwp_client_close(client);
    return status == LWP_OK ? 0 : 1;
}
