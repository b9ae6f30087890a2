/* SPDX-License-Identifier: MIT */
/* control.h - the mock's control socket: a line is a command, and has an answer. All is called with
 * the mock's mutex held, by its service. */
#ifndef LWP_MOCK_CONTROL_H
#define LWP_MOCK_CONTROL_H

#include <stdio.h>

#include "mock_server/lwpmock.h"

enum {
    CONTROL_MAX_LINE = 65536, /* Bytes of a command, without the end of the line. */
    CONTROL_MAX_CLIENTS = 16
};

/* The socket and its clients. */
struct control;

/**
 * Opens the control socket of the mock's options: a unix socket that only its owner may use, if `where`
 * has a slash or no colon; else a port of the loopback.
 *
 * LWP_OK; LWP_INVALID_ARGUMENT for a port of another address or no place at all; LWP_UNRESOLVED or LWP_IO, with errno set;
 * LWP_NO_MEMORY.
 */
enum lwp_status control_open(struct lwp_mock *mock, const char *where, struct control **control);

/** Ends it, with all its clients, and removes the unix socket; NULL is fine. */
void control_close(struct control *control);

/** Where it listens, numerically, or the path. Lives as long as the control. */
const char *control_address(const struct control *control);

/** Whether a place is one for a control socket, as far as can be seen from its text. */
bool control_takes(const char *where);

/** After each pass of the service: answers those who await something, and forgets clients that have gone. */
void control_step(struct control *control);

/** When control_step() has something to do although nothing happens, on the machine's clock. */
uint64_t control_due_ns(const struct control *control);

/* With whom a command is spoken, and what it waits for if it is not answered yet. */
struct control_talk {
    struct lwp_mock *mock;
    bool is_unix; /* They are at a unix socket, so they have our user's rights. */
    char what[256];
    uint64_t until_ns; /* On the machine's clock. */
};

enum control_outcome {
    CONTROL_ANSWERED, /* The answer is written. */
    CONTROL_WAITS,    /* Ask control_resume() whenever anything has happened. */
    CONTROL_UNKNOWN   /* That was no command; the answer says so. */
};

/** Runs one command, which must have no line end; `line` is changed. Writes the answer, whole lines. */
enum control_outcome control_run(struct control_talk *talk, char *line, FILE *out);

/** Whether what is waited for has happened, or can not happen any more, or the time is over: then
 * writes the answer. */
enum control_outcome control_resume(const struct control_talk *talk, FILE *out);

#endif
