/* SPDX-License-Identifier: MIT */
/* message.h - the payloads of control frames, read and written by one interpreter of commands.def
 * (specification 5). */
#ifndef LWP_WIRE_MESSAGE_H
#define LWP_WIRE_MESSAGE_H

#include "lwp/wire/frame.h"

/* The command codes: LWP_COMMAND_FETCH is 0x10. */
enum lwp_command_code {
#define LWP_COMMAND(code, name, word, section, sender, answer, fields) LWP_COMMAND_##name = (code),
#include "lwp/wire/commands.def"
#undef LWP_COMMAND
};

/* How a payload field stands on the wire; commands.def explains them. */
enum lwp_field_type {
    LWP_FIELD_NONE, /* Ends a list of fields. */
    LWP_FIELD_U8,
    LWP_FIELD_U32,
    LWP_FIELD_U64,
    LWP_FIELD_TEXT16,
    LWP_FIELD_TEXT,
    LWP_FIELD_JSON,
    LWP_FIELD_DATA
};

/**
 * A control frame's payload, decoded: the command and the fields that its row in commands.def
 * names; all others are zero. The views point into the payload that was decoded, or wherever the
 * sender keeps its bytes.
 */
struct lwp_message {
    uint8_t command;
    uint64_t topic_id;
    uint64_t consumer_id;
    uint64_t start_offset;
    uint64_t offset;
    uint64_t next_offset;
    uint64_t server_offset;
    uint64_t max_bytes;
    uint64_t max_batch_bytes;
    uint64_t max_age_secs;
    uint64_t bytes_returned;
    uint64_t record_count;
    uint64_t ok;
    struct lwp_bytes name;
    struct lwp_bytes token;
    struct lwp_bytes text;
    struct lwp_bytes json;
    struct lwp_bytes data;
};

/* One field of a payload: its name and where it lies in struct lwp_message. */
struct lwp_field {
    enum lwp_field_type type;
    const char *name;
    size_t place;
};

/* One row of commands.def. */
struct lwp_command {
    uint8_t code;
    uint8_t answer;   /* The code of the answer's frame; 0: an Ack or none. */
    bool from_client; /* Sent by clients; otherwise by servers. */
    const char *word;
    const char *section;
    const struct lwp_field *fields; /* Ended by LWP_FIELD_NONE. */
};

/** The row of a command code or word, or NULL if there is none. */
const struct lwp_command *lwp_command_of(uint8_t code);
const struct lwp_command *lwp_command_named(struct lwp_bytes word);

/** The rows by index, for those who list them; NULL after the last. */
const struct lwp_command *lwp_command_at(size_t index);

/** The command's field of that name, or NULL. */
const struct lwp_field *lwp_command_field(const struct lwp_command *command, struct lwp_bytes name);

/** The fixed part of the field's size on the wire: an integer's bytes, or those of the size in
 * front of a TEXT16; 0 for what goes on to the end. */
size_t lwp_field_size(const struct lwp_field *field);

/** Whether the field is an integer; otherwise it is bytes. */
bool lwp_field_is_integer(const struct lwp_field *field);

/** The integer or the bytes that the field names in the message, to read or to set. */
uint64_t *lwp_message_integer(struct lwp_message *message, const struct lwp_field *field);
struct lwp_bytes *lwp_message_bytes(struct lwp_message *message, const struct lwp_field *field);

/**
 * Decodes the payload of a control frame with this command.
 *
 * LWP_OK              `*message` is filled in; `*rest` has the bytes after the last field (D38).
 * LWP_UNKNOWN_COMMAND there is no such row.
 * LWP_INVALID_LENGTH  the payload is shorter than its form, a TEXT16 size passes its end, or
 *                     bytes_returned is not the size of the data (the fault names the data);
 *                     `*fault` has field and offset.
 * LWP_INVALID_TEXT    a text is not UTF-8; `*message` is filled in all the same.
 */
enum lwp_status lwp_message_decode(uint8_t command, struct lwp_bytes payload,
                                   struct lwp_message *message, struct lwp_bytes *rest,
                                   struct lwp_fault *fault);

/**
 * Writes the payload. bytes_returned is written as it stands, right or wrong.
 *
 * LWP_OK, LWP_FULL, LWP_UNKNOWN_COMMAND, or LWP_INVALID_ARGUMENT if a TEXT16 exceeds 65535 bytes.
 */
enum lwp_status lwp_message_encode(const struct lwp_message *message, struct lwp_writer *out);

/** The control frame of a message whose payload is `payload` (5): not sealed yet. */
struct lwp_frame lwp_message_frame(uint8_t command, struct lwp_bytes payload);

/** A control frame's command as the dialect reads it (D16): 0 to 255, or -1 if the value fits none.
 */
int lwp_frame_command(const struct lwp_frame *frame, const struct lwp_dialect *dialect);

#endif
