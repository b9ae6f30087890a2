/* SPDX-License-Identifier: MIT */
/* The input is a header. Each field is the integer at its place; writing the header again gives its bytes;
 * setting one field changes the bytes of that one only; the verdict is that of plain.h, also where no
 * payload is in sight; and a sealed header is sound. */
#include "fuzz/fuzz.h"
#include "fuzz/plain.h"

static void sets_only(const struct lwp_header *header, const uint8_t *bytes,
                      enum lwp_header_index index)
{
    const struct lwp_header_field *field = &lwp_header_fields[index];
    uint8_t changed[LWP_HEADER_SIZE], expected[LWP_HEADER_SIZE];
    struct lwp_header set = *header;
    lwp_header_set(&set, index, ~lwp_header_get(header, index));
    lwp_header_encode(&set, changed);
    memcpy(expected, bytes, sizeof(expected));
    for (size_t i = 0; i < field->size; i++)
        expected[field->offset + i] = (uint8_t)~bytes[field->offset + i];
    FUZZ_ASSERT(memcmp(changed, expected, sizeof(changed)) == 0);
}

static void is_judged(const struct lwp_header *header, struct lwp_bytes in,
                      enum lwp_polynomial polynomial)
{
    const struct lwp_frame_rules rules = {polynomial, UINT32_MAX};
    const enum lwp_status expected = plain_verdict(&rules, in).status;
    const bool by_header = expected == LWP_INVALID_MAGIC || expected == LWP_INVALID_VERSION ||
                           expected == LWP_HEADER_CHECKSUM;
    FUZZ_ASSERT(lwp_header_check(header, polynomial) == (by_header ? expected : LWP_OK));
    fuzz_note(lwp_header_check(header, polynomial));
    struct lwp_frame sealed = {*header, {NULL, 0}};
    lwp_frame_seal(&sealed, polynomial, 1U << LWP_HEADER_reserved | 1U << LWP_HEADER_flags);
    FUZZ_ASSERT(lwp_header_check(&sealed.header, polynomial) == LWP_OK);
    fuzz_note(sealed.header.header_crc);
    FUZZ_ASSERT(sealed.header.flags == header->flags && sealed.header.payload_length == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < LWP_HEADER_SIZE)
        return 0;
    const struct lwp_bytes in = fuzz_flush(data, LWP_HEADER_SIZE);
    struct lwp_header header;
    uint8_t again[LWP_HEADER_SIZE];
    lwp_header_decode(in.data, &header);
    lwp_header_encode(&header, again);
    FUZZ_ASSERT(memcmp(again, in.data, sizeof(again)) == 0);
    for (enum lwp_header_index i = LWP_HEADER_magic; i < LWP_HEADER_FIELD_COUNT; i++) {
        fuzz_note(lwp_header_get(&header, i));
        FUZZ_ASSERT(lwp_header_get(&header, i) ==
                    plain_integer(in, lwp_header_fields[i].offset, lwp_header_fields[i].size));
        sets_only(&header, in.data, i);
    }
    is_judged(&header, in, LWP_CRC32C);
    is_judged(&header, in, LWP_CRC32);
    return 0;
}
