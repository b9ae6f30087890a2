/* SPDX-License-Identifier: MIT */
/* Patterns on documents and on errors. */
#include <stdio.h>

#include "lwp/wire/errors.h"
#include "mock_server/script/match_state.h"

/* json.PATH=none, or != none. */
static bool match_absence(struct comparison *comparison, const struct script_field *field,
                          const char *path, const char *shown)
{
    const bool present = lwp_json_has(comparison->json, path);
    if (present == (field->relation == SCRIPT_NOT_EQUAL))
        return true;
    (void)snprintf(comparison->mismatch->expected, SCRIPT_MISMATCH_SIZE, "%s member",
                   present ? "no" : "a");
    (void)snprintf(comparison->mismatch->actual, SCRIPT_MISMATCH_SIZE, "%s",
                   present ? "there is one" : "none");
    return comparison_differ(comparison, shown, -1);
}

/* What a value wants its counterpart to be. */
enum wanted { WANTS_NUMBER, WANTS_BYTES, WANTS_EITHER };

static enum wanted wanted_by(const struct comparison *comparison, const struct script_value *value)
{
    if (value->kind == SCRIPT_BYTES || value->kind == SCRIPT_JOINED)
        return WANTS_BYTES;
    if (value->kind != SCRIPT_VARIABLE)
        return WANTS_NUMBER;
    const struct script_variable *variable =
        script_variable_of(comparison->variables, value->bytes);
    if (!variable)
        return WANTS_EITHER;
    return variable->is_bytes ? WANTS_BYTES : WANTS_NUMBER;
}

/* There is no such member, or one of another type. */
static bool match_no_member(struct comparison *comparison, enum wanted wanted, const char *path,
                            const char *shown)
{
    static const char *const words[] = {[WANTS_NUMBER] = "a number",
                                        [WANTS_BYTES] = "a string",
                                        [WANTS_EITHER] = "a number or a string"};
    (void)snprintf(comparison->mismatch->expected, SCRIPT_MISMATCH_SIZE, "%s at %.200s",
                   words[wanted], path);
    (void)snprintf(comparison->mismatch->actual, SCRIPT_MISMATCH_SIZE, "%s",
                   lwp_json_has(comparison->json, path) ? "something else" : "none");
    return comparison_differ(comparison, shown, -1);
}

static bool match_member(struct comparison *comparison, const struct script_field *field,
                         const char *path, const char *shown)
{
    struct lwp_bytes text = {NULL, 0};
    uint64_t number = 0;
    bool flag = false;
    if (field->value.kind == SCRIPT_NONE)
        return match_absence(comparison, field, path, shown);
    const enum wanted wanted = wanted_by(comparison, &field->value);
    if (wanted != WANTS_BYTES && lwp_json_integer(comparison->json, path, &number) == LWP_OK)
        return comparison_number(comparison, field, number, shown, -1);
    if (wanted != WANTS_BYTES && lwp_json_boolean(comparison->json, path, &flag) == LWP_OK)
        return comparison_number(comparison, field, flag, shown, -1);
    if (wanted != WANTS_NUMBER && lwp_json_string(comparison->json, path, &text) == LWP_OK)
        return comparison_bytes(comparison, field, text, shown, -1);
    return match_no_member(comparison, wanted, path, shown);
}

/* json.PATH; with a * any element will do, and != must hold for all of them. */
bool comparison_json(struct comparison *comparison, const struct script_field *field)
{
    const char *path = (const char *)field->path.data;
    const char *star = strchr(path, '*');
    if (!star)
        return match_member(comparison, field, path, path);
    char concrete[LWP_JSON_MAX_PATH];
    char parent[LWP_JSON_MAX_PATH];
    (void)snprintf(parent, sizeof(parent), "%.*s", star > path ? (int)(star - path) - 1 : 0, path);
    const bool all = field->relation == SCRIPT_NOT_EQUAL;
    const size_t count =
        lwp_json_is_array(comparison->json, parent) ? lwp_json_count(comparison->json, parent) : 0;
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(concrete, sizeof(concrete), "%.*s%zu%s", (int)(star - path), path, i,
                       star + 1);
        if (match_member(comparison, field, concrete, path) != all)
            return !all;
    }
    if (count == 0) {
        (void)snprintf(comparison->mismatch->expected, SCRIPT_MISMATCH_SIZE, "an element");
        (void)snprintf(comparison->mismatch->actual, SCRIPT_MISMATCH_SIZE, "none");
        return all ? true : comparison_differ(comparison, path, -1);
    }
    return all ? true : comparison_differ(comparison, path, -1);
}

/* The code that an ErrorResponse means, in either form (D2); -1 if it means none. */
static int error_code(const struct comparison *comparison)
{
    struct lwp_error_document document;
    struct lwp_bytes argument;
    if (comparison->json && lwp_json_error(comparison->json, &document) == LWP_OK)
        return document.code <= UINT8_MAX ? (int)document.code : -1;
    const enum lwp_text text = lwp_text_recognise(comparison->frame->payload, &argument);
    return text < LWP_TEXT_COUNT ? (int)lwp_text_code(text) : -1;
}

bool comparison_code(struct comparison *comparison, const struct script_field *field)
{
    const int actual = error_code(comparison);
    const bool same = actual >= 0 && (uint64_t)actual == field->value.number;
    if (same == (field->relation == SCRIPT_EQUAL))
        return true;
    (void)snprintf(comparison->mismatch->expected, SCRIPT_MISMATCH_SIZE, "%s",
                   lwp_error_word((unsigned)field->value.number));
    if (actual >= 0)
        (void)snprintf(comparison->mismatch->actual, SCRIPT_MISMATCH_SIZE, "%s",
                       lwp_error_word((unsigned)actual));
    else
        script_print_bytes(comparison->frame->payload, comparison->mismatch->actual,
                           SCRIPT_MISMATCH_SIZE);
    return comparison_differ(comparison, "code", LWP_HEADER_SIZE);
}

void comparison_read_json(struct comparison *comparison)
{
    struct lwp_fault fault;
    if (!comparison->json)
        (void)lwp_json_read(comparison->frame->payload, &comparison->json, &fault);
}
