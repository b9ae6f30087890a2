/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/program.h"
#include "conformance/target.h"
#include "lwp/net/clock.h"

/* What has changed since the baseline, in the report for people. */
static void say_changes(struct program *program)
{
    FILE *text = program->report.outs[REPORT_TEXT].file;
    if (!program->baseline.path)
        return;
    baseline_end(&program->baseline, &program->catalogue.script);
    if (text)
        baseline_print(&program->baseline, text);
}

/* Connections of one job. */
struct job {
    struct lwp_tcp_world world;
    struct suite_target target;
};

static void job_init(struct job *job, const struct program *program,
                     const struct lwp_address *address)
{
    const struct arguments *arguments = &program->arguments;
    lwp_tcp_world_init(&job->world, address);
    job->target = (struct suite_target){
        .run = {.world = &job->world.world,
                .dialect = program_dialect(program),
                .auth_token = arguments->auth_token,
                .prefix = program->prefix,
                .time_factor = (unsigned)arguments->timeout_factor},
        .features = program_features(program),
        .profile = &program->profile,
        .epoch_ns = lwp_clock_wall() - lwp_clock_now(),
    };
}

static enum suite_exit run_jobs(struct program *program, struct target *target)
{
    struct suite_target *targets[SUITE_MAX_JOBS];
    char name[sizeof(target->address.host) + sizeof(target->address.port) + 4];
    const size_t count = (size_t)program->arguments.jobs;
    struct job *jobs = calloc(count, sizeof(*jobs));
    const char *given = program->arguments.words.count ? program->arguments.words.items[0] : name;
    (void)snprintf(name, sizeof(name), "%s:%s", target->address.host, target->address.port);
    for (size_t i = 0; jobs && i < count; i++) {
        job_init(&jobs[i], program, &target->address);
        targets[i] = &jobs[i].target;
    }
    const enum suite_exit status =
        jobs ? program_run_suite(program, targets, count, &target->host, given) : SUITE_NOT_RUN;
    if (!program->stuck)
        free(jobs);
    return status;
}

static enum suite_exit judge_server(struct program *program)
{
    const struct arguments *arguments = &program->arguments;
    const struct target_options options = {
        .command = arguments->target_cmd,
        .restart_command = arguments->restart_cmd,
        .max_memory = arguments->max_memory,
        .max_leaks = arguments->max_leaks,
        .time_factor = (unsigned)arguments->timeout_factor,
    };
    struct target target;
    /* One that does not come up fails the first sanity exchange, so that there is a report. */
    (void)target_init(&target, &options, &program->address);
    const enum suite_exit status = run_jobs(program, &target);
    target_end(&target);
    say_changes(program);
    return status;
}

/* What can not be seen in one option alone: -1 if all is right. */
static int check(struct program *program)
{
    const struct arguments *arguments = &program->arguments;
    const char *text = arguments->words.count ? arguments->words.items[0] : NULL;
    const char *command = arguments->target_cmd;
    program->address = (struct lwp_address){"127.0.0.1", "0"};
    if (text && lwp_address_parse(text, &program->address) != LWP_OK)
        return arguments_problem("not HOST:PORT", text);
    if (!text && (!command || !strstr(command, "{port}")))
        return arguments_problem("expected server HOST[:PORT], or --target-cmd with {port} in it",
                                 command);
    if (arguments->isolate && !command && !arguments->restart_cmd)
        return arguments_problem("--isolate needs --target-cmd or --restart-cmd", NULL);
    return -1;
}

enum suite_exit command_server(struct program *program)
{
    const struct arguments *arguments = &program->arguments;
    const int refused = check(program);
    if (refused >= 0)
        return (enum suite_exit)refused;
    const enum suite_exit status = program_judge(program, judge_server);
    if (arguments->update_expect && !expectations_rewrite(&program->expectations))
        return suite_worse(status, SUITE_NOT_RUN);
    return status;
}
