/* SPDX-License-Identifier: MIT */
#include "lwp/wire/dialect.h"

const struct lwp_dialect lwp_dialect_spec = {
    .name = "spec",
    .polynomial = LWP_CRC32C,
    .error_form = LWP_ERRORS_AS_JSON,
    .tail_offset = 0,
    .beyond_end = LWP_BEYOND_EMPTY,
    .counts_records = true,
    .whole_records = false,
    .zero_keeps_all = true,
    .unsubscribe_acked = true,
    .cluster_status_command = 0x30,
    .command_is_low_byte = false,
    .any_topic_name = true,
    .topic_epoch = false,
    .cluster_forwards = false,
    .lz4_framing = LWP_LZ4_BLOCK,
    .type_names = LWP_TYPES_SPEC,
    .refuses_unsound = true,
    .kind_rule = LWP_KIND_EXACT,
    .defers_acks = false,
    .late_size_check = false,
    .default_topic_readable = true,
    .decompresses_ingest = true,
};

const struct lwp_dialect lwp_dialect_lance = {
    .name = "lance",
    .polynomial = LWP_CRC32,
    .error_form = LWP_ERRORS_AS_TEXT,
    .tail_offset = UINT64_MAX,
    .beyond_end = LWP_BEYOND_CATCHING_UP,
    .counts_records = false,
    .whole_records = false,
    .zero_keeps_all = false,
    .unsubscribe_acked = true,
    .cluster_status_command = 0x07,
    .command_is_low_byte = true,
    .any_topic_name = false,
    .topic_epoch = true,
    .cluster_forwards = true,
    .lz4_framing = LWP_LZ4_LIBRARY,
    .type_names = LWP_TYPES_SERVER,
    .refuses_unsound = false,
    .kind_rule = LWP_KIND_BY_PRIORITY,
    .defers_acks = true,
    .late_size_check = true,
    .default_topic_readable = false,
    .decompresses_ingest = false,
};

const struct lwp_dialect lwp_dialect_lance_py = {
    .name = "lance-py",
    .polynomial = LWP_CRC32,
    .error_form = LWP_ERRORS_AS_JSON,
    .tail_offset = INT64_MAX,
    .beyond_end = LWP_BEYOND_ERROR,
    .counts_records = false,
    .whole_records = true,
    .zero_keeps_all = false,
    .unsubscribe_acked = false,
    .cluster_status_command = 0x07,
    .command_is_low_byte = true,
    .any_topic_name = true,
    .topic_epoch = true,
    .cluster_forwards = true,
    .lz4_framing = LWP_LZ4_BLOCK,
    .type_names = LWP_TYPES_SPEC,
    .refuses_unsound = false,
    .kind_rule = LWP_KIND_BY_PRIORITY,
    .defers_acks = true,
    .late_size_check = true,
    .default_topic_readable = false,
    .decompresses_ingest = true,
};

const struct lwp_dialect *const lwp_dialects[] = {
    &lwp_dialect_spec,
    &lwp_dialect_lance,
    &lwp_dialect_lance_py,
    NULL,
};

const struct lwp_dialect *lwp_dialect_named(const char *name)
{
    for (size_t i = 0; lwp_dialects[i]; i++)
        if (strcmp(lwp_dialects[i]->name, name) == 0)
            return lwp_dialects[i];
    return NULL;
}
