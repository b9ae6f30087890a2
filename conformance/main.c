/* SPDX-License-Identifier: MIT */
/* lwp-conform: the conformance suite as a program. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>

#include "conformance/catalogue.h"
#include "conformance/features.h"
#include "conformance/selftest.h"
#include "lwp/net/clock.h"

static const char help[] =
    "lwp-conform - does a Lance server keep to the protocol?\n"
    "\n"
    "Usage: lwp-conform server HOST:PORT [OPTION]...   judge a server\n"
    "       lwp-conform selftest [OPTION]...           judge the built-in mock, and its mutants\n"
    "       lwp-conform --list [OPTION]...             name the cases\n"
    "       lwp-conform export-seeds FOLDER            write what the cases send, for fuzzers\n"
    "\n"
    "  --dialect D        lance: as deployed; spec: as written; lance-py    [lance]\n"
    "                     (selftest without it: all of them, one after the other)\n"
    "  --filter GLOB      only cases whose id fits, for example 'LWP-5.9/*'; repeatable\n"
    "  --case-file FILE   cases of your own as well; repeatable\n"
    "  --auth-token T     the token that the server wants\n"
    "  --without FEATURE  the server lacks this; --list tells the names; repeatable\n"
    "  --expect FILE      what is known to fail: lines 'xfail ID reason', flaky, skip\n"
    "  --min-cases N      exit 4 if fewer cases ran\n"
    "  --time-factor N    multiply all time-outs, for slow machines         [1]\n"
    "  --seed N           for the topic names of this run                   [from the clock]\n"
    "  --text FILE        the report for people; - is standard output       [-]\n"
    "  --jsonl FILE       the report as JSON Lines, an event a line\n"
    "  --junit FILE       the report as JUnit XML\n"
    "  --verbose          passed cases, too\n"
    "  --help, --version\n"
    "\n"
    "The server is changed: topics named lwpc-<seed>-… are made and deleted.\n"
    "\n"
    "Exit status: 0 all as expected; 1 unexpected failure; 2 unexpected pass;\n"
    "3 set-up error or the first sanity exchange failed (the report is still whole);\n"
    "4 fewer cases than --min-cases; 64 wrong usage, a filter, feature or expectation\n"
    "that fits nothing included. Where several apply: 64, 1, 3, 2, 4.\n";

enum { MAX_REPEATED = 64, EXIT_WRITE = 3 };

struct arguments {
    const char *words[2]; /* What stands without an option. */
    int word_count;
    bool list;
    bool verbose;
    const struct lwp_dialect *dialect;
    const char *filters[MAX_REPEATED];
    size_t filter_count;
    const char *case_files[MAX_REPEATED];
    size_t case_file_count;
    unsigned without;
    const char *auth_token;
    const char *expect;
    const char *text;
    const char *jsonl;
    const char *junit;
    uint64_t min_cases;
    uint64_t time_factor;
    uint64_t seed;
};

static int usage(const char *problem, const char *value)
{
    (void)fprintf(stderr, "lwp-conform: %s%s%s\nTry 'lwp-conform --help'.\n", problem,
                  value ? ": " : "", value ? value : "");
    return SUITE_USAGE;
}

static bool read_number(const char *text, uint64_t least, uint64_t *number)
{
    char *end = NULL;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 0);
    if (text[0] < '0' || text[0] > '9' || *end || errno || value < least)
        return false;
    *number = value;
    return true;
}

static int add_repeated(const char **list, size_t *count, const char *value)
{
    if (*count == MAX_REPEATED)
        return usage("too many of this option", value);
    list[(*count)++] = value;
    return -1;
}

static int take_number(const char *value, uint64_t least, uint64_t *number)
{
    return read_number(value, least, number) ? -1 : usage("not a number that fits here", value);
}

static int take_feature(struct arguments *arguments, const char *value)
{
    const struct feature *feature = feature_named(lwp_bytes_text(value));
    if (!feature)
        return usage("no such feature", value);
    arguments->without |= feature_bit(feature);
    return -1;
}

enum {
    OPTION_FILTER = 'f',
    OPTION_CASE_FILE = 'c',
    OPTION_DIALECT = 'd',
    OPTION_WITHOUT = 'w',
    OPTION_MIN = 'm',
    OPTION_FACTOR = 'x',
    OPTION_SEED = 's',
    OPTION_LIST = 'l',
    OPTION_VERBOSE = 'v',
    OPTION_HELP = 'h',
    OPTION_VERSION = 'V',
    OPTION_TOKEN = 'a',
    OPTION_EXPECT = 'e',
    OPTION_TEXT = 't',
    OPTION_JSONL = 'j',
    OPTION_JUNIT = 'u'
};

static const struct option options[] = {
    {"filter", required_argument, NULL, OPTION_FILTER},
    {"case-file", required_argument, NULL, OPTION_CASE_FILE},
    {"dialect", required_argument, NULL, OPTION_DIALECT},
    {"without", required_argument, NULL, OPTION_WITHOUT},
    {"min-cases", required_argument, NULL, OPTION_MIN},
    {"time-factor", required_argument, NULL, OPTION_FACTOR},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"list", no_argument, NULL, OPTION_LIST},
    {"verbose", no_argument, NULL, OPTION_VERBOSE},
    {"auth-token", required_argument, NULL, OPTION_TOKEN},
    {"expect", required_argument, NULL, OPTION_EXPECT},
    {"text", required_argument, NULL, OPTION_TEXT},
    {"jsonl", required_argument, NULL, OPTION_JSONL},
    {"junit", required_argument, NULL, OPTION_JUNIT},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

/* Options whose value is only kept. */
static const char **kept_text(struct arguments *arguments, int option)
{
    switch (option) {
    case OPTION_TOKEN:
        return &arguments->auth_token;
    case OPTION_EXPECT:
        return &arguments->expect;
    case OPTION_TEXT:
        return &arguments->text;
    case OPTION_JSONL:
        return &arguments->jsonl;
    case OPTION_JUNIT:
        return &arguments->junit;
    default:
        return NULL;
    }
}

static bool *kept_flag(struct arguments *arguments, int option)
{
    if (option == OPTION_LIST)
        return &arguments->list;
    return option == OPTION_VERBOSE ? &arguments->verbose : NULL;
}

/* Options whose value is more than kept. */
static int take_value(struct arguments *arguments, int option, const char *value)
{
    switch (option) {
    case OPTION_FILTER:
        return add_repeated(arguments->filters, &arguments->filter_count, value);
    case OPTION_CASE_FILE:
        return add_repeated(arguments->case_files, &arguments->case_file_count, value);
    case OPTION_DIALECT:
        arguments->dialect = lwp_dialect_named(value);
        return arguments->dialect ? -1 : usage("no such dialect", value);
    case OPTION_WITHOUT:
        return take_feature(arguments, value);
    case OPTION_MIN:
        return take_number(value, 0, &arguments->min_cases);
    case OPTION_FACTOR:
        return take_number(value, 1, &arguments->time_factor);
    case OPTION_SEED:
        return take_number(value, 0, &arguments->seed);
    default:
        return usage("wrong usage", NULL);
    }
}

/* Takes one option. Returns -1, or the exit status with which to end. */
static int take_option(struct arguments *arguments, int option, const char *value)
{
    const char **text = kept_text(arguments, option);
    bool *flag = kept_flag(arguments, option);
    if (text)
        *text = value;
    if (flag)
        *flag = true;
    if (text || flag)
        return -1;
    switch (option) {
    case OPTION_HELP:
        (void)fputs(help, stdout);
        return SUITE_AS_EXPECTED;
    case OPTION_VERSION:
        (void)fputs("lwp-conform " LWP_VERSION_TEXT "\n", stdout);
        return SUITE_AS_EXPECTED;
    default:
        return take_value(arguments, option, value);
    }
}

static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
    int option = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        const int status = take_option(arguments, option, optarg);
        if (status >= 0)
            return status;
    }
    for (; optind < argc; optind++) {
        if (arguments->word_count == 2)
            return usage("unexpected argument", argv[optind]);
        arguments->words[arguments->word_count++] = argv[optind];
    }
    return -1;
}

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
    return SUITE_AS_EXPECTED;
}

static bool open_report(const char *name, FILE **file)
{
    if (!name)
        return true;
    *file = strcmp(name, "-") == 0 ? stdout : fopen(name, "w");
    if (!*file)
        (void)fprintf(stderr, "lwp-conform: can not write %s: %s\n", name, strerror(errno));
    return *file != NULL;
}

static bool open_reports(const struct arguments *arguments, struct report *report)
{
    report->verbose = arguments->verbose;
    return open_report(arguments->text, &report->text) &&
           open_report(arguments->jsonl, &report->jsonl) &&
           open_report(arguments->junit, &report->junit);
}

struct program {
    struct arguments arguments;
    struct catalogue catalogue;
    struct expectations expectations;
    struct suite suite;
    struct report report;
    char prefix[64];
    char repeat[512];
};

static enum suite_exit run_in_dialect(struct program *program, struct suite_target *target,
                                      const char *name)
{
    const struct report_run run = {
        .target = name,
        .dialect = target->run.dialect,
        .seed = program->arguments.seed,
        .repeat = program->repeat,
    };
    const bool is_selftest = target->prepare != NULL;
    (void)snprintf(program->repeat, sizeof(program->repeat),
                   "lwp-conform %s%s --dialect %s --seed %llu --filter",
                   is_selftest ? "" : "server ", name, target->run.dialect->name,
                   (unsigned long long)program->arguments.seed);
    if (!report_begin(&program->report, &run))
        return SUITE_NOT_RUN;
    return suite_run(&program->suite, target);
}

static enum suite_exit judge_server(struct program *program)
{
    const struct arguments *arguments = &program->arguments;
    struct lwp_address address;
    struct lwp_tcp_world world;
    if (arguments->word_count != 2 || lwp_address_parse(arguments->words[1], &address) != LWP_OK)
        return (enum suite_exit)usage("server takes HOST:PORT",
                                      arguments->word_count == 2 ? arguments->words[1] : NULL);
    lwp_tcp_world_init(&world, &address);
    unsigned features = features_by_default();
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
            return (enum suite_exit)usage("no case fits this filter", one[0]);
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

static enum suite_exit carry_out(struct program *program)
{
    const struct arguments *arguments = &program->arguments;
    const char *word = arguments->word_count ? arguments->words[0] : "";
    if (arguments->list)
        return (enum suite_exit)list_cases(&program->suite);
    if (strcmp(word, "export-seeds") == 0 && arguments->word_count == 2)
        return export_seeds(program);
    if (strcmp(word, "server") == 0)
        return judge(program, judge_server);
    if (strcmp(word, "selftest") == 0 && arguments->word_count == 1)
        return judge(program, judge_mock);
    return (enum suite_exit)usage("expected server HOST:PORT, selftest or --list",
                                  word[0] ? word : NULL);
}

int main(int argc, char **argv)
{
    struct program program = {
        .arguments = {.text = "-", .time_factor = 1, .seed = lwp_clock_wall() / 1000},
    };
    (void)signal(SIGPIPE, SIG_IGN);
    const int ended = read_arguments(argc, argv, &program.arguments);
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
