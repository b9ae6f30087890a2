/* SPDX-License-Identifier: MIT */
/* Several records of several types at once. */
#include <inttypes.h>

#include "example.h"

int main(int argc, char **argv)
{
    const char *address = example_address(argc, argv);
    const uint32_t topic_id = fresh_topic(address, "example-batch");
    const struct lwp_producer_options options = lwp_producer_defaults(address);
    struct lwp_producer *producer = NULL;

    /* A KeyValue value is the key's size in two bytes, the key, the value (8.3). The builders of
     * lwp/wire/tlv.h write whole records, type and size in front: `raw` takes them as they are. */
    uint8_t built[64];
    struct lwp_writer writer = lwp_writer_on(built, sizeof(built));
    lwp_tlv_put_key_value(&writer, lwp_bytes_text("city"), lwp_bytes_text("Zürich"));
    lwp_tlv_put_null(&writer);
    if (writer.full)
        return EXIT_FAILURE;

    const struct lwp_outgoing records[] = {
        {.topic_id = topic_id, .type = LWP_TLV_RAW, .parts = {lwp_bytes_text("one")}},
        {.topic_id = topic_id, .type = LWP_TLV_JSON, .parts = {lwp_bytes_text("{\"two\":2}")}},
        {.topic_id = topic_id, .raw = true, .parts = {lwp_writer_bytes(&writer)}},
    };
    const size_t count = sizeof(records) / sizeof(records[0]);
    size_t taken = 0;
    must(lwp_producer_open(&options, &producer, NULL), "open a producer");
    must(lwp_producer_put_many(producer, records, count, &taken), "put");
    must(lwp_producer_flush(producer, 5000), "flush");
    const struct lwp_outbox_statistics statistics = lwp_producer_statistics(producer);
    (void)printf("%zu taken, %" PRIu64 " acknowledged in %" PRIu64 " batches\n", taken,
                 statistics.records_acked, statistics.batches_acked);
    must(lwp_producer_close(producer, 1000), "close");
    return statistics.records_acked == statistics.records ? EXIT_SUCCESS : EXIT_FAILURE;
}
