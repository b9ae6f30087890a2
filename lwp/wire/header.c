/* SPDX-License-Identifier: MIT */
#include "lwp/wire/header.h"

const struct lwp_header_field lwp_header_fields[LWP_HEADER_FIELD_COUNT] = {
#define LWP_HEADER_FIELD(offset, size, name, text) {#name, offset, size},
#include "lwp/wire/header.def"
#undef LWP_HEADER_FIELD
};

/* The hot path: written by hand, and compared with header.def by a test. */
void lwp_header_decode(const uint8_t *in, struct lwp_header *header)
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

void lwp_header_encode(const struct lwp_header *header, uint8_t *out)
{
    lwp_put32(out, header->magic);
    out[4] = header->version;
    out[5] = header->flags;
    lwp_put16(out + 6, header->reserved);
    lwp_put32(out + 8, header->header_crc);
    lwp_put64(out + 12, header->batch_id);
    lwp_put64(out + 20, header->timestamp_ns);
    lwp_put32(out + 28, header->record_count);
    lwp_put32(out + 32, header->payload_length);
    lwp_put32(out + 36, header->payload_crc);
    lwp_put32(out + 40, header->topic_id);
}

uint32_t lwp_header_crc(const struct lwp_header *header, enum lwp_polynomial polynomial)
{
    if (header->magic == LWP_MAGIC && header->version == LWP_VERSION && header->reserved == 0)
        return lwp_crc_of_flags(polynomial, header->flags);
    uint8_t checked[LWP_HEADER_CHECKED_SIZE];
    lwp_put32(checked, header->magic);
    checked[4] = header->version;
    checked[5] = header->flags;
    lwp_put16(checked + 6, header->reserved);
    return lwp_crc(polynomial, (struct lwp_bytes){checked, sizeof(checked)});
}

enum lwp_status lwp_header_check(const struct lwp_header *header, enum lwp_polynomial polynomial)
{
    if (header->magic != LWP_MAGIC)
        return LWP_INVALID_MAGIC;
    if (header->version != LWP_VERSION)
        return LWP_INVALID_VERSION;
    if (header->header_crc != lwp_header_crc(header, polynomial))
        return LWP_HEADER_CHECKSUM;
    return LWP_OK;
}

uint64_t lwp_header_get(const struct lwp_header *header, enum lwp_header_index field)
{
    uint8_t wire[LWP_HEADER_SIZE];
    lwp_header_encode(header, wire);
    return lwp_get_integer(wire + lwp_header_fields[field].offset, lwp_header_fields[field].size);
}

void lwp_header_set(struct lwp_header *header, enum lwp_header_index field, uint64_t value)
{
    uint8_t wire[LWP_HEADER_SIZE];
    lwp_header_encode(header, wire);
    lwp_put_integer(wire + lwp_header_fields[field].offset, lwp_header_fields[field].size, value);
    lwp_header_decode(wire, header);
}
