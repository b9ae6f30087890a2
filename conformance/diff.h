/* SPDX-License-Identifier: MIT */
/* diff.h - what two servers said to the same case, frame by frame and field by field: docs/ci.md
 * tells how to read it. */
#ifndef LWP_CONFORM_DIFF_H
#define LWP_CONFORM_DIFF_H

#include "conformance/result.h"
#include "lwp/wire/dialect.h"

enum { DIFF_SIDES = 2, DIFF_VALUE_SIZE = 256, DIFF_LINE_SIZE = 512 };

/* One thing in which the servers differ. */
struct difference {
    unsigned connection;         /* 1 is c1. */
    unsigned frame;              /* Counts from 1, acks apart from the others; 0: its end. */
    char field[DIFF_VALUE_SIZE]; /* By name; empty where a frame or an end is missing. */
    char value[DIFF_SIDES][DIFF_VALUE_SIZE]; /* Of the field. */
    char line[DIFF_SIDES][DIFF_LINE_SIZE];   /* The whole frame, or what came in its place. */
};

/* What one server made of the case. */
struct diff_side {
    const struct result *result;
    const struct lwp_dialect *dialect;
};

/* Called for each difference. */
typedef void diff_found(void *context, const struct difference *difference);

/**
 * Compares what came on each connection of the case: the decoded fields of acks, of all other frames,
 * and whether the connection ended. Apart, because an ack may be overtaken (D27).
 *
 * What servers choose as they like is no difference: ids of topics, also in texts, created_at,
 * timestamps that both have set, topics that are not named `prefix`…, the values of a cluster's
 * status, the order of members, checksums (they were right), FIN or RST.
 *
 * Returns the number of differences; at the first frame that only one side has, the connection's
 * comparison ends.
 */
size_t diff_results(const struct diff_side sides[DIFF_SIDES], const char *prefix, diff_found *found,
                    void *context);

#endif
