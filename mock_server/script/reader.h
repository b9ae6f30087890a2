/* SPDX-License-Identifier: MIT */
/* reader.h - what the parts of the parser share: the tokens, the block under way, and the errors. */
#ifndef LWP_SCRIPT_READER_H
#define LWP_SCRIPT_READER_H

#include "mock_server/script/lexer.h"

enum {
    READER_MAX_BODY_SIZE = 33554432, /* Bytes of one records=… or fill=…. */
    READER_MAX_RULES = 4096,         /* Rules and expectations of a file. */
    READER_MAX_ACTIONS = 64,         /* Of a rule. */
    READER_MAX_NODES = 64,
    READER_MAX_TOPICS = 256,
    READER_MAX_NAMES = 256, /* States of a scenario; barriers. */
    READER_MAX_SCENARIOS = 1024,
    READER_MAX_CASES = 8192
};

/* Ten minutes: what a script waits for at most. */
#define READER_MAX_WAIT_NS (600 * UINT64_C(1000000000))

/* A name that something in the block must have. */
enum reader_reference_kind {
    REFERENCE_NODE,
    REFERENCE_TOPIC,
    REFERENCE_STATE,
    REFERENCE_RULE,
    REFERENCE_BARRIER,
    REFERENCE_HOLD,   /* Some rule holds frames back; the name is the action's word. */
    REFERENCE_CLUSTER /* There are nodes; the name is the action's word. */
};

struct reader_reference {
    enum reader_reference_kind kind;
    struct lwp_bytes name;
    struct script_place place;
};

struct reader {
    struct script *script;
    const struct token *token;   /* The next one. */
    bool failed;                 /* The statement under way is broken: its rest is passed. */
    bool in_pattern;             /* Fields are compared, not set. */
    bool bound_now;              /* The last value was a variable's first use. */
    struct script_case *in_case; /* The case under way, or NULL. */
    struct script_scenario *in_scenario;             /* The scenario under way, or NULL. */
    struct script_play *play;                        /* Its rules; NULL in a case for servers. */
    struct lwp_bytes state;                          /* What the rules that follow are live in. */
    size_t rule_count;                               /* In this file. */
    SCRIPT_LIST(struct reader_reference) references; /* Of this block. */
    SCRIPT_LIST(struct lwp_bytes) barriers;          /* Of this block. */
    bool has_hold;                                   /* A rule of this block holds frames back. */
    SCRIPT_LIST(struct lwp_bytes) variables;         /* Bound so far in this block. */
    unsigned connections;                            /* Bits of those that are open; 1 is c1. */
    bool fence_owed; /* The last expect had `nothing`: a fence must follow. */
    struct script_place owed_at;
};

/** Whether the next token is this word or sign. */
bool reader_is(const struct reader *reader, const char *text);

/** Passes over the next token if it is this word or sign; whether it was. */
bool reader_take(struct reader *reader, const char *text);

/** Passes over the next token and returns it. */
const struct token *reader_next(struct reader *reader);

/** Notes that something else than the token was expected, once a statement. */
void reader_error(struct reader *reader, const struct token *found, const char *expected);

/** Notes an error about what has been read before: `found` stands at `place`. */
void reader_note(struct reader *reader, struct script_place place, struct lwp_bytes found,
                 const char *expected);

/* The known word that is nearest to one that is not known. */
struct hint {
    struct lwp_bytes word; /* Empty: there are errors enough, and no hint is looked for. */
    const char *nearest;
    size_t distance; /* Letters that differ. */
};

/** The beginning of a search for the word that was meant by `found`. */
struct hint reader_hint(const struct reader *reader, const struct token *found);

/** Takes the word for what was meant if none before it was as near. It outlives the hint. */
void hint_offer(struct hint *hint, const char *word);

/** As reader_error(), with the nearest word named. */
void reader_unknown(struct reader *reader, const struct token *found, const char *expected,
                    const struct hint *hint);

/** Insists on this sign or word. */
void reader_insist(struct reader *reader, const char *sign);

/** The token's text, zero-terminated in the arena. */
struct lwp_bytes reader_text(struct reader *reader, const struct token *token);

/** Reads a word, or a string in its place, zero-terminated in the arena; `expected` is what is told
 * otherwise. */
struct lwp_bytes reader_name(struct reader *reader, const char *expected);

/** Whether the list has the name. */
bool reader_has(const struct lwp_bytes *items, size_t count, struct lwp_bytes name);

/** Whether the variable is bound; and binding it. The name is without its $. */
bool reader_is_bound(const struct reader *reader, struct lwp_bytes name);
void reader_bind(struct reader *reader, struct lwp_bytes name);

/** Notes that something in this block must have the name, which stands at `at`. */
void reader_refer(struct reader *reader, enum reader_reference_kind kind, struct lwp_bytes name,
                  const struct token *at);

/** Reads a number of at most `most`; `expected` is what is told otherwise. */
uint64_t reader_number(struct reader *reader, uint64_t most, const char *expected);

/** Reads a duration of ten minutes at most. */
uint64_t reader_duration(struct reader *reader);

/** Reads DURATION or DURATION~DURATION; whether it was the second. Of the first `*least_ns` is left
 * alone. */
bool reader_range(struct reader *reader, uint64_t *least_ns, uint64_t *most_ns);

/** In records.c: reads what stands behind records=; writes `count` generated records of a topic. */
void reader_records(struct reader *reader, struct script_frame *frame);
void reader_generate(struct reader *reader, struct script_topic *topic, uint64_t count);

/* In values.c and frames.c: "text" or hex(…); = != < … or in; a value; the fields of a frame; one
 * field, whose name has been read; a frame with its kind. */
struct lwp_bytes reader_bytes(struct reader *reader);
enum script_relation reader_relation(struct reader *reader);
struct script_value reader_value(struct reader *reader);
void reader_assignments(struct reader *reader, struct script_frame *frame);
void reader_field(struct reader *reader, struct script_frame *frame, const struct token *word);
void reader_frame(struct reader *reader, struct script_frame *frame);

/* In steps.c: what stands behind the word of a step, which is at `at`. */
void reader_given(struct reader *reader, const struct token *at);
void reader_connect(struct reader *reader, const struct token *at);
void reader_send(struct reader *reader, const struct token *at);
void reader_send_raw(struct reader *reader, const struct token *at);
void reader_expect(struct reader *reader, const struct token *at);
void reader_any_order(struct reader *reader, const struct token *at);
void reader_fence(struct reader *reader, const struct token *at);
void reader_silent(struct reader *reader, const struct token *at);
void reader_close(struct reader *reader, const struct token *at);
struct script_step *reader_step(struct reader *reader, enum script_step_kind kind,
                                const struct token *at);
void reader_close_pattern(struct reader *reader, struct script_pattern *pattern);

/** Reads fin, rst or half, if one of them is there. */
void reader_end(struct reader *reader, enum script_end *end);

/* In scenario.c: what sets a scenario up. */
void reader_scenario(struct reader *reader, const struct token *at);
void reader_bare_scenario(struct reader *reader, const struct token *at);
void reader_seed(struct reader *reader, const struct token *at);
void reader_dialect(struct reader *reader, const struct token *at);
void reader_node(struct reader *reader, const struct token *at);
void reader_topic(struct reader *reader, const struct token *at);
void reader_state(struct reader *reader, const struct token *at);

/* In rules.c: what a rule or an expectation waits for; the rules. */
void reader_match(struct reader *reader, struct script_match *match);
enum script_scope reader_scope(const struct script_match *match);
void reader_on(struct reader *reader, const struct token *at);
void reader_at(struct reader *reader, const struct token *at);

/** In actions.c: reads actions up to the last one's end. `where` has the bits SCRIPT_AT_… of what
 * sets the rule off. */
void reader_actions(struct reader *reader, struct script_rule *rule, unsigned where);

/** In arguments.c: reads what the action's row in actions.def says. */
void reader_arguments(struct reader *reader, struct script_action *action);

/* In expectations.c: what the log must show, and what a client is told and says. */
void reader_expect_seen(struct reader *reader, const struct token *at);
void reader_never(struct reader *reader, const struct token *at);
void reader_rate(struct reader *reader, const struct token *at);
void reader_run(struct reader *reader, const struct token *at);

/** In check.c: checks the block that ends here, as a whole. */
void reader_check_block(struct reader *reader);

/** In hidden.c: notes the rules whose answer another rule always gives. */
void reader_check_hidden(struct reader *reader);

#endif
