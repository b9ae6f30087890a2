/* SPDX-License-Identifier: MIT */
#include "conformance/mutants.h"
#include "conformance/program.h"
#include "conformance/selftest.h"

static enum suite_exit judge_mock(struct program *program)
{
    enum suite_exit status = SUITE_AS_EXPECTED;
    for (size_t i = 0; lwp_dialects[i]; i++) {
        struct selftest_target target;
        if (program->arguments.dialect && program->arguments.dialect != lwp_dialects[i])
            continue;
        selftest_target_init(&target, lwp_dialects[i], program->prefix);
        target.suite.features &= ~program->arguments.without;
        status = suite_worse(status, program_run_suite(program, &target.suite, "selftest"));
        selftest_target_done(&target);
    }
    return status;
}

static enum suite_exit judge_mutants(struct program *program)
{
    struct mutant chosen[LWP_BUG_COUNT];
    const struct texts *names = &program->arguments.words;
    struct mutants mutants = {
        .cases = &program->catalogue.script,
        .items = chosen,
        .whole = names->count == 0,
        .kept = mutants_kept,
        .prefix = program->prefix,
        .text = program->report.text,
        .jsonl = program->report.jsonl,
    };
    const char *unknown = mutants_choose(names->items, names->count, chosen, &mutants.count);
    if (unknown)
        return (enum suite_exit)arguments_problem("no such mutant", unknown);
    if (lwp_bugs_compiled_in())
        return mutants_run(&mutants, program->arguments.matrix);
    (void)fprintf(stderr,
                  "lwp-conform: mutants are not compiled into this build (preset mutants)\n");
    return SUITE_NOT_RUN;
}

enum suite_exit command_selftest(struct program *program)
{
    const struct arguments *arguments = &program->arguments;
    const bool with_mutants = arguments->mutants || arguments->matrix;
    if (!with_mutants && arguments->words.count)
        return (enum suite_exit)arguments_problem("unexpected argument", arguments->words.items[0]);
    return program_judge(program, with_mutants ? judge_mutants : judge_mock);
}
