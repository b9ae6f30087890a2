/* SPDX-License-Identifier: MIT */
/* features.h - what a case can need of its target: features.def. */
#ifndef LWP_CONFORM_FEATURES_H
#define LWP_CONFORM_FEATURES_H

#include "mock_server/script/script.h"

enum { FEATURE_MAX_COUNT = 32 };

struct feature {
    const char *name;
    bool by_default; /* Taken for granted unless the user says otherwise. */
    const char *text;
};

/** The feature of that name, or NULL. */
const struct feature *feature_named(struct lwp_bytes name);

/** The features by index, at most FEATURE_MAX_COUNT; NULL behind the last. */
const struct feature *feature_at(size_t index);

/** Whether the feature of that name is among the case's needs. */
bool feature_needed(const struct script_case *of, const char *name);

/** The feature's index. */
size_t feature_index(const struct feature *feature);

/** The feature's bit in a set. */
unsigned feature_bit(const struct feature *feature);

/** The set of those that are taken for granted. */
unsigned features_by_default(void);

#endif
