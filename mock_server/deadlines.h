/* SPDX-License-Identifier: MIT */
/* deadlines.h - what is due next among many: a heap, in which asking costs nothing and a change
 * costs the logarithm of their number. */
#ifndef LWP_MOCK_DEADLINES_H
#define LWP_MOCK_DEADLINES_H

#include "lwp/wire/status.h"

/* Something that can be due; embedded in what it belongs to. Its members belong to the heap. */
struct deadline {
    uint64_t at_ns;
    size_t place;
};

struct deadlines_item {
    struct deadline *deadline;
};

/* All zeros is an empty heap. */
struct deadlines {
    struct deadlines_item *items; /* Each is due no earlier than the one at (place - 1) / 2. */
    size_t count;
    size_t capacity;
};

/** Takes the deadline in, at LWP_NEVER. LWP_OK, or LWP_NO_MEMORY. It must stay where it is until
 * deadlines_remove(). */
enum lwp_status deadlines_add(struct deadlines *deadlines, struct deadline *deadline);

/** Takes it out again. */
void deadlines_remove(struct deadlines *deadlines, struct deadline *deadline);

/** Moves a deadline that was taken in to another time. */
void deadlines_set(struct deadlines *deadlines, struct deadline *deadline, uint64_t at_ns);

/** The earliest one, or NULL if there is none at all. */
struct deadline *deadlines_first(const struct deadlines *deadlines);

/** Frees the heap, not what was in it. */
void deadlines_done(struct deadlines *deadlines);

#endif
