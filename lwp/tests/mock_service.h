/* SPDX-License-Identifier: MIT */
/* mock_service.h - for tests over TCP: a mock that serves in a thread of this process. */
#ifndef LWP_TESTS_MOCK_SERVICE_H
#define LWP_TESTS_MOCK_SERVICE_H

#include "lwp/tests/support.h"

#include "lwp/client/client.h"
#include "mock_server/mock.h"

struct service {
    struct lwp_mock *mock;
    const char *address;
};

static inline void open_service_with(struct service *service,
                                     const struct lwp_mock_options *options)
{
    assert_int_equal(lwp_mock_new(options, &service->mock), LWP_OK);
    assert_int_equal(lwp_mock_start(service->mock), LWP_OK);
    service->address = lwp_mock_address(service->mock, NULL);
}

static inline void open_service(struct service *service, const struct lwp_dialect *dialect)
{
    const struct lwp_mock_options options = {.dialect = dialect};
    open_service_with(service, &options);
}

static inline void close_service(struct service *service)
{
    lwp_mock_free(service->mock);
}

/** Makes the first topic: its id is 1. */
static inline void make_topic(struct service *service)
{
    struct lwp_client *client = NULL;
    struct lwp_topic_info topic;
    const struct lwp_connect_options options = lwp_connect_defaults(service->address);
    assert_int_equal(lwp_client_connect(&options, &client, NULL), LWP_OK);
    assert_int_equal(lwp_client_create_topic(client, "records", &topic), LWP_OK);
    assert_int_equal(topic.id, 1);
    lwp_client_close(client);
}

#endif
