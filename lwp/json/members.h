/* SPDX-License-Identifier: MIT */
/* members.h - what JSON Lines tell of bytes, frames and records, as members of json-c's objects.
 * Without memory a member is left out or null, and an object is NULL: all that is here takes that,
 * and lwp_json_line() says so in the end. */
#ifndef LWP_JSON_MEMBERS_H
#define LWP_JSON_MEMBERS_H

#include <stdio.h>

#include "lwp/wire/message.h"
#include "lwp/wire/tlv.h"

struct json_object;

enum { LWP_JSON_SHOWN_SIZE = 4096 }; /* Bytes of a text or payload that are shown. */

/** Adds a member, which the object owns from then on. */
void lwp_json_add(struct json_object *object, const char *key, struct json_object *value);

/** An integer, and a boolean. */
void lwp_json_add_number(struct json_object *object, const char *key, uint64_t number);
void lwp_json_add_flag(struct json_object *object, const char *key, bool flag);

/** A text, with U+FFFD for what is not UTF-8: JSON is, the name of a file need not be. */
void lwp_json_add_text(struct json_object *object, const char *key, struct lwp_bytes text);

/** A name of ours, which is UTF-8. */
void lwp_json_add_word(struct json_object *object, const char *key, const char *word);

/** {"size":…,"text":…}, or "hex" if that is not UTF-8; with "cut" if what is shown is only the
 * front, of at most `limit` bytes. */
void lwp_json_add_bytes(struct json_object *object, const char *key, struct lwp_bytes bytes,
                        size_t limit);

/** Two lower-case digits a byte. What is over 1 GiB is left out. */
void lwp_json_add_hex(struct json_object *object, const char *key, struct lwp_bytes bytes);

/** All fields of the header, as an object for the caller to add. */
struct json_object *lwp_json_header(const struct lwp_header *header);

/** A control frame's command, as the dialect reads it, and the fields of its payload; those that
 * the payload is too short for are not there. */
struct json_object *lwp_json_message(const struct lwp_dialect *dialect,
                                     const struct lwp_frame *frame);

/** Adds the members that tell of a record: type, word, size, what the type has of timestamp_ns and
 * key, and value; of each at most `limit` bytes. */
void lwp_json_add_record(struct json_object *object, const struct lwp_dialect *dialect,
                         const struct lwp_record *record, size_t limit);

/** The object as one line, without its end: a view that lives as long as the object. Empty without
 * memory. */
struct lwp_bytes lwp_json_line(struct json_object *object);

#endif
