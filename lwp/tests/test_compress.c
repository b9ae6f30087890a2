/* SPDX-License-Identifier: MIT */
#include "lwp/wire/compress.h"

#include "lwp/tests/support.h"

enum { LARGE = 300000, PACKED_ROOM = LARGE + LARGE / 255 + 64 };

static const enum lwp_lz4_framing FRAMINGS[] = {LWP_LZ4_BLOCK, LWP_LZ4_LIBRARY};

/* LZ4 blocks by hand (lz4_Block_format.md): a token with the number of literals, then those. */
static const uint8_t HELLO_BLOCK[] = {0x50, 'h', 'e', 'l', 'l', 'o'};
static const uint8_t HELLO_LIBRARY[] = {1, 5, 0, 0, 0, 5, 0, 0, 0, 0x50, 'h', 'e', 'l', 'l', 'o'};

static uint8_t packed[PACKED_ROOM];

static struct lwp_bytes pack(enum lwp_lz4_framing framing, struct lwp_bytes in)
{
    struct lwp_writer out = lwp_writer_on(packed, sizeof(packed));
    assert_int_equal(lwp_lz4_compress(framing, in, &out), LWP_OK);
    assert_true(out.size <= lwp_lz4_bound(framing, in.size));
    return lwp_writer_bytes(&out);
}

/* Decompresses into exactly `room` bytes that lie flush against an unwritable page. */
static enum lwp_status unpack(enum lwp_lz4_framing framing, struct lwp_bytes in, size_t limit,
                              size_t room, struct lwp_bytes *result)
{
    struct lwp_writer out = guarded_writer(room);
    const enum lwp_status status = lwp_lz4_decompress(framing, in, limit, &out);
    assert_true(out.size <= limit || status != LWP_OK);
    if (status != LWP_OK)
        assert_int_equal(out.size, 0);
    *result = lwp_writer_bytes(&out);
    return status;
}

static void assert_unpacks(enum lwp_lz4_framing framing, struct lwp_bytes in, size_t limit,
                           size_t room, enum lwp_status expected)
{
    struct lwp_bytes result;
    assert_int_equal(unpack(framing, guarded(in), limit, room, &result), expected);
}

/* Something that LZ4 finds both repetitions and surprises in. */
static struct lwp_bytes prose(size_t size)
{
    static uint8_t bytes[LARGE];
    uint64_t seed = 0x12474;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i % 97 < 60 ? i % 13 + 'a' : next_random(&seed) >> 20);
    return bytes_of(bytes, size);
}

static void blocks_written_by_hand_are_read(void **state)
{
    (void)state;
    struct lwp_bytes result;
    assert_int_equal(
        unpack(LWP_LZ4_BLOCK, guarded(bytes_of(HELLO_BLOCK, sizeof(HELLO_BLOCK))), 5, 5, &result),
        LWP_OK);
    assert_bytes_equal(result, lwp_bytes_text("hello"));
    assert_int_equal(unpack(LWP_LZ4_LIBRARY,
                            guarded(bytes_of(HELLO_LIBRARY, sizeof(HELLO_LIBRARY))), 5, 5, &result),
                     LWP_OK);
    assert_bytes_equal(result, lwp_bytes_text("hello"));
}

static void short_inputs_are_written_as_literals_in_either_framing(void **state)
{
    (void)state;
    assert_bytes_equal(pack(LWP_LZ4_BLOCK, lwp_bytes_text("hello")),
                       bytes_of(HELLO_BLOCK, sizeof(HELLO_BLOCK)));
    assert_bytes_equal(pack(LWP_LZ4_LIBRARY, lwp_bytes_text("hello")),
                       bytes_of(HELLO_LIBRARY, sizeof(HELLO_LIBRARY)));
}

static void what_was_compressed_comes_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 12, 13, 64, 255, 256, 4096, 65535, 65536, LARGE};
    for (size_t i = 0; i < COUNT_OF(FRAMINGS); i++)
        for (size_t j = 0; j < COUNT_OF(sizes); j++) {
            const struct lwp_bytes in = prose(sizes[j]);
            struct lwp_bytes result;
            assert_int_equal(unpack(FRAMINGS[i], guarded(pack(FRAMINGS[i], in)), LWP_LZ4_MAX_OUTPUT,
                                    in.size, &result),
                             LWP_OK);
            assert_bytes_equal(result, in);
        }
}

static void nothing_can_be_compressed_and_comes_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(FRAMINGS); i++) {
        struct lwp_bytes result;
        const struct lwp_bytes in = guarded(pack(FRAMINGS[i], lwp_bytes_text("")));
        assert_int_equal(unpack(FRAMINGS[i], in, LWP_LZ4_MAX_OUTPUT, 16, &result), LWP_OK);
        assert_int_equal(result.size, 0);
    }
}

static void random_bytes_grow_no_further_than_the_bound(void **state)
{
    (void)state;
    static uint8_t bytes[5000];
    fill_random(bytes, sizeof(bytes), 0xb0d);
    for (size_t i = 0; i < COUNT_OF(FRAMINGS); i++)
        for (size_t size = 0; size <= sizeof(bytes); size += 111) {
            struct lwp_bytes result;
            struct lwp_writer out = guarded_writer(lwp_lz4_bound(FRAMINGS[i], size));
            assert_int_equal(lwp_lz4_compress(FRAMINGS[i], bytes_of(bytes, size), &out), LWP_OK);
            const struct lwp_bytes in = guarded(lwp_writer_bytes(&out));
            assert_int_equal(unpack(FRAMINGS[i], in, sizeof(bytes), size, &result), LWP_OK);
            assert_bytes_equal(result, bytes_of(bytes, size));
        }
}

static void the_bound_ends_where_lz4_does(void **state)
{
    (void)state;
    const size_t most = 2113929216;
    for (size_t i = 0; i < COUNT_OF(FRAMINGS); i++) {
        assert_true(lwp_lz4_bound(FRAMINGS[i], most) > most);
        assert_int_equal(lwp_lz4_bound(FRAMINGS[i], most + 1), 0);
        assert_int_equal(lwp_lz4_bound(FRAMINGS[i], (size_t)1 << 32), 0);
        assert_int_equal(lwp_lz4_bound(FRAMINGS[i], SIZE_MAX), 0);
    }
    assert_int_equal(lwp_lz4_bound(LWP_LZ4_LIBRARY, 1000),
                     lwp_lz4_bound(LWP_LZ4_BLOCK, 1000) + LWP_LZ4_LIBRARY_HEAD_SIZE);
}

/* Nobody has that much memory here: the size alone must be enough to refuse. */
static void an_input_larger_than_lz4_takes_is_an_invalid_argument(void **state)
{
    (void)state;
    static const size_t sizes[] = {2113929217, (size_t)1 << 31, ((size_t)1 << 32) + 5, SIZE_MAX};
    for (size_t i = 0; i < COUNT_OF(FRAMINGS); i++)
        for (size_t j = 0; j < COUNT_OF(sizes); j++) {
            struct lwp_writer out = lwp_writer_on(packed, sizeof(packed));
            assert_int_equal(lwp_lz4_compress(FRAMINGS[i], bytes_of(packed, sizes[j]), &out),
                             LWP_INVALID_ARGUMENT);
        }
}

static void a_result_that_does_not_fit_is_refused_at_every_room(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(FRAMINGS); i++) {
        const struct lwp_bytes in = prose(300);
        const size_t size = pack(FRAMINGS[i], in).size;
        for (size_t room = 0; room < size; room++) {
            struct lwp_writer out = guarded_writer(room);
            assert_int_equal(lwp_lz4_compress(FRAMINGS[i], in, &out), LWP_FULL);
        }
        struct lwp_writer out = guarded_writer(lwp_lz4_bound(FRAMINGS[i], in.size));
        assert_int_equal(lwp_lz4_compress(FRAMINGS[i], in, &out), LWP_OK);
    }
}

static void both_directions_write_behind_what_is_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(FRAMINGS); i++) {
        uint8_t buffer[64], again[64];
        struct lwp_writer out = lwp_writer_on(buffer, sizeof(buffer));
        lwp_write(&out, lwp_bytes_text("head"));
        assert_int_equal(lwp_lz4_compress(FRAMINGS[i], lwp_bytes_text("hello"), &out), LWP_OK);
        assert_memory_equal(buffer, "head", 4);
        struct lwp_writer back = lwp_writer_on(again, sizeof(again));
        lwp_write(&back, lwp_bytes_text("front "));
        assert_int_equal(
            lwp_lz4_decompress(FRAMINGS[i], lwp_bytes_from(lwp_writer_bytes(&out), 4), 5, &back),
            LWP_OK);
        assert_bytes_equal(lwp_writer_bytes(&back), lwp_bytes_text("front hello"));
    }
}

static void a_failure_leaves_what_was_there(void **state)
{
    (void)state;
    static const struct {
        size_t room, limit;
        const char *wire;
        enum lwp_status status;
    } rows[] = {{5 + 4, 100, "\x50hello", LWP_FULL},
                {5 + 64, 4, "\x50hello", LWP_PAYLOAD_TOO_LARGE},
                {5 + 64, 64, "\x60hello", LWP_INVALID_COMPRESSION}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lwp_writer out = guarded_writer(rows[i].room);
        lwp_write(&out, lwp_bytes_text("front"));
        assert_int_equal(
            lwp_lz4_decompress(LWP_LZ4_BLOCK, bytes_of(rows[i].wire, 6), rows[i].limit, &out),
            rows[i].status);
        assert_bytes_equal(lwp_writer_bytes(&out), lwp_bytes_text("front"));
    }
}

static struct lwp_writer full_writer(void)
{
    struct lwp_writer out = guarded_writer(64);
    lwp_write(&out, lwp_bytes_text("front"));
    lwp_write_room(&out, SIZE_MAX);
    assert_true(out.full);
    return out;
}

static void nothing_is_compressed_into_a_writer_that_is_full(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(FRAMINGS); i++) {
        struct lwp_writer out = full_writer();
        assert_int_equal(lwp_lz4_compress(FRAMINGS[i], lwp_bytes_text("x"), &out), LWP_FULL);
        assert_bytes_equal(lwp_writer_bytes(&out), lwp_bytes_text("front"));
    }
}

static void the_limit_is_exact(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(FRAMINGS); i++) {
        const struct lwp_bytes in = pack(FRAMINGS[i], prose(5000));
        assert_unpacks(FRAMINGS[i], in, 5000, 5000, LWP_OK);
        assert_unpacks(FRAMINGS[i], in, 5000, 60000, LWP_OK);
        assert_unpacks(FRAMINGS[i], in, 60000, 5000, LWP_OK);
        assert_unpacks(FRAMINGS[i], in, 4999, 4999, LWP_PAYLOAD_TOO_LARGE);
        assert_unpacks(FRAMINGS[i], in, 4999, 60000, LWP_PAYLOAD_TOO_LARGE);
        assert_unpacks(FRAMINGS[i], in, 5000, 4999, LWP_FULL);
        assert_unpacks(FRAMINGS[i], in, 0, 60000, LWP_PAYLOAD_TOO_LARGE);
        assert_unpacks(FRAMINGS[i], in, 5000, 0, LWP_FULL);
    }
}

/* A block of `size` bytes that repeats one zero for 255 times as long: a token for one literal and
 * a long match, the literal, the distance 1, the length, and five literals at the end. */
static struct lwp_bytes bomb(size_t size)
{
    static uint8_t block[70000];
    memset(block, 0xff, size);
    memcpy(block, "\x1f\0\1\0", 4);
    memcpy(block + size - 7, "\0\x50tail!", 7);
    return bytes_of(block, size);
}

static void a_small_input_that_expands_hugely_passes_neither_limit_nor_room(void **state)
{
    (void)state;
    static const size_t limits[] = {0, 1, 1000, 65536, 1 << 20};
    const struct lwp_bytes in = bomb(70000); /* 17 MiB. */
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        assert_unpacks(LWP_LZ4_BLOCK, in, limits[i], limits[i], LWP_PAYLOAD_TOO_LARGE);
        assert_unpacks(LWP_LZ4_BLOCK, in, limits[i], 1 << 20, LWP_PAYLOAD_TOO_LARGE);
        assert_unpacks(LWP_LZ4_BLOCK, in, LWP_LZ4_MAX_OUTPUT, limits[i], LWP_FULL);
    }
}

/* The last byte before the limit is written, the first one behind it is not. */
static void nothing_is_written_past_the_limit(void **state)
{
    (void)state;
    static uint8_t buffer[4096];
    memset(buffer, 0x5a, sizeof(buffer));
    struct lwp_writer out = lwp_writer_on(buffer, sizeof(buffer));
    assert_int_equal(lwp_lz4_decompress(LWP_LZ4_BLOCK, bomb(1000), 100, &out),
                     LWP_PAYLOAD_TOO_LARGE);
    for (size_t i = 100; i < sizeof(buffer); i++)
        assert_int_equal(buffer[i], 0x5a);
}

static void a_lying_size_is_refused_before_the_block_is_touched(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1001, 0x7fffffff, 0x80000000, UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        uint8_t wire[sizeof(HELLO_LIBRARY)];
        memcpy(wire, HELLO_LIBRARY, sizeof(wire));
        lwp_put32(wire + 1, sizes[i]);
        lwp_put32(wire + 5, sizes[i]);
        assert_unpacks(LWP_LZ4_LIBRARY, bytes_of(wire, sizeof(wire)), 1000, 1000,
                       LWP_PAYLOAD_TOO_LARGE);
    }
}

static void sizes_that_contradict_each_other_or_the_block_are_damage(void **state)
{
    (void)state;
    static const struct {
        uint32_t first, second;
    } rows[] = {{5, 4}, {5, 6}, {4, 5}, {6, 5}, {0, 5},
                {5, 0}, {4, 4}, {6, 6}, {0, 0}, {1000, 1000}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t wire[sizeof(HELLO_LIBRARY)];
        memcpy(wire, HELLO_LIBRARY, sizeof(wire));
        lwp_put32(wire + 1, rows[i].first);
        lwp_put32(wire + 5, rows[i].second);
        assert_unpacks(LWP_LZ4_LIBRARY, bytes_of(wire, sizeof(wire)), 1000, 1000,
                       LWP_INVALID_COMPRESSION);
    }
}

static void only_algorithm_1_is_lz4(void **state)
{
    (void)state;
    for (unsigned algorithm = 0; algorithm < 256; algorithm++) {
        uint8_t wire[sizeof(HELLO_LIBRARY)];
        memcpy(wire, HELLO_LIBRARY, sizeof(wire));
        wire[0] = (uint8_t)algorithm;
        assert_unpacks(LWP_LZ4_LIBRARY, bytes_of(wire, sizeof(wire)), 1000, 1000,
                       algorithm == LWP_LZ4_LIBRARY_ALGORITHM ? LWP_OK : LWP_INVALID_COMPRESSION);
    }
}

static void a_library_payload_cut_anywhere_is_damage(void **state)
{
    (void)state;
    const struct lwp_bytes in = pack(LWP_LZ4_LIBRARY, prose(2000));
    for (size_t cut = 0; cut < in.size; cut++)
        assert_unpacks(LWP_LZ4_LIBRARY, bytes_of(in.data, cut), 2000, 2000,
                       LWP_INVALID_COMPRESSION);
    assert_unpacks(LWP_LZ4_LIBRARY, in, 2000, 2000, LWP_OK);
}

/* Cut behind the literals of a sequence a raw block looks whole; then it is the beginning that
 * comes out, never anything else. */
static void a_block_cut_anywhere_is_damage_or_the_beginning(void **state)
{
    (void)state;
    const struct lwp_bytes text = prose(2000), in = pack(LWP_LZ4_BLOCK, text);
    size_t damaged = 0;
    for (size_t cut = 0; cut < in.size; cut++) {
        struct lwp_bytes result;
        const enum lwp_status status =
            unpack(LWP_LZ4_BLOCK, guarded(bytes_of(in.data, cut)), 2000, 2000, &result);
        damaged += status == LWP_INVALID_COMPRESSION;
        if (status == LWP_INVALID_COMPRESSION)
            continue;
        assert_int_equal(status, LWP_OK);
        assert_true(result.size < text.size);
        assert_bytes_equal(result, bytes_of(text.data, result.size));
    }
    assert_true(damaged > in.size / 2);
}

static void no_bytes_are_no_compressed_payload(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(FRAMINGS); i++)
        for (size_t room = 0; room <= 100; room += 50)
            assert_unpacks(FRAMINGS[i], bytes_of(NULL, 0), room, room, LWP_INVALID_COMPRESSION);
}

static void a_block_that_points_before_its_beginning_is_damage(void **state)
{
    (void)state;
    static const uint8_t distances[] = {1, 2, 3, 0xff};
    for (size_t i = 0; i < COUNT_OF(distances); i++) {
        const uint8_t wire[] = {0x14, 'a', distances[i], 0, 0x50, 't', 'a', 'i', 'l', '!'};
        struct lwp_writer out = guarded_writer(64);
        lwp_write(&out, lwp_bytes_text("before"));
        assert_int_equal(
            lwp_lz4_decompress(LWP_LZ4_BLOCK, guarded(bytes_of(wire, sizeof(wire))), 58, &out),
            distances[i] == 1 ? LWP_OK : LWP_INVALID_COMPRESSION);
    }
}

/* Whoever grows the room after each LWP_FULL comes to an end, at the latest at the limit. */
static enum lwp_status unpack_growing(enum lwp_lz4_framing framing, struct lwp_bytes in,
                                      size_t limit, struct lwp_bytes *result)
{
    enum lwp_status status = LWP_FULL;
    for (size_t room = 1; status == LWP_FULL; room = room * 2 < limit ? room * 2 : limit) {
        status = unpack(framing, in, limit, room, result);
        if (status == LWP_FULL)
            assert_true(room < limit);
    }
    return status;
}

static void growing_the_room_after_full_comes_to_an_end(void **state)
{
    (void)state;
    const struct lwp_bytes text = prose(5000);
    for (size_t i = 0; i < COUNT_OF(FRAMINGS); i++) {
        struct lwp_bytes result;
        const struct lwp_bytes in = guarded(pack(FRAMINGS[i], text));
        assert_int_equal(unpack_growing(FRAMINGS[i], in, 5000, &result), LWP_OK);
        assert_bytes_equal(result, text);
        assert_int_equal(unpack_growing(FRAMINGS[i], in, 4000, &result), LWP_PAYLOAD_TOO_LARGE);
    }
    struct lwp_bytes result;
    assert_int_equal(unpack_growing(LWP_LZ4_BLOCK, bomb(70000), 1 << 20, &result),
                     LWP_PAYLOAD_TOO_LARGE);
    assert_int_equal(unpack_growing(LWP_LZ4_BLOCK, bytes_of("\x60hello", 6), 1000, &result),
                     LWP_INVALID_COMPRESSION);
}

static void random_bytes_never_leave_their_room(void **state)
{
    (void)state;
    uint8_t wire[64];
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        struct lwp_bytes result;
        const size_t size = seed % sizeof(wire);
        fill_random(wire, sizeof(wire), seed);
        const enum lwp_status status =
            unpack(LWP_LZ4_BLOCK, guarded(bytes_of(wire, size)), seed % 777, seed % 1000, &result);
        assert_true(status == LWP_OK || status == LWP_FULL || status == LWP_PAYLOAD_TOO_LARGE ||
                    status == LWP_INVALID_COMPRESSION);
    }
}

static void nothing_is_decompressed_into_a_writer_that_is_full(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(FRAMINGS); i++) {
        const struct lwp_bytes in = pack(FRAMINGS[i], lwp_bytes_text("x"));
        struct lwp_writer out = full_writer();
        assert_int_equal(lwp_lz4_decompress(FRAMINGS[i], in, 10, &out), LWP_FULL);
        assert_bytes_equal(lwp_writer_bytes(&out), lwp_bytes_text("front"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_decompressed_into_a_writer_that_is_full),
        cmocka_unit_test(blocks_written_by_hand_are_read),
        cmocka_unit_test(short_inputs_are_written_as_literals_in_either_framing),
        cmocka_unit_test(what_was_compressed_comes_back),
        cmocka_unit_test(nothing_can_be_compressed_and_comes_back),
        cmocka_unit_test(random_bytes_grow_no_further_than_the_bound),
        cmocka_unit_test(the_bound_ends_where_lz4_does),
        cmocka_unit_test(an_input_larger_than_lz4_takes_is_an_invalid_argument),
        cmocka_unit_test(a_result_that_does_not_fit_is_refused_at_every_room),
        cmocka_unit_test(both_directions_write_behind_what_is_there),
        cmocka_unit_test(a_failure_leaves_what_was_there),
        cmocka_unit_test(nothing_is_compressed_into_a_writer_that_is_full),
        cmocka_unit_test(the_limit_is_exact),
        cmocka_unit_test(a_small_input_that_expands_hugely_passes_neither_limit_nor_room),
        cmocka_unit_test(nothing_is_written_past_the_limit),
        cmocka_unit_test(a_lying_size_is_refused_before_the_block_is_touched),
        cmocka_unit_test(sizes_that_contradict_each_other_or_the_block_are_damage),
        cmocka_unit_test(only_algorithm_1_is_lz4),
        cmocka_unit_test(a_library_payload_cut_anywhere_is_damage),
        cmocka_unit_test(a_block_cut_anywhere_is_damage_or_the_beginning),
        cmocka_unit_test(no_bytes_are_no_compressed_payload),
        cmocka_unit_test(a_block_that_points_before_its_beginning_is_damage),
        cmocka_unit_test(growing_the_room_after_full_comes_to_an_end),
        cmocka_unit_test(random_bytes_never_leave_their_room),
    };
    return cmocka_run_group_tests_name("compress", tests, NULL, NULL);
}
