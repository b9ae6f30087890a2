/* SPDX-License-Identifier: MIT */
#include "lwp/session/queue.h"
#include "lwp/tests/support.h"

enum { LIMIT = 1024, STEPS = 20000 };

/* A queue on `capacity` bytes of the heap, so that the sanitizer sees its ends. */
static struct lwp_queue queue_of(size_t capacity, size_t limit)
{
    struct lwp_queue queue = {.capacity = capacity, .limit = limit};
    if (capacity) {
        queue.data = malloc(capacity);
        assert_non_null(queue.data);
    }
    return queue;
}

static struct lwp_queue queue_with(size_t capacity, size_t limit, const char *text)
{
    struct lwp_queue queue = queue_of(capacity, limit);
    assert_int_equal(lwp_queue_push(&queue, lwp_bytes_text(text)), LWP_OK);
    return queue;
}

static void give_memory(struct lwp_queue *queue, size_t capacity)
{
    uint8_t *memory = malloc(capacity);
    assert_non_null(memory);
    free(lwp_queue_move(queue, memory, capacity));
}

static void bytes_come_out_in_the_order_they_went_in(void **state)
{
    (void)state;
    struct lwp_queue queue = queue_with(16, LIMIT, "abc");
    assert_int_equal(lwp_queue_push(&queue, lwp_bytes_text("defg")), LWP_OK);
    assert_bytes_equal(lwp_queue_bytes(&queue), lwp_bytes_text("abcdefg"));
    lwp_queue_drop(&queue, 2);
    assert_bytes_equal(lwp_queue_bytes(&queue), lwp_bytes_text("cdefg"));
    lwp_queue_drop(&queue, 5);
    assert_int_equal(lwp_queue_bytes(&queue).size, 0);
    free(queue.data);
}

static void a_queue_without_memory_is_full(void **state)
{
    (void)state;
    struct lwp_queue queue = queue_of(0, LIMIT);
    size_t room = 4711;
    (void)lwp_queue_room(&queue, &room);
    assert_int_equal(room, 0);
    assert_int_equal(lwp_queue_push(&queue, lwp_bytes_text("a")), LWP_FULL);
    assert_int_equal(lwp_queue_push(&queue, bytes_of(NULL, 0)), LWP_OK);
    assert_int_equal(queue.size, 0);
}

static void a_push_fits_exactly_or_leaves_the_queue_alone(void **state)
{
    (void)state;
    static const char text[] = "0123456789";
    for (size_t held = 0; held <= 8; held++)
        for (size_t size = 0; size <= sizeof(text) - 1; size++) {
            struct lwp_queue queue = queue_of(8, LIMIT);
            assert_int_equal(lwp_queue_push(&queue, bytes_of("abcdefgh", held)), LWP_OK);
            const bool fits = held + size <= 8;
            assert_int_equal(lwp_queue_push(&queue, bytes_of(text, size)),
                             fits ? LWP_OK : LWP_FULL);
            assert_int_equal(queue.size, fits ? held + size : held);
            if (held)
                assert_memory_equal(lwp_queue_bytes(&queue).data, "abcdefgh", held);
            free(queue.data);
        }
}

static void a_push_uses_the_room_that_drops_have_left_in_front(void **state)
{
    (void)state;
    for (size_t dropped = 0; dropped <= 8; dropped++) {
        struct lwp_queue queue = queue_with(8, LIMIT, "abcdefgh");
        lwp_queue_drop(&queue, dropped);
        assert_int_equal(lwp_queue_push(&queue, bytes_of("12345678", dropped)), LWP_OK);
        assert_memory_equal(lwp_queue_bytes(&queue).data, &"abcdefgh"[dropped], 8 - dropped);
        assert_memory_equal(lwp_queue_bytes(&queue).data + 8 - dropped, "12345678", dropped);
        assert_int_equal(lwp_queue_push(&queue, lwp_bytes_text("x")), LWP_FULL);
        free(queue.data);
    }
}

static void dropping_all_makes_room_for_as_much(void **state)
{
    (void)state;
    for (size_t first = 0; first <= 8; first++) {
        struct lwp_queue queue = queue_with(8, LIMIT, "abcdefgh");
        lwp_queue_drop(&queue, first);
        lwp_queue_drop(&queue, 8 - first);
        assert_int_equal(lwp_queue_bytes(&queue).size, 0);
        assert_int_equal(lwp_queue_push(&queue, lwp_bytes_text("12345678")), LWP_OK);
        assert_bytes_equal(lwp_queue_bytes(&queue), lwp_bytes_text("12345678"));
        free(queue.data);
    }
}

static void room_is_inside_the_memory_and_0_only_when_full(void **state)
{
    (void)state;
    for (size_t held = 0; held <= 16; held++)
        for (size_t dropped = 0; dropped <= held; dropped++) {
            struct lwp_queue queue = queue_of(16, LIMIT);
            size_t room = 4711;
            assert_int_equal(lwp_queue_push(&queue, bytes_of("0123456789abcdef", held)), LWP_OK);
            lwp_queue_drop(&queue, dropped);
            uint8_t *at = lwp_queue_room(&queue, &room);
            assert_true(room <= 16 - (held - dropped));
            assert_int_equal(room == 0, held - dropped == 16);
            if (room) {
                assert_true(at >= queue.data && at + room <= queue.data + 16);
                assert_ptr_equal(at, queue.data + queue.start + queue.size);
            }
            assert_bytes_equal(lwp_queue_bytes(&queue),
                               bytes_of(&"0123456789abcdef"[dropped], held - dropped));
            free(queue.data);
        }
}

static void what_is_filled_in_waits_behind_the_rest(void **state)
{
    (void)state;
    struct lwp_queue queue = queue_with(8, LIMIT, "abc");
    for (size_t i = 0; i < 5; i++) {
        size_t room = 0;
        uint8_t *at = lwp_queue_room(&queue, &room);
        assert_true(room >= 1);
        at[0] = (uint8_t)('1' + i);
        lwp_queue_fill(&queue, 1);
    }
    assert_bytes_equal(lwp_queue_bytes(&queue), lwp_bytes_text("abc12345"));
    free(queue.data);
}

static void filling_in_nothing_changes_nothing(void **state)
{
    (void)state;
    struct lwp_queue queue = queue_with(8, LIMIT, "abc");
    size_t room = 0;
    (void)lwp_queue_room(&queue, &room);
    lwp_queue_fill(&queue, 0);
    assert_bytes_equal(lwp_queue_bytes(&queue), lwp_bytes_text("abc"));
    free(queue.data);
}

static void moving_keeps_what_waits_and_hands_back_the_old_memory(void **state)
{
    (void)state;
    for (size_t dropped = 0; dropped <= 6; dropped++) {
        struct lwp_queue queue = queue_with(8, LIMIT, "abcdef");
        uint8_t *const old = queue.data;
        uint8_t *const memory = malloc(32);
        lwp_queue_drop(&queue, dropped);
        assert_ptr_equal(lwp_queue_move(&queue, memory, 32), old);
        free(old);
        assert_ptr_equal(queue.data, memory);
        assert_int_equal(queue.capacity, 32);
        assert_bytes_equal(lwp_queue_bytes(&queue), bytes_of(&"abcdef"[dropped], 6 - dropped));
        free(memory);
    }
}

static void moving_into_memory_that_just_holds_it_makes_it_full(void **state)
{
    (void)state;
    struct lwp_queue queue = queue_with(8, LIMIT, "abcdef");
    lwp_queue_drop(&queue, 2);
    give_memory(&queue, 4);
    assert_bytes_equal(lwp_queue_bytes(&queue), lwp_bytes_text("cdef"));
    assert_int_equal(lwp_queue_push(&queue, lwp_bytes_text("x")), LWP_FULL);
    free(queue.data);
}

static void an_empty_queue_gives_back_all_its_memory(void **state)
{
    (void)state;
    struct lwp_queue queue = queue_of(8, LIMIT);
    free(lwp_queue_move(&queue, NULL, 0));
    assert_int_equal(queue.capacity, 0);
    assert_int_equal(lwp_queue_push(&queue, lwp_bytes_text("x")), LWP_FULL);
    give_memory(&queue, 1);
    assert_int_equal(lwp_queue_push(&queue, lwp_bytes_text("x")), LWP_OK);
    free(queue.data);
}

static void what_fits_needs_no_other_capacity(void **state)
{
    (void)state;
    for (size_t wanted = 0; wanted <= 5; wanted++) {
        struct lwp_queue queue = queue_with(8, LIMIT, "abc");
        assert_int_equal(lwp_queue_next_capacity(&queue, wanted), 8);
        free(queue.data);
    }
}

static void room_in_front_counts_as_room(void **state)
{
    (void)state;
    struct lwp_queue queue = queue_with(8, LIMIT, "abcdefgh");
    lwp_queue_drop(&queue, 5);
    assert_int_equal(lwp_queue_next_capacity(&queue, 5), 8);
    assert_true(lwp_queue_next_capacity(&queue, 6) >= 16);
    free(queue.data);
}

static void the_next_capacity_doubles_up_to_the_limit(void **state)
{
    (void)state;
    for (size_t held = 0; held <= 8; held++)
        for (size_t wanted = 9 - held; wanted <= 110; wanted++) {
            struct lwp_queue queue = queue_of(8, 100);
            assert_int_equal(lwp_queue_push(&queue, bytes_of("abcdefgh", held)), LWP_OK);
            const size_t next = lwp_queue_next_capacity(&queue, wanted);
            if (held + wanted > 100) {
                assert_int_equal(next, 0);
            } else {
                assert_in_range(next, held + wanted, 100);
                assert_in_range(next, 16, 100);
            }
            free(queue.data);
        }
}

static void a_queue_at_its_limit_grows_no_more(void **state)
{
    (void)state;
    struct lwp_queue queue = queue_with(8, 8, "abcdefgh");
    assert_int_equal(lwp_queue_next_capacity(&queue, 0), 8);
    assert_int_equal(lwp_queue_next_capacity(&queue, 1), 0);
    lwp_queue_drop(&queue, 1);
    assert_int_equal(lwp_queue_next_capacity(&queue, 1), 8);
    assert_int_equal(lwp_queue_next_capacity(&queue, 2), 0);
    free(queue.data);
}

static void enormous_wishes_do_not_wrap_around(void **state)
{
    (void)state;
    static const size_t limits[] = {100, SIZE_MAX / 2, SIZE_MAX};
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        struct lwp_queue queue = queue_with(8, limits[i], "abc");
        for (size_t less = 0; less < 3; less++)
            assert_int_equal(lwp_queue_next_capacity(&queue, SIZE_MAX - less), 0);
        free(queue.data);
    }
}

static void doubling_does_not_wrap_around(void **state)
{
    (void)state;
    struct lwp_queue queue = {.capacity = SIZE_MAX / 2 + 2, .limit = SIZE_MAX};
    queue.size = queue.capacity;
    assert_in_range(lwp_queue_next_capacity(&queue, 1), queue.capacity + 1, SIZE_MAX);
}

/* A queue that is as simple as can be. */
struct model {
    uint8_t bytes[LIMIT];
    size_t size;
};

static void model_push(struct model *model, const uint8_t *bytes, size_t size)
{
    assert_true(model->size + size <= LIMIT);
    memcpy(model->bytes + model->size, bytes, size);
    model->size += size;
}

static void model_drop(struct model *model, size_t size)
{
    model->size -= size;
    memmove(model->bytes, model->bytes + size, model->size);
}

static void push_some(struct lwp_queue *queue, struct model *model, size_t size, uint64_t seed)
{
    uint8_t bytes[256];
    fill_random(bytes, size, seed);
    const bool fits = queue->size + size <= queue->capacity;
    assert_int_equal(lwp_queue_push(queue, bytes_of(bytes, size)), fits ? LWP_OK : LWP_FULL);
    if (fits)
        model_push(model, bytes, size);
}

static void fill_some(struct lwp_queue *queue, struct model *model, size_t size, uint64_t seed)
{
    size_t room = 0;
    uint8_t *at = lwp_queue_room(queue, &room);
    if (size > room)
        size = room;
    if (size == 0)
        return;
    fill_random(at, size, seed);
    model_push(model, at, size);
    lwp_queue_fill(queue, size);
}

static void grow_for(struct lwp_queue *queue, size_t wanted)
{
    const size_t next = lwp_queue_next_capacity(queue, wanted);
    assert_true(next <= LIMIT);
    assert_int_equal(next == 0, queue->size + wanted > LIMIT);
    if (next && next != queue->capacity)
        give_memory(queue, next);
    else if (next)
        assert_true(queue->capacity - queue->size >= wanted);
}

static void a_random_life_is_that_of_a_simple_queue(void **state)
{
    (void)state;
    uint64_t seed = 4711;
    struct lwp_queue queue = queue_of(0, LIMIT);
    static struct model model;
    for (int step = 0; step < STEPS; step++) {
        const size_t size = (size_t)(next_random(&seed) >> 20) % 200;
        switch (next_random(&seed) >> 30 & 7) {
        case 0:
        case 1:
            push_some(&queue, &model, size, seed);
            break;
        case 2:
        case 3:
            fill_some(&queue, &model, size, seed);
            break;
        case 4:
            grow_for(&queue, size);
            break;
        case 5:
            if (size % 8 == 0 && queue.size)
                give_memory(&queue, queue.size);
            break;
        default:
            model_drop(&model, size < model.size ? size : model.size);
            lwp_queue_drop(&queue, queue.size - model.size);
        }
        assert_true(queue.capacity <= LIMIT && queue.start + queue.size <= queue.capacity);
        assert_bytes_equal(lwp_queue_bytes(&queue), bytes_of(model.bytes, model.size));
    }
    free(queue.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_out_in_the_order_they_went_in),
        cmocka_unit_test(a_queue_without_memory_is_full),
        cmocka_unit_test(a_push_fits_exactly_or_leaves_the_queue_alone),
        cmocka_unit_test(a_push_uses_the_room_that_drops_have_left_in_front),
        cmocka_unit_test(dropping_all_makes_room_for_as_much),
        cmocka_unit_test(room_is_inside_the_memory_and_0_only_when_full),
        cmocka_unit_test(what_is_filled_in_waits_behind_the_rest),
        cmocka_unit_test(filling_in_nothing_changes_nothing),
        cmocka_unit_test(moving_keeps_what_waits_and_hands_back_the_old_memory),
        cmocka_unit_test(moving_into_memory_that_just_holds_it_makes_it_full),
        cmocka_unit_test(an_empty_queue_gives_back_all_its_memory),
        cmocka_unit_test(what_fits_needs_no_other_capacity),
        cmocka_unit_test(room_in_front_counts_as_room),
        cmocka_unit_test(the_next_capacity_doubles_up_to_the_limit),
        cmocka_unit_test(a_queue_at_its_limit_grows_no_more),
        cmocka_unit_test(enormous_wishes_do_not_wrap_around),
        cmocka_unit_test(doubling_does_not_wrap_around),
        cmocka_unit_test(a_random_life_is_that_of_a_simple_queue),
    };
    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
