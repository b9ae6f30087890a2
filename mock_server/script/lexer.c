/* SPDX-License-Identifier: MIT */
#include "mock_server/script/lexer.h"

struct lexer {
    struct script_arena *arena;
    struct lwp_bytes text;
    size_t at;
    struct script_place place;
};

static int peek(const struct lexer *lexer, size_t ahead)
{
    const size_t at = lexer->at + ahead;
    return at < lexer->text.size ? lexer->text.data[at] : -1;
}

static void advance(struct lexer *lexer, size_t count)
{
    for (; count; count--, lexer->at++) {
        if (peek(lexer, 0) == '\n') {
            lexer->place.line++;
            lexer->place.column = 0;
        }
        lexer->place.column++;
    }
}

static bool is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_in_word(int c)
{
    return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '/';
}

/* A * belongs to a word only as a step of a path: json.topics.*.id, but not null*3. */
static size_t word_size(const struct lexer *lexer)
{
    size_t size = 1;
    while (is_in_word(peek(lexer, size)) ||
           (peek(lexer, size) == '*' && peek(lexer, size - 1) == '.'))
        size++;
    return size;
}

/* Blanks, comments and continued lines. */
static void skip_blanks(struct lexer *lexer)
{
    for (;;) {
        const int c = peek(lexer, 0);
        if (c == '\\' && peek(lexer, 1) == '\n')
            advance(lexer, 2);
        else if (c == ' ' || c == '\t' || c == '\r')
            advance(lexer, 1);
        else if (c == '#')
            while (peek(lexer, 0) != '\n' && peek(lexer, 0) != -1)
                advance(lexer, 1);
        else
            return;
    }
}

static struct token begin(const struct lexer *lexer, enum token_kind kind)
{
    return (struct token){
        .kind = kind, .text = lwp_bytes_from(lexer->text, lexer->at), .place = lexer->place};
}

static void end(struct lexer *lexer, struct token *token, size_t size)
{
    token->text.size = size;
    advance(lexer, size);
}

static int hex_digit(int c)
{
    if (is_digit(c))
        return c - '0';
    const int lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

struct unit {
    const char *word;
    uint64_t factor;
    enum token_kind kind;
};

static const struct unit units[] = {
    {"", 1, TOKEN_NUMBER},
    {"K", 1024, TOKEN_NUMBER},
    {"M", 1048576, TOKEN_NUMBER},
    {"us", 1000, TOKEN_DURATION},
    {"ms", 1000000, TOKEN_DURATION},
    {"s", 1000000000, TOKEN_DURATION},
    {"m", 60000000000, TOKEN_DURATION},
};

/* Multiplies and adds; false past 64 bits. */
static bool shift_in(uint64_t *value, uint64_t factor, uint64_t digit)
{
    uint64_t product = 0;
    return !__builtin_mul_overflow(*value, factor, &product) &&
           !__builtin_add_overflow(product, digit, value);
}

/* The digits at the front, from `size` on; returns where they end. `*fits` becomes false past 64
 * bits. */
static size_t take_digits(const struct lexer *lexer, size_t size, int base, uint64_t *number,
                          bool *fits)
{
    for (;; size++) {
        const int digit = hex_digit(peek(lexer, size));
        if (digit < 0 || digit >= base)
            return size;
        *fits = *fits && shift_in(number, (uint64_t)base, (uint64_t)digit);
    }
}

static const struct unit *unit_of(struct lwp_bytes suffix)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (lwp_bytes_equal(suffix, lwp_bytes_text(units[i].word)))
            return &units[i];
    return NULL;
}

static struct token lex_number(struct lexer *lexer)
{
    struct token token = begin(lexer, TOKEN_BAD);
    const bool is_hex = peek(lexer, 0) == '0' && (peek(lexer, 1) | 0x20) == 'x';
    const size_t prefix = is_hex ? 2 : 0;
    bool fits = true;
    const size_t digits = take_digits(lexer, prefix, is_hex ? 16 : 10, &token.number, &fits);
    size_t size = digits;
    while (is_letter(peek(lexer, size)) || is_digit(peek(lexer, size)))
        size++;
    end(lexer, &token, size);
    const struct unit *unit = unit_of(lwp_bytes_from(token.text, digits));
    if (unit && fits && digits > prefix && shift_in(&token.number, unit->factor, 0))
        token.kind = unit->kind;
    return token;
}

/* 0.25 in millionths; more than six decimals are none. */
static struct token lex_decimal(struct lexer *lexer)
{
    enum { DECIMALS = 6 };
    struct token token = begin(lexer, TOKEN_BAD);
    bool fits = true;
    const size_t point = take_digits(lexer, 0, 10, &token.number, &fits);
    const size_t size = take_digits(lexer, point + 1, 10, &token.number, &fits);
    for (size_t i = size - point - 1; i < DECIMALS; i++)
        fits = fits && shift_in(&token.number, 10, 0);
    end(lexer, &token, size);
    if (fits && size - point - 1 <= DECIMALS)
        token.kind = TOKEN_DECIMAL;
    return token;
}

static bool is_at_decimal(const struct lexer *lexer)
{
    size_t size = 0;
    while (is_digit(peek(lexer, size)))
        size++;
    return size > 0 && peek(lexer, size) == '.' && is_digit(peek(lexer, size + 1));
}

/* The minus stands alone, so that the number behind it is lexed as any other. */
static struct token lex_negative(struct lexer *lexer)
{
    struct token token = begin(lexer, TOKEN_BAD);
    const size_t begin_at = lexer->at;
    advance(lexer, 1);
    const struct token number = lex_number(lexer);
    token.text.size = lexer->at - begin_at;
    token.number = number.number;
    if (number.kind == TOKEN_NUMBER)
        token.kind = TOKEN_NEGATIVE;
    return token;
}

/* The byte that the escape at the backslash means, and its size in the text; -1 if it means none.
 */
static int unescape(const struct lexer *lexer, size_t at, size_t *size)
{
    *size = 2;
    switch (peek(lexer, at + 1)) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case '"':
        return '"';
    case '\\':
        return '\\';
    case 'x': {
        const int high = hex_digit(peek(lexer, at + 2));
        const int low = high < 0 ? -1 : hex_digit(peek(lexer, at + 3));
        *size = 4;
        return low < 0 ? -1 : high * 16 + low;
    }
    default:
        return -1;
    }
}

/* The size of the string up to its closing quote, which may be missing. */
static size_t string_size(const struct lexer *lexer)
{
    size_t size = 1;
    while (peek(lexer, size) != '"' && peek(lexer, size) != '\n' && peek(lexer, size) != -1)
        size += peek(lexer, size) == '\\' && peek(lexer, size + 1) > '\n' ? 2 : 1;
    return size;
}

static struct token lex_string(struct lexer *lexer)
{
    struct token token = begin(lexer, TOKEN_BAD);
    const size_t size = string_size(lexer);
    const bool closed = peek(lexer, size) == '"';
    uint8_t *bytes = script_arena_take(lexer->arena, size + 1);
    size_t count = 0;
    bool sound = bytes && closed;
    for (size_t at = 1; sound && at < size;) {
        size_t step = 1;
        const int c = peek(lexer, at) == '\\' ? unescape(lexer, at, &step) : peek(lexer, at);
        sound = c >= 0;
        bytes[count++] = (uint8_t)c;
        at += step;
    }
    if (sound)
        token.kind = TOKEN_STRING;
    token.bytes = (struct lwp_bytes){bytes, count};
    end(lexer, &token, closed ? size + 1 : size);
    return token;
}

static struct token lex_sign(struct lexer *lexer)
{
    static const char *const signs[] = {"!=", "<=", ">=", "->", "=", "<", ">", ",", "|", "+", "*",
                                        "(",  ")",  "{",  "}",  "[", "]", ";", ":", "~", "%"};
    struct token token = begin(lexer, TOKEN_BAD);
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        const size_t size = strlen(signs[i]);
        if (token.text.size >= size && memcmp(token.text.data, signs[i], size) == 0) {
            token.kind = TOKEN_SIGN;
            end(lexer, &token, size);
            return token;
        }
    }
    end(lexer, &token, 1);
    return token;
}

static struct token lex(struct lexer *lexer)
{
    skip_blanks(lexer);
    const int c = peek(lexer, 0);
    struct token token = begin(lexer, TOKEN_FILE_END);
    if (c == -1)
        return token;
    if (c == '\n') {
        token.kind = TOKEN_LINE_END;
        end(lexer, &token, 1);
        return token;
    }
    if (is_letter(c)) {
        token.kind = TOKEN_WORD;
        end(lexer, &token, word_size(lexer));
        return token;
    }
    if (is_digit(c))
        return is_at_decimal(lexer) ? lex_decimal(lexer) : lex_number(lexer);
    if (c == '-' && is_digit(peek(lexer, 1)))
        return lex_negative(lexer);
    return c == '"' ? lex_string(lexer) : lex_sign(lexer);
}

bool script_tokens(struct script_arena *arena, const char *file, struct lwp_bytes text,
                   token_list *tokens)
{
    struct lexer lexer = {arena, text, 0, {file, 1, 1}};
    for (;;) {
        const struct token token = lex(&lexer);
        struct token *added = SCRIPT_ADD(arena, tokens);
        if (!added || arena->failed)
            return false;
        *added = token;
        if (token.kind == TOKEN_FILE_END)
            return true;
    }
}
