/* SPDX-License-Identifier: MIT */
/* stage.h - loaded scripts at work: which rules fire on what happens, and what becomes of the answer.
 * Decides and judges; the connection and the mock carry out. No I/O, no clock, no dice but its own. */
#ifndef LWP_MOCK_STAGE_H
#define LWP_MOCK_STAGE_H

#include "lwp/net/transport.h"
#include "mock_server/script/frames.h"
#include "mock_server/script/script.h"

struct lwp_stage;

/* A connection as scripts see it; it belongs to the connection. */
struct stage_peer {
    uint64_t number;        /* From 1, in order of acceptance. */
    struct lwp_bytes label; /* Its tag; empty: none. */
    struct lwp_bytes node;  /* The node that it leads to; empty where there is only one. */
    const struct lwp_dialect *dialect;
    uint64_t *drawn; /* How often the dice of each stream were thrown: dice_count numbers. */
    size_t dice_count;
};

enum {
    STAGE_MAX_DAMAGE = 64, /* Operations on one frame. */
    STAGE_MAX_ACTIONS = 64 /* Actions that one frame sets off. */
};

/* One operation on a frame. */
struct stage_damage {
    const struct script_action *action;
    uint64_t value; /* set FIELD=$v: what the variable stands for. */
};

/* What becomes of an answer on its way out. Begins with stage_fate_init(). Pointers lead into the loaded
 * script, see stage_reset(). */
struct stage_fate {
    bool set;   /* Any of the following is not zero. */
    bool drops; /* It is not sent at all. */
    bool holds; /* It waits for a release. */
    unsigned extra_copies;
    struct lwp_bytes await; /* It waits for this barrier; empty: for none. */
    uint64_t late_ns;       /* It is sent so much later; others may overtake it. */
    uint64_t in_order_ns;   /* The same, but what follows on the connection waits, too. */
    const struct script_action *reorder; /* It waits until so many are together. */
    const struct script_action *chop;
    const struct script_action *close; /* The connection ends in the middle of it, or behind it. */
    const struct script_rule *rule;    /* The last rule that had a hand in it. */
    unsigned damage_count;
    struct stage_damage damage[STAGE_MAX_DAMAGE];
};

/** Nothing in particular. */
void stage_fate_init(struct stage_fate *fate);

/* What the rules make of one frame. */
struct stage_decision {
    bool handles;                        /* The frame has its normal effect. */
    bool replies;                        /* Its normal answer is given. */
    const struct script_rule *answering; /* The rule whose answers are given; or NULL. */
    uint64_t turn;                       /* How often that rule had fired before. */
    struct stage_fate fate;              /* Of the answer, whichever is given. */
    const struct script_action *close;   /* The connection ends now: behind the answers of
                                            `answering`, if there is that rule. */
    const struct script_action *actions[STAGE_MAX_ACTIONS]; /* To be carried out at once, in order:
                                                               groups TRANSPORT, CLUSTER, FLOW; and
                                                               release. */
    const struct script_rule *rules[STAGE_MAX_ACTIONS];     /* Whose they are. */
    unsigned action_count;
    const struct script_rule *fired[STAGE_MAX_ACTIONS]; /* All rules that had a part in it. */
    unsigned fired_count;
};

/** Whether this answer can go together with the normal one: backpressure, keepalive. */
bool stage_is_interim(enum script_action_kind kind);

/** No scripts yet. `seed` is that of scripts that do not give one. LWP_OK or LWP_NO_MEMORY. */
enum lwp_status stage_new(uint64_t seed, struct lwp_stage **stage);

/** Frees the stage and all scripts; NULL is fine. */
void stage_free(struct lwp_stage *stage);

/* How a script is to be loaded. */
struct stage_load {
    const char *name; /* Of the file, for places; copied. */
    struct lwp_bytes text;
    const char *scenario; /* Which scenario of the file; NULL: the only one that it has. */
    const struct lwp_dialect *dialect; /* The mock's, against which the rules are checked. */
};

/**
 * Loads a script and arms its rules, behind those that are there.
 *
 * LWP_OK, with the scenario in `*scenario`, which lives until it is unloaded; LWP_INVALID_PAYLOAD with
 * all that is wrong written to `problems`, a line each, and nothing loaded; LWP_PAYLOAD_TOO_LARGE;
 * LWP_FULL past 64 scripts; LWP_NO_MEMORY.
 */
enum lwp_status stage_load(struct lwp_stage *stage, const struct stage_load *load,
                           struct lwp_writer *problems, const struct script_scenario **scenario);

/** Unloads the script that was loaded last, of which nothing has been used yet. */
void stage_unload_last(struct lwp_stage *stage);

/** Unloads all scripts and forgets verdicts. Whoever holds a fate or a decision must drop it first. */
void stage_reset(struct lwp_stage *stage);

/** Whether any rule or expectation is there at all: ask before anything else. NULL: false. */
bool stage_is_set(const struct lwp_stage *stage);

/** Arms or disarms a scenario, or one rule by its name. LWP_OK, or LWP_INVALID_ARGUMENT for a name that
 * nobody has. */
enum lwp_status stage_arm(struct lwp_stage *stage, struct lwp_bytes name, bool armed);

/** Writes a line for every rule: name, place, armed or not, how often it matched and fired. */
void stage_list(const struct lwp_stage *stage, struct lwp_writer *out);

/** Whether a barrier of this name was reached, or a rule of this name has fired. */
bool stage_reached(const struct lwp_stage *stage, struct lwp_bytes name);

/** Whether any script has a barrier or a rule of this name. */
bool stage_knows(const struct lwp_stage *stage, struct lwp_bytes name);

/** Counts whatever somebody may wait for: a rule that fired for the first time, a barrier that was reached. */
uint64_t stage_progress(const struct lwp_stage *stage);

/** Marks a barrier as reached, in all scenarios. */
void stage_reach(struct lwp_stage *stage, struct lwp_bytes name);

/**
 * Decides about a frame that came in, or is to go out, and notes it for the expectations. Returns
 * whether a rule fired; only then `decision` is written.
 */
bool stage_frame_in(struct lwp_stage *stage, struct stage_peer *peer, const struct lwp_frame *frame,
                    uint64_t now_ns, struct stage_decision *decision);
bool stage_frame_out(struct lwp_stage *stage, struct stage_peer *peer,
                     const struct lwp_frame *frame, uint64_t now_ns,
                     struct stage_decision *decision);

/** The same for a connection that was accepted; of the decision only the actions and the answering
 * rule count. */
bool stage_connected(struct lwp_stage *stage, struct stage_peer *peer, uint64_t now_ns,
                     struct stage_decision *decision);

/** Lets times count from now on, unless they do so already. */
void stage_begin(struct lwp_stage *stage, uint64_t now_ns);

/** Notes for the expectations that a direction of a connection, or all of it, has ended: by the peer
 * (SCRIPT_IN) or by the mock (SCRIPT_OUT). */
void stage_closed(struct lwp_stage *stage, struct stage_peer *peer, enum script_direction by,
                  enum lwp_close how, uint64_t now_ns);

/** When the next rule at a time is due, or LWP_NEVER. */
uint64_t stage_deadline(const struct lwp_stage *stage);

/** The next rule whose time has come, once; NULL: none is due now. */
const struct script_rule *stage_due(struct lwp_stage *stage, uint64_t now_ns);

/** Whether a rule at a time is about this connection. */
bool stage_concerns(const struct script_rule *rule, const struct stage_peer *peer);

/** Carries out what concerns the script itself: goto, barrier, fail, pass. Others are ignored. */
void stage_perform(struct lwp_stage *stage, const struct script_rule *rule,
                   const struct script_action *action);

/** What the frame that set the rule off has bound, to build its answers with; NULL once it is gone. */
struct script_variables *stage_variables(struct lwp_stage *stage, const struct script_rule *rule);

/** The id of the rule that the action is of; empty for none. */
struct lwp_bytes stage_rule_id(const struct lwp_stage *stage, const struct script_action *action);

/** The id of the scenario that the rule is of; empty for none. */
struct lwp_bytes stage_scenario_id(const struct lwp_stage *stage, const struct script_rule *rule);

/** Whether a `fail` or a broken `never` has decided the run already; or a `pass` has ended it. */
bool stage_has_failed(const struct lwp_stage *stage);
bool stage_has_passed(const struct lwp_stage *stage);

/**
 * Judges all that was seen so far, as at the end: writes a line for each rule that never fired, each
 * expectation that does not hold and each `fail`. Whether there was none. Changes nothing.
 */
bool stage_verdict(const struct lwp_stage *stage, struct lwp_writer *out);

#endif
