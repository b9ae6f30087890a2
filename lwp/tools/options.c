/* SPDX-License-Identifier: MIT */
#include "lwp/tools/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPTION_LISTS = sizeof(((struct lwp_program *)0)->options) / sizeof(struct lwp_option *),
    HELP_COLUMN = 23,
    OPTION_FIRST = 256, /* Behind all characters: getopt's answer for what is wrong is '?'. */
    OPTION_HELP = OPTION_FIRST + LWP_MAX_OPTIONS,
    OPTION_VERSION
};

int lwp_options_problem(const struct lwp_program *program, const char *problem, const char *value)
{
    (void)fprintf(stderr, "%s: %s%s%s\nTry '%s --help'.\n", program->name, problem,
                  value ? ": " : "", value ? value : "", program->name);
    return LWP_EXIT_USAGE;
}

const struct lwp_option *lwp_option_named(const struct lwp_option *options, const char *name)
{
    for (const struct lwp_option *option = options; option->name; option++)
        if (strcmp(option->name, name) == 0)
            return option;
    return NULL;
}

static void print_option(const struct lwp_option *option)
{
    int column = printf("  --%s%s%s", option->name, option->value ? " " : "",
                        option->value ? option->value : "");
    for (const char *line = option->help; line;) {
        const char *end = strchr(line, '\n');
        if (column >= HELP_COLUMN) {
            (void)putchar('\n');
            column = 0;
        }
        const int size = end ? (int)(end - line) : (int)strlen(line);
        (void)printf("%*s%.*s", HELP_COLUMN - column, "", size, line);
        column = HELP_COLUMN;
        line = end ? end + 1 : NULL;
    }
    (void)putchar('\n');
}

static int print_help(const struct lwp_program *program)
{
    (void)fputs(program->before, stdout);
    for (int list = 0; list < OPTION_LISTS; list++)
        for (const struct lwp_option *o = program->options[list]; o && o->name; o++)
            print_option(o);
    (void)fputs("  --help, --version\n", stdout);
    (void)fputs(program->after, stdout);
    return EXIT_SUCCESS;
}

/* What getopt wants: its numbers are the places in `rows`, from OPTION_FIRST on. */
static void list_options(const struct lwp_program *program, struct option *options,
                         const struct lwp_option **rows)
{
    int count = 0;
    for (int list = 0; list < OPTION_LISTS; list++)
        for (const struct lwp_option *o = program->options[list]; o && o->name; o++) {
            if (count == LWP_MAX_OPTIONS)
                abort();
            rows[count] = o;
            options[count] = (struct option){o->name, o->value ? required_argument : no_argument,
                                             NULL, OPTION_FIRST + count};
            count++;
        }
    options[count++] = (struct option){"help", no_argument, NULL, OPTION_HELP};
    options[count] = (struct option){"version", no_argument, NULL, OPTION_VERSION};
}

int lwp_options_read(const struct lwp_program *program, int argc, char **argv, void *into,
                     int *rest)
{
    struct option options[LWP_MAX_OPTIONS + 3] = {{NULL, 0, NULL, 0}};
    const struct lwp_option *rows[LWP_MAX_OPTIONS];
    list_options(program, options, rows);
    int number = 0;
    while ((number = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (number == OPTION_HELP)
            return print_help(program);
        if (number == OPTION_VERSION)
            return puts(program->version) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        if (number < OPTION_FIRST)
            return lwp_options_problem(program, "wrong usage", NULL);
        const char *problem = rows[number - OPTION_FIRST]->take(into, optarg);
        if (problem)
            return lwp_options_problem(program, problem, optarg);
    }
    *rest = optind;
    return -1;
}

/* The digits at the front of `text`; `*end` is what stands behind them. */
static bool read_digits(const char *text, uint64_t *number, char **end)
{
    errno = 0;
    const unsigned long long value = strtoull(text, end, 10);
    *number = value;
    return text[0] >= '0' && text[0] <= '9' && errno == 0;
}

bool lwp_read_number(const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
    char *end = NULL;
    uint64_t value = 0;
    if (!read_digits(text, &value, &end) || *end || value < least || value > most)
        return false;
    *number = value;
    return true;
}

struct unit {
    const char *word;
    uint64_t factor;
};

/* A number with one of these units behind it; the list ends with one that has no word. */
static bool read_unit(const char *text, const struct unit *units, uint64_t most, uint64_t *value)
{
    char *end = NULL;
    uint64_t number = 0;
    if (!read_digits(text, &number, &end))
        return false;
    for (const struct unit *unit = units; unit->word; unit++)
        if (strcmp(unit->word, end) == 0) {
            *value = number * unit->factor;
            return number <= most / unit->factor;
        }
    return false;
}

bool lwp_read_size(const char *text, uint64_t least, uint64_t most, uint64_t *size)
{
    static const struct unit units[] = {
        {"", 1}, {"K", 1U << 10}, {"M", 1U << 20}, {"G", 1U << 30}, {NULL, 0}};
    uint64_t value = 0;
    if (!read_unit(text, units, most, &value) || value < least)
        return false;
    *size = value;
    return true;
}

bool lwp_read_duration(const char *text, uint64_t most_ns, uint64_t *duration_ns)
{
    static const struct unit units[] = {{"us", 1000},       {"ms", 1000000},      {"s", 1000000000},
                                        {"m", 60000000000}, {"h", 3600000000000}, {NULL, 0}};
    uint64_t value = 0;
    if (strcmp(text, "0") != 0 && !read_unit(text, units, most_ns, &value))
        return false;
    *duration_ns = value;
    return true;
}
