/* SPDX-License-Identifier: MIT */
/* mock.h - what programs of this tree use of the mock beyond lwpmock.h: serving on the caller's
 * thread, and a world around a mock that is stepped. */
#ifndef LWP_MOCK_MOCK_H
#define LWP_MOCK_MOCK_H

#include "lwp/net/world.h"
#include "mock_server/lwpmock.h"

/** Opens the ports of all nodes, so that lwp_mock_address() knows them, and begins to serve: as
 * lwp_mock_start() does, but nothing happens until lwp_mock_serve(). */
enum lwp_status lwp_mock_open(struct lwp_mock *mock);

/**
 * After lwp_mock_open(), serves on the caller's thread until `stop_fd` becomes readable, then ends the
 * connections and closes the ports.
 *
 * LWP_OK after a stop; LWP_IO (errno set) if waiting failed; LWP_NO_MEMORY.
 */
enum lwp_status lwp_mock_serve(struct lwp_mock *mock, int stop_fd);

/** Whether any script is loaded. */
bool lwp_mock_is_scripted(struct lwp_mock *mock);

/** How long the process is to live on behind lwp_mock_serve(), as lwp_broker_drain_ns() has it. */
uint64_t lwp_mock_drain_ns(struct lwp_mock *mock);

/** Whether tokens were to be asked for and are not, see lwp_broker_fails_open(). */
bool lwp_mock_fails_open(struct lwp_mock *mock);

/* A world whose server is a mock in the same process and whose clock moves only while somebody
 * waits: 30 s of silence take no time. */
struct lwp_mock_world {
    struct lwp_world world; /* First, so that one is the other. */
    struct lwp_mock *mock;
    uint64_t now_ns;
};

/** Makes the world around a mock, which stays the caller's. */
void lwp_mock_world_init(struct lwp_mock_world *world, struct lwp_mock *mock);

#endif
