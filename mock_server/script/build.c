/* SPDX-License-Identifier: MIT */
#include "lwp/wire/compress.h"
#include "mock_server/script/frames.h"

/* 2023-11-14, so that two runs send the same bytes. */
#define TIMESTAMP_NS UINT64_C(1700000000000000000)

const struct script_variable *script_variable_of(const struct script_variables *variables,
                                                 struct lwp_bytes name)
{
    for (size_t i = 0; i < variables->list.count; i++)
        if (lwp_bytes_equal(name, variables->list.items[i].name))
            return &variables->list.items[i];
    return NULL;
}

static struct script_variable *add_variable(struct script_variables *variables,
                                            struct lwp_bytes name)
{
    struct script_variable *added = SCRIPT_ADD(variables->arena, &variables->list);
    if (added)
        added->name = script_arena_copy(variables->arena, name);
    return added;
}

void script_bind_number(struct script_variables *variables, struct lwp_bytes name, uint64_t number)
{
    struct script_variable *added = add_variable(variables, name);
    if (added)
        added->number = number;
}

void script_bind_bytes(struct script_variables *variables, struct lwp_bytes name,
                       struct lwp_bytes bytes)
{
    struct script_variable *added = add_variable(variables, name);
    if (!added)
        return;
    added->is_bytes = true;
    added->bytes = script_arena_copy(variables->arena, bytes);
}

static struct lwp_bytes bytes_named(const struct script_variables *variables, struct lwp_bytes name)
{
    const struct script_variable *variable = script_variable_of(variables, name);
    return variable ? variable->bytes : (struct lwp_bytes){NULL, 0};
}

static struct lwp_bytes part_of(const struct script_part *part,
                                const struct script_variables *variables)
{
    return part->is_variable ? bytes_named(variables, part->bytes) : part->bytes;
}

static struct lwp_bytes join(const struct script_value *value,
                             const struct script_variables *variables)
{
    size_t size = 0;
    for (size_t i = 0; i < value->parts.count; i++)
        size += part_of(&value->parts.items[i], variables).size;
    struct lwp_writer out = lwp_writer_on(script_arena_take(variables->arena, size + 1), size);
    for (size_t i = 0; out.data && i < value->parts.count; i++)
        lwp_write(&out, part_of(&value->parts.items[i], variables));
    return lwp_writer_bytes(&out);
}

struct lwp_bytes script_bytes_of(const struct script_value *value,
                                 const struct script_variables *variables)
{
    if (value->kind == SCRIPT_JOINED)
        return join(value, variables);
    if (value->kind == SCRIPT_VARIABLE)
        return bytes_named(variables, value->bytes);
    return value->kind == SCRIPT_BYTES ? value->bytes : (struct lwp_bytes){NULL, 0};
}

uint64_t script_number_of(const struct script_value *value,
                          const struct script_variables *variables, uint64_t right)
{
    const struct script_variable *variable = NULL;
    if (value->kind == SCRIPT_NUMBER)
        return value->number;
    if (value->kind == SCRIPT_MAX)
        return UINT64_MAX;
    if (value->kind == SCRIPT_WRONG)
        return right ^ 1;
    if (value->kind == SCRIPT_VARIABLE)
        variable = variables ? script_variable_of(variables, value->bytes) : NULL;
    return variable ? variable->number : 0;
}

size_t script_frame_bound(const struct script_frame *frame,
                          const struct script_variables *variables)
{
    enum { FIXED_SIZE = 128 };
    size_t size = LWP_HEADER_SIZE + FIXED_SIZE + (size_t)frame->fill_size +
                  (size_t)frame->cut_size + lwp_lz4_bound(LWP_LZ4_LIBRARY, frame->bytes.size);
    for (size_t i = 0; i < frame->fields.count; i++)
        size += script_bytes_of(&frame->fields.items[i].value, variables).size;
    return size;
}

/* Bytes that look like nothing in particular but are the same each time (xorshift64). */
static void write_fill(uint64_t size, uint64_t seed, struct lwp_writer *out)
{
    uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    uint8_t *at = lwp_write_room(out, (size_t)size);
    for (uint64_t i = 0; at && i < size; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        at[i] = (uint8_t)(state >> 32);
    }
}

static enum lwp_status write_message(const struct script_frame *frame,
                                     const struct script_variables *variables,
                                     struct lwp_writer *out)
{
    struct lwp_message message = {.command = frame->command->code};
    if (frame->body == SCRIPT_BODY_RECORDS)
        message.data = frame->bytes;
    for (size_t i = 0; i < frame->fields.count; i++) {
        const struct script_field *field = &frame->fields.items[i];
        if (field->subject != SCRIPT_PAYLOAD)
            continue;
        if (lwp_field_is_integer(field->field))
            *lwp_message_integer(&message, field->field) =
                script_number_of(&field->value, variables, 0);
        else
            *lwp_message_bytes(&message, field->field) = script_bytes_of(&field->value, variables);
    }
    if (message.bytes_returned == 0)
        message.bytes_returned = message.data.size;
    return lwp_message_encode(&message, out);
}

static enum lwp_status write_payload(const struct script_frame *frame,
                                     const struct lwp_dialect *dialect,
                                     const struct script_variables *variables,
                                     struct lwp_writer *out)
{
    if (frame->command && (frame->body == SCRIPT_BODY_NONE || frame->body == SCRIPT_BODY_RECORDS))
        return write_message(frame, variables, out);
    if (frame->body == SCRIPT_BODY_FILL)
        write_fill(frame->fill_size, frame->fill_seed, out);
    else if (frame->compressed)
        return lwp_lz4_compress(dialect->lz4_framing, frame->bytes, out);
    else
        lwp_write(out, frame->bytes);
    return out->full ? LWP_FULL : LWP_OK;
}

/* Cuts or pads what was written behind `begin`. */
static enum lwp_status fit_payload(const struct script_frame *frame, size_t begin,
                                   struct lwp_writer *out)
{
    const size_t end = begin + (size_t)frame->cut_size;
    if (!frame->is_sized)
        return LWP_OK;
    if (end > out->size) {
        const size_t missing = end - out->size;
        uint8_t *at = lwp_write_room(out, missing);
        if (!at)
            return LWP_FULL;
        memset(at, 0, missing);
    }
    out->size = end;
    return LWP_OK;
}

static bool is_checksum(const struct script_field *field)
{
    return field->header == LWP_HEADER_header_crc || field->header == LWP_HEADER_payload_crc;
}

static uint64_t checksum_of(const struct lwp_frame *frame, enum lwp_header_index field,
                            enum lwp_polynomial polynomial)
{
    return field == LWP_HEADER_header_crc ? lwp_header_crc(&frame->header, polynomial)
                                          : lwp_crc(polynomial, frame->payload);
}

/* Sets the header fields that the script gives, all but checksums or only those. Returns their
 * bits. */
static uint32_t set_given(const struct script_frame *frame, const struct lwp_dialect *dialect,
                          const struct script_variables *variables, bool checksums,
                          struct lwp_frame *built)
{
    const enum lwp_polynomial other = dialect->polynomial == LWP_CRC32 ? LWP_CRC32C : LWP_CRC32;
    uint32_t given = 0;
    for (size_t i = 0; i < frame->fields.count; i++) {
        const struct script_field *field = &frame->fields.items[i];
        if (field->subject != SCRIPT_HEADER || is_checksum(field) != checksums)
            continue;
        const uint64_t right = lwp_header_get(&built->header, field->header);
        const uint64_t value = field->value.kind == SCRIPT_OTHER_POLYNOMIAL
                                   ? checksum_of(built, field->header, other)
                                   : script_number_of(&field->value, variables, right);
        lwp_header_set(&built->header, field->header, value);
        given |= 1U << field->header;
    }
    return given;
}

/* What is right before the script has its say. */
static struct lwp_frame right_frame(const struct script_frame *frame,
                                    const struct lwp_dialect *dialect, struct lwp_bytes payload,
                                    uint64_t batch_id)
{
    struct lwp_frame built = {.payload = payload};
    built.header.flags = lwp_kind_flags(frame->kind);
    built.header.magic = LWP_MAGIC;
    built.header.version = LWP_VERSION;
    built.header.payload_length = (uint32_t)payload.size;
    if (frame->command) {
        const bool is_status = frame->command->code == LWP_COMMAND_GET_CLUSTER_STATUS;
        built.header.batch_id = is_status ? dialect->cluster_status_command : frame->command->code;
    } else if (frame->kind == LWP_KIND_INGEST) {
        built.header.batch_id = batch_id;
        built.header.timestamp_ns = TIMESTAMP_NS;
        built.header.record_count =
            frame->body == SCRIPT_BODY_RECORDS ? (uint32_t)frame->record_count : 1;
        if (frame->compressed)
            built.header.flags |= LWP_FLAG_COMPRESSED;
    }
    return built;
}

static bool is_bound_as(const struct script_variables *variables, struct lwp_bytes name,
                        bool as_bytes)
{
    const struct script_variable *variable = script_variable_of(variables, name);
    return variable && variable->is_bytes == as_bytes;
}

/* Whether the variables of the value are bound, and to what the field takes. */
static bool is_resolved(const struct script_field *field, const struct script_variables *variables)
{
    const bool wants_bytes =
        field->subject == SCRIPT_PAYLOAD && !lwp_field_is_integer(field->field);
    if (field->value.kind == SCRIPT_VARIABLE)
        return is_bound_as(variables, field->value.bytes, wants_bytes);
    for (size_t i = 0; i < field->value.parts.count; i++)
        if (field->value.parts.items[i].is_variable &&
            !is_bound_as(variables, field->value.parts.items[i].bytes, true))
            return false;
    return true;
}

enum lwp_status script_build(const struct script_frame *frame, const struct lwp_dialect *dialect,
                             const struct script_variables *variables, uint64_t batch_id,
                             struct lwp_writer *out)
{
    for (size_t i = 0; i < frame->fields.count; i++)
        if (!is_resolved(&frame->fields.items[i], variables))
            return LWP_INVALID_ARGUMENT;
    uint8_t *head = lwp_write_room(out, LWP_HEADER_SIZE);
    const size_t begin = out->size;
    if (!head)
        return LWP_FULL;
    enum lwp_status status = write_payload(frame, dialect, variables, out);
    if (status == LWP_OK)
        status = fit_payload(frame, begin, out);
    if (status != LWP_OK)
        return status;
    const struct lwp_bytes payload = lwp_bytes_from(lwp_writer_bytes(out), begin);
    struct lwp_frame built = right_frame(frame, dialect, payload, batch_id);
    const uint32_t given = set_given(frame, dialect, variables, false, &built);
    lwp_frame_seal(&built, dialect->polynomial, given);
    (void)set_given(frame, dialect, variables, true, &built);
    lwp_header_encode(&built.header, head);
    return LWP_OK;
}
