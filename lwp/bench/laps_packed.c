/* SPDX-License-Identifier: MIT */
#include <lz4.h>

#include "lwp/bench/laps.h"
#include "lwp/wire/compress.h"

/* Until buffers and branches have seen it. */
enum { WARM_UP = 64 };

/* The block alone. */
static struct lwp_bytes block_of(const struct load *load)
{
    return lwp_bytes_from(load->payload, LWP_LZ4_LIBRARY_HEAD_SIZE);
}

static bool pack(const struct load *load)
{
    return LZ4_compress_default((const char *)load->plain.data, (char *)load->out,
                                (int)load->plain.size,
                                (int)load->plain.size) == (int)block_of(load).size;
}

static bool unpack(const struct load *load)
{
    const struct lwp_bytes block = block_of(load);
    return LZ4_decompress_safe((const char *)block.data, (char *)load->out, (int)block.size,
                               (int)load->plain.size) == (int)load->plain.size;
}

/* How many times it was done while the lap lasted; 0 if it was done wrong. */
static size_t repeat(const struct course *course, bool (*work)(const struct load *load),
                     struct lap *lap)
{
    size_t count = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < WARM_UP; i++)
        ok = work(course_load(course, i));
    lap_begin(lap);
    for (; ok && !lap_is_over(lap); count++)
        ok = work(course_load(course, count));
    return ok ? count : 0;
}

bool pack_bare(const struct course *course, struct lap *lap)
{
    const size_t count = repeat(course, pack, lap);
    lap_end(lap, count * course->loads[0]->record_count);
    return count;
}

bool unpack_bare(const struct course *course, struct lap *lap)
{
    const size_t count = repeat(course, unpack, lap);
    lap_end(lap, count * course->loads[0]->plain.size / FETCH_SIZE);
    return count;
}
