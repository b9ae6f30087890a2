/* SPDX-License-Identifier: MIT */
#include "fuzz/model_producer.h"

#include "fuzz/fuzz.h"
#include "lwp/net/clock.h"
#include "lwp/wire/tlv.h"

static struct model_batch *batch_of(struct model_producer *model, uint64_t id)
{
    for (size_t i = 0; i < model->batch_count; i++)
        if (model->batches[i].id == id)
            return &model->batches[i];
    return NULL;
}

static void see_sent(void *user, const struct lwp_frame *frame)
{
    struct model_producer *model = user;
    if ((frame->header.flags & LWP_FLAG_BATCH) == 0)
        return;
    struct model_batch *batch = batch_of(model, frame->header.batch_id);
    if (!batch) {
        FUZZ_ASSERT(model->batch_count < MODEL_MAX_BATCHES);
        batch = &model->batches[model->batch_count++];
        *batch = (struct model_batch){.id = frame->header.batch_id};
    }
    batch->sent = true;
}

static void see_given(void *user, const struct lwp_frame *frame)
{
    struct model_producer *model = user;
    struct model_batch *batch = batch_of(model, frame->header.batch_id);
    if (batch && batch->sent && lwp_frame_kind(frame, model->peer->dialect) == LWP_KIND_ACK)
        batch->acked = true;
}

static void see_dial(void *user)
{
    struct model_producer *model = user;
    for (size_t i = 0; i < model->batch_count; i++)
        model->batches[i].sent = false;
}

struct peer_watch model_producer_watch(struct model_producer *model)
{
    return (struct peer_watch){see_sent, see_given, see_dial, model};
}

void model_producer_report(void *user, const struct lwp_delivery *delivery)
{
    struct model_producer *model = user;
    const struct model_batch *batch = batch_of(model, delivery->batch_id);
    FUZZ_ASSERT(delivery->sequence >= 1 && delivery->sequence <= model->taken);
    FUZZ_ASSERT(delivery->record_count == 1 && delivery->user == model);
    FUZZ_ASSERT(!model->settled[delivery->sequence - 1]);
    fuzz_note(delivery->sequence);
    fuzz_note(delivery->status);
    FUZZ_ASSERT(delivery->status != LWP_OK || (batch && batch->acked));
    model->settled[delivery->sequence - 1] = true;
}

static void put(struct model_producer *model, struct lwp_producer *producer, uint32_t argument)
{
    static const uint8_t filler[256] = {'r'};
    const struct lwp_outgoing record = {
        .topic_id = argument >> 6 & 3,
        .type = LWP_TLV_RAW,
        .parts = {{filler, argument >> 8 & 0xff}, {filler, argument >> 20 & 0xf}},
        .user = model,
    };
    uint64_t sequence = 0;
    if (model->taken == MODEL_MAX_RECORDS)
        return;
    model->taken++; /* Before it can be reported. */
    if (lwp_producer_put(producer, &record, &sequence) != LWP_OK) {
        model->taken--;
        return;
    }
    FUZZ_ASSERT(sequence == model->taken);
}

void model_producer_call(struct model_producer *model, struct lwp_producer *producer,
                         uint32_t argument)
{
    const uint64_t begun_ns = model->peer->now_ns;
    const unsigned timeout_ms = argument >> 8 & 0xff;
    if (argument & 7) {
        for (uint32_t left = 1 + (argument >> 3 & 7); left; left--)
            put(model, producer, argument);
        return;
    }
    const enum lwp_status status = lwp_producer_flush(producer, timeout_ms);
    FUZZ_ASSERT(model->peer->now_ns <= begun_ns + timeout_ms * LWP_MILLISECOND_NS);
    for (uint64_t i = 0; status == LWP_OK && i < model->taken; i++)
        FUZZ_ASSERT(model->settled[i]);
}

void model_producer_end(const struct model_producer *model)
{
    for (uint64_t i = 0; i < model->taken; i++)
        FUZZ_ASSERT(model->settled[i]);
}
