/* SPDX-License-Identifier: MIT */
/* lexer.h - the words of a script. */
#ifndef LWP_SCRIPT_LEXER_H
#define LWP_SCRIPT_LEXER_H

#include "mock_server/script/script.h"

enum token_kind {
    TOKEN_WORD,     /* Letters, digits and _ - . / after a letter; also $name. */
    TOKEN_NUMBER,   /* In `number`. */
    TOKEN_NEGATIVE, /* A number with a minus before it; `number` is without. */
    TOKEN_DECIMAL,  /* 0.25, of at most six decimals: in `number`, millionths. */
    TOKEN_DURATION, /* In `number`, nanoseconds. */
    TOKEN_STRING,   /* In `bytes`, escapes resolved. */
    TOKEN_SIGN,     /* One or two characters of punctuation. */
    TOKEN_LINE_END,
    TOKEN_FILE_END,
    TOKEN_BAD /* Something that is none of these. */
};

struct token {
    enum token_kind kind;
    struct lwp_bytes text; /* As it stands in the file. */
    struct lwp_bytes bytes;
    uint64_t number;
    struct script_place place;
};

typedef SCRIPT_LIST(struct token) token_list;

/** Takes the text apart. Ends with TOKEN_FILE_END. False without memory. */
bool script_tokens(struct script_arena *arena, const char *file, struct lwp_bytes text,
                   token_list *tokens);

#endif
