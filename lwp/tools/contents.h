/* SPDX-License-Identifier: MIT */
/* contents.h - what a frame holds and what is wrong with it. */
#ifndef LWP_TOOLS_CONTENTS_H
#define LWP_TOOLS_CONTENTS_H

#include "lwp/tools/report.h"

/**
 * Reports the frame at this offset and then all that can be said about it: what lwp_frame_check()
 * finds, as a note; faults of a control payload, bytes behind it included; the records of an ingest
 * and of a FetchResponse, broken ones as faults in an ingest and as notes in a FetchResponse, which
 * may end anywhere (8.5).
 *
 * A compressed ingest is decompressed, up to 16 MiB, in the dialect's LZ4 framing or else in the
 * other one (D20). Records are judged by the types of 8.2, except in a dialect that numbers them
 * differently (D21).
 */
void lwp_contents_report(struct lwp_report *report, const struct lwp_dialect *dialect,
                         uint64_t offset, const struct lwp_frame *frame);

#endif
