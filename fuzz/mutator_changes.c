/* SPDX-License-Identifier: MIT */
#include "fuzz/mutator_state.h"
#include "fuzz/stream.h"
#include "lwp/wire/compress.h"
#include "lwp/wire/dice.h"
#include "lwp/wire/tlv.h"

enum { LARGEST_PLAIN = 4096 };

/* Changes a few bytes without an engine. */
static size_t change_some(uint64_t *dice, uint8_t *data, size_t size, size_t max_size)
{
    if (size == 0 || (size < max_size && dice_one_in(dice, 4))) {
        const size_t at = dice_below(dice, size + 1);
        memmove(data + at + 1, data + at, size - at);
        data[at] = (uint8_t)lwp_dice_next(dice);
        return size + 1;
    }
    const size_t at = dice_below(dice, size);
    if (size > 1 && dice_one_in(dice, 4)) {
        memmove(data + at, data + at + 1, size - at - 1);
        return size - 1;
    }
    if (dice_one_in(dice, 2))
        data[at] ^= (uint8_t)(1U << dice_below(dice, 8));
    else
        data[at] = (uint8_t)made_number(dice, data[at]);
    return size;
}

size_t change_bytes(struct work *work, uint8_t *data, size_t size, size_t max_size)
{
    if (max_size == 0)
        return size;
    return work->change_bytes ? work->change_bytes(data, size, max_size)
                              : change_some(&work->dice, data, size, max_size);
}

static struct piece *any_piece(struct work *work)
{
    return &work->pieces[dice_below(&work->dice, work->count)];
}

static struct piece *any_frame(struct work *work)
{
    for (size_t i = 0; i < 8; i++) {
        struct piece *piece = any_piece(work);
        if (piece->is_frame)
            return piece;
    }
    return NULL;
}

static void insert(struct work *work, struct piece piece)
{
    if (work->count == MAX_PIECES)
        return;
    const size_t at = dice_below(&work->dice, work->count + 1);
    memmove(work->pieces + at + 1, work->pieces + at, (work->count - at) * sizeof(piece));
    work->pieces[at] = piece;
    work->count++;
}

static void insert_frame(struct work *work)
{
    const struct piece *other = work->count ? any_frame(work) : NULL;
    const uint64_t batch_id = other ? other->header.batch_id + dice_below(&work->dice, 3) : 1;
    const struct mark mark = mark_room(work);
    struct lwp_frame frame = made_frame(&work->dice, batch_id, &work->room);
    const struct lwp_bytes payload = room_since(work, mark, (struct lwp_bytes){NULL, 0});
    insert(work, (struct piece){.is_frame = true, .header = frame.header, .bytes = payload});
}

static void insert_op(struct work *work)
{
    const enum fuzz_op op = (enum fuzz_op)dice_below(&work->dice, FUZZ_OP_COUNT);
    const struct mark mark = mark_room(work);
    lwp_write_integer(&work->room, 1, op);
    for (size_t i = 0; i < fuzz_op_argument_size(op); i++)
        lwp_write_integer(&work->room, 1,
                          dice_one_in(&work->dice, 2) ? dice_below(&work->dice, 8)
                                                      : lwp_dice_next(&work->dice));
    insert(work, (struct piece){.bytes = room_since(work, mark, (struct lwp_bytes){NULL, 0})});
}

static void remove_piece(struct work *work)
{
    struct piece *piece = any_piece(work);
    work->count--;
    memmove(piece, piece + 1, (size_t)(work->pieces + work->count - piece) * sizeof(*piece));
}

static void double_piece(struct work *work)
{
    insert(work, *any_piece(work));
}

static void swap_pieces(struct work *work)
{
    struct piece *a = any_piece(work);
    struct piece *b = any_piece(work);
    const struct piece kept = *a;
    *a = *b;
    *b = kept;
}

static void cut_piece(struct work *work)
{
    struct piece *piece = any_piece(work);
    if (piece->bytes.size)
        piece->bytes.size = dice_below(&work->dice, piece->bytes.size);
}

/* The front of one payload and the back of another. */
static void join_pieces(struct work *work)
{
    struct piece *piece = any_piece(work);
    const struct lwp_bytes other = any_piece(work)->bytes;
    const struct mark mark = mark_room(work);
    const struct lwp_bytes front = {piece->bytes.data,
                                    dice_below(&work->dice, piece->bytes.size + 1)};
    lwp_write(&work->room, front);
    lwp_write(&work->room, lwp_bytes_from(other, dice_below(&work->dice, other.size + 1)));
    piece->bytes = room_since(work, mark, piece->bytes);
}

static void change_header(struct work *work)
{
    struct piece *piece = any_frame(work);
    if (!piece)
        return;
    const enum lwp_header_index field =
        (enum lwp_header_index)dice_below(&work->dice, LWP_HEADER_FIELD_COUNT);
    const struct piece *other = any_frame(work);
    const uint64_t near = lwp_header_get(other ? &other->header : &piece->header, field);
    lwp_header_set(&piece->header, field, made_number(&work->dice, near));
    piece->keep |= 1U << field;
}

static void change_flags(struct work *work)
{
    struct piece *piece = any_frame(work);
    if (piece)
        piece->header.flags ^= (uint8_t)(1U << dice_below(&work->dice, 8));
}

static void change_command(struct work *work)
{
    struct piece *piece = any_frame(work);
    size_t count = 0;
    while (lwp_command_at(count))
        count++;
    if (piece)
        piece->header.batch_id = lwp_command_at(dice_below(&work->dice, count))->code;
}

/* Where one of the command's fields lies that have a fixed part, and its size; 0: none was picked. */
static size_t pick_field(struct work *work, const struct lwp_command *row, size_t *at)
{
    size_t count = 0;
    while (row->fields[count].type != LWP_FIELD_NONE)
        count++;
    const size_t picked = count ? dice_below(&work->dice, count) : 0;
    *at = 0;
    for (size_t i = 0; i < picked; i++)
        *at += lwp_field_size(&row->fields[i]);
    return count ? lwp_field_size(&row->fields[picked]) : 0;
}

/* An integer of the payload, or the size in front of a text. */
static void change_field(struct work *work)
{
    struct piece *piece = any_frame(work);
    if (!piece || !(piece->header.flags & LWP_FLAG_CONTROL))
        return;
    const struct lwp_command *row = lwp_command_of((uint8_t)piece->header.batch_id);
    size_t at = 0;
    const size_t size = row ? pick_field(work, row, &at) : 0;
    if (size == 0 || at + size > piece->bytes.size)
        return;
    uint8_t *bytes = room_own(work, piece);
    if (piece->bytes.size)
        lwp_put_integer(bytes + at, size,
                        made_number(&work->dice, lwp_get_integer(bytes + at, size)));
}

static void change_payload(struct work *work)
{
    enum { MORE = 64 };
    struct piece *piece = any_piece(work);
    const struct mark mark = mark_room(work);
    lwp_write(&work->room, piece->bytes);
    uint8_t *more = lwp_write_room(&work->room, MORE);
    if (more)
        memset(more, 0, MORE);
    struct lwp_bytes bytes = room_since(work, mark, (struct lwp_bytes){NULL, 0});
    if (bytes.size) {
        bytes.size = change_bytes(work, work->room.data + mark.at, bytes.size - MORE, bytes.size);
        piece->bytes = bytes;
    }
}

enum record_change { NEW_RECORD, NEW_RECORDS, NEW_TYPE, NEW_LENGTH, NEW_KEY_SIZE, RECORD_CHANGES };

static void write_record(struct work *work, const struct lwp_record *record, enum record_change how)
{
    const size_t size = record->value.size;
    const uint64_t number = made_number(&work->dice, how == NEW_TYPE ? record->type : size);
    lwp_write_integer(&work->room, 1, how == NEW_TYPE ? number : record->type);
    lwp_write_integer(&work->room, 4, how == NEW_LENGTH ? number : size);
    const size_t at = work->room.size + (record->type == LWP_TLV_KEY_TIMESTAMPED ? 8 : 0);
    lwp_write(&work->room, record->value);
    if (how == NEW_KEY_SIZE && size >= 10 && !work->room.full)
        lwp_put16(work->room.data + at, (uint16_t)(number - 2));
}

/* Writes the records with a change at one of them. */
static void write_changed(struct work *work, struct lwp_bytes records)
{
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(records);
    struct lwp_record record = {.type = 0};
    for (size_t left = dice_below(&work->dice, 4); left; left--)
        if (lwp_tlv_next(&walk, &record) != LWP_OK)
            break;
    lwp_write(&work->room, (struct lwp_bytes){records.data, walk.offset});
    const enum record_change how = (enum record_change)dice_below(&work->dice, RECORD_CHANGES);
    if (how == NEW_RECORD)
        made_record(&work->dice, &work->room);
    else if (how == NEW_RECORDS)
        made_records(&work->dice, &work->room);
    else if (lwp_tlv_next(&walk, &record) == LWP_OK)
        write_record(work, &record, how);
    lwp_write(&work->room, lwp_bytes_from(records, walk.offset));
}

/* Of what framing the block is, by trying; its plain bytes are written. */
static bool write_plain(struct work *work, struct lwp_bytes in, enum lwp_lz4_framing *framing)
{
    for (*framing = LWP_LZ4_BLOCK;; *framing = LWP_LZ4_LIBRARY) {
        struct lwp_writer out = work->room;
        if (lwp_lz4_decompress(*framing, in, LARGEST_PLAIN, &out) == LWP_OK) {
            work->room = out;
            return true;
        }
        if (*framing == LWP_LZ4_LIBRARY)
            return false;
    }
}

static void change_records(struct work *work)
{
    struct piece *piece = any_frame(work);
    if (!piece)
        return;
    enum lwp_lz4_framing framing = LWP_LZ4_BLOCK;
    struct mark mark = mark_room(work);
    const bool compressed =
        piece->header.flags & LWP_FLAG_COMPRESSED && write_plain(work, piece->bytes, &framing);
    const struct lwp_bytes plain = compressed ? room_since(work, mark, piece->bytes) : piece->bytes;
    const bool is_fetched = piece->header.flags & LWP_FLAG_CONTROL && plain.size >= 16;
    mark = mark_room(work);
    lwp_write(&work->room, (struct lwp_bytes){plain.data, is_fetched ? 16 : 0});
    write_changed(work, lwp_bytes_from(plain, is_fetched ? 16 : 0));
    const struct lwp_bytes changed = room_since(work, mark, plain);
    mark = mark_room(work);
    if (compressed && lwp_lz4_compress(framing, changed, &work->room) == LWP_OK)
        piece->bytes = room_since(work, mark, piece->bytes);
    else
        piece->bytes = changed;
}

static void change_compression(struct work *work)
{
    struct piece *piece = any_frame(work);
    enum lwp_lz4_framing framing = dice_one_in(&work->dice, 2) ? LWP_LZ4_BLOCK : LWP_LZ4_LIBRARY;
    if (!piece)
        return;
    const struct mark mark = mark_room(work);
    const bool done = piece->header.flags & LWP_FLAG_COMPRESSED
                          ? write_plain(work, piece->bytes, &framing)
                          : lwp_lz4_compress(framing, piece->bytes, &work->room) == LWP_OK;
    if (done) {
        piece->bytes = room_since(work, mark, piece->bytes);
        piece->header.flags ^= LWP_FLAG_COMPRESSED;
    }
}

typedef void change(struct work *work);

/* Twice what is worth it. */
static change *const changes[] = {
    insert_frame,   insert_frame,   insert_frame,   insert_op,      remove_piece,
    double_piece,   swap_pieces,    cut_piece,      join_pieces,    change_header,
    change_header,  change_flags,   change_command, change_field,   change_field,
    change_payload, change_payload, change_records, change_records, change_compression,
};

void change_pieces(struct work *work)
{
    if (work->count == 0)
        insert_frame(work);
    else
        changes[dice_below(&work->dice, sizeof(changes) / sizeof(changes[0]))](work);
}
