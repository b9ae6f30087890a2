/* SPDX-License-Identifier: MIT */
#include "lwp/wire/frame.h"

/* A fault in the named header field. */
static enum lwp_status fault_at(struct lwp_fault *fault, enum lwp_status status,
                                enum lwp_header_index field)
{
    *fault =
        (struct lwp_fault){status, lwp_header_fields[field].offset, lwp_header_fields[field].name};
    return status;
}

static enum lwp_header_index field_of(enum lwp_status status)
{
    if (status == LWP_INVALID_MAGIC)
        return LWP_HEADER_magic;
    return status == LWP_INVALID_VERSION ? LWP_HEADER_version : LWP_HEADER_header_crc;
}

enum lwp_status lwp_frame_split(const struct lwp_frame_rules *rules, struct lwp_bytes in,
                                struct lwp_frame *frame, struct lwp_fault *fault)
{
    if (in.size < LWP_HEADER_SIZE)
        return LWP_MORE;
    struct lwp_header header;
    lwp_header_decode(in.data, &header);
    const enum lwp_status status = lwp_header_check(&header, rules->polynomial);
    if (status != LWP_OK)
        return fault_at(fault, status, field_of(status));
    if (header.payload_length > rules->max_payload)
        return fault_at(fault, LWP_PAYLOAD_TOO_LARGE, LWP_HEADER_payload_length);
    if (in.size - LWP_HEADER_SIZE < header.payload_length)
        return LWP_MORE;
    const struct lwp_bytes payload = {in.data + LWP_HEADER_SIZE, header.payload_length};
    if (payload.size && lwp_crc(rules->polynomial, payload) != header.payload_crc)
        return fault_at(fault, LWP_PAYLOAD_CHECKSUM, LWP_HEADER_payload_crc);
    *frame = (struct lwp_frame){header, payload};
    return LWP_OK;
}

struct kind_row {
    const char *word;
    uint8_t flags;
};

static const struct kind_row kinds[] = {
    [LWP_KIND_UNKNOWN] = {"unknown", 0},
    [LWP_KIND_INGEST] = {"ingest", LWP_FLAG_BATCH},
    [LWP_KIND_ACK] = {"ack", LWP_FLAG_ACK},
    [LWP_KIND_KEEPALIVE] = {"keepalive", LWP_FLAG_KEEPALIVE},
    [LWP_KIND_BACKPRESSURE] = {"backpressure", LWP_FLAG_BACKPRESSURE},
    [LWP_KIND_CONTROL] = {"control", LWP_FLAG_CONTROL},
};

const char *lwp_kind_word(enum lwp_kind kind)
{
    return kinds[kind].word;
}

uint8_t lwp_kind_flags(enum lwp_kind kind)
{
    return kinds[kind].flags;
}

static enum lwp_kind kind_exactly(uint8_t flags)
{
    /* 4.1: only an ingest may be compressed. */
    if (flags == (LWP_FLAG_BATCH | LWP_FLAG_COMPRESSED))
        return LWP_KIND_INGEST;
    for (enum lwp_kind kind = LWP_KIND_INGEST; kind <= LWP_KIND_CONTROL; kind++)
        if (flags == kinds[kind].flags)
            return kind;
    return LWP_KIND_UNKNOWN;
}

static enum lwp_kind kind_by_priority(const struct lwp_frame *frame)
{
    static const enum lwp_kind order[] = {LWP_KIND_CONTROL, LWP_KIND_KEEPALIVE, LWP_KIND_ACK,
                                          LWP_KIND_BACKPRESSURE, LWP_KIND_INGEST};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (frame->header.flags & kinds[order[i]].flags)
            return order[i];
    return frame->payload.size ? LWP_KIND_INGEST : LWP_KIND_UNKNOWN;
}

enum lwp_kind lwp_frame_kind(const struct lwp_frame *frame, const struct lwp_dialect *dialect)
{
    if (dialect->kind_rule == LWP_KIND_EXACT)
        return kind_exactly(frame->header.flags);
    return kind_by_priority(frame);
}

/* 4.1: non-zero batch id, at least one record, a payload. */
static enum lwp_status check_ingest(const struct lwp_frame *frame, struct lwp_fault *fault)
{
    if (frame->header.batch_id == 0)
        return fault_at(fault, LWP_INVALID_PAYLOAD, LWP_HEADER_batch_id);
    if (frame->header.record_count == 0)
        return fault_at(fault, LWP_INVALID_PAYLOAD, LWP_HEADER_record_count);
    if (frame->payload.size == 0)
        return fault_at(fault, LWP_INVALID_PAYLOAD, LWP_HEADER_payload_length);
    return LWP_OK;
}

enum lwp_status lwp_frame_check(const struct lwp_frame *frame, struct lwp_fault *fault)
{
    if (frame->header.reserved != 0)
        return fault_at(fault, LWP_INVALID_RESERVED, LWP_HEADER_reserved);
    const enum lwp_kind kind = kind_exactly(frame->header.flags);
    if (kind == LWP_KIND_UNKNOWN)
        return fault_at(fault, LWP_INVALID_FLAGS, LWP_HEADER_flags);
    if (frame->payload.size == 0 && frame->header.payload_crc != 0)
        return fault_at(fault, LWP_INVALID_RESERVED, LWP_HEADER_payload_crc);
    if (kind == LWP_KIND_INGEST)
        return check_ingest(frame, fault);
    /* 4.2, 4.3, 4.4. */
    if (kind != LWP_KIND_CONTROL && frame->payload.size)
        return fault_at(fault, LWP_INVALID_PAYLOAD, LWP_HEADER_payload_length);
    return LWP_OK;
}

/* Whether lwp_frame_seal() is to fill in this field. */
static bool fills(uint32_t keep, enum lwp_header_index field)
{
    return (keep & 1U << field) == 0;
}

void lwp_frame_seal(struct lwp_frame *frame, enum lwp_polynomial polynomial, uint32_t keep)
{
    struct lwp_header *header = &frame->header;
    if (fills(keep, LWP_HEADER_magic))
        header->magic = LWP_MAGIC;
    if (fills(keep, LWP_HEADER_version))
        header->version = LWP_VERSION;
    if (fills(keep, LWP_HEADER_header_crc))
        header->header_crc = lwp_header_crc(header, polynomial);
    if (fills(keep, LWP_HEADER_payload_length))
        header->payload_length = (uint32_t)frame->payload.size;
    if (fills(keep, LWP_HEADER_payload_crc))
        header->payload_crc = lwp_crc(polynomial, frame->payload);
}

enum lwp_status lwp_frame_encode(const struct lwp_frame *frame, struct lwp_writer *out)
{
    uint8_t *at = lwp_write_room(out, lwp_frame_size(frame));
    if (!at)
        return LWP_FULL;
    lwp_header_encode(&frame->header, at);
    if (frame->payload.size)
        memcpy(at + LWP_HEADER_SIZE, frame->payload.data, frame->payload.size);
    return LWP_OK;
}
