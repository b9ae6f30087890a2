/* SPDX-License-Identifier: MIT */
/* The input is a script. Reading it ends, within the arena's limit; it is read without an error, or
 * every error has a place in the text and says what was found and what was expected; reading it
 * again says the same; what was read without an error keeps its own limits, in every dialect. */
#include "fuzz/fuzz.h"
#include "lwp/wire/dialect.h"
#include "mock_server/script/script.h"

static size_t count_lines(struct lwp_bytes in)
{
    size_t lines = 1;
    for (size_t i = 0; i < in.size; i++)
        lines += in.data[i] == '\n';
    return lines;
}

static void law_errors(const struct script *script, struct lwp_bytes in)
{
    const size_t lines = count_lines(in);
    for (size_t i = 0; i < script->errors.count; i++) {
        const struct script_error *error = &script->errors.items[i];
        fuzz_note(error->place.line);
        fuzz_note(error->place.column);
        fuzz_note_bytes(lwp_bytes_text(error->expected));
        FUZZ_ASSERT(error->place.line >= 1 && error->place.line <= lines);
        FUZZ_ASSERT(error->place.column >= 1 && error->place.column <= in.size + 1);
        FUZZ_ASSERT(error->found.data && error->found.data[error->found.size] == 0);
        FUZZ_ASSERT(error->expected && *error->expected);
    }
}

static void law_rule(const struct script_rule *rule)
{
    FUZZ_ASSERT(rule->id.size > 0 && rule->actions.count > 0 && rule->actions.count <= 64);
    FUZZ_ASSERT(!(rule->trigger.nth && rule->trigger.every));
    FUZZ_ASSERT(!rule->actions.items[0].is_then);
    for (size_t i = 0; i < rule->actions.count; i++)
        FUZZ_ASSERT(rule->actions.items[i].kind < SCRIPT_ACTION_COUNT &&
                    rule->actions.items[i].least_ns <= rule->actions.items[i].most_ns);
}

static void law_play(const struct script_play *play)
{
    FUZZ_ASSERT(play->rules.count + play->expectations.count <= 4096);
    FUZZ_ASSERT(play->states.count <= 256);
    for (size_t i = 0; i < play->rules.count; i++)
        law_rule(&play->rules.items[i]);
    for (size_t i = 0; i < play->expectations.count; i++)
        FUZZ_ASSERT(play->expectations.items[i].least_ns <= play->expectations.items[i].most_ns);
}

static void law_script(struct script *script)
{
    for (size_t i = 0; i < script->scenarios.count; i++) {
        law_play(&script->scenarios.items[i].play);
        FUZZ_ASSERT(script->scenarios.items[i].nodes.count <= 64);
    }
    for (size_t i = 0; i < script->cases.count; i++)
        law_play(&script->cases.items[i].play);
    for (size_t i = 0; lwp_dialects[i]; i++)
        FUZZ_ASSERT(script_check_dialect(script, lwp_dialects[i]) != LWP_INVALID_ARGUMENT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct lwp_bytes in = fuzz_flush(data, size);
    struct script script = {.arena = {NULL, 0, false}};
    struct script again = {.arena = {NULL, 0, false}};
    const enum lwp_status status = script_read(&script, "f", in);
    fuzz_note(status);
    FUZZ_ASSERT(status == LWP_OK || status == LWP_INVALID_PAYLOAD || status == LWP_NO_MEMORY ||
                (status == LWP_PAYLOAD_TOO_LARGE && size > SCRIPT_MAX_FILE_SIZE));
    FUZZ_ASSERT(script_read(&again, "f", in) == status);
    FUZZ_ASSERT(again.errors.count == script.errors.count);
    if (status == LWP_OK || status == LWP_INVALID_PAYLOAD) {
        FUZZ_ASSERT((status == LWP_OK) == (script.errors.count == 0));
        law_errors(&script, in);
    }
    if (status == LWP_OK)
        law_script(&script);
    script_done(&script);
    script_done(&again);
    return 0;
}
