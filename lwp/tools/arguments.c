/* SPDX-License-Identifier: MIT */
#include "lwp/tools/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "lwp dump - what is in these bytes, and what is wrong with them?\n"
    "\n"
    "Usage: lwp dump [OPTION]... [FILE|-]...\n"
    "\n"
    "  --format F     hex, binary or pcap (pcapng too)      [by content]\n"
    "  --dialect D    lance, spec, lance-py, or guess       [guess]\n"
    "  --port N       of a capture, only the streams from or to this TCP port\n"
    "                 [the streams in which there is a sound header]\n"
    "  --records      the records of ingests and fetch responses, one a line\n"
    "  --json         JSON Lines, an object an event; docs/dump.md explains it\n"
    "  --help, --version\n"
    "\n"
    "Reads hex text (plain, or as xxd and hexdump -C print it), raw bytes of one direction\n"
    "of a connection, or a capture; from standard input if there is no FILE. Prints every\n"
    "frame with its offset in the stream, and every fault. After a fault it goes on at the\n"
    "next header whose checksum is right, and says how many bytes it skipped.\n"
    "\n"
    "Tokens and records are printed as they are: mind whom you show the output.\n"
    "\n"
    "Exit status: 0 all is sound; 1 there is a fault; 3 a file cannot be read, or nothing\n"
    "can be written; 64 wrong usage. Notes are no faults.\n"
    "\n"
    "Examples:\n"
    "  echo 4c414e4301200000061e9c53 0000000000000000 0000000000000000 \\\n"
    "       00000000 00000000 00000000 00000000 | lwp dump\n"
    "  tcpdump -i lo -w talk.pcap port 1992;  lwp dump --records talk.pcap\n";

int arguments_problem(const char *problem, const char *value)
{
    (void)fprintf(stderr, "lwp dump: %s%s%s\nTry 'lwp dump --help'.\n", problem, value ? ": " : "",
                  value ? value : "");
    return EXIT_USAGE;
}

static int take_format(struct arguments *arguments, const char *value)
{
    static const char *const words[] = {
        [FORMAT_HEX] = "hex", [FORMAT_BINARY] = "binary", [FORMAT_PCAP] = "pcap"};
    for (enum input_format i = FORMAT_HEX; i <= FORMAT_PCAP; i++)
        if (strcmp(words[i], value) == 0) {
            arguments->format = i;
            return -1;
        }
    return arguments_problem("no such format", value);
}

static int take_dialect(struct arguments *arguments, const char *value)
{
    arguments->dialect = lwp_dialect_named(value);
    if (!arguments->dialect && strcmp(value, "guess") != 0)
        return arguments_problem("no such dialect", value);
    return -1;
}

static int take_port(struct arguments *arguments, const char *value)
{
    char *end = NULL;
    errno = 0;
    const unsigned long long port = strtoull(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end || errno || port < 1 || port > UINT16_MAX)
        return arguments_problem("--port takes a number from 1 to 65535", value);
    arguments->port = (uint16_t)port;
    return -1;
}

enum { OPTION_HELP = 'h', OPTION_VERSION = 'V' };

/* One option. Returns -1, or the exit status with which to end. */
static int take_option(struct arguments *arguments, int option, const char *value)
{
    switch (option) {
    case 'f':
        return take_format(arguments, value);
    case 'd':
        return take_dialect(arguments, value);
    case 'p':
        return take_port(arguments, value);
    case 'r':
        arguments->records = true;
        return -1;
    case 'j':
        arguments->json = true;
        return -1;
    default:
        return arguments_problem("wrong usage", NULL);
    }
}

int arguments_read(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {
        {"format", required_argument, NULL, 'f'},
        {"dialect", required_argument, NULL, 'd'},
        {"port", required_argument, NULL, 'p'},
        {"records", no_argument, NULL, 'r'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, OPTION_HELP},
        {"version", no_argument, NULL, OPTION_VERSION},
        {NULL, 0, NULL, 0},
    };
    int option = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == OPTION_HELP || option == OPTION_VERSION) {
            (void)fputs(option == OPTION_HELP ? help : "lwp " LWP_VERSION_TEXT "\n", stdout);
            return EXIT_SOUND;
        }
        const int status = take_option(arguments, option, optarg);
        if (status >= 0)
            return status;
    }
    arguments->files = argv + optind;
    return -1;
}
