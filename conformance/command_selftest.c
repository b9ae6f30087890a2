/* SPDX-License-Identifier: MIT */
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
    if (program->arguments.filters.count == 0 && program->report.outs[REPORT_TEXT].file)
        status = suite_worse(status, selftest_mutants(&program->catalogue.script, program->prefix,
                                                      program->report.outs[REPORT_TEXT].file));
    return status;
}

enum suite_exit command_selftest(struct program *program)
{
    return program_judge(program, judge_mock);
}
