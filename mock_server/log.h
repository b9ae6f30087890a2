/* SPDX-License-Identifier: MIT */
/* log.h - the bytes of one topic, back to back, in segments that can be dropped from the front. */
#ifndef LWP_MOCK_LOG_H
#define LWP_MOCK_LOG_H

#include "lwp/wire/status.h"

/* Some of the bytes: a file of the deployed server. */
struct lwp_segment {
    size_t size;
    uint64_t written_ns; /* When its last byte was appended. */
};

/* What was appended becomes visible to fetches by the next flush, as on the deployed server, which
 * writes through a buffer. All zeros is an empty log. */
struct lwp_log {
    uint8_t *data;
    size_t capacity;
    size_t size;
    size_t visible;        /* How many of the bytes a fetch can see. */
    uint64_t first_offset; /* The offset of the first byte that is kept. */
    struct lwp_segment *closed;
    size_t closed_count;
    size_t closed_capacity;
    struct lwp_segment active; /* The last one, which grows. */
};

/* What retention drops: closed segments from the front on, as long as one of the two holds. */
struct lwp_retention {
    uint64_t now_ns;
    bool by_age;
    uint64_t max_age_secs; /* Older segments go. */
    bool by_size;
    uint64_t max_bytes; /* While the whole log has more, its oldest segment goes. */
    bool shifts;        /* The byte that is then first gets the offset 0 (bug B13). */
};

/** Appends, at this time, and closes the segment if it then has `segment_size` bytes: LWP_OK, or
 * LWP_NO_MEMORY with nothing appended. */
enum lwp_status lwp_log_append(struct lwp_log *log, struct lwp_bytes bytes, uint64_t now_ns,
                               size_t segment_size);

/** Puts the bytes between others, in front of the byte with index `at`, as part of the last segment
 * (bug B2). Visible at once if the byte behind them is. LWP_OK, or LWP_NO_MEMORY with nothing done.
 */
enum lwp_status lwp_log_insert(struct lwp_log *log, size_t at, struct lwp_bytes bytes,
                               uint64_t now_ns);

/** Makes all that was appended visible. */
void lwp_log_flush(struct lwp_log *log);

/** The offset behind the last visible byte. */
uint64_t lwp_log_end(const struct lwp_log *log);

/** At most `max_bytes` visible bytes from this offset on; a view until the log changes. Empty if
 * the offset is not that of a visible byte. */
struct lwp_bytes lwp_log_read(const struct lwp_log *log, uint64_t offset, size_t max_bytes);

/** Closes the segment that grows, if it has any bytes. LWP_OK, or LWP_NO_MEMORY with nothing done.
 */
enum lwp_status lwp_log_close(struct lwp_log *log);

/** Drops closed segments that are wholly visible, and returns how many bytes those were. */
size_t lwp_log_expire(struct lwp_log *log, const struct lwp_retention *retention);

/** Cuts the segment that grows where it stops being records as the deployed server reads them,
 * whose type FF has a head of 7 bytes (bug B4). Returns how many bytes were cut. */
size_t lwp_log_cut_unsound(struct lwp_log *log);

/** Frees the memory and empties the log. */
void lwp_log_done(struct lwp_log *log);

#endif
