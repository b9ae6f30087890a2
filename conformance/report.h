/* SPDX-License-Identifier: MIT */
/* report.h - one stream of events, written in as many forms as are wanted. docs/reports.md tells
 * what is in them. */
#ifndef LWP_CONFORM_REPORT_H
#define LWP_CONFORM_REPORT_H

#include <stdio.h>

#include "conformance/result.h"
#include "lwp/wire/dialect.h"

enum {
    REPORT_SCHEMA_VERSION = 2, /* Of the JSON Lines. */
    REPORT_SLOWEST = 10
};

enum report_kind {
#define REPORT(name, member) REPORT_##name,
#include "conformance/reports.def"
#undef REPORT
    REPORT_COUNT
};

/* What a run is about. The texts live until its end. */
struct report_run {
    const char *target; /* HOST:PORT, or "selftest". */
    const struct lwp_dialect *dialect;
    uint64_t seed;
    const char *repeat;  /* The command that does the same again, but for filters and reports. */
    const char *version; /* Of the program. */
    const char *profile; /* What the target is said to have; NULL if nothing is. */
    const char *axes;    /* How the run differs from a plain one; NULL if it does not. */
    uint64_t epoch_ns;   /* The wall time, since the Unix epoch, when the world's clock was 0. */
};

struct report_counts {
    size_t of[VERDICT_COUNT];
    size_t total;
};

struct report_slow {
    const char *id;
    uint64_t duration_ns;
};

struct report;

/* A report that is being written. All zeros is one that is not wanted. */
struct report_out {
    FILE *file;
    const char *path; /* As it was given. */
    char *place;      /* The file that it will be, and what that is called until it is whole; */
    char *part;       /* both NULL if it is written where it stays. */
    int error;        /* The errno of the first write that failed. */
    void *state;      /* The form's own, all zeros at first. */
};

/* When a form is asked to write. */
enum report_moment {
    REPORT_BEGIN, /* A run begins. */
    REPORT_END,   /* It is over. */
    REPORT_FINISH /* All runs are over, if there were any; what the state holds is freed. */
};

/* How a form is written. What is NULL writes nothing. */
struct report_form {
    size_t state_size;
    void (*at[REPORT_FINISH + 1])(const struct report *report, struct report_out *out);
    void (*add)(const struct report *report, struct report_out *out, const struct result *result);
    /* See struct exchange_sink. */
    void (*exchange)(const struct report *report, struct report_out *out,
                     const struct exchange *exchange);
};

struct report {
    struct exchange_sink sink; /* First: report_sink(). */
    struct report_out outs[REPORT_COUNT];
    bool verbose; /* Every case on a line of the text, not only those that need a look. */
    struct report_run run;
    struct report_counts counts; /* Of this run. */
    struct report_counts all;    /* Of all runs in this report. */
    uint64_t duration_ns;
    struct report_slow slowest[REPORT_SLOWEST]; /* Of this run; less than ten have no id. */
};

/**
 * Opens the reports, those of `paths` that are not NULL; "-" is standard output. What will be a
 * plain file is called FILE.part until report_finish(). False after saying on stderr what is wrong;
 * then nothing is left behind.
 */
bool report_open(struct report *report, const char *const *paths);

/** A run begins. */
void report_begin(struct report *report, const struct report_run *run);

/** One case is done. */
void report_case(struct report *report, const struct result *result);

/** The run is over. */
void report_end_run(struct report *report);

/** Writes what is written last, and gives the files their names. False after saying on stderr what
 * could not be written, of which nothing is left behind. */
bool report_finish(struct report *report);

/** Where exchanges go, one after the other; NULL if nobody wants them. */
struct exchange_sink *report_sink(struct report *report);

/* --- report_file.c: the files. --- */

/** Opens a report, and its form's state of that size. False after saying on stderr what is wrong. */
bool report_out_open(struct report_out *out, const char *path, size_t state_size);

/** Whether both lead to one plain file, where they would destroy each other: said on stderr. */
bool report_out_shares(const struct report_out *a, const struct report_out *b);

/** Closes the report and leaves nothing of it. */
void report_out_drop(struct report_out *out);

/** Closes the report, which gets its name. False after saying on stderr what went wrong. */
bool report_out_keep(struct report_out *out);

/* --- For the forms. --- */

#define REPORT(name, member) extern const struct report_form report_form_##member;
#include "conformance/reports.def"
#undef REPORT

/* A text that is collected, to be written later. */
struct report_piece {
    FILE *out; /* NULL without memory. */
    char *text;
    size_t size;
};

/** Begins a piece: to be written to `out`, and ended by report_piece_done(). */
void report_piece_begin(struct report_piece *piece);

/** Writes the piece to `out`, unless that is NULL, and frees it. False without memory. */
bool report_piece_done(struct report_piece *piece, FILE *out);

/** What ends the search for a failure, one call a fact: "required", "section", "step", "expected",
 * "actual", "differs", "capture", "repeat". Labels may come twice; values are fit to print. */
typedef void report_fact(void *context, const char *label, const char *value);
void report_facts(const struct report *report, const struct result *result, report_fact *fact,
                  void *context);

/** The command that runs this case again, or the whole run for what is judged at its end; the caller
 * frees it. NULL without memory. */
char *report_repeat(const struct report *report, const struct result *result);

typedef void report_line(void *context, const char *line);

/** The frames in some bytes, each as a line, called with what could not be read last. */
void report_decode(const struct lwp_dialect *dialect, struct lwp_bytes bytes, report_line *line,
                   void *context);

/** The transcript as lines, frames decoded and set in by two spaces. */
void report_transcript(const struct report *report, const struct result *result, report_line *line,
                       void *context);

/** The event whose byte at `result->offset` is the first that differs, or NULL. */
const struct event *report_differing(const struct result *result);

/** What the connection is called: "c1", or "set-up". */
const char *report_connection_name(unsigned connection, char name[static 16]);

/** The text with U+FFFD for all that is not UTF-8 and all that XML does not know; the caller frees
 * it. NULL without memory. */
char *report_utf8(const char *text);

/** The event's word: "connected", "sent", … */
const char *report_event_word(enum event_kind kind);

/** Whether this verdict wants a user's attention. */
bool report_is_bad(enum verdict verdict);

/** Whether there is more to be told of it than the reason: it is bad, or a failure that is known. */
bool report_is_told(enum verdict verdict);

#endif
