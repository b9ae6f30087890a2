/* SPDX-License-Identifier: MIT */
#include "lwp/tests/net_support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "lwp/net/clock.h"
#include "lwp/net/fault.h"
#include "lwp/net/link.h"
#include "lwp/net/world.h"

enum { PIPE_ROOM = 64, OUT_LIMIT = 4096, LARGE = 1048576 };

static void assert_reads(struct lwp_transport *transport, const char *text)
{
    const size_t size = strlen(text);
    uint8_t in[256];
    size_t count = 0;
    for (size_t at = 0; at < size; at += count) {
        assert_int_equal(read_next(transport, in + at, size - at, &count), LWP_OK);
        assert_in_range(count, 1, size - at);
    }
    assert_memory_equal(in, text, size);
}

static void assert_ends(struct lwp_transport *transport, enum lwp_status status)
{
    uint8_t in[16];
    size_t count = 0;
    assert_int_equal(read_next(transport, in, sizeof(in), &count), status);
    assert_int_equal(read_next(transport, in, sizeof(in), &count), status);
}

static void say(struct lwp_transport *transport, const char *text)
{
    size_t count = 0;
    assert_int_equal(lwp_transport_write(transport, lwp_bytes_text(text), &count), LWP_OK);
    assert_int_equal(count, strlen(text));
}

static struct pair pipe_of(size_t capacity)
{
    struct pair pair;
    assert_int_equal(lwp_pipe_new(capacity, pair.ends), LWP_OK);
    return pair;
}

static struct pair any_pipe(void)
{
    return pipe_of(PIPE_ROOM);
}

static struct pair tcp4(void)
{
    return tcp_over("127.0.0.1:0");
}

static struct pair tcp6(void)
{
    return tcp_over("[::1]:0");
}

/* What both kinds of connection have in common; `make` makes one. */
static void talk_both_ways(struct pair (*make)(void))
{
    for (int from = 0; from < 2; from++) {
        struct pair pair = make();
        say(pair.ends[from], "hello");
        say(pair.ends[from], " world");
        say(pair.ends[1 - from], "and back");
        assert_reads(pair.ends[1 - from], "hello world");
        assert_reads(pair.ends[from], "and back");
        pair_free(&pair);
    }
}

static void block_when_there_is_nothing(struct pair (*make)(void))
{
    struct pair pair = make();
    uint8_t in[16];
    size_t count = 4711;
    for (int i = 0; i < 2; i++)
        assert_int_equal(lwp_transport_read(pair.ends[i], in, sizeof(in), &count), LWP_WOULD_BLOCK);
    pair_free(&pair);
}

static void end_in_order_behind_the_data(struct pair (*make)(void))
{
    for (int from = 0; from < 2; from++) {
        struct pair pair = make();
        say(pair.ends[from], "last words");
        lwp_transport_close(pair.ends[from], LWP_CLOSE_FIN);
        assert_reads(pair.ends[1 - from], "last words");
        assert_ends(pair.ends[1 - from], LWP_CLOSED);
        assert_int_equal(lwp_transport_fd(pair.ends[from]), -1);
        pair_free(&pair);
    }
}

static void end_in_order_when_freed(struct pair (*make)(void))
{
    for (int from = 0; from < 2; from++) {
        struct pair pair = make();
        say(pair.ends[from], "last words");
        lwp_transport_free(pair.ends[from]);
        pair.ends[from] = NULL;
        assert_reads(pair.ends[1 - from], "last words");
        assert_ends(pair.ends[1 - from], LWP_CLOSED);
        pair_free(&pair);
    }
}

static void assert_is_reset(struct lwp_transport *transport)
{
    uint8_t in[16];
    size_t count = 0;
    enum lwp_status status = LWP_OK;
    while (status == LWP_OK)
        status = read_next(transport, in, sizeof(in), &count);
    assert_int_equal(status, LWP_RESET);
    assert_int_equal(lwp_transport_write(transport, lwp_bytes_text("x"), &count), LWP_RESET);
}

static void reset(struct pair (*make)(void))
{
    for (int from = 0; from < 2; from++) {
        struct pair pair = make();
        lwp_transport_close(pair.ends[from], LWP_CLOSE_RST);
        assert_is_reset(pair.ends[1 - from]);
        pair_free(&pair);
    }
}

static void reset_when_bytes_are_left_unread(struct pair (*make)(void))
{
    for (int from = 0; from < 2; from++) {
        struct pair pair = make();
        say(pair.ends[1 - from], "nobody reads this");
        assert_reads(pair.ends[from], "nobody");
        lwp_transport_close(pair.ends[from], LWP_CLOSE_FIN);
        assert_is_reset(pair.ends[1 - from]);
        pair_free(&pair);
    }
}

static void close_by_halves(struct pair (*make)(void))
{
    for (int from = 0; from < 2; from++) {
        struct pair pair = make();
        say(pair.ends[from], "a question");
        lwp_transport_close(pair.ends[from], LWP_CLOSE_HALF);
        assert_reads(pair.ends[1 - from], "a question");
        assert_ends(pair.ends[1 - from], LWP_CLOSED);
        say(pair.ends[1 - from], "an answer");
        lwp_transport_close(pair.ends[1 - from], LWP_CLOSE_FIN);
        assert_reads(pair.ends[from], "an answer");
        assert_ends(pair.ends[from], LWP_CLOSED);
        pair_free(&pair);
    }
}

/* The three kinds of each of the tests above. */
#define ON_ALL_TRANSPORTS(name)                                                                    \
    static void pipes_##name(void **state)                                                         \
    {                                                                                              \
        (void)state;                                                                               \
        name(any_pipe);                                                                            \
    }                                                                                              \
    static void sockets_##name(void **state)                                                       \
    {                                                                                              \
        (void)state;                                                                               \
        name(tcp4);                                                                                \
    }                                                                                              \
    static void ipv6_sockets_##name(void **state)                                                  \
    {                                                                                              \
        (void)state;                                                                               \
        name(tcp6);                                                                                \
    }

ON_ALL_TRANSPORTS(talk_both_ways)
ON_ALL_TRANSPORTS(block_when_there_is_nothing)
ON_ALL_TRANSPORTS(end_in_order_behind_the_data)
ON_ALL_TRANSPORTS(end_in_order_when_freed)
ON_ALL_TRANSPORTS(reset)
ON_ALL_TRANSPORTS(reset_when_bytes_are_left_unread)
ON_ALL_TRANSPORTS(close_by_halves)

static void a_pipe_holds_its_capacity_and_no_more(void **state)
{
    (void)state;
    uint8_t bytes[PIPE_ROOM + 1] = {0}, in[PIPE_ROOM];
    for (size_t capacity = 1; capacity <= PIPE_ROOM; capacity++)
        for (int from = 0; from < 2; from++) {
            struct pair pair = pipe_of(capacity);
            size_t total = 0, count = 0;
            enum lwp_status status = LWP_OK;
            while (status == LWP_OK) {
                status =
                    lwp_transport_write(pair.ends[from], bytes_of(bytes, sizeof(bytes)), &count);
                total += status == LWP_OK ? count : 0;
            }
            assert_int_equal(status, LWP_WOULD_BLOCK);
            assert_int_equal(total, capacity);
            assert_int_equal(lwp_transport_read(pair.ends[1 - from], in, 1, &count), LWP_OK);
            assert_int_equal(count, 1);
            assert_int_equal(
                lwp_transport_write(pair.ends[from], bytes_of(bytes, sizeof(bytes)), &count),
                LWP_OK);
            assert_int_equal(count, 1);
            pair_free(&pair);
        }
}

static void a_pipe_is_a_queue_of_bytes(void **state)
{
    (void)state;
    struct pair pair = pipe_of(100);
    uint64_t seed = 5;
    uint8_t written = 0, expected = 0;
    for (int step = 0; step < 20000; step++) {
        uint8_t bytes[64];
        size_t count = 0;
        const size_t size = 1 + (size_t)(next_random(&seed) >> 20) % sizeof(bytes);
        if (next_random(&seed) >> 30 & 1) {
            for (size_t i = 0; i < size; i++)
                bytes[i] = (uint8_t)(written + i);
            if (lwp_transport_write(pair.ends[0], bytes_of(bytes, size), &count) == LWP_OK)
                written = (uint8_t)(written + count);
        } else if (lwp_transport_read(pair.ends[1], bytes, size, &count) == LWP_OK) {
            assert_in_range(count, 1, size);
            for (size_t i = 0; i < count; i++)
                assert_int_equal(bytes[i], expected++);
        }
    }
    pair_free(&pair);
}

static void pipes_have_no_descriptor(void **state)
{
    (void)state;
    struct pair pair = any_pipe();
    assert_int_equal(lwp_transport_fd(pair.ends[0]), -1);
    assert_int_equal(lwp_transport_fd(pair.ends[1]), -1);
    pair_free(&pair);
}

static void pipes_are_freed_in_any_order_and_state(void **state)
{
    (void)state;
    static const enum lwp_close ways[] = {LWP_CLOSE_HALF, LWP_CLOSE_FIN, LWP_CLOSE_RST};
    for (int first = 0; first < 2; first++)
        for (size_t i = 0; i <= COUNT_OF(ways); i++) {
            struct pair pair = any_pipe();
            say(pair.ends[0], "unread");
            say(pair.ends[1], "unread, too");
            if (i < COUNT_OF(ways))
                lwp_transport_close(pair.ends[0], ways[i]);
            lwp_transport_free(pair.ends[first]);
            lwp_transport_free(pair.ends[1 - first]);
        }
    lwp_transport_free(NULL);
}

static void writing_to_a_pipe_that_nobody_holds_comes_to_an_end(void **state)
{
    (void)state;
    struct pair pair = any_pipe();
    enum lwp_status status = LWP_OK;
    size_t count = 0;
    lwp_transport_free(pair.ends[1]);
    for (int i = 0; i <= PIPE_ROOM && status == LWP_OK; i++)
        status = lwp_transport_write(pair.ends[0], lwp_bytes_text("x"), &count);
    assert_int_equal(status, LWP_RESET);
    lwp_transport_free(pair.ends[0]);
}

static void sockets_do_not_block_and_do_not_wait_for_more(void **state)
{
    (void)state;
    struct pair pair = tcp4();
    for (int i = 0; i < 2; i++) {
        int value = 0;
        socklen_t size = sizeof(value);
        const int fd = lwp_transport_fd(pair.ends[i]);
        assert_true(fd >= 0);
        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
        assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &size), 0);
        assert_int_not_equal(value, 0);
    }
    pair_free(&pair);
}

static void a_socket_takes_what_fits_and_delivers_all(void **state)
{
    (void)state;
    struct pair pair = tcp4();
    uint8_t *bytes = malloc(LARGE), *in = malloc(LARGE);
    size_t sent = 0, total = 0, count = 0;
    enum lwp_status status = LWP_OK;
    fill_random(bytes, LARGE, 3);
    for (uint64_t rounds = 0; status == LWP_OK; rounds++) {
        assert_true(rounds < 1000);
        status = lwp_transport_write(pair.ends[0], bytes_of(bytes, LARGE), &count);
        total += status == LWP_OK ? count : 0;
        sent = status == LWP_OK ? count : sent;
    }
    assert_int_equal(status, LWP_WOULD_BLOCK);
    assert_true(sent > 0);
    lwp_transport_close(pair.ends[0], LWP_CLOSE_FIN);
    while ((status = read_next(pair.ends[1], in, LARGE, &count)) == LWP_OK)
        total -= count;
    assert_int_equal(status, LWP_CLOSED);
    assert_int_equal(total, 0);
    free(bytes);
    free(in);
    pair_free(&pair);
}

static void a_reset_leaves_its_errno(void **state)
{
    (void)state;
    struct pair pair = tcp4();
    assert_int_equal(pair.ends[1]->error, 0);
    lwp_transport_close(pair.ends[0], LWP_CLOSE_RST);
    assert_is_reset(pair.ends[1]);
    assert_true(pair.ends[1]->error == ECONNRESET || pair.ends[1]->error == EPIPE);
    pair_free(&pair);
}

static void nobody_to_accept_would_block(void **state)
{
    (void)state;
    struct lwp_address address;
    struct lwp_transport *transport = NULL;
    const int listener = listen_on("127.0.0.1:0", &address);
    assert_int_equal(lwp_tcp_accept(listener, &transport), LWP_WOULD_BLOCK);
    assert_null(transport);
    close(listener);
}

static void a_port_without_a_listener_refuses(void **state)
{
    (void)state;
    struct lwp_address address;
    struct lwp_transport *transport = NULL;
    int error = 0;
    close(listen_on("127.0.0.1:0", &address));
    assert_int_equal(lwp_tcp_connect(&address, lwp_clock_now() + PATIENCE_MS * LWP_MILLISECOND_NS,
                                     &transport, &error),
                     LWP_REFUSED);
    assert_int_equal(error, ECONNREFUSED);
    assert_null(transport);
}

static void a_host_that_is_no_name_is_not_resolved(void **state)
{
    (void)state;
    const struct lwp_address address = {.host = "..", .port = "1992"};
    struct lwp_transport *transport = NULL;
    int error = 0, fd = -1;
    char bound[LWP_ADDRESS_SIZE];
    assert_int_equal(lwp_tcp_connect(&address, lwp_clock_now() + PATIENCE_MS * LWP_MILLISECOND_NS,
                                     &transport, &error),
                     LWP_UNRESOLVED);
    assert_null(transport);
    assert_int_equal(lwp_tcp_listen(&address, &fd, bound), LWP_UNRESOLVED);
    assert_int_equal(fd, -1);
}

static void a_port_that_is_taken_can_not_be_listened_on(void **state)
{
    (void)state;
    struct lwp_address address;
    char bound[LWP_ADDRESS_SIZE];
    int second = -1;
    const int listener = listen_on("127.0.0.1:0", &address);
    assert_int_equal(lwp_tcp_listen(&address, &second, bound), LWP_IO);
    assert_int_equal(errno, EADDRINUSE);
    assert_int_equal(second, -1);
    close(listener);
}

/* A listener whose queue is full: the kernel drops what else tries to connect. */
static int full_listener(struct lwp_address *address, int *waiting, size_t count)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(at);
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(listener, 0), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    for (size_t i = 0; i < count; i++) {
        waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(waiting[i], (const struct sockaddr *)&at, size);
    }
    (void)strcpy(address->host, "127.0.0.1");
    (void)snprintf(address->port, sizeof(address->port), "%u", ntohs(at.sin_port));
    return listener;
}

static void connecting_ends_at_the_deadline(void **state)
{
    (void)state;
    struct lwp_address address;
    struct lwp_transport *transport = NULL;
    int waiting[8], error = 0;
    const int listener = full_listener(&address, waiting, COUNT_OF(waiting));
    assert_int_equal(lwp_tcp_connect(&address, lwp_clock_now(), &transport, &error), LWP_TIMEOUT);
    const uint64_t deadline = lwp_clock_now() + 30 * LWP_MILLISECOND_NS;
    assert_int_equal(lwp_tcp_connect(&address, deadline, &transport, &error), LWP_TIMEOUT);
    assert_true(lwp_clock_now() >= deadline);
    assert_null(transport);
    for (size_t i = 0; i < COUNT_OF(waiting); i++)
        close(waiting[i]);
    close(listener);
}

static void addresses_are_hosts_with_or_without_a_port(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *host;
        const char *port;
    } rows[] = {{"localhost", "localhost", "1992"},
                {"localhost:1", "localhost", "1"},
                {"a-b.example:65535", "a-b.example", "65535"},
                {"1.2.3.4", "1.2.3.4", "1992"},
                {"1.2.3.4:80", "1.2.3.4", "80"},
                {"127.0.0.1:0", "127.0.0.1", "0"},
                {"[::1]:80", "::1", "80"},
                {"[::1]", "::1", "1992"},
                {"[fe80::1%lo]:9", "fe80::1%lo", "9"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lwp_address address;
        assert_int_equal(lwp_address_parse(rows[i].text, &address), LWP_OK);
        assert_string_equal(address.host, rows[i].host);
        assert_string_equal(address.port, rows[i].port);
    }
}

static void what_is_no_address_is_refused_and_leaves_the_result_alone(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",           ":80",    ":",           "host:",    "host:x",  "host:65536", "host:99999999",
        "host:-1",    "host:+", "host:80 ",    "host: 80", "host:8x", "[::1",       "[]",
        "[]:80",      "[::1]:", "[::1]80",     "[::1]:x",  "[::1]x",  "[",          "::1]:80",
        "host:80:80", "[::1]:", "[::1]:65536", "host:0x10"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lwp_address address = {.host = "untouched", .port = "1"};
        if (lwp_address_parse(rows[i], &address) != LWP_INVALID_ARGUMENT)
            fail_msg("'%s' was taken for an address", rows[i]);
        assert_string_equal(address.host, "untouched");
        assert_string_equal(address.port, "1");
    }
}

static void a_host_fills_its_room_and_no_more(void **state)
{
    (void)state;
    for (size_t size = 250; size < 270; size++) {
        struct lwp_address address;
        char text[300];
        memset(text, 'a', sizeof(text));
        text[size] = 0;
        const bool fits = size < sizeof(address.host);
        assert_int_equal(lwp_address_parse(text, &address), fits ? LWP_OK : LWP_INVALID_ARGUMENT);
        (void)strcpy(text + size, ":80");
        assert_int_equal(lwp_address_parse(text, &address), fits ? LWP_OK : LWP_INVALID_ARGUMENT);
        if (fits)
            assert_int_equal(strlen(address.host), size);
    }
}

static void waits_are_rounded_up_to_milliseconds_and_cut_at_an_hour(void **state)
{
    (void)state;
    enum { HOUR_MS = 3600000 };
    const uint64_t hour = 3600 * LWP_SECOND_NS;
    const struct {
        uint64_t now_ns;
        uint64_t deadline_ns;
        int ms;
    } rows[] = {{0, 0, 0},
                {5, 5, 0},
                {5, 4, 0},
                {UINT64_MAX, 0, 0},
                {UINT64_MAX, UINT64_MAX - 1, 0},
                {0, 1, 1},
                {0, LWP_MILLISECOND_NS - 1, 1},
                {0, LWP_MILLISECOND_NS, 1},
                {0, LWP_MILLISECOND_NS + 1, 2},
                {7, LWP_SECOND_NS + 7, 1000},
                {0, hour - LWP_MILLISECOND_NS, HOUR_MS - 1},
                {0, hour - 1, HOUR_MS},
                {0, hour, HOUR_MS},
                {0, hour + 1, HOUR_MS},
                {0, UINT64_MAX - 1, HOUR_MS},
                {0, LWP_NEVER, HOUR_MS},
                {4711, LWP_NEVER, HOUR_MS}};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(lwp_clock_poll_ms(rows[i].now_ns, rows[i].deadline_ns), rows[i].ms);
}

static void the_clock_never_goes_back(void **state)
{
    (void)state;
    uint64_t before = lwp_clock_now();
    for (int i = 0; i < 1000; i++) {
        const uint64_t now = lwp_clock_now();
        assert_true(now >= before);
        before = now;
    }
    assert_true(lwp_clock_wall() > UINT64_C(1577836800) * LWP_SECOND_NS);
}

static const struct lwp_session_options LINK_OPTIONS = {
    .role = LWP_CLIENT, .dialect = &lwp_dialect_lance, .max_payload = LWP_MAX_PAYLOAD_DEFAULT};

/* Two links at the ends of a pipe. */
struct links {
    struct lwp_link ends[2];
};

static void links_open(struct links *links, size_t pipe_room, size_t out_limit)
{
    const struct pair pair = pipe_of(pipe_room);
    for (int i = 0; i < 2; i++)
        lwp_link_init(&links->ends[i], &LINK_OPTIONS, pair.ends[i], out_limit, 0);
}

static void links_close(struct links *links)
{
    lwp_link_done(&links->ends[0]);
    lwp_link_done(&links->ends[1]);
}

static struct lwp_frame hello(void)
{
    return frame_of(LWP_FLAG_BATCH, lwp_bytes_text("hello"));
}

enum { HELLO_SIZE = LWP_HEADER_SIZE + 5 };

static void a_link_allocates_nothing_before_it_has_to(void **state)
{
    (void)state;
    struct links links;
    links_open(&links, PIPE_ROOM, OUT_LIMIT);
    assert_int_equal(links.ends[0].session.in.capacity, 0);
    assert_int_equal(links.ends[0].session.out.capacity, 0);
    assert_int_equal(lwp_link_read(&links.ends[0], 0), LWP_WOULD_BLOCK);
    assert_int_equal(lwp_link_write(&links.ends[0]), LWP_OK);
    assert_int_equal(links.ends[0].session.out.capacity, 0);
    links_close(&links);
}

static void the_output_queue_grows_to_its_limit_and_no_further(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 1000; limit += 7) {
        struct links links;
        const struct lwp_frame frame = hello();
        size_t sent = 0;
        links_open(&links, PIPE_ROOM, limit);
        struct lwp_link *link = &links.ends[0];
        while (lwp_link_send(link, &frame, 0, 0) == LWP_OK) {
            sent++;
            assert_true(link->session.out.capacity <= limit);
            assert_int_equal(link->session.out.size, sent * HELLO_SIZE);
        }
        assert_int_equal(sent, limit / HELLO_SIZE);
        assert_int_equal(lwp_link_send(link, &frame, 0, 0), LWP_FULL);
        assert_int_equal(link->session.out.size, sent * HELLO_SIZE);
        links_close(&links);
    }
}

static void bytes_are_pushed_as_they_are_or_not_at_all(void **state)
{
    (void)state;
    struct links links;
    uint8_t bytes[OUT_LIMIT + 1] = {0};
    links_open(&links, PIPE_ROOM, OUT_LIMIT);
    struct lwp_link *link = &links.ends[0];
    assert_int_equal(lwp_link_push(link, bytes_of(bytes, OUT_LIMIT + 1), 0), LWP_FULL);
    assert_int_equal(link->session.out.size, 0);
    assert_int_equal(lwp_link_push(link, lwp_bytes_text("raw"), 0), LWP_OK);
    assert_int_equal(lwp_link_push(link, bytes_of(bytes, OUT_LIMIT - 2), 0), LWP_FULL);
    assert_int_equal(lwp_link_push(link, bytes_of(bytes, OUT_LIMIT - 3), 0), LWP_OK);
    assert_int_equal(lwp_link_push(link, bytes_of(bytes, 1), 0), LWP_FULL);
    assert_int_equal(lwp_link_write(link), LWP_WOULD_BLOCK);
    assert_reads(links.ends[1].transport, "raw");
    links_close(&links);
}

/* Writes "ab" of the queue and "cdefgh" of views, then the rest as the peer reads. */
static void write_views(struct lwp_transport *near, struct lwp_transport *far)
{
    static const char all[] = "abcdefgh";
    const struct lwp_bytes parts[] = {
        lwp_bytes_text("cd"), {NULL, 0}, lwp_bytes_text("efg"), lwp_bytes_text("h")};
    char seen[sizeof(all)] = "";
    size_t size = 0;
    struct lwp_link link;
    lwp_link_init(&link, &LINK_OPTIONS, near, OUT_LIMIT, 0);
    assert_int_equal(lwp_link_push(&link, lwp_bytes_text("ab"), 0), LWP_OK);
    enum lwp_status status = lwp_link_write_with(&link, parts, COUNT_OF(parts));
    while (size < sizeof(all) - 1) {
        size_t count = 0;
        assert_true(status == LWP_OK || status == LWP_WOULD_BLOCK);
        assert_int_equal(read_next(far, (uint8_t *)seen + size, sizeof(all) - 1 - size, &count),
                         LWP_OK);
        size += count;
        status = lwp_link_write(&link);
    }
    assert_string_equal(seen, all);
    assert_int_equal(status, LWP_OK);
    assert_int_equal(link.session.out.size, 0);
    lwp_link_done(&link);
    lwp_transport_free(far);
}

static void views_are_written_behind_what_is_queued(void **state)
{
    (void)state;
    for (size_t room = 1; room < 12; room++) {
        struct pair pair = pipe_of(room);
        assert_true(lwp_transport_gathers(pair.ends[0]));
        write_views(pair.ends[0], pair.ends[1]);
        pair = pipe_of(room);
        struct lwp_transport *outer = NULL;
        assert_int_equal(lwp_fault_new(pair.ends[0], OUT_LIMIT, &outer), LWP_OK);
        assert_false(lwp_transport_gathers(outer));
        write_views(outer, pair.ends[1]);
    }
    const struct pair pair = tcp_over("127.0.0.1:0");
    assert_true(lwp_transport_gathers(pair.ends[0]));
    write_views(pair.ends[0], pair.ends[1]);
}

static void views_that_neither_fit_the_socket_nor_the_queue_tear_the_stream(void **state)
{
    (void)state;
    struct links links;
    uint8_t bytes[OUT_LIMIT + 2] = {0};
    const struct lwp_bytes part = bytes_of(bytes, sizeof(bytes));
    links_open(&links, 1, OUT_LIMIT);
    assert_int_equal(lwp_link_write_with(&links.ends[0], &part, 1), LWP_FULL);
    links_close(&links);
}

/* Receives all that has come, counting frames and checking that each is a hello. */
static void take_hellos(struct lwp_link *link, size_t *count)
{
    struct lwp_frame frame;
    while (lwp_session_receive(&link->session, &frame, 0) == LWP_OK) {
        assert_bytes_equal(frame.payload, lwp_bytes_text("hello"));
        (*count)++;
    }
    assert_int_equal(link->session.fault.status, LWP_OK);
}

static void what_links_send_through_narrow_pipes_arrives(void **state)
{
    (void)state;
    for (size_t room = 1; room < 200; room += 13) {
        struct links links;
        const struct lwp_frame frame = hello();
        size_t came[2] = {0, 0};
        links_open(&links, room, OUT_LIMIT);
        for (int i = 0; i < 40; i++) {
            assert_int_equal(lwp_link_send(&links.ends[0], &frame, 0, 0), LWP_OK);
            assert_int_equal(lwp_link_send(&links.ends[1], &frame, 0, 0), LWP_OK);
        }
        for (int rounds = 0; came[0] + came[1] < 80; rounds++) {
            assert_true(rounds < 40 * HELLO_SIZE + 1);
            for (int i = 0; i < 2; i++) {
                (void)lwp_link_write(&links.ends[i]);
                (void)lwp_link_read(&links.ends[1 - i], 0);
                take_hellos(&links.ends[1 - i], &came[1 - i]);
            }
        }
        assert_int_equal(lwp_link_write(&links.ends[0]), LWP_OK);
        assert_int_equal(lwp_link_read(&links.ends[0], 0), LWP_WOULD_BLOCK);
        links_close(&links);
    }
}

/* Sends the frame from end 0 to end 1 and receives it there. */
static struct lwp_frame carried(struct links *links, const struct lwp_frame *frame)
{
    struct lwp_frame came;
    assert_int_equal(lwp_link_send(&links->ends[0], frame, 0, 0), LWP_OK);
    for (int rounds = 0; lwp_session_receive(&links->ends[1].session, &came, 0) != LWP_OK;
         rounds++) {
        assert_true(rounds < 10000);
        (void)lwp_link_write(&links->ends[0]);
        (void)lwp_link_read(&links->ends[1], 0);
    }
    assert_bytes_equal(came.payload, frame->payload);
    return came;
}

static void a_large_frame_makes_the_input_queue_grow(void **state)
{
    (void)state;
    struct links links;
    uint8_t *payload = malloc(LARGE);
    fill_random(payload, LARGE, 8);
    const struct lwp_frame frame = frame_of(LWP_FLAG_BATCH, bytes_of(payload, LARGE));
    links_open(&links, 65536, 2 * LARGE);
    (void)carried(&links, &frame);
    assert_true(links.ends[1].session.in.capacity >= LARGE + LWP_HEADER_SIZE);
    assert_true(links.ends[1].session.in.capacity <= 2 * (LARGE + LWP_HEADER_SIZE));
    free(payload);
    links_close(&links);
}

static void a_claimed_length_makes_nothing_grow(void **state)
{
    (void)state;
    struct links links;
    struct lwp_frame frame = hello();
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    frame.header.payload_length = LWP_MAX_PAYLOAD_DEFAULT;
    links_open(&links, 65536, 65536);
    assert_int_equal(lwp_link_send(&links.ends[0], &frame, UINT32_MAX, 0), LWP_OK);
    assert_int_equal(lwp_link_write(&links.ends[0]), LWP_OK);
    assert_int_equal(lwp_link_read(&links.ends[1], 0), LWP_OK);
    assert_int_equal(lwp_session_receive(&links.ends[1].session, &frame, 0), LWP_MORE);
    assert_int_equal(lwp_link_read(&links.ends[1], 0), LWP_WOULD_BLOCK);
    assert_true(links.ends[1].session.in.capacity <= 262144 + 4096);
    links_close(&links);
}

static void one_read_takes_256_kib_or_a_little_more(void **state)
{
    (void)state;
    struct links links;
    uint8_t *payload = calloc(1, LARGE);
    const struct lwp_frame frame = frame_of(LWP_FLAG_BATCH, bytes_of(payload, LARGE));
    links_open(&links, 2 * LARGE, 2 * LARGE);
    assert_int_equal(lwp_link_send(&links.ends[0], &frame, 0, 0), LWP_OK);
    assert_int_equal(lwp_link_write(&links.ends[0]), LWP_OK);
    for (size_t before = 0; before < LARGE;) {
        assert_int_equal(lwp_link_read(&links.ends[1], 0), LWP_OK);
        const size_t now = links.ends[1].session.in.size;
        assert_in_range(now - before, 1, 2 * 262144);
        before = now;
    }
    free(payload);
    links_close(&links);
}

static void the_end_of_the_peer_is_told_again_and_again(void **state)
{
    (void)state;
    static const struct {
        enum lwp_close how;
        enum lwp_status status;
    } rows[] = {
        {LWP_CLOSE_HALF, LWP_CLOSED}, {LWP_CLOSE_FIN, LWP_CLOSED}, {LWP_CLOSE_RST, LWP_RESET}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct links links;
        links_open(&links, PIPE_ROOM, OUT_LIMIT);
        assert_int_equal(links.ends[1].read_status, LWP_OK);
        lwp_link_close(&links.ends[0], rows[i].how);
        (void)lwp_link_write(&links.ends[0]);
        for (int again = 0; again < 3; again++) {
            assert_int_equal(lwp_link_read(&links.ends[1], 0), rows[i].status);
            assert_int_equal(links.ends[1].read_status, rows[i].status);
        }
        links_close(&links);
    }
}

static void frames_before_the_end_are_received_first(void **state)
{
    (void)state;
    struct links links;
    const struct lwp_frame frame = hello();
    size_t count = 0;
    links_open(&links, 1024, OUT_LIMIT);
    for (int i = 0; i < 5; i++)
        assert_int_equal(lwp_link_send(&links.ends[0], &frame, 0, 0), LWP_OK);
    lwp_link_close(&links.ends[0], LWP_CLOSE_FIN);
    assert_int_equal(lwp_link_write(&links.ends[0]), LWP_OK);
    while (lwp_link_read(&links.ends[1], 0) == LWP_OK)
        take_hellos(&links.ends[1], &count);
    assert_int_equal(count, 5);
    assert_int_equal(links.ends[1].read_status, LWP_CLOSED);
    links_close(&links);
}

/* Lets end 1 read until end 0 has written all; returns how many hellos came. */
static size_t drain(struct links *links)
{
    size_t count = 0;
    for (int rounds = 0; links->ends[1].read_status == LWP_OK; rounds++) {
        assert_true(rounds < 10000);
        (void)lwp_link_write(&links->ends[0]);
        (void)lwp_link_read(&links->ends[1], 0);
        take_hellos(&links->ends[1], &count);
    }
    return count;
}

static void a_close_waits_until_all_is_written(void **state)
{
    (void)state;
    struct links links;
    const struct lwp_frame frame = hello();
    links_open(&links, 10, OUT_LIMIT);
    for (int sent = 0; sent < 20; sent++)
        assert_int_equal(lwp_link_send(&links.ends[0], &frame, 0, 0), LWP_OK);
    lwp_link_close(&links.ends[0], LWP_CLOSE_FIN);
    assert_int_equal(lwp_link_read(&links.ends[0], 0), LWP_CLOSED);
    assert_int_equal(drain(&links), 20);
    assert_int_equal(links.ends[1].read_status, LWP_CLOSED);
    links_close(&links);
}

static void a_reset_waits_for_nothing(void **state)
{
    (void)state;
    struct links links;
    const struct lwp_frame frame = hello();
    links_open(&links, 10, OUT_LIMIT);
    for (int sent = 0; sent < 20; sent++)
        assert_int_equal(lwp_link_send(&links.ends[0], &frame, 0, 0), LWP_OK);
    lwp_link_close(&links.ends[0], LWP_CLOSE_RST);
    assert_int_equal(drain(&links), 0);
    assert_int_equal(links.ends[1].read_status, LWP_RESET);
    links_close(&links);
}

static void a_link_that_is_half_closed_still_reads(void **state)
{
    (void)state;
    struct links links;
    const struct lwp_frame frame = hello();
    size_t count = 0;
    links_open(&links, 1024, OUT_LIMIT);
    lwp_link_close(&links.ends[0], LWP_CLOSE_HALF);
    (void)lwp_link_write(&links.ends[0]);
    assert_int_equal(lwp_link_read(&links.ends[1], 0), LWP_CLOSED);
    assert_int_equal(lwp_link_send(&links.ends[1], &frame, 0, 0), LWP_OK);
    assert_int_equal(lwp_link_write(&links.ends[1]), LWP_OK);
    assert_int_equal(lwp_link_read(&links.ends[0], 0), LWP_OK);
    take_hellos(&links.ends[0], &count);
    assert_int_equal(count, 1);
    links_close(&links);
}

static void writing_to_a_peer_that_is_gone_drops_what_was_queued(void **state)
{
    (void)state;
    struct links links;
    const struct lwp_frame frame = hello();
    links_open(&links, 1024, OUT_LIMIT);
    assert_int_equal(lwp_link_send(&links.ends[0], &frame, 0, 0), LWP_OK);
    lwp_link_close(&links.ends[1], LWP_CLOSE_RST);
    assert_int_equal(lwp_link_write(&links.ends[0]), LWP_RESET);
    assert_int_equal(links.ends[0].session.out.size, 0);
    links_close(&links);
}

static void trimming_gives_back_large_empty_queues_only(void **state)
{
    (void)state;
    struct links links;
    uint8_t *payload = calloc(1, LARGE);
    const struct lwp_frame large = frame_of(LWP_FLAG_BATCH, bytes_of(payload, LARGE));
    links_open(&links, 2 * LARGE, 2 * LARGE);
    (void)carried(&links, &large);
    struct lwp_frame frame = hello();
    assert_int_equal(lwp_session_receive(&links.ends[1].session, &frame, 0), LWP_MORE);
    for (int i = 0; i < 2; i++)
        lwp_link_trim(&links.ends[i]);
    assert_true(links.ends[0].session.out.capacity < LARGE);
    assert_true(links.ends[1].session.in.capacity < LARGE);
    (void)carried(&links, &frame);
    assert_int_equal(lwp_link_send(&links.ends[0], &large, 0, 0), LWP_OK);
    lwp_link_trim(&links.ends[0]);
    assert_int_equal(links.ends[0].session.out.size, LARGE + LWP_HEADER_SIZE);
    free(payload);
    links_close(&links);
}

static void trimming_between_reads_loses_no_byte(void **state)
{
    (void)state;
    struct links links;
    uint8_t *payload = malloc(LARGE);
    fill_random(payload, LARGE, 12);
    const struct lwp_frame frame = frame_of(LWP_FLAG_BATCH, bytes_of(payload, LARGE));
    struct lwp_frame came;
    links_open(&links, 100000, 2 * LARGE);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(lwp_link_send(&links.ends[0], &frame, 0, 0), LWP_OK);
        while (lwp_session_receive(&links.ends[1].session, &came, 0) != LWP_OK) {
            lwp_link_trim(&links.ends[0]);
            lwp_link_trim(&links.ends[1]);
            (void)lwp_link_write(&links.ends[0]);
            assert_int_equal(lwp_link_read(&links.ends[1], 0), LWP_OK);
        }
        assert_bytes_equal(came.payload, frame.payload);
    }
    free(payload);
    links_close(&links);
}

static void a_link_can_be_done_with_twice_or_without_a_beginning(void **state)
{
    (void)state;
    struct lwp_link nothing = {.transport = NULL};
    struct links links;
    lwp_link_done(&nothing);
    links_open(&links, PIPE_ROOM, OUT_LIMIT);
    links_close(&links);
    assert_null(links.ends[0].transport);
    links_close(&links);
}

static void the_network_is_a_world_with_one_server(void **state)
{
    (void)state;
    struct lwp_address address;
    struct lwp_tcp_world world;
    struct pair pair = {{NULL, NULL}};
    const int listener = listen_on("127.0.0.1:0", &address);
    lwp_tcp_world_init(&world, &address);
    const uint64_t deadline = lwp_world_now(&world.world) + PATIENCE_MS * LWP_MILLISECOND_NS;
    assert_int_equal(lwp_world_connect(&world.world, deadline, &pair.ends[0]), LWP_OK);
    pair.ends[1] = accepted(listener);
    say(pair.ends[1], "hello");
    struct lwp_transport *const waiting[] = {NULL, pair.ends[0], NULL};
    lwp_world_wait(&world.world, waiting, COUNT_OF(waiting), deadline);
    assert_reads(pair.ends[0], "hello");
    lwp_world_wait(&world.world, waiting, COUNT_OF(waiting), lwp_world_now(&world.world));
    lwp_world_wait(&world.world, NULL, 0, 0);
    close(listener);
    pair_free(&pair);
}

static void a_world_without_its_server_refuses(void **state)
{
    (void)state;
    struct lwp_address address;
    struct lwp_tcp_world world;
    struct lwp_transport *transport = NULL;
    close(listen_on("127.0.0.1:0", &address));
    lwp_tcp_world_init(&world, &address);
    const uint64_t deadline = lwp_world_now(&world.world) + PATIENCE_MS * LWP_MILLISECOND_NS;
    assert_int_equal(lwp_world_connect(&world.world, deadline, &transport), LWP_REFUSED);
    assert_int_equal(world.error, ECONNREFUSED);
    assert_null(transport);
}

static void a_link_answers_keepalives_before_it_has_sent_anything(void **state)
{
    (void)state;
    struct lwp_session_options options = LINK_OPTIONS;
    struct pair pair = pipe_of(1024);
    struct lwp_link link;
    struct lwp_frame frame = frame_of(LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0));
    uint8_t wire[LWP_HEADER_SIZE];
    size_t count = 0;
    options.keepalive_ns = 10 * LWP_SECOND_NS;
    lwp_link_init(&link, &options, pair.ends[0], OUT_LIMIT, 0);
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    lwp_header_encode(&frame.header, wire);
    assert_int_equal(lwp_transport_write(pair.ends[1], bytes_of(wire, sizeof(wire)), &count),
                     LWP_OK);
    assert_int_equal(lwp_link_read(&link, 0), LWP_OK);
    assert_int_equal(lwp_link_receive(&link, &frame, 0), LWP_OK);
    assert_int_equal(lwp_link_write(&link), LWP_OK);
    uint8_t in[2 * LWP_HEADER_SIZE];
    assert_int_equal(lwp_transport_read(pair.ends[1], in, sizeof(in), &count), LWP_OK);
    assert_bytes_equal(bytes_of(in, count), bytes_of(wire, sizeof(wire)));
    lwp_link_done(&link);
    lwp_transport_free(pair.ends[1]);
}

static void a_half_close_waits_too(void **state)
{
    (void)state;
    static const enum lwp_close ways[] = {LWP_CLOSE_HALF, LWP_CLOSE_FIN};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        struct links links;
        const struct lwp_frame frame = hello();
        links_open(&links, 10, OUT_LIMIT);
        for (int sent = 0; sent < 20; sent++)
            assert_int_equal(lwp_link_send(&links.ends[0], &frame, 0, 0), LWP_OK);
        lwp_link_close(&links.ends[0], ways[i]);
        assert_int_equal(drain(&links), 20);
        assert_int_equal(links.ends[1].read_status, LWP_CLOSED);
        links_close(&links);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_half_close_waits_too),
    cmocka_unit_test(a_link_answers_keepalives_before_it_has_sent_anything),
    cmocka_unit_test(pipes_talk_both_ways),
    cmocka_unit_test(sockets_talk_both_ways),
    cmocka_unit_test(ipv6_sockets_talk_both_ways),
    cmocka_unit_test(pipes_block_when_there_is_nothing),
    cmocka_unit_test(sockets_block_when_there_is_nothing),
    cmocka_unit_test(ipv6_sockets_block_when_there_is_nothing),
    cmocka_unit_test(pipes_end_in_order_behind_the_data),
    cmocka_unit_test(sockets_end_in_order_behind_the_data),
    cmocka_unit_test(ipv6_sockets_end_in_order_behind_the_data),
    cmocka_unit_test(pipes_end_in_order_when_freed),
    cmocka_unit_test(sockets_end_in_order_when_freed),
    cmocka_unit_test(ipv6_sockets_end_in_order_when_freed),
    cmocka_unit_test(pipes_reset),
    cmocka_unit_test(sockets_reset),
    cmocka_unit_test(ipv6_sockets_reset),
    cmocka_unit_test(pipes_reset_when_bytes_are_left_unread),
    cmocka_unit_test(sockets_reset_when_bytes_are_left_unread),
    cmocka_unit_test(ipv6_sockets_reset_when_bytes_are_left_unread),
    cmocka_unit_test(pipes_close_by_halves),
    cmocka_unit_test(sockets_close_by_halves),
    cmocka_unit_test(ipv6_sockets_close_by_halves),
    cmocka_unit_test(a_pipe_holds_its_capacity_and_no_more),
    cmocka_unit_test(a_pipe_is_a_queue_of_bytes),
    cmocka_unit_test(pipes_have_no_descriptor),
    cmocka_unit_test(pipes_are_freed_in_any_order_and_state),
    cmocka_unit_test(writing_to_a_pipe_that_nobody_holds_comes_to_an_end),
    cmocka_unit_test(sockets_do_not_block_and_do_not_wait_for_more),
    cmocka_unit_test(a_socket_takes_what_fits_and_delivers_all),
    cmocka_unit_test(a_reset_leaves_its_errno),
    cmocka_unit_test(nobody_to_accept_would_block),
    cmocka_unit_test(a_port_without_a_listener_refuses),
    cmocka_unit_test(a_host_that_is_no_name_is_not_resolved),
    cmocka_unit_test(a_port_that_is_taken_can_not_be_listened_on),
    cmocka_unit_test(connecting_ends_at_the_deadline),
    cmocka_unit_test(addresses_are_hosts_with_or_without_a_port),
    cmocka_unit_test(what_is_no_address_is_refused_and_leaves_the_result_alone),
    cmocka_unit_test(a_host_fills_its_room_and_no_more),
    cmocka_unit_test(waits_are_rounded_up_to_milliseconds_and_cut_at_an_hour),
    cmocka_unit_test(the_clock_never_goes_back),
    cmocka_unit_test(a_link_allocates_nothing_before_it_has_to),
    cmocka_unit_test(the_output_queue_grows_to_its_limit_and_no_further),
    cmocka_unit_test(bytes_are_pushed_as_they_are_or_not_at_all),
    cmocka_unit_test(views_are_written_behind_what_is_queued),
    cmocka_unit_test(views_that_neither_fit_the_socket_nor_the_queue_tear_the_stream),
    cmocka_unit_test(what_links_send_through_narrow_pipes_arrives),
    cmocka_unit_test(a_large_frame_makes_the_input_queue_grow),
    cmocka_unit_test(a_claimed_length_makes_nothing_grow),
    cmocka_unit_test(one_read_takes_256_kib_or_a_little_more),
    cmocka_unit_test(the_end_of_the_peer_is_told_again_and_again),
    cmocka_unit_test(frames_before_the_end_are_received_first),
    cmocka_unit_test(a_close_waits_until_all_is_written),
    cmocka_unit_test(a_reset_waits_for_nothing),
    cmocka_unit_test(a_link_that_is_half_closed_still_reads),
    cmocka_unit_test(writing_to_a_peer_that_is_gone_drops_what_was_queued),
    cmocka_unit_test(trimming_gives_back_large_empty_queues_only),
    cmocka_unit_test(trimming_between_reads_loses_no_byte),
    cmocka_unit_test(a_link_can_be_done_with_twice_or_without_a_beginning),
    cmocka_unit_test(the_network_is_a_world_with_one_server),
    cmocka_unit_test(a_world_without_its_server_refuses),
};

int main(void)
{
    return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
