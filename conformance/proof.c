/* SPDX-License-Identifier: MIT */
#include "conformance/proof.h"

#include <stdlib.h>
#include <unistd.h>

#include "conformance/workers.h"

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

/* Workers that are planned. */
struct plan {
    struct worker *workers;
    size_t count;
};

/* In each dialect, with the cases from `first` to the one before `end`. */
static void add(struct plan *plan, const struct proof *proof, size_t list, size_t first, size_t end)
{
    for (size_t i = 0; i < proof->dialect_count; i++)
        plan->workers[plan->count++] = (struct worker){
            .bug = list ? proof->mutants->items[list - 1].bug : LWP_BUG_NONE,
            .dialect = lwp_dialects[i],
            .next = first,
            .end = end,
            .verdicts = verdicts_of(proof, list, i),
        };
}

static void make_plan(struct plan *plan, const struct proof *proof, bool all)
{
    const struct mutants *mutants = proof->mutants;
    const bool all_sound = all || mutants->whole;
    if (all_sound)
        add(plan, proof, 0, 0, proof->case_count);
    for (size_t i = 0; i < mutants->count; i++) {
        const size_t killer = proof_case_of(mutants->cases, mutants->items[i].row->killer);
        const size_t end = killer < proof->case_count ? killer + 1 : killer;
        add(plan, proof, i + 1, all ? 0 : killer, all ? proof->case_count : end);
        if (!all_sound)
            add(plan, proof, 0, killer, end);
    }
}

enum lwp_status proof_run(const struct mutants *mutants, bool all, struct proof *proof)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    const size_t jobs = processors > 1 ? (size_t)processors : 1;
    *proof = (struct proof){
        .mutants = mutants,
        .case_count = mutants->cases->cases.count,
        .dialect_count = count_dialects(),
    };
    struct plan plan = {.workers = calloc(2 * list_count(proof), sizeof(*plan.workers))};
    proof->verdicts = workers_memory(list_count(proof), proof->case_count);
    enum lwp_status status = LWP_NO_MEMORY;
    if (plan.workers && proof->verdicts) {
        make_plan(&plan, proof, all);
        status = workers_run(plan.workers, plan.count, jobs, mutants->cases, mutants->prefix);
    }
    free(plan.workers);
    if (status != LWP_OK)
        proof_done(proof);
    return status;
}

void proof_done(struct proof *proof)
{
    workers_memory_done(proof->verdicts, list_count(proof), proof->case_count);
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
            if (is_pass(verdict) || verdict == VERDICT_SKIP)
                continue; /* Skipped is what was not to be run. */
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
