/* SPDX-License-Identifier: MIT */
/* trial.h - a case, run as often as its verdict has to be trusted: under each way to cut what is
 * sent, repeated if that was asked for, and again if it failed. */
#ifndef LWP_CONFORM_TRIAL_H
#define LWP_CONFORM_TRIAL_H

#include "conformance/profile.h"
#include "conformance/run.h"

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

struct trial {
    struct suite_target *target;
    const struct script_case *of;
    unsigned ordinal;              /* The case's number, for topic names. */
    unsigned attempt;              /* Counts what was run of this case; begins at 0. */
    const struct chop_list *chops; /* Under each of which it is run; at least one. */
    unsigned repeat;               /* How often each time; at least 1. */
    unsigned reruns;   /* How often what failed is run again: if it does not stay it is a flake. */
    bool checks_alive; /* A sanity exchange follows every time, not only where there is a doubt. */
};

/**
 * Runs the case and fills in `*result`; what it holds lives in `arena`, which must be empty.
 *
 * All runs must be judged alike. Runs that were cut alike and are not make VERDICT_FLAKY; cut
 * otherwise, VERDICT_AXIS. After whatever may have harmed the target there is a sanity exchange;
 * VERDICT_CRASH if it fails, and nothing is run again then. Returns the status of the last exchange.
 */
enum lwp_status trial_run(struct trial *trial, struct script_arena *arena, struct result *result);

/**
 * Takes in another result of the same case. If it was judged otherwise, `into` becomes `as`, with
 * both verdicts and how each was come by in the reason, and the evidence of the one that is no
 * pass; true then.
 */
bool trial_differs(struct script_arena *arena, struct result *into, const struct result *other,
                   enum verdict as, const char *const how[2]);

/** Whether the verdict is a pass, perhaps a lenient one. */
bool trial_passed(enum verdict verdict);

/** Puts a copy of the result, with all that it holds, into the arena, which is emptied before. */
void trial_keep(struct script_arena *arena, struct result *to, const struct result *from);

#endif
