/* SPDX-License-Identifier: MIT */
#include "mock_server/lwpmock.h"

#include "lwp/net/clock.h"
#include "mock_server/control.h"
#include "mock_server/mock_state.h"

const char *lwp_mock_status_text(enum lwp_status status)
{
    return lwp_status_text(status);
}

enum lwp_status lwp_mock_open(struct lwp_mock *mock)
{
    mock_lock(mock);
    const enum lwp_status status = mock->service ? LWP_INVALID_ARGUMENT : service_begin(mock);
    mock_unlock(mock);
    return status;
}

const char *lwp_mock_failed(struct lwp_mock *mock)
{
    return mock->failed;
}

const char *lwp_mock_node(struct lwp_mock *mock, size_t index)
{
    mock_lock(mock);
    const char *name = index < mock->node_count ? mock->nodes[index]->name : NULL;
    mock_unlock(mock);
    return name;
}

const char *lwp_mock_control_address(struct lwp_mock *mock)
{
    mock_lock(mock);
    const char *address = mock->control ? control_address(mock->control) : NULL;
    mock_unlock(mock);
    return address;
}

enum lwp_status lwp_mock_serve(struct lwp_mock *mock, int stop_fd)
{
    return service_run(mock, stop_fd);
}

const char *lwp_mock_address(struct lwp_mock *mock, const char *node)
{
    mock_lock(mock);
    const char *address = mock_address(mock, node);
    mock_unlock(mock);
    return address;
}

enum lwp_status lwp_mock_reached(struct lwp_mock *mock, const char *what)
{
    mock_lock(mock);
    const enum lwp_status status = mock_reached(mock, what);
    mock_unlock(mock);
    return status;
}

enum lwp_status lwp_mock_accept(struct lwp_mock *mock, struct lwp_transport *transport,
                                uint64_t now_ns)
{
    return lwp_mock_accept_on(mock, NULL, transport, now_ns);
}

/* Whether, and to which node, a connection can be taken. */
static enum lwp_status find_node(const struct lwp_mock *mock, const char *name,
                                 const struct lwp_transport *transport, struct node **node)
{
    *node = mock_node_named(mock, name);
    if (!*node || (mock->service && lwp_transport_fd(transport) < 0))
        return LWP_INVALID_ARGUMENT;
    return (*node)->down ? LWP_REFUSED : LWP_OK;
}

enum lwp_status lwp_mock_accept_on(struct lwp_mock *mock, const char *node,
                                   struct lwp_transport *transport, uint64_t now_ns)
{
    struct node *to = NULL;
    mock_lock(mock);
    enum lwp_status status = find_node(mock, node, transport, &to);
    if (status == LWP_OK) {
        mock_set_time(mock, mock->service ? lwp_clock_now() : now_ns);
        status = mock_admit(mock, to, transport);
    } else {
        lwp_transport_free(transport);
    }
    mock_unlock(mock);
    return status;
}

bool lwp_mock_step(struct lwp_mock *mock, uint64_t now_ns)
{
    bool worked = false;
    mock_lock(mock);
    if (!mock->service) {
        struct member *next = NULL;
        mock_set_time(mock, now_ns);
        worked = mock_step_due(mock);
        for (struct member *member = mock->first; member; member = next) {
            next = member->next;
            worked = mock_step_one(mock, member) || worked;
        }
        worked = mock->touched || worked;
    }
    mock_unlock(mock);
    return worked;
}

uint64_t lwp_mock_deadline(struct lwp_mock *mock)
{
    mock_lock(mock);
    const uint64_t deadline_ns = mock_clock_when(&mock->clock, mock_due_ns(mock));
    mock_unlock(mock);
    return deadline_ns;
}

size_t lwp_mock_connection_count(struct lwp_mock *mock)
{
    mock_lock(mock);
    const size_t count = mock->connection_count;
    mock_unlock(mock);
    return count;
}

struct lwp_mock_counts lwp_mock_counts(struct lwp_mock *mock)
{
    mock_lock(mock);
    const struct lwp_mock_counts counts = mock->counts;
    mock_unlock(mock);
    return counts;
}

enum lwp_status lwp_mock_down(struct lwp_mock *mock, const char *node)
{
    mock_lock(mock);
    const enum lwp_status status = mock_down(mock, node);
    mock_unlock(mock);
    return status;
}

enum lwp_status lwp_mock_up(struct lwp_mock *mock, const char *node)
{
    mock_lock(mock);
    const enum lwp_status status = mock_up(mock, node);
    mock_unlock(mock);
    return status;
}

void lwp_mock_advance(struct lwp_mock *mock, uint64_t duration_ns)
{
    mock_lock(mock);
    mock_advance(mock, duration_ns);
    mock_unlock(mock);
}

void lwp_mock_freeze(struct lwp_mock *mock)
{
    mock_lock(mock);
    mock_freeze(mock, true);
    mock_unlock(mock);
}

void lwp_mock_thaw(struct lwp_mock *mock)
{
    mock_lock(mock);
    mock_freeze(mock, false);
    mock_unlock(mock);
}

enum lwp_status lwp_mock_tag(struct lwp_mock *mock, const char *connection, const char *label)
{
    mock_lock(mock);
    const enum lwp_status status = mock_tag(mock, connection, label);
    mock_unlock(mock);
    return status;
}

enum lwp_status lwp_mock_restart(struct lwp_mock *mock)
{
    mock_lock(mock);
    const enum lwp_status status = mock_restart(mock);
    mock_unlock(mock);
    return status;
}

uint64_t lwp_mock_drain_ns(struct lwp_mock *mock)
{
    mock_lock(mock);
    const uint64_t drain_ns = lwp_broker_drain_ns(mock->broker);
    mock_unlock(mock);
    return drain_ns;
}

bool lwp_mock_fails_open(struct lwp_mock *mock)
{
    mock_lock(mock);
    const bool fails_open = lwp_broker_fails_open(mock->broker);
    mock_unlock(mock);
    return fails_open;
}
