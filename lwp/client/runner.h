/* SPDX-License-Identifier: MIT */
/* runner.h - who keeps a client, producer or consumer going: a thread of its own, or its caller. One
 * lock for each, one place that waits. */
#ifndef LWP_CLIENT_RUNNER_H
#define LWP_CLIENT_RUNNER_H

#include <pthread.h>

#include "lwp/client/options.h"

/* What an owner lets the runner do. `process` and `wait` are called with the lock held, `deliver`
 * without it. */
struct lwp_runner_ops {
    /** Does what can be done now. */
    void (*process)(void *owner, uint64_t now_ns);
    /** The connection to wait for. */
    const struct lwp_connection *(*connection)(const void *owner);
    /** When to process although nothing happens. */
    uint64_t (*deadline)(const void *owner);
    /** Calls back whoever wants to be; NULL if nobody does. */
    void (*deliver)(void *owner);
};

struct lwp_runner {
    const struct lwp_runner_ops *ops;
    void *owner;
    struct lwp_world *world; /* Whose time it is and who waits, if it is not the machine. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool shared; /* There is or will be a thread: the lock is real. */
    bool has_thread;
    bool stopping;
    int wake_fd; /* -1 without a thread. */
};

/** Prepares it, for a thread unless the options say that the caller drives: LWP_OK or LWP_NO_MEMORY.
 */
enum lwp_status lwp_runner_init(struct lwp_runner *runner, const struct lwp_runner_ops *ops,
                                void *owner, const struct lwp_connect_options *options);

/** Begins the thread, if there is to be one: LWP_OK, or LWP_IO with errno set. */
enum lwp_status lwp_runner_start(struct lwp_runner *runner);

/** Lets things go on until the first connection is ready or has failed: LWP_OK, or why not. */
enum lwp_status lwp_runner_connect(struct lwp_runner *runner);

/** Ends the thread, which never takes longer than a call of the owner's. Not to be called by it. */
void lwp_runner_stop(struct lwp_runner *runner);

/** Frees what it has; the thread must be stopped. */
void lwp_runner_done(struct lwp_runner *runner);

/** The time. */
uint64_t lwp_runner_now(const struct lwp_runner *runner);

/** Takes the lock, and gives it back. Where the caller drives there is none: he is alone. */
static inline void lwp_runner_lock(struct lwp_runner *runner)
{
    if (runner->shared)
        (void)pthread_mutex_lock(&runner->lock);
}

static inline void lwp_runner_unlock(struct lwp_runner *runner)
{
    if (runner->shared)
        (void)pthread_mutex_unlock(&runner->lock);
}

/** Tells the thread, if there is one, that there may be something to do. Needs the lock. */
void lwp_runner_wake(struct lwp_runner *runner);

/** Tells those who wait that something has changed. Needs the lock. */
void lwp_runner_changed(struct lwp_runner *runner);

/**
 * Waits with the lock held, which it gives up meanwhile, until something may have changed: look, and
 * wait again. Without a thread it is the caller who keeps things going. False once the deadline has
 * passed.
 */
bool lwp_runner_wait(struct lwp_runner *runner, uint64_t deadline_ns);

/** For callers who drive: the descriptor to wait for, or -1; the events, as for poll(); and when
 * there is something to do although nothing happens, or LWP_NEVER. */
int lwp_runner_fd(struct lwp_runner *runner);
short lwp_runner_events(struct lwp_runner *runner);
uint64_t lwp_runner_deadline(struct lwp_runner *runner);

/** One round for a caller who drives: processes and calls back. Does not wait. */
void lwp_runner_round(struct lwp_runner *runner);

#endif
