/* SPDX-License-Identifier: MIT */
#include "conformance/report.h"

#include <errno.h>
#include <stdlib.h>

#include "lwp/wire/trace.h"

static const char *const verdict_words[VERDICT_COUNT] = {
#define VERDICT(name, word, text) [VERDICT_##name] = (word),
#include "conformance/verdicts.def"
#undef VERDICT
};

const char *verdict_word(enum verdict verdict)
{
    return verdict_words[verdict];
}

const char *report_event_word(enum event_kind kind)
{
    static const char *const words[] = {
        [EVENT_CONNECTED] = "connected", [EVENT_SENT] = "sent",
        [EVENT_RECEIVED] = "received",   [EVENT_FIN] = "peer closed",
        [EVENT_RESET] = "peer reset",    [EVENT_CLOSED] = "closed",
    };
    return words[kind];
}

/* XML 1.0 has no control characters but tab and line ends, not even escaped, and no U+FFFE, U+FFFF.
 */
static bool is_plain(struct lwp_bytes c)
{
    if (c.size == 1)
        return (c.data[0] >= 0x20 && c.data[0] != 0x7f) || c.data[0] == '\n' || c.data[0] == '\t';
    return !(c.size == 3 && c.data[0] == 0xef && c.data[1] == 0xbf && c.data[2] >= 0xbe);
}

char *report_utf8(const char *text)
{
    static const uint8_t replacement[] = {0xef, 0xbf, 0xbd};
    struct lwp_bytes rest = lwp_bytes_text(text);
    const size_t most = rest.size * sizeof(replacement);
    struct lwp_writer out = lwp_writer_on(malloc(most + 1), most);
    while (out.data && rest.size) {
        bool valid = false;
        const size_t size = lwp_utf8_step(rest, &valid);
        const struct lwp_bytes c = {rest.data, size};
        lwp_write(&out,
                  valid && is_plain(c) ? c : (struct lwp_bytes){replacement, sizeof(replacement)});
        rest = lwp_bytes_from(rest, size);
    }
    if (out.data)
        out.data[out.size] = '\0';
    return (char *)out.data;
}

bool report_is_bad(enum verdict verdict)
{
    return verdict == VERDICT_FAIL || verdict == VERDICT_TIMEOUT || verdict == VERDICT_CRASH ||
           verdict == VERDICT_FLAKY || verdict == VERDICT_AXIS || verdict == VERDICT_ERROR ||
           verdict == VERDICT_XPASS;
}

void report_decode(const struct lwp_dialect *dialect, struct lwp_bytes bytes, report_line *line,
                   void *context)
{
    char text[LWP_TRACE_SIZE];
    while (bytes.size >= LWP_HEADER_SIZE) {
        struct lwp_frame frame;
        lwp_header_decode(bytes.data, &frame.header);
        const struct lwp_bytes rest = lwp_bytes_from(bytes, LWP_HEADER_SIZE);
        frame.payload = rest;
        if (frame.header.payload_length < rest.size)
            frame.payload.size = frame.header.payload_length;
        (void)lwp_trace_frame(dialect, &frame, text, sizeof(text));
        line(context, text);
        bytes = lwp_bytes_from(rest, frame.payload.size);
    }
    if (bytes.size) {
        (void)snprintf(text, sizeof(text), "%zu bytes that are no whole header", bytes.size);
        line(context, text);
    }
}

bool report_begin(struct report *report, const struct report_run *run)
{
    report->run = *run;
    report->counts = (struct report_counts){.total = 0};
    report->duration_ns = 0;
    if (report->junit) {
        report->suite = open_memstream(&report->suite_text, &report->suite_size);
        if (!report->suite)
            return false;
    }
    if (report->text)
        report_text_begin(report);
    if (report->jsonl)
        report_jsonl_begin(report);
    return true;
}

static void count(struct report_counts *counts, enum verdict verdict)
{
    counts->of[verdict]++;
    counts->total++;
}

void report_case(struct report *report, const struct result *result)
{
    count(&report->counts, result->verdict);
    count(&report->all, result->verdict);
    report->duration_ns += result->duration_ns;
    if (report->text)
        report_text_case(report, result);
    if (report->jsonl)
        report_jsonl_case(report, result);
    if (report->junit)
        report_junit_case(report, result);
}

void report_end_run(struct report *report)
{
    if (report->text)
        report_text_end(report);
    if (report->jsonl)
        report_jsonl_end(report);
    if (report->junit)
        report_junit_end(report);
}

/* Closes a file of ours; false if what was written did not get there. */
static bool close_file(FILE *file)
{
    if (!file)
        return true;
    const bool sound = !ferror(file);
    return (file == stdout ? fflush(file) == 0 : fclose(file) == 0) && sound;
}

bool report_finish(struct report *report)
{
    if (report->junit)
        report_junit_finish(report);
    free(report->suites);
    const bool text = close_file(report->text);
    const bool jsonl = close_file(report->jsonl);
    return close_file(report->junit) && text && jsonl;
}
