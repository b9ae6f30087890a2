/* SPDX-License-Identifier: MIT */
/* From bytes to frames of a client. */
#include "fuzz/play.h"
#include "lwp/wire/message.h"
#include "lwp/wire/tlv.h"

enum { MOST_RECORD_SIZE = 12000, MANY_TIMES = 40 };

static struct lwp_frame control_frame(struct play_input *input, struct lwp_writer *payload)
{
    const struct lwp_command *row = lwp_command_at(play_pick(input, 21));
    struct lwp_message message = {.command = row ? row->code : LWP_COMMAND_LIST_TOPICS};
    message.topic_id = play_pick(input, 3);
    message.name = lwp_bytes_text(play_byte(input) & 1 ? "orders" : "others");
    message.token = message.name;
    message.max_bytes = (uint64_t)play_byte(input) << 10 | 20;
    message.max_batch_bytes = message.max_bytes;
    message.start_offset = (uint64_t)play_byte(input) * 13;
    (void)lwp_message_encode(&message, payload);
    return lwp_message_frame(message.command, lwp_writer_bytes(payload));
}

static struct lwp_frame ingest_frame(struct play_input *input, struct lwp_writer *payload)
{
    static const uint8_t zeros[MOST_RECORD_SIZE];
    static const size_t sizes[] = {5, 0, 100, 3000, MOST_RECORD_SIZE};
    lwp_tlv_put(payload, LWP_TLV_RAW, (struct lwp_bytes){zeros, sizes[play_pick(input, 5)]});
    return (struct lwp_frame){.header = {.flags = LWP_FLAG_BATCH,
                                         .record_count = 1,
                                         .topic_id = (uint32_t)play_pick(input, 3)},
                              .payload = lwp_writer_bytes(payload)};
}

static struct lwp_frame any_frame(struct play_input *input, struct lwp_writer *payload)
{
    struct lwp_frame frame = {.header = {.flags = LWP_FLAG_KEEPALIVE}};
    const size_t kind = play_pick(input, 8);
    if (kind >= 6)
        return control_frame(input, payload);
    if (kind >= 1 && kind <= 3)
        return ingest_frame(input, payload);
    if (kind == 5)
        frame.header.flags = play_byte(input);
    return frame;
}

size_t play_write_frame(struct play_input *input, const struct lwp_dialect *dialect,
                        uint64_t batch_id, struct lwp_writer *wire)
{
    uint8_t memory[PLAY_FRAME_SIZE];
    struct lwp_writer payload = lwp_writer_on(memory, sizeof(memory) - LWP_HEADER_SIZE);
    struct lwp_frame frame = any_frame(input, &payload);
    const size_t how = play_pick(input, 16);
    if (frame.header.flags == LWP_FLAG_BATCH)
        frame.header.batch_id = batch_id;
    lwp_frame_seal(&frame, dialect->polynomial, 0);
    (void)lwp_frame_encode(&frame, wire);
    if (how == 1)
        wire->data[play_byte(input) % wire->size] ^= play_byte(input);
    if (how == 2)
        wire->size = play_byte(input) % wire->size;
    return how == 3 ? MANY_TIMES : 1;
}
