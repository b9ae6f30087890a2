/* SPDX-License-Identifier: MIT */
/* Arguments of actions that damage frames, hold them up or break connections. */
#include "mock_server/script/arguments.h"

enum { MAX_PIECES = 256, MAX_HELD = 1024 };

/* What a count may be, where it is not from 1 to 2^32-1. */
static uint64_t most_of(enum script_action_kind kind)
{
    const bool holds = kind == SCRIPT_ACTION_REORDER || kind == SCRIPT_ACTION_COALESCE;
    return holds ? MAX_HELD : UINT32_MAX;
}

void arguments_count(struct reader *reader, struct script_action *action)
{
    const bool from_zero =
        action->kind == SCRIPT_ACTION_TRUNCATE || action->kind == SCRIPT_ACTION_LAG;
    const uint64_t most = most_of(action->kind);
    const char *expected = from_zero          ? "a number up to 4294967295"
                           : most == MAX_HELD ? "a number from 1 to 1024"
                                              : "a number from 1 to 4294967295";
    const struct token *at = reader->token;
    action->has_number = true;
    action->number = reader_number(reader, most, expected);
    if (!from_zero && action->number == 0)
        reader_error(reader, at, expected);
}

/* D or D~D */
void arguments_range(struct reader *reader, struct script_action *action)
{
    action->has_duration = true;
    if (!reader_range(reader, &action->least_ns, &action->most_ns))
        action->least_ns = action->most_ns;
}

void arguments_delay(struct reader *reader, struct script_action *action)
{
    arguments_range(reader, action);
    action->in_order = !reader->failed && reader_take(reader, "inorder");
}

static bool is_checksum(const struct script_field *field)
{
    return field->header == LWP_HEADER_header_crc || field->header == LWP_HEADER_payload_crc;
}

/* FIELD=VALUE [crc fix|keep] */
void arguments_set(struct reader *reader, struct script_action *action)
{
    const struct token *word = reader_next(reader);
    action->frame.kind = LWP_KIND_UNKNOWN;
    reader_field(reader, &action->frame, word);
    if (reader->failed || action->frame.fields.count != 1)
        return;
    const bool is_crc = is_checksum(&action->frame.fields.items[0]);
    action->fixes_checksum = !is_crc;
    if (!reader_take(reader, "crc"))
        return;
    const struct token *at = reader->token;
    action->fixes_checksum = reader_take(reader, "fix");
    if (action->fixes_checksum && is_crc)
        reader_error(reader, at, "keep: the field is the checksum itself");
    else if (!action->fixes_checksum && !reader_take(reader, "keep"))
        reader_error(reader, at, "fix or keep");
}

/* Where damage begins: from the frame's begin, or negative from its end. */
static void read_place(struct reader *reader, struct script_action *action)
{
    const struct token *at = reader_next(reader);
    if ((at->kind != TOKEN_NUMBER && at->kind != TOKEN_NEGATIVE) || at->number > INT32_MAX)
        reader_error(reader, at, "an offset, for example 43 or -1");
    action->offset = at->kind == TOKEN_NEGATIVE ? -(int64_t)at->number : (int64_t)at->number;
    if (reader->failed)
        action->offset = 0;
}

void arguments_at_bytes(struct reader *reader, struct script_action *action)
{
    read_place(reader, action);
    const struct token *at = reader->token;
    if (!reader->failed)
        action->bytes = reader_bytes(reader);
    if (action->bytes.size == 0)
        reader_error(reader, at, "one byte at least");
}

void arguments_at_count(struct reader *reader, struct script_action *action)
{
    read_place(reader, action);
    if (!reader->failed)
        arguments_count(reader, action);
}

/* One piece of chop: a number of bytes, or * for all the rest. */
static void read_piece(struct reader *reader, struct script_action *action)
{
    const struct token *at = reader->token;
    const bool is_rest = reader_take(reader, "*");
    const uint64_t size =
        is_rest ? 0 : reader_number(reader, UINT32_MAX, "a number of bytes from 1, or *");
    if (!is_rest && size == 0)
        reader_error(reader, at, "a number of bytes from 1, or *");
    if (action->sizes.count == MAX_PIECES)
        reader_error(reader, at, "at most 256 pieces");
    size_t *added = reader->failed ? NULL : SCRIPT_ADD(&reader->script->arena, &action->sizes);
    if (added)
        *added = (size_t)size;
}

/* Whether a comma and another piece follow; otherwise the comma is between actions. */
static bool is_at_next_piece(const struct reader *reader)
{
    const struct token *next = reader->token + 1;
    return reader_is(reader, ",") &&
           (next->kind == TOKEN_NUMBER ||
            (next->kind == TOKEN_SIGN && lwp_bytes_equal(next->text, lwp_bytes_text("*"))));
}

/* 43,1,* [gap D] */
void arguments_sizes(struct reader *reader, struct script_action *action)
{
    read_piece(reader, action);
    while (!reader->failed && is_at_next_piece(reader)) {
        const struct token *comma = reader_next(reader);
        if (action->sizes.count && action->sizes.items[action->sizes.count - 1] == 0)
            reader_error(reader, comma + 1, "nothing behind *, which is all the rest");
        read_piece(reader, action);
    }
    if (!reader->failed && reader_take(reader, "gap"))
        action->gap_ns = reader_duration(reader);
}

/* [fin|rst|half] [after N bytes] */
void arguments_close(struct reader *reader, struct script_action *action)
{
    reader_end(reader, &action->end);
    const bool is_bytes = reader_is(reader, "after") && reader->token[1].kind == TOKEN_NUMBER;
    if (!is_bytes || !reader_take(reader, "after"))
        return;
    action->has_number = true;
    action->number = reader_number(reader, UINT32_MAX, "a number of bytes");
    reader_insist(reader, "bytes");
}
