/* SPDX-License-Identifier: MIT */
/* Where consumers keep their places: as files would hold them, but in memory, and with saves that fail. */
#include <stdlib.h>

#include "lwp/client/offset_store_state.h"
#include "lwp/sim/sim.h"

static enum lwp_status load(void *user, const struct lwp_offset_key *key, uint64_t *offset)
{
    const struct sim_actor *actor = user;
    const struct sim_place *place = &actor->place;
    if (place->size == 0)
        return LWP_STORE_EMPTY;
    return offset_layout_of(place->layout)
        ->read(key, (struct lwp_bytes){place->file, place->size}, offset);
}

static enum lwp_status save(void *user, const struct lwp_offset_key *key, uint64_t offset)
{
    struct sim_actor *actor = user;
    struct sim_place *place = &actor->place;
    struct sim_dice *dice = &actor->sim->dice;
    struct sim_place next = *place;
    struct lwp_writer out = lwp_writer_on(next.file, sizeof(next.file));
    const enum lwp_status status = offset_layout_of(place->layout)->write(key, offset, &out);
    const bool fails = place->is_failing && sim_one_in(dice, 10);
    next.size = out.size;
    if (status == LWP_OK && (!fails || sim_one_in(dice, 2)))
        *place = next;
    return fails ? LWP_IO : status;
}

void sim_store_make(struct sim_actor *actor)
{
    static const struct lwp_offset_store_calls calls = {load, save, NULL, NULL};
    struct sim_dice *dice = &actor->sim->dice;
    const bool in_memory = sim_one_in(dice, 3);
    actor->place.layout = sim_one_in(dice, 2) ? LWP_OFFSETS_PYTHON : LWP_OFFSETS_RUST;
    actor->place.is_failing = !in_memory && !actor->sim->weather.calm && sim_one_in(dice, 2);
    const enum lwp_status status = in_memory
                                       ? lwp_offset_store_memory(&actor->store)
                                       : lwp_offset_store_custom(&calls, actor, &actor->store);
    if (status != LWP_OK)
        abort();
}
