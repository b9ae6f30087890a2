/* SPDX-License-Identifier: MIT */
/* mock_service.h - for tests over TCP: a mock that serves in a thread of this process. */
#ifndef LWP_TESTS_MOCK_SERVICE_H
#define LWP_TESTS_MOCK_SERVICE_H

#include "lwp/tests/support.h"

#include <pthread.h>

#include "lwp/client/client.h"
#include "mock_server/mock.h"

struct service {
    struct lwp_mock *mock;
    int listener;
    int stop[2];
    pthread_t thread;
    char address[LWP_ADDRESS_SIZE];
};

static inline void *serve(void *argument)
{
    struct service *service = argument;
    assert_int_equal(lwp_mock_serve(service->mock, service->listener, service->stop[0]), LWP_OK);
    return NULL;
}

static inline void open_service(struct service *service, const struct lwp_dialect *dialect)
{
    const struct lwp_mock_options options = {.dialect = dialect};
    const struct lwp_address any = {"127.0.0.1", "0"};
    assert_int_equal(lwp_mock_new(&options, &service->mock), LWP_OK);
    assert_int_equal(lwp_tcp_listen(&any, &service->listener, service->address), LWP_OK);
    assert_int_equal(pipe(service->stop), 0);
    assert_int_equal(pthread_create(&service->thread, NULL, serve, service), 0);
}

static inline void close_service(struct service *service)
{
    assert_int_equal(write(service->stop[1], "", 1), 1);
    assert_int_equal(pthread_join(service->thread, NULL), 0);
    close(service->stop[0]);
    close(service->stop[1]);
    close(service->listener);
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
