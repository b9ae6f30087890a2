/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "conformance/program.h"
#include "conformance/selftest.h"

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
    if (program->arguments.filters.count == 0 && program->report.outs[REPORT_TEXT].file &&
        !program->stuck)
        status = suite_worse(status, selftest_mutants(&program->catalogue.script, program->prefix,
                                                      program->report.outs[REPORT_TEXT].file));
    return status;
}

enum suite_exit command_selftest(struct program *program)
{
    const struct arguments *arguments = &program->arguments;
    if (arguments->target_cmd || arguments->restart_cmd || arguments->isolate)
        return (enum suite_exit)arguments_problem(
            "--target-cmd, --restart-cmd and --isolate are for server", NULL);
    return program_judge(program, judge_mock);
}
