/* SPDX-License-Identifier: MIT */
#include "fuzz/plain.h"

uint64_t plain_integer(struct lwp_bytes in, size_t at, size_t size)
{
    uint64_t value = 0;
    while (size-- > 0)
        value = value * 256 + in.data[at + size];
    return value;
}

uint32_t plain_crc(enum lwp_polynomial polynomial, uint32_t crc, struct lwp_bytes bytes)
{
    const uint32_t reflected = polynomial == LWP_CRC32C ? 0x82f63b78 : 0xedb88320;
    crc = ~crc;
    for (size_t i = 0; i < bytes.size; i++) {
        crc ^= bytes.data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (reflected & (0U - (crc & 1U)));
    }
    return ~crc;
}

static uint32_t crc_of(enum lwp_polynomial polynomial, struct lwp_bytes in, size_t at, size_t size)
{
    return plain_crc(polynomial, 0, (struct lwp_bytes){in.data + at, size});
}

bool plain_same_fault(const struct lwp_fault *a, const struct lwp_fault *b)
{
    return a->status == b->status && a->offset == b->offset && strcmp(a->field, b->field) == 0;
}

struct lwp_fault plain_verdict(const struct lwp_frame_rules *rules, struct lwp_bytes in)
{
    if (in.size < 44)
        return (struct lwp_fault){LWP_MORE, 0, ""};
    if (memcmp(in.data, "LANC", 4) != 0)
        return (struct lwp_fault){LWP_INVALID_MAGIC, 0, "magic"};
    if (in.data[4] != 1)
        return (struct lwp_fault){LWP_INVALID_VERSION, 4, "version"};
    if (crc_of(rules->polynomial, in, 0, 8) != plain_integer(in, 8, 4))
        return (struct lwp_fault){LWP_HEADER_CHECKSUM, 8, "header_crc"};
    const uint64_t payload_size = plain_integer(in, 32, 4);
    if (payload_size > rules->max_payload)
        return (struct lwp_fault){LWP_PAYLOAD_TOO_LARGE, 32, "payload_length"};
    if (in.size < 44 + payload_size)
        return (struct lwp_fault){LWP_MORE, 0, ""};
    /* Without a payload nothing is checked, whatever payload_crc says. */
    if (payload_size && crc_of(rules->polynomial, in, 44, payload_size) != plain_integer(in, 36, 4))
        return (struct lwp_fault){LWP_PAYLOAD_CHECKSUM, 36, "payload_crc"};
    return (struct lwp_fault){LWP_OK, 0, ""};
}

static enum lwp_kind kind_of_flags(uint8_t flags)
{
    if (flags == 0x04 || flags == 0x05)
        return LWP_KIND_INGEST;
    if (flags == 0x08)
        return LWP_KIND_ACK;
    if (flags == 0x10)
        return LWP_KIND_BACKPRESSURE;
    if (flags == 0x20)
        return LWP_KIND_KEEPALIVE;
    return flags == 0x40 ? LWP_KIND_CONTROL : LWP_KIND_UNKNOWN;
}

enum lwp_kind plain_kind(struct lwp_bytes frame, const struct lwp_dialect *dialect)
{
    const uint8_t flags = frame.data[5];
    if (dialect->kind_rule == LWP_KIND_EXACT)
        return kind_of_flags(flags);
    if (flags & 0x40)
        return LWP_KIND_CONTROL;
    if (flags & 0x20)
        return LWP_KIND_KEEPALIVE;
    if (flags & 0x08)
        return LWP_KIND_ACK;
    if (flags & 0x10)
        return LWP_KIND_BACKPRESSURE;
    return flags & 0x04 || frame.size > 44 ? LWP_KIND_INGEST : LWP_KIND_UNKNOWN;
}

static struct lwp_fault ingest_soundness(struct lwp_bytes frame)
{
    if (plain_integer(frame, 12, 8) == 0)
        return (struct lwp_fault){LWP_INVALID_PAYLOAD, 12, "batch_id"};
    if (plain_integer(frame, 28, 4) == 0)
        return (struct lwp_fault){LWP_INVALID_PAYLOAD, 28, "record_count"};
    if (frame.size == 44)
        return (struct lwp_fault){LWP_INVALID_PAYLOAD, 32, "payload_length"};
    return (struct lwp_fault){LWP_OK, 0, ""};
}

struct lwp_fault plain_soundness(struct lwp_bytes frame)
{
    if (plain_integer(frame, 6, 2) != 0)
        return (struct lwp_fault){LWP_INVALID_RESERVED, 6, "reserved"};
    const enum lwp_kind kind = kind_of_flags(frame.data[5]);
    if (kind == LWP_KIND_UNKNOWN)
        return (struct lwp_fault){LWP_INVALID_FLAGS, 5, "flags"};
    if (frame.size == 44 && plain_integer(frame, 36, 4) != 0)
        return (struct lwp_fault){LWP_INVALID_RESERVED, 36, "payload_crc"};
    if (kind == LWP_KIND_INGEST)
        return ingest_soundness(frame);
    if (kind != LWP_KIND_CONTROL && frame.size > 44)
        return (struct lwp_fault){LWP_INVALID_PAYLOAD, 32, "payload_length"};
    return (struct lwp_fault){LWP_OK, 0, ""};
}

enum lwp_status plain_record(struct lwp_bytes in, uint64_t at, uint64_t *size)
{
    if (at == in.size)
        return LWP_END;
    if (at + 5 > in.size)
        return LWP_TRUNCATED_RECORD;
    const uint64_t value_size = plain_integer(in, at + 1, 4);
    if (value_size > 16777216)
        return LWP_PAYLOAD_TOO_LARGE;
    if (at + 5 + value_size > in.size)
        return LWP_TRUNCATED_RECORD;
    *size = 5 + value_size;
    return LWP_OK;
}

enum lwp_status plain_parts(uint8_t type, struct lwp_bytes value, struct lwp_record_parts *parts)
{
    const uint64_t stamp_size = type == 0x11 || type == 0x12 ? 8 : 0;
    const uint64_t head_size = type == 0x10 || type == 0x12 ? 2 : 0;
    if (stamp_size + head_size == 0 || value.size < stamp_size + head_size)
        return LWP_INVALID_RECORD;
    const uint64_t key_size = plain_integer(value, stamp_size, head_size);
    const uint64_t front_size = stamp_size + head_size + key_size;
    if (value.size < front_size)
        return LWP_INVALID_RECORD;
    parts->timestamp_ns = plain_integer(value, 0, stamp_size);
    parts->key = (struct lwp_bytes){value.data + stamp_size + head_size, key_size};
    parts->value = (struct lwp_bytes){value.data + front_size, value.size - front_size};
    return plain_utf8(parts->key) ? LWP_OK : LWP_INVALID_TEXT;
}

enum lwp_status plain_record_check(uint8_t type, struct lwp_bytes value)
{
    if (type == 0x00 || (type == 0xff && value.size > 0))
        return LWP_INVALID_RECORD;
    struct lwp_record_parts parts;
    return type >= 0x10 && type <= 0x12 ? plain_parts(type, value, &parts) : LWP_OK;
}

/* How many bytes the sequence has that begins with this one; 0 if none does. */
static size_t utf8_size(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first >> 5 == 6)
        return 2;
    if (first >> 4 == 14)
        return 3;
    return first >> 3 == 30 ? 4 : 0;
}

/* Whether the whole sequence is a character in its shortest form. */
static bool utf8_character(const uint8_t *in, size_t size)
{
    uint32_t point = size == 1 ? in[0] : in[0] & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        if (in[i] >> 6 != 2)
            return false;
        point = point << 6 | (in[i] & 0x3fU);
    }
    const uint32_t least = size == 2 ? 0x80 : size == 3 ? 0x800 : size == 4 ? 0x10000 : 0;
    return point >= least && point <= 0x10ffff && point >> 11 != 0x1b;
}

bool plain_utf8(struct lwp_bytes text)
{
    size_t size = 0;
    for (size_t at = 0; at < text.size; at += size) {
        size = utf8_size(text.data[at]);
        if (size == 0 || at + size > text.size || !utf8_character(text.data + at, size))
            return false;
    }
    return true;
}

/* A length of four bits, and more bytes while they are 255. False at the end of the input. */
static bool lz4_length(struct lwp_bytes in, size_t *at, uint64_t *length)
{
    uint8_t more = *length == 15 ? 255 : 0;
    while (more == 255) {
        if (*at == in.size)
            return false;
        more = in.data[(*at)++];
        *length += more;
    }
    return true;
}

/* A block that is being taken apart. */
struct lz4 {
    struct lwp_bytes in;
    size_t at;
    uint8_t *out;
    size_t room;
    size_t size;
};

static bool lz4_literals(struct lz4 *lz4, uint64_t count)
{
    if (!lz4_length(lz4->in, &lz4->at, &count) || count > lz4->in.size - lz4->at ||
        count > lz4->room - lz4->size)
        return false;
    for (; count; count--)
        lz4->out[lz4->size++] = lz4->in.data[lz4->at++];
    return true;
}

static enum plain_block lz4_match(struct lz4 *lz4, uint64_t count)
{
    if (lz4->in.size - lz4->at < 2)
        return PLAIN_DAMAGED;
    const uint64_t distance = plain_integer(lz4->in, lz4->at, 2);
    lz4->at += 2;
    if (!lz4_length(lz4->in, &lz4->at, &count) || distance > lz4->size ||
        count + 4 > lz4->room - lz4->size)
        return PLAIN_DAMAGED;
    for (count += 4; count; count--, lz4->size++)
        lz4->out[lz4->size] = distance ? lz4->out[lz4->size - distance] : 0;
    return distance ? PLAIN_READ : PLAIN_VAGUE;
}

/* One sequence: literals, and a match unless the block ends behind them. */
static enum plain_block lz4_sequence(struct lz4 *lz4)
{
    const uint8_t token = lz4->in.data[lz4->at++];
    if (!lz4_literals(lz4, token >> 4))
        return PLAIN_DAMAGED;
    return lz4->at == lz4->in.size ? PLAIN_READ : lz4_match(lz4, token & 15);
}

/* The size that the library's framing tells, and its block; false if it is damaged. */
static bool lz4_head(struct lwp_bytes *in, uint64_t *told)
{
    if (in->size < 9 || in->data[0] != 1 || plain_integer(*in, 1, 4) != plain_integer(*in, 5, 4))
        return false;
    *told = plain_integer(*in, 1, 4);
    *in = lwp_bytes_from(*in, 9);
    return true;
}

enum plain_block plain_lz4(enum lwp_lz4_framing framing, struct lwp_bytes in, uint8_t *out,
                           size_t room, size_t *size)
{
    uint64_t told = UINT64_MAX;
    enum plain_block found = PLAIN_READ;
    *size = 0;
    if ((framing == LWP_LZ4_LIBRARY && !lz4_head(&in, &told)) || in.size == 0)
        return PLAIN_DAMAGED;
    struct lz4 lz4 = {.in = in, .out = out, .room = room};
    while (lz4.at < in.size && found != PLAIN_DAMAGED) {
        const enum plain_block sequence = lz4_sequence(&lz4);
        found = sequence == PLAIN_READ ? found : sequence;
    }
    *size = lz4.size;
    return told == UINT64_MAX || told == *size ? found : PLAIN_DAMAGED;
}
