/* SPDX-License-Identifier: MIT */
/* bare_loop.h - the least that a server must do with a connection: the mock is measured against it. */
#ifndef LWP_BENCH_BARE_LOOP_H
#define LWP_BENCH_BARE_LOOP_H

#include <stdbool.h>

/**
 * Serves one connection after the other: waits, reads what is there, splits it into frames with the
 * checksums of header and payload, appends the payloads to a log that doubles when it is full
 * (`stores`), and acks all frames of one read with one write. A peer that sends anything but
 * ingests of 32 KiB at most is hung up on. Returns once `stop_fd` is readable while there is no
 * connection.
 */
void bare_loop_run(int listener, int stop_fd, bool stores);

#endif
