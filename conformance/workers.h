/* SPDX-License-Identifier: MIT */
/* workers.h - cases against the mock or a mutant of it, in processes of their own: what crashes or
 * never ends takes nothing with it. */
#ifndef LWP_CONFORM_WORKERS_H
#define LWP_CONFORM_WORKERS_H

#include <sys/types.h>

#include "conformance/result.h"
#include "lwp/bug/bug.h"

/* One mock in one dialect, and some cases in a row. */
struct worker {
    enum lwp_bug bug; /* LWP_BUG_NONE: the sound mock. */
    const struct lwp_dialect *dialect;
    size_t next;       /* The first case that is still to be run, */
    size_t end;        /* and the one behind the last. */
    uint8_t *verdicts; /* A byte a case, by the case's place: enum verdict. */
    pid_t pid;         /* While it runs. */
};

/** Memory for so many lists of verdicts, of `case_count` bytes each, that other processes share:
 * VERDICT_SKIP all over. NULL if there is none. */
uint8_t *workers_memory(size_t count, size_t case_count);
void workers_memory_done(uint8_t *memory, size_t count, size_t case_count);

/**
 * Runs all workers, `jobs` at a time, and fills in the verdicts of cases for servers. A process that
 * ends under a case, or takes more than five seconds of processor time for it, makes that case a
 * VERDICT_CRASH, and the worker goes on behind it.
 *
 * LWP_OK, or LWP_NO_MEMORY if there can be no more processes; then verdicts are missing.
 */
enum lwp_status workers_run(struct worker *workers, size_t count, size_t jobs,
                            const struct script *cases, const char *prefix);

#endif
