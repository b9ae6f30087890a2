/* SPDX-License-Identifier: MIT */
#include "conformance/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwp/net/clock.h"

enum { COMMAND_SIZE = 4096 };

static uint64_t seconds(const struct target *target, uint64_t count)
{
    return count * target->options.time_factor * LWP_SECOND_NS;
}

static void sleep_ms(long ms)
{
    const struct timespec soon = {.tv_nsec = ms * 1000000};
    (void)nanosleep(&soon, NULL);
}

/* The command with the port in it; false if it gets too long. */
static bool fill_in_port(const char *command, const char *port, char out[COMMAND_SIZE])
{
    static const char mark[] = "{port}";
    size_t size = 0;
    while (size < COMMAND_SIZE) {
        const char *next = strstr(command, mark);
        const size_t plain = next ? (size_t)(next - command) : strlen(command);
        const int added = snprintf(out + size, COMMAND_SIZE - size, "%.*s%s", (int)plain, command,
                                   next ? port : "");
        size += (size_t)added;
        if (!next)
            break;
        command = next + strlen(mark);
    }
    return size < COMMAND_SIZE;
}

/* Whether it accepts a connection, in time. What ends with success may have started somebody else. */
static bool waits_for_us(struct target *target)
{
    const uint64_t deadline_ns = lwp_clock_now() + seconds(target, 10);
    for (;;) {
        struct lwp_transport *transport = NULL;
        int error = 0;
        const bool runs = process_runs(&target->process);
        if (lwp_tcp_connect(&target->address, deadline_ns, &transport, &error) == LWP_OK) {
            lwp_transport_free(transport);
            return true;
        }
        const bool failed = !runs && target->process.failed;
        if (failed || lwp_clock_now() >= deadline_ns)
            return false;
        sleep_ms(5);
    }
}

static bool start(struct target *target, const char *command)
{
    char filled[COMMAND_SIZE];
    if (!fill_in_port(command, target->address.port, filled)) {
        (void)fprintf(stderr, "lwp-conform: the target's command is too long\n");
        return false;
    }
    return process_start(&target->process, filled) && waits_for_us(target);
}

static void describe_end(const struct process *process, char *out, size_t size)
{
    if (process->killed)
        (void)snprintf(out, size, "it did not end on SIGTERM and was killed");
    else if (WIFSIGNALED(process->status))
        (void)snprintf(out, size, "it ended by signal %d, %s", WTERMSIG(process->status),
                       strsignal(WTERMSIG(process->status)));
    else
        (void)snprintf(out, size, "it ended with exit status %d", WEXITSTATUS(process->status));
}

/* Ends it and keeps what it said, and how it went if that is not as it should. */
static void end(struct target *target)
{
    const bool asked = process_runs(&target->process);
    char words[RESULT_TEXT_SIZE / 2];
    char how[RESULT_TEXT_SIZE / 4];
    if (!target->process.pid)
        return;
    process_end(&target->process, seconds(target, 5));
    const bool sound = asked && !target->process.killed && !target->process.failed;
    if (!target->alarm[0])
        (void)process_alarm(&target->process, target->alarm);
    if (sound || target->end[0])
        return;
    describe_end(&target->process, how, sizeof(how));
    process_last_words(&target->process, words, sizeof(words));
    (void)snprintf(target->end, sizeof(target->end), "%s%s%s%s", asked ? "" : "unasked, ", how,
                   words[0] ? "; its last words: " : "", words);
}

static bool restart(struct suite_host *host)
{
    struct target *target = (struct target *)(void *)host;
    const struct target_options *options = &target->options;
    const char *command = options->restart_command ? options->restart_command : options->command;
    end(target);
    return command && start(target, command);
}

static void begin(struct suite_host *host)
{
    struct target *target = (struct target *)(void *)host;
    /* What it begins to do once it has been spoken to belongs to the first measure. */
    if (target->options.command)
        target->first = process_use(&target->process);
    target->measured = target->options.command && target->first.processes > 0;
}

static void look(struct suite_host *host, const char *id)
{
    struct target *target = (struct target *)(void *)host;
    if (!target->measured)
        return;
    const struct process_use use = process_use(&target->process);
    if (use.peak_size > target->peak_size)
        target->peak_size = use.peak_size;
    if (target->peak_size > target->options.max_memory && !target->peak_id[0])
        (void)snprintf(target->peak_id, sizeof(target->peak_id), "%s", id);
}

/* What is in use once it has had time to see that all connections have ended. */
static struct process_use use_at_rest(const struct target *target)
{
    const uint64_t deadline_ns = lwp_clock_now() + seconds(target, 2);
    const uint64_t leaks = target->options.max_leaks;
    struct process_use use = process_use(&target->process);
    while (use.processes && lwp_clock_now() < deadline_ns &&
           (use.descriptors > target->first.descriptors + leaks ||
            use.threads > target->first.threads + leaks)) {
        sleep_ms(20);
        use = process_use(&target->process);
    }
    return use;
}

static struct result judged(const struct target *target, enum target_judged which, bool sound,
                            const char *reason)
{
    struct result result = {
        .of = &target->judged[which],
        .verdict = sound ? VERDICT_PASS : VERDICT_FAIL,
        .offset = -1,
    };
    (void)snprintf(result.reason, sizeof(result.reason), "%s", sound ? "" : reason);
    return result;
}

static void judge_memory(const struct target *target, struct report *report)
{
    const uint64_t most = target->options.max_memory;
    struct result result = judged(target, TARGET_MEMORY, target->peak_size <= most, "");
    (void)snprintf(result.expected, RESULT_TEXT_SIZE, "at most %" PRIu64 " bytes", most);
    (void)snprintf(result.actual, RESULT_TEXT_SIZE, "%" PRIu64 " bytes", target->peak_size);
    if (result.verdict == VERDICT_FAIL)
        (void)snprintf(result.reason, RESULT_TEXT_SIZE,
                       "%" PRIu64 " bytes at the peak, %" PRIu64
                       " are allowed; it was more for the first time after %s",
                       target->peak_size, most, target->peak_id);
    report_case(report, &result);
}

static void judge_growth(const struct target *target, struct report *report,
                         enum target_judged which, const uint64_t counts[2])
{
    const uint64_t most = counts[0] + target->options.max_leaks;
    struct result result = judged(target, which, counts[1] <= most, "");
    (void)snprintf(result.expected, RESULT_TEXT_SIZE, "at most %" PRIu64, most);
    (void)snprintf(result.actual, RESULT_TEXT_SIZE, "%" PRIu64, counts[1]);
    if (result.verdict == VERDICT_FAIL)
        (void)snprintf(result.reason, RESULT_TEXT_SIZE,
                       "%" PRIu64 " before the first case, %" PRIu64 " at the end", counts[0],
                       counts[1]);
    report_case(report, &result);
}

static void skip(const struct target *target, struct report *report, enum target_judged which)
{
    struct result result = judged(target, which, false, "the target was not there to be measured");
    result.verdict = VERDICT_SKIP;
    report_case(report, &result);
}

static void judge(struct suite_host *host, struct report *report)
{
    struct target *target = (struct target *)(void *)host;
    if (!target->options.command)
        return;
    const struct process_use last = use_at_rest(target);
    const uint64_t descriptors[2] = {target->first.descriptors, last.descriptors};
    const uint64_t threads[2] = {target->first.threads, last.threads};
    const bool rests = target->measured && last.processes;
    look(host, "the last case");
    end(target);
    if (target->measured)
        judge_memory(target, report);
    else
        skip(target, report, TARGET_MEMORY);
    if (rests) {
        judge_growth(target, report, TARGET_DESCRIPTORS, descriptors);
        judge_growth(target, report, TARGET_THREADS, threads);
    } else {
        skip(target, report, TARGET_DESCRIPTORS);
        skip(target, report, TARGET_THREADS);
    }
    struct result result = judged(target, TARGET_EXIT_STATUS, !target->end[0], target->end);
    report_case(report, &result);
    result = judged(target, TARGET_SANITIZERS, !target->alarm[0], target->alarm);
    report_case(report, &result);
}

/* The requirements, as cases that have no steps. */
static void make_cases(struct target *target)
{
    static const struct {
        const char *id;
        const char *text;
    } rows[] = {
#define TARGET_JUDGED(name, id, text) {id, text},
#include "conformance/target.def"
#undef TARGET_JUDGED
    };
    for (size_t i = 0; i < TARGET_JUDGED_COUNT; i++) {
        target->texts[i] = lwp_bytes_text(rows[i].text);
        target->judged[i] = (struct script_case){.id = lwp_bytes_text(rows[i].id),
                                                 .place = {"target.def", (unsigned)i + 1, 1}};
        target->judged[i].texts.items = &target->texts[i];
        target->judged[i].texts.count = 1;
    }
}

/* A port that nobody has; whoever is quick can take it before the target does. */
static bool find_port(struct lwp_address *address)
{
    char bound[LWP_ADDRESS_SIZE];
    int fd = -1;
    if (lwp_tcp_reserve(address, &fd, bound) != LWP_OK)
        return false;
    (void)close(fd);
    return lwp_address_parse(bound, address) == LWP_OK;
}

bool target_init(struct target *target, const struct target_options *options,
                 const struct lwp_address *address)
{
    *target = (struct target){.options = *options, .address = *address};
    target->host = (struct suite_host){.begin = begin, .look = look, .judge = judge};
    if (options->command || options->restart_command)
        target->host.restart = restart;
    make_cases(target);
    if (!options->command)
        return true;
    if (strcmp(address->port, "0") == 0 && !find_port(&target->address)) {
        (void)fprintf(stderr, "lwp-conform: there is no free port\n");
        return false;
    }
    if (start(target, options->command))
        return true;
    (void)fprintf(stderr, "lwp-conform: the target does not accept connections\n");
    return false;
}

void target_end(struct target *target)
{
    end(target);
}
