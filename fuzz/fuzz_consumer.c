/* SPDX-License-Identifier: MIT */
/* The input is what a server says to a consumer (peer.h). What it hands on begins where the last left off,
 * or where it was told to go on, and is whole records unless it is raw; polls end in time; what is kept as its
 * place is where a poll has ended; all that it sends is sound; closing it takes a second at most. */
#include "fuzz/fuzz.h"
#include "fuzz/peer.h"
#include "lwp/client/consumer.h"
#include "lwp/net/clock.h"
#include "lwp/wire/tlv.h"

struct reader {
    struct lwp_consumer *consumer;
    uint64_t place;
    bool raw;
};

static void poll_some(struct reader *reader, struct peer *peer, unsigned timeout_ms)
{
    const uint64_t due_ns = peer->now_ns + timeout_ms * LWP_MILLISECOND_NS;
    struct lwp_batch batch;
    const enum lwp_status status = lwp_consumer_poll(reader->consumer, timeout_ms, &batch);
    FUZZ_ASSERT(peer->now_ns <= due_ns);
    fuzz_note(status);
    if (status != LWP_OK)
        return;
    uint64_t count = 0;
    struct lwp_fault fault;
    fuzz_note_bytes(batch.data);
    fuzz_note(batch.start_offset);
    FUZZ_ASSERT(batch.data.size > 0);
    FUZZ_ASSERT(reader->place == LWP_OFFSET_END || batch.start_offset == reader->place);
    FUZZ_ASSERT(reader->raw || lwp_tlv_count(batch.data, &count, &fault) == LWP_OK);
    FUZZ_ASSERT(reader->raw || count == batch.record_count);
    reader->place = batch.end_offset;
    FUZZ_ASSERT(lwp_consumer_offset(reader->consumer) == reader->place);
}

static void call(struct reader *reader, struct peer *peer, uint32_t argument)
{
    uint64_t lag = 0;
    if ((argument & 7) == 0) {
        reader->place = argument >> 8;
        lwp_consumer_seek(reader->consumer, LWP_PLACE_OFFSET, reader->place);
    } else if ((argument & 7) == 1) {
        reader->place = LWP_OFFSET_END;
        lwp_consumer_seek(reader->consumer, LWP_PLACE_END, 0);
    } else if ((argument & 7) == 2) {
        (void)lwp_consumer_commit(reader->consumer);
    } else if ((argument & 7) == 3) {
        (void)lwp_consumer_lag(reader->consumer, &lag);
    } else {
        poll_some(reader, peer, argument >> 8 & 0xff);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct peer peer;
    struct reader reader = {.place = 0};
    peer_init(&peer, fuzz_flush(data, size), &(struct peer_watch){NULL, NULL, NULL, NULL});
    struct lwp_consumer_options options = lwp_consumer_defaults("peer:1992", "reader", 1);
    options.connect = peer_options(&peer);
    options.max_fetch_bytes = 64U << (peer.head[2] & 7);
    options.read_ahead = 1 + (peer.head[2] >> 3 & 3);
    options.raw = reader.raw = peer.head[2] & 0x20;
    options.catch_up_ms = 20;
    const enum lwp_status status = lwp_consumer_open(&options, &reader.consumer, NULL);
    while (status == LWP_OK && peer.input.size) {
        uint32_t argument = 0;
        if (peer_takes_call(&peer, &argument))
            call(&reader, &peer, argument);
        else
            peer_step(&peer, lwp_consumer_deadline(reader.consumer));
        lwp_consumer_process(reader.consumer);
    }
    const uint64_t then_ns = peer.now_ns + LWP_SECOND_NS;
    (void)lwp_consumer_close(reader.consumer);
    FUZZ_ASSERT(peer.now_ns <= then_ns);
    peer_done(&peer);
    return 0;
}
