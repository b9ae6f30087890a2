/* SPDX-License-Identifier: MIT */
/* requirements.h - what the specification demands, one row a statement: requirements.def. */
#ifndef LWP_CONFORM_REQUIREMENTS_H
#define LWP_CONFORM_REQUIREMENTS_H

#include <stdio.h>

#include "lwp/wire/bytes.h"

struct requirement {
    const char *id;      /* "R<section>-<slug>" */
    const char *section; /* Of the specification. */
    const char *level;   /* "must", "should", "may" */
    const char *who;     /* "server", "client", "both" */
    const char *text;    /* In our words. */
    const char *covered; /* "tested", "untestable: why", "contradicted: D…" */
};

/* How a requirement is covered. */
enum requirement_class {
    REQUIREMENT_TESTED,
    REQUIREMENT_UNTESTABLE,
    REQUIREMENT_CONTRADICTED,
    REQUIREMENT_UNCLASSED
};

/** The class that the row's `covered` names. */
enum requirement_class requirement_class_of(const struct requirement *row);

/** Prints, a line a section, how many requirements there are and how many of them are tested,
 * untestable and contradicted, and the sums. */
void requirement_print_coverage(FILE *out);

/** The row of that id, or NULL. */
const struct requirement *requirement_of(struct lwp_bytes id);

/** The rows by index; NULL behind the last. */
const struct requirement *requirement_at(size_t index);

#endif
