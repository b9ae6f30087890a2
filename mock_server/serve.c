/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lwp/net/clock.h"
#include "mock_server/control.h"
#include "mock_server/mock_state.h"

enum { ACCEPTED_AT_ONCE = 64 };

#define ACCEPT_PAUSE_NS (50 * LWP_MILLISECOND_NS) /* After running out of descriptors. */

struct service {
    struct poller poller;
    struct watch stop; /* Both only say that they are ready. */
    struct watch wake;
    int wake_fd;
    bool stopping;
};

/* What is ready. The context is the mock, which is locked. */

static void stop_ready(void *context, struct watch *watch, uint32_t events)
{
    (void)watch;
    (void)events;
    ((struct lwp_mock *)context)->service->stopping = true;
}

static void wake_ready(void *context, struct watch *watch, uint32_t events)
{
    uint64_t count = 0;
    (void)watch;
    (void)events;
    (void)!read(((struct lwp_mock *)context)->service->wake_fd, &count, sizeof(count));
}

static void member_ready(void *context, struct watch *watch, uint32_t events)
{
    struct member *member = watch->owner;
    /* The peer is gone: where nothing is to be read, nobody else would notice. */
    if (events & (EPOLLERR | EPOLLHUP) && !connection_wants_bytes(&member->connection) &&
        !member->refused)
        mock_lose_member(context, member);
    (void)mock_step_one(context, member);
}

static void node_ready(void *context, struct watch *watch, uint32_t events)
{
    struct node *node = watch->owner;
    struct lwp_mock *mock = context;
    (void)events;
    for (int i = 0; i < ACCEPTED_AT_ONCE && node->listener >= 0; i++) {
        struct lwp_transport *transport = NULL;
        const enum lwp_status status = lwp_tcp_accept(node->listener, &transport);
        if (status == LWP_OK)
            (void)mock_admit(mock, node, transport);
        else if (status != LWP_WOULD_BLOCK)
            node->accept_from_ns = mock->outer_ns + ACCEPT_PAUSE_NS;
        if (status != LWP_OK)
            break;
    }
    (void)service_watch_node(mock, node);
}

enum lwp_status service_watch_member(struct lwp_mock *mock, struct member *member)
{
    const struct connection *connection = &member->connection;
    const int fd = lwp_transport_fd(connection->link.transport);
    if (!mock->service || fd < 0)
        return LWP_OK;
    const bool reads = member->refused || connection_wants_bytes(connection);
    const short events = connection_events(connection, reads); /* The same bits for epoll. */
    member->watch.ready = member_ready;
    member->watch.owner = member;
    return poller_set(&mock->service->poller, &member->watch, fd, (uint32_t)events);
}

enum lwp_status service_watch_node(struct lwp_mock *mock, struct node *node)
{
    if (!mock->service || node->listener < 0)
        return LWP_OK;
    node->watch.ready = node_ready;
    node->watch.owner = node;
    return poller_set(&mock->service->poller, &node->watch, node->listener,
                      mock->outer_ns < node->accept_from_ns ? 0 : EPOLLIN);
}

/* Nodes that have waited long enough accept again. Returns when the next one does. */
static uint64_t resume_nodes(struct lwp_mock *mock)
{
    uint64_t next_ns = LWP_NEVER;
    for (size_t i = 0; i < mock->node_count; i++) {
        struct node *node = mock->nodes[i];
        if (node->accept_from_ns > mock->outer_ns && node->accept_from_ns < next_ns)
            next_ns = node->accept_from_ns;
        (void)service_watch_node(mock, node);
    }
    return next_ns;
}

enum lwp_status service_watch(struct lwp_mock *mock, struct watch *watch, int fd, uint32_t events)
{
    return poller_set(&mock->service->poller, watch, fd, events);
}

void service_unwatch(struct lwp_mock *mock, struct watch *watch, int fd)
{
    if (mock->service)
        poller_forget(&mock->service->poller, watch, fd);
}

void service_wake(struct lwp_mock *mock)
{
    const uint64_t once = 1;
    if (mock->service)
        (void)!write(mock->service->wake_fd, &once, sizeof(once));
}

void service_stop(struct lwp_mock *mock)
{
    if (mock->service)
        mock->service->stopping = true;
    service_wake(mock);
}

void service_end(struct lwp_mock *mock)
{
    struct service *service = mock->service;
    if (!service)
        return;
    mock_end_all(mock);
    for (size_t i = 0; i < mock->node_count; i++) {
        service_unwatch(mock, &mock->nodes[i]->watch, mock->nodes[i]->listener);
        node_shut(mock->nodes[i]);
    }
    control_close(mock->control);
    mock->control = NULL;
    poller_done(&service->poller);
    if (service->wake_fd >= 0)
        (void)close(service->wake_fd);
    mock->service = NULL;
    free(service);
    (void)pthread_cond_broadcast(&mock->happened);
}

static enum lwp_status open_nodes(struct lwp_mock *mock)
{
    for (size_t i = 0; i < mock->node_count; i++) {
        struct node *node = mock->nodes[i];
        (void)snprintf(mock->failed, sizeof(mock->failed), "%s port %s", node->address.host,
                       node->address.port);
        const enum lwp_status status = node_open(node);
        if (status != LWP_OK)
            return status;
    }
    return mock_open_nodes(mock);
}

static enum lwp_status open_control(struct lwp_mock *mock)
{
    if (!mock->options.control)
        return LWP_OK;
    (void)snprintf(mock->failed, sizeof(mock->failed), "%s", mock->options.control);
    return control_open(mock, mock->options.control, &mock->control);
}

enum lwp_status service_begin(struct lwp_mock *mock)
{
    struct service *service = calloc(1, sizeof(*service));
    if (!service)
        return LWP_NO_MEMORY;
    service->stop.ready = stop_ready;
    service->wake.ready = wake_ready;
    service->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    mock->service = service;
    mock->failed[0] = '\0';
    mock_set_time(mock, lwp_clock_now());
    enum lwp_status status = poller_init(&service->poller);
    if (status == LWP_OK)
        status = poller_set(&service->poller, &service->wake, service->wake_fd, EPOLLIN);
    if (status == LWP_OK)
        status = open_control(mock);
    if (status == LWP_OK)
        status = open_nodes(mock);
    if (status != LWP_OK) {
        const int error = errno;
        service_end(mock);
        errno = error;
    }
    return status;
}

/* Waits for whatever is next; the mock is unlocked meanwhile. */
static enum lwp_status wait_for_it(struct lwp_mock *mock)
{
    const uint64_t now_ns = lwp_clock_now();
    mock_set_time(mock, now_ns);
    uint64_t until_ns = mock_clock_when(&mock->clock, mock_due_ns(mock));
    until_ns = lwp_deadline_earlier(until_ns, resume_nodes(mock));
    if (mock->control)
        until_ns = lwp_deadline_earlier(until_ns, control_due_ns(mock->control));
    const int timeout_ms = lwp_clock_poll_ms(now_ns, until_ns);
    struct poller *poller = &mock->service->poller;
    if (mock->events && timeout_ms)
        lwp_events_flush(mock->events);
    mock_unlock(mock);
    const enum lwp_status status = poller_wait(poller, timeout_ms);
    mock_lock(mock);
    mock_set_time(mock, lwp_clock_now());
    return status;
}

static bool is_over(const struct lwp_mock *mock)
{
    return mock->options.until && mock_reached(mock, mock->options.until) == LWP_OK;
}

enum lwp_status service_run(struct lwp_mock *mock, int stop_fd)
{
    enum lwp_status status = LWP_OK;
    mock_lock(mock);
    struct service *service = mock->service;
    if (stop_fd >= 0)
        status = poller_set(&service->poller, &service->stop, stop_fd, EPOLLIN);
    while (status == LWP_OK && !service->stopping && !is_over(mock)) {
        status = wait_for_it(mock);
        poller_dispatch(&service->poller, mock);
        (void)mock_step_due(mock);
        if (mock->control)
            control_step(mock->control);
        (void)pthread_cond_broadcast(&mock->happened);
    }
    service_end(mock);
    mock_unlock(mock);
    return status;
}
