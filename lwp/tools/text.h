/* SPDX-License-Identifier: MIT */
/* text.h - bytes of a peer's for people to read: nothing in them moves a terminal's cursor. */
#ifndef LWP_TOOLS_TEXT_H
#define LWP_TOOLS_TEXT_H

#include <stdio.h>

#include "lwp/wire/bytes.h"

/** Prints UTF-8 as it is, and control characters, the backslash and what is not UTF-8 as \xNN, byte
 * by byte. */
void text_print(FILE *out, struct lwp_bytes text);

/** Prints two lower-case digits a byte. */
void text_print_hex(FILE *out, struct lwp_bytes bytes);

#endif
