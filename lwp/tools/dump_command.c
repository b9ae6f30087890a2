/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "lwp/tools/arguments.h"
#include "lwp/tools/capture.h"
#include "lwp/tools/command.h"
#include "lwp/tools/dump.h"
#include "lwp/tools/hex.h"
#include "lwp/tools/input.h"

/* Says why a file can not be read. */
static int unreadable(const char *name, const char *why)
{
    (void)fprintf(stderr, "lwp dump: %s: %s\n", name, why);
    return EXIT_OUT_OF_REACH;
}

static enum input_format format_of(const struct arguments *arguments, struct lwp_bytes bytes)
{
    if (arguments->format != FORMAT_BY_CONTENT)
        return arguments->format;
    if (lwp_capture_recognise(bytes))
        return FORMAT_PCAP;
    return lwp_hex_recognise(bytes) ? FORMAT_HEX : FORMAT_BINARY;
}

/* Dumps the bytes that the text stands for; what stops being hex text is a fault. */
static int dump_hex(const struct arguments *arguments, struct lwp_report *report, const char *name,
                    struct lwp_bytes text)
{
    const size_t room = text.size / 2;
    uint8_t *buffer = malloc(room ? room : 1);
    struct lwp_writer out = lwp_writer_on(buffer, room);
    struct lwp_hex_fault fault = {0, NULL};
    if (!buffer)
        return unreadable(name, "there is no memory left");
    const bool whole = lwp_hex_decode(text, &out, &fault);
    lwp_report_input(report, name, "hex", out.size);
    lwp_dump_file(report, arguments->dialect, lwp_writer_bytes(&out));
    if (!whole) {
        char line[128];
        (void)snprintf(line, sizeof(line), "line %zu: %s", fault.line, fault.text);
        const struct lwp_finding finding = {LWP_SEVERITY_FAULT, out.size, "HEX", NULL, line};
        lwp_report_finding(report, &finding);
    }
    free(buffer);
    return EXIT_SOUND;
}

static int dump_capture(const struct arguments *arguments, struct lwp_report *report,
                        const char *name, struct lwp_bytes bytes)
{
    const struct lwp_capture_options options = {.dialect = arguments->dialect,
                                                .port = arguments->port};
    lwp_report_input(report, name, lwp_capture_is_pcapng(bytes) ? "pcapng" : "pcap", bytes.size);
    return lwp_capture_dump(&options, report, bytes) == LWP_OK
               ? EXIT_SOUND
               : unreadable(name, "there is no memory left");
}

static int dump_input(const struct arguments *arguments, struct lwp_report *report,
                      const char *name, struct lwp_bytes bytes)
{
    switch (format_of(arguments, bytes)) {
    case FORMAT_HEX:
        return dump_hex(arguments, report, name, bytes);
    case FORMAT_PCAP:
        return dump_capture(arguments, report, name, bytes);
    case FORMAT_BY_CONTENT:
    case FORMAT_BINARY:
        break;
    }
    lwp_report_input(report, name, "binary", bytes.size);
    lwp_dump_file(report, arguments->dialect, bytes);
    return EXIT_SOUND;
}

static int dump_file(const struct arguments *arguments, struct lwp_report *report, const char *name)
{
    struct lwp_input input = {{NULL, 0}, NULL, false};
    const char *wrong = lwp_input_open(name, &input);
    if (wrong)
        return unreadable(name, wrong);
    const int status = dump_input(arguments, report, name, input.bytes);
    lwp_input_close(&input);
    return status;
}

int command_dump(int argc, char **argv)
{
    struct arguments arguments = {.dialect = NULL};
    int status = arguments_read(argc, argv, &arguments);
    if (status >= 0)
        return status;
    struct lwp_report report = lwp_report_begin(
        arguments.json ? &lwp_report_json : &lwp_report_text, stdout, arguments.records);
    status = arguments.files[0] ? EXIT_SOUND : dump_file(&arguments, &report, "-");
    for (char **file = arguments.files; *file; file++) {
        const int ended = dump_file(&arguments, &report, *file);
        status = ended != EXIT_SOUND ? ended : status;
    }
    lwp_report_end(&report);
    if (fflush(stdout) != 0 || ferror(stdout))
        return unreadable("standard output", "can not be written");
    if (status != EXIT_SOUND)
        return status;
    return report.fault_count ? EXIT_FAULT : EXIT_SOUND;
}
