/* SPDX-License-Identifier: MIT */
#include "lwp/net/damage.h"

/* Bytes of a frame: what an operation aims at, as far as it is there. */
struct span {
    size_t at;
    size_t size;
    size_t skipped; /* How many bytes in front of the frame were aimed at. */
};

static size_t smaller(uint64_t a, size_t b)
{
    return a < b ? (size_t)a : b;
}

static struct span span_of(int64_t offset, uint64_t size, size_t frame_size)
{
    const uint64_t back = offset < 0 ? 0 - (uint64_t)offset : 0;
    const uint64_t missing = back > frame_size ? back - frame_size : 0;
    struct span span = {smaller((uint64_t)offset, frame_size), 0, smaller(missing, SIZE_MAX)};
    if (offset < 0)
        span.at = missing ? 0 : frame_size - (size_t)back;
    if (missing < size)
        span.size = smaller(size - missing, frame_size - span.at);
    return span;
}

/* Writes an integer over what is there of its `size` bytes. */
static size_t overwrite(struct lwp_writer *frame, size_t at, size_t size, uint64_t value)
{
    const struct span span = span_of((int64_t)at, size, frame->size);
    if (span.size)
        lwp_put_integer(frame->data + span.at, span.size, value);
    return span.size;
}

static void set_field(struct lwp_writer *frame, enum lwp_header_index index, uint64_t value)
{
    const struct lwp_header_field *field = &lwp_header_fields[index];
    (void)overwrite(frame, field->offset, field->size, value);
}

static void reseal(struct lwp_writer *frame, const struct lwp_damage *damage,
                   enum lwp_polynomial polynomial)
{
    struct lwp_bytes covered = {frame->data, LWP_HEADER_CHECKED_SIZE};
    if (lwp_header_fields[damage->field].offset < LWP_HEADER_CHECKED_SIZE) {
        if (frame->size > covered.size)
            set_field(frame, LWP_HEADER_header_crc, lwp_crc(polynomial, covered));
        return;
    }
    if (damage->field != LWP_HEADER_payload_length)
        return;
    covered = lwp_bytes_from(lwp_writer_bytes(frame), LWP_HEADER_SIZE);
    covered.size = smaller((uint32_t)damage->value, covered.size);
    set_field(frame, LWP_HEADER_payload_crc, lwp_crc(polynomial, covered));
}

static size_t set(struct lwp_writer *frame, const struct lwp_damage *damage,
                  enum lwp_polynomial polynomial)
{
    const struct lwp_header_field *field = &lwp_header_fields[damage->field];
    const size_t touched = overwrite(frame, field->offset, field->size, damage->value);
    if (damage->reseals)
        reseal(frame, damage, polynomial);
    return touched;
}

static size_t combine(struct lwp_writer *frame, const struct lwp_damage *damage)
{
    const struct span span = span_of(damage->offset, damage->bytes.size, frame->size);
    for (size_t i = 0; i < span.size; i++)
        frame->data[span.at + i] ^= damage->bytes.data[span.skipped + i];
    return span.size;
}

static size_t cut(struct lwp_writer *frame, int64_t offset, uint64_t size)
{
    const struct span span = span_of(offset, size, frame->size);
    if (span.size == 0)
        return 0;
    memmove(frame->data + span.at, frame->data + span.at + span.size,
            frame->size - span.at - span.size);
    frame->size -= span.size;
    return span.size;
}

static size_t insert(struct lwp_writer *frame, const struct lwp_damage *damage)
{
    const size_t at = span_of(damage->offset, 0, frame->size).at;
    const size_t behind = frame->size - at;
    const size_t size = damage->bytes.size;
    if (size == 0 || !lwp_write_room(frame, size))
        return 0;
    memmove(frame->data + at + size, frame->data + at, behind);
    memcpy(frame->data + at, damage->bytes.data, size);
    return size;
}

static size_t truncate_at(struct lwp_writer *frame, int64_t offset)
{
    const size_t size = span_of(offset, 0, frame->size).at;
    const size_t removed = frame->size - size;
    frame->size = size;
    return removed;
}

static size_t damage_once(struct lwp_writer *frame, const struct lwp_damage *damage,
                          enum lwp_polynomial polynomial)
{
    switch (damage->kind) {
    case LWP_DAMAGE_SET:
        return set(frame, damage, polynomial);
    case LWP_DAMAGE_XOR:
        return combine(frame, damage);
    case LWP_DAMAGE_CUT:
        return cut(frame, damage->offset, damage->size);
    case LWP_DAMAGE_INSERT:
        return insert(frame, damage);
    case LWP_DAMAGE_TRUNCATE:
        return truncate_at(frame, damage->offset);
    }
    return 0;
}

size_t lwp_damage_bound(const struct lwp_damage_list *list, size_t size)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct lwp_damage *damage = &list->items[i];
        if (damage->kind == LWP_DAMAGE_INSERT)
            size = damage->bytes.size < SIZE_MAX - size ? size + damage->bytes.size : SIZE_MAX;
    }
    return size;
}

enum lwp_status lwp_damage_apply(const struct lwp_damage_list *list, struct lwp_bytes frame,
                                 struct lwp_writer *out, size_t *touched)
{
    const size_t before = out->size;
    uint8_t *at = lwp_write_room(out, frame.size);
    if (!at)
        return LWP_FULL;
    if (frame.size)
        memcpy(at, frame.data, frame.size);
    struct lwp_writer damaged = lwp_writer_on(at, out->capacity - before);
    damaged.size = frame.size;
    size_t total = 0;
    for (size_t i = 0; i < list->count; i++)
        total += damage_once(&damaged, &list->items[i], list->polynomial);
    out->size = before + damaged.size;
    out->full = damaged.full;
    if (out->full)
        return LWP_FULL;
    *touched = total;
    return LWP_OK;
}
