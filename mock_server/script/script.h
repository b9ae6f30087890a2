/* SPDX-License-Identifier: MIT */
/* script.h - conformance cases as text (.lwps), read into a tree. docs/cases.md is the manual of
 * the language; its words come from the same tables as the codec. */
#ifndef LWP_SCRIPT_SCRIPT_H
#define LWP_SCRIPT_SCRIPT_H

#include "lwp/wire/message.h"
#include "mock_server/script/arena.h"

enum { SCRIPT_MAX_FILE_SIZE = 1048576 };

/* Where something stands, from 1. */
struct script_place {
    const char *file;
    unsigned line;
    unsigned column;
};

/* What a field is set to or compared with. */
enum script_value_kind {
    SCRIPT_NUMBER,
    SCRIPT_MAX,      /* All bits of the field. */
    SCRIPT_BYTES,    /* A string or hex(…). */
    SCRIPT_JOINED,   /* Strings and variables joined by +: `parts`. */
    SCRIPT_NONE,     /* json.PATH=none: there is no such member. */
    SCRIPT_VARIABLE, /* $name: bound at first use in a pattern, must match afterwards. */
    SCRIPT_WRONG,    /* The right value with its lowest bit turned over. */
    SCRIPT_ZERO,
    SCRIPT_OTHER_POLYNOMIAL, /* The checksum by the polynomial that is not the dialect's. */
};

/* One of several parts of a value: bytes, or a variable's name. */
struct script_part {
    bool is_variable;
    struct lwp_bytes bytes;
};

struct script_value {
    enum script_value_kind kind;
    uint64_t number;
    struct lwp_bytes bytes; /* Also the variable's name, without the $. */
    SCRIPT_LIST(struct script_part) parts;
};

enum script_relation {
    SCRIPT_EQUAL,
    SCRIPT_NOT_EQUAL,
    SCRIPT_LESS,
    SCRIPT_AT_MOST,
    SCRIPT_MORE,
    SCRIPT_AT_LEAST,
    SCRIPT_WITHIN /* in [value,upper] */
};

/* What a field of a frame is about. */
enum script_subject {
    SCRIPT_HEADER,  /* A header field: `header` says which. */
    SCRIPT_PAYLOAD, /* A field of the command's payload: `field` says which. */
    SCRIPT_JSON,    /* json.PATH: `path`, in which * stands for any element. */
    SCRIPT_CODE     /* code=WORD: what an error says, as text or as document (12.2). */
};

struct script_field {
    enum script_subject subject;
    enum lwp_header_index header;
    const struct lwp_field *field;
    struct lwp_bytes path;
    enum script_relation relation;
    struct script_value value;
    struct script_value upper;
    struct script_place place;
};

enum script_body {
    SCRIPT_BODY_NONE,    /* The payload fields make the payload. */
    SCRIPT_BODY_BYTES,   /* payload=…: the whole payload. */
    SCRIPT_BODY_RECORDS, /* records=…: of an ingest the payload, of a fetch-response the data. */
    SCRIPT_BODY_FILL     /* fill=SIZE[:seed]: so many bytes from a generator. */
};

/* A frame to be sent, or what one is compared with. */
struct script_frame {
    enum lwp_kind kind; /* LWP_KIND_UNKNOWN for `frame`, which says nothing of the kind. */
    const struct lwp_command *command;
    SCRIPT_LIST(struct script_field) fields;
    enum script_body body;
    struct lwp_bytes bytes; /* The payload, or the records as they stand on the wire. */
    uint64_t record_count;
    uint64_t fill_size;
    uint64_t fill_seed;
    bool compressed; /* records=lz4(…) */
    struct script_place place;
};

enum script_pattern_kind {
    SCRIPT_FRAME,
    SCRIPT_CLOSE, /* FIN or RST. */
    SCRIPT_CLOSE_FIN,
    SCRIPT_CLOSE_RST,
    SCRIPT_NOTHING /* No frame before the answer of the fence that must follow. */
};

struct script_pattern {
    enum script_pattern_kind kind;
    bool lenient; /* Accepted, but graded pass-lenient. */
    bool exactly; /* All header fields that are not named are zero. */
    struct script_frame frame;
};

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
    SCRIPT_END_CONNECTION
};

enum script_end { SCRIPT_END_FIN, SCRIPT_END_RST, SCRIPT_END_HALF };

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
};

enum script_level { SCRIPT_MUST, SCRIPT_SHOULD, SCRIPT_MAY };

struct script_case {
    struct lwp_bytes id; /* Zero-terminated, as are the texts below. */
    enum script_level level;
    SCRIPT_LIST(struct lwp_bytes) texts;
    SCRIPT_LIST(struct lwp_bytes) requirements;
    SCRIPT_LIST(struct lwp_bytes) needs;
    SCRIPT_LIST(struct script_step) steps;
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
    SCRIPT_LIST(struct script_error) errors;
};

/**
 * Reads the cases of one file and adds them to `script`, which begins as all zeros; all that is
 * wrong is added to its errors. `file` names the text in places and must outlive the script; the
 * text need not.
 *
 * LWP_OK; LWP_INVALID_PAYLOAD if there are errors: then the cases are as far as they could be read,
 * to be checked further but not to be run; LWP_PAYLOAD_TOO_LARGE for more than SCRIPT_MAX_FILE_SIZE
 * bytes; LWP_NO_MEMORY.
 */
enum lwp_status script_read(struct script *script, const char *file, struct lwp_bytes text);

/** Frees all that the script holds. */
void script_done(struct script *script);

/** Whether the step is for this dialect: it names none, or names it, or is for all that the expects
 * before it leave. */
bool script_step_applies(const struct script_step *step, const struct lwp_dialect *dialect);

/** The level's word: "must", "should" or "may". */
const char *script_level_word(enum script_level level);

#endif
