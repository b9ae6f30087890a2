/* SPDX-License-Identifier: MIT */
#include "conformance/proof.h"

#include <stdlib.h>
#include <unistd.h>

#include "conformance/trials.h"

static size_t count_dialects(void)
{
    size_t count = 0;
    while (lwp_dialects[count])
        count++;
    return count;
}

size_t proof_case_of(const struct script *cases, const char *id)
{
    size_t at = 0;
    while (at < cases->cases.count &&
           !lwp_bytes_equal(cases->cases.items[at].id, lwp_bytes_text(id)))
        at++;
    return at;
}

static size_t list_count(const struct proof *proof)
{
    return (proof->mutants->count + 1) * proof->dialect_count;
}

/* List 0 is the sound mock's. */
static uint8_t *verdicts_of(const struct proof *proof, size_t list, size_t dialect)
{
    return proof->verdicts + (list * proof->dialect_count + dialect) * proof->case_count;
}

static void plan(const struct proof *proof, bool all, struct trial *trials)
{
    const struct mutants *mutants = proof->mutants;
    for (size_t i = 0; i < list_count(proof); i++) {
        const size_t list = i / proof->dialect_count;
        const size_t dialect = i % proof->dialect_count;
        const struct mutant *mutant = list ? &mutants->items[list - 1] : NULL;
        trials[i] = (struct trial){
            .bug = mutant ? mutant->bug : LWP_BUG_NONE,
            .dialect = lwp_dialects[dialect],
            .end = proof->case_count,
            .verdicts = verdicts_of(proof, list, dialect),
        };
        if (!mutant || all)
            continue;
        trials[i].next = proof_case_of(mutants->cases, mutant->row->killer);
        if (trials[i].next < proof->case_count)
            trials[i].end = trials[i].next + 1;
    }
}

enum lwp_status proof_run(const struct mutants *mutants, bool all, struct proof *proof)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    *proof = (struct proof){
        .mutants = mutants,
        .case_count = mutants->cases->cases.count,
        .dialect_count = count_dialects(),
    };
    struct trial *trials = calloc(list_count(proof), sizeof(*trials));
    proof->verdicts = trials_memory(list_count(proof), proof->case_count);
    enum lwp_status status = LWP_NO_MEMORY;
    if (trials && proof->verdicts) {
        plan(proof, all, trials);
        status = trials_run(trials, list_count(proof), processors > 1 ? (size_t)processors : 1,
                            mutants->cases, mutants->prefix);
    }
    free(trials);
    if (status != LWP_OK)
        proof_done(proof);
    return status;
}

void proof_done(struct proof *proof)
{
    trials_memory_done(proof->verdicts, list_count(proof), proof->case_count);
    proof->verdicts = NULL;
}

static bool is_pass(uint8_t verdict)
{
    return verdict == VERDICT_PASS || verdict == VERDICT_LENIENT;
}

unsigned proof_kills(const struct proof *proof, size_t mutant, size_t at)
{
    unsigned dialects = 0;
    for (size_t i = 0; i < proof->dialect_count; i++) {
        const uint8_t verdict = verdicts_of(proof, mutant + 1, i)[at];
        const bool is_dead =
            verdict == VERDICT_FAIL || verdict == VERDICT_TIMEOUT || verdict == VERDICT_CRASH;
        if (is_dead && is_pass(verdicts_of(proof, 0, i)[at]))
            dialects |= 1U << i;
    }
    return dialects;
}

bool proof_is_sound(const struct proof *proof, FILE *out)
{
    const struct script *cases = proof->mutants->cases;
    bool sound = true;
    for (size_t i = 0; i < proof->dialect_count; i++) {
        for (size_t at = 0; at < proof->case_count; at++) {
            const uint8_t verdict = verdicts_of(proof, 0, i)[at];
            if (is_pass(verdict) || cases->cases.items[at].role != SCRIPT_SERVER)
                continue;
            sound = false;
            (void)fprintf(out, "the sound mock does not pass %s in %s: %s\n",
                          (const char *)cases->cases.items[at].id.data, lwp_dialects[i]->name,
                          verdict_word((enum verdict)verdict));
        }
    }
    return sound;
}

void proof_print_dialects(FILE *out, unsigned dialects)
{
    const char *separator = "";
    for (unsigned i = 0; lwp_dialects[i]; i++) {
        if (!(dialects & 1U << i))
            continue;
        (void)fprintf(out, "%s%s", separator, lwp_dialects[i]->name);
        separator = ", ";
    }
}
