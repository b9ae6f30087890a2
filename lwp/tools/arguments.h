/* SPDX-License-Identifier: MIT */
/* arguments.h - the command line of `lwp dump`. */
#ifndef LWP_TOOLS_ARGUMENTS_H
#define LWP_TOOLS_ARGUMENTS_H

#include "lwp/wire/dialect.h"

enum input_format { FORMAT_BY_CONTENT, FORMAT_HEX, FORMAT_BINARY, FORMAT_PCAP };

struct arguments {
    const struct lwp_dialect *dialect; /* NULL: guess. */
    enum input_format format;
    uint16_t port; /* 0: any. */
    bool records;
    bool json;
    char **files; /* Ended by NULL; none at all means standard input. */
};

/** Reads what stands behind `lwp dump`; argv[0] is what getopt calls us. Returns -1, or the exit status with
 * which to end: then all is said. */
int arguments_read(int argc, char **argv, struct arguments *arguments);

#endif
