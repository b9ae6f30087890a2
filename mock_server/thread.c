/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "lwp/net/clock.h"
#include "mock_server/mock_state.h"

static void *serve(void *argument)
{
    struct lwp_mock *mock = argument;
    mock->served = service_run(mock, -1);
    return NULL;
}

/* Signals are for the program's own threads. */
static enum lwp_status start_thread(struct lwp_mock *mock)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&mock->thread, NULL, serve, mock);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error ? LWP_NO_MEMORY : LWP_OK;
}

enum lwp_status lwp_mock_start(struct lwp_mock *mock)
{
    mock_lock(mock);
    enum lwp_status status = LWP_INVALID_ARGUMENT;
    if (!mock->service && !mock->has_thread)
        status = service_begin(mock);
    if (status != LWP_OK) {
        mock_unlock(mock);
        return status;
    }
    mock->has_thread = true;
    status = start_thread(mock);
    if (status != LWP_OK) {
        mock->has_thread = false;
        service_end(mock);
    }
    mock_unlock(mock);
    return status;
}

enum lwp_status lwp_mock_stop(struct lwp_mock *mock)
{
    mock_lock(mock);
    const bool has_thread = mock->has_thread;
    mock->has_thread = false;
    if (has_thread)
        service_stop(mock);
    mock_unlock(mock);
    if (!has_thread)
        return LWP_INVALID_ARGUMENT;
    (void)pthread_join(mock->thread, NULL);
    return mock->served;
}

enum lwp_status lwp_mock_wait(struct lwp_mock *mock, const char *what, uint64_t timeout_ns)
{
    const uint64_t now_ns = lwp_clock_now();
    const uint64_t until_ns = timeout_ns < LWP_NEVER - now_ns ? now_ns + timeout_ns : LWP_NEVER;
    const struct timespec until = {(time_t)(until_ns / LWP_SECOND_NS),
                                   (long)(until_ns % LWP_SECOND_NS)};
    mock_lock(mock);
    const bool serves = mock->service || mock->has_thread;
    enum lwp_status status = serves ? mock_reached(mock, what) : LWP_INVALID_ARGUMENT;
    int error = 0;
    while (status == LWP_WOULD_BLOCK) {
        if (!mock->service)
            status = LWP_CLOSED;
        else if (error == ETIMEDOUT)
            status = LWP_TIMEOUT;
        else {
            error = pthread_cond_timedwait(&mock->happened, &mock->mutex, &until);
            status = mock_reached(mock, what);
        }
    }
    mock_unlock(mock);
    return status;
}
