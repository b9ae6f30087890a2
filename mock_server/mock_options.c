/* SPDX-License-Identifier: MIT */
/* What becomes of the options: defaults, tokens, files. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "mock_server/mock_state.h"

enum {
    MAX_ANSWER_SIZE = 50331648,       /* So that an answer fits the output queue. */
    MAX_CONNECTION_MEMORY = 33554432, /* The defaults. */
    MAX_MEMORY = 1073741824
};

void mock_complain(const struct lwp_mock *mock, const char *about, const char *what)
{
    const int error = errno;
    if (mock->options.problem)
        (void)snprintf(mock->options.problem, LWP_MOCK_PROBLEM_SIZE, "%.255s%s%.254s",
                       about ? about : "", about ? ": " : "", what);
    errno = error;
}

void mock_take_options(struct lwp_mock *mock, const struct lwp_mock_options *options)
{
    mock->options = *options;
    mock->given = options->dialect;
    if (!mock->options.max_payload)
        mock->options.max_payload = LWP_MAX_PAYLOAD_DEFAULT;
    if (!mock->options.max_connection_memory)
        mock->options.max_connection_memory = MAX_CONNECTION_MEMORY;
    if (!mock->options.max_memory)
        mock->options.max_memory = MAX_MEMORY;
    if (mock->options.problem)
        mock->options.problem[0] = '\0';
}

/* Tokens. */

/* All tokens together: those of the broker's options, the one, the others. */
static enum lwp_status take_tokens(struct lwp_mock *mock, struct lwp_auth_options *auth)
{
    const struct lwp_mock_options *options = &mock->options;
    const size_t one = options->auth_token ? 1 : 0;
    size_t count = auth->token_count;
    if (!one && !options->auth_token_count)
        return LWP_OK;
    struct lwp_token *tokens = calloc(count + one + options->auth_token_count, sizeof(*tokens));
    mock->tokens = tokens;
    if (!tokens)
        return LWP_NO_MEMORY;
    if (count)
        memcpy(tokens, auth->tokens, count * sizeof(*tokens));
    if (one)
        tokens[count++].text = options->auth_token;
    auth->enabled = true;
    auth->tokens = tokens;
    auth->token_count = count + options->auth_token_count;
    memcpy(tokens + count, options->auth_tokens, options->auth_token_count * sizeof(*tokens));
    return LWP_OK;
}

/* Access lists. */

static enum lwp_status take_access(struct lwp_mock *mock, struct lwp_broker_options *broker)
{
    size_t line = 0;
    const char *name = mock->options.access_file;
    if (!name)
        return LWP_OK;
    const enum lwp_status status = lwp_access_read(name, &mock->access, &line);
    char what[64];
    (void)snprintf(what, sizeof(what), "line %zu is not CLIENT TOPIC r, w or rw", line);
    if (status != LWP_OK)
        mock_complain(mock, name, status == LWP_IO ? strerror(errno) : what);
    broker->access = mock->access.rows;
    broker->access_count = mock->access.count;
    return status;
}

enum lwp_status mock_make_broker(struct lwp_mock *mock)
{
    struct lwp_broker_options broker = mock->options.broker;
    const uint32_t max_payload = mock->options.max_payload;
    broker.limits.max_payload = max_payload < MAX_ANSWER_SIZE ? max_payload : MAX_ANSWER_SIZE;
    enum lwp_status status = take_tokens(mock, &broker.auth);
    if (status == LWP_OK)
        status = take_access(mock, &broker);
    return status == LWP_OK ? lwp_broker_new(&broker, &mock->broker) : status;
}

/* TLS. */

enum lwp_status mock_make_tls(struct lwp_mock *mock)
{
    const struct lwp_mock_options *options = &mock->options;
    const struct lwp_tls_options tls = {
        .certificate_file = options->tls_certificate,
        .key_file = options->tls_key,
        .ca_file = options->tls_client_ca,
        .certificate_required = options->tls_client_ca != NULL,
        .least = options->tls_min == 13 ? LWP_TLS_1_3 : LWP_TLS_ANY,
    };
    char reason[LWP_TLS_REASON_SIZE];
    if (!options->tls_certificate)
        return LWP_OK;
    const enum lwp_status status = lwp_tls_server_new(&tls, &mock->tls, reason);
    if (status != LWP_OK)
        mock_complain(mock, NULL, reason);
    return status;
}

/* Events. */

static enum lwp_status write_events(struct lwp_mock *mock)
{
    const struct lwp_mock_options *options = &mock->options;
    enum lwp_status status = LWP_OK;
    if (options->log_file)
        status = lwp_events_log_to(mock->events, options->log_file);
    if (status == LWP_OK && options->capture_file)
        status = lwp_events_capture_to(mock->events, options->capture_file);
    if (status != LWP_OK)
        mock_complain(mock, NULL, lwp_events_error(mock->events));
    return status;
}

enum lwp_status mock_make_events(struct lwp_mock *mock)
{
    const struct lwp_mock_options *options = &mock->options;
    if (!options->log_file && !options->capture_file && !options->kept_log_size)
        return LWP_OK;
    enum lwp_status status = lwp_events_new(options->epoch_ns, &mock->events);
    if (status == LWP_OK && options->kept_log_size)
        status = lwp_events_keep(mock->events, options->kept_log_size);
    return status == LWP_OK ? write_events(mock) : status;
}
