/* SPDX-License-Identifier: MIT */
/* profile.h - what a server speaks and what it lacks, from a small file that lwp-conform probe writes
 * and people edit: docs/profiles.md. */
#ifndef LWP_CONFORM_PROFILE_H
#define LWP_CONFORM_PROFILE_H

#include "conformance/features.h"
#include "conformance/result.h"
#include "lwp/wire/dialect.h"

/* What a line says. */
struct profile_line {
    unsigned line;       /* 0 if there is none. */
    const char *text;    /* Word and value. */
    const char *comment; /* Behind the #; empty if there is none. */
};

/* What is at most so large, as a line says; no line: no limit is known. */
struct profile_limit {
    uint64_t most;
    struct profile_line said;
};

/* All zeros says nothing. */
struct profile {
    struct script_arena arena;         /* Owns the texts. */
    const char *path;                  /* As it was given, which must outlive the profile. */
    const struct lwp_dialect *dialect; /* NULL if it is not said. */
    struct profile_line without[FEATURE_MAX_COUNT]; /* By the order of feature_at(). */
    struct profile_limit max_payload;               /* Of a frame, in bytes. */
    struct profile_limit max_name;                  /* Of a topic, in bytes. */
    struct profile_limit max_records;               /* Of an ingest. */
};

/** Reads a profile. All that is wrong is told on stderr, as FILE:LINE:COLUMN: found …, expected …,
 * and makes it false; so does a file that can not be read. */
bool profile_read(struct profile *profile, const char *path);

/**
 * Whether a target with these features has what the case needs, and stays within the limits of the
 * profile. If not, `reason`, of RESULT_TEXT_SIZE bytes, says why, and names the line of the profile
 * that is behind it.
 */
bool profile_allows(const struct profile *profile, unsigned features, const struct script_case *of,
                    char *reason);

/** The features that are left of these by the profile. Without a token, a server that wants one has no
 * ingest. */
unsigned profile_features(const struct profile *profile, unsigned features, bool with_token);

void profile_done(struct profile *profile);

#endif
