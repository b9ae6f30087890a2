/* SPDX-License-Identifier: MIT */
/* support.h - what the tests of the wire layer share: bytes at the edge of readable memory, a
 * reference checksum, makers of frames, the recorded exchanges. */
#ifndef LWP_TESTS_SUPPORT_H
#define LWP_TESTS_SUPPORT_H

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "lwp/wire/message.h"

/* The number of elements of an array. */
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { SUPPORT_GUARDED_ROOM = 1 << 20 };

static inline void check_bytes(struct lwp_bytes actual, struct lwp_bytes expected, const char *file,
                               int line)
{
    _assert_int_equal(actual.size, expected.size, file, line);
    if (expected.size != 0)
        _assert_memory_equal(actual.data, expected.data, expected.size, file, line);
}

#define assert_bytes_equal(actual, expected) check_bytes((actual), (expected), __FILE__, __LINE__)

/* Only there if the address sanitizer is, which has a heap of its own. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

/** The bytes of the heap that are in use. */
static inline size_t heap_in_use(void)
{
    if (__sanitizer_get_current_allocated_bytes)
        return __sanitizer_get_current_allocated_bytes();
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/** The view of `size` bytes. */
static inline struct lwp_bytes bytes_of(const void *data, size_t size)
{
    return (struct lwp_bytes){data, size};
}

/* Memory of SUPPORT_GUARDED_ROOM bytes behind which an unreadable page lies: its end. */
static inline uint8_t *guarded_end(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *at = mmap(NULL, SUPPORT_GUARDED_ROOM + page, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(at, MAP_FAILED);
    assert_int_equal(mprotect(at + SUPPORT_GUARDED_ROOM, page, PROT_NONE), 0);
    return at + SUPPORT_GUARDED_ROOM;
}

/** A copy of the bytes that ends where an unreadable page begins, so that reading one byte too many
 * kills the test. The next call overwrites it. */
static inline struct lwp_bytes guarded(struct lwp_bytes bytes)
{
    static uint8_t *end;
    if (!end)
        end = guarded_end();
    assert_true(bytes.size <= SUPPORT_GUARDED_ROOM);
    if (bytes.size)
        memcpy(end - bytes.size, bytes.data, bytes.size);
    return bytes_of(end - bytes.size, bytes.size);
}

/** A writer with room for `size` bytes, behind which an unwritable page lies. The next call hands
 * out the same memory. */
static inline struct lwp_writer guarded_writer(size_t size)
{
    static uint8_t *end;
    if (!end)
        end = guarded_end();
    assert_true(size <= SUPPORT_GUARDED_ROOM);
    return lwp_writer_on(end - size, size);
}

/** The checksum bit by bit, straight from the definition (specification 9). */
static inline uint32_t bitwise_crc(enum lwp_polynomial polynomial, struct lwp_bytes bytes)
{
    const uint32_t reflected = polynomial == LWP_CRC32C ? 0x82f63b78U : 0xedb88320U;
    uint32_t crc = 0xffffffffU;
    for (size_t i = 0; i < bytes.size; i++) {
        crc ^= bytes.data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ reflected : crc >> 1;
    }
    return crc ^ 0xffffffffU;
}

/** The next number of a sequence that is the same in every run. The seed must not be 0. */
static inline uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static inline void fill_random(uint8_t *out, size_t size, uint64_t seed)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(next_random(&seed) >> 24);
}

static inline int hex_digit(char digit)
{
    const char *const digits = "0123456789abcdef";
    const char *at = digit ? strchr(digits, digit) : NULL;
    return at ? (int)(at - digits) : -1;
}

/** Reads lower-case hexadecimal digits up to the first other character; writes at `out`, which must
 * be large enough, and returns the number of bytes. */
static inline size_t from_hex(const char *hex, uint8_t *out)
{
    size_t size = 0;
    while (hex_digit(hex[0]) >= 0 && hex_digit(hex[1]) >= 0) {
        out[size++] = (uint8_t)(hex_digit(hex[0]) << 4 | hex_digit(hex[1]));
        hex += 2;
    }
    return size;
}

/** A frame that is not sealed. */
static inline struct lwp_frame frame_of(uint8_t flags, struct lwp_bytes payload)
{
    struct lwp_frame frame = {.header = {.flags = flags}, .payload = payload};
    if (payload.size)
        frame.header.payload_length = (uint32_t)payload.size;
    return frame;
}

/** A sealed ingest. */
static inline struct lwp_frame ingest_of(enum lwp_polynomial polynomial, uint64_t batch_id,
                                         struct lwp_bytes payload)
{
    struct lwp_frame frame = frame_of(LWP_FLAG_BATCH, payload);
    frame.header.batch_id = batch_id;
    frame.header.record_count = 1;
    frame.header.topic_id = 1;
    lwp_frame_seal(&frame, polynomial, 0);
    return frame;
}

/** A header whose checksum fits whatever its first eight bytes are. */
static inline void reseal_header(struct lwp_header *header, enum lwp_polynomial polynomial)
{
    uint8_t wire[LWP_HEADER_SIZE];
    lwp_header_encode(header, wire);
    header->header_crc = bitwise_crc(polynomial, bytes_of(wire, LWP_HEADER_CHECKED_SIZE));
}

/** Hands each whole sound frame of the deployed polynomial at the front of `bytes` to `visit`, with
 * the bytes that it was split from. */
static inline void visit_frames(struct lwp_bytes bytes,
                                void (*visit)(const struct lwp_frame *frame, struct lwp_bytes wire))
{
    static const struct lwp_frame_rules rules = {LWP_CRC32, UINT32_MAX};
    struct lwp_frame frame;
    struct lwp_fault fault;
    while (lwp_frame_split(&rules, bytes, &frame, &fault) == LWP_OK) {
        visit(&frame, bytes_of(bytes.data, lwp_frame_size(&frame)));
        bytes = lwp_bytes_from(bytes, lwp_frame_size(&frame));
    }
}

/* Hands each string of hexadecimal digits in `text` to `visit`, as bytes. */
static inline size_t visit_hex_strings(char *text, void (*visit)(struct lwp_bytes bytes))
{
    size_t count = 0;
    for (char *at = strtok(text, "\""); at; at = strtok(NULL, "\"")) {
        const size_t size = strlen(at);
        if (size == 0 || strspn(at, "0123456789abcdef") != size || size % 2)
            continue;
        uint8_t *bytes = malloc(size / 2);
        assert_non_null(bytes);
        visit(bytes_of(bytes, from_hex(at, bytes)));
        free(bytes);
        count++;
    }
    return count;
}

/** Hands each recorded message of a file in corpus/golden to `visit`: `part` is "\"send\"" for what
 * the client sent in one write, "\"recv\"" for one frame of the server. Returns how many. */
static inline size_t visit_golden(const char *file, const char *part,
                                  void (*visit)(struct lwp_bytes bytes))
{
    char path[1024];
    assert_true(snprintf(path, sizeof(path), "%s/corpus/golden/%s", LWP_SOURCE_DIR, file) > 0);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    char *line = NULL;
    size_t room = 0, count = 0;
    while (getline(&line, &room, in) > 0) {
        char *from = strstr(line, part);
        assert_non_null(from);
        char *to = strchr(from, ']');
        assert_non_null(to);
        *to = 0;
        count += visit_hex_strings(from + strlen(part), visit);
    }
    free(line);
    fclose(in);
    return count;
}

#endif
