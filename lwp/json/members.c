/* SPDX-License-Identifier: MIT */
#include "lwp/json/members.h"

#include <json-c/json.h>
#include <stdlib.h>

void lwp_json_add(struct json_object *object, const char *key, struct json_object *value)
{
    if (!object || json_object_object_add(object, key, value) != 0)
        json_object_put(value);
}

void lwp_json_add_number(struct json_object *object, const char *key, uint64_t number)
{
    lwp_json_add(object, key, json_object_new_uint64(number));
}

void lwp_json_add_flag(struct json_object *object, const char *key, bool flag)
{
    lwp_json_add(object, key, json_object_new_boolean(flag));
}

static struct json_object *string_of(struct lwp_bytes text)
{
    return json_object_new_string_len(text.size ? (const char *)text.data : "", (int)text.size);
}

void lwp_json_add_text(struct json_object *object, const char *key, struct lwp_bytes text)
{
    const size_t most = 3 * text.size;
    struct lwp_writer out = lwp_writer_on(malloc(most + 1), most);
    if (out.data)
        lwp_utf8_clean(text, &out);
    lwp_json_add(object, key, string_of(lwp_writer_bytes(&out)));
    free(out.data);
}

void lwp_json_add_word(struct json_object *object, const char *key, const char *word)
{
    lwp_json_add(object, key, json_object_new_string(word));
}

void lwp_json_add_hex(struct json_object *object, const char *key, struct lwp_bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *hex = bytes.size < INT32_MAX / 2 ? malloc(2 * bytes.size + 1) : NULL;
    if (!hex)
        return;
    for (size_t i = 0; i < bytes.size; i++) {
        hex[2 * i] = digits[bytes.data[i] >> 4];
        hex[2 * i + 1] = digits[bytes.data[i] & 15];
    }
    lwp_json_add(object, key, json_object_new_string_len(hex, (int)(2 * bytes.size)));
    free(hex);
}

/* The front of a text that was cut, without the character that was cut through. */
static struct lwp_bytes whole_characters(struct lwp_bytes shown)
{
    for (size_t less = 0; less < 4 && less < shown.size; less++) {
        const struct lwp_bytes shorter = {shown.data, shown.size - less};
        if (lwp_utf8_valid(shorter))
            return shorter;
    }
    return shown;
}

void lwp_json_add_bytes(struct json_object *object, const char *key, struct lwp_bytes bytes,
                        size_t limit)
{
    struct json_object *value = json_object_new_object();
    struct lwp_bytes shown = bytes;
    if (bytes.size > limit)
        shown = whole_characters((struct lwp_bytes){bytes.data, limit});
    lwp_json_add_number(value, "size", bytes.size);
    if (lwp_utf8_valid(shown))
        lwp_json_add(value, "text", string_of(shown));
    else
        lwp_json_add_hex(value, "hex", shown);
    if (shown.size < bytes.size)
        lwp_json_add_flag(value, "cut", true);
    lwp_json_add(object, key, value);
}

struct json_object *lwp_json_header(const struct lwp_header *header)
{
    struct json_object *object = json_object_new_object();
    for (enum lwp_header_index i = 0; i < LWP_HEADER_FIELD_COUNT; i++)
        lwp_json_add_number(object, lwp_header_fields[i].name, lwp_header_get(header, i));
    return object;
}

struct json_object *lwp_json_message(const struct lwp_dialect *dialect,
                                     const struct lwp_frame *frame)
{
    const int code = lwp_frame_command(frame, dialect);
    const struct lwp_command *command = code < 0 ? NULL : lwp_command_of((uint8_t)code);
    struct json_object *object = json_object_new_object();
    if (code >= 0)
        lwp_json_add_number(object, "code", (uint64_t)code);
    if (!command)
        return object;
    lwp_json_add_word(object, "command", command->word);
    struct lwp_message message;
    struct lwp_bytes rest;
    struct lwp_fault fault;
    const enum lwp_status status =
        lwp_message_decode(command->code, frame->payload, &message, &rest, &fault);
    if (status != LWP_OK && status != LWP_INVALID_TEXT)
        return object;
    for (const struct lwp_field *field = command->fields; field->type != LWP_FIELD_NONE; field++) {
        if (lwp_field_is_integer(field))
            lwp_json_add_number(object, field->name, *lwp_message_integer(&message, field));
        else
            lwp_json_add_bytes(object, field->name, *lwp_message_bytes(&message, field),
                               LWP_JSON_SHOWN_SIZE);
    }
    return object;
}

void lwp_json_add_record(struct json_object *object, const struct lwp_dialect *dialect,
                         const struct lwp_record *record, size_t limit)
{
    lwp_json_add_number(object, "type", record->type);
    lwp_json_add_word(object, "word", lwp_tlv_word_in(dialect, record->type));
    lwp_json_add_number(object, "size", record->value.size);
    struct lwp_record_parts parts = {.value = record->value};
    const enum lwp_status status = lwp_record_parts(record, &parts);
    if (status == LWP_OK || status == LWP_INVALID_TEXT) {
        if (record->type != LWP_TLV_KEY_VALUE)
            lwp_json_add_number(object, "timestamp_ns", parts.timestamp_ns);
        if (record->type != LWP_TLV_TIMESTAMPED)
            lwp_json_add_bytes(object, "key", parts.key, limit);
    }
    lwp_json_add_bytes(object, "value", parts.value, limit);
}

struct lwp_bytes lwp_json_line(struct json_object *object)
{
    return lwp_bytes_text(object
                              ? json_object_to_json_string_ext(
                                    object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
                              : NULL);
}
