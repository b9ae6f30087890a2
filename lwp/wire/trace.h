/* SPDX-License-Identifier: MIT */
/* trace.h - any frame as one readable line. */
#ifndef LWP_WIRE_TRACE_H
#define LWP_WIRE_TRACE_H

#include "lwp/wire/message.h"

enum { LWP_TRACE_SIZE = 512 }; /* Characters that are enough for a useful line. */

/**
 * Writes the frame as one line of printable ASCII without an end of line, for example
 *     ingest batch_id=1 topic_id=1 record_count=1 payload=10 [raw 5 "hello"]
 * Header fields that are zero are left out, compressed records are not looked into; what is wrong
 * with the frame is named at the end. The line ends with a zero and is cut if `size` (at least 1)
 * is too small. Returns its length.
 */
size_t lwp_trace_frame(const struct lwp_dialect *dialect, const struct lwp_frame *frame, char *out,
                       size_t size);

/** Writes a fault as one line, for example
 *     HEADER_CHECKSUM: the header checksum is wrong (header_crc at offset 8) */
size_t lwp_trace_fault(const struct lwp_fault *fault, char *out, size_t size);

#endif
