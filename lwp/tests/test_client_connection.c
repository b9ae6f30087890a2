/* SPDX-License-Identifier: MIT */
#include "lwp/tests/fake_server.h"

#include <poll.h>

#include "lwp/client/client.h"
#include "lwp/net/clock.h"

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
    static const struct lwp_transport_ops ops = {veil_read, veil_write, veil_close, veil_fd,
                                                 veil_free};
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
        cmocka_unit_test(a_name_is_resolved_and_all_its_addresses_are_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
