/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "conformance/mutants.h"
#include "conformance/program.h"
#include "conformance/selftest.h"
#include "lwp/tools/interrupt.h"

/* Judges the mock in one dialect, in so many mocks side by side as there are jobs. */
static enum suite_exit judge_dialect(struct program *program, const struct lwp_dialect *dialect)
{
    struct suite_target *suites[SUITE_MAX_JOBS];
    const size_t count = (size_t)program->arguments.jobs;
    struct selftest_target *targets = calloc(count, sizeof(*targets));
    enum suite_exit status = SUITE_NOT_RUN;
    for (size_t i = 0; targets && i < count; i++) {
        selftest_target_init(&targets[i], dialect, program->prefix);
        targets[i].suite.features &= ~program->arguments.without;
        suites[i] = &targets[i].suite;
    }
    if (targets)
        status = program_run_suite(program, suites, count, NULL, "selftest");
    if (program->stuck)
        return status;
    for (size_t i = 0; targets && i < count; i++)
        selftest_target_done(&targets[i]);
    free(targets);
    return status;
}

static enum suite_exit judge_mock(struct program *program)
{
    enum suite_exit status = SUITE_AS_EXPECTED;
    for (size_t i = 0; lwp_dialects[i] && !program->stuck; i++)
        if (!program->arguments.dialect || program->arguments.dialect == lwp_dialects[i])
            status = suite_worse(status, judge_dialect(program, lwp_dialects[i]));
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
        .text = program->report.outs[REPORT_TEXT].file,
        .jsonl = program->report.outs[REPORT_JSONL].file,
    };
    const char *unknown = mutants_choose(names->items, names->count, chosen, &mutants.count);
    if (unknown)
        return (enum suite_exit)arguments_problem("no such mutant", unknown);
    if (lwp_bugs_compiled_in()) {
        /* An interrupt ends it at once, as ever, and its processes with it. */
        interrupt_close(program->interrupt);
        program->interrupt = -1;
        return mutants_run(&mutants, program->arguments.matrix);
    }
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
    if (arguments->target_cmd || arguments->restart_cmd || arguments->isolate)
        return (enum suite_exit)arguments_problem(
            "--target-cmd, --restart-cmd and --isolate are for server", NULL);
    return program_judge(program, with_mutants ? judge_mutants : judge_mock);
}
