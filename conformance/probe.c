/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "conformance/features.h"
#include "conformance/probe_state.h"

enum { DIALECT_COUNT = 3 };

struct axis {
    const char *key;
    const char *value;
    const char *steps;
};

static const struct axis axes[] = {
#define PROBE_AXIS(key, value, fits, steps) {key, value, steps},
#include "conformance/probe.def"
};

/* Whether the dialect has the value of this row. */
static bool has_value(const struct lwp_dialect *d, size_t row)
{
    const bool has[] = {
#define PROBE_AXIS(key, value, fits, steps) fits,
#include "conformance/probe.def"
    };
    return has[row];
}

struct feature_question {
    const char *name;
    const char *steps;
};

static const struct feature_question features[] = {
#define PROBE_FEATURE(name, steps) {name, steps},
#include "conformance/probe.def"
};

enum {
    AXIS_COUNT = sizeof(axes) / sizeof(axes[0]),
    FEATURE_COUNT = sizeof(features) / sizeof(features[0])
};

static const char keepalive[] = "send keepalive\n expect keepalive";

/* The smallest ClientHello that there is: TLS 1.2, one cipher suite. */
static const char hello[] = "send-raw hex(16 03 01 00 2d 01 00 00 29 03 03 "
                            "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
                            "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
                            "00 00 02 00 2f 01 00)\n expect keepalive";

static const char *const polynomial_words[] = {
    [LWP_CRC32C] = "castagnoli", [LWP_CRC32] = "iso-hdlc"};

/* Which polynomial the header that came is sealed with; false if with neither. */
static bool polynomial_of(const struct probe_answer *answer, enum lwp_polynomial *polynomial)
{
    struct lwp_header header;
    if (answer->first_size < LWP_HEADER_SIZE)
        return false;
    lwp_header_decode(answer->first, &header);
    for (enum lwp_polynomial p = LWP_CRC32C; p <= LWP_CRC32; p++)
        if (lwp_crc(p, (struct lwp_bytes){answer->first, 8}) == header.header_crc) {
            *polynomial = p;
            return true;
        }
    return false;
}

/* Asks with a checksum of this polynomial. True if the server takes it and answers likewise. */
static bool takes(struct probe *probe, enum lwp_polynomial polynomial)
{
    struct probe_answer answer;
    enum lwp_polynomial sent = polynomial;
    const char *word = polynomial_words[polynomial];
    char key[64];
    char value[64];
    probe->spoken = polynomial == LWP_CRC32C ? lwp_dialect_spec : lwp_dialect_lance;
    probe_ask(probe, keepalive, &answer);
    const bool is_answered = answer.reply == PROBE_YES || polynomial_of(&answer, &sent);
    (void)snprintf(key, sizeof(key), "checksum %s", word);
    (void)snprintf(value, sizeof(value), "taken, and answered with %s", polynomial_words[sent]);
    struct probe_finding *finding =
        probe_found(probe, PROBE_TELLS, key, is_answered ? value : "refused", answer.evidence);
    for (int i = 0; finding && i < DIALECT_COUNT; i++)
        finding->fits[i] = answer.reply == PROBE_YES && lwp_dialects[i]->polynomial == polynomial;
    return answer.reply == PROBE_YES;
}

static void find_tls(struct probe *probe)
{
    struct probe_answer answer;
    probe_ask(probe, hello, &answer);
    probe->speaks_tls = answer.first_size >= 2 && answer.first[1] == 3 &&
                        (answer.first[0] == 0x15 || answer.first[0] == 0x16);
}

/* How it seals frames: what all else is asked with. */
static enum lwp_status find_checksum(struct probe *probe)
{
    const bool castagnoli = takes(probe, LWP_CRC32C);
    /* The deployed one last: what follows speaks it if the server takes both. */
    if (takes(probe, LWP_CRC32))
        return LWP_OK;
    probe->spoken = castagnoli ? lwp_dialect_spec : lwp_dialect_lance;
    if (castagnoli)
        return LWP_OK;
    const enum lwp_status status = run_sanity(&probe->run);
    find_tls(probe);
    return status == LWP_OK ? LWP_UNEXPECTED_FRAME : status;
}

/* After what may have been too much for it. */
static void look_after(struct probe *probe, enum probe_reply reply)
{
    if (reply != PROBE_YES && !probe->is_dead)
        probe->is_dead = run_sanity(&probe->run) != LWP_OK;
}

/* One axis: the first of its values that passes. Returns the first row of the next one. */
static size_t find_axis(struct probe *probe, size_t first)
{
    struct probe_answer answer = {.reply = PROBE_UNASKED};
    size_t found = AXIS_COUNT;
    size_t i = first;
    for (; i < AXIS_COUNT && strcmp(axes[i].key, axes[first].key) == 0; i++) {
        if (found < AXIS_COUNT)
            continue;
        probe_ask(probe, axes[i].steps, &answer);
        look_after(probe, answer.reply);
        found = answer.reply == PROBE_YES ? i : AXIS_COUNT;
    }
    const bool is_known = found < AXIS_COUNT;
    struct probe_finding *finding = probe_found(
        probe, PROBE_TELLS, axes[first].key, is_known ? axes[found].value : NULL, answer.evidence);
    for (int d = 0; finding && is_known && d < DIALECT_COUNT; d++)
        finding->fits[d] = has_value(lwp_dialects[d], found);
    return i;
}

static size_t agreement(const struct probe *probe, int dialect)
{
    size_t count = 0;
    for (size_t i = 0; i < probe->findings.count; i++)
        count += probe->findings.items[i].fits[dialect];
    return count;
}

/* The dialect that has most of the values, of those with the right checksum. Two that have as many are none. */
static void choose_dialect(struct probe *probe)
{
    size_t best = 0;
    probe->dialect = NULL;
    for (int i = 0; i < DIALECT_COUNT; i++) {
        const size_t count = agreement(probe, i);
        if (lwp_dialects[i]->polynomial != probe->spoken.polynomial || count < best)
            continue;
        probe->dialect = count == best ? NULL : lwp_dialects[i];
        best = count;
    }
    if (probe->dialect)
        probe->spoken = *probe->dialect;
}

static void find_features(struct probe *probe)
{
    for (size_t i = 0; i < FEATURE_COUNT; i++) {
        struct probe_answer answer;
        probe_ask(probe, features[i].steps, &answer);
        look_after(probe, answer.reply);
        /* This one asks just that. */
        if (answer.wants_token && strcmp(features[i].name, "open") == 0)
            answer.reply = PROBE_NO;
        (void)probe_found(probe, answer.reply == PROBE_NO ? PROBE_LACKS : PROBE_TELLS,
                          features[i].name,
                          answer.reply == PROBE_YES  ? "yes"
                          : answer.reply == PROBE_NO ? "no"
                                                     : NULL,
                          answer.evidence);
    }
}

/* Whether a command is answered, and not as one that does not exist. */
static void find_command(struct probe *probe, const struct lwp_command *command,
                         const char *unknown)
{
    char key[64];
    char steps[128];
    struct probe_answer answer;
    const bool has_topic = lwp_command_field(command, lwp_bytes_text("topic_id")) != NULL;
    (void)snprintf(key, sizeof(key), "command %s", command->word);
    (void)snprintf(steps, sizeof(steps), "send %s%s\n expect frame", command->word,
                   has_topic ? " topic_id=max" : "");
    probe_ask(probe, steps, &answer);
    look_after(probe, answer.reply);
    const bool is_unknown = *unknown && strcmp(answer.came, unknown) == 0;
    const char *value = answer.reply == PROBE_YES ? "answered" : "not answered";
    if (is_unknown)
        value = "answered as one that does not exist";
    (void)probe_found(probe, PROBE_TELLS, key, answer.reply == PROBE_UNASKED ? NULL : value,
                      answer.evidence);
}

static void find_commands(struct probe *probe)
{
    struct probe_answer unknown;
    const struct lwp_command *command = NULL;
    probe_ask(probe, "send frame flags=0x40 batch_id=0x7e\n expect frame", &unknown);
    look_after(probe, unknown.reply);
    for (size_t i = 0; (command = lwp_command_at(i)) != NULL; i++)
        if (command->from_client)
            find_command(probe, command, unknown.reply == PROBE_YES ? unknown.came : "");
}

enum lwp_status probe_server(struct probe *probe)
{
    probe->run.dialect = &probe->spoken;
    const enum lwp_status status = find_checksum(probe);
    if (status != LWP_OK)
        return status;
    (void)probe_found(probe, PROBE_TELLS, "tls", "no", "plain frames are answered");
    /* So that the server's registry is never empty: see run_make_keeper(). */
    const uint64_t keeper = run_make_keeper(&probe->run);
    /* What is found last is asked in the dialect that fits best so far. */
    for (size_t i = 0; i < AXIS_COUNT; choose_dialect(probe))
        i = find_axis(probe, i);
    find_features(probe);
    find_commands(probe);
    probe_limits(probe);
    look_after(probe, PROBE_NO);
    if (keeper && !probe->is_dead)
        run_delete_keeper(&probe->run, keeper);
    return probe->is_dead ? LWP_UNEXPECTED_FRAME : LWP_OK;
}

static void write_dialect(const struct probe *probe, FILE *out)
{
    if (probe->dialect)
        (void)fprintf(out, "dialect %s  # it has most of the values below:", probe->dialect->name);
    else
        (void)fputs("# dialect: unknown, none has most of the values below:", out);
    for (int i = 0; i < DIALECT_COUNT; i++)
        (void)fprintf(out, "%s %s %zu", i ? "," : "", lwp_dialects[i]->name, agreement(probe, i));
    (void)fputc('\n', out);
}

static void write_finding(const struct probe_finding *finding, FILE *out)
{
    if (finding->use == PROBE_TELLS || !finding->value)
        (void)fprintf(out, "# %s: %s (%s)\n", finding->key,
                      finding->value ? finding->value : "unknown", finding->evidence);
    else if (finding->use == PROBE_LACKS)
        (void)fprintf(out, "without %s  # %s\n", finding->key, finding->evidence);
    else
        (void)fprintf(out, "%s %s  # %s\n", finding->key, finding->value, finding->evidence);
}

void probe_write(const struct probe *probe, const char *target, FILE *out)
{
    (void)fprintf(out,
                  "# What %s speaks, found out by lwp-conform probe; give it to a run with "
                  "--profile.\n",
                  target);
    write_dialect(probe, out);
    for (size_t i = 0; i < probe->findings.count; i++)
        write_finding(&probe->findings.items[i], out);
}

void probe_done(struct probe *probe)
{
    script_arena_done(&probe->arena);
}
