/* SPDX-License-Identifier: MIT */
#include "fuzz/mutator.h"

#include <stdlib.h>

#include "fuzz/mutator_state.h"
#include "fuzz/stream.h"
#include "lwp/wire/guess.h"
#include "lwp/wire/tlv.h"

enum { MAX_CHANGES = 4, ROOM_SIZE = 1 << 18 };

struct lwp_bytes room_since(struct work *work, struct mark mark, struct lwp_bytes otherwise)
{
    if (!work->room.full)
        return (struct lwp_bytes){work->room.data + mark.at, work->room.size - mark.at};
    work->room.size = mark.at;
    work->room.full = false;
    return otherwise;
}

struct lwp_bytes room_copy(struct work *work, struct lwp_bytes bytes)
{
    const struct mark mark = mark_room(work);
    lwp_write(&work->room, bytes);
    return room_since(work, mark, (struct lwp_bytes){NULL, 0});
}

uint8_t *room_own(struct work *work, struct piece *piece)
{
    piece->bytes = room_copy(work, piece->bytes);
    return work->room.data + (work->room.size - piece->bytes.size);
}

static bool is_left_out(struct work *work)
{
    return dice_one_in(&work->dice, 16);
}

/* The numbers that count what is behind them. */
static void repair_counts(struct work *work, struct piece *piece)
{
    enum { BYTES_RETURNED_AT = 8, RECORDS_AT = 16 };
    uint64_t count = 0;
    if (piece->header.flags == LWP_FLAG_BATCH && !(piece->keep & 1U << LWP_HEADER_record_count)) {
        (void)lwp_tlv_count(piece->bytes, &count, &(struct lwp_fault){.status = LWP_OK});
        piece->header.record_count = count ? (uint32_t)count : 1;
    }
    if (piece->header.flags == LWP_FLAG_CONTROL &&
        piece->header.batch_id == LWP_COMMAND_FETCH_RESPONSE && piece->bytes.size >= RECORDS_AT) {
        uint8_t *bytes = room_own(work, piece);
        if (piece->bytes.size)
            lwp_put32(bytes + BYTES_RETURNED_AT, (uint32_t)(piece->bytes.size - RECORDS_AT));
    }
}

static void write_frame(struct work *work, struct piece *piece, enum lwp_polynomial polynomial,
                        struct lwp_writer *out)
{
    static const enum lwp_header_index repaired[] = {LWP_HEADER_payload_length,
                                                     LWP_HEADER_payload_crc, LWP_HEADER_header_crc};
    uint32_t keep = piece->keep;
    for (size_t i = 0; i < sizeof(repaired) / sizeof(repaired[0]); i++)
        if (is_left_out(work))
            keep |= 1U << repaired[i];
    if (!is_left_out(work))
        repair_counts(work, piece);
    struct lwp_frame frame = {piece->header, piece->bytes};
    lwp_frame_seal(&frame, polynomial, keep);
    (void)lwp_frame_encode(&frame, out);
}

static void read_pieces(struct work *work, struct lwp_bytes in)
{
    while (in.size && work->count < MAX_PIECES) {
        const struct fuzz_piece read = fuzz_piece_at(in);
        struct piece *piece = &work->pieces[work->count++];
        *piece = (struct piece){.is_frame = read.is_frame, .bytes = room_copy(work, read.bytes)};
        if (read.is_frame) {
            lwp_header_decode(read.bytes.data, &piece->header);
            piece->bytes = lwp_bytes_from(piece->bytes, LWP_HEADER_SIZE);
        }
        in = lwp_bytes_from(in, read.bytes.size);
    }
}

/* The polynomial of the input's first sound header, or any. */
static enum lwp_polynomial polynomial_of(struct work *work, struct lwp_bytes in)
{
    enum lwp_polynomial polynomial = LWP_CRC32;
    if (lwp_header_find(in, 0, &polynomial) == in.size || dice_one_in(&work->dice, 32))
        polynomial = dice_one_in(&work->dice, 2) ? LWP_CRC32 : LWP_CRC32C;
    return polynomial;
}

/* Writes as many whole pieces as there is room for. */
static void write_pieces(struct work *work, enum lwp_polynomial polynomial, struct lwp_writer *out)
{
    for (size_t i = 0; i < work->count && !out->full; i++)
        if (work->pieces[i].is_frame)
            write_frame(work, &work->pieces[i], polynomial, out);
        else
            lwp_write(out, work->pieces[i].bytes);
    out->full = false;
}

static void change_stream(struct work *work, struct lwp_bytes stream, struct lwp_writer *out)
{
    const enum lwp_polynomial polynomial = polynomial_of(work, stream);
    read_pieces(work, stream);
    for (size_t left = 1 + dice_below(&work->dice, MAX_CHANGES); left; left--)
        change_pieces(work);
    write_pieces(work, polynomial, out);
}

size_t mutate(struct mutation *mutation, uint8_t *data, size_t size, size_t max_size)
{
    struct work work = {.dice = mutation->seed, .change_bytes = mutation->change_bytes};
    mutation->is_raw = dice_one_in(&work.dice, 8) || max_size <= mutation->head_size;
    if (mutation->is_raw)
        return change_bytes(&work, data, size, max_size);
    uint8_t *room = malloc(ROOM_SIZE);
    if (!room)
        return size;
    work.room = lwp_writer_on(room, ROOM_SIZE);
    const size_t given = size < mutation->head_size ? size : mutation->head_size;
    memset(data + given, 0, mutation->head_size - given);
    const struct lwp_bytes stream =
        room_copy(&work, (struct lwp_bytes){data + given, size - given});
    if (mutation->head_size && dice_one_in(&work.dice, 8))
        (void)change_bytes(&work, data, mutation->head_size, mutation->head_size);
    struct lwp_writer out = lwp_writer_on(data, max_size);
    out.size = mutation->head_size;
    change_stream(&work, stream, &out);
    free(room);
    return out.size ? out.size : 1;
}

/* A place between two pieces of an input, or behind its head or its end. */
static size_t boundary(uint64_t *dice, struct lwp_bytes in, size_t head_size)
{
    size_t count = 0;
    for (struct lwp_bytes left = lwp_bytes_from(in, head_size); left.size; count++)
        left = lwp_bytes_from(left, fuzz_piece_at(left).bytes.size);
    size_t at = in.size < head_size ? in.size : head_size;
    for (size_t left = dice_below(dice, count + 1); left; left--)
        at += fuzz_piece_at(lwp_bytes_from(in, at)).bytes.size;
    return at;
}

static void write_some(struct lwp_writer *out, struct lwp_bytes bytes)
{
    const size_t left = out->capacity - out->size;
    lwp_write(out, (struct lwp_bytes){bytes.data, bytes.size < left ? bytes.size : left});
}

size_t mutate_cross(const struct mutation *mutation, struct lwp_bytes a, struct lwp_bytes b,
                    uint8_t *out, size_t max_size)
{
    uint64_t dice = mutation->seed;
    struct lwp_writer crossed = lwp_writer_on(out, max_size);
    write_some(&crossed, (struct lwp_bytes){a.data, boundary(&dice, a, mutation->head_size)});
    write_some(&crossed, lwp_bytes_from(b, boundary(&dice, b, mutation->head_size)));
    return crossed.size;
}
