/* SPDX-License-Identifier: MIT */
#include "lwp/wire/header.h"

const struct lwp_header_field lwp_header_fields[LWP_HEADER_FIELD_COUNT] = {
#define LWP_HEADER_FIELD(offset, size, name, text) {#name, offset, size},
#include "lwp/wire/header.def"
#undef LWP_HEADER_FIELD
};

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

uint64_t lwp_header_get(const struct lwp_header *header, enum lwp_header_index field)
{
    switch (field) {
#define LWP_HEADER_FIELD(offset, size, name, text)                                                 \
    case LWP_HEADER_##name:                                                                        \
        return header->name;
#include "lwp/wire/header.def"
#undef LWP_HEADER_FIELD
    case LWP_HEADER_FIELD_COUNT:
        break;
    }
    return 0;
}

void lwp_header_set(struct lwp_header *header, enum lwp_header_index field, uint64_t value)
{
    uint8_t wire[LWP_HEADER_SIZE];
    lwp_header_encode(header, wire);
    lwp_put_integer(wire + lwp_header_fields[field].offset, lwp_header_fields[field].size, value);
    lwp_header_decode(wire, header);
}
