/* SPDX-License-Identifier: MIT */
/* suite.h - runs the chosen cases against a target and says how to exit. */
#ifndef LWP_CONFORM_SUITE_H
#define LWP_CONFORM_SUITE_H

#include "conformance/baseline.h"
#include "conformance/expectations.h"
#include "conformance/profile.h"
#include "conformance/report.h"
#include "conformance/trial.h"

/* Exit statuses. Where several apply, the first in this order counts: 64, 1, 3, 2, 4. */
enum suite_exit {
    SUITE_AS_EXPECTED = 0,
    SUITE_FAILED = 1,  /* An unexpected failure. */
    SUITE_STALE = 2,   /* An unexpected pass, or an expectation that is out of date. */
    SUITE_NOT_RUN = 3, /* The set-up failed, or the first sanity exchange. */
    SUITE_TOO_FEW = 4, /* Fewer cases ran than were asked for. */
    SUITE_USAGE = 64
};

enum { SUITE_MAX_JOBS = 64 };

/* What the suite can do to a target besides talking to it. All of it may be NULL. */
struct suite_host {
    /** Ends what is left of the target and has it started again; false if it does not accept
     * connections then. */
    bool (*restart)(struct suite_host *host);

    /** The target answers, and no case has begun yet. */
    void (*begin)(struct suite_host *host);

    /** Something has ended: looks at what the target takes. `id` is the last case. */
    void (*look)(struct suite_host *host, const char *id);

    /** The cases are over: ends the target and reports what it took as further results. */
    void (*judge)(struct suite_host *host, struct report *report);
};

struct suite {
    const struct script *cases;
    const char *const *filters; /* Globs; a case runs if any fits. */
    size_t filter_count;        /* 0: all run. */
    struct expectations *expectations;
    struct baseline *baseline;
    size_t min_cases;
    struct report *report;
    struct chop_list chops; /* Each case is run under each; none: as it is. */
    unsigned repeat;        /* At least 1. */
    unsigned reruns;        /* How often what failed is run again. */
    unsigned shard;         /* Of the cases that fit every `shards`-th runs, from this one on, */
    unsigned shards;        /* which is 0 for the first; 0 shards: all run. */
    bool shuffles;          /* They run a second time in another order, made from */
    uint64_t shuffle;       /* this seed. */
    bool read_only;         /* Cases that change the server are skipped. */
    bool isolates;          /* Finds out which case has killed the target. */
    uint64_t watchdog_ns;   /* The whole run is given up after so long; 0: never. */
    int interrupt;          /* Of interrupt_open(); -1: none. */
};

/** Whether the case is for servers and among those that were asked for. */
bool suite_wants(const struct suite *suite, const struct script_case *of);

/**
 * Runs the cases; every one of them is reported, in the order of the files, whatever happens. There
 * are `count` targets, at least one, that all lead to the same server: so many cases run side by
 * side, where they can not disturb each other.
 *
 * `*stuck` is set if a case did not end by itself when the time was up. It still runs then, so
 * nothing that it uses may be freed any more.
 */
enum suite_exit suite_run(const struct suite *suite, struct suite_target *const *targets,
                          size_t count, struct suite_host *host, bool *stuck);

/** Of two exit statuses the one that counts. */
enum suite_exit suite_worse(enum suite_exit a, enum suite_exit b);

#endif
