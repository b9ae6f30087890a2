/* SPDX-License-Identifier: MIT */
#include "lwp/bench/duel.h"

#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "lwp/bench/places.h"
#include "lwp/bench/producer.h"
#include "lwp/net/clock.h"

/* In batches of not quite 32 KiB. Logs double when they are full: behind the warm-up, which is a little
 * more than 128 MiB, they have room for the whole burst, and buffers have their size. */
enum {
    WARM_UP = 4112,
    BURST = 4064,            /* Some 0.05 s. */
    BURST_COUNT = MOST_PAIRS /* Of each server. */
};

/* What a server has stored and given back serves the next one. Else most of the time would go into
 * how the kernel, and on a virtual machine its host, hands out memory: it varies from run to run
 * and is not what servers differ in. */
static void keep_memory(void)
{
    (void)mallopt(M_MMAP_MAX, 0);
    (void)mallopt(M_TRIM_THRESHOLD, INT_MAX);
    (void)mallopt(M_ARENA_MAX, 1);
}

struct burst {
    double wall_ns; /* For one batch. */
    double cpu_ns;
};

static bool measure_burst(const struct server *server, const struct load *load, struct burst *burst)
{
    struct producer_stream stream = {.fd = producer_connect(server_port(server)), .load = load};
    bool ok = stream.fd >= 0 && producer_send(&stream, WARM_UP) && producer_settle(&stream);
    const double cpu_ns = server_cpu_ns(server);
    const uint64_t start_ns = lwp_clock_now();
    ok = ok && producer_send(&stream, BURST) && producer_settle(&stream);
    burst->wall_ns = (double)(lwp_clock_now() - start_ns) / BURST;
    burst->cpu_ns = (server_cpu_ns(server) - cpu_ns) / BURST;
    if (stream.fd >= 0)
        (void)close(stream.fd);
    return ok;
}

static bool run_burst(enum server_kind kind, int cpu, const struct load *load, struct burst *burst)
{
    struct server *server = server_start(kind, cpu);
    const bool ok = server && measure_burst(server, load, burst);
    server_stop(server);
    return ok;
}

/* Who is first changes from pair to pair. */
static bool run_bursts(const enum server_kind kinds[2], int cpu, const struct load *load,
                       struct burst bursts[2][BURST_COUNT])
{
    for (size_t i = 0; i < BURST_COUNT; i++) {
        const size_t first = i % 2;
        if (!run_burst(kinds[first], cpu, load, &bursts[first][i]) ||
            !run_burst(kinds[!first], cpu, load, &bursts[!first][i]))
            return false;
    }
    return true;
}

static struct measurement compare(struct burst bursts[2][BURST_COUNT], bool by_cpu)
{
    double times[2][BURST_COUNT];
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < BURST_COUNT; i++)
            times[side][i] = by_cpu ? bursts[side][i].cpu_ns : bursts[side][i].wall_ns;
    return measurement_of(times[0], times[1], BURST_COUNT);
}

bool duel(enum server_kind ours, enum server_kind reference, struct outcome *outcome)
{
    static const struct shape shape = {LWP_CRC32, 32768, 100, 0};
    const enum server_kind kinds[2] = {ours, reference};
    const struct places places = places_here();
    struct burst bursts[2][BURST_COUNT];
    cpu_set_t before;
    struct load *load = load_new(&shape);
    if (!load)
        return false;
    keep_memory();
    places_take(places.client, &before);
    const bool ok = run_bursts(kinds, places.server, load, bursts);
    places_leave(&before);
    load_free(load);
    if (ok)
        *outcome = (struct outcome){compare(bursts, false), compare(bursts, true)};
    return ok;
}

bool visits(size_t count, size_t *good, double *ns)
{
    const struct places places = places_here();
    struct server *server = server_start(SERVER_MOCK_WITH_SCRIPT, places.server);
    if (!server)
        return false;
    const uint64_t start_ns = lwp_clock_now();
    *good = producer_visit(server_port(server), count);
    *ns = (double)(lwp_clock_now() - start_ns) / (double)count;
    server_stop(server);
    return true;
}
