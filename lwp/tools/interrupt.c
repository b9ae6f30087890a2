/* SPDX-License-Identifier: MIT */
#include "lwp/tools/interrupt.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static sigset_t ending_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    return set;
}

int interrupt_open(void)
{
    const sigset_t set = ending_signals();
    const int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd >= 0)
        (void)sigprocmask(SIG_BLOCK, &set, NULL);
    return fd;
}

bool interrupt_came(int fd)
{
    struct signalfd_siginfo info;
    if (fd < 0 || read(fd, &info, sizeof(info)) <= 0)
        return false;
    const sigset_t set = ending_signals();
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    return true;
}

void interrupt_close(int fd)
{
    if (fd < 0)
        return;
    const sigset_t set = ending_signals();
    (void)interrupt_came(fd);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    (void)close(fd);
}
