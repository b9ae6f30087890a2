/* SPDX-License-Identifier: MIT */
#include "fuzz/made.h"

#include "lwp/wire/compress.h"
#include "lwp/wire/dice.h"
#include "lwp/wire/tlv.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

size_t dice_below(uint64_t *dice, size_t count)
{
    return (size_t)(lwp_dice_next(dice) % count);
}

bool dice_one_in(uint64_t *dice, size_t count)
{
    return dice_below(dice, count) == 0;
}

uint64_t made_number(uint64_t *dice, uint64_t near)
{
    static const uint64_t edges[] = {
        0,          1,          2,           8,         43,         44,
        0x7f,       0x80,       0xff,        0x100,     0x400,      0x7fff,
        0xffff,     0x10000,    0xffffff,    0x1000000, 0x1000001,  0x7fffffff,
        0x80000000, UINT32_MAX, 0x100000000, INT64_MAX, UINT64_MAX,
    };
    const size_t picked = dice_below(dice, COUNT_OF(edges) + 8);
    const uint64_t number = picked < COUNT_OF(edges) ? edges[picked] : near;
    static const uint64_t beside[] = {0, 0, 0, 1, UINT64_MAX, 2, 10};
    return number + beside[dice_below(dice, COUNT_OF(beside))];
}

/* A word that means something to somebody. */
static struct lwp_bytes made_word(uint64_t *dice)
{
    static const char *const words[] = {
        "",       "a",         "k",        "events", "my_topic",
        "sekret", "r\xc3\xa9", "\xff\xfe", "a/b",    "payload payload payload payload"};
    return lwp_bytes_text(words[dice_below(dice, COUNT_OF(words))]);
}

static struct lwp_bytes made_text(uint64_t *dice)
{
    static const char *const texts[] = {
#define LWP_TEXT(name, text, code, spec_text) (text),
#include "lwp/wire/texts.def"
#undef LWP_TEXT
        "{\"code\":20,\"message\":\"NOT_LEADER\",\"details\":{\"leader_addr\":\"b:1992\"}}",
        "{\"code\":31,\"message\":\"x\",\"details\":{\"retry_after_ms\":9}}",
        "NOT_LEADER: leader is 127.0.0.1:1992",
        "CATCHING_UP: 10",
    };
    return lwp_bytes_text(texts[dice_below(dice, COUNT_OF(texts))]);
}

static struct lwp_bytes made_document(uint64_t *dice)
{
    static const char *const documents[] = {
        "{}",
        "[]",
        "{\"id\":1,\"name\":\"events\",\"created_at\":1}",
        "{\"topics\":[{\"id\":1,\"name\":\"events\",\"created_at\":1}]}",
        "{\"id\":18446744073709551615,\"name\":\"\\u0000\"}",
        "{\"deleted\":1}",
        "{\"node_count\":1,\"nodes\":[]}",
        "[[[[[[[[[[",
        "{\"id\":-1,\"id\":1.5e400}",
        "null",
    };
    return lwp_bytes_text(documents[dice_below(dice, COUNT_OF(documents))]);
}

static uint8_t made_type(uint64_t *dice)
{
    static const uint8_t types[] = {
#define LWP_TLV(code, name, word, text) (code),
#include "lwp/wire/tlv.def"
#undef LWP_TLV
        LWP_TLV_USER_FIRST,
        LWP_TLV_USER_LAST,
        0x20,
    };
    return types[dice_below(dice, COUNT_OF(types))];
}

void made_record(uint64_t *dice, struct lwp_writer *out)
{
    const uint8_t type = made_type(dice);
    switch (type) {
    case LWP_TLV_KEY_VALUE:
        lwp_tlv_put_key_value(out, made_word(dice), made_word(dice));
        break;
    case LWP_TLV_TIMESTAMPED:
        lwp_tlv_put_timestamped(out, made_number(dice, 1), made_word(dice));
        break;
    case LWP_TLV_KEY_TIMESTAMPED:
        lwp_tlv_put_key_timestamped(out, made_number(dice, 1), made_word(dice), made_word(dice));
        break;
    case LWP_TLV_NULL_RECORD:
        lwp_tlv_put_null(out);
        break;
    default:
        lwp_tlv_put(out, type, made_word(dice));
    }
}

void made_records(uint64_t *dice, struct lwp_writer *out)
{
    for (size_t count = 1 + dice_below(dice, 3); count; count--)
        made_record(dice, out);
}

static struct lwp_bytes made_bytes(uint64_t *dice, const struct lwp_field *field,
                                   struct lwp_writer *scratch)
{
    if (field->type == LWP_FIELD_JSON)
        return made_document(dice);
    if (field->type == LWP_FIELD_TEXT16 || strcmp(field->name, "text") != 0)
        if (field->type != LWP_FIELD_DATA)
            return made_word(dice);
    if (field->type != LWP_FIELD_DATA)
        return made_text(dice);
    made_records(dice, scratch);
    return lwp_writer_bytes(scratch);
}

void made_message(uint64_t *dice, uint8_t command, struct lwp_writer *out)
{
    const struct lwp_command *row = lwp_command_of(command);
    struct lwp_message message = {.command = command};
    uint8_t room[256];
    struct lwp_writer scratch = lwp_writer_on(room, sizeof(room));
    for (const struct lwp_field *field = row->fields; field->type != LWP_FIELD_NONE; field++)
        if (lwp_field_is_integer(field))
            *lwp_message_integer(&message, field) =
                dice_one_in(dice, 2) ? 1 : made_number(dice, 10);
        else
            *lwp_message_bytes(&message, field) = made_bytes(dice, field, &scratch);
    if (message.data.size)
        message.bytes_returned = message.data.size;
    (void)lwp_message_encode(&message, out);
}

static struct lwp_frame made_ingest(uint64_t *dice, uint64_t batch_id, struct lwp_writer *out)
{
    const size_t before = out->size;
    struct lwp_frame frame = {.header = {.flags = LWP_FLAG_BATCH,
                                         .batch_id = batch_id,
                                         .topic_id = (uint32_t)dice_below(dice, 3),
                                         .timestamp_ns = 1}};
    if (dice_one_in(dice, 4)) {
        uint8_t room[256];
        struct lwp_writer plain = lwp_writer_on(room, sizeof(room));
        made_records(dice, &plain);
        frame.header.flags |= LWP_FLAG_COMPRESSED;
        (void)lwp_lz4_compress(dice_one_in(dice, 2) ? LWP_LZ4_BLOCK : LWP_LZ4_LIBRARY,
                               lwp_writer_bytes(&plain), out);
    } else {
        made_records(dice, out);
    }
    frame.payload = lwp_bytes_from(lwp_writer_bytes(out), before);
    return frame;
}

static struct lwp_frame made_control(uint64_t *dice, struct lwp_writer *out)
{
    static const uint8_t commands[] = {
#define LWP_COMMAND(code, name, word, section, sender, answer, fields) (code),
#include "lwp/wire/commands.def"
#undef LWP_COMMAND
    };
    const size_t before = out->size;
    const uint8_t command = commands[dice_below(dice, COUNT_OF(commands))];
    made_message(dice, command, out);
    return lwp_message_frame(command, lwp_bytes_from(lwp_writer_bytes(out), before));
}

struct lwp_frame made_frame(uint64_t *dice, uint64_t batch_id, struct lwp_writer *out)
{
    const size_t kind = dice_below(dice, 16);
    if (kind < 9)
        return made_control(dice, out);
    if (kind < 12)
        return made_ingest(dice, batch_id, out);
    struct lwp_frame frame = {.payload = {NULL, 0}};
    frame.header.flags = lwp_kind_flags(kind < 14   ? LWP_KIND_ACK
                                        : kind < 15 ? LWP_KIND_KEEPALIVE
                                                    : LWP_KIND_BACKPRESSURE);
    if (kind < 14)
        frame.header.batch_id = batch_id;
    return frame;
}
