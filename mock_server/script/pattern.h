/* SPDX-License-Identifier: MIT */
/* pattern.h - frames as a script says them: to be sent, or to be compared with what came. */
#ifndef LWP_SCRIPT_PATTERN_H
#define LWP_SCRIPT_PATTERN_H

#include "lwp/wire/message.h"
#include "mock_server/script/arena.h"

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
    bool is_sized;     /* size=…: the payload, however it was made, is cut or padded with zeros */
    uint64_t cut_size; /* to so many bytes. */
    bool compressed;   /* records=lz4(…) */
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

/* How one side ends a connection. */
enum script_end { SCRIPT_END_FIN, SCRIPT_END_RST, SCRIPT_END_HALF };

#endif
