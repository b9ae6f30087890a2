/* SPDX-License-Identifier: MIT */
#include "conformance/workers.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/selftest.h"

enum { UNDER_WAY = VERDICT_COUNT, MOST_SECONDS = 5 };

uint8_t *workers_memory(size_t count, size_t case_count)
{
    uint8_t *memory =
        mmap(NULL, count * case_count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    memset(memory, VERDICT_SKIP, count * case_count);
    return memory;
}

void workers_memory_done(uint8_t *memory, size_t count, size_t case_count)
{
    if (memory)
        (void)munmap(memory, count * case_count);
}

/* Processor time, so that a busy machine makes no crash. */
static void limit_time(void)
{
    const struct itimerval limit = {.it_value = {.tv_sec = MOST_SECONDS}};
    (void)setitimer(ITIMER_PROF, &limit, NULL);
}

static void run_here(const struct worker *worker, const struct script *cases, const char *prefix)
{
    lwp_bug_choose(worker->bug);
    for (size_t i = worker->next; i < worker->end; i++) {
        const struct script_case *of = &cases->cases.items[i];
        if (of->role != SCRIPT_SERVER)
            continue;
        worker->verdicts[i] = UNDER_WAY;
        limit_time();
        worker->verdicts[i] = (uint8_t)selftest_verdict(of, worker->dialect, prefix);
    }
}

/* Whatever our parent does with these signals. */
static void die_of_crashes(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
    for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
        (void)signal(crashes[i], SIG_DFL);
}

static bool begin(struct worker *worker, const struct script *cases, const char *prefix)
{
    (void)fflush(NULL); /* What is buffered is not written twice. */
    worker->pid = fork();
    if (worker->pid != 0)
        return worker->pid > 0;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    die_of_crashes();
    run_here(worker, cases, prefix);
    _exit(0);
}

/* A process has ended: at the end, or under a case. Whether something is left to do. */
static bool settle(struct worker *worker, int how)
{
    worker->pid = 0;
    while (worker->next < worker->end && worker->verdicts[worker->next] != UNDER_WAY)
        worker->next++;
    if (how == 0 || worker->next == worker->end)
        return false;
    worker->verdicts[worker->next++] = VERDICT_CRASH;
    return worker->next < worker->end;
}

/* Workers under way. */
struct pool {
    struct worker *workers;
    size_t count;
    size_t begun;
    size_t running;
};

/* Waits for one of them to end; the one to go on with, or NULL. */
static struct worker *wait_for_one(struct pool *pool)
{
    int how = 0;
    const pid_t pid = wait(&how);
    for (size_t i = 0; pid > 0 && i < pool->begun; i++) {
        if (pool->workers[i].pid != pid)
            continue;
        pool->running--;
        return settle(&pool->workers[i], how) ? &pool->workers[i] : NULL;
    }
    return NULL;
}

enum lwp_status workers_run(struct worker *workers, size_t count, size_t jobs,
                            const struct script *cases, const char *prefix)
{
    struct pool pool = {.workers = workers, .count = count};
    enum lwp_status status = LWP_OK;
    while (pool.running || pool.begun < pool.count) {
        const bool has_room = pool.running < jobs && pool.begun < pool.count;
        struct worker *worker = has_room ? &workers[pool.begun++] : wait_for_one(&pool);
        if (!worker)
            continue;
        if (begin(worker, cases, prefix)) {
            pool.running++;
        } else {
            status = LWP_NO_MEMORY;
            pool.count = pool.begun;
        }
    }
    return status;
}
