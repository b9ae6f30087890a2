/* SPDX-License-Identifier: MIT */
/* suite.h - runs the chosen cases against a target, one after the other, and says how to exit. */
#ifndef LWP_CONFORM_SUITE_H
#define LWP_CONFORM_SUITE_H

#include "conformance/baseline.h"
#include "conformance/expectations.h"
#include "conformance/profile.h"
#include "conformance/report.h"
#include "conformance/run.h"

/* Exit statuses. Where several apply, the first in this order counts: 64, 1, 3, 2, 4. */
enum suite_exit {
    SUITE_AS_EXPECTED = 0,
    SUITE_FAILED = 1,  /* An unexpected failure. */
    SUITE_STALE = 2,   /* An unexpected pass, or an expectation that is out of date. */
    SUITE_NOT_RUN = 3, /* The set-up failed, or the first sanity exchange. */
    SUITE_TOO_FEW = 4, /* Fewer cases ran than were asked for. */
    SUITE_USAGE = 64
};

/* Whom the cases are run against. */
struct suite_target {
    /** Makes the target ready for a case; may change `run`. NULL if there is nothing to do. False
     * if it can not. */
    bool (*prepare)(struct suite_target *target, const struct script_case *of);
    struct run_options run;
    unsigned features;             /* What it has: feature_bit(). */
    const struct profile *profile; /* What is known of it. */
    uint64_t epoch_ns;             /* The wall time when the world's clock was 0. */
};

struct suite {
    const struct script *cases;
    const char *const *filters; /* Globs; a case runs if any fits. */
    size_t filter_count;        /* 0: all run. */
    struct expectations *expectations;
    struct baseline *baseline;
    size_t min_cases;
    struct report *report;
};

/** Whether the case is for servers and among those that were asked for. */
bool suite_wants(const struct suite *suite, const struct script_case *of);

/** Runs the cases; every one of them is reported, whatever happens. */
enum suite_exit suite_run(const struct suite *suite, struct suite_target *target);

/** Of two exit statuses the one that counts. */
enum suite_exit suite_worse(enum suite_exit a, enum suite_exit b);

#endif
