/* SPDX-License-Identifier: MIT */
/* Every allocation of the main flows fails once: whatever follows, nothing crashes, leaks or hangs. And
 * how much they take at most. */
#include "lwp/tests/fake_server.h"

#include "lwp/lwp.h"
#include "lwp/net/clock.h"
#include "mock_server/mock.h"

enum { MOST_ALLOCATIONS = 2000, HOURS_NS = 3, MOST_BLOCKS = 16384, MIB = 1048576 };

static unsigned allocations; /* Since the last reset. */
static unsigned failing;     /* The number of the one that fails; 0: none. */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);

/* What a handle has at the moment, and had at most. */
static struct {
    bool counts; /* What is allocated now is the handle's. */
    struct {
        void *memory;
        size_t size;
    } blocks[MOST_BLOCKS];
    size_t block_count;
    size_t size;
    size_t peak;
} taken;

static void *note(void *memory, size_t size)
{
    if (!memory || !taken.counts)
        return memory;
    assert_true(taken.block_count < MOST_BLOCKS);
    taken.blocks[taken.block_count].memory = memory;
    taken.blocks[taken.block_count++].size = size;
    taken.size += size;
    taken.peak = taken.size > taken.peak ? taken.size : taken.peak;
    return memory;
}

static void forget(const void *memory)
{
    for (size_t i = 0; memory && i < taken.block_count; i++) {
        if (taken.blocks[i].memory != memory)
            continue;
        taken.size -= taken.blocks[i].size;
        taken.blocks[i] = taken.blocks[--taken.block_count];
        return;
    }
}

void *__wrap_malloc(size_t size)
{
    return ++allocations == failing ? NULL : note(__real_malloc(size), size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return ++allocations == failing ? NULL : note(__real_calloc(count, size), count * size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    if (++allocations == failing)
        return NULL;
    forget(memory);
    return note(__real_realloc(memory, size), size);
}

void __wrap_free(void *memory)
{
    forget(memory);
    __real_free(memory);
}

/* A mock, and options that lead to it. */
struct place {
    struct lwp_mock *mock;
    struct lwp_mock_world world;
    struct lwp_network network;
    struct lwp_connect_options options;
    struct lwp_world uncounted; /* The same world, which sees to it that only handles count. */
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

/* The world without what it takes itself. */

static enum lwp_status connect_uncounted(struct lwp_world *world, uint64_t deadline_ns,
                                         struct lwp_transport **transport)
{
    struct place *place =
        (struct place *)(void *)((char *)world - offsetof(struct place, uncounted));
    const bool counts = taken.counts;
    taken.counts = false;
    const enum lwp_status status = lwp_world_connect(&place->world.world, deadline_ns, transport);
    taken.counts = counts;
    return status;
}

static void wait_uncounted(struct lwp_world *world, struct lwp_transport *const *transports,
                           size_t count, uint64_t deadline_ns)
{
    struct place *place =
        (struct place *)(void *)((char *)world - offsetof(struct place, uncounted));
    taken.counts = false;
    lwp_world_wait(&place->world.world, transports, count, deadline_ns);
    taken.counts = true;
}

static uint64_t now_there(const struct lwp_world *world)
{
    const struct place *place =
        (const struct place *)(const void *)((const char *)world -
                                             offsetof(struct place, uncounted));
    return lwp_world_now(&place->world.world);
}

/* A place whose first topic has 6 MiB of records of 1000 bytes. */
static void open_counted_place(struct place *place)
{
    static const struct lwp_world_ops ops = {now_there, connect_uncounted, wait_uncounted};
    open_place(place);
    use_client(place);
    place->uncounted.ops = &ops;
    place->network.user = &place->uncounted;
    place->options.world = &place->uncounted;
    memset(&taken, 0, sizeof(taken));
}

static void close_counted_place(struct place *place)
{
    taken.counts = false;
    assert_int_equal(taken.block_count, 0);
    lwp_mock_free(place->mock);
}

static void produce_much(struct place *place, size_t limit, size_t batch_size, size_t size)
{
    static uint8_t value[2 * MIB];
    struct lwp_producer_options options = lwp_producer_defaults("mock");
    struct lwp_producer *producer = NULL;
    const struct lwp_outgoing record = {
        .topic_id = 1, .type = LWP_TLV_RAW, .parts = {bytes_of(value, size)}};
    options.connect = place->options;
    options.buffer_limit = limit;
    options.batch_size = batch_size;
    taken.counts = true;
    assert_int_equal(lwp_producer_open(&options, &producer, NULL), LWP_OK);
    for (size_t put = 0; put < 6 * MIB; put += size)
        assert_int_equal(lwp_producer_put_wait(producer, &record, 60000, NULL), LWP_OK);
    assert_int_equal(lwp_producer_close(producer, 60000), LWP_OK);
}

static void a_producer_takes_its_limit_and_1_mib_at_most(void **state)
{
    static const struct {
        size_t batch_size, size;
    } rows[] = {{32768, 1000}, {1, 1000}, {32768, 20000}, {262144, 100}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct place place;
        open_counted_place(&place);
        produce_much(&place, 2 * MIB, rows[i].batch_size, rows[i].size);
        assert_in_range(taken.peak, MIB, 3 * MIB);
        close_counted_place(&place);
    }
}

static void consume_all(struct place *place, uint32_t max_fetch_bytes, unsigned read_ahead)
{
    struct lwp_consumer_options options = lwp_consumer_defaults("mock", "reader", 1);
    struct lwp_consumer *consumer = NULL;
    struct lwp_batch batch;
    enum lwp_status status = LWP_OK;
    options.connect = place->options;
    options.max_fetch_bytes = max_fetch_bytes;
    options.read_ahead = read_ahead;
    taken.counts = true;
    assert_int_equal(lwp_consumer_open(&options, &consumer, NULL), LWP_OK);
    /* In a world without descriptors a long answer is waited for in vain now and then. */
    while (status == LWP_OK || status == LWP_WOULD_BLOCK)
        status = lwp_consumer_poll(consumer, 1000, &batch);
    assert_int_equal(status, LWP_END);
    assert_true(lwp_consumer_offset(consumer) >= 6 * MIB);
    assert_int_equal(lwp_consumer_close(consumer), LWP_OK);
}

static void a_consumer_takes_what_it_reads_ahead_and_1_mib_at_most(void **state)
{
    static const struct {
        uint32_t max_fetch_bytes;
        unsigned read_ahead;
    } rows[] = {{65536, 1}, {65536, 4}, {MIB, 1}, {MIB, 4}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct place place;
        const size_t ahead = (size_t)rows[i].max_fetch_bytes * rows[i].read_ahead;
        open_counted_place(&place);
        produce_much(&place, 2 * MIB, 32768, 1000);
        memset(&taken, 0, sizeof(taken));
        consume_all(&place, rows[i].max_fetch_bytes, rows[i].read_ahead);
        assert_in_range(taken.peak, rows[i].max_fetch_bytes, ahead + MIB);
        close_counted_place(&place);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_survives_the_failure_of_any_allocation),
        cmocka_unit_test(a_producer_survives_the_failure_of_any_allocation),
        cmocka_unit_test(a_consumer_survives_the_failure_of_any_allocation),
        cmocka_unit_test(a_producer_takes_its_limit_and_1_mib_at_most),
        cmocka_unit_test(a_consumer_takes_what_it_reads_ahead_and_1_mib_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
