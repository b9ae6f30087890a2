/* SPDX-License-Identifier: MIT */
#include "lwp/tests/folder.h"
#include "lwp/tests/net_support.h"

#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>

#include "lwp/bug/bug.h"
#include "lwp/wire/message.h"
#include "lwp/wire/tlv.h"
#include "mock_server/mock.h"

enum { PIPE_ROOM = 65536, ROOM = 16384 };

#define PATIENCE_NS (20 * LWP_SECOND_NS)

/* Makers. */

static struct lwp_mock *mock_of(struct lwp_mock_options options)
{
    struct lwp_mock *mock = NULL;
    if (!options.dialect)
        options.dialect = &lwp_dialect_lance;
    if (!options.kept_log_size)
        options.kept_log_size = 1048576;
    assert_int_equal(lwp_mock_new(&options, &mock), LWP_OK);
    return mock;
}

static struct lwp_mock *plain_mock(void)
{
    return mock_of((struct lwp_mock_options){.epoch_ns = 0});
}

static struct lwp_mock *two_nodes(void)
{
    return mock_of(
        (struct lwp_mock_options){.nodes = {"a=127.0.0.1:0", "b=127.0.0.1:0"}, .node_count = 2});
}

static void load(struct lwp_mock *mock, const char *text)
{
    const enum lwp_status status = lwp_mock_script(mock, "a.lwps", text);
    assert_string_equal(lwp_mock_problems(mock), "");
    assert_int_equal(status, LWP_OK);
}

/* The problem is the last one that is told. */
static void must_not_load(struct lwp_mock *mock, const char *text, const char *problem)
{
    assert_int_equal(lwp_mock_script(mock, "a.lwps", text), LWP_INVALID_PAYLOAD);
    if (!strstr(lwp_mock_problems(mock), problem))
        assert_string_equal(lwp_mock_problems(mock), problem);
}

static struct lwp_transport *dial(struct lwp_mock *mock, uint64_t now_ns)
{
    struct lwp_transport *ends[2];
    assert_int_equal(lwp_pipe_new(PIPE_ROOM, ends), LWP_OK);
    assert_int_equal(lwp_mock_accept(mock, ends[1], now_ns), LWP_OK);
    return ends[0];
}

static struct lwp_transport *dial_port(struct lwp_mock *mock, const char *node)
{
    struct lwp_address address;
    struct lwp_transport *transport = NULL;
    int error = 0;
    assert_int_equal(lwp_address_parse(lwp_mock_address(mock, node), &address), LWP_OK);
    assert_int_equal(lwp_tcp_connect(&address, lwp_clock_now() + PATIENCE_NS, &transport, &error),
                     LWP_OK);
    return transport;
}

static void settle(struct lwp_mock *mock, uint64_t now_ns)
{
    for (int rounds = 0; lwp_mock_step(mock, now_ns); rounds++)
        assert_true(rounds < 10000);
}

static void say(struct lwp_transport *transport, struct lwp_frame frame)
{
    uint8_t wire[512];
    struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
    size_t count = 0;
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    assert_int_equal(lwp_frame_encode(&frame, &out), LWP_OK);
    assert_int_equal(lwp_transport_write(transport, lwp_writer_bytes(&out), &count), LWP_OK);
    assert_int_equal(count, out.size);
}

static void say_keepalive(struct lwp_transport *transport)
{
    say(transport, frame_of(LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0)));
}

static void say_ingest(struct lwp_transport *transport, uint64_t batch_id)
{
    uint8_t record[64];
    struct lwp_writer out = lwp_writer_on(record, sizeof(record));
    lwp_tlv_put(&out, LWP_TLV_RAW, lwp_bytes_text("x"));
    say(transport, ingest_of(LWP_CRC32, batch_id, lwp_writer_bytes(&out)));
}

/* What has come, a letter a frame; `e` is an error, `.` the end of the connection. */
static const char *heard(struct lwp_transport *transport)
{
    static char words[ROOM];
    static uint8_t came[ROOM];
    static const struct lwp_frame_rules rules = {LWP_CRC32, UINT32_MAX};
    struct lwp_frame frame;
    struct lwp_fault fault;
    size_t size = 0, count = 0, more = 0;
    enum lwp_status status = LWP_OK;
    while ((status = lwp_transport_read(transport, came + size, ROOM - size, &more)) == LWP_OK)
        size += more;
    struct lwp_bytes rest = bytes_of(came, size);
    while (lwp_frame_split(&rules, rest, &frame, &fault) == LWP_OK) {
        static const char letters[] = {[LWP_FLAG_ACK] = 'a',
                                       [LWP_FLAG_BACKPRESSURE] = 'b',
                                       [LWP_FLAG_KEEPALIVE] = 'k',
                                       [LWP_FLAG_CONTROL] = 'c'};
        words[count++] =
            frame.header.batch_id == LWP_COMMAND_ERROR_RESPONSE ? 'e' : letters[frame.header.flags];
        rest = lwp_bytes_from(rest, lwp_frame_size(&frame));
    }
    assert_int_equal(rest.size, 0);
    if (status != LWP_WOULD_BLOCK)
        words[count++] = '.';
    words[count] = '\0';
    return words;
}

/* Texts of the mock, for the moment. */
static const char *kept(enum lwp_status status, char *text)
{
    static char copy[ROOM];
    assert_int_equal(status, LWP_OK);
    (void)snprintf(copy, sizeof(copy), "%s", text);
    lwp_mock_free_text(text);
    return copy;
}

static const char *log_of(struct lwp_mock *mock)
{
    char *text = NULL;
    size_t size = 0;
    const enum lwp_status status = lwp_mock_log(mock, &text, &size);
    assert_int_equal(strlen(text), size);
    return kept(status, text);
}

static const char *list_of(struct lwp_mock *mock)
{
    char *text = NULL;
    const enum lwp_status status = lwp_mock_list(mock, &text);
    return kept(status, text);
}

static const char *failures_of(struct lwp_mock *mock)
{
    char *text = NULL;
    bool passed = false;
    const enum lwp_status status = lwp_mock_verdict(mock, &passed, &text);
    assert_int_equal(status, LWP_OK);
    assert_true(passed == (text[0] == '\0'));
    return kept(status, text);
}

/* Loading. */

static void a_script_decides_what_is_answered(void **state)
{
    (void)state;
    struct lwp_mock *mock = plain_mock();
    load(mock, "topic orders id=1\non ingest nth 2 -> backpressure\n");
    struct lwp_transport *peer = dial(mock, 0);
    for (uint64_t i = 1; i <= 3; i++)
        say_ingest(peer, i);
    settle(mock, 0);
    assert_string_equal(heard(peer), "baa"); /* Acks end the read batch. */
    assert_string_equal(failures_of(mock), "");
    lwp_transport_free(peer);
    lwp_mock_free(mock);
}

static void all_that_is_wrong_is_told(void **state)
{
    (void)state;
    struct lwp_mock *mock = plain_mock();
    must_not_load(mock, "on ingset -> ack\non ingest -> dance\n", "a.lwps:1:4: found");
    assert_non_null(strstr(lwp_mock_problems(mock), "a.lwps:2:14: found"));
    must_not_load(mock, "scenario a\nscenario b\n", "several scenarios");
    must_not_load(mock, "", "no scenario");
    assert_int_equal(lwp_mock_scenario(mock, "a.lwps", "scenario a\n", "b"), LWP_INVALID_PAYLOAD);
    assert_non_null(strstr(lwp_mock_problems(mock), "no scenario of that name"));
    load(mock, "on ingest -> ack optional");
    lwp_mock_free(mock);
}

static void a_script_that_fails_leaves_nothing_behind(void **state)
{
    (void)state;
    static const char *const endings[] = {
        "needs tls\n",
        "needs wings\n",
        "node B\nneeds tls\n",
        "node N234567890123456789012345678901234567890123456789012345678901234\n",
        "topic late id=7\ntopic early id=3\n",
    };
    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        char text[512];
        struct lwp_mock *mock = plain_mock();
        (void)snprintf(text, sizeof(text),
                       "dialect spec\nnode A leader of orders\ntopic orders id=1 records=2\n"
                       "on fetch p=0.5 -> ack\n%s",
                       endings[i]);
        must_not_load(mock, text, "a.lwps:");
        assert_string_equal(list_of(mock), "");
        assert_string_equal(lwp_mock_node(mock, 0), "");
        assert_null(lwp_mock_node(mock, 1));
        assert_int_equal(lwp_mock_leader(mock, "*", "none"), LWP_INVALID_ARGUMENT);
        load(mock, "topic first id=1\non keepalive -> keepalive, keepalive");
        struct lwp_transport *peer = dial(mock, 0);
        say_keepalive(peer);
        settle(mock, 0);
        assert_string_equal(heard(peer), "kk");
        lwp_transport_free(peer);
        lwp_mock_free(mock);
    }
}

static void a_script_that_fails_leaves_a_cluster_as_it_was(void **state)
{
    (void)state;
    struct lwp_mock *mock = two_nodes();
    assert_int_equal(lwp_mock_start(mock), LWP_OK);
    assert_int_equal(lwp_mock_leader(mock, "orders", "b"), LWP_OK);
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3; /* No new node gets a port. */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const enum lwp_status status =
        lwp_mock_script(mock, "a.lwps", "node a leader of orders\nnode c\ntopic orders\n");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(status, LWP_IO);
    assert_string_equal(lwp_mock_problems(mock), "a.lwps: Too many open files\n");
    assert_null(lwp_mock_node(mock, 2));
    const size_t told = strlen(log_of(mock));
    assert_int_equal(lwp_mock_leader(mock, "orders", "b"), LWP_OK);
    assert_int_equal(strlen(log_of(mock)), told); /* It still led. */
    load(mock, "node c leader of orders\ntopic orders id=1\non keepalive -> keepalive");
    assert_string_equal(lwp_mock_node(mock, 2), "c");
    struct lwp_transport *peer = dial_port(mock, "c");
    say_keepalive(peer);
    assert_int_equal(lwp_mock_wait(mock, "a.lwps:3", PATIENCE_NS), LWP_OK);
    lwp_transport_free(peer);
    lwp_mock_free(mock);
}

static void a_script_says_what_it_needs(void **state)
{
    (void)state;
    struct lwp_mock *plain = plain_mock();
    struct lwp_mock *guarded_mock = mock_of((struct lwp_mock_options){.auth_token = "t"});
    must_not_load(plain, "needs auth\n", "found needs auth, expected");
    must_not_load(plain, "needs cluster\n", "found needs cluster, expected");
    must_not_load(plain, "needs tls, auth\n", "found needs auth, expected");
    must_not_load(guarded_mock, "needs open\n", "found needs open, expected");
    load(guarded_mock, "needs auth, topics, retention, lz4\n");
    load(plain, "needs open, ingest, slow\n");
    load(plain, "needs cluster\nnode A\nnode B\n");
    lwp_mock_free(guarded_mock);
    lwp_mock_free(plain);
}

static void a_dialect_is_chosen_once(void **state)
{
    (void)state;
    struct lwp_mock *mock = plain_mock();
    load(mock, "dialect spec\non keepalive -> keepalive optional\n");
    must_not_load(mock, "dialect lance\n",
                  "found dialect lance, expected the dialect of the other");
    lwp_mock_reset(mock);
    struct lwp_transport *peer = dial(mock, 0); /* It is lance again. */
    say_keepalive(peer);
    settle(mock, 0);
    assert_string_equal(heard(peer), "k");
    must_not_load(mock, "dialect spec\n", "found dialect spec, expected the dialect of the conn");
    load(mock, "dialect lance\n");
    lwp_transport_free(peer);
    lwp_mock_free(mock);
}

static void topics_and_nodes_that_are_there_are_taken_as_they_are(void **state)
{
    (void)state;
    struct lwp_mock *mock = two_nodes();
    load(mock, "node a\ntopic orders id=4\ntopic next\n");
    lwp_mock_reset(mock);
    load(mock, "node a\ntopic orders id=4\ntopic next id=5\ntopic orders2\n");
    assert_null(lwp_mock_node(mock, 2));
    must_not_load(mock, "topic orders id=5\n", "topic orders id=5, expected the id that this");
    must_not_load(mock, "topic other id=4\n", "topic other id=4, expected an id above all");
    lwp_mock_free(mock);
}

static void one_of_several_scenarios_can_be_chosen(void **state)
{
    (void)state;
    char folder[FOLDER_SIZE];
    static const char text[] = "scenario a\non ingest -> ack as one\n"
                               "scenario b\non keepalive -> keepalive as two\n";
    struct lwp_mock *mock = plain_mock();
    folder_make(folder);
    const char *path = folder_path(folder, "two.lwps");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(lwp_mock_scenario(mock, "x", text, "b"), LWP_OK);
    assert_string_equal(list_of(mock), "two x:4 armed matched 0 fired 0\n");
    lwp_mock_reset(mock);
    assert_int_equal(lwp_mock_script_file(mock, path, "a"), LWP_OK);
    assert_non_null(strstr(list_of(mock), "/two.lwps:2 armed"));
    assert_int_equal(lwp_mock_script_file(mock, path, NULL), LWP_INVALID_PAYLOAD);
    folder_remove(folder);
    assert_int_equal(lwp_mock_script_file(mock, path, NULL), LWP_IO);
    assert_non_null(strstr(lwp_mock_problems(mock), "two.lwps: No such file or directory\n"));
    lwp_mock_free(mock);
}

static void a_script_of_more_than_a_mib_is_refused(void **state)
{
    (void)state;
    enum { SIZE = 1048577 };
    char *text = malloc(SIZE + 1);
    assert_non_null(text);
    memset(text, '\n', SIZE);
    text[SIZE] = '\0';
    struct lwp_mock *mock = plain_mock();
    assert_int_equal(lwp_mock_script(mock, "a.lwps", text), LWP_PAYLOAD_TOO_LARGE);
    assert_string_equal(lwp_mock_problems(mock), "a.lwps: larger than 1 MiB\n");
    for (int i = 0; i < 64; i++)
        load(mock, "on ingest -> ack optional");
    assert_int_equal(lwp_mock_script(mock, "a.lwps", "on ingest -> ack"), LWP_FULL);
    assert_non_null(strstr(lwp_mock_problems(mock), "no room"));
    free(text);
    lwp_mock_free(mock);
}

/* Scripts at work. */

static void rules_can_be_armed_and_disarmed(void **state)
{
    (void)state;
    struct lwp_mock *mock = plain_mock();
    load(mock, "scenario s\non keepalive -> keepalive, keepalive as twice\n");
    struct lwp_transport *peer = dial(mock, 0);
    static const struct {
        const char *name;
        bool armed;
        const char *answer;
    } rows[] = {{"twice", false, "k"}, {"s", true, "kk"}, {"a.lwps", false, "k"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const enum lwp_status status =
            (rows[i].armed ? lwp_mock_arm : lwp_mock_disarm)(mock, rows[i].name);
        assert_int_equal(status, LWP_OK);
        assert_non_null(strstr(list_of(mock), rows[i].armed ? " armed" : " disarmed"));
        say_keepalive(peer);
        settle(mock, 0);
        assert_string_equal(heard(peer), rows[i].answer);
    }
    assert_int_equal(lwp_mock_arm(mock, "nobody"), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_mock_disarm(mock, "nobody"), LWP_INVALID_ARGUMENT);
    lwp_transport_free(peer);
    lwp_mock_free(mock);
}

static void what_a_script_held_is_sent_by_a_reset(void **state)
{
    (void)state;
    struct lwp_mock *mock = plain_mock();
    load(mock, "topic orders id=1\non ingest -> hold\n");
    struct lwp_transport *peer = dial(mock, 0);
    say_ingest(peer, 1);
    settle(mock, 0);
    assert_string_equal(heard(peer), "");
    lwp_mock_reset(mock);
    assert_string_equal(list_of(mock), "");
    say_ingest(peer, 2);
    settle(mock, 0);
    assert_string_equal(heard(peer), "aa");
    lwp_transport_free(peer);
    lwp_mock_free(mock);
}

static void the_verdict_names_what_did_not_happen(void **state)
{
    (void)state;
    struct lwp_mock *mock = plain_mock();
    assert_string_equal(failures_of(mock), "");
    load(mock, "on ingest -> ack\nexpect count keepalive >= 2\n");
    assert_string_equal(failures_of(mock),
                        "a.lwps:1:1: the rule a.lwps:1 never fired (it matched 0 times)\n"
                        "a.lwps:2:1: expected >= 2 of these, saw 0\n");
    assert_non_null(strstr(log_of(mock), "\"event\":\"verdict\""));
    assert_non_null(strstr(log_of(mock), "\"passed\":false"));
    lwp_mock_reset(mock);
    assert_string_equal(failures_of(mock), "");
    lwp_mock_free(mock);
}

static void the_end_of_the_service_is_not_judged(void **state)
{
    (void)state;
    struct lwp_mock *mock = plain_mock();
    load(mock, "on keepalive -> keepalive as seen\nnever close\n");
    assert_int_equal(lwp_mock_start(mock), LWP_OK);
    struct lwp_transport *peer = dial_port(mock, NULL);
    say_keepalive(peer);
    assert_int_equal(lwp_mock_wait(mock, "seen", PATIENCE_NS), LWP_OK);
    assert_int_equal(lwp_mock_stop(mock), LWP_OK);
    assert_string_equal(failures_of(mock), "");
    assert_non_null(strstr(log_of(mock), "\"event\":\"closed\""));
    lwp_transport_free(peer);
    assert_int_equal(lwp_mock_start(mock), LWP_OK);
    lwp_transport_free(dial_port(mock, NULL));
    assert_int_equal(lwp_mock_wait(mock, "connections 2", PATIENCE_NS), LWP_OK);
    assert_int_equal(lwp_mock_wait(mock, "idle", PATIENCE_NS), LWP_OK);
    assert_string_not_equal(failures_of(mock), "");
    lwp_mock_free(mock);
}

static void rules_barriers_and_the_end_can_be_waited_for(void **state)
{
    (void)state;
    struct lwp_mock *mock = plain_mock();
    static const char *const names[] = {"first", "gate", "decided"};
    assert_int_equal(lwp_mock_reached(mock, "first"), LWP_INVALID_ARGUMENT);
    load(mock, "on keepalive -> keepalive, barrier gate, pass as first\n");
    struct lwp_transport *peer = dial(mock, 0);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_equal(lwp_mock_reached(mock, names[i]), LWP_WOULD_BLOCK);
    say_keepalive(peer);
    settle(mock, 0);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_equal(lwp_mock_reached(mock, names[i]), LWP_OK);
    lwp_transport_free(peer);
    lwp_mock_free(mock);
}

static void a_wait_for_a_rule_ends_with_its_script(void **state)
{
    (void)state;
    struct lwp_mock *mock = plain_mock();
    load(mock, "on ingest -> ack as rule\n");
    assert_int_equal(lwp_mock_start(mock), LWP_OK);
    assert_int_equal(lwp_mock_wait(mock, "rule", LWP_MILLISECOND_NS), LWP_TIMEOUT);
    lwp_mock_reset(mock);
    assert_int_equal(lwp_mock_wait(mock, "rule", PATIENCE_NS), LWP_INVALID_ARGUMENT);
    lwp_mock_free(mock);
}

/* The cluster. */

static void without_a_cluster_nobody_leads(void **state)
{
    (void)state;
    struct lwp_mock *mock = plain_mock();
    assert_int_equal(lwp_mock_leader(mock, "*", "a"), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_mock_lag(mock, "a", 1), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_mock_stale(mock, NULL, 1), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_mock_ready(mock, "a", false), LWP_INVALID_ARGUMENT);
    lwp_mock_free(mock);
}

static void a_cluster_can_be_changed(void **state)
{
    (void)state;
    struct lwp_mock *mock = two_nodes();
    assert_int_equal(lwp_mock_leader(mock, "*", "b"), LWP_OK);
    assert_int_equal(lwp_mock_leader(mock, "orders", "none"), LWP_OK);
    assert_int_equal(lwp_mock_leader(mock, "*", "c"), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_mock_lag(mock, "b", 100), LWP_OK);
    assert_int_equal(lwp_mock_lag(mock, "c", 100), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_mock_stale(mock, NULL, 2), LWP_OK);
    assert_int_equal(lwp_mock_stale(mock, "a", 2), LWP_OK);
    assert_int_equal(lwp_mock_stale(mock, "c", 2), LWP_INVALID_ARGUMENT);
    assert_int_equal(lwp_mock_ready(mock, "a", false), LWP_OK);
    assert_int_equal(lwp_mock_ready(mock, "c", true), LWP_INVALID_ARGUMENT);
    assert_non_null(strstr(log_of(mock), "\"event\":\"cluster\""));
    assert_string_equal(lwp_mock_node(mock, 1), "b");
    assert_null(lwp_mock_node(mock, 2));
    lwp_mock_free(mock);
}

static void a_restart_resets_connections_and_keeps_topics(void **state)
{
    (void)state;
    struct lwp_mock *mock = plain_mock();
    load(mock, "topic orders id=1\n");
    struct lwp_transport *peer = dial(mock, 0);
    assert_int_equal(lwp_mock_restart(mock), LWP_OK);
    settle(mock, 0);
    assert_string_equal(heard(peer), ".");
    assert_int_equal(lwp_mock_connection_count(mock), 0);
    lwp_transport_free(peer);
    peer = dial(mock, 0);
    say_ingest(peer, 1);
    settle(mock, 0);
    assert_string_equal(heard(peer), "a");
    lwp_transport_free(peer);
    lwp_mock_free(mock);
}

/* What happened. */

static void the_log_has_what_is_asked_for(void **state)
{
    (void)state;
    struct lwp_mock_options options = {.dialect = &lwp_dialect_lance};
    struct lwp_mock *mock = NULL;
    assert_int_equal(lwp_mock_new(&options, &mock), LWP_OK);
    assert_string_equal(log_of(mock), "");
    assert_string_equal(lwp_mock_log_error(mock), "");
    lwp_mock_free(mock);
    mock = plain_mock();
    struct lwp_transport *peer = dial(mock, 0);
    say_keepalive(peer);
    settle(mock, 0);
    const char *log = log_of(mock);
    assert_memory_equal(log, "{\"event\":\"begin\"", 16);
    assert_non_null(strstr(log, "\"event\":\"connected\",\"number\":1,"));
    assert_non_null(strstr(log, "\"kind\":\"keepalive\""));
    assert_string_equal(lwp_mock_log_error(mock), "");
    lwp_transport_free(peer);
    lwp_mock_free(mock);
}

static void refusals_and_resets_are_in_the_log(void **state)
{
    (void)state;
    struct lwp_mock *mock =
        mock_of((struct lwp_mock_options){.max_connections = 1, .max_connection_memory = 65536});
    struct lwp_transport *first = dial(mock, 0);
    struct lwp_transport *second = dial(mock, 0);
    assert_non_null(strstr(log_of(mock), "a connection past the limit is refused"));
    uint8_t payload[60000] = {0};
    struct lwp_frame frame = frame_of(LWP_FLAG_BATCH, bytes_of(payload, sizeof(payload)));
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    frame.header.payload_length = 1048576; /* So much is to come. */
    uint8_t wire[LWP_HEADER_SIZE];
    size_t count = 0;
    lwp_header_encode(&frame.header, wire);
    assert_int_equal(lwp_transport_write(first, bytes_of(wire, sizeof(wire)), &count), LWP_OK);
    for (int i = 0; i < 3 && lwp_mock_connection_count(mock); i++) {
        (void)lwp_transport_write(first, bytes_of(payload, sizeof(payload)), &count);
        settle(mock, 0);
    }
    assert_int_equal(lwp_mock_counts(mock).over_memory, 1);
    assert_non_null(strstr(log_of(mock), "reset: it is over its memory"));
    lwp_transport_free(second);
    lwp_transport_free(first);
    lwp_mock_free(mock);
}

static size_t size_of(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    const long size = ftell(file);
    assert_int_equal(fclose(file), 0);
    return (size_t)size;
}

static void events_are_written_to_files(void **state)
{
    (void)state;
    char folder[FOLDER_SIZE];
    folder_make(folder);
    const char *log = folder_path(folder, "log");
    const char *capture = folder_path(folder, "capture");
    struct lwp_mock *mock =
        mock_of((struct lwp_mock_options){.log_file = log, .capture_file = capture});
    assert_int_equal(lwp_mock_start(mock), LWP_OK);
    struct lwp_transport *peer = dial_port(mock, NULL);
    uint8_t byte = 0;
    size_t count = 0;
    say_keepalive(peer);
    assert_int_equal(read_next(peer, &byte, 1, &count), LWP_OK);
    lwp_transport_free(peer);
    assert_int_equal(lwp_mock_wait(mock, "idle", PATIENCE_NS), LWP_OK);
    assert_int_equal(lwp_mock_stop(mock), LWP_OK);
    const size_t kept_size = strlen(log_of(mock));
    lwp_mock_free(mock);
    assert_int_equal(size_of(log), kept_size);
    assert_true(size_of(capture) > 400);
    folder_remove(folder);
}

static void a_device_that_is_full_is_told_with_its_name(void **state)
{
    (void)state;
    struct lwp_mock *mock = mock_of((struct lwp_mock_options){.log_file = "/dev/full"});
    struct lwp_transport *peer = dial(mock, 0);
    assert_string_equal(lwp_mock_log_error(mock), "/dev/full: No space left on device");
    assert_non_null(strstr(log_of(mock), "connected")); /* What is kept goes on. */
    lwp_transport_free(peer);
    lwp_mock_free(mock);
}

/* Options. */

static void what_is_wrong_with_options_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *problem;
        enum lwp_status status;
    } rows[] = {
        {"log", "/nowhere/log", "/nowhere/log: No such file", LWP_IO},
        {"pcap", "/nowhere/p", "/nowhere/p: No such file", LWP_IO},
        {"access", "/nowhere/a", "/nowhere/a: No such file", LWP_IO},
        {"access", LWP_SOURCE_DIR "/CMakeLists.txt", "line 1 is not CLIENT", LWP_INVALID_ARGUMENT},
        {"tls-cert", "/nowhere/c", "/nowhere/c", LWP_IO},
        {"tls-cert", LWP_SOURCE_DIR "/LICENSE", "LICENSE", LWP_INVALID_ARGUMENT},
        {"tls-min", "1.1", "tls-min: --tls-min takes", LWP_INVALID_ARGUMENT},
        {"bug", "B3", "bug: no such bug", LWP_INVALID_ARGUMENT},
        {"seed", "-1", "seed: ", LWP_INVALID_ARGUMENT},
        {"rate-limit", "0", "rate-limit: ", LWP_INVALID_ARGUMENT},
        {"segment-size", "1X", "segment-size: ", LWP_INVALID_ARGUMENT},
        {"retention-interval", "10", "retention-interval: ", LWP_INVALID_ARGUMENT},
        {"retention-interval", "0", "retention-interval: ", LWP_INVALID_ARGUMENT},
        {"forward-delay", "2h", "forward-delay: ", LWP_INVALID_ARGUMENT},
        {"auth-token", "", "auth-token: ", LWP_INVALID_ARGUMENT},
        {"auth-client", "alice", "auth-client: ", LWP_INVALID_ARGUMENT},
        {"auth-failures", "0", "auth-failures: ", LWP_INVALID_ARGUMENT},
        {"keep-log", "much", "keep-log: ", LWP_INVALID_ARGUMENT},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *const words[] = {rows[i].name, rows[i].value, NULL};
        char problem[LWP_MOCK_PROBLEM_SIZE] = "";
        struct lwp_mock *mock = NULL;
        assert_int_equal(lwp_mock_new_from(words, &mock, problem), rows[i].status);
        if (!strstr(problem, rows[i].problem))
            assert_string_equal(problem, rows[i].problem);
        assert_null(mock);
    }
}

static void good_options_are_taken(void **state)
{
    (void)state;
    static const char *const words[][2] = {
        {"bug", "B1"},
        {"bug", "retention-shifts"},
        {"seed", "7"},
        {"rate-limit", "1M"},
        {"segment-size", "64K"},
        {"auth-token", "one"},
        {"auth-token", "two words"},
        {"auth-client", "bob"},
        {"auth-strict", NULL},
        {"auth-write-only", NULL},
        {"auth-failures", "3"},
        {"auth-file", "/nowhere/tokens"},
        {"forward-delay", "2ms"},
        {"keep-log", "1M"},
        {"tls-min", "1.3"},
        {"retention-interval", "1ms"},
    };
    struct lwp_mock_options options = {.dialect = &lwp_dialect_lance};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        assert_null(lwp_mock_option(&options, words[i][0], words[i][1]));
    assert_int_equal(options.broker.quirks,
                     lwp_quirk_bit(LWP_QUIRK_B1) | lwp_quirk_bit(LWP_QUIRK_B13));
    assert_int_equal(options.seed, 7);
    assert_int_equal(options.broker.rate_limit, 1048576);
    assert_int_equal(options.broker.segment_size, 65536);
    assert_int_equal(options.auth_token_count, 2);
    assert_null(options.auth_tokens[0].client);
    assert_string_equal(options.auth_tokens[1].client, "bob");
    assert_true(options.broker.auth.strict && options.broker.auth.write_only);
    assert_int_equal(options.broker.auth.max_failures, 3);
    assert_int_equal(options.forward_ns, 2 * LWP_MILLISECOND_NS);
    assert_int_equal(options.kept_log_size, 1048576);
    assert_int_equal(options.tls_min, 13);
    assert_int_equal(options.broker.retention_interval_ns, LWP_MILLISECOND_NS);
    for (size_t i = options.auth_token_count; i < LWP_MOCK_MAX_TOKENS; i++)
        assert_null(lwp_mock_option(&options, "auth-token", "more"));
    assert_non_null(lwp_mock_option(&options, "auth-token", "surplus"));
}

static void say_token(struct lwp_transport *transport, const char *token)
{
    uint8_t payload[256];
    struct lwp_writer body = lwp_writer_on(payload, sizeof(payload));
    const struct lwp_message message = {.command = LWP_COMMAND_AUTHENTICATE,
                                        .token = lwp_bytes_text(token)};
    assert_int_equal(lwp_message_encode(&message, &body), LWP_OK);
    say(transport, lwp_message_frame(message.command, lwp_writer_bytes(&body)));
}

static void a_tokens_client_is_whom_access_lists_know(void **state)
{
    (void)state;
    char folder[FOLDER_SIZE];
    folder_make(folder);
    const char *path = folder_path(folder, "access");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("# who may what\nbob orders rw\nalice orders r\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    struct lwp_mock *mock = mock_of((struct lwp_mock_options){
        .auth_token = "plain",
        .auth_tokens = {{"of-alice", "alice"}, {"of-bob", "bob"}},
        .auth_token_count = 2,
        .access_file = path,
    });
    load(mock, "topic orders id=1\n");
    static const char *const rows[][2] = {
        {"plain", "ce"}, {"of-alice", "ce"}, {"of-bob", "ca"}, {"of-eve", "ce"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lwp_transport *peer = dial(mock, 0);
        say_token(peer, rows[i][0]);
        say_ingest(peer, 1);
        settle(mock, 0);
        assert_string_equal(heard(peer), rows[i][1]);
        lwp_transport_free(peer);
    }
    lwp_mock_free(mock);
    folder_remove(folder);
}

/* Threads. */

static void *bother(void *argument)
{
    struct lwp_mock *mock = argument;
    for (int i = 0; i < 30; i++) {
        (void)lwp_mock_script(mock, "a.lwps", "on keepalive -> keepalive as rule optional");
        char *text = NULL;
        size_t size = 0;
        bool passed = false;
        assert_int_equal(lwp_mock_list(mock, &text), LWP_OK);
        lwp_mock_free_text(text);
        assert_int_equal(lwp_mock_verdict(mock, &passed, &text), LWP_OK);
        lwp_mock_free_text(text);
        assert_int_equal(lwp_mock_log(mock, &text, &size), LWP_OK);
        lwp_mock_free_text(text);
        (void)lwp_mock_disarm(mock, "rule");
        (void)lwp_mock_wait(mock, "rule", LWP_MILLISECOND_NS);
        (void)lwp_mock_leader(mock, "*", i % 2 ? "a" : "b");
        lwp_mock_reset(mock);
        assert_int_equal(lwp_mock_restart(mock), LWP_OK);
    }
    return NULL;
}

static void all_calls_may_come_from_any_thread_while_it_serves(void **state)
{
    (void)state;
    pthread_t threads[3];
    struct lwp_mock *mock = two_nodes();
    assert_int_equal(lwp_mock_start(mock), LWP_OK);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, bother, mock), 0);
    for (int i = 0; i < 50; i++) {
        struct lwp_transport *peer = NULL;
        struct lwp_address address;
        uint8_t byte = 0;
        size_t count = 0;
        int error = 0;
        assert_int_equal(lwp_address_parse(lwp_mock_address(mock, "b"), &address), LWP_OK);
        const enum lwp_status status =
            lwp_tcp_connect(&address, lwp_clock_now() + PATIENCE_NS, &peer, &error);
        /* A restart by another thread may reset it at any moment, but nothing else may happen. */
        assert_true(status == LWP_OK || error == ECONNRESET);
        if (status == LWP_OK)
            (void)lwp_transport_write(peer, (struct lwp_bytes){&byte, 1}, &count);
        lwp_transport_free(peer);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    lwp_mock_free(mock);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_script_decides_what_is_answered),
    cmocka_unit_test(all_that_is_wrong_is_told),
    cmocka_unit_test(a_script_that_fails_leaves_nothing_behind),
    cmocka_unit_test(a_script_that_fails_leaves_a_cluster_as_it_was),
    cmocka_unit_test(a_script_says_what_it_needs),
    cmocka_unit_test(a_dialect_is_chosen_once),
    cmocka_unit_test(topics_and_nodes_that_are_there_are_taken_as_they_are),
    cmocka_unit_test(one_of_several_scenarios_can_be_chosen),
    cmocka_unit_test(a_script_of_more_than_a_mib_is_refused),
    cmocka_unit_test(rules_can_be_armed_and_disarmed),
    cmocka_unit_test(what_a_script_held_is_sent_by_a_reset),
    cmocka_unit_test(the_verdict_names_what_did_not_happen),
    cmocka_unit_test(the_end_of_the_service_is_not_judged),
    cmocka_unit_test(rules_barriers_and_the_end_can_be_waited_for),
    cmocka_unit_test(a_wait_for_a_rule_ends_with_its_script),
    cmocka_unit_test(without_a_cluster_nobody_leads),
    cmocka_unit_test(a_cluster_can_be_changed),
    cmocka_unit_test(a_restart_resets_connections_and_keeps_topics),
    cmocka_unit_test(the_log_has_what_is_asked_for),
    cmocka_unit_test(refusals_and_resets_are_in_the_log),
    cmocka_unit_test(events_are_written_to_files),
    cmocka_unit_test(a_device_that_is_full_is_told_with_its_name),
    cmocka_unit_test(what_is_wrong_with_options_is_told),
    cmocka_unit_test(good_options_are_taken),
    cmocka_unit_test(a_tokens_client_is_whom_access_lists_know),
    cmocka_unit_test(all_calls_may_come_from_any_thread_while_it_serves),
};

int main(void)
{
    return cmocka_run_group_tests_name("mock_api", tests, NULL, NULL);
}
