/* SPDX-License-Identifier: MIT */
#include "conformance/mutants.h"

#include <string.h>

#include "conformance/catalogue.h"
#include "conformance/proof.h"
#include "conformance/requirements.h"

static bool is_of_mock(enum lwp_bug bug)
{
    return strcmp(lwp_bug_rows[bug].part, "mock") == 0;
}

static enum lwp_bug bug_named(const char *name)
{
    for (enum lwp_bug bug = LWP_BUG_NONE + 1; bug < LWP_BUG_COUNT; bug++)
        if (is_of_mock(bug) && strcmp(lwp_bug_rows[bug].name, name) == 0)
            return bug;
    return LWP_BUG_NONE;
}

static void choose(enum lwp_bug bug, struct mutant *chosen, size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        if (chosen[i].bug == bug)
            return;
    chosen[(*count)++] = (struct mutant){bug, &lwp_bug_rows[bug]};
}

const char *mutants_choose(const char *const *names, size_t name_count, struct mutant *chosen,
                           size_t *count)
{
    *count = 0;
    for (enum lwp_bug bug = LWP_BUG_NONE + 1; name_count == 0 && bug < LWP_BUG_COUNT; bug++)
        if (is_of_mock(bug))
            choose(bug, chosen, count);
    for (size_t i = 0; i < name_count; i++) {
        const enum lwp_bug bug = bug_named(names[i]);
        if (bug == LWP_BUG_NONE)
            return names[i];
        choose(bug, chosen, count);
    }
    return NULL;
}

/* What is wrong with the row, or NULL. */
static const char *row_problem(const struct script *cases, const struct lwp_bug_row *row)
{
    const size_t at = proof_case_of(cases, row->killer);
    const struct script_case *killer = at < cases->cases.count ? &cases->cases.items[at] : NULL;
    if (!requirement_of(lwp_bytes_text(row->requirement)))
        return "breaks a requirement that is not in the table";
    if (!killer)
        return "is to be killed by a case that does not exist";
    if (killer->role != SCRIPT_SERVER)
        return "is to be killed by a case that is not for servers";
    if (!catalogue_names(killer, row->requirement))
        return "is to be killed by a case that does not name its requirement";
    return NULL;
}

/* Whether a server can break it and be found out: it binds servers, and a case looks. */
static bool wants_mutant(const struct script *cases, const struct requirement *row)
{
    if (strcmp(row->level, "may") == 0 || strcmp(row->who, "client") == 0)
        return false;
    for (size_t i = 0; i < cases->cases.count; i++)
        if (cases->cases.items[i].role == SCRIPT_SERVER &&
            catalogue_names(&cases->cases.items[i], row->id))
            return true;
    return false;
}

static bool has_mutant(const struct mutants *mutants, const char *requirement)
{
    for (size_t i = 0; i < mutants->count; i++)
        if (strcmp(mutants->items[i].row->requirement, requirement) == 0)
            return true;
    return false;
}

static bool check_whole(const struct mutants *mutants)
{
    bool sound = true;
    const struct requirement *row = NULL;
    for (size_t i = 0; (row = requirement_at(i)) != NULL; i++) {
        if (!wants_mutant(mutants->cases, row) || has_mutant(mutants, row->id))
            continue;
        sound = false;
        (void)fprintf(mutants->text, "%s has no mutant\n", row->id);
    }
    return sound;
}

bool mutants_check(const struct mutants *mutants)
{
    bool sound = true;
    for (size_t i = 0; i < mutants->count; i++) {
        const struct lwp_bug_row *row = mutants->items[i].row;
        const char *problem = row_problem(mutants->cases, row);
        if (!problem)
            continue;
        sound = false;
        (void)fprintf(mutants->text, "%s %s: %s, %s\n", row->name, problem, row->requirement,
                      row->killer);
    }
    return (!mutants->whole || check_whole(mutants)) && sound;
}

static void print_mutant(const struct proof *proof, size_t i, unsigned dialects)
{
    FILE *out = proof->mutants->text;
    const struct lwp_bug_row *row = proof->mutants->items[i].row;
    (void)fprintf(out, "%-8s %s by %s", dialects ? "killed" : "SURVIVED", row->name, row->killer);
    if (dialects)
        (void)fputs(" in ", out);
    proof_print_dialects(out, dialects);
    (void)fputc('\n', out);
}

/* The kills as JSON, the sum first; all that is said is plain ASCII. */
static void write_mutant(const struct proof *proof, size_t i, unsigned dialects)
{
    FILE *out = proof->mutants->jsonl;
    const struct lwp_bug_row *row = proof->mutants->items[i].row;
    const char *separator = "";
    if (!out)
        return;
    (void)fprintf(
        out,
        "{\"event\":\"mutant\",\"schema_version\":%d,\"name\":\"%s\",\"requirement\":\"%s\","
        "\"killer\":\"%s\",\"killed\":%s,\"cases\":[",
        REPORT_SCHEMA_VERSION, row->name, row->requirement, row->killer,
        dialects ? "true" : "false");
    for (size_t at = 0; at < proof->case_count; at++) {
        if (!proof_kills(proof, i, at))
            continue;
        (void)fprintf(out, "%s\"%s\"", separator,
                      (const char *)proof->mutants->cases->cases.items[at].id.data);
        separator = ",";
    }
    (void)fputs("]}\n", out);
}

/* Whether each mutant was killed by the case beside it. */
static bool judge_killers(const struct proof *proof)
{
    const struct mutants *mutants = proof->mutants;
    size_t killed = 0;
    for (size_t i = 0; i < mutants->count; i++) {
        const size_t at = proof_case_of(mutants->cases, mutants->items[i].row->killer);
        const unsigned dialects = at < proof->case_count ? proof_kills(proof, i, at) : 0;
        killed += dialects != 0;
        print_mutant(proof, i, dialects);
        write_mutant(proof, i, dialects);
    }
    (void)fprintf(mutants->text, "mutants: %zu of %zu killed\n", killed, mutants->count);
    return killed == mutants->count;
}

enum suite_exit mutants_run(const struct mutants *mutants, bool matrix)
{
    struct proof proof;
    bool sound = mutants_check(mutants);
    if (proof_run(mutants, matrix, &proof) != LWP_OK)
        return SUITE_NOT_RUN;
    sound = proof_is_sound(&proof, mutants->text) && sound;
    if (matrix)
        sound = proof_print_matrix(&proof) && sound;
    sound = judge_killers(&proof) && sound;
    proof_done(&proof);
    return sound ? SUITE_AS_EXPECTED : SUITE_FAILED;
}
