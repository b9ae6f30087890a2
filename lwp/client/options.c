/* SPDX-License-Identifier: MIT */
#include "lwp/client/options.h"

#include "lwp/net/clock.h"

struct lwp_connect_options lwp_connect_defaults(const char *address)
{
    return (struct lwp_connect_options){
        .address = address,
        .dialect = &lwp_dialect_lance,
        .connect_timeout_ms = 10000,
        .request_timeout_ms = 30000,
        .keepalive_ms = 10000,
        .dead_after_ms = 30000,
        .reconnect = true,
        .backoff = lwp_backoff_defaults,
        .max_hops = 5,
        .max_payload = LWP_MAX_PAYLOAD_DEFAULT,
    };
}

enum lwp_status lwp_connect_prepare(const struct lwp_connect_options *options,
                                    struct lwp_connection *connection)
{
    struct lwp_address home;
    const bool is_test = options->world;
    if (!options->address || !options->dialect || options->connect_timeout_ms == 0 ||
        options->max_payload == 0 || (is_test && !options->caller_driven))
        return LWP_INVALID_ARGUMENT;
    if (lwp_address_parse(options->address, &home) != LWP_OK)
        return LWP_INVALID_ARGUMENT;
    const struct lwp_connection_options prepared = {
        .dialect = options->dialect,
        .token = options->token,
        .keepalive_ns = options->keepalive_ms * LWP_MILLISECOND_NS,
        .dead_after_ns = options->dead_after_ms * LWP_MILLISECOND_NS,
        .max_payload = options->max_payload,
        .life =
            {
                .connect_timeout_ns = options->connect_timeout_ms * LWP_MILLISECOND_NS,
                .max_hops = options->max_hops,
                .backoff = options->backoff,
            },
        .network = options->network,
        .security = options->security,
        .trace = options->trace,
        .trace_user = options->trace_user,
    };
    lwp_connection_init(connection, &prepared, &home, lwp_connect_seed(options, connection));
    return LWP_OK;
}

uint64_t lwp_connect_seed(const struct lwp_connect_options *options, const void *handle)
{
    if (options->seed)
        return options->seed;
    return lwp_clock_wall() ^ (uint64_t)(uintptr_t)handle << 16;
}
