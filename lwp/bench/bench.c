/* SPDX-License-Identifier: MIT */
/* lwp-bench - the speed of codec, mock and client library, as ratios of two things measured in one
 * run. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "lwp/bench/duel.h"
#include "lwp/bench/laps.h"
#include "lwp/bench/report.h"

enum { EXIT_GATE_MISSED = 1, EXIT_USAGE = 64, EXIT_UNSOUND = 70, EXIT_OUTPUT = 74 };

#ifdef LWP_ISAL
#define ISAL(candidate) (candidate)
#else
#define ISAL(candidate) NULL
#endif

/* A gate of the codec. */
struct codec_gate {
    struct gate gate;
    work_fn *ours;
    work_fn *reference; /* NULL if this build does not have it. */
    struct shape shape;
};

/* Number, which ratio, gate, aim, what, against what; ours, the reference; polynomial and size of
 * the payload, size of a record. Where one polynomial is measured it stands for both: they cost the
 * same. */
/* clang-format off */
static const struct codec_gate codec_gates[] = {
    {{1, SPEED_AT_LEAST, 0.95, 1.0, "CRC-32C of 1 KiB", "libisal call"},
     crc_by_lwp, ISAL(crc32c_by_isal), {LWP_CRC32C, 1024, 0, 0}},
    {{1, SPEED_AT_LEAST, 0.95, 1.0, "CRC-32C of 32 KiB", "libisal call"},
     crc_by_lwp, ISAL(crc32c_by_isal), {LWP_CRC32C, 32768, 0, 0}},
    {{1, SPEED_AT_LEAST, 0.95, 1.0, "CRC-32C of 1 MiB", "libisal call"},
     crc_by_lwp, ISAL(crc32c_by_isal), {LWP_CRC32C, 1048576, 0, 0}},
    {{1, SPEED_AT_LEAST, 0.95, 1.0, "CRC-32 of 1 KiB", "libisal call"},
     crc_by_lwp, ISAL(crc32_by_isal), {LWP_CRC32, 1024, 0, 0}},
    {{1, SPEED_AT_LEAST, 0.95, 1.0, "CRC-32 of 32 KiB", "libisal call"},
     crc_by_lwp, ISAL(crc32_by_isal), {LWP_CRC32, 32768, 0, 0}},
    {{1, SPEED_AT_LEAST, 0.95, 1.0, "CRC-32 of 1 MiB", "libisal call"},
     crc_by_lwp, ISAL(crc32_by_isal), {LWP_CRC32, 1048576, 0, 0}},
    {{2, SPEED_AT_LEAST, 12, 20, "CRC-32 of 32 KiB", "zlib crc32"},
     crc_by_lwp, crc_by_zlib, {LWP_CRC32, 32768, 0, 0}},
    {{3, TIME_AT_MOST, 1.7, 0.5, "header parse and checksum, time", "plain, slicing by 8"},
     header_by_lwp, header_by_slices, {LWP_CRC32C, 0, 0, 0}},
    {{4, SPEED_AT_LEAST, 0.95, 0, "frame decode of 32 KiB, no walk", "checksum alone"},
     split_by_lwp, crc_by_lwp, {LWP_CRC32C, 32768, 0, 0}},
    {{5, SPEED_AT_LEAST, 0.33, 0.39, "decode and walk, 312 x 100 B", "checksum alone"},
     walk_by_lwp, crc_by_lwp, {LWP_CRC32C, 32768, 100, 0}},
    {{5, SPEED_AT_LEAST, 0.75, 0.85, "decode and walk, 32 x 1000 B", "checksum alone"},
     walk_by_lwp, crc_by_lwp, {LWP_CRC32C, 32768, 1000, 0}},
    {{6, SPEED_AT_LEAST, 0.45, 0.55, "frame build, 312 x 100 B", "memcpy of the frame"},
     build_by_lwp, copy_by_memcpy, {LWP_CRC32C, 32768, 100, 0}},
};

/* Gates of the mock: who against whom, by the clock on the wall and by what its thread needs. */
struct duel_gate {
    enum server_kind ours;
    enum server_kind reference;
    struct gate wall;
    struct gate cpu;
};

static const struct duel_gate duel_gates[] = {
    {SERVER_MOCK, SERVER_LOOP,
     {15, SPEED_AT_LEAST, 0.9, 0, "mock acks and stores 32 KiB", "bare loop, stores"},
     {15, SPEED_AT_LEAST, 0, 0, "the same, CPU time", "bare loop, stores"}},
    {SERVER_MOCK, SERVER_LOOP_FORGETS,
     {15, SPEED_AT_LEAST, 0, 0, "mock acks and stores 32 KiB", "bare loop, forgets"},
     {15, SPEED_AT_LEAST, 0, 0, "the same, CPU time", "bare loop, forgets"}},
    {SERVER_MOCK_WITH_RULES, SERVER_MOCK,
     {16, TIME_AT_MOST, 1.03, 0, "12 rules that never match, time", "mock without"},
     {16, TIME_AT_MOST, 1.03, 0, "the same, CPU time", "mock without"}},
};

/* Gates of the client library. Where there are processes apart, two rows: by the clock on the wall,
 * and by what the client needs, which is told where it is of interest. */
static const struct race race_gates[] = {
    {COURSE_EMPTY, produce_driven, produce_bare,
     {7, SPEED_AT_LEAST, 0.8, 0.95, "produce, caller-driven", "prebuilt frames"},
     {7, SPEED_AT_LEAST, 0, 0, "the same, CPU time", "prebuilt frames"}},
    {COURSE_EMPTY, produce_threaded, produce_bare,
     {7, SPEED_AT_LEAST, 0.3, 0, "produce, with a thread", "prebuilt frames"},
     {7, SPEED_AT_LEAST, 0, 0, "the same, CPU time", "prebuilt frames"}},
    {COURSE_AS_FOUND, produce_driven, produce_python,
     {8, SPEED_AT_LEAST, 300, 1000, "produce, caller-driven", "Python send_async"}, {0}},
    {COURSE_AS_FOUND, produce_driven, produce_rust,
     {9, SPEED_AT_LEAST, 5, 12, "produce, caller-driven", "Rust send_async"}, {0}},
    {COURSE_AS_FOUND, produce_singly, produce_python,
     {10, SPEED_AT_LEAST, 10, 35, "produce, one record a frame", "Python send_async"}, {0}},
    {COURSE_ONE_CORE, send_ours, ping_bare,
     {11, TIME_AT_MOST, 1.25, 1.1, "send, round trip, time", "44-byte ping-pong"}, {0}},
    {COURSE_ONE_CORE, send_ours, send_bare,
     {11, TIME_AT_MOST, 0, 0, "send, round trip, time", "prebuilt frame"}, {0}},
    {COURSE_FULL, fetch_by_one, fetch_bare,
     {12, SPEED_AT_LEAST, 0.85, 0.95, "fetch 64 KiB, one at a time", "bare loop"},
     {12, SPEED_AT_LEAST, 0, 0, "the same, CPU time", "bare loop"}},
    {COURSE_FULL, fetch_ahead, fetch_by_one,
     {12, SPEED_AT_LEAST, 4, 5.5, "fetch 64 KiB, read-ahead 4", "one at a time"}, {0}},
    {COURSE_FULL, fetch_ahead, fetch_bare_ahead,
     {12, SPEED_AT_LEAST, 0, 0, "fetch 64 KiB, read-ahead 4", "bare loop, four"},
     {12, SPEED_AT_LEAST, 0, 0, "the same, CPU time", "bare loop, four"}},
    {COURSE_TLS, produce_driven, produce_bare,
     {13, SPEED_AT_LEAST, 0.85, 0.95, "produce over TLS 1.3", "OpenSSL, prebuilt"},
     {13, SPEED_AT_LEAST, 0, 0, "the same, CPU time", "OpenSSL, prebuilt"}},
    {COURSE_TEXTS, produce_driven, pack_bare, {0},
     {14, SPEED_AT_LEAST, 0.8, 0.85, "produce with LZ4, CPU time", "liblz4 alone"}},
    {COURSE_PACKED, fetch_ahead, unpack_bare, {0},
     {14, SPEED_AT_LEAST, 0.75, 0.85, "consume LZ4, CPU time", "liblz4 alone"}},
};

static const struct gate visit_gate =
    {17, SHARE_AT_LEAST, 1, 0, "10000 scripted connections", "all that were tried"};
/* clang-format on */

enum {
    CODEC_COUNT = sizeof(codec_gates) / sizeof(codec_gates[0]),
    DUEL_COUNT = sizeof(duel_gates) / sizeof(duel_gates[0]),
    RACE_COUNT = sizeof(race_gates) / sizeof(race_gates[0]),
    VISIT_COUNT = 10000,
    MOST_RESULTS = CODEC_COUNT + 2 * DUEL_COUNT + 2 * RACE_COUNT + 1
};

struct results {
    struct result all[MOST_RESULTS];
    size_t count;
    bool ok;
};

struct arguments {
    const char *json; /* NULL: no document. */
    char **gates;     /* The numbers of those to be measured, and NULL; none: all. */
};

static bool is_wanted(const struct arguments *arguments, const struct gate *gate)
{
    bool wanted = !arguments->gates[0];
    for (size_t i = 0; arguments->gates[i]; i++)
        wanted = wanted || strtoul(arguments->gates[i], NULL, 10) == gate->number;
    return wanted;
}

static void take(struct results *results, struct result result)
{
    results->all[results->count++] = result;
    report_table_row(stdout, &result);
    results->ok = results->ok && result_ok(&result);
}

/* Ends the program if the candidates do not do the same: no ratio of theirs means anything. */
static void measure_codec(struct results *results, const struct codec_gate *row)
{
    struct result result = {.gate = &row->gate};
    if (!row->reference) {
        take(results, result);
        return;
    }
    struct load *load = load_new(&row->shape);
    if (!load) {
        fprintf(stderr, "lwp-bench: no memory\n");
        exit(EXIT_UNSOUND);
    }
    result.measured = measure(load, row->ours, row->reference, &result.found);
    load_free(load);
    if (!result.measured) {
        fprintf(stderr, "lwp-bench: %s: not the same answer as %s\n", row->gate.what,
                row->gate.against);
        exit(EXIT_UNSOUND);
    }
    take(results, result);
}

/* The same if one of the servers does not ack what it gets. */
static void measure_duel(struct results *results, const struct duel_gate *row)
{
    struct outcome outcome;
    if (!duel(row->ours, row->reference, &outcome)) {
        fprintf(stderr, "lwp-bench: %s: a server or the producer failed\n", row->wall.what);
        exit(EXIT_UNSOUND);
    }
    take(results, (struct result){.gate = &row->wall, .measured = true, .found = outcome.wall});
    take(results, (struct result){.gate = &row->cpu, .measured = true, .found = outcome.cpu});
}

/* The same if a client does not get through. */
static void measure_race(struct results *results, const struct race *row)
{
    const struct gate *first = row->wall.number ? &row->wall : &row->cpu;
    struct outcome outcome;
    if (!laps_have(row->reference)) {
        take(results, (struct result){.gate = first});
        return;
    }
    if (!race(row, &outcome)) {
        fprintf(stderr, "lwp-bench: %s: a client or the mock failed\n", first->what);
        exit(EXIT_UNSOUND);
    }
    if (row->wall.number)
        take(results, (struct result){.gate = &row->wall, .measured = true, .found = outcome.wall});
    if (row->cpu.number)
        take(results, (struct result){.gate = &row->cpu, .measured = true, .found = outcome.cpu});
}

static void measure_visits(struct results *results)
{
    struct result result = {.gate = &visit_gate};
    size_t good = 0;
    result.measured = visits(VISIT_COUNT, &good, &result.found.ours_ns);
    result.share = (double)good / VISIT_COUNT;
    take(results, result);
}

static int usage(FILE *out, int status)
{
    fprintf(out,
            "usage: lwp-bench [--json FILE] [GATE]...\n"
            "Measures all gates, or those of these numbers. Exits with 0 if all hold, 1 if not.\n");
    return status;
}

static void measure_all(struct results *results, const struct arguments *arguments)
{
    for (size_t i = 0; i < CODEC_COUNT; i++)
        if (is_wanted(arguments, &codec_gates[i].gate))
            measure_codec(results, &codec_gates[i]);
    for (size_t i = 0; i < RACE_COUNT; i++)
        if (is_wanted(arguments, &race_gates[i].wall) || is_wanted(arguments, &race_gates[i].cpu))
            measure_race(results, &race_gates[i]);
    for (size_t i = 0; i < DUEL_COUNT; i++)
        if (is_wanted(arguments, &duel_gates[i].wall))
            measure_duel(results, &duel_gates[i]);
    if (is_wanted(arguments, &visit_gate))
        measure_visits(results);
}

static int bench(const struct arguments *arguments)
{
#ifndef __OPTIMIZE__
    fprintf(stderr, "lwp-bench: this build is not optimised, its figures mean nothing\n");
#endif
    struct results results = {.ok = true};
    const struct machine machine = machine_here();
    report_table_head(stdout, &machine);
    measure_all(&results, arguments);
    if (arguments->json && !report_json(arguments->json, &machine, results.all, results.count)) {
        fprintf(stderr, "lwp-bench: %s: %s\n", arguments->json, strerror(errno));
        return EXIT_OUTPUT;
    }
    if (results.count == 0)
        return usage(stderr, EXIT_USAGE);
    return results.ok ? EXIT_SUCCESS : EXIT_GATE_MISSED;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", required_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
    struct arguments arguments = {NULL, NULL};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h')
            return usage(stdout, EXIT_SUCCESS);
        if (option == '?')
            return usage(stderr, EXIT_USAGE);
        arguments.json = optarg;
    }
    arguments.gates = argv + optind;
    return bench(&arguments);
}
