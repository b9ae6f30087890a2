/* SPDX-License-Identifier: MIT */
#include "lwp/bench/places.h"

#include <stddef.h>

struct places places_here(void)
{
    struct places places = {-1, 0};
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    (void)sched_getaffinity(0, sizeof(cpus), &cpus);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET((size_t)cpu, &cpus))
            continue;
        places.client = places.client < 0 ? cpu : places.client;
        places.server = cpu;
    }
    return places;
}

void places_take(int cpu, cpu_set_t *before)
{
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET((size_t)cpu, &cpus);
    if (before)
        (void)sched_getaffinity(0, sizeof(*before), before);
    (void)sched_setaffinity(0, sizeof(cpus), &cpus);
}

void places_leave(const cpu_set_t *before)
{
    (void)sched_setaffinity(0, sizeof(*before), before);
}
