/* SPDX-License-Identifier: MIT */
/* options.h - command lines as tables: a row an option, from which the help is made, too. */
#ifndef LWP_TOOLS_OPTIONS_H
#define LWP_TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LWP_MAX_OPTIONS = 64, /* Of one program, without --help and --version. */
    LWP_EXIT_USAGE = 64   /* The exit status for wrong usage. */
};

/* A list of options ends with one that has no name. */
struct lwp_option {
    const char *name;  /* Without its dashes. */
    const char *value; /* What its value is called in the help; NULL if it takes none. */
    const char *help;  /* Lines, parted by \n. */

    /* Takes the value (NULL if there is none) into the caller's struct. Returns NULL, or what is
     * wrong with it: a static text. */
    const char *(*take)(void *into, const char *value);
};

struct lwp_program {
    const char *name;                    /* As it is called; in front of what is wrong. */
    const char *version;                 /* The line that --version prints, without its end. */
    const char *before;                  /* The help in front of the options, whole lines; */
    const char *after;                   /* and the help behind them. */
    const struct lwp_option *options[3]; /* Lists of options; NULL for those that are not needed. */
};

/**
 * Reads a command line, all options of which write into `into`. --help and --version need no row.
 *
 * Returns -1, with the words that are no options from argv[*rest] on; or the exit status with which
 * to end: 0 after --help and --version, LWP_EXIT_USAGE after all is said that is wrong.
 */
int lwp_options_read(const struct lwp_program *program, int argc, char **argv, void *into,
                     int *rest);

/** Says on stderr what is wrong, and where there is help; returns LWP_EXIT_USAGE. `value` may be
 * NULL. */
int lwp_options_problem(const struct lwp_program *program, const char *problem, const char *value);

/** The row of this name, or NULL. */
const struct lwp_option *lwp_option_named(const struct lwp_option *options, const char *name);

/* Values. Decimal digits, with nothing around them; false, and nothing set, for anything else and
 * for what lies outside of `least` to `most`. */

/** A plain number. */
bool lwp_read_number(const char *text, uint64_t least, uint64_t most, uint64_t *number);

/** A number of bytes, perhaps with K, M or G behind it: 2^10, 2^20 and 2^30 bytes. */
bool lwp_read_size(const char *text, uint64_t least, uint64_t most, uint64_t *size);

/** A time with its unit, us, ms, s, m or h, in nanoseconds; 0 needs no unit. */
bool lwp_read_duration(const char *text, uint64_t most_ns, uint64_t *duration_ns);

#endif
