/* SPDX-License-Identifier: MIT */
/* proof.h - the verdicts of cases on the sound mock and on mutants, side by side. */
#ifndef LWP_CONFORM_PROOF_H
#define LWP_CONFORM_PROOF_H

#include "conformance/mutants.h"

struct proof {
    const struct mutants *mutants;
    size_t case_count;
    size_t dialect_count;
    uint8_t *verdicts; /* Of the sound mock in each dialect, then of each mutant in each. */
};

/** Runs each mutant against the case that is to kill it, or against all; the sound mock against the same
 * cases, or against all if the mutants are the whole table. LWP_OK, with what to free by proof_done(); LWP_NO_MEMORY. */
enum lwp_status proof_run(const struct mutants *mutants, bool all, struct proof *proof);
void proof_done(struct proof *proof);

/** The dialects, as bits by their order, in which the case passes with the sound mock, and fails, times
 * out or crashes with the mutant. A case that could not be set up has judged nothing. */
unsigned proof_kills(const struct proof *proof, size_t mutant, size_t at);

/** Whether the sound mock passes all cases in all dialects; what it does not is said on `out`. */
bool proof_is_sound(const struct proof *proof, FILE *out);

/** The names of the dialects, with commas between them. */
void proof_print_dialects(FILE *out, unsigned dialects);

/** The matrix: says which cases killed which mutant, and how many each. False if a case that kills
 * none is not among the kept, or a row of these fits none. */
bool proof_print_matrix(const struct proof *proof);

/** The place of the case of this id; the number of cases if there is none. */
size_t proof_case_of(const struct script *cases, const char *id);

#endif
