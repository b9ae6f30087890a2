/* SPDX-License-Identifier: MIT */
/* records=…: records as they stand on the wire, made when the script is read. */
#include <inttypes.h>
#include <stdio.h>

#include "lwp/wire/tlv.h"
#include "mock_server/script/reader.h"

enum { MAX_REPEAT = 1000000 };

/* Records are written in memory that doubles until they fit. */
struct record_writer {
    struct script_arena *arena;
    struct lwp_writer out;
    uint64_t count;
};

static void put_record(struct record_writer *records, struct lwp_bytes record, uint64_t times)
{
    const size_t wanted = records->out.size + record.size * (size_t)times;
    if (wanted > records->out.capacity) {
        const size_t capacity = 2 * wanted;
        uint8_t *memory = script_arena_take(records->arena, capacity);
        if (!memory)
            return;
        if (records->out.size)
            memcpy(memory, records->out.data, records->out.size);
        const size_t size = records->out.size;
        records->out = lwp_writer_on(memory, capacity);
        records->out.size = size;
    }
    for (uint64_t i = 0; i < times; i++)
        lwp_write(&records->out, record);
    records->count += times;
}

/* tlv(type, length, value): the length is written as given, right or wrong. */
static void read_tlv(struct reader *reader, struct lwp_writer *out)
{
    const uint64_t type = reader_number(reader, UINT8_MAX, "a record type from 0 to 255");
    reader_insist(reader, ",");
    const uint64_t length = reader_number(reader, UINT32_MAX, "a length of 32 bits");
    reader_insist(reader, ",");
    lwp_write_integer(out, 1, type);
    lwp_write_integer(out, 4, length);
    lwp_write(out, reader_bytes(reader));
}

static void read_user(struct reader *reader, struct lwp_writer *out)
{
    const struct token *token = reader->token;
    const uint64_t type = reader_number(reader, UINT8_MAX, "a record type from 0x80 to 0xfe");
    if (type < LWP_TLV_USER_FIRST || type > LWP_TLV_USER_LAST)
        reader_error(reader, token, "a record type from 0x80 to 0xfe");
    reader_insist(reader, ",");
    lwp_tlv_put(out, (uint8_t)type, reader_bytes(reader));
}

/* kv(k,v), ts(ns,v), kts(ns,k,v) */
static void read_parts(struct reader *reader, enum lwp_tlv_type type, struct lwp_writer *out)
{
    struct lwp_record_parts parts = {.timestamp_ns = 0};
    if (type != LWP_TLV_KEY_VALUE) {
        parts.timestamp_ns = reader_number(reader, UINT64_MAX, "a time in nanoseconds");
        reader_insist(reader, ",");
    }
    if (type != LWP_TLV_TIMESTAMPED) {
        parts.key = reader_bytes(reader);
        reader_insist(reader, ",");
    }
    parts.value = reader_bytes(reader);
    if (type == LWP_TLV_KEY_VALUE)
        lwp_tlv_put_key_value(out, parts.key, parts.value);
    else if (type == LWP_TLV_TIMESTAMPED)
        lwp_tlv_put_timestamped(out, parts.timestamp_ns, parts.value);
    else
        lwp_tlv_put_key_timestamped(out, parts.timestamp_ns, parts.key, parts.value);
}

static void read_record_of(struct reader *reader, const struct token *word, struct lwp_writer *out)
{
    const int type = lwp_tlv_type_named(word->text);
    if (type == LWP_TLV_NULL_RECORD) {
        lwp_tlv_put_null(out);
        return;
    }
    reader_insist(reader, "(");
    if (lwp_bytes_equal(word->text, lwp_bytes_text("tlv")))
        read_tlv(reader, out);
    else if (lwp_bytes_equal(word->text, lwp_bytes_text("user")))
        read_user(reader, out);
    else if (type == LWP_TLV_KEY_VALUE || type == LWP_TLV_TIMESTAMPED ||
             type == LWP_TLV_KEY_TIMESTAMPED)
        read_parts(reader, (enum lwp_tlv_type)type, out);
    else if (type > 0)
        lwp_tlv_put(out, (uint8_t)type, reader_bytes(reader));
    else
        reader_error(reader, word,
                     "a record: raw(v), json(v), msgpack(v), protobuf(v), avro(v), "
                     "kv(k,v), ts(ns,v), kts(ns,k,v), null, user(type,v) or "
                     "tlv(type,length,v)");
    reader_insist(reader, ")");
}

/* The characters of the record that begins here: it takes no more, as only strings add to its size. */
static size_t record_text_size(const struct token *word)
{
    size_t size = 0;
    int depth = 0;
    for (const struct token *t = word; t->kind != TOKEN_LINE_END && t->kind != TOKEN_FILE_END;
         t++) {
        const uint8_t sign = t->kind == TOKEN_SIGN ? t->text.data[0] : 0;
        if (sign == '+' && depth == 0)
            break;
        depth += (sign == '(') - (sign == ')');
        size += t->text.size;
    }
    return size;
}

static void read_record(struct reader *reader, struct record_writer *records)
{
    enum { HEADROOM = 64 };
    const struct token *word = reader_next(reader);
    const size_t size = HEADROOM + record_text_size(word);
    struct lwp_writer out = lwp_writer_on(script_arena_take(&reader->script->arena, size), size);
    if (!out.data)
        return;
    read_record_of(reader, word, &out);
    uint64_t times = 1;
    const struct token *factor = reader->token;
    if (!reader->failed && reader_take(reader, "*"))
        times = reader_number(reader, MAX_REPEAT, "how many times, at most 1000000");
    if (times * out.size > READER_MAX_BODY_SIZE)
        reader_error(reader, factor, "records of 32 MiB at most");
    if (!reader->failed)
        put_record(records, lwp_writer_bytes(&out), times);
}

/* raw("NAME-0"), raw("NAME-1") … */
void reader_generate(struct reader *reader, struct script_topic *topic, uint64_t count)
{
    enum { HEAD = 5, DIGITS = 8 };
    const size_t bound = topic->name.size + HEAD + DIGITS;
    char *text = script_arena_take(&reader->script->arena, bound + 1);
    void *room = text ? script_arena_take(&reader->script->arena, bound * (size_t)count) : NULL;
    struct lwp_writer out = lwp_writer_on(room, bound * (size_t)count);
    for (uint64_t i = 0; room && i < count; i++) {
        (void)snprintf(text, bound + 1, "%s-%" PRIu64, (const char *)topic->name.data, i);
        lwp_tlv_put(&out, LWP_TLV_RAW, lwp_bytes_text(text));
    }
    topic->bytes = lwp_writer_bytes(&out);
    topic->record_count = count;
}

void reader_records(struct reader *reader, struct script_frame *frame)
{
    struct record_writer records = {.arena = &reader->script->arena};
    frame->body = SCRIPT_BODY_RECORDS;
    if (reader->in_pattern && reader_is(reader, "lz4"))
        reader_error(reader, reader->token,
                     "records without lz4: what comes is compared as it comes");
    frame->compressed = reader_take(reader, "lz4");
    if (frame->compressed)
        reader_insist(reader, "(");
    do
        read_record(reader, &records);
    while (!reader->failed && !reader->script->arena.failed && reader_take(reader, "+"));
    if (frame->compressed)
        reader_insist(reader, ")");
    frame->bytes = lwp_writer_bytes(&records.out);
    frame->record_count = records.count;
}
