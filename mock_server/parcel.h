/* SPDX-License-Identifier: MIT */
/* parcel.h - an encoded answer that waits for something, and lists of such. */
#ifndef LWP_MOCK_PARCEL_H
#define LWP_MOCK_PARCEL_H

#include "mock_server/stage.h"

struct parcel {
    struct parcel *next;
    struct stage_fate fate;
    uint64_t due_ns; /* Once it waits for nothing else: when it is sent. */
    /* The heap's: */
    uint64_t turn;
    struct parcel *child;
    size_t size;
    uint8_t wire[]; /* The bytes, sealed or as a script wants them. */
};

/* All zeros is empty. */
struct parcel_list {
    struct parcel *first;
    struct parcel *last;
    size_t count;
    size_t memory; /* Bytes that the parcels take. */
};

/* Parcels by the time when they are due; of those due at once the one first that was added first. A
 * pairing heap: adding costs nothing, taking the logarithm of their number. All zeros is empty. */
struct parcel_heap {
    struct parcel *first;
    uint64_t turns;
    size_t count;
    size_t memory; /* Bytes that the parcels take. */
};

/** A parcel with room for so many bytes and nothing set; NULL without memory. Free it with free(). */
struct parcel *parcel_new(size_t size);

/** A parcel with these bytes and this fate (NULL: nothing in particular); NULL without memory. */
struct parcel *parcel_of(struct lwp_bytes wire, const struct stage_fate *fate);

/** A parcel with the frame, sealed for the dialect; NULL without memory. */
struct parcel *parcel_sealed(const struct lwp_frame *frame, const struct lwp_dialect *dialect);

/** Its bytes. */
static inline struct lwp_bytes parcel_bytes(const struct parcel *parcel)
{
    return (struct lwp_bytes){parcel->wire, parcel->size};
}

/** Puts a parcel at the end. */
void parcel_add(struct parcel_list *list, struct parcel *parcel);

/** Takes out the parcel that stands at `*place`. */
struct parcel *parcel_take(struct parcel_list *list, struct parcel **place);

/** Frees all. */
void parcel_drop_all(struct parcel_list *list);

/** Adds a parcel, by its `due_ns`. */
void parcel_heap_add(struct parcel_heap *heap, struct parcel *parcel);

/** Takes the first one out of a heap that is not empty. */
struct parcel *parcel_heap_take(struct parcel_heap *heap);

/** Frees all. */
void parcel_heap_drop(struct parcel_heap *heap);

#endif
