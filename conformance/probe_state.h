/* SPDX-License-Identifier: MIT */
/* probe_state.h - one question; shared by the probe*.c files and nobody else. */
#ifndef LWP_CONFORM_PROBE_STATE_H
#define LWP_CONFORM_PROBE_STATE_H

#include "conformance/probe.h"

enum probe_reply {
    PROBE_YES,
    PROBE_NO,
    /* It could not be asked: the set-up failed, a token is wanted, no time is left, nobody is there. */
    PROBE_UNASKED
};

/* What came of a question. */
struct probe_answer {
    enum probe_reply reply;
    bool is_silent;   /* PROBE_NO, because nothing came in time. */
    bool wants_token; /* What came is that one must authenticate. */
    char evidence[PROBE_EVIDENCE_SIZE];
    char came[PROBE_EVIDENCE_SIZE]; /* The part of it that the server said. */
    uint8_t first[LWP_HEADER_SIZE]; /* The first bytes that came, and how many. */
    size_t first_size;
};

/** Asks: PROBE_YES if the case of these steps passes. In the dialect `probe->spoken`. */
void probe_ask(struct probe *probe, const char *steps, struct probe_answer *answer);

/** Adds a finding, its texts copied. NULL without memory. */
struct probe_finding *probe_found(struct probe *probe, enum probe_use use, const char *key,
                                  const char *value, const char *evidence);

/** Finds the limits of probe.def. */
void probe_limits(struct probe *probe);

#endif
