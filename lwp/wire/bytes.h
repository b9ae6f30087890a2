/* SPDX-License-Identifier: MIT */
/* bytes.h - views of bytes, and little-endian integers in them (specification 3). */
#ifndef LWP_WIRE_BYTES_H
#define LWP_WIRE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A view: somebody else's bytes. Passed by value, never freed through. `data` may be NULL if `size`
 * is 0. */
struct lwp_bytes {
    const uint8_t *data;
    size_t size;
};

/** The view of the characters of a C string, without its zero; NULL gives the empty view. */
static inline struct lwp_bytes lwp_bytes_text(const char *text)
{
    return (struct lwp_bytes){(const uint8_t *)text, text ? strlen(text) : 0};
}

/** Whether both views hold the same bytes. */
static inline bool lwp_bytes_equal(struct lwp_bytes a, struct lwp_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/** The part of `in` from `at` on; empty if there is none. */
static inline struct lwp_bytes lwp_bytes_from(struct lwp_bytes in, size_t at)
{
    if (at >= in.size)
        return (struct lwp_bytes){NULL, 0};
    return (struct lwp_bytes){in.data + at, in.size - at};
}

static inline uint16_t lwp_get16(const uint8_t *in)
{
    return (uint16_t)(in[0] | in[1] << 8);
}

static inline uint32_t lwp_get32(const uint8_t *in)
{
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

static inline uint64_t lwp_get64(const uint8_t *in)
{
    return lwp_get32(in) | (uint64_t)lwp_get32(in + 4) << 32;
}

static inline void lwp_put16(uint8_t *out, uint16_t value)
{
    out[0] = (uint8_t)value;
    out[1] = (uint8_t)(value >> 8);
}

static inline void lwp_put32(uint8_t *out, uint32_t value)
{
    lwp_put16(out, (uint16_t)value);
    lwp_put16(out + 2, (uint16_t)(value >> 16));
}

static inline void lwp_put64(uint8_t *out, uint64_t value)
{
    lwp_put32(out, (uint32_t)value);
    lwp_put32(out + 4, (uint32_t)(value >> 32));
}

/** The little-endian integer of `size` bytes (1, 2, 4 or 8) at `in`. */
static inline uint64_t lwp_get_integer(const uint8_t *in, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)in[i] << (8 * i);
    return value;
}

/** Writes the low `size` bytes (1, 2, 4 or 8) of `value` at `out`, little-endian. */
static inline void lwp_put_integer(uint8_t *out, size_t size, uint64_t value)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

/**
 * Writes bytes into a buffer and remembers if they did not fit. Sticky: after the first write that
 * does not fit nothing more is written, `full` stays set and `size` keeps what was written, so one
 * test at the end is enough. The buffer belongs to the caller.
 */
struct lwp_writer {
    uint8_t *data;
    size_t capacity;
    size_t size;
    bool full;
};

static inline struct lwp_writer lwp_writer_on(void *buffer, size_t capacity)
{
    return (struct lwp_writer){.data = buffer, .capacity = capacity};
}

static inline struct lwp_bytes lwp_writer_bytes(const struct lwp_writer *writer)
{
    return (struct lwp_bytes){writer->data, writer->size};
}

/** Reserves `size` bytes and returns where they begin, or NULL if the writer is full. */
static inline uint8_t *lwp_write_room(struct lwp_writer *writer, size_t size)
{
    if (writer->full || size > writer->capacity - writer->size) {
        writer->full = true;
        return NULL;
    }
    uint8_t *at = writer->data + writer->size;
    writer->size += size;
    return at;
}

static inline void lwp_write(struct lwp_writer *writer, struct lwp_bytes bytes)
{
    uint8_t *at = lwp_write_room(writer, bytes.size);
    if (at && bytes.size)
        memcpy(at, bytes.data, bytes.size);
}

/** Writes `value` as an integer of `size` bytes (1, 2, 4 or 8). */
static inline void lwp_write_integer(struct lwp_writer *writer, size_t size, uint64_t value)
{
    uint8_t *at = lwp_write_room(writer, size);
    if (at)
        lwp_put_integer(at, size, value);
}

/**
 * The size of the sequence at the front of `text`, which must not be empty: a character if
 * `*valid`, else the longest beginning of one that is there, at least one byte (what decoders
 * replace by one U+FFFD).
 */
size_t lwp_utf8_step(struct lwp_bytes text, bool *valid);

/** Whether `text` is well-formed UTF-8: no overlong form, no surrogate, nothing past U+10FFFF. */
bool lwp_utf8_valid(struct lwp_bytes text);

/** Writes `text` with U+FFFD for what is not UTF-8; no more than three times its size. What does not
 * fit is left out, in whole characters. */
void lwp_utf8_clean(struct lwp_bytes text, struct lwp_writer *out);

#endif
