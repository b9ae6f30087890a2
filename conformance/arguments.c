/* SPDX-License-Identifier: MIT */
#include "conformance/arguments.h"

#include <string.h>

#include "conformance/features.h"
#include "lwp/tools/options.h"

static const char before[] = "lwp-conform - does a Lance server keep to the protocol?\n"
                             "\n"
                             "Usage:\n"
#define CONFORM_COMMAND(word, function, least, most, usage, text)                                  \
    "  lwp-conform " usage "\n      " text "\n"
#include "conformance/commands.def"
#undef CONFORM_COMMAND
                             "  lwp-conform --list [OPTION]...\n      name the cases\n"
                             "\n";

static const char after[] =
    "\n"
    "The server is changed: topics named lwpc-<seed>-… are made and deleted, and a few\n"
    "records are written to topic 0, which nobody can delete.\n"
    "\n"
    "Exit status: 0 all as expected; 1 unexpected failure; 2 unexpected pass;\n"
    "3 set-up error or the first sanity exchange failed (the report is still whole);\n"
    "4 fewer cases than --min-cases; 64 wrong usage, a filter, feature or expectation\n"
    "that fits nothing included. Where several apply: 64, 1, 3, 2, 4.\n";

enum flags { REPEATABLE = 1, AGAIN = 2 };

/* The places of the options, for bits. */
enum place {
#define CONFORM_OPTION(kind, member, name, value, flags, help) PLACE_##member,
#include "conformance/options.def"
#undef CONFORM_OPTION
    PLACE_COUNT
};

static const char not_fitting[] = "not a number that fits here";

static const char *add_text(struct texts *texts, const char *text)
{
    if (texts->count == MAX_REPEATED)
        return "too many of this option";
    texts->items[texts->count++] = text;
    return NULL;
}

static const char *read_dialect(dialect_choice *dialect, const char *name)
{
    *dialect = lwp_dialect_named(name);
    return *dialect ? NULL : "no such dialect";
}

static const char *read_feature(unsigned *features, const char *name)
{
    const struct feature *feature = feature_named(lwp_bytes_text(name));
    if (!feature)
        return "no such feature";
    *features |= feature_bit(feature);
    return NULL;
}

static const char *read_chop(struct chop_list *chops, const char *text)
{
    return chop_add(chops, text) ? NULL : "no way to chop, or too many";
}

static const char *read_shuffle(struct chosen_seed *shuffle, const char *text)
{
    shuffle->given = true;
    return lwp_read_number(text, 0, UINT64_MAX, &shuffle->seed) ? NULL : not_fitting;
}

static const char *read_shard(struct shard *shard, const char *text)
{
    char index[16];
    const size_t size = strcspn(text, "/");
    if (text[size] == '\0' || size >= sizeof(index) ||
        !lwp_read_number(text + size + 1, 1, UINT32_MAX, &shard->count))
        return "--shard takes I/N";
    memcpy(index, text, size);
    index[size] = '\0';
    return lwp_read_number(index, 1, shard->count, &shard->index) ? NULL : "--shard takes I/N";
}

static const char *read_watchdog(uint64_t *duration_ns, const char *text)
{
    return lwp_read_duration(text, UINT64_MAX, duration_ns) && *duration_ns ? NULL : not_fitting;
}

static const char *read_memory(uint64_t *size, const char *text)
{
    return lwp_read_size(text, 1, UINT64_MAX, size) ? NULL : not_fitting;
}

/* Whether it may be given now, and is kept for the command that repeats a case. */
static bool note(struct arguments *arguments, enum place place, unsigned flags,
                 const struct given *given)
{
    const uint64_t bit = UINT64_C(1) << place;
    if (arguments->seen & bit && !(flags & REPEATABLE))
        return false;
    arguments->seen |= bit;
    if (flags & AGAIN && arguments->again_count < MAX_AGAIN)
        arguments->again[arguments->again_count++] = *given;
    return true;
}

/* How the kinds are read: `value` to `*to`; what is wrong with it, or NULL. */
#define OPTION_READ_FLAG (*to = true, NULL)
#define OPTION_READ_TEXT (*to = value, NULL)
#define OPTION_READ_LIST add_text(to, value)
#define OPTION_READ_NUMBER(least, most) lwp_read_number(value, least, most, to) ? NULL : not_fitting
#define OPTION_READ_OTHER(type, read) read(to, value)

#define CONFORM_OPTION(kind, member, name, value_name, flags, help)                                \
    static const char *take_##member(void *into, const char *value)                                \
    {                                                                                              \
        OPTION_TYPE_##kind *to = &((struct arguments *)into)->member;                              \
        if (!note(into, PLACE_##member, flags, &(struct given){name, value}))                      \
            return "--" name " is given twice";                                                    \
        return OPTION_READ_##kind;                                                                 \
    }
#include "conformance/options.def"
#undef CONFORM_OPTION

static const struct lwp_option options[] = {
#define CONFORM_OPTION(kind, member, name, value, flags, help) {name, value, help, take_##member},
#include "conformance/options.def"
#undef CONFORM_OPTION
    {NULL, NULL, NULL, NULL},
};

_Static_assert(PLACE_COUNT <= (int)LWP_MAX_OPTIONS, "a bit an option");

static const struct lwp_program program = {
    .name = "lwp-conform",
    .version = "lwp-conform " LWP_VERSION_TEXT,
    .before = before,
    .after = after,
    .options = {options},
};

int arguments_problem(const char *problem, const char *value)
{
    return lwp_options_problem(&program, problem, value);
}

void arguments_reports(const struct arguments *arguments, const char *paths[static REPORT_COUNT])
{
#define REPORT(name, member) paths[REPORT_##name] = arguments->member;
#include "conformance/reports.def"
#undef REPORT
}

/* Two reports into one file would destroy each other. */
static bool shares_a_file(const struct arguments *arguments)
{
    const char *paths[REPORT_COUNT];
    arguments_reports(arguments, paths);
    for (int i = 0; i < REPORT_COUNT; i++)
        for (int j = i + 1; j < REPORT_COUNT; j++)
            if (paths[i] && paths[j] && strcmp(paths[i], paths[j]) == 0)
                return true;
    return false;
}

int arguments_read(int argc, char **argv, struct arguments *arguments)
{
    int rest = 0;
    const int status = lwp_options_read(&program, argc, argv, arguments, &rest);
    if (status >= 0)
        return status;
    if (rest < argc)
        arguments->command = argv[rest++];
    for (; rest < argc; rest++)
        if (add_text(&arguments->words, argv[rest]))
            return arguments_problem("unexpected argument", argv[rest]);
    return shares_a_file(arguments) ? arguments_problem("two reports in one file", NULL) : -1;
}
