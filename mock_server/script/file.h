/* SPDX-License-Identifier: MIT */
/* file.h - script files from disk, and what is wrong with them for people. */
#ifndef LWP_SCRIPT_FILE_H
#define LWP_SCRIPT_FILE_H

#include <stdio.h>

#include "mock_server/script/script.h"

/** The text of a file of at most 1 MiB, ended by a zero that does not count, for the caller to free; NULL,
 * said on stderr, if it can not be read. */
char *script_slurp(const char *path, size_t *size);

/** One line an error: FILE:LINE:COLUMN: found …, expected … Characters that would end the line or
 * steer a terminal are shown as ?. */
void script_print_errors(const struct script *script, FILE *out);

#endif
