/* SPDX-License-Identifier: MIT */
/* A producer that does not wait: records go out in batches, and a callback hears what became of each. */
#include <inttypes.h>

#include "example.h"

enum { RECORDS = 1000 };

struct counts {
    uint64_t acknowledged;
    uint64_t failed;
};

/* Called by the producer's thread. */
static void delivered(void *user, const struct lwp_delivery *delivery)
{
    struct counts *counts = user;
    if (delivery->status == LWP_OK)
        counts->acknowledged++;
    else
        counts->failed++;
}

int main(int argc, char **argv)
{
    const char *address = example_address(argc, argv);
    struct counts counts = {0, 0};
    struct lwp_producer *producer = NULL;
    struct lwp_producer_options options = lwp_producer_defaults(address);
    options.linger_ms = 10; /* How long a batch waits for more records. */
    options.delivered = delivered;
    options.user = &counts;
    const uint32_t topic_id = fresh_topic(address, "example-producer");
    must(lwp_producer_open(&options, &producer, NULL), "open a producer");

    for (int i = 0; i < RECORDS; i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "{\"number\":%d}", i);
        const struct lwp_outgoing record = {
            .topic_id = topic_id,
            .type = LWP_TLV_JSON,
            .parts = {lwp_bytes_text(text)}, /* Copied: `text` may go. */
        };
        /* Waits only while the buffer is full. */
        must(lwp_producer_put_wait(producer, &record, 5000, NULL), "put");
    }
    must(lwp_producer_flush(producer, 5000), "flush");
    const struct lwp_outbox_statistics statistics = lwp_producer_statistics(producer);
    must(lwp_producer_close(producer, 1000), "close"); /* All callbacks have been. */

    (void)printf("%" PRIu64 " acknowledged, %" PRIu64 " failed, in %" PRIu64 " batches\n",
                 counts.acknowledged, counts.failed, statistics.batches_acked);
    return counts.acknowledged == RECORDS ? EXIT_SUCCESS : EXIT_FAILURE;
}
