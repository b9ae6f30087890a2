/* SPDX-License-Identifier: MIT */
/* lwp-sim - the client library against a mock cluster, in one thread, on virtual time, from seeds. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lwp/bug/bug.h"
#include "lwp/net/clock.h"
#include "lwp/sim/sim.h"
#include "lwp/tools/options.h"

struct arguments {
    uint64_t first;
    uint64_t last;
    bool verbose;
    bool list;
    bool list_invariants;
    enum lwp_bug bug;
};

/* A..B, or one number. */
static const char *take_seeds(void *into, const char *value)
{
    struct arguments *arguments = into;
    char first[24] = "";
    const char *dots = strstr(value, "..");
    const size_t size = dots ? (size_t)(dots - value) : strlen(value);
    if (size >= sizeof(first))
        return "is no range of seeds";
    (void)snprintf(first, sizeof(first), "%.*s", (int)size, value);
    const bool sound = lwp_read_number(first, 0, UINT64_MAX - 1, &arguments->first) &&
                       lwp_read_number(dots ? dots + 2 : first, arguments->first, UINT64_MAX - 1,
                                       &arguments->last);
    return sound ? NULL : "is no range of seeds";
}

static const char *take_verbose(void *into, const char *value)
{
    (void)value;
    ((struct arguments *)into)->verbose = true;
    return NULL;
}

static const char *take_list(void *into, const char *value)
{
    (void)value;
    ((struct arguments *)into)->list = true;
    return NULL;
}

static const char *take_invariants(void *into, const char *value)
{
    (void)value;
    ((struct arguments *)into)->list_invariants = true;
    return NULL;
}

static const char *take_bug(void *into, const char *value)
{
    if (!lwp_bugs_compiled_in())
        return "is not compiled into this build (preset mutants)";
    for (enum lwp_bug bug = LWP_BUG_NONE + 1; bug < LWP_BUG_COUNT; bug++)
        if (lwp_bug_is_simulated(bug) && strcmp(lwp_bug_rows[bug].name, value) == 0) {
            ((struct arguments *)into)->bug = bug;
            return NULL;
        }
    return "is no bug for the simulation to find";
}

static const struct lwp_option own_options[] = {
    {"seeds", "A..B", "The seeds to run, both included; one number is one seed. 1..100",
     take_seeds},
    {"verbose", NULL, "Show all that happens: frames both ways, faults, decisions.", take_verbose},
    {"bug", "NAME", "Plant this bug in the client library, in a build that has them.", take_bug},
    {"list-bugs", NULL, "Print the names of these bugs, one a line.", take_list},
    {"list-invariants", NULL, "Print what must hold in every seed, one a line.", take_invariants},
    {NULL, NULL, NULL, NULL},
};

static const struct lwp_program program = {
    .name = "lwp-sim",
    .version = "lwp-sim " LWP_VERSION_TEXT,
    .before =
        "usage: lwp-sim [OPTION]...\n"
        "Runs clients, producers and consumers against a mock cluster, on virtual time: all that\n"
        "happens is drawn from the seed. The first seed in which an invariant does not hold is\n"
        "shown, with the newest lines of its trace, and ends the run.\n\n",
    .after = "\nExit status: 0 all invariants held, 1 one did not, 64 wrong usage.\n",
    .options = {own_options},
};

static void list_bugs(void)
{
    for (enum lwp_bug bug = LWP_BUG_NONE + 1; bug < LWP_BUG_COUNT; bug++)
        if (lwp_bug_is_simulated(bug))
            (void)printf("%s\n", lwp_bug_rows[bug].name);
}

/* All that bugs are to prove: the last is about the simulation. */
static void list_invariants(void)
{
    for (unsigned i = 0; i < SIM_SIMULATION; i++)
        (void)printf("%s\n", sim_invariant_texts[i]);
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.first = 1, .last = 100};
    int rest = 0;
    const int status = lwp_options_read(&program, argc, argv, &arguments, &rest);
    if (status >= 0)
        return status;
    if (rest < argc)
        return lwp_options_problem(&program, "takes no words", argv[rest]);
    if (arguments.list) {
        list_bugs();
        return EXIT_SUCCESS;
    }
    if (arguments.list_invariants) {
        list_invariants();
        return EXIT_SUCCESS;
    }
    lwp_bug_choose(arguments.bug);
    const uint64_t began_ns = lwp_clock_now();
    for (uint64_t seed = arguments.first; seed <= arguments.last; seed++)
        sim_run(seed, arguments.verbose);
    (void)printf("lwp-sim: %" PRIu64 " seeds, all invariants held, %.1f s\n",
                 arguments.last - arguments.first + 1,
                 (double)(lwp_clock_now() - began_ns) / (double)LWP_SECOND_NS);
    return EXIT_SUCCESS;
}
