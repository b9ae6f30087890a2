/* SPDX-License-Identifier: MIT */
/* Named bugs in what is stored. */
#include "mock_server/mutants.h"

#ifdef LWP_MUTANTS

#include "lwp/wire/tlv.h"

static void reverse(uint8_t *at, size_t size)
{
    for (size_t i = 0; i < size / 2; i++) {
        const uint8_t byte = at[i];
        at[i] = at[size - 1 - i];
        at[size - 1 - i] = byte;
    }
}

static bool is_between(uint8_t type, uint8_t first, uint8_t last)
{
    return type >= first && type <= last;
}

static void misstore_type(uint8_t *type)
{
    if (LWP_BUG(stores_avro_as_protobuf) && *type == LWP_TLV_AVRO)
        *type = LWP_TLV_PROTOBUF;
    if (LWP_BUG(renumbers_types) && is_between(*type, LWP_TLV_RAW, LWP_TLV_AVRO))
        --*type;
    if (LWP_BUG(user_types_are_one) && is_between(*type, LWP_TLV_USER_FIRST, LWP_TLV_USER_LAST))
        *type = LWP_TLV_USER_FIRST;
    if (LWP_BUG(null_becomes_empty) && *type == LWP_TLV_NULL_RECORD)
        *type = LWP_TLV_RAW;
}

/* What stands in front of the value's data, by type. */
static void misstore_value(uint8_t type, uint8_t *value, size_t size)
{
    if (LWP_BUG(swaps_key_sizes) && type == LWP_TLV_KEY_VALUE && size >= 2)
        reverse(value, 2);
    if (LWP_BUG(keeps_microseconds) && type == LWP_TLV_TIMESTAMPED && size >= 8)
        lwp_put64(value, lwp_get64(value) / 1000);
    if (LWP_BUG(forgets_times_of_keys) && type == LWP_TLV_KEY_TIMESTAMPED && size >= 8)
        lwp_put64(value, 0);
}

static void misstore_records(uint8_t *data, size_t size)
{
    struct lwp_tlv_walk walk = lwp_tlv_walk_over((struct lwp_bytes){data, size});
    struct lwp_record record;
    size_t at = 0;
    while (lwp_tlv_next(&walk, &record) == LWP_OK) {
        misstore_value(record.type, data + at + LWP_TLV_HEAD_SIZE, record.value.size);
        misstore_type(data + at);
        if (LWP_BUG(turns_lengths_over))
            reverse(data + at + 1, 4);
        at = walk.offset;
    }
}

void mutants_misstore(struct lwp_log *log, size_t size)
{
    enum { ALIGNMENT = 8 };
    static const uint8_t zeros[ALIGNMENT] = {0};
    if (size == 0)
        return;
    misstore_records(log->data + log->size - size, size);
    if (LWP_BUG(pads_batches))
        (void)lwp_log_append(log, (struct lwp_bytes){zeros, ALIGNMENT - size % ALIGNMENT},
                             log->active.written_ns, SIZE_MAX);
}

#endif
