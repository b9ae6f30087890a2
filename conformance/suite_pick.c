/* SPDX-License-Identifier: MIT */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include "conformance/changes.h"
#include "conformance/suite_state.h"
#include "lwp/wire/dice.h"

bool suite_wants(const struct suite *suite, const struct script_case *of)
{
    if (of->role != SCRIPT_SERVER)
        return false;
    for (size_t i = 0; i < suite->filter_count; i++)
        if (fnmatch(suite->filters[i], (const char *)of->id.data, 0) == 0)
            return true;
    return suite->filter_count == 0;
}

/* Whether it is not run, and why. */
static bool skips(const struct walk *walk, struct outcome *outcome)
{
    const struct suite_target *target = walk->targets[0];
    const struct expectation *expectation =
        expectation_of(walk->suite->expectations, outcome->of->id);
    char *reason = outcome->result.reason;
    outcome->result = (struct result){.of = outcome->of, .verdict = VERDICT_SKIP, .offset = -1};
    if (!profile_allows(target->profile, target->features, outcome->of, reason))
        return true;
    const char *why = NULL;
    if (walk->suite->read_only && run_changes_server(outcome->of))
        why = "it changes the server, and the run is read-only";
    else if (expectation && expectation->kind == EXPECT_SKIP)
        why = (const char *)expectation->reason.data;
    if (why)
        (void)snprintf(reason, RESULT_TEXT_SIZE, "%s", why);
    else
        outcome->result = (struct result){.of = NULL};
    return why != NULL;
}

bool pick_cases(struct walk *walk)
{
    const struct suite *suite = walk->suite;
    const size_t most = suite->cases->cases.count;
    size_t fitting = 0;
    walk->outcomes = calloc(most + 1, sizeof(*walk->outcomes));
    walk->order = calloc(most + 1, sizeof(*walk->order));
    for (size_t i = 0; walk->outcomes && walk->order && i < most; i++) {
        const struct script_case *of = &suite->cases->cases.items[i];
        if (!suite_wants(suite, of))
            continue;
        if (suite->shards && fitting++ % suite->shards != suite->shard)
            continue;
        struct outcome *outcome = &walk->outcomes[walk->count];
        *outcome = (struct outcome){.of = of, .ordinal = (unsigned)i + 1};
        outcome->runs = !skips(walk, outcome);
        outcome->done = !outcome->runs;
        if (outcome->runs)
            walk->order[walk->order_count++] = walk->count;
        walk->count++;
    }
    return walk->outcomes && walk->order;
}

void pick_shuffle(struct walk *walk)
{
    uint64_t dice = walk->suite->shuffle;
    for (size_t left = walk->order_count; left > 1; left--) {
        const size_t chosen = (size_t)lwp_dice_between(&dice, 0, left - 1);
        const size_t last = walk->order[left - 1];
        walk->order[left - 1] = walk->order[chosen];
        walk->order[chosen] = last;
    }
}

/* Whether the frame is about a topic of the case's own. */
static bool is_about_own_topic(const struct script_frame *frame)
{
    for (size_t i = 0; i < frame->fields.count; i++) {
        const struct script_field *field = &frame->fields.items[i];
        const bool names_topic =
            (field->subject == SCRIPT_HEADER && field->header == LWP_HEADER_topic_id) ||
            (field->subject == SCRIPT_PAYLOAD && strcmp(field->field->name, "topic_id") == 0);
        if (names_topic && field->value.kind == SCRIPT_VARIABLE)
            return true;
    }
    return false;
}

/* Whether it asks for what other cases change. */
static bool looks_around(const struct script_frame *frame)
{
    if (!frame->command)
        return false;
    switch (frame->command->code) {
    case LWP_COMMAND_LIST_TOPICS:
    case LWP_COMMAND_GET_CLUSTER_STATUS:
        return true;
    case LWP_COMMAND_FETCH:
    case LWP_COMMAND_SUBSCRIBE:
        return !is_about_own_topic(frame);
    default:
        return false;
    }
}

static bool is_sociable_step(const struct script_step *step)
{
    enum { MOST_CONNECTIONS = 4 };
    if (step->kind == SCRIPT_SILENT || step->least_ns || step->connection >= MOST_CONNECTIONS)
        return false;
    for (size_t i = 0; step->kind == SCRIPT_SEND && i < step->frames.count; i++)
        if (looks_around(&step->frames.items[i]))
            return false;
    return true;
}

bool pick_is_sociable(const struct script_case *of)
{
    for (size_t i = 0; i < of->steps.count; i++)
        if (!is_sociable_step(&of->steps.items[i]))
            return false;
    return true;
}
