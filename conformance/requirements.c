/* SPDX-License-Identifier: MIT */
#include "conformance/requirements.h"

static const struct requirement rows[] = {
#define REQUIREMENT(id, section, level, who, text, covered)                                        \
    {id, section, #level, #who, text, covered},
#include "conformance/requirements.def"
#undef REQUIREMENT
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

const struct requirement *requirement_at(size_t index)
{
    return index < ROW_COUNT ? &rows[index] : NULL;
}

const struct requirement *requirement_of(struct lwp_bytes id)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (lwp_bytes_equal(id, lwp_bytes_text(rows[i].id)))
            return &rows[i];
    return NULL;
}
