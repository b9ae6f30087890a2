/* SPDX-License-Identifier: MIT */
/* The recorded exchanges with the real server, played against a fresh mock in its dialect.
 * corpus/golden explains the form of the recordings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "lwp/net/clock.h"
#include "lwp/net/link.h"
#include "mock_server/mock.h"

enum { JSON_HEAD_SIZE = 32, SHORT_SEGMENT_SIZE = 20 };

#define SILENCE_NS (120 * LWP_MILLISECOND_NS)
#define SHORT_SILENCE_NS (20 * LWP_MILLISECOND_NS)

/* One recording under way. */
struct play {
    struct lwp_mock *mock;
    struct lwp_mock_world world;
    struct lwp_link link;
    struct json_object *expected; /* What is to come back, as strings. */
    size_t next;                  /* The index of what is to come next. */
    const char *id;
};

static size_t from_hex(const char *hex, uint8_t *out)
{
    const size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size; i++) {
        unsigned byte = 0;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
    return size;
}

static char *to_hex(struct lwp_bytes bytes)
{
    char *hex = calloc(1, 2 * bytes.size + 1);
    assert_non_null(hex);
    for (size_t i = 0; i < bytes.size; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", bytes.data[i]);
    return hex;
}

static int by_id(const void *left, const void *right)
{
    struct json_object *const *a = left;
    struct json_object *const *b = right;
    const int64_t x = json_object_get_int64(json_object_object_get(*a, "id"));
    const int64_t y = json_object_get_int64(json_object_object_get(*b, "id"));
    return (x > y) - (x < y);
}

/* What varies from run to run is made equal, as the recorder did. */
static void normalise(struct json_object *document)
{
    struct json_object *topics = json_object_object_get(document, "topics");
    if (json_object_object_get(document, "created_at"))
        json_object_object_add(document, "created_at", json_object_new_string("T"));
    if (!topics)
        return;
    json_object_array_sort(topics, by_id);
    for (size_t i = 0; i < json_object_array_length(topics); i++)
        normalise(json_object_array_get_idx(topics, i));
}

/* "first 32 header bytes | topic_id | document" */
static void compare_document(const struct play *play, const char *expected,
                             const struct lwp_frame *frame)
{
    uint8_t wire[LWP_HEADER_SIZE];
    uint8_t head[JSON_HEAD_SIZE];
    const char *bar = strchr(expected, '|');
    lwp_header_encode(&frame->header, wire);
    assert_int_equal(bar - expected, 2 * JSON_HEAD_SIZE);
    for (size_t i = 0; i < JSON_HEAD_SIZE; i++) {
        unsigned byte = 0;
        assert_int_equal(sscanf(expected + 2 * i, "%2x", &byte), 1);
        head[i] = (uint8_t)byte;
    }
    assert_memory_equal(wire, head, JSON_HEAD_SIZE);
    assert_int_equal(strtoul(bar + 1, NULL, 16), frame->header.topic_id);
    char *text = strndup((const char *)frame->payload.data, frame->payload.size);
    struct json_object *actual = json_tokener_parse(text);
    struct json_object *wanted = json_tokener_parse(strchr(bar + 1, '|') + 1);
    assert_non_null(actual);
    normalise(actual);
    if (!json_object_equal(actual, wanted))
        fail_msg("%s: expected %s, got %s", play->id, expected, text);
    json_object_put(actual);
    json_object_put(wanted);
    free(text);
}

static const char *next_expected(struct play *play)
{
    if (play->next >= json_object_array_length(play->expected))
        return "nothing more";
    return json_object_get_string(json_object_array_get_idx(play->expected, play->next++));
}

static void compare_frame(struct play *play, const struct lwp_frame *frame)
{
    const char *expected = next_expected(play);
    if (strchr(expected, '|')) {
        compare_document(play, expected, frame);
        return;
    }
    uint8_t *wire = malloc(lwp_frame_size(frame));
    struct lwp_writer out = lwp_writer_on(wire, lwp_frame_size(frame));
    assert_int_equal(lwp_frame_encode(frame, &out), LWP_OK);
    char *hex = to_hex(lwp_writer_bytes(&out));
    if (strcmp(hex, expected) != 0)
        fail_msg("%s: expected %s, got %s", play->id, expected, hex);
    free(hex);
    free(wire);
}

/* Reads until it has been silent for so long, or the end. */
static void listen_for(struct play *play, uint64_t silence_ns)
{
    uint64_t deadline = play->world.now_ns + silence_ns;
    while (play->link.read_status == LWP_OK) {
        struct lwp_frame frame;
        const enum lwp_status status = lwp_link_read(&play->link, play->world.now_ns);
        while (lwp_session_receive(&play->link.session, &frame, play->world.now_ns) == LWP_OK)
            compare_frame(play, &frame);
        assert_int_equal(play->link.session.fault.status, LWP_OK);
        if (status == LWP_OK)
            deadline = play->world.now_ns + silence_ns;
        else if (status == LWP_WOULD_BLOCK && play->world.now_ns >= deadline)
            return;
        else if (status == LWP_WOULD_BLOCK)
            lwp_world_wait(&play->world.world, &play->link.transport, 1, deadline);
    }
    assert_string_equal(next_expected(play), "closed");
}

static void play_exchange(struct play *play, struct json_object *exchange)
{
    const struct lwp_session_options options = {
        .role = LWP_CLIENT, .dialect = &lwp_dialect_lance, .max_payload = 67108864};
    struct json_object *segments = json_object_object_get(exchange, "send");
    const size_t count = json_object_array_length(segments);
    struct lwp_transport *transport = NULL;
    play->id = json_object_get_string(json_object_object_get(exchange, "id"));
    play->expected = json_object_object_get(exchange, "recv");
    play->next = 0;
    assert_int_equal(lwp_world_connect(&play->world.world, LWP_NEVER, &transport), LWP_OK);
    lwp_link_init(&play->link, &options, transport, 1048576, play->world.now_ns);
    for (size_t i = 0; i < count; i++) {
        const char *hex = json_object_get_string(json_object_array_get_idx(segments, i));
        uint8_t *wire = malloc(strlen(hex) / 2 + 1);
        const size_t size = from_hex(hex, wire);
        const bool is_short = size <= SHORT_SEGMENT_SIZE && i + 1 < count;
        assert_int_equal(lwp_link_push(&play->link, (struct lwp_bytes){wire, size}, 0), LWP_OK);
        assert_int_equal(lwp_link_write(&play->link), LWP_OK);
        listen_for(play, is_short ? SHORT_SILENCE_NS : SILENCE_NS);
        free(wire);
    }
    if (play->next != json_object_array_length(play->expected))
        fail_msg("%s: %s did not come", play->id, next_expected(play));
    lwp_link_done(&play->link);
}

/* Plays all exchanges of a file against one fresh mock, with a script if that is not NULL. */
static void play_scripted(const char *name, struct lwp_mock_options options, int expected_count,
                          const char *script)
{
    char path[1024];
    struct play play = {.mock = NULL};
    char *line = NULL;
    size_t capacity = 0;
    int count = 0;
    (void)snprintf(path, sizeof(path), "%s/corpus/golden/%s.jsonl", LWP_SOURCE_DIR, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    options.dialect = &lwp_dialect_lance;
    assert_int_equal(lwp_mock_new(&options, &play.mock), LWP_OK);
    if (script)
        assert_int_equal(lwp_mock_script(play.mock, "script", script), LWP_OK);
    lwp_mock_world_init(&play.world, play.mock);
    for (; getline(&line, &capacity, file) > 0; count++) {
        struct json_object *exchange = json_tokener_parse(line);
        assert_non_null(exchange);
        play_exchange(&play, exchange);
        json_object_put(exchange);
    }
    assert_int_equal(count, expected_count);
    free(line);
    lwp_mock_free(play.mock);
    (void)fclose(file);
}

static void play_file(const char *name, struct lwp_mock_options options, int expected_count)
{
    play_scripted(name, options, expected_count, NULL);
}

static void a_default_server_answers_as_recorded(void **state)
{
    (void)state;
    play_file("lance-0.2.8", (struct lwp_mock_options){.epoch_ns = 1}, 105);
}

static void read_batches_are_answered_as_recorded(void **state)
{
    (void)state;
    play_file("read-batches", (struct lwp_mock_options){.epoch_ns = 1}, 13);
}

static void read_batches_keep_their_order_when_acks_take_time(void **state)
{
    (void)state;
    play_file("read-batches", (struct lwp_mock_options){.ack_delay_ns = 5 * LWP_MILLISECOND_NS},
              13);
}

static void a_server_with_authentication_answers_as_recorded(void **state)
{
    (void)state;
    play_file("auth", (struct lwp_mock_options){.auth_token = "sekret"}, 17);
}

static void a_server_with_small_payloads_answers_as_recorded(void **state)
{
    (void)state;
    play_file("max-payload-1024", (struct lwp_mock_options){.max_payload = 1024}, 6);
}

/* However the answers are cut, and whatever watches them, they are the same bytes. */
static void the_recordings_stay_equal_in_any_pieces(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "on connect -> chop 1",         "on connect -> chop 43,1,*",
        "on out frame -> chop 43,1,*",  "on out frame -> chop 7,*",
        "on any frame -> log \"seen\"", "on keepalive nth 1000000 -> drop-reply optional",
    };
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        play_scripted("lance-0.2.8", (struct lwp_mock_options){.epoch_ns = 1}, 105, scripts[i]);
        play_scripted("read-batches", (struct lwp_mock_options){.epoch_ns = 1}, 13, scripts[i]);
        play_scripted("read-batches",
                      (struct lwp_mock_options){.ack_delay_ns = 5 * LWP_MILLISECOND_NS}, 13,
                      scripts[i]);
        play_scripted("auth", (struct lwp_mock_options){.auth_token = "sekret"}, 17, scripts[i]);
        play_scripted("max-payload-1024", (struct lwp_mock_options){.max_payload = 1024}, 6,
                      scripts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_default_server_answers_as_recorded),
        cmocka_unit_test(read_batches_are_answered_as_recorded),
        cmocka_unit_test(read_batches_keep_their_order_when_acks_take_time),
        cmocka_unit_test(a_server_with_authentication_answers_as_recorded),
        cmocka_unit_test(a_server_with_small_payloads_answers_as_recorded),
        cmocka_unit_test(the_recordings_stay_equal_in_any_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
