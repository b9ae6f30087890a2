/* SPDX-License-Identifier: MIT */
#include "lwp/tests/folder.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "lwp/net/clock.h"
#include "lwp/net/link.h"
#include "lwp/net/tls_state.h"
#include "mock_server/certs.h"

#define NOW_SECS UINT64_C(1700000000)

enum {
    ROOM = 65536,     /* Of a pipe where it does not matter. */
    PATIENCE = 40000, /* Rounds after which a conversation hangs. */
    QUIET = 5,        /* Rounds in which nothing moves after which nothing will. */
    PATIENCE_MS = 10000,
    LARGE = 1200000,
    HANDSHAKE_MEMORY = 524288,
    OPEN_MEMORY = 102400,
    IDLE_MEMORY = 20480
};

/* What OpenSSL holds, counted. */

static struct {
    size_t now;
    size_t most;
    unsigned long calls;
    unsigned long failing; /* The call that fails, and all behind it; 0: none does. */
} memory;

enum { MEMORY_HEAD = 16 };

static void *take_memory(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    memory.calls++;
    if (memory.failing && memory.calls >= memory.failing)
        return NULL;
    uint8_t *at = malloc(size + MEMORY_HEAD);
    if (!at)
        return NULL;
    memcpy(at, &size, sizeof(size));
    memory.now += size;
    memory.most = memory.now > memory.most ? memory.now : memory.most;
    return at + MEMORY_HEAD;
}

static void give_memory(void *pointer, const char *file, int line)
{
    (void)file;
    (void)line;
    size_t size = 0;
    if (!pointer)
        return;
    uint8_t *at = (uint8_t *)pointer - MEMORY_HEAD;
    memcpy(&size, at, sizeof(size));
    memory.now -= size;
    free(at);
}

static void *resize_memory(void *pointer, size_t size, const char *file, int line)
{
    size_t before = 0;
    if (pointer)
        memcpy(&before, (uint8_t *)pointer - MEMORY_HEAD, sizeof(before));
    void *made = take_memory(size, file, line);
    if (made && before)
        memcpy(made, pointer, before < size ? before : size);
    if (made)
        give_memory(pointer, file, line);
    return made;
}

/* The certificates, made once. */

static char folder[FOLDER_SIZE];

static int make_certificates(void **state)
{
    (void)state;
    char problem[LWP_CERTS_PROBLEM_SIZE];
    folder_make(folder);
    return lwp_certs_make(folder, NOW_SECS, false, problem) != LWP_OK;
}

static void assert_no_errors_left(void)
{
    assert_int_equal(ERR_peek_error(), 0);
}

/* What the two sides of a conversation are given: names of files in the folder, NULL for none. */
struct side {
    const char *certificate; /* Without .pem and .key. */
    const char *ca;
    enum lwp_tls_version least;
    enum lwp_tls_version most;
    const char *cipher_list;
    const char *cipher_suites;
    bool required;
    bool insecure;
    const char *host;
};

static const struct side plain_server = {.certificate = "server"};
static const struct side plain_client = {.ca = "ca.pem", .host = "localhost"};

static struct side with_version(struct side side, enum lwp_tls_version version)
{
    side.least = side.most = version;
    return side;
}

static struct lwp_tls_context *make_context(const struct side *side, bool is_server)
{
    char reason[LWP_TLS_REASON_SIZE] = "";
    char file[FOLDER_PATH_SIZE] = "", key[FOLDER_PATH_SIZE] = "";
    const char *name = side->certificate ? side->certificate : "";
    (void)snprintf(file, sizeof(file), "%s/%s.pem", folder, name);
    (void)snprintf(key, sizeof(key), "%s/%s.key", folder, name);
    const struct lwp_tls_options options = {
        .certificate_file = side->certificate ? file : NULL,
        .key_file = side->certificate ? key : NULL,
        .ca_file = side->ca ? folder_path(folder, side->ca) : NULL,
        .certificate_required = side->required,
        .insecure = side->insecure,
        .least = side->least,
        .most = side->most,
        .cipher_list = side->cipher_list,
        .cipher_suites = side->cipher_suites,
        .judged_at_secs = NOW_SECS,
    };
    struct lwp_tls_context *context = NULL;
    const enum lwp_status status = is_server ? lwp_tls_server_new(&options, &context, reason)
                                             : lwp_tls_client_new(&options, &context, reason);
    if (status != LWP_OK)
        fail_msg("%s", reason);
    assert_no_errors_left();
    return context;
}

static bool is_same(const struct side *a, const struct side *b)
{
    return a->certificate == b->certificate && a->ca == b->ca && a->least == b->least &&
           a->most == b->most && a->cipher_list == b->cipher_list &&
           a->cipher_suites == b->cipher_suites && a->required == b->required &&
           a->insecure == b->insecure;
}

/* Contexts are made once and serve all connections of their kind: reading the files takes longer
 * than a handshake. */
static struct {
    struct side side;
    bool is_server;
    struct lwp_tls_context *context;
} contexts[64];

static struct lwp_tls_context *context_of(const struct side *side, bool is_server)
{
    size_t at = 0;
    while (contexts[at].context &&
           (contexts[at].is_server != is_server || !is_same(&contexts[at].side, side)))
        assert_true(++at < COUNT_OF(contexts));
    if (!contexts[at].context) {
        contexts[at].side = *side;
        contexts[at].is_server = is_server;
        contexts[at].context = make_context(side, is_server);
    }
    return contexts[at].context;
}

static int clean_up(void **state)
{
    (void)state;
    for (size_t at = 0; at < COUNT_OF(contexts); at++)
        lwp_tls_context_free(contexts[at].context);
    folder_remove(folder);
    return 0;
}

/* A transport between TLS and a pipe that takes and gives little at a time, and fails on demand. */
struct choppy {
    struct lwp_transport transport; /* First, so that one is the other. */
    struct lwp_transport *inner;
    size_t piece;    /* The most that one call moves; 0: anything. */
    unsigned period; /* Of so many reads, or writes, all but one would block; 0: none does. */
    unsigned reads;
    unsigned writes;
    unsigned failing;      /* The call that fails, and all behind it; 0: none does. */
    enum lwp_status fault; /* How. */
    size_t moved;          /* Bytes, both ways. */
};

static struct choppy *choppy_of(struct lwp_transport *transport)
{
    return (struct choppy *)(void *)transport;
}

/* How the next call goes, the `kind`th of its kind. */
static enum lwp_status choppy_next(struct choppy *choppy, unsigned kind)
{
    if (choppy->failing && choppy->reads + choppy->writes >= choppy->failing) {
        choppy->transport.error = EIO;
        return choppy->fault;
    }
    return choppy->period && kind % choppy->period ? LWP_WOULD_BLOCK : LWP_OK;
}

static size_t piece_of(const struct choppy *choppy, size_t size)
{
    return choppy->piece && choppy->piece < size ? choppy->piece : size;
}

static enum lwp_status choppy_read(struct lwp_transport *transport, uint8_t *out, size_t size,
                                   size_t *count)
{
    struct choppy *choppy = choppy_of(transport);
    enum lwp_status status = choppy_next(choppy, ++choppy->reads);
    if (status != LWP_OK)
        return status;
    status = lwp_transport_read(choppy->inner, out, piece_of(choppy, size), count);
    choppy->moved += status == LWP_OK ? *count : 0;
    return status;
}

static enum lwp_status choppy_write(struct lwp_transport *transport, struct lwp_bytes bytes,
                                    size_t *count)
{
    struct choppy *choppy = choppy_of(transport);
    enum lwp_status status = choppy_next(choppy, ++choppy->writes);
    if (status != LWP_OK)
        return status;
    status = lwp_transport_write(choppy->inner, bytes_of(bytes.data, piece_of(choppy, bytes.size)),
                                 count);
    choppy->moved += status == LWP_OK ? *count : 0;
    return status;
}

static void choppy_close(struct lwp_transport *transport, enum lwp_close how)
{
    lwp_transport_close(choppy_of(transport)->inner, how);
}

static int choppy_fd(const struct lwp_transport *transport)
{
    return lwp_transport_fd(((const struct choppy *)(const void *)transport)->inner);
}

static void choppy_free(struct lwp_transport *transport)
{
    lwp_transport_free(choppy_of(transport)->inner);
    free(transport);
}

static const struct lwp_transport_ops choppy_ops = {choppy_read, choppy_write, choppy_close,
                                                    choppy_fd,   choppy_free,  NULL};

static struct choppy *choppy_on(struct lwp_transport *inner)
{
    struct choppy *choppy = calloc(1, sizeof(*choppy));
    assert_non_null(choppy);
    choppy->transport.ops = &choppy_ops;
    choppy->inner = inner;
    return choppy;
}

/* A client and a server on a pipe. */
enum { CLIENT, SERVER };

struct talk {
    struct choppy *inner[2]; /* Owned by the ends. */
    struct lwp_transport *ends[2];
};

static struct talk talk_on(const struct side *client, const struct side *server,
                           struct lwp_transport *pipe[2])
{
    const struct side *sides[2] = {client, server};
    struct talk talk;
    for (int i = 0; i < 2; i++) {
        talk.inner[i] = choppy_on(pipe[i]);
        assert_int_equal(lwp_tls_wrap(context_of(sides[i], i == SERVER), &talk.inner[i]->transport,
                                      sides[i]->host, &talk.ends[i]),
                         LWP_OK);
        assert_no_errors_left();
    }
    return talk;
}

static struct talk talk_over(const struct side *client, const struct side *server, size_t capacity)
{
    struct lwp_transport *pipe[2];
    assert_int_equal(lwp_pipe_new(capacity, pipe), LWP_OK);
    return talk_on(client, server, pipe);
}

static void hang_up(struct talk *talk)
{
    for (int i = 0; i < 2; i++) {
        lwp_transport_free(talk->ends[i]);
        assert_no_errors_left();
    }
}

static enum lwp_status read_some(struct lwp_transport *transport, uint8_t *out, size_t size,
                                 size_t *count)
{
    const enum lwp_status status = lwp_transport_read(transport, out, size, count);
    assert_no_errors_left();
    if (status == LWP_OK)
        assert_in_range(*count, 1, size);
    return status;
}

static enum lwp_status write_some(struct lwp_transport *transport, struct lwp_bytes bytes,
                                  size_t *count)
{
    const enum lwp_status status = lwp_transport_write(transport, bytes, count);
    assert_no_errors_left();
    if (status == LWP_OK)
        assert_in_range(*count, 1, bytes.size);
    return status;
}

/* Lets one side go on: reads, as somebody would who waits for something; nothing must come. */
static enum lwp_status go_on(struct lwp_transport *transport)
{
    uint8_t in[1];
    size_t count = 0;
    const enum lwp_status status = read_some(transport, in, sizeof(in), &count);
    assert_int_not_equal(status, LWP_OK);
    return status;
}

/* Both sides go on until both know how it ends, which a side does whose handshake is done and who
 * is not told otherwise. A side that failed closes. */
static void settle(struct talk *talk, enum lwp_status results[2])
{
    int quiet = 0;
    results[CLIENT] = results[SERVER] = LWP_WOULD_BLOCK;
    for (int round = 0; quiet < QUIET; round++) {
        const unsigned long before = talk->inner[0]->moved + talk->inner[1]->moved;
        assert_true(round < PATIENCE);
        for (int i = 0; i < 2; i++) {
            if (results[i] != LWP_WOULD_BLOCK)
                continue;
            results[i] = go_on(talk->ends[i]);
            if (results[i] != LWP_WOULD_BLOCK)
                lwp_transport_close(talk->ends[i], LWP_CLOSE_FIN);
        }
        quiet = talk->inner[0]->moved + talk->inner[1]->moved == before ? quiet + 1 : 0;
    }
}

static void shake_hands_well(struct talk *talk)
{
    enum lwp_status results[2];
    settle(talk, results);
    for (int i = 0; i < 2; i++) {
        if (results[i] != LWP_WOULD_BLOCK || !lwp_tls_is_established(talk->ends[i]))
            fail_msg("side %d: %s: %s", i, lwp_status_name(results[i]),
                     lwp_tls_reason(talk->ends[i]));
        assert_string_equal(lwp_tls_reason(talk->ends[i]), "");
        assert_int_equal(lwp_tls_handshake(talk->ends[i]), LWP_OK);
    }
}

static struct talk agreed(const struct side *client, const struct side *server)
{
    struct talk talk = talk_over(client, server, ROOM);
    shake_hands_well(&talk);
    return talk;
}

static struct talk agreed_on(enum lwp_tls_version version)
{
    const struct side client = with_version(plain_client, version);
    return agreed(&client, &plain_server);
}

static void say(struct lwp_transport *transport, const char *text)
{
    size_t count = 0;
    assert_int_equal(write_some(transport, lwp_bytes_text(text), &count), LWP_OK);
    assert_int_equal(count, strlen(text));
}

static void assert_reads(struct lwp_transport *transport, const char *text)
{
    uint8_t in[256];
    size_t count = 0;
    assert_int_equal(read_some(transport, in, sizeof(in), &count), LWP_OK);
    assert_bytes_equal(bytes_of(in, count), lwp_bytes_text(text));
}

/* Ends in this way, and stays so. */
static void assert_ends(struct lwp_transport *transport, enum lwp_status status)
{
    for (int i = 0; i < 3; i++)
        assert_int_equal(go_on(transport), status);
    assert_false(lwp_tls_is_ready(transport));
}

static const enum lwp_tls_version both_versions[] = {LWP_TLS_1_2, LWP_TLS_1_3};

static void hands_are_shaken_one_byte_at_a_time(void **state)
{
    (void)state;
    static const char *const texts[] = {
        [LWP_TLS_ANY] = "TLSv1.3", [LWP_TLS_1_2] = "TLSv1.2", [LWP_TLS_1_3] = "TLSv1.3"};
    for (enum lwp_tls_version version = LWP_TLS_ANY; version <= LWP_TLS_1_3; version++) {
        const struct side client = with_version(plain_client, version);
        struct talk talk = talk_over(&client, &plain_server, 1);
        assert_null(lwp_tls_version(talk.ends[CLIENT]));
        assert_null(lwp_tls_cipher(talk.ends[SERVER]));
        shake_hands_well(&talk);
        for (int i = 0; i < 2; i++) {
            assert_string_equal(lwp_tls_version(talk.ends[i]), texts[version]);
            assert_non_null(strstr(lwp_tls_cipher(talk.ends[i]), "AES"));
        }
        hang_up(&talk);
    }
}

static void hands_are_shaken_by_writing_alone(void **state)
{
    (void)state;
    struct talk talk = talk_over(&plain_client, &plain_server, ROOM);
    size_t count = 0;
    enum lwp_status status = LWP_WOULD_BLOCK;
    for (int round = 0; status == LWP_WOULD_BLOCK && round < 10; round++) {
        status = write_some(talk.ends[CLIENT], lwp_bytes_text("first"), &count);
        (void)lwp_tls_handshake(talk.ends[SERVER]);
    }
    assert_int_equal(status, LWP_OK);
    assert_reads(talk.ends[SERVER], "first");
    hang_up(&talk);
}

/* One direction of a transfer. */
struct flow {
    const uint8_t *bytes;
    size_t size;
    size_t sent;
    size_t received;
};

/* Offers the next bytes at an address that they never had before, as a queue that grows does. */
static void send_more(struct lwp_transport *transport, struct flow *flow, size_t most)
{
    const size_t rest = flow->size - flow->sent;
    const size_t size = rest < most ? rest : most;
    size_t count = 0;
    if (size == 0)
        return;
    uint8_t *copy = malloc(size);
    assert_non_null(copy);
    memcpy(copy, flow->bytes + flow->sent, size);
    const enum lwp_status status = write_some(transport, bytes_of(copy, size), &count);
    assert_true(status == LWP_OK || status == LWP_WOULD_BLOCK);
    flow->sent += status == LWP_OK ? count : 0;
    free(copy);
}

static void receive_more(struct lwp_transport *transport, struct flow *flow, size_t most)
{
    static uint8_t in[ROOM];
    size_t count = 0;
    const enum lwp_status status = read_some(transport, in, most, &count);
    assert_true(status == LWP_OK || status == LWP_WOULD_BLOCK);
    if (status != LWP_OK)
        return;
    assert_in_range(count, 1, flow->size - flow->received);
    assert_memory_equal(in, flow->bytes + flow->received, count);
    flow->received += count;
}

static void transfer_both_ways(struct talk *talk, size_t size, size_t at_once)
{
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    fill_random(bytes, size, 7);
    struct flow flows[2] = {{bytes, size, 0, 0}, {bytes, size, 0, 0}};
    size_t last = 1;
    for (int idle = 0; flows[0].received < size || flows[1].received < size;) {
        for (int i = 0; i < 2; i++) {
            send_more(talk->ends[i], &flows[i], at_once);
            receive_more(talk->ends[i], &flows[1 - i], at_once < ROOM ? at_once : ROOM);
        }
        const size_t moved =
            talk->inner[0]->moved + talk->inner[1]->moved + flows[0].received + flows[1].received;
        idle = moved == last ? idle + 1 : 0;
        last = moved;
        assert_true(idle < 100);
    }
    free(bytes);
}

static void much_goes_both_ways_at_once(void **state)
{
    (void)state;
    static const struct {
        size_t capacity, size, at_once;
    } cases[] = {{1, 3000, 300},        {7, 20000, 5000},      {100, 60000, 100000},
                 {4096, LARGE, LARGE},  {16384, 100000, 1000}, {100000, 100000, 16384},
                 {400000, LARGE, 16385}};
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (size_t v = 0; v < 2; v++) {
            const struct side client = with_version(plain_client, both_versions[v]);
            struct talk talk = talk_over(&client, &plain_server, cases[i].capacity);
            transfer_both_ways(&talk, cases[i].size, cases[i].at_once);
            hang_up(&talk);
        }
}

static void every_place_can_block(void **state)
{
    (void)state;
    for (size_t piece = 1; piece <= 61; piece += 12)
        for (unsigned period = 1; period <= 3; period++) {
            struct talk talk = talk_over(&plain_client, &plain_server, ROOM);
            for (int i = 0; i < 2; i++) {
                talk.inner[i]->piece = piece;
                talk.inner[i]->period = period + (unsigned)i;
            }
            transfer_both_ways(&talk, 2000, 700);
            hang_up(&talk);
        }
}

/* How a handshake must end: for both sides a status and a part of the reason. */
struct verdict {
    struct side client;
    struct side server;
    enum lwp_status results[2];
    const char *reasons[2];
};

static void check_verdict(const struct verdict *verdict, size_t capacity)
{
    struct talk talk = talk_over(&verdict->client, &verdict->server, capacity);
    enum lwp_status results[2];
    settle(&talk, results);
    for (int i = 0; i < 2; i++) {
        const char *reason = lwp_tls_reason(talk.ends[i]);
        if (results[i] != verdict->results[i] || !strstr(reason, verdict->reasons[i]))
            fail_msg("side %d, not %s (%s): %s (%s)", i, lwp_status_name(verdict->results[i]),
                     verdict->reasons[i], lwp_status_name(results[i]), reason);
        if (results[i] != LWP_WOULD_BLOCK)
            assert_string_not_equal(reason, "");
    }
    hang_up(&talk);
}

static void check_in_both_versions(const struct verdict *verdicts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t v = 0; v < 2; v++) {
            struct verdict verdict = verdicts[i];
            verdict.client = with_version(verdict.client, both_versions[v]);
            check_verdict(&verdict, ROOM);
        }
}

#define REFUSED LWP_CERTIFICATE_REFUSED

static void wrong_servers_are_refused_with_a_reason(void **state)
{
    (void)state;
    const struct verdict verdicts[] = {
        {plain_client,
         {.certificate = "expired"},
         {REFUSED, REFUSED},
         {"certificate has expired", "alert 45"}},
        {plain_client,
         {.certificate = "not-yet-valid"},
         {REFUSED, REFUSED},
         {"not yet valid", "alert 42"}},
        {plain_client,
         {.certificate = "wrong-host"},
         {REFUSED, REFUSED},
         {"ostname mismatch", "alert 42"}},
        {{.ca = "ca.pem", .host = "127.0.0.1"},
         {.certificate = "wrong-host"},
         {REFUSED, REFUSED},
         {"IP address mismatch", "alert 42"}},
        {{.ca = "ca.pem", .host = "other.example"},
         plain_server,
         {REFUSED, REFUSED},
         {"ostname mismatch", "alert 42"}},
        {{.ca = "ca.pem", .host = "::2"},
         plain_server,
         {REFUSED, REFUSED},
         {"IP address mismatch", "alert 42"}},
        {{.ca = "other-ca.pem", .host = "localhost"},
         plain_server,
         {REFUSED, REFUSED},
         {"unable to get local issuer certificate", "alert 48"}},
        {{.host = "localhost"},
         plain_server,
         {REFUSED, REFUSED},
         {"unable to get local issuer certificate", "alert 48"}},
        {plain_client,
         {.certificate = "client"},
         {REFUSED, REFUSED},
         {"unsuitable certificate purpose", "alert 43"}},
    };
    check_in_both_versions(verdicts, COUNT_OF(verdicts));
}

static void right_servers_are_accepted(void **state)
{
    (void)state;
    static const char *const hosts[] = {"localhost", "LOCALHOST", "127.0.0.1", "::1",
                                        "0:0:0:0:0:0:0:1"};
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        const struct side client = {.ca = "ca.pem", .host = hosts[i]};
        struct talk talk = agreed(&client, &plain_server);
        hang_up(&talk);
    }
    const struct side insecure = {.insecure = true};
    const struct side named = {.insecure = true, .host = "localhost"};
    const struct side wrong = {.certificate = "expired"};
    struct talk talk = agreed(&insecure, &wrong);
    hang_up(&talk);
    talk = agreed(&named, &wrong);
    hang_up(&talk);
}

static void a_name_is_sent_and_an_address_is_not(void **state)
{
    (void)state;
    static const struct {
        const char *host, *sent;
    } cases[] = {{"localhost", "localhost"}, {"127.0.0.1", NULL}, {"::1", NULL}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct side client = {.ca = "ca.pem", .host = cases[i].host};
        struct talk talk = agreed(&client, &plain_server);
        const char *sent =
            SSL_get_servername(tls_of_const(talk.ends[SERVER])->ssl, TLSEXT_NAMETYPE_host_name);
        if (cases[i].sent)
            assert_string_equal(sent, cases[i].sent);
        else
            assert_null(sent);
        hang_up(&talk);
    }
}

static const struct side strict_server = {
    .certificate = "server", .ca = "ca.pem", .required = true};
static const struct side asking_server = {.certificate = "server", .ca = "ca.pem"};
static const struct side known_client = {
    .certificate = "client", .ca = "ca.pem", .host = "localhost"};

static void wrong_clients_are_refused_with_a_reason(void **state)
{
    (void)state;
    const struct verdict verdicts[] = {
        {plain_client,
         strict_server,
         {REFUSED, REFUSED},
         {"refuses our certificate (alert ", "shows no certificate"}},
        {{.certificate = "other-client", .ca = "ca.pem", .host = "localhost"},
         strict_server,
         {REFUSED, REFUSED},
         {"alert 48", "unable to get local issuer certificate"}},
        {{.certificate = "other-client", .ca = "ca.pem", .host = "localhost"},
         asking_server,
         {REFUSED, REFUSED},
         {"alert 48", "unable to get local issuer certificate"}},
        {{.certificate = "server", .ca = "ca.pem", .host = "localhost"},
         strict_server,
         {REFUSED, REFUSED},
         {"alert 43", "unsuitable certificate purpose"}},
        {{.certificate = "expired", .ca = "ca.pem", .host = "localhost"},
         strict_server,
         {REFUSED, REFUSED},
         {"alert 4", "certificate"}},
    };
    for (size_t i = 0; i < COUNT_OF(verdicts); i++)
        for (size_t v = 0; v < 2; v++) {
            struct verdict verdict = verdicts[i];
            verdict.client = with_version(verdict.client, both_versions[v]);
            /* Before 1.3 there was no alert for a certificate that is missing. */
            if (i == 0 && both_versions[v] == LWP_TLS_1_2) {
                verdict.results[CLIENT] = LWP_TLS_FAILED;
                verdict.reasons[CLIENT] = "alert 40";
            }
            check_verdict(&verdict, ROOM);
        }
}

static void assert_peer_is(const struct talk *talk, int side, const char *expected)
{
    char name[LWP_TLS_NAME_SIZE] = "?";
    assert_int_equal(lwp_tls_peer_name(talk->ends[side], name), expected[0] != '\0');
    assert_string_equal(name, expected);
    assert_no_errors_left();
}

static void servers_learn_who_their_client_is(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        const struct side client = with_version(known_client, both_versions[v]);
        struct talk talk = talk_over(&client, &strict_server, ROOM);
        assert_peer_is(&talk, SERVER, "");
        shake_hands_well(&talk);
        assert_peer_is(&talk, SERVER, "client");
        assert_peer_is(&talk, CLIENT, "localhost");
        hang_up(&talk);
    }
    struct talk talk = agreed(&plain_client, &asking_server);
    assert_peer_is(&talk, SERVER, "");
    hang_up(&talk);
    talk = agreed(&known_client, &plain_server);
    assert_peer_is(&talk, SERVER, "");
    hang_up(&talk);
}

static void those_who_share_nothing_do_not_come_to_terms(void **state)
{
    (void)state;
    const struct verdict verdicts[] = {
        {with_version(plain_client, LWP_TLS_1_2),
         with_version(plain_server, LWP_TLS_1_3),
         {LWP_TLS_FAILED, LWP_TLS_FAILED},
         {"alert 70", "unsupported protocol"}},
        {with_version(plain_client, LWP_TLS_1_3),
         with_version(plain_server, LWP_TLS_1_2),
         {LWP_TLS_FAILED, LWP_TLS_FAILED},
         {"alert 70", "unsupported protocol"}},
        {{.ca = "ca.pem",
          .host = "localhost",
          .most = LWP_TLS_1_2,
          .cipher_list = "ECDHE-ECDSA-AES128-GCM-SHA256"},
         {.certificate = "server", .cipher_list = "ECDHE-ECDSA-AES256-GCM-SHA384"},
         {LWP_TLS_FAILED, LWP_TLS_FAILED},
         {"alert 40", "no shared cipher"}},
        {{.ca = "ca.pem",
          .host = "localhost",
          .least = LWP_TLS_1_3,
          .cipher_suites = "TLS_AES_128_GCM_SHA256"},
         {.certificate = "server", .cipher_suites = "TLS_AES_256_GCM_SHA384"},
         {LWP_TLS_FAILED, LWP_TLS_FAILED},
         {"alert 40", "no shared cipher"}},
    };
    for (size_t i = 0; i < COUNT_OF(verdicts); i++)
        check_verdict(&verdicts[i], ROOM);
}

static void the_ciphers_are_those_that_were_asked_for(void **state)
{
    (void)state;
    const struct side old = {.ca = "ca.pem",
                             .host = "localhost",
                             .most = LWP_TLS_1_2,
                             .cipher_list = "ECDHE-ECDSA-AES128-GCM-SHA256"};
    const struct side new = {
        .ca = "ca.pem", .host = "localhost", .cipher_suites = "TLS_AES_128_GCM_SHA256"};
    struct talk talk = agreed(&old, &plain_server);
    assert_string_equal(lwp_tls_cipher(talk.ends[SERVER]), "ECDHE-ECDSA-AES128-GCM-SHA256");
    hang_up(&talk);
    talk = agreed(&new, &plain_server);
    assert_string_equal(lwp_tls_cipher(talk.ends[SERVER]), "TLS_AES_128_GCM_SHA256");
    hang_up(&talk);
}

/* A side of TLS whose peer is the test itself. */
struct stranger {
    struct lwp_transport *end;
    struct lwp_transport *peer; /* Ours. */
};

static struct stranger stranger_to(bool is_server)
{
    struct lwp_transport *pipe[2];
    struct stranger stranger;
    assert_int_equal(lwp_pipe_new(1 << 20, pipe), LWP_OK);
    const struct lwp_tls_context *context =
        context_of(is_server ? &plain_server : &plain_client, is_server);
    stranger.peer = pipe[1];
    assert_int_equal(lwp_tls_wrap(context, pipe[0], is_server ? NULL : "localhost", &stranger.end),
                     LWP_OK);
    return stranger;
}

static void stranger_free(struct stranger *stranger)
{
    lwp_transport_free(stranger->end);
    lwp_transport_free(stranger->peer);
    assert_no_errors_left();
}

static void speak(struct lwp_transport *transport, struct lwp_bytes bytes)
{
    size_t count = 0;
    assert_int_equal(lwp_transport_write(transport, bytes, &count), LWP_OK);
    assert_int_equal(count, bytes.size);
}

static void peers_that_do_not_speak_tls_are_recognised_by_their_first_byte(void **state)
{
    (void)state;
    const struct lwp_bytes said[] = {lwp_bytes_text("LANC\1 and so on, a header"),
                                     lwp_bytes_text("L"), lwp_bytes_text("GET / HTTP/1.1\r\n\r\n"),
                                     lwp_bytes_text("\x80\x2e\x01\x03\x01 what was SSL 2 once"),
                                     bytes_of("\0\0", 2)};
    for (int is_server = 0; is_server < 2; is_server++)
        for (size_t i = 0; i < COUNT_OF(said); i++) {
            struct stranger stranger = stranger_to(is_server);
            char expected[32];
            size_t count = 0;
            assert_int_equal(go_on(stranger.end), LWP_WOULD_BLOCK);
            speak(stranger.peer, said[i]);
            assert_ends(stranger.end, LWP_TLS_FAILED);
            (void)snprintf(expected, sizeof(expected), "first byte is 0x%02x", said[i].data[0]);
            assert_non_null(strstr(lwp_tls_reason(stranger.end), expected));
            assert_int_equal(write_some(stranger.end, lwp_bytes_text("x"), &count), LWP_TLS_FAILED);
            assert_false(lwp_tls_is_established(stranger.end));
            stranger_free(&stranger);
        }
}

static void garbage_never_gets_through(void **state)
{
    (void)state;
    uint8_t bytes[600];
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct stranger stranger = stranger_to(seed % 2);
        fill_random(bytes, sizeof(bytes), seed * 77);
        /* Like a record, and in every third like a message, too. */
        const uint8_t head[] = {22, 3, 1, 1, 0, seed % 4 < 2 ? 1 : 2, 0, 0, 0xfc, 3, 3};
        if (seed % 5)
            memcpy(bytes, head, seed % 3 ? 5 : sizeof(head));
        enum lwp_status status = go_on(stranger.end);
        assert_int_equal(status, LWP_WOULD_BLOCK);
        speak(stranger.peer, bytes_of(bytes, sizeof(bytes)));
        status = go_on(stranger.end);
        lwp_transport_close(stranger.peer, LWP_CLOSE_HALF);
        if (status == LWP_WOULD_BLOCK)
            status = go_on(stranger.end);
        assert_true(status == LWP_TLS_FAILED || status == LWP_RESET || status == LWP_CLOSED);
        assert_ends(stranger.end, status);
        stranger_free(&stranger);
    }
}

/* A peer that is right up to one byte: what the other side wrote, recorded and damaged. */
static void a_damaged_handshake_fails_and_never_hangs(void **state)
{
    (void)state;
    uint8_t hello[2048], damaged[sizeof(hello)];
    size_t size = 0;
    struct stranger client = stranger_to(false);
    assert_int_equal(go_on(client.end), LWP_WOULD_BLOCK);
    assert_int_equal(lwp_transport_read(client.peer, hello, sizeof(hello), &size), LWP_OK);
    stranger_free(&client);
    for (size_t at = 0; at < size; at++) {
        struct stranger server = stranger_to(true);
        memcpy(damaged, hello, size);
        damaged[at] ^= 0x80;
        speak(server.peer, bytes_of(damaged, size));
        const enum lwp_status status = go_on(server.end);
        assert_true(status == LWP_WOULD_BLOCK || status == LWP_TLS_FAILED);
        assert_int_equal(status == LWP_TLS_FAILED, lwp_tls_reason(server.end)[0] != '\0');
        lwp_transport_close(server.peer, LWP_CLOSE_HALF);
        assert_ends(server.end, status == LWP_TLS_FAILED ? status : LWP_RESET);
        stranger_free(&server);
    }
}

static void a_silent_peer_is_waited_for_and_costs_little(void **state)
{
    (void)state;
    for (int is_server = 0; is_server < 2; is_server++) {
        struct stranger stranger = stranger_to(is_server);
        const size_t before = memory.now;
        assert_int_equal(lwp_tls_events(stranger.end, POLLIN | POLLOUT),
                         is_server ? POLLIN : POLLOUT);
        for (int i = 0; i < 10; i++) {
            assert_int_equal(go_on(stranger.end), LWP_WOULD_BLOCK);
            assert_int_equal(lwp_tls_handshake(stranger.end), LWP_WOULD_BLOCK);
            assert_int_equal(lwp_tls_events(stranger.end, POLLIN | POLLOUT), POLLIN);
            assert_int_equal(lwp_tls_events(stranger.end, POLLOUT), POLLIN);
            assert_int_equal(lwp_tls_events(stranger.end, 0), 0);
            assert_false(lwp_tls_is_ready(stranger.end));
        }
        assert_true(memory.now < before + HANDSHAKE_MEMORY);
        lwp_transport_close(stranger.peer, LWP_CLOSE_HALF);
        assert_ends(stranger.end, LWP_RESET);
        assert_non_null(strstr(lwp_tls_reason(stranger.end), "inside the TLS handshake"));
        stranger_free(&stranger);
    }
}

static void a_huge_handshake_takes_no_memory(void **state)
{
    (void)state;
    /* A ClientHello of 16 MiB, and the largest that OpenSSL would take, never finished. */
    static const uint8_t lengths[][3] = {{0xff, 0xff, 0xff}, {2, 1, 0x44}, {0, 0x40, 0}};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        struct stranger server = stranger_to(true);
        const size_t before = memory.now;
        uint8_t record[5 + 4096] = {22, 3, 1, 0x10, 0, 1};
        memory.most = memory.now;
        memcpy(record + 6, lengths[i], 3);
        enum lwp_status status = LWP_WOULD_BLOCK;
        for (int round = 0; round < 5000 && status == LWP_WOULD_BLOCK; round++) {
            speak(server.peer, bytes_of(record, sizeof(record)));
            status = go_on(server.end);
            memset(record + 5, 0, 4);
        }
        assert_int_equal(status, LWP_TLS_FAILED);
        assert_true(memory.most < before + HANDSHAKE_MEMORY);
        stranger_free(&server);
    }
}

static void bytes_without_a_goodbye_are_a_reset(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++)
        for (int from = 0; from < 2; from++) {
            struct talk talk = agreed_on(both_versions[v]);
            say(talk.ends[from], "last words");
            lwp_transport_close(&talk.inner[from]->transport, LWP_CLOSE_FIN);
            assert_reads(talk.ends[1 - from], "last words");
            assert_ends(talk.ends[1 - from], LWP_RESET);
            assert_non_null(strstr(lwp_tls_reason(talk.ends[1 - from]), "close_notify"));
            hang_up(&talk);
        }
}

/* Lets only the first `size` bytes of what one side writes reach the other. */
static void a_stream_that_is_cut_anywhere_is_a_reset(void **state)
{
    (void)state;
    size_t whole = 1;
    for (size_t cut = 0; cut < whole; cut++) {
        struct talk talk = agreed_on(LWP_TLS_1_3);
        const size_t before = talk.inner[CLIENT]->moved;
        uint8_t bytes[256];
        size_t size = 0, count = 0;
        say(talk.ends[CLIENT], "hello");
        lwp_transport_close(talk.ends[CLIENT], LWP_CLOSE_HALF);
        whole = talk.inner[CLIENT]->moved - before;
        assert_in_range(whole, 1, sizeof(bytes));
        /* Out of the pipe, and a part of it back by a new one. */
        struct lwp_transport *pipe[2], **old = &talk.inner[SERVER]->inner;
        assert_int_equal(lwp_transport_read(*old, bytes, sizeof(bytes), &size), LWP_OK);
        assert_int_equal(size, whole);
        lwp_transport_free(*old);
        assert_int_equal(lwp_pipe_new(ROOM, pipe), LWP_OK);
        *old = pipe[1];
        if (cut)
            assert_int_equal(lwp_transport_write(pipe[0], bytes_of(bytes, cut), &count), LWP_OK);
        lwp_transport_close(pipe[0], LWP_CLOSE_HALF);
        enum lwp_status status = LWP_OK;
        for (int i = 0; status == LWP_OK && i < 3; i++)
            status = read_some(talk.ends[SERVER], bytes, sizeof(bytes), &count);
        assert_int_equal(status, LWP_RESET);
        lwp_transport_free(pipe[0]);
        hang_up(&talk);
    }
    assert_true(whole > 40);
}

static void closing_in_order_is_seen_in_order(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++)
        for (int from = 0; from < 2; from++) {
            struct talk talk = agreed_on(both_versions[v]);
            say(talk.ends[from], "last words");
            lwp_transport_close(talk.ends[from], LWP_CLOSE_FIN);
            assert_reads(talk.ends[1 - from], "last words");
            assert_ends(talk.ends[1 - from], LWP_CLOSED);
            assert_ends(talk.ends[from], LWP_CLOSED);
            assert_string_equal(lwp_tls_reason(talk.ends[1 - from]), "");
            size_t count = 0;
            assert_int_equal(write_some(talk.ends[from], lwp_bytes_text("x"), &count), LWP_RESET);
            assert_int_equal(write_some(talk.ends[1 - from], lwp_bytes_text("x"), &count),
                             LWP_RESET);
            hang_up(&talk);
        }
}

static void both_can_close_at_once(void **state)
{
    (void)state;
    struct talk talk = agreed_on(LWP_TLS_1_3);
    say(talk.ends[CLIENT], "last words");
    lwp_transport_close(talk.ends[SERVER], LWP_CLOSE_HALF);
    lwp_transport_close(talk.ends[CLIENT], LWP_CLOSE_FIN);
    assert_reads(talk.ends[SERVER], "last words");
    assert_ends(talk.ends[SERVER], LWP_CLOSED);
    hang_up(&talk);
}

static void one_direction_can_close_alone(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++)
        for (int from = 0; from < 2; from++) {
            struct talk talk = agreed_on(both_versions[v]);
            size_t count = 0;
            say(talk.ends[from], "a question");
            lwp_transport_close(talk.ends[from], LWP_CLOSE_HALF);
            lwp_transport_close(talk.ends[from], LWP_CLOSE_HALF);
            assert_int_equal(write_some(talk.ends[from], lwp_bytes_text("x"), &count), LWP_RESET);
            assert_reads(talk.ends[1 - from], "a question");
            assert_ends(talk.ends[1 - from], LWP_CLOSED);
            say(talk.ends[1 - from], "an answer");
            lwp_transport_close(talk.ends[1 - from], LWP_CLOSE_FIN);
            assert_reads(talk.ends[from], "an answer");
            assert_ends(talk.ends[from], LWP_CLOSED);
            hang_up(&talk);
        }
}

static void a_half_close_waits_for_the_handshake_and_for_room(void **state)
{
    (void)state;
    struct talk talk = talk_over(&plain_client, &plain_server, 1);
    lwp_transport_close(talk.ends[CLIENT], LWP_CLOSE_HALF);
    enum lwp_status status = LWP_WOULD_BLOCK;
    for (int round = 0; status == LWP_WOULD_BLOCK; round++) {
        assert_true(round < PATIENCE);
        status = go_on(talk.ends[SERVER]);
        assert_int_equal(go_on(talk.ends[CLIENT]), LWP_WOULD_BLOCK);
        if (status == LWP_WOULD_BLOCK && lwp_tls_is_established(talk.ends[CLIENT]) &&
            !tls_of_const(talk.ends[CLIENT])->halved)
            assert_int_equal(lwp_tls_events(talk.ends[CLIENT], POLLIN), POLLIN | POLLOUT);
    }
    assert_int_equal(status, LWP_CLOSED);
    assert_ends(talk.ends[SERVER], LWP_CLOSED);
    hang_up(&talk);
}

static void a_reset_passes(void **state)
{
    (void)state;
    for (int from = 0; from < 2; from++) {
        struct talk talk = agreed_on(LWP_TLS_1_3);
        say(talk.ends[from], "lost");
        lwp_transport_close(talk.ends[from], LWP_CLOSE_RST);
        assert_ends(talk.ends[1 - from], LWP_RESET);
        assert_ends(talk.ends[from], LWP_RESET);
        size_t count = 0;
        assert_int_equal(write_some(talk.ends[1 - from], lwp_bytes_text("x"), &count), LWP_RESET);
        hang_up(&talk);
    }
}

static void freeing_says_goodbye(void **state)
{
    (void)state;
    struct talk talk = agreed_on(LWP_TLS_1_3);
    say(talk.ends[CLIENT], "last words");
    lwp_transport_free(talk.ends[CLIENT]);
    talk.ends[CLIENT] = NULL;
    assert_reads(talk.ends[SERVER], "last words");
    assert_ends(talk.ends[SERVER], LWP_CLOSED);
    hang_up(&talk);
}

static void who_can_not_write_can_still_read(void **state)
{
    (void)state;
    struct talk talk = agreed_on(LWP_TLS_1_3);
    size_t count = 0;
    say(talk.ends[SERVER], "no");
    lwp_transport_close(talk.ends[SERVER], LWP_CLOSE_FIN);
    assert_int_equal(write_some(talk.ends[CLIENT], lwp_bytes_text("please"), &count), LWP_RESET);
    assert_reads(talk.ends[CLIENT], "no");
    assert_ends(talk.ends[CLIENT], LWP_CLOSED);
    hang_up(&talk);
}

static void faults_of_the_inner_transport_are_passed_on(void **state)
{
    (void)state;
    static const enum lwp_status faults[] = {LWP_IO, LWP_RESET};
    bool came_through = false;
    for (unsigned failing = 1; !came_through; failing++)
        for (size_t i = 0; i < COUNT_OF(faults); i++)
            for (int side = 0; side < 2; side++) {
                struct talk talk = talk_over(&known_client, &strict_server, 500);
                enum lwp_status results[2];
                talk.inner[side]->failing = failing;
                talk.inner[side]->fault = faults[i];
                settle(&talk, results);
                came_through = results[side] == LWP_WOULD_BLOCK;
                if (!came_through) {
                    assert_int_equal(results[side], faults[i]);
                    assert_int_equal(talk.ends[side]->error, EIO);
                    assert_string_not_equal(lwp_tls_reason(talk.ends[side]), "");
                }
                hang_up(&talk);
                assert_true(failing < 1000);
            }
}

static void a_shorter_write_than_the_one_that_blocked_is_refused(void **state)
{
    (void)state;
    struct talk talk = talk_over(&plain_client, &plain_server, 10);
    uint8_t bytes[20000];
    size_t count = 0;
    fill_random(bytes, sizeof(bytes), 3);
    shake_hands_well(&talk);
    assert_int_equal(write_some(talk.ends[CLIENT], bytes_of(bytes, 100), &count), LWP_WOULD_BLOCK);
    assert_int_equal(write_some(talk.ends[CLIENT], bytes_of(bytes, 99), &count),
                     LWP_INVALID_ARGUMENT);
    assert_int_equal(write_some(talk.ends[CLIENT], bytes_of(bytes, 100), &count), LWP_WOULD_BLOCK);
    struct flow flow = {bytes, sizeof(bytes), 0, 0};
    while (flow.received < flow.size) {
        send_more(talk.ends[CLIENT], &flow, sizeof(bytes));
        receive_more(talk.ends[SERVER], &flow, 1000);
    }
    hang_up(&talk);
}

static void what_came_together_is_ready_without_the_descriptor(void **state)
{
    (void)state;
    struct talk talk = agreed_on(LWP_TLS_1_3);
    uint8_t in[8];
    size_t count = 0;
    assert_false(lwp_tls_is_ready(talk.ends[SERVER]));
    say(talk.ends[CLIENT], "abc");
    say(talk.ends[CLIENT], "de");
    lwp_transport_close(talk.ends[CLIENT], LWP_CLOSE_HALF);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(read_some(talk.ends[SERVER], in, 1, &count), LWP_OK);
        assert_int_equal(in[0], "abcde"[i]);
        assert_true(lwp_tls_is_ready(talk.ends[SERVER]));
    }
    assert_ends(talk.ends[SERVER], LWP_CLOSED);
    hang_up(&talk);
    /* One read takes all, up to the end, which is then ready. */
    talk = agreed_on(LWP_TLS_1_3);
    say(talk.ends[CLIENT], "abc");
    say(talk.ends[CLIENT], "de");
    lwp_transport_close(talk.ends[CLIENT], LWP_CLOSE_HALF);
    assert_reads(talk.ends[SERVER], "abcde");
    assert_true(lwp_tls_is_ready(talk.ends[SERVER]));
    assert_ends(talk.ends[SERVER], LWP_CLOSED);
    hang_up(&talk);
}

static void the_beginning_of_a_record_is_not_ready(void **state)
{
    (void)state;
    struct talk talk = agreed_on(LWP_TLS_1_3);
    talk.inner[CLIENT]->piece = 10;
    talk.inner[CLIENT]->period = 2;
    size_t count = 0;
    enum lwp_status status = LWP_WOULD_BLOCK;
    for (int i = 0; i < 20 && status == LWP_WOULD_BLOCK; i++) {
        status = write_some(talk.ends[CLIENT], lwp_bytes_text("in pieces"), &count);
        if (status == LWP_WOULD_BLOCK)
            assert_int_equal(go_on(talk.ends[SERVER]), LWP_WOULD_BLOCK);
        assert_false(lwp_tls_is_ready(talk.ends[SERVER]));
    }
    assert_int_equal(status, LWP_OK);
    assert_reads(talk.ends[SERVER], "in pieces");
    hang_up(&talk);
}

static SSL *ssl_of(const struct talk *talk, int side)
{
    return tls_of_const(talk->ends[side])->ssl;
}

static void nothing_is_resumed(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct talk first = agreed_on(both_versions[v]);
        say(first.ends[SERVER], "so that a ticket would have come");
        assert_reads(first.ends[CLIENT], "so that a ticket would have come");
        SSL_SESSION *session = SSL_get1_session(ssl_of(&first, CLIENT));
        const struct side client = with_version(plain_client, both_versions[v]);
        struct talk second = talk_over(&client, &plain_server, ROOM);
        (void)SSL_set_session(ssl_of(&second, CLIENT), session);
        ERR_clear_error();
        shake_hands_well(&second);
        for (int i = 0; i < 2; i++)
            assert_int_equal(SSL_session_reused(ssl_of(&second, i)), 0);
        SSL_SESSION_free(session);
        hang_up(&first);
        hang_up(&second);
    }
}

static void who_negotiates_anew_gets_nowhere(void **state)
{
    (void)state;
    for (int from = 0; from < 2; from++) {
        struct talk talk = agreed_on(LWP_TLS_1_2);
        SSL *ssl = ssl_of(&talk, from);
        (void)SSL_clear_options(ssl, SSL_OP_NO_RENEGOTIATION);
        assert_int_equal(SSL_renegotiate(ssl), 1);
        (void)SSL_do_handshake(ssl);
        ERR_clear_error();
        assert_int_equal(go_on(talk.ends[1 - from]), LWP_WOULD_BLOCK);
        assert_true(SSL_is_init_finished(ssl_of(&talk, 1 - from)));
        assert_ends(talk.ends[from], LWP_TLS_FAILED);
        assert_non_null(strstr(lwp_tls_reason(talk.ends[from]), "renegotiation"));
        hang_up(&talk);
    }
}

static void new_keys_are_taken_and_answered(void **state)
{
    (void)state;
    struct talk talk = agreed_on(LWP_TLS_1_3);
    assert_int_equal(SSL_key_update(ssl_of(&talk, CLIENT), SSL_KEY_UPDATE_REQUESTED), 1);
    say(talk.ends[CLIENT], "with new keys");
    assert_reads(talk.ends[SERVER], "with new keys");
    say(talk.ends[SERVER], "with new keys, too");
    assert_reads(talk.ends[CLIENT], "with new keys, too");
    hang_up(&talk);
}

static void who_sends_nothing_but_new_keys_holds_nobody_up(void **state)
{
    (void)state;
    struct talk talk = agreed_on(LWP_TLS_1_3);
    enum { UPDATES = 1000 };
    const size_t before = memory.now;
    for (int i = 0; i < UPDATES; i++) {
        assert_int_equal(SSL_key_update(ssl_of(&talk, CLIENT), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        (void)SSL_do_handshake(ssl_of(&talk, CLIENT));
        ERR_clear_error();
        assert_int_equal(go_on(talk.ends[SERVER]), LWP_WOULD_BLOCK);
    }
    assert_true(memory.now < before + 2 * (size_t)OPEN_MEMORY);
    say(talk.ends[CLIENT], "at last");
    assert_reads(talk.ends[SERVER], "at last");
    hang_up(&talk);
}

static void one_read_looks_at_so_much_that_is_no_data(void **state)
{
    (void)state;
    struct talk talk = agreed_on(LWP_TLS_1_3);
    enum { UPDATES = 600 };
    for (int i = 0; i < UPDATES; i++) {
        assert_int_equal(SSL_key_update(ssl_of(&talk, CLIENT), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        (void)SSL_do_handshake(ssl_of(&talk, CLIENT));
    }
    ERR_clear_error();
    talk.inner[SERVER]->piece = 1000;
    assert_int_equal(go_on(talk.ends[SERVER]), LWP_WOULD_BLOCK);
    assert_int_equal(tls_of_const(talk.ends[SERVER])->came, LWP_OK);
    for (int round = 0; tls_of_const(talk.ends[SERVER])->came == LWP_OK; round++) {
        assert_true(round < 10);
        assert_int_equal(go_on(talk.ends[SERVER]), LWP_WOULD_BLOCK);
    }
    hang_up(&talk);
}

static void errors_of_others_are_not_taken_for_ours(void **state)
{
    (void)state;
    struct talk talk = talk_over(&plain_client, &plain_server, ROOM);
    for (int round = 0; round < 10; round++)
        for (int i = 0; i < 2; i++) {
            ERR_raise(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED);
            assert_int_equal(go_on(talk.ends[i]), LWP_WOULD_BLOCK);
        }
    shake_hands_well(&talk);
    hang_up(&talk);
}

/* Gives the certificate a name more, as it is. */
static void add_name(X509 *certificate, struct lwp_bytes name)
{
    assert_int_equal(X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                                V_ASN1_UTF8STRING, name.data, (int)name.size, -1,
                                                0),
                     1);
}

/* What a client that takes any certificate learns from one with these names. */
static void check_names(const struct lwp_bytes *names, size_t count, const char *expected)
{
    const struct side client = {.insecure = true};
    struct lwp_tls_context *context = make_context(&plain_server, true);
    X509 *certificate = X509_new();
    struct lwp_transport *pipe[2], *ends[2];
    char learned[LWP_TLS_NAME_SIZE];
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 1000);
    for (size_t i = 0; i < count; i++)
        add_name(certificate, names[i]);
    EVP_PKEY *key = SSL_CTX_get0_privatekey(context->ssl);
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    assert_int_equal(SSL_CTX_use_certificate(context->ssl, certificate), 1);
    X509_free(certificate);
    assert_int_equal(lwp_pipe_new(ROOM, pipe), LWP_OK);
    assert_int_equal(lwp_tls_wrap(context_of(&client, false), pipe[0], NULL, &ends[0]), LWP_OK);
    assert_int_equal(lwp_tls_wrap(context, pipe[1], NULL, &ends[1]), LWP_OK);
    for (int round = 0; round < 4; round++)
        assert_int_equal(go_on(ends[round % 2]), LWP_WOULD_BLOCK);
    assert_true(lwp_tls_is_established(ends[0]));
    assert_int_equal(lwp_tls_peer_name(ends[0], learned), expected[0] != '\0');
    assert_string_equal(learned, expected);
    assert_no_errors_left();
    lwp_transport_free(ends[0]);
    lwp_transport_free(ends[1]);
    lwp_tls_context_free(context);
}

static void a_name_that_can_mislead_is_none(void **state)
{
    (void)state;
    uint8_t text[LWP_TLS_NAME_SIZE];
    memset(text, 'x', sizeof(text));
    const struct lwp_bytes good = lwp_bytes_text("caf\xc3\xa9"), cut = bytes_of("client\0x", 8),
                           large = bytes_of(text, sizeof(text)), two[] = {good, good};
    check_names(&good, 1, "caf\xc3\xa9");
    check_names(&cut, 1, "");
    check_names(&large, 1, "");
    check_names(two, 2, "");
    check_names(NULL, 0, "");
}

static void a_connection_holds_little_and_less_when_idle(void **state)
{
    (void)state;
    struct talk talk = talk_over(&known_client, &strict_server, ROOM);
    const size_t before = memory.now;
    memory.most = memory.now;
    shake_hands_well(&talk);
    /* Of both ends together. */
    assert_true(memory.most < before + 2 * (size_t)HANDSHAKE_MEMORY);
    const size_t idle = memory.now;
    assert_true(idle < before + 2 * (size_t)IDLE_MEMORY);
    memory.most = memory.now;
    transfer_both_ways(&talk, LARGE, LARGE);
    assert_true(memory.most < idle + 2 * (size_t)OPEN_MEMORY);
    for (int i = 0; i < 2; i++)
        assert_int_equal(go_on(talk.ends[i]), LWP_WOULD_BLOCK);
    assert_true(memory.now < idle + 2000);
    hang_up(&talk);
}

static void without_memory_it_fails_and_leaks_nothing(void **state)
{
    (void)state;
    struct talk warm = agreed(&known_client, &strict_server);
    hang_up(&warm);
    bool came_through = false;
    for (unsigned long failing = 1; !came_through; failing += 1 + failing / 20) {
        struct talk talk = talk_over(&known_client, &strict_server, ROOM);
        enum lwp_status results[2];
        memory.calls = 0;
        memory.failing = failing;
        settle(&talk, results);
        came_through = memory.calls < failing;
        memory.failing = 0;
        /* Some of what fails OpenSSL can do without. What matters is that nobody waits in vain. */
        const bool both =
            lwp_tls_is_established(talk.ends[CLIENT]) && lwp_tls_is_established(talk.ends[SERVER]);
        assert_true(both || results[CLIENT] != LWP_WOULD_BLOCK);
        assert_true(both || results[SERVER] != LWP_WOULD_BLOCK);
        assert_true(both || !came_through);
        hang_up(&talk);
    }
}

/* Options that no context can be made of. */
struct bad_options {
    bool is_server;
    struct lwp_tls_options options;
    enum lwp_status status;
    const char *reason;
};

static void check_options(const struct bad_options *bad)
{
    struct lwp_tls_context *context = NULL;
    char reason[LWP_TLS_REASON_SIZE] = "";
    const enum lwp_status status = bad->is_server
                                       ? lwp_tls_server_new(&bad->options, &context, reason)
                                       : lwp_tls_client_new(&bad->options, &context, reason);
    if (status != bad->status || !strstr(reason, bad->reason))
        fail_msg("not %s (%s): %s (%s)", lwp_status_name(bad->status), bad->reason,
                 lwp_status_name(status), reason);
    assert_null(context);
    assert_no_errors_left();
}

static void copy_path(char *path, const char *file)
{
    (void)snprintf(path, FOLDER_PATH_SIZE, "%s", folder_path(folder, file));
}

static void a_context_says_what_is_wrong_with_its_options(void **state)
{
    (void)state;
    static char server[FOLDER_PATH_SIZE], key[FOLDER_PATH_SIZE], other[FOLDER_PATH_SIZE],
        missing[FOLDER_PATH_SIZE], empty[FOLDER_PATH_SIZE];
    copy_path(server, "server.pem");
    copy_path(key, "server.key");
    copy_path(other, "client.key");
    copy_path(missing, "missing");
    copy_path(empty, "empty");
    fclose(fopen(empty, "w"));
    const struct bad_options cases[] = {
        {true, {0}, LWP_INVALID_ARGUMENT, "needs a certificate"},
        {true, {.certificate_file = missing}, LWP_IO, "missing: No such file"},
        {true, {.certificate_file = server, .key_file = missing}, LWP_IO, "missing: No such file"},
        {true, {.certificate_file = empty, .key_file = key}, LWP_INVALID_ARGUMENT, "empty: "},
        {true, {.certificate_file = server}, LWP_INVALID_ARGUMENT, "server.pem: "},
        {true,
         {.certificate_file = server, .key_file = other},
         LWP_INVALID_ARGUMENT,
         "client.key: key values mismatch"},
        {true, {.certificate_file = folder, .key_file = key}, LWP_INVALID_ARGUMENT, folder},
        {true,
         {.certificate_file = server, .key_file = key, .ca_file = missing},
         LWP_IO,
         "missing: No such file"},
        {true,
         {.certificate_file = server, .key_file = key, .ca_file = empty},
         LWP_INVALID_ARGUMENT,
         "empty: "},
        {true,
         {.certificate_file = server, .key_file = key, .certificate_required = true},
         LWP_INVALID_ARGUMENT,
         "an authority"},
        {true,
         {.certificate_file = server, .key_file = key, .insecure = true},
         LWP_INVALID_ARGUMENT,
         "only a client"},
        {false, {.certificate_required = true}, LWP_INVALID_ARGUMENT, "only a server"},
        {false, {.ca_file = missing}, LWP_IO, "missing: No such file"},
        {false, {.ca_file = key}, LWP_INVALID_ARGUMENT, "server.key: "},
        {false, {.key_file = key}, LWP_INVALID_ARGUMENT, "no certificate"},
        {false, {.least = LWP_TLS_1_3, .most = LWP_TLS_1_2}, LWP_INVALID_ARGUMENT, "version"},
        {false, {.cipher_list = "no-such"}, LWP_INVALID_ARGUMENT, "the cipher list: "},
        {false, {.cipher_suites = "no-such"}, LWP_INVALID_ARGUMENT, "the cipher suites: "},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check_options(&cases[i]);
    lwp_tls_context_free(NULL);
    assert_int_equal(unlink(empty), 0);
}

static void a_client_must_know_whom_it_wants(void **state)
{
    (void)state;
    char long_name[400];
    memset(long_name, 'x', sizeof(long_name));
    long_name[sizeof(long_name) - 1] = '\0';
    const char *const hosts[] = {NULL, "", long_name};
    struct lwp_tls_context *context = context_of(&plain_client, false);
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        struct lwp_transport *pipe[2], *wrapped = NULL;
        size_t count = 0;
        assert_int_equal(lwp_pipe_new(ROOM, pipe), LWP_OK);
        assert_int_equal(lwp_tls_wrap(context, pipe[0], hosts[i], &wrapped), LWP_INVALID_ARGUMENT);
        assert_null(wrapped);
        assert_no_errors_left();
        assert_int_equal(lwp_transport_write(pipe[1], lwp_bytes_text("x"), &count), LWP_RESET);
        lwp_transport_free(pipe[1]);
    }
}

static void links_deliver_all_before_they_close(void **state)
{
    (void)state;
    struct talk talk = talk_over(&plain_client, &plain_server, 1000);
    const struct lwp_session_options options = {.role = LWP_CLIENT, .dialect = &lwp_dialect_lance};
    static uint8_t bytes[300000], in[sizeof(bytes)];
    struct lwp_link link;
    size_t size = 0, count = 0;
    enum lwp_status status = LWP_WOULD_BLOCK;
    lwp_link_init(&link, &options, talk.ends[CLIENT], sizeof(bytes), 0);
    fill_random(bytes, sizeof(bytes), 9);
    assert_int_equal(lwp_link_push(&link, bytes_of(bytes, sizeof(bytes)), 0), LWP_OK);
    lwp_link_close(&link, LWP_CLOSE_FIN);
    for (int round = 0; status == LWP_OK || status == LWP_WOULD_BLOCK; round++) {
        assert_true(round < PATIENCE);
        (void)lwp_link_write(&link);
        status = read_some(talk.ends[SERVER], in + size, sizeof(in) - size + 1, &count);
        size += status == LWP_OK ? count : 0;
    }
    assert_int_equal(status, LWP_CLOSED);
    assert_bytes_equal(bytes_of(in, size), bytes_of(bytes, sizeof(bytes)));
    talk.ends[CLIENT] = NULL;
    lwp_link_done(&link);
    hang_up(&talk);
}

/* Over TCP, where only the descriptors tell. */

static int listen_somewhere(struct lwp_address *address)
{
    char bound[LWP_ADDRESS_SIZE];
    int fd = -1;
    assert_int_equal(lwp_address_parse("127.0.0.1:0", address), LWP_OK);
    assert_int_equal(lwp_tcp_listen(address, &fd, bound), LWP_OK);
    assert_int_equal(lwp_address_parse(bound, address), LWP_OK);
    return fd;
}

static struct lwp_transport *accept_one(int listener)
{
    struct pollfd ready = {.fd = listener, .events = POLLIN};
    struct lwp_transport *transport = NULL;
    assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
    assert_int_equal(lwp_tcp_accept(listener, &transport), LWP_OK);
    return transport;
}

static struct lwp_transport *connect_to(const struct lwp_address *address)
{
    struct lwp_transport *transport = NULL;
    int error = 0;
    assert_int_equal(lwp_tcp_connect(address, lwp_clock_now() + PATIENCE_MS * LWP_MILLISECOND_NS,
                                     &transport, &error),
                     LWP_OK);
    return transport;
}

static void wait_for(struct lwp_transport *transport, short events)
{
    struct pollfd ready = {.fd = lwp_transport_fd(transport),
                           .events = lwp_tls_events(transport, events)};
    if (events & POLLIN && lwp_tls_is_ready(transport))
        return;
    assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
}

/* What each end still has to do, as poll() takes it without TLS. */
static short work_left(const struct flow *out, const struct flow *in)
{
    const int reads = in->received < in->size ? POLLIN : 0;
    const int writes = out->sent < out->size ? POLLOUT : 0;
    return (short)(reads | writes);
}

/* Waits until one of the ends may go on: `able` tells which. */
static void wait_for_both(struct lwp_transport *ends[2], const short work[2], bool able[2])
{
    struct pollfd fds[2];
    int timeout_ms = PATIENCE_MS;
    for (int i = 0; i < 2; i++) {
        fds[i] = (struct pollfd){.fd = lwp_transport_fd(ends[i]),
                                 .events = lwp_tls_events(ends[i], work[i])};
        able[i] = work[i] & POLLIN && lwp_tls_is_ready(ends[i]);
        timeout_ms = able[i] ? 0 : timeout_ms;
    }
    const int count = poll(fds, 2, timeout_ms);
    assert_true(count > 0 || timeout_ms == 0);
    for (int i = 0; i < 2; i++)
        able[i] |= fds[i].revents != 0;
}

/* Both ends in one loop that acts on nothing but what poll() says; returns how often it went
 * round. */
static int transfer_by_poll(struct lwp_transport *ends[2], size_t size)
{
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    fill_random(bytes, size, 7);
    struct flow flows[2] = {{bytes, size, 0, 0}, {bytes, size, 0, 0}};
    int rounds = 0;
    for (;; rounds++) {
        const short work[2] = {work_left(&flows[0], &flows[1]), work_left(&flows[1], &flows[0])};
        bool able[2];
        if (work[0] == 0 && work[1] == 0)
            break;
        wait_for_both(ends, work, able);
        for (int i = 0; i < 2; i++) {
            if (able[i] && work[i] & POLLIN)
                receive_more(ends[i], &flows[1 - i], 5000);
            if (able[i])
                send_more(ends[i], &flows[i], 100000);
        }
    }
    free(bytes);
    return rounds;
}

static void a_poll_loop_neither_hangs_nor_spins(void **state)
{
    (void)state;
    struct lwp_address address;
    const int listener = listen_somewhere(&address);
    for (size_t v = 0; v < 2; v++) {
        const struct side client = with_version(known_client, both_versions[v]);
        struct lwp_transport *pipe[2];
        pipe[CLIENT] = connect_to(&address);
        pipe[SERVER] = accept_one(listener);
        struct talk talk = talk_on(&client, &strict_server, pipe);
        assert_in_range(transfer_by_poll(talk.ends, LARGE), 1, 2 * LARGE / 1000);
        lwp_transport_close(talk.ends[CLIENT], LWP_CLOSE_FIN);
        assert_int_equal(lwp_transport_fd(talk.ends[CLIENT]), -1);
        wait_for(talk.ends[SERVER], POLLIN);
        assert_ends(talk.ends[SERVER], LWP_CLOSED);
        hang_up(&talk);
    }
    close(listener);
}

static void refusals_arrive_over_sockets(void **state)
{
    (void)state;
    struct lwp_address address;
    const int listener = listen_somewhere(&address);
    struct lwp_transport *pipe[2];
    pipe[CLIENT] = connect_to(&address);
    pipe[SERVER] = accept_one(listener);
    struct talk talk = talk_on(&plain_client, &strict_server, pipe);
    enum lwp_status results[2] = {LWP_WOULD_BLOCK, LWP_WOULD_BLOCK};
    size_t count = 0;
    while (results[CLIENT] == LWP_WOULD_BLOCK) {
        struct pollfd fds[2];
        for (int i = 0; i < 2; i++)
            fds[i] = (struct pollfd){.fd = lwp_transport_fd(talk.ends[i]),
                                     .events = lwp_tls_events(talk.ends[i], POLLIN)};
        assert_true(poll(fds, 2, PATIENCE_MS) > 0);
        (void)write_some(talk.ends[CLIENT], lwp_bytes_text("too early"), &count);
        for (int i = 0; i < 2; i++)
            if (results[i] == LWP_WOULD_BLOCK)
                results[i] = go_on(talk.ends[i]);
        if (results[SERVER] != LWP_WOULD_BLOCK)
            lwp_transport_close(talk.ends[SERVER], LWP_CLOSE_FIN);
    }
    assert_int_equal(results[SERVER], LWP_CERTIFICATE_REFUSED);
    assert_int_equal(results[CLIENT], LWP_CERTIFICATE_REFUSED);
    hang_up(&talk);
    close(listener);
}

/* The openssl program, with its input and output as descriptors. */
struct program {
    pid_t pid;
    int in;  /* What we write, it reads. */
    int out; /* What it writes, we read. */
};

static struct program run_openssl(const char *const *words)
{
    int in[2], out[2];
    char *argv[24] = {NULL};
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        argv[0] = strdup("openssl");
        for (size_t i = 0; words[i]; i++)
            argv[i + 1] = strdup(words[i]);
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[1]);
        close(out[0]);
        execvp(argv[0], argv);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    return (struct program){pid, in[1], out[0]};
}

static void program_ends(struct program *program)
{
    int status = 0;
    close(program->in);
    close(program->out);
    assert_int_equal(waitpid(program->pid, &status, 0), program->pid);
}

/* Reads a line of the program's; false at its end. */
static bool read_line(const struct program *program, char *line, size_t size)
{
    size_t at = 0;
    while (at + 1 < size && read(program->out, line + at, 1) == 1 && line[at] != '\n')
        at++;
    const bool is_line = line[at] == '\n';
    line[at] = '\0';
    return is_line;
}

static void assert_reads_in_time(struct lwp_transport *transport, const char *text)
{
    uint8_t in[64];
    size_t size = 0, count = 0;
    while (size < strlen(text)) {
        const enum lwp_status status = read_some(transport, in + size, strlen(text) - size, &count);
        size += status == LWP_OK ? count : 0;
        if (status == LWP_WOULD_BLOCK)
            wait_for(transport, POLLIN);
        else
            assert_int_equal(status, LWP_OK);
    }
    assert_memory_equal(in, text, size);
}

static void openssl_s_client_talks_to_us(void **state)
{
    (void)state;
    struct lwp_address address;
    char place[LWP_ADDRESS_SIZE], line[64] = "";
    const int listener = listen_somewhere(&address);
    (void)snprintf(place, sizeof(place), "%s:%s", address.host, address.port);
    const char *const words[] = {"s_client",
                                 "-quiet",
                                 "-connect",
                                 place,
                                 "-CAfile",
                                 folder_path(folder, "ca.pem"),
                                 "-cert",
                                 folder_path(folder, "client.pem"),
                                 "-key",
                                 folder_path(folder, "client.key"),
                                 "-attime",
                                 "1700000000",
                                 "-verify_hostname",
                                 "localhost",
                                 "-verify_return_error",
                                 NULL};
    struct program program = run_openssl(words);
    struct lwp_tls_context *context = context_of(&strict_server, true);
    struct lwp_transport *transport = NULL;
    assert_int_equal(lwp_tls_wrap(context, accept_one(listener), NULL, &transport), LWP_OK);
    assert_int_equal(write(program.in, "ping\n", 5), 5);
    assert_reads_in_time(transport, "ping\n");
    say(transport, "pong\n");
    lwp_transport_close(transport, LWP_CLOSE_FIN);
    assert_true(read_line(&program, line, sizeof(line)));
    assert_string_equal(line, "pong");
    program_ends(&program);
    lwp_transport_free(transport);
    close(listener);
}

static void we_talk_to_openssl_s_server(void **state)
{
    (void)state;
    struct lwp_address address;
    char line[512] = "";
    const char *const words[] = {"s_server",
                                 "-accept",
                                 "127.0.0.1:0",
                                 "-naccept",
                                 "1",
                                 "-rev",
                                 "-cert",
                                 folder_path(folder, "server.pem"),
                                 "-key",
                                 folder_path(folder, "server.key"),
                                 "-CAfile",
                                 folder_path(folder, "ca.pem"),
                                 "-Verify",
                                 "2",
                                 "-attime",
                                 "1700000000",
                                 "-verify_return_error",
                                 NULL};
    struct program program = run_openssl(words);
    while (strncmp(line, "ACCEPT ", 7) != 0)
        assert_true(read_line(&program, line, sizeof(line)));
    assert_int_equal(lwp_address_parse(line + 7, &address), LWP_OK);
    struct lwp_tls_context *context = context_of(&known_client, false);
    struct lwp_transport *transport = NULL;
    size_t count = 0;
    assert_int_equal(lwp_tls_wrap(context, connect_to(&address), "localhost", &transport), LWP_OK);
    while (write_some(transport, lwp_bytes_text("desserts\n"), &count) == LWP_WOULD_BLOCK)
        wait_for(transport, POLLIN | POLLOUT);
    assert_reads_in_time(transport, "stressed\n");
    assert_string_equal(lwp_tls_version(transport), "TLSv1.3");
    lwp_transport_free(transport);
    program_ends(&program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_are_shaken_one_byte_at_a_time),
        cmocka_unit_test(hands_are_shaken_by_writing_alone),
        cmocka_unit_test(much_goes_both_ways_at_once),
        cmocka_unit_test(every_place_can_block),
        cmocka_unit_test(right_servers_are_accepted),
        cmocka_unit_test(wrong_servers_are_refused_with_a_reason),
        cmocka_unit_test(a_name_is_sent_and_an_address_is_not),
        cmocka_unit_test(wrong_clients_are_refused_with_a_reason),
        cmocka_unit_test(servers_learn_who_their_client_is),
        cmocka_unit_test(those_who_share_nothing_do_not_come_to_terms),
        cmocka_unit_test(the_ciphers_are_those_that_were_asked_for),
        cmocka_unit_test(peers_that_do_not_speak_tls_are_recognised_by_their_first_byte),
        cmocka_unit_test(garbage_never_gets_through),
        cmocka_unit_test(a_damaged_handshake_fails_and_never_hangs),
        cmocka_unit_test(a_silent_peer_is_waited_for_and_costs_little),
        cmocka_unit_test(a_huge_handshake_takes_no_memory),
        cmocka_unit_test(bytes_without_a_goodbye_are_a_reset),
        cmocka_unit_test(a_stream_that_is_cut_anywhere_is_a_reset),
        cmocka_unit_test(closing_in_order_is_seen_in_order),
        cmocka_unit_test(both_can_close_at_once),
        cmocka_unit_test(one_direction_can_close_alone),
        cmocka_unit_test(a_half_close_waits_for_the_handshake_and_for_room),
        cmocka_unit_test(a_reset_passes),
        cmocka_unit_test(freeing_says_goodbye),
        cmocka_unit_test(who_can_not_write_can_still_read),
        cmocka_unit_test(faults_of_the_inner_transport_are_passed_on),
        cmocka_unit_test(a_shorter_write_than_the_one_that_blocked_is_refused),
        cmocka_unit_test(what_came_together_is_ready_without_the_descriptor),
        cmocka_unit_test(the_beginning_of_a_record_is_not_ready),
        cmocka_unit_test(nothing_is_resumed),
        cmocka_unit_test(who_negotiates_anew_gets_nowhere),
        cmocka_unit_test(new_keys_are_taken_and_answered),
        cmocka_unit_test(who_sends_nothing_but_new_keys_holds_nobody_up),
        cmocka_unit_test(one_read_looks_at_so_much_that_is_no_data),
        cmocka_unit_test(errors_of_others_are_not_taken_for_ours),
        cmocka_unit_test(a_name_that_can_mislead_is_none),
        cmocka_unit_test(a_connection_holds_little_and_less_when_idle),
        cmocka_unit_test(without_memory_it_fails_and_leaks_nothing),
        cmocka_unit_test(a_context_says_what_is_wrong_with_its_options),
        cmocka_unit_test(a_client_must_know_whom_it_wants),
        cmocka_unit_test(links_deliver_all_before_they_close),
        cmocka_unit_test(a_poll_loop_neither_hangs_nor_spins),
        cmocka_unit_test(refusals_arrive_over_sockets),
        cmocka_unit_test(openssl_s_client_talks_to_us),
        cmocka_unit_test(we_talk_to_openssl_s_server),
    };
    if (CRYPTO_set_mem_functions(take_memory, resize_memory, give_memory) != 1)
        return EXIT_FAILURE;
    return cmocka_run_group_tests(tests, make_certificates, clean_up);
}
