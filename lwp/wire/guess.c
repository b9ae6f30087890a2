/* SPDX-License-Identifier: MIT */
#include "lwp/wire/guess.h"

#include "lwp/wire/message.h"

static bool is_sound(const uint8_t *at, enum lwp_polynomial *polynomial)
{
    static const enum lwp_polynomial all[] = {LWP_CRC32C, LWP_CRC32};
    struct lwp_header header;
    lwp_header_decode(at, &header);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (lwp_header_check(&header, all[i]) == LWP_OK) {
            *polynomial = all[i];
            return true;
        }
    return false;
}

size_t lwp_header_find(struct lwp_bytes captured, size_t at, enum lwp_polynomial *polynomial)
{
    const uint8_t first = LWP_MAGIC & 0xff;
    while (at < captured.size && captured.size - at >= LWP_HEADER_SIZE) {
        const size_t last = captured.size - LWP_HEADER_SIZE;
        const uint8_t *found = memchr(captured.data + at, first, last - at + 1);
        if (!found)
            break;
        at = (size_t)(found - captured.data);
        if (is_sound(found, polynomial))
            return at;
        at++;
    }
    return captured.size;
}

/* Whether an ErrorResponse among the sound frames is a JSON object (D2). */
static bool has_json_error(struct lwp_bytes in, enum lwp_polynomial polynomial)
{
    const struct lwp_frame_rules rules = {polynomial, UINT32_MAX};
    struct lwp_frame frame;
    struct lwp_fault fault;
    while (lwp_frame_split(&rules, in, &frame, &fault) == LWP_OK) {
        const bool is_error = frame.header.flags == LWP_FLAG_CONTROL &&
                              frame.header.batch_id == LWP_COMMAND_ERROR_RESPONSE;
        if (is_error && frame.payload.size && frame.payload.data[0] == '{')
            return true;
        in = lwp_bytes_from(in, lwp_frame_size(&frame));
    }
    return false;
}

struct lwp_guess lwp_dialect_guess(struct lwp_bytes captured)
{
    enum lwp_polynomial polynomial = LWP_CRC32;
    struct lwp_guess guess = {NULL, lwp_header_find(captured, 0, &polynomial), false};
    if (guess.offset == captured.size)
        return guess;
    guess.dialect = polynomial == LWP_CRC32C ? &lwp_dialect_spec : &lwp_dialect_lance;
    if (polynomial == LWP_CRC32 &&
        has_json_error(lwp_bytes_from(captured, guess.offset), polynomial)) {
        guess.dialect = &lwp_dialect_lance_py;
        guess.by_errors = true;
    }
    return guess;
}
