/* SPDX-License-Identifier: MIT */
/* mock_process.h - lwp-mock as a program of its own, as clients meet it. */
#ifndef LWP_BENCH_MOCK_PROCESS_H
#define LWP_BENCH_MOCK_PROCESS_H

#include <sys/types.h>

#include "lwp/net/transport.h"

struct mock_process {
    pid_t pid;
    char address[LWP_ADDRESS_SIZE]; /* HOST:PORT */
    uint16_t port;
};

/** Starts it on this processor with these options, a list that ends with NULL, and waits until it
 * listens on 127.0.0.1. It ends with us. False, with the reason on standard error, if it does not
 * start; in both cases for mock_process_stop(). */
bool mock_process_start(struct mock_process *mock, int cpu, const char *const *options);

/** Ends it and waits. Fine if it is all zeros. */
void mock_process_stop(struct mock_process *mock);

#endif
