/* SPDX-License-Identifier: MIT */
/* arguments.h - the command line of lwp-conform: options.def. */
#ifndef LWP_CONFORM_ARGUMENTS_H
#define LWP_CONFORM_ARGUMENTS_H

#include "conformance/suite.h"

enum { MAX_REPEATED = 64, MAX_AGAIN = 3 * MAX_REPEATED };

struct texts {
    const char *items[MAX_REPEATED];
    size_t count;
};

/* An option as it was given. */
struct given {
    const char *name;
    const char *value; /* NULL if it takes none. */
};

typedef const struct lwp_dialect *dialect_choice;

struct chosen_seed {
    bool given;
    uint64_t seed;
};

struct shard {
    uint64_t index; /* From 1. */
    uint64_t count; /* 0: not given. */
};

/* The types of the kinds of options. */
#define OPTION_TYPE_FLAG bool
#define OPTION_TYPE_TEXT const char *
#define OPTION_TYPE_LIST struct texts
#define OPTION_TYPE_NUMBER(least, most) uint64_t
#define OPTION_TYPE_OTHER(type, read) type

struct arguments {
#define CONFORM_OPTION(kind, member, name, value, flags, help) OPTION_TYPE_##kind member;
#include "conformance/options.def"
#undef CONFORM_OPTION
    const char *command;           /* The first word; NULL if there is none. */
    struct texts words;            /* What stands behind it and is no option. */
    struct given again[MAX_AGAIN]; /* The options that a command for one of the cases needs, too. */
    size_t again_count;
    uint64_t seen; /* Bits: which options were given. */
};

/**
 * Reads the command line; what is not given keeps its value. Returns -1, or the exit status with
 * which to end (help, wrong usage).
 */
int arguments_read(int argc, char **argv, struct arguments *arguments);

/** The files of the reports that are wanted, for report_open(). */
void arguments_reports(const struct arguments *arguments, const char *paths[static REPORT_COUNT]);

/** Says what is wrong on stderr; returns the exit status for it. `value` may be NULL. */
int arguments_problem(const char *problem, const char *value);

#endif
