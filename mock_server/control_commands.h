/* SPDX-License-Identifier: MIT */
/* control_commands.h - what the commands of the control socket are given, and their table. Shared by
 * control*.c and nobody else. */
#ifndef LWP_MOCK_CONTROL_COMMANDS_H
#define LWP_MOCK_CONTROL_COMMANDS_H

#include "mock_server/control.h"

enum { CONTROL_MAX_WORDS = 8 };

/* A command under way. */
struct control_call {
    struct lwp_mock *mock;
    char *words[CONTROL_MAX_WORDS]; /* The command is the first. */
    size_t count;
    FILE *out;
    struct control_talk *talk;
};

struct control_command {
    const char *word;
    const char *arguments;
    const char *help;
    size_t least; /* Words behind the command. */
    size_t most;
    enum control_outcome (*run)(struct control_call *call);
};

/** The commands, in the order of the help; the last one has no word. */
extern const struct control_command control_commands[];

/** The word at this place, or NULL. */
const char *control_word(const struct control_call *call, size_t at);

/** Answers `ok`, with a text if it is not empty. */
enum control_outcome control_ok(FILE *out, const char *text);

/** Answers `error`, with a text of one line. */
enum control_outcome control_error(FILE *out, const char *text);

/** Answers by the status; `invalid` says what LWP_INVALID_ARGUMENT means. */
enum control_outcome control_answer(const struct control_call *call, enum lwp_status status,
                                    const char *invalid);

/** Answers `ok N` and the N lines of the text, all of which have an end. */
enum control_outcome control_block(FILE *out, const char *text);

/* In control_scripts.c, for the table. */
enum control_outcome control_load(struct control_call *call);
enum control_outcome control_load_file(struct control_call *call);
enum control_outcome control_problems(struct control_call *call);
enum control_outcome control_arm(struct control_call *call);
enum control_outcome control_disarm(struct control_call *call);
enum control_outcome control_list(struct control_call *call);
enum control_outcome control_reset(struct control_call *call);
enum control_outcome control_verdict(struct control_call *call);
enum control_outcome control_dump(struct control_call *call);

#endif
