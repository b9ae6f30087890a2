/* SPDX-License-Identifier: MIT */
/* damage.h - makes an encoded frame wrong, on purpose and to the byte. */
#ifndef LWP_NET_DAMAGE_H
#define LWP_NET_DAMAGE_H

#include "lwp/wire/header.h"

enum lwp_damage_kind {
    LWP_DAMAGE_SET,     /* `field` becomes `value`. */
    LWP_DAMAGE_XOR,     /* The bytes from `offset` on are combined with `bytes`. */
    LWP_DAMAGE_CUT,     /* `size` bytes from `offset` on are removed. */
    LWP_DAMAGE_INSERT,  /* `bytes` come in front of the byte at `offset`. */
    LWP_DAMAGE_TRUNCATE /* The frame ends at `offset`. */
};

/* One operation. An offset is a place in the frame as all operations before have left it; negative
 * ones count from its end, so that -1 is the last byte. */
struct lwp_damage {
    enum lwp_damage_kind kind;
    enum lwp_header_index field;
    uint64_t value; /* Cut to the field's size. */
    bool reseals;   /* SET: the checksum that covers the field is made right again. */
    int64_t offset;
    uint64_t size;
    struct lwp_bytes bytes; /* A view; the caller's. */
};

/* Operations, in the order in which they are applied. */
struct lwp_damage_list {
    const struct lwp_damage *items;
    size_t count;
    enum lwp_polynomial polynomial; /* For the checksums that are made right. */
};

/** The most bytes that a frame of `size` bytes can have afterwards; SIZE_MAX if that is too large a
 * number. */
size_t lwp_damage_bound(const struct lwp_damage_list *list, size_t size);

/**
 * Writes the frame at `out` and applies all operations to it there.
 *
 * What lies outside the frame is left out: a cut or an xor touches the part of its bytes that is
 * there, an insert comes at the nearer end, a field that is there in part is set in part. SET with
 * `reseals` puts header_crc right for the fields in front of it, and payload_crc for payload_length
 * (over as much of the new length as is there); nothing covers the other fields.
 *
 * LWP_OK with `*touched` the bytes that were set, combined, removed and inserted, all operations
 * together and checksums not counted; so 0 says that nothing was there to be damaged. LWP_FULL if
 * the frame does not fit at some moment; `out` is full then and `*touched` left alone.
 */
enum lwp_status lwp_damage_apply(const struct lwp_damage_list *list, struct lwp_bytes frame,
                                 struct lwp_writer *out, size_t *touched);

#endif
