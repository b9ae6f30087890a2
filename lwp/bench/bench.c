/* SPDX-License-Identifier: MIT */
/* lwp-bench - the speed of codec, mock and client library, as ratios of two things measured in one
 * run. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "lwp/bench/gates.h"
#include "lwp/bench/laps.h"

enum { EXIT_GATE_MISSED = 1, EXIT_USAGE = 64, EXIT_UNSOUND = 70, EXIT_OUTPUT = 74 };

enum { MOST_RESULTS = 64, KIB = 1024, DRAG = 29, HANDICAP = DRAG + 1 };

struct arguments {
    const char *json;     /* NULL: no document. */
    bool without_foreign; /* Published clients that are not there are no failure. */
    bool proves;  /* All that is ours counts HANDICAP times, so that every gate must miss. */
    char **gates; /* The numbers of those to be measured, and NULL; none: all. */
};

struct results {
    const struct arguments *arguments;
    struct result all[MOST_RESULTS];
    size_t count;
};

static bool is_wanted(const struct results *results, const struct gate *gate)
{
    char *const *gates = results->arguments->gates;
    bool wanted = !gates[0];
    for (; *gates; gates++)
        wanted = wanted || strtoul(*gates, NULL, 10) == gate->number;
    return wanted;
}

/* A gate that there is not has no number. */
static void take(struct results *results, struct result result)
{
    if (result.gate->number == 0 || results->count == MOST_RESULTS)
        return;
    results->all[results->count++] = result;
    report_table_row(stdout, &result);
}

/* The same where nobody can be held up. */
static void take_counted(struct results *results, struct result result)
{
    if (results->arguments->proves) {
        result.found.ours_ns *= HANDICAP;
        result.found.time_ratio *= HANDICAP;
        result.share /= HANDICAP;
    }
    take(results, result);
}

/* What does not do what it is measured for has no figures. */
static void __attribute__((noreturn)) give_up(const struct gate *gate, const char *why)
{
    (void)fprintf(stderr, "lwp-bench: %s: %s\n", gate->what, why);
    exit(EXIT_UNSOUND);
}

static void measure_codec(struct results *results, const struct codec_gate *row)
{
    struct result result = {.gate = &row->gate};
    if (!is_wanted(results, &row->gate))
        return;
    if (!row->reference) {
        take(results, result);
        return;
    }
    struct load *load = load_new(&row->shape);
    result.measured = load && measure(load, row->ours, row->reference, &result.found);
    load_free(load);
    if (!result.measured)
        give_up(&row->gate, "not the same answer as what it is measured against");
    take_counted(results, result);
}

static void measure_duel(struct results *results, const struct duel_gate *row)
{
    struct outcome found;
    if (!is_wanted(results, &row->wall))
        return;
    if (!duel(row->ours, row->reference, &found))
        give_up(&row->wall, "a server or the producer failed");
    take_counted(results,
                 (struct result){.gate = &row->wall, .measured = true, .found = found.wall});
    take_counted(results, (struct result){.gate = &row->cpu, .measured = true, .found = found.cpu});
}

static void measure_race(struct results *results, const struct race *row)
{
    const struct gate *first = row->wall.number ? &row->wall : &row->cpu;
    const struct arguments *arguments = results->arguments;
    struct outcome found;
    if (!is_wanted(results, first))
        return;
    if (!laps_have(row->reference)) {
        take(results, (struct result){.gate = first, .left_out = arguments->without_foreign});
        return;
    }
    if (!race(row, arguments->proves ? DRAG : 0, &found))
        give_up(first, "a client or the mock failed");
    take(results, (struct result){.gate = &row->wall, .measured = true, .found = found.wall});
    take(results, (struct result){.gate = &row->cpu, .measured = true, .found = found.cpu});
}

static void measure_memory(struct results *results, const struct memory_gate *row)
{
    struct course course;
    struct memory memory;
    if (!is_wanted(results, &row->gate))
        return;
    const bool ok = course_open(row->course, &course) && row->use(&course, &memory);
    course_close(&course);
    if (!ok)
        give_up(&row->gate, "a client or the mock failed");
    const double peak = (double)memory.peak / KIB;
    const double allowed = (double)memory.allowed / KIB;
    take_counted(results, (struct result){.gate = &row->gate,
                                          .measured = true,
                                          .found = {peak, allowed, peak / allowed}});
}

static void measure_visits(struct results *results)
{
    struct result result = {.gate = &visit_gate};
    size_t good = 0;
    if (!is_wanted(results, &visit_gate))
        return;
    result.measured = visits(VISIT_COUNT, &good, &result.found.ours_ns);
    result.share = (double)good / VISIT_COUNT;
    take_counted(results, result);
}

/* Clients come before servers, which take memory as no client's process does. */
static void measure_all(struct results *results)
{
    for (const struct codec_gate *row = codec_gates; row->gate.number; row++)
        measure_codec(results, row);
    for (const struct race *row = race_gates; row->ours; row++)
        measure_race(results, row);
    for (const struct memory_gate *row = memory_gates; row->use; row++)
        measure_memory(results, row);
    for (const struct duel_gate *row = duel_gates; row->wall.number; row++)
        measure_duel(results, row);
    measure_visits(results);
}

/* Whether all gates hold; or, to be proved, whether none does. */
static bool judge(const struct results *results)
{
    bool ok = true;
    for (size_t i = 0; i < results->count; i++) {
        const struct result *result = &results->all[i];
        const bool is_judged = result->gate->gate > 0 && !result->left_out;
        const bool is_as_wanted =
            results->arguments->proves ? result->measured && !result_ok(result) : result_ok(result);
        if (is_judged && !is_as_wanted)
            ok = false;
    }
    return ok;
}

static int usage(FILE *out, int status)
{
    (void)fprintf(
        out,
        "usage: lwp-bench [--json FILE] [--without-foreign] [--prove] [GATE]...\n"
        "Measures all gates, or those of these numbers. Exits with 0 if all hold, 1 if not.\n"
        "  --without-foreign  published clients that are not there are no failure\n"
        "  --prove            holds our clients up, and counts what else is ours %d times:\n"
        "                     0 if then no gate holds\n",
        HANDICAP);
    return status;
}

static int bench(const struct arguments *arguments)
{
#ifndef __OPTIMIZE__
    (void)fprintf(stderr, "lwp-bench: this build is not optimised, its figures mean nothing\n");
#endif
    struct results results = {.arguments = arguments};
    const struct machine machine = machine_here();
    report_table_head(stdout, &machine);
    measure_all(&results);
    if (arguments->json && !report_json(arguments->json, &machine, results.all, results.count)) {
        (void)fprintf(stderr, "lwp-bench: %s: %s\n", arguments->json, strerror(errno));
        return EXIT_OUTPUT;
    }
    if (results.count == 0)
        return usage(stderr, EXIT_USAGE);
    return judge(&results) ? EXIT_SUCCESS : EXIT_GATE_MISSED;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"json", required_argument, NULL, 'j'},
                                            {"without-foreign", no_argument, NULL, 'w'},
                                            {"prove", no_argument, NULL, 'p'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct arguments arguments = {.json = NULL};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h')
            return usage(stdout, EXIT_SUCCESS);
        if (option == '?')
            return usage(stderr, EXIT_USAGE);
        if (option == 'j')
            arguments.json = optarg;
        arguments.without_foreign = arguments.without_foreign || option == 'w';
        arguments.proves = arguments.proves || option == 'p';
    }
    arguments.gates = argv + optind;
    return bench(&arguments);
}
