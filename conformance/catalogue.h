/* SPDX-License-Identifier: MIT */
/* catalogue.h - the cases: those that are built in, and a user's own. */
#ifndef LWP_CONFORM_CATALOGUE_H
#define LWP_CONFORM_CATALOGUE_H

#include <stdio.h>

#include "mock_server/script/script.h"

/* A case file as it was when the program was built. */
struct embedded_file {
    const char *name;
    struct lwp_bytes text;
};

/** The built-in ones, ended by a NULL name; made by lwp-conform-embed. */
extern const struct embedded_file catalogue_embedded[];

struct catalogue {
    struct script script;
    SCRIPT_LIST(struct lwp_bytes) retired;  /* Ids that no case may ever have again. */
    SCRIPT_LIST(struct lwp_bytes) recorded; /* Ids of recorded exchanges. */
    SCRIPT_LIST(struct lwp_bytes) sections; /* Of the manual of the deployed server. */
};

/** Reads the list of retired ids: an id and a reason a line, # for comments. False if it can not be
 * read; said on stderr. */
bool catalogue_read_retired(struct catalogue *catalogue, const char *path);

/**
 * Reads where cases may say that the deployed server's answers are known from: the headings (##) of a
 * file whose name ends in .md, or the ids of recorded exchanges, one a line. Cases that are read once
 * there are headings must name a source of these. False if it can not be read; said on stderr.
 */
bool catalogue_read_source(struct catalogue *catalogue, const char *path);

/** Reads built-in cases. False, with errors noted, if they are broken (the build sees to it
 * that they are not). */
bool catalogue_read_embedded(struct catalogue *catalogue, const struct embedded_file *files);

/**
 * Reads a case file and lints it: syntax, requirement ids, needs, sources, retired ids. False if anything is
 * wrong; then all of it is in the script's errors, or said on stderr if the file can not be read.
 * `*text` is the file's text for the caller to free, or NULL.
 */
bool catalogue_read_file(struct catalogue *catalogue, const char *path, char **text, size_t *size);

/** Whether every row of the requirement table has an id of its own and a class, and a case if it is
 * said to be tested; told on stderr. */
bool catalogue_check_requirements(const struct catalogue *catalogue);

/** Whether the case names the requirement of this id. */
bool catalogue_names(const struct script_case *of, const char *requirement);

/** One line an error: FILE:LINE:COLUMN: found …, expected … */
void catalogue_print_errors(const struct catalogue *catalogue, FILE *out);

void catalogue_done(struct catalogue *catalogue);

#endif
