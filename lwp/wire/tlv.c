/* SPDX-License-Identifier: MIT */
#include "lwp/wire/tlv.h"

enum { TIMESTAMP_SIZE = 8, KEY_HEAD_SIZE = 2 };

enum lwp_status lwp_tlv_count(struct lwp_bytes in, uint64_t *count, struct lwp_fault *fault)
{
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(in);
    struct lwp_record record;
    enum lwp_status status;
    *count = 0;
    while ((status = lwp_tlv_next(&walk, &record)) == LWP_OK)
        ++*count;
    if (status == LWP_END)
        return LWP_OK;
    *fault = (struct lwp_fault){status, walk.offset, "length"};
    return status;
}

static bool has_timestamp(uint8_t type)
{
    return type == LWP_TLV_TIMESTAMPED || type == LWP_TLV_KEY_TIMESTAMPED;
}

static bool has_key(uint8_t type)
{
    return type == LWP_TLV_KEY_VALUE || type == LWP_TLV_KEY_TIMESTAMPED;
}

enum lwp_status lwp_record_parts(const struct lwp_record *record, struct lwp_record_parts *parts)
{
    struct lwp_record_parts result = {.value = record->value};
    if (!has_timestamp(record->type) && !has_key(record->type))
        return LWP_INVALID_RECORD;
    if (has_timestamp(record->type)) {
        if (result.value.size < TIMESTAMP_SIZE)
            return LWP_INVALID_RECORD;
        result.timestamp_ns = lwp_get64(result.value.data);
        result.value = lwp_bytes_from(result.value, TIMESTAMP_SIZE);
    }
    if (has_key(record->type)) {
        if (result.value.size < KEY_HEAD_SIZE)
            return LWP_INVALID_RECORD;
        const size_t key_size = lwp_get16(result.value.data);
        if (result.value.size - KEY_HEAD_SIZE < key_size)
            return LWP_INVALID_RECORD;
        result.key = (struct lwp_bytes){result.value.data + KEY_HEAD_SIZE, key_size};
        result.value = lwp_bytes_from(result.value, KEY_HEAD_SIZE + key_size);
    }
    *parts = result;
    return lwp_utf8_valid(result.key) ? LWP_OK : LWP_INVALID_TEXT;
}

enum lwp_status lwp_record_check(const struct lwp_record *record)
{
    if (record->type == LWP_TLV_RESERVED)
        return LWP_INVALID_RECORD;
    if (record->type == LWP_TLV_NULL_RECORD)
        return record->value.size ? LWP_INVALID_RECORD : LWP_OK;
    if (!has_timestamp(record->type) && !has_key(record->type))
        return LWP_OK;
    struct lwp_record_parts parts;
    return lwp_record_parts(record, &parts);
}

/* The head of a record whose value is the parts that follow. */
static void put_head(struct lwp_writer *out, uint8_t type, uint64_t value_size)
{
    if (value_size > UINT32_MAX) {
        out->full = true;
        return;
    }
    lwp_write_integer(out, 1, type);
    lwp_write_integer(out, 4, value_size);
}

static void put_key(struct lwp_writer *out, struct lwp_bytes key)
{
    if (key.size > UINT16_MAX)
        out->full = true;
    lwp_write_integer(out, KEY_HEAD_SIZE, key.size);
    lwp_write(out, key);
}

void lwp_tlv_put(struct lwp_writer *out, uint8_t type, struct lwp_bytes value)
{
    if (value.size > UINT32_MAX) {
        out->full = true;
        return;
    }
    uint8_t *at = lwp_write_room(out, LWP_TLV_HEAD_SIZE + value.size);
    if (!at)
        return;
    at[0] = type;
    lwp_put32(at + 1, (uint32_t)value.size);
    if (value.size)
        memcpy(at + LWP_TLV_HEAD_SIZE, value.data, value.size);
}

void lwp_tlv_put_key_value(struct lwp_writer *out, struct lwp_bytes key, struct lwp_bytes value)
{
    put_head(out, LWP_TLV_KEY_VALUE, (uint64_t)KEY_HEAD_SIZE + key.size + value.size);
    put_key(out, key);
    lwp_write(out, value);
}

void lwp_tlv_put_timestamped(struct lwp_writer *out, uint64_t timestamp_ns, struct lwp_bytes value)
{
    put_head(out, LWP_TLV_TIMESTAMPED, (uint64_t)TIMESTAMP_SIZE + value.size);
    lwp_write_integer(out, TIMESTAMP_SIZE, timestamp_ns);
    lwp_write(out, value);
}

void lwp_tlv_put_key_timestamped(struct lwp_writer *out, uint64_t timestamp_ns,
                                 struct lwp_bytes key, struct lwp_bytes value)
{
    put_head(out, LWP_TLV_KEY_TIMESTAMPED,
             (uint64_t)TIMESTAMP_SIZE + KEY_HEAD_SIZE + key.size + value.size);
    lwp_write_integer(out, TIMESTAMP_SIZE, timestamp_ns);
    put_key(out, key);
    lwp_write(out, value);
}

void lwp_tlv_put_null(struct lwp_writer *out)
{
    lwp_tlv_put(out, LWP_TLV_NULL_RECORD, (struct lwp_bytes){NULL, 0});
}

static const char *const spec_words[256] = {
#define LWP_TLV(code, name, word, text) [code] = (word),
#include "lwp/wire/tlv.def"
#undef LWP_TLV
};

/* The deployed server's core numbers the same things differently (D21). */
static const char *const server_words[256] = {
    [0x00] = "data", [0x01] = "json",    [0x02] = "msgpack",  [0x03] = "protobuf",
    [0x04] = "avro", [0xfe] = "control", [0xff] = "extended",
};

static const char *word_or_range(const char *word, uint8_t type)
{
    if (word)
        return word;
    return type >= LWP_TLV_USER_FIRST && type <= LWP_TLV_USER_LAST ? "user" : "unassigned";
}

const char *lwp_tlv_word(uint8_t type)
{
    return word_or_range(spec_words[type], type);
}

const char *lwp_tlv_word_in(const struct lwp_dialect *dialect, uint8_t type)
{
    if (dialect->type_names == LWP_TYPES_SPEC)
        return lwp_tlv_word(type);
    return word_or_range(server_words[type], type);
}

int lwp_tlv_type_named(struct lwp_bytes word)
{
    for (int type = 0; type < 256; type++)
        if (spec_words[type] && lwp_bytes_equal(word, lwp_bytes_text(spec_words[type])))
            return type;
    return -1;
}
