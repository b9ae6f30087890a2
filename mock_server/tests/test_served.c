/* SPDX-License-Identifier: MIT */
/* What the options of a server look like from a connection. */
#include "lwp/tests/support.h"

#include "lwp/bug/bug.h"
#include "lwp/net/clock.h"
#include "lwp/net/link.h"
#include "lwp/wire/tlv.h"
#include "mock_server/mock_state.h"

enum { OUT_LIMIT = 1048576 };

static const struct lwp_dialect *const dialect = &lwp_dialect_lance;

/* A client of a mock, on a clock that it moves. */
struct client {
    struct lwp_mock *mock;
    struct lwp_mock_world world;
    struct lwp_link link;
    struct lwp_frame frame; /* The last one that came. */
};

static void client_connect(struct client *client)
{
    const struct lwp_session_options options = {
        .role = LWP_CLIENT, .dialect = dialect, .max_payload = LWP_MAX_PAYLOAD_DEFAULT};
    struct lwp_transport *transport = NULL;
    assert_int_equal(lwp_world_connect(&client->world.world, LWP_NEVER, &transport), LWP_OK);
    lwp_link_init(&client->link, &options, transport, OUT_LIMIT, client->world.now_ns);
}

static void client_begin(struct client *client, struct lwp_broker_options options)
{
    const struct lwp_mock_options mock = {.dialect = dialect, .broker = options};
    assert_int_equal(lwp_mock_new(&mock, &client->mock), LWP_OK);
    lwp_mock_world_init(&client->world, client->mock);
    client_connect(client);
}

static void client_end(struct client *client)
{
    lwp_link_done(&client->link);
    lwp_mock_free(client->mock);
}

/* Queues a frame; what is queued goes out in one write. */
static void say(struct client *client, struct lwp_frame frame)
{
    lwp_frame_seal(&frame, dialect->polynomial, 0);
    assert_int_equal(lwp_link_send(&client->link, &frame, 0, client->world.now_ns), LWP_OK);
}

static void say_message(struct client *client, struct lwp_message message)
{
    uint8_t payload[256];
    struct lwp_writer out = lwp_writer_on(payload, sizeof(payload));
    assert_int_equal(lwp_message_encode(&message, &out), LWP_OK);
    say(client, lwp_message_frame(message.command, lwp_writer_bytes(&out)));
}

static void say_ingest(struct client *client, uint64_t batch_id)
{
    struct lwp_frame frame = frame_of(LWP_FLAG_BATCH, bytes_of("\x01\x01\0\0\0x", 6));
    frame.header.batch_id = batch_id;
    frame.header.record_count = 1;
    frame.header.topic_id = 1;
    say(client, frame);
}

static void say_fetch(struct client *client)
{
    say_message(client, (struct lwp_message){
                            .command = LWP_COMMAND_FETCH, .topic_id = 1, .max_bytes = 100});
}

/* Writes, lets the mock work, and takes the next frame: LWP_OK, LWP_MORE if there is none, or how
 * the connection ended. */
static enum lwp_status hear(struct client *client)
{
    struct lwp_link *link = &client->link;
    (void)lwp_link_write(link);
    while (lwp_mock_step(client->mock, client->world.now_ns))
        continue;
    (void)lwp_link_read(link, client->world.now_ns);
    const enum lwp_status status =
        lwp_session_receive(&link->session, &client->frame, client->world.now_ns);
    return status == LWP_MORE && link->read_status != LWP_OK ? link->read_status : status;
}

static void assert_control(struct client *client, uint8_t command)
{
    assert_int_equal(hear(client), LWP_OK);
    assert_int_equal(client->frame.header.flags, LWP_FLAG_CONTROL);
    assert_int_equal(client->frame.header.batch_id, command);
}

static void assert_ack(struct client *client, uint64_t batch_id)
{
    assert_int_equal(hear(client), LWP_OK);
    assert_int_equal(client->frame.header.flags, LWP_FLAG_ACK);
    assert_int_equal(client->frame.header.batch_id, batch_id);
}

static void create(struct client *client)
{
    say_message(client, (struct lwp_message){.command = LWP_COMMAND_CREATE_TOPIC_WITH_RETENTION,
                                             .name = lwp_bytes_text("a"),
                                             .max_age_secs = 100});
    assert_control(client, LWP_COMMAND_TOPIC_RESPONSE);
}

static const struct lwp_token token = {"sekret", "alice"};

static void offer(struct client *client, const char *text)
{
    say_message(client, (struct lwp_message){.command = LWP_COMMAND_AUTHENTICATE,
                                             .token = lwp_bytes_text(text)});
    assert_control(client, LWP_COMMAND_AUTHENTICATE_RESPONSE);
}

static void one_wrong_token_too_many_ends_the_connection(void **state)
{
    (void)state;
    struct client client;
    client_begin(&client, (struct lwp_broker_options){.auth = {.enabled = true,
                                                               .strict = true,
                                                               .tokens = &token,
                                                               .token_count = 1,
                                                               .max_failures = 2}});
    offer(&client, "wrong");
    offer(&client, "wrong again");
    assert_int_equal(hear(&client), LWP_CLOSED);
    lwp_link_done(&client.link);
    client_connect(&client);
    say(&client, frame_of(LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0)));
    assert_int_equal(hear(&client), LWP_OK);
    assert_int_equal(client.frame.header.flags, LWP_FLAG_KEEPALIVE);
    say_fetch(&client);
    assert_control(&client, LWP_COMMAND_ERROR_RESPONSE);
    offer(&client, "sekret");
    create(&client);
    client_end(&client);
}

static void a_token_counts_from_the_next_frame_of_the_batch_on(void **state)
{
    (void)state;
    struct client client;
    client_begin(&client, (struct lwp_broker_options){
                              .auth = {.enabled = true, .tokens = &token, .token_count = 1}});
    create(&client);
    say_ingest(&client, 1);
    say_message(&client, (struct lwp_message){.command = LWP_COMMAND_AUTHENTICATE,
                                              .token = lwp_bytes_text("sekret")});
    say_ingest(&client, 2);
    assert_control(&client, LWP_COMMAND_ERROR_RESPONSE);
    assert_control(&client, LWP_COMMAND_AUTHENTICATE_RESPONSE);
    assert_ack(&client, 2);
    client_end(&client);
}

static void a_refused_ingest_leaves_the_connection_open(void **state)
{
    (void)state;
    static const struct lwp_access lists[] = {{"*", "a", true, true}, {"alice", "*", true, true}};
    struct client client;
    client_begin(&client, (struct lwp_broker_options){.access = lists, .access_count = 1});
    create(&client);
    say_ingest(&client, 1);
    assert_ack(&client, 1);
    struct lwp_frame denied = frame_of(LWP_FLAG_BATCH, bytes_of("\x01\0\0\0\0", 5));
    say(&client, denied);
    assert_control(&client, LWP_COMMAND_ERROR_RESPONSE);
    assert_bytes_equal(
        client.frame.payload,
        lwp_bytes_text("Access denied: client 'anonymous' not authorized for topic 0"));
    say_ingest(&client, 2);
    assert_ack(&client, 2);
    client_end(&client);
}

static void retention_runs_on_the_clock_of_the_mock(void **state)
{
    (void)state;
    struct client client;
    client_begin(&client, (struct lwp_broker_options){.segment_size = 6});
    create(&client);
    say_ingest(&client, 1);
    assert_ack(&client, 1);
    client.world.now_ns = 119 * LWP_SECOND_NS;
    say_fetch(&client);
    assert_control(&client, LWP_COMMAND_FETCH_RESPONSE);
    client.world.now_ns = 120 * LWP_SECOND_NS;
    say_fetch(&client);
    assert_control(&client, LWP_COMMAND_ERROR_RESPONSE);
    client_end(&client);
}

static void the_rate_limit_runs_on_the_clock_of_the_mock(void **state)
{
    (void)state;
    struct client client;
    client_begin(&client, (struct lwp_broker_options){.rate_limit = 100});
    create(&client);
    say_fetch(&client);
    assert_control(&client, LWP_COMMAND_FETCH_RESPONSE);
    say_fetch(&client);
    assert_control(&client, LWP_COMMAND_ERROR_RESPONSE);
    client.world.now_ns += 10 * LWP_MILLISECOND_NS;
    say_fetch(&client);
    assert_control(&client, LWP_COMMAND_FETCH_RESPONSE);
    client_end(&client);
}

/* Two good ingests and, in the same write, a header with a wrong version. */
static void say_good_and_bad(struct client *client)
{
    say_ingest(client, 1);
    say_ingest(client, 2);
    uint8_t header[LWP_HEADER_SIZE] = {0};
    assert_int_equal(lwp_link_push(&client->link, bytes_of(header, sizeof(header)), 0), LWP_OK);
}

static void with_b14_a_bad_frame_leaves_ingests_in_flight(void **state)
{
    (void)state;
    for (int with = 0; with < 2; with++) {
        struct client client;
        client_begin(&client, (struct lwp_broker_options){
                                  .quirks = with ? lwp_quirk_bit(LWP_QUIRK_B14) : 0});
        create(&client);
        say_good_and_bad(&client);
        assert_int_equal(hear(&client), LWP_CLOSED);
        assert_int_equal(lwp_broker_in_flight(client.mock->broker), with ? 2 : 0);
        lwp_link_done(&client.link);
        client.world.now_ns += LWP_SECOND_NS;
        client_connect(&client);
        say_fetch(&client);
        assert_control(&client, LWP_COMMAND_FETCH_RESPONSE);
        assert_int_equal(client.frame.payload.size, 16 + 12);
        client_end(&client);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(one_wrong_token_too_many_ends_the_connection),
    cmocka_unit_test(a_token_counts_from_the_next_frame_of_the_batch_on),
    cmocka_unit_test(a_refused_ingest_leaves_the_connection_open),
    cmocka_unit_test(retention_runs_on_the_clock_of_the_mock),
    cmocka_unit_test(the_rate_limit_runs_on_the_clock_of_the_mock),
    cmocka_unit_test(with_b14_a_bad_frame_leaves_ingests_in_flight),
};

int main(void)
{
    return cmocka_run_group_tests_name("served", tests, NULL, NULL);
}
