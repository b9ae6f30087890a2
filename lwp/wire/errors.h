/* SPDX-License-Identifier: MIT */
/* errors.h - what a peer says in an ErrorResponse: codes (12.2) and the deployed server's texts.
 * The JSON document around the codes is read in lwp/json. */
#ifndef LWP_WIRE_ERRORS_H
#define LWP_WIRE_ERRORS_H

#include "lwp/wire/status.h"

enum lwp_error {
#define LWP_ERROR(code, name, word, status) LWP_ERROR_##name = (code),
#include "lwp/wire/errors.def"
#undef LWP_ERROR
};

/* The rows of texts.def. */
enum lwp_text {
#define LWP_TEXT(name, text, code, message) LWP_TEXT_##name,
#include "lwp/wire/texts.def"
#undef LWP_TEXT
    LWP_TEXT_COUNT
};

/** The error's word in scripts and reports, for example "topic-not-found"; "unassigned" for a code
 * without a row. Static. */
const char *lwp_error_word(unsigned code);

/** The code of that word, or -1. */
int lwp_error_named(struct lwp_bytes word);

/** What an error code means as a status of ours (12.4): LWP_PEER_REFUSED for a code without a row.
 */
enum lwp_status lwp_error_status(unsigned code);

/** The code of section 12.2 that says what the text says. */
enum lwp_error lwp_text_code(enum lwp_text text);

/**
 * Writes the deployed server's text (`as_message` false) or the message that goes with the code
 * (true), with `argument` in the place of its %. Texts without a % ignore the argument.
 */
void lwp_text_write(enum lwp_text text, bool as_message, struct lwp_bytes argument,
                    struct lwp_writer *out);

/**
 * Recognises a plain text that a server sent.
 *
 * Returns the row and sets `*argument` to what stands in the place of the % (a view into `said`),
 * or LWP_TEXT_COUNT, with nothing set, if no row fits.
 */
enum lwp_text lwp_text_recognise(struct lwp_bytes said, struct lwp_bytes *argument);

/** The status of a recognised text; LWP_PEER_REFUSED for LWP_TEXT_COUNT. FORWARD_FAILED has no code
 * of its own, but a status (12.4). */
enum lwp_status lwp_text_status(enum lwp_text text);

#endif
