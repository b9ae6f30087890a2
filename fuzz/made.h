/* SPDX-License-Identifier: MIT */
/* made.h - frames, payloads and records out of the tables and a few dice, for the mutator. */
#ifndef FUZZ_MADE_H
#define FUZZ_MADE_H

#include "lwp/wire/message.h"

/** A random number below `count`, which must not be 0; `*dice` is a state of lwp/wire/dice.h. */
size_t dice_below(uint64_t *dice, size_t count);

/** Whether one of `count` comes up. */
bool dice_one_in(uint64_t *dice, size_t count);

/** A number at which things change: 0, 43, 44, 255, 65536, the limits of the specification, all bits …,
 * or one beside such a number or `near`. */
uint64_t made_number(uint64_t *dice, uint64_t near);

/** Writes one record of any type (8.2), right or nearly so. */
void made_record(uint64_t *dice, struct lwp_writer *out);

/** Writes one to three records. */
void made_records(uint64_t *dice, struct lwp_writer *out);

/** Writes a payload for the command, from its row in commands.def. */
void made_message(uint64_t *dice, uint8_t command, struct lwp_writer *out);

/** A frame of any kind; its payload is written to `out`. Not sealed. `batch_id` is one that is in use. */
struct lwp_frame made_frame(uint64_t *dice, uint64_t batch_id, struct lwp_writer *out);

#endif
