/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "lwp/tools/report.h"
#include "lwp/wire/trace.h"

enum { SHOWN_TEXT = 48 };

static void print_text(FILE *out, struct lwp_bytes text)
{
    (void)fputc('"', out);
    for (size_t i = 0; i < text.size && i < SHOWN_TEXT; i++) {
        const uint8_t byte = text.data[i];
        if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\')
            (void)fputc(byte, out);
        else
            (void)fprintf(out, "\\x%02x", byte);
    }
    (void)fputc('"', out);
    if (text.size > SHOWN_TEXT)
        (void)fprintf(out, "+%zu", text.size - SHOWN_TEXT);
}

static void begin(struct lwp_report *report)
{
    (void)report;
}

static void input(struct lwp_report *report, const char *name, const char *format, uint64_t size)
{
    (void)fprintf(report->out, "%s: %s, %" PRIu64 " bytes\n", name, format, size);
}

static void stream(struct lwp_report *report, const struct lwp_report_stream *stream)
{
    if (stream->label[0])
        (void)fprintf(report->out, "\n%s%s: ", stream->label,
                      stream->continued ? ", continued" : "");
    if (!stream->continued)
        (void)fprintf(report->out, "dialect %s, %s", stream->dialect->name, stream->why);
    (void)fputc('\n', report->out);
}

static void frame(struct lwp_report *report, const struct lwp_dialect *dialect, uint64_t offset,
                  const struct lwp_frame *frame)
{
    char line[LWP_TRACE_SIZE];
    (void)lwp_trace_frame(dialect, frame, line, sizeof(line));
    (void)fprintf(report->out, "%10" PRIu64 "  %s\n", offset, line);
}

static void record(struct lwp_report *report, const struct lwp_report_record *at)
{
    const struct lwp_record *record = at->record;
    struct lwp_record_parts parts = {.value = record->value};
    char offset[24];
    (void)snprintf(offset, sizeof(offset), "%s%" PRIu64, at->compressed ? "+" : "", at->offset);
    (void)fprintf(report->out, "%10s    record %s (0x%02x) %zu ", offset,
                  lwp_tlv_word_in(at->dialect, record->type), record->type, record->value.size);
    const enum lwp_status status = lwp_record_parts(record, &parts);
    if (status == LWP_OK || status == LWP_INVALID_TEXT) {
        if (record->type != LWP_TLV_KEY_VALUE)
            (void)fprintf(report->out, "timestamp_ns=%" PRIu64 " ", parts.timestamp_ns);
        if (record->type != LWP_TLV_TIMESTAMPED) {
            (void)fputs("key=", report->out);
            print_text(report->out, parts.key);
            (void)fputc(' ', report->out);
        }
        (void)fputs("value=", report->out);
    }
    print_text(report->out, parts.value);
    (void)fputc('\n', report->out);
}

static void finding(struct lwp_report *report, const struct lwp_finding *finding)
{
    (void)fprintf(report->out, "%10" PRIu64 "  %s %s: %s%s%s%s\n", finding->offset,
                  finding->severity == LWP_SEVERITY_FAULT ? "FAULT" : "note", finding->name,
                  finding->text, finding->field ? " (" : "", finding->field ? finding->field : "",
                  finding->field ? ")" : "");
}

static void skip(struct lwp_report *report, uint64_t offset, uint64_t size, bool found)
{
    (void)fprintf(report->out, "%10" PRIu64 "  skipped %" PRIu64 " byte%s to ", offset, size,
                  size == 1 ? "" : "s");
    if (found)
        (void)fprintf(report->out, "the next sound header, at %" PRIu64 "\n", offset + size);
    else
        (void)fputs("the end: there is no further sound header\n", report->out);
}

static void print_count(FILE *out, const char *between, uint64_t count, const char *what)
{
    (void)fprintf(out, "%s%" PRIu64 " %s%s", between, count, what, count == 1 ? "" : "s");
}

/* One line of what was left aside, if there was any. */
static void print_left(FILE *out, uint64_t count, const char *what, const char *why)
{
    if (!count)
        return;
    print_count(out, "  ", count, what);
    (void)fprintf(out, " %s\n", why);
}

static void other(struct lwp_report *report, const struct lwp_report_other *other)
{
    FILE *out = report->out;
    print_count(out, "\n", other->packet_count, "packet");
    (void)fputs(" in the capture; not shown:\n", out);
    print_left(out, other->not_tcp_count, "packet", "other than TCP over IP");
    print_left(out, other->fragment_count, "IP fragment", "(they are not put together)");
    print_left(out, other->damaged_count, "packet", "with headers cut off or at odds");
    print_left(out, other->unlisted_count, "TCP packet", "of streams past the limit");
    print_left(out, other->unwanted_count, "TCP packet", "of other ports");
    print_left(out, other->stream_count, "TCP stream", "without a sound header");
    print_left(out, other->stream_bytes, "byte", "in them");
    if (!(other->not_tcp_count | other->fragment_count | other->damaged_count |
          other->unlisted_count | other->unwanted_count | other->stream_count))
        (void)fputs("  nothing\n", out);
}

static void end(struct lwp_report *report)
{
    FILE *out = report->out;
    print_count(out, "", report->frame_count, "frame");
    print_count(out, ", ", report->record_count, "record");
    print_count(out, ", ", report->fault_count, "fault");
    print_count(out, ", ", report->note_count, "note");
    print_count(out, ", ", report->skipped_size, "byte");
    (void)fputs(" skipped\n", out);
}

const struct lwp_report_form lwp_report_text = {begin,   input, stream, frame, record,
                                                finding, skip,  other,  end};
