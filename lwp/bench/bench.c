/* SPDX-License-Identifier: MIT */
/* lwp-bench - gates 1 to 6: the codec's speed, as ratios of two things measured in one run. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "lwp/bench/report.h"

enum { EXIT_GATE_MISSED = 1, EXIT_USAGE = 64, EXIT_UNSOUND = 70, EXIT_OUTPUT = 74 };

#ifdef LWP_ISAL
#define ISAL(candidate) (candidate)
#else
#define ISAL(candidate) NULL
#endif

/* Number, which ratio, gate, aim, what, against what; ours, the reference; polynomial and size of
 * the payload, size of a record. Where one polynomial is measured it stands for both: they cost the
 * same. */
/* clang-format off */
static const struct gate gates[] = {
    {1, SPEED_AT_LEAST, 0.95, 1.0, "CRC-32C of 1 KiB", "libisal call",
     crc_by_lwp, ISAL(crc32c_by_isal), {LWP_CRC32C, 1024, 0}},
    {1, SPEED_AT_LEAST, 0.95, 1.0, "CRC-32C of 32 KiB", "libisal call",
     crc_by_lwp, ISAL(crc32c_by_isal), {LWP_CRC32C, 32768, 0}},
    {1, SPEED_AT_LEAST, 0.95, 1.0, "CRC-32C of 1 MiB", "libisal call",
     crc_by_lwp, ISAL(crc32c_by_isal), {LWP_CRC32C, 1048576, 0}},
    {1, SPEED_AT_LEAST, 0.95, 1.0, "CRC-32 of 1 KiB", "libisal call",
     crc_by_lwp, ISAL(crc32_by_isal), {LWP_CRC32, 1024, 0}},
    {1, SPEED_AT_LEAST, 0.95, 1.0, "CRC-32 of 32 KiB", "libisal call",
     crc_by_lwp, ISAL(crc32_by_isal), {LWP_CRC32, 32768, 0}},
    {1, SPEED_AT_LEAST, 0.95, 1.0, "CRC-32 of 1 MiB", "libisal call",
     crc_by_lwp, ISAL(crc32_by_isal), {LWP_CRC32, 1048576, 0}},
    {2, SPEED_AT_LEAST, 12, 20, "CRC-32 of 32 KiB", "zlib crc32",
     crc_by_lwp, crc_by_zlib, {LWP_CRC32, 32768, 0}},
    {3, TIME_AT_MOST, 1.7, 0.5, "header parse and checksum, time", "plain, slicing by 8",
     header_by_lwp, header_by_slices, {LWP_CRC32C, 0, 0}},
    {4, SPEED_AT_LEAST, 0.95, 0, "frame decode of 32 KiB, no walk", "checksum alone",
     split_by_lwp, crc_by_lwp, {LWP_CRC32C, 32768, 0}},
    {5, SPEED_AT_LEAST, 0.33, 0.39, "decode and walk, 312 x 100 B", "checksum alone",
     walk_by_lwp, crc_by_lwp, {LWP_CRC32C, 32768, 100}},
    {5, SPEED_AT_LEAST, 0.75, 0.85, "decode and walk, 32 x 1000 B", "checksum alone",
     walk_by_lwp, crc_by_lwp, {LWP_CRC32C, 32768, 1000}},
    {6, SPEED_AT_LEAST, 0.45, 0.55, "frame build, 312 x 100 B", "memcpy of the frame",
     build_by_lwp, copy_by_memcpy, {LWP_CRC32C, 32768, 100}},
};
/* clang-format on */

enum { GATE_COUNT = sizeof(gates) / sizeof(gates[0]) };

/* Ends the program if the candidates do not do the same: no ratio of theirs means anything. */
static struct result measure_gate(const struct gate *gate)
{
    struct result result = {.gate = gate};
    if (!gate->reference)
        return result;
    struct load *load = load_new(&gate->shape);
    if (!load) {
        fprintf(stderr, "lwp-bench: no memory\n");
        exit(EXIT_UNSOUND);
    }
    result.measured = measure(load, gate->ours, gate->reference, &result.found);
    load_free(load);
    if (!result.measured) {
        fprintf(stderr, "lwp-bench: %s: not the same answer as %s\n", gate->what, gate->against);
        exit(EXIT_UNSOUND);
    }
    return result;
}

static int usage(FILE *out, int status)
{
    fprintf(out, "usage: lwp-bench [--json FILE]\n"
                 "Measures gates 1 to 6. Exits with 0 if all hold, 1 if not.\n");
    return status;
}

static int bench(const char *json)
{
#ifndef __OPTIMIZE__
    fprintf(stderr, "lwp-bench: this build is not optimised, its figures mean nothing\n");
#endif
    struct result results[GATE_COUNT];
    bool ok = true;
    const struct machine machine = machine_here();
    report_table_head(stdout, &machine);
    for (size_t i = 0; i < GATE_COUNT; i++) {
        results[i] = measure_gate(&gates[i]);
        report_table_row(stdout, &results[i]);
        ok = ok && result_ok(&results[i]);
    }
    if (json && !report_json(json, &machine, results, GATE_COUNT)) {
        fprintf(stderr, "lwp-bench: %s: %s\n", json, strerror(errno));
        return EXIT_OUTPUT;
    }
    return ok ? EXIT_SUCCESS : EXIT_GATE_MISSED;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", required_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
    const char *json = NULL;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h')
            return usage(stdout, EXIT_SUCCESS);
        if (option != 'j')
            return usage(stderr, EXIT_USAGE);
        json = optarg;
    }
    if (optind < argc)
        return usage(stderr, EXIT_USAGE);
    return bench(json);
}
