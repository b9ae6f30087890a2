/* SPDX-License-Identifier: MIT */
#include "conformance/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwp/net/clock.h"

/* What a sanitizer or a runtime says when it has found something. */
static bool is_alarm(const char *line)
{
    static const char *const words[] = {"Sanitizer", "runtime error:", "panicked at"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strstr(line, words[i]))
            return true;
    return false;
}

static void keep(struct process *process, const char *bytes, size_t size)
{
    const size_t room = sizeof(process->tail) - process->tail_size;
    if (size > room) {
        const size_t dropped = size - room;
        memmove(process->tail, process->tail + dropped, process->tail_size - dropped);
        process->tail_size -= dropped;
    }
    memcpy(process->tail + process->tail_size, bytes, size);
    process->tail_size += size;
}

enum { OVERLAP = 16 }; /* Longer than any word of is_alarm(). */

/* A line under way. What is longer is looked at in parts that overlap. */
struct line {
    char text[PROCESS_LINE_SIZE];
    size_t size;
};

static void look_at(struct process *process, struct line *line)
{
    line->text[line->size] = '\0';
    /* A zero in it only hides what is behind. */
    if (!process->alarm[0] && is_alarm(line->text))
        memcpy(process->alarm, line->text, line->size + 1);
}

static void look_for_alarm(struct process *process, struct line *line, const char *bytes,
                           size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const bool ends = bytes[i] == '\n';
        if (!ends)
            line->text[line->size++] = bytes[i];
        if (!ends && line->size + 1 < sizeof(line->text))
            continue;
        look_at(process, line);
        const size_t kept = ends ? 0 : OVERLAP;
        memmove(line->text, line->text + line->size - kept, kept);
        line->size = kept;
    }
}

/* Reads what has come; 0 or less at the end, or when the reader is to stop. */
static ssize_t read_some(const struct process *process, char *bytes, size_t size)
{
    struct pollfd fds[] = {{.fd = process->output, .events = POLLIN},
                           {.fd = process->stop, .events = POLLIN}};
    ssize_t got = -1;
    do {
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents)
            return 0;
        got = read(process->output, bytes, size);
    } while (got < 0 && errno == EINTR);
    return got;
}

/* Reads on, so that the program never waits for us. */
static void *read_output(void *context)
{
    struct process *process = context;
    struct line line = {.size = 0};
    char bytes[4096];
    for (;;) {
        const ssize_t got = read_some(process, bytes, sizeof(bytes));
        if (got <= 0)
            break;
        (void)pthread_mutex_lock(&process->lock);
        keep(process, bytes, (size_t)got);
        look_for_alarm(process, &line, bytes, (size_t)got);
        (void)pthread_mutex_unlock(&process->lock);
    }
    (void)pthread_mutex_lock(&process->lock);
    look_for_alarm(process, &line, "\n", 1);
    (void)pthread_mutex_unlock(&process->lock);
    return NULL;
}

/* Only what is allowed between fork and exec. */
static _Noreturn void become(const char *command, int output, pid_t parent)
{
    sigset_t none;
    const int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGXFSZ, SIG_DFL);
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent && dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
        dup2(output, STDERR_FILENO) >= 0)
        (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

bool process_start(struct process *process, const char *command)
{
    int ends[2];
    const pid_t parent = getpid();
    *process = (struct process){.pid = 0};
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1); /* So that nobody of the group stays a zombie. */
    if (pipe2(ends, O_CLOEXEC) != 0) {
        (void)fprintf(stderr, "lwp-conform: %s: %s\n", command, strerror(errno));
        return false;
    }
    process->pid = fork();
    if (process->pid == 0)
        become(command, ends[1], parent);
    (void)close(ends[1]);
    process->output = ends[0];
    process->stop = eventfd(0, EFD_CLOEXEC);
    (void)pthread_mutex_init(&process->lock, NULL);
    if (process->pid > 0 && pthread_create(&process->reader, NULL, read_output, process) == 0) {
        (void)setpgid(process->pid, process->pid); /* Whoever of both is first. */
        return true;
    }
    (void)fprintf(stderr, "lwp-conform: %s: can not be started\n", command);
    if (process->pid > 0) {
        (void)kill(process->pid, SIGKILL);
        (void)waitpid(process->pid, NULL, 0);
    }
    (void)close(ends[0]);
    (void)close(process->stop);
    process->pid = 0;
    return false;
}

static bool is_by_sigterm(int status)
{
    enum { SHELL_ADDS = 128 };
    return (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) ||
           (WIFEXITED(status) && WEXITSTATUS(status) == SHELL_ADDS + SIGTERM);
}

/* Whoever has lost its parent is ours, too: one that failed counts more than the shell's end. */
static void take_status(struct process *process, pid_t pid, int status)
{
    const bool is_bad = status != 0 && !is_by_sigterm(status);
    if ((is_bad || pid == process->pid) && !process->failed)
        process->status = status;
    process->failed |= is_bad;
    process->ended |= pid == process->pid;
}

bool process_runs(struct process *process)
{
    int status = 0;
    pid_t pid = process->pid ? waitpid(-process->pid, &status, WNOHANG) : 0;
    for (; pid > 0; pid = waitpid(-process->pid, &status, WNOHANG))
        take_status(process, pid, status);
    return process->pid && !process->ended;
}

/* Whether somebody of the group is left. */
static bool group_is_left(struct process *process)
{
    (void)process_runs(process);
    return kill(-process->pid, 0) == 0;
}

static bool is_gone_until(struct process *process, uint64_t deadline_ns)
{
    const struct timespec soon = {.tv_nsec = 5000000};
    while (group_is_left(process)) {
        if (lwp_clock_now() >= deadline_ns)
            return false;
        (void)nanosleep(&soon, NULL);
    }
    return true;
}

/* A shell that got the signal together with its child could take the child's status to the grave; so
 * it has until then to tell it. */
static void ask_to_end(struct process *process, uint64_t until_ns)
{
    const bool has_child =
        process_runs(process) && process_is_shell(process) && process_end_others(process) > 0;
    if (has_child && is_gone_until(process, until_ns))
        return;
    if (group_is_left(process))
        (void)kill(-process->pid, SIGTERM);
}

/* Whoever has left the group has become our child by now: the group's end made it an orphan. */
static void end_adopted(uint64_t deadline_ns)
{
    const struct timespec soon = {.tv_nsec = 5000000};
    while (process_kill_children() > 0 && lwp_clock_now() < deadline_ns) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
        (void)nanosleep(&soon, NULL);
    }
}

void process_end(struct process *process, uint64_t wait_ns)
{
    if (!process->pid)
        return;
    ask_to_end(process, lwp_clock_now() + wait_ns / 2);
    if (!is_gone_until(process, lwp_clock_now() + wait_ns / 2)) {
        process->killed = true;
        (void)kill(-process->pid, SIGKILL);
        (void)is_gone_until(process, lwp_clock_now() + LWP_SECOND_NS);
    }
    end_adopted(lwp_clock_now() + LWP_SECOND_NS);
    /* Whoever has left the group may still hold the pipe. */
    const uint64_t until_ns = lwp_clock_wall() + LWP_SECOND_NS;
    const struct timespec until = {.tv_sec = (time_t)(until_ns / LWP_SECOND_NS),
                                   .tv_nsec = (long)(until_ns % LWP_SECOND_NS)};
    if (pthread_timedjoin_np(process->reader, NULL, &until) != 0) {
        (void)eventfd_write(process->stop, 1);
        (void)pthread_join(process->reader, NULL);
    }
    (void)close(process->output);
    (void)close(process->stop);
    (void)pthread_mutex_destroy(&process->lock);
    process->pid = 0;
}

/* The reader has ended by now. */
void process_last_words(const struct process *process, char *out, size_t size)
{
    const size_t kept = process->tail_size < size - 1 ? process->tail_size : size - 1;
    memcpy(out, process->tail + process->tail_size - kept, kept);
    out[kept] = '\0';
}

bool process_alarm(const struct process *process, char out[PROCESS_LINE_SIZE])
{
    memcpy(out, process->alarm, PROCESS_LINE_SIZE);
    return out[0] != '\0';
}
