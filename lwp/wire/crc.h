/* SPDX-License-Identifier: MIT */
/* crc.h - the two checksum polynomials that speakers of the protocol use (specification 9, D1). */
#ifndef LWP_WIRE_CRC_H
#define LWP_WIRE_CRC_H

#include "lwp/wire/bytes.h"

enum lwp_polynomial {
    LWP_CRC32C, /* Castagnoli, reflected 82F63B78: what the specification says. */
    LWP_CRC32   /* ISO-HDLC (zlib, IEEE), reflected EDB88320: what is deployed. */
};

/** Continues `crc`, the checksum of what came before, over `bytes`. Any cut gives the same result.
 */
uint32_t lwp_crc_update(enum lwp_polynomial polynomial, uint32_t crc, struct lwp_bytes bytes);

/** The checksum of `bytes`; 0 for no bytes. Hardware-accelerated through ISA-L where the build has
 * it. */
static inline uint32_t lwp_crc(enum lwp_polynomial polynomial, struct lwp_bytes bytes)
{
    return lwp_crc_update(polynomial, 0, bytes);
}

/* lwp_crc_slices[polynomial][k][n] is the remainder of byte n followed by k zero bytes. */
extern const uint32_t lwp_crc_slices[2][8][256];

/** The checksum of a header's first eight bytes when magic and version are right and the reserved
 * bytes are zero: a function of the flags alone (specification 3). One table look-up. */
static inline uint32_t lwp_crc_of_flags(enum lwp_polynomial polynomial, uint8_t flags)
{
    /* The checksum for flags 0, and the flags' share: two reserved bytes follow them. */
    const uint32_t without = polynomial == LWP_CRC32C ? 0x42e6701f : 0x6bd158e6;
    return without ^ lwp_crc_slices[polynomial][2][flags];
}

#endif
