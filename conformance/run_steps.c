/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "conformance/features.h"
#include "conformance/run_state.h"
#include "lwp/wire/trace.h"

void step_verdict(struct run *run, const struct script_step *step, enum verdict verdict,
                  const char *reason)
{
    if (run->failed)
        return;
    run->failed = true;
    run->result->verdict = verdict;
    run->result->line = step ? step->place.line : 0;
    (void)snprintf(run->result->reason, sizeof(run->result->reason), "%s", reason);
}

static uint64_t deadline_after(const struct run *run, uint64_t wait_ns)
{
    return lwp_world_now(run->options->world) +
           (wait_ns ? wait_ns : DEFAULT_WAIT_NS) * run->options->time_factor;
}

/* Builds the frames into one piece, and remembers what matters later. */
static struct lwp_bytes build(struct run *run, const struct script_step *step)
{
    struct peer *peer = &run->peers[step->connection];
    size_t bound = 0;
    for (size_t i = 0; i < step->frames.count; i++)
        bound += script_frame_bound(&step->frames.items[i], &run->variables);
    struct lwp_writer out = lwp_writer_on(script_arena_take(run->arena, bound), bound);
    enum lwp_status status = out.data ? LWP_OK : LWP_NO_MEMORY;
    for (size_t i = 0; status == LWP_OK && i < step->frames.count; i++) {
        const struct script_frame *frame = &step->frames.items[i];
        const size_t begin = out.size;
        if (frame->kind == LWP_KIND_INGEST)
            peer->last_batch_id++;
        status =
            script_build(frame, run->options->dialect, &run->variables, peer->last_batch_id, &out);
        if (status == LWP_OK)
            set_up_watch_sent(run, lwp_bytes_from(lwp_writer_bytes(&out), begin));
    }
    if (status != LWP_OK) {
        char reason[RESULT_TEXT_SIZE];
        (void)snprintf(reason, sizeof(reason), "what is to be sent can not be built: %s%s",
                       lwp_status_text(status),
                       status == LWP_INVALID_ARGUMENT
                           ? " (a variable that is not bound, or not to what the field takes?)"
                           : "");
        step_verdict(run, step, VERDICT_ERROR, reason);
    }
    return lwp_writer_bytes(&out);
}

static void carry_out_send(struct run *run, const struct script_step *step)
{
    const struct lwp_bytes bytes = build(run, step);
    if (!run->failed)
        wire_send(run, step->connection, bytes);
}

static void carry_out_send_raw(struct run *run, const struct script_step *step)
{
    wire_send(run, step->connection, step->raw);
}

static void send_fence(struct run *run, const struct script_step *fence)
{
    struct peer *peer = &run->peers[fence->connection];
    if (peer->fence_sent)
        return;
    carry_out_send(run, fence);
    peer->fence_sent = true;
    peer->fence_batch_id = peer->last_batch_id;
}

/* What the step wants, all alternatives on one line. */
static void describe_expected(struct run *run, const struct script_step *step, const char *joint)
{
    char *out = run->result->expected;
    size_t at = 0;
    for (size_t i = 0; i < step->patterns.count && at + 1 < RESULT_TEXT_SIZE; i++) {
        at += (size_t)snprintf(out + at, RESULT_TEXT_SIZE - at, "%s", i ? joint : "");
        if (at + 1 >= RESULT_TEXT_SIZE)
            return;
        script_describe(&step->patterns.items[i], out + at, RESULT_TEXT_SIZE - at);
        at += strlen(out + at);
    }
}

static void describe_arrival(struct run *run, unsigned connection, enum arrival arrival)
{
    static const char *const words[] = {[ARRIVAL_FRAME] = "",
                                        [ARRIVAL_FIN] = "the connection was closed (FIN)",
                                        [ARRIVAL_RESET] = "the connection was reset (RST)",
                                        [ARRIVAL_MALFORMED] = "a malformed frame",
                                        [ARRIVAL_NONE] = "nothing within the time"};
    const struct peer *peer = &run->peers[connection];
    const struct lwp_fault *fault = &peer->link.session.fault;
    char *out = run->result->actual;
    if (arrival == ARRIVAL_FRAME)
        (void)lwp_trace_frame(run->options->dialect, &peer->frame, out, RESULT_TEXT_SIZE);
    else if (arrival == ARRIVAL_MALFORMED && fault->status != LWP_OK)
        (void)lwp_trace_fault(fault, out, RESULT_TEXT_SIZE);
    else if (arrival == ARRIVAL_MALFORMED)
        (void)snprintf(out, RESULT_TEXT_SIZE, "the connection was closed inside a frame");
    else
        (void)snprintf(out, RESULT_TEXT_SIZE, "%s", words[arrival]);
}

/* The step failed because of what arrived, or did not. */
static void fail_on(struct run *run, const struct script_step *step, enum arrival arrival,
                    const struct script_mismatch *mismatch)
{
    static const enum result_end ends[] = {[ARRIVAL_FRAME] = RESULT_FRAME,
                                           [ARRIVAL_FIN] = RESULT_CLOSE,
                                           [ARRIVAL_RESET] = RESULT_CLOSE,
                                           [ARRIVAL_MALFORMED] = RESULT_MALFORMED,
                                           [ARRIVAL_NONE] = RESULT_TIMEOUT};
    static const char *const reasons[] = {
        [ARRIVAL_FRAME] = "another frame came than is required",
        [ARRIVAL_FIN] = "the connection was closed, and something else is required",
        [ARRIVAL_RESET] = "the connection was reset, and something else is required",
        [ARRIVAL_MALFORMED] = "what came is no sound frame",
        [ARRIVAL_NONE] = "what is required did not come in time"};
    char reason[RESULT_TEXT_SIZE];
    if (run->failed)
        return;
    run->result->end = ends[arrival];
    describe_arrival(run, step->connection, arrival);
    (void)snprintf(reason, sizeof(reason), "%s", reasons[arrival]);
    if (mismatch && mismatch->field) {
        (void)snprintf(reason, sizeof(reason), "%s: expected %.200s, got %.200s", mismatch->field,
                       mismatch->expected, mismatch->actual);
        run->result->field = mismatch->field;
        run->result->offset = mismatch->offset;
    }
    step_verdict(run, step, arrival == ARRIVAL_NONE ? VERDICT_TIMEOUT : VERDICT_FAIL, reason);
}

static bool matches_end(const struct script_pattern *pattern, enum arrival arrival)
{
    switch (pattern->kind) {
    case SCRIPT_CLOSE:
        return arrival == ARRIVAL_FIN || arrival == ARRIVAL_RESET;
    case SCRIPT_CLOSE_FIN:
        return arrival == ARRIVAL_FIN;
    case SCRIPT_CLOSE_RST:
        return arrival == ARRIVAL_RESET;
    case SCRIPT_FRAME:
    case SCRIPT_NOTHING:
        return false;
    }
    return false;
}

/* The alternative that fits, or NULL with `*mismatch` about the first frame among them. `nothing`
 * is found out by the fence, so it fits a frame that none of the others does. */
static const struct script_pattern *find_match(struct run *run, const struct script_step *step,
                                               enum arrival arrival,
                                               struct script_mismatch *mismatch)
{
    const struct script_pattern *nothing = NULL;
    for (size_t i = 0; i < step->patterns.count; i++) {
        const struct script_pattern *pattern = &step->patterns.items[i];
        struct script_mismatch other = {.field = NULL, .offset = -1};
        if (pattern->kind == SCRIPT_NOTHING)
            nothing = pattern;
        if (matches_end(pattern, arrival))
            return pattern;
        if (pattern->kind != SCRIPT_FRAME || arrival != ARRIVAL_FRAME)
            continue;
        if (script_match(pattern, &run->peers[step->connection].frame, run->options->dialect,
                         &run->variables, &other))
            return pattern;
        if (!mismatch->field)
            *mismatch = other;
    }
    return arrival == ARRIVAL_FRAME ? nothing : NULL;
}

/* The fence that a `nothing` relies on: the next one on the connection. */
static const struct script_step *fence_behind(const struct run *run, const struct script_step *step)
{
    const struct script_step *end = run->of->steps.items + run->of->steps.count;
    for (const struct script_step *next = step + 1; next < end; next++)
        if (next->kind == SCRIPT_FENCE && next->connection == step->connection &&
            script_step_applies(next, run->options->dialect))
            return next;
    return NULL;
}

static bool has_kind(const struct script_step *step, enum script_pattern_kind kind)
{
    for (size_t i = 0; i < step->patterns.count; i++)
        if (step->patterns.items[i].kind == kind)
            return true;
    return false;
}

static void carry_out_expect(struct run *run, const struct script_step *step)
{
    struct peer *peer = &run->peers[step->connection];
    const struct script_step *fence =
        has_kind(step, SCRIPT_NOTHING) ? fence_behind(run, step) : NULL;
    const uint64_t began_ns = lwp_world_now(run->options->world);
    struct script_mismatch mismatch = {.field = NULL, .offset = -1};
    if (has_kind(step, SCRIPT_NOTHING) && !fence) {
        step_verdict(run, step, VERDICT_ERROR, "no fence of this connection and dialect follows");
        return;
    }
    if (fence)
        send_fence(run, fence);
    const enum arrival arrival =
        wire_next(run, step->connection, deadline_after(run, step->most_ns));
    const struct script_pattern *match = find_match(run, step, arrival, &mismatch);
    describe_expected(run, step, " | ");
    if (!match) {
        fail_on(run, step, arrival, &mismatch);
        return;
    }
    if (lwp_world_now(run->options->world) - began_ns < step->least_ns) {
        fail_on(run, step, arrival, NULL);
        return;
    }
    if (match->kind == SCRIPT_NOTHING)
        wire_hold(run, step->connection);
    peer->close_allowed = has_kind(step, SCRIPT_CLOSE);
    if (match->lenient)
        run->result->verdict = VERDICT_LENIENT;
    run->result->expected[0] = '\0';
}

static void carry_out_any_order(struct run *run, const struct script_step *step)
{
    bool *met = script_arena_take(run->arena, step->patterns.count * sizeof(*met));
    const uint64_t deadline_ns = deadline_after(run, 0);
    for (size_t round = 0; met && round < step->patterns.count; round++) {
        struct script_mismatch mismatch = {.field = NULL, .offset = -1};
        const enum arrival arrival = wire_next(run, step->connection, deadline_ns);
        size_t found = step->patterns.count;
        for (size_t i = 0; i < found && arrival == ARRIVAL_FRAME; i++)
            if (!met[i] &&
                script_match(&step->patterns.items[i], &run->peers[step->connection].frame,
                             run->options->dialect, &run->variables, &mismatch))
                found = i;
        if (found == step->patterns.count) {
            describe_expected(run, step, " ; ");
            fail_on(run, step, arrival, &mismatch);
            return;
        }
        met[found] = true;
    }
}

/* The pattern of the fence's answer. */
static struct script_pattern fence_answer(const struct script_step *step)
{
    struct script_pattern answer = {.kind = SCRIPT_FRAME};
    const struct script_frame *frame = &step->frames.items[0];
    answer.frame.kind = frame->kind == LWP_KIND_INGEST ? LWP_KIND_ACK : frame->kind;
    if (frame->command)
        answer.frame.command = lwp_command_of(frame->command->answer);
    return answer;
}

/* Whether what arrived is the answer to the fence, and not to something before it. */
static bool answers_fence(struct run *run, const struct peer *peer, enum arrival arrival,
                          const struct script_pattern *answer, struct script_mismatch *mismatch)
{
    if (arrival != ARRIVAL_FRAME ||
        !script_match(answer, &peer->frame, run->options->dialect, &run->variables, mismatch))
        return false;
    return answer->frame.kind != LWP_KIND_ACK ||
           peer->frame.header.batch_id == peer->fence_batch_id;
}

static void carry_out_fence(struct run *run, const struct script_step *step)
{
    struct peer *peer = &run->peers[step->connection];
    struct script_mismatch mismatch = {.field = NULL, .offset = -1};
    if (!peer->open && peer->close_allowed)
        return;
    send_fence(run, step);
    const bool close_allowed = peer->close_allowed;
    peer->fence_sent = false;
    peer->close_allowed = false;
    const enum arrival arrival = wire_next(run, step->connection, deadline_after(run, 0));
    if (close_allowed && (arrival == ARRIVAL_FIN || arrival == ARRIVAL_RESET))
        return;
    const struct script_pattern answer = fence_answer(step);
    if (answers_fence(run, peer, arrival, &answer, &mismatch))
        return;
    script_describe(&answer, run->result->expected, RESULT_TEXT_SIZE);
    const size_t at = strlen(run->result->expected);
    (void)snprintf(run->result->expected + at, RESULT_TEXT_SIZE - at,
                   " next, the answer to the fence: nothing may come before it");
    fail_on(run, step, arrival, &mismatch);
}

static void carry_out_silent(struct run *run, const struct script_step *step)
{
    const enum arrival arrival =
        wire_next(run, step->connection, lwp_world_now(run->options->world) + step->most_ns);
    if (arrival == ARRIVAL_NONE)
        return;
    (void)snprintf(run->result->expected, RESULT_TEXT_SIZE, "silence for %" PRIu64 " ms",
                   step->most_ns / 1000000);
    fail_on(run, step, arrival, NULL);
}

static void carry_out_connect(struct run *run, const struct script_step *step)
{
    const enum lwp_status status =
        wire_open(run, step->connection, !feature_needed(run->of, "auth"));
    if (status != LWP_OK)
        step_verdict(run, step, VERDICT_ERROR, lwp_status_text(status));
}

static void carry_out_end(struct run *run, const struct script_step *step)
{
    wire_end(run, step->connection, step->end);
}

void step_carry_out(struct run *run, const struct script_step *step)
{
    static void (*const carry_out[])(struct run *, const struct script_step *) = {
        [SCRIPT_GIVEN_TOPIC] = set_up_topic,      [SCRIPT_GIVEN_NAME] = set_up_name,
        [SCRIPT_CONNECT] = carry_out_connect,     [SCRIPT_SEND] = carry_out_send,
        [SCRIPT_SEND_RAW] = carry_out_send_raw,   [SCRIPT_EXPECT] = carry_out_expect,
        [SCRIPT_ANY_ORDER] = carry_out_any_order, [SCRIPT_FENCE] = carry_out_fence,
        [SCRIPT_SILENT] = carry_out_silent,       [SCRIPT_END_CONNECTION] = carry_out_end,
    };
    run->line = step->place.line;
    carry_out[step->kind](run, step);
}
