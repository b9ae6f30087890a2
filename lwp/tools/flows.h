/* SPDX-License-Identifier: MIT */
/* flows.h - the streams of a capture, and what has been told of each. */
#ifndef LWP_TOOLS_FLOWS_H
#define LWP_TOOLS_FLOWS_H

#include "lwp/tools/capture.h"
#include "lwp/tools/stream.h"

enum { LWP_FLOWS_SLOTS = 2 * LWP_CAPTURE_MAX_STREAMS };

/* A direction of a connection. */
struct lwp_flows_entry {
    struct lwp_stream stream;
    struct lwp_dump dump;
    char label[LWP_FLOW_SIZE];
    bool chosen;        /* It is dumped: it has been told of. */
    uint64_t left_size; /* Bytes that were let go of before it was chosen. */
};

/* The list of streams. Made of zeros but for `report` and `options`. */
struct lwp_flows {
    struct lwp_report *report;
    struct lwp_capture_options options; /* Filled in: no limit is 0. */
    struct lwp_report_other other;
    struct lwp_flows_entry **entries; /* In order of appearance. */
    size_t count;
    uint16_t slots[LWP_FLOWS_SLOTS]; /* By the hash of the flow: index + 1 of the newest entry. */
    uint8_t *buffer;                 /* Where runs are put together. */
    size_t buffer_room;
    uint64_t dumped_count;
};

/** Takes a segment. What does not concern us is counted in `other`. LWP_OK or LWP_NO_MEMORY. */
enum lwp_status lwp_flows_add(struct lwp_flows *flows, const struct lwp_segment *segment);

/** Dumps what is held of all streams. LWP_OK or LWP_NO_MEMORY. */
enum lwp_status lwp_flows_end(struct lwp_flows *flows);

/** Frees everything. */
void lwp_flows_done(struct lwp_flows *flows);

#endif
