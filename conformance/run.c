/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "conformance/features.h"
#include "conformance/run_state.h"

static void bind_token(struct run *run)
{
    if (run->options->auth_token)
        script_bind_bytes(&run->variables, lwp_bytes_text("token"),
                          lwp_bytes_text(run->options->auth_token));
}

/* Closes all connections; what was said goes to whoever takes it. */
static void end_exchange(struct run *run, const char *what)
{
    const struct run_options *options = run->options;
    wire_done(run);
    run->result->duration_ns = lwp_world_now(options->world) - run->began_ns;
    if (run->arena->failed)
        step_verdict(run, NULL, VERDICT_ERROR, "there is no memory left");
    const struct exchange exchange = {
        .what = what,
        .chop = options->chop ? options->chop->name : NULL,
        .result = run->result,
        .wires = run->wires.items,
        .wire_count = run->wires.count,
    };
    if (options->sink)
        options->sink->take(options->sink, &exchange);
    script_arena_done(&run->wire_arena);
}

void run_case(const struct run_options *options, const struct script_case *of, unsigned ordinal,
              struct script_arena *arena, struct result *result)
{
    struct run *run = script_arena_take(arena, sizeof(*run));
    *result = (struct result){.of = of, .verdict = VERDICT_ERROR, .offset = -1};
    if (!run) {
        (void)snprintf(result->reason, sizeof(result->reason), "there is no memory left");
        return;
    }
    *run = (struct run){.options = options, .of = of, .arena = arena, .result = result};
    run->variables.arena = arena;
    run->ordinal = ordinal;
    run->began_ns = result->began_ns = lwp_world_now(options->world);
    result->verdict = VERDICT_PASS;
    bind_token(run);
    const enum lwp_status status = wire_open(run, 0, !feature_needed(run->of, "auth"));
    if (status != LWP_OK)
        step_verdict(run, NULL, VERDICT_ERROR, lwp_status_text(status));
    for (size_t i = 0; i < of->steps.count && !run->failed; i++)
        if (script_step_applies(&of->steps.items[i], options->dialect))
            step_carry_out(run, &of->steps.items[i]);
    run->line = 0;
    set_up_clean(run);
    end_exchange(run, (const char *)of->id.data);
}

/* What the runner does beside the cases; it is never chopped. */
struct aside {
    struct run_options options;
    struct script_arena arena;
    struct result result;
    struct run *run;
};

static bool begin_aside(const struct run_options *options, struct aside *aside)
{
    *aside = (struct aside){.options = *options, .result = {.verdict = VERDICT_PASS, .offset = -1}};
    aside->options.chop = NULL;
    aside->run = script_arena_take(&aside->arena, sizeof(*aside->run));
    if (!aside->run)
        return false;
    aside->result.began_ns = lwp_world_now(options->world);
    *aside->run = (struct run){.options = &aside->options,
                               .arena = &aside->arena,
                               .result = &aside->result,
                               .began_ns = aside->result.began_ns};
    aside->run->variables.arena = &aside->arena;
    return true;
}

static void end_aside(struct aside *aside, const char *what)
{
    end_exchange(aside->run, what);
    script_arena_done(&aside->arena);
}

enum lwp_status run_sanity(const struct run_options *options)
{
    struct aside aside;
    if (!begin_aside(options, &aside))
        return LWP_NO_MEMORY;
    struct run *run = aside.run;
    enum lwp_status status = wire_open(run, 0, true);
    if (status == LWP_OK) {
        uint8_t wire[LWP_HEADER_SIZE];
        struct lwp_frame frame = {.header = {.flags = LWP_FLAG_KEEPALIVE}};
        lwp_frame_seal(&frame, options->dialect->polynomial, 0);
        lwp_header_encode(&frame.header, wire);
        wire_send(run, 0, (struct lwp_bytes){wire, sizeof(wire)});
        const uint64_t deadline_ns =
            lwp_world_now(options->world) + DEFAULT_WAIT_NS * options->time_factor;
        status = wire_status(run, 0, wire_next(run, 0, deadline_ns));
        if (status == LWP_OK && run->peers[0].frame.header.flags != LWP_FLAG_KEEPALIVE)
            status = LWP_UNEXPECTED_FRAME;
    }
    end_aside(&aside, "sanity exchange");
    return status;
}

uint64_t run_make_keeper(const struct run_options *options)
{
    static const struct script_step step = {.kind = SCRIPT_GIVEN_TOPIC,
                                            .variable = {(const uint8_t *)"keeper", 6}};
    struct aside aside;
    if (!begin_aside(options, &aside))
        return 0;
    set_up_topic(aside.run, &step);
    const uint64_t id = aside.run->created_ids.count ? aside.run->created_ids.items[0] : 0;
    end_aside(&aside, "kept topic");
    return id;
}

void run_delete_keeper(const struct run_options *options, uint64_t id)
{
    struct aside aside;
    if (!begin_aside(options, &aside))
        return;
    uint64_t *added = SCRIPT_ADD(&aside.arena, &aside.run->created_ids);
    if (added)
        *added = id;
    set_up_clean(aside.run);
    end_aside(&aside, "kept topic");
}
