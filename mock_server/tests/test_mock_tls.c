/* SPDX-License-Identifier: MIT */
#include "lwp/tests/folder.h"

#include <time.h>

#include "lwp/net/clock.h"
#include "lwp/net/link.h"
#include "lwp/net/tls.h"
#include "lwp/wire/trace.h"
#include "mock_server/certs.h"
#include "mock_server/mock_state.h"

enum { PIPE_ROOM = 262144, PATIENCE = 4000, SHOWN = 1024 };

static char folder[FOLDER_SIZE];

static int make_certificates(void **state)
{
    (void)state;
    char problem[LWP_CERTS_PROBLEM_SIZE];
    folder_make(folder);
    return lwp_certs_make(folder, (uint64_t)time(NULL), false, problem) != LWP_OK;
}

static int remove_certificates(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

/* A mock that speaks TLS, and one client of it. */
struct talk {
    char files[3][FOLDER_PATH_SIZE];
    struct lwp_mock *mock;
    struct lwp_tls_context *context;
    struct lwp_transport *tls;
    struct lwp_link link;
    uint64_t now_ns;
    char heard[SHOWN]; /* What came, a line a frame. */
};

static void begin_mock(struct talk *talk, struct lwp_mock_options options)
{
    *talk = (struct talk){.now_ns = 0};
    (void)snprintf(talk->files[0], FOLDER_PATH_SIZE, "%s/server.pem", folder);
    (void)snprintf(talk->files[1], FOLDER_PATH_SIZE, "%s/server.key", folder);
    (void)snprintf(talk->files[2], FOLDER_PATH_SIZE, "%s/ca.pem", folder);
    options.dialect = &lwp_dialect_lance;
    options.tls_certificate = talk->files[0];
    options.tls_key = talk->files[1];
    if (options.tls_client_ca)
        options.tls_client_ca = talk->files[2];
    assert_int_equal(lwp_mock_new(&options, &talk->mock), LWP_OK);
}

/* Connects with a certificate of this name; NULL: with none. */
static void dial(struct talk *talk, const char *certificate, enum lwp_tls_version most)
{
    char reason[LWP_TLS_REASON_SIZE];
    char pem[FOLDER_PATH_SIZE];
    char key[FOLDER_PATH_SIZE];
    struct lwp_transport *ends[2];
    (void)snprintf(pem, sizeof(pem), "%s/%s.pem", folder, certificate ? certificate : "");
    (void)snprintf(key, sizeof(key), "%s/%s.key", folder, certificate ? certificate : "");
    const struct lwp_tls_options options = {
        .certificate_file = certificate ? pem : NULL,
        .key_file = certificate ? key : NULL,
        .ca_file = talk->files[2],
        .most = most,
    };
    const struct lwp_session_options session = {
        .role = LWP_CLIENT, .dialect = &lwp_dialect_lance, .max_payload = LWP_MAX_PAYLOAD_DEFAULT};
    assert_int_equal(lwp_tls_client_new(&options, &talk->context, reason), LWP_OK);
    assert_int_equal(lwp_pipe_new(PIPE_ROOM, ends), LWP_OK);
    assert_int_equal(lwp_mock_accept(talk->mock, ends[1], talk->now_ns), LWP_OK);
    assert_int_equal(lwp_tls_wrap(talk->context, ends[0], "localhost", &talk->tls), LWP_OK);
    lwp_link_init(&talk->link, &session, talk->tls, PIPE_ROOM, 0);
}

static void say(struct talk *talk, struct lwp_frame frame)
{
    assert_int_equal(lwp_link_send(&talk->link, &frame, 0, talk->now_ns), LWP_OK);
}

static void say_ingest(struct talk *talk, uint64_t batch_id)
{
    static const uint8_t record[] = {1, 2, 0, 0, 0, 'h', 'i'};
    struct lwp_frame frame = frame_of(LWP_FLAG_BATCH, bytes_of(record, sizeof(record)));
    frame.header.batch_id = batch_id;
    frame.header.record_count = 1;
    say(talk, frame);
}

static void note(struct talk *talk, const char *text)
{
    const size_t used = strlen(talk->heard);
    assert_in_range(snprintf(talk->heard + used, SHOWN - used, "%s%s", used ? "; " : "", text), 1,
                    (int)(SHOWN - used) - 1);
}

static bool hear_frames(struct talk *talk)
{
    struct lwp_frame frame;
    bool any = false;
    while (lwp_session_receive(&talk->link.session, &frame, talk->now_ns) == LWP_OK) {
        char text[SHOWN];
        (void)lwp_trace_frame(&lwp_dialect_lance, &frame, text, sizeof(text));
        note(talk, text);
        any = true;
    }
    return any;
}

/* Both sides until nothing moves any more; how the client's reading ended. */
static enum lwp_status settle(struct talk *talk)
{
    enum lwp_status status = LWP_WOULD_BLOCK;
    for (int quiet = 0, rounds = 0; quiet < 5; quiet++, rounds++) {
        assert_true(rounds < PATIENCE);
        if (lwp_mock_step(talk->mock, talk->now_ns))
            quiet = 0;
        (void)lwp_link_write(&talk->link);
        status = lwp_link_read(&talk->link, talk->now_ns);
        if (status == LWP_OK) {
            (void)hear_frames(talk);
            quiet = 0;
        }
    }
    return status;
}

static void end(struct talk *talk)
{
    lwp_link_done(&talk->link);
    lwp_tls_context_free(talk->context);
    lwp_mock_free(talk->mock);
}

static void the_mock_answers_over_both_versions(void **state)
{
    (void)state;
    static const enum lwp_tls_version versions[] = {LWP_TLS_1_2, LWP_TLS_1_3};
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct talk talk;
        begin_mock(&talk, (struct lwp_mock_options){.seed = 1});
        dial(&talk, NULL, versions[i]);
        say(&talk, frame_of(LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0)));
        say_ingest(&talk, 7);
        (void)settle(&talk);
        assert_string_equal(talk.heard, "keepalive; ack batch_id=7");
        assert_string_equal(lwp_tls_version(talk.tls), i ? "TLSv1.3" : "TLSv1.2");
        end(&talk);
    }
}

static void the_least_version_is_kept(void **state)
{
    (void)state;
    struct talk talk;
    begin_mock(&talk, (struct lwp_mock_options){.tls_min = 13});
    dial(&talk, NULL, LWP_TLS_1_2);
    say(&talk, frame_of(LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0)));
    assert_int_equal(settle(&talk), LWP_TLS_FAILED);
    assert_string_equal(talk.heard, "");
    end(&talk);
}

static void a_client_in_plain_text_is_refused(void **state)
{
    (void)state;
    struct talk talk;
    struct lwp_transport *ends[2];
    uint8_t bytes[64];
    size_t count = 0;
    begin_mock(&talk, (struct lwp_mock_options){.seed = 1});
    const struct lwp_frame keepalive = frame_of(LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0));
    struct lwp_frame sealed = keepalive;
    struct lwp_writer out = lwp_writer_on(bytes, sizeof(bytes));
    lwp_frame_seal(&sealed, LWP_CRC32, 0);
    assert_int_equal(lwp_frame_encode(&sealed, &out), LWP_OK);
    assert_int_equal(lwp_pipe_new(PIPE_ROOM, ends), LWP_OK);
    assert_int_equal(lwp_mock_accept(talk.mock, ends[1], 0), LWP_OK);
    assert_int_equal(lwp_transport_write(ends[0], lwp_writer_bytes(&out), &count), LWP_OK);
    for (int i = 0; i < 10; i++)
        (void)lwp_mock_step(talk.mock, 0);
    assert_int_equal(lwp_mock_connection_count(talk.mock), 0);
    while (lwp_transport_read(ends[0], bytes, sizeof(bytes), &count) == LWP_OK)
        assert_memory_not_equal(bytes, "LANC", 4);
    lwp_transport_free(ends[0]);
    lwp_mock_free(talk.mock);
}

static void with_mtls_only_clients_of_the_authority_get_in(void **state)
{
    (void)state;
    static const struct {
        const char *certificate;
        bool gets_in;
    } clients[] = {{"client", true}, {NULL, false}, {"other-client", false}};
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        struct talk talk;
        begin_mock(&talk, (struct lwp_mock_options){.tls_client_ca = ""});
        dial(&talk, clients[i].certificate, LWP_TLS_ANY);
        say(&talk, frame_of(LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0)));
        (void)settle(&talk);
        assert_string_equal(talk.heard, clients[i].gets_in ? "keepalive" : "");
        end(&talk);
    }
}

static void access_lists_go_by_the_name_in_the_certificate(void **state)
{
    (void)state;
    static const char *const names[] = {"client", "somebody"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct lwp_access row = {names[i], "*", true, true};
        struct talk talk;
        begin_mock(&talk, (struct lwp_mock_options){
                              .tls_client_ca = "",
                              .broker = {.access = &row, .access_count = 1},
                          });
        dial(&talk, "client", LWP_TLS_ANY);
        say_ingest(&talk, 5);
        (void)settle(&talk);
        const char *expected =
            i ? "error-response text=\"Access denied: client 'client'" : "ack batch_id=5";
        assert_memory_equal(talk.heard, expected, strlen(expected));
        end(&talk);
    }
}

static void scripts_cut_and_close_what_is_inside_of_tls(void **state)
{
    (void)state;
    struct talk talk;
    begin_mock(&talk, (struct lwp_mock_options){.seed = 1});
    assert_int_equal(mock_script(talk.mock, "test",
                                 "on connect -> chop 43,1,*\n"
                                 "on ingest -> backpressure, late-reply 1s\n"
                                 "on keepalive nth 2 -> close fin after 44 bytes\n"),
                     LWP_OK);
    dial(&talk, NULL, LWP_TLS_ANY);
    say_ingest(&talk, 3);
    say(&talk, frame_of(LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0)));
    (void)settle(&talk);
    assert_string_equal(talk.heard, "backpressure; keepalive");
    talk.now_ns = LWP_SECOND_NS;
    (void)settle(&talk);
    assert_string_equal(talk.heard, "backpressure; keepalive; ack batch_id=3");
    say(&talk, frame_of(LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0)));
    assert_int_equal(settle(&talk), LWP_CLOSED);
    assert_string_equal(talk.heard, "backpressure; keepalive; ack batch_id=3; keepalive");
    end(&talk);
}

static void a_served_mock_speaks_tls_on_its_port(void **state)
{
    (void)state;
    struct talk talk;
    struct lwp_address address;
    struct lwp_transport *socket = NULL;
    int error = 0;
    char reason[LWP_TLS_REASON_SIZE];
    uint8_t bytes[64];
    size_t count = 0;
    begin_mock(&talk, (struct lwp_mock_options){.seed = 1});
    const struct lwp_tls_options options = {.ca_file = talk.files[2]};
    assert_int_equal(lwp_mock_start(talk.mock), LWP_OK);
    assert_int_equal(lwp_address_parse(lwp_mock_address(talk.mock, NULL), &address), LWP_OK);
    const uint64_t until_ns = lwp_clock_now() + 10 * LWP_SECOND_NS;
    assert_int_equal(lwp_tls_client_new(&options, &talk.context, reason), LWP_OK);
    assert_int_equal(lwp_tcp_connect(&address, until_ns, &socket, &error), LWP_OK);
    assert_int_equal(lwp_tls_wrap(talk.context, socket, address.host, &talk.tls), LWP_OK);
    enum lwp_status status = LWP_WOULD_BLOCK;
    while (status == LWP_WOULD_BLOCK && lwp_clock_now() < until_ns)
        status = lwp_tls_handshake(talk.tls);
    assert_int_equal(status, LWP_OK);
    struct lwp_frame keepalive = frame_of(LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0));
    struct lwp_writer out = lwp_writer_on(bytes, sizeof(bytes));
    lwp_frame_seal(&keepalive, LWP_CRC32, 0);
    assert_int_equal(lwp_frame_encode(&keepalive, &out), LWP_OK);
    assert_int_equal(lwp_transport_write(talk.tls, lwp_writer_bytes(&out), &count), LWP_OK);
    status = LWP_WOULD_BLOCK;
    while (status == LWP_WOULD_BLOCK && lwp_clock_now() < until_ns)
        status = lwp_transport_read(talk.tls, bytes, sizeof(bytes), &count);
    assert_int_equal(status, LWP_OK);
    assert_int_equal(count, LWP_HEADER_SIZE);
    lwp_transport_free(talk.tls);
    lwp_tls_context_free(talk.context);
    lwp_mock_free(talk.mock);
}

static void a_certificate_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct lwp_mock *mock = NULL;
    char problem[LWP_MOCK_PROBLEM_SIZE];
    const struct lwp_mock_options options = {.dialect = &lwp_dialect_lance,
                                             .tls_certificate = "/nowhere/server.pem",
                                             .problem = problem};
    assert_int_equal(lwp_mock_new(&options, &mock), LWP_IO);
    assert_non_null(strstr(problem, "/nowhere/server.pem"));
    assert_null(mock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mock_answers_over_both_versions),
        cmocka_unit_test(the_least_version_is_kept),
        cmocka_unit_test(a_client_in_plain_text_is_refused),
        cmocka_unit_test(with_mtls_only_clients_of_the_authority_get_in),
        cmocka_unit_test(access_lists_go_by_the_name_in_the_certificate),
        cmocka_unit_test(scripts_cut_and_close_what_is_inside_of_tls),
        cmocka_unit_test(a_served_mock_speaks_tls_on_its_port),
        cmocka_unit_test(a_certificate_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
