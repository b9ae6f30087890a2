/* SPDX-License-Identifier: MIT */
/* file.h - script files from disk, and what is wrong with them for people. */
#ifndef LWP_SCRIPT_FILE_H
#define LWP_SCRIPT_FILE_H

#include <stdio.h>

#include "mock_server/script/script.h"

/** The text of a file of at most 1 MiB, ended by a zero that does not count, for the caller to free; NULL,
 * with errno set (EFBIG: it is larger), if it can not be read. */
char *script_read_file(const char *path, size_t *size);

/** The same, and what is wrong is said on stderr. */
char *script_slurp(const char *path, size_t *size);

/** Writes a line about something that is wrong at a place of a script: as below. */
void script_write_problem(struct lwp_writer *out, const struct script_place *place,
                          const char *found, const char *expected);

/** One line an error: FILE:LINE:COLUMN: found …, expected … Characters that would end the line or
 * steer a terminal are shown as ?. */
void script_print_errors(const struct script *script, FILE *out);

#endif
