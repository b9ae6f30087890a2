/* SPDX-License-Identifier: MIT */
/* report.h - one stream of events, written as text, JSON Lines and JUnit XML. */
#ifndef LWP_CONFORM_REPORT_H
#define LWP_CONFORM_REPORT_H

#include <stdio.h>

#include "conformance/result.h"
#include "lwp/wire/dialect.h"

enum { REPORT_SCHEMA_VERSION = 1 };

/* What a run was about. */
struct report_run {
    const char *target; /* HOST:PORT, or "selftest". */
    const struct lwp_dialect *dialect;
    uint64_t seed;
    const char *repeat; /* The command that runs one case again, up to its id. */
};

struct report_counts {
    size_t of[VERDICT_COUNT];
    size_t total;
};

struct report {
    FILE *text; /* NULL: none; the same for the others. */
    FILE *jsonl;
    FILE *junit;
    bool verbose; /* Every case on a line of the text, not only those that need a look. */
    struct report_run run;
    struct report_counts counts; /* Of this run. */
    struct report_counts all;    /* Of all runs in this report. */
    uint64_t duration_ns;
    char *suites; /* The JUnit of the runs so far, written at the end. */
    FILE *suite;  /* Where it is collected. */
    char *suite_text;
    size_t suite_size;
};

/** Begins a run. False without memory. */
bool report_begin(struct report *report, const struct report_run *run);

/** One case is done. */
void report_case(struct report *report, const struct result *result);

/** The run is over. */
void report_end_run(struct report *report);

/** Writes what is written last, and flushes. False if anything could not be written: `errno` says
 * why. */
bool report_finish(struct report *report);

/* One writer a form, called by report.c. */
void report_text_begin(struct report *report);
void report_text_case(struct report *report, const struct result *result);
void report_text_end(struct report *report);
void report_jsonl_begin(struct report *report);
void report_jsonl_case(struct report *report, const struct result *result);
void report_jsonl_end(struct report *report);
void report_junit_case(struct report *report, const struct result *result);
void report_junit_end(struct report *report);
void report_junit_finish(struct report *report);

/** The frames in some bytes, each as a line, called with what could not be read last. */
typedef void report_line(void *context, const char *line);
void report_decode(const struct lwp_dialect *dialect, struct lwp_bytes bytes, report_line *line,
                   void *context);

/** The text with U+FFFD for all that is not UTF-8 and all that XML does not know; the caller frees
 * it. NULL without memory. */
char *report_utf8(const char *text);

/** The event's word: "connected", "sent", … */
const char *report_event_word(enum event_kind kind);

/** Whether this verdict wants a user's attention. */
bool report_is_bad(enum verdict verdict);

#endif
