/* SPDX-License-Identifier: MIT */
/* The input is a command and its payload. What is read is written again byte for byte, and the rest is left
 * over, or the fault lies in it (laws.h); each field of the message is what plain.h reads at its place. */
#include "fuzz/fuzz.h"
#include "fuzz/laws.h"
#include "fuzz/plain.h"

/* The field at `at` in the payload; returns where the next one begins. */
static size_t is_field(const struct lwp_field *field, struct lwp_message *message,
                       struct lwp_bytes payload, size_t at, size_t rest)
{
    const size_t fixed = lwp_field_size(field);
    if (lwp_field_is_integer(field)) {
        fuzz_note(*lwp_message_integer(message, field));
        FUZZ_ASSERT(*lwp_message_integer(message, field) == plain_integer(payload, at, fixed));
        return at + fixed;
    }
    const struct lwp_bytes bytes = *lwp_message_bytes(message, field);
    const size_t expected = fixed ? plain_integer(payload, at, fixed) : payload.size - at - rest;
    FUZZ_ASSERT(bytes.size == expected);
    FUZZ_ASSERT(bytes.size == 0 || bytes.data == payload.data + at + fixed);
    return at + fixed + bytes.size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const uint8_t command = data[0];
    const struct lwp_bytes payload = fuzz_flush(data + 1, size - 1);
    law_message(command, payload);
    struct lwp_message message = {.command = command};
    struct lwp_bytes rest = {NULL, 0};
    struct lwp_fault fault;
    const enum lwp_status status = lwp_message_decode(command, payload, &message, &rest, &fault);
    if (status != LWP_OK && status != LWP_INVALID_TEXT)
        return 0;
    size_t at = 0;
    const struct lwp_field *field = lwp_command_of(command)->fields;
    for (; field->type != LWP_FIELD_NONE; field++)
        at = is_field(field, &message, payload, at, rest.size);
    FUZZ_ASSERT(at + rest.size == payload.size);
    return 0;
}
