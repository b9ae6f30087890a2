/* SPDX-License-Identifier: MIT */
/* What the mutator makes of inputs, measured over many seeds. */
#include "fuzz/mutator.h"

#include "fuzz/made.h"
#include "fuzz/stream.h"
#include "lwp/tests/support.h"
#include "lwp/wire/compress.h"
#include "lwp/wire/tlv.h"

enum { ROUNDS = 40000, LARGEST = 1024, HEAD = 4 };

/* What was seen in all inputs that were made. */
struct tally {
    size_t inputs;
    size_t raw;
    size_t whole; /* Every frame is sound. */
    size_t frames;
    size_t sound;
    size_t crossed_records;
    bool commands[256];
    bool flags[256];
    bool types[256];
    bool compressed_records;
};

static void see_records(struct tally *tally, struct lwp_bytes payload)
{
    struct lwp_tlv_walk walk = lwp_tlv_walk_over(payload);
    struct lwp_record record;
    while (lwp_tlv_next(&walk, &record) == LWP_OK)
        tally->types[record.type] = true;
}

static void see_compressed(struct tally *tally, struct lwp_bytes payload)
{
    uint8_t room[4096];
    struct lwp_writer out = lwp_writer_on(room, sizeof(room));
    if (lwp_lz4_decompress(LWP_LZ4_BLOCK, payload, sizeof(room), &out) == LWP_OK && out.size > 5)
        tally->compressed_records = true;
}

static bool see_frame(struct tally *tally, struct lwp_bytes bytes)
{
    struct lwp_frame frame;
    struct lwp_fault fault;
    bool sound = false;
    for (int polynomial = LWP_CRC32C; polynomial <= LWP_CRC32 && !sound; polynomial++)
        sound = lwp_frame_split(&(struct lwp_frame_rules){(enum lwp_polynomial)polynomial,
                                                          LWP_MAX_PAYLOAD_DEFAULT},
                                bytes, &frame, &fault) == LWP_OK;
    tally->frames++;
    if (!sound)
        return false;
    tally->sound++;
    tally->flags[frame.header.flags] = true;
    if (frame.header.flags == LWP_FLAG_CONTROL && frame.header.batch_id < 256)
        tally->commands[frame.header.batch_id] = true;
    if (frame.header.flags == LWP_FLAG_BATCH)
        see_records(tally, frame.payload);
    if (frame.header.flags == (LWP_FLAG_BATCH | LWP_FLAG_COMPRESSED))
        see_compressed(tally, frame.payload);
    return true;
}

static void see(struct tally *tally, struct lwp_bytes input, bool is_raw)
{
    tally->inputs++;
    tally->raw += is_raw;
    bool whole = true;
    for (struct lwp_bytes in = lwp_bytes_from(input, HEAD); in.size && !is_raw;) {
        const struct fuzz_piece piece = fuzz_piece_at(in);
        whole = (!piece.is_frame || see_frame(tally, piece.bytes)) && whole;
        in = lwp_bytes_from(in, piece.bytes.size);
    }
    tally->whole += whole && !is_raw;
}

/* Changes an input again and again, from nothing; each time behind the last 16 it begins anew. */
static struct tally measure(uint64_t seed)
{
    struct tally tally = {.inputs = 0};
    uint8_t data[LARGEST] = {0};
    size_t size = 0;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        struct mutation mutation = {.seed = seed + i, .head_size = HEAD};
        size = mutate(&mutation, data, size, sizeof(data));
        assert_in_range(size, 1, sizeof(data));
        see(&tally, bytes_of(data, size), mutation.is_raw);
        if (i % 16 == 15)
            size = 0;
    }
    return tally;
}

static void one_in_eight_inputs_is_left_raw(void **state)
{
    (void)state;
    const struct tally tally = measure(1);
    assert_int_equal(tally.inputs, ROUNDS);
    assert_in_range(tally.raw * 100 / tally.inputs, 10, 15);
}

static void most_frames_are_sound_and_some_are_not(void **state)
{
    (void)state;
    const struct tally tally = measure(2);
    print_message("%zu of %zu frames are sound\n", tally.sound, tally.frames);
    assert_in_range(tally.sound * 100 / tally.frames, 85, 98);
}

static void every_command_is_made(void **state)
{
    (void)state;
    const struct tally tally = measure(3);
    for (size_t i = 0; lwp_command_at(i); i++)
        assert_true(tally.commands[lwp_command_at(i)->code]);
}

static void every_combination_of_flags_is_made(void **state)
{
    (void)state;
    const struct tally tally = measure(4);
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(tally.flags); i++)
        count += tally.flags[i];
    assert_in_range(count, 128, 256);
}

static void every_type_of_record_is_made(void **state)
{
    (void)state;
    const struct tally tally = measure(5);
    static const uint8_t types[] = {
#define LWP_TLV(code, name, word, text) (code),
#include "lwp/wire/tlv.def"
#undef LWP_TLV
        LWP_TLV_USER_FIRST,
    };
    for (size_t i = 0; i < COUNT_OF(types); i++)
        assert_true(tally.types[types[i]]);
}

static void records_inside_lz4_are_made(void **state)
{
    (void)state;
    assert_true(measure(6).compressed_records);
}

static void the_same_seed_gives_the_same_input(void **state)
{
    (void)state;
    uint64_t dice = 7;
    for (uint64_t i = 0; i < 1000; i++) {
        uint8_t a[LARGEST] = {0}, b[LARGEST] = {0};
        const size_t size = dice_below(&dice, 64);
        struct mutation mutation = {.seed = i, .head_size = HEAD};
        const size_t a_size = mutate(&mutation, a, size, sizeof(a));
        assert_bytes_equal(bytes_of(a, a_size), bytes_of(b, mutate(&mutation, b, size, sizeof(b))));
    }
}

static void no_size_is_passed(void **state)
{
    (void)state;
    uint64_t dice = 8;
    for (uint64_t i = 0; i < 20000; i++) {
        const size_t max_size = 1 + dice_below(&dice, 200);
        const size_t size = dice_below(&dice, max_size + 1);
        uint8_t *data = calloc(1, max_size); /* To the byte, for the sanitizer. */
        struct mutation mutation = {.seed = i, .head_size = HEAD};
        assert_in_range(mutate(&mutation, data, size, max_size), 1, max_size);
        free(data);
    }
}

static void crossing_cuts_between_frames(void **state)
{
    (void)state;
    uint8_t a[LARGEST] = {0}, b[LARGEST] = {0}, out[LARGEST];
    for (uint64_t i = 0; i < 2000; i++) {
        uint8_t frame[LWP_HEADER_SIZE];
        struct lwp_writer first = lwp_writer_on(a, sizeof(a)), second = lwp_writer_on(b, sizeof(b));
        first.size = second.size = HEAD;
        struct lwp_frame sealed = {.header = {.flags = LWP_FLAG_KEEPALIVE}};
        lwp_frame_seal(&sealed, LWP_CRC32, 0);
        lwp_header_encode(&sealed.header, frame);
        for (size_t k = 0; k < i % 5; k++)
            lwp_write(&first, bytes_of(frame, sizeof(frame)));
        for (size_t k = 0; k < i % 3; k++)
            lwp_write(&second, bytes_of(frame, sizeof(frame)));
        struct mutation mutation = {.seed = i, .head_size = HEAD};
        const size_t size = mutate_cross(&mutation, lwp_writer_bytes(&first),
                                         lwp_writer_bytes(&second), out, sizeof(out));
        assert_int_equal((size - HEAD) % sizeof(frame), 0);
        assert_in_range((size - HEAD) / sizeof(frame), 0, i % 5 + i % 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_in_eight_inputs_is_left_raw),
        cmocka_unit_test(most_frames_are_sound_and_some_are_not),
        cmocka_unit_test(every_command_is_made),
        cmocka_unit_test(every_combination_of_flags_is_made),
        cmocka_unit_test(every_type_of_record_is_made),
        cmocka_unit_test(records_inside_lz4_are_made),
        cmocka_unit_test(the_same_seed_gives_the_same_input),
        cmocka_unit_test(no_size_is_passed),
        cmocka_unit_test(crossing_cuts_between_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
