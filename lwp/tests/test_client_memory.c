/* SPDX-License-Identifier: MIT */
/* Every allocation of the main flows fails once: whatever follows, nothing crashes, leaks or hangs. */
#include "lwp/tests/fake_server.h"

#include "lwp/lwp.h"
#include "lwp/net/clock.h"
#include "mock_server/mock.h"

enum { MOST_ALLOCATIONS = 2000, HOURS_NS = 3 };

static unsigned allocations; /* Since the last reset. */
static unsigned failing;     /* The number of the one that fails; 0: none. */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_malloc(size_t size)
{
    return ++allocations == failing ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return ++allocations == failing ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return ++allocations == failing ? NULL : __real_realloc(memory, size);
}

/* A mock, and options that lead to it. */
struct place {
    struct lwp_mock *mock;
    struct lwp_mock_world world;
    struct lwp_network network;
    struct lwp_connect_options options;
};

static void open_place(struct place *place)
{
    const struct lwp_mock_options options = {.dialect = &lwp_dialect_lance};
    assert_int_equal(lwp_mock_new(&options, &place->mock), LWP_OK);
    lwp_mock_world_init(&place->world, place->mock);
    place->network = (struct lwp_network){world_dial, &place->world.world};
    place->options = lwp_connect_defaults("mock");
    place->options.caller_driven = true;
    place->options.network = &place->network;
    place->options.world = &place->world.world;
}

static void use_client(struct place *place)
{
    struct lwp_client *client = NULL;
    struct lwp_topic_info topic, *topics = NULL;
    size_t count = 0;
    if (lwp_client_connect(&place->options, &client, NULL) != LWP_OK)
        return;
    (void)lwp_client_create_topic(client, "orders", &topic);
    if (lwp_client_list_topics(client, &topics, &count) == LWP_OK)
        free(topics);
    (void)lwp_client_ping(client, NULL);
    lwp_client_close(client);
}

static void use_producer(struct place *place)
{
    struct lwp_producer *producer = NULL;
    struct lwp_producer_options options = lwp_producer_defaults("mock");
    static uint8_t value[5000];
    options.connect = place->options;
    options.compression = true;
    if (lwp_producer_open(&options, &producer, NULL) != LWP_OK)
        return;
    for (uint32_t i = 0; i < 60; i++) {
        const struct lwp_outgoing record = {
            .topic_id = i % 3, .type = LWP_TLV_RAW, .parts = {bytes_of(value, i * 80)}};
        (void)lwp_producer_put(producer, &record, NULL);
    }
    (void)lwp_producer_flush(producer, 60000);
    (void)lwp_producer_close(producer, 1000);
}

static void use_consumer(struct place *place)
{
    struct lwp_consumer *consumer = NULL;
    struct lwp_offset_store *memory = NULL;
    struct lwp_batch batch;
    uint64_t offset = 0;
    struct lwp_consumer_options options = lwp_consumer_defaults("mock", "reader", 1);
    if (lwp_offset_store_memory(&memory) != LWP_OK)
        return;
    options.connect = place->options;
    options.store = memory;
    options.max_fetch_bytes = 10000;
    options.read_ahead = 3;
    if (lwp_consumer_open(&options, &consumer, NULL) == LWP_OK) {
        for (int i = 0; i < 40; i++) {
            if (lwp_consumer_poll(consumer, 100, &batch) != LWP_OK)
                continue;
            /* Nothing is lost or doubled for want of memory. */
            assert_int_equal(batch.start_offset, offset);
            assert_int_equal(batch.end_offset - offset, batch.data.size);
            offset = batch.end_offset;
        }
        (void)lwp_consumer_commit(consumer);
        (void)lwp_consumer_close(consumer);
    }
    lwp_offset_store_free(memory);
}

/* Fails each allocation of the flow in turn, until the flow has fewer. */
static void fail_each(void (*use)(struct place *place))
{
    unsigned count = 0;
    bool all = false;
    while (!all) {
        struct place place;
        open_place(&place);
        if (use != use_client)
            use_client(&place);
        if (use == use_consumer)
            use_producer(&place);
        allocations = 0;
        failing = ++count;
        use(&place);
        all = allocations < failing;
        failing = 0;
        assert_true(place.world.now_ns < HOURS_NS * 3600 * LWP_SECOND_NS);
        lwp_mock_free(place.mock);
        assert_true(count < MOST_ALLOCATIONS);
    }
    /* The flow is one that allocates. */
    assert_true(count > 10);
}

static void a_client_survives_the_failure_of_any_allocation(void **state)
{
    (void)state;
    fail_each(use_client);
}

static void a_producer_survives_the_failure_of_any_allocation(void **state)
{
    (void)state;
    fail_each(use_producer);
}

static void a_consumer_survives_the_failure_of_any_allocation(void **state)
{
    (void)state;
    fail_each(use_consumer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_survives_the_failure_of_any_allocation),
        cmocka_unit_test(a_producer_survives_the_failure_of_any_allocation),
        cmocka_unit_test(a_consumer_survives_the_failure_of_any_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
