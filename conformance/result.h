/* SPDX-License-Identifier: MIT */
/* result.h - what came of a case: verdict, evidence, transcript. */
#ifndef LWP_CONFORM_RESULT_H
#define LWP_CONFORM_RESULT_H

#include "mock_server/script/script.h"

enum verdict {
#define VERDICT(name, word, class, text) VERDICT_##name,
#include "conformance/verdicts.def"
#undef VERDICT
    VERDICT_COUNT
};

/* What a verdict is to a reader who knows no others than these: JUnit, TAP, a pipeline. */
enum verdict_class {
    CLASS_PASSED,
    CLASS_FAILED, /* The target's fault, and not known. */
    CLASS_BROKEN, /* The fault of the set-up, or ours. */
    CLASS_SKIPPED,
    CLASS_KNOWN /* A failure that was expected. */
};

/** The verdict's word in reports, for example "pass-lenient". */
const char *verdict_word(enum verdict verdict);

/** What the verdict means, in a few words. */
const char *verdict_text(enum verdict verdict);

enum verdict_class verdict_class_of(enum verdict verdict);

enum {
    RESULT_TEXT_SIZE = 512,
    TRANSCRIPT_MAX_SIZE = 262144 /* Bytes of a case that reports show. */
};

/* What happened on a connection, in order. */
enum event_kind {
    EVENT_CONNECTED,
    EVENT_SENT,
    EVENT_RECEIVED,
    EVENT_FIN,
    EVENT_RESET,
    EVENT_CLOSED,      /* By us, as the three below. */
    EVENT_HALF_CLOSED, /* We send no more, and still read. */
    EVENT_ABORTED      /* With RST. */
};

struct event {
    enum event_kind kind;
    unsigned connection; /* 1 is c1; 0 is the runner's own, for set-up and clean-up. */
    unsigned line;       /* Of the step that did it, in the case's file; 0 if none did. */
    uint64_t time_ns;    /* Since the case began. */
    struct lwp_bytes bytes;
    size_t lost; /* Bytes that are not kept because the transcript is full. */
};

struct transcript {
    SCRIPT_LIST(struct event) events;
    size_t size; /* Bytes kept. */
};

/* What came in place of what is required. */
enum result_end {
    RESULT_NOTHING_FAILED,
    RESULT_FRAME,
    RESULT_CLOSE,
    RESULT_MALFORMED,
    RESULT_TIMEOUT
};

struct result {
    const struct script_case *of;
    enum verdict verdict;
    char reason[RESULT_TEXT_SIZE];   /* In one sentence; empty for a plain pass. */
    char expected[RESULT_TEXT_SIZE]; /* As decoded fields; empty if there is no such thing. */
    char actual[RESULT_TEXT_SIZE];
    bool is_same;        /* It came out like this in the run that this one is compared with. */
    enum result_end end; /* How the step that failed ended. */
    const char *field;   /* The first field that differs, or NULL. */
    long offset;         /* Of the first byte that differs in the frame, or -1. */
    unsigned line;       /* Of the step that failed; 0 if none did. */
    uint64_t began_ns;   /* On the world's clock. */
    uint64_t duration_ns;
    struct transcript transcript;
};

/* All that was said on the connections of a case, each time that it was run, or of what is no case:
 * sanity exchanges, the kept topic. */
struct exchange {
    const char *what;            /* What it was for, or the case's id. */
    const char *chop;            /* How what was sent was cut, or NULL. */
    const struct result *result; /* What came of it this time. */
    const struct lwp_bytes
        *wires;        /* The bytes of each event, whole for as long as there is memory; */
    size_t wire_count; /* fewer than events if there is not. */
};

/* Takes exchanges when they are over. */
struct exchange_sink {
    void (*take)(struct exchange_sink *sink, const struct exchange *exchange);
};

#endif
