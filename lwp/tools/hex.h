/* SPDX-License-Identifier: MIT */
/* hex.h - bytes written as hexadecimal digits, plain or as xxd and hexdump -C print them. */
#ifndef LWP_TOOLS_HEX_H
#define LWP_TOOLS_HEX_H

#include "lwp/wire/bytes.h"

/* Where a text stops being one. */
struct lwp_hex_fault {
    size_t line;      /* From 1 on. */
    const char *text; /* What is wrong there; static. */
};

/** Whether the first line that is not blank is hexadecimal digits in one of the forms of
 * lwp_hex_decode(). */
bool lwp_hex_recognise(struct lwp_bytes text);

/**
 * Decodes the text and writes the bytes to `out`, which needs room for half the text's size. The
 * first line that is not blank tells the form:
 *
 *     00000000: 4c41 4e43 0120  LANC.          xxd: 8 to 16 digits and a colon
 *     00000000  4c 41 4e 43 01 20  |LANC. |    hexdump -C: 8 digits, two spaces, and a bar
 *     4c414e43 01 20                           plain: pairs of digits, white space anywhere between
 *
 * Where there are offsets, each must follow from the line before; the first may be any. What
 * hexdump squeezes into a `*` is refused: hexdump -v shows it.
 *
 * Returns true, or false with `*fault` set; then `out` has the bytes of the lines before.
 */
bool lwp_hex_decode(struct lwp_bytes text, struct lwp_writer *out, struct lwp_hex_fault *fault);

#endif
