/* SPDX-License-Identifier: MIT */
/* Values: numbers, strings, bytes, variables, and what they are compared by. */
#include "mock_server/script/reader.h"

enum { MAX_REPEAT = 65536 /* Of a string. */, MAX_VARIABLES = 256 };

/* What stands between the parentheses of hex(…). Its digits are lexed as words and numbers; only
 * their characters count here. */
static bool is_hex_token(const struct token *token)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    for (size_t i = 0; i < token->text.size; i++)
        if (!memchr(digits, token->text.data[i], sizeof(digits) - 1))
            return false;
    return token->text.size > 0 && token->kind != TOKEN_FILE_END;
}

static uint8_t hex_value(uint8_t digit)
{
    return (uint8_t)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
}

static struct lwp_bytes read_hex(struct reader *reader)
{
    const struct token *first = reader->token;
    size_t digits = 0;
    while (is_hex_token(reader->token))
        digits += reader_next(reader)->text.size;
    const struct token *end = reader->token;
    uint8_t *bytes = script_arena_take(&reader->script->arena, digits / 2 + 1);
    size_t at = 0;
    for (const struct token *token = first; bytes && token < end; token++)
        for (size_t i = 0; i < token->text.size; i++, at++)
            bytes[at / 2] = (uint8_t)(bytes[at / 2] << 4 | hex_value(token->text.data[i]));
    if (!reader_is(reader, ")"))
        reader_error(reader, end, "pairs of hexadecimal digits and )");
    else if (digits % 2)
        reader_error(reader, first, "an even number of hexadecimal digits");
    reader_insist(reader, ")");
    return (struct lwp_bytes){bytes, digits / 2};
}

/* "text" or hex(…) */
struct lwp_bytes reader_bytes(struct reader *reader)
{
    if (reader_take(reader, "hex")) {
        reader_insist(reader, "(");
        return reader->failed ? (struct lwp_bytes){NULL, 0} : read_hex(reader);
    }
    const struct token *token = reader_next(reader);
    if (token->kind != TOKEN_STRING)
        reader_error(reader, token, "a string or hex(…)");
    return token->bytes;
}

uint64_t reader_number(struct reader *reader, uint64_t most, const char *expected)
{
    const struct token *token = reader_next(reader);
    if (token->kind != TOKEN_NUMBER || token->number > most)
        reader_error(reader, token, expected);
    return token->number;
}

static struct script_value read_variable(struct reader *reader, const struct token *token)
{
    const struct lwp_bytes name = lwp_bytes_from(reader_text(reader, token), 1);
    if (name.size && reader_is_bound(reader, name))
        return (struct script_value){.kind = SCRIPT_VARIABLE, .bytes = name};
    if (!reader->in_pattern || name.size == 0)
        reader_error(reader, token, "a variable that has been bound before");
    if (reader->variables.count == MAX_VARIABLES)
        reader_error(reader, token, "at most 256 variables");
    if (reader->failed)
        return (struct script_value){.kind = SCRIPT_ZERO};
    reader_bind(reader, name);
    reader->bound_now = true;
    return (struct script_value){.kind = SCRIPT_VARIABLE, .bytes = name};
}

struct value_word {
    const char *word;
    enum script_value_kind kind;
    bool in_patterns;
};

static const struct value_word value_words[] = {
    {"max", SCRIPT_MAX, true},      {"zero", SCRIPT_ZERO, true},
    {"wrong", SCRIPT_WRONG, false}, {"other-polynomial", SCRIPT_OTHER_POLYNOMIAL, false},
    {"none", SCRIPT_NONE, true},
};

static struct script_value read_word(struct reader *reader, const struct token *token)
{
    for (size_t i = 0; i < sizeof(value_words) / sizeof(value_words[0]); i++)
        if (lwp_bytes_equal(token->text, lwp_bytes_text(value_words[i].word)) &&
            (value_words[i].in_patterns || !reader->in_pattern))
            return (struct script_value){.kind = value_words[i].kind};
    reader_error(reader, token, reader->in_pattern ? "a value" : "a value that can be sent");
    return (struct script_value){.kind = SCRIPT_ZERO};
}

/* "text"*COUNT */
static struct lwp_bytes read_repeated(struct reader *reader)
{
    const struct lwp_bytes once = reader_bytes(reader);
    if (reader->failed || !reader_take(reader, "*"))
        return once;
    const size_t times = (size_t)reader_number(reader, MAX_REPEAT, "how many times, at most 65536");
    /* Many empty ones would take for ever to come to nothing. */
    if (reader->failed || !once.data || once.size == 0)
        return once;
    uint8_t *all = script_arena_take(&reader->script->arena, once.size * times + 1);
    for (size_t i = 0; all && i < times; i++)
        memcpy(all + i * once.size, once.data, once.size);
    return (struct lwp_bytes){all, all ? once.size * times : 0};
}

static bool is_at_bytes(const struct reader *reader)
{
    return reader->token->kind == TOKEN_STRING || reader_is(reader, "hex");
}

/* The first part is in `*value`; the others follow, each behind a +. */
static void read_parts_behind(struct reader *reader, struct script_value *value)
{
    struct script_part part = {value->kind == SCRIPT_VARIABLE, value->bytes};
    for (;;) {
        struct script_part *added = SCRIPT_ADD(&reader->script->arena, &value->parts);
        if (added)
            *added = part;
        if (reader->failed || !reader_take(reader, "+"))
            break;
        part.is_variable = !is_at_bytes(reader);
        if (!part.is_variable) {
            part.bytes = read_repeated(reader);
            continue;
        }
        const struct token *token = reader_next(reader);
        part.bytes = lwp_bytes_from(reader_text(reader, token), 1);
        if (token->kind != TOKEN_WORD || !reader_is_bound(reader, part.bytes))
            reader_error(reader, token, "a string, or a variable that has been bound before");
    }
    value->kind = SCRIPT_JOINED;
}

static struct script_value read_one(struct reader *reader);

struct script_value reader_value(struct reader *reader)
{
    const struct token *first = reader->token;
    struct script_value value = read_one(reader);
    const bool can_join = value.kind == SCRIPT_BYTES || value.kind == SCRIPT_VARIABLE;
    if (reader->failed || !can_join || !reader_is(reader, "+"))
        return value;
    if (value.kind == SCRIPT_VARIABLE && reader->bound_now)
        reader_error(reader, first, "a variable that has been bound before");
    read_parts_behind(reader, &value);
    return value;
}

static struct script_value read_one(struct reader *reader)
{
    const struct token *token = reader->token;
    reader->bound_now = false;
    if (is_at_bytes(reader))
        return (struct script_value){.kind = SCRIPT_BYTES, .bytes = read_repeated(reader)};
    (void)reader_next(reader);
    if (token->kind == TOKEN_NUMBER)
        return (struct script_value){.kind = SCRIPT_NUMBER, .number = token->number};
    if (token->kind == TOKEN_WORD && token->text.data[0] == '$')
        return read_variable(reader, token);
    if (token->kind == TOKEN_WORD)
        return read_word(reader, token);
    reader_error(reader, token, "a number, a string, hex(…), $name, max, zero or wrong");
    return (struct script_value){.kind = SCRIPT_ZERO};
}

struct relation_row {
    const char *sign;
    enum script_relation relation;
};

static const struct relation_row relations[] = {
    {"=", SCRIPT_EQUAL}, {"!=", SCRIPT_NOT_EQUAL}, {"<", SCRIPT_LESS},    {"<=", SCRIPT_AT_MOST},
    {">", SCRIPT_MORE},  {">=", SCRIPT_AT_LEAST},  {"in", SCRIPT_WITHIN},
};

enum script_relation reader_relation(struct reader *reader)
{
    if (!reader->in_pattern) {
        reader_insist(reader, "=");
        return SCRIPT_EQUAL;
    }
    for (size_t i = 0; i < sizeof(relations) / sizeof(relations[0]); i++)
        if (reader_take(reader, relations[i].sign))
            return relations[i].relation;
    reader_error(reader, reader->token, "= != < <= > >= or in [a,b]");
    return SCRIPT_EQUAL;
}
