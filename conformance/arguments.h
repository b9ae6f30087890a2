/* SPDX-License-Identifier: MIT */
/* arguments.h - the command line of lwp-conform. */
#ifndef LWP_CONFORM_ARGUMENTS_H
#define LWP_CONFORM_ARGUMENTS_H

#include "lwp/wire/dialect.h"

enum { MAX_REPEATED = 64 };

struct arguments {
    const char *words[2]; /* What stands without an option. */
    int word_count;
    bool list;
    bool verbose;
    const struct lwp_dialect *dialect;
    const char *filters[MAX_REPEATED];
    size_t filter_count;
    const char *case_files[MAX_REPEATED];
    size_t case_file_count;
    unsigned with;
    unsigned without;
    const char *auth_token;
    const char *expect;
    const char *text;
    const char *jsonl;
    const char *junit;
    uint64_t min_cases;
    uint64_t time_factor;
    uint64_t seed;
};

/** Reads the command line. Returns -1, or the exit status with which to end (help, wrong usage). */
int arguments_read(int argc, char **argv, struct arguments *arguments);

/** Says what is wrong on stderr; returns the exit status for it. */
int arguments_problem(const char *problem, const char *value);

#endif
