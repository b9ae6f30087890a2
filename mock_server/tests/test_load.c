/* SPDX-License-Identifier: MIT */
/* Many peers at once, and peers that want the mock's memory. Counts and bytes, no times. */
#include "mock_server/tests/dial.h"

#include <dirent.h>
#include <sys/resource.h>

#include "lwp/wire/tlv.h"
#include "mock_server/mock_state.h"

enum {
    MOST_EACH =
        24576, /* Bytes of the heap for a connection that has talked and says nothing now. */
    MIB = 1048576
};

/* How much larger the heap is than it was. */
static size_t growth(size_t before)
{
    const size_t now = heap_in_use();
    return now > before ? now - before : 0;
}

/* --- Many peers. --- */

static const char scripted[] = "scenario visits\n"
                               "  on connect -> chop 43,1,*\n"
                               "  on keepalive -> keepalive\n"
                               "  expect connect = 10000\n"
                               "  expect in keepalive = 10000\n"
                               "  expect out keepalive = 10000\n";

/* Connects, asks, hears and closes, `count` peers at a time. Every other one closes with a reset, which
 * leaves no port behind for a minute. */
static void visit(struct lwp_mock *mock, struct lwp_transport **peers, size_t count)
{
    uint8_t answer[LWP_HEADER_SIZE];
    for (size_t i = 0; i < count; i++)
        peers[i] = dial(lwp_mock_address(mock, NULL));
    for (size_t i = 0; i < count; i++)
        say_keepalive(peers[i], &lwp_dialect_lance);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(hear(peers[i], answer, sizeof(answer)), LWP_OK);
        assert_int_equal(answer[5], LWP_FLAG_KEEPALIVE);
        if (i % 2)
            lwp_transport_close(peers[i], LWP_CLOSE_RST);
        lwp_transport_free(peers[i]);
    }
}

static void ten_thousand_scripted_connections_end_without_an_error(void **state)
{
    (void)state;
    enum { ALL = 10000, AT_ONCE = 100, LEFT_OVER = 262144 };
    struct lwp_transport *peers[AT_ONCE];
    struct lwp_mock *mock = started((struct lwp_mock_options){.epoch_ns = 0});
    char *text = NULL;
    bool passed = false;
    assert_int_equal(lwp_mock_script(mock, "visits.lwps", scripted), LWP_OK);
    const size_t before = heap_in_use();
    for (size_t done = 0; done < ALL; done += AT_ONCE)
        visit(mock, peers, AT_ONCE);
    assert_int_equal(lwp_mock_wait(mock, "idle", PATIENCE_NS), LWP_OK);
    assert_true(growth(before) < LEFT_OVER);
    assert_int_equal(lwp_mock_counts(mock).accepted, ALL);
    assert_int_equal(lwp_mock_counts(mock).refused, 0);
    assert_int_equal(lwp_mock_counts(mock).over_memory, 0);
    assert_int_equal(lwp_mock_verdict(mock, &passed, &text), LWP_OK);
    assert_string_equal(text, "");
    assert_true(passed);
    lwp_mock_free_text(text);
    lwp_mock_free(mock);
}

/* How many entries a folder of /proc has. */
static size_t count_in(const char *folder)
{
    size_t count = 0;
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    while (readdir(directory))
        count++;
    (void)closedir(directory);
    return count;
}

/* As many as `wanted`, or as the machine's limit of descriptors leaves room for, both ends ours. */
static size_t allowed_connections(size_t wanted)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    const size_t room = limit.rlim_max > 200 ? (limit.rlim_max - 100) / 2 : 50;
    return room < wanted ? room : wanted;
}

static struct lwp_transport **dial_all(struct lwp_mock *mock, size_t count)
{
    char all[32];
    struct lwp_transport **peers = calloc(count, sizeof(struct lwp_transport *));
    assert_non_null(peers);
    const uint64_t known = lwp_mock_counts(mock).accepted;
    for (size_t i = 0; i < count; i++)
        peers[i] = dial(lwp_mock_address(mock, NULL));
    (void)snprintf(all, sizeof(all), "connections %zu", (size_t)known + count);
    assert_int_equal(lwp_mock_wait(mock, all, PATIENCE_NS), LWP_OK);
    return peers;
}

static void free_all(struct lwp_transport **peers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        lwp_transport_free(peers[i]);
    free(peers);
}

static void two_thousand_idle_connections_cost_a_descriptor_each_and_little_memory(void **state)
{
    (void)state;
    enum { WANTED = 2000 };
    struct lwp_mock *mock = started((struct lwp_mock_options){.epoch_ns = 0});
    const size_t count = allowed_connections(WANTED);
    struct lwp_transport *other = dial(lwp_mock_address(mock, NULL));
    must_be_alive(other);
    const size_t threads = count_in("/proc/self/task");
    const size_t descriptors = count_in("/proc/self/fd");
    const size_t before = heap_in_use();
    struct lwp_transport **peers = dial_all(mock, count);
    must_be_alive(other);
    const size_t silent = growth(before);
    for (size_t i = 0; i < count; i++)
        must_be_alive(peers[i]);
    must_be_alive(other);
    const size_t idle = growth(before);
    print_message("%zu connections: %zu bytes each before, %zu after they have talked\n", count,
                  silent / count, idle / count);
    assert_true(idle / count < MOST_EACH);
    assert_int_equal(count_in("/proc/self/task"), threads);
    assert_int_equal(count_in("/proc/self/fd"), descriptors + 2 * count); /* One is the peer's. */
    free_all(peers, count);
    lwp_transport_free(other);
    assert_int_equal(lwp_mock_wait(mock, "idle", PATIENCE_NS), LWP_OK);
    lwp_mock_free(mock);
}

/* --- Peers that want memory. --- */

/* An ingest's header that claims so many bytes; they are not covered by its checksum. */
static void put_claim(uint8_t *wire, const struct lwp_dialect *dialect, uint32_t size)
{
    struct lwp_frame frame = frame_of(LWP_FLAG_BATCH, bytes_of(NULL, 0));
    frame.header.batch_id = 1;
    frame.header.record_count = 1;
    lwp_frame_seal(&frame, dialect->polynomial, 0);
    frame.header.payload_length = size;
    lwp_header_encode(&frame.header, wire);
}

static void say(struct lwp_transport *peer, struct lwp_bytes bytes)
{
    size_t count = 0;
    assert_int_equal(lwp_transport_write(peer, bytes, &count), LWP_OK);
    assert_int_equal(count, bytes.size);
}

static void frames_that_come_byte_by_byte_take_memory_as_they_come(void **state)
{
    (void)state;
    enum { SLOW = 100, SENT = LWP_HEADER_SIZE + 16 };
    uint8_t wire[SENT] = {0};
    struct lwp_mock *mock = started((struct lwp_mock_options){.epoch_ns = 0});
    struct lwp_transport *other = dial(lwp_mock_address(mock, NULL));
    must_be_alive(other);
    put_claim(wire, &lwp_dialect_lance, LWP_MAX_PAYLOAD_DEFAULT);
    const size_t threads = count_in("/proc/self/task");
    const size_t before = heap_in_use();
    struct lwp_transport **peers = dial_all(mock, SLOW);
    for (size_t at = 0; at < SENT; at++) {
        for (size_t i = 0; i < SLOW; i++)
            say(peers[i], bytes_of(wire + at, 1));
        must_be_alive(other);
        assert_true(growth(before) < (size_t)SLOW * MOST_EACH);
    }
    assert_int_equal(lwp_mock_connection_count(mock), SLOW + 1);
    assert_int_equal(count_in("/proc/self/task"), threads);
    free_all(peers, SLOW);
    lwp_transport_free(other);
    lwp_mock_free(mock);
}

/* Behind a keepalive in the same write, the deployed server looks at the size only once more comes. */
static void claim_much(struct lwp_transport **peers, size_t count,
                       const struct lwp_dialect *dialect)
{
    uint8_t wire[2 * LWP_HEADER_SIZE];
    uint8_t answer[LWP_HEADER_SIZE];
    struct lwp_frame first = frame_of(LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0));
    lwp_frame_seal(&first, dialect->polynomial, 0);
    lwp_header_encode(&first.header, wire);
    put_claim(wire + LWP_HEADER_SIZE, dialect, UINT32_MAX);
    for (size_t i = 0; i < count; i++) {
        say(peers[i], bytes_of(wire, sizeof(wire)));
        assert_int_equal(hear(peers[i], answer, sizeof(answer)), LWP_OK);
    }
}

static void claims_of_four_gib_take_no_memory(void **state)
{
    (void)state;
    enum { HOSTILE = 100 };
    static const struct lwp_dialect *const dialects[] = {&lwp_dialect_lance, &lwp_dialect_spec};
    for (size_t d = 0; d < COUNT_OF(dialects); d++) {
        uint8_t byte = 0;
        struct lwp_mock *mock = started((struct lwp_mock_options){.dialect = dialects[d]});
        const size_t before = heap_in_use();
        struct lwp_transport **peers = dial_all(mock, HOSTILE);
        claim_much(peers, HOSTILE, dialects[d]);
        assert_true(growth(before) < (size_t)HOSTILE * MOST_EACH);
        for (size_t i = 0; i < HOSTILE; i++) {
            size_t count = 0;
            (void)lwp_transport_write(peers[i], bytes_of(&byte, 1), &count);
            assert_int_not_equal(hear(peers[i], &byte, 1), LWP_OK);
        }
        assert_true(growth(before) < (size_t)HOSTILE * MOST_EACH);
        free_all(peers, HOSTILE);
        assert_int_equal(lwp_mock_wait(mock, "idle", PATIENCE_NS), LWP_OK);
        lwp_mock_free(mock);
    }
}

/* Topic 1 with one record; all of it is a fetch's answer of a MiB. */
static struct lwp_mock *mock_with_a_mib(struct lwp_mock_options options)
{
    options.max_payload = MIB;
    struct lwp_mock *mock = mock_of(options);
    uint8_t *record = calloc(1, MIB);
    assert_non_null(record);
    record[0] = LWP_TLV_RAW;
    lwp_put32(record + 1, MIB - LWP_TLV_HEAD_SIZE);
    assert_int_equal(
        lwp_broker_add_topic(mock->broker, lwp_bytes_text("much"), 1, bytes_of(record, MIB)),
        LWP_OK);
    free(record);
    return mock;
}

static void ask_for_a_mib(struct lwp_transport *peer)
{
    uint8_t payload[64];
    uint8_t wire[128];
    struct lwp_writer text = lwp_writer_on(payload, sizeof(payload));
    struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
    const struct lwp_message fetch = {
        .command = LWP_COMMAND_FETCH, .topic_id = 1, .max_bytes = UINT32_MAX};
    assert_int_equal(lwp_message_encode(&fetch, &text), LWP_OK);
    struct lwp_frame frame = lwp_message_frame(LWP_COMMAND_FETCH, lwp_writer_bytes(&text));
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    assert_int_equal(lwp_frame_encode(&frame, &out), LWP_OK);
    say(peer, lwp_writer_bytes(&out));
}

/* Steps until nothing happens; the most that the heap has grown in between. */
static size_t settle_and_look(struct lwp_mock *mock, size_t before)
{
    size_t most = 0;
    for (bool worked = true; worked;) {
        worked = lwp_mock_step(mock, 0);
        const size_t now = growth(before);
        most = now > most ? now : most;
    }
    return most;
}

static void must_be_alive_on_the_pipe(struct lwp_mock *mock, struct lwp_transport *peer)
{
    uint8_t answer[LWP_HEADER_SIZE];
    size_t count = 0;
    say_keepalive(peer, &lwp_dialect_lance);
    settle(mock, 0);
    assert_int_equal(lwp_transport_read(peer, answer, sizeof(answer), &count), LWP_OK);
    assert_int_equal(count, sizeof(answer));
}

static void answers_wait_in_little_memory_until_they_are_read(void **state)
{
    (void)state;
    /* Four are made ahead, in a queue that doubles, and one more. */
    enum { FETCHES = 64, MOST = 12 * MIB };
    static uint8_t in[DIAL_PIPE_ROOM];
    struct lwp_mock *mock = mock_with_a_mib((struct lwp_mock_options){.epoch_ns = 0});
    struct lwp_transport *deaf = dial_pipe(mock, 0);
    struct lwp_transport *other = dial_pipe(mock, 0);
    must_be_alive_on_the_pipe(mock, other);
    const size_t before = heap_in_use();
    for (int i = 0; i < FETCHES; i++)
        ask_for_a_mib(deaf);
    assert_true(settle_and_look(mock, before) < MOST);
    must_be_alive_on_the_pipe(mock, other);
    size_t heard = 0;
    size_t count = 0;
    for (; lwp_transport_read(deaf, in, sizeof(in), &count) == LWP_OK; heard += count)
        assert_true(settle_and_look(mock, before) < MOST);
    /* An answer may be as large as a frame; its payload begins with next_offset and two counts. */
    assert_int_equal(heard, (size_t)FETCHES * (LWP_HEADER_SIZE + MIB));
    assert_int_equal(lwp_mock_counts(mock).over_memory, 0);
    lwp_transport_free(other);
    lwp_transport_free(deaf);
    lwp_mock_free(mock);
}

static void a_peer_that_does_not_read_is_held_to_its_own_limit(void **state)
{
    (void)state;
    enum { LIMIT = 2 * MIB, SLACK = 3 * MIB };
    struct lwp_mock *mock =
        mock_with_a_mib((struct lwp_mock_options){.max_connection_memory = LIMIT});
    struct lwp_transport *deaf = dial_pipe(mock, 0);
    struct lwp_transport *other = dial_pipe(mock, 0);
    must_be_alive_on_the_pipe(mock, other);
    const size_t before = heap_in_use();
    for (int i = 0; i < 64; i++)
        ask_for_a_mib(deaf);
    assert_true(settle_and_look(mock, before) < LIMIT + SLACK);
    assert_int_equal(lwp_mock_counts(mock).over_memory, 1);
    assert_int_equal(lwp_mock_connection_count(mock), 1);
    /* The broker keeps a MiB to make answers in. */
    assert_true(growth(before) < MIB + MIB / 2);
    must_be_alive_on_the_pipe(mock, other);
    lwp_transport_free(other);
    lwp_transport_free(deaf);
    lwp_mock_free(mock);
}

/* What is said before a connection is stepped for the first time, or by a rule at a time. */
static void what_scripts_say_unasked_is_counted_as_well(void **state)
{
    (void)state;
    struct lwp_mock *mock = mock_of((struct lwp_mock_options){.epoch_ns = 0});
    assert_int_equal(
        lwp_mock_script(mock, "greeting.lwps", "on connect -> keepalive\nat 1s -> raw \"x\"\n"),
        LWP_OK);
    for (uint64_t i = 0; i < 20; i++) {
        struct lwp_transport *peer = dial_pipe(mock, i * LWP_SECOND_NS);
        settle(mock, i * LWP_SECOND_NS);
        assert_int_equal(lwp_mock_connection_count(mock), 1);
        lwp_transport_free(peer);
        settle(mock, i * LWP_SECOND_NS);
        assert_int_equal(lwp_mock_connection_count(mock), 0);
        assert_int_equal(mock->queued, 0);
    }
    assert_int_equal(lwp_mock_counts(mock).over_memory, 0);
    lwp_mock_free(mock);
}

static void peers_that_do_not_read_are_held_to_the_limit_of_all(void **state)
{
    (void)state;
    /* Past the limit is one answer, made in one place and copied into a queue that grows for it. */
    enum { DEAF = 20, LIMIT = 12 * MIB, SLACK = 8 * MIB };
    struct lwp_transport *deaf[DEAF];
    struct lwp_mock *mock = mock_with_a_mib((struct lwp_mock_options){.max_memory = LIMIT});
    struct lwp_transport *other = dial_pipe(mock, 0);
    for (int i = 0; i < DEAF; i++)
        deaf[i] = dial_pipe(mock, 0);
    must_be_alive_on_the_pipe(mock, other);
    const size_t before = heap_in_use();
    size_t most = 0;
    for (int i = 0; i < DEAF; i++) {
        for (int fetch = 0; fetch < 8; fetch++)
            ask_for_a_mib(deaf[i]);
        const size_t now = settle_and_look(mock, before);
        most = now > most ? now : most;
        must_be_alive_on_the_pipe(mock, other);
    }
    print_message("%zu bytes at most, %llu connections reset\n", most,
                  (unsigned long long)lwp_mock_counts(mock).over_memory);
    assert_true(most < LIMIT + SLACK);
    assert_true(growth(before) < LIMIT);
    assert_int_equal(lwp_mock_counts(mock).over_memory + lwp_mock_connection_count(mock), DEAF + 1);
    assert_true(lwp_mock_connection_count(mock) >= 2);
    for (int i = 0; i < DEAF; i++)
        lwp_transport_free(deaf[i]);
    lwp_transport_free(other);
    lwp_mock_free(mock);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(ten_thousand_scripted_connections_end_without_an_error),
    cmocka_unit_test(two_thousand_idle_connections_cost_a_descriptor_each_and_little_memory),
    cmocka_unit_test(frames_that_come_byte_by_byte_take_memory_as_they_come),
    cmocka_unit_test(claims_of_four_gib_take_no_memory),
    cmocka_unit_test(answers_wait_in_little_memory_until_they_are_read),
    cmocka_unit_test(a_peer_that_does_not_read_is_held_to_its_own_limit),
    cmocka_unit_test(what_scripts_say_unasked_is_counted_as_well),
    cmocka_unit_test(peers_that_do_not_read_are_held_to_the_limit_of_all),
};

int main(void)
{
    return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
