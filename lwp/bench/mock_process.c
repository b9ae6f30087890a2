/* SPDX-License-Identifier: MIT */
#include "lwp/bench/mock_process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwp/bench/places.h"

enum { MOST_OPTIONS = 8 };

/* What a topic has stored and given back serves the next one, as in duel.c. */
static void keep_memory(void)
{
    (void)setenv("MALLOC_MMAP_MAX_", "0", 1);
    (void)setenv("MALLOC_TRIM_THRESHOLD_", "2147483647", 1);
    (void)setenv("MALLOC_ARENA_MAX", "1", 1);
}

static void become_mock(int out, int cpu, const char *const *options)
{
    char program[] = LWP_MOCK;
    char listen[] = "--listen=127.0.0.1:0";
    char *arguments[MOST_OPTIONS + 3] = {program, listen};
    for (size_t i = 0; options && options[i] && i < MOST_OPTIONS; i++)
        arguments[2 + i] = strdup(options[i]);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)dup2(out, STDOUT_FILENO);
    places_take(cpu, NULL);
    keep_memory();
    (void)execv(program, arguments);
    perror(program);
    _exit(EXIT_FAILURE);
}

/* From the line that it prints first. */
static bool read_address(struct mock_process *mock, int in)
{
    FILE *lines = fdopen(in, "r");
    if (!lines) {
        (void)close(in);
        return false;
    }
    char line[LWP_ADDRESS_SIZE + 32];
    const bool ok = fgets(line, sizeof(line), lines) &&
                    sscanf(line, "listening on %255s", mock->address) == 1 &&
                    strchr(mock->address, ':');
    if (ok)
        mock->port = (uint16_t)strtoul(strrchr(mock->address, ':') + 1, NULL, 10);
    (void)fclose(lines);
    return ok;
}

bool mock_process_start(struct mock_process *mock, int cpu, const char *const *options)
{
    int ends[2];
    mock->pid = 0;
    if (pipe(ends) < 0)
        return false;
    mock->pid = fork();
    if (mock->pid == 0)
        become_mock(ends[1], cpu, options);
    (void)close(ends[1]);
    if (mock->pid > 0 && read_address(mock, ends[0]))
        return true;
    fprintf(stderr, "lwp-bench: lwp-mock does not start\n");
    return false;
}

void mock_process_stop(struct mock_process *mock)
{
    if (mock->pid <= 0)
        return;
    (void)kill(mock->pid, SIGTERM);
    (void)waitpid(mock->pid, NULL, 0);
    mock->pid = 0;
}
