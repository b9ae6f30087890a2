/* SPDX-License-Identifier: MIT */
/* Bytes are cut where the mode says, and nothing is lost. */
#include "lwp/tests/support.h"

#include "conformance/chop.h"
#include "lwp/wire/frame.h"

enum { PAYLOAD_SIZE = 10, FRAME_SIZE = LWP_HEADER_SIZE + PAYLOAD_SIZE };

/* Two frames, one behind the other. */
static void make_frames(uint8_t out[2 * FRAME_SIZE])
{
    struct lwp_writer writer = lwp_writer_on(out, 2 * FRAME_SIZE);
    for (int i = 0; i < 2; i++) {
        struct lwp_frame frame = {.header = {.flags = LWP_FLAG_BATCH},
                                  .payload = lwp_bytes_text("0123456789")};
        lwp_frame_seal(&frame, LWP_CRC32, 0);
        assert_int_equal(lwp_frame_encode(&frame, &writer), LWP_OK);
    }
}

/* Cuts the bytes; the sizes of the pieces, as text, and all bytes must come in their order. */
static const char *cut(const char *mode, struct lwp_bytes bytes, char *out, size_t size)
{
    struct chop chop;
    struct chop_cut under_way;
    size_t at = 0;
    size_t written = 0;
    assert_true(chop_read(mode, &chop));
    chop_begin(&under_way, &chop, bytes);
    for (struct lwp_bytes piece = chop_next(&under_way); piece.size;
         piece = chop_next(&under_way)) {
        assert_ptr_equal(piece.data, bytes.data + at);
        at += piece.size;
        if (written + 8 < size)
            written += (size_t)snprintf(out + written, size - written, "%zu ", piece.size);
    }
    assert_int_equal(at, bytes.size);
    return out;
}

static void pieces_have_the_sizes_of_the_mode_from_each_frame_on(void **state)
{
    static const struct {
        const char *mode;
        const char *pieces;
    } rows[] = {
        {"none", "108 "},
        {"coalesce", "108 "},
        {"44,*", "44 10 44 10 "},
        {"*", "54 54 "},
        {"43,1,*", "43 1 10 43 1 10 "},
        {"43,2", "43 2 2 2 2 2 1 43 2 2 2 2 2 1 "},
        {"30", "30 24 30 24 "},
        {"65535", "54 54 "},
    };
    uint8_t frames[2 * FRAME_SIZE];
    char text[256];
    (void)state;
    make_frames(frames);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_string_equal(
            cut(rows[i].mode, (struct lwp_bytes){frames, sizeof(frames)}, text, sizeof(text)),
            rows[i].pieces);
}

static void what_is_no_whole_frame_is_taken_for_one(void **state)
{
    uint8_t frames[2 * FRAME_SIZE];
    char text[256];
    (void)state;
    make_frames(frames);
    lwp_put32(frames + 32, UINT32_MAX); /* The payload's length. */
    assert_string_equal(cut("44,*", (struct lwp_bytes){frames, sizeof(frames)}, text, sizeof(text)),
                        "44 64 ");
    assert_string_equal(cut("3,*", (struct lwp_bytes){frames, 7}, text, sizeof(text)), "3 4 ");
    assert_string_equal(cut("1", (struct lwp_bytes){NULL, 0}, strcpy(text, ""), sizeof(text)), "");
}

static void random_pieces_are_small_and_the_same_for_a_seed(void **state)
{
    static uint8_t bytes[1000];
    char first[1024];
    char again[1024];
    (void)state;
    const struct lwp_bytes all = {bytes, sizeof(bytes)};
    assert_string_equal(cut("rand:1", all, first, sizeof(first)),
                        cut("rand:1", all, again, sizeof(again)));
    assert_string_not_equal(first, cut("rand:2", all, again, sizeof(again)));
    for (const char *at = first; *at; at = strchr(at, ' ') + 1)
        assert_in_range(strtol(at, NULL, 10), 1, CHOP_LARGEST);
}

static void large_sends_are_cut_only_so_often(void **state)
{
    enum { SIZE = CHOP_MOST_PIECES + 1000 };
    static uint8_t bytes[SIZE];
    struct chop chop;
    struct chop_cut under_way;
    size_t pieces = 0;
    size_t last = 0;
    (void)state;
    assert_true(chop_read("1", &chop));
    chop_begin(&under_way, &chop, (struct lwp_bytes){bytes, SIZE});
    for (struct lwp_bytes piece = chop_next(&under_way); piece.size;
         piece = chop_next(&under_way)) {
        pieces++;
        last = piece.size;
    }
    assert_int_equal(pieces, CHOP_MOST_PIECES + 1);
    assert_int_equal(last, 1000);
}

static void what_is_no_mode_is_refused(void **state)
{
    static const char *const wrong[] = {"",      "0",     "43,", ",1",         "-1",
                                        "1,,2",  "rand",  "**",  "rand:",      "rand:-1",
                                        "none,", "65536", "1 ",  "1000000000", "1,2,3,4,5,6,7,8,9"};
    struct chop chop;
    struct chop_list list = {.count = 0};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(chop_read(wrong[i], &chop));
    assert_true(chop_read("1,2,3,4,5,6,7,8", &chop));
    for (int i = 0; i < CHOP_MOST; i++)
        assert_true(chop_add(&list, "1"));
    assert_false(chop_add(&list, "1"));
    assert_false(chop_add_axes(&list));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_have_the_sizes_of_the_mode_from_each_frame_on),
        cmocka_unit_test(what_is_no_whole_frame_is_taken_for_one),
        cmocka_unit_test(random_pieces_are_small_and_the_same_for_a_seed),
        cmocka_unit_test(large_sends_are_cut_only_so_often),
        cmocka_unit_test(what_is_no_mode_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
