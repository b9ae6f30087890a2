/* SPDX-License-Identifier: MIT */
#include "lwp/wire/crc.h"

#include <limits.h>

#ifdef LWP_ISAL
#include <isa-l/crc.h>
#endif

/*
 * Slicing by eight. slices[k][n] is the remainder of byte n followed by k zero bytes. A remainder
 * is linear in the bits of n, so a row of 256 entries is spanned by the eight below, one for each
 * bit, and the compiler works out the rest.
 */
#define BIT(n, bit, value) (((n) >> (bit)&1U) ? (value) : 0U)
#define ENTRY(n, a, b, c, d, e, f, g, h)                                                           \
    BIT(n, 0, a) ^ BIT(n, 1, b) ^ BIT(n, 2, c) ^ BIT(n, 3, d) ^ BIT(n, 4, e) ^ BIT(n, 5, f) ^      \
        BIT(n, 6, g) ^ BIT(n, 7, h)
#define ROW4(n, ...)                                                                               \
    ENTRY(n, __VA_ARGS__), ENTRY((n) + 1U, __VA_ARGS__), ENTRY((n) + 2U, __VA_ARGS__),             \
        ENTRY((n) + 3U, __VA_ARGS__)
#define ROW16(n, ...)                                                                              \
    ROW4(n, __VA_ARGS__), ROW4((n) + 4U, __VA_ARGS__), ROW4((n) + 8U, __VA_ARGS__),                \
        ROW4((n) + 12U, __VA_ARGS__)
#define ROW64(n, ...)                                                                              \
    ROW16(n, __VA_ARGS__), ROW16((n) + 16U, __VA_ARGS__), ROW16((n) + 32U, __VA_ARGS__),           \
        ROW16((n) + 48U, __VA_ARGS__)
#define ROW256(...)                                                                                \
    {                                                                                              \
        ROW64(0U, __VA_ARGS__), ROW64(64U, __VA_ARGS__), ROW64(128U, __VA_ARGS__),                 \
            ROW64(192U, __VA_ARGS__)                                                               \
    }

/* clang-format off */
const uint32_t lwp_crc_slices[2][8][256] = {
    [LWP_CRC32C] = {
        ROW256(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78),
        ROW256(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9),
        ROW256(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743),
        ROW256(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f),
        ROW256(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c),
        ROW256(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6),
        ROW256(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4),
        ROW256(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664),
    },
    [LWP_CRC32] = {
        ROW256(0x77073096, 0xee0e612c, 0x076dc419, 0x0edb8832, 0x1db71064, 0x3b6e20c8, 0x76dc4190, 0xedb88320),
        ROW256(0x191b3141, 0x32366282, 0x646cc504, 0xc8d98a08, 0x4ac21251, 0x958424a2, 0xf0794f05, 0x3b83984b),
        ROW256(0x01c26a37, 0x0384d46e, 0x0709a8dc, 0x0e1351b8, 0x1c26a370, 0x384d46e0, 0x709a8dc0, 0xe1351b80),
        ROW256(0xb8bc6765, 0xaa09c88b, 0x8f629757, 0xc5b428ef, 0x5019579f, 0xa032af3e, 0x9b14583d, 0xed59b63b),
        ROW256(0x3d6029b0, 0x7ac05360, 0xf580a6c0, 0x30704bc1, 0x60e09782, 0xc1c12f04, 0x58f35849, 0xb1e6b092),
        ROW256(0xcb5cd3a5, 0x4dc8a10b, 0x9b914216, 0xec53826d, 0x03d6029b, 0x07ac0536, 0x0f580a6c, 0x1eb014d8),
        ROW256(0xa6770bb4, 0x979f1129, 0xf44f2413, 0x33ef4e67, 0x67de9cce, 0xcfbd399c, 0x440b7579, 0x8816eaf2),
        ROW256(0xccaa009e, 0x4225077d, 0x844a0efa, 0xd3e51bb5, 0x7cbb312b, 0xf9766256, 0x299dc2ed, 0x533b85da),
    },
};
/* clang-format on */

static uint32_t update_eight(const uint32_t slice[8][256], uint32_t crc, const uint8_t *in)
{
    const uint32_t low = crc ^ lwp_get32(in);
    const uint32_t high = lwp_get32(in + 4);
    return slice[7][low & 0xff] ^ slice[6][low >> 8 & 0xff] ^ slice[5][low >> 16 & 0xff] ^
           slice[4][low >> 24] ^ slice[3][high & 0xff] ^ slice[2][high >> 8 & 0xff] ^
           slice[1][high >> 16 & 0xff] ^ slice[0][high >> 24];
}

__attribute__((noinline)) static uint32_t update_by_table(enum lwp_polynomial polynomial,
                                                          uint32_t crc, struct lwp_bytes bytes)
{
    const uint32_t(*slice)[256] = lwp_crc_slices[polynomial];
    const uint8_t *in = bytes.data;
    size_t left = bytes.size;
    crc = ~crc;
    for (; left >= 8; in += 8, left -= 8)
        crc = update_eight(slice, crc, in);
    for (; left; in++, left--)
        crc = crc >> 8 ^ slice[0][(crc ^ *in) & 0xff];
    return ~crc;
}

#ifdef LWP_ISAL

/* A call of ISA-L costs more than the table does for less than this. */
enum { TABLE_BELOW = 16 };

/* crc32_iscsi() takes an int and a pointer that is not const, neither inverts nor writes. */
static uint32_t update_castagnoli(uint32_t crc, const uint8_t *in, size_t size)
{
    const union {
        const uint8_t *given;
        unsigned char *wanted;
    } at = {in};
    return ~crc32_iscsi(at.wanted, (int)size, ~crc);
}

__attribute__((noinline)) static uint32_t update_in_parts(uint32_t crc, struct lwp_bytes bytes)
{
    for (; bytes.size > INT_MAX; bytes = lwp_bytes_from(bytes, INT_MAX))
        crc = update_castagnoli(crc, bytes.data, INT_MAX);
    return update_castagnoli(crc, bytes.data, bytes.size);
}

uint32_t lwp_crc_update(enum lwp_polynomial polynomial, uint32_t crc, struct lwp_bytes bytes)
{
    if (bytes.size < TABLE_BELOW)
        return update_by_table(polynomial, crc, bytes);
    if (polynomial == LWP_CRC32)
        return crc32_gzip_refl(crc, bytes.data, bytes.size);
    if (bytes.size > INT_MAX)
        return update_in_parts(crc, bytes);
    return update_castagnoli(crc, bytes.data, bytes.size);
}

#else

uint32_t lwp_crc_update(enum lwp_polynomial polynomial, uint32_t crc, struct lwp_bytes bytes)
{
    return update_by_table(polynomial, crc, bytes);
}

#endif
