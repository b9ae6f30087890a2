/* SPDX-License-Identifier: MIT */
#include "conformance/features.h"

static const struct feature rows[] = {
#define FEATURE(name, by_default, text) {name, by_default, text},
#include "conformance/features.def"
#undef FEATURE
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

_Static_assert(ROW_COUNT <= (int)FEATURE_MAX_COUNT, "a bit a feature");

const struct feature *feature_at(size_t index)
{
    return index < ROW_COUNT ? &rows[index] : NULL;
}

const struct feature *feature_named(struct lwp_bytes name)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (lwp_bytes_equal(name, lwp_bytes_text(rows[i].name)))
            return &rows[i];
    return NULL;
}

bool feature_needed(const struct script_case *of, const char *name)
{
    for (size_t i = 0; i < of->needs.count; i++)
        if (lwp_bytes_equal(of->needs.items[i], lwp_bytes_text(name)))
            return true;
    return false;
}

size_t feature_index(const struct feature *feature)
{
    return (size_t)(feature - rows);
}

unsigned feature_bit(const struct feature *feature)
{
    return 1U << feature_index(feature);
}

unsigned features_by_default(void)
{
    unsigned set = 0;
    for (size_t i = 0; i < ROW_COUNT; i++)
        set |= rows[i].by_default ? feature_bit(&rows[i]) : 0;
    return set;
}
