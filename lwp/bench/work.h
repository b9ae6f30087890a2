/* SPDX-License-Identifier: MIT */
/* work.h - the candidates: what is measured, and what it is measured against. */
#ifndef LWP_BENCH_WORK_H
#define LWP_BENCH_WORK_H

#include "lwp/bench/load.h"

/**
 * Does the work `rounds` times (at least once) and returns the checksum that it came to in the last
 * round. The two candidates of a gate come to the same one, or they did not do the same work.
 */
typedef uint32_t work_fn(const struct load *load, size_t rounds);

/* The payload's checksum: ours, and one direct call of a library. */
work_fn crc_by_lwp;
work_fn crc_by_zlib;
#ifdef LWP_ISAL
work_fn crc32c_by_isal;
work_fn crc32_by_isal;
#endif

/* One of the headers in turn, with its checksum: ours, and a plain parse with slicing by eight. The
 * answer is that of the last header alone, so both need the same number of rounds modulo
 * LOAD_HEADER_COUNT; measure() sees to that. */
work_fn header_by_lwp;
work_fn header_by_slices;

/* The whole frame: split, split and walked, built from the values, copied. */
work_fn split_by_lwp;
work_fn walk_by_lwp;
work_fn build_by_lwp;
work_fn copy_by_memcpy;

#endif
