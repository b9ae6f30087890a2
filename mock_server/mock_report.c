/* SPDX-License-Identifier: MIT */
/* What the mock can say of its scripts and of what happened. */
#include <stdlib.h>

#include "mock_server/mock_state.h"

enum { FIRST_TEXT_SIZE = 65536, MAX_TEXT_SIZE = 268435456 };

/* What `write` writes, as a text of its own with a zero at its end. */
static enum lwp_status text_of(const struct lwp_stage *stage,
                               bool (*write)(const struct lwp_stage *, struct lwp_writer *),
                               char **text, bool *result)
{
    for (size_t size = FIRST_TEXT_SIZE; size <= MAX_TEXT_SIZE; size *= 4) {
        char *made = malloc(size);
        if (!made)
            return LWP_NO_MEMORY;
        struct lwp_writer out = lwp_writer_on((uint8_t *)made, size - 1);
        *result = write(stage, &out);
        made[out.size] = '\0';
        if (!out.full) {
            *text = made;
            return LWP_OK;
        }
        free(made);
    }
    return LWP_NO_MEMORY;
}

static bool write_list(const struct lwp_stage *stage, struct lwp_writer *out)
{
    stage_list(stage, out);
    return true;
}

enum lwp_status mock_list(const struct lwp_mock *mock, char **text)
{
    bool listed = false;
    return text_of(mock->stage, write_list, text, &listed);
}

enum lwp_status mock_verdict(struct lwp_mock *mock, bool *passed, char **text)
{
    const enum lwp_status status = text_of(mock->stage, stage_verdict, text, passed);
    if (status != LWP_OK || !lwp_events_wanted(mock->events))
        return status;
    const struct lwp_event event = {.kind = LWP_EVENT_VERDICT,
                                    .time_ns = mock->now_ns,
                                    .passed = *passed,
                                    .text = lwp_bytes_text(*text)};
    lwp_events_add(mock->events, &event);
    return status;
}

enum lwp_status mock_log(const struct lwp_mock *mock, char **text, size_t *size)
{
    *size = 0;
    if (mock->events)
        return lwp_events_text(mock->events, text, size);
    *text = calloc(1, 1);
    return *text ? LWP_OK : LWP_NO_MEMORY;
}

void mock_note(struct lwp_mock *mock, const struct member *member, const char *text)
{
    const struct stage_peer *peer = &member->connection.peer;
    const struct lwp_event event = {.kind = LWP_EVENT_NOTE,
                                    .time_ns = mock->now_ns,
                                    .node = lwp_bytes_text(member->node->name),
                                    .connection = peer->number,
                                    .tag = peer->label,
                                    .text = lwp_bytes_text(text)};
    if (lwp_events_wanted(mock->events))
        lwp_events_add(mock->events, &event);
}
