/* SPDX-License-Identifier: MIT */
/* log.h - the bytes of one topic, back to back. */
#ifndef LWP_MOCK_LOG_H
#define LWP_MOCK_LOG_H

#include "lwp/wire/status.h"

/* What was appended becomes visible to fetches by the next flush, as on the deployed server, which
 * writes through a buffer. All zeros is an empty log. */
struct lwp_log {
    uint8_t *data;
    size_t capacity;
    size_t size;
    size_t visible; /* How many of the bytes a fetch can see. */
};

/** Appends: LWP_OK, or LWP_NO_MEMORY with nothing appended. */
enum lwp_status lwp_log_append(struct lwp_log *log, struct lwp_bytes bytes);

/** Makes all that was appended visible. */
void lwp_log_flush(struct lwp_log *log);

/** At most `max_bytes` visible bytes from `offset` on; a view until the next append. */
struct lwp_bytes lwp_log_read(const struct lwp_log *log, uint64_t offset, size_t max_bytes);

/** Frees the memory and empties the log. */
void lwp_log_done(struct lwp_log *log);

#endif
