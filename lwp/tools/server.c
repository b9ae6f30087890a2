/* SPDX-License-Identifier: MIT */
#include "lwp/tools/server.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "lwp/json/members.h"
#include "lwp/net/clock.h"
#include "lwp/tools/input.h"
#include "lwp/tools/text.h"

static const char *take_dialect(void *into, const char *value)
{
    ((struct server *)into)->connect.dialect = lwp_dialect_named(value);
    return ((struct server *)into)->connect.dialect ? NULL : "no such dialect";
}

static const char *keep_token(struct server *server, struct lwp_bytes token)
{
    if (token.size == 0)
        return "the token is empty";
    if (token.size >= sizeof(server->token) || memchr(token.data, 0, token.size))
        return "a token has at most 4095 bytes, and no zero";
    memcpy(server->token, token.data, token.size);
    server->token[token.size] = 0;
    return NULL;
}

static const char *take_token(void *into, const char *value)
{
    return keep_token(into, lwp_bytes_text(value));
}

/* The first line: editors end it. */
static const char *take_token_file(void *into, const char *value)
{
    struct lwp_input input = {{NULL, 0}, NULL, false};
    const char *problem = lwp_input_open(value, &input);
    if (problem)
        return problem;
    struct lwp_bytes line = input.bytes;
    const uint8_t *end = line.size ? memchr(line.data, '\n', line.size) : NULL;
    line.size = end ? (size_t)(end - line.data) : line.size;
    problem = keep_token(into, line);
    lwp_input_close(&input);
    return problem;
}

static const char *take_ca(void *into, const char *value)
{
    ((struct server *)into)->tls.ca_file = value;
    return NULL;
}

static const char *take_cert(void *into, const char *value)
{
    ((struct server *)into)->tls.certificate_file = value;
    return NULL;
}

static const char *take_key(void *into, const char *value)
{
    ((struct server *)into)->tls.key_file = value;
    return NULL;
}

static const char *take_timeout(void *into, const char *value)
{
    struct server *server = into;
    uint64_t timeout_ns = 0;
    if (!lwp_read_duration(value, 3600 * LWP_SECOND_NS, &timeout_ns) ||
        timeout_ns < LWP_MILLISECOND_NS)
        return "a time-out is from 1ms to 1h";
    server->connect.connect_timeout_ms = (unsigned)(timeout_ns / LWP_MILLISECOND_NS);
    server->connect.request_timeout_ms = server->connect.connect_timeout_ms;
    return NULL;
}

const struct lwp_option server_options[] = {
    {"dialect", "D", "which of the wires: lance, spec or lance-py   [lance]", take_dialect},
    {"token", "TOKEN", "show this token; others on this machine can read it", take_token},
    {"token-file", "FILE", "show the token in the first line of this file", take_token_file},
    {"ca", "FILE", "trust this authority, with lwps://    [the system's]", take_ca},
    {"cert", "FILE", "our certificate, with lwps://", take_cert},
    {"key", "FILE", "its key                               [in the same file]", take_key},
    {"timeout", "T", "for connecting and for each request   [10s and 30s]", take_timeout},
    {NULL, NULL, NULL, NULL},
};

struct server server_defaults(void)
{
    struct server server = {.connect = lwp_connect_defaults(NULL)};
    server.connect.caller_driven = true;
    return server;
}

/* Takes the scheme off the front; false if there is another one. */
static bool take_scheme(const char **address, bool *secure)
{
    static const char plain_scheme[] = "lwp://";
    static const char secure_scheme[] = "lwps://";
    *secure = strncmp(*address, secure_scheme, sizeof(secure_scheme) - 1) == 0;
    if (*secure)
        *address += sizeof(secure_scheme) - 1;
    else if (strncmp(*address, plain_scheme, sizeof(plain_scheme) - 1) == 0)
        *address += sizeof(plain_scheme) - 1;
    return !strstr(*address, "://");
}

static int prepare_tls(const struct lwp_program *program, struct server *server)
{
    char reason[LWP_TLS_REASON_SIZE];
    const enum lwp_status status = lwp_tls_client_new(&server->tls, &server->context, reason);
    if (status != LWP_OK) {
        (void)fprintf(stderr, "%s: %s\n", program->name, reason);
        return EXIT_OUT_OF_REACH;
    }
    server->security = lwp_security_of(server->context);
    server->connect.security = &server->security;
    return -1;
}

int server_prepare(const struct lwp_program *program, struct server *server, const char *address)
{
    bool secure = false;
    struct lwp_address parsed;
    const struct lwp_tls_options *tls = &server->tls;
    const char *given = address;
    if (!take_scheme(&address, &secure) || lwp_address_parse(address, &parsed) != LWP_OK)
        return lwp_options_problem(program, "no such address", given);
    if (!secure && (tls->ca_file || tls->certificate_file || tls->key_file))
        return lwp_options_problem(program, "--ca, --cert and --key need lwps://", given);
    server->address = address;
    server->connect.address = address;
    server->connect.token = server->token[0] ? server->token : NULL;
    return secure ? prepare_tls(program, server) : -1;
}

int server_read(const struct lwp_program *program, int argc, char **argv, void *arguments,
                int count)
{
    int rest = 0;
    const int ended = lwp_options_read(program, argc, argv, arguments, &rest);
    if (ended >= 0)
        return ended;
    if (argc - rest < count)
        return lwp_options_problem(program, "a word is missing behind the options", NULL);
    if (argc - rest > count)
        return lwp_options_problem(program, "there is a word too many", argv[rest + count]);
    return server_prepare(program, arguments, argv[rest]);
}

void server_done(struct server *server)
{
    lwp_tls_context_free(server->context);
    server->context = NULL;
}

static void say_why(const struct lwp_program *program, const struct server *server,
                    const struct lwp_details *why)
{
    (void)fprintf(stderr, "%s: %s: %s", program->name, server->address,
                  lwp_status_text(why->status));
    if (why->text[0]) {
        (void)fputs(": ", stderr);
        text_print(stderr, lwp_bytes_text(why->text));
    }
    if (why->leader[0]) {
        (void)fputs("; the leader is ", stderr);
        text_print(stderr, lwp_bytes_text(why->leader));
    }
    (void)fputc('\n', stderr);
}

int server_failed(const struct lwp_program *program, const struct server *server,
                  const struct lwp_details *why)
{
    say_why(program, server, why);
    return EXIT_FAULT;
}

int server_unreached(const struct lwp_program *program, const struct server *server,
                     const struct lwp_details *why)
{
    const enum lwp_status status = why->status;
    say_why(program, server, why);
    return status == LWP_AUTH_REQUIRED || status == LWP_AUTH_FAILED || status == LWP_ACCESS_DENIED
               ? EXIT_FAULT
               : EXIT_OUT_OF_REACH;
}

int server_connect(const struct lwp_program *program, const struct server *server,
                   struct lwp_client **client)
{
    struct lwp_details why;
    if (lwp_client_connect(&server->connect, client, &why) == LWP_OK)
        return -1;
    return server_unreached(program, server, &why);
}

int server_refused(const struct lwp_program *program, const struct server *server,
                   struct lwp_client *client)
{
    struct lwp_details why;
    lwp_client_why(client, &why);
    return server_failed(program, server, &why);
}

enum lwp_status server_topic_id(struct lwp_client *client, const char *text, uint32_t *topic_id)
{
    uint64_t number = 0;
    struct lwp_topic_info *topics = NULL;
    size_t count = 0;
    if (lwp_read_number(text, 0, UINT32_MAX, &number)) {
        *topic_id = (uint32_t)number;
        return LWP_OK;
    }
    enum lwp_status status = lwp_client_list_topics(client, &topics, &count);
    if (status != LWP_OK)
        return status;
    status = LWP_TOPIC_NOT_FOUND;
    for (size_t i = 0; i < count && status != LWP_OK; i++)
        if (strcmp(topics[i].name, text) == 0) {
            *topic_id = topics[i].id;
            status = LWP_OK;
        }
    free(topics);
    return status;
}

int server_find_topic(const struct lwp_program *program, const struct server *server,
                      const char *text, uint32_t *topic_id)
{
    struct lwp_client *client = NULL;
    uint64_t number = 0;
    if (lwp_read_number(text, 0, UINT32_MAX, &number)) {
        *topic_id = (uint32_t)number;
        return -1;
    }
    int ended = server_connect(program, server, &client);
    if (ended >= 0)
        return ended;
    const enum lwp_status status = server_topic_id(client, text, topic_id);
    const struct lwp_details unknown = lwp_details_of(LWP_TOPIC_NOT_FOUND);
    if (status == LWP_TOPIC_NOT_FOUND)
        ended = server_failed(program, server, &unknown);
    else if (status != LWP_OK)
        ended = server_refused(program, server, client);
    lwp_client_close(client);
    return ended;
}

void server_print_json(struct json_object *object)
{
    const struct lwp_bytes line = lwp_json_line(object);
    if (line.size) {
        (void)fwrite(line.data, 1, line.size, stdout);
        (void)fputc('\n', stdout);
    }
    (void)json_object_put(object);
}

int server_flush_output(const struct lwp_program *program)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_SOUND;
    (void)fprintf(stderr, "%s: standard output can not be written\n", program->name);
    return EXIT_OUT_OF_REACH;
}
