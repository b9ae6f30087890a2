/* SPDX-License-Identifier: MIT */
#include "lwp/session/session.h"
#include "mock_server/mock.h"

static uint64_t mock_now(const struct lwp_world *world)
{
    return ((const struct lwp_mock_world *)(const void *)world)->now_ns;
}

static enum lwp_status mock_connect(struct lwp_world *world, uint64_t deadline_ns,
                                    struct lwp_transport **transport)
{
    enum { PIPE_CAPACITY = 1048576 };
    struct lwp_mock_world *mock_world = (struct lwp_mock_world *)(void *)world;
    struct lwp_transport *ends[2];
    (void)deadline_ns;
    enum lwp_status status = lwp_pipe_new(PIPE_CAPACITY, ends);
    if (status != LWP_OK)
        return status;
    status = lwp_mock_accept(mock_world->mock, ends[1], mock_world->now_ns);
    if (status != LWP_OK) {
        lwp_transport_free(ends[0]);
        return status;
    }
    *transport = ends[0];
    return LWP_OK;
}

/* Time passes only when the mock has nothing left to do. */
static void mock_wait(struct lwp_world *world, struct lwp_transport *const *transports,
                      size_t count, uint64_t deadline_ns)
{
    struct lwp_mock_world *mock_world = (struct lwp_mock_world *)(void *)world;
    (void)transports;
    (void)count;
    if (lwp_mock_step(mock_world->mock, mock_world->now_ns))
        return;
    const uint64_t due = lwp_mock_deadline(mock_world->mock);
    const uint64_t until = due < deadline_ns ? due : deadline_ns;
    if (until > mock_world->now_ns && until != LWP_NEVER)
        mock_world->now_ns = until;
    (void)lwp_mock_step(mock_world->mock, mock_world->now_ns);
}

static const struct lwp_world_ops mock_world_ops = {mock_now, mock_connect, mock_wait};

void lwp_mock_world_init(struct lwp_mock_world *world, struct lwp_mock *mock)
{
    *world = (struct lwp_mock_world){{&mock_world_ops}, mock, 0};
}
