/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lwp/net/clock.h"
#include "lwp/sim/sim.h"
#include "lwp/wire/trace.h"

static void show_frame(FILE *out, const struct sim_line *line)
{
    struct lwp_frame frame;
    char text[LWP_TRACE_SIZE];
    lwp_header_decode(line->bytes, &frame.header);
    frame.header.timestamp_ns = 0; /* It is of this run only. */
    frame.payload = (struct lwp_bytes){line->bytes + LWP_HEADER_SIZE, line->size - LWP_HEADER_SIZE};
    const size_t left = frame.header.payload_length - frame.payload.size;
    lwp_frame_seal(&frame, line->dialect->polynomial, 0);
    (void)lwp_trace_frame(line->dialect, &frame, text, sizeof(text));
    if (left)
        (void)fprintf(out, "%s and %zu bytes more\n", text, left);
    else
        (void)fprintf(out, "%s\n", text);
}

static void show(FILE *out, const struct sim_line *line)
{
    (void)fprintf(out, "%12.6f ms  %-11s %s ", (double)line->now_ns / LWP_MILLISECOND_NS, line->who,
                  line->sign);
    if (line->dialect)
        show_frame(out, line);
    else
        (void)fprintf(out, "%s\n", (const char *)line->bytes);
}

static struct sim_line *next_line(struct sim *sim, const char *who, const char *sign)
{
    struct sim_line *line = &sim->trace.lines[sim->trace.count++ % SIM_TRACE_LINES];
    line->now_ns = sim->now_ns;
    (void)snprintf(line->who, sizeof(line->who), "%s", who);
    line->sign = sign;
    line->dialect = NULL;
    return line;
}

void sim_note(struct sim *sim, const char *who, const char *format, ...)
{
    struct sim_line *line = next_line(sim, who, "--");
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf((char *)line->bytes, sizeof(line->bytes), format, arguments);
    va_end(arguments);
    if (sim->trace.verbose)
        show(stdout, line);
}

void sim_note_frame(struct sim *sim, const char *who, const char *sign,
                    const struct lwp_frame *frame)
{
    struct sim_line *line = next_line(sim, who, sign);
    const size_t room = sizeof(line->bytes) - LWP_HEADER_SIZE;
    const size_t size = frame->payload.size < room ? frame->payload.size : room;
    line->dialect = sim->dialect;
    line->size = LWP_HEADER_SIZE + size;
    lwp_header_encode(&frame->header, line->bytes);
    if (size)
        memcpy(line->bytes + LWP_HEADER_SIZE, frame->payload.data, size);
    if (sim->trace.verbose)
        show(stdout, line);
}

const char *const sim_invariant_texts[SIM_INVARIANTS] = {
#define SIM_INVARIANT(name, text) [SIM_##name] = (text),
#include "lwp/sim/invariants.def"
#undef SIM_INVARIANT
};

void sim_fail(const struct sim *sim, enum sim_invariant invariant, const char *format, ...)
{
    const struct sim_trace *trace = &sim->trace;
    const uint64_t count = trace->count < SIM_TRACE_LINES ? trace->count : SIM_TRACE_LINES;
    va_list arguments;
    for (uint64_t i = trace->count - count; i < trace->count && !trace->verbose; i++)
        show(stdout, &trace->lines[i % SIM_TRACE_LINES]);
    (void)printf("FAILED  seed %" PRIu64 " after %.6f ms\ninvariant  %s\n", sim->seed,
                 (double)sim->now_ns / LWP_MILLISECOND_NS, sim_invariant_texts[invariant]);
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)printf("\nagain      lwp-sim --seeds %" PRIu64 "..%" PRIu64 " --verbose\n", sim->seed,
                 sim->seed);
    exit(EXIT_FAILURE);
}
