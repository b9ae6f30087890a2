/* SPDX-License-Identifier: MIT */
#include "conformance/failure.h"

#include <stdio.h>

static const char field_prefix[] = "field:";

/* What comes of a step that failed, in the order of enum result_end. */
static const char *const words[] = {
    [RESULT_NOTHING_FAILED] = "",     [RESULT_FRAME] = "frame",     [RESULT_CLOSE] = "close",
    [RESULT_MALFORMED] = "malformed", [RESULT_TIMEOUT] = "timeout",
};

/* What was not a step's failure has the verdict's word. */
static const char *word_of(const struct result *result)
{
    const bool is_good = result->verdict == VERDICT_PASS || result->verdict == VERDICT_LENIENT ||
                         result->verdict == VERDICT_XPASS || result->verdict == VERDICT_SKIP;
    const bool is_step = result->verdict != VERDICT_CRASH && result->verdict != VERDICT_ERROR &&
                         result->end != RESULT_NOTHING_FAILED;
    if (is_good)
        return "";
    return is_step ? words[result->end] : verdict_word(result->verdict);
}

const char *failure_class(const struct result *result, char *out)
{
    const char *word = word_of(result);
    if (result->field && strcmp(word, words[RESULT_FRAME]) == 0)
        (void)snprintf(out, FAILURE_CLASS_SIZE, "%s%s", field_prefix, result->field);
    else
        (void)snprintf(out, FAILURE_CLASS_SIZE, "%s", word);
    return out;
}

bool failure_is_class(struct lwp_bytes word)
{
    const size_t prefix = sizeof(field_prefix) - 1;
    for (size_t i = RESULT_FRAME; i < sizeof(words) / sizeof(words[0]); i++)
        if (lwp_bytes_equal(word, lwp_bytes_text(words[i])))
            return true;
    return word.size > prefix && memcmp(word.data, field_prefix, prefix) == 0;
}
