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

static bool is_before(const struct parcel *one, const struct parcel *other)
{
    return one->due_ns < other->due_ns || (one->due_ns == other->due_ns && one->turn < other->turn);
}

/* One heap of two that have no siblings; either may be empty. */
static struct parcel *meld(struct parcel *one, struct parcel *other)
{
    if (!one || !other)
        return one ? one : other;
    struct parcel *first = is_before(other, one) ? other : one;
    struct parcel *second = first == one ? other : one;
    second->next = first->child;
    first->child = second;
    return first;
}

void parcel_heap_add(struct parcel_heap *heap, struct parcel *parcel)
{
    parcel->turn = heap->turns++;
    parcel->child = NULL;
    parcel->next = NULL;
    heap->first = meld(heap->first, parcel);
    heap->count++;
    heap->memory += sizeof(*parcel) + parcel->size;
}

/* Melds neighbours, and hands them back last first. */
static struct parcel *meld_pairs(struct parcel *siblings)
{
    struct parcel *pairs = NULL;
    while (siblings) {
        struct parcel *one = siblings;
        struct parcel *other = one->next;
        siblings = other ? other->next : NULL;
        one->next = NULL;
        if (other)
            other->next = NULL;
        struct parcel *pair = meld(one, other);
        pair->next = pairs;
        pairs = pair;
    }
    return pairs;
}

struct parcel *parcel_heap_take(struct parcel_heap *heap)
{
    struct parcel *taken = heap->first;
    struct parcel *pairs = meld_pairs(taken->child);
    heap->first = NULL;
    while (pairs) {
        struct parcel *pair = pairs;
        pairs = pair->next;
        pair->next = NULL;
        heap->first = meld(heap->first, pair);
    }
    heap->count--;
    heap->memory -= sizeof(*taken) + taken->size;
    return taken;
}

void parcel_heap_drop(struct parcel_heap *heap)
{
    while (heap->first)
        free(parcel_heap_take(heap));
}
