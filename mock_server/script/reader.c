/* SPDX-License-Identifier: MIT */
/* Passing over tokens, and telling errors. */
#include "mock_server/script/reader.h"

bool reader_is(const struct reader *reader, const char *text)
{
    const struct token *token = reader->token;
    return (token->kind == TOKEN_WORD || token->kind == TOKEN_SIGN) &&
           lwp_bytes_equal(token->text, lwp_bytes_text(text));
}

const struct token *reader_next(struct reader *reader)
{
    const struct token *token = reader->token;
    if (token->kind != TOKEN_FILE_END && token->kind != TOKEN_LINE_END)
        reader->token++;
    return token;
}

bool reader_take(struct reader *reader, const char *text)
{
    if (!reader_is(reader, text))
        return false;
    (void)reader_next(reader);
    return true;
}

struct lwp_bytes reader_text(struct reader *reader, const struct token *token)
{
    return script_arena_copy(&reader->script->arena, token->text);
}

void reader_error(struct reader *reader, const struct token *found, const char *expected)
{
    if (reader->failed)
        return;
    reader->failed = true;
    struct script_error *error = SCRIPT_ADD(&reader->script->arena, &reader->script->errors);
    if (!error)
        return;
    error->place = found->place;
    error->expected = expected;
    error->found = found->kind == TOKEN_LINE_END || found->kind == TOKEN_FILE_END
                       ? lwp_bytes_text("the end of the line")
                       : reader_text(reader, found);
}

void reader_note(struct reader *reader, struct script_place place, struct lwp_bytes found,
                 const char *expected)
{
    const struct token at = {.kind = TOKEN_WORD, .text = found, .place = place};
    const bool failed = reader->failed;
    reader->failed = false;
    reader_error(reader, &at, expected);
    reader->failed = failed;
}

void reader_insist(struct reader *reader, const char *sign)
{
    if (!reader->failed && !reader_take(reader, sign))
        reader_error(reader, reader->token, sign);
}

struct lwp_bytes reader_name(struct reader *reader, const char *expected)
{
    const struct token *token = reader_next(reader);
    const bool is_word = token->kind == TOKEN_WORD && token->text.data[0] != '$';
    if (!is_word && (token->kind != TOKEN_STRING || token->bytes.size == 0))
        reader_error(reader, token, expected);
    if (reader->failed)
        return (struct lwp_bytes){NULL, 0};
    return is_word ? reader_text(reader, token)
                   : script_arena_copy(&reader->script->arena, token->bytes);
}

bool reader_has(const struct lwp_bytes *items, size_t count, struct lwp_bytes name)
{
    for (size_t i = 0; i < count; i++)
        if (lwp_bytes_equal(name, items[i]))
            return true;
    return false;
}

void reader_refer(struct reader *reader, enum reader_reference_kind kind, struct lwp_bytes name,
                  const struct token *at)
{
    struct reader_reference *added =
        reader->failed ? NULL : SCRIPT_ADD(&reader->script->arena, &reader->references);
    if (added)
        *added = (struct reader_reference){kind, name, at->place};
}

bool reader_is_bound(const struct reader *reader, struct lwp_bytes name)
{
    return reader_has(reader->variables.items, reader->variables.count, name);
}

void reader_bind(struct reader *reader, struct lwp_bytes name)
{
    struct lwp_bytes *added = SCRIPT_ADD(&reader->script->arena, &reader->variables);
    if (added)
        *added = name;
}
