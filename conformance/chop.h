/* SPDX-License-Identifier: MIT */
/* chop.h - how what is sent is cut into writes, or joined: nothing that a server may judge by. */
#ifndef LWP_CONFORM_CHOP_H
#define LWP_CONFORM_CHOP_H

#include "lwp/wire/bytes.h"
#include "lwp/wire/dice.h"

enum {
    CHOP_MAX_SIZES = 8,
    CHOP_LARGEST = 64,      /* What a piece of a random size has at most. */
    CHOP_MOST_PIECES = 4096 /* Of one send; what is left then goes in one write. */
};

enum chop_kind { CHOP_NONE, CHOP_SIZES, CHOP_RANDOM, CHOP_COALESCE };

struct chop {
    const char *name; /* As it was given. */
    enum chop_kind kind;
    size_t sizes[CHOP_MAX_SIZES]; /* From the begin of each frame, in order; 0 is all the rest. */
    size_t count;                 /* The last size repeats to the frame's end. */
    uint64_t seed;
};

enum { CHOP_MOST = 16 };

struct chop_list {
    struct chop items[CHOP_MOST];
    size_t count;
};

/**
 * Reads one of
 *
 *   none       each send in one write
 *   N,N,…      pieces of these sizes, 1 to 65535, at most 8 of them; `*` is all the rest of the frame
 *   rand:SEED  pieces of 1 to 64 bytes
 *   coalesce   what is sent is held back until something is waited for, and goes in one write
 *
 * False if it is none of them. The text must outlive the result.
 */
bool chop_read(const char *text, struct chop *chop);

/** Reads one more into the list. False if it is none, or the list is full. */
bool chop_add(struct chop_list *list, const char *text);

/** Adds all that a verdict may not hang on: none, `1`, `43,1`, `44,*`, random ones by the seed 1,
 * coalesce. False if the list has no room. */
bool chop_add_axes(struct chop_list *list);

/* Bytes that are cut. */
struct chop_cut {
    const struct chop *chop;
    uint64_t dice; /* For CHOP_RANDOM. */
    struct lwp_bytes rest;
    size_t frame_left; /* Of the frame that has been begun. */
    size_t next;       /* Of the sizes. */
    size_t pieces;     /* That were taken. */
};

/** Begins to cut; the bytes must stay while it goes on. A NULL `chop` is none. */
void chop_begin(struct chop_cut *cut, const struct chop *chop, struct lwp_bytes bytes);

/** The next piece; empty when there is none left. */
struct lwp_bytes chop_next(struct chop_cut *cut);

#endif
