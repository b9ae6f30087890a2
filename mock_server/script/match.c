/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "lwp/wire/trace.h"
#include "mock_server/script/match_state.h"

bool comparison_differ(struct comparison *comparison, const char *field, long offset)
{
    comparison->mismatch->field = field;
    comparison->mismatch->offset = offset;
    return false;
}

static void print_number(uint64_t number, char *out, size_t size)
{
    (void)snprintf(out, size, "%" PRIu64 " (0x%" PRIx64 ")", number, number);
}

bool script_holds(enum script_relation relation, uint64_t actual, uint64_t value, uint64_t upper)
{
    switch (relation) {
    case SCRIPT_EQUAL:
        return actual == value;
    case SCRIPT_NOT_EQUAL:
        return actual != value;
    case SCRIPT_LESS:
        return actual < value;
    case SCRIPT_AT_MOST:
        return actual <= value;
    case SCRIPT_MORE:
        return actual > value;
    case SCRIPT_AT_LEAST:
        return actual >= value;
    case SCRIPT_WITHIN:
        return actual >= value && actual <= upper;
    }
    return false;
}

/* `max` is that of a field of `size` bytes. */
static uint64_t fixed_number(const struct script_value *value, size_t size)
{
    return value->kind == SCRIPT_MAX ? UINT64_MAX >> (64 - 8 * size) : value->number;
}

/* A number as the pattern means it for a field of `size` bytes; false if it is a variable that is
 * not bound. */
static bool number_meant(const struct comparison *comparison, const struct script_value *value,
                         size_t size, uint64_t *number)
{
    const struct script_variable *variable = NULL;
    if (value->kind == SCRIPT_VARIABLE) {
        variable = script_variable_of(comparison->variables, value->bytes);
        *number = variable ? variable->number : 0;
        return variable != NULL;
    }
    *number = fixed_number(value, size);
    return true;
}

static long first_difference(uint64_t expected, uint64_t actual, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((expected >> 8 * i & 0xff) != (actual >> 8 * i & 0xff))
            return (long)i;
    return 0;
}

/* Compares a number that stands at `offset` of the frame, or nowhere in particular (-1). */
bool comparison_number(struct comparison *comparison, const struct script_field *field,
                       uint64_t actual, const char *name, long offset)
{
    const size_t size = field->subject == SCRIPT_HEADER ? lwp_header_fields[field->header].size : 8;
    uint64_t value = 0;
    uint64_t upper = 0;
    if (!number_meant(comparison, &field->value, size, &value)) {
        script_bind_number(comparison->variables, field->value.bytes, actual);
        return true;
    }
    (void)number_meant(comparison, &field->upper, size, &upper);
    if (script_holds(field->relation, actual, value, upper))
        return true;
    struct script_mismatch *mismatch = comparison->mismatch;
    if (field->relation == SCRIPT_WITHIN)
        (void)snprintf(mismatch->expected, sizeof(mismatch->expected),
                       "in [%" PRIu64 ",%" PRIu64 "]", value, upper);
    else
        (void)snprintf(mismatch->expected, sizeof(mismatch->expected),
                       "%s %" PRIu64 " (0x%" PRIx64 ")", script_relation_signs[field->relation],
                       value, value);
    print_number(actual, mismatch->actual, sizeof(mismatch->actual));
    const bool has_byte = offset >= 0 && field->relation == SCRIPT_EQUAL;
    return comparison_differ(comparison, name,
                             has_byte ? offset + first_difference(value, actual, size) : offset);
}

bool comparison_bytes(struct comparison *comparison, const struct script_field *field,
                      struct lwp_bytes actual, const char *name, long offset)
{
    if (field->value.kind == SCRIPT_VARIABLE &&
        !script_variable_of(comparison->variables, field->value.bytes)) {
        script_bind_bytes(comparison->variables, field->value.bytes, actual);
        return true;
    }
    const struct lwp_bytes value = script_bytes_of(&field->value, comparison->variables);
    const bool is_order = field->relation != SCRIPT_EQUAL && field->relation != SCRIPT_NOT_EQUAL;
    if (!is_order && lwp_bytes_equal(value, actual) == (field->relation == SCRIPT_EQUAL))
        return true;
    size_t same = 0;
    while (same < value.size && same < actual.size && value.data[same] == actual.data[same])
        same++;
    script_print_bytes(value, comparison->mismatch->expected,
                       sizeof(comparison->mismatch->expected));
    script_print_bytes(actual, comparison->mismatch->actual, sizeof(comparison->mismatch->actual));
    return comparison_differ(comparison, name, offset >= 0 ? offset + (long)same : -1);
}

/* Where a payload field stands in the frame. */
static long payload_offset(const struct comparison *comparison, const struct lwp_field *field)
{
    struct lwp_message message = comparison->message;
    size_t offset = LWP_HEADER_SIZE;
    for (const struct lwp_field *f = lwp_command_of(message.command)->fields; f != field; f++)
        offset += lwp_field_size(f) +
                  (lwp_field_is_integer(f) ? 0 : lwp_message_bytes(&message, f)->size);
    return (long)(offset + (lwp_field_is_integer(field) ? 0 : lwp_field_size(field)));
}

static bool match_payload_field(struct comparison *comparison, const struct script_field *field)
{
    const struct lwp_field *wire = field->field;
    const long offset = payload_offset(comparison, wire);
    if (lwp_field_is_integer(wire)) {
        const uint64_t actual = *lwp_message_integer(&comparison->message, wire);
        return comparison_number(comparison, field, actual, wire->name, offset);
    }
    const struct lwp_bytes actual = *lwp_message_bytes(&comparison->message, wire);
    return comparison_bytes(comparison, field, actual, wire->name, offset);
}

static bool match_field(struct comparison *comparison, const struct script_field *field)
{
    switch (field->subject) {
    case SCRIPT_HEADER: {
        const struct lwp_header_field *row = &lwp_header_fields[field->header];
        return comparison_number(comparison, field,
                                 lwp_header_get(&comparison->frame->header, field->header),
                                 row->name, row->offset);
    }
    case SCRIPT_PAYLOAD:
        return match_payload_field(comparison, field);
    case SCRIPT_JSON:
        comparison_read_json(comparison);
        if (comparison->json)
            return comparison_json(comparison, field);
        (void)snprintf(comparison->mismatch->expected, SCRIPT_MISMATCH_SIZE, "a JSON document");
        script_print_bytes(comparison->frame->payload, comparison->mismatch->actual,
                           SCRIPT_MISMATCH_SIZE);
        return comparison_differ(comparison, "json", LWP_HEADER_SIZE);
    case SCRIPT_CODE:
        comparison_read_json(comparison);
        return comparison_code(comparison, field);
    }
    return false;
}

/* What came must be of the pattern's kind, with that kind's flags and no others. */
static bool match_kind(struct comparison *comparison)
{
    const struct script_frame *wanted = &comparison->pattern->frame;
    const struct lwp_header *header = &comparison->frame->header;
    struct script_mismatch *mismatch = comparison->mismatch;
    if (wanted->kind == LWP_KIND_UNKNOWN)
        return true;
    const bool right = header->flags == lwp_kind_flags(wanted->kind) &&
                       (!wanted->command || header->batch_id == wanted->command->code);
    if (right)
        return true;
    (void)snprintf(mismatch->expected, sizeof(mismatch->expected), "%s", script_kind_word(wanted));
    (void)lwp_trace_frame(comparison->dialect, comparison->frame, mismatch->actual,
                          sizeof(mismatch->actual));
    const bool same_flags = header->flags == lwp_kind_flags(wanted->kind);
    return comparison_differ(
        comparison, same_flags ? "batch_id" : "flags",
        lwp_header_fields[same_flags ? LWP_HEADER_batch_id : LWP_HEADER_flags].offset);
}

/* The payload must have the form of its command, and nothing behind it. */
static bool match_form(struct comparison *comparison)
{
    struct lwp_bytes rest = {NULL, 0};
    struct lwp_fault fault = {LWP_OK, 0, NULL};
    const struct script_frame *wanted = &comparison->pattern->frame;
    if (!wanted->command)
        return true;
    const enum lwp_status status = lwp_message_decode(
        wanted->command->code, comparison->frame->payload, &comparison->message, &rest, &fault);
    if (status == LWP_OK && rest.size == 0)
        return true;
    (void)snprintf(comparison->mismatch->expected, SCRIPT_MISMATCH_SIZE, "the payload of %s",
                   wanted->command->word);
    if (status == LWP_OK)
        (void)snprintf(comparison->mismatch->actual, SCRIPT_MISMATCH_SIZE, "%zu more bytes",
                       rest.size);
    else
        (void)lwp_trace_fault(&fault, comparison->mismatch->actual, SCRIPT_MISMATCH_SIZE);
    return comparison_differ(comparison, "payload", LWP_HEADER_SIZE + (long)fault.offset);
}

static bool match_body(struct comparison *comparison)
{
    const struct script_frame *wanted = &comparison->pattern->frame;
    const struct script_field whole = {.relation = SCRIPT_EQUAL,
                                       .value = {.kind = SCRIPT_BYTES, .bytes = wanted->bytes}};
    if (wanted->body == SCRIPT_BODY_NONE || wanted->body == SCRIPT_BODY_FILL)
        return true;
    if (wanted->body == SCRIPT_BODY_BYTES || !wanted->command)
        return comparison_bytes(comparison, &whole, comparison->frame->payload, "payload",
                                LWP_HEADER_SIZE);
    const long offset =
        LWP_HEADER_SIZE + (long)(comparison->frame->payload.size - comparison->message.data.size);
    return comparison_bytes(comparison, &whole, comparison->message.data, "data", offset);
}

static bool names(const struct script_frame *frame, enum lwp_header_index header)
{
    for (size_t i = 0; i < frame->fields.count; i++)
        if (frame->fields.items[i].subject == SCRIPT_HEADER &&
            frame->fields.items[i].header == header)
            return true;
    return false;
}

/* exactly: what is not named and not fixed by kind and payload is zero. */
static bool match_zeros(struct comparison *comparison)
{
    const struct script_frame *wanted = &comparison->pattern->frame;
    uint32_t fixed = 1U << LWP_HEADER_magic | 1U << LWP_HEADER_version | 1U << LWP_HEADER_flags |
                     1U << LWP_HEADER_header_crc;
    if (wanted->command)
        fixed |= 1U << LWP_HEADER_batch_id | 1U << LWP_HEADER_payload_length |
                 1U << LWP_HEADER_payload_crc;
    for (int i = 0; comparison->pattern->exactly && i < LWP_HEADER_FIELD_COUNT; i++) {
        const enum lwp_header_index index = (enum lwp_header_index)i;
        const struct script_field zero = {.subject = SCRIPT_HEADER, .header = index};
        if (!(fixed & 1U << i) && !names(wanted, index) && !match_field(comparison, &zero))
            return false;
    }
    return true;
}

static bool match_fields(struct comparison *comparison)
{
    const struct script_frame *wanted = &comparison->pattern->frame;
    for (size_t i = 0; i < wanted->fields.count; i++)
        if (!match_field(comparison, &wanted->fields.items[i]))
            return false;
    return match_zeros(comparison);
}

static bool match_all(struct comparison *comparison)
{
    return match_kind(comparison) && match_form(comparison) && match_body(comparison) &&
           match_fields(comparison);
}

/* Runs one of the two above; what it bound is forgotten if it fails. */
static bool run(struct comparison *comparison, bool (*match)(struct comparison *comparison))
{
    const size_t bound_before = comparison->variables->list.count;
    const bool matches = match(comparison);
    lwp_json_free(comparison->json);
    if (!matches)
        comparison->variables->list.count = bound_before;
    return matches;
}

bool script_match(const struct script_pattern *pattern, const struct lwp_frame *frame,
                  const struct lwp_dialect *dialect, struct script_variables *variables,
                  struct script_mismatch *mismatch)
{
    struct comparison comparison = {.pattern = pattern,
                                    .frame = frame,
                                    .dialect = dialect,
                                    .variables = variables,
                                    .mismatch = mismatch};
    return run(&comparison, match_all);
}

static bool is_of_kind(const struct script_frame *wanted, const struct script_seen *seen)
{
    if (wanted->kind == LWP_KIND_UNKNOWN)
        return true;
    if (wanted->kind != seen->kind)
        return false;
    if (!wanted->command)
        return true;
    const bool is_status = wanted->command->code == LWP_COMMAND_GET_CLUSTER_STATUS;
    return seen->command ==
           (is_status ? seen->dialect->cluster_status_command : wanted->command->code);
}

bool script_condition_of(const struct script_field *field, struct script_condition *condition)
{
    const bool is_open =
        field->value.kind == SCRIPT_VARIABLE || field->upper.kind == SCRIPT_VARIABLE;
    if (field->subject != SCRIPT_HEADER || is_open)
        return false;
    const size_t size = lwp_header_fields[field->header].size;
    *condition =
        (struct script_condition){field->header, field->relation, fixed_number(&field->value, size),
                                  fixed_number(&field->upper, size)};
    return true;
}

bool script_condition_holds(const struct script_condition *condition,
                            const struct lwp_header *header)
{
    return script_holds(condition->relation, lwp_header_get(header, condition->field),
                        condition->value, condition->upper);
}

bool script_may_match(const struct script_pattern *pattern, const struct script_seen *seen)
{
    struct script_condition condition;
    if (!is_of_kind(&pattern->frame, seen))
        return false;
    for (size_t i = 0; i < pattern->frame.fields.count; i++)
        if (script_condition_of(&pattern->frame.fields.items[i], &condition) &&
            !script_condition_holds(&condition, &seen->frame->header))
            return false;
    return true;
}

static bool reads_payload(const struct script_frame *wanted)
{
    if (wanted->body != SCRIPT_BODY_NONE)
        return true;
    for (size_t i = 0; i < wanted->fields.count; i++)
        if (wanted->fields.items[i].subject == SCRIPT_PAYLOAD)
            return true;
    return false;
}

static bool match_seen(struct comparison *comparison)
{
    const bool reads = reads_payload(&comparison->pattern->frame);
    return (!reads || (match_form(comparison) && match_body(comparison))) &&
           match_fields(comparison);
}

bool script_match_seen(const struct script_pattern *pattern, const struct script_seen *seen,
                       struct script_variables *variables)
{
    struct script_mismatch mismatch;
    struct comparison comparison = {.pattern = pattern,
                                    .frame = seen->frame,
                                    .dialect = seen->dialect,
                                    .variables = variables,
                                    .mismatch = &mismatch};
    return script_may_match(pattern, seen) && run(&comparison, match_seen);
}
