/* SPDX-License-Identifier: MIT */
#include "conformance/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool open_report(const char *name, FILE **file)
{
    if (!name)
        return true;
    *file = strcmp(name, "-") == 0 ? stdout : fopen(name, "w");
    if (!*file)
        (void)fprintf(stderr, "lwp-conform: can not write %s: %s\n", name, strerror(errno));
    else
        (void)setvbuf(*file, NULL, _IOLBF, 0); /* What is killed leaves what it has done. */
    return *file != NULL;
}

/* Whether both lead to one ordinary file, where they would destroy each other. */
static bool are_one_file(FILE *a, FILE *b)
{
    struct stat x;
    struct stat y;
    return a && b && fstat(fileno(a), &x) == 0 && fstat(fileno(b), &y) == 0 && S_ISREG(x.st_mode) &&
           x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool open_reports(const struct arguments *arguments, struct report *report)
{
    report->verbose = arguments->verbose;
    if (!open_report(arguments->text, &report->text) ||
        !open_report(arguments->jsonl, &report->jsonl) ||
        !open_report(arguments->junit, &report->junit))
        return false;
    if (!are_one_file(report->text, report->jsonl) && !are_one_file(report->text, report->junit) &&
        !are_one_file(report->jsonl, report->junit))
        return true;
    (void)fprintf(stderr, "lwp-conform: two reports in one file\n");
    return false;
}

/* A word as a shell takes it back. */
static void put_word(FILE *out, const char *word)
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

/* The command that runs one case again, up to its id; the caller frees it. NULL without memory. */
static char *repeat_command(const struct program *program, const struct suite_target *target,
                            const char *name)
{
    const struct arguments *arguments = &program->arguments;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    (void)fputs(target->prepare ? "lwp-conform" : "lwp-conform server", out);
    put_word(out, name);
    (void)fprintf(out, " --dialect %s --seed %llu", target->run.dialect->name,
                  (unsigned long long)arguments->seed);
    for (size_t i = 0; i < arguments->again_count; i++) {
        (void)fprintf(out, " --%s", arguments->again[i].name);
        if (arguments->again[i].value)
            put_word(out, arguments->again[i].value);
    }
    (void)fputs(" --filter", out);
    return fclose(out) == 0 ? text : NULL;
}

enum suite_exit program_run_suite(struct program *program, struct suite_target *target,
                                  const char *name)
{
    char *repeat = repeat_command(program, target, name);
    const struct report_run run = {
        .target = name,
        .dialect = target->run.dialect,
        .seed = program->arguments.seed,
        .repeat = repeat,
    };
    enum suite_exit status = SUITE_NOT_RUN;
    if (repeat && report_begin(&program->report, &run))
        status = suite_run(&program->suite, target);
    free(repeat);
    return status;
}

enum suite_exit program_judge(struct program *program,
                              enum suite_exit (*run)(struct program *program))
{
    if (!open_reports(&program->arguments, &program->report))
        return SUITE_NOT_RUN;
    enum suite_exit status = run(program);
    if (!report_finish(&program->report)) {
        (void)fprintf(stderr, "lwp-conform: a report could not be written: %s\n", strerror(errno));
        status = suite_worse(status, SUITE_NOT_RUN);
    }
    return status;
}
