/* SPDX-License-Identifier: MIT */
#include "conformance/features.h"
#include "conformance/program.h"
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

static enum suite_exit judge_server(struct program *program)
{
    const struct arguments *arguments = &program->arguments;
    const struct profile *profile = &program->profile;
    struct lwp_tcp_world world;
    lwp_tcp_world_init(&world, &program->address);
    unsigned features = features_by_default();
    const unsigned auth = feature_bit(feature_named(lwp_bytes_text("auth")));
    const unsigned open = feature_bit(feature_named(lwp_bytes_text("open")));
    if (arguments->auth_token)
        features = (features | auth) & ~open;
    struct suite_target target = {
        .run = {.world = &world.world,
                .dialect = program_dialect(program),
                .auth_token = arguments->auth_token,
                .prefix = program->prefix,
                .time_factor = (unsigned)arguments->timeout_factor},
        .features = profile_features(profile, features & ~arguments->without,
                                     arguments->auth_token != NULL),
        .profile = profile,
        .epoch_ns = lwp_clock_wall() - lwp_clock_now(),
    };
    const enum suite_exit status = program_run_suite(program, &target, arguments->words.items[0]);
    say_changes(program);
    return status;
}

enum suite_exit command_server(struct program *program)
{
    const struct arguments *arguments = &program->arguments;
    const char *text = arguments->words.items[0];
    if (lwp_address_parse(text, &program->address) != LWP_OK)
        return (enum suite_exit)arguments_problem("not HOST:PORT", text);
    if (arguments->baseline &&
        !baseline_read(&program->baseline, arguments->baseline, program_dialect(program)))
        return SUITE_USAGE;
    const enum suite_exit status = program_judge(program, judge_server);
    if (arguments->update_expect && !expectations_rewrite(&program->expectations))
        return suite_worse(status, SUITE_NOT_RUN);
    return status;
}
