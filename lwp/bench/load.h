/* SPDX-License-Identifier: MIT */
/* load.h - the bytes that a measurement works on. */
#ifndef LWP_BENCH_LOAD_H
#define LWP_BENCH_LOAD_H

#include "lwp/wire/frame.h"

enum { LOAD_HEADER_COUNT = 64 /* A power of two. */ };

/* What a load is to be. */
struct shape {
    enum lwp_polynomial polynomial;
    size_t size;        /* Of the payload, in bytes; with records, the most that it may have. */
    size_t record_size; /* Of each record's value; 0 for a payload of plain bytes. */
    uint32_t texts;     /* Which ones the values are; then the payload is what LZ4 makes of the
                           records, in the form of the dialect `lance`. 0: they are plain bytes. */
};

/* One sound frame and what else the candidates need. Both candidates of a gate share it. */
struct load {
    struct lwp_frame_rules rules;
    size_t record_size;
    uint32_t record_count;
    uint8_t *room;            /* Where the frame is: from a multiple of 64 bytes on. */
    struct lwp_bytes frame;   /* As on the wire. */
    struct lwp_bytes payload; /* The frame's, in place. */
    struct lwp_bytes plain;   /* The records: the payload, or what it becomes if it is packed. */
    uint8_t *values;          /* The records' values, one after the other. */
    uint8_t *out;             /* As large as the frame with its records as they are. */
    uint8_t *unpacked;        /* Where they are if the payload is packed. */
    uint32_t slices[8][256];  /* The polynomial's table, worked out bit by bit. */
    uint8_t headers[LOAD_HEADER_COUNT][LWP_HEADER_SIZE]; /* Sound ones, of all kinds. */
};

/** Makes a load; NULL if there is no memory. */
struct load *load_new(const struct shape *shape);

void load_free(struct load *load);

#endif
