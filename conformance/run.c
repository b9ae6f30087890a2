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
    run->began_ns = lwp_world_now(options->world);
    result->verdict = VERDICT_PASS;
    bind_token(run);
    const enum lwp_status status = wire_open(run, 0, !feature_needed(run->of, "auth"));
    if (status != LWP_OK)
        step_verdict(run, NULL, VERDICT_ERROR, lwp_status_text(status));
    for (size_t i = 0; i < of->steps.count && !run->failed; i++)
        if (script_step_applies(&of->steps.items[i], options->dialect))
            step_carry_out(run, &of->steps.items[i]);
    set_up_clean(run);
    wire_done(run);
    result->duration_ns = lwp_world_now(options->world) - run->began_ns;
    if (arena->failed)
        step_verdict(run, NULL, VERDICT_ERROR, "there is no memory left");
}

enum lwp_status run_sanity(const struct run_options *options)
{
    struct script_arena arena = {NULL, 0, false};
    struct result result = {.verdict = VERDICT_PASS};
    struct run *run = script_arena_take(&arena, sizeof(*run));
    if (!run)
        return LWP_NO_MEMORY;
    *run = (struct run){.options = options, .arena = &arena, .result = &result};
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
    wire_done(run);
    script_arena_done(&arena);
    return status;
}

/* A run of nothing but set-up: makes or deletes the topic that keeps the server's registry from
 * becoming empty. */
static bool begin_keeper(const struct run_options *options, struct script_arena *arena,
                         struct result *result, struct run **run)
{
    *run = script_arena_take(arena, sizeof(**run));
    if (!*run)
        return false;
    **run = (struct run){.options = options, .arena = arena, .result = result};
    (*run)->variables.arena = arena;
    return true;
}

uint64_t run_make_keeper(const struct run_options *options)
{
    static const struct script_step step = {.kind = SCRIPT_GIVEN_TOPIC,
                                            .variable = {(const uint8_t *)"keeper", 6}};
    struct script_arena arena = {NULL, 0, false};
    struct result result = {.verdict = VERDICT_PASS};
    struct run *run = NULL;
    uint64_t id = 0;
    if (begin_keeper(options, &arena, &result, &run)) {
        set_up_topic(run, &step);
        id = run->created_ids.count ? run->created_ids.items[0] : 0;
        wire_done(run);
    }
    script_arena_done(&arena);
    return id;
}

void run_delete_keeper(const struct run_options *options, uint64_t id)
{
    struct script_arena arena = {NULL, 0, false};
    struct result result = {.verdict = VERDICT_PASS};
    struct run *run = NULL;
    if (begin_keeper(options, &arena, &result, &run)) {
        uint64_t *added = SCRIPT_ADD(&arena, &run->created_ids);
        if (added)
            *added = id;
        set_up_clean(run);
        wire_done(run);
    }
    script_arena_done(&arena);
}
