/* SPDX-License-Identifier: MIT */
/* A consumer reads a topic to its present end, and tells how far behind it is. */
#include <inttypes.h>

#include "example.h"

enum { RECORDS = 5 };

static void fill(const char *address, uint32_t topic_id)
{
    const struct lwp_producer_options options = lwp_producer_defaults(address);
    struct lwp_producer *producer = NULL;
    must(lwp_producer_open(&options, &producer, NULL), "open a producer");
    for (int i = 0; i < RECORDS; i++) {
        char text[16];
        (void)snprintf(text, sizeof(text), "record %d", i);
        const struct lwp_outgoing record = {
            .topic_id = topic_id, .type = LWP_TLV_RAW, .parts = {lwp_bytes_text(text)}};
        must(lwp_producer_send(producer, &record), "send");
    }
    must(lwp_producer_close(producer, 1000), "close the producer");
}

static int print_all(const struct lwp_batch *batch)
{
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(batch->data);
    struct lwp_record record;
    int count = 0;
    while (lwp_tlv_next(&walk, &record) == LWP_OK) {
        (void)printf("%s: %.*s\n", lwp_tlv_word(record.type), (int)record.value.size,
                     (const char *)record.value.data);
        count++;
    }
    return count;
}

int main(int argc, char **argv)
{
    const char *address = example_address(argc, argv);
    const uint32_t topic_id = fresh_topic(address, "example-consumer");
    const struct lwp_consumer_options options =
        lwp_consumer_defaults(address, "consumer", topic_id);
    struct lwp_consumer *consumer = NULL;
    struct lwp_batch batch;
    int count = 0;
    uint64_t lag = 0;
    fill(address, topic_id);
    must(lwp_consumer_open(&options, &consumer, NULL), "open a consumer");

    /* Records come whole and in order; the batch lives until the next call. LWP_WOULD_BLOCK: nothing
     * came in time. LWP_END: the log has nothing more at the moment. */
    enum lwp_status status = LWP_OK;
    while (count < RECORDS && (status == LWP_OK || status == LWP_WOULD_BLOCK)) {
        status = lwp_consumer_poll(consumer, 1000, &batch);
        if (status == LWP_OK)
            count += print_all(&batch);
    }
    status = lwp_consumer_lag(consumer, &lag);
    if (status == LWP_OK)
        (void)printf("%" PRIu64 " bytes behind\n", lag);
    else if (status != LWP_UNKNOWN_COMMAND) /* This server has no way to tell. */
        must(status, "lag");
    must(lwp_consumer_close(consumer), "close the consumer");
    return count == RECORDS ? EXIT_SUCCESS : EXIT_FAILURE;
}
