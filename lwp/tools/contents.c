/* SPDX-License-Identifier: MIT */
#include "lwp/tools/contents.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lwp/wire/compress.h"
#include "lwp/wire/message.h"

/* Records under way. */
struct place {
    struct lwp_report *report;
    const struct lwp_dialect *dialect;
    uint64_t frame_offset;
    uint64_t offset;            /* Of the records: in the stream, or 0 if compressed. */
    bool compressed;            /* Then offsets are those in the decompressed payload. */
    enum lwp_severity severity; /* Of records that are broken. */
};

static void report_record_fault(const struct place *place, const struct lwp_fault *fault)
{
    if (!place->compressed) {
        lwp_report_fault(place->report, place->severity, place->offset, fault, NULL);
        return;
    }
    char detail[80];
    (void)snprintf(detail, sizeof(detail), "at offset %" PRIu64 " of the decompressed payload",
                   fault->offset);
    const struct lwp_fault here = {fault->status, LWP_HEADER_SIZE, fault->field};
    lwp_report_fault(place->report, place->severity, place->frame_offset, &here, detail);
}

static void report_one_record(const struct place *place, uint64_t at,
                              const struct lwp_record *record)
{
    const struct lwp_report_record told = {place->offset + at, place->compressed, place->dialect,
                                           record};
    lwp_report_record(place->report, &told);
    if (place->dialect->type_names != LWP_TYPES_SPEC)
        return;
    const enum lwp_status status = lwp_record_check(record);
    const bool by_type = record->type == LWP_TLV_RESERVED;
    const struct lwp_fault fault = {status, by_type ? at : at + LWP_TLV_HEAD_SIZE,
                                    by_type ? "type" : "value"};
    if (status != LWP_OK)
        report_record_fault(place, &fault);
}

/* Returns the number of whole records. */
static uint64_t report_records(const struct place *place, struct lwp_bytes records)
{
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(records);
    struct lwp_record record;
    uint64_t count = 0;
    for (;;) {
        const uint64_t at = walk.offset;
        const enum lwp_status status = lwp_tlv_next(&walk, &record);
        if (status == LWP_END)
            return count;
        if (status != LWP_OK) {
            const struct lwp_fault fault = {status, at, "length"};
            report_record_fault(place, &fault);
            return count;
        }
        report_one_record(place, at, &record);
        count++;
    }
}

static void report_field(const struct place *place, enum lwp_header_index field, const char *name,
                         const char *text)
{
    const struct lwp_finding finding = {
        .severity = LWP_SEVERITY_NOTE,
        .offset = place->frame_offset + lwp_header_fields[field].offset,
        .name = name,
        .field = lwp_header_fields[field].name,
        .text = text,
    };
    lwp_report_finding(place->report, &finding);
}

/* Decompresses in the dialect's framing, or else in the other one, and says so. */
static enum lwp_status decompress(const struct place *place, struct lwp_bytes in,
                                  struct lwp_writer *out)
{
    const enum lwp_lz4_framing own = place->dialect->lz4_framing;
    const enum lwp_lz4_framing other = own == LWP_LZ4_BLOCK ? LWP_LZ4_LIBRARY : LWP_LZ4_BLOCK;
    const enum lwp_status status = lwp_lz4_decompress(own, in, LWP_LZ4_MAX_OUTPUT, out);
    if (status == LWP_OK || lwp_lz4_decompress(other, in, LWP_LZ4_MAX_OUTPUT, out) != LWP_OK)
        return status;
    report_field(place, LWP_HEADER_flags, "LZ4_FRAMING",
                 other == LWP_LZ4_BLOCK ? "compressed as a raw block, which is another dialect's"
                                        : "compressed in the Rust library's framing, which is "
                                          "another dialect's");
    return LWP_OK;
}

static void report_count(const struct place *place, const struct lwp_frame *frame, uint64_t count)
{
    char text[96];
    if (count == frame->header.record_count)
        return;
    (void)snprintf(text, sizeof(text), "it says %" PRIu32 ", the payload has %" PRIu64,
                   frame->header.record_count, count);
    report_field(place, LWP_HEADER_record_count, "RECORD_COUNT", text);
}

static void report_compressed(struct place *place, const struct lwp_frame *frame)
{
    uint8_t *buffer = malloc(LWP_LZ4_MAX_OUTPUT);
    if (!buffer) {
        report_field(place, LWP_HEADER_flags, "NO_MEMORY", "no memory to decompress the payload");
        return;
    }
    struct lwp_writer out = lwp_writer_on(buffer, LWP_LZ4_MAX_OUTPUT);
    const enum lwp_status status = decompress(place, frame->payload, &out);
    const struct lwp_fault fault = {status, LWP_HEADER_SIZE, "payload"};
    place->compressed = true;
    place->offset = 0;
    if (status == LWP_OK)
        report_count(place, frame, report_records(place, lwp_writer_bytes(&out)));
    else
        lwp_report_fault(place->report, place->severity, place->frame_offset, &fault, NULL);
    free(buffer);
}

static void report_ingest(struct place *place, const struct lwp_frame *frame)
{
    if (frame->header.flags & LWP_FLAG_COMPRESSED)
        report_compressed(place, frame);
    else
        report_count(place, frame, report_records(place, frame->payload));
}

static void report_rest(const struct place *place, const struct lwp_frame *frame,
                        struct lwp_bytes rest)
{
    char text[64];
    const struct lwp_finding finding = {
        .severity = LWP_SEVERITY_FAULT,
        .offset = place->offset + (frame->payload.size - rest.size),
        .name = "TRAILING_BYTES",
        .field = "payload",
        .text = text,
    };
    (void)snprintf(text, sizeof(text), "%zu byte%s behind the last field", rest.size,
                   rest.size == 1 ? "" : "s");
    if (rest.size)
        lwp_report_finding(place->report, &finding);
}

static void report_control(struct place *place, const struct lwp_frame *frame)
{
    const int code = lwp_frame_command(frame, place->dialect);
    struct lwp_message message = {.command = 0};
    struct lwp_bytes rest = {NULL, 0};
    struct lwp_fault fault = {LWP_UNKNOWN_COMMAND, 0, "batch_id"};
    const enum lwp_status status =
        code < 0 ? LWP_UNKNOWN_COMMAND
                 : lwp_message_decode((uint8_t)code, frame->payload, &message, &rest, &fault);
    if (status == LWP_UNKNOWN_COMMAND) {
        /* D14: the specification's GetClusterStatus has no row of its own. */
        if (code == place->dialect->cluster_status_command)
            report_rest(place, frame, frame->payload);
        else
            lwp_report_fault(place->report, LWP_SEVERITY_FAULT,
                             place->frame_offset + lwp_header_fields[LWP_HEADER_batch_id].offset,
                             &fault, NULL);
        return;
    }
    if (status != LWP_OK)
        lwp_report_fault(place->report, LWP_SEVERITY_FAULT, place->offset, &fault, NULL);
    report_rest(place, frame, rest);
    if (message.data.size == 0)
        return;
    place->offset += frame->payload.size - message.data.size;
    place->severity = LWP_SEVERITY_NOTE;
    (void)report_records(place, message.data);
}

void lwp_contents_report(struct lwp_report *report, const struct lwp_dialect *dialect,
                         uint64_t offset, const struct lwp_frame *frame)
{
    struct place place = {
        .report = report,
        .dialect = dialect,
        .frame_offset = offset,
        .offset = offset + LWP_HEADER_SIZE,
        .severity = LWP_SEVERITY_FAULT,
    };
    struct lwp_fault fault;
    lwp_report_frame(report, dialect, offset, frame);
    if (lwp_frame_check(frame, &fault) != LWP_OK)
        lwp_report_fault(report, LWP_SEVERITY_NOTE, offset, &fault, NULL);
    const enum lwp_kind kind = lwp_frame_kind(frame, dialect);
    if (kind == LWP_KIND_CONTROL)
        report_control(&place, frame);
    else if (kind == LWP_KIND_INGEST && frame->payload.size)
        report_ingest(&place, frame);
}
