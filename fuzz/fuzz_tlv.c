/* SPDX-License-Identifier: MIT */
/* The input is a payload of records. The walk ends, agrees with plain.h at every step, and its
 * records lie behind each other inside of the input; their sizes add up to what the walk took;
 * writing them again gives the same bytes; lwp_tlv_count() says the same; the parts of every record
 * obey laws.h. */
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "fuzz/laws.h"
#include "fuzz/plain.h"

static void counts_alike(struct lwp_bytes in, enum lwp_status status, uint64_t count, uint64_t at)
{
    uint64_t counted = UINT64_MAX;
    const struct lwp_fault expected = {status == LWP_END ? LWP_OK : status, at, "length"};
    struct lwp_fault fault = {LWP_OK, at, "length"}; /* Left alone if nothing is wrong. */
    FUZZ_ASSERT(lwp_tlv_count(in, &counted, &fault) == expected.status && counted == count);
    FUZZ_ASSERT(plain_same_fault(&fault, &expected));
}

/* One step of the walk; `*size` is what it took, or 0. */
static enum lwp_status step(struct lwp_tlv_walk *walk, struct lwp_writer *out, uint64_t *size)
{
    const uint64_t at = walk->offset;
    struct lwp_record record = {.type = 0};
    *size = 0;
    const enum lwp_status status = lwp_tlv_next(walk, &record);
    FUZZ_ASSERT(status == plain_record(walk->in, at, size) && walk->offset == at + *size);
    fuzz_note(status);
    fuzz_note(*size);
    if (status != LWP_OK)
        return status;
    FUZZ_ASSERT(record.type == walk->in.data[at]);
    FUZZ_ASSERT(record.value.data == walk->in.data + at + 5 && record.value.size == *size - 5);
    lwp_tlv_put(out, record.type, record.value);
    law_record_parts(&record);
    return LWP_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct lwp_bytes in = fuzz_flush(data, size);
    uint8_t *room = fuzz_room(size);
    struct lwp_writer out = lwp_writer_on(room, size);
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(in);
    uint64_t count = 0, taken = 0, record_size = 0;
    enum lwp_status status = LWP_OK;
    for (; (status = step(&walk, &out, &record_size)) == LWP_OK; count++)
        taken += record_size;
    FUZZ_ASSERT(walk.offset == taken && taken <= size && (status != LWP_END || taken == size));
    FUZZ_ASSERT(!out.full && out.size == taken);
    FUZZ_ASSERT(lwp_bytes_equal(lwp_writer_bytes(&out), (struct lwp_bytes){in.data, taken}));
    counts_alike(in, status, count, taken);
    free(room);
    return 0;
}
