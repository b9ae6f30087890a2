/* SPDX-License-Identifier: MIT */
/* Guesses which word was meant. */
#include <stdio.h>

#include "mock_server/script/reader.h"

enum { MAX_WORD_SIZE = 32, MAX_HINTS = 256 /* A file of nothing but errors takes no longer. */ };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters must be changed, put in or taken out (Levenshtein), row by row. Both words have
 * MAX_WORD_SIZE bytes at most. */
static size_t distance_of(struct lwp_bytes a, struct lwp_bytes b)
{
    size_t row[MAX_WORD_SIZE + 1];
    for (size_t j = 0; j <= b.size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.size; i++) {
        size_t before = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            const size_t changed = before + (a.data[i - 1] != b.data[j - 1]);
            before = row[j];
            row[j] = least(changed, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[b.size];
}

struct hint reader_hint(const struct reader *reader, const struct token *found)
{
    struct hint hint = {.distance = found->text.size / 3 + 1};
    const bool is_word = found->kind == TOKEN_WORD && found->text.size <= MAX_WORD_SIZE;
    if (is_word && !reader->failed && reader->script->errors.count < MAX_HINTS)
        hint.word = found->text;
    return hint;
}

void hint_offer(struct hint *hint, const char *word)
{
    const struct lwp_bytes known = lwp_bytes_text(word);
    if (hint->word.size < 2 || known.size > MAX_WORD_SIZE)
        return;
    const size_t distance = distance_of(hint->word, known);
    if (distance < hint->distance || (distance == hint->distance && !hint->nearest)) {
        hint->nearest = word;
        hint->distance = distance;
    }
}

void reader_unknown(struct reader *reader, const struct token *found, const char *expected,
                    const struct hint *hint)
{
    static const char question[] = "; did you mean ?";
    char *text = NULL;
    size_t size = 0;
    if (hint->nearest) {
        size = strlen(expected) + strlen(hint->nearest) + sizeof(question);
        text = script_arena_take(&reader->script->arena, size);
    }
    if (text)
        (void)snprintf(text, size, "%s; did you mean %s?", expected, hint->nearest);
    reader_error(reader, found, text ? text : expected);
}
