/* SPDX-License-Identifier: MIT */
/* Patterns and values as text for reports. */
#include <inttypes.h>
#include <stdio.h>

#include "lwp/wire/errors.h"
#include "mock_server/script/frames.h"

const char *const script_relation_signs[] = {"=", "!=", "<", "<=", ">", ">=", "in"};

void script_print_bytes(struct lwp_bytes bytes, char *out, size_t size)
{
    enum { SHOWN = 48 };
    size_t at = 0;
    at += (size_t)snprintf(out, size, "%zu bytes \"", bytes.size);
    for (size_t i = 0; i < bytes.size && i < SHOWN && at + 8 < size; i++) {
        const uint8_t c = bytes.data[i];
        const bool plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
        at += (size_t)snprintf(out + at, size - at, plain ? "%c" : "\\x%02x", c);
    }
    (void)snprintf(out + at, size - at, bytes.size > SHOWN ? "\"..." : "\"");
}

const char *script_kind_word(const struct script_frame *frame)
{
    if (frame->command)
        return frame->command->word;
    return frame->kind == LWP_KIND_UNKNOWN ? "frame" : lwp_kind_word(frame->kind);
}

static void describe_value(const struct script_value *value, char *out, size_t size)
{
    switch (value->kind) {
    case SCRIPT_BYTES:
        script_print_bytes(value->bytes, out, size);
        return;
    case SCRIPT_VARIABLE:
        (void)snprintf(out, size, "$%s", (const char *)value->bytes.data);
        return;
    case SCRIPT_NONE:
        (void)snprintf(out, size, "none");
        return;
    case SCRIPT_JOINED:
        (void)snprintf(out, size, "%zu parts", value->parts.count);
        return;
    case SCRIPT_MAX:
        (void)snprintf(out, size, "max");
        return;
    case SCRIPT_NUMBER:
    case SCRIPT_ZERO:
    case SCRIPT_WRONG:
    case SCRIPT_OTHER_POLYNOMIAL:
        (void)snprintf(out, size, "%" PRIu64, value->number);
        return;
    }
}

static const char *subject_word(const struct script_field *field)
{
    switch (field->subject) {
    case SCRIPT_HEADER:
        return lwp_header_fields[field->header].name;
    case SCRIPT_PAYLOAD:
        return field->field->name;
    case SCRIPT_JSON:
        return (const char *)field->path.data;
    case SCRIPT_CODE:
        return "code";
    }
    return "";
}

static size_t describe_field(const struct script_field *field, char *out, size_t size)
{
    char value[SCRIPT_MISMATCH_SIZE];
    describe_value(&field->value, value, sizeof(value));
    if (field->subject == SCRIPT_CODE)
        (void)snprintf(value, sizeof(value), "%s", lwp_error_word((unsigned)field->value.number));
    const int put = snprintf(out, size, " %s%s %s %s", field->subject == SCRIPT_JSON ? "json." : "",
                             subject_word(field), script_relation_signs[field->relation], value);
    return put < 0 || (size_t)put >= size ? size - 1 : (size_t)put;
}

void script_describe(const struct script_pattern *pattern, char *out, size_t size)
{
    static const char *const others[] = {[SCRIPT_CLOSE] = "close",
                                         [SCRIPT_CLOSE_FIN] = "close by FIN",
                                         [SCRIPT_CLOSE_RST] = "close by RST",
                                         [SCRIPT_NOTHING] = "nothing"};
    const char *word =
        pattern->kind == SCRIPT_FRAME ? script_kind_word(&pattern->frame) : others[pattern->kind];
    (void)snprintf(out, size, "%s%s%s", pattern->lenient ? "lenient " : "",
                   pattern->exactly ? "exactly " : "", word);
    size_t at = strlen(out);
    for (size_t i = 0; i < pattern->frame.fields.count && at + 1 < size; i++)
        at += describe_field(&pattern->frame.fields.items[i], out + at, size - at);
    if (pattern->frame.body == SCRIPT_BODY_RECORDS && at + 1 < size)
        (void)snprintf(out + at, size - at, " with %" PRIu64 " records, %zu bytes",
                       pattern->frame.record_count, pattern->frame.bytes.size);
}
