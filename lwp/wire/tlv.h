/* SPDX-License-Identifier: MIT */
/* tlv.h - the records in a payload: u8 type, u32 length, value; packed (specification 8). */
#ifndef LWP_WIRE_TLV_H
#define LWP_WIRE_TLV_H

#include "lwp/wire/dialect.h"
#include "lwp/wire/status.h"

enum lwp_tlv_type {
#define LWP_TLV(code, name, word, text) LWP_TLV_##name = (code),
#include "lwp/wire/tlv.def"
#undef LWP_TLV
    LWP_TLV_USER_FIRST = 0x80,
    LWP_TLV_USER_LAST = 0xfe
};

enum {
    LWP_TLV_HEAD_SIZE = 5,
    LWP_TLV_MAX_VALUE = 16777216 /* 8.7: bytes. */
};

/* A record; the value is a view into the bytes that are walked or written. */
struct lwp_record {
    uint8_t type;
    struct lwp_bytes value;
};

/* The value of a KeyValue, Timestamped or KeyTimestamped record, taken apart. What the type does
 * not have is 0 or empty. */
struct lwp_record_parts {
    uint64_t timestamp_ns;
    struct lwp_bytes key;
    struct lwp_bytes value;
};

/* A walk over records. A value: copy it to come back to a place. */
struct lwp_tlv_walk {
    struct lwp_bytes in;
    size_t offset; /* Of the next record, in bytes from the front of `in`. */
};

static inline struct lwp_tlv_walk lwp_tlv_walk_over(struct lwp_bytes in)
{
    return (struct lwp_tlv_walk){in, 0};
}

/**
 * The next record; its value points into the walk's bytes.
 *
 * LWP_OK                `*record` is filled in and the walk is behind it.
 * LWP_END               there are no bytes left.
 * LWP_TRUNCATED_RECORD  what is left is only the beginning of a record; the walk stays in front of
 * it, so that `in.size - offset` bytes are owed to the next fetch (8.5). LWP_PAYLOAD_TOO_LARGE the
 * length exceeds LWP_TLV_MAX_VALUE (8.7); the walk stays.
 */
static inline enum lwp_status lwp_tlv_next(struct lwp_tlv_walk *walk, struct lwp_record *record)
{
    const size_t left = walk->in.size - walk->offset;
    if (left < LWP_TLV_HEAD_SIZE)
        return left ? LWP_TRUNCATED_RECORD : LWP_END;
    const uint8_t *at = walk->in.data + walk->offset;
    const uint32_t size = lwp_get32(at + 1);
    if (size > left - LWP_TLV_HEAD_SIZE)
        return size > LWP_TLV_MAX_VALUE ? LWP_PAYLOAD_TOO_LARGE : LWP_TRUNCATED_RECORD;
    if (size > LWP_TLV_MAX_VALUE)
        return LWP_PAYLOAD_TOO_LARGE;
    *record = (struct lwp_record){at[0], {at + LWP_TLV_HEAD_SIZE, size}};
    walk->offset += LWP_TLV_HEAD_SIZE + (size_t)size;
    return LWP_OK;
}

/**
 * Walks all of `in` and counts the whole records.
 *
 * LWP_OK if `in` is records and nothing else; else as lwp_tlv_next(), with `*count` the records
 * before the fault and `*fault` its place.
 */
enum lwp_status lwp_tlv_count(struct lwp_bytes in, uint64_t *count, struct lwp_fault *fault);

/**
 * Judges a record by its type: LWP_OK; LWP_INVALID_RECORD for type 00, a Null with a value, or a
 * value too short for its type's parts; LWP_INVALID_TEXT for a key that is not UTF-8. Unassigned
 * types pass.
 */
enum lwp_status lwp_record_check(const struct lwp_record *record);

/**
 * Takes the value apart. The views point into the record's value.
 *
 * LWP_OK; LWP_INVALID_RECORD if the type has no parts or the value is too short for them;
 * LWP_INVALID_TEXT if the key is not UTF-8 (8.3), with `*parts` filled in all the same.
 */
enum lwp_status lwp_record_parts(const struct lwp_record *record, struct lwp_record_parts *parts);

/* Builders. Each writes one record; the writer is sticky, so test `full` once at the end. */

/** Any type and value, right or wrong. A value of 4 GiB or more sets `full`. */
void lwp_tlv_put(struct lwp_writer *out, uint8_t type, struct lwp_bytes value);

/** KeyValue, 8.3. A key of more than 65535 bytes sets `full`, here and below. */
void lwp_tlv_put_key_value(struct lwp_writer *out, struct lwp_bytes key, struct lwp_bytes value);

/** Timestamped, 8.4. */
void lwp_tlv_put_timestamped(struct lwp_writer *out, uint64_t timestamp_ns, struct lwp_bytes value);

/** KeyTimestamped, 8.4. */
void lwp_tlv_put_key_timestamped(struct lwp_writer *out, uint64_t timestamp_ns,
                                 struct lwp_bytes key, struct lwp_bytes value);

/** Null: no value, 8.2. */
void lwp_tlv_put_null(struct lwp_writer *out);

/** The type's name in scripts and traces by 8.2: a word of tlv.def, "user" or "unassigned". */
const char *lwp_tlv_word(uint8_t type);

/** The type of that word, or -1. "user" and "unassigned" have no type of their own. */
int lwp_tlv_type_named(struct lwp_bytes word);

/** The type's name as the dialect's speakers number the types (D21). */
const char *lwp_tlv_word_in(const struct lwp_dialect *dialect, uint8_t type);

#endif
