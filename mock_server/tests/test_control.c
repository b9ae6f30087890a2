/* SPDX-License-Identifier: MIT */
#include "lwp/tests/support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "lwp/net/clock.h"
#include "mock_server/control.h"

enum { ROOM = 65536, PATIENCE_MS = 20000 };

struct fixture {
    char folder[64];
    char path[96];
    struct lwp_mock *mock;
    int fd;
    char said[ROOM]; /* What came and was not read, with a zero behind it. */
    size_t size;
};

static int connect_to(const char *where)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct lwp_address address;
    struct lwp_transport *transport = NULL;
    int error = 0;
    if (strchr(where, '/')) {
        (void)snprintf(name.sun_path, sizeof(name.sun_path), "%.100s", where);
        const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_true(fd >= 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
        return fd;
    }
    assert_int_equal(lwp_address_parse(where, &address), LWP_OK);
    assert_int_equal(
        lwp_tcp_connect(&address, lwp_clock_now() + 20 * LWP_SECOND_NS, &transport, &error),
        LWP_OK);
    const int fd = dup(lwp_transport_fd(transport));
    lwp_transport_free(transport);
    return fd;
}

static void begin_with(struct fixture *fixture, struct lwp_mock_options options)
{
    *fixture = (struct fixture){.folder = "/tmp/test_control-XXXXXX"};
    assert_non_null(mkdtemp(fixture->folder));
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/control", fixture->folder);
    options.dialect = &lwp_dialect_lance;
    if (!options.control)
        options.control = fixture->path;
    assert_int_equal(lwp_mock_new(&options, &fixture->mock), LWP_OK);
    assert_int_equal(lwp_mock_start(fixture->mock), LWP_OK);
    fixture->fd = connect_to(lwp_mock_control_address(fixture->mock));
}

static void begin(struct fixture *fixture)
{
    begin_with(fixture, (struct lwp_mock_options){.epoch_ns = 0});
}

static void end(struct fixture *fixture)
{
    lwp_mock_free(fixture->mock);
    close(fixture->fd);
    assert_int_equal(access(fixture->path, F_OK), -1);
    assert_int_equal(rmdir(fixture->folder), 0);
}

static void say(struct fixture *fixture, const char *text)
{
    assert_int_equal(send(fixture->fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Waits for more; false at the end of the connection. */
static bool hear_more(struct fixture *fixture)
{
    struct pollfd ready = {.fd = fixture->fd, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
    assert_true(fixture->size < ROOM - 1);
    const ssize_t got =
        recv(fixture->fd, fixture->said + fixture->size, ROOM - 1 - fixture->size, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return true;
    fixture->size += got > 0 ? (size_t)got : 0;
    fixture->said[fixture->size] = '\0';
    return got > 0;
}

/* Takes the next line off what has come; the caller uses it at once. */
static const char *hear(struct fixture *fixture)
{
    static char line[ROOM];
    char *newline = NULL;
    while (!(newline = strchr(fixture->said, '\n')))
        assert_true(hear_more(fixture));
    const size_t size = (size_t)(newline - fixture->said);
    memcpy(line, fixture->said, size);
    line[size] = '\0';
    fixture->size -= size + 1;
    memmove(fixture->said, newline + 1, fixture->size + 1);
    return line;
}

static const char *ask(struct fixture *fixture, const char *command)
{
    char line[ROOM];
    (void)snprintf(line, sizeof(line), "%s\n", command);
    say(fixture, line);
    return hear(fixture);
}

static struct lwp_transport *dial(struct lwp_mock *mock, const char *node)
{
    struct lwp_address address;
    struct lwp_transport *transport = NULL;
    int error = 0;
    assert_int_equal(lwp_address_parse(lwp_mock_address(mock, node), &address), LWP_OK);
    assert_int_equal(
        lwp_tcp_connect(&address, lwp_clock_now() + 20 * LWP_SECOND_NS, &transport, &error),
        LWP_OK);
    return transport;
}

static void the_socket_is_its_owners_alone(void **state)
{
    (void)state;
    struct fixture f;
    struct stat about;
    begin(&f);
    assert_int_equal(stat(f.path, &about), 0);
    assert_true(S_ISSOCK(about.st_mode));
    assert_int_equal(about.st_mode & 0777, 0600);
    end(&f);
}

static void a_socket_that_was_left_behind_is_replaced(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    char left[104];
    (void)snprintf(left, sizeof(left), "%s.left", f.path);
    (void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", left);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    close(fd);
    struct lwp_mock *second = NULL;
    const struct lwp_mock_options options = {.dialect = &lwp_dialect_lance, .control = left};
    assert_int_equal(lwp_mock_new(&options, &second), LWP_OK);
    assert_int_equal(lwp_mock_start(second), LWP_OK);
    lwp_mock_free(second);
    assert_int_equal(access(left, F_OK), -1);
    end(&f);
}

static void a_place_that_can_not_be_had_is_told(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    char file[104], none[104];
    (void)snprintf(file, sizeof(file), "%s.file", f.path);
    (void)snprintf(none, sizeof(none), "%s/none/c", f.folder);
    fclose(fopen(file, "w"));
    const char *const taken[] = {f.path, file, none};
    for (size_t i = 0; i < COUNT_OF(taken); i++) {
        struct lwp_mock *second = NULL;
        const struct lwp_mock_options options = {.dialect = &lwp_dialect_lance,
                                                 .control = taken[i]};
        assert_int_equal(lwp_mock_new(&options, &second), LWP_OK);
        assert_int_equal(lwp_mock_start(second), LWP_IO);
        assert_string_equal(lwp_mock_failed(second), taken[i]);
        assert_null(lwp_mock_address(second, NULL));
        lwp_mock_free(second);
    }
    assert_int_equal(access(file, F_OK), 0);
    unlink(file);
    assert_string_equal(ask(&f, "freeze"), "ok"); /* The first one was not disturbed. */
    end(&f);
}

static void only_the_loopback_is_a_place(void **state)
{
    (void)state;
    static const char *const good[] = {"/tmp/x", "control", "127.0.0.1:0", "[::1]:7",
                                       "localhost:7"};
    static const char long_path[] = "/a234567890123456789012345678901234567890123456789012345678901"
                                    "2345678901234567890123456789012345678901234567";
    static const char *const bad[] = {
        "", "0.0.0.0:0", "[::]:0", "192.0.2.1:7", "example.org:7", "127.0.0.1:x", "::1", long_path};
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(control_takes(good[i]));
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct lwp_mock *mock = NULL;
        const struct lwp_mock_options options = {.dialect = &lwp_dialect_lance, .control = bad[i]};
        assert_false(control_takes(bad[i]));
        assert_int_equal(lwp_mock_new(&options, &mock), LWP_OK);
        assert_int_equal(lwp_mock_start(mock), LWP_INVALID_ARGUMENT);
        lwp_mock_free(mock);
    }
}

static void commands_do_what_they_say(void **state)
{
    (void)state;
    struct fixture f;
    char expected[LWP_ADDRESS_SIZE + 8];
    begin_with(&f, (struct lwp_mock_options){.nodes = {"a=127.0.0.1:0", "b=127.0.0.1:0"},
                                             .node_count = 2});
    (void)snprintf(expected, sizeof(expected), "ok %s", lwp_mock_address(f.mock, "b"));
    assert_string_equal(ask(&f, "address b"), expected);
    (void)snprintf(expected, sizeof(expected), "ok %s", lwp_mock_address(f.mock, "a"));
    assert_string_equal(ask(&f, "address"), expected);
    assert_string_equal(ask(&f, "down b"), "ok");
    struct lwp_transport *refused = NULL;
    struct lwp_address address;
    int error = 0;
    assert_int_equal(lwp_address_parse(lwp_mock_address(f.mock, "b"), &address), LWP_OK);
    assert_int_equal(lwp_tcp_connect(&address, lwp_clock_now() + LWP_SECOND_NS, &refused, &error),
                     LWP_REFUSED);
    assert_string_equal(ask(&f, "up b"), "ok");
    lwp_transport_free(dial(f.mock, "b"));
    assert_string_equal(ask(&f, "freeze"), "ok");
    assert_string_equal(ask(&f, "advance 30s"), "ok");
    assert_string_equal(ask(&f, "thaw"), "ok");
    end(&f);
}

static void connections_are_labelled_and_listed(void **state)
{
    (void)state;
    struct fixture f;
    char line[128];
    unsigned port = 0;
    begin(&f);
    assert_string_equal(ask(&f, "connections"), "ok 0");
    assert_string_equal(ask(&f, "tag next first"), "ok");
    struct lwp_transport *one = dial(f.mock, NULL);
    struct lwp_transport *two = dial(f.mock, NULL);
    assert_string_equal(ask(&f, "await connections 2"), "ok");
    assert_string_equal(ask(&f, "tag 2 \"second\""), "ok");
    assert_string_equal(ask(&f, "connections"), "ok 2");
    assert_int_equal(sscanf(hear(&f), "1 - 127.0.0.1:%u first", &port), 1);
    assert_int_equal(sscanf(hear(&f), "2 - 127.0.0.1:%u %100s", &port, line), 2);
    assert_string_equal(line, "second");
    (void)snprintf(line, sizeof(line), "tag port %u third", port);
    assert_string_equal(ask(&f, line), "ok");
    assert_string_equal(ask(&f, "connections"), "ok 2");
    (void)hear(&f);
    assert_non_null(strstr(hear(&f), " third"));
    lwp_transport_free(two);
    lwp_transport_free(one);
    end(&f);
}

static void a_port_is_labelled_before_it_connects(void **state)
{
    (void)state;
    struct fixture f;
    char line[128], name[LWP_ADDRESS_SIZE + 16], own[LWP_ADDRESS_SIZE];
    struct lwp_address any, to;
    int fd = -1;
    begin(&f);
    assert_int_equal(lwp_address_parse("127.0.0.1:0", &any), LWP_OK);
    assert_int_equal(lwp_tcp_reserve(&any, &fd, own), LWP_OK);
    assert_string_equal(ask(&f, "tag next other"), "ok");
    (void)snprintf(line, sizeof(line), "tag port %s mine", strrchr(own, ':') + 1);
    assert_string_equal(ask(&f, line), "ok");
    assert_int_equal(lwp_address_parse(lwp_mock_address(f.mock, NULL), &to), LWP_OK);
    struct sockaddr_in peer = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)strtoul(to.port, NULL, 10)),
                               .sin_addr = {htonl(INADDR_LOOPBACK)}};
    (void)connect(fd, (struct sockaddr *)&peer, sizeof(peer));
    assert_string_equal(ask(&f, "await connections 1"), "ok");
    assert_string_equal(ask(&f, "connections"), "ok 1");
    (void)snprintf(name, sizeof(name), "1 - %s mine", own);
    assert_string_equal(hear(&f), name);
    close(fd);
    end(&f);
}

static void who_awaits_does_not_block_others(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    struct fixture other = {.fd = connect_to(f.path)};
    say(&f, "await connections 1\nfreeze\n");
    assert_string_equal(ask(&other, "address x"), "error no such node");
    struct lwp_transport *transport = dial(f.mock, NULL);
    assert_string_equal(hear(&f), "ok");
    assert_string_equal(hear(&f), "ok");
    lwp_transport_free(transport);
    assert_string_equal(ask(&f, "await idle"), "ok");
    assert_string_equal(ask(&f, "await connections 0"), "ok");
    assert_string_equal(ask(&f, "await connections 2 1ms"), "error it has not happened in time");
    close(other.fd);
    end(&f);
}

/* Takes as many lines as the answer says, each with its end, behind one another. */
static const char *ask_for_block(struct fixture *fixture, const char *command)
{
    static char block[ROOM];
    size_t count = 0, size = 0;
    assert_int_equal(sscanf(ask(fixture, command), "ok %zu", &count), 1);
    block[0] = '\0';
    for (size_t i = 0; i < count; i++)
        size += (size_t)snprintf(block + size, sizeof(block) - size, "%s\n", hear(fixture));
    return block;
}

static void say_keepalive(struct lwp_transport *transport)
{
    uint8_t wire[LWP_HEADER_SIZE];
    struct lwp_writer out = lwp_writer_on(wire, sizeof(wire));
    struct lwp_frame frame = frame_of(LWP_FLAG_KEEPALIVE, bytes_of(NULL, 0));
    size_t count = 0;
    lwp_frame_seal(&frame, LWP_CRC32, 0);
    assert_int_equal(lwp_frame_encode(&frame, &out), LWP_OK);
    assert_int_equal(lwp_transport_write(transport, lwp_writer_bytes(&out), &count), LWP_OK);
}

static void scripts_are_loaded_listed_and_judged(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_string_equal(ask_for_block(&f, "verdict"), "passed\n");
    assert_string_equal(ask(&f, "load mine \"on keepalive -> keepalive as one\\n"
                                "on ingest -> ack as two optional\""),
                        "ok");
    assert_string_equal(ask_for_block(&f, "list"),
                        "one mine:1 armed matched 0 fired 0\ntwo mine:2 armed matched 0 fired 0\n");
    assert_string_equal(ask_for_block(&f, "verdict"),
                        "failed\nmine:1:1: the rule one never fired (it matched 0 times)\n");
    assert_string_equal(ask(&f, "disarm two"), "ok");
    assert_non_null(strstr(ask_for_block(&f, "list"), "two mine:2 disarmed"));
    assert_string_equal(ask(&f, "arm mine"), "ok");
    assert_null(strstr(ask_for_block(&f, "list"), "disarmed"));
    assert_string_equal(ask(&f, "reset"), "ok");
    assert_string_equal(ask_for_block(&f, "list"), "");
    assert_string_equal(ask_for_block(&f, "verdict"), "passed\n");
    end(&f);
}

static void all_problems_of_a_script_can_be_had(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_string_equal(ask_for_block(&f, "problems"), "");
    assert_non_null(strstr(ask(&f, "load a \"on ingset -> ack\\non ingest -> dance\""),
                           " (and 1 more, see problems)"));
    const char *problems = ask_for_block(&f, "problems");
    assert_non_null(strstr(problems, "a:1:4: found"));
    assert_non_null(strstr(problems, "\na:2:14: found"));
    assert_string_equal(ask(&f, "load a \"scenario x\\nscenario y\" y"), "ok");
    assert_string_equal(ask_for_block(&f, "problems"), "");
    end(&f);
}

static void files_are_read_at_a_unix_socket_only(void **state)
{
    (void)state;
    struct fixture f;
    char line[256], path[128];
    begin(&f);
    (void)snprintf(path, sizeof(path), "%s.lwps", f.path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("scenario a\non ingest -> ack as rule optional\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    (void)snprintf(line, sizeof(line), "load-file %s a", path);
    assert_string_equal(ask(&f, line), "ok");
    assert_string_equal(ask(&f, "arm rule"), "ok");
    unlink(path);
    end(&f);
    begin_with(&f, (struct lwp_mock_options){.control = "127.0.0.1:0"});
    assert_string_equal(ask(&f, "load-file /nowhere/x"),
                        "error files are read for those at a unix socket only");
    assert_string_equal(ask(&f, "load a \"on ingest -> ack optional\""), "ok");
    end(&f);
}

static void rules_and_decisions_can_be_awaited(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    struct fixture other = {.fd = connect_to(f.path)};
    assert_string_equal(ask(&f, "load a \"on keepalive -> keepalive, barrier gate, pass as rule\""),
                        "ok");
    assert_string_equal(ask(&f, "await rule 1ms"), "error it has not happened in time");
    say(&f, "await gate 20s\n");
    struct lwp_transport *peer = dial(f.mock, NULL);
    say_keepalive(peer);
    assert_string_equal(hear(&f), "ok");
    assert_string_equal(ask(&f, "await rule"), "ok");
    assert_string_equal(ask(&f, "await decided"), "ok");
    assert_string_equal(ask(&f, "reset"), "ok");
    assert_string_equal(ask(&f, "await rule"), "error nothing that can be awaited");
    assert_string_equal(ask(&f, "load a \"on ingest -> ack as rule\""), "ok");
    say(&f, "await rule 20s\n");
    assert_string_equal(ask(&other, "reset"), "ok");
    assert_string_equal(hear(&f), "error the script that it was of is gone");
    lwp_transport_free(peer);
    close(other.fd);
    end(&f);
}

static void the_log_can_be_dumped_from_any_event_on(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_string_equal(ask_for_block(&f, "dump log"), ""); /* Nothing is to be kept. */
    end(&f);
    begin_with(&f, (struct lwp_mock_options){.kept_log_size = 65536});
    assert_memory_equal(ask_for_block(&f, "dump log"), "{\"event\":\"begin\"", 16);
    struct lwp_transport *peer = dial(f.mock, NULL);
    say_keepalive(peer);
    assert_string_equal(ask(&f, "await connections 1"), "ok");
    lwp_transport_free(peer);
    assert_string_equal(ask(&f, "await idle"), "ok");
    const char *log = ask_for_block(&f, "dump log since 1");
    assert_null(strstr(log, "\"event\":\"begin\""));
    assert_null(strstr(log, "\"event\":\"connected\""));
    assert_non_null(strstr(log, "\"number\":2,"));
    assert_memory_equal(ask_for_block(&f, "dump log since 0"), "{\"event\":\"connected\"", 20);
    assert_string_equal(ask_for_block(&f, "dump log since 1000"), "");
    end(&f);
}

static void the_cluster_can_be_changed(void **state)
{
    (void)state;
    static const char *const good[] = {"leader * b", "leader orders none", "lag b 100",  "lag b 0",
                                       "stale 2",    "stale a 2",          "ready b no", "ready b"};
    static const char *const bad[] = {"leader * c", "lag c 1", "stale c 1", "ready c"};
    struct fixture f;
    begin_with(&f, (struct lwp_mock_options){.nodes = {"a=127.0.0.1:0", "b=127.0.0.1:0"},
                                             .node_count = 2});
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_string_equal(ask(&f, good[i]), "ok");
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_string_equal(ask(&f, bad[i]), "error no cluster, or no such node");
    assert_string_equal(ask(&f, "load a \"node c\\nnode b leader of orders\\ntopic orders\""),
                        "ok");
    assert_non_null(strstr(ask(&f, "address c"), "ok 127.0.0.1:"));
    lwp_transport_free(dial(f.mock, "c"));
    end(&f);
}

static void a_restart_ends_the_connections(void **state)
{
    (void)state;
    struct fixture f;
    uint8_t byte = 0;
    begin(&f);
    struct lwp_transport *peer = dial(f.mock, NULL);
    assert_string_equal(ask(&f, "await connections 1"), "ok");
    assert_string_equal(ask(&f, "restart"), "ok");
    assert_string_equal(ask(&f, "await idle"), "ok");
    struct pollfd ready = {.fd = lwp_transport_fd(peer), .events = POLLIN};
    assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
    assert_int_equal(recv(ready.fd, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    lwp_transport_free(peer);
    lwp_transport_free(dial(f.mock, NULL));
    end(&f);
}

static void what_is_no_command_is_told(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", "error which command? help lists them"},
        {"  \t", "error which command? help lists them"},
        {"dance", "error no such command; help lists them"},
        {"Freeze", "error no such command; help lists them"},
        {"freeze now", "error usage: freeze "},
        {"advance", "error usage: advance DURATION"},
        {"advance 30", "error not a duration such as 30s"},
        {"advance 30s 40s", "error usage: advance DURATION"},
        {"down nobody", "error no such node"},
        {"up nobody", "error no such node"},
        {"tag next", "error usage: tag next|port N|NUMBER LABEL"},
        {"tag 7 a", "error no such connection, or no label"},
        {"tag next 7", "error no such connection, or no label"},
        {"await", "error usage: await NAME|connections N|idle|decided [TIMEOUT]"},
        {"await spring", "error nothing that can be awaited"},
        {"await connections 1 2 3", "error usage: await NAME|connections N|idle|decided [TIMEOUT]"},
        {"await idle 2h", "error nothing that can be awaited"},
        {"down \"unended", "error a quote does not end"},
        {"a b c d e f g h i", "error too many words"},
        {"load a", "error usage: load NAME TEXT [SCENARIO]"},
        {"load a \"on ingest -> dance\"",
         "error a:1:14: found dance, expected an action, for example ack or close rst; did you "
         "mean advance?"},
        {"load a \"scenario b\" c", "error a:1:1: found no scenario of that name, expected c"},
        {"load-file", "error usage: load-file PATH [SCENARIO]"},
        {"load-file /nowhere/x", "error /nowhere/x: No such file or directory"},
        {"problems now", "error usage: problems "},
        {"list all", "error usage: list "},
        {"arm", "error usage: arm NAME"},
        {"arm nobody", "error no such rule"},
        {"disarm nobody", "error no such rule"},
        {"reset all", "error usage: reset "},
        {"verdict now", "error usage: verdict "},
        {"dump", "error usage: dump log [since N]"},
        {"dump core", "error usage: dump log [since N]"},
        {"dump log since", "error usage: dump log [since N]"},
        {"dump log after 3", "error usage: dump log [since N]"},
        {"dump log since noon", "error usage: dump log [since N]"},
        {"leader orders", "error usage: leader TOPIC NODE|none"},
        {"leader orders a", "error no cluster, or no such node"},
        {"lag a 7", "error no cluster, or no such node"},
        {"lag a much", "error not a number"},
        {"stale 7", "error no cluster, or no such node"},
        {"stale a few", "error not a number"},
        {"ready a", "error no cluster, or no such node"},
        {"ready a now", "error usage: ready NODE [no]"},
        {"restart now", "error usage: restart "},
    };
    struct fixture f;
    begin(&f);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_string_equal(ask(&f, rows[i][0]), rows[i][1]);
    end(&f);
}

static void help_lists_as_many_lines_as_it_says(void **state)
{
    (void)state;
    struct fixture f;
    size_t count = 0;
    begin(&f);
    assert_int_equal(sscanf(ask(&f, "help"), "ok %zu", &count), 1);
    assert_in_range(count, 5, 100);
    for (size_t i = 0; i < count; i++)
        assert_non_null(strstr(hear(&f), " - "));
    assert_string_equal(ask(&f, "freeze"), "ok");
    end(&f);
}

static void lines_may_come_in_pieces_or_together(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    for (const char *at = "freeze\r\nthaw\n"; *at; at++)
        assert_int_equal(send(f.fd, at, 1, MSG_NOSIGNAL), 1);
    assert_string_equal(hear(&f), "ok");
    assert_string_equal(hear(&f), "ok");
    for (int i = 0; i < 100; i++)
        say(&f, "freeze\n");
    for (int i = 0; i < 100; i++)
        assert_string_equal(hear(&f), "ok");
    end(&f);
}

static void a_line_without_an_end_ends_the_conversation(void **state)
{
    (void)state;
    struct fixture f;
    static char many[CONTROL_MAX_LINE + 1];
    begin(&f);
    memset(many, 'a', sizeof(many));
    assert_int_equal(send(f.fd, many, sizeof(many), MSG_NOSIGNAL), sizeof(many));
    assert_string_equal(hear(&f), "error the line is too long");
    assert_false(hear_more(&f));
    close(f.fd);
    f.fd = connect_to(f.path);
    assert_int_equal(send(f.fd, "fre\0eze\n", 8, MSG_NOSIGNAL), 8);
    assert_string_equal(hear(&f), "error the line is no text");
    assert_false(hear_more(&f));
    end(&f);
}

static void a_client_that_does_not_read_holds_nobody_up(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    const int deaf = connect_to(f.path);
    while (send(deaf, "help\n", 5, MSG_NOSIGNAL | MSG_DONTWAIT) == 5)
        ;
    assert_string_equal(ask(&f, "freeze"), "ok");
    close(deaf);
    assert_string_equal(ask(&f, "thaw"), "ok");
    end(&f);
}

static void clients_past_the_limit_are_shown_out(void **state)
{
    (void)state;
    struct fixture f;
    int fds[CONTROL_MAX_CLIENTS - 1];
    begin(&f);
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        fds[i] = connect_to(f.path);
    struct fixture surplus = {.fd = connect_to(f.path)};
    assert_false(hear_more(&surplus));
    assert_string_equal(ask(&f, "freeze"), "ok");
    close(surplus.fd);
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        close(fds[i]);
    end(&f);
}

static void a_browser_at_the_port_is_shown_out(void **state)
{
    (void)state;
    struct fixture f;
    begin_with(&f, (struct lwp_mock_options){.control = "127.0.0.1:0"});
    say(&f, "POST / HTTP/1.1\r\n\r\nquit\r\n");
    assert_string_equal(hear(&f), "error no such command; help lists them");
    assert_false(hear_more(&f));
    close(f.fd);
    f.fd = connect_to(lwp_mock_control_address(f.mock));
    assert_string_equal(ask(&f, "freeze"), "ok");
    assert_string_equal(ask(&f, "dance"), "error no such command; help lists them");
    assert_string_equal(ask(&f, "thaw"), "ok");
    end(&f);
}

static void quit_ends_the_server_and_is_answered(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_string_equal(ask(&f, "quit"), "ok");
    assert_false(hear_more(&f));
    assert_int_equal(lwp_mock_stop(f.mock), LWP_OK);
    end(&f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_socket_is_its_owners_alone),
    cmocka_unit_test(a_socket_that_was_left_behind_is_replaced),
    cmocka_unit_test(a_place_that_can_not_be_had_is_told),
    cmocka_unit_test(only_the_loopback_is_a_place),
    cmocka_unit_test(commands_do_what_they_say),
    cmocka_unit_test(connections_are_labelled_and_listed),
    cmocka_unit_test(a_port_is_labelled_before_it_connects),
    cmocka_unit_test(who_awaits_does_not_block_others),
    cmocka_unit_test(scripts_are_loaded_listed_and_judged),
    cmocka_unit_test(all_problems_of_a_script_can_be_had),
    cmocka_unit_test(files_are_read_at_a_unix_socket_only),
    cmocka_unit_test(rules_and_decisions_can_be_awaited),
    cmocka_unit_test(the_log_can_be_dumped_from_any_event_on),
    cmocka_unit_test(the_cluster_can_be_changed),
    cmocka_unit_test(a_restart_ends_the_connections),
    cmocka_unit_test(what_is_no_command_is_told),
    cmocka_unit_test(help_lists_as_many_lines_as_it_says),
    cmocka_unit_test(lines_may_come_in_pieces_or_together),
    cmocka_unit_test(a_line_without_an_end_ends_the_conversation),
    cmocka_unit_test(a_client_that_does_not_read_holds_nobody_up),
    cmocka_unit_test(clients_past_the_limit_are_shown_out),
    cmocka_unit_test(a_browser_at_the_port_is_shown_out),
    cmocka_unit_test(quit_ends_the_server_and_is_answered),
};

int main(void)
{
    return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
