/* SPDX-License-Identifier: MIT */
/* The dialect `auto`: each connection is answered as its first header speaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lwp/net/link.h"
#include "lwp/wire/message.h"
#include "mock_server/mock.h"

/* Asks for a topic that does not exist, and returns the first character of the error. */
static char first_of_error(struct lwp_mock_world *world, const struct lwp_dialect *dialect)
{
    const struct lwp_session_options options = {
        .role = LWP_CLIENT, .dialect = dialect, .max_payload = 65536};
    static const uint8_t id[] = {0xe7, 3, 0, 0};
    struct lwp_link link;
    struct lwp_transport *transport = NULL;
    struct lwp_frame frame =
        lwp_message_frame(LWP_COMMAND_GET_TOPIC, (struct lwp_bytes){id, sizeof(id)});
    assert_int_equal(lwp_world_connect(&world->world, LWP_NEVER, &transport), LWP_OK);
    lwp_link_init(&link, &options, transport, 65536, 0);
    assert_int_equal(lwp_link_send(&link, &frame, 0, 0), LWP_OK);
    assert_int_equal(lwp_link_write(&link), LWP_OK);
    while (lwp_link_read(&link, 0) == LWP_WOULD_BLOCK)
        lwp_world_wait(&world->world, &transport, 1, world->now_ns + 1);
    assert_int_equal(lwp_session_receive(&link.session, &frame, 0), LWP_OK);
    assert_int_equal(frame.header.batch_id, LWP_COMMAND_ERROR_RESPONSE);
    const char first = (char)frame.payload.data[0];
    lwp_link_done(&link);
    return first;
}

static void each_connection_is_answered_in_the_dialect_of_its_first_header(void **state)
{
    (void)state;
    const struct lwp_mock_options options = {.dialect = NULL};
    struct lwp_mock_world world;
    struct lwp_mock *mock = NULL;
    assert_int_equal(lwp_mock_new(&options, &mock), LWP_OK);
    lwp_mock_world_init(&world, mock);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(first_of_error(&world, &lwp_dialect_lance), 'T');
        assert_int_equal(first_of_error(&world, &lwp_dialect_spec), '{');
    }
    lwp_mock_free(mock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_connection_is_answered_in_the_dialect_of_its_first_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
