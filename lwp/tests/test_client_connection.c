/* SPDX-License-Identifier: MIT */
#include "lwp/tests/fake_server.h"
#include "lwp/tests/mock_service.h"

#include <poll.h>

#include "lwp/lwp.h"
#include "lwp/net/clock.h"
#include "mock_server/certs.h"

#define MS LWP_MILLISECOND_NS

static const struct lwp_dialect *const dialect = &lwp_dialect_lance;

/* A way to be secure that turns every byte around, after a handshake of some steps. */
struct veil {
    struct lwp_transport transport; /* First, so that one is the other. */
    struct lwp_transport *inner;
    unsigned steps_left;
};

static unsigned wraps, handshakes;
static unsigned steps;
static enum lwp_status verdict;
static char veiled_host[256];

static struct veil *veil_of(struct lwp_transport *transport)
{
    return (struct veil *)(void *)transport;
}

static enum lwp_status veil_read(struct lwp_transport *transport, uint8_t *out, size_t size,
                                 size_t *count)
{
    const enum lwp_status status = lwp_transport_read(veil_of(transport)->inner, out, size, count);
    for (size_t i = 0; status == LWP_OK && i < *count; i++)
        out[i] = (uint8_t)~out[i];
    return status;
}

static enum lwp_status veil_write(struct lwp_transport *transport, struct lwp_bytes bytes,
                                  size_t *count)
{
    uint8_t room[512];
    /* Nothing is said before hands are shaken. */
    assert_int_equal(veil_of(transport)->steps_left, 0);
    const size_t size = bytes.size < sizeof(room) ? bytes.size : sizeof(room);
    for (size_t i = 0; i < size; i++)
        room[i] = (uint8_t)~bytes.data[i];
    return lwp_transport_write(veil_of(transport)->inner, bytes_of(room, size), count);
}

static void veil_close(struct lwp_transport *transport, enum lwp_close how)
{
    lwp_transport_close(veil_of(transport)->inner, how);
}

static int veil_fd(const struct lwp_transport *transport)
{
    (void)transport;
    return -1;
}

static void veil_free(struct lwp_transport *transport)
{
    lwp_transport_free(veil_of(transport)->inner);
    free(transport);
}

static enum lwp_status wrap(const void *context, struct lwp_transport *inner, const char *host,
                            struct lwp_transport **outer)
{
    static const struct lwp_transport_ops ops = {veil_read, veil_write, veil_close,
                                                 veil_fd,   veil_free,  NULL};
    struct veil *veil = calloc(1, sizeof(*veil));
    assert_non_null(veil);
    assert_string_equal(context, "context");
    (void)snprintf(veiled_host, sizeof(veiled_host), "%s", host);
    *veil = (struct veil){{&ops, 0}, inner, steps};
    *outer = &veil->transport;
    wraps++;
    return LWP_OK;
}

static enum lwp_status shake(struct lwp_transport *outer)
{
    struct veil *veil = veil_of(outer);
    handshakes++;
    if (verdict != LWP_OK)
        return verdict;
    if (veil->steps_left == 0)
        return LWP_OK;
    veil->steps_left--;
    return veil->steps_left ? LWP_WOULD_BLOCK : LWP_OK;
}

static const char *reason(const struct lwp_transport *outer)
{
    (void)outer;
    return "the certificate has expired";
}

/* In memory there is no descriptor that would tell when to go on. */
static bool is_busy(const struct lwp_transport *outer)
{
    return ((const struct veil *)(const void *)outer)->steps_left != 0;
}

static const struct lwp_security security = {wrap, shake, NULL, is_busy, reason, "context"};

/* The played server speaks through the veil, too: its end is wrapped when the first bytes come. */
static void veil_links(struct fake *fake)
{
    for (size_t i = 0; i < fake->count; i++) {
        struct lwp_link *link = &fake->links[i];
        struct lwp_transport *outer = NULL;
        if (!link->transport || lwp_transport_fd(link->transport) != -1 ||
            link->transport->ops->read == veil_read)
            continue;
        const unsigned before = wraps, kept = steps;
        steps = 0;
        char host[sizeof(veiled_host)];
        memcpy(host, veiled_host, sizeof(host));
        assert_int_equal(wrap("context", link->transport, "", &outer), LWP_OK);
        memcpy(veiled_host, host, sizeof(host));
        link->transport = outer;
        wraps = before;
        steps = kept;
    }
}

static bool lose_next;

static void hear(struct fake *fake, struct lwp_link *link, const struct lwp_frame *frame)
{
    if (frame->header.flags == LWP_FLAG_KEEPALIVE && lose_next) {
        lose_next = false;
        fake_close(link);
    } else if (frame->header.flags == LWP_FLAG_KEEPALIVE) {
        fake_send(fake, link, (struct lwp_frame){.header = {.flags = LWP_FLAG_KEEPALIVE}});
    } else if (strcmp(fake->addresses[link - fake->links], "home:1992") == 0) {
        fake_error(fake, link, "NOT_LEADER: redirect to other:7");
    } else {
        fake_tell(fake, link,
                  (struct lwp_message){.command = LWP_COMMAND_TOPIC_RESPONSE,
                                       .json = lwp_bytes_text("{\"deleted\":1}")});
    }
}

static struct fake *veiled_fake(void)
{
    struct fake *fake = fake_new(dialect, hear);
    fake->idle = veil_links;
    wraps = handshakes = 0;
    steps = 0;
    verdict = LWP_OK;
    lose_next = false;
    return fake;
}

/* B-12: neither a reconnect nor a redirect falls back to plain. */
static void every_connection_is_as_secure_as_the_first(void **state)
{
    struct fake *fake = veiled_fake();
    struct lwp_connect_options options = fake_options(fake);
    struct lwp_client *client = NULL;
    (void)state;
    options.security = &security;
    assert_int_equal(lwp_client_connect(&options, &client, NULL), LWP_OK);
    assert_string_equal(veiled_host, "home");
    assert_int_equal(lwp_client_ping(client, NULL), LWP_OK);
    lose_next = true;
    assert_int_equal(lwp_client_ping(client, NULL), LWP_CLOSED);
    assert_int_equal(lwp_client_ping(client, NULL), LWP_OK);
    assert_int_equal(wraps, 2);
    assert_int_equal(lwp_client_delete_topic(client, 1), LWP_OK);
    assert_int_equal(wraps, 3);
    assert_int_equal(fake->count, 3);
    assert_string_equal(veiled_host, "other");
    lwp_client_close(client);
    fake_free(fake);
}

static void a_handshake_of_several_steps_is_waited_for(void **state)
{
    struct fake *fake = veiled_fake();
    struct lwp_connect_options options = fake_options(fake);
    struct lwp_client *client = NULL;
    (void)state;
    options.security = &security;
    steps = 3;
    assert_int_equal(lwp_client_connect(&options, &client, NULL), LWP_OK);
    assert_int_equal(handshakes, 3);
    assert_int_equal(lwp_client_ping(client, NULL), LWP_OK);
    lwp_client_close(client);
    fake_free(fake);
}

static void a_handshake_that_never_ends_is_left_at_the_deadline(void **state)
{
    struct fake *fake = veiled_fake();
    struct lwp_connect_options options = fake_options(fake);
    struct lwp_client *client = NULL;
    (void)state;
    options.security = &security;
    verdict = LWP_WOULD_BLOCK;
    assert_int_equal(lwp_client_connect(&options, &client, NULL), LWP_TIMEOUT);
    assert_int_equal(fake->now_ns, 10 * LWP_SECOND_NS + MS);
    assert_true(handshakes < 20);
    fake_free(fake);
}

static void a_failed_handshake_is_told_with_its_reason(void **state)
{
    struct fake *fake = veiled_fake();
    struct lwp_connect_options options = fake_options(fake);
    struct lwp_client *client = NULL;
    struct lwp_details why;
    (void)state;
    options.security = &security;
    verdict = LWP_RESET;
    assert_int_equal(lwp_client_connect(&options, &client, &why), LWP_RESET);
    assert_string_equal(why.text, "the certificate has expired");
    assert_int_equal(wraps, 1);
    fake_free(fake);
}

/* A mock that speaks TLS only and wants a client's certificate, and the folder of certificates. */
struct guarded_service {
    struct service service;
    char folder[64];
    char paths[5][128];
};

static void open_guarded(struct guarded_service *guarded)
{
    static const char *const files[] = {"server.pem", "server.key", "ca.pem", "client.pem",
                                        "client.key"};
    char problem[LWP_CERTS_PROBLEM_SIZE];
    (void)snprintf(guarded->folder, sizeof(guarded->folder), "/tmp/lwp-client-XXXXXX");
    assert_non_null(mkdtemp(guarded->folder));
    assert_int_equal(
        lwp_certs_make(guarded->folder, lwp_clock_wall() / LWP_SECOND_NS, true, problem), LWP_OK);
    for (size_t i = 0; i < COUNT_OF(files); i++)
        (void)snprintf(guarded->paths[i], sizeof(guarded->paths[i]), "%s/%s", guarded->folder,
                       files[i]);
    const struct lwp_mock_options options = {.dialect = dialect,
                                             .tls_certificate = guarded->paths[0],
                                             .tls_key = guarded->paths[1],
                                             .tls_client_ca = guarded->paths[2]};
    open_service_with(&guarded->service, &options);
}

static void close_guarded(struct guarded_service *guarded)
{
    char command[128];
    close_service(&guarded->service);
    (void)snprintf(command, sizeof(command), "rm -rf -- '%s'", guarded->folder);
    assert_int_equal(system(command), 0);
}

/* Connects with these options; with a client, does some work. */
static enum lwp_status use_tls(struct guarded_service *guarded, struct lwp_tls_options tls,
                               bool caller_driven, struct lwp_details *why)
{
    struct lwp_tls_context *context = NULL;
    struct lwp_client *client = NULL;
    struct lwp_topic_info topic;
    char reason[LWP_TLS_REASON_SIZE];
    assert_int_equal(lwp_tls_client_new(&tls, &context, reason), LWP_OK);
    const struct lwp_security by_tls = lwp_security_of(context);
    struct lwp_connect_options options = lwp_connect_defaults(guarded->service.address);
    options.security = &by_tls;
    options.caller_driven = caller_driven;
    options.request_timeout_ms = 5000;
    const enum lwp_status status = lwp_client_connect(&options, &client, why);
    if (status == LWP_OK) {
        const enum lwp_status made = lwp_client_create_topic(client, "secret", &topic);
        if (made != LWP_OK && made != LWP_TOPIC_EXISTS)
            lwp_client_why(client, why);
        else
            assert_int_equal(lwp_client_ping(client, NULL), LWP_OK);
    }
    lwp_client_close(client);
    lwp_tls_context_free(context);
    return why->status == LWP_OK ? status : why->status;
}

static void a_client_speaks_tls_with_certificates_on_both_sides(void **state)
{
    struct guarded_service guarded;
    struct lwp_details why;
    (void)state;
    open_guarded(&guarded);
    for (int caller_driven = 0; caller_driven < 2; caller_driven++) {
        struct lwp_tls_options tls = {.ca_file = guarded.paths[2],
                                      .certificate_file = guarded.paths[3],
                                      .key_file = guarded.paths[4]};
        assert_int_equal(use_tls(&guarded, tls, caller_driven, &why), LWP_OK);
        tls.most = LWP_TLS_1_2;
        assert_int_equal(use_tls(&guarded, tls, caller_driven, &why), LWP_OK);
        /* Whom nobody vouches for is not believed. */
        tls.ca_file = NULL;
        assert_int_equal(use_tls(&guarded, tls, caller_driven, &why), LWP_CERTIFICATE_REFUSED);
        assert_true(why.text[0] != '\0');
        /* The server wants a certificate of ours. */
        tls = (struct lwp_tls_options){.ca_file = guarded.paths[2]};
        const enum lwp_status status = use_tls(&guarded, tls, caller_driven, &why);
        assert_true(status == LWP_CERTIFICATE_REFUSED || status == LWP_RESET ||
                    status == LWP_TLS_FAILED);
    }
    close_guarded(&guarded);
}

/* All addresses of a name are tried, one after the other, and a dial can be given up at any time. */
static void a_name_is_resolved_and_all_its_addresses_are_tried(void **state)
{
    const struct lwp_address any = {"127.0.0.1", "0"};
    struct lwp_address to = {"localhost", ""};
    char bound[LWP_ADDRESS_SIZE];
    int listener = -1;
    (void)state;
    assert_int_equal(lwp_tcp_listen(&any, &listener, bound), LWP_OK);
    (void)snprintf(to.port, sizeof(to.port), "%s", strrchr(bound, ':') + 1);
    for (int give_up = 0; give_up < 2; give_up++) {
        struct lwp_dial *dial = NULL;
        struct lwp_transport *transport = NULL;
        const uint64_t now_ns = lwp_clock_now(), deadline_ns = now_ns + 10 * LWP_SECOND_NS;
        enum lwp_status status = LWP_WOULD_BLOCK;
        assert_int_equal(lwp_network_tcp.dial(NULL, &to, now_ns, deadline_ns, &dial), LWP_OK);
        while (!give_up && status == LWP_WOULD_BLOCK) {
            struct pollfd wait = {.fd = -1};
            lwp_dial_wait(dial, &wait.fd, &wait.events);
            (void)poll(&wait, 1, lwp_clock_poll_ms(lwp_clock_now(), lwp_dial_deadline(dial)));
            status = lwp_dial_step(dial, lwp_clock_now(), &transport);
        }
        lwp_dial_free(dial);
        assert_int_equal(status, give_up ? LWP_WOULD_BLOCK : LWP_OK);
        lwp_transport_free(transport);
    }
    close(listener);
    lwp_dial_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_connection_is_as_secure_as_the_first),
        cmocka_unit_test(a_handshake_of_several_steps_is_waited_for),
        cmocka_unit_test(a_handshake_that_never_ends_is_left_at_the_deadline),
        cmocka_unit_test(a_failed_handshake_is_told_with_its_reason),
        cmocka_unit_test(a_client_speaks_tls_with_certificates_on_both_sides),
        cmocka_unit_test(a_name_is_resolved_and_all_its_addresses_are_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
