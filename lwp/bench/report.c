/* SPDX-License-Identifier: MIT */
#include "lwp/bench/report.h"

#include <string.h>

/* What a JSON string takes as it is; the rest becomes a blank. */
static void clean(char *text)
{
    text[strcspn(text, "\n")] = '\0';
    for (; *text; text++)
        if (*text < ' ' || *text > '~' || *text == '"' || *text == '\\')
            *text = ' ';
}

struct machine machine_here(void)
{
    struct machine machine = {"unknown"};
    FILE *in = fopen("/proc/cpuinfo", "r");
    if (!in)
        return machine;
    char line[256];
    while (fgets(line, sizeof(line), in)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", strlen("model name")) != 0 || !colon)
            continue;
        snprintf(machine.name, sizeof(machine.name), "%s", colon + 1 + strspn(colon + 1, " "));
        break;
    }
    fclose(in);
    clean(machine.name);
    return machine;
}

double result_ratio(const struct result *result)
{
    if (!result->measured)
        return 0;
    switch (result->gate->direction) {
    case SPEED_AT_LEAST:
        return 1 / result->found.time_ratio;
    case TIME_AT_MOST:
    case SIZE_AT_MOST:
        return result->found.time_ratio;
    case SHARE_AT_LEAST:
        return result->share;
    }
    return 0;
}

static bool is_limit(const struct gate *gate)
{
    return gate->direction == TIME_AT_MOST || gate->direction == SIZE_AT_MOST;
}

bool result_ok(const struct result *result)
{
    if (!result->measured)
        return result->left_out;
    const double ratio = result_ratio(result);
    const double gate = result->gate->gate;
    if (gate == 0)
        return true;
    return is_limit(result->gate) ? ratio <= gate : ratio >= gate;
}

static const char *verdict(const struct result *result)
{
    if (!result->measured)
        return result->left_out ? "left out" : "not measured";
    if (result->gate->gate == 0)
        return "told";
    return result_ok(result) ? "pass" : "MISS";
}

void report_table_head(FILE *out, const struct machine *machine)
{
    fprintf(
        out,
        "%s, medians of slices of CPU time (1 to 6) and of bursts over loopback; ns if not said\n",
        machine->name);
    fprintf(out, "%-4s  %-31s  %-19s  %9s  %9s  %7s  %8s  %5s  %s\n", "gate", "what", "against",
            "ours", "theirs", "ratio", "gate", "aim", "verdict");
}

static void put_cell(FILE *out, int width, int digits, double value)
{
    if (value > 0)
        fprintf(out, "%*.*f  ", width, digits, value);
    else
        fprintf(out, "%*s  ", width, "-");
}

void report_table_row(FILE *out, const struct result *result)
{
    const struct gate *gate = result->gate;
    fprintf(out, "%-4u  %-31s  %-19s  ", gate->number, gate->what, gate->against);
    put_cell(out, 9, 2, result->found.ours_ns);
    put_cell(out, 9, 2, result->found.reference_ns);
    put_cell(out, 7, 3, result_ratio(result));
    fprintf(out, "%s ", is_limit(gate) ? "<=" : ">=");
    put_cell(out, 5, 2, gate->gate);
    put_cell(out, 5, 2, gate->aim);
    fprintf(out, "%s\n", verdict(result));
    fflush(out);
}

static void put_number(FILE *out, const char *name, double value)
{
    if (value > 0)
        fprintf(out, "\"%s\": %.4f, ", name, value);
    else
        fprintf(out, "\"%s\": null, ", name);
}

/* The texts of the table of gates need no escapes. */
static void put_result(FILE *out, const struct result *result)
{
    static const char *const directions[] = {[SPEED_AT_LEAST] = "speed at least",
                                             [TIME_AT_MOST] = "time at most",
                                             [SIZE_AT_MOST] = "size at most",
                                             [SHARE_AT_LEAST] = "share at least"};
    const struct gate *gate = result->gate;
    fprintf(out, "{\"number\": %u, \"what\": \"%s\", \"against\": \"%s\", ", gate->number,
            gate->what, gate->against);
    put_number(out, "ours_ns", result->found.ours_ns);
    put_number(out, "reference_ns", result->found.reference_ns);
    put_number(out, "ratio", result_ratio(result));
    put_number(out, "gate", gate->gate);
    put_number(out, "aim", gate->aim);
    fprintf(out, "\"direction\": \"%s\", \"verdict\": \"%s\"}", directions[gate->direction],
            verdict(result));
}

bool report_json(const char *path, const struct machine *machine, const struct result *results,
                 size_t count)
{
    FILE *out = fopen(path, "w");
    if (!out)
        return false;
    fprintf(out, "{\"machine\": \"%s\", \"slices\": %d, \"gates\": [", machine->name, SLICE_COUNT);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, i ? ",\n  " : "\n  ");
        put_result(out, &results[i]);
    }
    fprintf(out, "\n]}\n");
    const bool written = !ferror(out);
    return fclose(out) == 0 && written;
}
