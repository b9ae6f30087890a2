/* SPDX-License-Identifier: MIT */
/* header.h - the 44 bytes at the front of every frame (specification 3). */
#ifndef LWP_WIRE_HEADER_H
#define LWP_WIRE_HEADER_H

#include "lwp/wire/crc.h"
#include "lwp/wire/status.h"

enum {
    LWP_HEADER_SIZE = 44,
    LWP_HEADER_CHECKED_SIZE =
        8, /* What header_crc covers; bytes 12 to 43 are covered by nothing. */
    LWP_VERSION = 1
};

#define LWP_MAGIC 0x434e414cU /* "LANC", read as a little-endian integer. */

/* The bits of `flags`, specification 3. Bit 7 must be 0. */
enum lwp_flag {
    LWP_FLAG_COMPRESSED = 0x01,
    LWP_FLAG_ENCRYPTED = 0x02,
    LWP_FLAG_BATCH = 0x04,
    LWP_FLAG_ACK = 0x08,
    LWP_FLAG_BACKPRESSURE = 0x10,
    LWP_FLAG_KEEPALIVE = 0x20,
    LWP_FLAG_CONTROL = 0x40
};

/* A header as it stands on the wire, right or wrong; header.def tells what each field holds. */
struct lwp_header {
    uint32_t magic;
    uint8_t version;
    uint8_t flags;
    uint16_t reserved;
    uint32_t header_crc;
    uint64_t batch_id;
    uint64_t timestamp_ns;
    uint32_t record_count;
    uint32_t payload_length;
    uint32_t payload_crc;
    uint32_t topic_id;
};

/* The fields in wire order; also bits of a set: 1U << LWP_HEADER_magic. */
enum lwp_header_index {
#define LWP_HEADER_FIELD(offset, size, name, text) LWP_HEADER_##name,
#include "lwp/wire/header.def"
#undef LWP_HEADER_FIELD
    LWP_HEADER_FIELD_COUNT
};

/* One row of header.def. */
struct lwp_header_field {
    const char *name;
    uint8_t offset; /* On the wire. */
    uint8_t size;   /* In bytes: 1, 2, 4 or 8. */
};

extern const struct lwp_header_field lwp_header_fields[LWP_HEADER_FIELD_COUNT];

/** Reads the 44 bytes at `in`, whatever they say. */
static inline void lwp_header_decode(const uint8_t *in, struct lwp_header *header)
{
    *header = (struct lwp_header){
        .magic = lwp_get32(in),
        .version = in[4],
        .flags = in[5],
        .reserved = lwp_get16(in + 6),
        .header_crc = lwp_get32(in + 8),
        .batch_id = lwp_get64(in + 12),
        .timestamp_ns = lwp_get64(in + 20),
        .record_count = lwp_get32(in + 28),
        .payload_length = lwp_get32(in + 32),
        .payload_crc = lwp_get32(in + 36),
        .topic_id = lwp_get32(in + 40),
    };
}

/** Writes 44 bytes at `out`, whatever the header says. */
void lwp_header_encode(const struct lwp_header *header, uint8_t *out);

/** The checksum that belongs into header_crc for the header's first eight bytes as they are. */
uint32_t lwp_header_crc(const struct lwp_header *header, enum lwp_polynomial polynomial);

/**
 * Judges magic, version and header checksum, in this order.
 *
 * LWP_OK, LWP_INVALID_MAGIC (11.1), LWP_INVALID_VERSION (11.2) or LWP_HEADER_CHECKSUM (11.3). Flags
 * and reserved bytes are judged by lwp_frame_check().
 */
static inline enum lwp_status lwp_header_check(const struct lwp_header *header,
                                               enum lwp_polynomial polynomial)
{
    if (header->magic != LWP_MAGIC)
        return LWP_INVALID_MAGIC;
    if (header->version != LWP_VERSION)
        return LWP_INVALID_VERSION;
    const uint32_t crc = header->reserved ? lwp_header_crc(header, polynomial)
                                          : lwp_crc_of_flags(polynomial, header->flags);
    return header->header_crc == crc ? LWP_OK : LWP_HEADER_CHECKSUM;
}

/** A field's value, and setting it (cut to the field's size). */
uint64_t lwp_header_get(const struct lwp_header *header, enum lwp_header_index field);
void lwp_header_set(struct lwp_header *header, enum lwp_header_index field, uint64_t value);

#endif
