/* SPDX-License-Identifier: MIT */
/* selftest.h - the suite against the mock in the same process. */
#ifndef LWP_CONFORM_SELFTEST_H
#define LWP_CONFORM_SELFTEST_H

#include "conformance/suite.h"
#include "mock_server/mock.h"

/* A mock that is made anew for every case. */
struct selftest_target {
    struct suite_target suite; /* First, so that one is the other. */
    const struct lwp_dialect *dialect;
    struct lwp_mock *mock;
    struct lwp_mock_world world;
};

/** Makes the target. Free it with selftest_target_done(). */
void selftest_target_init(struct selftest_target *target, const struct lwp_dialect *dialect,
                          const char *prefix);
void selftest_target_done(struct selftest_target *target);

/** The verdict on the mock, made anew, of one case. Does not ask what the case needs: the mock has it
 * all. */
enum verdict selftest_verdict(const struct script_case *of, const struct lwp_dialect *dialect,
                              const char *prefix);

/** Writes what each case sends, in each dialect, into files of the folder: seeds for fuzzers. False
 * if a file could not be written, said on stderr. */
bool selftest_export_seeds(const struct script *cases, const char *folder);

#endif
