/* SPDX-License-Identifier: MIT */
#include "mock_server/options.h"

#include <stdio.h>

#include "lwp/bug/bug.h"
#include "lwp/net/clock.h"
#include "mock_server/control.h"
#include "mock_server/events.h"

static const char *take_listen(void *into, const char *value)
{
    struct lwp_address address;
    if (lwp_address_parse(value, &address) != LWP_OK)
        return "--listen takes HOST:PORT";
    ((struct lwp_mock_options *)into)->listen = value;
    return NULL;
}

static const char *take_node(void *into, const char *value)
{
    struct lwp_mock_options *options = into;
    struct lwp_address address;
    const char *equals = strchr(value, '=');
    if (!equals || equals == value || equals - value >= LWP_MOCK_NAME_SIZE ||
        lwp_address_parse(equals + 1, &address) != LWP_OK)
        return "--node takes NAME=HOST:PORT";
    for (size_t i = 0; i < options->node_count; i++)
        if (strncmp(options->nodes[i], value, (size_t)(equals - value) + 1) == 0)
            return "this node is there already";
    if (options->node_count == LWP_MOCK_MAX_NODES)
        return "there are at most 64 nodes";
    options->nodes[options->node_count++] = value;
    return NULL;
}

static const char *take_dialect(void *into, const char *value)
{
    const struct lwp_dialect *dialect = lwp_dialect_named(value);
    ((struct lwp_mock_options *)into)->dialect = dialect;
    return dialect || strcmp(value, "auto") == 0 ? NULL : "no such dialect";
}

static const char *take_auth_token(void *into, const char *value)
{
    struct lwp_mock_options *options = into;
    if (value[0] == '\0')
        return "--auth-token takes a token";
    if (options->auth_token_count == LWP_MOCK_MAX_TOKENS)
        return "there are at most 64 tokens; --auth-file takes more";
    options->auth_tokens[options->auth_token_count++].text = value;
    return NULL;
}

static const char *take_auth_client(void *into, const char *value)
{
    struct lwp_mock_options *options = into;
    struct lwp_token *last =
        options->auth_token_count ? &options->auth_tokens[options->auth_token_count - 1] : NULL;
    if (!last || last->client || value[0] == '\0')
        return "--auth-client takes a name, behind the --auth-token of the client";
    last->client = value;
    return NULL;
}

static const char *take_auth_file(void *into, const char *value)
{
    struct lwp_auth_options *auth = &((struct lwp_mock_options *)into)->broker.auth;
    auth->enabled = true;
    auth->token_file = value;
    return NULL;
}

static const char *take_auth_strict(void *into, const char *value)
{
    struct lwp_auth_options *auth = &((struct lwp_mock_options *)into)->broker.auth;
    (void)value;
    auth->enabled = true;
    auth->strict = true;
    return NULL;
}

static const char *take_auth_write_only(void *into, const char *value)
{
    struct lwp_auth_options *auth = &((struct lwp_mock_options *)into)->broker.auth;
    (void)value;
    auth->enabled = true;
    auth->write_only = true;
    return NULL;
}

static const char *take_auth_failures(void *into, const char *value)
{
    uint64_t number = 0;
    if (!lwp_read_number(value, 1, UINT32_MAX, &number))
        return "--auth-failures takes a number from 1 to 4294967295";
    ((struct lwp_mock_options *)into)->broker.auth.max_failures = (uint32_t)number;
    return NULL;
}

static const char *take_access(void *into, const char *value)
{
    ((struct lwp_mock_options *)into)->access_file = value;
    return NULL;
}

static const char *take_tls_cert(void *into, const char *value)
{
    ((struct lwp_mock_options *)into)->tls_certificate = value;
    return NULL;
}

static const char *take_tls_key(void *into, const char *value)
{
    ((struct lwp_mock_options *)into)->tls_key = value;
    return NULL;
}

static const char *take_tls_client_ca(void *into, const char *value)
{
    ((struct lwp_mock_options *)into)->tls_client_ca = value;
    return NULL;
}

static const char *take_tls_min(void *into, const char *value)
{
    const bool is_12 = strcmp(value, "1.2") == 0;
    ((struct lwp_mock_options *)into)->tls_min = is_12 ? 12 : 13;
    return is_12 || strcmp(value, "1.3") == 0 ? NULL : "--tls-min takes 1.2 or 1.3";
}

static const char *take_rate_limit(void *into, const char *value)
{
    uint64_t size = 0;
    if (!lwp_read_size(value, 1, UINT64_MAX, &size))
        return "--rate-limit takes a number of bytes a second";
    ((struct lwp_mock_options *)into)->broker.rate_limit = size;
    return NULL;
}

static const char *take_retention_interval(void *into, const char *value)
{
    uint64_t interval_ns = 0;
    if (!lwp_read_duration(value, UINT64_MAX, &interval_ns) || interval_ns < LWP_MILLISECOND_NS)
        return "--retention-interval takes a duration from 1ms up";
    ((struct lwp_mock_options *)into)->broker.retention_interval_ns = interval_ns;
    return NULL;
}

static const char *take_segment_size(void *into, const char *value)
{
    uint64_t size = 0;
    if (!lwp_read_size(value, 1, SIZE_MAX, &size))
        return "--segment-size takes a number of bytes";
    ((struct lwp_mock_options *)into)->broker.segment_size = (size_t)size;
    return NULL;
}

static const char *take_bug(void *into, const char *value)
{
    enum lwp_quirk quirk = LWP_QUIRK_COUNT;
    if (!lwp_quirk_named(value, &quirk))
        return "no such bug; --help lists them";
    ((struct lwp_mock_options *)into)->broker.quirks |= lwp_quirk_bit(quirk);
    return NULL;
}

static const char *take_seed(void *into, const char *value)
{
    return lwp_read_number(value, 0, UINT64_MAX, &((struct lwp_mock_options *)into)->seed)
               ? NULL
               : "--seed takes a number";
}

static const char *take_forward_delay(void *into, const char *value)
{
    return lwp_read_duration(value, 600 * LWP_SECOND_NS,
                             &((struct lwp_mock_options *)into)->forward_ns)
               ? NULL
               : "--forward-delay takes a duration of 10m at most";
}

static const char *take_log(void *into, const char *value)
{
    ((struct lwp_mock_options *)into)->log_file = value;
    return NULL;
}

static const char *take_pcap(void *into, const char *value)
{
    ((struct lwp_mock_options *)into)->capture_file = value;
    return NULL;
}

static const char *take_keep_log(void *into, const char *value)
{
    uint64_t size = 0;
    if (!lwp_read_size(value, 0, SIZE_MAX, &size))
        return "--keep-log takes a number of bytes";
    ((struct lwp_mock_options *)into)->kept_log_size = (size_t)size;
    return NULL;
}

static const char *take_max_payload(void *into, const char *value)
{
    uint64_t number = 0;
    if (!lwp_read_number(value, 1, UINT32_MAX, &number))
        return "--max-payload takes a number of bytes from 1 to 4294967295";
    ((struct lwp_mock_options *)into)->max_payload = (uint32_t)number;
    return NULL;
}

static const char *take_ack_delay(void *into, const char *value)
{
    uint64_t number = 0;
    if (!lwp_read_number(value, 0, 60000, &number))
        return "--ack-delay takes milliseconds from 0 to 60000";
    ((struct lwp_mock_options *)into)->ack_delay_ns = number * LWP_MILLISECOND_NS;
    return NULL;
}

static const char *take_max_connections(void *into, const char *value)
{
    uint64_t number = 0;
    if (!lwp_read_number(value, 1, UINT32_MAX, &number))
        return "--max-connections takes a number from 1 to 4294967295";
    ((struct lwp_mock_options *)into)->max_connections = (size_t)number;
    return NULL;
}

static const char *take_refuse_with(void *into, const char *value)
{
    static const char *const words[] = {[LWP_MOCK_REFUSE_ERROR] = "error",
                                        [LWP_MOCK_REFUSE_CLOSE] = "close",
                                        [LWP_MOCK_REFUSE_RESET] = "reset"};
    for (enum lwp_mock_refusal i = LWP_MOCK_REFUSE_ERROR; i <= LWP_MOCK_REFUSE_RESET; i++)
        if (strcmp(words[i], value) == 0) {
            ((struct lwp_mock_options *)into)->refusal = i;
            return NULL;
        }
    return "--refuse-with takes error, close or reset";
}

static const char *take_max_connection_memory(void *into, const char *value)
{
    uint64_t size = 0;
    if (!lwp_read_size(value, 65536, SIZE_MAX, &size))
        return "--max-connection-memory takes a number of bytes from 64K up";
    ((struct lwp_mock_options *)into)->max_connection_memory = (size_t)size;
    return NULL;
}

static const char *take_max_memory(void *into, const char *value)
{
    uint64_t size = 0;
    if (!lwp_read_size(value, 1048576, SIZE_MAX, &size))
        return "--max-memory takes a number of bytes from 1M up";
    ((struct lwp_mock_options *)into)->max_memory = (size_t)size;
    return NULL;
}

static const char *take_control(void *into, const char *value)
{
    ((struct lwp_mock_options *)into)->control = value;
    return control_takes(value) ? NULL : "--control takes a path, or HOST:PORT of the loopback";
}

/* What can be waited for is known only to the mock. */
static const char *take_exit_after(void *into, const char *value)
{
    ((struct lwp_mock_options *)into)->until = value;
    return NULL;
}

/* Number and word of each, as bugs.def has them. */
static const char bug_help[] = "have one of the real server's own bugs; repeatable:"
#define LWP_QUIRK_ROW(number, word, suffering) "\n" #number "\t" word
#include "lwp/bug/bugs.def"
    ;

const struct lwp_option mock_options[] = {
    {"listen", "HOST[:PORT]",
     "where to listen; port 0 takes a free one, none is 1992\n"
     "                                            [127.0.0.1:0]",
     take_listen},
    {"node", "NAME=HOST[:PORT]", "a node of a cluster, instead of --listen; repeatable", take_node},
    {"dialect", "D",
     "whom to imitate: lance, spec, lance-py; auto takes spec or\n"
     "lance from the first header of each connection [lance]",
     take_dialect},
    {"auth-token", "TOKEN", "refuse ingests before Authenticate with such a token; repeatable",
     take_auth_token},
    {"auth-client", "NAME", "whom the token before makes of a client, for --access",
     take_auth_client},
    {"auth-file", "FILE", "tokens, one a line, and behind a blank its client's name",
     take_auth_file},
    {"auth-strict", NULL, "nothing but Keepalive goes without a token", take_auth_strict},
    {"auth-write-only", NULL, "the real server's switch, which turns its one gate off",
     take_auth_write_only},
    {"auth-failures", "N", "end a connection after N wrong tokens, if strict", take_auth_failures},
    {"access", "FILE", "who may do what: CLIENT TOPIC r, w or rw a line", take_access},
    {"tls-cert", "FILE", "speak TLS, with this certificate", take_tls_cert},
    {"tls-key", "FILE", "and its key                      [in the same file]", take_tls_key},
    {"tls-client-ca", "FILE", "clients need a certificate of this authority", take_tls_client_ca},
    {"tls-min", "VERSION", "1.2 or 1.3, the least that is spoken       [1.2]", take_tls_min},
    {"max-payload", "BYTES", "the largest payload of a frame             [16777216]",
     take_max_payload},
    {"ack-delay", "MS", "what an ack waits; the real server takes 5 [0]", take_ack_delay},
    {"forward-delay", "DURATION", "what a node takes to ask the leader        [0]",
     take_forward_delay},
    {"rate-limit", "BYTES", "what fetches may ask for in a second       [no limit]",
     take_rate_limit},
    {"retention-interval", "DURATION", "between two passes of retention            [1m]",
     take_retention_interval},
    {"segment-size", "BYTES", "a log is cut into such pieces, which retention deletes [1G]",
     take_segment_size},
    {"bug", "NAME", bug_help, take_bug},
    {"seed", "N", "of all dice of scripts that have no seed   [1]", take_seed},
    {"max-connections", "N", "more at a time are refused                 [no limit]",
     take_max_connections},
    {"refuse-with", "HOW", "error, close or reset       [error in spec, else reset]",
     take_refuse_with},
    {"max-connection-memory", "BYTES", "a connection with larger buffers is reset  [32M]",
     take_max_connection_memory},
    {"max-memory", "BYTES",
     "past this in all buffers, the connection that holds most\n"
     "is reset                                   [1G]",
     take_max_memory},
    {"log", "FILE", "write what happens there, JSON Lines", take_log},
    {"pcap", "FILE", "the same as a capture, which Wireshark reads", take_pcap},
    {"keep-log", "BYTES",
     "so much of the log is kept in memory for 'dump log'\n"
     "                                           [64M with --control, else 0]",
     take_keep_log},
    {"control", "PATH|HOST:PORT",
     "take commands there, a line each; 'help' lists them. Whoever\n"
     "can connect may change everything",
     take_control},
    {"exit-after", "WHAT",
     "end once it has happened: 'idle' is that connections came\n"
     "and none is left, 'connections N' that so many came,\n"
     "'decided' a script's pass or fail, NAME its rule or barrier",
     take_exit_after},
    {NULL, NULL, NULL, NULL},
};

const char *lwp_mock_option(struct lwp_mock_options *options, const char *name, const char *value)
{
    const struct lwp_option *option = lwp_option_named(mock_options, name);
    if (!option)
        return "no such option";
    return option->take(options, value);
}

enum lwp_status lwp_mock_new_from(const char *const *names_and_values, struct lwp_mock **mock,
                                  char *problem)
{
    struct lwp_mock_options options = {
        .dialect = &lwp_dialect_lance,
        .epoch_ns = lwp_clock_wall() - lwp_clock_now(),
        .seed = MOCK_DEFAULT_SEED,
        .kept_log_size = LWP_EVENTS_KEPT_DEFAULT,
        .problem = problem,
    };
    for (size_t i = 0; names_and_values[i]; i += 2) {
        const char *name = names_and_values[i];
        const char *wrong = lwp_mock_option(&options, name, names_and_values[i + 1]);
        if (wrong) {
            (void)snprintf(problem, LWP_MOCK_PROBLEM_SIZE, "%.100s: %s", name, wrong);
            return LWP_INVALID_ARGUMENT;
        }
    }
    return lwp_mock_new(&options, mock);
}
