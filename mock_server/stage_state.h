/* SPDX-License-Identifier: MIT */
/* stage_state.h - the stage's insides, shared by stage*.c and nobody else. */
#ifndef LWP_MOCK_STAGE_STATE_H
#define LWP_MOCK_STAGE_STATE_H

#include "mock_server/stage.h"

/* What the last frame that matched has bound. */
struct stage_names {
    struct script_arena memory;
    struct script_variables variables;
};

/* A rule at work. */
struct stage_rule {
    const struct script_rule *rule;
    struct stage_play *play;
    bool armed;
    uint64_t matched; /* How many frames it was about. */
    uint64_t fired;   /* How often it did something; a span counts once. */
    uint64_t first_fired_ns;
    uint64_t first_sight;   /* When it first fired, by the stage's count of what was seen. */
    bool in_span;           /* The last match fired for one of these two: */
    uint64_t span_left;     /* backpressure N: so many more matches fire. */
    uint64_t span_until_ns; /* backpressure 200ms: all matches before this fire. */
    size_t stream;          /* Its dice, an index into the stage's streams. */
    struct stage_names names;
};

/* An expectation at work. */
struct stage_watch {
    const struct script_expectation *expectation;
    uint64_t count;
    uint64_t first_ns;  /* Of the first match that counts. */
    uint64_t *times_ns; /* rate: when matches were seen. */
    size_t time_count;
    size_t time_capacity;
    bool lost_times; /* There were too many to keep. */
    struct stage_names names;
};

/* What can be seen of a match without looking at it. All sieves of a scenario lie together, so that
 * matches which are about something else cost next to nothing, however many they are. */
struct stage_sieve {
    uint32_t sights; /* A bit for each kind of frame in each direction that it can be about, for the
                        beginning of connections and for their end. */
    bool has_condition;
    struct script_condition condition; /* One that it has on the header. */
};

/* A loaded scenario. */
struct stage_play {
    char *name; /* The file's. */
    struct script script;
    const struct script_scenario *scenario;
    struct stage_rule *rules;
    size_t rule_count;
    struct stage_watch *watches;
    size_t watch_count;
    struct stage_sieve *sieves; /* Of the rules, then of the expectations. */
    bool is_timed;              /* There are rules at a time. */
    struct lwp_bytes state;
    struct script_arena memory; /* Of the barriers and failures. */
    SCRIPT_LIST(struct lwp_bytes) barriers;
    SCRIPT_LIST(struct lwp_bytes) failures;
    bool passed;
    uint64_t seed;
    struct stage_play *next;
};

/* One sequence of dice: of a rule, or of all rules that name it. */
struct stage_stream {
    uint64_t key;
    struct lwp_bytes name; /* Empty: of a rule alone. */
    const struct stage_play *play;
};

struct lwp_stage {
    uint64_t seed;
    uint64_t progress; /* Rules that have fired and barriers that were reached. */
    struct stage_play *plays;
    size_t play_count;
    struct stage_stream *streams;
    size_t stream_count;
    uint64_t sights;    /* How many things were seen: frames, connections and their ends. */
    bool begun;         /* A connection was accepted, */
    uint64_t begin_ns;  /* and then. */
    bool has_anchor;    /* A Backpressure went out, */
    uint64_t anchor_ns; /* and then, for the first time. */
};

/* Something that happened, as matches see it. */
struct stage_sight {
    const struct stage_peer *peer;
    enum script_happening happening;
    enum script_direction direction;
    enum lwp_close how; /* Of a close: FIN or RST. */
    const struct lwp_frame *frame;
    enum lwp_kind kind;
    int command;
    uint64_t now_ns;
};

/* In stage.c. */

/** Lets the play fail for this reason, a view that lives as long as it. */
void stage_fail(struct stage_play *play, struct lwp_bytes text);

/* In stage_match.c. */

/** The sieve of a match. */
struct stage_sieve stage_sieve_of(const struct script_match *match);

/** False if the match can not be about what was seen. */
bool stage_passes(const struct stage_sieve *sieve, const struct stage_sight *sight);

/** Whether the match is about what was seen; binds its variables anew. */
bool stage_matches(const struct script_match *match, const struct stage_sight *sight,
                   struct stage_names *names);

/** Whether the rule is live now, having matched; counts the match and throws its dice. */
bool stage_is_live(struct lwp_stage *stage, struct stage_rule *rule, struct stage_peer *peer,
                   uint64_t now_ns);

/** Notes that the rule fired. */
void stage_fired(struct lwp_stage *stage, struct stage_rule *rule, uint64_t now_ns);

/** Whether the rule has fired before what is seen now, which may be what it fires on. */
bool stage_fired_before(const struct lwp_stage *stage, const struct stage_rule *rule);

/** The play's rule of this name, or NULL. */
struct stage_rule *stage_rule_named(const struct stage_play *play, struct lwp_bytes name);

/** A number that nobody can foresee but who knows the seed: of the peer's connection and the stream. */
uint64_t stage_throw(const struct lwp_stage *stage, struct stage_peer *peer, size_t stream);

/* In stage_judge.c. */

/** Lets all expectations see it. */
void stage_watch_all(struct lwp_stage *stage, const struct stage_sight *sight);

/** Writes what is wrong with the play; whether nothing is. */
bool stage_judge(const struct lwp_stage *stage, const struct stage_play *play,
                 struct lwp_writer *out);

#endif
