/* SPDX-License-Identifier: MIT */
#include "mock_server/parcel.h"

#include <stdlib.h>

struct parcel *parcel_new(size_t size)
{
    struct parcel *parcel = malloc(sizeof(*parcel) + size);
    if (!parcel)
        return NULL;
    parcel->next = NULL;
    parcel->due_ns = 0;
    parcel->size = size;
    stage_fate_init(&parcel->fate);
    return parcel;
}

struct parcel *parcel_of(struct lwp_bytes wire, const struct stage_fate *fate)
{
    struct parcel *parcel = parcel_new(wire.size);
    if (!parcel)
        return NULL;
    if (wire.size)
        memcpy(parcel->wire, wire.data, wire.size);
    if (fate)
        parcel->fate = *fate;
    return parcel;
}

struct parcel *parcel_sealed(const struct lwp_frame *frame, const struct lwp_dialect *dialect)
{
    struct lwp_frame sealed = *frame;
    struct parcel *parcel = parcel_new(lwp_frame_size(frame));
    if (!parcel)
        return NULL;
    lwp_frame_seal(&sealed, dialect->polynomial, 0);
    struct lwp_writer out = lwp_writer_on(parcel->wire, parcel->size);
    (void)lwp_frame_encode(&sealed, &out);
    return parcel;
}

static void insert(struct parcel_list *list, struct parcel **place, struct parcel *parcel)
{
    parcel->next = *place;
    *place = parcel;
    if (!parcel->next)
        list->last = parcel;
    list->count++;
    list->memory += sizeof(*parcel) + parcel->size;
}

void parcel_add(struct parcel_list *list, struct parcel *parcel)
{
    insert(list, list->last ? &list->last->next : &list->first, parcel);
}

void parcel_add_by_time(struct parcel_list *list, struct parcel *parcel)
{
    struct parcel **place = &list->first;
    if (list->last && list->last->due_ns <= parcel->due_ns)
        place = &list->last->next;
    while (*place && (*place)->due_ns <= parcel->due_ns)
        place = &(*place)->next;
    insert(list, place, parcel);
}

struct parcel *parcel_take(struct parcel_list *list, struct parcel **place)
{
    struct parcel *parcel = *place;
    *place = parcel->next;
    if (list->last == parcel) {
        list->last = NULL;
        for (struct parcel *p = list->first; p; p = p->next)
            list->last = p;
    }
    list->count--;
    list->memory -= sizeof(*parcel) + parcel->size;
    parcel->next = NULL;
    return parcel;
}

void parcel_drop_all(struct parcel_list *list)
{
    while (list->first)
        free(parcel_take(list, &list->first));
}
