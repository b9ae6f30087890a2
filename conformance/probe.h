/* SPDX-License-Identifier: MIT */
/* probe.h - finds out what a server speaks by asking it, and writes what it found as a profile: probe.def,
 * docs/profiles.md. */
#ifndef LWP_CONFORM_PROBE_H
#define LWP_CONFORM_PROBE_H

#include <stdio.h>

#include "conformance/run.h"

enum { PROBE_EVIDENCE_SIZE = 400 };

/* What a finding is for in a profile. */
enum probe_use {
    PROBE_TELLS, /* A comment. */
    PROBE_LACKS, /* without KEY */
    PROBE_LIMITS /* KEY VALUE */
};

/* What was found out about one thing. */
struct probe_finding {
    enum probe_use use;
    const char *key;
    const char *value;    /* NULL: it could not be found out, and the evidence says why. */
    const char *evidence; /* What was sent and what came, on one line of printable characters. */
    bool fits[3];         /* The dialects that have this value, by the order of lwp_dialects[]. */
};

struct probe {
    struct run_options run; /* Given by the caller; the dialect is not looked at. */
    uint64_t deadline_ns;   /* Past it nothing more is asked. */
    struct script_arena arena;
    struct lwp_dialect
        spoken; /* What it is asked in: one of ours with the checksum that it takes. */
    const struct lwp_dialect *dialect; /* The one that fits best; NULL if none does. */
    bool speaks_tls;
    bool is_dead; /* It stopped answering. */
    unsigned ordinal;
    SCRIPT_LIST(struct probe_finding) findings;
};

/**
 * Asks the server of `probe->run` all that probe.def has, each on connections of its own, and deletes
 * the topics that it made. `probe` is zeros but for `run` and `deadline_ns`.
 *
 * LWP_OK          all was asked; what could not be found out is among the findings.
 * LWP_CLOSED, LWP_RESET, LWP_TIMEOUT, or a status of lwp_tcp_connect(): it answers a Keepalive
 *                 with neither checksum; `speaks_tls` says whether it wants TLS.
 * LWP_UNEXPECTED_FRAME  it stopped answering: `is_dead`, and the last finding says at what.
 */
enum lwp_status probe_server(struct probe *probe);

/** Writes the findings as a profile. */
void probe_write(const struct probe *probe, const char *target, FILE *out);

void probe_done(struct probe *probe);

#endif
