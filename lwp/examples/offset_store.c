/* SPDX-License-Identifier: MIT */
/* A consumer that goes on where it was, after its process has ended. */
#include "example.h"

static void send_three(const char *address, uint32_t topic_id)
{
    static const char *const texts[] = {"one", "two", "three"};
    const struct lwp_producer_options options = lwp_producer_defaults(address);
    struct lwp_producer *producer = NULL;
    must(lwp_producer_open(&options, &producer, NULL), "open a producer");
    for (int i = 0; i < 3; i++) {
        const struct lwp_outgoing record = {
            .topic_id = topic_id, .type = LWP_TLV_RAW, .parts = {lwp_bytes_text(texts[i])}};
        must(lwp_producer_send(producer, &record), "send");
    }
    must(lwp_producer_close(producer, 1000), "close the producer");
}

/* Reads all that is there, keeps the place, and returns how many records that were. */
static uint64_t run(const struct lwp_consumer_options *options)
{
    struct lwp_consumer *consumer = NULL;
    struct lwp_batch batch;
    uint64_t count = 0;
    enum lwp_status status = LWP_WOULD_BLOCK;
    must(lwp_consumer_open(options, &consumer, NULL), "open a consumer");
    while (status == LWP_OK || status == LWP_WOULD_BLOCK) {
        status = lwp_consumer_poll(consumer, 500, &batch);
        count += status == LWP_OK ? batch.record_count : 0;
    }
    if (status != LWP_END)
        must(status, "poll");
    must(lwp_consumer_commit(consumer), "commit"); /* On the disk when this returns. */
    must(lwp_consumer_close(consumer), "close the consumer");
    return count;
}

int main(int argc, char **argv)
{
    const char *address = example_address(argc, argv);
    const char *folder = argc > 2 ? argv[2] : "offsets";
    const uint32_t topic_id = fresh_topic(address, "example-offset-store");
    struct lwp_consumer_options options = lwp_consumer_defaults(address, "billing", topic_id);
    const struct lwp_offset_key key = {.consumer = options.name, .topic_id = topic_id};
    must(lwp_offset_store_files(folder, LWP_OFFSETS_PYTHON, &options.store), "open the store");
    must(lwp_offset_store_forget(options.store, &key), "forget what another run has kept");

    send_three(address, topic_id);
    const uint64_t first = run(&options);
    const uint64_t second = run(&options); /* Nothing comes twice. */
    (void)printf("the first run read %d records, the second %d\n", (int)first, (int)second);
    lwp_offset_store_free(options.store);
    return first == 3 && second == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
