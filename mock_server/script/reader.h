/* SPDX-License-Identifier: MIT */
/* reader.h - what the two halves of the parser share: the tokens, and the errors. */
#ifndef LWP_SCRIPT_READER_H
#define LWP_SCRIPT_READER_H

#include "mock_server/script/lexer.h"

struct reader {
    struct script *script;
    const struct token *token;   /* The next one. */
    bool failed;                 /* The statement under way is broken: its rest is passed over. */
    bool in_pattern;             /* Fields are compared, not set. */
    bool bound_now;              /* The last value was a variable's first use. */
    struct script_case *in_case; /* The case under way, or NULL. */
    SCRIPT_LIST(struct lwp_bytes) variables; /* Bound so far in this case. */
    unsigned connections;                    /* Bits of those that are open; 1 is c1. */
    bool fence_owed; /* The last expect had `nothing`: a fence must follow. */
    struct script_place owed_at;
};

/** Whether the next token is this word or sign. */
bool reader_is(const struct reader *reader, const char *text);

/** Passes over the next token if it is this word or sign; whether it was. */
bool reader_take(struct reader *reader, const char *text);

/** Passes over the next token and returns it. */
const struct token *reader_next(struct reader *reader);

/** Notes that something else than the token was expected, once a statement. */
void reader_error(struct reader *reader, const struct token *found, const char *expected);

/** Insists on this sign. */
void reader_insist(struct reader *reader, const char *sign);

/** The token's text, zero-terminated in the arena. */
struct lwp_bytes reader_text(struct reader *reader, const struct token *token);

/** Whether the variable is bound; and binding it. The name is without its $. */
bool reader_is_bound(const struct reader *reader, struct lwp_bytes name);
void reader_bind(struct reader *reader, struct lwp_bytes name);

enum { READER_MAX_BODY_SIZE = 33554432 /* Bytes of one records=… or fill=…. */ };

/** Reads a number of at most `most`; `expected` is what is told otherwise. */
uint64_t reader_number(struct reader *reader, uint64_t most, const char *expected);

/** In records.c: reads what stands behind records=. */
void reader_records(struct reader *reader, struct script_frame *frame);

/* In frames.c: "text" or hex(…); the fields and the body of a frame; a frame with its kind. */
struct lwp_bytes reader_bytes(struct reader *reader);
void reader_assignments(struct reader *reader, struct script_frame *frame);
void reader_frame(struct reader *reader, struct script_frame *frame);

/* In steps.c: what stands behind the word of a step, which is at `at`. */
void reader_given(struct reader *reader, const struct token *at);
void reader_connect(struct reader *reader, const struct token *at);
void reader_send(struct reader *reader, const struct token *at);
void reader_send_raw(struct reader *reader, const struct token *at);
void reader_expect(struct reader *reader, const struct token *at);
void reader_any_order(struct reader *reader, const struct token *at);
void reader_fence(struct reader *reader, const struct token *at);
void reader_silent(struct reader *reader, const struct token *at);
void reader_close(struct reader *reader, const struct token *at);

#endif
