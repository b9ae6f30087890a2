/* SPDX-License-Identifier: MIT */
/* lwp-conform: the conformance suite as a program. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conformance/program.h"
#include "lwp/net/clock.h"
#include "lwp/tools/interrupt.h"

/* Ten times what all cases may take against a right server. */
#define WATCHDOG_NS (100 * LWP_SECOND_NS)

/* Reads what is known to fail. */
static bool read_expectations(struct program *program)
{
    const struct arguments *arguments = &program->arguments;
    const bool is_selftest = arguments->command && strcmp(arguments->command, "selftest") == 0;
    if (arguments->update_expect && (!arguments->expect || is_selftest)) {
        (void)arguments_problem("--update-expect needs --expect FILE and a server", NULL);
        return false;
    }
    return !arguments->expect ||
           expectations_read(&program->expectations, arguments->expect, &program->catalogue.script,
                             arguments->update_expect);
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
    sound = sound && read_expectations(program);
    if (sound && arguments->profile)
        sound = profile_read(&program->profile, arguments->profile);
    program->suite = (struct suite){
        .cases = &program->catalogue.script,
        .filters = arguments->filters.items,
        .filter_count = arguments->filters.count,
        .expectations = &program->expectations,
        .min_cases = (size_t)arguments->min_cases,
        .report = &program->report,
        .chops = arguments->chops,
        .repeat = (unsigned)arguments->repeat,
        .shard = (unsigned)arguments->shard.index - 1,
        .shards = (unsigned)arguments->shard.count,
        .shuffles = arguments->shuffle.given,
        .shuffle = arguments->shuffle.seed,
        .read_only = arguments->read_only,
        .isolates = arguments->isolate,
        .interrupt = program->interrupt,
    };
    struct chop_list *chops = &program->suite.chops;
    if ((arguments->axes && !chop_add_axes(chops)) ||
        (arguments->coalesce && !chop_add(chops, "coalesce")))
        sound = arguments_problem("too many ways to chop", NULL) == 0;
    program->suite.watchdog_ns = WATCHDOG_NS * arguments->timeout_factor * arguments->repeat *
                                 (chops->count ? chops->count : 1);
    return sound ? SUITE_AS_EXPECTED : SUITE_USAGE;
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

int main(int argc, char **argv)
{
    struct program program = {
        .arguments = {.text = "-",
                      .min_cases = 1,
                      .timeout_factor = 1,
                      .repeat = 1,
                      .jobs = 1,
                      .max_memory = UINT64_C(1) << 30,
                      .max_leaks = 32,
                      .seed = lwp_clock_wall() / 1000},
    };
    (void)signal(SIGPIPE, SIG_IGN);
    const int ended = arguments_read(argc, argv, &program.arguments);
    if (ended >= 0)
        return ended;
    const struct command *command = choose(&program.arguments);
    if (!command)
        return SUITE_USAGE;
    (void)snprintf(program.prefix, sizeof(program.prefix), "lwpc-%llx",
                   (unsigned long long)program.arguments.seed);
    program.interrupt = interrupt_open();
    enum suite_exit status = prepare(&program);
    if (status == SUITE_AS_EXPECTED)
        status = check_filters(&program);
    if (status == SUITE_AS_EXPECTED)
        status = command->carry_out(&program);
    /* What still runs must not lose what it works with. */
    if (program.stuck)
        _exit((int)status);
    interrupt_close(program.interrupt);
    profile_done(&program.profile);
    expectations_done(&program.expectations);
    catalogue_done(&program.catalogue);
    return (int)status;
}
