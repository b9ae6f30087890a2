/* SPDX-License-Identifier: MIT */
#include "mock_server/pcapng.h"

#include <errno.h>

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_PACKET = 6 };
enum { OPTION_COMMENT = 1, OPTION_NAME = 2, OPTION_PROGRAM = 4, OPTION_RESOLUTION = 9 };
enum { BYTE_ORDER = 0x1a2b3c4d, LINK_RAW = 101, NANOSECONDS = 9 };
enum { BLOCK_FRAME_SIZE = 12, PACKET_HEAD_SIZE = 20, OPTION_HEAD_SIZE = 4 };

static void put(struct lwp_pcapng *pcapng, struct lwp_bytes bytes)
{
    if (pcapng->error || bytes.size == 0)
        return;
    errno = 0;
    if (fwrite(bytes.data, 1, bytes.size, pcapng->out) != bytes.size)
        pcapng->error = errno ? errno : EIO;
}

static void put32(struct lwp_pcapng *pcapng, uint32_t value)
{
    uint8_t bytes[4];
    lwp_put32(bytes, value);
    put(pcapng, (struct lwp_bytes){bytes, sizeof(bytes)});
}

/* All is padded to four bytes. */
static size_t padding(size_t size)
{
    return (4 - size % 4) % 4;
}

static void put_padding(struct lwp_pcapng *pcapng, size_t size)
{
    static const uint8_t zeros[4] = {0};
    put(pcapng, (struct lwp_bytes){zeros, padding(size)});
}

static size_t option_size(struct lwp_bytes value)
{
    return value.size ? OPTION_HEAD_SIZE + value.size + padding(value.size) : 0;
}

/* Options, if there are any, end with an empty one. */
static size_t options_size(struct lwp_bytes value)
{
    return value.size ? option_size(value) + OPTION_HEAD_SIZE : 0;
}

static void put_option(struct lwp_pcapng *pcapng, uint16_t code, struct lwp_bytes value)
{
    if (value.size == 0)
        return;
    put32(pcapng, (uint32_t)value.size << 16 | code);
    put(pcapng, value);
    put_padding(pcapng, value.size);
}

static void put_section(struct lwp_pcapng *pcapng, struct lwp_bytes program)
{
    const uint32_t size = (uint32_t)(BLOCK_FRAME_SIZE + 16 + options_size(program));
    put32(pcapng, BLOCK_SECTION);
    put32(pcapng, size);
    put32(pcapng, BYTE_ORDER);
    put32(pcapng, 1); /* Version 1.0. */
    put32(pcapng, UINT32_MAX);
    put32(pcapng, UINT32_MAX); /* The section's size is not said. */
    put_option(pcapng, OPTION_PROGRAM, program);
    if (program.size)
        put32(pcapng, 0);
    put32(pcapng, size);
}

static void put_interface(struct lwp_pcapng *pcapng, struct lwp_bytes name)
{
    static const uint8_t resolution = NANOSECONDS;
    const struct lwp_bytes digits = {&resolution, 1};
    const uint32_t size =
        (uint32_t)(BLOCK_FRAME_SIZE + 8 + option_size(name) + options_size(digits));
    put32(pcapng, BLOCK_INTERFACE);
    put32(pcapng, size);
    put32(pcapng, LINK_RAW);
    put32(pcapng, LWP_PCAPNG_SNAP_SIZE);
    put_option(pcapng, OPTION_NAME, name);
    put_option(pcapng, OPTION_RESOLUTION, digits);
    put32(pcapng, 0);
    put32(pcapng, size);
}

struct lwp_pcapng lwp_pcapng_begin(FILE *out, const char *program)
{
    struct lwp_pcapng pcapng = {out, 0};
    put_section(&pcapng, lwp_bytes_text(program));
    put_interface(&pcapng, lwp_bytes_text(program));
    return pcapng;
}

/* The front that fits, in whole characters. */
static struct lwp_bytes cut(struct lwp_bytes comment)
{
    if (comment.size <= LWP_PCAPNG_MAX_COMMENT)
        return comment;
    comment.size = LWP_PCAPNG_MAX_COMMENT;
    while (comment.size && (comment.data[comment.size] & 0xc0) == 0x80)
        comment.size--;
    return comment;
}

void lwp_pcapng_write(struct lwp_pcapng *pcapng, const struct lwp_pcapng_packet *packet)
{
    const struct lwp_bytes comment = cut(packet->comment);
    size_t captured = 0;
    for (size_t i = 0; i < LWP_PCAPNG_MAX_PARTS; i++)
        captured += packet->parts[i].size;
    const uint32_t size = (uint32_t)(BLOCK_FRAME_SIZE + PACKET_HEAD_SIZE + captured +
                                     padding(captured) + options_size(comment));
    put32(pcapng, BLOCK_PACKET);
    put32(pcapng, size);
    put32(pcapng, 0); /* The only interface. */
    put32(pcapng, (uint32_t)(packet->time_ns >> 32));
    put32(pcapng, (uint32_t)packet->time_ns);
    put32(pcapng, (uint32_t)captured);
    put32(pcapng, (uint32_t)captured);
    for (size_t i = 0; i < LWP_PCAPNG_MAX_PARTS; i++)
        put(pcapng, packet->parts[i]);
    put_padding(pcapng, captured);
    put_option(pcapng, OPTION_COMMENT, comment);
    if (comment.size)
        put32(pcapng, 0);
    put32(pcapng, size);
}
