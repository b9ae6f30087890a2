/* SPDX-License-Identifier: MIT */
#include "mock_server/tests/dial.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "lwp/json/json.h"
#include "lwp/net/link.h"
#include "lwp/wire/errors.h"
#include "lwp/wire/message.h"
#include "mock_server/deadlines.h"
#include "mock_server/mock_clock.h"

enum { ROOM = 4096 };

/* The mock's clock. */

static void a_clock_of_zeros_is_the_callers(void **state)
{
    (void)state;
    const struct mock_clock clock = {.frozen = false};
    static const uint64_t times[] = {0, 1, LWP_SECOND_NS, UINT64_MAX - 1};
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        assert_true(mock_clock_at(&clock, times[i]) == times[i]);
        assert_true(mock_clock_when(&clock, times[i]) == times[i]);
    }
    assert_true(mock_clock_when(&clock, LWP_NEVER) == LWP_NEVER);
}

static void a_clock_can_be_moved_and_held(void **state)
{
    (void)state;
    struct mock_clock clock = {.frozen = false};
    mock_clock_advance(&clock, 30);
    assert_true(mock_clock_at(&clock, 100) == 130);
    assert_true(mock_clock_when(&clock, 150) == 120);
    mock_clock_freeze(&clock, 100);
    assert_true(mock_clock_at(&clock, 500) == 130);
    assert_true(mock_clock_when(&clock, 131) == LWP_NEVER);
    assert_true(mock_clock_when(&clock, 130) <= 500);
    mock_clock_advance(&clock, 10);
    assert_true(mock_clock_at(&clock, 600) == 140);
    mock_clock_thaw(&clock, 700);
    assert_true(mock_clock_at(&clock, 700) == 140);
    assert_true(mock_clock_at(&clock, 705) == 145);
    assert_true(mock_clock_when(&clock, 150) == 710);
}

static void a_clock_stops_just_before_the_end_of_time(void **state)
{
    (void)state;
    struct mock_clock clock = {.frozen = false};
    mock_clock_advance(&clock, UINT64_MAX - 5);
    mock_clock_advance(&clock, 100);
    assert_true(mock_clock_at(&clock, 100) == LWP_NEVER - 1);
    assert_true(mock_clock_at(&clock, 0) == LWP_NEVER - 1);
}

/* Deadlines. */

static void the_earliest_deadline_is_first_whatever_is_done(void **state)
{
    (void)state;
    enum { COUNT = 200, ROUNDS = 5000 };
    static struct deadline all[COUNT];
    struct deadlines heap = {.items = NULL};
    bool in[COUNT] = {false};
    uint64_t seed = 7;
    for (int round = 0; round < ROUNDS; round++) {
        const size_t i = next_random(&seed) % COUNT;
        const bool leaves = in[i] && next_random(&seed) % 4 == 0;
        if (leaves)
            deadlines_remove(&heap, &all[i]);
        else if (!in[i])
            assert_int_equal(deadlines_add(&heap, &all[i]), LWP_OK);
        in[i] = !leaves;
        if (in[i])
            deadlines_set(&heap, &all[i], next_random(&seed) % 1000);
        uint64_t least = UINT64_MAX;
        for (size_t j = 0; j < COUNT; j++)
            if (in[j] && all[j].at_ns < least)
                least = all[j].at_ns;
        const struct deadline *first = deadlines_first(&heap);
        assert_true(first ? first->at_ns == least : least == UINT64_MAX);
        for (size_t j = 1; j < heap.count; j++)
            assert_true(heap.items[(j - 1) / 2].deadline->at_ns <= heap.items[j].deadline->at_ns);
    }
    deadlines_done(&heap);
}

/* A thread of its own. */

static void a_mock_serves_in_its_thread_until_it_is_stopped(void **state)
{
    (void)state;
    uint8_t byte = 0;
    struct lwp_mock *mock = started((struct lwp_mock_options){.epoch_ns = 0});
    struct lwp_transport *transport = dial(lwp_mock_address(mock, NULL));
    must_be_alive(transport);
    assert_int_equal(lwp_mock_wait(mock, "connections 1", PATIENCE_NS), LWP_OK);
    assert_int_equal(lwp_mock_connection_count(mock), 1);
    assert_int_equal(lwp_mock_stop(mock), LWP_OK);
    assert_int_equal(hear(transport, &byte, 1), LWP_CLOSED);
    assert_int_equal(lwp_mock_connection_count(mock), 0);
    lwp_transport_free(transport);
    lwp_mock_free(mock);
}

static void a_mock_that_was_stopped_starts_again_where_it_was(void **state)
{
    (void)state;
    char before[LWP_ADDRESS_SIZE];
    struct lwp_mock *mock = started((struct lwp_mock_options){.epoch_ns = 0});
    struct lwp_transport *transport = NULL;
    (void)snprintf(before, sizeof(before), "%s", lwp_mock_address(mock, NULL));
    for (int round = 0; round < 3; round++) {
        assert_int_equal(lwp_mock_stop(mock), LWP_OK);
        assert_int_equal(try_dial(before, &transport), LWP_REFUSED);
        assert_int_equal(lwp_mock_start(mock), LWP_OK);
        assert_string_equal(lwp_mock_address(mock, NULL), before);
        transport = dial(before);
        must_be_alive(transport);
        lwp_transport_free(transport);
    }
    lwp_mock_free(mock);
}

static void calls_of_the_other_mode_are_refused(void **state)
{
    (void)state;
    struct lwp_mock *mock = mock_of((struct lwp_mock_options){.epoch_ns = 0});
    struct lwp_transport *ends[2];
    assert_int_equal(lwp_mock_stop(mock), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_mock_wait(mock, "connections 0", 0), LWP_INVALID_ARGUMENT);
    assert_null(lwp_mock_address(mock, NULL));
    assert_int_equal(lwp_mock_start(mock), LWP_OK);
    assert_int_equal(lwp_mock_start(mock), LWP_INVALID_ARGUMENT);
    assert_false(lwp_mock_step(mock, 0));
    assert_int_equal(lwp_pipe_new(DIAL_PIPE_ROOM, ends), LWP_OK);
    assert_int_equal(lwp_mock_accept(mock, ends[1], 0), LWP_INVALID_ARGUMENT);
    lwp_transport_free(ends[0]);
    assert_null(lwp_mock_address(mock, "nobody"));
    lwp_mock_free(mock);
    lwp_mock_free(NULL);
}

static void waiting_ends_with_the_event_the_time_or_the_service(void **state)
{
    (void)state;
    struct lwp_mock *mock = started((struct lwp_mock_options){.until = "idle"});
    static const char *const bad[] = {"", "nonsense", "connections", "connections x", "idle 1"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(lwp_mock_wait(mock, bad[i], PATIENCE_NS), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_mock_wait(mock, "connections 1", 0), LWP_TIMEOUT);
    assert_int_equal(lwp_mock_wait(mock, "connections 1", LWP_MILLISECOND_NS), LWP_TIMEOUT);
    assert_int_equal(lwp_mock_reached(mock, "connections 1"), LWP_WOULD_BLOCK);
    struct lwp_transport *transport = dial(lwp_mock_address(mock, NULL));
    must_be_alive(transport);
    assert_int_equal(lwp_mock_reached(mock, "connections 1"), LWP_OK);
    assert_int_equal(lwp_mock_reached(mock, "idle"), LWP_WOULD_BLOCK);
    lwp_transport_free(transport);
    assert_int_equal(lwp_mock_wait(mock, "connections 2", PATIENCE_NS), LWP_CLOSED);
    assert_int_equal(lwp_mock_stop(mock), LWP_OK);
    lwp_mock_free(mock);
}

static void *bother(void *argument)
{
    struct lwp_mock *mock = argument;
    for (int i = 0; i < 50; i++) {
        (void)lwp_mock_address(mock, NULL);
        (void)lwp_mock_counts(mock);
        lwp_mock_advance(mock, 1);
        (void)lwp_mock_tag(mock, "next", "some");
        (void)lwp_mock_wait(mock, "connections 1", LWP_MILLISECOND_NS);
        assert_int_equal(lwp_mock_down(mock, "b"), LWP_OK);
        assert_int_equal(lwp_mock_up(mock, "b"), LWP_OK);
    }
    return NULL;
}

static void calls_may_come_from_any_thread_while_it_serves(void **state)
{
    (void)state;
    pthread_t threads[4];
    struct lwp_mock *mock = started(
        (struct lwp_mock_options){.nodes = {"a=127.0.0.1:0", "b=127.0.0.1:0"}, .node_count = 2});
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, bother, mock), 0);
    for (int i = 0; i < 50; i++) {
        struct lwp_transport *transport = dial(lwp_mock_address(mock, "a"));
        must_be_alive(transport);
        lwp_transport_free(transport);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    lwp_mock_free(mock);
}

/* Nodes. */

static void each_node_has_its_own_port(void **state)
{
    (void)state;
    struct lwp_mock *mock = started((struct lwp_mock_options){
        .nodes = {"a=127.0.0.1:0", "b=127.0.0.1:0", "c=[::1]:0"}, .node_count = 3});
    static const char *const names[] = {"a", "b", "c"};
    assert_string_equal(lwp_mock_address(mock, NULL), lwp_mock_address(mock, "a"));
    assert_string_not_equal(lwp_mock_address(mock, "a"), lwp_mock_address(mock, "b"));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct lwp_transport *transport = dial(lwp_mock_address(mock, names[i]));
        must_be_alive(transport);
        lwp_transport_free(transport);
    }
    lwp_mock_free(mock);
}

static void a_node_that_goes_down_resets_its_connections_and_comes_back(void **state)
{
    (void)state;
    uint8_t byte = 0;
    struct lwp_mock *mock = started(
        (struct lwp_mock_options){.nodes = {"a=127.0.0.1:0", "b=127.0.0.1:0"}, .node_count = 2});
    char before[LWP_ADDRESS_SIZE];
    struct lwp_transport *refused = NULL;
    (void)snprintf(before, sizeof(before), "%s", lwp_mock_address(mock, "b"));
    for (int round = 0; round < 3; round++) {
        struct lwp_transport *a = dial(lwp_mock_address(mock, "a"));
        struct lwp_transport *b = dial(before);
        must_be_alive(a);
        must_be_alive(b);
        assert_int_equal(lwp_mock_down(mock, "b"), LWP_OK);
        assert_int_equal(lwp_mock_down(mock, "b"), LWP_OK);
        assert_int_equal(hear(b, &byte, 1), LWP_RESET);
        assert_int_equal(try_dial(before, &refused), LWP_REFUSED);
        must_be_alive(a);
        assert_int_equal(lwp_mock_up(mock, "b"), LWP_OK);
        assert_int_equal(lwp_mock_up(mock, "b"), LWP_OK);
        assert_string_equal(lwp_mock_address(mock, "b"), before);
        lwp_transport_free(b);
        lwp_transport_free(a);
    }
    assert_int_equal(lwp_mock_down(mock, "c"), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_mock_up(mock, "c"), LWP_INVALID_ARGUMENT);
    lwp_mock_free(mock);
}

static void nobody_gets_the_port_of_a_node_that_is_down(void **state)
{
    (void)state;
    struct lwp_mock *mock = started((struct lwp_mock_options){.epoch_ns = 0});
    assert_int_equal(lwp_mock_down(mock, NULL), LWP_OK);
    struct lwp_address address;
    int fd = -1;
    char bound[LWP_ADDRESS_SIZE];
    for (int i = 0; i < 200; i++) {
        assert_int_equal(lwp_address_parse("127.0.0.1:0", &address), LWP_OK);
        assert_int_equal(lwp_tcp_listen(&address, &fd, bound), LWP_OK);
        assert_string_not_equal(bound, lwp_mock_address(mock, NULL));
        close(fd);
    }
    lwp_mock_free(mock);
}

static void a_node_may_begin_down(void **state)
{
    (void)state;
    struct lwp_mock *mock = mock_of((struct lwp_mock_options){.epoch_ns = 0});
    struct lwp_transport *transport = NULL;
    struct lwp_transport *ends[2];
    assert_int_equal(lwp_mock_down(mock, NULL), LWP_OK);
    assert_int_equal(lwp_pipe_new(DIAL_PIPE_ROOM, ends), LWP_OK);
    assert_int_equal(lwp_mock_accept(mock, ends[1], 0), LWP_REFUSED);
    lwp_transport_free(ends[0]);
    assert_int_equal(lwp_mock_start(mock), LWP_OK);
    assert_int_equal(try_dial(lwp_mock_address(mock, NULL), &transport), LWP_REFUSED);
    assert_int_equal(lwp_mock_up(mock, NULL), LWP_OK);
    transport = dial(lwp_mock_address(mock, NULL));
    must_be_alive(transport);
    lwp_transport_free(transport);
    lwp_mock_free(mock);
}

static void places_and_names_that_are_none_make_no_mock(void **state)
{
    (void)state;
    static const char long_name[] = "a23456789012345678901234567890123456789012345678901234567890"
                                    "1234=127.0.0.1";
    static const char *const bad[] = {"",      "a",      "=127.0.0.1", "a=", "a=127.0.0.1:x",
                                      "a=::1", long_name};
    struct lwp_mock *mock = NULL;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const struct lwp_mock_options options = {.nodes = {bad[i]}, .node_count = 1};
        assert_int_equal(lwp_mock_new(&options, &mock), LWP_INVALID_ARGUMENT);
        const struct lwp_mock_options single = {.listen = i ? "127.0.0.1:x" : ""};
        assert_int_equal(lwp_mock_new(&single, &mock), LWP_INVALID_ARGUMENT);
    }
    const struct lwp_mock_options twice = {.nodes = {"a=127.0.0.1", "a=127.0.0.1"},
                                           .node_count = 2};
    assert_int_equal(lwp_mock_new(&twice, &mock), LWP_INVALID_ARGUMENT);
    assert_null(mock);
}

static void a_port_that_is_taken_does_not_start(void **state)
{
    (void)state;
    struct lwp_mock *first = started((struct lwp_mock_options){.epoch_ns = 0});
    struct lwp_mock *second =
        mock_of((struct lwp_mock_options){.listen = lwp_mock_address(first, NULL)});
    assert_int_equal(lwp_mock_start(second), LWP_IO);
    assert_int_equal(lwp_mock_stop(second), LWP_INVALID_ARGUMENT);
    lwp_mock_free(second);
    lwp_mock_free(first);
}

/* Limits. */

static void expect_limit(struct lwp_transport *transport, enum lwp_mock_refusal refusal,
                         const struct lwp_dialect *dialect)
{
    uint8_t wire[ROOM];
    const enum lwp_status status = hear(transport, wire, LWP_HEADER_SIZE);
    if (refusal == LWP_MOCK_REFUSE_RESET)
        assert_int_equal(status, LWP_RESET);
    if (refusal == LWP_MOCK_REFUSE_CLOSE)
        assert_int_equal(status, LWP_CLOSED);
    if (refusal != LWP_MOCK_REFUSE_ERROR)
        return;
    const size_t size = lwp_get32(wire + 32);
    const struct lwp_frame_rules rules = {dialect->polynomial, UINT32_MAX};
    struct lwp_frame frame;
    struct lwp_fault fault;
    assert_int_equal(status, LWP_OK);
    assert_int_equal(hear(transport, wire + LWP_HEADER_SIZE, size), LWP_OK);
    assert_int_equal(
        lwp_frame_split(&rules, bytes_of(wire, LWP_HEADER_SIZE + size), &frame, &fault), LWP_OK);
    struct lwp_json *json = NULL;
    struct lwp_error_document document;
    assert_int_equal(lwp_json_read(frame.payload, &json, &fault), LWP_OK);
    assert_int_equal(lwp_json_error(json, &document), LWP_OK);
    assert_int_equal(document.code, LWP_ERROR_CONNECTION_LIMIT);
    lwp_json_free(json);
    assert_int_equal(hear(transport, wire, 1), LWP_CLOSED);
}

static void a_connection_past_the_limit_is_told_so(void **state)
{
    (void)state;
    static const struct {
        const struct lwp_dialect *dialect;
        enum lwp_mock_refusal asked;
        enum lwp_mock_refusal seen;
    } rows[] = {
        {&lwp_dialect_spec, LWP_MOCK_REFUSE_BY_DIALECT, LWP_MOCK_REFUSE_ERROR},
        {&lwp_dialect_lance, LWP_MOCK_REFUSE_BY_DIALECT, LWP_MOCK_REFUSE_RESET},
        {&lwp_dialect_lance, LWP_MOCK_REFUSE_ERROR, LWP_MOCK_REFUSE_ERROR},
        {&lwp_dialect_lance, LWP_MOCK_REFUSE_CLOSE, LWP_MOCK_REFUSE_CLOSE},
        {&lwp_dialect_spec, LWP_MOCK_REFUSE_RESET, LWP_MOCK_REFUSE_RESET},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lwp_mock *mock = started((struct lwp_mock_options){
            .dialect = rows[i].dialect, .max_connections = 1, .refusal = rows[i].asked});
        struct lwp_transport *first = dial(lwp_mock_address(mock, NULL));
        assert_int_equal(lwp_mock_wait(mock, "connections 1", PATIENCE_NS), LWP_OK);
        struct lwp_transport *second = NULL;
        const enum lwp_status dialled = try_dial(lwp_mock_address(mock, NULL), &second);
        /* The reset may be there before the connect has returned. */
        if (dialled != LWP_OK)
            assert_int_equal(rows[i].seen, LWP_MOCK_REFUSE_RESET);
        else
            expect_limit(second, rows[i].seen, rows[i].dialect);
        lwp_transport_free(second);
        assert_int_equal(lwp_mock_connection_count(mock), 1);
        assert_int_equal(lwp_mock_counts(mock).refused, 1);
        assert_int_equal(lwp_mock_counts(mock).accepted, 1);
        lwp_transport_free(first);
        lwp_mock_free(mock);
    }
}

static void words_sent_before_a_refusal_do_not_hide_it(void **state)
{
    (void)state;
    struct lwp_mock *mock =
        mock_of((struct lwp_mock_options){.dialect = &lwp_dialect_spec, .max_connections = 1});
    struct lwp_transport *first = dial_pipe(mock, 0);
    struct lwp_transport *second = dial_pipe(mock, 0);
    uint8_t came[ROOM];
    size_t count = 0;
    say_keepalive(second, &lwp_dialect_spec);
    settle(mock, 0);
    assert_int_equal(lwp_transport_read(second, came, sizeof(came), &count), LWP_OK);
    assert_int_equal(came[5], LWP_FLAG_CONTROL);
    assert_int_equal(lwp_transport_read(second, came, sizeof(came), &count), LWP_CLOSED);
    /* It stays no longer than a second, whatever it says. */
    say_keepalive(second, &lwp_dialect_spec);
    settle(mock, LWP_SECOND_NS);
    assert_true(lwp_mock_deadline(mock) == LWP_NEVER);
    assert_int_equal(lwp_mock_connection_count(mock), 1);
    lwp_transport_free(second);
    lwp_transport_free(first);
    lwp_mock_free(mock);
}

static void a_place_that_became_free_is_given_again(void **state)
{
    (void)state;
    struct lwp_mock *mock = started((struct lwp_mock_options){.max_connections = 2});
    for (int i = 0; i < 20; i++) {
        struct lwp_transport *transport = dial(lwp_mock_address(mock, NULL));
        must_be_alive(transport);
        lwp_transport_free(transport);
        assert_int_equal(lwp_mock_wait(mock, "idle", PATIENCE_NS), LWP_OK);
    }
    assert_int_equal(lwp_mock_counts(mock).refused, 0);
    lwp_mock_free(mock);
}

/* Begins a frame of a megabyte and sends `size` bytes of it. */
static void send_part(struct lwp_mock *mock, struct lwp_transport *transport, size_t size)
{
    uint8_t wire[LWP_HEADER_SIZE];
    static const uint8_t zeros[DIAL_PIPE_ROOM];
    struct lwp_frame frame = frame_of(LWP_FLAG_BATCH, bytes_of(NULL, 0));
    frame.header.record_count = 1;
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    frame.header.payload_length = 1048576; /* Not covered by the header's checksum. */
    lwp_header_encode(&frame.header, wire);
    struct lwp_bytes part = bytes_of(wire, sizeof(wire));
    for (size_t sent = 0; sent < size;) {
        size_t count = 0;
        if (lwp_transport_write(transport, part, &count) != LWP_OK)
            return;
        sent += count;
        part = bytes_of(zeros, size - sent < DIAL_PIPE_ROOM / 2 ? size - sent : DIAL_PIPE_ROOM / 2);
        settle(mock, 0);
    }
}

static void a_connection_past_its_memory_is_reset(void **state)
{
    (void)state;
    struct lwp_mock *mock = mock_of((struct lwp_mock_options){.max_connection_memory = 131072});
    struct lwp_transport *modest = dial_pipe(mock, 0);
    struct lwp_transport *greedy = dial_pipe(mock, 0);
    uint8_t byte = 0;
    size_t count = 0;
    send_part(mock, modest, 60000);
    assert_int_equal(lwp_mock_connection_count(mock), 2);
    send_part(mock, greedy, 500000);
    assert_int_equal(lwp_mock_connection_count(mock), 1);
    assert_int_equal(lwp_transport_read(greedy, &byte, 1, &count), LWP_RESET);
    assert_int_equal(lwp_transport_read(modest, &byte, 1, &count), LWP_WOULD_BLOCK);
    assert_int_equal(lwp_mock_counts(mock).over_memory, 1);
    lwp_transport_free(greedy);
    lwp_transport_free(modest);
    lwp_mock_free(mock);
}

static void past_all_memory_the_largest_is_reset(void **state)
{
    (void)state;
    struct lwp_mock *mock = mock_of((struct lwp_mock_options){.max_memory = 1048576});
    struct lwp_transport *transports[4];
    uint8_t byte = 0;
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(transports); i++)
        transports[i] = dial_pipe(mock, 0);
    send_part(mock, transports[0], 30000);
    send_part(mock, transports[1], 30000);
    send_part(mock, transports[2], 400000);
    assert_int_equal(lwp_mock_connection_count(mock), 4);
    send_part(mock, transports[3], 500000);
    assert_int_equal(lwp_mock_connection_count(mock), 3);
    assert_int_equal(lwp_mock_counts(mock).over_memory, 1);
    assert_int_equal(lwp_transport_read(transports[0], &byte, 1, &count), LWP_WOULD_BLOCK);
    assert_int_equal(lwp_transport_read(transports[1], &byte, 1, &count), LWP_WOULD_BLOCK);
    for (size_t i = 0; i < COUNT_OF(transports); i++)
        lwp_transport_free(transports[i]);
    lwp_mock_free(mock);
}

/* Time. */

static void timers_run_on_the_mocks_own_clock(void **state)
{
    (void)state;
    struct lwp_mock *mock =
        mock_of((struct lwp_mock_options){.dialect = &lwp_dialect_spec, .max_connections = 1});
    struct lwp_transport *first = dial_pipe(mock, 0);
    struct lwp_transport *second = dial_pipe(mock, 0);
    settle(mock, 0);
    assert_true(lwp_mock_deadline(mock) == LWP_SECOND_NS); /* That of the refused one. */
    lwp_mock_advance(mock, LWP_SECOND_NS / 2);
    assert_true(lwp_mock_deadline(mock) == LWP_SECOND_NS / 2);
    lwp_mock_freeze(mock);
    assert_true(lwp_mock_deadline(mock) == LWP_NEVER);
    settle(mock, 100 * LWP_SECOND_NS);
    lwp_mock_thaw(mock);
    assert_true(lwp_mock_deadline(mock) == 100 * LWP_SECOND_NS + LWP_SECOND_NS / 2);
    lwp_mock_freeze(mock);
    lwp_mock_advance(mock, LWP_SECOND_NS);
    settle(mock, 100 * LWP_SECOND_NS);
    lwp_mock_thaw(mock);
    assert_true(lwp_mock_deadline(mock) == LWP_NEVER);
    lwp_transport_free(second);
    lwp_transport_free(first);
    lwp_mock_free(mock);
}

static void an_advance_wakes_the_thread(void **state)
{
    (void)state;
    struct lwp_mock *mock = started((struct lwp_mock_options){
        .dialect = &lwp_dialect_spec, .max_connections = 1, .refusal = LWP_MOCK_REFUSE_CLOSE});
    struct lwp_transport *first = dial(lwp_mock_address(mock, NULL));
    assert_int_equal(lwp_mock_wait(mock, "connections 1", PATIENCE_NS), LWP_OK);
    lwp_mock_freeze(mock);
    struct lwp_transport *second = dial(lwp_mock_address(mock, NULL));
    uint8_t byte = 0;
    assert_int_equal(hear(second, &byte, 1), LWP_CLOSED);
    lwp_mock_advance(mock, 2 * LWP_SECOND_NS);
    /* The reset that ends it is seen as soon as something is written. */
    struct pollfd ready = {.fd = lwp_transport_fd(second), .events = 0};
    assert_int_equal(poll(&ready, 1, (int)(PATIENCE_NS / LWP_MILLISECOND_NS)), 1);
    assert_true(ready.revents & (POLLERR | POLLHUP));
    lwp_transport_free(second);
    lwp_transport_free(first);
    lwp_mock_free(mock);
}

/* Tags. */

static void labels_and_connections_that_are_none_are_refused(void **state)
{
    (void)state;
    struct lwp_mock *mock = mock_of((struct lwp_mock_options){.epoch_ns = 0});
    static const char *const labels[] = {
        "",    "12",       "a b",
        "a\n", "\xc3\xa4", "a234567890123456789012345678901234567890123456789012345678901234"};
    static const char *const connections[] = {"",     "0",      "1",          "x",
                                              "port", "port 0", "port 65536", "next "};
    for (size_t i = 0; i < COUNT_OF(labels); i++)
        assert_int_equal(lwp_mock_tag(mock, "next", labels[i]), LWP_INVALID_ARGUMENT);
    for (size_t i = 0; i < COUNT_OF(connections); i++)
        assert_int_equal(lwp_mock_tag(mock, connections[i], "a"), LWP_INVALID_ARGUMENT);
    struct lwp_transport *transport = dial_pipe(mock, 0);
    assert_int_equal(lwp_mock_tag(mock, "1", "a"), LWP_OK);
    for (int i = 0; i < 64; i++)
        assert_int_equal(lwp_mock_tag(mock, i % 2 ? "next" : "port 1", "a-1_x.y"), LWP_OK);
    assert_int_equal(lwp_mock_tag(mock, "next", "b"), LWP_FULL);
    lwp_transport_free(transport);
    lwp_mock_free(mock);
}

/* Options by name. */

static void a_mock_is_made_from_names_and_values(void **state)
{
    (void)state;
    static const char *const good[] = {"dialect",         "spec", "ack-delay",  "5",
                                       "max-payload",     "1024", "auth-token", "t",
                                       "max-connections", "7",    NULL};
    static const char *const bad[][3] = {
        {"dialect", "klingon", NULL},      {"strange", "1", NULL}, {"max-connections", "0", NULL},
        {"refuse-with", "kindness", NULL}, {"node", "a", NULL},    {"listen", "", NULL}};
    struct lwp_mock *mock = NULL;
    char problem[LWP_MOCK_PROBLEM_SIZE] = "";
    assert_int_equal(lwp_mock_new_from(good, &mock, problem), LWP_OK);
    assert_string_equal(problem, "");
    lwp_mock_free(mock);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(lwp_mock_new_from(bad[i], &mock, problem), LWP_INVALID_ARGUMENT);
        assert_memory_equal(problem, bad[i][0], strlen(bad[i][0]));
    }
}

/* The child keeps copies of all descriptors, so that closing ours ends nothing for the kernel. */
static void a_fork_does_not_bring_back_connections_that_are_gone(void **state)
{
    (void)state;
    struct lwp_mock *mock = NULL;
    struct lwp_address address;
    struct lwp_transport *first = NULL;
    struct lwp_transport *second = NULL;
    int error = 0;
    const uint64_t until_ns = lwp_clock_now() + 10 * LWP_SECOND_NS;
    const struct lwp_mock_options options = {.dialect = &lwp_dialect_lance};
    assert_int_equal(lwp_mock_new(&options, &mock), LWP_OK);
    assert_int_equal(lwp_mock_start(mock), LWP_OK);
    assert_int_equal(lwp_address_parse(lwp_mock_address(mock, NULL), &address), LWP_OK);
    assert_int_equal(lwp_tcp_connect(&address, until_ns, &first, &error), LWP_OK);
    assert_int_equal(lwp_mock_wait(mock, "connections 1", 10 * LWP_SECOND_NS), LWP_OK);
    const pid_t child = fork();
    if (child == 0) {
        (void)alarm(30); /* It must not outlive a test that fails. */
        for (;;)
            (void)pause();
    }
    assert_true(child > 0);
    lwp_transport_close(first, LWP_CLOSE_HALF);
    assert_int_equal(lwp_mock_wait(mock, "idle", 10 * LWP_SECOND_NS), LWP_OK);
    lwp_transport_free(first);
    /* The next one may have the same number, and is served. */
    assert_int_equal(lwp_tcp_connect(&address, until_ns, &second, &error), LWP_OK);
    assert_int_equal(lwp_mock_wait(mock, "connections 2", 10 * LWP_SECOND_NS), LWP_OK);
    lwp_transport_free(second);
    assert_int_equal(lwp_mock_wait(mock, "idle", 10 * LWP_SECOND_NS), LWP_OK);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    lwp_mock_free(mock);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_clock_of_zeros_is_the_callers),
    cmocka_unit_test(a_clock_can_be_moved_and_held),
    cmocka_unit_test(a_clock_stops_just_before_the_end_of_time),
    cmocka_unit_test(the_earliest_deadline_is_first_whatever_is_done),
    cmocka_unit_test(a_mock_serves_in_its_thread_until_it_is_stopped),
    cmocka_unit_test(a_mock_that_was_stopped_starts_again_where_it_was),
    cmocka_unit_test(calls_of_the_other_mode_are_refused),
    cmocka_unit_test(waiting_ends_with_the_event_the_time_or_the_service),
    cmocka_unit_test(calls_may_come_from_any_thread_while_it_serves),
    cmocka_unit_test(each_node_has_its_own_port),
    cmocka_unit_test(a_node_that_goes_down_resets_its_connections_and_comes_back),
    cmocka_unit_test(nobody_gets_the_port_of_a_node_that_is_down),
    cmocka_unit_test(a_node_may_begin_down),
    cmocka_unit_test(places_and_names_that_are_none_make_no_mock),
    cmocka_unit_test(a_port_that_is_taken_does_not_start),
    cmocka_unit_test(a_connection_past_the_limit_is_told_so),
    cmocka_unit_test(words_sent_before_a_refusal_do_not_hide_it),
    cmocka_unit_test(a_place_that_became_free_is_given_again),
    cmocka_unit_test(a_connection_past_its_memory_is_reset),
    cmocka_unit_test(past_all_memory_the_largest_is_reset),
    cmocka_unit_test(timers_run_on_the_mocks_own_clock),
    cmocka_unit_test(an_advance_wakes_the_thread),
    cmocka_unit_test(labels_and_connections_that_are_none_are_refused),
    cmocka_unit_test(a_mock_is_made_from_names_and_values),
    cmocka_unit_test(a_fork_does_not_bring_back_connections_that_are_gone),
};

int main(void)
{
    return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
