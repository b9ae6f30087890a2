/* SPDX-License-Identifier: MIT */
#include "lwp/bench/work.h"

#include <string.h>
#include <zlib.h>

#ifdef LWP_ISAL
#include <isa-l/crc.h>
#endif

#include "lwp/wire/tlv.h"

/*
 * Two barriers that cost no instruction. The compiler has to have the value, or all of the memory,
 * ready where they stand, once in every round: it can neither leave a round out nor take anything
 * out of the loop.
 */
static inline void need_value(uint64_t value)
{
    __asm__ volatile("" : : "r"(value));
}

static inline void need_memory(const void *memory)
{
    __asm__ volatile("" : : "r"(memory) : "memory");
}

/* The same address, but the compiler does not know that, nor what it has read there before. */
static inline const uint8_t *unknown(const uint8_t *in)
{
    __asm__("" : "+r"(in));
    return in;
}

uint32_t crc_by_lwp(const struct load *load, size_t rounds)
{
    uint32_t crc = 0;
    for (; rounds; rounds--) {
        crc = lwp_crc(load->rules.polynomial, load->payload);
        need_value(crc);
    }
    return crc;
}

uint32_t crc_by_zlib(const struct load *load, size_t rounds)
{
    uint32_t crc = 0;
    for (; rounds; rounds--) {
        crc = (uint32_t)crc32(0, load->payload.data, (uInt)load->payload.size);
        need_value(crc);
    }
    return crc;
}

#ifdef LWP_ISAL

uint32_t crc32c_by_isal(const struct load *load, size_t rounds)
{
    uint8_t *const data = load->room + LWP_HEADER_SIZE; /* Not a view: it takes no const. */
    const int size = (int)load->payload.size;
    uint32_t crc = 0;
    for (; rounds; rounds--) {
        crc = ~crc32_iscsi(data, size, ~0U);
        need_value(crc);
    }
    return crc;
}

uint32_t crc32_by_isal(const struct load *load, size_t rounds)
{
    uint32_t crc = 0;
    for (; rounds; rounds--) {
        crc = crc32_gzip_refl(0, load->payload.data, load->payload.size);
        need_value(crc);
    }
    return crc;
}

#endif

uint32_t header_by_lwp(const struct load *load, size_t rounds)
{
    struct lwp_header header = {0};
    enum lwp_status status = LWP_OK;
    for (; rounds; rounds--) {
        lwp_header_decode(load->headers[rounds % LOAD_HEADER_COUNT], &header);
        status = lwp_header_check(&header, load->rules.polynomial);
        need_value(status);
        need_memory(&header);
    }
    return status == LWP_OK ? header.header_crc : 0;
}

static inline uint32_t crc_of_eight(const uint32_t slices[8][256], const uint8_t *in)
{
    const uint32_t low = ~lwp_get32(in);
    const uint32_t high = lwp_get32(in + 4);
    return ~(slices[7][low & 0xff] ^ slices[6][low >> 8 & 0xff] ^ slices[5][low >> 16 & 0xff] ^
             slices[4][low >> 24] ^ slices[3][high & 0xff] ^ slices[2][high >> 8 & 0xff] ^
             slices[1][high >> 16 & 0xff] ^ slices[0][high >> 24]);
}

static inline enum lwp_status parse_plainly(const struct load *load, const uint8_t *in,
                                            struct lwp_header *header)
{
    header->magic = lwp_get32(in);
    header->version = in[4];
    header->flags = in[5];
    header->reserved = lwp_get16(in + 6);
    header->header_crc = lwp_get32(in + 8);
    header->batch_id = lwp_get64(in + 12);
    header->timestamp_ns = lwp_get64(in + 20);
    header->record_count = lwp_get32(in + 28);
    header->payload_length = lwp_get32(in + 32);
    header->payload_crc = lwp_get32(in + 36);
    header->topic_id = lwp_get32(in + 40);
    if (header->magic != LWP_MAGIC)
        return LWP_INVALID_MAGIC;
    if (header->version != LWP_VERSION)
        return LWP_INVALID_VERSION;
    /* Behind the comparisons above the compiler would find most of the eight places beforehand, and
     * a plain checksum knows nothing of magic and version. */
    const uint32_t crc = crc_of_eight(load->slices, unknown(in));
    return header->header_crc == crc ? LWP_OK : LWP_HEADER_CHECKSUM;
}

uint32_t header_by_slices(const struct load *load, size_t rounds)
{
    struct lwp_header header = {0};
    enum lwp_status status = LWP_OK;
    for (; rounds; rounds--) {
        status = parse_plainly(load, load->headers[rounds % LOAD_HEADER_COUNT], &header);
        need_value(status);
        need_memory(&header);
    }
    return status == LWP_OK ? header.header_crc : 0;
}

uint32_t split_by_lwp(const struct load *load, size_t rounds)
{
    struct lwp_frame frame = {0};
    struct lwp_fault fault;
    enum lwp_status status = LWP_OK;
    for (; rounds; rounds--) {
        status = lwp_frame_split(&load->rules, load->frame, &frame, &fault);
        need_value(status);
        need_memory(&frame);
    }
    return status == LWP_OK ? frame.header.payload_crc : 0;
}

/* The records in the payload, each of them looked at. */
static inline uint32_t walk(struct lwp_bytes payload)
{
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(payload);
    struct lwp_record record;
    uint32_t count = 0;
    for (; lwp_tlv_next(&walk, &record) == LWP_OK; count++) {
        need_value(record.type);
        need_value((uintptr_t)record.value.data);
        need_value(record.value.size);
    }
    return count;
}

uint32_t walk_by_lwp(const struct load *load, size_t rounds)
{
    struct lwp_frame frame = {0};
    struct lwp_fault fault;
    bool sound = false;
    for (; rounds; rounds--) {
        sound = lwp_frame_split(&load->rules, load->frame, &frame, &fault) == LWP_OK &&
                walk(frame.payload) == frame.header.record_count;
        need_value(sound);
        need_memory(&frame);
    }
    return sound ? frame.header.payload_crc : 0;
}

/* As a producer does it: the records go to their place behind the room for the header. */
static inline void build(const struct load *load)
{
    struct lwp_writer out = lwp_writer_on(load->out, load->frame.size);
    uint8_t *const head = lwp_write_room(&out, LWP_HEADER_SIZE);
    for (size_t i = 0; i < load->record_count; i++)
        lwp_tlv_put(&out, LWP_TLV_RAW,
                    (struct lwp_bytes){load->values + i * load->record_size, load->record_size});
    struct lwp_frame frame = {.header = {.flags = LWP_FLAG_BATCH,
                                         .batch_id = 1,
                                         .timestamp_ns = 1700000000000000000,
                                         .record_count = load->record_count,
                                         .topic_id = 1},
                              .payload = lwp_bytes_from(lwp_writer_bytes(&out), LWP_HEADER_SIZE)};
    lwp_frame_seal(&frame, load->rules.polynomial, 0);
    lwp_header_encode(&frame.header, head);
}

/* The checksum of the frame in `out`: over what is there, not what its header says. */
static uint32_t crc_of_out(const struct load *load)
{
    return lwp_crc(load->rules.polynomial, (struct lwp_bytes){load->out, load->frame.size});
}

uint32_t build_by_lwp(const struct load *load, size_t rounds)
{
    memset(load->out, 0, load->frame.size);
    for (; rounds; rounds--) {
        build(load);
        need_memory(load->out);
    }
    return crc_of_out(load);
}

uint32_t copy_by_memcpy(const struct load *load, size_t rounds)
{
    memset(load->out, 0, load->frame.size);
    for (; rounds; rounds--) {
        memcpy(load->out, load->frame.data, load->frame.size);
        need_memory(load->out);
    }
    return crc_of_out(load);
}
