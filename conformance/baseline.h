/* SPDX-License-Identifier: MIT */
/* baseline.h - an earlier run, from its JSON Lines, and what has changed since: docs/ci.md. */
#ifndef LWP_CONFORM_BASELINE_H
#define LWP_CONFORM_BASELINE_H

#include <stdio.h>

#include "conformance/failure.h"
#include "lwp/wire/dialect.h"

enum baseline_change {
    BASELINE_FIXED,        /* Failed, and does not any more. */
    BASELINE_BROKEN,       /* Fails, and did not. */
    BASELINE_NEW,          /* Fails, and did not run then. */
    BASELINE_CLASS,        /* Fails, but in another way. */
    BASELINE_GONE,         /* Ran then, and is skipped or no case any more. */
    BASELINE_CHANGE_COUNT, /* From here on nothing has changed. */
    BASELINE_SAME = BASELINE_CHANGE_COUNT
};

/* What came of a case then. */
struct baseline_case {
    struct lwp_bytes id; /* Zero-terminated, as is the class. */
    enum verdict verdict;
    struct lwp_bytes class;
};

struct baseline_note {
    enum baseline_change change;
    const char *id;
    const char *before; /* The verdict, and behind a blank the class if there is one. */
    const char *after;
};

/* All zeros is none. */
struct baseline {
    struct script_arena arena;
    const char *path; /* NULL: there is no baseline. */
    SCRIPT_LIST(struct baseline_case) cases;
    SCRIPT_LIST(struct baseline_note) notes;
    size_t known[VERDICT_COUNT]; /* Cases of this run that failed then in the same way. */
    size_t same;
};

/**
 * Reads the JSON Lines of an earlier run in this dialect. False after saying on stderr what is wrong:
 * a file that can not be read, is no such report, is of another schema or dialect, or of a run that
 * did not end.
 */
bool baseline_read(struct baseline *baseline, const char *path, const struct lwp_dialect *dialect);

/** Compares what came of a case with what came of it then, and notes what has changed. Sets
 * `result->is_same` if nothing has. Nothing without a baseline. */
void baseline_apply(struct baseline *baseline, struct result *result);

/** The run is over: notes the cases that are none any more. */
void baseline_end(struct baseline *baseline, const struct script *cases);

/** Writes what has changed, a line each, and how much. */
void baseline_print(const struct baseline *baseline, FILE *out);

void baseline_done(struct baseline *baseline);

#endif
