/* SPDX-License-Identifier: MIT */
#include "lwp/tools/text.h"

/* What a terminal obeys, or what turns the direction of the text behind it; and the backslash, so that
 * \xNN is never a peer's. The first and the last of each kind. */
static const uint32_t harmful[][2] = {
    {0, 0x1f}, {'\\', '\\'}, {0x7f, 0x9f}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069},
};

/* The character that a valid sequence stands for. */
static uint32_t character(const uint8_t *at, size_t size)
{
    static const uint8_t first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t value = at[0] & first_bits[size];
    for (size_t i = 1; i < size; i++)
        value = value << 6 | (at[i] & 0x3f);
    return value;
}

static bool is_harmless(uint32_t value)
{
    for (size_t i = 0; i < sizeof(harmful) / sizeof(harmful[0]); i++)
        if (value >= harmful[i][0] && value <= harmful[i][1])
            return false;
    return true;
}

void text_print(FILE *out, struct lwp_bytes text)
{
    while (text.size) {
        bool valid = false;
        const size_t size = lwp_utf8_step(text, &valid);
        if (valid && is_harmless(character(text.data, size)))
            (void)fwrite(text.data, 1, size, out);
        else
            for (size_t i = 0; i < size; i++)
                (void)fprintf(out, "\\x%02x", text.data[i]);
        text = lwp_bytes_from(text, size);
    }
}

void text_print_hex(FILE *out, struct lwp_bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.size; i++) {
        (void)fputc(digits[bytes.data[i] >> 4], out);
        (void)fputc(digits[bytes.data[i] & 15], out);
    }
}
