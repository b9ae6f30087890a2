/* SPDX-License-Identifier: MIT */
#include "lwp/bench/load.h"

#include <stdio.h>
#include <stdlib.h>

#include "lwp/wire/compress.h"
#include "lwp/wire/tlv.h"

/* In bytes: a cache line, so that nothing depends on where malloc() happens to put a buffer. */
enum { ALIGNMENT = 64 };

static uint8_t *buffer_new(size_t size)
{
    return aligned_alloc(ALIGNMENT, (size + ALIGNMENT) / ALIGNMENT * ALIGNMENT);
}

/* The next of numbers without a pattern, the same in every run (xorshift64). */
static uint32_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)(*state >> 32);
}

static const uint64_t first_state = 0x9e3779b97f4a7c15;

static void fill(uint8_t *out, size_t size)
{
    uint64_t state = first_state;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)next(&state);
}

/* JSON documents as logs have them, of some 100 bytes; blanks fill the rest. */
static void fill_texts(uint8_t *out, size_t size, const struct shape *shape)
{
    static const char form[] = "{\"time\":17000%08u,\"symbol\":\"ES%u\",\"price\":%u.%02u,\"size\":"
                               "%u,\"id\":\"%08x%08x\"}";
    uint64_t state = first_state + shape->texts;
    memset(out, ' ', size);
    for (size_t at = 0; at < size; at += shape->record_size) {
        char text[128];
        const int text_size =
            snprintf(text, sizeof(text), form, next(&state) % 100000000, next(&state) % 10,
                     6900 + next(&state) % 100, next(&state) % 100, next(&state) % 500,
                     next(&state), next(&state));
        const size_t used =
            (size_t)text_size < shape->record_size ? (size_t)text_size : shape->record_size;
        memcpy(out + at, text, used);
    }
}

/* slices[k][n] is the remainder of byte n followed by k zero bytes. */
static void make_slices(enum lwp_polynomial polynomial, uint32_t slices[8][256])
{
    const uint32_t reflected = polynomial == LWP_CRC32C ? 0x82f63b78 : 0xedb88320;
    for (uint32_t n = 0; n < 256; n++) {
        uint32_t crc = n;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? reflected : 0);
        slices[0][n] = crc;
    }
    for (size_t k = 1; k < 8; k++)
        for (size_t n = 0; n < 256; n++)
            slices[k][n] = slices[k - 1][n] >> 8 ^ slices[0][slices[k - 1][n] & 0xff];
}

static void make_headers(struct load *load)
{
    for (size_t i = 0; i < LOAD_HEADER_COUNT; i++) {
        struct lwp_frame frame = {.header = {.batch_id = i + 1,
                                             .timestamp_ns = 1700000000000000000 + i,
                                             .record_count = (uint32_t)i,
                                             .topic_id = 1}};
        const unsigned kinds = LWP_KIND_CONTROL - LWP_KIND_INGEST + 1;
        frame.header.flags = lwp_kind_flags((enum lwp_kind)(LWP_KIND_INGEST + i % kinds));
        lwp_frame_seal(&frame, load->rules.polynomial, 0);
        lwp_header_encode(&frame.header, load->headers[i]);
    }
}

static void make_payload(struct load *load, struct lwp_writer *out)
{
    for (uint32_t i = 0; i < load->record_count; i++)
        lwp_tlv_put(out, LWP_TLV_RAW,
                    (struct lwp_bytes){load->values + i * load->record_size, load->record_size});
}

/* Takes what is in the payload's place, and puts there what LZ4 makes of it. */
static bool pack(struct load *load)
{
    struct lwp_writer out = lwp_writer_on(load->room + LWP_HEADER_SIZE, load->plain.size);
    memcpy(load->unpacked, load->plain.data, load->plain.size);
    load->plain.data = load->unpacked;
    const enum lwp_status status = lwp_lz4_compress(LWP_LZ4_LIBRARY, load->plain, &out);
    load->payload = lwp_writer_bytes(&out);
    return status == LWP_OK;
}

static bool make_frame(struct load *load, size_t payload_size, bool is_packed)
{
    struct lwp_writer out = lwp_writer_on(load->room + LWP_HEADER_SIZE, payload_size);
    if (load->record_size)
        make_payload(load, &out);
    else
        fill(lwp_write_room(&out, payload_size), payload_size);
    load->payload = lwp_writer_bytes(&out);
    load->plain = load->payload;
    if (is_packed && !pack(load))
        return false;
    const uint8_t packed = is_packed ? LWP_FLAG_COMPRESSED : 0;
    struct lwp_frame frame = {.header = {.flags = LWP_FLAG_BATCH | packed,
                                         .batch_id = 1,
                                         .timestamp_ns = 1700000000000000000,
                                         .record_count = load->record_count,
                                         .topic_id = 1},
                              .payload = load->payload};
    lwp_frame_seal(&frame, load->rules.polynomial, 0);
    lwp_header_encode(&frame.header, load->room);
    load->frame = (struct lwp_bytes){load->room, lwp_frame_size(&frame)};
    return true;
}

struct load *load_new(const struct shape *shape)
{
    struct load *load = calloc(1, sizeof(*load));
    if (!load)
        return NULL;
    load->rules = (struct lwp_frame_rules){shape->polynomial, LWP_MAX_PAYLOAD_DEFAULT};
    load->record_size = shape->record_size;
    load->record_count = 1;
    size_t payload_size = shape->size;
    if (shape->record_size) {
        const size_t whole = LWP_TLV_HEAD_SIZE + shape->record_size;
        load->record_count = (uint32_t)(shape->size / whole);
        payload_size = load->record_count * whole;
    }
    const size_t values_size = load->record_count * load->record_size;
    load->room = buffer_new(LWP_HEADER_SIZE + payload_size);
    load->values = buffer_new(values_size);
    load->out = buffer_new(LWP_HEADER_SIZE + payload_size);
    load->unpacked = buffer_new(payload_size);
    if (!load->room || !load->values || !load->out || !load->unpacked) {
        load_free(load);
        return NULL;
    }
    if (shape->texts)
        fill_texts(load->values, values_size, shape);
    else
        fill(load->values, values_size);
    make_slices(shape->polynomial, load->slices);
    make_headers(load);
    if (!make_frame(load, payload_size, shape->texts)) {
        load_free(load);
        return NULL;
    }
    return load;
}

void load_free(struct load *load)
{
    if (!load)
        return;
    free(load->room);
    free(load->values);
    free(load->out);
    free(load->unpacked);
    free(load);
}
