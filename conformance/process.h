/* SPDX-License-Identifier: MIT */
/* process.h - a program that the runner has started: what it says, what it takes, how it ends. */
#ifndef LWP_CONFORM_PROCESS_H
#define LWP_CONFORM_PROCESS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROCESS_TAIL_SIZE = 8192, PROCESS_LINE_SIZE = 256 };

/* All processes of the group that was begun. */
struct process_use {
    uint64_t peak_size; /* Memory, in bytes: the sum of what each had at its peak. */
    uint64_t descriptors;
    uint64_t threads;
    size_t processes; /* 0: they are gone. */
};

struct process {
    pid_t pid;  /* Of the shell, and of the group; 0 if there is none. */
    int status; /* As of waitpid(), once it has ended; of the first of the group that failed. */
    bool ended;
    bool failed; /* Somebody ended neither with 0 nor by SIGTERM. */
    bool killed; /* It did not end when it was asked to. */
    int output;  /* What it writes to standard output and standard error. */
    int stop;    /* An eventfd that ends the reader. */
    pthread_t reader;
    pthread_mutex_t lock; /* Of what follows, which the reader writes. */
    char tail[PROCESS_TAIL_SIZE];
    size_t tail_size;
    char alarm[PROCESS_LINE_SIZE]; /* The first line in which a sanitizer speaks, or "". */
};

/**
 * Starts `sh -c command` in a process group of its own. Its standard input is empty. False, said on
 * stderr, if it can not be started. To be called by the thread that lives longest: the program is
 * killed when it ends, however it does.
 */
bool process_start(struct process *process, const char *command);

/** Whether the program that was started is still there; takes in how it ended. */
bool process_runs(struct process *process);

/** Asks the group to end with SIGTERM and kills it after `wait_ns`; then `ended` is set, nobody of
 * the group is left, nor of those who have left it, and the last words have been read. Harmless if there is
 * none. */
void process_end(struct process *process, uint64_t wait_ns);

/** Whether the shell is still there and has not become the program. */
bool process_is_shell(const struct process *process);

/** Sends SIGTERM to all of the group but the shell; how many they were. */
size_t process_end_others(const struct process *process);

/** Kills all children that we have, of whatever group; how many there were. */
size_t process_kill_children(void);

/** What the group takes now. */
struct process_use process_use(const struct process *process);

/* Once it has ended. */

/** Copies the last things that it has said, cut to `size` with the zero. */
void process_last_words(const struct process *process, char *out, size_t size);

/** Copies the line in which a sanitizer has spoken; false if none has. */
bool process_alarm(const struct process *process, char out[PROCESS_LINE_SIZE]);

#endif
