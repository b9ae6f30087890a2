/* SPDX-License-Identifier: MIT */
#include "lwp/bench/gates.h"

#include "lwp/bench/laps.h"

#ifdef LWP_ISAL
#define ISAL(candidate) (candidate)
#else
#define ISAL(candidate) NULL
#endif

/* clang-format off */
/* Number, which ratio, gate, aim, what, against what; ours, the reference; polynomial and size of
 * the payload, size of a record. Where one polynomial is measured it stands for both: they cost the
 * same. */
const struct codec_gate codec_gates[] = {
    {{1, SPEED_AT_LEAST, 0.95, 1.0, "CRC-32C of 1 KiB", "libisal call"},
     crc_by_lwp, ISAL(crc32c_by_isal), {LWP_CRC32C, 1024, 0, 0}},
    {{1, SPEED_AT_LEAST, 0.95, 1.0, "CRC-32C of 32 KiB", "libisal call"},
     crc_by_lwp, ISAL(crc32c_by_isal), {LWP_CRC32C, 32768, 0, 0}},
    {{1, SPEED_AT_LEAST, 0.95, 1.0, "CRC-32C of 1 MiB", "libisal call"},
     crc_by_lwp, ISAL(crc32c_by_isal), {LWP_CRC32C, 1048576, 0, 0}},
    {{1, SPEED_AT_LEAST, 0.95, 1.0, "CRC-32 of 1 KiB", "libisal call"},
     crc_by_lwp, ISAL(crc32_by_isal), {LWP_CRC32, 1024, 0, 0}},
    {{1, SPEED_AT_LEAST, 0.95, 1.0, "CRC-32 of 32 KiB", "libisal call"},
     crc_by_lwp, ISAL(crc32_by_isal), {LWP_CRC32, 32768, 0, 0}},
    {{1, SPEED_AT_LEAST, 0.95, 1.0, "CRC-32 of 1 MiB", "libisal call"},
     crc_by_lwp, ISAL(crc32_by_isal), {LWP_CRC32, 1048576, 0, 0}},
    {{2, SPEED_AT_LEAST, 12, 20, "CRC-32 of 32 KiB", "zlib crc32"},
     crc_by_lwp, crc_by_zlib, {LWP_CRC32, 32768, 0, 0}},
    {{3, TIME_AT_MOST, 1.7, 0.5, "header parse and checksum, time", "plain, slicing by 8"},
     header_by_lwp, header_by_slices, {LWP_CRC32C, 0, 0, 0}},
    {{4, SPEED_AT_LEAST, 0.95, 0, "frame decode of 32 KiB, no walk", "checksum alone"},
     split_by_lwp, crc_by_lwp, {LWP_CRC32C, 32768, 0, 0}},
    {{5, SPEED_AT_LEAST, 0.33, 0.39, "decode and walk, 312 x 100 B", "checksum alone"},
     walk_by_lwp, crc_by_lwp, {LWP_CRC32C, 32768, 100, 0}},
    {{5, SPEED_AT_LEAST, 0.75, 0.85, "decode and walk, 32 x 1000 B", "checksum alone"},
     walk_by_lwp, crc_by_lwp, {LWP_CRC32C, 32768, 1000, 0}},
    {{6, SPEED_AT_LEAST, 0.45, 0.55, "frame build, 312 x 100 B", "memcpy of the frame"},
     build_by_lwp, copy_by_memcpy, {LWP_CRC32C, 32768, 100, 0}},
    {.ours = NULL},
};

const struct duel_gate duel_gates[] = {
    {SERVER_MOCK, SERVER_LOOP,
     {15, SPEED_AT_LEAST, 0.9, 0, "mock acks and stores 32 KiB", "bare loop, stores"},
     {15, SPEED_AT_LEAST, 0, 0, "the same, CPU time", "bare loop, stores"}},
    {SERVER_MOCK, SERVER_LOOP_FORGETS,
     {15, SPEED_AT_LEAST, 0, 0, "mock acks and stores 32 KiB", "bare loop, forgets"},
     {15, SPEED_AT_LEAST, 0, 0, "the same, CPU time", "bare loop, forgets"}},
    {SERVER_MOCK_WITH_RULES, SERVER_MOCK,
     {16, TIME_AT_MOST, 1.03, 0, "12 rules that never match, time", "mock without"},
     {16, TIME_AT_MOST, 1.03, 0, "the same, CPU time", "mock without"}},
    {0},
};

/* Gates of the client library. Where there are processes apart, two rows: by the clock on the wall,
 * and by what the client needs, which is told where it is of interest. */
const struct race race_gates[] = {
    {COURSE_EMPTY, produce_driven, produce_bare,
     {7, SPEED_AT_LEAST, 0.8, 0.95, "produce, caller-driven", "prebuilt frames"},
     {7, SPEED_AT_LEAST, 0, 0, "the same, CPU time", "prebuilt frames"}},
    {COURSE_EMPTY, produce_threaded, produce_bare,
     {7, SPEED_AT_LEAST, 0.3, 0, "produce, with a thread", "prebuilt frames"},
     {7, SPEED_AT_LEAST, 0, 0, "the same, CPU time", "prebuilt frames"}},
    {COURSE_AS_FOUND, produce_driven, produce_python,
     {8, SPEED_AT_LEAST, 300, 1000, "produce, caller-driven", "Python send_async"}, {0}},
    {COURSE_AS_FOUND, produce_driven, produce_rust,
     {9, SPEED_AT_LEAST, 5, 12, "produce, caller-driven", "Rust send_async"}, {0}},
    {COURSE_AS_FOUND, produce_singly, produce_python,
     {10, SPEED_AT_LEAST, 10, 35, "produce, one record a frame", "Python send_async"}, {0}},
    {COURSE_ONE_CORE, send_ours, ping_bare,
     {11, TIME_AT_MOST, 1.25, 1.1, "send, round trip, time", "44-byte ping-pong"}, {0}},
    {COURSE_ONE_CORE, send_ours, send_bare,
     {11, TIME_AT_MOST, 0, 0, "send, round trip, time", "prebuilt frame"}, {0}},
    {COURSE_ONE_CORE, send_ours, ping_echo,
     {11, TIME_AT_MOST, 0, 0, "send, round trip, time", "44 bytes, an echo"}, {0}},
    {COURSE_FULL, fetch_by_one, fetch_bare,
     {12, SPEED_AT_LEAST, 0.85, 0.95, "fetch 64 KiB, one at a time", "bare loop"},
     {12, SPEED_AT_LEAST, 0, 0, "the same, CPU time", "bare loop"}},
    {COURSE_FULL, fetch_ahead, fetch_by_one,
     {12, SPEED_AT_LEAST, 4, 5.5, "fetch 64 KiB, read-ahead 4", "one at a time"}, {0}},
    {COURSE_FULL, fetch_ahead, fetch_bare_ahead,
     {12, SPEED_AT_LEAST, 0, 0, "fetch 64 KiB, read-ahead 4", "bare loop, four"},
     {12, SPEED_AT_LEAST, 0, 0, "the same, CPU time", "bare loop, four"}},
    {COURSE_TLS, produce_driven, produce_bare,
     {13, SPEED_AT_LEAST, 0.85, 0.95, "produce over TLS 1.3", "OpenSSL, prebuilt"},
     {13, SPEED_AT_LEAST, 0, 0, "the same, CPU time", "OpenSSL, prebuilt"}},
    {COURSE_TEXTS, produce_driven, pack_bare, {0},
     {14, SPEED_AT_LEAST, 0.8, 0.85, "produce with LZ4, CPU time", "liblz4 alone"}},
    {COURSE_PACKED, fetch_ahead, unpack_bare, {0},
     {14, SPEED_AT_LEAST, 0.75, 0.85, "consume LZ4, CPU time", "liblz4 alone"}},
    {0},
};

/* Sizes are in KiB. */
const struct memory_gate memory_gates[] = {
    {COURSE_EMPTY, hoard_driven,
     {18, SIZE_AT_MOST, 1, 0, "producer, caller-driven, KiB", "8 MiB and 1 MiB"}},
    {COURSE_EMPTY, hoard_singly,
     {18, SIZE_AT_MOST, 1, 0, "one record a frame, KiB", "8 MiB and 1 MiB"}},
    {COURSE_EMPTY, hoard_threaded,
     {18, SIZE_AT_MOST, 1, 0, "producer, with a thread, KiB", "8 MiB and 1 MiB"}},
    {COURSE_FULL, read_driven,
     {18, SIZE_AT_MOST, 1, 0, "consumer, caller-driven, KiB", "4 MiB and 1 MiB"}},
    {COURSE_FULL, read_threaded,
     {18, SIZE_AT_MOST, 1, 0, "consumer, with a thread, KiB", "4 MiB and 1 MiB"}},
    {0},
};

const struct gate visit_gate =
    {17, SHARE_AT_LEAST, 1, 0, "10000 scripted connections", "all that were tried"};
/* clang-format on */
