/* SPDX-License-Identifier: MIT */
/* scenario.h - rules that make a mock misbehave, as read from a script: what they wait for, what they
 * do, and what must have been seen at the end. docs/script.md is the manual of the language. */
#ifndef LWP_SCRIPT_SCENARIO_H
#define LWP_SCRIPT_SCENARIO_H

#include "mock_server/script/pattern.h"

enum script_action_group {
    SCRIPT_ANSWER,    /* Says something in the place of the normal answer. */
    SCRIPT_EFFECT,    /* Says what becomes of the normal answer. */
    SCRIPT_DAMAGE,    /* Changes bytes of the answer. */
    SCRIPT_TRANSPORT, /* Changes how the bytes travel. */
    SCRIPT_CLUSTER,   /* Changes nodes and leaders. */
    SCRIPT_FLOW       /* Changes clock, state and verdict. */
};

enum script_action_kind {
#define SCRIPT_ACTION(name, word, group, arguments, where) SCRIPT_ACTION_##name,
#include "mock_server/script/actions.def"
#undef SCRIPT_ACTION
    SCRIPT_ACTION_COUNT
};

/* Where a rule's actions may stand: what sets it off. */
enum {
    SCRIPT_AT_IN = 1,      /* A frame that came in. */
    SCRIPT_AT_OUT = 2,     /* A frame that is about to go out. */
    SCRIPT_AT_CONNECT = 4, /* A connection that was accepted. */
    SCRIPT_AT_TIME = 8     /* A time since the first accepted connection. */
};

/* In which form an answer is given. */
enum script_form {
    SCRIPT_FORM_DIALECT, /* As the connection's dialect says it. */
    SCRIPT_FORM_TEXT,    /* An ErrorResponse with a plain text. */
    SCRIPT_FORM_JSON,    /* An ErrorResponse with a document (12.1). */
    SCRIPT_FORM_FRAME    /* A control frame of its own (0x12). */
};

/* One action. Which members count depends on the kind. */
struct script_action {
    enum script_action_kind kind;
    struct script_place place;
    enum script_form form;
    uint64_t number;           /* An offset, a count, a rate in bytes a second, an error code. */
    uint64_t step;             /* catching-up: added to `number` each time. */
    uint64_t least_ns;         /* A duration, or the lower end of a range. */
    uint64_t most_ns;          /* The upper end. */
    bool has_number;           /* backpressure N, close … after N. */
    bool has_duration;         /* backpressure 200ms, rate-limited 100ms. */
    bool in_order;             /* delay … inorder: what follows waits as well. */
    bool fixes_checksum;       /* set … crc fix. */
    bool ok;                   /* auth-reply ok. */
    int64_t offset;            /* Of damage; negative from the frame's end. */
    struct lwp_bytes word;     /* A node, state or barrier; zero-terminated. */
    struct lwp_bytes topic;    /* leader TOPIC NODE: the topic's name. */
    bool has_text;             /* error CODE "text", redirect "addr". */
    struct lwp_bytes bytes;    /* A text, an address, raw bytes, an xor mask. */
    struct script_frame frame; /* reply, fetch-reply, topic-reply; set: its one field. */
    SCRIPT_LIST(size_t) sizes; /* chop; the last repeats, 0 is all the rest. */
    uint64_t gap_ns;           /* chop … gap 5ms: between the pieces. */
    enum script_end end;       /* close. */
    uint64_t then_after_ns; /* An answer that comes later than the one before it: then … after. */
    bool is_then;
};

enum script_happening { SCRIPT_ON_FRAME, SCRIPT_ON_CONNECT, SCRIPT_ON_CLOSE };

enum script_direction { SCRIPT_IN = 1, SCRIPT_OUT = 2, SCRIPT_ANY = 3 };

/* What a rule or an expectation is about. */
struct script_match {
    enum script_happening happening;
    enum script_direction direction; /* Seen from the mock. */
    uint64_t connection;             /* conn N, from 1 in order of acceptance; 0: any. */
    struct lwp_bytes label;          /* conn LABEL: a connection's tag; empty: any. */
    struct lwp_bytes node;           /* [A]; empty: any. */
    struct script_pattern pattern;   /* Of a frame. */
    struct script_place place;
};

/* How narrow a match is: the narrowest rule decides. */
enum script_scope {
    SCRIPT_SCOPE_CONNECTION,
    SCRIPT_SCOPE_TOPIC,
    SCRIPT_SCOPE_NODE,
    SCRIPT_SCOPE_CLUSTER
};

/* When a rule that matches is live. Zero is "not given". */
struct script_trigger {
    uint64_t nth;           /* The N-th match and, with `times`, those behind it. */
    uint64_t every;         /* Each N-th match. */
    uint64_t skip;          /* Not the first N matches. */
    uint64_t times;         /* At most so often. */
    struct lwp_bytes after; /* Only once the rule of this id has fired. */
    bool has_chance;
    uint32_t chance;         /* p=…, in units of 2^-32 (p=1 is not given as a chance). */
    struct lwp_bytes stream; /* p=… of STREAM: rules of one name share one stream of dice. */
};

struct script_rule {
    struct lwp_bytes id; /* `as NAME`, or FILE:LINE; zero-terminated. */
    bool is_named;
    enum script_scope scope;
    struct script_match match; /* Not for a rule at a time, but its node, connection and label. */
    bool is_timed;
    uint64_t at_ns; /* Since the first accepted connection. */
    struct script_trigger trigger;
    SCRIPT_LIST(struct script_action) actions;
    bool optional;          /* Need not fire. */
    struct lwp_bytes state; /* Live only in this state; empty: always. */
    struct script_place place;
};

enum script_expectation_kind {
    SCRIPT_EXPECT_COUNT, /* So many matches; `expect MATCH` is count >= 1. */
    SCRIPT_NEVER,
    SCRIPT_RATE /* At most so many per cent of the rate before the anchor. */
};

/* What the log must show at the end. */
struct script_expectation {
    enum script_expectation_kind kind;
    struct script_match match;
    enum script_relation relation;
    uint64_t number; /* The count, or the per cent of a rate. */
    uint64_t upper;  /* in [number,upper] */
    bool has_range;
    uint64_t least_ns; /* within: since the anchor, or the first accepted connection. */
    uint64_t most_ns;
    uint64_t window_ns; /* rate: how long before and behind the anchor is counted. */
    struct lwp_bytes
        after; /* The rule whose first firing is the anchor; a rate without one takes the
                               first Backpressure that went out. */
    bool optional;
    struct script_place place;
};

/* What misbehaviour and judgement consist of; a scenario and a case for clients have it. */
struct script_play {
    SCRIPT_LIST(struct script_rule) rules; /* In the order of the file. */
    SCRIPT_LIST(struct script_expectation) expectations;
    SCRIPT_LIST(struct lwp_bytes) states; /* The first is the one that it begins in. */
};

struct script_node {
    struct lwp_bytes name;               /* Zero-terminated. */
    SCRIPT_LIST(struct lwp_bytes) leads; /* Names of topics. */
    struct script_place place;
};

/* A topic that is there from the beginning. */
struct script_topic {
    struct lwp_bytes name;
    uint64_t id;            /* 0: the next free one. */
    struct lwp_bytes bytes; /* Its records as they stand in the log. */
    uint64_t record_count;
    struct script_place place;
};

struct script_scenario {
    struct lwp_bytes id; /* Empty for statements before the first scenario or case. */
    bool has_seed;
    uint64_t seed;
    const struct lwp_dialect *dialect; /* NULL: the mock's. */
    SCRIPT_LIST(struct lwp_bytes) needs;
    SCRIPT_LIST(struct script_node) nodes;
    SCRIPT_LIST(struct script_topic) topics;
    struct script_play play;
    struct script_place place;
};

/* One row of actions.def. */
struct script_action_row {
    const char *word;
    enum script_action_group group;
    unsigned where; /* Bits SCRIPT_AT_…. */
};

extern const struct script_action_row script_action_rows[SCRIPT_ACTION_COUNT];

#endif
