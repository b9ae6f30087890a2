/* SPDX-License-Identifier: MIT */
/* match_state.h - a comparison under way, shared by match.c and match_json.c and nobody else. */
#ifndef LWP_SCRIPT_MATCH_STATE_H
#define LWP_SCRIPT_MATCH_STATE_H

#include "lwp/json/json.h"
#include "mock_server/script/frames.h"

/* A comparison under way. */
struct comparison {
    const struct script_pattern *pattern;
    const struct lwp_frame *frame;
    const struct lwp_dialect *dialect;
    struct script_variables *variables;
    struct script_mismatch *mismatch;
    struct lwp_message message; /* Of a control frame with a known command. */
    struct lwp_json *json;      /* The payload as a document, once it was asked for. */
};

/* Notes where it differs; returns false. */
bool comparison_differ(struct comparison *comparison, const char *field, long offset);

/* Compares a number, or bytes, that stand at `offset` of the frame, or nowhere in particular (-1). */
bool comparison_number(struct comparison *comparison, const struct script_field *field,
                       uint64_t actual, const char *name, long offset);
bool comparison_bytes(struct comparison *comparison, const struct script_field *field,
                      struct lwp_bytes actual, const char *name, long offset);

/* In match_json.c: reads the payload as a document, once; compares a member, or an error's code. */
void comparison_read_json(struct comparison *comparison);
bool comparison_json(struct comparison *comparison, const struct script_field *field);
bool comparison_code(struct comparison *comparison, const struct script_field *field);

#endif
