/* SPDX-License-Identifier: MIT */
#include "mock_server/options.h"

#include "lwp/net/clock.h"
#include "mock_server/control.h"

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
    ((struct lwp_mock_options *)into)->auth_token = value;
    return value[0] ? NULL : "--auth-token takes a token";
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
    {"auth-token", "TOKEN", "refuse ingests before Authenticate with this token", take_auth_token},
    {"max-payload", "BYTES", "the largest payload of a frame             [16777216]",
     take_max_payload},
    {"ack-delay", "MS", "what an ack waits; the real server takes 5 [0]", take_ack_delay},
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
    {"control", "PATH|HOST:PORT",
     "take commands there, a line each; 'help' lists them. Whoever\n"
     "can connect may change everything",
     take_control},
    {"exit-after", "WHAT",
     "end once it has happened: 'idle' is that connections came\n"
     "and none is left, 'connections N' that so many came",
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
                                  const char **problem)
{
    struct lwp_mock_options options = {
        .dialect = &lwp_dialect_lance,
        .epoch_ns = lwp_clock_wall() - lwp_clock_now(),
    };
    *problem = NULL;
    for (size_t i = 0; names_and_values[i] && !*problem; i += 2)
        *problem = lwp_mock_option(&options, names_and_values[i], names_and_values[i + 1]);
    return *problem ? LWP_INVALID_ARGUMENT : lwp_mock_new(&options, mock);
}
