/* SPDX-License-Identifier: MIT */
/* command.h - what the commands of `lwp` have in common: how they are called and how they end. */
#ifndef LWP_TOOLS_COMMAND_H
#define LWP_TOOLS_COMMAND_H

enum exit_status {
#define LWP_EXIT(value, name, text) EXIT_##name = (value),
#include "lwp/tools/exits.def"
#undef LWP_EXIT
};

/* A command: takes what stands behind its word, with "lwp WORD" in argv[0], and returns the exit
 * status. Whatever is wrong is said. */
#define LWP_PROGRAM_COMMAND(word, function, arguments, text) int function(int argc, char **argv);
#include "lwp/tools/commands.def"
#undef LWP_PROGRAM_COMMAND

#endif
