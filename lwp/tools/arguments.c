/* SPDX-License-Identifier: MIT */
#include "lwp/tools/arguments.h"

#include "lwp/tools/options.h"

static const char before[] = "lwp dump - what is in these bytes, and what is wrong with them?\n"
                             "\n"
                             "Usage: lwp dump [OPTION]... [FILE|-]...\n"
                             "\n";

static const char after[] =
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

static const char *take_format(void *into, const char *value)
{
    static const char *const words[] = {
        [FORMAT_HEX] = "hex", [FORMAT_BINARY] = "binary", [FORMAT_PCAP] = "pcap"};
    for (enum input_format i = FORMAT_HEX; i <= FORMAT_PCAP; i++)
        if (strcmp(words[i], value) == 0) {
            ((struct arguments *)into)->format = i;
            return NULL;
        }
    return "no such format";
}

static const char *take_dialect(void *into, const char *value)
{
    const struct lwp_dialect *dialect = lwp_dialect_named(value);
    ((struct arguments *)into)->dialect = dialect;
    return dialect || strcmp(value, "guess") == 0 ? NULL : "no such dialect";
}

static const char *take_port(void *into, const char *value)
{
    uint64_t port = 0;
    if (!lwp_read_number(value, 1, UINT16_MAX, &port))
        return "--port takes a number from 1 to 65535";
    ((struct arguments *)into)->port = (uint16_t)port;
    return NULL;
}

static const char *take_records(void *into, const char *value)
{
    (void)value;
    ((struct arguments *)into)->records = true;
    return NULL;
}

static const char *take_json(void *into, const char *value)
{
    (void)value;
    ((struct arguments *)into)->json = true;
    return NULL;
}

static const struct lwp_option options[] = {
    {"format", "F", "hex, binary or pcap (pcapng too)      [by content]", take_format},
    {"dialect", "D", "lance, spec, lance-py, or guess       [guess]", take_dialect},
    {"port", "N",
     "of a capture, only the streams from or to this TCP port\n"
     "[the streams in which there is a sound header]",
     take_port},
    {"records", NULL, "the records of ingests and fetch responses, one a line", take_records},
    {"json", NULL, "JSON Lines, an object an event; docs/dump.md explains it", take_json},
    {NULL, NULL, NULL, NULL},
};

static const struct lwp_program program = {
    .name = "lwp dump",
    .version = "lwp " LWP_VERSION_TEXT,
    .before = before,
    .after = after,
    .options = {options},
};

int arguments_read(int argc, char **argv, struct arguments *arguments)
{
    int rest = 0;
    const int status = lwp_options_read(&program, argc, argv, arguments, &rest);
    arguments->files = argv + rest;
    return status;
}
