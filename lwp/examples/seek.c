/* SPDX-License-Identifier: MIT */
/* A consumer goes to the end, to an offset and back to the beginning. */
#include <inttypes.h>

#include "example.h"

static void send(const char *address, uint32_t topic_id, const char *text)
{
    const struct lwp_producer_options options = lwp_producer_defaults(address);
    const struct lwp_outgoing record = {
        .topic_id = topic_id, .type = LWP_TLV_RAW, .parts = {lwp_bytes_text(text)}};
    struct lwp_producer *producer = NULL;
    must(lwp_producer_open(&options, &producer, NULL), "open a producer");
    must(lwp_producer_send(producer, &record), "send");
    must(lwp_producer_close(producer, 1000), "close the producer");
}

/* The first record that comes; its offset is where the batch begins. */
static uint64_t print_next(struct lwp_consumer *consumer)
{
    struct lwp_batch batch;
    struct lwp_record record;
    enum lwp_status status = LWP_WOULD_BLOCK;
    while (status == LWP_WOULD_BLOCK || status == LWP_END)
        status = lwp_consumer_poll(consumer, 1000, &batch);
    must(status, "poll");
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(batch.data);
    must(lwp_tlv_next(&walk, &record), "read a record");
    (void)printf("%" PRIu64 ": %.*s\n", batch.start_offset, (int)record.value.size,
                 (const char *)record.value.data);
    return batch.end_offset;
}

int main(int argc, char **argv)
{
    const char *address = example_address(argc, argv);
    const uint32_t topic_id = fresh_topic(address, "example-seek");
    const struct lwp_consumer_options options = lwp_consumer_defaults(address, "seek", topic_id);
    struct lwp_consumer *consumer = NULL;
    send(address, topic_id, "first");
    must(lwp_consumer_open(&options, &consumer, NULL), "open a consumer");
    const uint64_t behind_first = print_next(consumer);

    send(address, topic_id, "second");
    lwp_consumer_seek(consumer, LWP_PLACE_OFFSET, behind_first);
    (void)print_next(consumer);

    lwp_consumer_seek(consumer, LWP_PLACE_BEGINNING, 0); /* Rewind. */
    (void)print_next(consumer);

    struct lwp_batch batch;
    lwp_consumer_seek(consumer, LWP_PLACE_END, 0);
    const enum lwp_status status = lwp_consumer_poll(consumer, 500, &batch);
    (void)printf("at the end: %s\n", lwp_status_text(status));
    must(lwp_consumer_close(consumer), "close the consumer");
    return status == LWP_END || status == LWP_WOULD_BLOCK ? EXIT_SUCCESS : EXIT_FAILURE;
}
