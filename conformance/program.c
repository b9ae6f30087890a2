/* SPDX-License-Identifier: MIT */
#include "conformance/program.h"

#include <stdlib.h>
#include <string.h>

#include "conformance/features.h"

void program_put_word(FILE *out, const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:[]";
    (void)fputc(' ', out);
    if (*word && word[strspn(word, plain)] == '\0') {
        (void)fputs(word, out);
        return;
    }
    (void)fputc('\'', out);
    for (; *word; word++)
        (void)fputs(*word == '\'' ? "'\\''" : (const char[]){*word, '\0'}, out);
    (void)fputc('\'', out);
}

void program_put_again(FILE *out, const struct arguments *arguments)
{
    for (size_t i = 0; i < arguments->again_count; i++) {
        (void)fprintf(out, " --%s", arguments->again[i].name);
        /* Reports are read by others. */
        if (strcmp(arguments->again[i].name, "auth-token") == 0)
            (void)fputs(" \"$TOKEN\"", out);
        else if (arguments->again[i].value)
            program_put_word(out, arguments->again[i].value);
    }
}

/* The command of this run again, but for its filters and reports; the caller frees it. NULL without
 * memory. */
static char *repeat_command(const struct program *program, const struct lwp_dialect *dialect)
{
    const struct arguments *arguments = &program->arguments;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    (void)fprintf(out, "lwp-conform %s", arguments->command);
    for (size_t i = 0; i < arguments->words.count; i++)
        program_put_word(out, arguments->words.items[i]);
    (void)fprintf(out, " --dialect %s --seed %llu", dialect->name,
                  (unsigned long long)arguments->seed);
    program_put_again(out, arguments);
    return fclose(out) == 0 ? text : NULL;
}

/* How the run differs from a plain one; the caller frees it. NULL if it does not. */
static char *axes_of(const struct suite *suite)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    for (size_t i = 0; i < suite->chops.count; i++)
        (void)fprintf(out, "%s%s", i ? " " : "chop ", suite->chops.items[i].name);
    if (suite->shuffles)
        (void)fprintf(out, "%sshuffle %llu", suite->chops.count ? ", " : "",
                      (unsigned long long)suite->shuffle);
    if (fclose(out) == 0 && size)
        return text;
    free(text);
    return NULL;
}

enum suite_exit program_run_suite(struct program *program, struct suite_target *const *targets,
                                  size_t count, struct suite_host *host, const char *name)
{
    char *repeat = repeat_command(program, targets[0]->run.dialect);
    char *axes = axes_of(&program->suite);
    const struct report_run run = {
        .target = name,
        .dialect = targets[0]->run.dialect,
        .seed = program->arguments.seed,
        .repeat = repeat,
        .version = LWP_VERSION_TEXT,
        .profile = program->arguments.profile,
        .axes = axes,
        .epoch_ns = targets[0]->epoch_ns,
    };
    enum suite_exit status = SUITE_NOT_RUN;
    if (repeat) {
        report_begin(&program->report, &run);
        status = suite_run(&program->suite, targets, count, host, &program->stuck);
    }
    free(axes);
    free(repeat);
    return status;
}

const struct lwp_dialect *program_dialect(const struct program *program)
{
    if (program->arguments.dialect)
        return program->arguments.dialect;
    return program->profile.dialect ? program->profile.dialect : &lwp_dialect_lance;
}

unsigned program_features(const struct program *program)
{
    const struct arguments *arguments = &program->arguments;
    const unsigned auth = feature_bit(feature_named(lwp_bytes_text("auth")));
    const unsigned open = feature_bit(feature_named(lwp_bytes_text("open")));
    unsigned features = features_by_default() | arguments->with;
    if (arguments->auth_token)
        features = (features | auth) & ~open;
    return profile_features(&program->profile, features & ~arguments->without,
                            arguments->auth_token != NULL);
}

enum suite_exit program_judge(struct program *program,
                              enum suite_exit (*run)(struct program *program))
{
    const char *paths[REPORT_COUNT];
    arguments_reports(&program->arguments, paths);
    program->report.verbose = program->arguments.verbose;
    if (!report_open(&program->report, paths))
        return SUITE_NOT_RUN;
    const enum suite_exit status = run(program);
    return report_finish(&program->report) ? status : suite_worse(status, SUITE_NOT_RUN);
}
