/* SPDX-License-Identifier: MIT */
#include "lwp/tests/fake_server.h"
#include "lwp/tests/mock_service.h"

#include <poll.h>
#include <pthread.h>

#include "lwp/net/clock.h"

#define MS LWP_MILLISECOND_NS

static const struct lwp_dialect *const dialect = &lwp_dialect_lance;

/* A client of a mock in the same process. */
struct pair {
    struct lwp_mock *mock;
    struct lwp_mock_world world;
    struct lwp_network network;
    struct lwp_client *client;
};

static void open_pair(struct pair *pair, const struct lwp_dialect *spoken, const char *token)
{
    const struct lwp_mock_options options = {.dialect = spoken, .auth_token = token};
    assert_int_equal(lwp_mock_new(&options, &pair->mock), LWP_OK);
    lwp_mock_world_init(&pair->world, pair->mock);
    pair->network = (struct lwp_network){world_dial, &pair->world.world};
    struct lwp_connect_options connect = lwp_connect_defaults("mock");
    connect.dialect = spoken;
    connect.token = token;
    connect.caller_driven = true;
    connect.network = &pair->network;
    connect.world = &pair->world.world;
    assert_int_equal(lwp_client_connect(&connect, &pair->client, NULL), LWP_OK);
}

static void close_pair(struct pair *pair)
{
    lwp_client_close(pair->client);
    lwp_mock_free(pair->mock);
}

static void every_request_works_in_every_dialect(void **state)
{
    (void)state;
    for (size_t d = 0; lwp_dialects[d]; d++) {
        struct pair pair;
        struct lwp_topic_info first, second, *topics = NULL;
        struct lwp_cluster_info cluster;
        size_t count = 0;
        uint64_t offset = 0, round_trip_ns = 1;
        open_pair(&pair, lwp_dialects[d], NULL);
        assert_int_equal(lwp_client_list_topics(pair.client, &topics, &count), LWP_OK);
        assert_null(topics);
        assert_int_equal(count, 0);
        assert_int_equal(lwp_client_create_topic(pair.client, "orders", &first), LWP_OK);
        assert_true(first.id > 0);
        assert_string_equal(first.name, "orders");
        assert_int_equal(lwp_client_create_topic(pair.client, "orders", &second), LWP_TOPIC_EXISTS);
        assert_int_equal(
            lwp_client_create_topic_with_retention(pair.client, "kept", 3600, 1 << 30, &second),
            LWP_OK);
        assert_true(second.with_retention);
        assert_int_equal(second.max_age_secs, 3600);
        assert_int_equal(second.max_bytes, 1 << 30);
        assert_int_equal(lwp_client_get_topic(pair.client, first.id, &second), LWP_OK);
        assert_string_equal(second.name, "orders");
        assert_int_equal(lwp_client_set_retention(pair.client, first.id, 60, 0), LWP_OK);
        assert_int_equal(lwp_client_list_topics(pair.client, &topics, &count), LWP_OK);
        assert_int_equal(count, 2);
        free(topics);
        assert_int_equal(lwp_client_ping(pair.client, &round_trip_ns), LWP_OK);
        assert_int_equal(round_trip_ns, 0);
        assert_int_equal(lwp_client_cluster_status(pair.client, &cluster), LWP_OK);
        assert_int_equal(cluster.node_count, 1);
        assert_int_equal(lwp_client_commit_offset(pair.client, first.id, 42, 1000), LWP_OK);
        assert_int_equal(lwp_client_subscribe(pair.client, first.id, 0, 42, &offset), LWP_OK);
        assert_int_equal(offset, 1000);
        assert_int_equal(lwp_client_unsubscribe(pair.client, first.id, 42), LWP_OK);
        assert_int_equal(lwp_client_delete_topic(pair.client, first.id), LWP_OK);
        assert_int_equal(lwp_client_get_topic(pair.client, first.id, &second), LWP_TOPIC_NOT_FOUND);
        struct lwp_details why;
        lwp_client_why(pair.client, &why);
        assert_int_equal(why.status, LWP_TOPIC_NOT_FOUND);
        assert_true(why.text[0] != '\0');
        close_pair(&pair);
    }
}

/* B-14. */
static void a_token_is_shown_on_every_connection(void **state)
{
    struct pair pair;
    (void)state;
    open_pair(&pair, dialect, "secret");
    assert_int_equal(lwp_client_ping(pair.client, NULL), LWP_OK);
    assert_int_equal(lwp_client_authenticate(pair.client, "secret"), LWP_OK);
    assert_int_equal(lwp_client_authenticate(pair.client, "wrong"), LWP_AUTH_FAILED);
    close_pair(&pair);
    const struct lwp_mock_options options = {.dialect = dialect, .auth_token = "secret"};
    struct lwp_mock *mock = NULL;
    struct lwp_mock_world world;
    struct lwp_client *client = NULL;
    struct lwp_details why;
    assert_int_equal(lwp_mock_new(&options, &mock), LWP_OK);
    lwp_mock_world_init(&world, mock);
    const struct lwp_network network = {world_dial, &world.world};
    struct lwp_connect_options connect = lwp_connect_defaults("mock");
    connect.token = "wrong";
    connect.caller_driven = true;
    connect.network = &network;
    connect.world = &world.world;
    assert_int_equal(lwp_client_connect(&connect, &client, &why), LWP_AUTH_FAILED);
    assert_int_equal(why.status, LWP_AUTH_FAILED);
    assert_null(client);
    lwp_mock_free(mock);
}

/* What the played servers know. */
struct play {
    unsigned heard;
    uint64_t delay_ns;
    struct lwp_link *late_link;
    uint64_t late_at_ns;
    uint32_t late_id;
};

static void tell_topic(struct fake *fake, struct lwp_link *link, uint32_t id)
{
    char text[64];
    (void)snprintf(text, sizeof(text), "{\"id\":%u,\"name\":\"t%u\"}", id, id);
    fake_tell(
        fake, link,
        (struct lwp_message){.command = LWP_COMMAND_TOPIC_RESPONSE, .json = lwp_bytes_text(text)});
}

static struct lwp_client *client_of(struct fake *fake)
{
    struct lwp_client *client = NULL;
    const struct lwp_connect_options options = fake_options(fake);
    assert_int_equal(lwp_client_connect(&options, &client, NULL), LWP_OK);
    return client;
}

static void answer_all(struct fake *fake, struct lwp_link *link, const struct lwp_frame *frame)
{
    if (frame->header.flags == LWP_FLAG_KEEPALIVE)
        fake_send(fake, link, (struct lwp_frame){.header = {.flags = LWP_FLAG_KEEPALIVE}});
    else
        tell_topic(fake, link, (uint32_t)fake_message(frame).topic_id);
}

/* The answer to the first question comes after its time-out. */
static void answer_late(struct fake *fake, struct lwp_link *link, const struct lwp_frame *frame)
{
    struct play *play = fake->own;
    if (play->heard++)
        answer_all(fake, link, frame);
}

static void send_late_answer(struct fake *fake)
{
    struct play *play = fake->own;
    if (fake->now_ns < fake->next_ns || !play->heard || play->late_id == 0)
        return;
    play->late_id = 0;
    if (fake->links[0].transport)
        tell_topic(fake, &fake->links[0], 1);
}

/* B-05: the published clients read it as the answer to the next question. */
static void a_late_answer_is_nobody_s(void **state)
{
    struct play play = {.late_id = 1};
    struct fake *fake = fake_new(dialect, answer_late);
    struct lwp_topic_info topic;
    (void)state;
    fake->own = &play;
    fake->idle = send_late_answer;
    fake->next_ns = 31 * LWP_SECOND_NS;
    struct lwp_client *client = client_of(fake);
    assert_int_equal(lwp_client_get_topic(client, 1, &topic), LWP_TIMEOUT);
    assert_int_equal(fake->now_ns, 1 * MS + 30 * LWP_SECOND_NS);
    assert_int_equal(lwp_client_get_topic(client, 2, &topic), LWP_OK);
    assert_int_equal(topic.id, 2);
    assert_int_equal(fake->count, 2);
    lwp_client_close(client);
    fake_free(fake);
}

static void answer_another(struct fake *fake, struct lwp_link *link, const struct lwp_frame *frame)
{
    struct play *play = fake->own;
    tell_topic(fake, link, (uint32_t)fake_message(frame).topic_id + (play->heard++ == 0));
}

static void an_answer_about_another_topic_is_not_taken(void **state)
{
    struct play play = {.heard = 0};
    struct fake *fake = fake_new(dialect, answer_another);
    struct lwp_topic_info topic;
    (void)state;
    fake->own = &play;
    struct lwp_client *client = client_of(fake);
    assert_int_equal(lwp_client_get_topic(client, 1, &topic), LWP_UNEXPECTED_FRAME);
    assert_int_equal(lwp_client_get_topic(client, 1, &topic), LWP_OK);
    assert_int_equal(fake->count, 2);
    lwp_client_close(client);
    fake_free(fake);
}

/* One byte every 100 ms: each read is in time, the whole is not (B-08). */
static void drip(struct fake *fake)
{
    static const uint8_t head[LWP_HEADER_SIZE] = {0x4c, 0x41, 0x4e, 0x43, 1, 0x40, 0, 0, 0x26};
    struct play *play = fake->own;
    if (!play->heard || fake->now_ns < fake->next_ns || !fake->links[0].transport)
        return;
    (void)lwp_link_push(&fake->links[0],
                        bytes_of(head + (play->late_id < 8 ? play->late_id : 8), 1), fake->now_ns);
    play->late_id += play->late_id < 8;
    fake->next_ns = fake->now_ns + 100 * MS;
}

static void only_listen(struct fake *fake, struct lwp_link *link, const struct lwp_frame *frame)
{
    (void)link;
    (void)frame;
    ((struct play *)fake->own)->heard++;
    fake->next_ns = fake->now_ns;
}

static void a_slow_drip_does_not_stretch_the_deadline(void **state)
{
    struct play play = {.heard = 0};
    struct fake *fake = fake_new(dialect, only_listen);
    struct lwp_topic_info topic;
    (void)state;
    fake->own = &play;
    fake->idle = drip;
    struct lwp_client *client = client_of(fake);
    const enum lwp_status status = lwp_client_get_topic(client, 1, &topic);
    assert_true(status == LWP_TIMEOUT || status == LWP_HEADER_CHECKSUM);
    assert_true(fake->now_ns <= 1 * MS + 30 * LWP_SECOND_NS);
    lwp_client_close(client);
    fake_free(fake);
}

/* What comes although nobody asked, and what must come of it. */
struct intrusion {
    struct lwp_frame frame;
    size_t connections; /* After it and one request. */
};

static void intrude(struct fake *fake)
{
    struct intrusion *intrusion = fake->own;
    if (intrusion && fake->links[0].transport)
        fake_send(fake, &fake->links[0], intrusion->frame);
    fake->own = NULL;
}

/* B-05, B-06, P-05. */
static void unsolicited_frames_are_never_taken_for_answers(void **state)
{
    static const uint8_t payload[] = "{\"id\":9,\"name\":\"t9\"}";
    struct intrusion intrusions[] = {
        {frame_of(LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0)), 1},
        {frame_of(LWP_FLAG_BACKPRESSURE, bytes_of(NULL, 0)), 1},
        {frame_of(LWP_FLAG_BACKPRESSURE, bytes_of("payload", 7)), 1},
        {frame_of(LWP_FLAG_ACK, bytes_of(NULL, 0)), 2},
        {lwp_message_frame(LWP_COMMAND_TOPIC_RESPONSE, bytes_of(payload, sizeof(payload) - 1)), 2},
        {lwp_message_frame(0x55, bytes_of("x", 1)), 2},
        {frame_of(LWP_FLAG_BATCH, bytes_of("x", 1)), 2},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(intrusions); i++) {
        struct fake *fake = fake_new(dialect, answer_all);
        struct lwp_topic_info topic;
        struct lwp_client *client = client_of(fake);
        fake->own = &intrusions[i];
        fake->idle = intrude;
        /* Time for it to come, without a question. */
        for (int n = 0; n < 4; n++) {
            lwp_world_wait(&fake->world, NULL, 0, fake->now_ns);
            lwp_client_process(client);
        }
        assert_int_equal(lwp_client_get_topic(client, 3, &topic), LWP_OK);
        assert_int_equal(topic.id, 3);
        assert_int_equal(fake->count, intrusions[i].connections);
        lwp_client_close(client);
        fake_free(fake);
    }
}

static void speak_garbage(struct fake *fake, struct lwp_link *link, const struct lwp_frame *frame)
{
    struct play *play = fake->own;
    if (play->heard++)
        answer_all(fake, link, frame);
    else
        assert_int_equal(lwp_link_push(link,
                                       bytes_of("HTTP/1.1 400 Bad Request\r\n"
                                                "Content-Length: 0\r\n\r\n........",
                                                55),
                                       fake->now_ns),
                         LWP_OK);
}

/* B-04: the published clients keep the poisoned connection. */
static void damage_on_the_wire_ends_the_connection_and_not_the_client(void **state)
{
    struct play play = {.heard = 0};
    struct fake *fake = fake_new(dialect, speak_garbage);
    struct lwp_topic_info topic;
    (void)state;
    fake->own = &play;
    struct lwp_client *client = client_of(fake);
    assert_int_equal(lwp_client_get_topic(client, 1, &topic), LWP_INVALID_MAGIC);
    assert_int_equal(lwp_client_get_topic(client, 1, &topic), LWP_OK);
    assert_int_equal(fake->count, 2);
    lwp_client_close(client);
    fake_free(fake);
}

static void close_first(struct fake *fake, struct lwp_link *link, const struct lwp_frame *frame)
{
    struct play *play = fake->own;
    if (play->heard++)
        answer_all(fake, link, frame);
    else
        fake_close(link);
}

static void a_lost_connection_fails_the_request_and_is_made_anew(void **state)
{
    struct play play = {.heard = 0};
    struct fake *fake = fake_new(dialect, close_first);
    struct lwp_topic_info topic;
    (void)state;
    fake->own = &play;
    struct lwp_client *client = client_of(fake);
    assert_int_equal(lwp_client_get_topic(client, 1, &topic), LWP_CLOSED);
    assert_int_equal(lwp_client_get_topic(client, 1, &topic), LWP_OK);
    /* The first wait. */
    assert_int_equal(fake->now_ns, 101 * MS);
    lwp_client_close(client);
    fake_free(fake);
}

static void without_reconnect_a_lost_connection_stays_lost(void **state)
{
    struct play play = {.heard = 0};
    struct fake *fake = fake_new(dialect, close_first);
    struct lwp_connect_options options = fake_options(fake);
    struct lwp_client *client = NULL;
    (void)state;
    fake->own = &play;
    options.reconnect = false;
    assert_int_equal(lwp_client_connect(&options, &client, NULL), LWP_OK);
    assert_int_equal(lwp_client_delete_topic(client, 1), LWP_CLOSED);
    assert_int_equal(lwp_client_delete_topic(client, 1), LWP_CLOSED);
    assert_int_equal(fake->count, 1);
    lwp_client_close(client);
    fake_free(fake);
}

static void a_server_that_is_gone_is_told_at_once(void **state)
{
    struct play play = {.heard = 0};
    struct fake *fake = fake_new(dialect, close_first);
    struct lwp_topic_info topic;
    (void)state;
    fake->own = &play;
    struct lwp_client *client = client_of(fake);
    fake->refuse = 2;
    assert_int_equal(lwp_client_get_topic(client, 1, &topic), LWP_CLOSED);
    assert_int_equal(lwp_client_get_topic(client, 1, &topic), LWP_REFUSED);
    assert_int_equal(lwp_client_get_topic(client, 1, &topic), LWP_REFUSED);
    assert_int_equal(lwp_client_get_topic(client, 1, &topic), LWP_OK);
    assert_int_equal(fake->now_ns, (1 + 100 + 200 + 400) * MS);
    lwp_client_close(client);
    fake_free(fake);
}

static void the_first_connection_is_not_retried(void **state)
{
    struct fake *fake = fake_new(dialect, answer_all);
    const struct lwp_connect_options options = fake_options(fake);
    struct lwp_client *client = NULL;
    struct lwp_details why;
    (void)state;
    fake->refuse = 1;
    assert_int_equal(lwp_client_connect(&options, &client, &why), LWP_REFUSED);
    assert_int_equal(why.status, LWP_REFUSED);
    assert_null(client);
    fake_free(fake);
}

/* Whoever is not "leader:1" sends us on. */
static void redirect_to_leader(struct fake *fake, struct lwp_link *link,
                               const struct lwp_frame *frame)
{
    const size_t index = (size_t)(link - fake->links);
    if (strcmp(fake->addresses[index], "leader:1") == 0)
        answer_all(fake, link, frame);
    else if (strcmp(fake->addresses[index], "node:1") == 0)
        fake_error(fake, link,
                   "{\"code\":32,\"message\":\"Not the leader\","
                   "\"details\":{\"leader_addr\":\"leader:1\"}}");
    else
        fake_error(fake, link, "NOT_LEADER: redirect to node:1");
}

/* B-10. */
static void redirects_are_followed_to_the_leader(void **state)
{
    struct fake *fake = fake_new(dialect, redirect_to_leader);
    struct lwp_topic_info topic;
    (void)state;
    struct lwp_client *client = client_of(fake);
    assert_int_equal(lwp_client_get_topic(client, 1, &topic), LWP_OK);
    assert_int_equal(fake->count, 3);
    assert_int_equal(lwp_client_get_topic(client, 2, &topic), LWP_OK);
    assert_int_equal(fake->count, 3);
    assert_int_equal(fake_open_count(fake), 1);
    lwp_client_close(client);
    fake_free(fake);
}

static void redirect_in_circles(struct fake *fake, struct lwp_link *link,
                                const struct lwp_frame *frame)
{
    const bool at_a = strcmp(fake->addresses[link - fake->links], "a:1") == 0;
    (void)frame;
    fake_error(fake, link, at_a ? "NOT_LEADER: redirect to b:1" : "NOT_LEADER: redirect to a:1");
}

static void redirects_in_circles_are_an_error(void **state)
{
    struct fake *fake = fake_new(dialect, redirect_in_circles);
    struct lwp_topic_info topic;
    struct lwp_details why;
    (void)state;
    struct lwp_client *client = client_of(fake);
    assert_int_equal(lwp_client_get_topic(client, 1, &topic), LWP_NOT_LEADER);
    lwp_client_why(client, &why);
    assert_string_equal(why.leader, "a:1");
    assert_int_equal(fake->count, 3);
    lwp_client_close(client);
    fake_free(fake);
}

static void count_keepalives(struct fake *fake, struct lwp_link *link,
                             const struct lwp_frame *frame)
{
    if (frame->header.flags == LWP_FLAG_KEEPALIVE)
        ((struct play *)fake->own)->heard++;
    answer_all(fake, link, frame);
}

static void an_idle_client_keeps_its_connection_alive(void **state)
{
    struct play play = {.heard = 0};
    struct fake *fake = fake_new(dialect, count_keepalives);
    (void)state;
    fake->own = &play;
    struct lwp_client *client = client_of(fake);
    while (fake->now_ns < 65 * LWP_SECOND_NS) {
        struct lwp_transport *none = NULL;
        lwp_world_wait(&fake->world, &none, 1, lwp_client_deadline(client));
        lwp_client_process(client);
    }
    /* P-04: one each 10 s, and no answers to answers. */
    assert_int_equal(play.heard, 6);
    assert_int_equal(fake->count, 1);
    assert_int_equal(lwp_client_ping(client, NULL), LWP_OK);
    lwp_client_close(client);
    fake_free(fake);
}

static void say_nothing(struct fake *fake, struct lwp_link *link, const struct lwp_frame *frame)
{
    (void)fake;
    (void)link;
    (void)frame;
}

static void a_silent_server_is_left_after_30_s(void **state)
{
    struct fake *fake = fake_new(dialect, say_nothing);
    (void)state;
    struct lwp_client *client = client_of(fake);
    while (fake->count == 1) {
        struct lwp_transport *none = NULL;
        lwp_world_wait(&fake->world, &none, 1, lwp_client_deadline(client));
        lwp_client_process(client);
        assert_true(fake->now_ns < 60 * LWP_SECOND_NS);
    }
    assert_int_equal(fake->now_ns, 30 * LWP_SECOND_NS + 101 * MS);
    lwp_client_close(client);
    fake_free(fake);
}

static void a_ping_that_is_not_answered_times_out(void **state)
{
    struct fake *fake = fake_new(dialect, say_nothing);
    struct lwp_connect_options options = fake_options(fake);
    struct lwp_client *client = NULL;
    (void)state;
    options.request_timeout_ms = 500;
    assert_int_equal(lwp_client_connect(&options, &client, NULL), LWP_OK);
    assert_int_equal(lwp_client_ping(client, NULL), LWP_TIMEOUT);
    assert_int_equal(fake->now_ns, 501 * MS);
    lwp_client_close(client);
    fake_free(fake);
}

static void answer_one(struct fake *fake)
{
    struct play *play = fake->own;
    if (play->late_id && play->heard)
        fake_send(fake, &fake->links[0],
                  (struct lwp_frame){.header = {.flags = LWP_FLAG_KEEPALIVE}});
    play->late_id = 0;
}

/* D37: never more than one of ours is unanswered. */
static void a_ping_takes_the_answer_to_a_keepalive_that_is_under_way(void **state)
{
    struct play play = {.heard = 0};
    struct fake *fake = fake_new(dialect, only_listen);
    (void)state;
    fake->own = &play;
    struct lwp_client *client = client_of(fake);
    while (!play.heard) {
        lwp_world_wait(&fake->world, NULL, 0, lwp_client_deadline(client));
        lwp_client_process(client);
    }
    play.late_id = 1;
    fake->idle = answer_one;
    assert_int_equal(lwp_client_ping(client, NULL), LWP_OK);
    assert_int_equal(play.heard, 1);
    lwp_client_close(client);
    fake_free(fake);
}

static void look_on(void *user, enum lwp_trace_direction direction, const struct lwp_frame *frame)
{
    char *seen = user;
    const size_t size = strlen(seen);
    (void)snprintf(seen + size, 256 - size, "%s%u/%u ", direction == LWP_TRACE_SENT ? ">" : "<",
                   frame->header.flags, (unsigned)frame->header.batch_id);
    assert_int_equal(frame->header.magic, LWP_MAGIC);
    assert_int_equal(frame->header.payload_length, frame->payload.size);
}

static void every_frame_can_be_looked_at(void **state)
{
    struct fake *fake = fake_new(dialect, answer_all);
    struct lwp_connect_options options = fake_options(fake);
    struct lwp_client *client = NULL;
    struct lwp_topic_info topic;
    char seen[256] = "";
    (void)state;
    options.trace = look_on;
    options.trace_user = seen;
    assert_int_equal(lwp_client_connect(&options, &client, NULL), LWP_OK);
    assert_int_equal(lwp_client_get_topic(client, 1, &topic), LWP_OK);
    assert_int_equal(lwp_client_ping(client, NULL), LWP_OK);
    assert_string_equal(seen, ">64/4 <64/128 >32/0 <32/0 ");
    lwp_client_close(client);
    fake_free(fake);
}

static const char *said;

static void say_text(struct fake *fake, struct lwp_link *link, const struct lwp_frame *frame)
{
    (void)frame;
    fake_tell(
        fake, link,
        (struct lwp_message){.command = LWP_COMMAND_TOPIC_RESPONSE, .json = lwp_bytes_text(said)});
}

static void documents_that_make_no_sense_are_errors(void **state)
{
    static const char *const texts[] = {
        "",
        "not json",
        "[]",
        "{}",
        "null",
        "{\"id\":1}",
        "{\"id\":\"1\",\"name\":\"t1\"}",
        "{\"id\":4294967297,\"name\":\"t1\"}",
        "{\"id\":-1,\"name\":\"t1\"}",
        "{\"id\":1,\"name\":7}",
        "{\"id\":1,\"name\":\"t\\u00001\"}",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct fake *fake = fake_new(dialect, say_text);
        struct lwp_topic_info topic = {.id = 77}, *topics = NULL;
        size_t count = 77;
        struct lwp_client *client = client_of(fake);
        said = texts[i];
        assert_int_equal(lwp_client_get_topic(client, 1, &topic), LWP_INVALID_PAYLOAD);
        assert_int_equal(lwp_client_list_topics(client, &topics, &count), LWP_INVALID_PAYLOAD);
        assert_int_equal(topic.id, 77);
        assert_int_equal(count, 77);
        lwp_client_close(client);
        fake_free(fake);
    }
}

static void arguments_that_no_server_can_take_are_refused(void **state)
{
    struct fake *fake = fake_new(dialect, answer_all);
    struct lwp_topic_info topic;
    char large[300];
    (void)state;
    memset(large, 'x', sizeof(large));
    large[sizeof(large) - 1] = '\0';
    struct lwp_client *client = client_of(fake);
    assert_int_equal(lwp_client_create_topic(client, "", &topic), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_client_create_topic(client, NULL, &topic), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_client_create_topic(client, large, &topic), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_client_create_topic(client, "\xff", &topic), LWP_INVALID_ARGUMENT);
    lwp_client_close(client);
    struct lwp_connect_options options = fake_options(fake);
    options.address = "a:b:c";
    assert_int_equal(lwp_client_connect(&options, &client, NULL), LWP_INVALID_ARGUMENT);
    options.address = NULL;
    assert_int_equal(lwp_client_connect(&options, &client, NULL), LWP_INVALID_ARGUMENT);
    fake_free(fake);
    lwp_client_close(NULL);
}

/* The rest is over TCP, with threads. */
static void *make_topics(void *argument)
{
    struct lwp_client *client = argument;
    for (int i = 0; i < 25; i++) {
        struct lwp_topic_info topic;
        char name[64];
        (void)snprintf(name, sizeof(name), "t-%lu-%d", (unsigned long)pthread_self(), i);
        assert_int_equal(lwp_client_create_topic(client, name, &topic), LWP_OK);
        assert_string_equal(topic.name, name);
        assert_int_equal(lwp_client_ping(client, NULL), LWP_OK);
    }
    return NULL;
}

static void threads_take_turns_over_tcp(void **state)
{
    struct service service;
    struct lwp_client *client = NULL;
    pthread_t threads[4];
    struct lwp_topic_info *topics = NULL;
    size_t count = 0;
    (void)state;
    open_service(&service, dialect);
    const struct lwp_connect_options options = lwp_connect_defaults(service.address);
    assert_int_equal(lwp_client_connect(&options, &client, NULL), LWP_OK);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_topics, client), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(lwp_client_list_topics(client, &topics, &count), LWP_OK);
    assert_int_equal(count, 100);
    free(topics);
    lwp_client_close(client);
    close_service(&service);
}

static void a_caller_can_drive_over_tcp(void **state)
{
    struct service service;
    struct lwp_client *client = NULL;
    struct lwp_topic_info topic;
    (void)state;
    open_service(&service, dialect);
    struct lwp_connect_options options = lwp_connect_defaults(service.address);
    options.caller_driven = true;
    assert_int_equal(lwp_client_connect(&options, &client, NULL), LWP_OK);
    assert_true(lwp_client_fd(client) >= 0);
    assert_int_equal(lwp_client_events(client), POLLIN);
    assert_true(lwp_client_deadline(client) <= lwp_clock_now() + 10 * LWP_SECOND_NS);
    assert_int_equal(lwp_client_create_topic(client, "driven", &topic), LWP_OK);
    lwp_client_close(client);
    close_service(&service);
}

static void nobody_there_is_refused_and_no_name_is_unresolved(void **state)
{
    struct lwp_client *client = NULL;
    char bound[LWP_ADDRESS_SIZE];
    const struct lwp_address any = {"127.0.0.1", "0"};
    int fd = -1;
    (void)state;
    assert_int_equal(lwp_tcp_listen(&any, &fd, bound), LWP_OK);
    close(fd);
    struct lwp_connect_options options = lwp_connect_defaults(bound);
    assert_int_equal(lwp_client_connect(&options, &client, NULL), LWP_REFUSED);
    options.address = "no-such-host.invalid";
    options.connect_timeout_ms = 5000;
    const enum lwp_status status = lwp_client_connect(&options, &client, NULL);
    assert_true(status == LWP_UNRESOLVED || status == LWP_TIMEOUT);
}

static void *ask_for_ever(void *argument)
{
    return (void *)(uintptr_t)lwp_client_ping(argument, NULL);
}

/* A listener that nobody serves: the connection is there, answers never come. */
static void close_ends_a_request_of_another_thread(void **state)
{
    struct lwp_client *client = NULL;
    char bound[LWP_ADDRESS_SIZE];
    const struct lwp_address any = {"127.0.0.1", "0"};
    int fd = -1;
    pthread_t thread;
    void *result = NULL;
    (void)state;
    assert_int_equal(lwp_tcp_listen(&any, &fd, bound), LWP_OK);
    const struct lwp_connect_options options = lwp_connect_defaults(bound);
    assert_int_equal(lwp_client_connect(&options, &client, NULL), LWP_OK);
    assert_int_equal(pthread_create(&thread, NULL, ask_for_ever, client), 0);
    struct lwp_transport *transport = NULL;
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&waiting, 1, 10000), 1);
    assert_int_equal(lwp_tcp_accept(fd, &transport), LWP_OK);
    /* The Keepalive shows that the other thread is inside. */
    waiting.fd = lwp_transport_fd(transport);
    assert_int_equal(poll(&waiting, 1, 10000), 1);
    lwp_client_close(client);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_int_equal((uintptr_t)result, LWP_CLOSED_BY_CALLER);
    lwp_transport_free(transport);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_works_in_every_dialect),
        cmocka_unit_test(a_token_is_shown_on_every_connection),
        cmocka_unit_test(a_late_answer_is_nobody_s),
        cmocka_unit_test(an_answer_about_another_topic_is_not_taken),
        cmocka_unit_test(a_slow_drip_does_not_stretch_the_deadline),
        cmocka_unit_test(unsolicited_frames_are_never_taken_for_answers),
        cmocka_unit_test(damage_on_the_wire_ends_the_connection_and_not_the_client),
        cmocka_unit_test(a_lost_connection_fails_the_request_and_is_made_anew),
        cmocka_unit_test(without_reconnect_a_lost_connection_stays_lost),
        cmocka_unit_test(a_server_that_is_gone_is_told_at_once),
        cmocka_unit_test(the_first_connection_is_not_retried),
        cmocka_unit_test(redirects_are_followed_to_the_leader),
        cmocka_unit_test(redirects_in_circles_are_an_error),
        cmocka_unit_test(an_idle_client_keeps_its_connection_alive),
        cmocka_unit_test(a_silent_server_is_left_after_30_s),
        cmocka_unit_test(a_ping_that_is_not_answered_times_out),
        cmocka_unit_test(a_ping_takes_the_answer_to_a_keepalive_that_is_under_way),
        cmocka_unit_test(every_frame_can_be_looked_at),
        cmocka_unit_test(documents_that_make_no_sense_are_errors),
        cmocka_unit_test(arguments_that_no_server_can_take_are_refused),
        cmocka_unit_test(threads_take_turns_over_tcp),
        cmocka_unit_test(a_caller_can_drive_over_tcp),
        cmocka_unit_test(nobody_there_is_refused_and_no_name_is_unresolved),
        cmocka_unit_test(close_ends_a_request_of_another_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
