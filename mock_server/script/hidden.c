/* SPDX-License-Identifier: MIT */
/* Finds rules whose answer can never be given, because an earlier rule gives its own each time. */
#include <stdio.h>

#include "mock_server/script/reader.h"

/* Which matches a rule is live on, counted from 1: each `step`-th from `first` to `last`. */
struct span {
    uint64_t first;
    uint64_t last;
    uint64_t step;
};

static uint64_t last_of(uint64_t first, uint64_t times, uint64_t step)
{
    return first + (times - 1) * step; /* All below 2^32, so that nothing overflows. */
}

static struct span span_of(const struct script_trigger *trigger)
{
    struct span span = {trigger->skip + 1, UINT64_MAX, 1};
    if (trigger->every) {
        span.step = trigger->every;
        span.first = (trigger->skip / trigger->every + 1) * trigger->every;
    }
    if (trigger->nth)
        span.first = trigger->nth;
    if (trigger->times && !trigger->has_chance)
        span.last = last_of(span.first, trigger->times, span.step);
    else if (trigger->nth && !trigger->times)
        span.last = trigger->nth;
    return span;
}

static bool is_single(const struct span *span)
{
    return span->first == span->last;
}

/* Whether all of `inner` is in `outer`. */
static bool contains(const struct span *outer, const struct span *inner)
{
    const bool in_step = (is_single(inner) || inner->step % outer->step == 0) &&
                         inner->first % outer->step == outer->first % outer->step;
    return outer->first <= inner->first && inner->last <= outer->last && in_step;
}

static bool same_value(const struct script_value *a, const struct script_value *b)
{
    const bool is_plain = a->kind <= SCRIPT_BYTES || a->kind == SCRIPT_ZERO;
    return is_plain && a->kind == b->kind && a->number == b->number &&
           lwp_bytes_equal(a->bytes, b->bytes);
}

static bool same_field(const struct script_field *a, const struct script_field *b)
{
    const bool same_subject = a->subject == b->subject && a->header == b->header &&
                              a->field == b->field && lwp_bytes_equal(a->path, b->path);
    return same_subject && a->relation == b->relation && same_value(&a->value, &b->value) &&
           same_value(&a->upper, &b->upper);
}

static bool has_field(const struct script_frame *frame, const struct script_field *field)
{
    for (size_t i = 0; i < frame->fields.count; i++)
        if (same_field(&frame->fields.items[i], field))
            return true;
    return false;
}

/* Whether each frame that `narrow` fits fits `wide` as well. Rather no than a wrong yes. */
static bool covers_frame(const struct script_pattern *wide, const struct script_pattern *narrow)
{
    enum { MAX_FIELDS = 16 };
    const struct script_frame *frame = &wide->frame;
    if (wide->exactly || frame->body != SCRIPT_BODY_NONE || frame->fields.count > MAX_FIELDS)
        return false;
    if (frame->kind != LWP_KIND_UNKNOWN &&
        (frame->kind != narrow->frame.kind || frame->command != narrow->frame.command))
        return false;
    for (size_t i = 0; i < frame->fields.count; i++)
        if (!has_field(&narrow->frame, &frame->fields.items[i]))
            return false;
    return true;
}

static bool covers(const struct script_match *wide, const struct script_match *narrow)
{
    return wide->happening == narrow->happening &&
           (narrow->direction & (unsigned)~wide->direction) == 0 &&
           (!wide->connection || wide->connection == narrow->connection) &&
           (!wide->label.size || lwp_bytes_equal(wide->label, narrow->label)) &&
           (!wide->node.size || lwp_bytes_equal(wide->node, narrow->node)) &&
           covers_frame(&wide->pattern, &narrow->pattern);
}

/* Whether the rule says what the answer is; the others apply beside whichever does. */
static bool decides(const struct script_rule *rule)
{
    for (size_t i = 0; i < rule->actions.count; i++) {
        const enum script_action_group group =
            script_action_rows[rule->actions.items[i].kind].group;
        if (group == SCRIPT_ANSWER || group == SCRIPT_EFFECT)
            return true;
    }
    return false;
}

static bool is_always_live(const struct span *span)
{
    return span->first == 1 && span->step == 1 && span->last == UINT64_MAX;
}

/* Whether both count the same matches, from the same one on. */
static bool count_alike(const struct script_rule *a, const struct script_rule *b)
{
    return covers(&b->match, &a->match) && lwp_bytes_equal(a->state, b->state) &&
           !b->trigger.after.size;
}

static bool hides(const struct script_rule *rule, const struct script_rule *later)
{
    if (rule->scope > later->scope || !covers(&rule->match, &later->match))
        return false;
    if (rule->state.size && !lwp_bytes_equal(rule->state, later->state))
        return false;
    const struct span span = span_of(&rule->trigger);
    const struct span other = span_of(&later->trigger);
    return is_always_live(&span) || (count_alike(rule, later) && contains(&span, &other));
}

static bool is_sure(const struct script_rule *rule)
{
    return !rule->is_timed && !rule->trigger.has_chance && !rule->trigger.after.size &&
           decides(rule);
}

/* What is expected of a rule that `by` hides. */
static const char *text_of(struct reader *reader, const struct script_rule *by)
{
    static const char text[] = "a rule that can be reached: %s always answers in its place";
    const size_t size = sizeof(text) + by->id.size;
    char *made = script_arena_take(&reader->script->arena, size);
    if (made)
        (void)snprintf(made, size, text, (const char *)by->id.data);
    return made ? made : text;
}

static void check_rule(struct reader *reader, size_t index)
{
    const struct script_rule *rules = reader->play->rules.items;
    const struct script_rule *rule = &rules[index];
    if (rule->is_timed || !decides(rule))
        return;
    for (size_t i = 0; i < index; i++) {
        if (!is_sure(&rules[i]) || !hides(&rules[i], rule))
            continue;
        reader_note(reader, rule->place, rule->id, text_of(reader, &rules[i]));
        return;
    }
}

void reader_check_hidden(struct reader *reader)
{
    for (size_t i = 0; i < reader->play->rules.count; i++)
        check_rule(reader, i);
}
