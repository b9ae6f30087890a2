/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "conformance/features.h"
#include "conformance/probe_state.h"

enum { STRIDE = 16, RECORD_HEAD = 5, LARGE_RECORD = 1024, STEPS_SIZE = 4096 };

static void write_number(uint64_t number, char *out, size_t size)
{
    (void)snprintf(out, size, "%" PRIu64, number);
}

/* Records of so many bytes, at least two heads: large ones, and one or two for the rest. A few of them are read
 * faster than very many, and one alone does not fit on a line. */
static void write_records(uint64_t size, char *out, size_t room)
{
    char value[LARGE_RECORD + RECORD_HEAD];
    uint64_t large = size / LARGE_RECORD;
    uint64_t rest = size % LARGE_RECORD;
    memset(value, 'm', sizeof(value));
    if (rest != 0 && rest < RECORD_HEAD) {
        large--;
        rest += LARGE_RECORD;
    }
    int used = 0;
    if (rest)
        used = snprintf(out, room, "raw(\"%.*s\")%s", (int)(rest - RECORD_HEAD), value,
                        large ? "+" : "");
    if (large)
        (void)snprintf(out + used, room - (size_t)used, "raw(\"%.*s\")*%" PRIu64,
                       LARGE_RECORD - RECORD_HEAD, value, large);
}

struct limit {
    const char *word;
    uint64_t besides;
    uint64_t least;
    uint64_t most;
    uint64_t size_each;
    void (*write)(uint64_t number, char *out, size_t size);
    const char *steps;
};

static const struct limit limits[] = {
#define PROBE_LIMIT(word, besides, least, most, size_each, write, steps)                           \
    {word, besides, least, most, size_each, write, steps},
#include "conformance/probe.def"
};

enum { LIMIT_COUNT = sizeof(limits) / sizeof(limits[0]) };

/* A search: what was taken, what was refused, and how. */
struct search {
    uint64_t taken; /* 0: nothing yet. */
    uint64_t refused;
    enum probe_reply reply;             /* The last. */
    char evidence[PROBE_EVIDENCE_SIZE]; /* Of what was refused, or could not be asked. */
};

static bool try_size(struct probe *probe, const struct limit *limit, uint64_t size,
                     struct search *search)
{
    char steps[STEPS_SIZE];
    char number[STEPS_SIZE - 512];
    struct probe_answer answer;
    const char *sign = strchr(limit->steps, '%');
    limit->write(size - limit->besides, number, sizeof(number));
    (void)snprintf(steps, sizeof(steps), "%.*s%s%s", (int)(sign - limit->steps), limit->steps,
                   number, sign + 1);
    probe_ask(probe, steps, &answer);
    /* Who says nothing in time may be slow: that is no limit. */
    search->reply = answer.is_silent ? PROBE_UNASKED : answer.reply;
    if (answer.reply == PROBE_YES)
        search->taken = size;
    else
        (void)snprintf(search->evidence, sizeof(search->evidence), "%s", answer.evidence);
    if (search->reply == PROBE_NO)
        search->refused = size;
    return search->reply != PROBE_UNASKED;
}

/* In strides to something that is refused, then by halves to the limit; but one less comes first, since the most
 * that is tried is one more than the usual limit. */
static void find_limit(struct probe *probe, const struct limit *limit, uint64_t most,
                       struct search *search)
{
    uint64_t size = limit->least;
    while (try_size(probe, limit, size, search) && search->refused == 0 && size < most)
        size = size * STRIDE < most ? size * STRIDE : most;
    uint64_t next = search->refused - 1;
    while (search->reply != PROBE_UNASKED && search->taken && search->refused > search->taken + 1) {
        (void)try_size(probe, limit, next, search);
        next = search->taken + (search->refused - search->taken) / 2;
    }
}

/* The largest of the sizes that stands for the usual limit is taken as well. */
static void found_no_limit(struct probe *probe, const struct limit *limit, uint64_t taken)
{
    char value[64];
    char evidence[64];
    const bool is_feature = feature_named(lwp_bytes_text(limit->word)) != NULL;
    (void)snprintf(value, sizeof(value), "%" PRIu64 " or more", taken);
    (void)snprintf(evidence, sizeof(evidence), "%" PRIu64 " were taken, and %s", taken,
                   taken < limit->most ? "no more fit into a payload" : "no more were tried");
    (void)probe_found(probe, is_feature ? PROBE_LACKS : PROBE_TELLS, limit->word, value, evidence);
}

/* Finds one limit, of units of which `max_payload` bytes can hold no more than they do. Returns the largest number
 * that was taken. */
static uint64_t probe_limit(struct probe *probe, const struct limit *limit, uint64_t max_payload)
{
    const uint64_t fits = limit->size_each ? max_payload / limit->size_each : limit->most;
    const uint64_t most = fits < limit->most ? fits : limit->most;
    char value[32];
    char evidence[PROBE_EVIDENCE_SIZE + 64];
    struct search search = {.taken = 0};
    find_limit(probe, limit, most, &search);
    const bool is_known = search.reply != PROBE_UNASKED && search.taken != 0;
    if (is_known && search.refused == 0) {
        found_no_limit(probe, limit, search.taken);
        return search.taken;
    }
    (void)snprintf(value, sizeof(value), "%" PRIu64, search.taken);
    (void)snprintf(evidence, sizeof(evidence), "at %" PRIu64 ": %s",
                   search.refused ? search.refused : limit->least, search.evidence);
    (void)probe_found(probe, PROBE_LIMITS, limit->word, is_known ? value : NULL, evidence);
    return search.taken;
}

void probe_limits(struct probe *probe)
{
    const uint64_t max_payload = probe_limit(probe, &limits[0], 0);
    for (size_t i = 1; i < LIMIT_COUNT; i++)
        (void)probe_limit(probe, &limits[i], max_payload ? max_payload : limits[0].least);
}
