/* SPDX-License-Identifier: MIT */
/* A record goes into a topic and comes out again. */
#include "example.h"

static void produce(const char *address, uint32_t topic_id)
{
    const struct lwp_producer_options options = lwp_producer_defaults(address);
    const struct lwp_outgoing record = {
        .topic_id = topic_id,
        .type = LWP_TLV_RAW,
        .parts = {lwp_bytes_text("Hello, Lance!")},
    };
    struct lwp_producer *producer = NULL;
    must(lwp_producer_open(&options, &producer, NULL), "open a producer");
    must(lwp_producer_send(producer, &record), "send"); /* Waits for the ack. */
    must(lwp_producer_close(producer, 1000), "close the producer");
}

static void consume(const char *address, uint32_t topic_id)
{
    const struct lwp_consumer_options options =
        lwp_consumer_defaults(address, "quick-start", topic_id);
    struct lwp_consumer *consumer = NULL;
    struct lwp_batch batch;
    struct lwp_record record;
    must(lwp_consumer_open(&options, &consumer, NULL), "open a consumer");
    must(lwp_consumer_poll(consumer, 5000, &batch), "poll");
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(batch.data);
    while (lwp_tlv_next(&walk, &record) == LWP_OK)
        (void)printf("%.*s\n", (int)record.value.size, (const char *)record.value.data);
    must(lwp_consumer_close(consumer), "close the consumer");
}

int main(int argc, char **argv)
{
    const char *address = example_address(argc, argv);
    const uint32_t topic_id = fresh_topic(address, "example-quick-start");
    produce(address, topic_id);
    consume(address, topic_id);
    return EXIT_SUCCESS;
}
