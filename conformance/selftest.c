/* SPDX-License-Identifier: MIT */
#include "conformance/selftest.h"

#include <errno.h>

#include "conformance/features.h"

#define EPOCH_NS UINT64_C(1700000000000000000)

static const char token[] = "sekret";

/* The mock that has what the case needs, as features.def says it. */
static struct lwp_mock_options options_for(const struct script_case *of)
{
    static const struct lwp_access rights[] = {{"*", "*", true, false}, {"*", "0", true, true}};
    struct lwp_mock_options options = {.epoch_ns = EPOCH_NS};
    if (feature_needed(of, "auth"))
        options.auth_token = token;
    if (feature_needed(of, "rate-limit"))
        options.broker.rate_limit = 1;
    if (feature_needed(of, "connection-limit"))
        options.max_connections = 2;
    if (feature_needed(of, "access")) {
        options.broker.access = rights;
        options.broker.access_count = sizeof(rights) / sizeof(rights[0]);
    }
    return options;
}

static bool prepare(struct suite_target *suite, const struct script_case *of)
{
    struct selftest_target *target = (struct selftest_target *)(void *)suite;
    struct lwp_mock_options options = options_for(of);
    options.dialect = target->dialect;
    lwp_mock_free(target->mock);
    target->mock = NULL;
    if (lwp_mock_new(&options, &target->mock) != LWP_OK)
        return false;
    lwp_mock_world_init(&target->world, target->mock);
    suite->run.auth_token = options.auth_token;
    return true;
}

void selftest_target_init(struct selftest_target *target, const struct lwp_dialect *dialect,
                          const char *prefix)
{
    static const struct profile nothing = {.path = NULL};
    *target = (struct selftest_target){.dialect = dialect};
    target->suite.profile = &nothing;
    target->suite.prepare = prepare;
    target->suite.epoch_ns = EPOCH_NS;
    target->suite.run = (struct run_options){
        .world = &target->world.world, .dialect = dialect, .prefix = prefix, .time_factor = 1};
    target->suite.features = ~0U;
}

void selftest_target_done(struct selftest_target *target)
{
    lwp_mock_free(target->mock);
    target->mock = NULL;
}

enum verdict selftest_verdict(const struct script_case *of, const struct lwp_dialect *dialect,
                              const char *prefix)
{
    struct selftest_target target;
    struct script_arena arena = {NULL, 0, false};
    struct result result = {.verdict = VERDICT_ERROR};
    selftest_target_init(&target, dialect, prefix);
    if (prepare(&target.suite, of))
        run_case(&target.suite.run, of, 1, &arena, &result);
    const enum verdict verdict = result.verdict;
    script_arena_done(&arena);
    selftest_target_done(&target);
    return verdict;
}

/* LWP-5.9/max-bytes becomes case-5.9-max-bytes-lance-0. */
static bool write_seed(const char *folder, const struct script_case *of,
                       const struct lwp_dialect *dialect, size_t number, struct lwp_bytes bytes)
{
    char path[4096];
    const int size = snprintf(path, sizeof(path), "%s/case-%s-%s-%zu", folder,
                              (const char *)of->id.data + 4, dialect->name, number);
    if (size < 0 || (size_t)size >= sizeof(path))
        return false;
    char *slash = strrchr(path, '/');
    *slash = '-';
    FILE *file = fopen(path, "wb");
    const bool written = file && fwrite(bytes.data, 1, bytes.size, file) == bytes.size;
    if (!file || fclose(file) != 0 || !written) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    return true;
}

static bool export_case(const struct script_case *of, const struct lwp_dialect *dialect,
                        const char *folder)
{
    enum { LARGEST_SEED = 4096 };
    struct selftest_target target;
    struct script_arena arena = {NULL, 0, false};
    struct result result = {.verdict = VERDICT_ERROR};
    size_t number = 0;
    bool sound = true;
    selftest_target_init(&target, dialect, "seed");
    if (prepare(&target.suite, of))
        run_case(&target.suite.run, of, 1, &arena, &result);
    for (size_t i = 0; i < result.transcript.events.count; i++) {
        const struct event *event = &result.transcript.events.items[i];
        if (event->kind == EVENT_SENT && event->connection && event->bytes.size <= LARGEST_SEED)
            sound = write_seed(folder, of, dialect, number++, event->bytes) && sound;
    }
    script_arena_done(&arena);
    selftest_target_done(&target);
    return sound;
}

bool selftest_export_seeds(const struct script *cases, const char *folder)
{
    bool sound = true;
    for (size_t i = 0; i < cases->cases.count; i++) {
        sound = export_case(&cases->cases.items[i], &lwp_dialect_lance, folder) && sound;
        sound = export_case(&cases->cases.items[i], &lwp_dialect_spec, folder) && sound;
    }
    return sound;
}
