/* SPDX-License-Identifier: MIT */
#include "lwp/tools/report.h"

struct lwp_report lwp_report_begin(const struct lwp_report_form *form, FILE *out, bool records)
{
    struct lwp_report report = {.out = out, .form = form, .records = records, .stream = ""};
    form->begin(&report);
    return report;
}

void lwp_report_input(struct lwp_report *report, const char *name, const char *format,
                      uint64_t size)
{
    report->stream = "";
    report->form->input(report, name, format, size);
}

void lwp_report_stream(struct lwp_report *report, const struct lwp_report_stream *stream)
{
    report->stream = stream->label;
    report->form->stream(report, stream);
}

void lwp_report_frame(struct lwp_report *report, const struct lwp_dialect *dialect, uint64_t offset,
                      const struct lwp_frame *frame)
{
    report->frame_count++;
    report->form->frame(report, dialect, offset, frame);
}

void lwp_report_record(struct lwp_report *report, const struct lwp_report_record *record)
{
    report->record_count++;
    if (report->records)
        report->form->record(report, record);
}

void lwp_report_finding(struct lwp_report *report, const struct lwp_finding *finding)
{
    if (finding->severity == LWP_SEVERITY_FAULT)
        report->fault_count++;
    else
        report->note_count++;
    report->form->finding(report, finding);
}

void lwp_report_fault(struct lwp_report *report, enum lwp_severity severity, uint64_t base,
                      const struct lwp_fault *fault, const char *detail)
{
    char text[256];
    (void)snprintf(text, sizeof(text), "%s%s%s", lwp_status_text(fault->status), detail ? "; " : "",
                   detail ? detail : "");
    const struct lwp_finding finding = {
        .severity = severity,
        .offset = base + fault->offset,
        .name = lwp_status_name(fault->status),
        .field = fault->field,
        .text = text,
    };
    lwp_report_finding(report, &finding);
}

void lwp_report_skip(struct lwp_report *report, uint64_t offset, uint64_t size, bool found)
{
    report->skipped_size += size;
    report->form->skip(report, offset, size, found);
}

void lwp_report_other(struct lwp_report *report, const struct lwp_report_other *other)
{
    report->form->other(report, other);
}

void lwp_report_end(struct lwp_report *report)
{
    report->form->end(report);
}
