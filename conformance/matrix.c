/* SPDX-License-Identifier: MIT */
/* Mutants by cases: who killed whom, and which cases killed nobody. */
#include <fnmatch.h>

#include "conformance/proof.h"

const struct kept mutants_kept[] = {
#define KEPT(glob, why) {glob, why},
#include "conformance/kept.def"
#undef KEPT
    {NULL, NULL},
};

static const char *id_of(const struct proof *proof, size_t at)
{
    return (const char *)proof->mutants->cases->cases.items[at].id.data;
}

static void print_kills(const struct proof *proof, size_t mutant)
{
    FILE *out = proof->mutants->text;
    size_t count = 0;
    for (size_t at = 0; at < proof->case_count; at++)
        count += proof_kills(proof, mutant, at) != 0;
    (void)fprintf(out, "%s dies of %zu:", proof->mutants->items[mutant].row->name, count);
    for (size_t at = 0; at < proof->case_count; at++)
        if (proof_kills(proof, mutant, at))
            (void)fprintf(out, " %s", id_of(proof, at));
    (void)fputc('\n', out);
}

static size_t count_kills(const struct proof *proof, size_t at)
{
    size_t count = 0;
    for (size_t mutant = 0; mutant < proof->mutants->count; mutant++)
        count += proof_kills(proof, mutant, at) != 0;
    return count;
}

static bool is_kept(const struct kept *kept, const char *id)
{
    for (const struct kept *row = kept; row->glob; row++)
        if (fnmatch(row->glob, id, 0) == 0)
            return true;
    return false;
}

/* Says how many the case kills; whether that is well. */
static bool judge_case(const struct proof *proof, size_t at)
{
    const char *id = id_of(proof, at);
    const size_t count = count_kills(proof, at);
    const bool well = count || is_kept(proof->mutants->kept, id);
    (void)fprintf(proof->mutants->text, "%s kills %zu%s\n", id, count,
                  well ? "" : ": why is it there? (kept.def)");
    return well;
}

/* Whether the row still fits a case that kills nothing. */
static bool judge_kept(const struct proof *proof, const struct kept *row)
{
    for (size_t at = 0; at < proof->case_count; at++)
        if (fnmatch(row->glob, id_of(proof, at), 0) == 0 && count_kills(proof, at) == 0)
            return true;
    (void)fprintf(proof->mutants->text, "kept.def: %s fits no case that kills nothing (%s)\n",
                  row->glob, row->why);
    return false;
}

bool proof_print_matrix(const struct proof *proof)
{
    bool well = true;
    for (size_t mutant = 0; mutant < proof->mutants->count; mutant++)
        print_kills(proof, mutant);
    if (!proof->mutants->whole)
        return true;
    for (size_t at = 0; at < proof->case_count; at++)
        if (proof->mutants->cases->cases.items[at].role == SCRIPT_SERVER)
            well = judge_case(proof, at) && well;
    for (const struct kept *row = proof->mutants->kept; row->glob; row++)
        well = judge_kept(proof, row) && well;
    return well;
}
