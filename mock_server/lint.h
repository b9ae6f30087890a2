/* SPDX-License-Identifier: MIT */
/* lint.h - lwp-mock lint: is there anything wrong with these scripts? */
#ifndef LWP_MOCK_LINT_H
#define LWP_MOCK_LINT_H

#include <stdio.h>

enum lint_exit { LINT_FINE = 0, LINT_UNREADABLE = 3, LINT_BROKEN = 64 };

/**
 * Runs `lint [--dialect D] FILE...`; argv[0] is "lint". All that is wrong with the files goes to
 * `out`, a line each: FILE:LINE:COLUMN: found …, expected … With a dialect, scenarios that name none
 * are checked against it. What is wrong with the usage, and files that can not be read, are said on
 * stderr.
 *
 * LINT_FINE; LINT_BROKEN for a script with an error and for wrong usage, also if a file could not be
 * read as well; LINT_UNREADABLE.
 */
enum lint_exit lint_main(int argc, char **argv, FILE *out);

#endif
