/* SPDX-License-Identifier: MIT */
#include "mock_server/deadlines.h"

#include <stdlib.h>

#include "lwp/session/session.h"

static void put(struct deadlines *deadlines, size_t place, struct deadline *deadline)
{
    deadlines->items[place].deadline = deadline;
    deadline->place = place;
}

static void rise(struct deadlines *deadlines, struct deadline *deadline)
{
    size_t place = deadline->place;
    while (place && deadlines->items[(place - 1) / 2].deadline->at_ns > deadline->at_ns) {
        put(deadlines, place, deadlines->items[(place - 1) / 2].deadline);
        place = (place - 1) / 2;
    }
    put(deadlines, place, deadline);
}

static void sink(struct deadlines *deadlines, struct deadline *deadline)
{
    size_t place = deadline->place;
    for (;;) {
        size_t below = 2 * place + 1;
        if (below >= deadlines->count)
            break;
        if (below + 1 < deadlines->count &&
            deadlines->items[below + 1].deadline->at_ns < deadlines->items[below].deadline->at_ns)
            below++;
        if (deadlines->items[below].deadline->at_ns >= deadline->at_ns)
            break;
        put(deadlines, place, deadlines->items[below].deadline);
        place = below;
    }
    put(deadlines, place, deadline);
}

enum lwp_status deadlines_add(struct deadlines *deadlines, struct deadline *deadline)
{
    enum { FIRST_CAPACITY = 16 };
    if (deadlines->count == deadlines->capacity) {
        const size_t capacity = deadlines->capacity ? 2 * deadlines->capacity : FIRST_CAPACITY;
        struct deadlines_item *items = realloc(deadlines->items, capacity * sizeof(*items));
        if (!items)
            return LWP_NO_MEMORY;
        deadlines->items = items;
        deadlines->capacity = capacity;
    }
    deadline->at_ns = LWP_NEVER;
    put(deadlines, deadlines->count++, deadline);
    return LWP_OK;
}

void deadlines_remove(struct deadlines *deadlines, struct deadline *deadline)
{
    struct deadline *last = deadlines->items[--deadlines->count].deadline;
    if (last == deadline)
        return;
    put(deadlines, deadline->place, last);
    rise(deadlines, last);
    sink(deadlines, last);
}

void deadlines_set(struct deadlines *deadlines, struct deadline *deadline, uint64_t at_ns)
{
    const bool earlier = at_ns < deadline->at_ns;
    if (at_ns == deadline->at_ns)
        return;
    deadline->at_ns = at_ns;
    if (earlier)
        rise(deadlines, deadline);
    else
        sink(deadlines, deadline);
}

struct deadline *deadlines_first(const struct deadlines *deadlines)
{
    return deadlines->count ? deadlines->items[0].deadline : NULL;
}

void deadlines_done(struct deadlines *deadlines)
{
    free(deadlines->items);
    *deadlines = (struct deadlines){.items = NULL};
}
