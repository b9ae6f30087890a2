/* SPDX-License-Identifier: MIT */
/* A test of a user's client: both libraries in one process, the server from the one, the client from the
 * other. */
#include <lwp/lwp.h>
#include <mock_server/lwpmock.h>
#include <stdio.h>

int main(void)
{
    const char *const none[] = {NULL};
    char problem[LWP_MOCK_PROBLEM_SIZE];
    struct lwp_mock *mock = NULL;
    struct lwp_client *client = NULL;
    if (lwp_mock_new_from(none, &mock, problem) != LWP_OK || lwp_mock_start(mock) != LWP_OK)
        return 2;
    const struct lwp_connect_options options = lwp_connect_defaults(lwp_mock_address(mock, NULL));
    enum lwp_status status = lwp_client_connect(&options, &client, NULL);
    if (status == LWP_OK)
        status = lwp_client_ping(client, NULL);
    printf("mock: %s\n", lwp_status_text(status));
    lwp_client_close(client);
    lwp_mock_free(mock);
    return status == LWP_OK ? 0 : 1;
}
