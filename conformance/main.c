/* SPDX-License-Identifier: MIT */
/* lwp-conform: the conformance suite as a program. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conformance/program.h"
#include "lwp/net/clock.h"
#include "lwp/tools/interrupt.h"

#define WATCHDOG_NS (100 * LWP_SECOND_NS)

/* The ways to chop; false, and said, if they are too many. */
static bool choose_chops(const struct arguments *arguments, struct chop_list *chops)
{
    *chops = arguments->chops;
    if ((!arguments->axes || chop_add_axes(chops)) &&
        (!arguments->coalesce || chop_add(chops, "coalesce")))
        return true;
    (void)arguments_problem("too many ways to chop", NULL);
    return false;
}

/* All cases may take ten times what they take against a right server. */
static uint64_t watchdog_of(const struct arguments *arguments, const struct suite *suite)
{
    const uint64_t chops = suite->chops.count ? suite->chops.count : 1;
    const uint64_t orders = suite->shuffles ? 2 : 1;
    return arguments->watchdog_ns
               ? arguments->watchdog_ns
               : WATCHDOG_NS * arguments->timeout_factor * arguments->repeat * chops * orders;
}

/* What is run, and how. False, and said, if that is too much. */
static bool choose_suite(struct program *program)
{
    const struct arguments *arguments = &program->arguments;
    program->suite = (struct suite){
        .cases = &program->catalogue.script,
        .filters = arguments->filters.items,
        .filter_count = arguments->filters.count,
        .expectations = &program->expectations,
        .baseline = &program->baseline,
        .min_cases = (size_t)arguments->min_cases,
        .report = &program->report,
        .repeat = (unsigned)arguments->repeat,
        .reruns = (unsigned)arguments->reruns,
        .shard = (unsigned)arguments->shard.index - 1,
        .shards = (unsigned)arguments->shard.count,
        .shuffles = arguments->shuffle.given,
        .shuffle = arguments->shuffle.seed,
        .read_only = arguments->read_only,
        .isolates = arguments->isolate,
        .interrupt = -1,
    };
    if (!choose_chops(arguments, &program->suite.chops))
        return false;
    program->suite.watchdog_ns = watchdog_of(arguments, &program->suite);
    return true;
}

/* Whether this is the command. */
static bool is_command(const struct arguments *arguments, const char *word)
{
    return arguments->command && strcmp(arguments->command, word) == 0;
}

/* Into files: the text on standard output is what there is without being asked for. */
static bool wants_reports(const struct arguments *arguments)
{
    const char *paths[REPORT_COUNT];
    arguments_reports(arguments, paths);
    for (int i = 0; i < REPORT_COUNT; i++)
        if (paths[i] && strcmp(paths[i], "-") != 0)
            return true;
    return false;
}

/* The commands that take an option, as bits. */
enum { SERVER = 1, SELFTEST = 2, DIFF = 4, PROBE = 8 };

static unsigned command_bit(const struct arguments *arguments)
{
    static const char *const words[] = {"server", "selftest", "diff", "probe"};
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (is_command(arguments, words[i]))
            return 1U << i;
    return 0;
}

/* What is wrong with options that the command does not take, or NULL: to pass over them in silence
 * would be worse. */
static const char *misplaced(const struct arguments *arguments)
{
    const unsigned command = command_bit(arguments);
    const struct {
        bool is_given;
        unsigned commands;
        const char *problem;
    } rules[] = {
        {arguments->update_expect, arguments->expect ? SERVER : 0,
         "--update-expect needs --expect FILE and a server"},
        {arguments->baseline, SERVER, "--baseline needs a server"},
        {arguments->profile, SERVER | DIFF, "--profile needs a server"},
        {wants_reports(arguments), SERVER | SELFTEST, "only server and selftest write reports"},
        {arguments->other_dialect, DIFF, "--other-dialect is for diff"},
        {arguments->output, PROBE, "--output is for probe"},
        {arguments->mutants, SELFTEST, "--mutants is for selftest"},
        {arguments->matrix, SELFTEST, "--matrix is for selftest"},
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (rules[i].is_given && !(rules[i].commands & command))
            return rules[i].problem;
    return NULL;
}

/* Reads what is known to fail, and to be lacking. */
static bool read_known(struct program *program)
{
    const struct arguments *arguments = &program->arguments;
    const char *problem = misplaced(arguments);
    if (problem)
        (void)arguments_problem(problem, NULL);
    bool sound = !problem;
    if (sound && arguments->expect)
        sound = expectations_read(&program->expectations, arguments->expect,
                                  &program->catalogue.script, arguments->update_expect);
    if (sound && arguments->profile)
        sound = profile_read(&program->profile, arguments->profile);
    if (sound && arguments->baseline)
        sound = baseline_read(&program->baseline, arguments->baseline, program_dialect(program));
    return sound;
}

/* Reads cases and expectations. SUITE_USAGE if anything is wrong with them. */
static enum suite_exit prepare(struct program *program)
{
    const struct arguments *arguments = &program->arguments;
    bool sound = catalogue_read_embedded(&program->catalogue, catalogue_embedded);
    for (size_t i = 0; i < arguments->case_files.count; i++) {
        char *text = NULL;
        size_t size = 0;
        sound = catalogue_read_file(&program->catalogue, arguments->case_files.items[i], &text,
                                    &size) &&
                sound;
        free(text);
    }
    catalogue_print_errors(&program->catalogue, stderr);
    return sound && read_known(program) && choose_suite(program) ? SUITE_AS_EXPECTED : SUITE_USAGE;
}

/* Each filter must fit something. */
static enum suite_exit check_filters(const struct program *program)
{
    for (size_t i = 0; i < program->arguments.filters.count; i++) {
        const char *const one[] = {program->arguments.filters.items[i]};
        const struct suite alone = {.filters = one, .filter_count = 1};
        bool fits = false;
        for (size_t c = 0; c < program->catalogue.script.cases.count; c++)
            fits = fits || suite_wants(&alone, &program->catalogue.script.cases.items[c]);
        if (!fits)
            return (enum suite_exit)arguments_problem("no case fits this filter", one[0]);
    }
    return SUITE_AS_EXPECTED;
}

struct command {
    const char *word;
    enum suite_exit (*carry_out)(struct program *program);
    size_t least; /* Words behind it. */
    size_t most;
    const char *usage;
};

static const struct command commands[] = {
#define CONFORM_COMMAND(word, function, least, most, usage, text)                                  \
    {word, function, least, most, usage},
#include "conformance/commands.def"
#undef CONFORM_COMMAND
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static const struct command *command_named(const char *word)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(word, commands[i].word) == 0)
            return &commands[i];
    return NULL;
}

/* The command, by its first word or by --list; NULL, and said, if there is none or it has other
 * words behind it. */
static const struct command *choose(const struct arguments *arguments)
{
    static const struct command list = {"", command_list, 0, 0, "--list"};
    const char *word = arguments->command;
    const struct command *command = word ? command_named(word) : NULL;
    if (arguments->list && !word)
        return &list;
    if (arguments->list)
        (void)arguments_problem("unexpected argument", word);
    else if (!command)
        (void)arguments_problem(word ? "no such command" : "expected server HOST:PORT or selftest",
                                word);
    else if (arguments->words.count < command->least)
        (void)arguments_problem("expected", command->usage);
    else if (arguments->words.count > command->most)
        (void)arguments_problem("unexpected argument", arguments->words.items[command->most]);
    else
        return command;
    return NULL;
}

/* Without them the next file to be opened would be standard output. Writing to these fails. */
static void hold_standard_files(void)
{
    int fd = 0;
    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        (void)close(fd);
}

int main(int argc, char **argv)
{
    struct program program = {
        .interrupt = -1,
        .arguments = {.text = "-",
                      .min_cases = 1,
                      .timeout_factor = 1,
                      .repeat = 1,
                      .reruns = 2,
                      .jobs = 1,
                      .max_memory = UINT64_C(1) << 30,
                      .max_leaks = 32,
                      .seed = lwp_clock_wall() / 1000},
    };
    hold_standard_files();
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ,
                 SIG_IGN); /* A report that gets too large can not be written, and is told so. */
    const int ended = arguments_read(argc, argv, &program.arguments);
    if (ended >= 0)
        return ended;
    const struct command *command = choose(&program.arguments);
    if (!command)
        return SUITE_USAGE;
    (void)snprintf(program.prefix, sizeof(program.prefix), "lwpc-%llu",
                   (unsigned long long)program.arguments.seed);
    enum suite_exit status = prepare(&program);
    if (status == SUITE_AS_EXPECTED)
        status = check_filters(&program);
    /* Only now, and for those who look: what can not be read or answered must still be ended by hand. */
    if (is_command(&program.arguments, "server") || is_command(&program.arguments, "selftest"))
        program.interrupt = program.suite.interrupt = interrupt_open();
    if (status == SUITE_AS_EXPECTED)
        status = command->carry_out(&program);
    /* What still runs must not lose what it works with. */
    if (program.stuck)
        _exit((int)status);
    interrupt_close(program.interrupt);
    baseline_done(&program.baseline);
    profile_done(&program.profile);
    expectations_done(&program.expectations);
    catalogue_done(&program.catalogue);
    return (int)status;
}
