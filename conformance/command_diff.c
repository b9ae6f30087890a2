/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "conformance/diff.h"
#include "conformance/features.h"
#include "conformance/program.h"

/* A server that is compared. */
struct side {
    const char *name; /* HOST:PORT, as it was given. */
    struct lwp_tcp_world world;
    struct run_options run;
    uint64_t keeper;
};

struct comparison {
    struct program *program;
    struct side sides[DIFF_SIDES];
    const struct script_case *of;
    size_t compared;
    size_t skipped;
    size_t unable;    /* Cases that neither server let run. */
    size_t differing; /* Cases. */
    size_t differences;
};

static bool init_side(struct comparison *comparison, int index)
{
    const struct program *program = comparison->program;
    const struct arguments *arguments = &program->arguments;
    struct side *side = &comparison->sides[index];
    struct lwp_address address;
    side->name = arguments->words.items[index];
    if (lwp_address_parse(side->name, &address) != LWP_OK)
        return arguments_problem("not HOST:PORT", side->name) == 0;
    lwp_tcp_world_init(&side->world, &address);
    side->run = (struct run_options){
        .world = &side->world.world,
        .dialect =
            index && arguments->other_dialect ? arguments->other_dialect : program_dialect(program),
        .auth_token = arguments->auth_token,
        .prefix = program->prefix,
        .time_factor = (unsigned)arguments->timeout_factor,
    };
    return true;
}

/* Whether the server answers; says so if it does not. */
static bool is_there(const struct side *side, const char *since)
{
    const enum lwp_status status = run_sanity(&side->run);
    if (status != LWP_OK)
        (void)fprintf(stderr, "lwp-conform: %s: the sanity exchange failed: %s%s%s\n", side->name,
                      lwp_status_text(status), since ? ", after " : "", since ? since : "");
    return status == LWP_OK;
}

static void print_repeat(const struct comparison *comparison)
{
    const struct arguments *arguments = &comparison->program->arguments;
    (void)printf("  repeat   lwp-conform diff");
    for (int side = 0; side < DIFF_SIDES; side++)
        program_put_word(stdout, comparison->sides[side].name);
    (void)printf(" --dialect %s --other-dialect %s --seed %llu",
                 comparison->sides[0].run.dialect->name, comparison->sides[1].run.dialect->name,
                 (unsigned long long)arguments->seed);
    program_put_again(stdout, arguments);
    (void)printf(" --filter %s\n", (const char *)comparison->of->id.data);
}

static void print_difference(void *context, const struct difference *difference)
{
    struct comparison *comparison = context;
    (void)printf("%s c%u", (const char *)comparison->of->id.data, difference->connection);
    if (difference->frame)
        (void)printf(" frame %u", difference->frame);
    if (difference->field[0])
        (void)printf(": %s: %s | %s", difference->field, difference->value[0],
                     difference->value[1]);
    (void)printf("\n  first    %s\n  second   %s\n", difference->line[0], difference->line[1]);
    print_repeat(comparison);
}

static void print_unable(const struct comparison *comparison, const struct result *results)
{
    (void)printf("%s could not be run\n", (const char *)comparison->of->id.data);
    for (int side = 0; side < DIFF_SIDES; side++)
        (void)printf("  %s  %s: %s\n", side ? "second " : "first  ",
                     verdict_word(results[side].verdict), results[side].reason);
    print_repeat(comparison);
}

static void compare(struct comparison *comparison, struct result results[DIFF_SIDES])
{
    struct diff_side sides[DIFF_SIDES];
    int unable = 0;
    for (int side = 0; side < DIFF_SIDES; side++) {
        sides[side] = (struct diff_side){&results[side], comparison->sides[side].run.dialect};
        unable += results[side].verdict == VERDICT_ERROR;
    }
    if (unable == DIFF_SIDES) {
        comparison->unable++;
        print_unable(comparison, results);
        return;
    }
    comparison->compared++;
    const size_t count =
        diff_results(sides, comparison->program->prefix, print_difference, comparison);
    if (count == 0 && unable)
        print_unable(comparison, results);
    comparison->differing += count != 0 || unable;
    comparison->differences += count + (count == 0 && unable);
}

/* Runs the case on both; false if one of them is not there any more. */
static bool run_both(struct comparison *comparison, unsigned ordinal)
{
    struct script_arena arenas[DIFF_SIDES] = {{NULL, 0, false}};
    struct result results[DIFF_SIDES];
    bool alive = true;
    for (int side = 0; side < DIFF_SIDES; side++)
        run_case(&comparison->sides[side].run, comparison->of, ordinal, &arenas[side],
                 &results[side]);
    compare(comparison, results);
    for (int side = 0; side < DIFF_SIDES; side++) {
        alive = is_there(&comparison->sides[side], (const char *)comparison->of->id.data) && alive;
        script_arena_done(&arenas[side]);
    }
    return alive;
}

/* False if a server went away. */
static bool run_cases(struct comparison *comparison)
{
    const struct program *program = comparison->program;
    const struct script *cases = program->suite.cases;
    const unsigned features = program_features(program);
    for (unsigned i = 0; i < cases->cases.count; i++) {
        char reason[RESULT_TEXT_SIZE];
        comparison->of = &cases->cases.items[i];
        if (!suite_wants(&program->suite, comparison->of))
            continue;
        if (!profile_allows(&program->profile, features, comparison->of, reason)) {
            comparison->skipped++;
            continue;
        }
        if (!run_both(comparison, i + 1))
            return false;
    }
    return true;
}

static enum suite_exit exit_of(const struct comparison *comparison, bool alive)
{
    enum suite_exit status = SUITE_AS_EXPECTED;
    if (comparison->differences || !alive)
        status = suite_worse(status, SUITE_FAILED);
    if (comparison->unable || fflush(stdout) != 0)
        status = suite_worse(status, SUITE_NOT_RUN);
    if (comparison->compared < comparison->program->suite.min_cases)
        status = suite_worse(status, SUITE_TOO_FEW);
    return status;
}

static enum suite_exit compare_servers(struct comparison *comparison)
{
    const unsigned topics = feature_bit(feature_named(lwp_bytes_text("topics")));
    const bool has_topics = program_features(comparison->program) & topics;
    for (int side = 0; has_topics && side < DIFF_SIDES; side++)
        comparison->sides[side].keeper = run_make_keeper(&comparison->sides[side].run);
    const bool alive = run_cases(comparison);
    for (int side = 0; alive && side < DIFF_SIDES; side++)
        if (comparison->sides[side].keeper)
            run_delete_keeper(&comparison->sides[side].run, comparison->sides[side].keeper);
    (void)printf(
        "%zu cases compared, %zu skipped, %zu could not be run: %zu differ, in %zu places\n",
        comparison->compared, comparison->skipped, comparison->unable, comparison->differing,
        comparison->differences);
    return exit_of(comparison, alive);
}

enum suite_exit command_diff(struct program *program)
{
    struct comparison *comparison = calloc(1, sizeof(*comparison));
    enum suite_exit status = SUITE_NOT_RUN;
    if (!comparison)
        return status;
    comparison->program = program;
    if (!init_side(comparison, 0) || !init_side(comparison, 1))
        status = SUITE_USAGE;
    else if (is_there(&comparison->sides[0], NULL) && is_there(&comparison->sides[1], NULL))
        status = compare_servers(comparison);
    free(comparison);
    return status;
}
