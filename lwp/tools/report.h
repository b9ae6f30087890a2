/* SPDX-License-Identifier: MIT */
/* report.h - where a dump says what it sees: events, written as text for people or as JSON Lines.
 */
#ifndef LWP_TOOLS_REPORT_H
#define LWP_TOOLS_REPORT_H

#include <stdio.h>

#include "lwp/wire/frame.h"
#include "lwp/wire/tlv.h"

enum { LWP_REPORT_SCHEMA_VERSION = 1 };

/* A note is worth knowing; only a fault makes the input unsound. */
enum lwp_severity { LWP_SEVERITY_NOTE, LWP_SEVERITY_FAULT };

/* Something that is wrong, or worth a note. All texts live as long as the call. */
struct lwp_finding {
    enum lwp_severity severity;
    uint64_t offset;  /* In the stream. */
    const char *name; /* In capitals: a status's, or one of docs/dump.md. */
    const char
        *field; /* The specification's word for what is wrong there; NULL if there is none. */
    const char *text;
};

/* The bytes of one direction, or of a file. */
struct lwp_report_stream {
    const char *label; /* "A:port > B:port"; "" for a file. Lives until the next stream's. */
    uint64_t size;     /* Bytes that are there so far. */
    const struct lwp_dialect *dialect;
    const char *why; /* Why this dialect. */
    bool continued;  /* It was told of before. */
};

/* A record in a payload. */
struct lwp_report_record {
    uint64_t offset; /* In the stream, or in the decompressed payload if `compressed`. */
    bool compressed;
    const struct lwp_dialect *dialect;
    const struct lwp_record *record;
};

/* What else was in a capture. */
struct lwp_report_other {
    uint64_t packet_count;   /* All packets. */
    uint64_t not_tcp_count;  /* Packets that are not TCP over IP. */
    uint64_t fragment_count; /* IP fragments, which are not put together. */
    uint64_t damaged_count;  /* Packets whose headers are cut off or contradict themselves. */
    uint64_t unlisted_count; /* TCP packets for which there was no room in the list of streams. */
    uint64_t unwanted_count; /* TCP packets of other ports than the one asked for. */
    uint64_t stream_count;   /* Streams with data but without a sound header. */
    uint64_t stream_bytes;
};

struct lwp_report_form;

/* A report under way. Belongs to its caller, who may read the counts at any time. */
struct lwp_report {
    FILE *out;
    const struct lwp_report_form *form;
    bool records;       /* Whether records are told one by one. */
    const char *stream; /* The label of the stream that is being told of. */
    uint64_t frame_count;
    uint64_t record_count;
    uint64_t fault_count;
    uint64_t note_count;
    uint64_t skipped_size;
};

/* How events are written. */
struct lwp_report_form {
    void (*begin)(struct lwp_report *report);
    void (*input)(struct lwp_report *report, const char *name, const char *format, uint64_t size);
    void (*stream)(struct lwp_report *report, const struct lwp_report_stream *stream);
    void (*frame)(struct lwp_report *report, const struct lwp_dialect *dialect, uint64_t offset,
                  const struct lwp_frame *frame);
    void (*record)(struct lwp_report *report, const struct lwp_report_record *record);
    void (*finding)(struct lwp_report *report, const struct lwp_finding *finding);
    void (*skip)(struct lwp_report *report, uint64_t offset, uint64_t size, bool found);
    void (*other)(struct lwp_report *report, const struct lwp_report_other *other);
    void (*end)(struct lwp_report *report);
};

extern const struct lwp_report_form lwp_report_text; /* For people: a line an event. */
extern const struct lwp_report_form lwp_report_json; /* JSON Lines: an object an event. */

/** A report in this form to `out`, which stays the caller's. Writes what comes first. */
struct lwp_report lwp_report_begin(const struct lwp_report_form *form, FILE *out, bool records);

/** An input of `size` bytes; `format` is "hex", "binary", "pcap" or "pcapng". */
void lwp_report_input(struct lwp_report *report, const char *name, const char *format,
                      uint64_t size);

/** What follows is of this stream. */
void lwp_report_stream(struct lwp_report *report, const struct lwp_report_stream *stream);

/** A frame at this offset, as the dialect reads it. */
void lwp_report_frame(struct lwp_report *report, const struct lwp_dialect *dialect, uint64_t offset,
                      const struct lwp_frame *frame);

/** A record of the frame before; written only if `records` is set. */
void lwp_report_record(struct lwp_report *report, const struct lwp_report_record *record);

/** A finding. */
void lwp_report_finding(struct lwp_report *report, const struct lwp_finding *finding);

/** A fault of the codec, whose offset counts from `base`; `detail` is what else there is to say, or
 * NULL. */
void lwp_report_fault(struct lwp_report *report, enum lwp_severity severity, uint64_t base,
                      const struct lwp_fault *fault, const char *detail);

/** `size` bytes from `offset` on were skipped: to the next sound header, or to the end if none was
 * `found`. */
void lwp_report_skip(struct lwp_report *report, uint64_t offset, uint64_t size, bool found);

/** What else was in the capture. */
void lwp_report_other(struct lwp_report *report, const struct lwp_report_other *other);

/** The counts, at the end of all inputs. */
void lwp_report_end(struct lwp_report *report);

#endif
