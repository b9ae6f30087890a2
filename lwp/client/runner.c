/* SPDX-License-Identifier: MIT */
#include "lwp/client/runner.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "lwp/net/clock.h"

static bool init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes))
        return false;
    const bool ok = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                    pthread_cond_init(condition, &attributes) == 0;
    (void)pthread_condattr_destroy(&attributes);
    return ok;
}

enum lwp_status lwp_runner_init(struct lwp_runner *runner, const struct lwp_runner_ops *ops,
                                void *owner, const struct lwp_connect_options *options)
{
    *runner = (struct lwp_runner){
        .ops = ops,
        .owner = owner,
        .world = options->world,
        .shared = !options->caller_driven,
        .wake_fd = -1,
    };
    if (pthread_mutex_init(&runner->lock, NULL))
        return LWP_NO_MEMORY;
    if (!init_condition(&runner->changed)) {
        (void)pthread_mutex_destroy(&runner->lock);
        return LWP_NO_MEMORY;
    }
    return LWP_OK;
}

void lwp_runner_done(struct lwp_runner *runner)
{
    if (runner->wake_fd >= 0)
        (void)close(runner->wake_fd);
    (void)pthread_cond_destroy(&runner->changed);
    (void)pthread_mutex_destroy(&runner->lock);
}

uint64_t lwp_runner_now(const struct lwp_runner *runner)
{
    return runner->world ? lwp_world_now(runner->world) : lwp_clock_now();
}

void lwp_runner_wake(struct lwp_runner *runner)
{
    const uint64_t one = 1;
    if (runner->wake_fd < 0)
        return;
    /* It only fails if the thread has been woken very often already. */
    const ssize_t written = write(runner->wake_fd, &one, sizeof(one));
    (void)written;
}

void lwp_runner_changed(struct lwp_runner *runner)
{
    (void)pthread_cond_broadcast(&runner->changed);
}

static uint64_t deadline_of(const struct lwp_runner *runner)
{
    const uint64_t connection_ns = lwp_connection_deadline(runner->ops->connection(runner->owner));
    const uint64_t owner_ns = runner->ops->deadline(runner->owner);
    return connection_ns < owner_ns ? connection_ns : owner_ns;
}

static void look(struct lwp_runner *runner, int *fd, short *events)
{
    lwp_runner_lock(runner);
    lwp_connection_wait(runner->ops->connection(runner->owner), fd, events);
    lwp_runner_unlock(runner);
}

int lwp_runner_fd(struct lwp_runner *runner)
{
    int fd = -1;
    short events = 0;
    look(runner, &fd, &events);
    return fd;
}

short lwp_runner_events(struct lwp_runner *runner)
{
    int fd = -1;
    short events = 0;
    look(runner, &fd, &events);
    return events;
}

uint64_t lwp_runner_deadline(struct lwp_runner *runner)
{
    lwp_runner_lock(runner);
    const uint64_t due_ns = deadline_of(runner);
    lwp_runner_unlock(runner);
    return due_ns;
}

/* Waits without the lock for the connection, a wake-up or the time. */
static void wait_for(struct lwp_runner *runner, uint64_t deadline_ns)
{
    struct pollfd fds[2] = {{.fd = -1}, {.fd = runner->wake_fd, .events = POLLIN}};
    uint64_t count = 0;
    const struct lwp_connection *connection = runner->ops->connection(runner->owner);
    lwp_connection_wait(connection, &fds[0].fd, &fds[0].events);
    struct lwp_transport *transport = connection->link.transport;
    const uint64_t due_ns = deadline_of(runner);
    const uint64_t until_ns = due_ns < deadline_ns ? due_ns : deadline_ns;
    lwp_runner_unlock(runner);
    if (runner->world)
        lwp_world_wait(runner->world, &transport, 1, until_ns);
    else if (poll(fds, 2, lwp_clock_poll_ms(lwp_clock_now(), until_ns)) > 0 && fds[1].revents)
        (void)!read(runner->wake_fd, &count, sizeof(count));
    lwp_runner_lock(runner);
}

static void deliver(struct lwp_runner *runner)
{
    if (!runner->ops->deliver)
        return;
    lwp_runner_unlock(runner);
    runner->ops->deliver(runner->owner);
    lwp_runner_lock(runner);
}

static void *run(void *argument)
{
    struct lwp_runner *runner = argument;
    lwp_runner_lock(runner);
    while (!runner->stopping) {
        runner->ops->process(runner->owner, lwp_runner_now(runner));
        deliver(runner);
        if (!runner->stopping)
            wait_for(runner, LWP_NEVER);
    }
    lwp_runner_unlock(runner);
    return NULL;
}

enum lwp_status lwp_runner_start(struct lwp_runner *runner)
{
    if (!runner->shared)
        return LWP_OK;
    runner->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (runner->wake_fd < 0)
        return LWP_IO;
    const int error = pthread_create(&runner->thread, NULL, run, runner);
    errno = error;
    runner->has_thread = error == 0;
    return error ? LWP_IO : LWP_OK;
}

void lwp_runner_stop(struct lwp_runner *runner)
{
    if (!runner->has_thread)
        return;
    lwp_runner_lock(runner);
    runner->stopping = true;
    lwp_runner_wake(runner);
    lwp_runner_unlock(runner);
    (void)pthread_join(runner->thread, NULL);
    runner->has_thread = false;
}

void lwp_runner_round(struct lwp_runner *runner)
{
    runner->ops->process(runner->owner, lwp_runner_now(runner));
    deliver(runner);
}

enum lwp_status lwp_runner_connect(struct lwp_runner *runner)
{
    const struct lwp_life *life = &runner->ops->connection(runner->owner)->life;
    lwp_runner_lock(runner);
    if (!runner->has_thread)
        lwp_runner_round(runner);
    /* One that was ready and is lost again is made anew later, as ever: that can take any time. */
    while (!life->was_ready && life->state != LWP_LIFE_ENDED)
        (void)lwp_runner_wait(runner, LWP_NEVER);
    const enum lwp_status status = life->state == LWP_LIFE_ENDED ? life->why.status : LWP_OK;
    lwp_runner_unlock(runner);
    return status;
}

bool lwp_runner_wait(struct lwp_runner *runner, uint64_t deadline_ns)
{
    if (lwp_runner_now(runner) >= deadline_ns)
        return false;
    if (!runner->has_thread) {
        wait_for(runner, deadline_ns);
        lwp_runner_round(runner);
        return true;
    }
    if (deadline_ns == LWP_NEVER) {
        (void)pthread_cond_wait(&runner->changed, &runner->lock);
        return true;
    }
    const struct timespec until = {.tv_sec = (time_t)(deadline_ns / LWP_SECOND_NS),
                                   .tv_nsec = (long)(deadline_ns % LWP_SECOND_NS)};
    (void)pthread_cond_timedwait(&runner->changed, &runner->lock, &until);
    return true;
}
