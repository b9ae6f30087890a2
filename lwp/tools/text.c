/* SPDX-License-Identifier: MIT */
#include "lwp/tools/text.h"

/* C1 controls, U+0080 to U+009F, are two bytes in UTF-8: some terminals obey them as well. U+2028 to
 * U+202E and U+2066 to U+2069 turn the direction of what follows. */
static bool is_harmless(const uint8_t *at, size_t size)
{
    if (size == 1)
        return at[0] >= 0x20 && at[0] != 0x7f && at[0] != '\\';
    if (size == 2)
        return at[0] != 0xc2 || at[1] >= 0xa0;
    if (size == 3 && at[0] == 0xe2 && at[1] == 0x80)
        return at[2] < 0xa8 || at[2] > 0xae;
    if (size == 3 && at[0] == 0xe2 && at[1] == 0x81)
        return at[2] < 0xa6 || at[2] > 0xa9;
    return true;
}

void text_print(FILE *out, struct lwp_bytes text)
{
    while (text.size) {
        bool valid = false;
        const size_t size = lwp_utf8_step(text, &valid);
        if (valid && is_harmless(text.data, size))
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
