/* SPDX-License-Identifier: MIT */
/* frames.h - the frames of a script made into bytes, and compared with frames that came. */
#ifndef LWP_SCRIPT_FRAMES_H
#define LWP_SCRIPT_FRAMES_H

#include "mock_server/script/script.h"

/* What a variable stands for. */
struct script_variable {
    struct lwp_bytes name;
    bool is_bytes;
    uint64_t number;
    struct lwp_bytes bytes;
};

/* The variables of one run of a case. Values and names live in the arena. */
struct script_variables {
    struct script_arena *arena;
    SCRIPT_LIST(struct script_variable) list;
};

/** The variable's value, or NULL if it is not bound. */
const struct script_variable *script_variable_of(const struct script_variables *variables,
                                                 struct lwp_bytes name);

/** Binds a variable; bytes are copied. */
void script_bind_number(struct script_variables *variables, struct lwp_bytes name, uint64_t number);
void script_bind_bytes(struct script_variables *variables, struct lwp_bytes name,
                       struct lwp_bytes bytes);

/** The bytes that a value stands for; empty if it stands for none. Joined ones live in the
 * variables' arena. */
struct lwp_bytes script_bytes_of(const struct script_value *value,
                                 const struct script_variables *variables);

/** The number that a value stands for; `right` is what would be right, without variables (NULL) none is
 * bound. What is no number is 0. */
uint64_t script_number_of(const struct script_value *value,
                          const struct script_variables *variables, uint64_t right);

/** How many bytes the frame can take at most. */
size_t script_frame_bound(const struct script_frame *frame,
                          const struct script_variables *variables);

/**
 * Writes the frame as the dialect wants it: what the script does not give is right. An ingest
 * without a batch_id takes `batch_id`.
 *
 * LWP_OK; LWP_FULL; LWP_INVALID_ARGUMENT if a variable is not bound or not of the field's type.
 */
enum lwp_status script_build(const struct script_frame *frame, const struct lwp_dialect *dialect,
                             const struct script_variables *variables, uint64_t batch_id,
                             struct lwp_writer *out);

enum { SCRIPT_MISMATCH_SIZE = 256 };

/* Why a frame is not what was expected: the first field that differs. */
struct script_mismatch {
    const char *field;
    char expected[SCRIPT_MISMATCH_SIZE];
    char actual[SCRIPT_MISMATCH_SIZE];
    long offset; /* Of the first byte that differs, from the frame's begin; -1 if there is none. */
};

/**
 * Compares a frame that came with a pattern's. Variables that are not bound are bound if all
 * matches. True if it matches; else `*mismatch` says why.
 */
bool script_match(const struct script_pattern *pattern, const struct lwp_frame *frame,
                  const struct lwp_dialect *dialect, struct script_variables *variables,
                  struct script_mismatch *mismatch);

/** Whether the relation holds between two numbers; `upper` counts for SCRIPT_WITHIN. */
bool script_holds(enum script_relation relation, uint64_t actual, uint64_t value, uint64_t upper);

/* What a field of the header must be, whatever the variables are. */
struct script_condition {
    enum lwp_header_index field;
    enum script_relation relation;
    uint64_t value;
    uint64_t upper;
};

/** The condition that a field of a pattern makes. False if it is about something else than the header,
 * or about a variable. */
bool script_condition_of(const struct script_field *field, struct script_condition *condition);

/** Whether the header is so. */
bool script_condition_holds(const struct script_condition *condition,
                            const struct lwp_header *header);

/* A frame that was seen, and what it is to its reader: lwp_frame_kind(), lwp_frame_command(). */
struct script_seen {
    const struct lwp_frame *frame;
    enum lwp_kind kind;
    int command;
    const struct lwp_dialect *dialect;
};

/** False if kind, command or a header field rule a match out: quick, and binds nothing. */
bool script_may_match(const struct script_pattern *pattern, const struct script_seen *seen);

/**
 * As script_match() for rules that watch peers: flags beside those of the kind do not matter, and the
 * payload must have its command's form only if the pattern is about it.
 */
bool script_match_seen(const struct script_pattern *pattern, const struct script_seen *seen,
                       struct script_variables *variables);

/** Writes what the pattern expects as one line, ended by a zero. */
void script_describe(const struct script_pattern *pattern, char *out, size_t size);

/** The sign of a relation, for example "<="; by enum script_relation. */
extern const char *const script_relation_signs[];

/** Writes bytes as their count and a printable text, cut to fit; ended by a zero. */
void script_print_bytes(struct lwp_bytes bytes, char *out, size_t size);

/** The frame's kind or command as scripts name it. */
const char *script_kind_word(const struct script_frame *frame);

#endif
