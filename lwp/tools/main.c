/* SPDX-License-Identifier: MIT */
/* lwp: a client of Lance servers, and tools for people who look at the protocol's bytes. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "lwp/tools/command.h"

enum { NAME_SIZE = 32, WORD_COLUMN = 9, ARGUMENTS_COLUMN = 26 };

static const struct {
    const char *word;
    int (*run)(int argc, char **argv);
    const char *arguments;
    const char *text;
} commands[] = {
#define LWP_PROGRAM_COMMAND(word, function, arguments, text) {word, function, arguments, text},
#include "lwp/tools/commands.def"
#undef LWP_PROGRAM_COMMAND
};

static const struct {
    int value;
    const char *text;
} exits[] = {
#define LWP_EXIT(value, name, text) {value, text},
#include "lwp/tools/exits.def"
#undef LWP_EXIT
};

enum {
    COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]),
    EXIT_COUNT = sizeof(exits) / sizeof(exits[0])
};

static int print_help(void)
{
    (void)puts("lwp - a client and tools for the Lance Wire Protocol\n\nUsage:");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        (void)printf("  lwp %-*s%-*s  %s\n", WORD_COLUMN, commands[i].word, ARGUMENTS_COLUMN,
                     commands[i].arguments, commands[i].text);
    (void)puts(
        "  lwp --help, --version\n\n"
        "ADDRESS is HOST, HOST:PORT, lwp://HOST:PORT, or lwps://HOST:PORT for TLS; the port\n"
        "is 1992 if none is given. TOPIC is an id, or a name that is not a number.\n"
        "'lwp COMMAND --help' tells more and shows an example.\n\nExit status:");
    for (size_t i = 0; i < EXIT_COUNT; i++)
        (void)printf("  %-4d%s\n", exits[i].value, exits[i].text);
    return EXIT_SOUND;
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(word, commands[i].word) == 0) {
            char name[NAME_SIZE]; /* So getopt names us. */
            (void)snprintf(name, sizeof(name), "lwp %s", word);
            argv[1] = name;
            return commands[i].run(argc - 1, argv + 1);
        }
    if (strcmp(word, "--help") == 0)
        return print_help();
    if (strcmp(word, "--version") == 0)
        return puts("lwp " LWP_VERSION_TEXT) < 0 ? EXIT_OUT_OF_REACH : EXIT_SOUND;
    (void)fprintf(stderr, "lwp: %s%s%s\nTry 'lwp --help'.\n",
                  word[0] ? "no such command" : "which command?", word[0] ? ": " : "", word);
    return EXIT_USAGE;
}
