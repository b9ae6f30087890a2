/* SPDX-License-Identifier: MIT */
/* program.h - lwp-conform: what its commands have in common, and the commands. */
#ifndef LWP_CONFORM_PROGRAM_H
#define LWP_CONFORM_PROGRAM_H

#include "conformance/arguments.h"
#include "conformance/catalogue.h"
#include "conformance/suite.h"

struct program {
    struct arguments arguments;
    struct catalogue catalogue;       /* All cases, the user's own among them. */
    struct expectations expectations; /* Of --expect. */
    struct profile profile;           /* Of --profile; says nothing otherwise. */
    struct baseline baseline;         /* Of --baseline. */
    struct suite suite;               /* The cases that were asked for. */
    struct report report;
    struct lwp_address address; /* Of the server to be judged. */
    int interrupt;              /* Of interrupt_open(). */
    bool stuck;                 /* A case still runs: nothing may be freed. */
    char prefix[64];            /* Of the names of topics. */
};

/* The commands: cases and options are read, and each filter fits a case; the words behind the
 * command are in number. Each returns the exit status, with all said that is wrong. */
#define CONFORM_COMMAND(word, function, least, most, usage, text)                                  \
    enum suite_exit function(struct program *program);
#include "conformance/commands.def"
#undef CONFORM_COMMAND

/** --list: the cases that were asked for, and the features. */
enum suite_exit command_list(struct program *program);

/** The dialect that is given, else the profile's, else the deployed one. */
const struct lwp_dialect *program_dialect(const struct program *program);

/** What the server has, by default, by options and by the profile. */
unsigned program_features(const struct program *program);

/** Writes a blank and the word as a shell takes it back. */
void program_put_word(FILE *out, const char *word);

/** Writes the options that a command for one case needs as well. */
void program_put_again(FILE *out, const struct arguments *arguments);

/** Opens the reports, calls `run`, and closes them. */
enum suite_exit program_judge(struct program *program,
                              enum suite_exit (*run)(struct program *program));

/** Runs the suite as suite_run() does, against targets whose name is for reports. To be called within
 * `run` of program_judge(), perhaps more than once, but no more once `program->stuck` is set. */
enum suite_exit program_run_suite(struct program *program, struct suite_target *const *targets,
                                  size_t count, struct suite_host *host, const char *name);

#endif
