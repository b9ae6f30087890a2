/* SPDX-License-Identifier: MIT */
/* lwp-conform: the conformance suite as a program. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "conformance/arguments.h"
#include "conformance/catalogue.h"
#include "conformance/features.h"
#include "conformance/requirements.h"
#include "conformance/selftest.h"
#include "lwp/net/clock.h"

static int list_cases(const struct suite *suite)
{
    for (size_t i = 0; i < suite->cases->cases.count; i++) {
        const struct script_case *of = &suite->cases->cases.items[i];
        if (!suite_wants(suite, of))
            continue;
        (void)printf("%s\t%s\t%s", (const char *)of->id.data, script_level_word(of->level),
                     (const char *)of->texts.items[0].data);
        for (size_t need = 0; need < of->needs.count; need++)
            (void)printf("%s%s", need ? ", " : "\tneeds ",
                         (const char *)of->needs.items[need].data);
        (void)putchar('\n');
    }
    (void)printf("\nFeatures that a case can need (--without NAME):\n");
    for (size_t i = 0; feature_at(i); i++)
        (void)printf("%s\t%s\n", feature_at(i)->name, feature_at(i)->text);
    return fflush(stdout) == 0 ? SUITE_AS_EXPECTED : SUITE_NOT_RUN;
}

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

struct program {
    struct arguments arguments;
    struct catalogue catalogue;
    struct expectations expectations;
    struct suite suite;
    struct report report;
    char prefix[64];
    struct lwp_address address; /* Of the server to be judged. */
};

/* A word as a shell takes it back. */
static void put_word(FILE *out, const char *option, const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:[]";
    (void)fprintf(out, " %s%s", option, *option ? " " : "");
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
    put_word(out, "", name);
    put_word(out, "--dialect", target->run.dialect->name);
    (void)fprintf(out, " --seed %llu", (unsigned long long)arguments->seed);
    if (arguments->time_factor > 1)
        (void)fprintf(out, " --time-factor %llu", (unsigned long long)arguments->time_factor);
    if (arguments->auth_token)
        put_word(out, "--auth-token", arguments->auth_token);
    for (size_t i = 0; feature_at(i); i++) {
        if (arguments->with & feature_bit(feature_at(i)))
            put_word(out, "--with", feature_at(i)->name);
        if (arguments->without & feature_bit(feature_at(i)))
            put_word(out, "--without", feature_at(i)->name);
    }
    for (size_t i = 0; i < arguments->case_file_count; i++)
        put_word(out, "--case-file", arguments->case_files[i]);
    (void)fputs(" --filter", out);
    return fclose(out) == 0 ? text : NULL;
}

static enum suite_exit run_in_dialect(struct program *program, struct suite_target *target,
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

static enum suite_exit judge_server(struct program *program)
{
    const struct arguments *arguments = &program->arguments;
    struct lwp_tcp_world world;
    lwp_tcp_world_init(&world, &program->address);
    unsigned features = features_by_default() | arguments->with;
    const unsigned auth = feature_bit(feature_named(lwp_bytes_text("auth")));
    const unsigned open = feature_bit(feature_named(lwp_bytes_text("open")));
    if (arguments->auth_token)
        features = (features | auth) & ~open;
    struct suite_target target = {
        .run = {.world = &world.world,
                .dialect = arguments->dialect ? arguments->dialect : &lwp_dialect_lance,
                .auth_token = arguments->auth_token,
                .prefix = program->prefix,
                .time_factor = (unsigned)arguments->time_factor},
        .features = features & ~arguments->without,
    };
    return run_in_dialect(program, &target, arguments->words[1]);
}

static enum suite_exit judge_mock(struct program *program)
{
    enum suite_exit status = SUITE_AS_EXPECTED;
    for (size_t i = 0; lwp_dialects[i]; i++) {
        struct selftest_target target;
        if (program->arguments.dialect && program->arguments.dialect != lwp_dialects[i])
            continue;
        selftest_target_init(&target, lwp_dialects[i], program->prefix);
        target.suite.features &= ~program->arguments.without;
        status = suite_worse(status, run_in_dialect(program, &target.suite, "selftest"));
        selftest_target_done(&target);
    }
    if (program->arguments.filter_count == 0 && program->report.text)
        status = suite_worse(status, selftest_mutants(&program->catalogue.script, program->prefix,
                                                      program->report.text));
    return status;
}

/* Reads cases and expectations. SUITE_USAGE if anything is wrong with them. */
static enum suite_exit prepare(struct program *program)
{
    const struct arguments *arguments = &program->arguments;
    bool sound = catalogue_read_embedded(&program->catalogue, catalogue_embedded);
    for (size_t i = 0; i < arguments->case_file_count; i++) {
        char *text = NULL;
        size_t size = 0;
        sound = catalogue_read_file(&program->catalogue, arguments->case_files[i], &text, &size) &&
                sound;
        free(text);
    }
    catalogue_print_errors(&program->catalogue, stderr);
    if (sound && arguments->expect)
        sound = expectations_read(&program->expectations, arguments->expect,
                                  &program->catalogue.script);
    program->suite = (struct suite){
        .cases = &program->catalogue.script,
        .filters = arguments->filters,
        .filter_count = arguments->filter_count,
        .expectations = &program->expectations,
        .min_cases = (size_t)arguments->min_cases,
        .report = &program->report,
    };
    return sound ? SUITE_AS_EXPECTED : SUITE_USAGE;
}

/* Each filter must fit something. */
static enum suite_exit check_filters(const struct program *program)
{
    for (size_t i = 0; i < program->arguments.filter_count; i++) {
        const char *const one[] = {program->arguments.filters[i]};
        const struct suite alone = {.filters = one, .filter_count = 1};
        bool fits = false;
        for (size_t c = 0; c < program->catalogue.script.cases.count; c++)
            fits = fits || suite_wants(&alone, &program->catalogue.script.cases.items[c]);
        if (!fits)
            return (enum suite_exit)arguments_problem("no case fits this filter", one[0]);
    }
    return SUITE_AS_EXPECTED;
}

static enum suite_exit export_seeds(struct program *program)
{
    const char *folder = program->arguments.words[1];
    return selftest_export_seeds(&program->catalogue.script, folder) ? SUITE_AS_EXPECTED
                                                                     : SUITE_NOT_RUN;
}

/* Runs cases, with reports. */
static enum suite_exit judge(struct program *program,
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

static enum suite_exit list(struct program *program)
{
    return (enum suite_exit)list_cases(&program->suite);
}

static enum suite_exit judge_server_with_reports(struct program *program)
{
    const char *text = program->arguments.words[1];
    if (lwp_address_parse(text, &program->address) != LWP_OK)
        return (enum suite_exit)arguments_problem("not HOST:PORT", text);
    return judge(program, judge_server);
}

static enum suite_exit judge_mock_with_reports(struct program *program)
{
    return judge(program, judge_mock);
}

static enum suite_exit coverage(struct program *program)
{
    (void)program;
    requirement_print_coverage(stdout);
    return fflush(stdout) == 0 ? SUITE_AS_EXPECTED : SUITE_NOT_RUN;
}

struct command {
    const char *word;
    int word_count; /* With what stands behind it. */
    bool list;      /* With --list. */
    enum suite_exit (*carry_out)(struct program *program);
};

static const struct command commands[] = {
    {"", 0, true, list},
    {"server", 2, false, judge_server_with_reports},
    {"selftest", 1, false, judge_mock_with_reports},
    {"export-seeds", 2, false, export_seeds},
    {"coverage", 1, false, coverage},
};

static enum suite_exit carry_out(struct program *program)
{
    const struct arguments *arguments = &program->arguments;
    const char *word = arguments->word_count ? arguments->words[0] : "";
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(word, commands[i].word) == 0 &&
            arguments->word_count == commands[i].word_count && arguments->list == commands[i].list)
            return commands[i].carry_out(program);
    return (enum suite_exit)arguments_problem(
        "expected server HOST:PORT, selftest, coverage, export-seeds FOLDER or --list",
        word[0] ? word : NULL);
}

int main(int argc, char **argv)
{
    struct program program = {
        .arguments = {.text = "-",
                      .min_cases = 1,
                      .time_factor = 1,
                      .seed = lwp_clock_wall() / 1000},
    };
    (void)signal(SIGPIPE, SIG_IGN);
    const int ended = arguments_read(argc, argv, &program.arguments);
    if (ended >= 0)
        return ended;
    (void)snprintf(program.prefix, sizeof(program.prefix), "lwpc-%llx",
                   (unsigned long long)program.arguments.seed);
    enum suite_exit status = prepare(&program);
    if (status == SUITE_AS_EXPECTED)
        status = check_filters(&program);
    if (status == SUITE_AS_EXPECTED)
        status = carry_out(&program);
    expectations_done(&program.expectations);
    catalogue_done(&program.catalogue);
    return (int)status;
}
