/* SPDX-License-Identifier: MIT */
/* LZ4, where it makes a batch smaller, and what to know before it is switched on. */
#include <inttypes.h>

#include "example.h"

int main(int argc, char **argv)
{
    const char *address = example_address(argc, argv);
    const uint32_t topic_id = fresh_topic(address, "example-compression");
    struct lwp_producer_options options = lwp_producer_defaults(address);
    struct lwp_producer *producer = NULL;
    char text[4096];
    memset(text, 'z', sizeof(text));
    options.compression = true;
    must(lwp_producer_open(&options, &producer, NULL), "open a producer");

    /* The deployed server stores what comes and does not tell that it is compressed: who fetches it
     * has to know. Servers that follow the specification decompress it. */
    if (lwp_producer_warns(producer))
        (void)puts("consumers will get the compressed bytes as they are");

    const struct lwp_outgoing record = {
        .topic_id = topic_id,
        .type = LWP_TLV_RAW,
        .parts = {{(const uint8_t *)text, sizeof(text)}},
    };
    must(lwp_producer_send(producer, &record), "send");
    const struct lwp_outbox_statistics statistics = lwp_producer_statistics(producer);
    (void)printf("%" PRIu64 " bytes became %" PRIu64 "\n", statistics.bytes_before_lz4,
                 statistics.bytes_after_lz4);
    must(lwp_producer_close(producer, 1000), "close");
    return statistics.bytes_after_lz4 < statistics.bytes_before_lz4 ? EXIT_SUCCESS : EXIT_FAILURE;
}
