/* SPDX-License-Identifier: MIT */
/* status.h - how a call went: one list of statuses for the whole library. */
#ifndef LWP_WIRE_STATUS_H
#define LWP_WIRE_STATUS_H

#include <stdbool.h>

#include "lwp/wire/bytes.h"

/* LWP_OK is 0. LWP_MORE, LWP_END and LWP_WOULD_BLOCK are normal answers; all others are faults. */
enum lwp_status {
#define LWP_STATUS(name, text, retryable) LWP_##name,
#include "lwp/wire/status.def"
#undef LWP_STATUS
    LWP_STATUS_COUNT
};

/* Where in the bytes a fault lies. `field` is the specification's word for what is wrong there, a
 * static string; NULL if the place belongs to no field. */
struct lwp_fault {
    enum lwp_status status;
    uint64_t offset;
    const char *field;
};

/** What the status means, in English; never NULL, static. */
const char *lwp_status_text(enum lwp_status status);

/** The status's own name, for example "HEADER_CHECKSUM"; never NULL, static. */
const char *lwp_status_name(enum lwp_status status);

/** Whether the same call can succeed later without being changed. */
bool lwp_status_is_retryable(enum lwp_status status);

#endif
