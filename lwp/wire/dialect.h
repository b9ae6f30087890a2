/* SPDX-License-Identifier: MIT */
/* dialect.h - where the specification, the deployed server and the published clients disagree, as
 * data. docs/dialects.md explains the axes D1 to D41 that the comments name. */
#ifndef LWP_WIRE_DIALECT_H
#define LWP_WIRE_DIALECT_H

#include "lwp/wire/crc.h"

enum lwp_error_form {
    LWP_ERRORS_AS_TEXT, /* The ErrorResponse is a plain text. */
    LWP_ERRORS_AS_JSON  /* It is {"code":…,"message":…,"details":…} (12.1). */
};

enum lwp_kind_rule {
    LWP_KIND_EXACT, /* The flags are exactly those of section 4 and 5; all others are invalid. */
    LWP_KIND_BY_PRIORITY /* Control, then Keepalive, Ack, Backpressure; else a payload is an ingest.
                          */
};

enum lwp_beyond_end {
    LWP_BEYOND_EMPTY,       /* An empty FetchResponse that repeats the offset asked for. */
    LWP_BEYOND_CATCHING_UP, /* The control frame 0x12 with the end offset. */
    LWP_BEYOND_ERROR        /* An ErrorResponse that says CATCHING_UP. */
};

enum lwp_lz4_framing {
    LWP_LZ4_BLOCK,  /* One raw LZ4 block, its decompressed size unsaid. */
    LWP_LZ4_LIBRARY /* u8 algorithm 1, u32 size, u32 size again, block: the Rust library's form. */
};

enum lwp_type_names {
    LWP_TYPES_SPEC,  /* Specification 8.2. */
    LWP_TYPES_SERVER /* The deployed server's core, which numbers the types from 0. */
};

struct lwp_dialect {
    const char *name;
    enum lwp_polynomial polynomial; /* D1 */
    enum lwp_error_form error_form; /* D2, D3, D4 */
    uint64_t tail_offset;           /* D5: a Fetch offset that means the end; 0 if there is none. */
    enum lwp_beyond_end beyond_end; /* D4, D6 */
    bool counts_records;            /* D8: record_count of a FetchResponse is true, not 0 or 1. */
    bool whole_records;             /* D9: a fetch is not cut inside a record, if one fits. */
    bool zero_keeps_all;            /* D11: retention 0 means no limit. */
    bool unsubscribe_acked;         /* D13: by an Ack frame, not by a TopicResponse. */
    uint8_t cluster_status_command; /* D14 */
    bool command_is_low_byte;       /* D16: of batch_id; otherwise the whole value counts. */
    bool any_topic_name;            /* D17: any UTF-8 of at most 255 bytes, not [A-Za-z0-9-]+. */
    bool topic_epoch;               /* D18: topic documents carry topic_epoch, keys in order. */
    bool cluster_forwards;          /* D19: nodes of a cluster answer as the deployed ones do. */
    enum lwp_lz4_framing lz4_framing; /* D20 */
    enum lwp_type_names type_names;   /* D21: for the tracer only. */
    bool refuses_unsound;         /* D23, D24, D25, D38: rules without a reaction are enforced. */
    enum lwp_kind_rule kind_rule; /* D26 */
    bool defers_acks;             /* D27: immediate replies overtake acks. */
    bool late_size_check;         /* D30: only for the frame at the front after a read. */
    bool default_topic_readable;  /* D32 */
    bool decompresses_ingest;     /* D40 */
};

extern const struct lwp_dialect lwp_dialect_spec;     /* The written specification 1.0. */
extern const struct lwp_dialect lwp_dialect_lance;    /* The deployed server, release 0.2.8. */
extern const struct lwp_dialect lwp_dialect_lance_py; /* What the Python client needs. */

/** All dialects, ended by NULL, for those who list them. */
extern const struct lwp_dialect *const lwp_dialects[];

/** The dialect of that name, or NULL. */
const struct lwp_dialect *lwp_dialect_named(const char *name);

#endif
