/* SPDX-License-Identifier: MIT */
#include "conformance/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "conformance/features.h"
#include "conformance/suite.h"

static const char help[] =
    "lwp-conform - does a Lance server keep to the protocol?\n"
    "\n"
    "Usage: lwp-conform server HOST[:PORT] [OPTION]... judge a server; the port is 1992\n"
    "       lwp-conform selftest [OPTION]...           judge the built-in mock, and its mutants\n"
    "       lwp-conform --list [OPTION]...             name the cases\n"
    "       lwp-conform coverage                       how many requirements are tested, by "
    "section\n"
    "       lwp-conform export-seeds FOLDER            write what the cases send, for fuzzers\n"
    "\n"
    "  --dialect D        lance: as deployed; spec: as written; lance-py    [lance]\n"
    "                     (selftest without it: all of them, one after the other)\n"
    "  --filter GLOB      only cases whose id fits, for example 'LWP-5.9/*'; repeatable\n"
    "  --case-file FILE   cases of your own as well; repeatable\n"
    "  --auth-token T     the token that the server wants\n"
    "  --without FEATURE  the server lacks this; --list tells the names; repeatable\n"
    "  --with FEATURE     the server has this, although few have; repeatable\n"
    "  --expect FILE      what is known to fail: lines 'xfail ID reason', flaky, skip\n"
    "  --min-cases N      exit 4 if fewer cases ran                           [1]\n"
    "  --time-factor N    multiply all time-outs, for slow machines         [1]\n"
    "  --seed N           for the topic names of this run                   [from the clock]\n"
    "  --text FILE        the report for people; - is standard output       [-]\n"
    "  --jsonl FILE       the report as JSON Lines, an event a line\n"
    "  --junit FILE       the report as JUnit XML\n"
    "  --verbose          passed cases, too\n"
    "  --help, --version\n"
    "\n"
    "The server is changed: topics named lwpc-<seed>-… are made and deleted, and a few\n"
    "records are written to topic 0, which nobody can delete.\n"
    "\n"
    "Exit status: 0 all as expected; 1 unexpected failure; 2 unexpected pass;\n"
    "3 set-up error or the first sanity exchange failed (the report is still whole);\n"
    "4 fewer cases than --min-cases; 64 wrong usage, a filter, feature or expectation\n"
    "that fits nothing included. Where several apply: 64, 1, 3, 2, 4.\n";

int arguments_problem(const char *problem, const char *value)
{
    (void)fprintf(stderr, "lwp-conform: %s%s%s\nTry 'lwp-conform --help'.\n", problem,
                  value ? ": " : "", value ? value : "");
    return SUITE_USAGE;
}

static bool read_number(const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
    char *end = NULL;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 0);
    if (text[0] < '0' || text[0] > '9' || *end || errno || value < least || value > most)
        return false;
    *number = value;
    return true;
}

static int add_repeated(const char **list, size_t *count, const char *value)
{
    if (*count == MAX_REPEATED)
        return arguments_problem("too many of this option", value);
    list[(*count)++] = value;
    return -1;
}

static int take_number(const char *value, uint64_t least, uint64_t most, uint64_t *number)
{
    return read_number(value, least, most, number)
               ? -1
               : arguments_problem("not a number that fits here", value);
}

static int take_feature(unsigned *set, const char *value)
{
    const struct feature *feature = feature_named(lwp_bytes_text(value));
    if (!feature)
        return arguments_problem("no such feature", value);
    *set |= feature_bit(feature);
    return -1;
}

enum {
    OPTION_FILTER = 'f',
    OPTION_CASE_FILE = 'c',
    OPTION_DIALECT = 'd',
    OPTION_WITHOUT = 'w',
    OPTION_WITH = 'W',
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
    {"with", required_argument, NULL, OPTION_WITH},
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
        return arguments->dialect ? -1 : arguments_problem("no such dialect", value);
    case OPTION_WITHOUT:
        return take_feature(&arguments->without, value);
    case OPTION_WITH:
        return take_feature(&arguments->with, value);
    case OPTION_MIN:
        return take_number(value, 0, UINT32_MAX, &arguments->min_cases);
    case OPTION_FACTOR:
        return take_number(value, 1, 1000, &arguments->time_factor);
    case OPTION_SEED:
        return take_number(value, 0, UINT64_MAX, &arguments->seed);
    default:
        return arguments_problem("wrong usage", NULL);
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

/* Whether it may be given more than once. */
static bool is_repeatable(int option)
{
    return option == OPTION_FILTER || option == OPTION_CASE_FILE || option == OPTION_WITHOUT ||
           option == OPTION_WITH;
}

/* Two reports into one file would destroy each other. */
static bool shares_a_file(const struct arguments *arguments)
{
    const char *names[] = {arguments->text, arguments->jsonl, arguments->junit};
    for (int i = 0; i < 3; i++)
        for (int j = i + 1; j < 3; j++)
            if (names[i] && names[j] && strcmp(names[i], names[j]) == 0)
                return true;
    return false;
}

int arguments_read(int argc, char **argv, struct arguments *arguments)
{
    int option = 0;
    int index = 0;
    uint32_t given = 0;
    while ((option = getopt_long(argc, argv, "", options, &index)) != -1) {
        if (option != '?' && given & 1U << index && !is_repeatable(option))
            return arguments_problem("given twice", options[index].name);
        given |= 1U << index;
        const int status = take_option(arguments, option, optarg);
        if (status >= 0)
            return status;
    }
    for (; optind < argc; optind++) {
        if (arguments->word_count == 2)
            return arguments_problem("unexpected argument", argv[optind]);
        arguments->words[arguments->word_count++] = argv[optind];
    }
    return shares_a_file(arguments) ? arguments_problem("two reports in one file", NULL) : -1;
}
