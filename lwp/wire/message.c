/* SPDX-License-Identifier: MIT */
#include "lwp/wire/message.h"

#define F(type, name) {LWP_FIELD_##type, #name, offsetof(struct lwp_message, name)},
/* NOLINTBEGIN(bugprone-macro-parentheses): the fields are a list. */
#define LWP_COMMAND(code, name, word, section, sender, answer, fields)                             \
    static const struct lwp_field fields_of_##name[] = {fields{LWP_FIELD_NONE, NULL, 0}};
#include "lwp/wire/commands.def"
#undef LWP_COMMAND
#undef F
/* NOLINTEND(bugprone-macro-parentheses) */

enum { SENT_BY_SERVER, SENT_BY_CLIENT };

static const struct lwp_command commands[] = {
#define LWP_COMMAND(code, name, word, section, sender, answer, fields)                             \
    {code, answer, SENT_BY_##sender, word, section, fields_of_##name},
#include "lwp/wire/commands.def"
#undef LWP_COMMAND
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

const struct lwp_command *lwp_command_at(size_t index)
{
    return index < COMMAND_COUNT ? &commands[index] : NULL;
}

const struct lwp_command *lwp_command_of(uint8_t code)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (commands[i].code == code)
            return &commands[i];
    return NULL;
}

const struct lwp_command *lwp_command_named(struct lwp_bytes word)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (lwp_bytes_equal(word, lwp_bytes_text(commands[i].word)))
            return &commands[i];
    return NULL;
}

const struct lwp_field *lwp_command_field(const struct lwp_command *command, struct lwp_bytes name)
{
    for (const struct lwp_field *field = command->fields; field->type != LWP_FIELD_NONE; field++)
        if (lwp_bytes_equal(name, lwp_bytes_text(field->name)))
            return field;
    return NULL;
}

size_t lwp_field_size(const struct lwp_field *field)
{
    static const uint8_t sizes[] = {
        [LWP_FIELD_NONE] = 0,   [LWP_FIELD_U8] = 1,   [LWP_FIELD_U32] = 4,  [LWP_FIELD_U64] = 8,
        [LWP_FIELD_TEXT16] = 2, [LWP_FIELD_TEXT] = 0, [LWP_FIELD_JSON] = 0, [LWP_FIELD_DATA] = 0,
    };
    return sizes[field->type];
}

bool lwp_field_is_integer(const struct lwp_field *field)
{
    return lwp_field_size(field) != 0 && field->type != LWP_FIELD_TEXT16;
}

uint64_t *lwp_message_integer(struct lwp_message *message, const struct lwp_field *field)
{
    return (uint64_t *)(void *)((char *)message + field->place);
}

struct lwp_bytes *lwp_message_bytes(struct lwp_message *message, const struct lwp_field *field)
{
    return (struct lwp_bytes *)(void *)((char *)message + field->place);
}

/* Takes the bytes of one field off the front of `rest`: the integer's, or the view's. */
static bool take_field(const struct lwp_field *field, struct lwp_bytes *rest,
                       struct lwp_bytes *taken)
{
    size_t size = lwp_field_size(field);
    if (rest->size < size)
        return false;
    if (!lwp_field_is_integer(field)) {
        const size_t text_size = size ? (size_t)lwp_get_integer(rest->data, size) : rest->size;
        *rest = lwp_bytes_from(*rest, size);
        size = text_size;
    }
    if (rest->size < size)
        return false;
    *taken = (struct lwp_bytes){rest->data, size};
    *rest = lwp_bytes_from(*rest, size);
    return true;
}

static void store_field(const struct lwp_field *field, struct lwp_bytes taken,
                        struct lwp_message *message)
{
    if (lwp_field_is_integer(field))
        *lwp_message_integer(message, field) = lwp_get_integer(taken.data, taken.size);
    else
        *lwp_message_bytes(message, field) = taken;
}

static enum lwp_status judge_field(const struct lwp_field *field, struct lwp_bytes taken,
                                   const struct lwp_message *message)
{
    if (field->type == LWP_FIELD_DATA && taken.size != message->bytes_returned)
        return LWP_INVALID_LENGTH;
    const bool is_text = field->type == LWP_FIELD_TEXT || field->type == LWP_FIELD_TEXT16;
    return is_text && !lwp_utf8_valid(taken) ? LWP_INVALID_TEXT : LWP_OK;
}

enum lwp_status lwp_message_decode(uint8_t command, struct lwp_bytes payload,
                                   struct lwp_message *message, struct lwp_bytes *rest,
                                   struct lwp_fault *fault)
{
    const struct lwp_command *row = lwp_command_of(command);
    if (!row) {
        *fault = (struct lwp_fault){LWP_UNKNOWN_COMMAND, 0, "batch_id"};
        return LWP_UNKNOWN_COMMAND;
    }
    struct lwp_message result = {.command = command};
    struct lwp_bytes left = payload;
    enum lwp_status status = LWP_OK;
    for (const struct lwp_field *field = row->fields; field->type != LWP_FIELD_NONE; field++) {
        const struct lwp_fault here = {LWP_INVALID_LENGTH, payload.size - left.size, field->name};
        struct lwp_bytes taken = {NULL, 0};
        const bool whole = take_field(field, &left, &taken);
        const enum lwp_status verdict =
            whole ? judge_field(field, taken, &result) : LWP_INVALID_LENGTH;
        if (verdict != LWP_OK) {
            *fault = here;
            fault->status = status = verdict;
        }
        if (verdict == LWP_INVALID_LENGTH)
            return verdict;
        store_field(field, taken, &result);
    }
    *message = result;
    *rest = left;
    return status;
}

static void write_field(const struct lwp_field *field, const struct lwp_message *message,
                        struct lwp_writer *out)
{
    const void *place = (const char *)message + field->place;
    const size_t size = lwp_field_size(field);
    if (lwp_field_is_integer(field)) {
        lwp_write_integer(out, size, *(const uint64_t *)place);
        return;
    }
    const struct lwp_bytes bytes = *(const struct lwp_bytes *)place;
    if (size)
        lwp_write_integer(out, size, bytes.size);
    lwp_write(out, bytes);
}

enum lwp_status lwp_message_encode(const struct lwp_message *message, struct lwp_writer *out)
{
    const struct lwp_command *row = lwp_command_of(message->command);
    if (!row)
        return LWP_UNKNOWN_COMMAND;
    for (const struct lwp_field *field = row->fields; field->type != LWP_FIELD_NONE; field++) {
        if (field->type == LWP_FIELD_TEXT16 && message->name.size > UINT16_MAX)
            return LWP_INVALID_ARGUMENT;
        write_field(field, message, out);
    }
    return out->full ? LWP_FULL : LWP_OK;
}

struct lwp_frame lwp_message_frame(uint8_t command, struct lwp_bytes payload)
{
    return (struct lwp_frame){
        .header = {.flags = LWP_FLAG_CONTROL, .batch_id = command},
        .payload = payload,
    };
}

int lwp_frame_command(const struct lwp_frame *frame, const struct lwp_dialect *dialect)
{
    const uint64_t batch_id = frame->header.batch_id;
    if (dialect->command_is_low_byte)
        return (int)(batch_id & 0xff);
    return batch_id <= 0xff ? (int)batch_id : -1;
}
