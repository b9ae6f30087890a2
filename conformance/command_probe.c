/* SPDX-License-Identifier: MIT */
#include "conformance/probe.h"
#include "conformance/program.h"

/* All questions together. */
#define PROBE_TIME_NS UINT64_C(120000000000)

static enum suite_exit write_profile(const struct probe *probe, const char *target,
                                     const char *path)
{
    struct report_out file;
    if (!report_out_open(&file, path ? path : "-", 0)) {
        report_out_drop(&file);
        return SUITE_NOT_RUN;
    }
    probe_write(probe, target, file.file);
    return report_out_keep(&file) ? SUITE_AS_EXPECTED : SUITE_NOT_RUN;
}

/* Why there is no profile. */
static void say_failure(const struct probe *probe, const char *target, enum lwp_status status)
{
    if (probe->is_dead)
        (void)fprintf(stderr, "lwp-conform: %s stopped answering; the last question was: %s\n",
                      target, probe->findings.items[probe->findings.count - 1].evidence);
    else
        (void)fprintf(stderr, "lwp-conform: %s answers a keepalive with no checksum: %s%s\n",
                      target, lwp_status_text(status),
                      probe->speaks_tls ? "; it speaks TLS, which lwp-conform does not" : "");
}

enum suite_exit command_probe(struct program *program)
{
    const struct arguments *arguments = &program->arguments;
    const char *target = arguments->words.items[0];
    struct lwp_tcp_world world;
    if (lwp_address_parse(target, &program->address) != LWP_OK)
        return (enum suite_exit)arguments_problem("not HOST:PORT", target);
    lwp_tcp_world_init(&world, &program->address);
    struct probe probe = {
        .run = {.world = &world.world,
                .auth_token = arguments->auth_token,
                .prefix = program->prefix,
                .time_factor = (unsigned)arguments->timeout_factor},
        .deadline_ns = lwp_world_now(&world.world) + PROBE_TIME_NS * arguments->timeout_factor,
    };
    const enum lwp_status status = probe_server(&probe);
    enum suite_exit ended = SUITE_NOT_RUN;
    if (status == LWP_OK)
        ended = write_profile(&probe, target, arguments->output);
    else
        say_failure(&probe, target, status);
    probe_done(&probe);
    return ended;
}
