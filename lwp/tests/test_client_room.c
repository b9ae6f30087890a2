/* SPDX-License-Identifier: MIT */
/* How much memory a producer takes at most. The mock has a thread of its own, and only what this one
 * allocates is counted. */
#include "lwp/tests/mock_service.h"

#include "lwp/lwp.h"

enum { SLACK = 1048576, BUFFER_LIMIT = 2097152, RECORD_SIZE = 100, PATIENCE_MS = 30000 };

static _Thread_local long in_use; /* Bytes. */
static _Thread_local long peak;   /* Since the last reset. */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);

static void *count(void *memory)
{
    in_use += (long)malloc_usable_size(memory);
    peak = in_use > peak ? in_use : peak;
    return memory;
}

void *__wrap_malloc(size_t size)
{
    return count(__real_malloc(size));
}

void *__wrap_calloc(size_t count_of, size_t size)
{
    return count(__real_calloc(count_of, size));
}

/* Both are there for a moment, as far as anybody can tell from outside. */
void *__wrap_realloc(void *memory, size_t size)
{
    const size_t before = malloc_usable_size(memory);
    void *larger = count(__real_realloc(memory, size));
    in_use -= larger || size == 0 ? (long)before : 0;
    return larger;
}

void __wrap_free(void *memory)
{
    in_use -= (long)malloc_usable_size(memory);
    __real_free(memory);
}

static void begin_to_count(void)
{
    in_use = 0;
    peak = 0;
}

/* Several times what the buffer takes, and as fast as it goes. */
static void put_all(struct lwp_producer *producer)
{
    static const uint8_t value[RECORD_SIZE];
    const struct lwp_outgoing record = {
        .topic_id = 1, .type = LWP_TLV_RAW, .parts = {{value, sizeof(value)}}};
    for (int i = 0; i < 4 * BUFFER_LIMIT / RECORD_SIZE; i++)
        assert_int_equal(lwp_producer_put_wait(producer, &record, PATIENCE_MS, NULL), LWP_OK);
    assert_int_equal(lwp_producer_flush(producer, PATIENCE_MS), LWP_OK);
}

static long peak_of_producer(size_t batch_size)
{
    struct service service;
    struct lwp_producer *producer = NULL;
    open_service(&service, &lwp_dialect_lance);
    make_topic(&service);
    struct lwp_producer_options options = lwp_producer_defaults(service.address);
    options.connect.caller_driven = true;
    options.buffer_limit = BUFFER_LIMIT;
    options.batch_size = batch_size;
    begin_to_count();
    assert_int_equal(lwp_producer_open(&options, &producer, NULL), LWP_OK);
    put_all(producer);
    assert_int_equal(lwp_producer_close(producer, 0), LWP_OK);
    assert_int_equal(in_use, 0);
    close_service(&service);
    return peak;
}

static void a_producer_stays_within_its_limit(void **state)
{
    (void)state;
    const long size = peak_of_producer(32768);
    assert_in_range(size, BUFFER_LIMIT / 2, BUFFER_LIMIT + SLACK);
}

static void a_producer_of_small_batches_stays_within_its_limit(void **state)
{
    (void)state;
    const long size = peak_of_producer(1);
    assert_in_range(size, BUFFER_LIMIT / 2, BUFFER_LIMIT + SLACK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_producer_stays_within_its_limit),
        cmocka_unit_test(a_producer_of_small_batches_stays_within_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
