/* SPDX-License-Identifier: MIT */
/* script.h - scenarios and conformance cases as text (.lwps), read into a tree. docs/script.md and
 * docs/cases.md are the manuals of the language; its words come from the same tables as the codec. */
#ifndef LWP_SCRIPT_SCRIPT_H
#define LWP_SCRIPT_SCRIPT_H

#include "mock_server/script/scenario.h"

enum { SCRIPT_MAX_FILE_SIZE = 1048576 };

enum script_step_kind {
    SCRIPT_GIVEN_TOPIC, /* Makes a topic, perhaps with records; binds $v and $v.name. */
    SCRIPT_GIVEN_NAME,  /* Binds $v to a topic name that nobody uses. */
    SCRIPT_CONNECT,
    SCRIPT_SEND,
    SCRIPT_SEND_RAW,
    SCRIPT_EXPECT,    /* One of the patterns, as the next thing that happens. */
    SCRIPT_ANY_ORDER, /* All of the patterns, in any order. */
    SCRIPT_FENCE,     /* The answer to this frame comes next: nothing came before it. */
    SCRIPT_SILENT,
    SCRIPT_END_CONNECTION,
    SCRIPT_RUN,          /* Client role: what the client under test is told to do. */
    SCRIPT_EXPECT_REPORT /* Client role: what the client said. */
};

/* run COMMAND name=value …, expect report name RELATION value …: one of the pairs. */
struct script_argument {
    struct lwp_bytes name; /* Zero-terminated. */
    enum script_relation relation;
    struct script_value value;
    struct script_place place;
};

enum { SCRIPT_MAX_CONNECTIONS = 16 };

struct script_step {
    enum script_step_kind kind;
    struct script_place place;
    unsigned dialects;   /* Bits by the order of lwp_dialects[]; 0 for all. */
    bool is_else;        /* An untagged expect behind tagged ones: for the dialects they leave. */
    unsigned covered;    /* Then the dialects that the tagged ones take. */
    unsigned connection; /* 0 is c1. */
    struct lwp_bytes variable;
    size_t name_size; /* Of a given name, in bytes; 0 for any. */
    struct lwp_bytes raw;
    SCRIPT_LIST(struct script_frame) frames;
    SCRIPT_LIST(struct script_pattern) patterns;
    uint64_t least_ns; /* `within` or `silent`; 0 if not given. */
    uint64_t most_ns;
    enum script_end end;
    struct lwp_bytes command; /* run: zero-terminated. */
    SCRIPT_LIST(struct script_argument) arguments;
};

enum script_level { SCRIPT_MUST, SCRIPT_SHOULD, SCRIPT_MAY };

enum script_role { SCRIPT_SERVER, SCRIPT_CLIENT };

struct script_case {
    struct lwp_bytes id; /* Zero-terminated, as are the texts below. */
    enum script_level level;
    enum script_role role; /* Whom it judges. */
    SCRIPT_LIST(struct lwp_bytes) texts;
    SCRIPT_LIST(struct lwp_bytes) requirements;
    SCRIPT_LIST(struct lwp_bytes)
    recorded; /* Where the deployed server's answers are known from: */
    SCRIPT_LIST(struct lwp_bytes) sections; /* ids of corpus/golden, headings of docs/server.md. */
    SCRIPT_LIST(struct lwp_bytes) needs;
    SCRIPT_LIST(struct script_step) steps;
    struct script_play play; /* Client role: the mock's rules for this case. */
    struct script_place place;
};

/* One thing that is wrong with a script. */
struct script_error {
    struct script_place place;
    struct lwp_bytes found; /* Zero-terminated. */
    const char *expected;   /* Static or in the arena. */
};

struct script {
    struct script_arena arena;
    SCRIPT_LIST(struct script_case) cases;
    SCRIPT_LIST(struct script_scenario) scenarios;
    SCRIPT_LIST(struct script_error) errors;
};

/**
 * Reads the cases and scenarios of one file and adds them to `script`, which begins as all zeros; all
 * that is wrong is added to its errors. Statements before the first case or scenario make a scenario
 * without an id. `file` names the text in places and must outlive the script; the
 * text need not.
 *
 * LWP_OK; LWP_INVALID_PAYLOAD if there are errors: then the cases are as far as they could be read,
 * to be checked further but not to be run; LWP_PAYLOAD_TOO_LARGE for more than SCRIPT_MAX_FILE_SIZE
 * bytes; LWP_NO_MEMORY.
 */
enum lwp_status script_read(struct script *script, const char *file, struct lwp_bytes text);

/**
 * Checks the scenarios that name no dialect, and the cases for clients, against the dialect that the
 * mock speaks, and adds what it cannot say to the errors. script_read() has done so for scenarios
 * that name theirs.
 *
 * LWP_OK; LWP_INVALID_PAYLOAD if the dialect lacks something; LWP_NO_MEMORY.
 */
enum lwp_status script_check_dialect(struct script *script, const struct lwp_dialect *dialect);

/** Frees all that the script holds. */
void script_done(struct script *script);

/** Whether the step is for this dialect: it names none, or names it, or is for all that the expects
 * before it leave. */
bool script_step_applies(const struct script_step *step, const struct lwp_dialect *dialect);

/** Whether the step can fail a case. */
bool script_step_judges(const struct script_step *step);

/** The level's word: "must", "should" or "may". */
const char *script_level_word(enum script_level level);

#endif
