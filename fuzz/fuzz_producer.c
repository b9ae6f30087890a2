/* SPDX-License-Identifier: MIT */
/* The input is what a server says to a producer (peer.h). All that it sends is sound, it keeps the laws of
 * model_producer.h, and closing it ends in time with every record reported. */
#include "fuzz/fuzz.h"
#include "fuzz/model_producer.h"
#include "lwp/net/clock.h"

static struct lwp_producer_options options_of(struct peer *peer, struct model_producer *model)
{
    struct lwp_producer_options options = lwp_producer_defaults("peer:1992");
    options.connect = peer_options(peer);
    options.batch_size = 64U << (peer->head[2] & 3);
    options.max_pending_acks = 1 + (peer->head[2] >> 2 & 7);
    options.compression = peer->head[2] & 0x20;
    options.allow_reorder = peer->head[2] & 0x40;
    options.max_retries = 1 + (peer->head[3] & 3);
    options.buffer_limit = 4096;
    options.delivered = model_producer_report;
    options.user = model;
    return options;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { CLOSE_MS = 50 };
    struct peer peer;
    struct model_producer model = {.peer = &peer};
    const struct peer_watch watch = model_producer_watch(&model);
    peer_init(&peer, fuzz_flush(data, size), &watch);
    const struct lwp_producer_options options = options_of(&peer, &model);
    struct lwp_producer *producer = NULL;
    const enum lwp_status status = lwp_producer_open(&options, &producer, NULL);
    while (status == LWP_OK && peer.input.size) {
        uint32_t argument = 0;
        if (peer_takes_call(&peer, &argument))
            model_producer_call(&model, producer, argument);
        else
            peer_step(&peer, lwp_producer_deadline(producer));
        lwp_producer_process(producer);
    }
    const uint64_t then_ns = peer.now_ns + CLOSE_MS * LWP_MILLISECOND_NS;
    (void)lwp_producer_close(producer, CLOSE_MS);
    FUZZ_ASSERT(peer.now_ns <= then_ns);
    model_producer_end(&model);
    peer_done(&peer);
    return 0;
}
