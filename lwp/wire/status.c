/* SPDX-License-Identifier: MIT */
#include "lwp/wire/status.h"

struct status_row {
    const char *name;
    const char *text;
    bool retryable;
};

static const struct status_row rows[LWP_STATUS_COUNT] = {
#define LWP_STATUS(name, text, retryable) [LWP_##name] = {#name, text, retryable},
#include "lwp/wire/status.def"
#undef LWP_STATUS
};

static const struct status_row *row_of(enum lwp_status status)
{
    static const struct status_row unknown = {"?", "this is no status", false};
    return (unsigned)status < LWP_STATUS_COUNT ? &rows[status] : &unknown;
}

const char *lwp_status_text(enum lwp_status status)
{
    return row_of(status)->text;
}

const char *lwp_status_name(enum lwp_status status)
{
    return row_of(status)->name;
}

bool lwp_status_is_retryable(enum lwp_status status)
{
    return row_of(status)->retryable;
}
