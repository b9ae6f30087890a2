/* SPDX-License-Identifier: MIT */
/* play.h - inputs of fuzz_play: a script and what clients do to the mock that plays it. */
#ifndef FUZZ_PLAY_H
#define FUZZ_PLAY_H

#include "lwp/wire/dialect.h"

enum {
    PLAY_MAX_RULES = 8,
    PLAY_RULE_SIZE = 512, /* Bytes, here and below. */
    PLAY_TEXT_SIZE = 8192,
    PLAY_FRAME_SIZE = 16384
};

/* Bytes that decide, one after the other; behind the last all are 0. */
struct play_input {
    struct lwp_bytes bytes;
    size_t at;
};

/** The next byte; and a number below `count` from it, 0 if `count` is 0. */
uint8_t play_byte(struct play_input *input);
size_t play_pick(struct play_input *input, size_t count);

/* The script of one input. */
struct play_script {
    bool has_nodes;                             /* The mock is a cluster of A and B. */
    char begin[PLAY_RULE_SIZE];                 /* Topic and nodes, without a rule. */
    char rules[PLAY_MAX_RULES][PLAY_RULE_SIZE]; /* Each on its own; often it will load. */
    size_t rule_count;
    char whole[PLAY_TEXT_SIZE]; /* All in one, or a text as the input has it. */
};

/** Writes the script that the input decides on, from the rows of actions.def. */
void play_write_script(struct play_input *input, struct play_script *script);

/** The text of one of its rules as a script. */
void play_write_rule(const struct play_script *script, size_t index, char *text, size_t size);

/** Writes the frame of a client that the input decides on, now and then damaged or cut short. Returns how
 * often it is to be sent. `wire` has PLAY_FRAME_SIZE bytes of room. */
size_t play_write_frame(struct play_input *input, const struct lwp_dialect *dialect,
                        uint64_t batch_id, struct lwp_writer *wire);

/* What is to be seen of a run from outside. */
struct play_outcome {
    uint64_t bytes_digest;  /* Of what each client has read, and how that ended. */
    uint64_t events_digest; /* Of the log; 0 without one. */
    bool fired;             /* A rule did something. */
};

/** Runs the operations that follow in the input against a mock with the script, or with the beginning
 * of the script only, and asserts what must hold all the time. The input is left where it was. */
struct play_outcome play_run(const struct play_input *input, const struct play_script *script,
                             bool with_rules);

#endif
