/* SPDX-License-Identifier: MIT */
#include "conformance/report.h"

#include <errno.h>
#include <stdlib.h>

static const struct {
    const char *word;
    const char *text;
    enum verdict_class class;
} verdicts[VERDICT_COUNT] = {
#define VERDICT(name, word, class, text) [VERDICT_##name] = {word, text, CLASS_##class},
#include "conformance/verdicts.def"
#undef VERDICT
};

const char *verdict_word(enum verdict verdict)
{
    return verdicts[verdict].word;
}

const char *verdict_text(enum verdict verdict)
{
    return verdicts[verdict].text;
}

enum verdict_class verdict_class_of(enum verdict verdict)
{
    return verdicts[verdict].class;
}

bool report_is_bad(enum verdict verdict)
{
    return verdicts[verdict].class == CLASS_FAILED || verdicts[verdict].class == CLASS_BROKEN;
}

bool report_is_told(enum verdict verdict)
{
    return report_is_bad(verdict) || verdicts[verdict].class == CLASS_KNOWN;
}

static const struct report_form *const forms[REPORT_COUNT] = {
#define REPORT(name, member) [REPORT_##name] = &report_form_##member,
#include "conformance/reports.def"
#undef REPORT
};

/* What is killed leaves what it has done, if under another name; and a write that fails says why
 * only now. */
static void flush(struct report_out *out)
{
    errno = 0;
    if ((fflush(out->file) != 0 || ferror(out->file)) && !out->error)
        out->error = errno ? errno : EIO;
}

static void tell(struct report *report, enum report_moment moment)
{
    for (size_t i = 0; i < REPORT_COUNT; i++) {
        struct report_out *out = &report->outs[i];
        if (!out->file || !forms[i]->at[moment])
            continue;
        forms[i]->at[moment](report, out);
        flush(out);
    }
}

static void take_exchange(struct exchange_sink *sink, const struct exchange *exchange)
{
    struct report *report = (struct report *)(void *)sink;
    for (size_t i = 0; i < REPORT_COUNT; i++)
        if (report->outs[i].file && forms[i]->exchange)
            forms[i]->exchange(report, &report->outs[i], exchange);
}

struct exchange_sink *report_sink(struct report *report)
{
    for (size_t i = 0; i < REPORT_COUNT; i++)
        if (report->outs[i].file && forms[i]->exchange)
            return &report->sink;
    return NULL;
}

bool report_open(struct report *report, const char *const *paths)
{
    bool sound = true;
    report->sink.take = take_exchange;
    for (size_t i = 0; i < REPORT_COUNT && sound; i++)
        if (paths[i])
            sound = report_out_open(&report->outs[i], paths[i], forms[i]->state_size);
    for (size_t i = 0; i < REPORT_COUNT && sound; i++)
        for (size_t j = i + 1; j < REPORT_COUNT && sound; j++)
            sound = !report_out_shares(&report->outs[i], &report->outs[j]);
    for (size_t i = 0; i < REPORT_COUNT && !sound; i++)
        report_out_drop(&report->outs[i]);
    return sound;
}

void report_begin(struct report *report, const struct report_run *run)
{
    report->run = *run;
    report->counts = (struct report_counts){.total = 0};
    report->duration_ns = 0;
    memset(report->slowest, 0, sizeof(report->slowest));
    tell(report, REPORT_BEGIN);
}

static void count(struct report_counts *counts, enum verdict verdict)
{
    counts->of[verdict]++;
    counts->total++;
}

/* Keeps the slowest, the slowest first. */
static void rank(struct report_slow *slowest, const struct result *result)
{
    size_t at = REPORT_SLOWEST;
    while (at > 0 && (!slowest[at - 1].id || slowest[at - 1].duration_ns < result->duration_ns))
        at--;
    if (at == REPORT_SLOWEST)
        return;
    memmove(&slowest[at + 1], &slowest[at], (REPORT_SLOWEST - 1 - at) * sizeof(slowest[0]));
    slowest[at] = (struct report_slow){(const char *)result->of->id.data, result->duration_ns};
}

void report_case(struct report *report, const struct result *result)
{
    count(&report->counts, result->verdict);
    count(&report->all, result->verdict);
    report->duration_ns += result->duration_ns;
    if (result->of->steps.count) /* What is judged at the end takes no time of its own. */
        rank(report->slowest, result);
    for (size_t i = 0; i < REPORT_COUNT; i++) {
        struct report_out *out = &report->outs[i];
        if (!out->file || !forms[i]->add)
            continue;
        forms[i]->add(report, out, result);
        flush(out);
    }
}

void report_end_run(struct report *report)
{
    tell(report, REPORT_END);
}

bool report_finish(struct report *report)
{
    bool sound = true;
    tell(report, REPORT_FINISH);
    for (size_t i = 0; i < REPORT_COUNT; i++)
        sound = report_out_keep(&report->outs[i]) && sound;
    return sound;
}

void report_piece_begin(struct report_piece *piece)
{
    *piece = (struct report_piece){NULL, NULL, 0};
    piece->out = open_memstream(&piece->text, &piece->size);
}

bool report_piece_done(struct report_piece *piece, FILE *out)
{
    const bool sound = piece->out && fclose(piece->out) == 0;
    if (sound && out)
        (void)fwrite(piece->text, 1, piece->size, out);
    free(piece->text);
    *piece = (struct report_piece){NULL, NULL, 0};
    return sound;
}
