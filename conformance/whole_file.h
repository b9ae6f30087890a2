/* SPDX-License-Identifier: MIT */
/* whole_file.h - a file that is there whole or not at all: written aside, then renamed. */
#ifndef LWP_CONFORM_WHOLE_FILE_H
#define LWP_CONFORM_WHOLE_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

struct whole_file {
    FILE *out;            /* What is to be written goes here. */
    char path[PATH_MAX];  /* Where it is to be, links followed. */
    char aside[PATH_MAX]; /* Where it is until then. */
};

/** Begins to write. False, with errno set, if there can be no such file. */
bool whole_file_open(struct whole_file *file, const char *path);

/** Puts what was written in its place, with the old file's permissions if there was one. False, with
 * errno set, if it could not be: the old file is as it was then. */
bool whole_file_close(struct whole_file *file);

#endif
